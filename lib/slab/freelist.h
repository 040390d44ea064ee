/* SPDX-License-Identifier: MIT */
/*
 * slab/freelist.h - free objects link to each other through their own bytes
 *
 * The link stands at object + s->offset; hardened machines store it xored
 * with a secret of the cache and the byte-swapped address of the link.
 */
#ifndef SLAB_SLAB_FREELIST_H
#define SLAB_SLAB_FREELIST_H

#include "base/bytes.h"
#include "slab/slab.h"

static inline uintptr_t freelist_code(const struct kmem_cache *s,
				      uintptr_t word, uintptr_t at)
{
	return s->random ? word ^ s->random ^ __builtin_bswap64(at) : word;
}

static inline void *get_freepointer(const struct kmem_cache *s,
				    const void *object)
{
	uintptr_t at = (uintptr_t)object + s->offset;

	return (void *)freelist_code(s, word_read((void *)at), at);
}

static inline void set_freepointer(const struct kmem_cache *s, void *object,
				   const void *next)
{
	uintptr_t at = (uintptr_t)object + s->offset;

	word_write((void *)at, freelist_code(s, (uintptr_t)next, at));
}

/*
 * An object that waits to be freed (kfree_nolock) keeps the next one, not
 * encoded, where its user's bytes were. A free pointer behind them is left
 * alone: for its slab the object is in use, and checks go on.
 */
static inline uintptr_t waiting_link(const struct kmem_cache *s,
				     const void *object)
{
	return (uintptr_t)object + (s->offset < s->inuse ? s->offset : 0);
}

/* Is p NULL or the payload of one of the slab's objects? objects: its count. */
static inline bool is_object_of(const struct kmem_cache *s, uintptr_t base,
				unsigned int objects, const void *p)
{
	uintptr_t off = (uintptr_t)p - base - s->red_left_pad;

	return !p || (off < (uintptr_t)objects * s->size &&
		      cache_slot_begins(s, off));
}

/* Objects that fit the slab's pages; what `objects` should be. */
static inline unsigned int slab_max_objects(const struct kmem_cache *s,
					    const struct slab *slab)
{
	unsigned long n = cache_slot(s, slab_bytes(slab));

	return n < MAX_OBJS_PER_SLAB ? (unsigned int)n : MAX_OBJS_PER_SLAB;
}

/* The two words that change together. */
struct freelist_counters {
	void *freelist;
	union {
		unsigned long counters;
		struct {
			unsigned int inuse : 16;
			unsigned int objects : 15;
			unsigned int frozen : 1;
			unsigned int stride;
		};
	};
};

static inline struct freelist_counters slab_read(const struct slab *slab)
{
	struct freelist_counters fc;

	fc.freelist = __atomic_load_n(&slab->freelist, __ATOMIC_RELAXED);
	fc.counters = __atomic_load_n(&slab->counters, __ATOMIC_RELAXED);
	return fc;
}

/* Objects that the counters promise on the chain; damaged ones promise none. */
static inline unsigned int nr_on_chain(struct freelist_counters fc)
{
	return fc.inuse < fc.objects ? (unsigned int)(fc.objects - fc.inuse) : 0;
}

/* Can this processor exchange both words at once? */
#if defined(__x86_64__) || defined(__aarch64__)
#define HAVE_CMPXCHG_DOUBLE 1
#else
#define HAVE_CMPXCHG_DOUBLE 0
#endif

/* Exchanges both words if they still are old; the cache decides how: by one
 * instruction (LL/SC on aarch64), or under the slab's lock bit. Counts a
 * failure. */
bool slab_update_freelist(struct kmem_cache *s, struct slab *slab,
			  const struct freelist_counters *old,
			  const struct freelist_counters *new);

#endif

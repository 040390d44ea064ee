/* SPDX-License-Identifier: MIT */
/*
 * debug/check.h - is it intact? and the repairs that 7.0 makes
 *
 * Checks run on a view: the live slab, where they repair, or a copy of its
 * bytes and descriptor, where they only report (verify). Order and texts:
 * spec/debugging/checks.md.
 *
 * Locking: list_lock for a live view of a slab that others can reach.
 */
#ifndef SLAB_DEBUG_CHECK_H
#define SLAB_DEBUG_CHECK_H

#include "base/bytes.h"
#include "debug/layout.h"
#include "slab/freelist.h"

struct slab_view {
	struct kmem_cache *s;	  /* trusted */
	struct slab *slab;	  /* live, or a copy */
	const struct slab *where; /* the live descriptor: its address prints */
	uint8_t *bytes;		  /* of the slab: live, or a copy */
	uintptr_t base;		  /* the address they stand for */
	size_t size;
	bool is_live;	 /* may be repaired; records go to the sinks */
	slab_sink_fn fn; /* not live: where records go; may be NULL */
	void *arg;
	unsigned int findings;
	unsigned int last_report; /* number of the last one made on this view */
	enum slab_report_kind last_kind; /* and its kind, for the repair */
};

static inline struct slab_view view_live(struct kmem_cache *s,
					 struct slab *slab)
{
	uintptr_t base = slab_base(s->machine, slab);

	return (struct slab_view){ .s = s,
				   .slab = slab,
				   .where = slab,
				   .bytes = (uint8_t *)base,
				   .base = base,
				   .size = cache_slab_bytes(s, slab),
				   .is_live = true };
}

/* The byte that stands for address. */
static inline void *view_at(const struct slab_view *v, uintptr_t address)
{
	return v->bytes + (address - v->base);
}

static inline bool view_holds(const struct slab_view *v, uintptr_t address,
			      size_t n)
{
	return address - v->base < v->size &&
	       n <= v->size - (address - v->base);
}

static inline void *view_freepointer(const struct slab_view *v,
				     uintptr_t object)
{
	uintptr_t at = object + v->s->offset;

	return (void *)freelist_code(v->s, word_read(view_at(v, at)), at);
}

static inline void view_set_freepointer(const struct slab_view *v,
					uintptr_t object, const void *next)
{
	uintptr_t at = object + v->s->offset;

	word_write(view_at(v, at), freelist_code(v->s, (uintptr_t)next, at));
}

/* Asked for without a lock: `objects` is the same as long as the slab lives,
 * while inuse, beside it in the same word, is not. */
#if defined(__SANITIZE_THREAD__)
__attribute__((no_sanitize("thread")))
#endif
static inline unsigned int
slab_nr_objects(const struct slab *slab)
{
	return slab->objects;
}

/* Objects that a view may be asked about: the slab's count, cut to what fits. */
static inline unsigned int view_nr_objects(const struct slab_view *v)
{
	uintptr_t fit = cache_slot(v->s, v->size);

	return (unsigned int)MIN(slab_nr_objects(v->slab), fit);
}

/* NULL or an object of the slab. */
static inline bool view_is_valid_pointer(const struct slab_view *v,
					 const void *p)
{
	return is_object_of(v->s, v->base, view_nr_objects(v), p);
}

/*
 * May p be treated as an object without leaving the slab's memory, even if it
 * is none? Caches without consistency checks follow such pointers, as the
 * kernel does; what is further out would kill a kernel and is refused.
 */
static inline bool view_may_follow(const struct slab_view *v, const void *p)
{
	uintptr_t slot = (uintptr_t)p - v->s->red_left_pad;

	return p && view_holds(v, slot, v->s->size);
}

/* 2.2: every byte around and in the object; false when any was wrong. */
bool check_object(struct slab_view *v, void *object, uint8_t val);
/* 2.3: counters, frozen, and the slab's tail. */
bool check_slab(struct slab_view *v);
/* 2.4: the unused tail; never makes anything fail. */
void check_slab_padding(struct slab_view *v);
/* 2.5: is search on the free chain? NULL: is the chain usable? Repairs; after
 * "Freelist cleared" the caller moves a listed slab (D11). */
bool check_on_freelist(struct slab_view *v, const void *search);
/* 2.6 step 3. */
bool check_alloc(struct slab_view *v, void *object);
/* 2.7a for one object freed to cache s. */
bool check_free(struct slab_view *v, struct kmem_cache *s, void *object);
/* 2.8 for one slab: false at the first bad thing. */
bool check_validate_slab(struct slab_view *v, unsigned long *scratch_map);

#endif

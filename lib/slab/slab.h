/* SPDX-License-Identifier: MIT */
/*
 * slab/slab.h - the cache that slabs belong to, and what slabs have in common
 *
 * The slab's descriptor is the page's: machine/page.h.
 */
#ifndef SLAB_SLAB_SLAB_H
#define SLAB_SLAB_SLAB_H

#include <slab/inspect.h>

#include "base/bits.h"
#include "machine/page.h"

struct kmem_cache_order_objects {
	unsigned int order, objects;
};

struct kmem_cache_node {
	struct slab_lock list_lock;
	unsigned long nr_partial; /* length of partial; read without lock too */
	struct list_head partial; /* SL_partial slabs, head is taken first */
	unsigned long nr_slabs;	  /* every slab of this node; atomic */
	unsigned long total_objects;
	struct list_head full;	  /* SLAB_STORE_USER only */
	struct node_barn *barn;	  /* NULL: the cache has no sheaves */
};

struct cache_name {
	struct list_head list;
	char *name;
};

/* Internal flags, above the public ones. */
#define SLAB_OBJECT_POISON (1U << 24)
#define SLAB_CMPXCHG_DOUBLE (1U << 25)

struct kmem_cache {
	struct slab_fast fast; /* what inline paths know of a cache */
	struct slab_machine *machine;
	const struct kmem_cache *self; /* this one, as long as it lives */
	bool is_leaked;	   /* destroyed with objects left */
	bool is_going;	   /* its last name goes: it has none any more */
	bool fast_is_shut; /* alloc and free have more to do here */
	bool debug_is_short; /* what debugging there is fits debug_short.c, */
	uint16_t track_offset; /* which knows where tracks stand */
	slab_flags_t flags;
	unsigned long min_partial; /* sysfs writes it; read without lock */
	unsigned int size;	   /* from object to object, with metadata */
	uint64_t size_inverse;	   /* 2^64 / size, rounded up */
	unsigned int object_size;  /* may be raised by merging */
	unsigned int offset;	   /* of the free pointer in a free object */
	unsigned int inuse;	   /* offset of the metadata */
	unsigned int align;
	unsigned int red_left_pad;
	unsigned int sheaf_capacity; /* 0: served from slabs alone */
	struct slub_percpu_sheaves *cpu_sheaves; /* of each possible CPU */
	struct slab_lock lent_lock;
	struct list_head lent; /* sheaves in users' hands */
	struct kmem_cache_order_objects oo, min;
	gfp_t allocflags;
	int refcount;		   /* names; under slab_mutex */
	void (*ctor)(void *);
	char *name;
	struct list_head names;	   /* aliases, the first name not among them */
	struct list_head list;	   /* of the machine, newest first */
	uintptr_t random;	   /* free pointer secret; 0 not hardened */
	unsigned int remote_node_defrag_ratio; /* 0..1000 */
	unsigned int *random_seq;  /* byte offsets; NULL: ascending */
	unsigned int useroffset, usersize;
	unsigned int next_slab_nr;
	/* of full sheaves, to the slabs, since an allocation found no sheaf */
	size_t flushed_bytes;
	bool has_id; /* in /sys/kernel/slab: :0000064, and links to it */
	unsigned long (*stats)[SLAB_NR_STATS]; /* of each CPU; NULL: off */
	struct kmem_cache_node *node[SLAB_MAX_NODES];
};

static inline void stat_add(struct kmem_cache *s, enum slab_stat_item item,
			    unsigned long n)
{
	if (s->stats)
		__atomic_fetch_add(&s->stats[machine_cpu(s->machine)][item], n,
				   __ATOMIC_RELAXED);
}

static inline void stat(struct kmem_cache *s, enum slab_stat_item item)
{
	stat_add(s, item, 1);
}

/* offset / size and its rest, without dividing: exact for offsets below
 * 2^32, and no smaller than that for any other. */
static inline uintptr_t cache_slot(const struct kmem_cache *s,
				   uintptr_t offset)
{
	return (uintptr_t)((unsigned __int128)offset * s->size_inverse >> 64);
}

static inline bool cache_slot_begins(const struct kmem_cache *s,
				     uintptr_t offset)
{
	return offset * s->size_inverse < s->size_inverse;
}

/* The slot that begins there; ~0: none does. */
static inline uintptr_t cache_slot_at(const struct kmem_cache *s,
				      uintptr_t offset)
{
	unsigned __int128 p = (unsigned __int128)offset * s->size_inverse;

	return (uint64_t)p < s->size_inverse ? (uintptr_t)(p >> 64) :
					       ~(uintptr_t)0;
}

static inline void cache_set_size(struct kmem_cache *s, unsigned int size)
{
	s->size = size;
	s->size_inverse = ~(uint64_t)0 / size + 1;
}

static inline bool cache_is_debug(const struct kmem_cache *s)
{
	return s->flags & SLAB_DEBUG_FLAGS;
}

/* Request sizes are recorded. */
static inline bool cache_has_orig_size(const struct kmem_cache *s)
{
	return (s->flags & (SLAB_STORE_USER | SLAB_KMALLOC)) ==
	       (SLAB_STORE_USER | SLAB_KMALLOC);
}

/* ---- events with names ---- */
void machine_event_slow(struct slab_machine *m, enum slab_event_kind kind,
			const struct kmem_cache *s, const struct slab *slab,
			const void *object, unsigned long a, unsigned long b);

/* Macros, because a probe has its name where it stands: kind is a name, not an
 * expression. */
#define machine_event(m, kind, s, in, object, a, b)                            \
	machine_event_of(m, kind, s, in, object, a, b, in_)

/* Of an object whose slab is looked up for who watches, and for no probe. */
#define machine_event_object(m, kind, s, object, a, b)                         \
	machine_event_of(m, kind, s, NULL, object, a, b,                       \
			 virt_to_slab(m_, object_))

#define machine_event_of(m, kind, s, in, object, a, b, found)                  \
	do {                                                                   \
		struct slab_machine *m_ = (m);                                 \
		const struct kmem_cache *s_ = (s);                             \
		const struct slab *in_ = (in);                                 \
		const void *object_ = (object);                                \
		const unsigned long a_ = (a), b_ = (b);                        \
                                                                               \
		machine_probe(kind, s_ ? s_->name : NULL, in_, object_, a_,    \
			      b_);                                             \
		if (__builtin_expect(m_->event_fn != NULL, 0))                 \
			machine_event_slow(m_, kind, s_, found, object_, a_,   \
					   b_);                                \
	} while (0)

/* Payload of object i. */
static inline uintptr_t slab_object(const struct kmem_cache *s, uintptr_t base,
				    unsigned int i)
{
	return base + s->red_left_pad + (uintptr_t)i * s->size;
}

/* Is s a cache of m (and not a number that damage left there)? */
bool machine_has_cache(const struct slab_machine *m, const struct kmem_cache *s);
/* And not one that was destroyed with objects left in it? */
bool machine_has_live_cache(const struct slab_machine *m,
			    const struct kmem_cache *s);

/* nr_slabs and total_objects go up or down. */
void slab_count(struct kmem_cache *s, struct slab *slab, int by);

/* One bit an object that a user holds; NULL: nobody knows, or the descriptor
 * points to no metadata of ours. */
unsigned long *slab_user_map_judged(const struct kmem_cache *s,
				    const struct slab *slab);
size_t slab_user_map_bytes(const struct kmem_cache *s, const struct slab *slab);

/* slab_true_bytes() of a slab of s, whose order can be one of two; what damage
 * made of it counts as the smaller. */
static inline size_t cache_slab_bytes(const struct kmem_cache *s,
				      const struct slab *slab)
{
	if (s->machine->is_native && slab->order != s->oo.order &&
	    slab->order != s->min.order)
		return PAGE_SIZE << s->min.order;
	return slab_true_bytes(s->machine, slab);
}

static inline unsigned long *slab_user_map(const struct kmem_cache *s,
					   const struct slab *slab)
{
	if (!cache_is_debug(s))
		return NULL;
	return s->machine->is_native ? slab->user_map :
				       slab_user_map_judged(s, slab);
}

/* Shuffle for slabs of this cache; leaves NULL when there is no memory. */
void slab_init_random_seq(struct kmem_cache *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * slab/sheaf.h - an array of objects that passed the free hooks
 *
 * A stack: the top is objects[size - 1]. A sheaf is in exactly one place: main,
 * spare or rcu_free of one CPU; a list of a barn; in RCU; lent to a user; or in
 * the hands of one thread that moves it.
 *
 * Invariant: size <= capacity, of the cache, or of the sheaf while it is lent.
 */
#ifndef SLAB_SLAB_SHEAF_H
#define SLAB_SLAB_SHEAF_H

#include <slab/sheaf.h>

#include "slab/slab.h"

enum sheaf_place {
	SHEAF_RESTS,	/* on a CPU, in a barn, or being moved */
	SHEAF_IN_RCU,
	SHEAF_LENT,
};

struct slab_sheaf {
	union {
		struct rcu_head rcu_head; /* SHEAF_IN_RCU */
		struct list_head list;	  /* of a barn, of the lent ones */
	};
	struct kmem_cache *cache; /* NULL: the bootstrap sheaf */
	union {
		struct {
			unsigned int size;
			/* by inline paths, since somebody looked */
			unsigned int pushes;
		};
		uint64_t size_and_pushes;
	};
	unsigned int capacity; /* lent: of this one; else how far inline frees
				* may fill it */
	unsigned int place : 3;
	unsigned int pfmemalloc : 1; /* lent: may hold reserve objects */
	int node;		     /* in RCU: of the CPU that filled it */
	void *objects[] __attribute__((aligned(16)));
};

static_assert(offsetof(struct slab_sheaf, size) == SLAB_FAST_SIZE &&
		      offsetof(struct slab_sheaf, capacity) ==
			      SLAB_FAST_CAPACITY &&
		      offsetof(struct slab_sheaf, objects) == SLAB_FAST_OBJECTS,
	      "what inline paths read and write");

static inline size_t sheaf_bytes(unsigned int capacity)
{
	return sizeof(struct slab_sheaf) + (size_t)capacity * sizeof(void *);
}

/* As the kernel would ask kmalloc for it: 7.0's header has 32 bytes. */
static inline size_t sheaf_kernel_bytes(unsigned int capacity)
{
	return 32 + (size_t)capacity * sizeof(void *);
}

/*
 * Main of every CPU of a cache without sheaves: always empty, always full,
 * never written. 7.0's bootstrap sheaf.
 */
extern struct slab_sheaf *const bootstrap_sheaf;
/* The same, for `fast` of a CPU whose lock is held. */
extern struct slab_sheaf *const locked_sheaf;
/* The same, held from another CPU. */
extern struct slab_sheaf *const drained_sheaf;

/* Sheaves that one CPU keeps are linked one way. */
static inline struct slab_sheaf *sheaf_next(const struct slab_sheaf *sheaf)
{
	return (struct slab_sheaf *)sheaf->list.next;
}

static inline void sheaf_set_next(struct slab_sheaf *sheaf,
				  struct slab_sheaf *next)
{
	sheaf->list.next = (struct list_head *)next;
}

/* Is it memory that can be a sheaf of s, by our own tables? Reading it is
 * safe then; that it is one is for its words to say. */
bool sheaf_may_be(const struct kmem_cache *s, const struct slab_sheaf *sheaf);

/* P2 and P4 for a sheaf that rests; NULL or what does not hold. */
const char *sheaf_check(const struct kmem_cache *s,
			const struct slab_sheaf *sheaf);

#endif

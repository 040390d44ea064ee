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
	unsigned int size : 28;
	unsigned int place : 3;
	unsigned int pfmemalloc : 1; /* lent: may hold reserve objects */
	union {
		int node;	       /* in RCU: of the CPU that filled it */
		unsigned int capacity; /* lent */
	};
	void *objects[];
};

static_assert(sizeof(struct slab_sheaf) == 32, "the header that 7.0's has");

static inline size_t sheaf_bytes(unsigned int capacity)
{
	return sizeof(struct slab_sheaf) + (size_t)capacity * sizeof(void *);
}

/*
 * Main of every CPU of a cache without sheaves: always empty, always full,
 * never written. 7.0's bootstrap sheaf.
 */
extern struct slab_sheaf *const bootstrap_sheaf;

/* Is it memory that can be a sheaf of s, by our own tables? Reading it is
 * safe then; that it is one is for its words to say. */
bool sheaf_may_be(const struct kmem_cache *s, const struct slab_sheaf *sheaf);

/* P2 and P4 for a sheaf that rests; NULL or what does not hold. */
const char *sheaf_check(const struct kmem_cache *s,
			const struct slab_sheaf *sheaf);

#endif

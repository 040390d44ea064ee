/* SPDX-License-Identifier: MIT */
/*
 * slab/barn.h - whole sheaves, shared by the CPUs of a node
 *
 * Two lists, last in first out. Limits are soft: they are looked at without
 * the lock and by some puts only (spec/allocator/alloc-free-paths.md 3.11).
 *
 * Locking:   each call takes the barn's lock; with spin false it tries.
 * Invariant: nr_full and nr_empty are the lists' lengths; sheaves on
 *            sheaves_empty have size 0, those on sheaves_full more.
 */
#ifndef SLAB_SLAB_BARN_H
#define SLAB_SLAB_BARN_H

#include "slab/sheaf.h"

/* 7.0's; machine_parameters has those that count. */
#define MAX_FULL_SHEAVES  10U
#define MAX_EMPTY_SHEAVES 10U

struct node_barn {
	struct slab_lock lock;
	unsigned int nr_full, nr_empty; /* written under lock, peeked without */
	struct list_head sheaves_full, sheaves_empty;
	unsigned int node; /* whose it is, for who watches */
};

void barn_init(struct node_barn *barn, unsigned int node);

/* Peeks that decide before the lock. */
unsigned int barn_peek_full(struct kmem_cache *s, const struct node_barn *barn);
unsigned int barn_peek_empty(struct kmem_cache *s,
			     const struct node_barn *barn);

/* An empty sheaf, or NULL. */
struct slab_sheaf *barn_get_empty(struct kmem_cache *s, struct node_barn *barn,
				  bool spin);
/* A full one, else an empty one, else NULL. */
struct slab_sheaf *barn_get_full_or_empty(struct kmem_cache *s,
					  struct node_barn *barn);
/* A full one for an empty one; NULL, and empty is the caller's still. */
struct slab_sheaf *barn_replace_empty(struct kmem_cache *s,
				      struct node_barn *barn,
				      struct slab_sheaf *empty, bool spin);
/* An empty one for a full one. -E2BIG: full enough; -ENOMEM: no empty one;
 * -EBUSY: the lock. */
int barn_replace_full(struct kmem_cache *s, struct node_barn *barn,
		      struct slab_sheaf *full, bool spin,
		      struct slab_sheaf **ret);
/* No limit is looked at. */
void barn_put_empty(struct kmem_cache *s, struct node_barn *barn,
		    struct slab_sheaf *sheaf);
void barn_put_full(struct kmem_cache *s, struct node_barn *barn,
		   struct slab_sheaf *sheaf);
/* Takes all it has: two lists with their heads in the caller. */
void barn_take_all(struct kmem_cache *s, struct node_barn *barn,
		   struct list_head *full, struct list_head *empty);

/* P6 and P2; NULL or what does not hold. Nothing in progress. */
const char *barn_check(const struct kmem_cache *s,
		       const struct node_barn *barn);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * slab/cpu.h - the sheaves of one CPU
 *
 *	main      serves this CPU's allocations and frees; never NULL
 *	spare     NULL, or empty, or full; may be anything in between
 *	rcu_free  collects kfree_rcu; NULL or not full
 *
 * Locking: a try-lock that no other CPU takes: whoever finds it busy
 *          interrupted its holder, and goes to the slabs. Plain locking is
 *          for places that can not interrupt one (flush, prefill, return).
 *          After an unlock the thread may be on another CPU: look again.
 */
#ifndef SLAB_SLAB_CPU_H
#define SLAB_SLAB_CPU_H

#include "slab/barn.h"

struct slub_percpu_sheaves {
	struct slab_lock lock;
	struct slab_sheaf *main, *spare, *rcu_free;
};

/* This CPU's, locked; NULL: busy. */
struct slub_percpu_sheaves *pcs_trylock(struct kmem_cache *s);
struct slub_percpu_sheaves *pcs_lock(struct kmem_cache *s);
void pcs_unlock(struct kmem_cache *s, struct slub_percpu_sheaves *pcs);

/* The barn of this CPU's nearest node with memory, or NULL. */
struct node_barn *get_barn(const struct kmem_cache *s);

/* P1 to P3 and P8 for one CPU; NULL or what does not hold. */
const char *pcs_check(const struct kmem_cache *s, unsigned int cpu);

#endif

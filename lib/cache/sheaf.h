/* SPDX-License-Identifier: MIT */
/*
 * cache/sheaf.h - sheaves are made, filled, emptied and carried around
 *
 *	pcs.c      main and spare serve; the barn and refills behind them
 *	sheaf.c    containers, refill and flush of one sheaf
 *	refill.c   many objects from the slabs at once
 *	flush.c    a CPU's sheaves, all CPUs', what waits for RCU
 *	lent.c     sheaves that users borrow
 */
#ifndef SLAB_CACHE_SHEAF_H
#define SLAB_CACHE_SHEAF_H

#include "cache/cache.h"
#include "slab/cpu.h"

/* ---- containers ---- */
/*
 * An empty sheaf of the cache's capacity, or NULL: no memory, or gfp has
 * __GFP_NO_OBJ_EXT, which says that this is the memory of another container.
 */
struct slab_sheaf *sheaf_alloc(struct kmem_cache *s, gfp_t gfp);
/* For another CPU than this one. */
struct slab_sheaf *sheaf_alloc_for(struct kmem_cache *s, gfp_t gfp,
				   unsigned int cpu);
/* It was in RCU, or lent, or is new. */
void sheaf_comes_to_rest(const struct kmem_cache *s, struct slab_sheaf *sheaf);
/* The same, of another capacity and not counted (7.0's oversize ones). */
struct slab_sheaf *sheaf_alloc_oversize(struct kmem_cache *s, gfp_t gfp,
					unsigned int capacity);
/* It must be empty. */
void sheaf_free(struct kmem_cache *s, struct slab_sheaf *sheaf);
void sheaf_free_oversize(struct kmem_cache *s, struct slab_sheaf *sheaf,
			 unsigned int capacity);

/* ---- for ThreadSanitizer: slab/fast.h ---- */
static inline void say_got(size_t nr, void **p)
{
	for (; nr; nr--)
		SLAB_SAY_GOT(*p++);
}

static inline void say_given(size_t nr, void **p)
{
	for (; nr; nr--)
		SLAB_SAY_GIVEN(*p++);
}

/* ---- contents ---- */
/* Up to the cache's capacity. -ENOMEM: what came stays in the sheaf. */
int sheaf_refill(struct kmem_cache *s, struct slab_sheaf *sheaf, gfp_t gfp);
/* All objects back to their slabs; nobody else may see the sheaf. */
void sheaf_flush(struct kmem_cache *s, struct slab_sheaf *sheaf);

/* At least min objects, at most max, from slabs of this node, of others, new
 * ones; how many (fewer than min: no memory). The caller may spin. */
unsigned int refill_objects(struct kmem_cache *s, void **p, gfp_t gfp,
			    unsigned int min, unsigned int max);
/* Objects that passed the free hooks go back, grouped by slab; uncounted. The
 * array is clobbered. */
void free_to_slabs(struct kmem_cache *s, unsigned int nr, void **p);

/* ---- this CPU ---- */
/* Fast path and what stands behind it; NULL: go to the slabs. */
void *alloc_from_pcs(struct kmem_cache *s, gfp_t gfp, int node);
/* false: free it to its slab. */
bool free_to_pcs(struct kmem_cache *s, void *object, bool spin);
/* An inline path of a cache without debugging has failed. */
void *fast_alloc_miss(struct kmem_cache *s, gfp_t gfp, uintptr_t caller);
void fast_free_miss(struct kmem_cache *s, void *object, uintptr_t caller);
/* The part of a bulk call that takes no more than the inline paths and their
 * continuation do (fast.c); how many. */
size_t fast_alloc_bulk(struct kmem_cache *s, size_t nr, void **p);
size_t fast_free_bulk(struct kmem_cache *s, size_t nr, void **p);
/* As many of nr as sheaves give without a refill. */
size_t alloc_from_pcs_bulk(struct kmem_cache *s, size_t nr, void **p);
/* As many of p[0..nr-1] as sheaves take without a flush. */
size_t free_to_pcs_bulk(struct kmem_cache *s, size_t nr, void **p);
/* May an object of this slab rest in this CPU's sheaves? */
bool slab_suits_sheaves(const struct kmem_cache *s, const struct slab *slab);

/* false: locked out, and not one batch was flushed. */
bool flush_main(struct kmem_cache *s, bool spin);
/* This CPU's sheaves; process context. The first wants flush_lock held, the
 * second takes it. */
void flush_this_cpu(struct kmem_cache *s);
void flush_cpu(struct kmem_cache *s);
/* Every online CPU's, each from that CPU. */
void flush_all_cpus(struct kmem_cache *s);
/* What a CPU that is gone left. */
void flush_dead_cpu(struct kmem_cache *s, unsigned int cpu);
/* Full and empty sheaves of the node's barn. */
void flush_barn(struct kmem_cache *s, unsigned int nid);
/* All barns, and what CPUs keep before them, but for CPUs that are busy. */
void flush_kept(struct kmem_cache *s);

/* ---- rcu_free ---- */
/* false: not taken; use the batches. */
bool free_rcu_sheaf(struct kmem_cache *s, void *object);
/* For a detached rcu_free: to its node's barn after a grace period, or to no
 * barn (flushes). */
void rcu_sheaf_submit(struct kmem_cache *s, struct slab_sheaf *sheaf,
		      bool to_barn);
/* What waits in RCU: such a sheaf, or a batch? */
bool rcu_head_is_sheaf(const struct rcu_head *head);
bool rcu_head_is_batch(const struct rcu_head *head);
/* All CPUs' rcu_free are detached and submitted. flush_lock and cpus_lock are
 * taken here. */
void flush_rcu_sheaves(struct kmem_cache *s);

#endif

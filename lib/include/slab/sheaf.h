/*
 * slab/sheaf.h - arrays of free objects in front of the slabs
 *
 * Every cache without debugging has, for each CPU, a main and a spare sheaf,
 * and for each node a barn of full and empty ones; kmem_cache_alloc() and
 * kmem_cache_free() use them by themselves. What stands here is for callers
 * that must not fail later: they borrow a sheaf that is filled beforehand.
 *
 * Ownership: a borrowed sheaf belongs to the caller until it is returned; its
 *            objects are neither in use nor free for others ("prefilled").
 * Locking:   a borrowed sheaf is one thread's at a time. Not from signal
 *            handlers: prefill and return wait for this CPU's sheaves.
 * Errors:    NULL with errno, or -errno. A handle that is no borrowed sheaf of
 *            the cache (used twice, another cache's, after destroy) is
 *            reported (SLAB_REPORT_SHEAF_HANDLE) and refused with EINVAL.
 * Rules:     spec of 7.0's kmem_cache_prefill_sheaf() and the calls after it.
 */
#ifndef SLAB_SHEAF_H
#define SLAB_SHEAF_H

#include <slab/cache.h>

#ifdef __cplusplus
extern "C" {
#endif

struct slab_sheaf;

/* More than this can not be borrowed at once. */
#define SLAB_SHEAF_MAX (1U << 20)

/* A sheaf with at least n objects. EINVAL: n is 0 or above SLAB_SHEAF_MAX;
 * ENOMEM. More than the cache's capacity gives an oversize sheaf. */
SLAB_API struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s,
						     gfp_t gfp, unsigned int n);

/* One object; never fails as long as the sheaf has one. Of gfp __GFP_ZERO
 * alone counts. ENOSPC: the sheaf is empty. */
SLAB_API void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp,
					   struct slab_sheaf *sheaf);

/* At least n objects again; *sheaf may become another one. -ENOMEM leaves it
 * usable, with no fewer objects than before. */
SLAB_API int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp,
				     struct slab_sheaf **sheaf, unsigned int n);

/* The sheaf and what is left in it go back to the cache. */
SLAB_API int kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp,
				     struct slab_sheaf *sheaf);

/* Objects left; 0 for what is no borrowed sheaf. */
SLAB_API unsigned int kmem_cache_sheaf_size(const struct slab_sheaf *sheaf);

/* Objects an ordinary sheaf of the cache holds; 0: the cache has none. */
SLAB_API unsigned int kmem_cache_sheaf_capacity(const struct kmem_cache *s);

/*
 * This CPU's sheaves of s, or of every cache (NULL), go back to their slabs;
 * and of all CPUs. What waits in rcu_free gets there after a grace period.
 */
SLAB_API int slab_cache_flush_cpu(struct slab_machine *m, struct kmem_cache *s);
SLAB_API int slab_cache_flush_all(struct slab_machine *m, struct kmem_cache *s);

#ifdef __cplusplus
}
#endif
#endif

/*
 * slab/kmalloc.h - memory by size: kmalloc and its family
 *
 * Served by caches kmalloc-8 ... kmalloc-8k (and -rcl-, -cg-, dma- sets) of
 * the current machine, made at the first call; above 8 KiB whole pages.
 * With SLAB_STORE_USER the requested size is kept, and with SLAB_RED_ZONE the
 * bytes behind it are a red zone (spec: 7.0's object layout).
 *
 * Errors: NULL and errno ENOMEM. Size 0 gives ZERO_SIZE_PTR, which may be
 *         freed and not be read.
 */
#ifndef SLAB_KMALLOC_H
#define SLAB_KMALLOC_H

#include <slab/cache.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZERO_SIZE_PTR	     ((void *)16)
#define ZERO_OR_NULL_PTR(p)  ((uintptr_t)(p) <= (uintptr_t)ZERO_SIZE_PTR)
#define KMALLOC_MAX_CACHE_SIZE 8192UL	  /* two pages */
#define KMALLOC_MAX_SIZE       (4UL << 20)

/* size bytes, which kfree() takes back; kzalloc() clears them. */
SLAB_API void *kmalloc(size_t size, gfp_t gfp);
SLAB_API void *kmalloc_node(size_t size, gfp_t gfp, int node);
SLAB_API void *kzalloc(size_t size, gfp_t gfp);
/* NULL also when n * size overflows. */
SLAB_API void *kmalloc_array(size_t n, size_t size, gfp_t gfp);
SLAB_API void *kcalloc(size_t n, size_t size, gfp_t gfp);

/* As 7.0: in place while the class fits (the red zone behind the new size is
 * filled again), else a new object; NULL leaves the old one as it was. */
SLAB_API void *krealloc(const void *p, size_t size, gfp_t gfp);

/* NULL and ZERO_SIZE_PTR are fine. */
SLAB_API void kfree(const void *p);
/* Clears the object first. */
SLAB_API void kfree_sensitive(const void *p);

/* Usable bytes; it also widens the recorded size to that (7.0's ksize). 0 for
 * what is no object of ours. */
SLAB_API size_t ksize(const void *p);

/* What kmalloc(size) would really give. */
SLAB_API size_t kmalloc_size_roundup(size_t size);

/* The class cache that serves (size, gfp) on m, made when it does not exist
 * yet; NULL above KMALLOC_MAX_CACHE_SIZE, for size 0 and without memory. */
SLAB_API struct kmem_cache *slab_kmalloc_cache(struct slab_machine *m,
					       size_t size, gfp_t gfp);

/*
 * A set of kmalloc classes of its own (kmem_buckets_create, CONFIG_SLAB_BUCKETS):
 * what one subsystem allocates by size shares no cache with the rest. The
 * window useroffset, usersize is cut to each class. NULL: EINVAL, ENOMEM.
 */
struct kmem_buckets;
SLAB_API struct kmem_buckets *
kmem_buckets_create(const char *name, slab_flags_t flags,
		    unsigned int useroffset, unsigned int usersize,
		    void (*ctor)(void *));
/* As kmalloc(), which it is when b is NULL; above the largest class from whole
 * pages. kfree() it. */
SLAB_API void *kmem_buckets_alloc(struct kmem_buckets *b, size_t size,
				  gfp_t gfp);
/* 0, or -EBUSY when objects were left. */
SLAB_API int slab_buckets_destroy(struct kmem_buckets *b);

/* An object of cache s (made with SLAB_KMALLOC) with orig_size recorded, as
 * slub_kunit's __kmalloc_cache_noprof() call. */
SLAB_API void *kmem_cache_alloc_orig(struct kmem_cache *s, gfp_t gfp,
				     size_t orig_size);

/*
 * Freed after a grace period of the object's machine: through the rcu_free
 * sheaf of this CPU, else in batches of a page. The kernel's kfree_rcu(ptr,
 * field), where field may be left out, and kvfree_rcu_mightsleep(ptr). It waits
 * for nobody, so readers may call it in their sections; signal handlers may
 * not. Native machines: whose sections those are, and who frees, says
 * slab/machine.h.
 */
SLAB_API void slab_kfree_rcu(void *p);
#define SLAB_FIRST(first, ...) (first)
#define kfree_rcu(...)  slab_kfree_rcu(SLAB_FIRST(__VA_ARGS__, 0))
#define kvfree_rcu(...) slab_kfree_rcu(SLAB_FIRST(__VA_ARGS__, 0))

/* Returns when all that was given to kfree_rcu before is free; of the current
 * machine, or of one cache. Native: waits for readers, so one that calls it in
 * its section is told so and waits for nothing. */
SLAB_API void kvfree_rcu_barrier(void);
SLAB_API void kvfree_rcu_barrier_on_cache(struct kmem_cache *s);

/*
 * For any context, also in the middle of another call: never waits for a lock.
 * gfp: __GFP_ACCOUNT, __GFP_ZERO, __GFP_NO_OBJ_EXT. NULL: no memory, or locks
 * that are busy; trying again is no use. ENOMEM, EINVAL (another flag).
 *
 * On a native machine that is: in signal handlers. The machine and the class
 * must be there (the normal classes are from the start; one for __GFP_ACCOUNT
 * is made by the first kmalloc() of it). A report that such a call causes
 * reaches the sinks inside the handler. Without cmpxchg16b (or with
 * no_cmpxchg_double) it gives NULL, as in 7.0, but for debug caches.
 */
SLAB_API void *kmalloc_nolock(size_t size, gfp_t gfp, int node);
/* Of kmalloc_nolock() alone. What can not be freed at once waits until
 * interrupts are on again; on a native machine until the next call that goes
 * to the slabs (an allocation or a free that sheaves do not serve, shrink,
 * trim, destroy), or until a kmalloc_nolock() takes it. */
SLAB_API void kfree_nolock(const void *p);

#ifdef __cplusplus
}
#endif
#endif

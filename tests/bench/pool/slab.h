/* SPDX-License-Identifier: MIT */
/* pool/slab.h - a cache of libslab; with SLAB_NO_INLINE by calls alone */
#include <slab/cache.h>

typedef struct kmem_cache *pool_t;

static inline void *pool_alloc(pool_t s)
{
	return kmem_cache_alloc(s, GFP_KERNEL);
}

static inline void pool_free(pool_t s, void *p)
{
	kmem_cache_free(s, p);
}

#define POOL_HAS_BULK

static inline void pool_alloc_bulk(pool_t s, size_t nr, void **p)
{
	kmem_cache_alloc_bulk(s, GFP_KERNEL, nr, p);
}

static inline void pool_free_bulk(pool_t s, size_t nr, void **p)
{
	kmem_cache_free_bulk(s, nr, p);
}

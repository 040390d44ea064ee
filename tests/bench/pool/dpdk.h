/* SPDX-License-Identifier: MIT */
/* pool/dpdk.h - DPDK's rte_mempool: a ring behind a cache for each lcore */
#include <rte_mempool.h>

typedef struct rte_mempool *pool_t;

static inline void *pool_alloc(pool_t pool)
{
	void *object;

	return rte_mempool_get(pool, &object) ? NULL : object;
}

static inline void pool_free(pool_t pool, void *p)
{
	rte_mempool_put(pool, p);
}

#define POOL_HAS_BULK

static inline void pool_alloc_bulk(pool_t pool, size_t nr, void **p)
{
	if (rte_mempool_get_bulk(pool, p, (unsigned int)nr))
		__builtin_trap();
}

static inline void pool_free_bulk(pool_t pool, size_t nr, void **p)
{
	rte_mempool_put_bulk(pool, p, (unsigned int)nr);
}

/* SPDX-License-Identifier: MIT */
/*
 * program/pool.h - what a workload asks of an allocator
 *
 * One row of the table is these sources compiled with one header of pool/, so
 * that all run the same loops. The header has the two calls that are timed,
 * inline, and says what they take:
 *
 *	pool_t				a size, a cache, a mempool
 *	void *pool_alloc(pool_t)
 *	void pool_free(pool_t, void *)
 *
 * and, when it defines POOL_HAS_BULK, the same for many. The file of the same
 * name has the rest, declared here.
 */
#ifndef BENCH_POOL_H
#define BENCH_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include POOL_HEADER

struct pool_request {
	size_t size;
	size_t nr_live;	       /* at most, of all threads together */
	unsigned int nr_pools; /* that will be opened */
	const char *debug;     /* letters of slab_debug=, or NULL */
	const char *with;      /* a setting of the machine, or NULL */
};

/* Before the process's memory is looked at for the first time: what belongs to
 * the environment rather than to the objects. Dies when it cannot be had. */
void pool_start(void);

/* Dies, with a word, when the request cannot be met. */
pool_t pool_open(const struct pool_request *request);

/* Around what a thread other than the first one does. */
void pool_enter(void);
void pool_leave(void);

/* What the allocator has to give memory back now. */
void pool_trim(void);

#ifndef POOL_HAS_BULK
static inline void pool_alloc_bulk(pool_t pool, size_t nr, void **p)
{
	for (size_t i = 0; i < nr; i++)
		p[i] = pool_alloc(pool);
}

static inline void pool_free_bulk(pool_t pool, size_t nr, void **p)
{
	for (size_t i = 0; i < nr; i++)
		pool_free(pool, p[i]);
}
#endif

#endif

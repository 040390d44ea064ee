/* SPDX-License-Identifier: MIT */
/* pool/bound.h - what can be attained; see bound_cache.h. With BOUND_CALLS it
 * is a library's, reached by calls. */
struct bound_cache;
typedef struct bound_cache *pool_t;

#ifdef BOUND_CALLS
void *bound_call_alloc(struct bound_cache *s);
void bound_call_free(struct bound_cache *s, void *p);

static inline void *pool_alloc(pool_t s)
{
	return bound_call_alloc(s);
}

static inline void pool_free(pool_t s, void *p)
{
	bound_call_free(s, p);
}
#else
#include "pool/bound_cache.h"

static inline void *pool_alloc(pool_t s)
{
	return bound_alloc(s);
}

static inline void pool_free(pool_t s, void *p)
{
	bound_free(s, p);
}

#define POOL_HAS_BULK

/* In pairs; the odd one, and what no sheaf has at once, one by one. */
static inline void pool_alloc_bulk(pool_t s, size_t nr, void **p)
{
	size_t even = nr & ~(size_t)1, i = 0;

	if (even && bound_alloc_run(s, even, p))
		i = even;
	for (; i < nr; i++)
		p[i] = bound_alloc(s);
}

static inline void pool_free_bulk(pool_t s, size_t nr, void **p)
{
	size_t even = nr & ~(size_t)1, i = 0;

	if (even && bound_free_run(s, even, p))
		i = even;
	for (; i < nr; i++)
		bound_free(s, p[i]);
}
#endif

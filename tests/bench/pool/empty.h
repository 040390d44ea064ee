/* SPDX-License-Identifier: MIT */
/* pool/empty.h - what the calls alone cost: functions that do nothing, as many
 * arguments as kmem_cache_alloc() and kmem_cache_free() have. For one object at
 * a time: there is no other. */
typedef void *pool_t;

void *empty_alloc(void *s, unsigned int gfp);
void empty_free(void *s, void *object);

static inline void *pool_alloc(pool_t s)
{
	return empty_alloc(s, 0);
}

static inline void pool_free(pool_t s, void *p)
{
	empty_free(s, p);
}

/* SPDX-License-Identifier: MIT */
/*
 * cache/gone.h - who goes on using a cache that was destroyed
 *
 * A pointer to it still points to metadata, and as long as that piece was not
 * given out again it is as the cache left it: inline paths find no sheaf, short
 * ways are closed, and the long ones, which are all that is left, ask here.
 */
#ifndef SLAB_CACHE_GONE_H
#define SLAB_CACHE_GONE_H

#include "cache/cache.h"

static inline bool cache_is_gone(const struct kmem_cache *s)
{
	return __builtin_expect(s->self != s, 0);
}

/* Says so, once a machine. errno is EINVAL then. */
void cache_say_gone(const struct kmem_cache *s, const char *call);

/* The last that is done to a cache. */
void cache_leave_gone(struct kmem_cache *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * pool/walk.h - what the check of a double free costs at the very least
 *
 * With F the kernel follows the slab's freelist at every free, to see that the
 * object is not on it. Here nothing else is done: one object, and a chain as a
 * slab of the same cache with all the others free would have.
 */
#include <stdlib.h>

struct walk {
	void *object, *freelist;
	size_t offset; /* of the next one in each */
};

typedef const struct walk *pool_t;

static inline void *pool_alloc(pool_t walk)
{
	return walk->object;
}

static inline void pool_free(pool_t walk, void *p)
{
	char *at = walk->freelist;

	while (at && at != p)
		at = *(char **)(at + walk->offset);
	if (at)
		abort();
}

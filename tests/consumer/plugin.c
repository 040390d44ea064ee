/* SPDX-License-Identifier: MIT */
/*
 * consumer/plugin.c - a shared object with inline paths in it, for loader.c
 */
#include <slab/cache.h>

#include <string.h>

#define SIZE   80
#define ROUNDS 1000

static struct kmem_cache *cache;

/* NULL, or what went wrong. The last that it does is an inline free. */
const char *plugin_run(void)
{
	unsigned int i;
	void *p;

	if (!cache)
		cache = kmem_cache_create("plugin", SIZE, NULL, 0);
	if (!cache)
		return "no cache";
	for (i = 0; i < ROUNDS; i++) {
		p = kmem_cache_alloc(cache, GFP_KERNEL);
		if (!p)
			return "no object";
		memset(p, 1, SIZE);
		kmem_cache_free(cache, p);
	}
	return NULL;
}

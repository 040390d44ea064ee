/* SPDX-License-Identifier: MIT */
/*
 * consumer/headers.c - the public headers and their macros, as C and as C++
 */
#include <slab/cache.h>
#include <slab/coroutine.h>
#include <slab/debug.h>
#include <slab/descriptor.h>
#include <slab/event.h>
#include <slab/inject.h>
#include <slab/inspect.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <slab/report.h>
#include <slab/sheaf.h>

struct item {
	void *head;
};

struct kmem_cache *make(struct kmem_cache_args *args);
struct kmem_cache *make_old(void (*ctor)(void *));
void give_back(struct item *a, struct item *b);

struct kmem_cache *make(struct kmem_cache_args *args)
{
	return kmem_cache_create("new", 64, args, SLAB_HWCACHE_ALIGN);
}

struct kmem_cache *make_old(void (*ctor)(void *))
{
	return kmem_cache_create("old", 64, 16, 0, ctor);
}

void give_back(struct item *a, struct item *b)
{
	kfree_rcu(a);
	kfree_rcu(b, head);
}

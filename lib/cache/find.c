/* SPDX-License-Identifier: MIT */
/* cache/find.c - a cache by one of its names */
#include "cache/cache.h"

#include <errno.h>
#include <string.h>

#include "base/futex.h"

struct kmem_cache *cache_by_name(struct slab_machine *m, const char *name)
{
	struct kmem_cache *s;
	struct cache_name *alias;

	if (!name)
		return NULL;
	list_for_each_entry(s, &m->slab_caches, list) {
		if (s->is_going)
			continue;
		if (!strcmp(s->name, name))
			return s;
		list_for_each_entry(alias, &s->names, list)
			if (!strcmp(alias->name, name))
				return s;
	}
	return NULL;
}

/*
 * Hooks and sinks hold locks that the thread with slab_mutex may wait for: where
 * somebody watches, nobody waits for ever.
 */
static bool may_be_in_a_hook(const struct slab_machine *m)
{
	return __atomic_load_n(&m->reporter, __ATOMIC_RELAXED) ==
		       machine_pid(m) ||
	       m->event_fn || m->point_fn || fork_pass.depth ||
	       !lock_may_wait();
}

#define FIND_WAIT_MS 100

static bool lock_caches_soon(struct slab_machine *m)
{
	unsigned int ms;

	for (ms = 0; !lock_try(&m->slab_mutex); ms++) {
		if (ms == FIND_WAIT_MS)
			return false;
		sleep_ns(1000000);
	}
	return true;
}

static struct kmem_cache *find_in_hook(struct slab_machine *m, const char *name)
{
	uint32_t held = lock_suspend();
	struct kmem_cache *s = NULL;

	if (lock_caches_soon(m)) {
		s = cache_by_name(m, name);
		lock_release(&m->slab_mutex);
	} else {
		errno = EBUSY;
	}
	lock_resume(held);
	return s;
}

struct kmem_cache *slab_cache_find(struct slab_machine *m, const char *name)
{
	struct kmem_cache *s;

	/* a virtual machine is one thread's, and may stand anywhere */
	if (!m->is_native || machine_has_locked_caches(m))
		return cache_by_name(m, name);
	if (may_be_in_a_hook(m))
		return find_in_hook(m, name);
	machine_lock_caches(m);
	s = cache_by_name(m, name);
	machine_unlock_caches(m);
	return s;
}

/* SPDX-License-Identifier: MIT */
/* tests/unit/ring.h - what tests of caches say over and over, on lab.h */
#ifndef TESTS_UNIT_RING_H
#define TESTS_UNIT_RING_H

#include "lab.h"

#include "inspect/check.h"
#include "machine/page.h"
#include "slab/node.h"

static inline struct slab *slab_of(void *object)
{
	return virt_to_slab(lab.m, object);
}

/* A cache named ring. */
static inline struct kmem_cache *cache(unsigned int size, slab_flags_t flags)
{
	struct kmem_cache *s = kmem_cache_create("ring", size, NULL, flags);

	assert_non_null(s);
	return s;
}

static inline void *alloc(struct kmem_cache *s)
{
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	assert_non_null(p);
	return p;
}

/* The lock is held by somebody else, until it is given back. */
static inline void other_takes(struct slab_lock *lock)
{
	uint32_t held = lock_suspend();

	lock_take(lock);
	lock_resume(held);
}

static inline void other_releases(struct slab_lock *lock)
{
	uint32_t held = lock_suspend();

	lock_resume(1U << lock->rank);
	lock_release(lock);
	lock_resume(held);
}

/* Every invariant of the cache holds. */
static inline void intact(struct kmem_cache *s)
{
	const char *broken = cache_check(s);

	if (broken)
		fail_msg("invariant: %s", broken);
}

#endif

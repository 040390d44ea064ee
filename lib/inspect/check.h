/* SPDX-License-Identifier: MIT */
/*
 * inspect/check.h - what must hold of all of a cache (spec: invariants.md)
 *
 * Nothing is in progress: no lock is held, no slab is in anybody's hands.
 * Damage done by users is no breach; callers check undamaged caches.
 */
#ifndef SLAB_INSPECT_CHECK_H
#define SLAB_INSPECT_CHECK_H

#include "slab/slab.h"

/*
 * node_check(), barn_check() and pcs_check() of every node and CPU, and P5, P9
 * for what rests between users and slabs: NULL, or what does not hold (a
 * static text).
 */
const char *cache_check(struct kmem_cache *s);

/* The same, and N5: users hold so many objects. Not of caches that have lost
 * some to a failed check. */
const char *cache_check_users(struct kmem_cache *s, unsigned long users);

#endif

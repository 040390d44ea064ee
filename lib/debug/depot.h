/* SPDX-License-Identifier: MIT */
/*
 * debug/depot.h - each stack once, named by a 32-bit handle
 *
 * Lives in the machine's metadata, so it goes with a reset. Handles are never
 * 0 and never reused.
 *
 * Locking: a record that can be found never changes but for its link, so known
 *          stacks are looked up by anybody at any time. A lock of its own for
 *          new ones: waited for where the thread may wait, else tried.
 */
#ifndef SLAB_DEBUG_DEPOT_H
#define SLAB_DEBUG_DEPOT_H

#include "debug/recent.h"

/* The handle of this stack, stored now if it is new; 0 without memory, or
 * without the lock. */
uint32_t depot_save(struct slab_machine *m, const uintptr_t *frames,
		    unsigned int nr);
/* Stacks of a moment ago; NULL: it keeps none, or nothing was stored yet. */
struct depot_front {
	struct recent_stacks *recent;
};
static inline struct recent_stacks *depot_recent(struct slab_machine *m)
{
	const struct depot_front *depot =
		(void *)__atomic_load_n(&m->depot, __ATOMIC_ACQUIRE);

	return depot ? depot->recent : NULL;
}
/* Frames of a handle into frames[max]; 0 when it names nothing. */
unsigned int depot_fetch(struct slab_machine *m, uint32_t handle,
			 uintptr_t *frames, unsigned int max);

/* Its lock, for who stops everything (cache/fork.c); NULL: there is none yet. */
struct slab_lock *depot_lock(struct slab_machine *m);

#endif

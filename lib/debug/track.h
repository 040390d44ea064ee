/* SPDX-License-Identifier: MIT */
/*
 * debug/track.h - who allocated and who freed an object last
 */
#ifndef SLAB_DEBUG_TRACK_H
#define SLAB_DEBUG_TRACK_H

#include "debug/check.h"
#include "debug/depot.h"

/* A stack record for a track, made before list_lock: the depot may need
 * memory. 0 when there is none to have. caller: the user's return address. */
uint32_t track_prepare(struct slab_machine *m, uintptr_t caller,
		       uintptr_t *addr);
/* From the frame of ours on that returns to caller, to a stack that is known or
 * not; 0: no frame shows it. */
uint32_t track_walk(struct slab_machine *m, uintptr_t frame, uintptr_t caller);
/* The same on a native machine, where most stacks are known. */
static inline uint32_t track_prepare_at(struct slab_machine *m, uintptr_t frame,
					uintptr_t caller)
{
	const struct recent_stacks *recent = depot_recent(m);
	uint32_t handle = 0;

	if (__builtin_expect(recent && frame >= stack_bounds.low &&
				     frame < stack_bounds.high,
			     1))
		handle = recent_find(recent, frame, caller);
	else
		frame = 0;
	return __builtin_expect(handle != 0, 1) ? handle :
						  track_walk(m, frame, caller);
}
/* Two halves a word: whoever stores them apart and copies the words waits for
 * them to be put together. */
static inline void track_write(uint8_t *at, uintptr_t addr, uint32_t handle,
			       unsigned int cpu, int pid, uint64_t when)
{
	word_write(at + offsetof(struct track, addr), addr);
	word_write(at + offsetof(struct track, handle),
		   handle | (uintptr_t)cpu << 32);
	word_write(at + offsetof(struct track, pid), (uint32_t)pid);
	word_write(at + offsetof(struct track, when), when);
}
void track_set(const struct kmem_cache *s, void *object, enum track_item item,
	       uintptr_t addr, uint32_t handle);
/* Both tracks zero: nothing ever happened. */
void track_init(const struct kmem_cache *s, void *object);
/* From a view, so that copies work; object must be one of the slab's. A handle
 * that names no stack gives none. */
void track_get(const struct slab_view *v, uintptr_t object,
	       enum track_item item, struct slab_track *ret);

#endif

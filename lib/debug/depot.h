/* SPDX-License-Identifier: MIT */
/*
 * debug/depot.h - each stack once, named by a 32-bit handle
 *
 * Lives in the machine's metadata, so it goes with a reset. Handles are never
 * 0 and never reused. Locking: a lock of its own inside.
 */
#ifndef SLAB_DEBUG_DEPOT_H
#define SLAB_DEBUG_DEPOT_H

#include "machine/machine.h"

/* The handle of this stack, stored now if it is new; 0 without memory. */
uint32_t depot_save(struct slab_machine *m, const uintptr_t *frames,
		    unsigned int nr);
/* Frames of a handle into frames[max]; 0 when it names nothing. */
unsigned int depot_fetch(struct slab_machine *m, uint32_t handle,
			 uintptr_t *frames, unsigned int max);

#endif

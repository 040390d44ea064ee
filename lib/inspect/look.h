/* SPDX-License-Identifier: MIT */
/*
 * inspect/look.h - caches neither come nor go while somebody looks
 *
 * Of a native machine, each call of an inspector holds cpus_lock and
 * slab_mutex. Everything else goes on moving: no walk is longer than what it
 * walks could be, nothing that is found is trusted before it was judged.
 *
 * Who calls from inside a path (a sink, a hook) may hold these locks already,
 * or others that come behind them: nobody waits longer than LOOK_WAIT_MS, and
 * looks without them then.
 */
#ifndef SLAB_INSPECT_LOOK_H
#define SLAB_INSPECT_LOOK_H

#include "machine/machine.h"

#define LOOK_WAIT_MS 100

struct look {
	struct slab_machine *m;
	bool has_cpus, has_mutex;
	uint32_t held; /* what the thread held before */
};

/* A lock of a native machine, as long as anybody waits; false: without it. */
bool look_lock(struct slab_lock *lock);
struct look look_begin(struct slab_machine *m);
void look_end(struct look *look);

/* To the end of the block. */
#define LOOK(m)                                                       \
	struct look look __attribute__((cleanup(look_end), unused)) = \
		look_begin(m)

#endif

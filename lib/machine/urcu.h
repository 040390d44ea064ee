/* SPDX-License-Identifier: MIT */
/*
 * machine/urcu.h - what is taken from liburcu
 *
 * Alone, because liburcu calls things as the kernel does, and so do we.
 */
#ifndef SLAB_MACHINE_URCU_H
#define SLAB_MACHINE_URCU_H

#include <stdbool.h>

/* Was liburcu there when this was built? */
bool urcu_is_built(void);
/* Returns when every read-side critical section that had begun is over. No
 * cancellation point. */
void urcu_wait(void);
/* Is this thread in such a section? */
bool urcu_is_reading(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * base/futex.h - to sleep until a word of this process changes, or a while
 *
 * errno stays what it was. No cancellation point.
 */
#ifndef SLAB_BASE_FUTEX_H
#define SLAB_BASE_FUTEX_H

#include <stdint.h>

#define FUTEX_FOREVER UINT64_MAX

/* Returns when the word is not `value`, or after a wake, or ms milliseconds, or
 * a signal: look again. */
void futex_wait(uint32_t *word, uint32_t value, uint64_t ms);
void futex_wake(uint32_t *word, int nr);

/* Less than a second. nanosleep() would be a cancellation point. */
void sleep_ns(long ns);

#endif

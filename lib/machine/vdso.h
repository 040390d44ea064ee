/* SPDX-License-Identifier: MIT */
/*
 * machine/vdso.h - the kernel's clock without libc's way to it
 *
 * Each track has a time. libc's clock_gettime() takes 2 of its 5 ns to get to
 * the kernel's function, which takes 3.
 */
#ifndef SLAB_MACHINE_VDSO_H
#define SLAB_MACHINE_VDSO_H

#include <stdint.h>
#include <time.h>

/* libc's, until vdso_init(), and where the kernel maps none (valgrind). */
extern int (*vdso_clock)(clockid_t clock, struct timespec *ret)
	__attribute__((visibility("hidden")));
/* Allocates nothing. */
void vdso_init(void);

/* Milliseconds; the kernel's own jiffies, as coarse. */
static inline uint64_t vdso_jiffies(void)
{
	struct timespec now;

	vdso_clock(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint32_t)now.tv_nsec / 1000000U;
}

#endif

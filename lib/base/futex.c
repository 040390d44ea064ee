/* SPDX-License-Identifier: MIT */
/* base/futex.c - see futex.h */
#define _GNU_SOURCE
#include "base/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void call(uint32_t *word, int op, uint32_t value,
		 const struct timespec *timeout)
{
	int saved = errno;

	syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, NULL,
		0);
	errno = saved;
}

void futex_wait(uint32_t *word, uint32_t value, uint64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
			      .tv_nsec = (long)(ms % 1000) * 1000000 };

	call(word, FUTEX_WAIT, value, ms == FUTEX_FOREVER ? NULL : &t);
}

void sleep_ns(long ns)
{
	struct timespec t = { .tv_nsec = ns };
	int saved = errno;

	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL);
	errno = saved;
}

void futex_wake(uint32_t *word, int nr)
{
	call(word, FUTEX_WAKE, (uint32_t)nr, NULL);
}

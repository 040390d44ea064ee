/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress.c - a line that is written over, and taken away
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define FIRST_AFTER_MS 500
#define THEN_EACH_MS   100

static uint64_t began, shown; /* 0: not yet */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void progress_show(const char *what, const char *of, size_t done, size_t all)
{
	uint64_t now;

	if (done % 64) /* a clock costs more than most steps */
		return;
	now = now_ms();
	if (!began)
		began = now;
	if (now - began < FIRST_AFTER_MS ||
	    (shown && now - shown < THEN_EACH_MS) || !isatty(STDERR_FILENO))
		return;
	fflush(stdout);
	fprintf(stderr, "\r%s: %zu of %zu %s\033[K", what, done, all, of);
	fflush(stderr);
	shown = now;
}

void progress_end(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	began = shown = 0;
}

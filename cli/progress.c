/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress.c - a line that is written over, and taken away
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "output.h"
#include "progress.h"

#define FIRST_AFTER_MS 500
#define THEN_EACH_MS   100

static uint64_t began, shown; /* 0: not yet */
static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_drawn;

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

bool progress_is_shown(void)
{
	return isatty(STDERR_FILENO);
}

void progress_line(const char *const *parts, size_t nr)
{
	size_t width = output_look(stderr).width, used = 0, i;

	if (!progress_is_shown())
		return;
	pthread_mutex_lock(&line_lock);
	fflush(stdout);
	fputs("\r\033[K", stderr);
	for (i = 0; i < nr; i++) {
		used += strlen(parts[i]) + 2;
		if (i && width && used >= width)
			break;
		fprintf(stderr, "%s%s", i ? "  " : "", parts[i]);
	}
	fflush(stderr);
	is_drawn = true;
	pthread_mutex_unlock(&line_lock);
}

void progress_hide(void)
{
	pthread_mutex_lock(&line_lock);
	if (is_drawn) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	is_drawn = false;
	pthread_mutex_unlock(&line_lock);
}

void progress_end(void)
{
	progress_hide();
	if (shown)
		fputs("\r\033[K", stderr);
	began = shown = 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * program/memory.c - W7: what a million objects cost, and what stays of it
 *
 * Resident bytes above those of the process before the first object, measured
 * with all objects live, after nine of ten are freed at random, after all are,
 * a second later, and after the allocator was told to give back. The list of
 * objects is the harness's, filled before the first look.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"

#define NR_OBJECTS 1000000U

/* statm counts late on kernels of today; smaps_rollup walks the tables. */
static long resident_bytes(void)
{
	static char text[4096];
	int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *rss;

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = 0;
	rss = strstr(text, "\nRss:");
	if (!rss)
		die("/proc/self/smaps_rollup does not say what is resident");
	return 1024 * strtol(rss + strlen("\nRss:"), NULL, 10);
}

static void free_some(const struct run *run, void **objects,
		      const uint32_t *order, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (get_token(objects[order[i]]) != order[i])
			die("object %u does not hold what was written",
			    order[i]);
		pool_free(run->pools[0], objects[order[i]]);
	}
}

void measure_memory(const struct run *asked)
{
	struct run run = *asked;
	struct pool_request request = { .size = run.size,
					.nr_live = NR_OBJECTS,
					.nr_pools = 1 };
	void **objects = harness_memory(NR_OBJECTS * sizeof(*objects));
	uint64_t random = run.seed;
	uint32_t *order = make_order(NR_OBJECTS, ORDER_RANDOM, &random);
	long base, live, after_90, after_all, after_1s, after_trim;
	pool_t pool;
	size_t i;

	base = resident_bytes();
	pool = pool_open(&request);
	run.pools = &pool;
	for (i = 0; i < NR_OBJECTS; i++) {
		objects[i] = pool_alloc(pool);
		memset(objects[i], 0x5c, run.size);
		put_token(objects[i], i);
	}
	live = resident_bytes() - base;
	free_some(&run, objects, order, 0, NR_OBJECTS / 10 * 9);
	after_90 = resident_bytes() - base;
	free_some(&run, objects, order, NR_OBJECTS / 10 * 9, NR_OBJECTS);
	after_all = resident_bytes() - base;
	nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	after_1s = resident_bytes() - base;
	pool_trim();
	after_trim = resident_bytes() - base;
	printf("{ \"payload\": %zu, \"live\": %ld, \"after_90\": %ld, "
	       "\"after_all\": %ld, \"after_1s\": %ld, \"after_trim\": %ld }\n",
	       NR_OBJECTS * run.size, live, after_90, after_all, after_1s,
	       after_trim);
	exit(0);
}

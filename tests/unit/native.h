/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/native.h - the machine of this process, fresh for each test, and
 * threads that do something on it until they are told to stop
 */
#ifndef TESTS_UNIT_NATIVE_H
#define TESTS_UNIT_NATIVE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <slab/report.h>

#include "../patience.h"

static struct slab_machine *m;
static unsigned int nr_said;
static char said[1024]; /* the first line of the first record */

static inline void native_line(void *arg, const char *line)
{
	(void)arg;
	if (!said[0])
		snprintf(said, sizeof(said), "%s", line);
}

static inline void native_sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	__atomic_fetch_add(&nr_said, 1, __ATOMIC_RELAXED);
	slab_report_print(r, native_line, NULL);
}

static inline void native_open(const struct slab_machine_config *config)
{
	struct slab_machine_config c = { 0 };

	if (config)
		c = *config;
#if defined(__SANITIZE_THREAD__)
	/* it can not read the instructions of inline paths, and would miss
	 * what they order */
	c.no_rseq = true;
#endif
	assert_int_equal(slab_machine_create_native(&c, &m), 0);
	assert_int_equal(slab_machine_add_sink(m, native_sink, NULL), 0);
	nr_said = 0;
	said[0] = '\0';
}

static inline double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void rest_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Until it holds, or nobody has the patience any more. */
#define WAIT_FOR(condition)                                   \
	do {                                                  \
		double until = seconds() + patience();        \
                                                              \
		while (!(condition) && seconds() < until)     \
			rest_ms(1);                           \
	} while (0)

/* ---- threads ---- */
static bool is_over;
static unsigned int nr_going; /* threads that asked twice */

/* Asked by each thread of the team, once a round. */
static inline bool over(void)
{
	static _Thread_local unsigned int asked;

	if (asked < 2 && ++asked == 2)
		__atomic_fetch_add(&nr_going, 1, __ATOMIC_RELAXED);
	return __atomic_load_n(&is_over, __ATOMIC_ACQUIRE);
}

struct team {
	pthread_t thread[16];
	unsigned int nr;
};

static inline void team_add(struct team *team, void *(*fn)(void *arg),
			    void *arg)
{
	if (!team->nr) {
		__atomic_store_n(&nr_going, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&is_over, false, __ATOMIC_RELEASE);
	}
	assert_int_equal(
		pthread_create(&team->thread[team->nr++], NULL, fn, arg), 0);
}

/* Of the test that runs. */
static struct team team;

/* For so long, and until each of them has gone around once. */
static inline void team_run(const struct team *team, long ms)
{
	rest_ms(ms);
	WAIT_FOR(__atomic_load_n(&nr_going, __ATOMIC_RELAXED) >= team->nr);
	assert_true(__atomic_load_n(&nr_going, __ATOMIC_RELAXED) >= team->nr);
}

/* The sum of what they return. */
static inline size_t team_stop(struct team *team)
{
	size_t sum = 0;
	void *ret;

	__atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
	while (team->nr) {
		pthread_join(team->thread[--team->nr], &ret);
		sum += (size_t)ret;
	}
	return sum;
}

static inline int native_setup(void **state)
{
	(void)state;
	native_open(NULL);
	return 0;
}

static inline int native_teardown(void **state)
{
	(void)state;
	team_stop(&team); /* of a test that failed */
	slab_machine_destroy(m);
	m = NULL;
	return 0;
}

/* SLAB_TEST=name runs that one alone. */
static __attribute__((constructor)) void native_only(void)
{
	const char *name = getenv("SLAB_TEST");

	if (name)
		cmocka_set_test_filter(name);
}

#define native_test(name) \
	cmocka_unit_test_setup_teardown(name, native_setup, native_teardown)

#endif

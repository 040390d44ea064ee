/* SPDX-License-Identifier: MIT */
/*
 * tests/interleave/explore.h - a family of starts, each searched
 *
 * A test calls explore() for every start of its family. The first that breaks
 * ends it: what is broken, its shortest schedule and how to see it again are
 * printed. SLAB_TEST=FAMILY SLAB_SCHEDULE=START/CHOICES shows one schedule;
 * SLAB_BOUND=N searches with N preemptions more than the family has, and
 * SLAB_CAMPAIGN=1 takes all starts of a family where the suite takes some.
 */
#ifndef TESTS_INTERLEAVE_EXPLORE_H
#define TESTS_INTERLEAVE_EXPLORE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* program_invocation_name */
#endif

#include "../unit/lab.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "inject/interleave.h"

static struct {
	const char *family;
	unsigned long start, schedules, steps; /* start: the number of this */
	const char *wanted;		       /* CHOICES of SLAB_SCHEDULE */
	unsigned long wanted_start;
	unsigned int more; /* preemptions */
	bool is_campaign;
} explorer;

/* What a schedule breaks by a signal (an assertion of the library, say). The
 * process is lost anyway: its last words may fail. */
/* NOLINTBEGIN(bugprone-signal-handler) */
static inline void explore_signal(int sig)
{
	char choices[INTERLEAVE_MAX_CHOICES + 3];

	if (interleave_running(choices)) {
		/* cmocka would say both; it does not get to */
		printf("Test failed with exception: signal %d; the steps:\n"
		       "SLAB_TEST=%s SLAB_SCHEDULE=%lu/%s %s\n"
		       "[  FAILED  ] %s\n",
		       sig, explorer.family, explorer.start, choices,
		       program_invocation_name, explorer.family);
		fflush(stdout);
	}
	_exit(1);
}
/* NOLINTEND(bugprone-signal-handler) */

static inline int explore_setup(void **state)
{
	const char *schedule = getenv("SLAB_SCHEDULE");
	const char *bound = getenv("SLAB_BOUND");

	(void)state;
	memset(&lab, 0, sizeof(lab));
	lab_open(&(struct slab_machine_config){
		.seed = 1, .nr_cpus = 2, .stack_depot_disable = true });
	slab_machine_set_event_hook(lab.m, NULL, NULL);
	explorer.start = explorer.schedules = explorer.steps = 0;
	explorer.wanted = schedule ? strchr(schedule, '/') : NULL;
	if (explorer.wanted) {
		explorer.wanted_start = strtoul(schedule, NULL, 10);
		explorer.wanted++;
	}
	explorer.is_campaign = getenv("SLAB_CAMPAIGN") != NULL;
	explorer.more = bound ? (unsigned int)strtoul(bound, NULL, 10) : 0;
	return 0;
}

static inline int explore_teardown(void **state)
{
	printf("%s: %lu starts, %lu schedules, %lu steps\n", explorer.family,
	       explorer.start, explorer.schedules, explorer.steps);
	return lab_teardown(state);
}

static inline void explore_say(const struct interleave *in,
			       const struct interleave_result *r)
{
	struct interleave_result again;
	char text[512];

	interleave_describe(in, text, sizeof(text));
	printf("%s: start %lu: %s\n", explorer.family, explorer.start, text);
	interleave_replay(lab.m, in, r->choices, stdout, &again);
	printf("as a script of slabctl --cpus 2 --sysctl slab_max_order=0:\n");
	interleave_script(lab.m, in, r->choices, stdout, &again);
	printf("%u steps, %u preemptions, after %lu schedules of the family; "
	       "again:\n"
	       "SLAB_TEST=%s SLAB_SCHEDULE=%lu/%s %s\n",
	       r->nr_steps, r->preemptions, explorer.schedules + r->schedules,
	       explorer.family, explorer.start, r->choices,
	       program_invocation_name);
}

static inline void explore_family(const char *family)
{
	explorer.family = family;
}
#define explore_begin() explore_family(__func__)

static inline void explore(const struct interleave *start)
{
	struct interleave in = *start;
	struct interleave_result r;
	int err;

	explorer.start++;
	in.preemptions += explorer.more;
	if (explorer.wanted) {
		if (explorer.start == explorer.wanted_start) {
			char text[512];

			interleave_describe(&in, text, sizeof(text));
			printf("%s\n", text);
			interleave_replay(lab.m, &in, explorer.wanted, stdout,
					  &r);
			interleave_script(lab.m, &in, explorer.wanted, stdout,
					  &r);
		}
		return;
	}
	signal(SIGSEGV, explore_signal);
	signal(SIGABRT, explore_signal);
	err = interleave_run(lab.m, &in, &r);
	if (err == -ENOTSUP)
		skip(); /* ThreadSanitizer */
	if (err)
		fail_msg("start %lu can not be arranged: %s", explorer.start,
			 r.what);
	if (r.broken) {
		explore_say(&in, &r);
		fail_msg("%s (%s)", r.broken, r.what);
	}
	explorer.schedules += r.schedules;
	explorer.steps += r.steps;
}

#define explore_test(name) \
	cmocka_unit_test_setup_teardown(name, explore_setup, explore_teardown)

#endif

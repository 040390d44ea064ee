/* SPDX-License-Identifier: MIT */
/*
 * inject/interleave_explorer.h - one schedule, as interleave.c runs it and
 * interleave_search.c picks it
 */
#ifndef SLAB_INJECT_INTERLEAVE_EXPLORER_H
#define SLAB_INJECT_INTERLEAVE_EXPLORER_H

#include <slab/coroutine.h>
#include <slab/event.h>

#include "inject/interleave_trace.h"

#define MAX_STEPS 2000U /* of one schedule; more is no progress */

struct thread {
	struct explorer *e;
	struct slab_coroutine *coroutine;
	unsigned int step; /* of its list */
	bool has_ended, in_handler, is_stopped;
	unsigned int passed[SLAB_NR_POINTS]; /* by its operation */
	bool pages_fail_again;
	const struct slab_lock *waits_for;
};

struct choice {
	uint8_t picked, nr;
};

struct explorer {
	struct world w;
	const struct interleave *in;
	struct thread threads[INTERLEAVE_THREADS];
	unsigned int nr, current, next;	      /* next: who was preempted for */
	unsigned int on_cpu[INTERLEAVE_CPUS]; /* who ran there last */
	bool is_running, is_pinned;	      /* pinned: nobody else may run */

	struct choice choices[INTERLEAVE_MAX_CHOICES];
	unsigned int at, nr_choices, nr_repeated;
	unsigned int preemptions, migrations, failures, signals; /* used */
	unsigned int bound; /* of preemptions, in this round */
	unsigned int nr_steps, max_steps;
	bool pages_limited;
	/* choices are drawn, one in `odds` of them another than the first */
	bool is_random;
	unsigned int odds;
	/* repeated choices may lead elsewhere than they did: those that do not
	 * fit are the first, and every step is judged */
	bool is_changed;
	struct random random;

	const char *broken;
	FILE *out;	     /* a replay is told here */
	struct trace *trace; /* or recorded here */
	struct interleave_result *ret;
};

/* From the start, by the choices to be repeated and then by the first ones, or
 * drawn; e->broken: what it breaks. */
void explorer_run(struct explorer *e);
/* What a coroutine of e->threads runs, and the machine's hooks. */
void explorer_thread(void *arg);
void explorer_point(void *arg, enum slab_point_kind point);
void explorer_wait(void *arg, const void *lock);

#endif

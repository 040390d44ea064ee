/* SPDX-License-Identifier: MIT */
/*
 * program/measure.c - how long a pair takes
 *
 * Passes are short, so that some of them meet no interrupt and no other
 * process, and of all of them the first quartile is the figure: what disturbs a
 * pass only ever makes it longer.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "workload.h"

/* One pass of all threads: they wait at the start, so that none is ahead. */
struct pass {
	struct meeting start, end;
	size_t pairs; /* of each thread; 0: no more passes */
	struct worker workers[MAX_THREADS];
	double began[MAX_THREADS], ended[MAX_THREADS];
};

static struct pass pass;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* A container may keep the CPU from us: then it is the scheduler's choice. */
void pin(unsigned int id)
{
	cpu_set_t set;

	if (!timing.nr_cpus)
		return;
	CPU_ZERO(&set);
	CPU_SET(timing.cpus[id % timing.nr_cpus], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void run_pass(struct worker *w)
{
	pass.began[w->id] = now_ns();
	w->run->workload->loop(w, pass.pairs);
	pass.ended[w->id] = now_ns();
}

static void *work(void *arg)
{
	struct worker *w = arg;

	pin(w->id);
	pool_enter();
	if (w->run->workload->setup)
		w->run->workload->setup(w);
	for (;;) {
		meet(&pass.start, w->run->nr_threads);
		if (!pass.pairs)
			break;
		run_pass(w);
		meet(&pass.end, w->run->nr_threads);
	}
	pool_leave();
	return NULL;
}

/* Nanoseconds from the first that began to the last that ended. */
static double one_pass(const struct run *run, size_t pairs)
{
	double began, ended;

	pass.pairs = pairs;
	meet(&pass.start, run->nr_threads);
	run_pass(&pass.workers[0]);
	meet(&pass.end, run->nr_threads);
	began = pass.began[0];
	ended = pass.ended[0];
	for (unsigned int i = 1; i < run->nr_threads; i++) {
		if (pass.began[i] < began)
			began = pass.began[i];
		if (pass.ended[i] > ended)
			ended = pass.ended[i];
	}
	return ended - began;
}

/* CPUs that make pairs on their own: what wall time is shared out by. */
static unsigned int nr_lanes(const struct run *run)
{
	if (run->workload->is_one_lane)
		return 1;
	if (timing.nr_cpus && timing.nr_cpus < run->nr_threads)
		return timing.nr_cpus;
	return run->nr_threads;
}

/* A pass that is disturbed is long, and would make all others short. */
static double least_of_three(const struct run *run, size_t pairs)
{
	double took, least = one_pass(run, pairs);

	for (int i = 1; i < 3; i++) {
		took = one_pass(run, pairs);
		if (took < least)
			least = took;
	}
	return least;
}

/* As many pairs as --ms takes; finding out warms everything up. */
static size_t calibrate(const struct run *run)
{
	size_t unit = run->workload->unit(run), pairs = unit;
	double wanted = timing.ms * 1e6, took;

	for (;;) {
		took = least_of_three(run, pairs);
		if (took >= wanted / 2)
			break;
		pairs *= took < wanted / 16 ? 8 : 2;
	}
	pairs = (size_t)((double)pairs * wanted / took);
	pairs -= pairs % unit;
	return pairs ? pairs : unit;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_result(const struct run *run, double *ns, size_t pairs)
{
	size_t nr_freed = 0, nr_foreign = 0, nr_wrong = 0;
	unsigned int i, nr = timing.nr_reps;

	for (i = 0; i < run->nr_threads; i++) {
		nr_freed += pass.workers[i].nr_freed;
		nr_foreign += pass.workers[i].nr_foreign;
		nr_wrong += pass.workers[i].nr_wrong;
	}
	if (nr_wrong)
		die("%zu objects did not hold what was written: handed out "
		    "twice, or lost",
		    nr_wrong);
	qsort(ns, nr, sizeof(*ns), by_value);
	printf("{ \"ns\": %.4f, \"least\": %.4f, \"most\": %.4f, "
	       "\"pairs\": %zu",
	       ns[nr / 4], ns[0], ns[nr - 1],
	       pairs * (run->workload->is_one_lane ? 1 : run->nr_threads));
	if (nr_freed)
		printf(", \"foreign\": %.4f",
		       (double)nr_foreign / (double)nr_freed);
	printf(" }\n");
}

void measure(const struct run *run)
{
	static double ns[MAX_REPS];
	pthread_t threads[MAX_THREADS];
	struct worker *w = pass.workers;
	unsigned int i, nr = run->nr_threads;
	size_t pairs;
	double total;

	for (i = 0; i < nr; i++)
		w[i] = (struct worker){ .run = run,
					.id = i,
					.random = run->seed + 7919 * i };
	for (i = 1; i < nr; i++)
		if (pthread_create(&threads[i], NULL, work, &w[i]))
			die("no thread %u", i);
	if (run->workload->setup)
		run->workload->setup(&w[0]);
	pairs = calibrate(run);
	total = (double)pairs *
		(run->workload->is_one_lane ? 1 : run->nr_threads);
	for (i = 0; i < timing.nr_reps; i++)
		ns[i] = one_pass(run, pairs) * nr_lanes(run) / total;
	pass.pairs = 0;
	meet(&pass.start, nr);
	for (i = 1; i < nr; i++)
		pthread_join(threads[i], NULL);
	print_result(run, ns, pairs);
}

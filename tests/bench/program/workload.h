/* SPDX-License-Identifier: MIT */
/*
 * program/workload.h - a workload, and the threads that run it
 *
 * measure.c knows when a workload is run and what is measured; single.c and
 * threads.c hold the loops. A loop is called several times, with as many pairs
 * of alloc and free as a time of about --ms needs; what it sets up stays.
 *
 * Every object carries a token from its alloc to its free. One that comes back
 * changed was handed out twice: counted, and the sample is no sample.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdatomic.h>
#include <stdint.h>

#include "pool.h"

enum order { ORDER_LIFO, ORDER_FIFO, ORDER_RANDOM };

struct run {
	const struct workload *workload;
	size_t n;	  /* the number in the workload's name */
	enum order order; /* the letter behind it */
	unsigned int nr_threads;
	unsigned int seed;
	size_t size;
	pool_t *pools;
	unsigned int nr_pools;
	void *shared; /* what the threads have in common */
};

/* One a thread, two lines apart: processors fetch lines in pairs. */
struct worker {
	_Alignas(128) const struct run *run;
	unsigned int id;
	uint64_t random;
	void **objects;	  /* the workload's */
	uint32_t *order;  /* permutation of run->n */
	size_t nr_rounds; /* ever */
	size_t nr_freed, nr_foreign, nr_wrong;
};

struct workload {
	const char *name;
	size_t default_n;
	size_t max_n;
	unsigned int nr_threads;
	bool n_is_threads;
	bool is_one_lane; /* its threads share each pair between them */
	const char *brief;
	/* Pairs that one pass of the loop makes; calls are in multiples. */
	size_t (*unit)(const struct run *run);
	size_t (*nr_live)(const struct run *run);
	void (*prepare)(struct run *run); /* once, before any thread */
	void (*setup)(struct worker *w);  /* once in each thread */
	void (*loop)(struct worker *w, size_t pairs);
};

extern const struct workload single_workloads[], thread_workloads[];

/* Memory for the harness itself, never from the allocator that is measured. */
void *harness_memory(size_t bytes);
_Noreturn void die(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* A permutation of 0..n-1: back to front, front to back, or shuffled. */
uint32_t *make_order(size_t n, enum order order, uint64_t *random);

/* Where nr threads wait for each other, again and again: a count that only
 * grows. Starts as zeros; the line is its own. */
struct meeting {
	_Alignas(64) _Atomic size_t nr_arrived;
	char rest[64 - sizeof(size_t)];
};

void meet(struct meeting *meeting, unsigned int nr);

/* ---- how it is measured ---- */
#define MAX_THREADS 64
#define MAX_REPS    1000
#define MAX_CPUS    64

struct timing {
	double ms;
	unsigned int nr_reps;
	unsigned int cpus[MAX_CPUS], nr_cpus; /* thread k is kept on the k-th */
};

extern struct timing timing;

/* The calling thread is the id-th. */
void pin(unsigned int id);

/* Prints what a pair takes. */
void measure(const struct run *run);

/* W7, whose figures are bytes: prints them and does not return. */
_Noreturn void measure_memory(const struct run *run);

static inline uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return *state >> 32;
}

static inline size_t random_below(uint64_t *state, size_t n)
{
	return (size_t)((next_random(state) * n) >> 32);
}

/* The compiler may not see that what was written is what is read. */
static inline void put_token(void *object, uintptr_t token)
{
	*(volatile uintptr_t *)object = token;
}

static inline uintptr_t get_token(const void *object)
{
	return *(const volatile uintptr_t *)object;
}

#endif

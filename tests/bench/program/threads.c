/* SPDX-License-Identifier: MIT */
/* program/threads.c - the workloads whose objects go from thread to thread */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>

#include "workload.h"

/* Spins: the other side is a line's transfer away. Or it is not running, and
 * may want this very CPU. */
#define MAX_SPINS 2000

static void wait_for(_Atomic size_t *word, size_t value)
{
	for (unsigned int spins = 0;
	     atomic_load_explicit(word, memory_order_acquire) != value; spins++)
		if (spins > MAX_SPINS)
			sched_yield();
}

void meet(struct meeting *meeting, unsigned int nr)
{
	size_t mine = atomic_fetch_add(&meeting->nr_arrived, 1);
	size_t all = (mine / nr + 1) * nr;

	for (unsigned int spins = 0;
	     atomic_load_explicit(&meeting->nr_arrived, memory_order_acquire) <
	     all;
	     spins++)
		if (spins > MAX_SPINS)
			sched_yield();
}

/* ---- W4: one thread allocates, another frees; a ring of batches ---- */
#define BATCH 64U
#define SLOTS 16U

struct slot {
	_Alignas(64) _Atomic size_t nr_full; /* 0 or BATCH */
	void *objects[BATCH];
};

/* Whole rounds of the ring, so that both threads begin at slot 0. */
static size_t ring_unit(const struct run *run)
{
	(void)run;
	return (size_t)BATCH * SLOTS;
}

static size_t ring_size(const struct run *run)
{
	(void)run;
	return (size_t)BATCH * (SLOTS + 2);
}

static void ring_prepare(struct run *run)
{
	run->shared = harness_memory(SLOTS * sizeof(struct slot));
}

static void ring_fill(struct worker *w, size_t pairs)
{
	pool_t pool = w->run->pools[0];
	struct slot *slot = w->run->shared;
	size_t at, i, done;

	for (done = 0; done < pairs; done += BATCH) {
		at = done / BATCH % SLOTS;
		wait_for(&slot[at].nr_full, 0);
		for (i = 0; i < BATCH; i++) {
			slot[at].objects[i] = pool_alloc(pool);
			put_token(slot[at].objects[i], done + i);
		}
		atomic_store_explicit(&slot[at].nr_full, BATCH,
				      memory_order_release);
	}
}

static void ring_drain(struct worker *w, size_t pairs)
{
	pool_t pool = w->run->pools[0];
	struct slot *slot = w->run->shared;
	size_t at, i, done, nr_wrong = 0;

	for (done = 0; done < pairs; done += BATCH) {
		at = done / BATCH % SLOTS;
		wait_for(&slot[at].nr_full, BATCH);
		for (i = 0; i < BATCH; i++) {
			nr_wrong += get_token(slot[at].objects[i]) != done + i;
			pool_free(pool, slot[at].objects[i]);
		}
		atomic_store_explicit(&slot[at].nr_full, 0,
				      memory_order_release);
	}
	w->nr_freed += pairs;
	w->nr_foreign += pairs;
	w->nr_wrong += nr_wrong;
}

static void ring_loop(struct worker *w, size_t pairs)
{
	if (w->id)
		ring_drain(w, pairs);
	else
		ring_fill(w, pairs);
}

/*
 * ---- W5.N: larson ----
 * Each thread replaces objects at random in a set of N, and after N of them the
 * sets go on to the next thread: about every second object is freed by another
 * thread than the one that asked for it.
 */
struct sets {
	struct meeting meeting; /* after each round */
	void **of[];
};

static size_t set_unit(const struct run *run)
{
	return run->n;
}

static size_t set_live(const struct run *run)
{
	return run->n * run->nr_threads;
}

static void set_prepare(struct run *run)
{
	struct sets *sets;

	sets = harness_memory(sizeof(*sets) +
			      run->nr_threads * sizeof(void **));
	for (unsigned int i = 0; i < run->nr_threads; i++)
		sets->of[i] = harness_memory(run->n * sizeof(void *));
	run->shared = sets;
}

/* A token is who allocated, and never 0, which stands for nothing yet. */
static void set_setup(struct worker *w)
{
	struct sets *sets = w->run->shared;

	for (size_t i = 0; i < w->run->n; i++) {
		sets->of[w->id][i] = pool_alloc(w->run->pools[0]);
		put_token(sets->of[w->id][i], w->id + 1);
	}
}

static void set_replace(struct worker *w, void **objects)
{
	pool_t pool = w->run->pools[0];
	size_t n = w->run->n, nr_foreign = 0, nr_wrong = 0, i, k;
	uint64_t random = w->random;
	uintptr_t own = w->id + 1, token;

	for (i = 0; i < n; i++) {
		k = random_below(&random, n);
		token = get_token(objects[k]);
		nr_foreign += token != own;
		nr_wrong += token - 1 >= w->run->nr_threads;
		pool_free(pool, objects[k]);
		objects[k] = pool_alloc(pool);
		put_token(objects[k], own);
	}
	w->random = random;
	w->nr_freed += n;
	w->nr_foreign += nr_foreign;
	w->nr_wrong += nr_wrong;
}

static void set_loop(struct worker *w, size_t pairs)
{
	struct sets *sets = w->run->shared;
	unsigned int nr = w->run->nr_threads;

	for (; pairs; pairs -= w->run->n, w->nr_rounds++) {
		set_replace(w, sets->of[(w->id + w->nr_rounds) % nr]);
		meet(&sets->meeting, nr);
	}
}

const struct workload thread_workloads[] = {
	{
		.name = "W4",
		.brief = "one thread allocates, another frees",
		.nr_threads = 2,
		.is_one_lane = true,
		.unit = ring_unit,
		.nr_live = ring_size,
		.prepare = ring_prepare,
		.loop = ring_loop,
	},
	{
		.name = "W5",
		.brief = "larson: sets of N change hands",
		.default_n = 1000,
		.max_n = 1U << 20,
		.nr_threads = 2,
		.unit = set_unit,
		.nr_live = set_live,
		.prepare = set_prepare,
		.setup = set_setup,
		.loop = set_loop,
	},
	{ .name = NULL },
};

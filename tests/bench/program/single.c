/* SPDX-License-Identifier: MIT */
/* program/single.c - the workloads of one thread, and those that are the same
 * on several */
#include "workload.h"

static size_t one(const struct run *run)
{
	(void)run;
	return 1;
}

static size_t n_of(const struct run *run)
{
	return run->n;
}

static size_t n_of_each_thread(const struct run *run)
{
	return run->n * run->nr_threads;
}

/* ---- W1: allocate one, free it ---- */
static void pair_loop(struct worker *w, size_t pairs)
{
	pool_t pool = w->run->pools[0];
	size_t nr_wrong = 0;
	void *p;

	for (size_t i = 0; i < pairs; i++) {
		p = pool_alloc(pool);
		put_token(p, i);
		nr_wrong += get_token(p) != i;
		pool_free(pool, p);
	}
	w->nr_wrong += nr_wrong;
}

/* ---- W2.N: allocate N, free them in some order; W6.N on all threads ---- */
static void batch_setup(struct worker *w)
{
	w->objects = harness_memory(w->run->n * sizeof(*w->objects));
	w->order = make_order(w->run->n, w->run->order, &w->random);
}

/* Tokens differ between threads: one object handed to two is found. */
static void batch(struct worker *w, pool_t pool, size_t n)
{
	uintptr_t own = (uintptr_t)w->id << 32;
	const uint32_t *order = w->order;
	void **objects = w->objects;
	size_t nr_wrong = 0, i, k;

	for (i = 0; i < n; i++) {
		objects[i] = pool_alloc(pool);
		put_token(objects[i], own + i);
	}
	for (i = 0; i < n; i++) {
		k = order[i];
		nr_wrong += get_token(objects[k]) != own + k;
		pool_free(pool, objects[k]);
	}
	w->nr_wrong += nr_wrong;
}

static void batch_loop(struct worker *w, size_t pairs)
{
	for (; pairs; pairs -= w->run->n)
		batch(w, w->run->pools[0], w->run->n);
}

/* ---- threads.N: W6.256r on N threads ---- */
#define THREADS_BATCH 256U

static size_t threads_unit(const struct run *run)
{
	(void)run;
	return THREADS_BATCH;
}

static size_t threads_live(const struct run *run)
{
	return (size_t)THREADS_BATCH * run->nr_threads;
}

static void threads_setup(struct worker *w)
{
	w->objects = harness_memory(THREADS_BATCH * sizeof(*w->objects));
	w->order = make_order(THREADS_BATCH, ORDER_RANDOM, &w->random);
}

static void threads_loop(struct worker *w, size_t pairs)
{
	for (; pairs; pairs -= THREADS_BATCH)
		batch(w, w->run->pools[0], THREADS_BATCH);
}

/* ---- W3.N: N live objects, one at random is replaced ---- */
static void replace_setup(struct worker *w)
{
	w->objects = harness_memory(w->run->n * sizeof(*w->objects));
	for (size_t i = 0; i < w->run->n; i++) {
		w->objects[i] = pool_alloc(w->run->pools[0]);
		put_token(w->objects[i], i);
	}
}

static void replace_loop(struct worker *w, size_t pairs)
{
	pool_t pool = w->run->pools[0];
	size_t n = w->run->n, nr_wrong = 0, k;
	void **objects = w->objects;
	uint64_t random = w->random;

	while (pairs--) {
		k = random_below(&random, n);
		nr_wrong += get_token(objects[k]) != k;
		pool_free(pool, objects[k]);
		objects[k] = pool_alloc(pool);
		put_token(objects[k], k);
	}
	w->random = random;
	w->nr_wrong += nr_wrong;
}

/* ---- W8.N: N in one call ---- */
static void bulk_setup(struct worker *w)
{
	w->objects = harness_memory(w->run->n * sizeof(*w->objects));
}

static void bulk_loop(struct worker *w, size_t pairs)
{
	pool_t pool = w->run->pools[0];
	size_t n = w->run->n, nr_wrong = 0, i;
	void **objects = w->objects;

	for (; pairs; pairs -= n) {
		pool_alloc_bulk(pool, n, objects);
		for (i = 0; i < n; i++)
			put_token(objects[i], i);
		for (i = 0; i < n; i++)
			nr_wrong += get_token(objects[i]) != i;
		pool_free_bulk(pool, n, objects);
	}
	w->nr_wrong += nr_wrong;
}

/*
 * ---- growth: does a pair cost more when there is more of everything? ----
 * Both work on as many objects however many caches or live objects there are,
 * so that the price of the memory itself stays out as far as it can.
 */
#define BURST 32U

static size_t burst(const struct run *run)
{
	(void)run;
	return BURST;
}

static void burst_setup(struct worker *w)
{
	w->objects = harness_memory(BURST * sizeof(*w->objects));
	w->order = make_order(BURST, ORDER_LIFO, &w->random);
}

static size_t burst_of_each_cache(const struct run *run)
{
	return BURST * run->n;
}

static void caches_loop(struct worker *w, size_t pairs)
{
	size_t at = 0;

	for (; pairs; pairs -= BURST) {
		batch(w, w->run->pools[at], BURST);
		if (++at == w->run->nr_pools)
			at = 0;
	}
}

static size_t n_and_burst(const struct run *run)
{
	return run->n + BURST;
}

static void live_setup(struct worker *w)
{
	for (size_t i = 0; i < w->run->n; i++)
		put_token(pool_alloc(w->run->pools[0]), i);
	burst_setup(w);
}

static void live_loop(struct worker *w, size_t pairs)
{
	for (; pairs; pairs -= BURST)
		batch(w, w->run->pools[0], BURST);
}

const struct workload single_workloads[] = {
	{
		.name = "W1",
		.brief = "allocate one, free it",
		.nr_threads = 1,
		.unit = one,
		.nr_live = one,
		.loop = pair_loop,
	},
	{
		.name = "W2",
		.brief = "allocate N, free N",
		.default_n = 32,
		.max_n = 1U << 24,
		.nr_threads = 1,
		.unit = n_of,
		.nr_live = n_of,
		.setup = batch_setup,
		.loop = batch_loop,
	},
	{
		.name = "W3",
		.brief = "N live objects, replace one at random",
		.default_n = 100000,
		.max_n = 1U << 24,
		.nr_threads = 1,
		.unit = one,
		.nr_live = n_of,
		.setup = replace_setup,
		.loop = replace_loop,
	},
	{
		.name = "W6",
		.brief = "W2.N on all threads at once",
		.default_n = 256,
		.max_n = 1U << 24,
		.nr_threads = 2,
		.unit = n_of,
		.nr_live = n_of_each_thread,
		.setup = batch_setup,
		.loop = batch_loop,
	},
	{
		.name = "W8",
		.brief = "bulk calls of N",
		.default_n = 32,
		.max_n = 1U << 20,
		.nr_threads = 1,
		.unit = n_of,
		.nr_live = n_of,
		.setup = bulk_setup,
		.loop = bulk_loop,
	},
	{
		.name = "threads",
		.brief = "W6.256r on N threads",
		.default_n = 1,
		.max_n = 64,
		.n_is_threads = true,
		.unit = threads_unit,
		.nr_live = threads_live,
		.setup = threads_setup,
		.loop = threads_loop,
	},
	{
		.name = "caches",
		.brief = "W2.32 in each of N caches in turn",
		.default_n = 1,
		.max_n = 100000,
		.nr_threads = 1,
		.unit = burst_of_each_cache,
		.nr_live = burst,
		.setup = burst_setup,
		.loop = caches_loop,
	},
	{
		.name = "live",
		.brief = "W2.32 beside N live objects",
		.default_n = 1000,
		.max_n = 1U << 28,
		.nr_threads = 1,
		.unit = burst,
		.nr_live = n_and_burst,
		.setup = live_setup,
		.loop = live_loop,
	},
	{ .name = NULL },
};

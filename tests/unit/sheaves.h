/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/sheaves.h - sheaves in any shape, what became of them, and what
 * may come in between; on ring.h
 *
 * A shape is what a CPU and the barn of its node have: "m0 s- r- f1 e0" is an
 * empty main, no spare, no rcu_free, one full and no empty sheaf.
 */
#ifndef TESTS_UNIT_SHEAVES_H
#define TESTS_UNIT_SHEAVES_H

#include "ring.h"

#include <errno.h>

#include "cache/sheaf.h"
#include "debug/sheaves.h"

/* ---- caches and machines ---- */
#define FEW	    4U /* objects in a sheaf of few() */
#define FEW_IN_SLAB 8U

/* Few objects in a sheaf, and twice as many in a slab. */
static inline struct kmem_cache *few(void)
{
	struct kmem_cache *s = cache(4096, SLAB_NO_MERGE);

	assert_int_equal(s->sheaf_capacity, FEW);
	assert_int_equal(s->oo.objects, FEW_IN_SLAB);
	return s;
}

/* CPU 0 and 2 on node 0, 1 and 3 on node 1. */
static inline void numa(void)
{
	lab_reopen(
		&(struct slab_machine_config){ .nr_cpus = 4, .nr_nodes = 2 });
}

static inline struct slub_percpu_sheaves *pcs_of(struct kmem_cache *s,
						 unsigned int cpu)
{
	return &s->cpu_sheaves[cpu];
}

static inline struct node_barn *barn_of(struct kmem_cache *s)
{
	return s->node[machine_mem_node(lab.m)]->barn;
}

/* ---- statistics since stats_mark() ---- */
static unsigned long marked[SLAB_NR_STATS];

static inline unsigned long stat_sum(const struct kmem_cache *s,
				     enum slab_stat_item item)
{
	unsigned long sum = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < lab.m->config.nr_cpu_ids; cpu++)
		sum += s->stats[cpu][item];
	return sum;
}

static inline void stats_mark(const struct kmem_cache *s)
{
	unsigned int i;

	for (i = 0; i < SLAB_NR_STATS; i++)
		marked[i] = stat_sum(s, i);
}

/* "alloc_fastpath 1, barn_get 1"; "" when nothing was counted. */
static inline const char *stats_since(const struct kmem_cache *s)
{
	static char text[1024];
	unsigned int i;
	size_t n = 0;

	text[0] = '\0';
	for (i = 0; i < SLAB_NR_STATS; i++)
		if (stat_sum(s, i) != marked[i])
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "%s%s %ld",
				n ? ", " : "", slab_stat_name(i),
				(long)(stat_sum(s, i) - marked[i]));
	return text;
}

/* ---- shapes ---- */
static inline struct slab_sheaf *a_sheaf(struct kmem_cache *s, unsigned int n)
{
	struct slab_sheaf *sheaf = sheaf_alloc(s, GFP_KERNEL);

	assert_non_null(sheaf);
	if (n)
		assert_int_equal(
			refill_objects(s, sheaf->objects, GFP_KERNEL, n, n), n);
	sheaf->size = n;
	return sheaf;
}

static inline struct slab_sheaf *sheaf_or_none(struct kmem_cache *s,
					       const char *text)
{
	return *text == '-' ? NULL : a_sheaf(s, (unsigned int)atoi(text));
}

/* Of this CPU, whatever it had before; the barn stays. */
static inline void arrange_cpu(struct kmem_cache *s, const char *shape)
{
	struct slub_percpu_sheaves *pcs = pcs_of(s, lab.m->cpu);
	char main[8], spare[8], rcu[8];

	assert_int_equal(sscanf(shape, "m%7s s%7s r%7s", main, spare, rcu), 3);
	flush_this_cpu(s);
	slab_machine_rcu_barrier(lab.m);
	sheaf_free(s, pcs->main);
	pcs->main = sheaf_or_none(s, main);
	pcs->spare = sheaf_or_none(s, spare);
	pcs->rcu_free = sheaf_or_none(s, rcu);
	stats_mark(s);
}

static inline void arrange_barn(struct kmem_cache *s, unsigned int full,
				unsigned int empty)
{
	unsigned int i;

	flush_barn(s, machine_mem_node(lab.m));
	for (i = 0; i < full; i++)
		barn_put_full(s, barn_of(s), a_sheaf(s, s->sheaf_capacity));
	for (i = 0; i < empty; i++)
		barn_put_empty(s, barn_of(s), a_sheaf(s, 0));
	stats_mark(s);
}

static inline void arrange(struct kmem_cache *s, const char *shape)
{
	unsigned int full, empty;

	assert_int_equal(sscanf(strchr(shape, 'f'), "f%u e%u", &full, &empty),
			 2);
	arrange_cpu(s, shape);
	arrange_barn(s, full, empty);
}

static inline void print_sheaf(char *text, size_t size, char letter,
			       const struct slab_sheaf *sheaf)
{
	if (sheaf)
		snprintf(text, size, "%c%u", letter, (unsigned int)sheaf->size);
	else
		snprintf(text, size, "%c-", letter);
}

static inline const char *shape_of(struct kmem_cache *s, unsigned int cpu)
{
	const struct slub_percpu_sheaves *pcs = pcs_of(s, cpu);
	unsigned int here = lab.m->cpu;
	const struct node_barn *barn;
	char main[16], spare[16], rcu[16];
	static char text[96];

	lab.m->cpu = cpu;
	barn = barn_of(s);
	lab.m->cpu = here;
	print_sheaf(main, sizeof(main), 'm', pcs->main);
	print_sheaf(spare, sizeof(spare), 's', pcs->spare);
	print_sheaf(rcu, sizeof(rcu), 'r', pcs->rcu_free);
	snprintf(text, sizeof(text), "%s %s %s f%u e%u", main, spare, rcu,
		 barn ? barn->nr_full : 0, barn ? barn->nr_empty : 0);
	return text;
}

/* With so many objects in users' hands every invariant holds, this CPU has
 * that shape, and that was counted since arrange(). */
#define became(s, users, shape, stats)                               \
	do {                                                         \
		const char *broken_ = cache_check_users(s, users);   \
                                                                     \
		assert_string_equal(shape_of(s, lab.m->cpu), shape); \
		assert_string_equal(stats_since(s), stats);          \
		if (broken_)                                         \
			fail_msg("invariant: %s", broken_);          \
	} while (0)

/* ---- points: what is passed, and what comes in between ---- */
static unsigned int passed[SLAB_NR_POINTS];

static struct {
	enum slab_point_kind point;
	unsigned int nth;
	void (*fn)(void *arg);
	void *arg;
} trap;

static inline void pass_point(void *arg, enum slab_point_kind point)
{
	void (*fn)(void *arg) = trap.fn;
	uint32_t held;

	(void)arg;
	passed[point]++;
	if (!fn || point != trap.point || --trap.nth)
		return;
	trap.fn = NULL;
	/* whoever it is has no lock of ours */
	held = lock_suspend();
	fn(trap.arg);
	lock_resume(held);
}

static inline void count_points(void)
{
	memset(passed, 0, sizeof(passed));
	trap.fn = NULL;
	slab_machine_set_point_hook(lab.m, pass_point, NULL);
}

/* At the nth time from now that the point is passed, fn runs once. */
static inline void at(enum slab_point_kind point, unsigned int nth,
		      void (*fn)(void *arg), void *arg)
{
	count_points();
	trap.point = point;
	trap.nth = nth;
	trap.arg = arg;
	trap.fn = fn;
}

/* It did run. */
static inline void at_end(void)
{
	slab_machine_set_point_hook(lab.m, NULL, NULL);
	if (trap.fn)
		fail_msg("point %s was not passed %u times more",
			 slab_point_name(trap.point), trap.nth);
}

/* For at(): the thread goes on on another CPU. */
static inline void go_to_cpu(void *cpu)
{
	slab_machine_set_cpu(lab.m, (unsigned int)(uintptr_t)cpu);
}
#define CPU(n) ((void *)(uintptr_t)(n))

/* For at(): somebody takes a lock, or gives it back. */
static inline void take_lock(void *lock)
{
	other_takes(lock);
}

static inline void release_lock(void *lock)
{
	other_releases(lock);
}

/* For at(): it happens on another CPU. */
static inline void on_cpu(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	unsigned int here = lab.m->cpu;

	lab.m->cpu = cpu;
	fn(arg);
	lab.m->cpu = here;
}

/* ---- failures ---- */
/* The n-th question of failslab and fail_page_alloc from now is a failure, also
 * for those who may wait. */
static inline void fail_nth(unsigned int n)
{
	struct slab_faults faults;

	slab_faults_get(lab.m, &faults);
	faults.task.fail_nth = n;
	faults.failslab.ignore_gfp_wait = false;
	faults.fail_page_alloc.ignore_gfp_wait = false;
	slab_faults_set(lab.m, &faults);
}

/* failslab fails every request, also of those who may wait. */
static inline void fail_always(bool on)
{
	struct slab_faults faults;

	slab_faults_get(lab.m, &faults);
	faults.failslab.attr.probability = on ? 100 : 0;
	faults.failslab.attr.times = -1;
	faults.failslab.attr.verbose = 0;
	faults.failslab.ignore_gfp_wait = false;
	slab_faults_set(lab.m, &faults);
}

/* No page more than are in use, and so many. */
static inline void pages_left(unsigned long n)
{
	slab_machine_set_page_limit(lab.m, slab_machine_pages_used(lab.m) + n);
}

#endif

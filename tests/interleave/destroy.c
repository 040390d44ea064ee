/* SPDX-License-Identifier: MIT */
/*
 * The end of a cache against all that may go on meanwhile: callbacks of RCU,
 * barriers and flushes of all caches, a CPU that goes, other caches; then
 * slabs whose pages wait for RCU (SLAB_TYPESAFE_BY_RCU).
 */
#include "explore.h"

struct op {
	uint8_t op, arg;
};

#define STEP(name, n)                \
	{                            \
		INTERLEAVE_##name, n \
	}

/* What others may do while a cache is destroyed: none uses its objects. */
static const struct op others[] = {
	STEP(RCU_TICK, 0), STEP(BARRIER_ALL, 0), STEP(FLUSH_CACHES, 0),
	STEP(OTHER, 0),	   STEP(CPU_DOWN, 1),
};
#define NR_OTHERS (sizeof(others) / sizeof(others[0]))

static void set(struct interleave *in, unsigned int thread, unsigned int step,
		struct op op)
{
	in->threads[thread].steps[step].op = op.op;
	in->threads[thread].steps[step].arg = op.arg;
}

/* The last objects go by kfree_rcu, and then the cache. */
static void each_other(struct interleave *in)
{
	static const struct op last = STEP(KFREE_RCU, 0);
	static const struct op end = STEP(DESTROY, 0);
	size_t a, b;

	for (in->held = 0; in->held < 3; in->held++) {
		memset(in->threads, 0, sizeof(in->threads));
		for (a = 0; a < in->held; a++)
			set(in, 0, (unsigned int)a, last);
		set(in, 0, in->held, end);
		in->nr_threads = 2;
		for (a = 0; a < NR_OTHERS; a++) {
			set(in, 1, 0, others[a]);
			explore(in);
		}
		in->nr_threads = 3;
		for (a = 0; a < NR_OTHERS && explorer.is_campaign; a++)
			for (b = a; b < NR_OTHERS; b++) {
				set(in, 1, 0, others[a]);
				set(in, 2, 0, others[b]);
				explore(in);
			}
	}
}

static void each_fill(bool sections)
{
	unsigned int capacity;
	int main, spare, rcu;

	for (capacity = 1; capacity <= 2; capacity++)
		for (main = 0; main <= (int)capacity; main += (int)capacity)
			for (spare = -1; spare < 1; spare++)
				for (rcu = -1; rcu < (int)capacity;
				     rcu += (int)capacity) {
					struct interleave in = {
						.objects = 2,
						.min_partial = 1,
						.capacity = capacity,
						.sections = sections,
						.barn_limit = 1,
						.barn_full = spare + 1,
						.cpu = { { main, spare, rcu },
							 { main, -1, rcu } },
						.preemptions =
							1 +
							explorer.is_campaign,
					};

					each_other(&in);
				}
}

static void destroy_against_anything(void **state)
{
	(void)state;
	explore_begin();
	each_fill(false);
}

static void destroy_against_anything_in_sections(void **state)
{
	(void)state;
	explore_begin();
	each_fill(true);
}

/* ---- pages that wait for RCU ---- */
static const struct op slab_works[] = {
	STEP(ALLOC, 0),	 STEP(FREE, 1),	  STEP(FREE_CHAIN, 1),
	STEP(REFILL, 2), STEP(SHRINK, 0), STEP(RCU_TICK, 0),
};
#define NR_SLAB_WORKS (sizeof(slab_works) / sizeof(slab_works[0]))

static void slabs_that_wait_for_rcu(void **state)
{
	struct interleave in = {
		.flags = SLAB_NOLEAKTRACE | SLAB_TYPESAFE_BY_RCU,
		.nr_threads = 2,
		.threads = { { .cpu = 0 }, { .cpu = 1 } },
		.preemptions = 2,
	};
	size_t a, b;

	(void)state;
	explore_begin();
	in.used[2] = INTERLEAVE_ABSENT;
	for (in.objects = 1; in.objects <= 3; in.objects++)
		for (in.min_partial = 0; in.min_partial < 2; in.min_partial++)
			for (in.used[0] = 0; in.used[0] <= (int)in.objects;
			     in.used[0]++)
				for (in.used[1] = -1; in.used[1] < 2;
				     in.used[1] += 2)
					for (a = 0; a < NR_SLAB_WORKS; a++)
						for (b = a; b < NR_SLAB_WORKS;
						     b++) {
							set(&in, 0, 0,
							    slab_works[a]);
							set(&in, 1, 0,
							    slab_works[b]);
							explore(&in);
						}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		explore_test(destroy_against_anything),
		explore_test(destroy_against_anything_in_sections),
		explore_test(slabs_that_wait_for_rcu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

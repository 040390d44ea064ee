/* SPDX-License-Identifier: MIT */
/*
 * Sheaves, barns and RCU (spec/allocator/alloc-free-paths.md 3.2 to 3.21): two
 * threads on one CPU or on two, that may find themselves on the other one, and
 * container or page allocations that fail.
 */
#include "explore.h"

#define STEP(name, n)                \
	{                            \
		INTERLEAVE_##name, n \
	}

/* The first NR_MOVING can go on on another CPU. */
static const struct {
	uint8_t op, arg;
} ops[] = {
	STEP(ALLOC, 0),	    STEP(FREE, 0),	STEP(KFREE_RCU, 0),
	STEP(PREFILL, 1),   STEP(BULK_FREE, 2), STEP(BULK_ALLOC, 2),
	STEP(SHRINK, 0),    STEP(BARRIER, 0),	STEP(RCU_TICK, 0),
	STEP(FLUSH_CPU, 0),
};
#define NR_OPS	  (sizeof(ops) / sizeof(ops[0]))
#define NR_MOVING 5U

static struct interleave sheaves(unsigned int capacity)
{
	return (struct interleave){
		.objects = 3,
		.min_partial = 1,
		.capacity = capacity,
		.barn_limit = 1,
		.held = 2,
		.cpu = { { 0, INTERLEAVE_ABSENT, INTERLEAVE_ABSENT },
			 { 0, INTERLEAVE_ABSENT, INTERLEAVE_ABSENT } },
		.nr_threads = 2,
		.preemptions = 2,
	};
}

static void set(struct interleave *in, unsigned int thread, unsigned int step,
		size_t op)
{
	in->threads[thread].steps[step].op = ops[op].op;
	in->threads[thread].steps[step].arg = ops[op].arg;
	/* what was borrowed goes back */
	if (ops[op].op == INTERLEAVE_PREFILL)
		in->threads[thread].steps[step + 1].op = INTERLEAVE_RETURN;
	else
		in->threads[thread].steps[step + 1].op = INTERLEAVE_NONE;
}

static void each_pair(struct interleave *in)
{
	size_t nr =
		in->migrations && !explorer.is_campaign ? NR_MOVING : NR_OPS;
	size_t a, b;

	for (a = 0; a < nr; a++)
		for (b = a; b < nr; b++) {
			set(in, 0, 0, a);
			set(in, 1, 0, b);
			explore(in);
		}
}

/* The suite leaves out sheaves that are neither empty nor full. */
static bool is_left_out(int nr, unsigned int capacity)
{
	return !explorer.is_campaign && nr > 0 && nr < (int)capacity;
}

/* The suite leaves out one that has both kinds, and allocations that fail
 * where a barn helps. */
static void each_barn(struct interleave *in)
{
	unsigned int failures = in->failures, barn;

	for (barn = 0; barn < (explorer.is_campaign ? 4 : 3); barn++) {
		in->barn_full = barn & 1;
		in->barn_empty = barn >> 1;
		in->failures = barn && !explorer.is_campaign ? 0 : failures;
		each_pair(in);
	}
	in->failures = failures;
}

/* Every fill of one CPU's main, spare and rcu_free, and of the barn. */
static void on_one_cpu(unsigned int capacity)
{
	struct interleave in = sheaves(capacity);
	int cap = (int)capacity, main, spare, rcu;

	in.failures = 1;
	for (main = 0; main <= cap; main++)
		for (spare = -1; spare <= cap; spare++)
			/* at most one less than it takes to be submitted */
			for (rcu = -1; rcu < cap; rcu += cap) {
				if (is_left_out(main, capacity) ||
				    is_left_out(spare, capacity))
					continue;
				in.cpu[0].main = main;
				in.cpu[0].spare = spare;
				in.cpu[0].rcu_free = rcu;
				each_barn(&in);
			}
}

/* Each thread may find itself on the other CPU once. */
static void on_two_cpus(unsigned int capacity, unsigned int second)
{
	struct interleave in = sheaves(capacity);
	int cap = (int)capacity, main[2], spare[2];

	in.migrations = 1;
	/* a container that can not be had leads further when both want it */
	in.failures = second == 0 || explorer.is_campaign;
	if (capacity > 1 && !explorer.is_campaign)
		in.preemptions = 1;
	in.threads[1].cpu = second;
	for (main[0] = 0; main[0] <= cap; main[0] += cap)
		for (main[1] = 0; main[1] <= cap; main[1] += cap)
			for (spare[0] = -1; spare[0] <= cap; spare[0]++)
				for (spare[1] = -1; spare[1] <= cap;
				     spare[1] += cap + 1) {
					if (is_left_out(spare[0], capacity) ||
					    (!explorer.is_campaign &&
					     spare[1] > spare[0]))
						continue;
					in.cpu[0].main = main[0];
					in.cpu[1].main = main[1];
					in.cpu[0].spare = spare[0];
					in.cpu[1].spare = spare[1];
					each_barn(&in);
				}
}

/* A slab that loses its object is gone: what was counted too late shows. */
static void one_cpu_slabs_of_1_object(void **state)
{
	struct interleave in = sheaves(2);
	int main;

	(void)state;
	explore_begin();
	in.objects = 1;
	in.min_partial = 0;
	in.failures = 1;
	for (in.held = 0; in.held <= 1; in.held++) {
		for (main = 0; main <= 2; main++) {
			in.cpu[0].main = main;
			each_barn(&in);
		}
	}
}

static void one_cpu_sheaves_of_1_object(void **state)
{
	(void)state;
	explore_begin();
	on_one_cpu(1);
}

static void one_cpu_sheaves_of_2_objects(void **state)
{
	(void)state;
	explore_begin();
	on_one_cpu(2);
}

static void two_cpus_sheaves_of_1_object(void **state)
{
	(void)state;
	explore_begin();
	on_two_cpus(1, 1);
}

static void two_cpus_sheaves_of_2_objects(void **state)
{
	(void)state;
	explore_begin();
	on_two_cpus(2, 1);
}

static void away_from_one_cpu_sheaves_of_1_object(void **state)
{
	(void)state;
	explore_begin();
	on_two_cpus(1, 0);
}

static void away_from_one_cpu_sheaves_of_2_objects(void **state)
{
	(void)state;
	explore_begin();
	on_two_cpus(2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		explore_test(one_cpu_slabs_of_1_object),
		explore_test(one_cpu_sheaves_of_1_object),
		explore_test(one_cpu_sheaves_of_2_objects),
		explore_test(two_cpus_sheaves_of_1_object),
		explore_test(two_cpus_sheaves_of_2_objects),
		explore_test(away_from_one_cpu_sheaves_of_1_object),
		explore_test(away_from_one_cpu_sheaves_of_2_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

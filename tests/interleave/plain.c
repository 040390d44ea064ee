/* SPDX-License-Identifier: MIT */
/*
 * Slabs of caches without sheaves: T1 to T17 (spec/allocator/slab-states.md),
 * two CPUs, every fill of two slabs.
 */
#include "explore.h"

#define STEP(name, n)                \
	{                            \
		INTERLEAVE_##name, n \
	}

/* What one CPU does; S1 and S2 are the slabs of the start, S3 a third. */
static const struct {
	uint8_t op, arg;
} ops[] = {
	STEP(ALLOC, 0),	 STEP(FREE, 1),	  STEP(FREE, 2),   STEP(FREE_CHAIN, 1),
	STEP(REFILL, 1), STEP(REFILL, 2), STEP(SHRINK, 0),
};
#define NR_OPS (sizeof(ops) / sizeof(ops[0]))

static struct interleave plain(unsigned int objects, unsigned int min_partial)
{
	return (struct interleave){
		.objects = objects,
		.min_partial = min_partial,
		.flags = SLAB_NOLEAKTRACE,
		.nr_threads = 2,
		.threads = { { .cpu = 0 }, { .cpu = 1 } },
		.preemptions = 2,
	};
}

static void set(struct interleave *in, unsigned int thread, unsigned int step,
		size_t op)
{
	in->threads[thread].steps[step].op = ops[op].op;
	in->threads[thread].steps[step].arg = ops[op].arg;
}

/* Every fill of two slabs, then every pair of operations. */
static void one_each(unsigned int objects)
{
	unsigned int mp;
	size_t a, b;
	int i, j;

	for (mp = 0; mp < 2; mp++) {
		struct interleave in = plain(objects, mp);

		in.used[2] = INTERLEAVE_ABSENT;
		for (i = -1; i <= (int)objects; i++) {
			for (j = -1; j <= (int)objects; j++) {
				in.used[0] = i;
				in.used[1] = j;
				for (a = 0; a < NR_OPS; a++)
					for (b = a; b < NR_OPS; b++) {
						set(&in, 0, 0, a);
						set(&in, 1, 0, b);
						explore(&in);
					}
			}
		}
	}
}

/* One against two: what took a slab's place, or came back to it. The suite
 * keeps no empty slab of three. */
static void one_and_two(unsigned int objects)
{
	unsigned int mp, most = objects > 2 && !explorer.is_campaign ? 0 : 1;
	size_t a, b, c;
	int i, j;

	for (mp = 0; mp <= most; mp++) {
		struct interleave in = plain(objects, mp);

		in.used[2] = INTERLEAVE_ABSENT;
		for (i = 1; i <= (int)objects; i++) {
			for (j = -1; j <= (int)objects; j++) {
				/* the suite: none, and one that can be taken */
				if (!explorer.is_campaign && j >= 0 && j != 1)
					continue;
				in.used[0] = i;
				in.used[1] = j;
				for (a = 0; a < NR_OPS; a++)
					for (b = 0; b < NR_OPS; b++)
						for (c = 0; c < NR_OPS; c++) {
							set(&in, 0, 0, a);
							set(&in, 1, 0, b);
							set(&in, 1, 1, c);
							explore(&in);
						}
			}
		}
	}
}

/* The suite: from one start, with one preemption. */
static void two_and_two(unsigned int objects)
{
	unsigned int mp;
	size_t a, b;
	int i, j;

	for (mp = 0; mp < 2; mp++) {
		struct interleave in = plain(objects, mp);

		in.used[2] = INTERLEAVE_ABSENT;
		if (!explorer.is_campaign)
			in.preemptions = 1;
		for (i = 0; i <= (int)objects; i++)
			for (j = -1; j <= (int)objects; j++) {
				if (!explorer.is_campaign &&
				    (mp || i != 1 || j != -1))
					continue;
				in.used[0] = i;
				in.used[1] = j;
				for (a = 0; a < NR_OPS * NR_OPS; a++)
					for (b = a; b < NR_OPS * NR_OPS; b++) {
						set(&in, 0, 0, a / NR_OPS);
						set(&in, 0, 1, a % NR_OPS);
						set(&in, 1, 0, b / NR_OPS);
						set(&in, 1, 1, b % NR_OPS);
						explore(&in);
					}
			}
	}
}

/* Three CPUs, one operation each; the suite with one preemption. */
static void three(unsigned int objects)
{
	unsigned int mp;
	size_t a, b, c;
	int i, j;

	for (mp = 0; mp < 2; mp++) {
		struct interleave in = plain(objects, mp);

		in.used[2] = INTERLEAVE_ABSENT;
		in.nr_threads = 3;
		if (!explorer.is_campaign)
			in.preemptions = 1;
		for (i = 1; i <= (int)objects; i++)
			for (j = -1; j <= 1; j += 2) {
				in.used[0] = i;
				in.used[1] = j;
				for (a = 0; a < NR_OPS; a++)
					for (b = a; b < NR_OPS; b++)
						for (c = b; c < NR_OPS; c++) {
							set(&in, 0, 0, a);
							set(&in, 1, 0, b);
							set(&in, 2, 0, c);
							explore(&in);
						}
			}
	}
}

static void one_operation_each_of_1_object(void **state)
{
	(void)state;
	explore_begin();
	one_each(1);
}

static void one_operation_each_of_2_objects(void **state)
{
	(void)state;
	explore_begin();
	one_each(2);
}

static void one_operation_each_of_3_objects(void **state)
{
	(void)state;
	explore_begin();
	one_each(3);
}

static void one_operation_against_two_of_2_objects(void **state)
{
	(void)state;
	explore_begin();
	one_and_two(2);
}

static void one_operation_against_two_of_3_objects(void **state)
{
	(void)state;
	explore_begin();
	one_and_two(3);
}

static void one_operation_on_each_of_three_cpus(void **state)
{
	(void)state;
	explore_begin();
	three(3);
}

static void two_operations_each_of_2_objects(void **state)
{
	(void)state;
	explore_begin();
	two_and_two(2);
}

static void two_operations_each_of_3_objects(void **state)
{
	(void)state;
	explore_begin();
	two_and_two(3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		explore_test(one_operation_each_of_1_object),
		explore_test(one_operation_each_of_2_objects),
		explore_test(one_operation_each_of_3_objects),
		explore_test(one_operation_against_two_of_2_objects),
		explore_test(one_operation_against_two_of_3_objects),
		explore_test(one_operation_on_each_of_three_cpus),
		explore_test(two_operations_each_of_2_objects),
		explore_test(two_operations_each_of_3_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

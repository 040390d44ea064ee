/* SPDX-License-Identifier: MIT */
/*
 * Debug caches: D1 to D11 (spec/allocator/slab-states.md 4.5), with and without
 * SLAB_STORE_USER, sound and with damage that a schedule comes across: a
 * freelist that leads nowhere, bytes behind a free object.
 */
#include "explore.h"

#define STEP(name, n)                \
	{                            \
		INTERLEAVE_##name, n \
	}

static const struct {
	uint8_t op, arg;
} ops[] = {
	STEP(ALLOC, 0),	     STEP(FREE, 1),   STEP(FREE, 2),
	STEP(FREE_CHAIN, 1), STEP(SHRINK, 0), STEP(VALIDATE, 0),
};
#define NR_OPS (sizeof(ops) / sizeof(ops[0]))

#define CHECKS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON)

static void set(struct interleave *in, unsigned int thread, unsigned int step,
		size_t op)
{
	in->threads[thread].steps[step].op = ops[op].op;
	in->threads[thread].steps[step].arg = ops[op].arg;
}

/* One operation against one, and against two where two are wanted. */
static void each_pair(struct interleave *in, bool is_two)
{
	size_t a, b, c;

	for (a = 0; a < NR_OPS; a++)
		for (b = is_two ? 0 : a; b < NR_OPS; b++)
			for (c = 0; c < (is_two ? NR_OPS : 1); c++) {
				set(in, 0, 0, a);
				set(in, 1, 0, b);
				if (is_two)
					set(in, 1, 1, c);
				explore(in);
			}
}

/* Every fill of two slabs. */
static void each_fill(struct interleave *in, bool is_two)
{
	int objects = (int)in->objects, i, j;

	in->used[2] = INTERLEAVE_ABSENT;
	for (i = in->damage ? 0 : -1; i <= objects; i++) {
		/* a full slab has no free object to damage, an empty one no
		 * user's */
		if ((in->damage && i == objects) ||
		    (in->damage == INTERLEAVE_BAD_HEAD_AND_USER && !i))
			continue;
		for (j = -1; j <= objects; j++) {
			in->used[0] = i;
			in->used[1] = j;
			each_pair(in, is_two);
		}
	}
}

static void each_cache(unsigned int objects, unsigned int damage, bool is_two)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct interleave in = {
			.objects = objects,
			.min_partial = i & 1,
			.flags = CHECKS | (i & 2 ? 0 : SLAB_STORE_USER),
			.damage = damage,
			.nr_threads = 2,
			.threads = { { .cpu = 0 }, { .cpu = 1 } },
			.preemptions = 2,
		};

		each_fill(&in, is_two);
	}
}

static void sound_slabs_of_1_object(void **state)
{
	(void)state;
	explore_begin();
	each_cache(1, INTERLEAVE_SOUND, false);
}

static void sound_slabs_of_2_objects(void **state)
{
	(void)state;
	explore_begin();
	each_cache(2, INTERLEAVE_SOUND, explorer.is_campaign);
}

static void sound_slabs_of_3_objects(void **state)
{
	(void)state;
	explore_begin();
	each_cache(3, INTERLEAVE_SOUND, explorer.is_campaign);
}

static void a_freelist_that_leads_nowhere(void **state)
{
	(void)state;
	explore_begin();
	each_cache(2, INTERLEAVE_BAD_HEAD, true);
}

static void
a_free_that_is_refused_and_a_freelist_that_leads_nowhere(void **state)
{
	(void)state;
	explore_begin();
	each_cache(2, INTERLEAVE_BAD_HEAD_AND_USER, true);
}

static void overwritten_bytes_behind_a_free_object(void **state)
{
	(void)state;
	explore_begin();
	each_cache(2, INTERLEAVE_BAD_BYTES, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		explore_test(sound_slabs_of_1_object),
		explore_test(sound_slabs_of_2_objects),
		explore_test(sound_slabs_of_3_objects),
		explore_test(a_freelist_that_leads_nowhere),
		explore_test(
			a_free_that_is_refused_and_a_freelist_that_leads_nowhere),
		explore_test(overwritten_bytes_behind_a_free_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

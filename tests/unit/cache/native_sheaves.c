/* SPDX-License-Identifier: MIT */
/* What a CPU keeps before the slabs, and when it does not: DIVERGENCE, local. */
#define _GNU_SOURCE
#include "../native.h"

#include <sched.h>

#include "cache/sheaf.h"

#define MANY 200000U

static struct kmem_cache *s;

static int open_here(void **state)
{
	cpu_set_t set;

	(void)state;
	CPU_ZERO(&set);
	CPU_SET((unsigned int)sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return -1;
	native_open(NULL);
	s = kmem_cache_create("native_sheaves", 64, NULL, SLAB_NO_MERGE);
	return s ? 0 : -1;
}

static int close_here(void **state)
{
	(void)state;
	slab_machine_destroy(m);
	return 0;
}

/* The end of each test. */
static void all_came_home(void)
{
	assert_int_equal(kmem_cache_destroy(s), 0);
	assert_int_equal(nr_said, 0);
}

static struct slub_percpu_sheaves *here(void)
{
	return &s->cpu_sheaves[sched_getcpu()];
}

/* Sanitizers and valgrind: no inline paths, so none of this happens. */
static void need_rseq(void)
{
	if (m->percpu != PERCPU_RSEQ || s->fast_is_shut)
		skip();
}

static void **get_many(unsigned int nr)
{
	void **p = malloc(nr * sizeof(*p));
	unsigned int i;

	assert_non_null(p);
	for (i = 0; i < nr; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_non_null(p[i]);
	}
	return p;
}

static void shuffle(unsigned int nr, void **p)
{
	unsigned int i, k;

	srand(1);
	for (i = nr - 1; i; i--) {
		void *object = p[i];

		k = (unsigned int)rand() % (i + 1);
		p[i] = p[k];
		p[k] = object;
	}
}

static size_t nr_kept(void)
{
	struct slub_percpu_sheaves *pcs = here();
	size_t nr = pcs->main->size + (pcs->spare ? pcs->spare->size : 0);
	const struct slab_sheaf *sheaf;

	for (sheaf = pcs->local_full; sheaf; sheaf = sheaf_next(sheaf))
		nr += sheaf->size;
	return nr + s->node[0]->barn->nr_full * s->sheaf_capacity;
}

/* ---- bulk calls ---- */

/* main has 10 objects, the spare is full. */
static void **ten_and_full(unsigned int nr)
{
	void **p = get_many(nr);

	assert_int_equal(slab_cache_flush_all(m, s), 0);
	for (nr = 0; nr < s->sheaf_capacity + 10; nr++)
		kmem_cache_free(s, p[nr]);
	assert_int_equal(here()->main->size, 10);
	assert_int_equal(here()->spare->size, s->sheaf_capacity);
	return p;
}

static void a_run_comes_from_the_sheaf_that_has_all_of_it(void **state)
{
	unsigned int capacity = s->sheaf_capacity, i;
	struct slab_sheaf *full;
	void *q[32], **p;

	(void)state;
	need_rseq();
	p = ten_and_full(200);
	full = here()->spare;
	for (i = 0; i < 100; i++) {
		assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 32, q),
				 32);
		assert_ptr_equal(here()->main, full);
		assert_int_equal(here()->main->size, capacity - 32);
		assert_int_equal(here()->spare->size, 10);
		kmem_cache_free_bulk(s, 32, q);
		assert_int_equal(here()->main->size, capacity);
		assert_int_equal(here()->spare->size, 10);
	}
	kmem_cache_free_bulk(s, 200 - capacity - 10, p + capacity + 10);
	free(p);
	all_came_home();
}

static void a_run_goes_to_the_sheaf_that_has_room_for_all_of_it(void **state)
{
	unsigned int capacity = s->sheaf_capacity, i;
	void *q[32], **p;

	(void)state;
	need_rseq();
	p = ten_and_full(200);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 32, q), 32);
	for (i = capacity + 10; here()->main->size < capacity - 10; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_free_bulk(s, 32, q);
	assert_int_equal(here()->main->size, 10 + 32);
	assert_int_equal(here()->spare->size, capacity - 10);
	kmem_cache_free_bulk(s, 200 - i, p + i);
	free(p);
	all_came_home();
}

static void a_run_longer_than_a_sheaf_takes_them_one_after_the_other(void **state)
{
	unsigned int capacity = s->sheaf_capacity, i;
	void *q[500], **p;

	(void)state;
	need_rseq();
	p = get_many(1000);
	kmem_cache_free_bulk(s, 1000, p);
	for (i = 0; i < 100; i++) {
		size_t before = nr_kept();

		assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 500, q),
				 500);
		assert_int_equal(nr_kept(), before - 500);
		kmem_cache_free_bulk(s, 500, q);
		assert_int_equal(nr_kept(), before);
	}
	assert_true(500 > 4 * capacity);
	free(p);
	all_came_home();
}

/* ---- a cache that shrinks ---- */
static void who_only_gives_back_keeps_nothing_before_the_slabs(void **state)
{
	unsigned long used, kept;
	unsigned int i;
	void **p;

	(void)state;
	need_rseq();
	used = slab_machine_pages_used(m);
	p = get_many(MANY);
	shuffle(MANY, p);
	/* one by one, then the last ones in runs */
	for (i = 0; i < MANY - 1000; i++)
		kmem_cache_free(s, p[i]);
	assert_true(cache_shrinks(s));
	kmem_cache_free_bulk(s, MANY - i, p + i);
	assert_true(nr_kept() <= 2 * s->sheaf_capacity);
	assert_null(here()->local_full);
	/* a page for each that is kept, and those that are not given back */
	kept = slab_machine_pages_used(m) - used;
	if (kept > 2 * s->sheaf_capacity + s->min_partial)
		fail_msg("%lu pages are used, for %zu objects", kept,
			 nr_kept());
	free(p);
	all_came_home();
}

static void runs_that_go_back_count_as_well(void **state)
{
	unsigned int i;
	void **p;

	(void)state;
	need_rseq();
	p = get_many(MANY);
	shuffle(MANY, p);
	for (i = 0; i < MANY; i += 200)
		kmem_cache_free_bulk(s, 200, p + i);
	assert_true(cache_shrinks(s));
	assert_true(nr_kept() <= 2 * s->sheaf_capacity);
	free(p);
	all_came_home();
}

static void an_allocation_that_finds_nothing_ends_it(void **state)
{
	unsigned int i, nr = 40 * s->sheaf_capacity;
	void **p;

	(void)state;
	need_rseq();
	p = get_many(MANY);
	shuffle(MANY, p);
	for (i = 0; i < MANY; i++)
		kmem_cache_free(s, p[i]);
	free(p);
	assert_true(cache_shrinks(s));
	p = get_many(nr);
	assert_false(cache_shrinks(s));
	for (i = 0; i < nr; i++)
		kmem_cache_free(s, p[i]);
	if (nr_kept() < nr - s->sheaf_capacity)
		fail_msg("%zu of %u are kept", nr_kept(), nr);
	free(p);
	all_came_home();
}

/* More than a CPU may keep, so some of it goes to the slabs each time. */
static void a_set_that_comes_and_goes_is_kept(void **state)
{
	size_t most = m->params.cpu_full_bytes / 64;
	unsigned int round, i, nr = (unsigned int)most * 3 / 2;
	void **p;

	(void)state;
	need_rseq();
	for (round = 0; round < 20; round++) {
		p = get_many(nr);
		for (i = 0; i < nr; i++)
			kmem_cache_free(s, p[i]);
		free(p);
	}
	assert_true(s->flushed_bytes > 0);
	if (nr_kept() < most - s->sheaf_capacity)
		fail_msg("%zu of %zu are kept", nr_kept(), most);
	all_came_home();
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_here, close_here)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_run_comes_from_the_sheaf_that_has_all_of_it),
		T(a_run_goes_to_the_sheaf_that_has_room_for_all_of_it),
		T(a_run_longer_than_a_sheaf_takes_them_one_after_the_other),
		T(who_only_gives_back_keeps_nothing_before_the_slabs),
		T(runs_that_go_back_count_as_well),
		T(an_allocation_that_finds_nothing_ends_it),
		T(a_set_that_comes_and_goes_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/sheaf.c - containers (3.4), and one sheaf filled and
 * emptied */
#include "../sheaves.h"

static void a_container_is_empty_and_the_caches_own(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *sheaf;
	unsigned int i;

	(void)state;
	stats_mark(s);
	sheaf = sheaf_alloc(s, GFP_KERNEL);
	assert_ptr_equal(sheaf->cache, s);
	assert_int_equal(sheaf->size, 0);
	for (i = 0; i < FEW; i++)
		assert_null(sheaf->objects[i]);
	assert_string_equal(stats_since(s), "sheaf_alloc 1");
	sheaf_free(s, sheaf);
	assert_string_equal(stats_since(s), "sheaf_alloc 1, sheaf_free 1");
}

static void a_freed_container_is_no_sheaf_any_more(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *sheaf = sheaf_alloc(s, GFP_KERNEL);

	(void)state;
	sheaf_free(s, sheaf);
	assert_ptr_not_equal(sheaf->cache, s);
	assert_non_null(sheaf_check(s, sheaf));
}

/* H11: the memory of a container asks for no container. */
static void h11_the_guard_bit_makes_no_container(void **state)
{
	struct kmem_cache *s = few();

	(void)state;
	stats_mark(s);
	assert_null(sheaf_alloc(s, GFP_KERNEL | __GFP_NO_OBJ_EXT));
	assert_null(sheaf_alloc_oversize(s, GFP_KERNEL | __GFP_NO_OBJ_EXT, 9));
	assert_string_equal(stats_since(s), "");
}

static void oversize_containers_are_not_counted(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *sheaf;

	(void)state;
	stats_mark(s);
	sheaf = sheaf_alloc_oversize(s, GFP_KERNEL, 1000);
	assert_non_null(sheaf);
	sheaf_free_oversize(s, sheaf, 1000);
	assert_string_equal(stats_since(s), "");
}

static void nofail_does_not_go_into_a_container(void **state)
{
	struct kmem_cache *s = few();

	(void)state;
	fail_nth(1);
	/* the request may not fail, its container may */
	assert_null(sheaf_alloc(s, GFP_KERNEL | __GFP_NOFAIL));
}

static void containers_are_failslabs_question_of_their_class(void **state)
{
	struct kmem_cache *s = few();
	struct slab_faults faults;

	(void)state;
	/* 64 bytes: the first passes within 64 bytes of space, not the second */
	slab_faults_get(lab.m, &faults);
	faults.failslab.attr.probability = 100;
	faults.failslab.attr.times = -1;
	faults.failslab.attr.space = 65;
	faults.failslab.ignore_gfp_wait = false;
	slab_faults_set(lab.m, &faults);
	assert_non_null(sheaf_alloc(s, GFP_KERNEL));
	assert_null(sheaf_alloc(s, GFP_KERNEL));
	/* whole pages are none of its questions */
	assert_non_null(sheaf_alloc_oversize(s, GFP_KERNEL, 2000));
}

static void without_metadata_there_is_no_container(void **state)
{
	struct kmem_cache *s = few();

	(void)state;
	lab.m->meta.fail_after = 1;
	assert_null(sheaf_alloc(s, GFP_KERNEL));
	assert_non_null(sheaf_alloc(s, GFP_KERNEL));
}

static void a_refill_adds_behind_what_is_there(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *sheaf = a_sheaf(s, 1);
	void *first = sheaf->objects[0];

	(void)state;
	stats_mark(s);
	assert_int_equal(sheaf_refill(s, sheaf, GFP_KERNEL), 0);
	assert_int_equal(sheaf->size, FEW);
	assert_ptr_equal(sheaf->objects[0], first);
	assert_string_equal(stats_since(s),
			    "free_add_partial 1, sheaf_refill 3");
	/* a full one needs nothing */
	count_points();
	assert_int_equal(sheaf_refill(s, sheaf, GFP_KERNEL), 0);
	at_end();
	assert_int_equal(passed[SLAB_POINT_NR_PARTIAL_PEEK], 0);
}

static void a_refill_that_fails_keeps_what_came(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *sheaf = a_sheaf(s, 0);
	unsigned int i;

	(void)state;
	for (i = 0; i < FEW_IN_SLAB - 2; i++)
		slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	pages_left(0);
	stats_mark(s);
	assert_int_equal(sheaf_refill(s, sheaf, GFP_KERNEL), -ENOMEM);
	assert_int_equal(sheaf->size, 2);
	assert_string_equal(stats_since(s), "sheaf_refill 2");
}

static void a_flush_empties_and_counts_once(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *sheaf = a_sheaf(s, FEW);

	(void)state;
	slab_cache_set_min_partial(s, 100);
	stats_mark(s);
	sheaf_flush(s, sheaf);
	assert_int_equal(sheaf->size, 0);
	assert_string_equal(stats_since(s), "sheaf_flush 4");
	/* an empty one is not counted, nor said */
	lab.events[SLAB_EVENT_SHEAF_FLUSH] = 0;
	sheaf_flush(s, sheaf);
	assert_string_equal(stats_since(s), "sheaf_flush 4");
	assert_int_equal(lab.events[SLAB_EVENT_SHEAF_FLUSH], 0);
	sheaf_free(s, sheaf);
	became(s, 0, "m0 s- r- f0 e0", "sheaf_flush 4, sheaf_free 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(a_container_is_empty_and_the_caches_own),
		lab_test(a_freed_container_is_no_sheaf_any_more),
		lab_test(h11_the_guard_bit_makes_no_container),
		lab_test(oversize_containers_are_not_counted),
		lab_test(nofail_does_not_go_into_a_container),
		lab_test(containers_are_failslabs_question_of_their_class),
		lab_test(without_metadata_there_is_no_container),
		lab_test(a_refill_adds_behind_what_is_there),
		lab_test(a_refill_that_fails_keeps_what_came),
		lab_test(a_flush_empties_and_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

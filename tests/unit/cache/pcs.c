/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/pcs.c - an allocation of this CPU: main, spare, the barn, a
 * refill; the rows a1_ and a2_ of alloc-free-paths.md 3.2 and 3.3
 */
#include "../sheaves.h"

/* An atomic caller that may not wait for locks. */
#define NO_SPIN 0

static void *get(struct kmem_cache *s, gfp_t gfp)
{
	void *p = kmem_cache_alloc(s, gfp);

	assert_non_null(p);
	return p;
}

/* Partial slabs are there, so that the slow path makes no new one. */
static struct kmem_cache *few_with_slabs(void)
{
	struct kmem_cache *s = few();

	slab_cache_set_min_partial(s, 100);
	arrange(s, "m4 s4 r- f2 e0");
	arrange(s, "m0 s- r- f0 e0");
	return s;
}

/* ---- 3.2 ---- */
static void a1_the_top_of_main_is_taken(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *main;
	void *top, *next;

	(void)state;
	arrange(s, "m3 s2 r- f1 e1");
	main = pcs_of(s, 0)->main;
	top = main->objects[2];
	next = main->objects[1];
	assert_ptr_equal(get(s, GFP_KERNEL), top);
	became(s, 1, "m2 s2 r- f1 e1", "alloc_fastpath 1");
	assert_ptr_equal(get(s, NO_SPIN), next);
	became(s, 2, "m1 s2 r- f1 e1", "alloc_fastpath 2");
}

static void a1_a_busy_cpu_goes_to_the_slabs(void **state)
{
	struct kmem_cache *s = few_with_slabs();

	(void)state;
	arrange(s, "m3 s- r- f0 e0");
	other_takes(&pcs_of(s, 0)->lock);
	get(s, GFP_KERNEL);
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 1, "m3 s- r- f0 e0", "alloc_slowpath 1");
	assert_int_equal(lab.events[SLAB_EVENT_PCS_BUSY], 1);
}

static void a1_another_nodes_request_does_not_touch_the_sheaves(void **state)
{
	struct kmem_cache *s;

	(void)state;
	numa();
	s = few();
	arrange(s, "m3 s- r- f0 e0");
	count_points();
	assert_int_equal(slab_of(kmem_cache_alloc_node(s, GFP_KERNEL, 1))->node,
			 1);
	assert_int_equal(passed[SLAB_POINT_PCS_TRYLOCK], 0);
	at_end();
	became(s, 1, "m3 s- r- f0 e0",
	       "alloc_slowpath 1, alloc_slab 1, alloc_node_mismatch 1");
}

static void a1_a_top_of_another_node_stays(void **state)
{
	struct kmem_cache *s;
	void *foreign, *p;

	(void)state;
	numa();
	s = few();
	foreign = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	arrange(s, "m3 s- r- f0 e0");
	/* as a migration in the middle of a refill leaves it */
	pcs_of(s, 0)->main->objects[3] = foreign;
	pcs_of(s, 0)->main->size = 4;
	p = kmem_cache_alloc_node(s, GFP_KERNEL, 0);
	assert_int_equal(slab_of(p)->node, 0);
	became(s, 1, "m4 s- r- f0 e0",
	       "alloc_slowpath 1, alloc_node_mismatch 1");
	/* who names no node takes it */
	assert_ptr_equal(get(s, GFP_KERNEL), foreign);
}

static void a1_node_requests_of_this_node_use_the_sheaves(void **state)
{
	struct kmem_cache *s;

	(void)state;
	numa();
	s = few();
	arrange(s, "m3 s- r- f0 e0");
	assert_non_null(kmem_cache_alloc_node(s, GFP_KERNEL, 0));
	became(s, 1, "m2 s- r- f0 e0", "alloc_fastpath 1");
}

/* ---- 3.3 ---- */
static void a2_01_a_cache_without_sheaves_fails(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);

	(void)state;
	stats_mark(s);
	get(s, GFP_KERNEL);
	assert_string_equal(stats_since(s), "alloc_slowpath 1, alloc_slab 1");
	assert_ptr_equal(pcs_of(s, 0)->main, bootstrap_sheaf);
	assert_int_equal(lock_is_held(&pcs_of(s, 0)->lock), 0);
	intact(s);
}

static void a2_02_a_spare_with_objects_becomes_main(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *main;
	void *top;

	(void)state;
	arrange(s, "m0 s1 r- f1 e1");
	main = pcs_of(s, 0)->main;
	top = pcs_of(s, 0)->spare->objects[0];
	assert_ptr_equal(get(s, NO_SPIN), top);
	assert_ptr_equal(pcs_of(s, 0)->spare, main);
	became(s, 1, "m0 s0 r- f1 e1", "alloc_fastpath 1");
}

static void a2_03_without_a_barn_it_fails_uncounted(void **state)
{
	struct kmem_cache *s = few_with_slabs();
	struct node_barn *barn = s->node[0]->barn;

	(void)state;
	s->node[0]->barn = NULL;
	get(s, GFP_KERNEL);
	s->node[0]->barn = barn;
	became(s, 1, "m0 s- r- f0 e0", "alloc_slowpath 1");
}

static void a2_04_a_full_sheaf_is_exchanged_for_the_empty_main(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *main, *first;

	(void)state;
	/* however many empties the barn has */
	arrange(s, "m0 s- r- f2 e10");
	main = pcs_of(s, 0)->main;
	first = container_of(barn_of(s)->sheaves_full.next, struct slab_sheaf,
			     list);
	get(s, GFP_KERNEL);
	assert_ptr_equal(pcs_of(s, 0)->main, first);
	assert_ptr_equal(barn_of(s)->sheaves_empty.next, &main->list);
	became(s, 1, "m3 s- r- f1 e11", "alloc_fastpath 1, barn_get 1");
	/* who may not wait gets it, too */
	arrange(s, "m0 s0 r- f1 e0");
	get(s, NO_SPIN);
	became(s, 2, "m3 s0 r- f0 e1", "alloc_fastpath 1, barn_get 1");
}

static void a2_04_who_may_not_wait_tries_the_barns_lock(void **state)
{
	struct kmem_cache *s = few_with_slabs();

	(void)state;
	arrange_barn(s, 1, 0);
	other_takes(&barn_of(s)->lock);
	get(s, NO_SPIN);
	other_releases(&barn_of(s)->lock);
	became(s, 1, "m0 s- r- f1 e0", "alloc_slowpath 1, barn_get_fail 1");
}

static void alloc_one(void *s)
{
	alloc(s);
}

static void take_one_elsewhere(void *s)
{
	on_cpu(1, alloc_one, s);
}

static void a2_04_the_peek_is_repeated_under_the_lock(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = few();
	arrange(s, "m0 s- r- f1 e0");
	/* counted as full, and gone when the lock is there */
	at(SLAB_POINT_BARN_LOCK, 1, take_one_elsewhere, s);
	get(s, GFP_KERNEL);
	at_end();
	assert_string_equal(shape_of(s, 1), "m3 s- r- f0 e0");
	/* CPU 1's old main serves as the container */
	became(s, 2, "m3 s0 r- f0 e0",
	       "alloc_fastpath 2, sheaf_refill 4, barn_get 1, barn_get_fail 1");
}

static void a2_05_06_who_may_not_wait_does_not_refill(void **state)
{
	struct kmem_cache *s = few_with_slabs();

	(void)state;
	get(s, NO_SPIN);
	became(s, 1, "m0 s- r- f0 e0", "alloc_slowpath 1, barn_get_fail 1");
}

/* F3 of 7.0-rc1: the refill asked for the right to block. */
static void f3_an_atomic_caller_refills_a_sheaf(void **state)
{
	struct kmem_cache *s = few_with_slabs();

	(void)state;
	get(s, GFP_NOWAIT);
	became(s, 1, "m3 s0 r- f0 e0",
	       "alloc_fastpath 1, free_add_partial 1, sheaf_refill 4, "
	       "sheaf_alloc 1, barn_get_fail 1");
	arrange(s, "m0 s- r- f0 e0");
	get(s, GFP_ATOMIC);
	became(s, 2, "m3 s0 r- f0 e0",
	       "alloc_fastpath 1, free_add_partial 1, sheaf_refill 4, "
	       "sheaf_alloc 1, barn_get_fail 1");
}

static void a2_07_the_empty_spare_is_refilled(void **state)
{
	struct kmem_cache *s = few_with_slabs();
	struct slab_sheaf *spare, *main;

	(void)state;
	arrange(s, "m0 s0 r- f0 e1");
	spare = pcs_of(s, 0)->spare;
	main = pcs_of(s, 0)->main;
	get(s, GFP_KERNEL);
	assert_ptr_equal(pcs_of(s, 0)->main, spare);
	assert_ptr_equal(pcs_of(s, 0)->spare, main);
	became(s, 1, "m3 s0 r- f0 e1",
	       "alloc_fastpath 1, free_add_partial 1, sheaf_refill 4, "
	       "barn_get_fail 1");
}

static void a2_07_else_an_empty_one_of_the_barn(void **state)
{
	struct kmem_cache *s = few_with_slabs();

	(void)state;
	arrange(s, "m0 s- r- f0 e2");
	get(s, GFP_KERNEL);
	became(s, 1, "m3 s0 r- f0 e1",
	       "alloc_fastpath 1, free_add_partial 1, sheaf_refill 4, "
	       "barn_get_fail 1");
}

static void a2_08_else_a_new_one(void **state)
{
	struct kmem_cache *s = few_with_slabs();

	(void)state;
	get(s, GFP_KERNEL);
	became(s, 1, "m3 s0 r- f0 e0",
	       "alloc_fastpath 1, free_add_partial 1, sheaf_refill 4, "
	       "sheaf_alloc 1, barn_get_fail 1");
}

static void a2_08_without_a_container_it_fails(void **state)
{
	struct kmem_cache *s = few_with_slabs();

	(void)state;
	/* the first question is the object itself */
	fail_nth(2);
	get(s, GFP_KERNEL);
	became(s, 1, "m0 s- r- f0 e0", "alloc_slowpath 1, barn_get_fail 1");
	/* the memory of another container makes none */
	get(s, GFP_KERNEL | __GFP_NO_OBJ_EXT);
	became(s, 2, "m0 s- r- f0 e0", "alloc_slowpath 2, barn_get_fail 2");
}

/* F1 of 7.0-rc1: the objects went with the container. */
static void f1_a_refill_that_fails_half_way_loses_nothing(void **state)
{
	struct kmem_cache *s = few();
	unsigned int i;

	(void)state;
	slab_cache_set_min_partial(s, 100);
	arrange(s, "m0 s- r- f0 e0");
	/* two objects are free, and no page */
	for (i = 0; i < FEW_IN_SLAB - 2; i++)
		slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	pages_left(0);
	stats_mark(s);
	get(s, GFP_KERNEL);
	became(s, FEW_IN_SLAB - 1, "m0 s- r- f0 e0",
	       "alloc_slowpath 1, free_add_partial 1, sheaf_flush 2, "
	       "sheaf_refill 2, sheaf_alloc 1, sheaf_free 1, barn_get_fail 1");
	get(s, GFP_KERNEL);
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	intact(s);
}

static void
a2_09_what_was_missing_is_asked_for_without_the_reserve(void **state)
{
	struct kmem_cache *s = few();

	(void)state;
	arrange(s, "m0 s0 r- f0 e0");
	slab_machine_set_page_limit(lab.m, 1);
	assert_non_null(slab_machine_alloc_pages(lab.m, 0));
	slab_machine_set_reserve(lab.m, 100);
	/* who may use it gets one object, and the sheaves stay clean */
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL | __GFP_MEMALLOC));
	became(s, 1, "m0 s- r- f0 e0",
	       "alloc_slowpath 1, alloc_slab 1, order_fallback 1, sheaf_free "
	       "1, barn_get_fail 1");
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
}

static void
a2_10_a_full_sheaf_goes_to_the_barn_when_this_cpu_is_busy(void **state)
{
	struct kmem_cache *s = few_with_slabs();

	(void)state;
	at(SLAB_POINT_PCS_TRYLOCK, 2, take_lock, &pcs_of(s, 0)->lock);
	get(s, GFP_KERNEL);
	at_end();
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 1, "m0 s- r- f1 e0",
	       "alloc_slowpath 1, free_add_partial 1, sheaf_refill 4, "
	       "sheaf_alloc 1, barn_get_fail 1, barn_put 1");
}

/* The slab had more than was wanted: the rest of its chain went back. */
#define REFILLED                                                             \
	"alloc_fastpath 1, free_add_partial 1, sheaf_refill 4, sheaf_alloc " \
	"1, barn_get_fail 1"

/* CPU 1 before and after the thread comes from CPU 0 with a full sheaf. */
static void installed_at(const char *before, const char *after,
			 const char *counted)
{
	struct kmem_cache *s;

	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = few_with_slabs();
	slab_machine_set_cpu(lab.m, 1);
	arrange_cpu(s, before);
	slab_machine_set_cpu(lab.m, 0);
	at(SLAB_POINT_SHEAF_ALLOC, 1, go_to_cpu, CPU(1));
	get(s, GFP_KERNEL);
	at_end();
	assert_int_equal(lab.m->cpu, 1);
	became(s, 1, after, counted);
}

static void
a2_11_an_empty_main_becomes_the_spare_or_goes_to_the_barn(void **state)
{
	(void)state;
	installed_at("m0 s- r-", "m3 s0 r- f0 e0", REFILLED);
	installed_at("m0 s2 r-", "m3 s2 r- f0 e1", REFILLED);
}

static void a2_12_a_full_sheaf_becomes_the_missing_spare(void **state)
{
	(void)state;
	installed_at("m2 s- r-", "m1 s4 r- f0 e0", REFILLED);
}

static void a2_13_an_empty_spare_makes_way(void **state)
{
	(void)state;
	installed_at("m2 s0 r-", "m1 s4 r- f0 e1", REFILLED);
}

static void a2_14_else_the_full_sheaf_is_surplus(void **state)
{
	(void)state;
	installed_at("m2 s1 r-", "m1 s1 r- f1 e0", REFILLED ", barn_put 1");
}

static void a2_14_surplus_goes_to_the_barn_it_began_with(void **state)
{
	struct kmem_cache *s;

	(void)state;
	numa();
	s = few();
	slab_machine_set_cpu(lab.m, 1);
	arrange_cpu(s, "m2 s1 r-");
	slab_machine_set_cpu(lab.m, 0);
	at(SLAB_POINT_SHEAF_ALLOC, 1, go_to_cpu, CPU(1));
	get(s, GFP_KERNEL);
	at_end();
	assert_string_equal(shape_of(s, 1), "m1 s1 r- f0 e0");
	assert_string_equal(shape_of(s, 0), "m0 s- r- f1 e0");
	intact(s);
}

static void fill_the_barn_and_go(void *s)
{
	arrange_barn(s, MAX_FULL_SHEAVES, 0);
	go_to_cpu(CPU(1));
}

static void a2_14_limits_do_not_count_for_surplus(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = few();
	slab_machine_set_cpu(lab.m, 1);
	arrange_cpu(s, "m2 s1 r-");
	slab_machine_set_cpu(lab.m, 0);
	at(SLAB_POINT_SHEAF_ALLOC, 1, fill_the_barn_and_go, s);
	get(s, GFP_KERNEL);
	at_end();
	assert_string_equal(shape_of(s, 1), "m1 s1 r- f11 e0");
	intact(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(a1_the_top_of_main_is_taken),
		lab_test(a1_a_busy_cpu_goes_to_the_slabs),
		lab_test(a1_another_nodes_request_does_not_touch_the_sheaves),
		lab_test(a1_a_top_of_another_node_stays),
		lab_test(a1_node_requests_of_this_node_use_the_sheaves),
		lab_test(a2_01_a_cache_without_sheaves_fails),
		lab_test(a2_02_a_spare_with_objects_becomes_main),
		lab_test(a2_03_without_a_barn_it_fails_uncounted),
		lab_test(a2_04_a_full_sheaf_is_exchanged_for_the_empty_main),
		lab_test(a2_04_who_may_not_wait_tries_the_barns_lock),
		lab_test(a2_04_the_peek_is_repeated_under_the_lock),
		lab_test(a2_05_06_who_may_not_wait_does_not_refill),
		lab_test(f3_an_atomic_caller_refills_a_sheaf),
		lab_test(a2_07_the_empty_spare_is_refilled),
		lab_test(a2_07_else_an_empty_one_of_the_barn),
		lab_test(a2_08_else_a_new_one),
		lab_test(a2_08_without_a_container_it_fails),
		lab_test(f1_a_refill_that_fails_half_way_loses_nothing),
		lab_test(
			a2_09_what_was_missing_is_asked_for_without_the_reserve),
		lab_test(
			a2_10_a_full_sheaf_goes_to_the_barn_when_this_cpu_is_busy),
		lab_test(
			a2_11_an_empty_main_becomes_the_spare_or_goes_to_the_barn),
		lab_test(a2_12_a_full_sheaf_becomes_the_missing_spare),
		lab_test(a2_13_an_empty_spare_makes_way),
		lab_test(a2_14_else_the_full_sheaf_is_surplus),
		lab_test(a2_14_surplus_goes_to_the_barn_it_began_with),
		lab_test(a2_14_limits_do_not_count_for_surplus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

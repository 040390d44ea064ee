/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/pcs_free.c - a free to this CPU: main, spare, the barn, a
 * flush; the rows f1_ and f2_ of alloc-free-paths.md 3.9 and 3.10
 */
#include "../sheaves.h"

/* A cache and an object of it in a user's hands. */
static struct kmem_cache *few_and_one(void **p)
{
	struct kmem_cache *s = few();

	slab_cache_set_min_partial(s, 100);
	*p = alloc(s);
	return s;
}

/* The shape after p is freed into that shape, and what was counted. */
static void freed(const char *before, const char *after, const char *counted)
{
	struct kmem_cache *s;
	void *p;

	lab_reopen(&(struct slab_machine_config){ 0 });
	s = few_and_one(&p);
	arrange(s, before);
	kmem_cache_free(s, p);
	became(s, 0, after, counted);
	assert_ptr_equal(
		pcs_of(s, 0)->main->objects[pcs_of(s, 0)->main->size - 1], p);
}

/* ---- 3.9 ---- */
static void f1_it_is_pushed_on_main(void **state)
{
	(void)state;
	freed("m0 s- r- f0 e0", "m1 s- r- f0 e0", "free_fastpath 1");
	freed("m3 s1 r- f1 e1", "m4 s1 r- f1 e1", "free_fastpath 1");
}

static void f1_a_remote_object_goes_to_its_slab(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	numa();
	s = few();
	p = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	arrange(s, "m2 s- r- f0 e0");
	count_points();
	kmem_cache_free(s, p);
	at_end();
	assert_int_equal(passed[SLAB_POINT_PCS_TRYLOCK], 0);
	became(s, 0, "m2 s- r- f0 e0", "free_slowpath 1");
}

static void f1_a_reserve_object_goes_to_its_slab(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m0 s- r- f0 e0");
	slab_of(p)->flags |= SL_PFMEMALLOC;
	kmem_cache_free(s, p);
	became(s, 0, "m0 s- r- f0 e0", "free_slowpath 1");
}

static void f1_a_busy_cpu_goes_to_the_slab(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m2 s- r- f0 e0");
	other_takes(&pcs_of(s, 0)->lock);
	kmem_cache_free(s, p);
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 0, "m2 s- r- f0 e0", "free_slowpath 1");
}

/* ---- 3.10 ---- */
static void f2_01_a_cache_without_sheaves_fails(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	void *p = alloc(s);

	(void)state;
	assert_false(free_to_pcs(s, p, true));
	assert_false(lock_is_held(&pcs_of(s, 0)->lock));
	kmem_cache_free(s, p);
	intact(s);
}

static void f2_02_without_a_barn_it_fails_uncounted(void **state)
{
	struct node_barn *barn;
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m4 s- r- f0 e0");
	barn = barn_of(s);
	s->node[0]->barn = NULL;
	kmem_cache_free(s, p);
	s->node[0]->barn = barn;
	became(s, 0, "m4 s- r- f0 e0", "free_slowpath 1");
}

static void f2_03_the_full_main_becomes_the_missing_spare(void **state)
{
	(void)state;
	freed("m4 s- r- f0 e2", "m1 s4 r- f0 e1", "free_fastpath 1");
}

static void f2_03b_without_an_empty_one_a_container_is_made(void **state)
{
	(void)state;
	freed("m4 s- r- f0 e0", "m1 s4 r- f0 e0",
	      "free_fastpath 1, sheaf_alloc 1");
	/* however many full ones there are: it is no put */
	freed("m4 s- r- f10 e0", "m1 s4 r- f10 e0",
	      "free_fastpath 1, sheaf_alloc 1");
}

static void f2_04_a_spare_with_room_becomes_main(void **state)
{
	(void)state;
	freed("m4 s0 r- f0 e0", "m1 s4 r- f0 e0", "free_fastpath 1");
	freed("m4 s3 r- f0 e0", "m4 s4 r- f0 e0", "free_fastpath 1");
}

static void f2_05_the_full_main_is_exchanged_for_an_empty_one(void **state)
{
	(void)state;
	freed("m4 s4 r- f0 e1", "m1 s4 r- f1 e0",
	      "free_fastpath 1, barn_put 1");
	freed("m4 s4 r- f9 e1", "m1 s4 r- f10 e0",
	      "free_fastpath 1, barn_put 1");
}

static void put_one_more(void *s)
{
	barn_put_full(s, barn_of(s), a_sheaf(s, FEW));
}

static void f2_05_the_limit_is_not_looked_at_again(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m4 s4 r- f9 e1");
	/* nine when it looked, ten when it has the lock */
	at(SLAB_POINT_NR_EMPTY_PEEK, 1, put_one_more, s);
	kmem_cache_free(s, p);
	at_end();
	assert_string_equal(shape_of(s, 0), "m1 s4 r- f11 e0");
	intact(s);
}

static void empty_the_barn(void *s)
{
	flush_barn(s, 0);
}

static void f2_05_the_peek_at_empties_is_repeated(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m4 s4 r- f0 e1");
	at(SLAB_POINT_BARN_LOCK, 1, empty_the_barn, s);
	kmem_cache_free(s, p);
	at_end();
	/* as if there had been none: a new one, and the full main is surplus */
	became(s, 0, "m1 s4 r- f1 e0",
	       "free_fastpath 1, sheaf_alloc 1, sheaf_free 1, barn_put 1");
}

static void f2_06_above_the_limit_the_spare_is_flushed(void **state)
{
	struct slab_sheaf *spare;
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m4 s4 r- f10 e1");
	spare = pcs_of(s, 0)->spare;
	kmem_cache_free(s, p);
	assert_ptr_equal(pcs_of(s, 0)->main, spare);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_FLUSH), 4 + 3);
	assert_int_equal(stat_sum(s, SLAB_STAT_BARN_PUT_FAIL), 1);
	assert_string_equal(shape_of(s, 0), "m1 s4 r- f10 e1");
	intact(s);
}

static void
f2_06b_without_empties_a_container_and_the_main_is_surplus(void **state)
{
	(void)state;
	freed("m4 s4 r- f0 e0", "m1 s4 r- f1 e0",
	      "free_fastpath 1, sheaf_alloc 1, barn_put 1");
}

static void f2_07_who_may_not_wait_gives_up(void **state)
{
	static const char *const shapes[] = {
		"m4 s- r- f0 e0",
		"m4 s4 r- f0 e0",
		"m4 s4 r- f10 e1",
	};
	struct kmem_cache *s;
	unsigned int i;
	void *p;

	(void)state;
	s = few_and_one(&p);
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		arrange(s, shapes[i]);
		assert_false(free_to_pcs(s, p, false));
		became(s, 1, shapes[i], "");
	}
	/* what needs no more than a lock that is free, it does */
	arrange(s, "m4 s- r- f0 e1");
	assert_true(free_to_pcs(s, p, false));
	became(s, 0, "m1 s4 r- f0 e0", "free_fastpath 1");
	p = alloc(s);
	arrange(s, "m4 s4 r- f0 e1");
	other_takes(&barn_of(s)->lock);
	assert_false(free_to_pcs(s, p, false));
	other_releases(&barn_of(s)->lock);
	became(s, 1, "m4 s4 r- f0 e1", "");
}

static void f2_08_without_a_container_main_is_flushed(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m4 s- r- f0 e0");
	fail_nth(1);
	kmem_cache_free(s, p);
	became(s, 0, "m1 s- r- f0 e0", "free_fastpath 1, sheaf_flush 4");
	/* with a spare it was a put that failed */
	p = alloc(s);
	arrange(s, "m4 s4 r- f0 e0");
	fail_nth(1);
	kmem_cache_free(s, p);
	became(s, 0, "m1 s4 r- f0 e0",
	       "free_fastpath 1, free_add_partial 1, sheaf_flush 4, "
	       "barn_put_fail 1");
}

static void f2_08_when_nothing_can_be_flushed_the_slab_takes_it(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m4 s- r- f0 e0");
	fail_nth(1);
	at(SLAB_POINT_PCS_TRYLOCK, 2, take_lock, &pcs_of(s, 0)->lock);
	kmem_cache_free(s, p);
	at_end();
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 0, "m4 s- r- f0 e0", "free_slowpath 1");
}

static void f2_08b_busy_after_the_flush_the_slab_takes_it(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m4 s- r- f0 e0");
	fail_nth(1);
	/* first the free, then the flush, then again */
	at(SLAB_POINT_PCS_TRYLOCK, 3, take_lock, &pcs_of(s, 0)->lock);
	kmem_cache_free(s, p);
	at_end();
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 0, "m0 s- r- f0 e0", "free_slowpath 1, sheaf_flush 4");
}

static void f2_08b_a_main_that_is_full_again_starts_over(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = few_and_one(&p);
	slab_machine_set_cpu(lab.m, 1);
	arrange_cpu(s, "m4 s1 r-");
	slab_machine_set_cpu(lab.m, 0);
	arrange_cpu(s, "m4 s- r-");
	fail_nth(1);
	at(SLAB_POINT_PCS_TRYLOCK, 3, go_to_cpu, CPU(1));
	kmem_cache_free(s, p);
	at_end();
	assert_string_equal(shape_of(s, 0), "m0 s- r- f0 e0");
	became(s, 0, "m2 s4 r- f0 e0", "free_fastpath 1, sheaf_flush 4");
}

static void f2_09_busy_with_an_empty_one_in_hand_the_barn_gets_it(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = few_and_one(&p);
	arrange(s, "m4 s- r- f0 e0");
	at(SLAB_POINT_PCS_TRYLOCK, 2, take_lock, &pcs_of(s, 0)->lock);
	kmem_cache_free(s, p);
	at_end();
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 0, "m4 s- r- f0 e1", "free_slowpath 1, sheaf_alloc 1");
}

/* CPU 1 before and after the thread comes from CPU 0 with an empty sheaf. */
static void installed_at(const char *before, unsigned int nr_full,
			 const char *after, const char *counted)
{
	struct kmem_cache *s;
	void *p;

	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = few_and_one(&p);
	arrange_barn(s, nr_full, 0);
	slab_machine_set_cpu(lab.m, 1);
	arrange_cpu(s, before);
	slab_machine_set_cpu(lab.m, 0);
	arrange_cpu(s, "m4 s- r-");
	at(SLAB_POINT_SHEAF_ALLOC, 1, go_to_cpu, CPU(1));
	kmem_cache_free(s, p);
	at_end();
	assert_int_equal(lab.m->cpu, 1);
	became(s, 0, after, counted);
	assert_int_equal(pcs_of(s, 0)->main->size, 4);
}

#define INSTALLED "free_fastpath 1, sheaf_alloc 1"

static void f2_10_main_becomes_the_missing_spare(void **state)
{
	(void)state;
	installed_at("m2 s- r-", 0, "m1 s2 r- f0 e0", INSTALLED);
}

static void f2_10_a_main_with_room_needs_no_empty_one(void **state)
{
	(void)state;
	installed_at("m2 s4 r-", 0, "m3 s4 r- f0 e1", INSTALLED);
	installed_at("m0 s0 r-", 0, "m1 s0 r- f0 e1", INSTALLED);
}

static void f2_10_nor_does_a_spare_with_room(void **state)
{
	(void)state;
	installed_at("m4 s1 r-", 0, "m2 s4 r- f0 e1", INSTALLED);
}

static void f2_10_else_the_full_main_is_surplus_whatever_the_limit(void **state)
{
	(void)state;
	installed_at("m4 s4 r-", 0, "m1 s4 r- f1 e0", INSTALLED ", barn_put 1");
	installed_at("m4 s4 r-", 10, "m1 s4 r- f11 e0",
		     INSTALLED ", barn_put 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(f1_it_is_pushed_on_main),
		lab_test(f1_a_remote_object_goes_to_its_slab),
		lab_test(f1_a_reserve_object_goes_to_its_slab),
		lab_test(f1_a_busy_cpu_goes_to_the_slab),
		lab_test(f2_01_a_cache_without_sheaves_fails),
		lab_test(f2_02_without_a_barn_it_fails_uncounted),
		lab_test(f2_03_the_full_main_becomes_the_missing_spare),
		lab_test(f2_03b_without_an_empty_one_a_container_is_made),
		lab_test(f2_04_a_spare_with_room_becomes_main),
		lab_test(f2_05_the_full_main_is_exchanged_for_an_empty_one),
		lab_test(f2_05_the_limit_is_not_looked_at_again),
		lab_test(f2_05_the_peek_at_empties_is_repeated),
		lab_test(f2_06_above_the_limit_the_spare_is_flushed),
		lab_test(
			f2_06b_without_empties_a_container_and_the_main_is_surplus),
		lab_test(f2_07_who_may_not_wait_gives_up),
		lab_test(f2_08_without_a_container_main_is_flushed),
		lab_test(f2_08_when_nothing_can_be_flushed_the_slab_takes_it),
		lab_test(f2_08b_busy_after_the_flush_the_slab_takes_it),
		lab_test(f2_08b_a_main_that_is_full_again_starts_over),
		lab_test(f2_09_busy_with_an_empty_one_in_hand_the_barn_gets_it),
		lab_test(f2_10_main_becomes_the_missing_spare),
		lab_test(f2_10_a_main_with_room_needs_no_empty_one),
		lab_test(f2_10_nor_does_a_spare_with_room),
		lab_test(
			f2_10_else_the_full_main_is_surplus_whatever_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

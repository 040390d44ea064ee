/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/lent.c - sheaves that users borrow (3.16, 3.15): where they
 * come from, that they never fail later, where they go, bad handles
 */
#include "../sheaves.h"

static struct kmem_cache *shaped(const char *shape)
{
	struct kmem_cache *s = few();

	slab_cache_set_min_partial(s, 100);
	arrange(s, shape);
	return s;
}

static struct slab_sheaf *borrow(struct kmem_cache *s, unsigned int n)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, n);

	assert_non_null(sheaf);
	assert_true(kmem_cache_sheaf_size(sheaf) >= n);
	assert_int_equal(sheaf->place, SHEAF_LENT);
	return sheaf;
}

/* ---- prefill ---- */
static void p_the_spare_is_taken_first(void **state)
{
	struct kmem_cache *s = shaped("m2 s3 r- f1 e1");
	struct slab_sheaf *spare = pcs_of(s, 0)->spare;

	(void)state;
	assert_ptr_equal(borrow(s, 3), spare);
	became(s, 0, "m2 s- r- f1 e1", "sheaf_prefill_fast 1");
	assert_int_equal(kmem_cache_sheaf_size(spare), 3);
}

static void p_a_spare_with_too_few_is_filled(void **state)
{
	struct kmem_cache *s = shaped("m2 s1 r- f1 e1");

	(void)state;
	assert_int_equal(kmem_cache_sheaf_size(borrow(s, 2)), FEW);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_PREFILL_FAST), 1);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_REFILL), 3);
	assert_string_equal(shape_of(s, 0), "m2 s- r- f1 e1");
	intact(s);
}

static void p_else_a_full_one_of_the_barn(void **state)
{
	struct kmem_cache *s = shaped("m2 s- r- f1 e1");

	(void)state;
	assert_int_equal(kmem_cache_sheaf_size(borrow(s, 1)), FEW);
	became(s, 0, "m2 s- r- f0 e1", "barn_get 1, sheaf_prefill_slow 1");
}

static void p_else_an_empty_one_which_counts_as_none(void **state)
{
	struct kmem_cache *s = shaped("m2 s- r- f0 e1");

	(void)state;
	borrow(s, 4);
	assert_string_equal(shape_of(s, 0), "m2 s- r- f0 e0");
	assert_int_equal(stat_sum(s, SLAB_STAT_BARN_GET_FAIL), 1);
	assert_int_equal(stat_sum(s, SLAB_STAT_BARN_GET), 0);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_REFILL), 4);
	intact(s);
}

static void p_else_a_new_one(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");

	(void)state;
	borrow(s, 1);
	became(s, 0, "m0 s- r- f0 e0",
	       "alloc_slab 1, sheaf_refill 4, sheaf_alloc 1, barn_get_fail 1, "
	       "sheaf_prefill_slow 1");
}

static void p_without_a_barn_nothing_is_counted_for_it(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f1 e1");
	struct node_barn *barn = s->node[0]->barn;
	unsigned long fails = stat_sum(s, SLAB_STAT_BARN_GET_FAIL);

	(void)state;
	s->node[0]->barn = NULL;
	borrow(s, 1);
	s->node[0]->barn = barn;
	assert_int_equal(stat_sum(s, SLAB_STAT_BARN_GET_FAIL), fails);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_PREFILL_SLOW), 1);
	intact(s);
}

static unsigned int waited;

static void holder_goes_on(void *lock, const void *wanted)
{
	waited++;
	if (lock == wanted)
		other_releases(lock);
}

static void p_it_waits_for_a_busy_cpu(void **state)
{
	struct kmem_cache *s = shaped("m2 s3 r- f0 e0");
	struct slab_lock *lock = &pcs_of(s, 0)->lock;
	struct slab_sheaf *sheaf;

	(void)state;
	waited = 0;
	slab_machine_set_wait_hook(lab.m, holder_goes_on, lock);
	other_takes(lock);
	sheaf = borrow(s, 1);
	assert_int_equal(waited, 1);
	other_takes(lock);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	slab_machine_set_wait_hook(lab.m, NULL, NULL);
	assert_int_equal(waited, 2);
	became(s, 0, "m2 s3 r- f0 e0",
	       "sheaf_prefill_fast 1, sheaf_return_fast 1");
}

static void p_without_pages_nothing_is_lost(void **state)
{
	struct kmem_cache *s = few();
	unsigned int i;

	(void)state;
	slab_cache_set_min_partial(s, 100);
	arrange(s, "m0 s- r- f0 e0");
	for (i = 0; i < FEW_IN_SLAB - 2; i++)
		slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	pages_left(0);
	stats_mark(s);
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 3));
	assert_int_equal(errno, ENOMEM);
	became(s, FEW_IN_SLAB - 2, "m0 s- r- f0 e0",
	       "free_add_partial 1, sheaf_flush 2, sheaf_refill 2, sheaf_alloc "
	       "1, sheaf_free 1, barn_get_fail 1, sheaf_prefill_slow 1");
	/* the container may fail, too */
	fail_nth(1);
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1));
	intact(s);
}

static void p_impossible_numbers_are_einval(void **state)
{
	struct kmem_cache *s = few();

	(void)state;
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(
		kmem_cache_prefill_sheaf(s, GFP_KERNEL, SLAB_SHEAF_MAX + 1));
	assert_int_equal(errno, EINVAL);
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1U << 31));
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, ~0U));
}

/* ---- oversize ---- */
static void o_more_than_a_sheaf_holds_is_made_for_it(void **state)
{
	struct kmem_cache *s = shaped("m2 s4 r- f1 e1");
	struct slab_sheaf *sheaf = borrow(s, 9);

	(void)state;
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 9);
	assert_string_equal(shape_of(s, 0), "m2 s4 r- f1 e1");
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_PREFILL_OVERSIZE), 1);
	assert_int_equal(stat_sum(s, SLAB_STAT_ALLOC_SLOWPATH), 9);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_PREFILL_FAST), 0);
	assert_null(cache_check_users(s, 0));
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf), 0);
	/* it meets neither CPU nor barn */
	assert_string_equal(shape_of(s, 0), "m2 s4 r- f1 e1");
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_FLUSH) -
				 marked[SLAB_STAT_SHEAF_FLUSH],
			 9);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_RETURN_FAST), 0);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_RETURN_SLOW), 0);
	assert_null(cache_check_users(s, 0));
}

static void o_caches_without_sheaves_lend_too(void **state)
{
	static const slab_flags_t flags[] = { NO_SHEAVES, SLAB_POISON,
					      SLAB_DEBUG_DEFAULT_FLAGS };
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct kmem_cache *s = cache(64, flags[i] | SLAB_NO_MERGE);
		struct slab_sheaf *sheaf = borrow(s, 5);
		void *p[5];

		for (k = 0; k < 5; k++) {
			p[k] = kmem_cache_alloc_from_sheaf(s, 0, sheaf);
			assert_non_null(p[k]);
		}
		assert_int_equal(kmem_cache_return_sheaf(s, 0, sheaf), 0);
		for (k = 0; k < 5; k++)
			kmem_cache_free(s, p[k]);
		assert_int_equal(kmem_cache_destroy(s), 0);
	}
	assert_string_equal(lab_said(), "");
}

static void o_all_or_nothing(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	size_t before = lab.m->meta.used;

	(void)state;
	pages_left(8);
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 9));
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_PREFILL_OVERSIZE), 1);
	assert_int_equal(stat_sum(s, SLAB_STAT_ALLOC_SLOWPATH), 0);
	assert_null(cache_check_users(s, 0));
	assert_int_equal(lab.m->meta.used, before);
	lab.m->meta.fail_after = 1;
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 5));
	assert_int_equal(errno, ENOMEM);
}

/* ---- alloc from it ---- */
static void a_it_never_fails_while_it_has_one(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf = borrow(s, 4);
	unsigned int i;

	(void)state;
	/* nothing can be had any more */
	fail_always(true);
	pages_left(0);
	stats_mark(s);
	for (i = 0; i < 4; i++) {
		assert_non_null(
			kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf));
		assert_int_equal(kmem_cache_sheaf_size(sheaf), 3 - i);
	}
	assert_null(kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf));
	assert_int_equal(errno, ENOSPC);
	/* no counter knows of it */
	assert_string_equal(stats_since(s), "");
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf), 0);
	fail_always(false);
	assert_null(cache_check_users(s, 4));
}

static void a_zero_and_the_constructor_count(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf;
	uint8_t *p;
	unsigned int i;

	(void)state;
	p = alloc(s);
	memset(p, 0x33, 4096);
	kmem_cache_free(s, p);
	arrange(s, "m0 s- r- f0 e0");
	sheaf = borrow(s, 4);
	for (i = 0; i < 4; i++) {
		p = kmem_cache_alloc_from_sheaf(s, __GFP_ZERO, sheaf);
		assert_int_equal(p[0], 0);
		assert_int_equal(p[2048], 0);
		assert_int_equal(p[4095], 0);
	}
}

/* ---- refill ---- */
static void r_enough_needs_nothing(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf = borrow(s, 2), *same = sheaf;

	(void)state;
	kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	stats_mark(s);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 3), 0);
	assert_ptr_equal(sheaf, same);
	assert_string_equal(stats_since(s), "");
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 0), 0);
}

static void r_an_ordinary_one_is_filled_whole(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf = borrow(s, 4), *same = sheaf;

	(void)state;
	kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 2), 0);
	assert_ptr_equal(sheaf, same);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 4);
	assert_null(cache_check_users(s, 3));
}

static void r_an_oversize_one_too_or_it_stays_as_it_was(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf = borrow(s, 9);
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++)
		kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	stats_mark(s);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 5), 0);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 9);
	assert_int_equal(stat_sum(s, SLAB_STAT_ALLOC_SLOWPATH) -
				 marked[SLAB_STAT_ALLOC_SLOWPATH],
			 5);
	for (i = 0; i < 9; i++)
		kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	pages_left(0);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 9),
			 -ENOMEM);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 0);
	assert_null(cache_check_users(s, 14));
}

static void r_beyond_its_capacity_it_becomes_another_one(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf = borrow(s, 3), *old = sheaf;

	(void)state;
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 11), 0);
	assert_ptr_not_equal(sheaf, old);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 11);
	assert_int_equal(kmem_cache_sheaf_size(old), 0);
	assert_ptr_equal(pcs_of(s, 0)->spare, old);
	assert_null(cache_check_users(s, 0));
	/* without memory the old one stays */
	pages_left(0);
	old = sheaf;
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 30),
			 -ENOMEM);
	assert_ptr_equal(sheaf, old);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 11);
	assert_null(cache_check_users(s, 0));
}

static void r_a_failure_takes_nothing_away(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf = borrow(s, 4);
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	while (s->node[0]->nr_partial)
		slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	pages_left(0);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 4),
			 -ENOMEM);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 1);
	assert_non_null(kmem_cache_alloc_from_sheaf(s, 0, sheaf));
	intact(s);
}

static void r_nothing_to_refill_is_einval(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *sheaf = borrow(s, 1), *none = NULL;

	(void)state;
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, NULL, 1),
			 -EINVAL);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &none, 1),
			 -EINVAL);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf,
						 SLAB_SHEAF_MAX + 1),
			 -EINVAL);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), FEW);
}

/* ---- return ---- */

/* One that has two left goes back into that shape. */
static struct kmem_cache *returned(const char *before, const char *after,
				   enum slab_stat_item counted)
{
	struct kmem_cache *s;
	struct slab_sheaf *sheaf;

	lab_reopen(&(struct slab_machine_config){ 0 });
	s = shaped("m0 s- r- f0 e0");
	sheaf = borrow(s, 4);
	kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	arrange(s, before);
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf), 0);
	assert_string_equal(shape_of(s, 0), after);
	assert_int_equal(stat_sum(s, counted), 1);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_RETURN_FAST) +
				 stat_sum(s, SLAB_STAT_SHEAF_RETURN_SLOW),
			 1);
	assert_null(cache_check_users(s, 2));
	return s;
}

static void b_it_becomes_the_missing_spare_as_it_is(void **state)
{
	(void)state;
	returned("m1 s- r- f0 e0", "m1 s2 r- f0 e0",
		 SLAB_STAT_SHEAF_RETURN_FAST);
}

static void b_else_the_barn_gets_it_filled(void **state)
{
	struct kmem_cache *s = returned("m1 s0 r- f9 e0", "m1 s0 r- f10 e0",
					SLAB_STAT_SHEAF_RETURN_SLOW);
	const struct slab_sheaf *sheaf;

	(void)state;
	list_for_each_entry(sheaf, &barn_of(s)->sheaves_full, list)
		assert_int_equal(sheaf->size, FEW);
}

static void b_else_it_is_flushed_and_freed(void **state)
{
	(void)state;
	returned("m1 s4 r- f10 e0", "m1 s4 r- f10 e0",
		 SLAB_STAT_SHEAF_RETURN_SLOW);
	/* the one that was lent, and before it the first main */
	assert_int_equal(lab.events[SLAB_EVENT_SHEAF_FREE], 3);
}

static void b_without_memory_to_fill_it_is_flushed(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf = borrow(s, 4);

	(void)state;
	kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	arrange(s, "m0 s4 r- f0 e0");
	while (s->node[0]->nr_partial)
		slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	pages_left(0);
	stats_mark(s);
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf), 0);
	assert_string_equal(shape_of(s, 0), "m0 s4 r- f0 e0");
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_FREE) -
				 marked[SLAB_STAT_SHEAF_FREE],
			 1);
	intact(s);
}

/* ---- 3.15: the emergency reserve ---- */

/* All pages are in use, and there is a reserve. */
static struct kmem_cache *in_need(void)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");

	slab_machine_set_page_limit(lab.m, 1);
	assert_non_null(slab_machine_alloc_pages(lab.m, 0));
	slab_machine_set_reserve(lab.m, 100);
	return s;
}

static void e_the_entitled_get_a_marked_sheaf(void **state)
{
	struct kmem_cache *s = in_need();
	struct slab_sheaf *sheaf;
	void *p;

	(void)state;
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 2));
	assert_null(kmem_cache_prefill_sheaf(
		s, GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOMEMALLOC, 2));
	sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL | __GFP_MEMALLOC, 2);
	assert_non_null(sheaf);
	assert_int_equal(sheaf->pfmemalloc, 1);
	p = kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	assert_true(slab_of(p)->flags & SL_PFMEMALLOC);
	/* it is flushed when it comes back, whatever is free */
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf), 0);
	assert_string_equal(shape_of(s, 0), "m0 s- r- f0 e0");
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_RETURN_FAST), 0);
	/* counted, as 7.1 does */
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_ALLOC) -
				 stat_sum(s, SLAB_STAT_SHEAF_FREE),
			 1);
	kmem_cache_free(s, p);
	assert_string_equal(shape_of(s, 0), "m0 s- r- f0 e0");
	assert_null(cache_check_users(s, 0));
}

static void e_with_memory_the_entitled_get_a_clean_one(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf;

	(void)state;
	slab_machine_set_reserve(lab.m, 100);
	slab_machine_set_memalloc(lab.m, true);
	sheaf = borrow(s, 2);
	assert_int_equal(sheaf->pfmemalloc, 0);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	assert_ptr_equal(pcs_of(s, 0)->spare, sheaf);
}

/* 7.0's own gap: the refill of a returned sheaf must not touch the reserve. */
static void e_p9_a_returned_sheaf_is_filled_without_it(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *sheaf = borrow(s, 4);

	(void)state;
	kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	arrange(s, "m0 s4 r- f0 e0");
	while (s->node[0]->nr_partial)
		slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	pages_left(0);
	slab_machine_set_reserve(lab.m, 100);
	assert_int_equal(
		kmem_cache_return_sheaf(s, GFP_KERNEL | __GFP_MEMALLOC, sheaf),
		0);
	assert_string_equal(shape_of(s, 0), "m0 s4 r- f0 e0");
	intact(s);
}

/* ---- bad handles ---- */
static void bad_handle(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	struct slab_sheaf *copy = sheaf;

	lab_forget();
	assert_null(kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf),
			 -EINVAL);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &copy, 1),
			 -EINVAL);
	assert_string_equal(lab_said(), "no sheaf that it lent; no sheaf that "
					"it lent; no sheaf that it lent");
}

static void handles_are_judged(void **state)
{
	struct kmem_cache *s = few(), *other = few();
	struct slab_sheaf *sheaf = borrow(s, 2), *large = borrow(s, 9);
	char here[64];

	(void)state;
	bad_handle(other, sheaf);
	bad_handle(other, large);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), FEW);
	bad_handle(s, pcs_of(s, 0)->main);
	bad_handle(s, (struct slab_sheaf *)here);
	bad_handle(s, (struct slab_sheaf *)((char *)sheaf + 8));
	bad_handle(s, alloc(s));
	/* twice */
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf), 0);
	bad_handle(s, sheaf);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 0);
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, large), 0);
	bad_handle(s, large);
	assert_int_equal(kmem_cache_sheaf_size(large), 0);
	assert_int_equal(kmem_cache_sheaf_size(NULL), 0);
	assert_int_equal(kmem_cache_sheaf_size((void *)here), 0);
	assert_null(cache_check_users(s, 1));
}

static void after_destroy_a_handle_is_dead(void **state)
{
	struct kmem_cache *s = few(), *other = few();
	struct slab_sheaf *sheaf = borrow(s, 2);

	(void)state;
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	assert_int_equal(kmem_cache_destroy(s), 0);
	bad_handle(other, sheaf);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(p_the_spare_is_taken_first),
		lab_test(p_a_spare_with_too_few_is_filled),
		lab_test(p_else_a_full_one_of_the_barn),
		lab_test(p_else_an_empty_one_which_counts_as_none),
		lab_test(p_else_a_new_one),
		lab_test(p_without_a_barn_nothing_is_counted_for_it),
		lab_test(p_it_waits_for_a_busy_cpu),
		lab_test(p_without_pages_nothing_is_lost),
		lab_test(p_impossible_numbers_are_einval),
		lab_test(o_more_than_a_sheaf_holds_is_made_for_it),
		lab_test(o_caches_without_sheaves_lend_too),
		lab_test(o_all_or_nothing),
		lab_test(a_it_never_fails_while_it_has_one),
		lab_test(a_zero_and_the_constructor_count),
		lab_test(r_enough_needs_nothing),
		lab_test(r_an_ordinary_one_is_filled_whole),
		lab_test(r_an_oversize_one_too_or_it_stays_as_it_was),
		lab_test(r_beyond_its_capacity_it_becomes_another_one),
		lab_test(r_a_failure_takes_nothing_away),
		lab_test(r_nothing_to_refill_is_einval),
		lab_test(b_it_becomes_the_missing_spare_as_it_is),
		lab_test(b_else_the_barn_gets_it_filled),
		lab_test(b_else_it_is_flushed_and_freed),
		lab_test(b_without_memory_to_fill_it_is_flushed),
		lab_test(e_the_entitled_get_a_marked_sheaf),
		lab_test(e_with_memory_the_entitled_get_a_clean_one),
		lab_test(e_p9_a_returned_sheaf_is_filled_without_it),
		lab_test(handles_are_judged),
		lab_test(after_destroy_a_handle_is_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

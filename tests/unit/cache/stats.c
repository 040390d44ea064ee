/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/stats.c - each item of stat_items.def: what counts it and
 * what does not (spec: stats.md); that the sums agree: sums.c
 */
#include "../sheaves.h"

static struct kmem_cache *shaped(const char *shape)
{
	struct kmem_cache *s = few();

	slab_cache_set_min_partial(s, 100);
	arrange(s, shape);
	return s;
}

/* Since the last question, by so many. */
static void counts(struct kmem_cache *s, enum slab_stat_item item, long wanted)
{
	long found = (long)(stat_sum(s, item) - marked[item]);

	if (found != wanted)
		fail_msg("%s: %ld, wanted %ld", slab_stat_name(item), found,
			 wanted);
	stats_mark(s);
}

#define COUNTS(item, wanted) counts(s, SLAB_STAT_##item, wanted)

static void stat_alloc_fastpath_objects_from_sheaves(void **state)
{
	struct kmem_cache *s = shaped("m4 s4 r- f0 e0");
	struct slab_sheaf *lent;
	void *p[8];

	(void)state;
	alloc(s);
	COUNTS(ALLOC_FASTPATH, 1);
	kmem_cache_alloc_bulk(s, GFP_KERNEL, 5, p);
	COUNTS(ALLOC_FASTPATH, 5);
	/* not of a sheaf that was lent */
	lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 2);
	kmem_cache_alloc_from_sheaf(s, 0, lent);
	COUNTS(ALLOC_FASTPATH, 0);
}

static void stat_alloc_slowpath_once_a_call_even_if_it_fails(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	void *p[4];

	(void)state;
	kmem_cache_alloc(s, 0);
	COUNTS(ALLOC_SLOWPATH, 1);
	kmem_cache_alloc_bulk(s, GFP_KERNEL, 3, p);
	COUNTS(ALLOC_SLOWPATH, 3);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 9);
	COUNTS(ALLOC_SLOWPATH, 9);
	/* not refills */
	alloc(s);
	COUNTS(ALLOC_SLOWPATH, 0);
	arrange(s, "m0 s- r- f0 e0");
	pages_left(0);
	while (kmem_cache_alloc(s, GFP_KERNEL))
		;
	stats_mark(s);
	assert_null(kmem_cache_alloc_node(s, GFP_KERNEL, 0));
	COUNTS(ALLOC_SLOWPATH, 1);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 3, p), 0);
	COUNTS(ALLOC_SLOWPATH, 0);
}

static void stat_free_rcu_sheaf_objects_that_rcu_free_took(void **state)
{
	struct kmem_cache *s = shaped("m4 s- r- f0 e0");

	(void)state;
	slab_kfree_rcu(alloc(s));
	slab_kfree_rcu(alloc(s));
	COUNTS(FREE_RCU_SHEAF, 2);
}

static void stat_free_rcu_sheaf_fail_each_time_it_could_not(void **state)
{
	struct kmem_cache *s;

	(void)state;
	numa();
	s = shaped("m4 s- r- f0 e0");
	fail_nth(1);
	slab_kfree_rcu(kmem_cache_alloc_node(s, GFP_NOWAIT | __GFP_NOFAIL, 0));
	COUNTS(FREE_RCU_SHEAF_FAIL, 1);
	/* not what was not even tried */
	slab_kfree_rcu(kmem_cache_alloc_node(s, GFP_KERNEL, 1));
	COUNTS(FREE_RCU_SHEAF_FAIL, 0);
}

static void stat_free_fastpath_objects_to_sheaves(void **state)
{
	struct kmem_cache *s = shaped("m4 s4 r- f0 e0");
	void *p[6];

	(void)state;
	kmem_cache_alloc_bulk(s, GFP_KERNEL, 6, p);
	kmem_cache_free(s, p[5]);
	COUNTS(FREE_FASTPATH, 1);
	kmem_cache_free_bulk(s, 5, p);
	COUNTS(FREE_FASTPATH, 5);
}

static void stat_free_slowpath_objects_to_slabs(void **state)
{
	struct kmem_cache *s, *plain;
	void *p[4];

	(void)state;
	numa();
	s = shaped("m0 s- r- f0 e0");
	kmem_cache_free(s, kmem_cache_alloc_node(s, GFP_KERNEL, 1));
	COUNTS(FREE_SLOWPATH, 1);
	p[0] = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	p[1] = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	p[2] = alloc(s);
	kmem_cache_free_bulk(s, 3, p);
	COUNTS(FREE_SLOWPATH, 2);
	/* not flushes, nor what a bulk call gives back */
	arrange(s, "m4 s4 r- f1 e0");
	kmem_cache_shrink(s);
	COUNTS(FREE_SLOWPATH, 0);
	plain = cache(64, NO_SHEAVES);
	kmem_cache_alloc_bulk(plain, GFP_KERNEL, 4, p);
	stats_mark(plain);
	kmem_cache_free_bulk(plain, 4, p);
	counts(plain, SLAB_STAT_FREE_SLOWPATH, 4);
}

static void stat_free_add_partial_full_slabs_that_a_free_listed(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	void *p[FEW_IN_SLAB + 1];
	unsigned int i;

	(void)state;
	stats_mark(s);
	/* not new ones (T2) */
	for (i = 0; i < FEW_IN_SLAB + 1; i++)
		p[i] = alloc(s);
	COUNTS(FREE_ADD_PARTIAL, 0);
	kmem_cache_free(s, p[0]);
	COUNTS(FREE_ADD_PARTIAL, 1);
	kmem_cache_free(s, p[1]);
	COUNTS(FREE_ADD_PARTIAL, 0);
}

static void
stat_free_remove_partial_emptied_slabs_that_a_free_took_off(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	void *p[2] = { alloc(s), alloc(s) };

	(void)state;
	slab_cache_set_min_partial(s, 0);
	stats_mark(s);
	kmem_cache_free(s, p[0]);
	COUNTS(FREE_REMOVE_PARTIAL, 0);
	kmem_cache_free(s, p[1]);
	COUNTS(FREE_REMOVE_PARTIAL, 1);
	/* not what a shrink takes */
	slab_cache_set_min_partial(s, 5);
	kmem_cache_free(s, alloc(s));
	kmem_cache_shrink(s);
	COUNTS(FREE_REMOVE_PARTIAL, 0);
}

static void stat_alloc_slab_slabs_also_those_that_went_at_once(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);

	(void)state;
	stats_mark(s);
	alloc(s);
	COUNTS(ALLOC_SLAB, 1);
	alloc(s);
	COUNTS(ALLOC_SLAB, 0);
	s = shaped("m0 s- r- f0 e0");
	other_takes(&s->node[0]->list_lock);
	/* T3 */
	assert_null(kmem_cache_alloc(s, 0));
	other_releases(&s->node[0]->list_lock);
	COUNTS(ALLOC_SLAB, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 3 * FEW_IN_SLAB);
	COUNTS(ALLOC_SLAB, 3);
}

static void stat_alloc_node_mismatch_requests_for_another_node(void **state)
{
	struct kmem_cache *s;

	(void)state;
	numa();
	s = shaped("m4 s- r- f0 e0");
	kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	COUNTS(ALLOC_NODE_MISMATCH, 1);
	kmem_cache_alloc_node(s, GFP_KERNEL, 0);
	alloc(s);
	COUNTS(ALLOC_NODE_MISMATCH, 0);
	/* the top of main is remote */
	pcs_of(s, 0)->main->objects[pcs_of(s, 0)->main->size++] =
		slow_alloc(s, GFP_KERNEL, 1, 4096);
	kmem_cache_alloc_node(s, GFP_KERNEL, 0);
	COUNTS(ALLOC_NODE_MISMATCH, 1);
}

static void stat_free_slab_slabs_that_a_free_gave_back(void **state)
{
	struct kmem_cache *s = cache(20000, NO_SHEAVES);
	void *p = alloc(s);

	(void)state;
	slab_cache_set_min_partial(s, 0);
	stats_mark(s);
	kmem_cache_free(s, p);
	COUNTS(FREE_SLAB, 1);
	/* not what a shrink gives back */
	slab_cache_set_min_partial(s, 5);
	kmem_cache_free(s, alloc(s));
	kmem_cache_shrink(s);
	COUNTS(FREE_SLAB, 0);
}

static void stat_order_fallback_slabs_of_the_minimum_order(void **state)
{
	struct kmem_cache *s = cache(1024, NO_SHEAVES);

	(void)state;
	stats_mark(s);
	pages_left(1);
	alloc(s);
	COUNTS(ORDER_FALLBACK, 1);
	while (kmem_cache_alloc(s, GFP_NOWAIT))
		;
	/* not when both fail */
	COUNTS(ORDER_FALLBACK, 0);
}

struct race {
	struct kmem_cache *s;
	void *p;
};

static void free_it(void *arg)
{
	struct race *race = arg;

	kmem_cache_free(race->s, race->p);
}

static void stat_cmpxchg_double_fail_exchanges_that_are_repeated(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	struct race race = { s, alloc(s) };
	void *p = alloc(s);

	(void)state;
	alloc(s);
	stats_mark(s);
	at(SLAB_POINT_FREELIST_READ, 1, free_it, &race);
	kmem_cache_free(s, p);
	at_end();
	COUNTS(CMPXCHG_DOUBLE_FAIL, 1);
	/* the other way to exchange them counts, too */
	s->flags &= ~SLAB_CMPXCHG_DOUBLE;
	race.p = alloc(s);
	p = alloc(s);
	at(SLAB_POINT_FREELIST_READ, 1, free_it, &race);
	kmem_cache_free(s, p);
	at_end();
	COUNTS(CMPXCHG_DOUBLE_FAIL, 1);
	intact(s);
}

static void stat_sheaf_flush_objects(void **state)
{
	struct kmem_cache *s = shaped("m3 s4 r- f0 e1");

	(void)state;
	flush_this_cpu(s);
	COUNTS(SHEAF_FLUSH, 7);
	flush_barn(s, 0);
	COUNTS(SHEAF_FLUSH, 0);
}

static void stat_sheaf_refill_objects(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");

	(void)state;
	alloc(s);
	COUNTS(SHEAF_REFILL, 4);
	/* not oversize ones */
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 9);
	COUNTS(SHEAF_REFILL, 0);
}

static void stat_sheaf_alloc_containers(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 3 });
	s = few();
	/* a main for each CPU */
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_ALLOC), 3);
	stats_mark(s);
	alloc(s);
	COUNTS(SHEAF_ALLOC, 1);
	/* not oversize ones */
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 9);
	COUNTS(SHEAF_ALLOC, 0);
}

static void stat_sheaf_free_containers(void **state)
{
	struct kmem_cache *s = shaped("m0 s1 r- f1 e1");
	struct slab_sheaf *lent;

	(void)state;
	/* spare, and those of the barn; main stays */
	kmem_cache_shrink(s);
	COUNTS(SHEAF_FREE, 3);
	lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 9);
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent);
	COUNTS(SHEAF_FREE, 0);
}

static void stat_barn_get_full_sheaves(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f3 e0");
	void *p[8];

	(void)state;
	alloc(s);
	COUNTS(BARN_GET, 1);
	kmem_cache_alloc_bulk(s, GFP_KERNEL, 7, p);
	COUNTS(BARN_GET, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(BARN_GET, 1);
	/* an empty one is no full one */
	arrange_barn(s, 0, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(BARN_GET, 0);
}

static void stat_barn_get_fail_no_full_sheaf(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e1");
	struct node_barn *barn = s->node[0]->barn;
	void *p[8];

	(void)state;
	kmem_cache_alloc(s, 0);
	COUNTS(BARN_GET_FAIL, 1);
	kmem_cache_alloc_bulk(s, GFP_KERNEL, 1, p);
	COUNTS(BARN_GET_FAIL, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(BARN_GET_FAIL, 1);
	/* no barn is nothing */
	s->node[0]->barn = NULL;
	kmem_cache_alloc(s, 0);
	COUNTS(BARN_GET_FAIL, 0);
	s->node[0]->barn = barn;
}

static void stat_barn_put_full_sheaves(void **state)
{
	struct kmem_cache *s = few();
	void *p[3] = { alloc(s), alloc(s), alloc(s) };
	struct slab_sheaf *lent;
	unsigned int i;

	(void)state;
	arrange(s, "m4 s4 r- f0 e1");
	kmem_cache_free(s, p[0]);
	COUNTS(BARN_PUT, 1);
	arrange(s, "m4 s4 r- f0 e1");
	kmem_cache_free_bulk(s, 2, p + 1);
	COUNTS(BARN_PUT, 1);
	lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	arrange(s, "m4 s4 r- f0 e0");
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent);
	COUNTS(BARN_PUT, 1);
	for (i = 0; i < FEW; i++)
		slab_kfree_rcu(alloc(s));
	slab_machine_rcu_tick(lab.m);
	COUNTS(BARN_PUT, 1);
}

static void stat_barn_put_fail_puts_that_it_refused(void **state)
{
	struct kmem_cache *s = few();
	void *p[4] = { alloc(s), alloc(s), alloc(s), alloc(s) };

	(void)state;
	arrange(s, "m4 s4 r- f10 e1");
	kmem_cache_free(s, p[0]);
	COUNTS(BARN_PUT_FAIL, 1);
	arrange(s, "m4 s4 r- f10 e1");
	kmem_cache_free_bulk(s, 1, p + 1);
	COUNTS(BARN_PUT_FAIL, 1);
	/* who may not wait has not failed to put */
	arrange(s, "m4 s4 r- f10 e1");
	assert_false(free_to_pcs(s, p[2], false));
	COUNTS(BARN_PUT_FAIL, 0);
	/* nor who got a container after all */
	arrange(s, "m4 s4 r- f0 e0");
	kmem_cache_free(s, p[3]);
	COUNTS(BARN_PUT_FAIL, 0);
}

static void stat_sheaf_prefill_fast_of_the_spare(void **state)
{
	struct kmem_cache *s = shaped("m0 s1 r- f1 e0");

	(void)state;
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(SHEAF_PREFILL_FAST, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(SHEAF_PREFILL_FAST, 0);
}

static void stat_sheaf_prefill_slow_without_a_spare(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f1 e0");

	(void)state;
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(SHEAF_PREFILL_SLOW, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, FEW);
	COUNTS(SHEAF_PREFILL_SLOW, 1);
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 0));
	COUNTS(SHEAF_PREFILL_SLOW, 0);
}

static void stat_sheaf_prefill_oversize_more_than_a_sheaf(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");

	(void)state;
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, FEW);
	COUNTS(SHEAF_PREFILL_OVERSIZE, 0);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, FEW + 1);
	COUNTS(SHEAF_PREFILL_OVERSIZE, 1);
	/* before it is filled */
	pages_left(0);
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 100));
	COUNTS(SHEAF_PREFILL_OVERSIZE, 1);
}

/* Returned into that shape. */
static struct kmem_cache *returned(const char *shape, unsigned int n)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, n);

	arrange(s, shape);
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent);
	return s;
}

static void stat_sheaf_return_fast_became_the_spare(void **state)
{
	(void)state;
	counts(returned("m0 s- r- f0 e0", 1), SLAB_STAT_SHEAF_RETURN_FAST, 1);
	counts(returned("m0 s0 r- f0 e0", 1), SLAB_STAT_SHEAF_RETURN_FAST, 0);
	counts(returned("m0 s- r- f0 e0", FEW + 1), SLAB_STAT_SHEAF_RETURN_FAST,
	       0);
}

static void stat_sheaf_return_slow_could_not(void **state)
{
	(void)state;
	counts(returned("m0 s0 r- f0 e0", 1), SLAB_STAT_SHEAF_RETURN_SLOW, 1);
	counts(returned("m0 s0 r- f10 e0", 1), SLAB_STAT_SHEAF_RETURN_SLOW, 1);
	counts(returned("m0 s- r- f0 e0", 1), SLAB_STAT_SHEAF_RETURN_SLOW, 0);
	counts(returned("m0 s0 r- f0 e0", FEW + 1), SLAB_STAT_SHEAF_RETURN_SLOW,
	       0);
}

static void each_item_is_counted_on_the_cpu_where_it_happens(void **state)
{
	struct kmem_cache *s;
	unsigned int i;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = few();
	for (i = 0; i < SLAB_NR_STATS; i++)
		slab_cache_clear_stat(s, i);
	slab_machine_set_cpu(lab.m, 1);
	alloc(s);
	for (i = 0; i < SLAB_NR_STATS; i++)
		assert_int_equal(s->stats[0][i], 0);
	assert_int_equal(s->stats[1][SLAB_STAT_SHEAF_REFILL], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(stat_alloc_fastpath_objects_from_sheaves),
		lab_test(stat_alloc_slowpath_once_a_call_even_if_it_fails),
		lab_test(stat_free_rcu_sheaf_objects_that_rcu_free_took),
		lab_test(stat_free_rcu_sheaf_fail_each_time_it_could_not),
		lab_test(stat_free_fastpath_objects_to_sheaves),
		lab_test(stat_free_slowpath_objects_to_slabs),
		lab_test(stat_free_add_partial_full_slabs_that_a_free_listed),
		lab_test(
			stat_free_remove_partial_emptied_slabs_that_a_free_took_off),
		lab_test(stat_alloc_slab_slabs_also_those_that_went_at_once),
		lab_test(stat_alloc_node_mismatch_requests_for_another_node),
		lab_test(stat_free_slab_slabs_that_a_free_gave_back),
		lab_test(stat_order_fallback_slabs_of_the_minimum_order),
		lab_test(stat_cmpxchg_double_fail_exchanges_that_are_repeated),
		lab_test(stat_sheaf_flush_objects),
		lab_test(stat_sheaf_refill_objects),
		lab_test(stat_sheaf_alloc_containers),
		lab_test(stat_sheaf_free_containers),
		lab_test(stat_barn_get_full_sheaves),
		lab_test(stat_barn_get_fail_no_full_sheaf),
		lab_test(stat_barn_put_full_sheaves),
		lab_test(stat_barn_put_fail_puts_that_it_refused),
		lab_test(stat_sheaf_prefill_fast_of_the_spare),
		lab_test(stat_sheaf_prefill_slow_without_a_spare),
		lab_test(stat_sheaf_prefill_oversize_more_than_a_sheaf),
		lab_test(stat_sheaf_return_fast_became_the_spare),
		lab_test(stat_sheaf_return_slow_could_not),
		lab_test(each_item_is_counted_on_the_cpu_where_it_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

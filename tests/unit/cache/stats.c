/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/stats.c - each item of stat_items.def: what counts it and
 * what does not (spec: stats.md); and that the sums agree (invariants.md 7.4)
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

static void stat_free_remove_partial_emptied_slabs_that_a_free_took_off(void **state)
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

static void stat_sheaf_alloc_and_free_containers(void **state)
{
	struct kmem_cache *s;
	struct slab_sheaf *lent;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 3 });
	s = few();
	/* a main for each CPU */
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_ALLOC), 3);
	stats_mark(s);
	alloc(s);
	COUNTS(SHEAF_ALLOC, 1);
	kmem_cache_shrink(s);
	COUNTS(SHEAF_FREE, 1);
	lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 9);
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent);
	COUNTS(SHEAF_ALLOC, 0);
	COUNTS(SHEAF_FREE, 0);
}

static void stat_barn_get_and_fail_full_sheaves(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f3 e0");
	struct node_barn *barn = s->node[0]->barn;
	void *p[8];

	(void)state;
	alloc(s);
	COUNTS(BARN_GET, 1);
	kmem_cache_alloc_bulk(s, GFP_KERNEL, 7, p);
	COUNTS(BARN_GET, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(BARN_GET, 1);
	kmem_cache_alloc(s, 0);
	COUNTS(BARN_GET_FAIL, 1);
	kmem_cache_alloc_bulk(s, GFP_KERNEL, 1, p);
	COUNTS(BARN_GET_FAIL, 1);
	/* an empty one is no full one */
	arrange_barn(s, 0, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(BARN_GET_FAIL, 1);
	/* and no barn is nothing */
	s->node[0]->barn = NULL;
	kmem_cache_alloc(s, 0);
	COUNTS(BARN_GET_FAIL, 0);
	s->node[0]->barn = barn;
}

static void stat_barn_put_and_fail_full_sheaves(void **state)
{
	struct kmem_cache *s = few();
	void *p[8];

	(void)state;
	kmem_cache_alloc_bulk(s, GFP_KERNEL, 8, p);
	arrange(s, "m4 s4 r- f0 e1");
	kmem_cache_free(s, p[0]);
	COUNTS(BARN_PUT, 1);
	arrange(s, "m4 s4 r- f0 e1");
	kmem_cache_free_bulk(s, 2, p + 1);
	COUNTS(BARN_PUT, 1);
	arrange(s, "m4 s4 r- f10 e1");
	kmem_cache_free(s, p[3]);
	COUNTS(BARN_PUT_FAIL, 1);
	arrange(s, "m4 s4 r- f10 e1");
	kmem_cache_free_bulk(s, 1, p + 4);
	COUNTS(BARN_PUT_FAIL, 1);
	/* who may not wait has not failed to put */
	arrange(s, "m4 s4 r- f10 e1");
	assert_false(free_to_pcs(s, p[5], false));
	COUNTS(BARN_PUT_FAIL, 0);
	/* nor who got a container after all */
	arrange(s, "m4 s4 r- f0 e0");
	kmem_cache_free(s, p[6]);
	COUNTS(BARN_PUT_FAIL, 0);
}

static void stat_sheaf_prefill_fast_slow_oversize(void **state)
{
	struct kmem_cache *s = shaped("m0 s1 r- f0 e0");

	(void)state;
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(SHEAF_PREFILL_FAST, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	COUNTS(SHEAF_PREFILL_SLOW, 1);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, FEW);
	COUNTS(SHEAF_PREFILL_OVERSIZE, 0);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, FEW + 1);
	COUNTS(SHEAF_PREFILL_OVERSIZE, 1);
	pages_left(0);
	/* before it is filled */
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 100));
	COUNTS(SHEAF_PREFILL_OVERSIZE, 1);
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 0));
	COUNTS(SHEAF_PREFILL_SLOW, 0);
}

static void stat_sheaf_return_fast_slow(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct slab_sheaf *lent[3] = {
		kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1),
		kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1),
		kmem_cache_prefill_sheaf(s, GFP_KERNEL, FEW + 1),
	};

	(void)state;
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent[0]);
	COUNTS(SHEAF_RETURN_FAST, 1);
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent[1]);
	COUNTS(SHEAF_RETURN_SLOW, 1);
	/* not oversize ones */
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent[2]);
	COUNTS(SHEAF_RETURN_SLOW, 0);
	COUNTS(SHEAF_RETURN_FAST, 0);
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

/* ---- 7.4: the sums agree ---- */
struct sums {
	unsigned long allocs, frees; /* of users */
	unsigned long popped, oversize; /* of lent sheaves */
	unsigned long thrown; /* slabs, T3 T10 T16 */
};

static unsigned long nr_containers, in_sheaves;

static void count_sheaf(const struct slab_sheaf *sheaf)
{
	if (!sheaf)
		return;
	nr_containers++;
	in_sheaves += sheaf->size;
}

static void count_all(struct kmem_cache *s)
{
	const struct slab_sheaf *sheaf;
	unsigned int i;

	nr_containers = in_sheaves = 0;
	for (i = 0; i < 4; i++) {
		count_sheaf(pcs_of(s, i)->main);
		count_sheaf(pcs_of(s, i)->spare);
		count_sheaf(pcs_of(s, i)->rcu_free);
	}
	for (i = 0; i < 2; i++) {
		list_for_each_entry(sheaf, &s->node[i]->barn->sheaves_full,
				    list)
			count_sheaf(sheaf);
		list_for_each_entry(sheaf, &s->node[i]->barn->sheaves_empty,
				    list)
			count_sheaf(sheaf);
	}
}

static void equal(const char *what, unsigned long found, unsigned long wanted)
{
	if (found != wanted)
		fail_msg("%s: %lu, wanted %lu", what, found, wanted);
}

#define SUM(item) stat_sum(s, SLAB_STAT_##item)

static void sums_agree(struct kmem_cache *s, const struct sums *sums)
{
	count_all(s);
	equal("containers", SUM(SHEAF_ALLOC) - SUM(SHEAF_FREE), nr_containers);
	equal("objects in sheaves",
	      SUM(SHEAF_REFILL) + SUM(FREE_FASTPATH) + SUM(FREE_RCU_SHEAF) +
		      sums->oversize - SUM(ALLOC_FASTPATH) - sums->popped -
		      SUM(SHEAF_FLUSH),
	      in_sheaves);
	equal("allocations",
	      SUM(ALLOC_FASTPATH) + SUM(ALLOC_SLOWPATH) + sums->popped -
		      sums->oversize,
	      sums->allocs);
	equal("frees",
	      SUM(FREE_FASTPATH) + SUM(FREE_SLOWPATH) + SUM(FREE_RCU_SHEAF),
	      sums->frees);
	equal("slabs",
	      SUM(ALLOC_SLAB) - SUM(FREE_SLAB) - sums->thrown,
	      s->node[0]->nr_slabs + s->node[1]->nr_slabs);
}

static void borrow_some(struct kmem_cache *s, struct random *r,
			struct sums *sums, void **p, unsigned int *nr)
{
	unsigned int n = 1 + (unsigned int)random_below(r, 2 * FEW), i;
	struct slab_sheaf *lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, n);

	if (n > FEW)
		sums->oversize += n;
	for (i = 0; i < n / 2; i++)
		p[(*nr)++] = kmem_cache_alloc_from_sheaf(s, 0, lent);
	sums->popped += n / 2;
	sums->allocs += n / 2;
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent);
}

/* One operation, on a CPU by chance. */
static void step(struct kmem_cache *s, struct random *r, struct sums *sums,
		 void **p, unsigned int *nr)
{
	unsigned int n = 1 + (unsigned int)random_below(r, 12), i;

	slab_machine_set_cpu(lab.m, (unsigned int)random_below(r, 4));
	switch (random_below(r, 9)) {
	case 0:
	case 1:
		p[(*nr)++] = kmem_cache_alloc_node(
			s, GFP_KERNEL, (int)random_below(r, 3) - 1);
		sums->allocs++;
		break;
	case 2:
		kmem_cache_alloc_bulk(s, GFP_KERNEL, n, p + *nr);
		*nr += n;
		sums->allocs += n;
		break;
	case 3:
	case 4:
		for (i = 0; i < n && *nr; i++, sums->frees++)
			kmem_cache_free(s, p[--*nr]);
		break;
	case 5:
		n = MIN(n, *nr);
		*nr -= n;
		kmem_cache_free_bulk(s, n, p + *nr);
		sums->frees += n;
		break;
	case 6:
		for (i = 0; i < n && *nr; i++, sums->frees++)
			slab_kfree_rcu(p[--*nr]);
		break;
	case 7:
		if (n < 3)
			kmem_cache_shrink(s);
		kvfree_rcu_barrier();
		break;
	default:
		borrow_some(s, r, sums, p, nr);
	}
}

static void note_discards(void *arg, const struct slab_event *event)
{
	unsigned long *discards = arg;

	*discards += event->kind == SLAB_EVENT_SLAB_DISCARD;
}

static void sums_agree_after_anything(void **state)
{
	static void *p[4096];
	unsigned int seed, i;

	(void)state;
	for (seed = 0; seed < 30; seed++) {
		struct random r = { seed };
		struct sums sums = { 0 };
		unsigned long discards = 0;
		struct kmem_cache *s;
		unsigned int nr = 0;

		numa();
		s = few();
		slab_machine_set_event_hook(lab.m, note_discards, &discards);
		for (i = 0; i < 400; i++) {
			step(s, &r, &sums, p, &nr);
			if (nr > 3000)
				break;
			if (i % 20)
				continue;
			kvfree_rcu_barrier();
			assert_null(cache_check_users(s, nr));
			sums.thrown = discards - SUM(FREE_SLAB);
			sums_agree(s, &sums);
		}
	}
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
		lab_test(stat_free_remove_partial_emptied_slabs_that_a_free_took_off),
		lab_test(stat_alloc_slab_slabs_also_those_that_went_at_once),
		lab_test(stat_alloc_node_mismatch_requests_for_another_node),
		lab_test(stat_free_slab_slabs_that_a_free_gave_back),
		lab_test(stat_order_fallback_slabs_of_the_minimum_order),
		lab_test(stat_cmpxchg_double_fail_exchanges_that_are_repeated),
		lab_test(stat_sheaf_flush_objects),
		lab_test(stat_sheaf_refill_objects),
		lab_test(stat_sheaf_alloc_and_free_containers),
		lab_test(stat_barn_get_and_fail_full_sheaves),
		lab_test(stat_barn_put_and_fail_full_sheaves),
		lab_test(stat_sheaf_prefill_fast_slow_oversize),
		lab_test(stat_sheaf_return_fast_slow),
		lab_test(each_item_is_counted_on_the_cpu_where_it_happens),
		lab_test(sums_agree_after_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

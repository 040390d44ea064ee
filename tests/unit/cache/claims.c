/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/claims.c - what SLUB's own description claims since sheaves,
 * by number; those of debug caches (14 to 17, 20, 27, 29): debug_states.c
 */
#include "../sheaves.h"

static struct kmem_cache *shaped(const char *shape)
{
	struct kmem_cache *s = few();

	slab_cache_set_min_partial(s, 100);
	arrange(s, shape);
	return s;
}

/* Points passed since count_points() that are neither this CPU's lock nor a
 * look ahead. */
static unsigned int paid(void)
{
	unsigned int i, sum = 0;

	at_end();
	for (i = 0; i < SLAB_NR_POINTS; i++)
		if (i != SLAB_POINT_PCS_TRYLOCK && i != SLAB_POINT_PCS_HELD &&
		    i != SLAB_POINT_PCS_UNLOCK)
			sum += passed[i];
	return sum;
}

static void claim_01_two_sheaves_of_this_cpu_serve_first(void **state)
{
	struct kmem_cache *s = shaped("m2 s4 r- f1 e1");
	void *p[6];
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++)
		p[i] = alloc(s);
	assert_string_equal(shape_of(s, 0), "m0 s0 r- f1 e1");
	for (i = 0; i < 6; i++)
		kmem_cache_free(s, p[i]);
	became(s, 0, "m2 s4 r- f1 e1", "alloc_fastpath 6, free_fastpath 6");
}

static void
claim_02_a_barn_balances_sheaves_between_cpus_of_a_node(void **state)
{
	struct kmem_cache *s;
	void *p[16];
	unsigned int i;

	(void)state;
	numa();
	s = few();
	slab_cache_set_min_partial(s, 100);
	for (i = 0; i < 16; i++)
		p[i] = alloc(s);
	arrange(s, "m0 s- r- f0 e3");
	/* what CPU 0 frees, CPU 2 of the same node gets, and CPU 1 does not */
	for (i = 0; i < 16; i++)
		kmem_cache_free(s, p[i]);
	assert_string_equal(shape_of(s, 0), "m4 s4 r- f2 e0");
	slab_machine_set_cpu(lab.m, 2);
	arrange_cpu(s, "m0 s- r-");
	assert_ptr_equal(alloc(s), p[11]);
	became(s, 1, "m3 s- r- f1 e1", "alloc_fastpath 1, barn_get 1");
	slab_machine_set_cpu(lab.m, 1);
	assert_int_equal(slab_of(alloc(s))->node, 1);
	assert_int_equal(s->node[0]->barn->nr_full, 1);
}

static void
claim_03_while_main_or_spare_serve_nothing_else_is_paid(void **state)
{
	struct kmem_cache *s = shaped("m2 s4 r- f0 e0");
	void *p[6];
	unsigned int i;

	(void)state;
	count_points();
	for (i = 0; i < 6; i++)
		p[i] = alloc(s);
	for (i = 0; i < 6; i++)
		kmem_cache_free(s, p[i]);
	assert_int_equal(paid(), 0);
	assert_int_equal(passed[SLAB_POINT_PCS_TRYLOCK], 12);
}

static void claim_04_a_failed_try_goes_to_the_slabs(void **state)
{
	struct kmem_cache *s = shaped("m2 s4 r- f1 e1");
	void *p;

	(void)state;
	other_takes(&pcs_of(s, 0)->lock);
	p = alloc(s);
	kmem_cache_free(s, p);
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 0, "m2 s4 r- f1 e1", "alloc_slowpath 1, free_slowpath 1");
}

static void claim_05_a_sheaf_at_hand_avoids_refill_and_flush(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f1 e0");
	void *p;

	(void)state;
	count_points();
	p = alloc(s);
	assert_int_equal(passed[SLAB_POINT_BARN_LOCK], 1);
	assert_int_equal(passed[SLAB_POINT_LIST_LOCK], 0);
	assert_int_equal(passed[SLAB_POINT_FREELIST_CMPXCHG], 0);
	at_end();
	arrange(s, "m4 s4 r- f0 e1");
	count_points();
	kmem_cache_free(s, p);
	assert_int_equal(passed[SLAB_POINT_BARN_LOCK], 1);
	assert_int_equal(passed[SLAB_POINT_LIST_LOCK], 0);
	assert_int_equal(passed[SLAB_POINT_FREELIST_CMPXCHG], 0);
	at_end();
}

static void claim_06_locks_have_their_order(void **state)
{
	(void)state;
	/* builds that check it (all of ours) assert each step */
	assert_true(LOCK_RANK_CPUS < LOCK_RANK_MUTEX);
	assert_true(LOCK_RANK_MUTEX < LOCK_RANK_FLUSH);
	assert_true(LOCK_RANK_FLUSH < LOCK_RANK_PCS);
	assert_true(LOCK_RANK_PCS < LOCK_RANK_BARN);
	assert_true(LOCK_RANK_BARN < LOCK_RANK_LIST);
	assert_true(LOCK_RANK_LIST < LOCK_RANK_SLAB);
}

static bool list_inside, barn_inside;

/* Events are said under the locks. */
static void look_at_locks(void *arg, const struct slab_event *event)
{
	struct kmem_cache *s = arg;
	bool pcs = lock_is_held(&pcs_of(s, 0)->lock);
	bool barn = lock_is_held(&s->node[0]->barn->lock);
	bool list = lock_is_held(&s->node[0]->list_lock);

	(void)event;
	list_inside |= list && (pcs || barn);
	barn_inside |= barn && pcs;
}

static void claim_06_three_of_them_stand_side_by_side(void **state)
{
	struct kmem_cache *s = few();
	void *p[40];
	unsigned int i;

	(void)state;
	arrange(s, "m0 s- r- f0 e4");
	list_inside = barn_inside = false;
	slab_machine_set_event_hook(lab.m, look_at_locks, s);
	for (i = 0; i < 40; i++)
		p[i] = alloc(s);
	for (i = 0; i < 40; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_shrink(s);
	slab_machine_set_event_hook(lab.m, NULL, NULL);
	/* a sheaf is traded under this CPU's lock; a list_lock stands alone */
	assert_true(barn_inside);
	assert_false(list_inside);
}

static bool mutex_seen;

static void look_at_mutex(void *m)
{
	mutex_seen = lock_is_held(&((struct slab_machine *)m)->slab_mutex);
}

static void claim_07_slab_mutex_guards_caches_and_their_list(void **state)
{
	struct kmem_cache *s;

	(void)state;
	at(SLAB_POINT_SHEAF_ALLOC, 1, look_at_mutex, lab.m);
	s = few();
	at_end();
	assert_true(mutex_seen);
	mutex_seen = false;
	alloc(s);
	count_points();
	kmem_cache_free(s, alloc(s));
	at_end();
	assert_int_equal(passed[SLAB_POINT_MUTEX_LOCK], 0);
	at(SLAB_POINT_BARN_LOCK, 1, look_at_mutex, lab.m);
	kmem_cache_destroy(s);
	at_end();
	assert_true(mutex_seen);
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

static void claim_08_freelist_and_counters_change_together(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct kmem_cache *s = cache(64, NO_SHEAVES);
		struct race race = { s, alloc(s) };
		void *p = alloc(s);
		struct slab *slab = slab_of(p);

		alloc(s);
		if (i) /* under slab_lock instead */
			s->flags &= ~SLAB_CMPXCHG_DOUBLE;
		/* somebody pushes between the look and the exchange */
		at(SLAB_POINT_FREELIST_CMPXCHG, 1, free_it, &race);
		kmem_cache_free(s, p);
		at_end();
		assert_int_equal(slab->inuse, 1);
		assert_ptr_equal(slab->freelist, p);
		assert_false(slab->flags & SL_LOCKED);
		assert_int_equal(stat_sum(s, SLAB_STAT_CMPXCHG_DOUBLE_FAIL), 1);
		intact(s);
	}
}

static void
claim_09_partial_slabs_are_marked_and_have_a_free_object(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slab;
	void *p[50];
	unsigned int i, nr = 0;

	(void)state;
	for (i = 0; i < 50; i++)
		p[i] = alloc(s);
	for (i = 0; i < 50; i += 3)
		kmem_cache_free(s, p[i]);
	kmem_cache_shrink(s);
	list_for_each_entry(slab, &s->node[0]->partial, slab_list) {
		nr++;
		assert_true(slab_is_partial(slab));
		assert_non_null(slab->freelist);
		assert_true(slab->inuse < slab->objects);
	}
	assert_true(nr > 3);
}

static void claim_10_some_may_be_wholly_free_up_to_a_limit(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	void *p[8 * FEW_IN_SLAB];
	unsigned int i;

	(void)state;
	slab_cache_set_min_partial(s, 3);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = alloc(s);
	/* one object of each first, so that all are listed */
	for (i = 0; i < ARRAY_SIZE(p); i += FEW_IN_SLAB)
		kmem_cache_free(s, p[i]);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		if (i % FEW_IN_SLAB)
			kmem_cache_free(s, p[i]);
	assert_int_equal(s->node[0]->nr_partial, 2);
	assert_int_equal(s->node[0]->nr_slabs, 2);
	intact(s);
}

static struct slab *isolated;
static bool seen_unmarked, seen_unlisted;

static void free_into_isolated(void *arg)
{
	struct race *race = arg;

	isolated = slab_of(race->p);
	seen_unmarked = !slab_is_partial(isolated);
	kmem_cache_free(race->s, race->p);
	seen_unlisted = list_empty(&race->s->node[0]->partial) &&
			!slab_is_partial(isolated);
}

static void
claim_11_a_slab_taken_off_the_list_is_nobodys_but_its_takers(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	struct race race = { s, alloc(s) };
	void *p[FEW];

	(void)state;
	/* even emptied it is left alone */
	at(SLAB_POINT_ISOLATED, 1, free_into_isolated, &race);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, FEW, p), FEW);
	at_end();
	assert_true(seen_unmarked);
	assert_true(seen_unlisted);
	assert_ptr_equal(slab_of(p[0]), isolated);
	intact(s);
}

static void claim_12_a_full_plain_slab_is_on_no_list(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	void *p[FEW_IN_SLAB];
	unsigned int i;

	(void)state;
	for (i = 0; i < FEW_IN_SLAB; i++)
		p[i] = alloc(s);
	assert_null(slab_of(p[0])->freelist);
	assert_int_equal(slab_of(p[0])->inuse, slab_of(p[0])->objects);
	assert_true(list_empty(&s->node[0]->partial));
	assert_true(list_empty(&s->node[0]->full));
	assert_true(slab_is_unlinked(slab_of(p[0])));
}

static void claim_13_the_first_free_to_it_lists_it(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	void *p[FEW_IN_SLAB];
	unsigned int i;

	(void)state;
	for (i = 0; i < FEW_IN_SLAB; i++)
		p[i] = alloc(s);
	kmem_cache_free(s, p[3]);
	assert_int_equal(s->node[0]->nr_partial, 1);
	assert_true(slab_is_partial(slab_of(p[3])));
	kmem_cache_free(s, p[4]);
	assert_int_equal(s->node[0]->nr_partial, 1);
	intact(s);
}

static unsigned long counted_unlocked;

static void note_unlocked_count(void *arg, enum slab_point_kind point)
{
	struct kmem_cache *s = arg;

	if (point == SLAB_POINT_NR_SLABS &&
	    !lock_is_held(&s->node[0]->list_lock))
		counted_unlocked++;
}

static void claim_18_slabs_are_counted_without_list_lock(void **state)
{
	struct kmem_cache *s = cache(20000, NO_SHEAVES);

	(void)state;
	slab_cache_set_min_partial(s, 0);
	counted_unlocked = 0;
	slab_machine_set_point_hook(lab.m, note_unlocked_count, s);
	kmem_cache_free(s, alloc(s));
	slab_machine_set_point_hook(lab.m, NULL, NULL);
	assert_int_equal(counted_unlocked, 2);
}

static void
claim_19_without_partial_slabs_no_central_lock_is_taken(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	void *p[2 * FEW_IN_SLAB];

	(void)state;
	count_points();
	/* whole slabs: nothing is left to be listed */
	kmem_cache_alloc_bulk(s, GFP_KERNEL, 2 * FEW_IN_SLAB, p);
	at_end();
	assert_int_equal(passed[SLAB_POINT_LIST_LOCK], 0);
	assert_int_equal(passed[SLAB_POINT_NR_PARTIAL_PEEK], 1);
}

static void claim_21_remote_objects_go_to_their_slabs(void **state)
{
	struct kmem_cache *s;
	void *p[4];
	unsigned int i;

	(void)state;
	numa();
	s = few();
	slab_machine_set_cpu(lab.m, 1);
	for (i = 0; i < 4; i++)
		p[i] = alloc(s);
	slab_machine_set_cpu(lab.m, 0);
	arrange(s, "m0 s- r- f0 e0");
	for (i = 0; i < 2; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_free_bulk(s, 2, p + 2);
	assert_string_equal(shape_of(s, 0), "m0 s- r- f0 e0");
	assert_int_equal(stat_sum(s, SLAB_STAT_FREE_SLOWPATH), 4);
}

static void claim_22_and_when_there_are_too_many_full_sheaves(void **state)
{
	struct kmem_cache *s = few();
	void *p = alloc(s);
	unsigned int inuse;

	(void)state;
	slab_cache_set_min_partial(s, 100);
	arrange(s, "m4 s4 r- f10 e9");
	inuse = (unsigned int)stat_sum(s, SLAB_STAT_SHEAF_FLUSH);
	kmem_cache_free(s, p);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_FLUSH) - inuse, FEW);
	assert_string_equal(shape_of(s, 0), "m1 s4 r- f10 e9");
}

static void claim_23_a_free_to_a_slab_is_one_exchange(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	void *p = alloc(s);

	(void)state;
	alloc(s);
	count_points();
	kmem_cache_free(s, p);
	assert_int_equal(passed[SLAB_POINT_FREELIST_CMPXCHG], 1);
	passed[SLAB_POINT_FREELIST_READ] = 0;
	passed[SLAB_POINT_FREELIST_CMPXCHG] = 0;
	passed[SLAB_POINT_FREELIST_DONE] = 0;
	assert_int_equal(paid(), 0);
}

/* list_locks taken by a free of one of `nr` objects of a slab that is full, or
 * not, with so many partial slabs beside it. */
static unsigned int locks_of_a_free(unsigned int nr, unsigned int others)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	void *p[FEW_IN_SLAB], *other[8 * FEW_IN_SLAB];
	unsigned int i;

	slab_cache_set_min_partial(s, 2);
	for (i = 0; i < FEW_IN_SLAB; i++)
		p[i] = alloc(s);
	for (i = 0; i < others * FEW_IN_SLAB; i++)
		other[i] = alloc(s);
	for (i = 0; i < others; i++)
		kmem_cache_free(s, other[i * FEW_IN_SLAB]);
	for (i = FEW_IN_SLAB; i > nr; i--)
		kmem_cache_free(s, p[i - 1]);
	count_points();
	kmem_cache_free(s, p[0]);
	at_end();
	intact(s);
	return passed[SLAB_POINT_LIST_LOCK];
}

static void
claim_24_list_lock_only_for_the_first_and_the_last_free(void **state)
{
	unsigned int others, nr;

	(void)state;
	/* however many partial slabs there are */
	for (others = 0; others < 8; others++)
		for (nr = 1; nr <= FEW_IN_SLAB; nr++) {
			unsigned int wanted = nr == 1 || nr == FEW_IN_SLAB;
			unsigned int found = locks_of_a_free(nr, others);

			if (found != wanted)
				fail_msg("%u in use, %u other slabs: %u locks, "
					 "wanted %u",
					 nr, others, found, wanted);
		}
}

static unsigned int wrongly_on;

static void note_irqs(void *arg, const struct slab_event *event)
{
	struct kmem_cache *s = arg;
	unsigned int i;

	lab_event(arg, event);
	for (i = 0; i < 2; i++)
		if ((lock_is_held(&s->node[i]->list_lock) ||
		     lock_is_held(&s->node[i]->barn->lock)) &&
		    !lab.m->irqs_off[lab.m->cpu])
			wrongly_on++;
}

static void claim_25_interrupts_are_off_under_list_and_barn_lock(void **state)
{
	struct kmem_cache *s;
	void *p[60];
	unsigned int i;

	(void)state;
	numa();
	s = few();
	wrongly_on = 0;
	slab_machine_set_event_hook(lab.m, note_irqs, s);
	for (i = 0; i < 60; i++)
		p[i] = alloc(s);
	for (i = 0; i < 60; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_shrink(s);
	slab_machine_set_event_hook(lab.m, NULL, NULL);
	assert_int_equal(wrongly_on, 0);
	/* list moves and barn exchanges were seen in between */
	assert_true(lab.events[SLAB_EVENT_LIST_ADD_PARTIAL] > 0);
	assert_true(lab.events[SLAB_EVENT_BARN_PUT] > 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(lab.m->irqs_off[i], 0);
}

static void *nolock_got;

static void in_interrupt(void *arg)
{
	(void)arg;
	nolock_got = kmalloc_nolock(64, 0, NUMA_NO_NODE);
}

static void interrupt(void *arg)
{
	slab_machine_interrupt(lab.m, in_interrupt, arg);
}

static void
claim_26_nolock_calls_work_in_any_context_within_limits(void **state)
{
	struct kmem_cache *s = slab_kmalloc_cache(lab.m, 64, GFP_KERNEL);
	void *p;

	(void)state;
	/* in the middle of an allocation of the same cache */
	at(SLAB_POINT_PCS_HELD, 1, interrupt, NULL);
	p = kmalloc(64, GFP_KERNEL);
	at_end();
	assert_non_null(nolock_got);
	assert_ptr_not_equal(nolock_got, p);
	kfree_nolock(nolock_got);
	/* no more than two pages, and no other flags */
	assert_null(kmalloc_nolock(3 * 4096, 0, NUMA_NO_NODE));
	assert_null(kmalloc_nolock(64, GFP_ATOMIC, NUMA_NO_NODE));
	kfree(p);
	assert_null(cache_check_users(s, 0));
}

static void claim_28_empty_slabs_are_freed(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	void *p[FEW_IN_SLAB];
	unsigned int i;

	(void)state;
	slab_cache_set_min_partial(s, 0);
	for (i = 0; i < FEW_IN_SLAB; i++)
		p[i] = alloc(s);
	assert_int_equal(slab_machine_pages_used(lab.m), 8);
	count_points();
	for (i = 0; i < FEW_IN_SLAB; i++)
		kmem_cache_free(s, p[i]);
	at_end();
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	/* the page allocator is asked once for each way */
	assert_int_equal(passed[SLAB_POINT_PAGES_FREE], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(claim_01_two_sheaves_of_this_cpu_serve_first),
		lab_test(
			claim_02_a_barn_balances_sheaves_between_cpus_of_a_node),
		lab_test(
			claim_03_while_main_or_spare_serve_nothing_else_is_paid),
		lab_test(claim_04_a_failed_try_goes_to_the_slabs),
		lab_test(claim_05_a_sheaf_at_hand_avoids_refill_and_flush),
		lab_test(claim_06_locks_have_their_order),
		lab_test(claim_06_three_of_them_stand_side_by_side),
		lab_test(claim_07_slab_mutex_guards_caches_and_their_list),
		lab_test(claim_08_freelist_and_counters_change_together),
		lab_test(
			claim_09_partial_slabs_are_marked_and_have_a_free_object),
		lab_test(claim_10_some_may_be_wholly_free_up_to_a_limit),
		lab_test(
			claim_11_a_slab_taken_off_the_list_is_nobodys_but_its_takers),
		lab_test(claim_12_a_full_plain_slab_is_on_no_list),
		lab_test(claim_13_the_first_free_to_it_lists_it),
		lab_test(claim_18_slabs_are_counted_without_list_lock),
		lab_test(
			claim_19_without_partial_slabs_no_central_lock_is_taken),
		lab_test(claim_21_remote_objects_go_to_their_slabs),
		lab_test(claim_22_and_when_there_are_too_many_full_sheaves),
		lab_test(claim_23_a_free_to_a_slab_is_one_exchange),
		lab_test(
			claim_24_list_lock_only_for_the_first_and_the_last_free),
		lab_test(claim_25_interrupts_are_off_under_list_and_barn_lock),
		lab_test(
			claim_26_nolock_calls_work_in_any_context_within_limits),
		lab_test(claim_28_empty_slabs_are_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

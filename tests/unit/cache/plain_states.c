/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/plain_states.c - the arrows T1 to T17 of slab-states.md 4.2:
 * from where to where, with which lock, counted how; some more: refill.c
 */
#include "../sheaves.h"

/* Eight objects in a slab, no sheaves. */
static struct kmem_cache *eights(unsigned long min_partial)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);

	slab_cache_set_min_partial(s, min_partial);
	stats_mark(s);
	return s;
}

/* A whole slab into p[0..7]. */
static struct slab *take_slab(struct kmem_cache *s, void **p)
{
	unsigned int i;

	for (i = 0; i < FEW_IN_SLAB; i++)
		p[i] = alloc(s);
	stats_mark(s);
	return slab_of(p[0]);
}

/* At a point in between, objects go to their slabs. */
struct race {
	struct kmem_cache *s;
	void **p;
	unsigned int nr;
	void *also[2];
};

static void free_some(void *arg)
{
	struct race *race = arg;

	free_to_slabs(race->s, race->nr, race->p);
	free_to_slabs(race->s, 2, race->also);
}

static unsigned int refill(struct kmem_cache *s, void **p, unsigned int n)
{
	return refill_objects(s, p, GFP_KERNEL, n, n);
}

/* list_locks, exchanges and changes of nr_slabs since count_points(). */
static void cost(unsigned int locks, unsigned int exchanges,
		 unsigned int counted)
{
	at_end();
	assert_int_equal(passed[SLAB_POINT_LIST_LOCK], locks);
	assert_int_equal(passed[SLAB_POINT_FREELIST_CMPXCHG], exchanges);
	assert_int_equal(passed[SLAB_POINT_NR_SLABS], counted);
}

static void t1_all_of_a_new_slab_makes_it_full(void **state)
{
	struct kmem_cache *s = eights(5);
	void *p[FEW_IN_SLAB];

	(void)state;
	count_points();
	assert_int_equal(refill(s, p, FEW_IN_SLAB), FEW_IN_SLAB);
	cost(0, 0, 1);
	assert_null(slab_of(p[0])->freelist);
	assert_int_equal(slab_of(p[0])->inuse, FEW_IN_SLAB);
	assert_int_equal(s->node[0]->nr_partial, 0);
	assert_string_equal(stats_since(s), "alloc_slab 1");
	intact(s);
}

static void t4_an_object_of_a_partial_slab_leaves_it_in_its_place(void **state)
{
	struct kmem_cache *s = eights(5);
	void *a[FEW_IN_SLAB], *b[FEW_IN_SLAB];
	struct slab *first = take_slab(s, a), *second = take_slab(s, b);

	(void)state;
	kmem_cache_free_bulk(s, 3, a);
	kmem_cache_free_bulk(s, 3, b);
	stats_mark(s);
	count_points();
	assert_ptr_equal(slab_of(alloc(s)), first);
	cost(1, 1, 0);
	assert_int_equal(first->inuse, FEW_IN_SLAB - 2);
	assert_ptr_equal(s->node[0]->partial.next, &first->slab_list);
	assert_ptr_equal(first->slab_list.next, &second->slab_list);
	assert_string_equal(stats_since(s), "alloc_slowpath 1");
	intact(s);
}

static void t5_the_last_free_object_takes_it_off(void **state)
{
	struct kmem_cache *s = eights(5);
	void *p[FEW_IN_SLAB];
	struct slab *slab = take_slab(s, p);

	(void)state;
	kmem_cache_free(s, p[0]);
	stats_mark(s);
	count_points();
	assert_ptr_equal(alloc(s), p[0]);
	cost(1, 1, 0);
	assert_false(slab_is_partial(slab));
	assert_int_equal(s->node[0]->nr_partial, 0);
	assert_string_equal(stats_since(s), "alloc_slowpath 1");
	intact(s);
}

static bool was_isolated;

static void look_at_isolated(void *slab)
{
	const struct slab *it = slab;

	was_isolated = !slab_is_partial(it) && it->freelist && !it->frozen;
}

static void t6_t7_a_refill_takes_the_slab_and_then_its_chain(void **state)
{
	struct kmem_cache *s = eights(5);
	void *p[FEW_IN_SLAB], *q[3];
	struct slab *slab = take_slab(s, p);

	(void)state;
	kmem_cache_free_bulk(s, 3, p);
	stats_mark(s);
	at(SLAB_POINT_ISOLATED, 1, look_at_isolated, slab);
	assert_int_equal(refill(s, q, 3), 3);
	cost(1, 1, 0);
	assert_true(was_isolated);
	assert_null(slab->freelist);
	assert_int_equal(slab->inuse, FEW_IN_SLAB);
	assert_string_equal(stats_since(s), "");
	intact(s);
}

static void t8_the_first_free_lists_a_full_slab_at_the_tail(void **state)
{
	struct kmem_cache *s = eights(5);
	void *a[FEW_IN_SLAB], *b[FEW_IN_SLAB];
	struct slab *first = take_slab(s, a), *second = take_slab(s, b);

	(void)state;
	kmem_cache_free(s, b[0]);
	stats_mark(s);
	count_points();
	kmem_cache_free(s, a[0]);
	cost(1, 1, 0);
	assert_ptr_equal(s->node[0]->partial.next, &second->slab_list);
	assert_ptr_equal(s->node[0]->partial.prev, &first->slab_list);
	assert_string_equal(stats_since(s),
			    "free_slowpath 1, free_add_partial 1");
	intact(s);
}

/*
 * S1 with two free objects and S2 with one are isolated for three; then S2 gets
 * two more, so that S1 is left over, with so many more of its own.
 */
static struct kmem_cache *leave_s1(unsigned long min_partial, unsigned int more)
{
	struct kmem_cache *s = eights(100);
	void *a[FEW_IN_SLAB], *b[FEW_IN_SLAB], *p[3];
	struct slab *first = take_slab(s, a);
	struct race race = { .s = s, .nr = more, .p = a + 2 };

	take_slab(s, b);
	kmem_cache_free_bulk(s, 2, a);
	kmem_cache_free(s, b[0]);
	slab_cache_set_min_partial(s, min_partial);
	race.also[0] = b[1];
	race.also[1] = b[2];
	stats_mark(s);
	at(SLAB_POINT_ISOLATED, 1, free_some, &race);
	assert_int_equal(refill(s, p, 3), 3);
	at_end();
	assert_ptr_not_equal(slab_of(p[0]), first);
	intact(s);
	return s;
}

static void t9_what_a_refill_left_goes_to_the_head(void **state)
{
	struct kmem_cache *s = leave_s1(0, 0);
	struct slab *first = container_of(s->node[0]->partial.next,
					  struct slab, slab_list);

	(void)state;
	assert_int_equal(first->nr, 1);
	assert_int_equal(s->node[0]->nr_partial, 1);
	assert_string_equal(stats_since(s), "");
	/* empty, but below min_partial */
	s = leave_s1(1, FEW_IN_SLAB - 2);
	assert_int_equal(s->node[0]->nr_partial, 1);
	assert_int_equal(s->node[0]->nr_slabs, 2);
}

static void t10_or_to_the_page_allocator(void **state)
{
	struct kmem_cache *s = leave_s1(0, FEW_IN_SLAB - 2);

	(void)state;
	assert_int_equal(s->node[0]->nr_partial, 0);
	assert_int_equal(s->node[0]->nr_slabs, 1);
	assert_int_equal(slab_machine_pages_used(lab.m), 8);
	assert_string_equal(stats_since(s), "");
}

static void t12_an_emptied_slab_below_the_limit_stays(void **state)
{
	struct kmem_cache *s = eights(2);
	void *p = alloc(s);
	struct slab *slab = slab_of(p);

	(void)state;
	stats_mark(s);
	count_points();
	kmem_cache_free(s, p);
	cost(1, 1, 0);
	assert_int_equal(slab->inuse, 0);
	assert_true(slab_is_partial(slab));
	assert_string_equal(stats_since(s), "free_slowpath 1");
	intact(s);
}

static void t13_an_emptied_slab_at_the_limit_goes(void **state)
{
	struct kmem_cache *s = eights(1);
	void *p = alloc(s);

	(void)state;
	stats_mark(s);
	/* it is counted itself: 1 >= 1 */
	count_points();
	kmem_cache_free(s, p);
	cost(1, 1, 1);
	assert_int_equal(s->node[0]->nr_slabs, 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	assert_string_equal(stats_since(s),
			    "free_slowpath 1, free_remove_partial 1, free_slab 1");
	intact(s);
}

static void t14_a_full_slab_freed_at_once_goes_unlisted(void **state)
{
	struct kmem_cache *s = eights(0);
	void *p[FEW_IN_SLAB];

	(void)state;
	take_slab(s, p);
	count_points();
	kmem_cache_free_bulk(s, FEW_IN_SLAB, p);
	cost(1, 1, 1);
	assert_int_equal(lab.events[SLAB_EVENT_LIST_ADD_PARTIAL], 1);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	assert_string_equal(stats_since(s), "free_slowpath 8, free_slab 1");
	intact(s);
}

static unsigned int locks_meanwhile;
static bool stayed_isolated;

static void empty_it(void *arg)
{
	struct race *race = arg;
	struct slab *slab = slab_of(race->p[0]);
	unsigned int before = passed[SLAB_POINT_LIST_LOCK];

	free_to_slabs(race->s, race->nr, race->p);
	locks_meanwhile = passed[SLAB_POINT_LIST_LOCK] - before;
	stayed_isolated = !slab_is_partial(slab);
}

static void t15_frees_to_an_isolated_slab_change_nothing_else(void **state)
{
	unsigned int nr;

	(void)state;
	/* one object, and all that are left: then the lock for nothing */
	for (nr = 1; nr <= FEW_IN_SLAB - 1; nr += FEW_IN_SLAB - 2) {
		struct kmem_cache *s = eights(0);
		void *p[FEW_IN_SLAB], *q[1];
		struct slab *slab = take_slab(s, p);
		struct race race = { .s = s, .nr = nr, .p = p + 1 };

		slab_cache_set_min_partial(s, 100);
		kmem_cache_free(s, p[0]);
		slab_cache_set_min_partial(s, 0);
		stats_mark(s);
		at(SLAB_POINT_ISOLATED, 1, empty_it, &race);
		assert_int_equal(refill(s, q, 1), 1);
		at_end();
		assert_true(stayed_isolated);
		assert_int_equal(locks_meanwhile, nr != 1);
		assert_ptr_equal(slab_of(q[0]), slab);
		assert_string_equal(stats_since(s), "free_add_partial 1");
		intact(s);
	}
}

static void t16_a_shrink_takes_empty_slabs_whatever_the_limit(void **state)
{
	struct kmem_cache *s = eights(100);
	void *p = alloc(s);

	(void)state;
	kmem_cache_free(s, p);
	stats_mark(s);
	count_points();
	assert_int_equal(kmem_cache_shrink(s), 0);
	cost(1, 0, 1);
	assert_int_equal(s->node[0]->nr_partial, 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	assert_string_equal(stats_since(s), "");
	/* and so does the end of the cache */
	kmem_cache_free(s, alloc(s));
	assert_int_equal(slab_machine_pages_used(lab.m), 8);
	assert_int_equal(kmem_cache_destroy(s), 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

/* Somebody else gives the lock back while pages are taken. */
static void release_at_pages(void *arg, enum slab_point_kind point)
{
	struct kmem_cache_node *n = arg;

	if (point == SLAB_POINT_PAGES_ALLOC && lock_is_held(&n->list_lock))
		other_releases(&n->list_lock);
}

static void t2_a_new_slab_goes_to_the_head_of_partial(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	struct kmem_cache_node *n = s->node[0];
	struct slab *old = slab_of(alloc(s));
	void *a;

	(void)state;
	/* who may not wait makes a slab when the list is locked */
	other_takes(&n->list_lock);
	slab_machine_set_point_hook(lab.m, release_at_pages, n);
	a = kmem_cache_alloc(s, 0);
	slab_machine_set_point_hook(lab.m, NULL, NULL);
	assert_non_null(a);
	assert_ptr_not_equal(slab_of(a), old);
	assert_ptr_equal(n->partial.next, &slab_of(a)->slab_list);
	assert_ptr_equal(n->partial.prev, &old->slab_list);
	intact(s);
}

static void t3_a_new_slab_goes_back_when_the_lock_is_held(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);

	(void)state;
	other_takes(&s->node[0]->list_lock);
	assert_null(kmem_cache_alloc(s, 0));
	other_releases(&s->node[0]->list_lock);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	assert_int_equal(s->node[0]->nr_slabs, 0);
	intact(s);
}

static void t8_a_listed_slab_without_a_chain_is_listed_once(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	void *a = alloc(s), *b = alloc(s);

	(void)state;
	/* damage: the rest of the slab is lost */
	slab_of(a)->freelist = NULL;
	slab_of(a)->inuse = slab_of(a)->objects;
	kmem_cache_free(s, b);
	assert_int_equal(s->node[0]->nr_partial, 1);
	assert_ptr_equal(slab_of(a)->freelist, b);
	intact(s);
}

static void t11_a_free_in_between_takes_no_lock(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	void *a = alloc(s), *b = alloc(s);

	(void)state;
	count_points();
	kmem_cache_free(s, a);
	assert_int_equal(passed[SLAB_POINT_LIST_LOCK], 0);
	assert_int_equal(passed[SLAB_POINT_FREELIST_CMPXCHG], 1);
	/* but it does to become empty */
	kmem_cache_free(s, b);
	assert_int_equal(passed[SLAB_POINT_LIST_LOCK], 1);
	slab_machine_set_point_hook(lab.m, NULL, NULL);
	intact(s);
}

static void t14_a_full_slab_does_not_count_itself(void **state)
{
	struct kmem_cache *s = cache(20000, NO_SHEAVES);
	void *a = alloc(s), *b = alloc(s);

	(void)state;
	/* np < mp: 0 < 1, and then 1 */
	slab_cache_set_min_partial(s, 1);
	kmem_cache_free(s, a);
	assert_int_equal(s->node[0]->nr_partial, 1);
	kmem_cache_free(s, b);
	assert_int_equal(s->node[0]->nr_partial, 1);
	assert_int_equal(s->node[0]->nr_slabs, 1);
	intact(s);
}

static void t17_more_than_32_free_objects_are_not_sorted(void **state)
{
	static const unsigned int nr_free[3] = { 40, 33, 32 };
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	struct slab *slabs[3];
	struct list_head *at;
	void *p[3][64];
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 3; i++)
		for (k = 0; k < 64; k++)
			p[i][k] = alloc(s);
	for (i = 0; i < 3; i++) {
		slabs[i] = slab_of(p[i][0]);
		for (k = 0; k < nr_free[i]; k++)
			kmem_cache_free(s, p[i][k]);
	}
	kmem_cache_shrink(s);
	at = s->node[0]->partial.next;
	assert_ptr_equal(at, &slabs[2]->slab_list);
	assert_ptr_equal(at->next, &slabs[0]->slab_list);
	assert_ptr_equal(at->next->next, &slabs[1]->slab_list);
	intact(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(t1_all_of_a_new_slab_makes_it_full),
		lab_test(t2_a_new_slab_goes_to_the_head_of_partial),
		lab_test(t3_a_new_slab_goes_back_when_the_lock_is_held),
		lab_test(t4_an_object_of_a_partial_slab_leaves_it_in_its_place),
		lab_test(t5_the_last_free_object_takes_it_off),
		lab_test(t6_t7_a_refill_takes_the_slab_and_then_its_chain),
		lab_test(t8_the_first_free_lists_a_full_slab_at_the_tail),
		lab_test(t8_a_listed_slab_without_a_chain_is_listed_once),
		lab_test(t9_what_a_refill_left_goes_to_the_head),
		lab_test(t10_or_to_the_page_allocator),
		lab_test(t11_a_free_in_between_takes_no_lock),
		lab_test(t12_an_emptied_slab_below_the_limit_stays),
		lab_test(t13_an_emptied_slab_at_the_limit_goes),
		lab_test(t14_a_full_slab_freed_at_once_goes_unlisted),
		lab_test(t14_a_full_slab_does_not_count_itself),
		lab_test(t15_frees_to_an_isolated_slab_change_nothing_else),
		lab_test(t16_a_shrink_takes_empty_slabs_whatever_the_limit),
		lab_test(t17_more_than_32_free_objects_are_not_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

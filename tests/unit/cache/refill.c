/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/refill.c - many objects from slabs at once, step by step
 * (alloc-free-paths.md 3.5): which slabs, which node, what goes back
 */
#include "../sheaves.h"

#include "slab/freelist.h"

#define MANY 64U

/* Slabs of few() with that many objects free each, first of the list first;
 * nothing else is there. */
static void slabs_with(struct kmem_cache *s, unsigned int nr,
		       const unsigned int *nr_free, struct slab **slabs)
{
	void *p[8][FEW_IN_SLAB];
	unsigned int i, k;

	slab_cache_set_min_partial(s, 100);
	for (i = 0; i < nr; i++)
		for (k = 0; k < FEW_IN_SLAB; k++)
			p[i][k] = slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	for (i = 0; i < nr; i++) {
		slabs[i] = slab_of(p[i][0]);
		/* full to partial: at the tail */
		for (k = 0; k < nr_free[i]; k++)
			free_to_slabs(s, 1, &p[i][k]);
	}
	stats_mark(s);
	memset(lab.events, 0, sizeof(lab.events));
}

static unsigned int refill(struct kmem_cache *s, void **p, unsigned int n)
{
	return refill_objects(s, p, GFP_KERNEL, n, n);
}

/* Slab numbers on the list, as "S2 S1". */
static const char *listed(struct kmem_cache *s, unsigned int nid)
{
	static char text[256];
	struct slab *slab;
	size_t n = 0;

	text[0] = '\0';
	list_for_each_entry(slab, &s->node[nid]->partial, slab_list)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%sS%u:%u",
				      n ? " " : "", slab->nr,
				      slab->objects - slab->inuse);
	return text;
}

/* ---- a: the peek ---- */
static void a_no_partial_slab_takes_no_lock(void **state)
{
	struct kmem_cache *s = few();
	void *p[MANY];

	(void)state;
	count_points();
	assert_int_equal(refill(s, p, FEW_IN_SLAB), FEW_IN_SLAB);
	at_end();
	assert_int_equal(passed[SLAB_POINT_NR_PARTIAL_PEEK], 1);
	assert_int_equal(passed[SLAB_POINT_LIST_LOCK], 0);
}

/* ---- b: which slabs are isolated ---- */
static void
b_slabs_are_taken_from_the_head_until_they_promise_enough(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slabs[3];
	void *p[MANY];

	(void)state;
	slabs_with(s, 3, (unsigned int[]){ 2, 2, 2 }, slabs);
	assert_string_equal(listed(s, 0), "S1:2 S2:2 S3:2");
	assert_int_equal(refill(s, p, 4), 4);
	assert_string_equal(listed(s, 0), "S3:2");
	assert_int_equal(lab.events[SLAB_EVENT_ISOLATE], 2);
	intact(s);
}

static void b_the_last_one_may_overshoot(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slabs[3];
	void *p[MANY];

	(void)state;
	slabs_with(s, 3, (unsigned int[]){ 3, 5, 2 }, slabs);
	/* 3 are not enough, so the second goes too; it is consumed first, so
	 * one of the first's objects is surplus: 5 + 1 = 6 */
	assert_int_equal(refill(s, p, 6), 6);
	assert_ptr_equal(slab_of(p[0]), slabs[1]);
	assert_ptr_equal(slab_of(p[5]), slabs[0]);
	assert_string_equal(listed(s, 0), "S3:2 S1:2");
	assert_string_equal(stats_since(s), "free_add_partial 1");
	intact(s);
}

static void b_with_room_to_spare_it_stops_before_too_much(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slabs[3];
	void *p[MANY];

	(void)state;
	slabs_with(s, 3, (unsigned int[]){ 3, 5, 2 }, slabs);
	/* at least 3, at most 6: the second would be more */
	assert_int_equal(refill_objects(s, p, GFP_KERNEL, 3, 6), 3);
	assert_string_equal(listed(s, 0), "S2:5 S3:2");
	slabs_with(s, 0, NULL, NULL);
	/* 5 + 2 fit */
	assert_int_equal(refill_objects(s, p, GFP_KERNEL, 3, 7), 7);
	assert_string_equal(listed(s, 0), "");
	intact(s);
}

static void b_slabs_of_the_reserve_are_passed_over(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slabs[2];
	void *p[MANY];

	(void)state;
	slabs_with(s, 2, (unsigned int[]){ 4, 4 }, slabs);
	slabs[0]->flags |= SL_PFMEMALLOC;
	assert_int_equal(refill(s, p, 2), 2);
	assert_ptr_equal(slab_of(p[0]), slabs[1]);
	assert_string_equal(listed(s, 0), "S1:4 S2:2");
	assert_int_equal(
		refill_objects(s, p, GFP_KERNEL | __GFP_MEMALLOC, 2, 2), 2);
	assert_ptr_equal(slab_of(p[0]), slabs[0]);
	intact(s);
}

/* ---- c: the chains ---- */
static void c_the_last_slab_taken_is_the_first_consumed(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slabs[2];
	void *p[MANY];

	(void)state;
	slabs_with(s, 2, (unsigned int[]){ 2, 2 }, slabs);
	refill(s, p, 4);
	assert_ptr_equal(slab_of(p[0]), slabs[1]);
	assert_ptr_equal(slab_of(p[3]), slabs[0]);
}

struct pushed {
	struct kmem_cache *s;
	void *p;
};

static void push(void *arg)
{
	struct pushed *pushed = arg;

	free_to_slabs(pushed->s, 1, &pushed->p);
}

/* H6 and T15: frees that race in make a chain longer than was promised. */
static void c_h6_what_was_freed_meanwhile_is_surplus_too(void **state)
{
	struct kmem_cache *s = few();
	struct pushed pushed = { .s = s };
	struct slab *slab;
	void *p[MANY], *a[FEW_IN_SLAB];
	unsigned int i;

	(void)state;
	slab_cache_set_min_partial(s, 100);
	for (i = 0; i < FEW_IN_SLAB; i++)
		a[i] = slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	slab = slab_of(a[0]);
	free_to_slabs(s, 2, a);
	pushed.p = a[2];
	stats_mark(s);
	at(SLAB_POINT_ISOLATED, 1, push, &pushed);
	assert_int_equal(refill(s, p, 2), 2);
	at_end();
	assert_int_equal(slab->inuse, FEW_IN_SLAB - 1);
	assert_string_equal(listed(s, 0), "S1:1");
	assert_string_equal(stats_since(s), "free_add_partial 1");
	/* the head of the chain is what came last */
	assert_ptr_equal(p[0], a[2]);
	intact(s);
}

static void c_a_grab_that_loses_a_race_is_repeated(void **state)
{
	struct kmem_cache *s = few();
	struct pushed pushed = { .s = s };
	void *p[MANY], *a[FEW_IN_SLAB];
	unsigned int i;

	(void)state;
	for (i = 0; i < FEW_IN_SLAB; i++)
		a[i] = slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	free_to_slabs(s, 2, a);
	pushed.p = a[2];
	stats_mark(s);
	at(SLAB_POINT_FREELIST_READ, 1, push, &pushed);
	assert_int_equal(refill(s, p, 3), 3);
	at_end();
	assert_string_equal(stats_since(s), "cmpxchg_double_fail 1");
	intact(s);
}

/* ---- d: leftovers ---- */
struct race {
	struct kmem_cache *s;
	void **p;
	unsigned int nr;
};

static void free_some(void *arg)
{
	struct race *race = arg;

	free_to_slabs(race->s, race->nr, race->p);
}

/*
 * S1 has two objects free and S2 one, and three are wanted: both are isolated.
 * Then S2 gets two more, which is enough, and S1 so many more.
 */
static struct kmem_cache *leave_s1(unsigned long min_partial, unsigned int more)
{
	struct kmem_cache *s = few();
	void *a[2 * FEW_IN_SLAB], *p[MANY], *later[FEW_IN_SLAB];
	struct race race = { .s = s, .p = later, .nr = 2 + more };
	unsigned int i;

	slab_cache_set_min_partial(s, 100);
	for (i = 0; i < 2 * FEW_IN_SLAB; i++)
		a[i] = slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	free_to_slabs(s, 2, (void *[]){ a[0], a[1] });
	free_to_slabs(s, 1, (void *[]){ a[8] });
	later[0] = a[9];
	later[1] = a[10];
	for (i = 0; i < more; i++)
		later[2 + i] = a[2 + i];
	slab_cache_set_min_partial(s, min_partial);
	stats_mark(s);
	at(SLAB_POINT_ISOLATED, 1, free_some, &race);
	assert_int_equal(refill(s, p, 3), 3);
	at_end();
	for (i = 0; i < 3; i++)
		assert_int_equal(slab_of(p[i])->nr, 2);
	intact(s);
	return s;
}

static void d_t9_an_untouched_slab_goes_back_to_the_head(void **state)
{
	struct kmem_cache *s = leave_s1(0, 0);

	(void)state;
	assert_string_equal(listed(s, 0), "S1:2");
	assert_string_equal(stats_since(s), "");
}

static void d_t9_an_empty_one_is_kept_below_min_partial(void **state)
{
	struct kmem_cache *s = leave_s1(1, FEW_IN_SLAB - 2);

	(void)state;
	assert_string_equal(listed(s, 0), "S1:8");
	assert_string_equal(stats_since(s), "");
}

static void d_t10_an_empty_one_goes_at_min_partial_uncounted(void **state)
{
	struct kmem_cache *s = leave_s1(0, FEW_IN_SLAB - 2);

	(void)state;
	assert_string_equal(listed(s, 0), "");
	assert_int_equal(s->node[0]->nr_slabs, 1);
	assert_int_equal(slab_machine_pages_used(lab.m), 8);
	assert_string_equal(stats_since(s), "");
}

/* ---- other nodes ---- */

/* Node 1 has so many partial slabs with one object free in each, node 0 has
 * nothing; we are on node 0. */
static struct kmem_cache *far(unsigned int nr, unsigned long min_partial)
{
	struct kmem_cache *s;
	void *p[MANY];
	unsigned int i;

	numa();
	s = few();
	slab_cache_set_min_partial(s, 100);
	for (i = 0; i < nr * FEW_IN_SLAB; i++)
		p[i] = slow_alloc(s, GFP_KERNEL, 1, 4096);
	for (i = 0; i < nr; i++)
		free_to_slabs(s, 1, &p[i * FEW_IN_SLAB]);
	assert_int_equal(s->node[1]->nr_partial, nr);
	slab_cache_set_min_partial(s, min_partial);
	/* each time: 100 percent are 1000 of 1024 */
	s->remote_node_defrag_ratio = 1024;
	stats_mark(s);
	return s;
}

static void n_another_node_helps_above_min_partial(void **state)
{
	struct kmem_cache *s = far(3, 2);
	void *p[MANY];

	(void)state;
	assert_int_equal(refill(s, p, 3), 3);
	assert_int_equal(slab_of(p[0])->node, 1);
	assert_int_equal(s->node[1]->nr_partial, 0);
	assert_string_equal(stats_since(s), "");
	s = far(2, 2);
	assert_int_equal(refill(s, p, 2), 2);
	assert_int_equal(slab_of(p[0])->node, 0);
	assert_int_equal(s->node[1]->nr_partial, 2);
	intact(s);
}

static void n_at_ratio_0_no_other_node_is_asked(void **state)
{
	struct kmem_cache *s = far(3, 0);
	void *p[MANY];

	(void)state;
	slab_cache_set_defrag_ratio(s, 0);
	refill(s, p, 2);
	assert_int_equal(slab_of(p[0])->node, 0);
	assert_int_equal(s->node[1]->nr_partial, 3);
}

static void n_the_ratio_is_of_1024(void **state)
{
	struct kmem_cache *s;
	unsigned int i, nr = 0;

	(void)state;
	s = far(0, 0);
	s->remote_node_defrag_ratio = 512;
	for (i = 0; i < 2000; i++)
		nr += node_others_may_serve(s);
	assert_in_range(nr, 900, 1100);
	s->remote_node_defrag_ratio = 1000;
	for (i = nr = 0; i < 4000; i++)
		nr += !node_others_may_serve(s);
	/* 2.3 percent */
	assert_in_range(nr, 50, 140);
}

static void n_their_lock_is_only_tried(void **state)
{
	struct kmem_cache *s = far(3, 0);
	void *p[MANY];

	(void)state;
	other_takes(&s->node[1]->list_lock);
	assert_int_equal(refill(s, p, 2), 2);
	other_releases(&s->node[1]->list_lock);
	assert_int_equal(slab_of(p[0])->node, 0);
	assert_int_equal(s->node[1]->nr_partial, 3);
	intact(s);
}

static void n_what_is_still_missing_comes_from_new_slabs(void **state)
{
	struct kmem_cache *s = far(3, 2);
	void *p[MANY];

	(void)state;
	assert_int_equal(refill(s, p, 5), 5);
	assert_int_equal(slab_of(p[2])->node, 1);
	assert_int_equal(slab_of(p[3])->node, 0);
	assert_string_equal(stats_since(s), "alloc_slab 1");
	assert_string_equal(listed(s, 0), "S4:6");
	intact(s);
}

static void n_a_node_without_memory_is_passed_over(void **state)
{
	struct kmem_cache *s = far(3, 0);
	void *p[MANY];

	(void)state;
	assert_int_equal(slab_machine_set_node_memory(lab.m, 1, false), 0);
	assert_int_equal(s->node[1]->nr_partial, 3);
	refill(s, p, 2);
	assert_int_equal(slab_of(p[0])->node, 0);
	assert_int_equal(s->node[1]->nr_partial, 3);
}

/* ---- new slabs ---- */
static void new_t1_all_of_a_new_slab_is_on_no_list(void **state)
{
	struct kmem_cache *s = few();
	void *p[MANY];

	(void)state;
	stats_mark(s);
	assert_int_equal(refill(s, p, 2 * FEW_IN_SLAB), 2 * FEW_IN_SLAB);
	assert_string_equal(listed(s, 0), "");
	assert_int_equal(s->node[0]->nr_slabs, 2);
	assert_int_equal(s->node[0]->total_objects, 2 * FEW_IN_SLAB);
	assert_string_equal(stats_since(s), "alloc_slab 2");
	intact(s);
}

static unsigned long nr_slabs_at_unlock;

static void look_at_nr_slabs(void *s)
{
	nr_slabs_at_unlock = ((struct kmem_cache *)s)->node[0]->nr_slabs;
}

static void new_t2_the_rest_goes_to_the_head_and_is_counted_then(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slabs[1];
	void *p[MANY];

	(void)state;
	slabs_with(s, 1, (unsigned int[]){ 1 }, slabs);
	at(SLAB_POINT_LIST_UNLOCK, 2, look_at_nr_slabs, s);
	assert_int_equal(refill(s, p, 4), 4);
	at_end();
	assert_int_equal(nr_slabs_at_unlock, 1);
	assert_string_equal(listed(s, 0), "S2:5");
	slabs_with(s, 0, NULL, NULL);
	intact(s);
}

static void new_objects_come_in_the_order_of_the_chain(void **state)
{
	struct kmem_cache *s = few();
	void *p[MANY];
	unsigned int i;

	(void)state;
	refill(s, p, 4);
	for (i = 1; i < 4; i++)
		assert_ptr_equal(p[i], (char *)p[0] + i * 4096);
}

static void without_pages_what_came_is_given(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slabs[1];
	void *p[MANY];

	(void)state;
	slabs_with(s, 1, (unsigned int[]){ 3 }, slabs);
	pages_left(1);
	/* three, and one of a slab of the smallest order */
	assert_int_equal(refill(s, p, 6), 4);
	assert_string_equal(stats_since(s), "alloc_slab 1, order_fallback 1");
	assert_int_equal(refill(s, p, 6), 0);
	intact(s);
}

static void hardened_chains_are_followed_too(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slabs[2];
	void *p[MANY];

	(void)state;
	assert_true(s->random);
	slabs_with(s, 2, (unsigned int[]){ 3, 5 }, slabs);
	assert_int_equal(refill(s, p, 6), 6);
	intact(s);
}

/* ---- damage ---- */
static void a_chain_that_leads_astray_ends_there(void **state)
{
	struct kmem_cache *s = few();
	struct slab *slabs[1];
	void *p[MANY], *second;

	(void)state;
	slabs_with(s, 1, (unsigned int[]){ 4 }, slabs);
	second = get_freepointer(s, slabs[0]->freelist);
	set_freepointer(s, second, (void *)0x4141414141414141UL);
	assert_int_equal(refill(s, p, 4), 4);
	assert_string_equal(lab_said(),
			    "Freepointer corrupt; FIX FREELIST_CLEARED");
	assert_ptr_equal(p[1], second);
	assert_ptr_not_equal(slab_of(p[2]), slabs[0]);
	intact(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(a_no_partial_slab_takes_no_lock),
		lab_test(
			b_slabs_are_taken_from_the_head_until_they_promise_enough),
		lab_test(b_the_last_one_may_overshoot),
		lab_test(b_with_room_to_spare_it_stops_before_too_much),
		lab_test(b_slabs_of_the_reserve_are_passed_over),
		lab_test(c_the_last_slab_taken_is_the_first_consumed),
		lab_test(c_h6_what_was_freed_meanwhile_is_surplus_too),
		lab_test(c_a_grab_that_loses_a_race_is_repeated),
		lab_test(d_t9_an_untouched_slab_goes_back_to_the_head),
		lab_test(d_t9_an_empty_one_is_kept_below_min_partial),
		lab_test(d_t10_an_empty_one_goes_at_min_partial_uncounted),
		lab_test(n_another_node_helps_above_min_partial),
		lab_test(n_at_ratio_0_no_other_node_is_asked),
		lab_test(n_the_ratio_is_of_1024),
		lab_test(n_their_lock_is_only_tried),
		lab_test(n_what_is_still_missing_comes_from_new_slabs),
		lab_test(n_a_node_without_memory_is_passed_over),
		lab_test(new_t1_all_of_a_new_slab_is_on_no_list),
		lab_test(new_t2_the_rest_goes_to_the_head_and_is_counted_then),
		lab_test(new_objects_come_in_the_order_of_the_chain),
		lab_test(without_pages_what_came_is_given),
		lab_test_hardened(hardened_chains_are_followed_too),
		lab_test(a_chain_that_leads_astray_ends_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

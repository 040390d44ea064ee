/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/plain_states.c - arrows of slab-states.md 4.2: locks taken
 * and left, both sides of min_partial, the order that shrink makes
 */
#include "../ring.h"

#include "machine/page.h"
#include "slab/node.h"

static unsigned int passed[SLAB_NR_POINTS];

static void count_point(void *arg, enum slab_point_kind point)
{
	(void)arg;
	passed[point]++;
}

/* Somebody else gives the lock back while pages are taken. */
static void release_at_pages(void *arg, enum slab_point_kind point)
{
	struct kmem_cache_node *n = arg;

	if (point == SLAB_POINT_PAGES_ALLOC && lock_is_held(&n->list_lock))
		lock_release(&n->list_lock);
}

static void t2_a_new_slab_goes_to_the_head_of_partial(void **state)
{
	struct kmem_cache *s = cache(64, 0);
	struct kmem_cache_node *n = s->node[0];
	struct slab *old = slab_of(alloc(s));
	void *a;

	(void)state;
	/* who may not wait makes a slab when the list is locked */
	lock_take(&n->list_lock);
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
	struct kmem_cache *s = cache(64, 0);

	(void)state;
	lock_take(&s->node[0]->list_lock);
	assert_null(kmem_cache_alloc(s, 0));
	lock_release(&s->node[0]->list_lock);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	assert_int_equal(s->node[0]->nr_slabs, 0);
	intact(s);
}

static void t8_a_listed_slab_without_a_chain_is_listed_once(void **state)
{
	struct kmem_cache *s = cache(64, 0);
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
	struct kmem_cache *s = cache(64, 0);
	void *a = alloc(s), *b = alloc(s);

	(void)state;
	memset(passed, 0, sizeof(passed));
	slab_machine_set_point_hook(lab.m, count_point, NULL);
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
	struct kmem_cache *s = cache(20000, 0);
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
	struct kmem_cache *s = cache(64, 0);
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
		lab_test(t2_a_new_slab_goes_to_the_head_of_partial),
		lab_test(t3_a_new_slab_goes_back_when_the_lock_is_held),
		lab_test(t8_a_listed_slab_without_a_chain_is_listed_once),
		lab_test(t11_a_free_in_between_takes_no_lock),
		lab_test(t14_a_full_slab_does_not_count_itself),
		lab_test(t17_more_than_32_free_objects_are_not_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

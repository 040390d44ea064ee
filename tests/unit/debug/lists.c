/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/lists.c - what is said of a broken list, and by whom */
#include "../ring.h"

#include "debug/lists.h"

#define MENDED "Slab list corrupt, link is 0x%p; FIX LISTS_REBUILT"

static struct kmem_cache *plain(void)
{
	return cache(64, SLAB_NO_MERGE | NO_SHEAVES);
}

static void a_broken_link_is_a_report_and_a_fix_about_its_slab(void **state)
{
	struct kmem_cache *s = plain();
	struct slab *slab = slab_of(alloc(s));

	(void)state;
	slab->slab_list.next = (struct list_head *)0x41;
	lists_make_whole(s, s->node[0]);
	assert_string_equal(lab_said(), MENDED);
	assert_string_equal(lab.records[0].text,
			    "Slab list corrupt, link is 0x0000000000000041");
	assert_string_equal(lab.records[1].text,
			    "FIX ring: Slab lists rebuilt");
	assert_int_equal(lab.records[0].slab, slab);
	assert_int_equal(lab.records[0].slab_nr, 1);
	assert_int_equal(lab.records[1].number, lab.records[0].number);
	assert_int_equal(slab_machine_errors(lab.m), 2);
	lists_make_whole(s, s->node[0]);
	assert_int_equal(lab.nr_records, 2);
}

static void a_list_whose_head_is_gone_has_no_slab_to_show(void **state)
{
	struct kmem_cache *s = plain();
	struct kmem_cache_node *n = s->node[0];
	struct slab *slab = slab_of(alloc(s));

	(void)state;
	n->partial.next = NULL;
	n->partial.prev = NULL;
	lists_make_whole(s, n);
	assert_string_equal(lab_said(), MENDED);
	assert_string_equal(lab.records[0].cache, "ring");
	assert_int_equal(lab.records[0].slab, 0);
	assert_null(lab.records[0].view);
	assert_ptr_equal(n->partial.next, &slab->slab_list);
	intact(s);
	/* nor has one on which nothing was */
	lab_forget();
	n->full.next = (struct list_head *)0x41;
	lists_make_whole(s, n);
	assert_string_equal(lab_said(), MENDED);
	intact(s);
}

static void a_move_is_made_on_the_rebuilt_list(void **state)
{
	struct kmem_cache *s = plain();
	struct kmem_cache_node *n = s->node[0];
	struct slab *slab = slab_of(alloc(s));

	(void)state;
	slab->slab_list.prev = NULL;
	lists_remove(s, n, slab);
	assert_string_equal(lab_said(), MENDED);
	assert_true(slab_is_unlinked(slab));
	assert_false(slab_is_partial(slab));
	assert_int_equal(n->nr_partial, 0);
	n->partial.prev = NULL;
	lab_forget();
	lists_add_partial(s, n, slab, LIST_TAIL);
	assert_string_equal(lab_said(), MENDED);
	intact(s);
}

static void each_end_is_judged_before_something_is_put_there(void **state)
{
	struct kmem_cache *s = plain();
	struct kmem_cache_node *n = s->node[0];
	struct slab *slab = slab_of(alloc(s));
	enum list_end end;

	(void)state;
	for (end = LIST_HEAD; end <= LIST_TAIL; end++) {
		lists_remove(s, n, slab);
		lab_forget();
		*(end == LIST_HEAD ? &n->partial.next : &n->partial.prev) =
			NULL;
		lists_add_partial(s, n, slab, end);
		assert_string_equal(lab_said(), MENDED);
		intact(s);
	}
}

static void who_is_added_leaves_the_list_it_is_on(void **state)
{
	struct kmem_cache *s = plain();
	struct slab *slab = slab_of(alloc(s));

	(void)state;
	/* the mark is lost, so the caller thinks that it is on none */
	slab->flags &= ~SL_PARTIAL;
	lists_add_partial(s, s->node[0], slab, LIST_TAIL);
	assert_string_equal(lab_said(), MENDED);
	assert_int_equal(s->node[0]->nr_partial, 1);
	intact(s);
}

static void a_slab_that_the_map_does_not_know_is_let_go(void **state)
{
	struct kmem_cache *s = plain();
	struct slab *slab = slab_of(alloc(s));

	(void)state;
	slab->slab_list.next = slab->slab_list.prev = NULL;
	slab->slab_cache = NULL;
	lists_judge(s, s->node[0], slab);
	assert_string_equal(lab_said(), MENDED);
	assert_true(slab_is_unlinked(slab));
	assert_true(list_empty(&s->node[0]->partial));
	assert_int_equal(s->node[0]->nr_partial, 0);
}

static void a_full_slab_is_not_looked_for_without_users(void **state)
{
	struct kmem_cache *s = plain();
	struct kmem_cache_node *n = s->node[0];
	struct slab *slab = slab_of(alloc(s));

	(void)state;
	lists_remove(s, n, slab);
	lists_add_full(s, n, slab);
	assert_true(slab_is_unlinked(slab));
	assert_string_equal(lab_said(), "");
	lists_add_partial(s, n, slab, LIST_HEAD);
	intact(s);
}

static void next_goes_from_slab_to_slab_and_ends(void **state)
{
	struct kmem_cache *s = cache(3000, SLAB_NO_MERGE | NO_SHEAVES);
	struct kmem_cache_node *n = s->node[0];
	struct slab *slab[3], *at = NULL;
	void *p[3];
	unsigned int i, k;

	(void)state;
	slab_cache_set_min_partial(s, 100);
	for (i = 0; i < 3; i++) {
		p[i] = alloc(s);
		for (k = 1; k < s->oo.objects; k++)
			alloc(s);
	}
	for (i = 0; i < 3; i++) {
		slab[i] = slab_of(p[i]);
		kmem_cache_free(s, p[i]);
	}
	for (i = 0; i < 3; i++) {
		at = lists_next_partial(s, n, at);
		assert_ptr_equal(at, slab[i]);
	}
	assert_null(lists_next_partial(s, n, at));
	slab[0]->slab_list.next = NULL;
	assert_ptr_equal(lists_next_partial(s, n, slab[0]), slab[1]);
	assert_string_equal(lab_said(), MENDED);
	/* from where it left the list there is no way on */
	lists_remove(s, n, slab[1]);
	assert_null(lists_next_partial(s, n, slab[1]));
}

static void a_marked_slab_on_no_list_comes_back_with_the_next_free(void **state)
{
	struct kmem_cache *s = cache(64, SLAB_POISON);
	void *p = alloc(s);

	(void)state;
	alloc(s);
	list_del(&slab_of(p)->slab_list);
	kmem_cache_free(s, p);
	assert_string_equal(lab_said(), MENDED);
	intact(s);
}

/* A plain cache looks when a full slab seems to be listed. */
static void
a_full_slab_marked_by_mistake_is_listed_by_its_first_free(void **state)
{
	struct kmem_cache *s = cache(3000, SLAB_NO_MERGE | NO_SHEAVES);
	void *p = alloc(s);
	unsigned int k;

	(void)state;
	for (k = 1; k < s->oo.objects; k++)
		alloc(s);
	slab_of(p)->flags |= SL_PARTIAL;
	kmem_cache_free(s, p);
	assert_string_equal(lab_said(), MENDED);
	assert_int_equal(s->node[0]->nr_partial, 1);
	intact(s);
}

static void out_of_memory_counts_on_a_whole_list(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_nodes = 2 });
	s = cache(3000, SLAB_NO_MERGE | NO_SHEAVES);
	kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	s->node[1]->partial.next = NULL;
	slab_machine_set_page_limit(lab.m, slab_machine_pages_used(lab.m));
	assert_null(kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE, 0));
	assert_string_equal(lab_said(), MENDED);
	intact(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(a_broken_link_is_a_report_and_a_fix_about_its_slab),
		lab_test(a_list_whose_head_is_gone_has_no_slab_to_show),
		lab_test(a_move_is_made_on_the_rebuilt_list),
		lab_test(each_end_is_judged_before_something_is_put_there),
		lab_test(who_is_added_leaves_the_list_it_is_on),
		lab_test(a_slab_that_the_map_does_not_know_is_let_go),
		lab_test(a_full_slab_is_not_looked_for_without_users),
		lab_test(next_goes_from_slab_to_slab_and_ends),
		lab_test(
			a_marked_slab_on_no_list_comes_back_with_the_next_free),
		lab_test(
			a_full_slab_marked_by_mistake_is_listed_by_its_first_free),
		lab_test(out_of_memory_counts_on_a_whole_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

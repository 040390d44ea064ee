/* SPDX-License-Identifier: MIT */
/* tests/unit/slab/links.c - which links hold, and what a rebuilt list is */
#include "../ring.h"

#define SLABS 5

static struct kmem_cache *s;
static struct kmem_cache_node *n;
static struct slab *slab[SLABS]; /* in list order */
static struct list_break at;

/* SLABS full slabs, on a list with U; is_partial: then one object of each is
 * freed. */
static void set_up(slab_flags_t flags, bool is_partial)
{
	void *p[SLABS];
	unsigned int i, k;

	s = cache(3000, flags | SLAB_NO_MERGE | NO_SHEAVES);
	n = s->node[0];
	for (i = 0; i < SLABS; i++) {
		p[i] = alloc(s);
		for (k = 1; k < s->oo.objects; k++)
			alloc(s);
	}
	/* partial ones come to the tail, in another order than the map's; full
	 * ones came to the head */
	for (i = 0; i < SLABS; i++) {
		k = is_partial ? 2 * i % SLABS : SLABS - 1 - i;
		slab[i] = slab_of(p[k]);
		if (is_partial)
			kmem_cache_free(s, p[k]);
	}
	intact(s);
}

static void order_is(struct list_head *head, const unsigned int *wanted,
		     unsigned int nr)
{
	const struct list_head *link = head;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		link = link->next;
		if (link != &slab[wanted[i]]->slab_list)
			fail_msg("place %u holds %p, wanted %p of slab %u", i,
				 (const void *)link,
				 (void *)&slab[wanted[i]]->slab_list,
				 wanted[i]);
	}
	assert_ptr_equal(link->next, head);
	assert_ptr_equal(head->prev, link);
}

static const unsigned int as_they_were[] = { 0, 1, 2, 3, 4 };

static void an_intact_node_holds_everywhere(void **state)
{
	unsigned int i;

	(void)state;
	set_up(0, true);
	assert_true(node_lists_hold(s, n, &at));
	assert_true(node_step_holds(s, n, true, &n->partial, &at));
	assert_true(node_end_holds(s, n, true, LIST_HEAD, &at));
	assert_true(node_end_holds(s, n, true, LIST_TAIL, &at));
	assert_true(node_end_holds(s, n, false, LIST_TAIL, &at));
	for (i = 0; i < SLABS; i++)
		assert_true(node_slab_holds(s, n, slab[i], &at));
}

static void a_link_outside_the_map_does_not_hold(void **state)
{
	uintptr_t wild[] = { 0, 0x41, 0x4141414141414141, ~0UL, 0, 0, 0 };
	struct slab *end;
	unsigned int i;

	(void)state;
	set_up(0, true);
	end = &lab.m->memmap[lab.m->pages_opened];
	assert_null(link_slab(lab.m, &end->slab_list));
	assert_ptr_equal(link_slab(lab.m, &end[-1].slab_list), &end[-1]);
	wild[4] = (uintptr_t)&end->slab_list;
	wild[5] = (uintptr_t)lab.m->memmap - 48;
	/* in a descriptor, but not where its links stand */
	wild[6] = (uintptr_t)&slab[0]->slab_list + 8;
	for (i = 0; i < ARRAY_SIZE(wild); i++) {
		slab[2]->slab_list.next = (struct list_head *)wild[i];
		if (node_slab_holds(s, n, slab[2], &at))
			fail_msg("a next of 0x%lx holds", wild[i]);
		assert_ptr_equal(at.link, (void *)wild[i]);
		assert_ptr_equal(at.slab, slab[2]);
		assert_false(
			node_step_holds(s, n, true, &slab[2]->slab_list, &at));
		assert_ptr_equal(at.link, (void *)wild[i]);
		slab[2]->slab_list.next = &slab[3]->slab_list;
		slab[2]->slab_list.prev = (struct list_head *)wild[i];
		if (node_slab_holds(s, n, slab[2], &at))
			fail_msg("a prev of 0x%lx holds", wild[i]);
		assert_ptr_equal(at.link, (void *)wild[i]);
		slab[2]->slab_list.prev = &slab[1]->slab_list;
	}
}

static void a_neighbour_that_does_not_lead_back_does_not_hold(void **state)
{
	(void)state;
	set_up(0, true);
	slab[3]->slab_list.prev = &slab[0]->slab_list;
	assert_false(node_slab_holds(s, n, slab[2], &at));
	assert_false(node_step_holds(s, n, true, &slab[2]->slab_list, &at));
	assert_ptr_equal(at.link, &slab[0]->slab_list);
	assert_true(node_step_holds(s, n, true, &slab[1]->slab_list, &at));
	slab[3]->slab_list.prev = &slab[2]->slab_list;
	slab[1]->slab_list.next = &slab[4]->slab_list;
	assert_false(node_slab_holds(s, n, slab[2], &at));
	assert_ptr_equal(at.link, &slab[4]->slab_list);
}

static void a_neighbour_marked_otherwise_does_not_hold(void **state)
{
	(void)state;
	set_up(0, true);
	slab[3]->flags &= ~SL_PARTIAL;
	assert_false(node_slab_holds(s, n, slab[2], &at));
	assert_false(node_slab_holds(s, n, slab[3], &at));
	assert_false(node_step_holds(s, n, true, &slab[2]->slab_list, &at));
	assert_false(node_lists_hold(s, n, &at));
}

static void the_other_lists_head_does_not_hold(void **state)
{
	(void)state;
	set_up(SLAB_STORE_USER, true);
	slab[4]->slab_list.next = &n->full;
	n->full.prev = &slab[4]->slab_list;
	assert_false(node_slab_holds(s, n, slab[4], &at));
	assert_ptr_equal(at.link, &n->full);
}

static void a_marked_slab_on_no_list_does_not_hold(void **state)
{
	(void)state;
	set_up(0, true);
	list_del(&slab[1]->slab_list);
	assert_false(node_slab_holds(s, n, slab[1], &at));
	slab[1]->flags &= ~SL_PARTIAL;
	assert_true(node_slab_holds(s, n, slab[1], &at));
}

static void an_end_holds_when_something_can_be_put_there(void **state)
{
	(void)state;
	set_up(0, true);
	n->partial.prev = NULL;
	assert_true(node_end_holds(s, n, true, LIST_HEAD, &at));
	assert_false(node_end_holds(s, n, true, LIST_TAIL, &at));
	/* slab 2 leads back to nothing of the head's */
	n->partial.prev = &slab[2]->slab_list;
	assert_false(node_end_holds(s, n, true, LIST_TAIL, &at));
	assert_ptr_equal(at.link, &slab[3]->slab_list);
	n->partial.prev = &slab[4]->slab_list;
	assert_true(node_end_holds(s, n, true, LIST_TAIL, &at));
	slab[0]->slab_list.prev = NULL;
	assert_false(node_end_holds(s, n, true, LIST_HEAD, &at));
}

/* ---- rebuilt ---- */
static void a_broken_list_keeps_its_order(void **state)
{
	unsigned int i;

	(void)state;
	set_up(0, true);
	for (i = 0; i < SLABS; i++) {
		slab[i]->slab_list.next = NULL;
		node_rebuild(s, n);
		order_is(&n->partial, as_they_were, SLABS);
		slab[i]->slab_list.prev = (void *)0x41;
		node_rebuild(s, n);
		order_is(&n->partial, as_they_were, SLABS);
		/* both of them, and what it lacks comes where it breaks */
		slab[i]->slab_list.prev = slab[i]->slab_list.next = NULL;
		node_rebuild(s, n);
		order_is(&n->partial, as_they_were, SLABS);
		intact(s);
	}
}

static void a_list_without_its_head_keeps_its_slabs(void **state)
{
	(void)state;
	set_up(0, true);
	n->partial.next = n->partial.prev = NULL;
	n->nr_partial = 77;
	node_rebuild(s, n);
	/* the map's order: descriptors by address */
	assert_int_equal(n->nr_partial, SLABS);
	intact(s);
	n->full.next = NULL;
	node_rebuild(s, n);
	intact(s);
}

static void a_lost_mark_comes_back_to_what_is_reached(void **state)
{
	(void)state;
	set_up(0, true);
	slab[1]->flags &= ~SL_PARTIAL;
	slab[3]->flags &= ~SL_PARTIAL;
	slab[2]->slab_list.next = NULL;
	node_rebuild(s, n);
	order_is(&n->partial, as_they_were, SLABS);
	intact(s);
}

static void a_list_cut_in_the_middle_loses_nothing(void **state)
{
	/* as the map has them: of 0, 2, 4, 1, 3 the ones in the middle */
	static const unsigned int wanted[] = { 0, 3, 1, 2, 4 };

	(void)state;
	set_up(0, true);
	/* 1, 2 and 3 hang together, and neither end leads to them */
	slab[0]->slab_list.next = NULL;
	slab[4]->slab_list.prev = NULL;
	node_rebuild(s, n);
	assert_int_equal(n->nr_partial, SLABS);
	order_is(&n->partial, wanted, SLABS);
	intact(s);
}

static void full_slabs_come_back_too(void **state)
{
	unsigned int i;

	(void)state;
	set_up(SLAB_STORE_USER, false);
	order_is(&n->full, as_they_were, SLABS);
	for (i = 0; i < SLABS; i++) {
		slab[i]->slab_list.next = slab[i]->slab_list.prev = NULL;
		node_rebuild(s, n);
		order_is(&n->full, as_they_were, SLABS);
		intact(s);
	}
	/* marked by mistake, and reached on the full list */
	slab[2]->flags |= SL_PARTIAL;
	node_rebuild(s, n);
	order_is(&n->full, as_they_were, SLABS);
	intact(s);
}

static void what_is_of_another_node_or_cache_is_left_alone(void **state)
{
	struct kmem_cache *other;
	void *p;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_nodes = 2 });
	set_up(0, true);
	p = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	other = kmem_cache_create("other", 3000, NULL,
				  SLAB_NO_MERGE | NO_SHEAVES);
	alloc(other);
	n->partial.next = n->partial.prev = NULL;
	node_rebuild(s, n);
	assert_int_equal(n->nr_partial, SLABS);
	assert_ptr_equal(s->node[1]->partial.next, &slab_of(p)->slab_list);
	intact(s);
	intact(other);
}

static void a_frozen_slab_stays_off_all_lists(void **state)
{
	static const unsigned int wanted[] = { 0, 1, 3, 4 };

	(void)state;
	set_up(SLAB_DEBUG_DEFAULT_FLAGS, false);
	node_remove_full(s, n, slab[2]);
	slab[2]->frozen = 1;
	slab[1]->slab_list.next = NULL;
	node_rebuild(s, n);
	order_is(&n->full, wanted, 4);
	assert_true(slab_is_unlinked(slab[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(an_intact_node_holds_everywhere),
		lab_test(a_link_outside_the_map_does_not_hold),
		lab_test(a_neighbour_that_does_not_lead_back_does_not_hold),
		lab_test(a_neighbour_marked_otherwise_does_not_hold),
		lab_test(the_other_lists_head_does_not_hold),
		lab_test(a_marked_slab_on_no_list_does_not_hold),
		lab_test(an_end_holds_when_something_can_be_put_there),
		lab_test(a_broken_list_keeps_its_order),
		lab_test(a_list_without_its_head_keeps_its_slabs),
		lab_test(a_lost_mark_comes_back_to_what_is_reached),
		lab_test(a_list_cut_in_the_middle_loses_nothing),
		lab_test(full_slabs_come_back_too),
		lab_test(what_is_of_another_node_or_cache_is_left_alone),
		lab_test(a_frozen_slab_stays_off_all_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

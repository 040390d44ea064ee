/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/debug_states.c - arrows D1 to D11 of slab-states.md, and
 * what each failed check does to its slab
 */
#include "../ring.h"

#include "debug/check.h"
#include "slab/node.h"

#define FZPU SLAB_DEBUG_DEFAULT_FLAGS

static void poke(void *at, uint8_t byte)
{
	*(volatile uint8_t *)at = byte;
}

/* Fills a slab: nr objects into p, all of one slab. */
static unsigned int fill_slab(struct kmem_cache *s, void **p)
{
	unsigned int nr = 0;

	do
		p[nr++] = alloc(s);
	while (slab_of(p[0])->inuse < slab_of(p[0])->objects);
	return nr;
}

/* ---- D1 to D5: allocation ---- */
static void d1_a_new_slab_goes_to_the_head_of_partial(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	struct slab *old = slab_of(alloc(s));
	void *b;

	(void)state;
	/* what is not marked as a slab is passed over, and stays listed */
	old->type = PAGE_PAGES;
	b = alloc(s);
	old->type = PAGE_SLAB;
	assert_true(slab_is_partial(slab_of(b)));
	assert_ptr_equal(s->node[0]->partial.next, &slab_of(b)->slab_list);
	assert_ptr_equal(s->node[0]->partial.prev, &old->slab_list);
	assert_int_equal(slab_of(b)->inuse, 1);
	assert_int_equal(s->node[0]->nr_slabs, 2);
	intact(s);
}

static void d1_a_new_slab_of_one_object_is_full_at_once(void **state)
{
	struct kmem_cache *s = cache(20000, SLAB_STORE_USER);
	void *a = alloc(s);

	(void)state;
	assert_int_equal(slab_of(a)->objects, 1);
	assert_false(slab_is_partial(slab_of(a)));
	assert_ptr_equal(s->node[0]->full.next, &slab_of(a)->slab_list);
	intact(s);
}

static void t3_a_new_slab_goes_back_when_the_lock_is_held(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);

	(void)state;
	other_takes(&s->node[0]->list_lock);
	assert_null(kmem_cache_alloc(s, 0));
	other_releases(&s->node[0]->list_lock);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	assert_int_equal(s->node[0]->nr_slabs, 0);
	intact(s);
}

static void damaging_ctor(void *object)
{
	/* behind the object: what a constructor may not write to */
	memset((char *)object + 64, 0x11, 1);
}

static void d2_a_new_slab_that_fails_its_checks_is_leaked_uncounted(void **state)
{
	struct kmem_cache *s;

	(void)state;
	s = kmem_cache_create("ring", 64, 0,
			      SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS,
			      damaging_ctor);
	/* who may not wait gets NULL instead of slab after slab */
	assert_null(kmem_cache_alloc(s, 0));
	assert_string_equal(lab_said(),
			    "Right Redzone overwritten; FIX RESTORING; FIX ALL_USED");
	assert_int_equal(s->node[0]->nr_slabs, 0);
	assert_int_equal(s->node[0]->nr_partial, 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 1);
}

static void d3_an_allocation_takes_the_head_of_the_chain(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s), *b = alloc(s);

	(void)state;
	assert_ptr_equal((char *)b - (char *)a, (char *)(uintptr_t)s->size);
	assert_int_equal(slab_of(a)->inuse, 2);
	assert_true(slab_is_partial(slab_of(a)));
	intact(s);
}

static void d4_the_last_object_moves_the_slab_to_full(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a[64];

	(void)state;
	fill_slab(s, a);
	assert_false(slab_is_partial(slab_of(a[0])));
	assert_ptr_equal(s->node[0]->full.next, &slab_of(a[0])->slab_list);
	assert_int_equal(s->node[0]->nr_partial, 0);
	intact(s);
}

static void d4_without_store_user_a_full_slab_is_on_no_list(void **state)
{
	struct kmem_cache *s = cache(64, SLAB_CONSISTENCY_CHECKS);
	void *a[64];

	(void)state;
	fill_slab(s, a);
	assert_true(list_empty(&slab_of(a[0])->slab_list));
	assert_true(list_empty(&s->node[0]->full));
	intact(s);
}

static void d5_a_failed_allocation_check_freezes_the_slab(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s), *b;
	struct slab *slab = slab_of(a);

	(void)state;
	kmem_cache_free(s, a);
	poke((char *)a + 10, 0x41);
	b = alloc(s);
	assert_ptr_not_equal(slab_of(b), slab);
	assert_string_equal(lab_said(),
			    "Poison overwritten; FIX RESTORING; FIX ALL_USED");
	assert_true(slab->frozen);
	assert_int_equal(slab->inuse, slab->objects);
	assert_null(slab->freelist);
	assert_false(slab_is_partial(slab));
	assert_true(list_empty(&slab->slab_list));
	assert_int_equal(s->node[0]->nr_slabs, 2);
	assert_int_equal(((uint8_t *)a)[10], POISON_FREE);
	intact(s);
}

/* ---- D6 to D10: frees ---- */
static void d6_the_first_free_to_a_full_slab_goes_to_the_tail(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a[64], *b;

	(void)state;
	fill_slab(s, a);
	b = alloc(s);
	kmem_cache_free(s, a[3]);
	assert_ptr_equal(s->node[0]->partial.prev, &slab_of(a[0])->slab_list);
	assert_ptr_equal(s->node[0]->partial.next, &slab_of(b)->slab_list);
	assert_true(list_empty(&s->node[0]->full));
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_ADD_PARTIAL], 1);
	intact(s);
}

static void d7_a_full_slab_emptied_at_once_is_discarded_at_the_limit(void **state)
{
	struct kmem_cache *s = cache(20000, SLAB_STORE_USER);
	void *a = alloc(s);

	(void)state;
	slab_cache_set_min_partial(s, 0);
	kmem_cache_free(s, a);
	assert_int_equal(s->node[0]->nr_slabs, 0);
	assert_true(list_empty(&s->node[0]->full));
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_SLAB], 1);
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_REMOVE_PARTIAL], 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	intact(s);
}

static void d7_a_full_slab_does_not_count_itself(void **state)
{
	struct kmem_cache *s = cache(20000, SLAB_STORE_USER);
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

static void d8_a_free_leaves_a_partial_slab_in_its_place(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a[64], *b, *c;

	(void)state;
	fill_slab(s, a);
	b = alloc(s);
	c = alloc(s);
	kmem_cache_free(s, a[0]);
	assert_ptr_equal(slab_of(b), slab_of(c));
	kmem_cache_free(s, c);
	assert_ptr_equal(s->node[0]->partial.next, &slab_of(b)->slab_list);
	assert_ptr_equal(s->node[0]->partial.prev, &slab_of(a[0])->slab_list);
	intact(s);
}

static void d8_an_emptied_slab_below_the_limit_stays_in_place(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	assert_int_equal(s->node[0]->nr_slabs, 1);
	assert_int_equal(slab_of(a)->inuse, 0);
	assert_true(slab_is_partial(slab_of(a)));
	intact(s);
}

static void d9_an_emptied_slab_at_the_limit_is_discarded(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s);

	(void)state;
	/* np >= mp counts the slab itself: 1 >= 1 */
	slab_cache_set_min_partial(s, 1);
	kmem_cache_free(s, a);
	assert_int_equal(s->node[0]->nr_slabs, 0);
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_REMOVE_PARTIAL], 1);
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_SLAB], 1);
	intact(s);
}

static unsigned int nr_changes, nr_locked_changes;

static void at_nr_slabs(void *arg, enum slab_point_kind point)
{
	struct kmem_cache *s = arg;

	if (point != SLAB_POINT_NR_SLABS)
		return;
	nr_changes++;
	nr_locked_changes += lock_is_held(&s->node[0]->list_lock);
}

static void d9_a_discarded_slab_is_counted_out_under_the_lock(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);

	(void)state;
	slab_cache_set_min_partial(s, 0);
	nr_changes = nr_locked_changes = 0;
	slab_machine_set_point_hook(lab.m, at_nr_slabs, s);
	kmem_cache_free(s, alloc(s));
	slab_machine_set_point_hook(lab.m, NULL, NULL);
	/* D1 and D9 */
	assert_int_equal(nr_changes, 2);
	assert_int_equal(nr_locked_changes, 2);
}

static void d10_a_refused_free_changes_nothing_and_leaks(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s);
	struct slab *slab = slab_of(a);
	void *head = slab->freelist;

	(void)state;
	poke((char *)a + 64, 0x41);
	kmem_cache_free(s, a);
	assert_string_equal(lab_said(),
			    "Right Redzone overwritten; FIX RESTORING; FIX NOT_FREED");
	assert_int_equal(slab_machine_errors(lab.m), 3);
	assert_int_equal(slab->inuse, 1);
	assert_ptr_equal(slab->freelist, head);
	assert_true(slab_is_partial(slab));
	assert_int_equal(((uint8_t *)a)[64], SLUB_RED_ACTIVE);
	intact(s);
	/* put right, it can be freed now */
	lab_forget();
	kmem_cache_free(s, a);
	assert_string_equal(lab_said(), "");
	assert_int_equal(slab->inuse, 0);
}

static void d10_a_chain_is_refused_whole_for_one_bad_object(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *p[3] = { alloc(s), alloc(s), alloc(s) };
	struct slab *slab = slab_of(p[0]);
	void *head = slab->freelist;
	const struct slab_report *fix = &lab.records[2];

	(void)state;
	memset(p[2], 0x11, 64);
	poke((char *)p[1] + 64, 0x41);
	/* the last comes first */
	kmem_cache_free_bulk(s, 3, p);
	assert_string_equal(lab_said(),
			    "Right Redzone overwritten; FIX RESTORING; FIX NOT_FREED");
	assert_int_equal(fix->object, (uintptr_t)p[1]);
	assert_int_equal(slab->inuse, 3);
	assert_ptr_equal(slab->freelist, head);
	/* what came before it is marked free already */
	assert_int_equal(*(uint8_t *)p[2], POISON_FREE);
	intact(s);
}

static void d11_a_refused_free_that_dropped_the_chain_moves_the_slab(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s);
	struct slab *slab = slab_of(a);

	(void)state;
	slab->freelist = (void *)0x41414141;
	poke((char *)a + 64, 0x41);
	kmem_cache_free(s, a);
	assert_string_equal(lab_said(),
			    "Freepointer corrupt; FIX FREELIST_CLEARED; Right Redzone overwritten; FIX RESTORING; FIX NOT_FREED");
	assert_false(slab_is_partial(slab));
	assert_int_equal(s->node[0]->nr_partial, 0);
	assert_ptr_equal(s->node[0]->full.next, &slab->slab_list);
	assert_int_equal(slab->inuse, slab->objects);
	intact(s);
}

static void d11_a_dropped_chain_takes_the_slab_off_partial_at_once(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s), *b = alloc(s);
	struct slab *slab = slab_of(a);

	(void)state;
	slab->freelist = (void *)0x41414141;
	kmem_cache_free(s, a);
	/* the free goes on: D6 */
	assert_string_equal(lab_said(),
			    "Freepointer corrupt; FIX FREELIST_CLEARED");
	assert_true(slab_is_partial(slab));
	/* it looked full, but was listed, and stays where it is */
	assert_int_equal(lab.events[SLAB_EVENT_LIST_ADD_PARTIAL], 1);
	assert_ptr_equal(slab->freelist, a);
	assert_int_equal(slab->inuse, slab->objects - 1);
	intact(s);
	slab->freelist = (void *)0x41414141;
	lab_forget();
	assert_int_equal(validate_slab_cache(s), 1);
	assert_false(slab_is_partial(slab));
	assert_ptr_equal(s->node[0]->full.next, &slab->slab_list);
	assert_int_equal(s->node[0]->nr_partial, 0);
	(void)b;
	intact(s);
}

static void d11_without_store_user_nothing_is_listed_twice(void **state)
{
	struct kmem_cache *s = cache(64, SLAB_CONSISTENCY_CHECKS);
	void *a = alloc(s), *b = alloc(s);
	struct slab *slab = slab_of(a);

	(void)state;
	slab->freelist = (char *)a + 1;
	assert_int_equal(validate_slab_cache(s), 1);
	assert_int_equal(s->node[0]->nr_partial, 0);
	intact(s);
	kmem_cache_free(s, b);
	assert_int_equal(s->node[0]->nr_partial, 1);
	intact(s);
	assert_ptr_equal(alloc(s), b);
	intact(s);
}

static void traced_caches_say_each_step(void **state)
{
	struct kmem_cache *s = cache(64, SLAB_TRACE);
	void *a = alloc(s);

	(void)state;
	assert_int_equal(lab.nr_traces, 1);
	kmem_cache_free(s, a);
	assert_int_equal(lab.nr_traces, 2);
	alloc(cache(64, FZPU));
	assert_int_equal(lab.nr_traces, 2);
}

/* ---- claims ---- */
static void claim_14_debug_caches_keep_full_lists_only_with_users(void **state)
{
	struct kmem_cache *with = cache(64, SLAB_STORE_USER);
	struct kmem_cache *without = cache(64, SLAB_RED_ZONE);
	void *p[128];

	(void)state;
	fill_slab(with, p);
	fill_slab(without, p);
	assert_false(list_empty(&with->node[0]->full));
	assert_true(list_empty(&without->node[0]->full));
}

static void claim_15_frozen_means_a_failed_check_and_no_allocation(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s), *p[200];
	struct slab *slab = slab_of(a);
	unsigned int i;

	(void)state;
	kmem_cache_free(s, a);
	poke(a, 0x41);
	for (i = 0; i < 200; i++) {
		p[i] = alloc(s);
		assert_ptr_not_equal(slab_of(p[i]), slab);
	}
	assert_true(slab->frozen && slab->inuse == slab->objects);
	intact(s);
}

static void claim_16_objects_freed_into_a_frozen_slab_are_leaked(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s), *b = alloc(s);
	struct slab *slab = slab_of(a);
	uint8_t before[64];

	(void)state;
	kmem_cache_free(s, a);
	poke(a, 0x41);
	alloc(s);
	memset(b, 0x77, 64);
	memcpy(before, b, 64);
	lab_forget();
	kmem_cache_free(s, b);
	assert_string_equal(lab_said(),
			    "Slab disabled since SLUB metadata consistency check failed; FIX NOT_FREED");
	assert_int_equal(slab_machine_errors(lab.m), 2);
	assert_memory_equal(b, before, 64);
	assert_null(slab->freelist);
	assert_int_equal(slab->inuse, slab->objects);
	/* one for each free, no limit */
	kmem_cache_free(s, b);
	assert_int_equal(slab_machine_errors(lab.m), 4);
}

static void claim_17_no_other_state_than_the_four_is_seen(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *p[300];
	unsigned int i, j;

	(void)state;
	for (i = 0; i < 300; i++)
		p[i] = alloc(s);
	for (i = 0; i < 300; i += 3)
		kmem_cache_free(s, p[i]);
	poke(p[0], 0x41);
	for (i = 0; i < 60; i++)
		alloc(s);
	for (j = 0; j < lab.m->pages_opened; j++) {
		struct slab *slab = &lab.m->memmap[j];
		bool full;

		if (slab->type != PAGE_SLAB)
			continue;
		full = !slab->freelist && slab->inuse == slab->objects;
		assert_false(slab_is_partial(slab) && (full || slab->frozen));
		assert_false(slab->frozen && !full);
	}
	intact(s);
}

static struct {
	struct kmem_cache *s;
	unsigned int held, seen;
} watch;

static void at_point(void *arg, enum slab_point_kind point)
{
	(void)arg;
	if (point == SLAB_POINT_LIST_UNLOCK)
		watch.held++;
}

static void note_event(void *arg, const struct slab_event *event)
{
	(void)arg;
	if (event->kind == SLAB_EVENT_POP || event->kind == SLAB_EVENT_PUSH)
		watch.seen += lock_is_held(&watch.s->node[0]->list_lock);
}

static void claim_20_debug_caches_pop_and_push_under_list_lock(void **state)
{
	struct kmem_cache *s = cache(64, FZPU);
	void *a = alloc(s), *b;

	(void)state;
	watch.s = s;
	watch.held = watch.seen = 0;
	slab_machine_set_point_hook(lab.m, at_point, NULL);
	slab_machine_set_event_hook(lab.m, note_event, NULL);
	b = alloc(s);
	kmem_cache_free(s, b);
	kmem_cache_free(s, a);
	validate_slab_cache(s);
	assert_int_equal(watch.seen, 3);
	assert_int_equal(watch.held, 4);
}

static void claim_27_no_full_list_without_debugging(void **state)
{
	struct kmem_cache *s = cache(64, 0);
	unsigned int i;
	void *p[128];

	(void)state;
	for (i = 0; i < 128; i++)
		p[i] = alloc(s);
	assert_true(list_empty(&s->node[0]->full));
	s = cache(64, NO_SHEAVES);
	fill_slab(s, p);
	assert_true(list_empty(&s->node[0]->full));
	assert_true(list_empty(&slab_of(p[0])->slab_list));
	/* so validate has nothing to look at */
	assert_int_equal(validate_slab_cache(s), 0);
}

static void claim_29_any_debug_flag_leaves_the_fast_path(void **state)
{
	static const slab_flags_t flags[] = { SLAB_CONSISTENCY_CHECKS,
					      SLAB_RED_ZONE, SLAB_POISON,
					      SLAB_STORE_USER, SLAB_TRACE };
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct kmem_cache *s = cache(64, flags[i]);

		alloc(s);
		assert_int_equal(s->sheaf_capacity, 0);
		assert_int_equal(s->stats[0][SLAB_STAT_ALLOC_SLOWPATH], 1);
		assert_int_equal(s->stats[0][SLAB_STAT_ALLOC_FASTPATH], 0);
	}
	assert_int_equal(cache(64, SLAB_FAILSLAB)->sheaf_capacity, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(d1_a_new_slab_goes_to_the_head_of_partial),
		lab_test(d1_a_new_slab_of_one_object_is_full_at_once),
		lab_test(t3_a_new_slab_goes_back_when_the_lock_is_held),
		lab_test(d2_a_new_slab_that_fails_its_checks_is_leaked_uncounted),
		lab_test(d3_an_allocation_takes_the_head_of_the_chain),
		lab_test(d4_the_last_object_moves_the_slab_to_full),
		lab_test(d4_without_store_user_a_full_slab_is_on_no_list),
		lab_test(d5_a_failed_allocation_check_freezes_the_slab),
		lab_test(d6_the_first_free_to_a_full_slab_goes_to_the_tail),
		lab_test(d7_a_full_slab_emptied_at_once_is_discarded_at_the_limit),
		lab_test(d7_a_full_slab_does_not_count_itself),
		lab_test(d8_a_free_leaves_a_partial_slab_in_its_place),
		lab_test(d8_an_emptied_slab_below_the_limit_stays_in_place),
		lab_test(d9_an_emptied_slab_at_the_limit_is_discarded),
		lab_test(d9_a_discarded_slab_is_counted_out_under_the_lock),
		lab_test(d10_a_refused_free_changes_nothing_and_leaks),
		lab_test(d10_a_chain_is_refused_whole_for_one_bad_object),
		lab_test(d11_a_refused_free_that_dropped_the_chain_moves_the_slab),
		lab_test(d11_a_dropped_chain_takes_the_slab_off_partial_at_once),
		lab_test(d11_without_store_user_nothing_is_listed_twice),
		lab_test(traced_caches_say_each_step),
		lab_test(claim_14_debug_caches_keep_full_lists_only_with_users),
		lab_test(claim_15_frozen_means_a_failed_check_and_no_allocation),
		lab_test(claim_16_objects_freed_into_a_frozen_slab_are_leaked),
		lab_test(claim_17_no_other_state_than_the_four_is_seen),
		lab_test(claim_20_debug_caches_pop_and_push_under_list_lock),
		lab_test(claim_27_no_full_list_without_debugging),
		lab_test(claim_29_any_debug_flag_leaves_the_fast_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* tests/unit/slab/barn.c - sheaves come and go, as alloc-free-paths.md 3.11
 * has it: which list, which limit, which lock; and barn_check() */
#include "../sheaves.h"

static struct slab_sheaf *first_of(const struct list_head *list)
{
	return container_of(list->next, struct slab_sheaf, list);
}

/* So many of each, and what is asked is done with them. */
static struct kmem_cache *with(unsigned int full, unsigned int empty)
{
	struct kmem_cache *s = few();

	arrange_barn(s, full, empty);
	return s;
}

static void has(struct kmem_cache *s, unsigned int full, unsigned int empty)
{
	assert_int_equal(barn_of(s)->nr_full, full);
	assert_int_equal(barn_of(s)->nr_empty, empty);
	assert_null(barn_check(s, barn_of(s)));
	assert_false(lock_is_held(&barn_of(s)->lock));
}

static void get_empty_takes_the_last_one_in(void **state)
{
	struct kmem_cache *s = with(1, 2);
	struct slab_sheaf *first = first_of(&barn_of(s)->sheaves_empty);

	(void)state;
	assert_ptr_equal(barn_get_empty(s, barn_of(s), true), first);
	has(s, 1, 1);
	sheaf_free(s, first);
	sheaf_free(s, barn_get_empty(s, barn_of(s), true));
	has(s, 1, 0);
	/* a peek says so, and no lock is taken */
	count_points();
	assert_null(barn_get_empty(s, barn_of(s), true));
	at_end();
	assert_int_equal(passed[SLAB_POINT_BARN_LOCK], 0);
}

static void full_or_empty_prefers_full(void **state)
{
	struct kmem_cache *s = with(1, 1);
	struct slab_sheaf *sheaf = barn_get_full_or_empty(s, barn_of(s));

	(void)state;
	assert_int_equal(sheaf->size, FEW);
	has(s, 0, 1);
	sheaf_flush(s, sheaf);
	sheaf_free(s, sheaf);
	sheaf = barn_get_full_or_empty(s, barn_of(s));
	assert_int_equal(sheaf->size, 0);
	has(s, 0, 0);
	sheaf_free(s, sheaf);
	count_points();
	assert_null(barn_get_full_or_empty(s, barn_of(s)));
	at_end();
	assert_int_equal(passed[SLAB_POINT_BARN_LOCK], 0);
}

static void replace_empty_gives_a_full_one_for_it(void **state)
{
	struct kmem_cache *s = with(2, 12);
	struct slab_sheaf *empty = a_sheaf(s, 0), *full;

	(void)state;
	full = barn_replace_empty(s, barn_of(s), empty, true);
	assert_int_equal(full->size, FEW);
	assert_ptr_equal(first_of(&barn_of(s)->sheaves_empty), empty);
	has(s, 1, 13);
	barn_put_full(s, barn_of(s), full);
}

static void replace_empty_keeps_nothing_when_it_has_nothing(void **state)
{
	struct kmem_cache *s = with(0, 1);
	struct slab_sheaf *empty = a_sheaf(s, 0);

	(void)state;
	assert_null(barn_replace_empty(s, barn_of(s), empty, true));
	has(s, 0, 1);
	sheaf_free(s, empty);
}

static void flush_it(void *s)
{
	flush_barn(s, 0);
}

static void replace_empty_repeats_its_peek_under_the_lock(void **state)
{
	struct kmem_cache *s = with(1, 0);
	struct slab_sheaf *empty = a_sheaf(s, 0);

	(void)state;
	at(SLAB_POINT_BARN_LOCK, 1, flush_it, s);
	assert_null(barn_replace_empty(s, barn_of(s), empty, true));
	at_end();
	has(s, 0, 0);
	sheaf_free(s, empty);
}

static void the_others_repeat_theirs_too(void **state)
{
	struct kmem_cache *s = with(0, 1);

	(void)state;
	at(SLAB_POINT_BARN_LOCK, 1, flush_it, s);
	assert_null(barn_get_empty(s, barn_of(s), true));
	at_end();
	arrange_barn(s, 1, 1);
	at(SLAB_POINT_BARN_LOCK, 1, flush_it, s);
	assert_null(barn_get_full_or_empty(s, barn_of(s)));
	at_end();
	has(s, 0, 0);
}

static void replace_full_says_why_not(void **state)
{
	struct kmem_cache *s = with(10, 1);
	struct slab_sheaf *full = a_sheaf(s, FEW), *empty = NULL;
	struct node_barn *barn = barn_of(s);

	(void)state;
	assert_int_equal(barn_replace_full(s, barn, full, true, &empty),
			 -E2BIG);
	has(s, 10, 1);
	/* the limit goes before the lack of empties */
	arrange_barn(s, 10, 0);
	assert_int_equal(barn_replace_full(s, barn, full, true, &empty),
			 -E2BIG);
	arrange_barn(s, 9, 0);
	assert_int_equal(barn_replace_full(s, barn, full, true, &empty),
			 -ENOMEM);
	arrange_barn(s, 0, 1);
	other_takes(&barn->lock);
	assert_int_equal(barn_replace_full(s, barn, full, false, &empty),
			 -EBUSY);
	other_releases(&barn->lock);
	at(SLAB_POINT_BARN_LOCK, 1, flush_it, s);
	assert_int_equal(barn_replace_full(s, barn, full, true, &empty),
			 -ENOMEM);
	at_end();
	assert_null(empty);
	arrange_barn(s, 9, 1);
	assert_int_equal(barn_replace_full(s, barn, full, true, &empty), 0);
	has(s, 10, 0);
	assert_ptr_equal(first_of(&barn->sheaves_full), full);
	assert_int_equal(empty->size, 0);
	sheaf_free(s, empty);
}

static void who_tries_the_lock_gets_nothing_when_it_is_held(void **state)
{
	struct kmem_cache *s = with(1, 1);
	struct slab_sheaf *empty = a_sheaf(s, 0);

	(void)state;
	other_takes(&barn_of(s)->lock);
	assert_null(barn_get_empty(s, barn_of(s), false));
	assert_null(barn_replace_empty(s, barn_of(s), empty, false));
	other_releases(&barn_of(s)->lock);
	has(s, 1, 1);
	sheaf_free(s, empty);
}

static void puts_look_at_no_limit(void **state)
{
	struct kmem_cache *s = with(10, 10);

	(void)state;
	barn_put_full(s, barn_of(s), a_sheaf(s, FEW));
	barn_put_empty(s, barn_of(s), a_sheaf(s, 0));
	has(s, 11, 11);
}

static void take_all_leaves_nothing(void **state)
{
	struct kmem_cache *s = with(3, 2);
	struct list_head full, empty, *at;
	unsigned int nr = 0;

	(void)state;
	barn_take_all(s, barn_of(s), &full, &empty);
	has(s, 0, 0);
	for (at = full.next; at != &full; at = at->next)
		nr++;
	assert_int_equal(nr, 3);
	for (at = empty.next; at != &empty; at = at->next)
		nr++;
	assert_int_equal(nr, 5);
}

/* ---- barn_check() ---- */
static void breaks(struct kmem_cache *s, const char *wanted)
{
	const char *broken = barn_check(s, barn_of(s));

	assert_non_null(broken);
	assert_string_equal(broken, wanted);
}

static void check_finds_what_does_not_hold(void **state)
{
	struct kmem_cache *s = with(2, 2);
	struct node_barn *barn = barn_of(s);
	struct slab_sheaf *full = first_of(&barn->sheaves_full);

	(void)state;
	assert_null(barn_check(s, barn));
	barn->nr_full = 3;
	breaks(s, "P6: a barn's counts are its lists' lengths");
	barn->nr_full = 1;
	breaks(s, "P6: a barn's counts are its lists' lengths");
	barn->nr_full = 2;
	barn->nr_empty = 0;
	breaks(s, "P6: a barn's counts are its lists' lengths");
	barn->nr_empty = 2;
	full->size = 0;
	breaks(s, "P6: empty sheaves are empty, full ones not");
	full->size = FEW + 1;
	breaks(s, "P2: size <= capacity");
	full->size = FEW;
	full->place = SHEAF_LENT;
	breaks(s, "P4: a sheaf that rests is its cache's own");
	full->place = SHEAF_RESTS;
	first_of(&barn->sheaves_empty)->size = 1;
	breaks(s, "P6: empty sheaves are empty, full ones not");
	first_of(&barn->sheaves_empty)->size = 0;
	assert_null(barn_check(s, barn));
}

/* ---- damage ---- */
static void a_wrong_count_is_told_and_mended(void **state)
{
	struct kmem_cache *s = with(3, 0);
	struct node_barn *barn = barn_of(s);

	(void)state;
	barn->nr_empty = 2;
	assert_null(barn_get_empty(s, barn, true));
	assert_string_equal(lab_said(), "Barn corrupt");
	has(s, 3, 0);
}

static void a_cut_list_keeps_what_can_be_reached(void **state)
{
	struct kmem_cache *s = with(3, 1);
	struct node_barn *barn = barn_of(s);
	struct slab_sheaf *full;

	(void)state;
	first_of(&barn->sheaves_full)->list.next =
		(struct list_head *)0x4141414141414141UL;
	full = barn_get_full_or_empty(s, barn);
	assert_int_equal(full->size, FEW);
	assert_string_equal(lab_said(), "Barn corrupt");
	has(s, 0, 1);
}

static void a_head_that_leads_nowhere_is_an_empty_list(void **state)
{
	struct kmem_cache *s = with(2, 1);
	struct node_barn *barn = barn_of(s);
	struct slab_sheaf *empty = a_sheaf(s, 0);

	(void)state;
	barn->sheaves_full.next = NULL;
	assert_null(barn_replace_empty(s, barn, empty, true));
	assert_string_equal(lab_said(), "Barn corrupt");
	has(s, 0, 1);
	sheaf_free(s, empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(get_empty_takes_the_last_one_in),
		lab_test(full_or_empty_prefers_full),
		lab_test(replace_empty_gives_a_full_one_for_it),
		lab_test(replace_empty_keeps_nothing_when_it_has_nothing),
		lab_test(replace_empty_repeats_its_peek_under_the_lock),
		lab_test(the_others_repeat_theirs_too),
		lab_test(replace_full_says_why_not),
		lab_test(who_tries_the_lock_gets_nothing_when_it_is_held),
		lab_test(puts_look_at_no_limit),
		lab_test(take_all_leaves_nothing),
		lab_test(check_finds_what_does_not_hold),
		lab_test(a_wrong_count_is_told_and_mended),
		lab_test(a_cut_list_keeps_what_can_be_reached),
		lab_test(a_head_that_leads_nowhere_is_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

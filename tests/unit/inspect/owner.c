/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/owner.c - where objects rest, and chains that lie */
#include "../lab.h"

#include <slab/inject.h>
#include <slab/inspect.h>

#define FZPU SLAB_DEBUG_DEFAULT_FLAGS

static struct slab_target *target;

static int setup(void **state)
{
	lab_setup(state);
	return slab_target_open_self(lab.m, &target);
}

static int setup_hardened(void **state)
{
	lab_setup_hardened(state);
	return slab_target_open_self(lab.m, &target);
}

static int teardown(void **state)
{
	slab_target_close(target);
	return lab_teardown(state);
}

static void corrupt(const char *kind, const void *p)
{
	struct slab_corrupt_result result;

	if (slab_corrupt(lab.m, kind, (uintptr_t)p, NULL, &result))
		fail_msg("%s: %s", kind, result.why);
}

/* Owners of S1 by index, as slab_owner_letter() has them. */
static const char *owners(struct kmem_cache *s, unsigned int slab_nr)
{
	static char letters[512];
	struct slab_object_info *objects;
	size_t nr, i;

	assert_int_equal(slab_target_objects(target, (uintptr_t)s, slab_nr,
					     &objects, &nr),
			 0);
	for (i = 0; i < nr; i++)
		letters[i] = slab_owner_letter(objects[i].owner);
	letters[nr] = '\0';
	free(objects);
	return letters;
}

static struct slab_object_info object_at(struct kmem_cache *s, const void *p)
{
	struct slab_object_info *objects, ret = { .index = ~0U };
	size_t nr, i;

	assert_int_equal(slab_target_objects(target, (uintptr_t)s, 1, &objects,
					     &nr),
			 0);
	for (i = 0; i < nr; i++)
		if (objects[i].address == (uintptr_t)p)
			ret = objects[i];
	free(objects);
	assert_int_not_equal(ret.index, ~0U);
	return ret;
}

static struct slab_freelist_info freelist(struct kmem_cache *s)
{
	struct slab_freelist_info info;

	assert_int_equal(slab_target_freelist(target, (uintptr_t)s, 1, &info),
			 0);
	return info;
}

/* Objects of 1000 bytes: few a slab, so that owners can be read. */
static struct kmem_cache *cache(slab_flags_t flags)
{
	return kmem_cache_create("ring", 1000, NULL, flags | SLAB_NO_MERGE);
}

static void user_and_freelist_make_up_a_debug_slab(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, a);
	assert_string_equal(owners(s, 1), ".#......");
}

static void user_and_freelist_make_up_a_plain_slab(void **state)
{
	struct kmem_cache *s = cache(NO_SHEAVES);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, a);
	assert_string_equal(owners(s, 1), ".#......");
}

static void an_object_that_was_refused_is_lost(void **state)
{
	struct kmem_cache *s = cache(FZPU);
	uint8_t *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	corrupt("right-redzone", a);
	kmem_cache_free(s, a);
	assert_int_equal(object_at(s, a).owner, SLAB_OWNER_LOST);
}

static void a_pointer_into_an_object_that_was_refused_loses_nothing(void **state)
{
	struct kmem_cache *s = cache(FZPU);
	uint8_t *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, a + 8);
	assert_string_equal(lab_said(),
			    "Invalid object pointer 0x%p; FIX NOT_FREED");
	assert_int_equal(object_at(s, a).owner, SLAB_OWNER_USER);
}

static void an_object_freed_to_another_cache_is_lost(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	struct kmem_cache *other = kmem_cache_create("other", 96, NULL, 0);
	uint8_t *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(other, a);
	assert_string_equal(lab_said(), "object belongs to different cache");
	assert_int_equal(object_at(s, a).owner, SLAB_OWNER_LOST);
}

static void what_was_free_in_a_frozen_slab_is_lost(void **state)
{
	struct kmem_cache *s = cache(FZPU);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	void *b = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, a);
	corrupt("poison", a);
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(object_at(s, b).owner, SLAB_OWNER_USER);
	assert_int_equal(object_at(s, a).owner, SLAB_OWNER_LOST);
	assert_null(strchr(owners(s, 1), '.'));
}

static void behind_a_cut_chain_a_debug_cache_says_lost(void **state)
{
	struct kmem_cache *s = cache(SLAB_RED_ZONE);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, a);
	corrupt("freeptr-null", a);
	assert_string_equal(owners(s, 1), ".#XXXXXX");
}

static void behind_a_cut_chain_a_plain_cache_does_not_know(void **state)
{
	struct kmem_cache *s = cache(NO_SHEAVES);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, a);
	corrupt("freeptr-null", a);
	assert_string_equal(owners(s, 1), ".???????");
}

static void an_object_in_use_on_the_chain_stays_the_users(void **state)
{
	struct kmem_cache *s = cache(SLAB_RED_ZONE);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	void *b = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab_object_info info;

	(void)state;
	kmem_cache_free(s, a);
	corrupt("freeptr-object", a);
	info = object_at(s, b);
	assert_int_equal(info.owner, SLAB_OWNER_USER);
	assert_int_equal(info.freelist_pos, 1);
}

/* ---- the chain itself ---- */
static void a_chain_is_told_from_its_head(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	struct slab_freelist_info info;
	void *p[8];
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p[5]);
	kmem_cache_free(s, p[2]);
	info = freelist(s);
	assert_int_equal(info.end, SLAB_CHAIN_WHOLE);
	assert_int_equal(info.nr, 2);
	assert_int_equal(info.index[0], ((uintptr_t)p[2] & 0x1fff) / 1008);
	assert_int_equal(info.index[1], ((uintptr_t)p[5] & 0x1fff) / 1008);
	free(info.index);
	assert_int_equal(object_at(s, p[2]).next, (uintptr_t)p[5]);
	assert_int_equal(object_at(s, p[5]).freelist_pos, 1);
}

static void links_are_decoded(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	void *b = kmem_cache_alloc(s, GFP_KERNEL);
	uintptr_t word;

	(void)state;
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	assert_int_equal(object_at(s, b).next, (uintptr_t)a);
	assert_int_equal(slab_target_read(target, (uintptr_t)b + 1000, &word,
					  sizeof(word)),
			 0);
	assert_int_not_equal(word, (uintptr_t)a);
}

static void a_circle_is_walked_once(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab_freelist_info info;

	(void)state;
	corrupt("freelist-cycle", a);
	info = freelist(s);
	assert_int_equal(info.end, SLAB_CHAIN_CYCLE);
	assert_int_equal(info.nr, 7);
	free(info.index);
}

static void a_wild_link_is_told_and_not_followed(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab_freelist_info info;

	(void)state;
	kmem_cache_free(s, a);
	corrupt("freeptr-wild", a);
	info = freelist(s);
	assert_int_equal(info.end, SLAB_CHAIN_WILD);
	assert_int_equal(info.nr, 1);
	assert_int_equal(info.wild, 0x4141414141414141);
	free(info.index);
}

static void a_chain_that_ends_too_soon_is_short(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab_freelist_info info;

	(void)state;
	kmem_cache_free(s, a);
	corrupt("freeptr-null", a);
	info = freelist(s);
	assert_int_equal(info.end, SLAB_CHAIN_SHORT);
	assert_int_equal(info.nr, 1);
	free(info.index);
}

/* ---- damage ---- */
static void damaged_is_what_verify_finds_and_nothing_is_repaired(void **state)
{
	struct kmem_cache *s = cache(FZPU);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	void *b = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	corrupt("right-redzone", a);
	assert_true(object_at(s, a).is_damaged);
	assert_false(object_at(s, b).is_damaged);
	assert_true(object_at(s, a).is_damaged);
	assert_int_equal(lab.nr_records, 0);
}

static void the_requested_size_is_told(void **state)
{
	struct kmem_cache *s = kmem_cache_create(
		"ring", 1000, NULL, SLAB_KMALLOC | SLAB_STORE_USER);
	void *a = kmem_cache_alloc_orig(s, GFP_KERNEL, 700);

	(void)state;
	assert_int_equal(object_at(s, a).orig_size, 700);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(user_and_freelist_make_up_a_debug_slab),
		test(user_and_freelist_make_up_a_plain_slab),
		test(an_object_that_was_refused_is_lost),
		test(a_pointer_into_an_object_that_was_refused_loses_nothing),
		test(an_object_freed_to_another_cache_is_lost),
		test(what_was_free_in_a_frozen_slab_is_lost),
		test(behind_a_cut_chain_a_debug_cache_says_lost),
		test(behind_a_cut_chain_a_plain_cache_does_not_know),
		test(an_object_in_use_on_the_chain_stays_the_users),
		test(a_chain_is_told_from_its_head),
		cmocka_unit_test_setup_teardown(links_are_decoded,
						setup_hardened, teardown),
		test(a_circle_is_walked_once),
		test(a_wild_link_is_told_and_not_followed),
		test(a_chain_that_ends_too_soon_is_short),
		test(damaged_is_what_verify_finds_and_nothing_is_repaired),
		test(the_requested_size_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

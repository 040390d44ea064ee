/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/create.c - names, marks, and who shares with whom */
#include "../lab.h"

#include <errno.h>

#include "slab/slab.h"

static void writing_ctor(void *object)
{
	memset(object, 0x5c, 8);
}

static void names_have_at_most_63_letters(void **state)
{
	char name[65];

	(void)state;
	memset(name, 'n', 64);
	name[64] = '\0';
	assert_null(kmem_cache_create(name, 64, NULL, 0));
	assert_int_equal(errno, EINVAL);
	name[63] = '\0';
	assert_non_null(kmem_cache_create(name, 64, NULL, 0));
}

static void some_debug_caches_use_no_double_word_exchange(void **state)
{
	static const struct {
		slab_flags_t flags;
		bool wanted;
	} rows[] = {
		{ 0, true },
		{ SLAB_RED_ZONE, true },
		{ SLAB_POISON, true },
		{ SLAB_CONSISTENCY_CHECKS, false },
		{ SLAB_STORE_USER, false },
		{ SLAB_TRACE, false },
		{ SLAB_RED_ZONE | SLAB_STORE_USER, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kmem_cache *s =
			kmem_cache_create("p", 64, NULL, rows[i].flags);

		if (!!(s->flags & SLAB_CMPXCHG_DOUBLE) != rows[i].wanted)
			fail_msg("flags %#x: wanted %d", rows[i].flags,
				 rows[i].wanted);
	}
}

static void nobody_shares_with_what_would_not_share(void **state)
{
	struct kmem_cache *s = kmem_cache_create("c", 64, 8, 0, writing_ctor);

	(void)state;
	/* 8 more for the link of a constructed object: 72 */
	assert_ptr_not_equal(
		kmem_cache_create("a", s->size, NULL, SLAB_ACCOUNT), s);
	assert_ptr_not_equal(kmem_cache_create("b", s->size, NULL, 0), s);
	s = kmem_cache_create_usercopy("u", 128, 0, 0, 0, 8, NULL);
	assert_ptr_not_equal(kmem_cache_create("d", 128, NULL, 0), s);
}

static void slab_debug_keeps_a_cache_apart(void **state)
{
	struct kmem_cache *a = kmem_cache_create("a", 64, NULL, 0), *b;

	(void)state;
	slab_machine_sysctl(lab.m, "slab_debug", "P,b");
	b = kmem_cache_create("b", 64, NULL, 0);
	assert_ptr_not_equal(a, b);
	assert_true(b->flags & SLAB_POISON);
	assert_ptr_equal(kmem_cache_create("c", 64, NULL, 0), a);
}

static void a_is_no_flag_of_a_shared_cache(void **state)
{
	struct kmem_cache *s = kmem_cache_create("a", 64, NULL, 0);

	(void)state;
	assert_int_equal(slab_cache_set_failslab(s, true), 0);
	assert_int_equal(slab_cache_set_failslab(s, false), 0);
	kmem_cache_create("b", 64, NULL, 0);
	assert_int_equal(slab_cache_set_failslab(s, true), -EINVAL);
}

static void the_defrag_ratio_is_in_percent(void **state)
{
	struct kmem_cache *s = kmem_cache_create("a", 64, NULL, 0);

	(void)state;
	assert_int_equal(s->remote_node_defrag_ratio, 1000);
	assert_int_equal(slab_cache_set_defrag_ratio(s, 101), -ERANGE);
	assert_int_equal(s->remote_node_defrag_ratio, 1000);
	assert_int_equal(slab_cache_set_defrag_ratio(s, 30), 0);
	assert_int_equal(s->remote_node_defrag_ratio, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(names_have_at_most_63_letters),
		lab_test(some_debug_caches_use_no_double_word_exchange),
		lab_test(nobody_shares_with_what_would_not_share),
		lab_test(slab_debug_keeps_a_cache_apart),
		lab_test(a_is_no_flag_of_a_shared_cache),
		lab_test(the_defrag_ratio_is_in_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

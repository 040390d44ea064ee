/* SPDX-License-Identifier: MIT */
/* tests/unit/slab/freelist.c - how a link is stored */
#include "../lab.h"

#include "slab/freelist.h"

/* The word at p + 32, where the link of a free 64-byte object stands. */
static uintptr_t stored(const void *p)
{
	return word_read((const char *)p + 32);
}

static void
hardened_links_are_xored_with_secret_and_swapped_address(void **state)
{
	struct kmem_cache *s = kmem_cache_create("p", 64, NULL, SLAB_NO_MERGE);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	void *b = kmem_cache_alloc(s, GFP_KERNEL);
	uintptr_t at = (uintptr_t)b + 32;

	(void)state;
	assert_int_equal(s->offset, 32);
	kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	assert_int_equal(stored(b),
			 (uintptr_t)a ^ s->random ^ __builtin_bswap64(at));
	assert_ptr_equal(get_freepointer(s, b), a);
}

static void each_hardened_cache_has_a_secret(void **state)
{
	struct kmem_cache *a = kmem_cache_create("a", 64, NULL, SLAB_NO_MERGE);
	struct kmem_cache *b = kmem_cache_create("b", 64, NULL, SLAB_NO_MERGE);

	(void)state;
	assert_int_not_equal(a->random, 0);
	assert_int_not_equal(b->random, 0);
	assert_int_not_equal(a->random, b->random);
}

static void plain_links_are_addresses(void **state)
{
	struct kmem_cache *s = kmem_cache_create("p", 64, NULL, 0);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	void *b = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	assert_int_equal(stored(b), (uintptr_t)a);
	assert_int_equal(s->random, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test_hardened(
			hardened_links_are_xored_with_secret_and_swapped_address),
		lab_test_hardened(each_hardened_cache_has_a_secret),
		lab_test(plain_links_are_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

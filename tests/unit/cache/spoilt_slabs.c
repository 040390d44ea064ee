/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/spoilt_slabs.c - new slabs that fail their first check */
#include "../lab.h"

#include "base/bytes.h"

static unsigned int nr_bad;

/* Writes behind the object as long as nr_bad lasts. */
static void overflow(void *p)
{
	if (!nr_bad)
		return;
	nr_bad--;
	bytes_fill((uint8_t *)p + 200, 0x12, 1);
}

static struct kmem_cache *cache(void)
{
	struct kmem_cache_args args = { .ctor = overflow };

	return kmem_cache_create("ring", 200, &args,
				 SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS);
}

static void a_constructor_that_overflows_does_not_eat_the_memory(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	nr_bad = ~0U;
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(slab_machine_pages_used(lab.m), 8);
	assert_int_equal(slab_machine_reports(lab.m), 8);
}

static void a_few_spoilt_slabs_are_passed_over(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	nr_bad = 17; /* all objects of one slab */
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(slab_machine_pages_used(lab.m), 2);
	assert_string_equal(lab_said(), "Right Redzone overwritten; "
					"FIX RESTORING; FIX ALL_USED");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(a_constructor_that_overflows_does_not_eat_the_memory),
		lab_test(a_few_spoilt_slabs_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

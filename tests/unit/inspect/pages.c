/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/pages.c - every page that was given out has its use */
#include "../lab.h"

#include <slab/inspect.h>

#include "machine/page.h"

static struct slab_pages_info pages(void)
{
	struct slab_pages_info ret;
	struct slab_target *t;

	assert_int_equal(slab_target_open_self(lab.m, &t), 0);
	assert_int_equal(slab_target_pages(t, &ret), 0);
	slab_target_close(t);
	assert_int_equal(ret.slabs + ret.large + ret.whole + ret.waiting +
				 ret.orphans,
			 ret.used);
	return ret;
}

static void each_use_has_its_count(void **state)
{
	struct kmem_cache *s = __kmem_cache_create("s", 4096, 0, 0, NULL);
	unsigned long of_slab;
	struct slab *lost;
	void *p, *large, *whole;

	(void)state;
	assert_int_equal(pages().used, 0);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	of_slab = 1UL << virt_to_slab(lab.m, p)->order;
	assert_int_equal(pages().slabs, of_slab);
	large = kmalloc(20000, GFP_KERNEL);
	assert_int_equal(pages().large, 8);
	whole = slab_machine_alloc_pages(lab.m, 1);
	assert_int_equal(pages().whole, 2);
	lost = pages_alloc(lab.m, GFP_KERNEL, 2, NUMA_NO_NODE);
	assert_int_equal(pages().waiting, 4);
	assert_int_equal(pages().used, of_slab + 8 + 2 + 4);
	pages_free(lab.m, lost);
	kfree(large);
	slab_machine_free_pages(lab.m, whole);
	assert_int_equal(pages().used, of_slab);
	kmem_cache_free(s, p);
	kmem_cache_shrink(s);
	assert_int_equal(pages().used, 0);
}

static void slabs_of_a_cache_that_went_are_orphans(void **state)
{
	struct kmem_cache *s = __kmem_cache_create("s", 64, 0, 0, NULL);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(pages().slabs, 1);
	kmem_cache_destroy(s);
	assert_int_equal(pages().slabs, 0);
	assert_int_equal(pages().orphans, 1);
}

static void a_typesafe_slab_waits_for_its_grace_period(void **state)
{
	struct kmem_cache *s = __kmem_cache_create(
		"s", 64, 0, SLAB_TYPESAFE_BY_RCU | NO_SHEAVES, NULL);

	(void)state;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_shrink(s);
	assert_int_equal(pages().waiting, 1);
	slab_machine_rcu_barrier(lab.m);
	assert_int_equal(pages().waiting, 0);
	assert_int_equal(pages().used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(each_use_has_its_count),
		lab_test(slabs_of_a_cache_that_went_are_orphans),
		lab_test(a_typesafe_slab_waits_for_its_grace_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/destroy.c - what keeps a cache, and what goes with it */
#include "../lab.h"

#include "machine/page.h"
#include "slab/node.h"

static void a_cache_of_full_slabs_is_not_freed(void **state)
{
	struct kmem_cache *s = kmem_cache_create("p", 20000, NULL, 0);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(s->node[0]->nr_partial, 0);
	assert_int_equal(kmem_cache_destroy(s), -16);
	/* no list leads to it, so it is not listed */
	assert_string_equal(lab_said(), "Slab cache still has objects");
	assert_null(slab_cache_find(lab.m, "p"));
}

static void destroy_empties_every_node(void **state)
{
	struct kmem_cache *s;
	void *p[2];

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_nodes = 2 });
	s = kmem_cache_create("p", 64, NULL, 0);
	p[0] = kmem_cache_alloc_node(s, GFP_KERNEL, 0);
	p[1] = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	kmem_cache_free(s, p[0]);
	kmem_cache_free(s, p[1]);
	assert_int_equal(slab_machine_pages_used(lab.m), 2);
	assert_int_equal(kmem_cache_destroy(s), 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(a_cache_of_full_slabs_is_not_freed),
		lab_test(destroy_empties_every_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/alloc.c - from which node an object comes; a sheaf's:
 * refill.c */
#include "../lab.h"

#include "machine/page.h"
#include "slab/node.h"

/* The node of what CPU 0 (node 0) gets while node 1 has two partial slabs. */
static unsigned int node_of_next(unsigned long min_partial, unsigned int ratio)
{
	struct kmem_cache *s;
	unsigned int i;
	void *p[17];

	lab_reopen(
		&(struct slab_machine_config){ .nr_cpus = 2, .nr_nodes = 2 });
	s = kmem_cache_create("p", 1024, NULL, NO_SHEAVES);
	assert_int_equal(s->oo.objects, 16);
	for (i = 0; i < 17; i++)
		p[i] = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	kmem_cache_free(s, p[0]);
	assert_int_equal(s->node[1]->nr_partial, 2);
	slab_cache_set_min_partial(s, min_partial);
	assert_int_equal(slab_cache_set_defrag_ratio(s, ratio), 0);
	return virt_to_slab(lab.m, kmem_cache_alloc(s, GFP_KERNEL))->node;
}

static struct slab *slab_from(struct kmem_cache *s, unsigned int node)
{
	return virt_to_slab(lab.m,
			    kmem_cache_alloc_node(s, GFP_KERNEL, (int)node));
}

static void partial_slabs_are_those_of_the_wanted_node(void **state)
{
	struct kmem_cache *s;
	struct slab *slabs[2];
	unsigned int node;

	(void)state;
	lab_reopen(
		&(struct slab_machine_config){ .nr_cpus = 2, .nr_nodes = 2 });
	s = kmem_cache_create("p", 64, NULL, NO_SHEAVES);
	/* CPU 0 asks, which is node 0's */
	for (node = 0; node < 2; node++) {
		slabs[node] = slab_from(s, node);
		assert_int_equal(slabs[node]->node, node);
	}
	for (node = 0; node < 2; node++)
		assert_ptr_equal(slab_from(s, node), slabs[node]);
}

static void another_node_helps_out_above_min_partial(void **state)
{
	(void)state;
	assert_int_equal(node_of_next(1, 100), 1);
	assert_int_equal(node_of_next(2, 100), 0);
}

static void at_defrag_ratio_0_no_other_node_helps_out(void **state)
{
	(void)state;
	assert_int_equal(node_of_next(1, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(partial_slabs_are_those_of_the_wanted_node),
		lab_test(another_node_helps_out_above_min_partial),
		lab_test(at_defrag_ratio_0_no_other_node_helps_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

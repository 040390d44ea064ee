/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/machine/numa.c - which node's memory: nearness, the task's
 * policy, the emergency reserve (3.14, 3.15)
 */
#include "../sheaves.h"

/* Four nodes with a CPU each; node 2 has no memory. */
static void ring_of_nodes(void)
{
	lab_reopen(&(struct slab_machine_config){
		.nr_cpus = 4, .nr_nodes = 4, .memoryless = 1U << 2 });
}

static void the_nearest_node_with_memory_is_local(void **state)
{
	static const unsigned int wanted[] = { 0, 1, 3, 3 };
	unsigned int cpu;

	(void)state;
	ring_of_nodes();
	for (cpu = 0; cpu < 4; cpu++) {
		slab_machine_set_cpu(lab.m, cpu);
		assert_int_equal(machine_mem_node(lab.m), wanted[cpu]);
	}
	/* the ring closes */
	slab_machine_set_node_memory(lab.m, 3, false);
	assert_int_equal(machine_mem_node(lab.m), 0);
}

static unsigned int policy_node(enum slab_mempolicy policy, uint32_t nodes)
{
	assert_int_equal(slab_machine_set_mempolicy(lab.m, policy, nodes), 0);
	return machine_policy_node(lab.m);
}

static void each_policy_has_its_node(void **state)
{
	unsigned int i;

	(void)state;
	ring_of_nodes();
	slab_machine_set_cpu(lab.m, 1);
	assert_int_equal(policy_node(SLAB_MPOL_NONE, 0), 1);
	assert_int_equal(policy_node(SLAB_MPOL_LOCAL, 0), 1);
	assert_int_equal(policy_node(SLAB_MPOL_PREFERRED, 0xc), 2);
	/* the first with memory, by distance from here */
	assert_int_equal(policy_node(SLAB_MPOL_BIND, 0xd), 3);
	assert_int_equal(policy_node(SLAB_MPOL_BIND, 0x3), 1);
	assert_int_equal(policy_node(SLAB_MPOL_PREFERRED_MANY, 0x1), 0);
	/* none of the set has any */
	assert_int_equal(policy_node(SLAB_MPOL_BIND, 0x4), 1);
	/* in turn */
	for (i = 0; i < 2; i++) {
		enum slab_mempolicy by = i ? SLAB_MPOL_WEIGHTED_INTERLEAVE
					   : SLAB_MPOL_INTERLEAVE;

		assert_int_equal(policy_node(by, 0xb), 0);
		assert_int_equal(machine_policy_node(lab.m), 1);
		assert_int_equal(machine_policy_node(lab.m), 3);
		assert_int_equal(machine_policy_node(lab.m), 0);
	}
}

static unsigned int node_in_interrupt;

static void ask(void *m)
{
	node_in_interrupt = machine_policy_node(m);
}

static void an_interrupt_has_no_policy(void **state)
{
	(void)state;
	ring_of_nodes();
	assert_int_equal(policy_node(SLAB_MPOL_PREFERRED, 0x8), 3);
	slab_machine_interrupt(lab.m, ask, lab.m);
	assert_int_equal(node_in_interrupt, 0);
}

static void impossible_policies_are_refused(void **state)
{
	(void)state;
	ring_of_nodes();
	assert_int_equal(slab_machine_set_mempolicy(lab.m, SLAB_MPOL_BIND, 0),
			 -EINVAL);
	assert_int_equal(
		slab_machine_set_mempolicy(lab.m, SLAB_MPOL_BIND, 1U << 4),
		-EINVAL);
	assert_int_equal(slab_machine_set_mempolicy(lab.m, SLAB_MPOL_LOCAL, 0),
			 0);
	assert_int_equal(
		slab_machine_set_mempolicy(lab.m, SLAB_MPOL_LOCAL + 1, 1),
		-EINVAL);
}

/* ---- strict_numa ---- */
static void strict_requests_follow_the_policy(void **state)
{
	struct kmem_cache *s;

	(void)state;
	numa();
	s = few();
	arrange(s, "m4 s- r- f0 e0");
	slab_machine_set_mempolicy(lab.m, SLAB_MPOL_PREFERRED, 2);
	/* not without the parameter */
	assert_int_equal(slab_of(alloc(s))->node, 0);
	slab_machine_sysctl(lab.m, "slab_strict_numa", "1");
	assert_int_equal(slab_of(alloc(s))->node, 1);
	/* who names a node gets it */
	assert_int_equal(slab_of(kmem_cache_alloc_node(s, GFP_KERNEL, 0))->node,
			 0);
	/* a binding that has this node is served by its sheaves */
	slab_machine_set_mempolicy(lab.m, SLAB_MPOL_BIND, 3);
	stats_mark(s);
	assert_int_equal(slab_of(alloc(s))->node, 0);
	assert_string_equal(stats_since(s), "alloc_fastpath 1");
	/* one that has not, goes there */
	slab_machine_set_mempolicy(lab.m, SLAB_MPOL_BIND, 2);
	assert_int_equal(slab_of(alloc(s))->node, 1);
	slab_machine_set_mempolicy(lab.m, SLAB_MPOL_NONE, 0);
	assert_int_equal(slab_of(alloc(s))->node, 0);
	intact(s);
}

/* ---- refills ---- */

/* Nodes 1 and 3 can spare slabs; from which one does node 0 get its object? */
static unsigned int helper(enum slab_mempolicy policy, uint32_t nodes)
{
	struct kmem_cache *s;
	unsigned int nid, i;
	void *p[16];

	lab_reopen(
		&(struct slab_machine_config){ .nr_cpus = 4, .nr_nodes = 4 });
	s = few();
	slab_cache_set_min_partial(s, 100);
	for (nid = 1; nid < 4; nid += 2) {
		for (i = 0; i < 16; i++)
			p[i] = slow_alloc(s, GFP_KERNEL, (int)nid, 4096);
		free_to_slabs(s, 4, p);
		free_to_slabs(s, 4, p + 8);
	}
	slab_cache_set_min_partial(s, 1);
	s->remote_node_defrag_ratio = 1024;
	slab_machine_set_mempolicy(lab.m, policy, nodes);
	return slab_of(alloc(s))->node;
}

static void refills_walk_from_the_policys_node(void **state)
{
	(void)state;
	assert_int_equal(helper(SLAB_MPOL_NONE, 0), 1);
	assert_int_equal(helper(SLAB_MPOL_PREFERRED, 1U << 2), 3);
	assert_int_equal(helper(SLAB_MPOL_PREFERRED, 1U << 1), 1);
	assert_int_equal(helper(SLAB_MPOL_BIND, 1U << 3), 3);
}

/* ---- the reserve ---- */
static void who_may_use_it(void **state)
{
	(void)state;
	assert_false(machine_may_use_reserves(lab.m, GFP_KERNEL));
	assert_true(
		machine_may_use_reserves(lab.m, GFP_KERNEL | __GFP_MEMALLOC));
	slab_machine_set_memalloc(lab.m, true);
	assert_true(machine_may_use_reserves(lab.m, GFP_KERNEL));
	assert_false(machine_may_use_reserves(
		lab.m, GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOMEMALLOC));
}

static bool may_in_interrupt;

static void ask_reserves(void *m)
{
	may_in_interrupt = machine_may_use_reserves(m, GFP_ATOMIC);
}

static void a_task_may_and_its_interrupts_may_not(void **state)
{
	(void)state;
	slab_machine_set_memalloc(lab.m, true);
	slab_machine_interrupt(lab.m, ask_reserves, lab.m);
	assert_false(may_in_interrupt);
}

static void reserve_slabs_serve_the_entitled_alone(void **state)
{
	struct kmem_cache *s = few();
	void *p, *q;

	(void)state;
	arrange(s, "m0 s- r- f0 e0");
	slab_machine_set_page_limit(lab.m, 1);
	slab_machine_alloc_pages(lab.m, 0);
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	slab_machine_set_reserve(lab.m, 4);
	p = kmem_cache_alloc(s, GFP_KERNEL | __GFP_MEMALLOC);
	assert_non_null(p);
	assert_true(slab_of(p)->flags & SL_PFMEMALLOC);
	assert_int_equal(slab_machine_pages_used(lab.m), 2);
	/* and when the reserve is used up there is no more */
	q = kmem_cache_alloc(s, GFP_KERNEL | __GFP_MEMALLOC);
	assert_non_null(q);
	while (kmem_cache_alloc(s, GFP_KERNEL | __GFP_MEMALLOC))
		;
	assert_int_equal(slab_machine_pages_used(lab.m), 1 + 4);
	/* others do not get what is free there */
	kmem_cache_free(s, p);
	assert_int_equal(s->node[0]->nr_partial, 1);
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	/* with memory they get a new slab, though objects are free */
	slab_machine_set_page_limit(lab.m, 100);
	p = alloc(s);
	assert_false(slab_of(p)->flags & SL_PFMEMALLOC);
	assert_int_equal(s->node[0]->nr_partial, 2);
	intact(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(the_nearest_node_with_memory_is_local),
		lab_test(each_policy_has_its_node),
		lab_test(an_interrupt_has_no_policy),
		lab_test(impossible_policies_are_refused),
		lab_test(strict_requests_follow_the_policy),
		lab_test(refills_walk_from_the_policys_node),
		lab_test(who_may_use_it),
		lab_test(a_task_may_and_its_interrupts_may_not),
		lab_test(reserve_slabs_serve_the_entitled_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

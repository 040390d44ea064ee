/* SPDX-License-Identifier: MIT */
/*
 * The system's nodes become a native machine's: numbers, CPUs, memory. This
 * host may have one, so the topology is a table of ours where libnuma's is.
 */
#define _GNU_SOURCE
#include "../native.h"

#include <sched.h>
#include <unistd.h>

#include "base/bits.h"
#include "inspect/check.h"
#include "machine/host_nodes.h"
#include "machine/pages.h"

/* ---- a topology ---- */
static struct {
	int highest;
	int of_cpu[SLAB_MAX_CPUS];
	uint64_t with_memory;
	struct {
		uintptr_t start, end;
		int node;
	} bound[4096];
	unsigned int nr_bound;
} host;

static int highest(void)
{
	return host.highest;
}

static int of_cpu(int cpu)
{
	return host.of_cpu[cpu];
}

static bool has_memory(int node)
{
	return host.with_memory >> node & 1;
}

static void bind(void *start, unsigned long bytes, int node)
{
	assert_true(host.nr_bound < ARRAY_SIZE(host.bound));
	host.bound[host.nr_bound].start = (uintptr_t)start;
	host.bound[host.nr_bound].end = (uintptr_t)start + bytes;
	host.bound[host.nr_bound++].node = node;
}

static const struct host_nodes table = { highest, of_cpu, has_memory, bind };

/* The system's node that was asked for what lies at the address; -1: none. */
static int bound_to(const void *p)
{
	unsigned int i;

	for (i = 0; i < host.nr_bound; i++)
		if ((uintptr_t)p >= host.bound[i].start &&
		    (uintptr_t)p < host.bound[i].end)
			return host.bound[i].node;
	return -1;
}

static void open_host(int highest_node, uint64_t with_memory,
		      const struct slab_machine_config *config)
{
	host.highest = highest_node;
	host.with_memory = with_memory;
	host.nr_bound = 0;
	host_nodes = &table;
	native_open(config);
}

static int close_host(void **state)
{
	native_teardown(state);
	host_nodes = NULL;
	memset(&host, 0, sizeof(host));
	return 0;
}

static void cpus_alternate(unsigned int nr_nodes, int stride)
{
	unsigned int cpu;

	for (cpu = 0; cpu < SLAB_MAX_CPUS; cpu++)
		host.of_cpu[cpu] = (int)(cpu % nr_nodes) * stride;
}

/* ---- numbers ---- */
static void nodes_are_numbered_without_holes(void **state)
{
	unsigned int cpu;

	(void)state;
	/* 0 and 8, as POWER has them; 4 exists and has nothing */
	cpus_alternate(2, 8);
	open_host(8, 1U << 0 | 1U << 8, NULL);
	assert_int_equal(m->config.nr_nodes, 2);
	assert_int_equal(m->host_node[0], 0);
	assert_int_equal(m->host_node[1], 8);
	assert_int_equal(m->nodes_memory, 3);
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		assert_int_equal(slab_machine_cpu_node(m, cpu), cpu % 2);
}

static void a_node_without_memory_has_cpus_alone(void **state)
{
	(void)state;
	cpus_alternate(2, 1);
	open_host(2, 1U << 0 | 1U << 2, NULL);
	assert_int_equal(m->config.nr_nodes, 3);
	assert_int_equal(m->nodes_memory, 1U << 0 | 1U << 2);
	assert_false(slab_machine_node_memory(m, 1));
	/* what its CPUs get is of the nearest */
	assert_int_equal(slab_machine_cpu_node(m, 1), 1);
}

static void one_node_is_no_topology(void **state)
{
	(void)state;
	open_host(0, 1, NULL);
	assert_int_equal(m->config.nr_nodes, 1);
	kfree(kmalloc(10, GFP_KERNEL));
	assert_int_equal(host.nr_bound, 0);
}

static void a_topology_that_nobody_knows_is_one_node(void **state)
{
	(void)state;
	open_host(-1, ~0UL, NULL);
	assert_int_equal(m->config.nr_nodes, 1);
	slab_machine_destroy(m);
	/* nodes, and none with memory */
	cpus_alternate(2, 1);
	open_host(1, 0, NULL);
	assert_int_equal(m->config.nr_nodes, 1);
}

static void cpus_beyond_the_nodes_that_fit_are_still_somewhere(void **state)
{
	unsigned int cpu;

	(void)state;
	for (cpu = 0; cpu < SLAB_MAX_CPUS; cpu++)
		host.of_cpu[cpu] = cpu ? 20 : -1;
	open_host(20, (1UL << 21) - 1, NULL);
	assert_int_equal(m->config.nr_nodes, SLAB_MAX_NODES);
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		assert_int_equal(slab_machine_cpu_node(m, cpu),
				 cpu ? 20 % SLAB_MAX_NODES : 0);
}

/* ---- memory ---- */
static void what_is_asked_of_a_node_was_bound_to_it(void **state)
{
	unsigned int node, i;
	void *p;

	(void)state;
	cpus_alternate(3, 2);
	open_host(4, 0x15, NULL);
	assert_int_equal(m->config.nr_nodes, 3);
	for (i = 0; i < 300; i++) {
		struct slab *page;

		node = i % 3;
		page = pages_alloc(m, GFP_KERNEL | __GFP_THISNODE, i % 9,
				   (int)node);
		assert_non_null(page);
		assert_int_equal(page->node, node);
		assert_int_equal(bound_to((void *)slab_base(m, page)),
				 2 * (int)node);
		pages_free(m, page);
		p = kmalloc_node(1000, GFP_KERNEL | __GFP_THISNODE, (int)node);
		assert_non_null(p);
		assert_int_equal(bound_to(p), 2 * (int)node);
	}
	/* not a page of one piece was bound twice */
	for (i = 1; i < host.nr_bound; i++)
		assert_true(host.bound[i].start >= host.bound[i - 1].end);
}

static void pages_are_bound_before_they_are_touched(void **state)
{
	struct slab *page;

	(void)state;
	cpus_alternate(2, 1);
	open_host(1, 3, NULL);
	page = pages_alloc(m, GFP_KERNEL, 0, 1);
	assert_int_equal(host.nr_bound, 1);
	assert_int_equal(bound_to((void *)slab_base(m, page)), 1);
}

/* A limit that cuts a node's piece in two gives it the rest later. */
static void a_node_grows_within_its_piece(void **state)
{
	unsigned long nr;

	(void)state;
	cpus_alternate(2, 1);
	open_host(1, 3, NULL);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	print_message("a sanitizer's region is smaller, and so are its pieces\n");
	skip();
#endif
	for (nr = 0; nr < 40; nr++) {
		struct slab *page =
			pages_alloc(m, GFP_KERNEL, MAX_PAGE_ORDER, nr % 2);

		assert_non_null(page);
		assert_int_equal(page->node, nr % 2);
	}
	assert_int_equal(m->nodes[0].nr_pieces, 6);
	assert_int_equal(m->nodes[1].nr_pieces, 5);
}

/* ---- the allocator over it ---- */
static struct kmem_cache *shared;

static void *pass_around(void *arg)
{
	unsigned int cpu = (unsigned int)(uintptr_t)arg;
	size_t rounds = 0;
	void *p[400];
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(cpu % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &only);
	sched_setaffinity(0, sizeof(only), &only);
	while (!over()) {
		unsigned int i;

		for (i = 0; i < 400; i++) {
			p[i] = kmem_cache_alloc_node(shared, GFP_KERNEL,
						     i % 3 ? NUMA_NO_NODE
							   : (int)(i / 3 % 2));
			if (!p[i])
				abort();
			*(size_t *)p[i] = cpu * 1000 + i;
		}
		for (i = 0; i < 400; i++) {
			if (*(size_t *)p[i] != cpu * 1000 + i)
				abort();
			kmem_cache_free(shared, p[i]);
		}
		rounds++;
	}
	return (void *)rounds;
}

static void threads_of_two_nodes_lose_nothing(void **state)
{
	unsigned int i;

	(void)state;
	cpus_alternate(2, 1);
	open_host(1, 3, NULL);
	shared = kmem_cache_create("shared", 128, NULL, SLAB_NO_MERGE);
	assert_non_null(shared);
	for (i = 0; i < 4; i++)
		team_add(&team, pass_around, (void *)(uintptr_t)i);
	team_run(&team, 400);
	assert_true(team_stop(&team) > 0);
	assert_null(cache_check(shared));
	assert_int_equal(kmem_cache_shrink(shared), 0);
	kmem_cache_destroy(shared);
	assert_int_equal(slab_machine_pages_used(m), 0);
	assert_int_equal(nr_said, 0);
}

/* libnuma itself, whatever it finds: its names are there, and one node stays
 * one. */
static void libnuma_is_only_asked_where_there_are_several(void **state)
{
	(void)state;
	host_nodes = NULL;
	native_open(NULL);
	assert_int_equal(host_nodes != NULL, m->config.nr_nodes > 1);
	assert_false(m->nodes_unknown);
}

#define nodes_test(name) cmocka_unit_test_teardown(name, close_host)

int main(void)
{
	const struct CMUnitTest tests[] = {
		nodes_test(nodes_are_numbered_without_holes),
		nodes_test(a_node_without_memory_has_cpus_alone),
		nodes_test(one_node_is_no_topology),
		nodes_test(a_topology_that_nobody_knows_is_one_node),
		nodes_test(cpus_beyond_the_nodes_that_fit_are_still_somewhere),
		nodes_test(what_is_asked_of_a_node_was_bound_to_it),
		nodes_test(pages_are_bound_before_they_are_touched),
		nodes_test(a_node_grows_within_its_piece),
		nodes_test(threads_of_two_nodes_lose_nothing),
		nodes_test(libnuma_is_only_asked_where_there_are_several),
	};

	(void)native_setup;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * machine/numa.c - which node's memory: nearness, policy, reserves
 *
 * The nodes stand in a ring: the nearest to node n are n, n + 1, n + 2, ...
 */
#include "machine/machine.h"

#include <errno.h>

#include "base/bits.h"

static unsigned int nearest(const struct slab_machine *m, unsigned int from,
			    uint32_t nodes)
{
	unsigned int nr = m->config.nr_nodes, i;

	for (i = 0; i < nr; i++)
		if (nodes & (1U << (from + i) % nr))
			return (from + i) % nr;
	return from;
}

unsigned int machine_mem_node(const struct slab_machine *m)
{
	return nearest(m, machine_node(m), m->nodes_memory);
}

/* The first of the set, in number order. */
static unsigned int first_node(uint32_t nodes)
{
	return (unsigned int)__builtin_ctz(nodes);
}

static unsigned int next_in_turn(struct slab_machine *m)
{
	unsigned int node = nearest(m, m->policy.next % m->config.nr_nodes,
				    m->policy.nodes);

	m->policy.next = node + 1;
	return node;
}

unsigned int machine_policy_node(struct slab_machine *m)
{
	unsigned int here = machine_mem_node(m);
	uint32_t with_memory = m->policy.nodes & m->nodes_memory;

	if (m->in_interrupt)
		return here;
	switch (m->policy.mode) {
	case SLAB_MPOL_PREFERRED:
		return first_node(m->policy.nodes);
	case SLAB_MPOL_INTERLEAVE:
	case SLAB_MPOL_WEIGHTED_INTERLEAVE:
		return next_in_turn(m);
	case SLAB_MPOL_BIND:
	case SLAB_MPOL_PREFERRED_MANY:
		return with_memory ? nearest(m, here, with_memory) : here;
	case SLAB_MPOL_NONE:
	case SLAB_MPOL_LOCAL:
		break;
	}
	return here;
}

int machine_strict_node(struct slab_machine *m, int node)
{
	if (!m->params.strict_numa || node >= 0 || m->in_interrupt ||
	    m->policy.mode == SLAB_MPOL_NONE)
		return node;
	if (m->policy.mode == SLAB_MPOL_BIND &&
	    (m->policy.nodes & (1U << machine_mem_node(m))))
		return node;
	return (int)machine_policy_node(m);
}

int slab_machine_set_mempolicy(struct slab_machine *m,
			       enum slab_mempolicy policy, uint32_t nodes)
{
	bool needs_nodes = policy != SLAB_MPOL_NONE && policy != SLAB_MPOL_LOCAL;

	if ((unsigned int)policy > SLAB_MPOL_LOCAL ||
	    (nodes & ~((1U << m->config.nr_nodes) - 1)) ||
	    (needs_nodes && !nodes))
		return -EINVAL;
	m->policy.mode = policy;
	m->policy.nodes = nodes;
	m->policy.next = 0;
	return 0;
}

bool machine_may_use_reserves(const struct slab_machine *m, gfp_t gfp)
{
	if (gfp & __GFP_NOMEMALLOC)
		return false;
	if (gfp & __GFP_MEMALLOC)
		return true;
	return !m->in_interrupt && m->memalloc;
}

void slab_machine_set_reserve(struct slab_machine *m, unsigned long pages)
{
	m->reserve_pages = pages;
}

void slab_machine_set_memalloc(struct slab_machine *m, bool may)
{
	m->memalloc = may;
}

bool slab_machine_node_memory(const struct slab_machine *m, unsigned int node)
{
	return node < m->config.nr_nodes && node_has_memory(m, node);
}

bool slab_machine_cpu_online(const struct slab_machine *m, unsigned int cpu)
{
	return cpu < m->config.nr_cpu_ids && cpu_is_online(m, cpu);
}

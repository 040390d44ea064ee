/* SPDX-License-Identifier: MIT */
/*
 * cache/hotplug.c - CPUs and memory come and go
 *
 * spec/allocator/alloc-free-paths.md 3.20 and 3.22.
 */
#include "cache/sheaf.h"

#include <errno.h>

static void cpu_gone(struct slab_machine *m, unsigned int cpu)
{
	struct kmem_cache *s;

	machine_lock_caches(m);
	list_for_each_entry(s, &m->slab_caches, list)
		flush_dead_cpu(s, cpu);
	machine_unlock_caches(m);
	machine_krc_drain(m, cpu);
}

int slab_machine_set_cpu_online(struct slab_machine *m, unsigned int cpu,
				bool online)
{
	uint64_t bit;

	if (m->is_native)
		return -EOPNOTSUPP;
	if (cpu >= m->config.nr_cpu_ids)
		return -EINVAL;
	bit = 1ULL << cpu;
	if (online == cpu_is_online(m, cpu))
		return 0;
	if (!online && cpu == m->cpu)
		return -EBUSY;
	machine_lock(m, &m->cpus_lock, SLAB_POINT_CPUS_LOCK);
	m->cpus_online ^= bit;
	if (!online)
		cpu_gone(m, cpu);
	machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
	if (online)
		machine_step(m, SLAB_EVENT_CPU_ONLINE, cpu, 0);
	else
		machine_step(m, SLAB_EVENT_CPU_OFFLINE, cpu, 0);
	return 0;
}

static int give_barn(struct kmem_cache *s, unsigned int nid)
{
	return s->sheaf_capacity && !s->node[nid]->barn ?
		       cache_add_barn(s, nid) :
		       0;
}

int slab_machine_set_node_memory(struct slab_machine *m, unsigned int node,
				 bool has_memory)
{
	uint32_t bit;
	struct kmem_cache *s;
	int err = 0;

	if (m->is_native)
		return -EOPNOTSUPP;
	if (node >= m->config.nr_nodes)
		return -EINVAL;
	bit = 1U << node;
	if (has_memory == node_has_memory(m, node))
		return 0;
	if (!has_memory && m->nodes_memory == bit)
		return -EBUSY;
	machine_lock(m, &m->cpus_lock, SLAB_POINT_CPUS_LOCK);
	machine_lock_caches(m);
	list_for_each_entry(s, &m->slab_caches, list) {
		/* its structures stay: the memory may come back */
		if (!has_memory)
			cache_shrink(s);
		else if (!err)
			err = give_barn(s, node);
	}
	if (!err)
		m->nodes_memory ^= bit;
	machine_unlock_caches(m);
	machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
	if (err)
		return err;
	if (has_memory)
		machine_step(m, SLAB_EVENT_NODE_ONLINE, node, 0);
	else
		machine_step(m, SLAB_EVENT_NODE_OFFLINE, node, 0);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * machine/host_nodes.c - the system's nodes become a native machine's
 *
 * The system's numbers may have holes; ours have none, in the same order. Nodes
 * beyond SLAB_MAX_NODES lend their CPUs to the others.
 */
#define _GNU_SOURCE
#include "machine/host_nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "machine/pages.h"

const struct host_nodes *host_nodes;

#ifdef SLAB_HAVE_NUMA
#include <dlfcn.h>
#include <numa.h>
#include <numaif.h>

static struct {
	__typeof__(numa_available) *available;
	__typeof__(numa_max_node) *max_node;
	__typeof__(numa_node_of_cpu) *node_of_cpu;
	__typeof__(numa_node_size64) *node_size;
	__typeof__(numa_bitmask_isbitset) *is_set;
	__typeof__(mbind) *mbind;
	struct bitmask **all_nodes;
} numa;

static const struct {
	const char *name;
	void *at;
} names[] = {
	{ "numa_available", &numa.available },
	{ "numa_max_node", &numa.max_node },
	{ "numa_node_of_cpu", &numa.node_of_cpu },
	{ "numa_node_size64", &numa.node_size },
	{ "numa_bitmask_isbitset", &numa.is_set },
	{ "mbind", &numa.mbind },
	{ "numa_all_nodes_ptr", &numa.all_nodes },
};

static int highest(void)
{
	return numa.available() < 0 ? -1 : numa.max_node();
}

static int of_cpu(int cpu)
{
	return numa.node_of_cpu(cpu);
}

static bool has_memory(int node)
{
	return numa.node_size(node, NULL) > 0 &&
	       numa.is_set(*numa.all_nodes, (unsigned int)node);
}

static void bind(void *start, unsigned long bytes, int node)
{
	unsigned long nodes[16] = { 0 };

	if ((size_t)node >= 8 * sizeof(nodes))
		return;
	bitmap_set(nodes, (unsigned int)node);
	/* preferred: an empty node is no reason to kill the program */
	numa.mbind(start, bytes, MPOL_PREFERRED, nodes, 8 * sizeof(nodes), 0);
}

static const struct host_nodes by_libnuma = {
	.highest = highest,
	.of_cpu = of_cpu,
	.has_memory = has_memory,
	.bind = bind,
};

static const struct host_nodes *load(void)
{
	void *library = dlopen("libnuma.so.1",
			       RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	size_t i;

	if (!library)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		void *symbol = dlsym(library, names[i].name);

		if (!symbol)
			return NULL;
		memcpy(names[i].at, &symbol, sizeof(symbol));
	}
	return &by_libnuma;
}
#else
static const struct host_nodes *load(void)
{
	return NULL;
}
#endif

/* "0" is one node, "0-1" and "0,8" are several. */
static bool system_has_several(void)
{
	char text[256];
	int fd = open("/sys/devices/system/node/online", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strpbrk(text, "-,");
}

static void one_node(struct slab_machine *m)
{
	m->config.nr_nodes = 1;
	m->config.memoryless = 0;
	memset(m->cpu_node, 0, sizeof(m->cpu_node));
}

/* A node counts when it has memory or a CPU. */
static bool is_there(const struct slab_machine *m, int node)
{
	unsigned int cpu;

	if (host_nodes->has_memory(node))
		return true;
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		if (host_nodes->of_cpu((int)cpu) == node)
			return true;
	return false;
}

/* Our number of a system's node. */
static unsigned int number_of(const struct slab_machine *m, int node)
{
	unsigned int i;

	for (i = 0; i < m->config.nr_nodes; i++)
		if (m->host_node[i] == node)
			return i;
	return node > 0 ? (unsigned int)node % m->config.nr_nodes : 0;
}

static bool number_nodes(struct slab_machine *m)
{
	int highest = host_nodes->highest(), node;
	unsigned int nr = 0;

	m->config.memoryless = 0;
	for (node = 0; node <= highest && nr < SLAB_MAX_NODES; node++) {
		if (!is_there(m, node))
			continue;
		m->host_node[nr] = (uint16_t)node;
		if (!host_nodes->has_memory(node))
			m->config.memoryless |= 1U << nr;
		nr++;
	}
	m->config.nr_nodes = nr;
	return nr > 1 && m->config.memoryless != (1U << nr) - 1;
}

void host_nodes_find(struct slab_machine *m)
{
	int saved = errno;
	unsigned int cpu;

	m->nodes_unknown = false;
	if (!host_nodes && system_has_several()) {
		host_nodes = load();
		m->nodes_unknown = !host_nodes;
	}
	errno = saved;
	if (!host_nodes || !number_nodes(m)) {
		one_node(m);
		return;
	}
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		m->cpu_node[cpu] = (uint8_t)number_of(
			m, host_nodes->of_cpu((int)cpu));
}

void host_node_bind(const struct slab_machine *m, unsigned int node,
		    uintptr_t start, size_t bytes)
{
	int saved = errno;

	if (m->is_native && m->config.nr_nodes > 1)
		host_nodes->bind((void *)start, bytes, m->host_node[node]);
	errno = saved;
}

unsigned int native_cpu_node(const struct slab_machine *m, unsigned int cpu)
{
	return m->cpu_node[cpu % SLAB_MAX_CPUS];
}

/* SPDX-License-Identifier: MIT */
/*
 * machine/host_nodes.h - what libnuma is asked
 *
 * Looked for only where the system has several nodes, and never linked: who
 * runs on one node does not load it.
 */
#ifndef SLAB_MACHINE_HOST_NODES_H
#define SLAB_MACHINE_HOST_NODES_H

#include <stdbool.h>

struct host_nodes {
	int (*highest)(void);	      /* node; below 0: the kernel knows none */
	int (*of_cpu)(int cpu);	      /* below 0: nobody knows */
	bool (*has_memory)(int node); /* that this process may use */
	/* Fresh pages come from that node while it has some. */
	void (*bind)(void *start, unsigned long bytes, int node);
};

/* libnuma's; NULL: one node, or no libnuma. Tests put theirs here before the
 * machine is made. */
extern const struct host_nodes *host_nodes;

#endif

/* SPDX-License-Identifier: MIT */
/*
 * machine/fault.h - failures on purpose: one engine, and who asks it
 *
 *	failslab	 debug/failslab.c	for an object, by its bytes
 *	fail_page_alloc	 machine/pages.c	for pages, by their number
 *
 * Who asks goes through filters of its own first and comes here with what they
 * let pass; what is asked here, and in which order, is the same for all.
 *
 * Threads ask at once: what is counted is counted by each of them, and no more
 * of them fail than `times` says. fail_nth and make_it_fail are the thread's on
 * a native machine, as /proc/self/fail-nth is.
 */
#ifndef SLAB_MACHINE_FAULT_H
#define SLAB_MACHINE_FAULT_H

#include <slab/debug.h>

struct slab_machine;

struct fault {
	const char *name; /* as its directory and its messages call it */
	struct slab_fault_attr *attr; /* the machine's */
	unsigned long count; /* candidates that interval was asked for */
	uint64_t since;	     /* messages since then: */
	unsigned int said;
	int times; /* left, before the last one that was made to fail */
};

/* Nothing fails; what debugfs shows of a kernel that has just booted. */
void faults_init(struct slab_machine *m);

/* Whoever runs: the thread, or a virtual machine's one task. */
struct slab_fault_task *fault_task(struct slab_machine *m);

/*
 * Shall a request of this size fail? is_quiet: without a message. caller: as
 * machine_stack() takes it; the stack filter sees its frames.
 */
bool fault_should_fail(struct slab_machine *m, struct fault *f, int size,
		       bool is_quiet, uintptr_t caller);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * machine/fault.h - failures on purpose: one engine, and who asks it
 *
 *	failslab	 debug/failslab.c	for an object, by its bytes
 *	fail_page_alloc	 machine/pages.c	for pages, by their number
 *
 * Who asks goes through filters of its own first and comes here with what they
 * let pass; what is asked here, and in which order, is the same for all.
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
};

/* Nothing fails; what debugfs shows of a kernel that has just booted. */
void faults_init(struct slab_machine *m);

/*
 * Shall a request of this size fail? is_quiet: without a message. caller: as
 * machine_stack() takes it; the stack filter sees its frames.
 */
bool fault_should_fail(struct slab_machine *m, struct fault *f, int size,
		       bool is_quiet, uintptr_t caller);

#endif

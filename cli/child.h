/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * child.h - work in a process of its own: limited memory, limited time
 *
 * A script that makes the Tcl library abort, or a machine that crashes, takes
 * the child with it and nothing else.
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdbool.h>
#include <stddef.h>

struct child_result {
	int code;	/* of its exit; -1: it did not get that far */
	int signal;	/* that ended it; 0: none */
	bool timed_out; /* it was killed for that */
	char *output;	/* stdout and stderr, when captured; free() it */
	size_t size;
};

#define CODE_INTERRUPTED 130

/* Runs work(arg), whose value is the child's exit code, for at most limit
 * seconds (0: without limit). 0 or -errno. */
int child_run(int (*work)(void *arg), void *arg, double limit, bool captures,
	      struct child_result *ret);

/* Memory shared with children made later; goes with munmap(). */
void *child_shared(size_t size);

/* From now on this process may use 1 GiB of memory of its own. */
void child_limit_memory(void);

#endif

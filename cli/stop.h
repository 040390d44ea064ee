/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stop.h - operations that virtual CPUs are in the middle of
 *
 * `@1 stop-at POINT { free $a }` runs the command on a stack of its own
 * (slab/coroutine.h) and leaves it where it passes the point; other CPUs go on
 * until `@1 go`. While one is in the middle of something, every command that
 * works on the machine runs so: one that needs a lock which a stopped CPU
 * holds is left waiting, and goes on by itself when the lock is free.
 *
 * Tcl is never entered from those stacks: the words of a command are
 * substituted before, its variables are set when it ends.
 */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <slab/event.h>

#include "command.h"

/* Runs the command that first and objects name, on a stack of its own when it
 * must be; as command_dispatch(). What waits for a lock answers with a note. */
int stop_dispatch(const char *first, Tcl_Obj *const *objects, size_t nr,
		  const struct command **row, struct model **ret);

/* Every point of the machine comes by here. */
void stop_point(enum slab_point_kind point);

/* May `what` wait for every CPU? -EINVAL with the error set: one is stopped. */
int stop_refuse_barrier(const char *what);
/* May that CPU go away? */
int stop_refuse_offline(unsigned int cpu);
/* "stopped at list_lock", "waits for list_lock"; NULL: nothing of the kind. */
const char *stop_state(unsigned int cpu, char *buf, size_t size);

/* A line for each: a state in between looks like damage to a check. */
void stop_view(struct model *out);

/* The end of a script: finishes CPUs that are in the middle of something; then
 * -EINVAL with the error set. */
int stop_finish_all(void);
/* The machine goes, and they with it. */
void stop_forget_all(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * operation.h - a command on a stack of its own: it runs, is left at a point or
 * before a lock, and goes on
 */
#ifndef CLI_OPERATION_H
#define CLI_OPERATION_H

#include <slab/coroutine.h>
#include <slab/event.h>

#include "one_command.h"

#define NO_POINT SLAB_NR_POINTS

enum op_state { OP_RUNS, OP_STOPPED, OP_WAITS, OP_DONE };

struct op {
	struct slab_coroutine *coroutine;
	struct one_command command, inner; /* inner: the interrupt's */
	unsigned int cpu;
	enum op_state state;
	enum slab_point_kind stop, at;	/* NO_POINT: none */
	enum slab_point_kind interrupt; /* where inner runs */
	unsigned int nth;		/* passes of that point still to go */
	enum slab_point_kind
		passed[SLAB_NR_POINTS]; /* in the order of firsts */
	size_t nr_passed;
	bool in_interrupt, inner_ran;
	const void *lock; /* OP_WAITS */
	bool is_shown;	  /* a statement whose answer people see */
	struct where where;
	struct cli_error error; /* of the command; inner_error: of inner */
	struct cli_error inner_error;
	int result;
	const struct command *row, *inner_row;
	struct model *answer, *inner_answer;
	struct op *next;
};

extern struct op *ops;	   /* unfinished, the oldest first */
extern struct op *running; /* whose stack this is; NULL: the main one */

/* The one that a CPU is in the middle of; NULL: none. */
struct op *op_on(unsigned int cpu);
/* On the current CPU. Takes the words over. NULL with the error set. */
struct op *op_new(struct one_command *command);
void op_free(struct op *op);
/* Until it stops, waits or is done. */
void op_run(struct op *op);
/* Locks may be free now: those that waited go on, in the order they came. */
void op_retry_waiting(const struct op *but);

bool op_has_passed(const struct op *op, enum slab_point_kind point);
bool op_waits_for_itself(const struct op *op);
/* The CPU whose lock it waits for. */
unsigned int op_holder(const struct op *op);
/* "cpu 0 waits for list_lock, which cpu 1 holds: @1 go"; returns buf. */
const char *op_wait_text(const struct op *op, char *buf, size_t size);
/* What ends it: "@1 go finishes it". */
void op_go_hint(const struct op *op, char *buf, size_t size);
/* Its CPU has no hand free. */
int op_fail_busy(const struct op *op);
/* Do people see answers now? */
bool op_shows(void);

void error_move(struct cli_error *to, struct cli_error *from);

#endif

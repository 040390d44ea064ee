/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stop.c - what commands and scripts do while CPUs are in the middle of
 * something
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "operation.h"
#include "stop.h"

const char *stop_state(unsigned int cpu, char *buf, size_t size)
{
	const struct op *op = op_on(cpu);

	if (!op || op->state == OP_RUNS)
		return NULL;
	if (op->state == OP_STOPPED)
		snprintf(buf, size, "stopped at %s", slab_point_name(op->at));
	else
		snprintf(buf, size, "waits for %s", slab_lock_name(op->lock));
	return buf;
}

void stop_view(struct model *out)
{
	const struct op *op;
	char state[80];

	for (op = ops; op; op = op->next)
		view_text(out,
			  "cpu %u is in the middle of `%s` (%s): what lies in "
			  "between is no damage",
			  op->cpu, op->command.text,
			  stop_state(op->cpu, state, sizeof(state)));
}

/* ---- ordinary commands while somebody is in the middle of something ---- */

static const struct field note_returns = FIELD("waits", TEXT, "for whom");

static int op_take(struct op *op, const struct command **row,
		   struct model **ret)
{
	int err = op->result;

	*row = op->row;
	*ret = op->answer;
	op->answer = NULL;
	if (err)
		error_move(&session.error, &op->error);
	op_free(op);
	return err;
}

static int run_beside(const char *first, Tcl_Obj *const *objects, size_t nr,
		      const struct command **row, struct model **ret)
{
	struct one_command words = { .list = Tcl_NewListObj((int)nr, objects) };
	Tcl_Obj *name = Tcl_NewStringObj(first, -1);
	struct op *op = op_on(slab_machine_cpu(session.machine));
	char text[160];

	Tcl_IncrRefCount(words.list);
	Tcl_ListObjReplace(NULL, words.list, 0, 0, 1, &name);
	snprintf(words.text, sizeof(words.text), "%s",
		 Tcl_GetString(words.list));
	if (op) {
		one_command_free(&words);
		return op_fail_busy(op);
	}
	op = op_new(&words);
	one_command_free(&words);
	if (!op)
		return -EINVAL;
	op_run(op);
	if (op->state == OP_DONE) {
		int err = op_take(op, row, ret);

		op_retry_waiting(NULL);
		return err;
	}
	op->is_shown = true;
	*ret = model_new(&note_returns);
	root_text(*ret, "%s", op_wait_text(op, text, sizeof(text)));
	return 0;
}

int stop_dispatch(const char *first, Tcl_Obj *const *objects, size_t nr,
		  const struct command **row, struct model **ret)
{
	const struct command *c =
		ops ? command_find(first, nr ? Tcl_GetString(objects[0]) : NULL)
		    : NULL;

	if (!c || !c->operates || running)
		return command_dispatch(first, objects, nr, row, ret);
	*row = c;
	return run_beside(first, objects, nr, row, ret);
}

/* ---- ends ---- */

int stop_refuse_barrier(const char *what)
{
	const struct op *op;
	char hint[64], state[80];

	for (op = ops; op; op = op->next) {
		if (op == running)
			continue;
		op_go_hint(op, hint, sizeof(hint));
		return fail("busy", hint,
			    "%s waits for every CPU, and cpu %u is in the "
			    "middle of `%s`: %s",
			    what, op->cpu, op->command.text,
			    stop_state(op->cpu, state, sizeof(state)));
	}
	return 0;
}

int stop_refuse_offline(unsigned int cpu)
{
	const struct op *op = op_on(cpu);

	return op && op != running ? op_fail_busy(op) : 0;
}

int stop_finish_all(void)
{
	struct op *op = ops;
	size_t stuck = 0;
	char state[80], hint[64];

	if (!op)
		return 0;
	if (op_waits_for_itself(op))
		op_go_hint(op, hint, sizeof(hint));
	else
		snprintf(hint, sizeof(hint),
			 "@%u go belongs in front of the end", op->cpu);
	fail_answer("stopped", hint,
		    "the end came while cpu %u was in the middle of `%s`: %s; "
		    "%s",
		    op->cpu, op->command.text,
		    stop_state(op->cpu, state, sizeof(state)),
		    op_waits_for_itself(op) ? "it never ends"
					    : "it is finished now");
	while (ops && stuck < 1000) {
		for (op = ops; op && op_waits_for_itself(op); op = op->next)
			;
		if (!op)
			break;
		stuck++;
		op_run(op);
		if (op->state == OP_DONE)
			op_free(op);
		else
			op_retry_waiting(op);
	}
	stop_forget_all();
	return -EINVAL;
}

void stop_forget_all(void)
{
	while (ops)
		op_free(ops);
}

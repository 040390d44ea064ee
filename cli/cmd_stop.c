/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_stop.c - `stop-at`, `go`, `interrupt-at`: one CPU in the middle of a
 * command
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "operation.h"
#include "output.h"
#include "stop.h"

static const char *const sentences[] = {
#define POINT(id, name, sentence) [SLAB_POINT_##id] = sentence,
#include <slab/points.def>
#undef POINT
};

static const struct field stop_fields[] = {
	FIELD("cpu", COUNT, "the virtual CPU"),
	FIELD("state", TEXT, "stopped, waiting or done"),
	FIELD("command", TEXT, "what it is in the middle of"),
	FIELD("point", TEXT, "where it stands, or stood"),
	FIELD("says", TEXT, "what is about to happen there"),
	FIELD("holder", COUNT, "waiting: the CPU that holds the lock"),
	FIELD("answer", TEXT, "done: what the command answered"),
	FIELD("interrupt", TEXT, "what the interrupt answered"),
	{},
};
static const struct field stop_returns =
	FIELD("stop", RECORD, NULL, .of = stop_fields);

static const char *const state_names[] = {
	[OP_RUNS] = "running",
	[OP_STOPPED] = "stopped",
	[OP_WAITS] = "waiting",
	[OP_DONE] = "done",
};

static void put_answer(struct model *out, const char *name, struct model *m)
{
	Tcl_Obj *o = render_tcl(m);

	Tcl_IncrRefCount(o);
	put_text(out->root, name, "%s", Tcl_GetString(o));
	Tcl_DecrRefCount(o);
}

static void put_op(struct model *out, const struct op *op)
{
	struct value *r = out->root;
	char text[160];

	put_count(r, "cpu", op->cpu);
	put_text(r, "state", "%s", state_names[op->state]);
	put_text(r, "command", "%s", op->command.text);
	if (op->at != NO_POINT) {
		put_text(r, "point", "%s", slab_point_name(op->at));
		put_text(r, "says", "%s", sentences[op->at]);
	}
	if (op->state == OP_STOPPED && op->at != NO_POINT) {
		view_text(out, "cpu %u stands at %s in `%s`: %s", op->cpu,
			  slab_point_name(op->at), op->command.text,
			  sentences[op->at]);
	} else if (op->state == OP_WAITS) {
		put_count(r, "holder", op_holder(op));
		view_text(out, "%s", op_wait_text(op, text, sizeof(text)));
	} else if (op->answer) {
		put_answer(out, "answer", op->answer);
	}
	if (op->inner_answer)
		put_answer(out, "interrupt", op->inner_answer);
}

static int parse_point(const char *name, enum slab_point_kind *ret)
{
	const char *names[SLAB_NR_POINTS];
	unsigned int i;

	for (i = 0; i < SLAB_NR_POINTS; i++) {
		names[i] = slab_point_name(i);
		if (!strcmp(names[i], name)) {
			*ret = (enum slab_point_kind)i;
			return 0;
		}
	}
	fail("no_point", NULL, "no point named \"%.40s\"", name);
	hint_nearest(name, names, SLAB_NR_POINTS);
	if (!session.error.hint[0])
		snprintf(session.error.hint, sizeof(session.error.hint),
			 "help points lists them");
	return -EINVAL;
}

void complete_point(struct words *to)
{
	unsigned int i;

	for (i = 0; i < SLAB_NR_POINTS; i++)
		words_add(to, "%s", slab_point_name(i));
}

/* The command ended and never came by, or too seldom. */
static int fail_not_reached(const struct op *op, const char *name)
{
	enum slab_point_kind point =
		op->stop != NO_POINT ? op->stop : op->interrupt;
	char passed[400] = " no point";
	size_t used = 0, i;

	for (i = 0; i < op->nr_passed && used < sizeof(passed); i++)
		used += (size_t)snprintf(passed + used, sizeof(passed) - used,
					 " %s", slab_point_name(op->passed[i]));
	return fail_answer("not_reached", NULL,
			   "`%s` is done: it passed %s %s; it came by%s",
			   op->command.text, name,
			   op_has_passed(op, point) ? "too seldom" : "never",
			   passed);
}

static struct op *begin(const struct invocation *inv,
			struct one_command *command)
{
	struct op *op = op_on(slab_machine_cpu(inv->machine));
	enum slab_point_kind point;
	uint64_t nth = 1;

	if (op) {
		op_fail_busy(op);
		return NULL;
	}
	if (parse_point(arg_word(inv, "POINT"), &point) ||
	    arg_number(inv, "nth", 1U << 20, &nth))
		return NULL;
	if (!nth) {
		fail("number", "1 is the first", "nth=0: it is never passed");
		return NULL;
	}
	if (one_command_parse(inv->command->name, arg_object(inv, "COMMAND"),
			      command) ||
	    one_command_check(inv->command->name, command))
		return NULL;
	op = op_new(command);
	if (!op)
		return NULL;
	op->stop = point;
	op->nth = (unsigned int)nth;
	op->is_shown = true;
	return op;
}

static int stop_at(const struct invocation *inv, struct model *out)
{
	struct one_command command = { 0 };
	struct op *op = begin(inv, &command);
	int err = 0;

	one_command_free(&command);
	if (!op)
		return -EINVAL;
	op_run(op);
	put_op(out, op);
	if (op->state != OP_DONE)
		return 0;
	err = op->result;
	if (err)
		error_move(&session.error, &op->error);
	else
		err = fail_not_reached(op, arg_word(inv, "POINT"));
	op_free(op);
	op_retry_waiting(NULL);
	return err;
}

/* The answers of the command and of the interrupt, each as its own. */
static void show_answers(const struct op *op)
{
	if (!op_shows() || !op->is_shown)
		return;
	if (op->inner_answer && !op->inner_error.code[0])
		output_model(command_name(op->inner_row), op->inner_answer);
	if (!op->result)
		output_model(command_name(op->row), op->answer);
}

/* What is done is told; what is not stays. */
static int settle(struct op *op, struct model *out)
{
	int err = 0;

	put_op(out, op);
	if (op->state != OP_DONE)
		return 0;
	show_answers(op);
	view_text(out, "cpu %u is done with `%s`", op->cpu, op->command.text);
	if (op->result) {
		error_move(&session.error, &op->error);
		err = -EINVAL;
	} else if (op->inner_error.code[0]) {
		error_move(&session.error, &op->inner_error);
		err = -EINVAL;
	}
	op_free(op);
	op_retry_waiting(NULL);
	return err;
}

static int fail_not_stopped(unsigned int cpu)
{
	char list[256] = "";
	size_t used = 0;
	struct op *op;

	for (op = ops; op && used < sizeof(list); op = op->next)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%scpu %u is in the middle of `%.60s`",
					 used ? ", " : "", op->cpu,
					 op->command.text);
	return fail("not_stopped",
		    used ? list : "@1 stop-at POINT { COMMAND } stops one",
		    "go: cpu %u is not stopped", cpu);
}

static int go(const struct invocation *inv, struct model *out)
{
	unsigned int cpu = slab_machine_cpu(inv->machine);
	struct op *op = op_on(cpu);

	if (!op)
		return fail_not_stopped(cpu);
	op_run(op);
	return settle(op, out);
}

static int interrupt_at(const struct invocation *inv, struct model *out)
{
	struct one_command command = { 0 }, inner = { 0 };
	const char *who = inv->command->name;
	struct op *op;
	int err;

	if (one_command_parse(who, arg_object(inv, "INNER"), &inner) ||
	    one_command_check(who, &inner)) {
		one_command_free(&inner);
		return -EINVAL;
	}
	op = begin(inv, &command);
	one_command_free(&command);
	if (!op) {
		one_command_free(&inner);
		return -EINVAL;
	}
	op->inner = inner;
	op->interrupt = op->stop;
	op->stop = NO_POINT;
	op_run(op);
	if (op->state == OP_DONE && !op->result && !op->inner_ran) {
		err = fail_not_reached(op, arg_word(inv, "POINT"));
		op_free(op);
		op_retry_waiting(NULL);
		return err;
	}
	return settle(op, out);
}

/* ---- rows ---- */

#define POINT_ARGS                                                            \
	ARG("POINT", WORD, "a lock or an exchange: list_lock, isolated, ...", \
	    .is_required = true, .complete = complete_point)
#define NTH_ARG \
	ARG("nth", KEY, "the N-th time that it is passed; 1", .value = "N")

static const struct arg stop_args[] = {
	POINT_ARGS,
	ARG("COMMAND", WORD, "one command, in braces", .is_required = true),
	NTH_ARG,
	{},
};
static const struct arg interrupt_args[] = {
	POINT_ARGS,
	ARG("INNER", WORD, "what the interrupt does", .is_required = true),
	ARG("COMMAND", WORD, "what it interrupts", .is_required = true),
	NTH_ARG,
	{},
};
static const struct arg no_args[] = { {} };

#define INSTEAD "without --native, --cpus N makes CPUs that can be stopped"

const struct command stop_commands[] = {
	{
		.name = "stop-at",
		.brief = "leave this CPU in the middle of a command",
		.example = "stop-at list_lock { free $a }",
		.args = stop_args,
		.returns = &stop_returns,
		.run = stop_at,
		.instead = INSTEAD,
	},
	{
		.name = "go",
		.brief = "the stopped CPU goes on",
		.example = "stop-at list_lock { free $a }; go",
		.args = no_args,
		.returns = &stop_returns,
		.run = go,
		.instead = INSTEAD,
	},
	{
		.name = "interrupt-at",
		.brief = "something comes in between, on the same CPU",
		.example = "interrupt-at list_lock { free $b nolock } "
			   "{ free $a }",
		.args = interrupt_args,
		.returns = &stop_returns,
		.run = interrupt_at,
		.instead = INSTEAD,
	},
	{},
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * operation.c - stacks, points and locks of commands that are in the middle
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operation.h"
#include "output.h"
#include "stop.h"

struct op *ops;	    /* unfinished, the oldest first */
struct op *running; /* whose stack this is; NULL: the main one */

struct op *op_on(unsigned int cpu)
{
	struct op *op;

	for (op = ops; op && op->cpu != cpu; op = op->next)
		;
	return op;
}

/* ---- on the other stack ---- */

static int dispatch(const struct one_command *w, const struct command **row,
		    struct model **ret)
{
	Tcl_Obj **objects;
	const char *first;
	size_t nr;

	one_command_split(w, &first, &objects, &nr);
	return command_dispatch(first, objects, nr, row, ret);
}

static void stack_main(void *arg)
{
	struct op *op = arg;

	op->result = dispatch(&op->command, &op->row, &op->answer);
}

void error_move(struct cli_error *to, struct cli_error *from)
{
	free(to->detail);
	*to = *from;
	memset(from, 0, sizeof(*from));
}

/* In the interrupt, on whatever stack it came. */
static void interrupt_main(void *arg)
{
	struct op *op = arg;
	struct cli_error outer = { 0 };
	struct where where = session.where;
	uintptr_t site;

	error_move(&outer, &session.error);
	if (session.explains)
		output_story("cpu%u  an interrupt comes: %s", op->cpu,
			     op->inner.text);
	op->in_interrupt = true;
	if (dispatch(&op->inner, &op->inner_row, &op->inner_answer))
		error_move(&op->inner_error, &session.error);
	op->in_interrupt = false;
	if (session.explains)
		output_story("cpu%u  the interrupt ends", op->cpu);
	error_move(&session.error, &outer);
	session.where = where;
	site = slab_machine_site(session.machine, where.file, where.line,
				 where.text);
	if (site)
		slab_machine_set_site(session.machine, site);
}

bool op_has_passed(const struct op *op, enum slab_point_kind point)
{
	size_t i;

	for (i = 0; i < op->nr_passed; i++) {
		if (op->passed[i] == point)
			return true;
	}
	return false;
}

void stop_point(enum slab_point_kind point)
{
	struct op *op = running;

	if (!op)
		return;
	if (!op_has_passed(op, point))
		op->passed[op->nr_passed++] = point;
	if (op->in_interrupt || (point != op->stop && point != op->interrupt) ||
	    --op->nth)
		return;
	op->at = point;
	if (point == op->interrupt) {
		op->interrupt = NO_POINT;
		op->inner_ran = true;
		slab_machine_interrupt(session.machine, interrupt_main, op);
		return;
	}
	op->stop = NO_POINT;
	op->state = OP_STOPPED;
	slab_coroutine_back();
}

/* ---- run, and look what became of it ---- */

void op_run(struct op *op)
{
	struct op *outer = running;
	struct where where = session.where;
	struct cli_error error = { 0 };

	error_move(&error, &session.error);
	error_move(&session.error, &op->error);
	session.where = op->where;
	op->state = OP_RUNS;
	running = op;
	if (slab_coroutine_run(op->coroutine))
		op->state = OP_DONE;
	running = outer;
	op->where = session.where;
	error_move(&op->error, &session.error);
	session.where = where;
	error_move(&session.error, &error);
}

static void help_main(const void *lock);

static void wait_hook(void *unused, const void *lock)
{
	(void)unused;
	if (!running) {
		help_main(lock);
		return;
	}
	running->lock = lock;
	running->state = OP_WAITS;
	slab_coroutine_back();
}

void op_free(struct op *op)
{
	struct op **at;

	for (at = &ops; *at && *at != op; at = &(*at)->next)
		;
	if (*at)
		*at = op->next;
	slab_coroutine_destroy(op->coroutine);
	one_command_free(&op->command);
	one_command_free(&op->inner);
	model_put(op->answer);
	model_put(op->inner_answer);
	free(op->error.detail);
	free(op->inner_error.detail);
	free(op);
	if (!ops && session.machine)
		slab_machine_set_wait_hook(session.machine, NULL, NULL);
}

struct op *op_new(struct one_command *command)
{
	struct op *op = must_alloc(sizeof(*op)), **at;
	int err;

	op->command = *command;
	command->list = NULL;
	op->cpu = slab_machine_cpu(session.machine);
	op->stop = op->at = op->interrupt = NO_POINT;
	op->nth = 1;
	op->where = session.where;
	err = slab_coroutine_create(session.machine, stack_main, op,
				    &op->coroutine);
	if (err) {
		op_free(op);
		if (err == -ENOTSUP)
			fail("unsupported", NULL,
			     "a slabctl built with ThreadSanitizer leaves no "
			     "CPU in the middle of something");
		else
			fail("no_memory", NULL, "a stack: %s", strerror(-err));
		return NULL;
	}
	for (at = &ops; *at; at = &(*at)->next)
		;
	*at = op;
	slab_machine_set_wait_hook(session.machine, wait_hook, NULL);
	return op;
}

/* ---- what is told ---- */

/* In an interrupt, for what the code below it holds. */
bool op_waits_for_itself(const struct op *op)
{
	return op->state == OP_WAITS && op->in_interrupt &&
	       slab_lock_holder(op->lock) == op->cpu;
}

unsigned int op_holder(const struct op *op)
{
	unsigned int cpu = slab_lock_holder(op->lock);
	const struct op *other;

	if (cpu != op->cpu || op->in_interrupt)
		return cpu;
	/* work of another CPU that was done in the name of this one */
	for (other = ops; other; other = other->next) {
		if (other != op)
			return other->cpu;
	}
	return cpu;
}

const char *op_wait_text(const struct op *op, char *buf, size_t size)
{
	unsigned int holder = op_holder(op);

	if (op_waits_for_itself(op))
		snprintf(buf, size,
			 "cpu %u waits for %s, which it holds itself: it waits "
			 "for ever (machine reset)",
			 op->cpu, slab_lock_name(op->lock));
	else
		snprintf(buf, size,
			 "cpu %u waits for %s, which cpu %u holds: @%u go",
			 op->cpu, slab_lock_name(op->lock), holder, holder);
	return buf;
}

bool op_shows(void)
{
	return !session.in_scenario &&
	       (!session.opt.is_quiet || session.is_oneshot);
}

/* Its answer, or its error as a note: nobody else waits for it. */
static void tell_late(const struct op *op)
{
	if (op->state == OP_STOPPED) {
		if (op_shows() && session.opt.format == FORMAT_TEXT)
			output_story("cpu %u stands at %s now", op->cpu,
				     slab_point_name(op->at));
	} else if (op->result) {
		output_note("cpu %u: %s: %s", op->cpu, op->command.text,
			    op->error.message);
		session.has_bad_answer = true;
	} else if (op->is_shown && op_shows()) {
		if (session.opt.format == FORMAT_TEXT)
			output_story("cpu %u goes on: %s", op->cpu,
				     op->command.text);
		output_model(command_name(op->row), op->answer);
	}
}

void op_retry_waiting(const struct op *but)
{
	bool progress = true;

	while (progress) {
		struct op *op, *next;

		progress = false;
		for (op = ops; op; op = next) {
			next = op->next;
			if (op->state != OP_WAITS || op == but)
				continue;
			op_run(op);
			if (op->state == OP_WAITS)
				continue;
			progress = true;
			tell_late(op);
			if (op->state == OP_DONE)
				op_free(op);
		}
	}
}

/* The main stack can not be left: whoever holds the lock goes on first. It is
 * asked again while the lock is busy. */
static void help_main(const void *lock)
{
	static unsigned int fruitless;
	struct op *holder = op_on(slab_lock_holder(lock));

	if (holder) {
		output_note("%s waits for %s: cpu %u goes on",
			    session.where.text, slab_lock_name(lock),
			    holder->cpu);
		op_run(holder);
	}
	if (holder && holder->state != OP_WAITS) {
		fruitless = 0;
		tell_late(holder);
		if (holder->state == OP_DONE)
			op_free(holder);
		return;
	}
	op_retry_waiting(NULL);
	if (++fruitless < 100)
		return;
	output_fatal("deadlock", "every virtual CPU waits for another",
		     "a machine of its own is a process of its own");
	exit(EXIT_DIED);
}

void op_go_hint(const struct op *op, char *buf, size_t size)
{
	if (op_waits_for_itself(op))
		snprintf(buf, size, "it waits for itself: machine reset");
	else if (op->state == OP_WAITS)
		snprintf(buf, size, "@%u go frees the lock", op_holder(op));
	else
		snprintf(buf, size, "@%u go finishes it", op->cpu);
}

int op_fail_busy(const struct op *op)
{
	char hint[64], state[80];

	op_go_hint(op, hint, sizeof(hint));
	return fail("busy", hint, "cpu %u is in the middle of `%s`: %s",
		    op->cpu, op->command.text,
		    stop_state(op->cpu, state, sizeof(state)));
}

/* Done: its answer and its error become ours. */

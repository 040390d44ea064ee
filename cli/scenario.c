/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scenario.c - `scenario`: a title, a fresh machine, a body that must come true
 *
 * Each runs in a child process, so that even one that crashes is one failed
 * line, and nothing is left behind.
 *
 * On a native machine the process stays on one CPU, which objects rest on then,
 * and slabs are as large as those of a machine with one, unless the scenario
 * says otherwise; steps are told if its body has `expect event`: without, inline
 * paths work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "asan.h"
#include "child.h"
#include "commands.h"
#include "events.h"
#include "expect.h"
#include "interp.h"
#include "output.h"
#include "report_queue.h"
#include "scenario.h"
#include "stop.h"
#include "where.h"

void (*scenario_listener)(const struct scenario_result *result);
const char *scenario_filter;

enum exit_code outcome_exit(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_SKIPPED:
		return EXIT_SKIPPED;
	case OUTCOME_OK:
		return EXIT_FINE;
	case OUTCOME_FAILED:
		return EXIT_BAD_ANSWER;
	case OUTCOME_MISTAKE:
		return EXIT_USAGE;
	case OUTCOME_DIED:
		return EXIT_DIED;
	case NR_OUTCOMES:
		break;
	}
	return EXIT_DIED;
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_SKIPPED] = "skipped", [OUTCOME_OK] = "ok",
		[OUTCOME_FAILED] = "failed",   [OUTCOME_MISTAKE] = "mistake",
		[OUTCOME_DIED] = "died",
	};

	return names[outcome];
}

struct run {
	const struct invocation *inv;
	struct scenario_result *result; /* shared with the child */
};

static void take_error(struct scenario_result *r)
{
	const struct cli_error *e = &session.error;

	r->outcome = e->exit == EXIT_USAGE ? OUTCOME_MISTAKE : OUTCOME_FAILED;
	/* by this build, by a native machine */
	if (!strcmp(e->code, "unsupported") || !strcmp(e->code, "virtual"))
		r->outcome = OUTCOME_SKIPPED;
	snprintf(r->message, sizeof(r->message), "%s", e->message);
	snprintf(r->hint, sizeof(r->hint), "%s", e->hint);
	snprintf(r->file, sizeof(r->file), "%s", e->file);
	r->line = e->line;
	snprintf(r->detail, sizeof(r->detail), "%s",
		 e->detail ? e->detail : "");
}

/* The first that it may use: CPU 0, unless a cpuset has others. */
static void stay_on_one_cpu(void)
{
	cpu_set_t may, one;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(may), &may))
		return; /* a host of more CPUs than the set has */
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &may))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static int shape_native(const struct invocation *inv)
{
	bool is_said = false;
	size_t i;

	stay_on_one_cpu();
	session.tells_steps = strstr(arg_word(inv, "BODY"), "expect event");
	for (i = 0; i < session.opt.nr_sysctl; i++)
		is_said |=
			!strcmp(session.opt.sysctl[i].name, "slab_min_objects");
	return is_said ? 0
		       : session_set_machine_option(&session.opt,
						    "slab_min_objects", "8");
}

/* Keys shape the machine; a native one has its shape. */
static int shape_machine(const struct invocation *inv)
{
	size_t i;
	int err;

	for (i = 0; i < inv->nr_any; i++) {
		const char *key = inv->any[i].key, *value = inv->any[i].value;

		if (!strcmp(key, "needs"))
			continue;
		if (session.opt.is_native &&
		    (!strcmp(key, "cpus") || !strcmp(key, "nodes")))
			return fail("virtual", NULL,
				    "%s=%s: a native machine has the system's "
				    "%s",
				    key, value, *key == 'c' ? "CPUs" : "nodes");
		err = session_set_machine_option(&session.opt, key, value);
		if (err)
			return err;
	}
	return session.opt.is_native ? shape_native(inv) : 0;
}

/* In the child: everything here is its own. */
static int run_body(void *arg)
{
	struct run *run = arg;
	const struct invocation *inv = run->inv;
	struct where here = session.where;
	int code = TCL_ERROR;

	session.in_scenario = true;
	session.has_watchdog = false; /* the parent looks after this one */
	session.is_typing = session.is_oneshot = session.explains = false;
	session_drop_machine();
	report_queue_clear(session.reports);
	event_log_clear(session.events);
	interp_start_limit();
	child_limit_memory();
	run->result->outcome = OUTCOME_DIED;
	if (!shape_machine(inv) && session_machine())
		code = where_eval_body(arg_object(inv, "BODY"));
	session.where = here;
	if (code == TCL_ERROR) {
		interp_name_limit();
		take_error(run->result);
	} else if (stop_finish_all() || expect_nothing_left()) {
		take_error(run->result);
	} else {
		run->result->outcome = OUTCOME_OK;
	}
	return interrupted ? CODE_INTERRUPTED : 0;
}

static void tell_death(struct scenario_result *r, const struct child_result *c)
{
	r->outcome = OUTCOME_DIED;
	snprintf(r->file, sizeof(r->file), "%s", session.where.file);
	r->line = session.where.line;
	if (c->timed_out) {
		r->outcome = OUTCOME_MISTAKE;
		snprintf(r->message, sizeof(r->message),
			 "it did not end within %g s and was killed",
			 session.opt.limit_time);
	} else if (c->signal)
		snprintf(r->message, sizeof(r->message), "its process died: %s",
			 strsignal(c->signal));
	else if (c->code == EXIT_USAGE) { /* die_no_memory(), Tcl's panic */
		r->outcome = OUTCOME_MISTAKE;
		snprintf(r->message, sizeof(r->message),
			 "it used more memory than a script may");
	} else
		snprintf(r->message, sizeof(r->message),
			 "its process ended with code %d", c->code);
}

/* The end of the shell and of -f: a line, or an error with all of it. */
static int tell(const struct scenario_result *r, struct model *out)
{
	struct block *line;
	const char *message = r->message;
	bool is_ok = r->outcome == OUTCOME_OK;

	if (is_ok || r->outcome == OUTCOME_SKIPPED) {
		put_text(out->root, "title", "%s", r->title);
		put_text(out->root, "outcome", "%s", outcome_name(r->outcome));
		line = view_line(out);
		line_add(line, is_ok ? STYLE_GOOD : STYLE_WARN,
			 is_ok ? "ok" : "skip");
		line_add(line, STYLE_PLAIN, "%s%s", is_ok ? "    " : "  ",
			 r->title);
		if (!is_ok)
			view_text(out, "      %s", message);
		return 0;
	}
	fail_answer("scenario", r->hint, "scenario \"%.200s\": %.700s",
		    r->title, message);
	session.error.exit = outcome_exit(r->outcome);
	if (*r->file) {
		snprintf(session.error.file, sizeof(session.error.file), "%s",
			 r->file);
		session.error.line = r->line;
	}
	if (*r->detail)
		session.error.detail = must_strdup(r->detail);
	return -EINVAL;
}

static void skip(struct scenario_result *r, const char *what, const char *why)
{
	r->outcome = OUTCOME_SKIPPED;
	snprintf(r->message, sizeof(r->message), "it needs a %s%s%s", what,
		 *why ? ": " : "", why);
}

/* What stands behind "virtual": and blanks; NULL: it is something else. */
static const char *why_virtual(const char *need)
{
	if (strncmp(need, "virtual", 7))
		return NULL;
	need += 7;
	return !*need	      ? need
	       : *need == ':' ? need + 1 + strspn(need + 1, " ")
			      : NULL;
}

/* needs=: what must be there, or the scenario is skipped. */
static int check_needs(const struct invocation *inv, struct scenario_result *r)
{
	size_t i;

	for (i = 0; i < inv->nr_any; i++) {
		const char *need = inv->any[i].value, *why = why_virtual(need);

		if (strcmp(inv->any[i].key, "needs") != 0)
			continue;
		if (!why && strcmp(need, "asan"))
			return fail("value",
				    "needs=asan, {needs=virtual: reason}",
				    "scenario: needs=%.40s: nothing is known "
				    "by that name",
				    need);
		if (why && !*why)
			return fail("value",
				    "{needs=virtual: tracks have the names of "
				    "files}",
				    "scenario: needs=virtual wants a reason");
		if (why && session.opt.is_native)
			skip(r, "virtual machine", why);
		else if (!why && !HAS_ASAN)
			skip(r, "slabctl built with AddressSanitizer", "");
	}
	return 0;
}

static int run_scenario(struct run *run, struct child_result *child)
{
	double limit = session.opt.limit_time;
	int err;

	interp_start_limit();
	err = child_run(run_body, run, limit > 0 ? limit + 2 : 0,
			scenario_listener, child);
	interp_start_limit(); /* the time was the scenario's */
	if (err)
		return fail("process", NULL, "scenario: %s", strerror(-err));
	if (child->signal || child->timed_out || child->code)
		tell_death(run->result, child);
	return 0;
}

static int scenario(const struct invocation *inv, struct model *out)
{
	const char *title = arg_word(inv, "TITLE");
	struct scenario_result *r;
	struct child_result child = { 0 };
	struct run run = { .inv = inv };
	int err;

	if (session.in_scenario)
		return fail("nesting", NULL,
			    "a scenario can not stand inside a scenario");
	if (scenario_filter && !Tcl_StringMatch(title, scenario_filter))
		return 0;
	run.result = r = child_shared(sizeof(*r));
	snprintf(r->title, sizeof(r->title), "%s", title);
	r->outcome = OUTCOME_OK;
	err = check_needs(inv, r);
	if (!err && r->outcome != OUTCOME_SKIPPED)
		err = run_scenario(&run, &child);
	r->output = child.output ? child.output : "";
	if (err)
		;
	else if (child.code == CODE_INTERRUPTED)
		err = fail("interrupted", NULL, "interrupted");
	else if (scenario_listener)
		scenario_listener(r);
	else
		err = tell(r, out);
	free(child.output);
	munmap(r, sizeof(*r));
	return err;
}

static const struct field scenario_fields[] = {
	FIELD("title", TEXT, "of the scenario"),
	FIELD("outcome", TEXT, "ok or skipped; all else is an error"),
	{},
};
static const struct field scenario_returns =
	FIELD("scenario", RECORD, NULL, .of = scenario_fields);

static const struct arg scenario_args[] = {
	ARG("TITLE", WORD, "what it shows", .is_required = true),
	ARG("key", ANY_KEY,
	    "cpus= nodes= seed= pages= slab-debug= asan=off local=off "
	    "needs=asan {needs=virtual: why} and kernel parameters",
	    .value = "value"),
	ARG("BODY", WORD, "what happens", .is_required = true),
	{},
};

const struct command scenario_commands[] = {
	{
		.name = "scenario",
		.brief = "a story on a fresh machine that must come true",
		.example = "scenario \"a free object is free\" {\n"
			   "    cache create ring size=192\n"
			   "    alloc ring as b\n"
			   "    free $b\n"
			   "    expect {[dict get [object show $b] owner] ne "
			   "\"user\"}\n"
			   "}",
		.args = scenario_args,
		.returns = &scenario_returns,
		.run = scenario,
		.needs_no_machine = true,
	},
	{},
};

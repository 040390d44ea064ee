/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lesson_run.c - a lesson's file as commands; one evaluated, or all of them
 * once more in silence
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "events.h"
#include "hints.h"
#include "interp.h"
#include "lesson_run.h"
#include "output.h"
#include "report_queue.h"
#include "transcript.h"

struct lesson_run lesson_run;

const char *lesson_file(void)
{
	const char *slash = strrchr(lesson_run.lesson.path, '/');

	return slash ? slash + 1 : lesson_run.lesson.path;
}

bool lesson_is_running(void)
{
	return lesson_run.mode != MODE_NONE;
}

/* ---- evaluation ---- */

void lesson_be_quiet(bool quiet)
{
	session.is_quiet_about_errors = session.opt.is_quiet = quiet;
	session.is_shell = session.shows_results = !quiet;
}

bool lesson_evaluate(const char *text, unsigned int line)
{
	lesson_be_quiet(true);
	interp_text(text, lesson_file(), line);
	session.has_bad_answer = false;
	return !session.error.code[0] && !session.wants_quit;
}

/* One variable or one command: its text, which expr would turn from 0x10 to
 * 16. */
static bool is_single(const char *p)
{
	int depth = 0;

	if (*p == '$')
		return !p[1 + strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_")];
	do
		depth += (*p == '[') - (*p == ']');
	while (depth > 0 && *++p);
	return *p == ']' && !p[1 + strspn(p + 1, " \t\n")];
}

/* A bare word is itself. */
char *lesson_value(const struct step *s)
{
	Tcl_Obj *words[2], *list;
	const char *body = s->body;
	char *value = NULL;
	size_t n;

	if (!s->body[strspn(s->body, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")])
		return must_strdup(s->body);
	body += strspn(body, " \t\n");
	n = strlen(body);
	while (n && isspace((unsigned char)body[n - 1]))
		n--;
	words[0] = Tcl_NewStringObj(is_single(body) ? "subst" : "expr", -1);
	words[1] = Tcl_NewStringObj(body, (int)n);
	list = Tcl_NewListObj(2, words);
	Tcl_IncrRefCount(list);
	if (lesson_evaluate(Tcl_GetString(list), s->line))
		value = must_strdup(Tcl_GetStringResult(session.interp));
	Tcl_DecrRefCount(list);
	return value;
}

int lesson_is_true(const struct step *s)
{
	char *value = lesson_value(s);
	int truth = -1;

	if (value && Tcl_GetBoolean(NULL, value, &truth) != TCL_OK)
		fail("expression", NULL, "\"%.100s\" is neither true nor false",
		     value);
	free(value);
	return truth;
}

/* ---- units: the commands of the file ---- */

static bool begins_with(const char *text, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(text, word, n) && isspace((unsigned char)text[n]);
}

static void add_unit(const char *text, size_t n, unsigned int line)
{
	struct unit *u;

	u = realloc(lesson_run.unit, (lesson_run.nr_units + 1) * sizeof(*u));
	if (!u)
		die_no_memory();
	lesson_run.unit = u;
	u += lesson_run.nr_units++;
	u->text = must_alloc(n + 1);
	memcpy(u->text, text, n);
	u->line = line;
	if (begins_with(u->text, "ask") || begins_with(u->text, "goal"))
		lesson_run.nr_tasks++;
}

static int fail_at(unsigned int line, const char *message)
{
	fail("tcl", NULL, "%s", message);
	hint_tcl(message);
	snprintf(session.error.file, sizeof(session.error.file), "%s",
		 lesson_file());
	session.error.line = line;
	return -EINVAL;
}

static int split(const char *text)
{
	const char *done = text;
	unsigned int line = 1;
	Tcl_Parse parse;

	while (*text) {
		int err = Tcl_ParseCommand(session.interp, text, -1, 0, &parse);

		for (; done < (err ? text : parse.commandStart); done++)
			line += *done == '\n';
		if (err)
			return fail_at(line,
				       Tcl_GetStringResult(session.interp));
		if (parse.numWords)
			add_unit(parse.commandStart, (size_t)parse.commandSize,
				 line);
		text = parse.commandStart + parse.commandSize;
		Tcl_FreeParse(&parse);
	}
	return 0;
}

/* The comments it begins with may shape the machine. */
static int read_machine(const char *p)
{
	while (p && *p == '#') {
		if (!strncmp(p, "# machine:", 10) && transcript_machine(p + 10))
			return -EINVAL;
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return 0;
}

static int read_units(void)
{
	size_t size = 0;
	char *text = interp_read_file(lesson_run.lesson.path, &size);
	int err;

	if (!text)
		return -EINVAL;
	err = strlen(text) == size
		      ? read_machine(text)
		      : fail("binary", "a lesson is text",
			     "%s: there is a NUL byte", lesson_file());
	if (!err)
		err = split(text);
	if (!err && !lesson_run.nr_tasks)
		err = fail("no_task", "ask, goal", "%s asks nothing",
			   lesson_run.lesson.name);
	free(text);
	return err;
}

/* ---- steps ---- */

void lesson_forget_step(void)
{
	struct step *s = &lesson_run.step;

	free(s->text);
	free(s->body);
	free(s->hint);
	free(s->solution);
	memset(s, 0, sizeof(*s));
}

int lesson_step(enum step_kind kind, const char *text, const char *body,
		const char *hint, const char *solution)
{
	struct step *s = &lesson_run.step;

	if (s->kind)
		return fail("nesting",
			    "each stands by itself, in no loop and no "
			    "procedure",
			    "two of demo, ask and goal in one command");
	s->kind = kind;
	s->line = session.where.line;
	s->text = must_strdup(text);
	s->body = must_strdup(body);
	s->hint = hint ? must_strdup(hint) : NULL;
	s->solution = solution ? must_strdup(solution) : NULL;
	return 0;
}

/* ---- the machine anew ---- */

static void list_globals(void)
{
	Tcl_Eval(session.interp, "info globals");
	lesson_run.globals = Tcl_GetObjResult(session.interp);
	Tcl_IncrRefCount(lesson_run.globals);
}

/* Variables of the student and of the lesson: they name objects that go. */
static void forget_globals(void)
{
	Tcl_Obj *words[3] = { Tcl_NewStringObj("apply", -1),
			      Tcl_NewStringObj(
				      "{old {foreach v [info globals] {"
				      "if {$v ni $old} {unset -nocomplain ::$v}"
				      "}} ::}",
				      -1),
			      lesson_run.globals };
	Tcl_Obj *list = Tcl_NewListObj(3, words);

	Tcl_IncrRefCount(list);
	Tcl_EvalObjEx(session.interp, list, TCL_EVAL_GLOBAL);
	Tcl_DecrRefCount(list);
	Tcl_ResetResult(session.interp);
}

static void fresh_machine(void)
{
	session_drop_machine();
	report_queue_clear(session.reports);
	event_log_clear(session.events);
	session.explains = false;
}

static int out_saved = -1;

void lesson_mute(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	output_flush();
	out_saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (null >= 0)
		dup2(null, STDOUT_FILENO);
	close(null);
}

void lesson_unmute(void)
{
	output_flush();
	if (out_saved >= 0) {
		dup2(out_saved, STDOUT_FILENO);
		close(out_saved);
	}
	out_saved = -1;
}

/* What the step of a unit does to the machine. */
static bool redo_step(const struct step *s)
{
	if (s->kind == STEP_DEMO)
		return lesson_evaluate(s->body, s->line);
	if (s->kind == STEP_GOAL)
		return lesson_evaluate(s->solution, s->line);
	return true;
}

bool lesson_redo(void)
{
	struct step now = lesson_run.step;
	size_t end = lesson_run.at;
	bool is_fine = true;

	lesson_run.mode = MODE_REDO;
	fresh_machine();
	forget_globals();
	lesson_mute();
	for (lesson_run.at = 0; is_fine && lesson_run.at < end;
	     lesson_run.at++) {
		const struct unit *u = &lesson_run.unit[lesson_run.at];

		memset(&lesson_run.step, 0, sizeof(lesson_run.step));
		is_fine = lesson_evaluate(u->text, u->line) &&
			  redo_step(&lesson_run.step);
		lesson_forget_step();
	}
	lesson_unmute();
	lesson_run.at = end;
	lesson_run.step = now;
	lesson_run.mode = MODE_PLAY;
	return is_fine;
}

int lesson_check_machine(void)
{
	if (session.opt.is_native)
		return fail("virtual", "without --native",
			    "lesson: a lesson is told on a virtual machine, "
			    "where what it shows is the same everywhere");
	return 0;
}

int lesson_begin(enum lesson_mode mode)
{
	lesson_run.mode = mode;
	session.is_typing = session.is_oneshot = false;
	list_globals();
	fresh_machine();
	return read_units();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lesson_test.c - a lesson by itself: has each question an answer, does each
 * goal come true by its solution and not before?
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "expect.h"
#include "lesson_run.h"

static void (*tell_result)(const struct scenario_result *result);

static void result_at(struct scenario_result *r, enum outcome outcome,
		      const char *kind, const char *title, unsigned int line)
{
	char *flat = lesson_wrap(title, 0);

	memset(r, 0, sizeof(*r));
	r->outcome = outcome;
	snprintf(r->title, sizeof(r->title), "%s%.200s", kind, flat);
	snprintf(r->file, sizeof(r->file), "%.120s", lesson_file());
	r->line = line;
	r->output = "";
	free(flat);
}

static void tell(const struct scenario_result *r)
{
	if (!scenario_filter || r->outcome > OUTCOME_OK ||
	    Tcl_StringMatch(r->title, scenario_filter))
		tell_result(r);
}

static void failed(struct scenario_result *r, enum outcome outcome,
		   const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void failed(struct scenario_result *r, enum outcome outcome,
		   const char *format, ...)
{
	va_list ap;

	r->outcome = outcome;
	va_start(ap, format);
	vsnprintf(r->message, sizeof(r->message), format, ap);
	va_end(ap);
}

/* session.error as what became of r. */
static void take_error(struct scenario_result *r, const char *of)
{
	const struct cli_error *e = &session.error;

	failed(r, e->exit == EXIT_BAD_ANSWER ? OUTCOME_FAILED : OUTCOME_MISTAKE,
	       "%s%.900s", of, e->message);
	snprintf(r->hint, sizeof(r->hint), "%s", e->hint);
	if (e->line)
		r->line = e->line;
}

/* What no student may get away with. */
static void make_wrong(const char *right, char *buf, size_t size)
{
	char *end;
	long long n = strtoll(right, &end, 0);

	if (end != right && !*end)
		snprintf(buf, size, "%lld", n + 1);
	else if (lesson_answer_fits("yes", right))
		snprintf(buf, size, "no");
	else if (lesson_answer_fits("no", right))
		snprintf(buf, size, "yes");
	else
		snprintf(buf, size, "%.200sx", right);
}

static void test_ask(const struct step *s, struct scenario_result *r)
{
	char *right = lesson_value(s), wrong[256];

	if (!right) {
		take_error(r, "the answer can not be computed: ");
		return;
	}
	make_wrong(right, wrong, sizeof(wrong));
	if (!*right)
		failed(r, OUTCOME_FAILED, "the answer is empty");
	else if (!lesson_answer_fits(right, right))
		failed(r, OUTCOME_FAILED,
		       "its own answer \"%.200s\" is refused", right);
	else if (lesson_answer_fits(wrong, right))
		failed(r, OUTCOME_FAILED,
		       "\"%.200s\" is taken for the answer \"%.200s\"", wrong,
		       right);
	free(right);
}

static void test_reached(int truth, struct scenario_result *r)
{
	if (truth < 0)
		take_error(r, "no telling whether its solution reaches it: ");
	else if (!truth)
		failed(r, OUTCOME_FAILED, "its solution does not reach it");
}

static void test_goal(const struct step *s, struct scenario_result *r)
{
	int before = lesson_is_true(s);

	if (before < 0)
		take_error(r, "no telling whether it is reached: ");
	else if (before)
		failed(r, OUTCOME_FAILED, "it is reached before it is begun");
	else if (!lesson_evaluate(s->solution, s->line))
		take_error(r, "its solution fails: ");
	else
		test_reached(lesson_is_true(s), r);
}

/* False: nothing behind it can be tested. */
static bool test_step(const struct step *s)
{
	struct scenario_result r;

	if (s->kind == STEP_ASK) {
		result_at(&r, OUTCOME_OK, "ask: ", s->text, s->line);
		test_ask(s, &r);
	} else if (s->kind == STEP_GOAL) {
		result_at(&r, OUTCOME_OK, "goal: ", s->text, s->line);
		test_goal(s, &r);
	} else if (s->kind == STEP_DEMO && !lesson_evaluate(s->body, s->line)) {
		result_at(&r, OUTCOME_OK, "demo: ", s->body, s->line);
		take_error(&r, "");
	} else {
		return true;
	}
	tell(&r);
	return r.outcome == OUTCOME_OK || s->kind == STEP_ASK;
}

static bool test_unit(const struct unit *u)
{
	struct scenario_result r;

	if (lesson_evaluate(u->text, u->line))
		return test_step(&lesson_run.step);
	result_at(&r, OUTCOME_OK, "", lesson_run.lesson.title, u->line);
	take_error(&r, "");
	tell(&r);
	return false;
}

static void test_all(struct scenario_result *r)
{
	bool is_fine = true;

	if (lesson_check_machine()) {
		take_error(r, "");
		r->outcome = OUTCOME_SKIPPED;
		tell(r);
		return;
	}
	if (lesson_begin(MODE_TEST)) {
		take_error(r, "");
		tell(r);
		return;
	}
	for (; is_fine && lesson_run.at < lesson_run.nr_units;
	     lesson_run.at++) {
		is_fine = test_unit(&lesson_run.unit[lesson_run.at]);
		lesson_forget_step();
	}
	if (is_fine && expect_nothing_left())
		take_error(r, "");
	else if (is_fine && !*lesson_run.lesson.learn)
		failed(r, OUTCOME_MISTAKE, "a line is missing: # learn: ...");
	if (is_fine)
		tell(r);
}

void lesson_test(const char *path,
		 void (*tell_to)(const struct scenario_result *result))
{
	struct scenario_result r;

	tell_result = tell_to;
	lesson_mute();
	if (lesson_find(path, &lesson_run.lesson)) {
		result_at(&r, OUTCOME_MISTAKE, "", path, 1);
		take_error(&r, "");
		tell(&r);
	} else {
		result_at(&r, OUTCOME_OK, "", lesson_run.lesson.title, 1);
		test_all(&r);
	}
	lesson_unmute();
}

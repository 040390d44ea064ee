/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_lesson.c - lesson, and the four commands that a lesson is written with
 *
 * In a script that is no lesson they do what they would do to a student who
 * knows everything: ask answers, demo and goal run their commands.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "lesson_run.h"
#include "output.h"
#include "where.h"

/* ---- lesson ---- */

static const struct field lesson_fields[] = {
	FIELD("number", COUNT, "`lesson 1` plays it; 0: it has none"),
	FIELD("name", TEXT, "another way to call it"),
	FIELD("title", TEXT, "what it is about"),
	FIELD("learn", TEXT, "what one learns"),
	{},
};
static const struct field list_fields[] = {
	FIELD("lessons", TABLE, "in the order to take them",
	      .of = lesson_fields),
	{},
};
static const struct field list_returns =
	FIELD("lesson", RECORD, NULL, .of = list_fields);

static int list(struct model *out)
{
	struct value *table = put_table(out->root, "lessons"), *row;
	struct lesson *all;
	struct block *line;
	size_t nr, i;

	if (lessons_list(&all, &nr))
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		row = table_row(table);
		put_count(row, "number", all[i].number);
		put_text(row, "name", "%s", all[i].name);
		put_text(row, "title", "%s", all[i].title);
		put_text(row, "learn", "%s", all[i].learn);
		line = view_line(out);
		line_add(line, STYLE_NAME, "%3u  ", all[i].number);
		line_add(line, STYLE_STRONG, "%s", all[i].title);
		view_text(out, "     %s", all[i].learn);
	}
	if (nr && session.opt.is_native)
		view_text(out, "`slabctl lesson 1`, without --native, plays "
			       "the first.");
	else if (nr)
		view_text(out, "`lesson 1` plays the first.");
	else
		view_text(out, "the folder of lessons has none");
	free(all);
	return 0;
}

static int lesson(const struct invocation *inv, struct model *out)
{
	const char *word = arg_word(inv, "NAME");
	struct lesson found;

	if (!word)
		return list(out);
	if (lesson_is_running())
		return fail("nesting", "quit leaves this lesson",
			    "a lesson is being played");
	if (!lesson_can_play)
		return fail("usage", "slabctl lesson NAME, or in the shell",
			    "lesson: a script can not take a lesson");
	if (session.opt.format != FORMAT_TEXT)
		return fail("usage", "--json has the list of lessons",
			    "lesson: a lesson is played as text");
	if (lesson_find(word, &found) || lesson_check_machine())
		return -EINVAL;
	lesson_ask_for(&found);
	return 0;
}

static void complete_lesson(struct words *to)
{
	struct lesson *all;
	size_t nr, i;

	if (lessons_list(&all, &nr))
		return;
	for (i = 0; i < nr; i++)
		words_add(to, "%s", all[i].name);
	free(all);
}

/* ---- what a lesson consists of ---- */

static int say(const struct invocation *inv, struct model *out)
{
	struct look look = output_look(stdout);
	char *text;

	if (lesson_is_running()) {
		lesson_say(arg_word(inv, "TEXT"));
		return 0;
	}
	text = lesson_wrap(arg_word(inv, "TEXT"), look.width);
	root_text(out, "%s", text);
	free(text);
	return 0;
}

static int fail_tcl(void)
{
	const char *result = Tcl_GetStringResult(session.interp);

	if (session.error.code[0] && !strcmp(session.error.message, result))
		return -EINVAL;
	return fail("tcl", NULL, "%s", result);
}

static int demo(const struct invocation *inv, struct model *out)
{
	Tcl_Obj *body = arg_object(inv, "COMMAND");

	(void)out;
	if (lesson_is_running())
		return lesson_step(STEP_DEMO, "", Tcl_GetString(body), NULL,
				   NULL);
	return where_eval_body(body) == TCL_ERROR ? fail_tcl() : 0;
}

static int ask(const struct invocation *inv, struct model *out)
{
	const char *text = arg_word(inv, "QUESTION");
	const char *answer = arg_word(inv, "ANSWER");
	Tcl_Obj *value;

	if (lesson_is_running())
		return lesson_step(STEP_ASK, text, answer,
				   arg_word(inv, "hint"), NULL);
	if (Tcl_ExprObj(session.interp, arg_object(inv, "ANSWER"), &value) !=
	    TCL_OK)
		return fail_tcl();
	root_text(out, "%s", Tcl_GetString(value));
	Tcl_DecrRefCount(value);
	return 0;
}

static int goal(const struct invocation *inv, struct model *out)
{
	Tcl_Obj *solution = arg_object(inv, "solution");

	(void)out;
	if (lesson_is_running())
		return lesson_step(STEP_GOAL, arg_word(inv, "TEXT"),
				   arg_word(inv, "EXPRESSION"),
				   arg_word(inv, "hint"),
				   Tcl_GetString(solution));
	return where_eval_body(solution) == TCL_ERROR ? fail_tcl() : 0;
}

static const struct arg lesson_args[] = {
	ARG("NAME", WORD, "its number, name or file",
	    .complete = complete_lesson),
	{},
};
static const struct arg say_args[] = {
	ARG("TEXT", WORD, "a paragraph; an empty line begins the next",
	    .is_required = true),
	{},
};
static const struct arg demo_args[] = {
	ARG("COMMAND", WORD, "what is shown as if it were typed",
	    .is_required = true),
	{},
};
static const struct arg ask_args[] = {
	ARG("QUESTION", WORD, "what the student is asked", .is_required = true),
	ARG("ANSWER", WORD, "an expression, computed from the machine",
	    .is_required = true),
	ARG("hint", AFTER, "for who was wrong", .value = "TEXT"),
	{},
};
static const struct arg goal_args[] = {
	ARG("TEXT", WORD, "what the student is to do", .is_required = true),
	ARG("EXPRESSION", WORD, "what is true when it is done",
	    .is_required = true),
	ARG("hint", AFTER, "for who is stuck", .value = "TEXT"),
	ARG("solution", AFTER, "commands that do it", .value = "SCRIPT",
	    .is_required = true),
	{},
};
static const struct field say_returns = FIELD("text", TEXT, "in lines");
static const struct field ask_returns = FIELD("answer", TEXT, "what is right");

const struct command lesson_commands[] = {
	{
		.name = "lesson",
		.brief = "learn slab caches step by step; alone: which there "
			 "are",
		.example = "lesson",
		.args = lesson_args,
		.returns = &list_returns,
		.run = lesson,
		.needs_no_machine = true,
	},
	{
		.name = "say",
		.brief = "in a lesson: a paragraph",
		.example = "say {A slab is cut into slots of one size.}",
		.args = say_args,
		.returns = &say_returns,
		.run = say,
		.needs_no_machine = true,
	},
	{
		.name = "demo",
		.brief = "in a lesson: a command with what it answers",
		.example = "demo {map ring}",
		.args = demo_args,
		.run = demo,
		.needs_no_machine = true,
	},
	{
		.name = "ask",
		.brief = "in a lesson: a question that the student answers",
		.example = "ask {How many slots has a slab?} "
			   "{[dict get [cache show ring] objs_per_slab]} "
			   "hint {`cache show ring` tells.}",
		.args = ask_args,
		.returns = &ask_returns,
		.run = ask,
		.needs_no_machine = true,
	},
	{
		.name = "goal",
		.brief = "in a lesson: the student works until it is so",
		.example = "goal {Free $b.} "
			   "{[dict get [object show $b] owner] ne \"user\"} "
			   "solution {free $b}",
		.args = goal_args,
		.run = goal,
		.needs_no_machine = true,
	},
	{},
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lesson_play.c - a lesson and its student: what stands on the screen, what is
 * typed, and who helps whom
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "child.h"
#include "command.h"
#include "hints.h"
#include "interp.h"
#include "lesson_run.h"
#include "output.h"
#include "shell.h"

#define ANSWER	   "answer> "
#define LINE_WIDTH 80 /* where nobody says how wide it is */

static struct student {
	unsigned int nr_typed;	    /* lines, his and those of demos */
	unsigned int task;	    /* the ask or goal he is at, from 1 */
	unsigned int nr_done;	    /* without being shown how */
	enum step_kind shown;	    /* what stands on the screen last */
	bool has_text;		    /* anything stands there */
	bool knows_ask, knows_goal; /* was told what can be typed */
	bool has_left;		    /* quit, Ctrl-D */
	bool has_worked; /* the machine may not be what the lesson means */
	bool input_ended;
} student;

/* ---- the screen ---- */

static unsigned int width_now(void)
{
	struct look look = output_look(stdout);

	if (look.width)
		return look.width;
	return session.opt.width == UINT32_MAX ? 0 : LINE_WIDTH;
}

static void put(const char *text, bool newline)
{
	output_text(text, strlen(text), false, newline);
}

/* An empty line between what is of another kind. */
static void gap(enum step_kind kind)
{
	if (student.has_text &&
	    (kind != STEP_DEMO || student.shown != STEP_DEMO))
		put("", true);
	student.has_text = true;
	student.shown = kind;
}

static void put_wrapped(const char *text, bool is_strong)
{
	char *lines = lesson_wrap(text, width_now());
	bool paints = is_strong && output_look(stdout).has_color;

	if (paints)
		put("\033[1m", false);
	put(lines, !paints);
	if (paints)
		put("\033[0m", true);
	free(lines);
}

/* What the lesson says between what the student types. */
static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		die_no_memory();
	va_end(ap);
	put_wrapped(text, false);
	free(text);
}

void lesson_say(const char *text)
{
	if (lesson_run.mode != MODE_PLAY)
		return;
	gap(STEP_NONE);
	put_wrapped(text, false);
}

/* As if typed at the shell's prompt. */
static void run_typed(const char *text)
{
	const char *hint, *p;

	lesson_be_quiet(false);
	session.is_typing = true;
	interp_text(text, "lesson", student.nr_typed + 1);
	session.is_typing = session.has_bad_answer = false;
	if (!session.error.code[0] && (hint = hint_after(text)))
		output_note("%s", hint);
	for (p = text; *p; p++)
		student.nr_typed += *p == '\n';
	student.nr_typed++;
	lesson_be_quiet(true);
	output_flush();
}

/* ---- what is shown as if typed ---- */

static char *dedent(const char *text)
{
	size_t least = SIZE_MAX, at = 0;
	const char *p;
	char *out;

	while (*text && isspace((unsigned char)*text) && strchr(text, '\n') &&
	       text[strspn(text, " \t")] == '\n')
		text = strchr(text, '\n') + 1;
	for (p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t n = strspn(p, " \t");

		if (p[n] && p[n] != '\n' && n < least)
			least = n;
	}
	out = must_alloc(strlen(text) + 1);
	for (p = text; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n"), cut = strspn(p, " \t");

		cut = cut < least ? cut : least;
		memcpy(out + at, p + cut, n - cut);
		at += n - cut;
		out[at++] = '\n';
		p += n;
	}
	while (at && isspace((unsigned char)out[at - 1]))
		at--;
	out[at] = '\0';
	return out;
}

static void show_prompt(const char *prompt, const char *line)
{
	bool paints = output_look(stdout).has_color;

	put(prompt, false);
	if (paints)
		put("\033[1m", false);
	put(line, false);
	put(paints ? "\033[0m" : "", true);
}

/* Each whole command behind its prompt, with what it answers. False: one of
 * them failed. */
static bool show_commands(const char *script)
{
	char *text = dedent(script), *line, *rest = text, *typed;
	bool is_fine = true;

	while (is_fine && (line = strsep(&rest, "\n"))) {
		show_prompt(PROMPT, line);
		typed = must_strdup(line);
		while (!Tcl_CommandComplete(typed) && rest) {
			char *longer;

			line = strsep(&rest, "\n");
			show_prompt(CONTINUE, line);
			if (asprintf(&longer, "%s\n%s", typed, line) < 0)
				die_no_memory();
			free(typed);
			typed = longer;
		}
		run_typed(typed);
		is_fine = !session.error.code[0];
		free(typed);
	}
	free(text);
	return is_fine;
}

/* ---- what the student types ---- */

/* A line, malloc'ed; NULL: there is none, has_left may be set. */
static char *read_line(const char *prompt, const char *before)
{
	static bool has_readline;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	output_flush();
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		if (!has_readline)
			shell_read_start();
		has_readline = true;
		student.has_left = !shell_read(prompt, before, &line);
		return line;
	}
	n = getline(&line, &size, stdin);
	if (n < 0) {
		free(line);
		student.has_left = student.input_ended = true;
		return NULL;
	}
	if (n && line[n - 1] == '\n')
		line[n - 1] = '\0';
	/* nobody else echoes it */
	put(prompt, false);
	put(line, true);
	return line;
}

/* A whole command, of as many lines as it takes. NULL: Ctrl-C, or has_left. */
static char *read_command(const char *prompt)
{
	char *typed = NULL, *line, *all;

	while ((line = read_line(typed ? CONTINUE : prompt, typed))) {
		if (asprintf(&all, "%s%s%s", typed ? typed : "",
			     typed ? "\n" : "", line) < 0)
			die_no_memory();
		free(typed);
		free(line);
		typed = all;
		if (Tcl_CommandComplete(typed))
			return typed;
	}
	if (typed && student.has_left && !student.input_ended) {
		student.has_left = false; /* Ctrl-D in an open { */
		output_note("the { or \" was never closed; what was typed is "
			    "forgotten");
	}
	free(typed);
	return NULL;
}

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t\r\n");
	n = strlen(text);
	while (n && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	return text;
}

static void work(const char *command)
{
	student.has_worked = true;
	run_typed(command);
	student.has_left = session.wants_quit;
}

/* Words that are the lesson's at every prompt. */
static bool is_leaving(const char *text)
{
	if (strcmp(text, "quit") && strcmp(text, "exit"))
		return false;
	student.has_left = true;
	return true;
}

static void give_hint(const struct step *s, const char *otherwise)
{
	note("%s", s->hint ? s->hint : otherwise);
}

/* ---- demo ---- */

/* False: there is nothing to undo, or it does not help. */
static bool make_anew(void)
{
	bool had_worked = student.has_worked;

	student.has_worked = false;
	return had_worked && lesson_redo();
}

static void play_demo(const struct step *s)
{
	gap(STEP_DEMO);
	if (show_commands(s->body) || !student.has_worked)
		return;
	note("What was done before made this fail. The machine is made anew, "
	     "as the lesson has it here:");
	if (make_anew())
		show_commands(s->body);
}

/* ---- ask ---- */

static void put_task(const char *what, const char *text)
{
	char *line;

	if (asprintf(&line, "%s (%u of %u): %s", what, student.task,
		     lesson_run.nr_tasks, text) < 0)
		die_no_memory();
	put_wrapped(line, true);
	free(line);
}

/* Is it a command, to look with before the answer? */
static bool is_command(const char *text)
{
	size_t n = strcspn(text, " \t\n");

	if (*text == '@')
		return true;
	if (!text[n] && strcmp(text, "help"))
		return false;
	for (each_command(c)) {
		const char *first = c->group ? c->group : c->name;

		if (strlen(first) == n && !strncmp(first, text, n))
			return true;
	}
	return false;
}

/* A wrong answer: true when it was the last. */
static bool meet_wrong(const struct step *s, unsigned int tries,
		       const char *right)
{
	unsigned int most = s->hint ? 3 : 2;

	if (tries == most) {
		note("That is not it. The answer is %s.", right);
		return true;
	}
	if (tries == 1 && s->hint)
		note("That is not it. %s", s->hint);
	else
		note("That is not it. Once more; commands may help to look.");
	return false;
}

static void ask_student(const struct step *s, const char *right)
{
	unsigned int tries = 0;
	bool is_over = false;
	char *line, *text;

	while (!is_over && !student.has_left) {
		line = read_command(ANSWER);
		text = line ? trim(line) : NULL;
		if (!line || !*text || is_leaving(text)) {
			;
		} else if (!strcmp(text, "skip")) {
			note("The answer is %s.", right);
			is_over = true;
		} else if (!strcmp(text, "hint")) {
			give_hint(s, "Commands may help to look; `skip` tells "
				     "the answer.");
		} else if (lesson_answer_fits(text, right)) {
			note("Right.");
			student.nr_done++;
			is_over = true;
		} else if (is_command(text)) {
			work(text);
		} else {
			is_over = meet_wrong(s, ++tries, right);
		}
		free(line);
	}
}

static void play_ask(const struct step *s)
{
	char *right = lesson_value(s);

	if (!right && make_anew())
		right = lesson_value(s);
	gap(STEP_ASK);
	put_task("Question", s->text);
	if (!right) {
		note("This has no answer: %s", session.error.message);
		return;
	}
	if (!student.knows_ask)
		note("[hint, skip and quit work here, and commands to look "
		     "with]");
	student.knows_ask = true;
	ask_student(s, right);
	free(right);
}

/* ---- goal ---- */

static void skip_goal(const struct step *s)
{
	if (student.has_worked) {
		note("So it is done, from where this task began:");
		make_anew();
	} else {
		note("So it is done:");
	}
	show_commands(s->solution);
}

static void start_again(void)
{
	make_anew();
	note("The machine is again as it was when this task began.");
}

static void work_on_goal(const struct step *s)
{
	bool is_over = false;
	char *line, *text;

	while (!is_over && !student.has_left) {
		line = read_command(PROMPT);
		text = line ? trim(line) : NULL;
		if (!line || !*text || is_leaving(text)) {
			;
		} else if (!strcmp(text, "hint")) {
			give_hint(s, "`help` lists the commands; `skip` shows "
				     "how it is done.");
		} else if (!strcmp(text, "skip")) {
			skip_goal(s);
			is_over = true;
		} else if (!strcmp(text, "again")) {
			start_again();
		} else {
			work(text);
			if (!student.has_left && lesson_is_true(s) == 1) {
				note("Done.");
				student.nr_done++;
				is_over = true;
			}
		}
		free(line);
	}
}

static void play_goal(const struct step *s)
{
	gap(STEP_GOAL);
	put_task("Your turn", s->text);
	if (lesson_is_true(s) == 1) {
		note("That is so already.");
		student.nr_done++;
		return;
	}
	if (!student.knows_goal)
		note("[every command works here; hint, skip, again and quit, "
		     "too]");
	student.knows_goal = true;
	work_on_goal(s);
}

/* ---- to a student ---- */

static void play_step(const struct step *s)
{
	if (s->kind == STEP_ASK || s->kind == STEP_GOAL)
		student.task++;
	if (s->kind == STEP_DEMO)
		play_demo(s);
	else if (s->kind == STEP_ASK)
		play_ask(s);
	else if (s->kind == STEP_GOAL)
		play_goal(s);
}

/* A command that fails because of what the student did gets another chance. */
static bool play_unit(const struct unit *u)
{
	if (lesson_evaluate(u->text, u->line))
		return true;
	lesson_forget_step();
	return make_anew() && lesson_evaluate(u->text, u->line);
}

static void put_end(void)
{
	char text[256];

	gap(STEP_NONE);
	snprintf(text, sizeof(text),
		 "That was the lesson: %u of %u tasks done by yourself.",
		 student.nr_done, lesson_run.nr_tasks);
	put_wrapped(text, false);
}

static void put_title(void)
{
	char text[160];

	if (lesson_run.lesson.number)
		snprintf(text, sizeof(text), "Lesson %u: %s",
			 lesson_run.lesson.number, lesson_run.lesson.title);
	else
		snprintf(text, sizeof(text), "Lesson: %s",
			 lesson_run.lesson.title);
	put_wrapped(text, true);
	note("You learn %s.", lesson_run.lesson.learn);
	student.has_text = true;
}

static int end_of_play(void)
{
	if (student.input_ended) {
		output_note("slabctl: the input ended at task %u of %u",
			    student.task, lesson_run.nr_tasks);
		return EXIT_BAD_ANSWER;
	}
	if (student.has_left)
		return session.wants_quit ? session.quit_code : EXIT_FINE;
	put_end();
	return EXIT_FINE;
}

static int play_all(void)
{
	size_t *at = &lesson_run.at;

	for (; *at < lesson_run.nr_units && !student.has_left; ++*at) {
		if (!play_unit(&lesson_run.unit[*at])) {
			session.is_shell = false;
			output_error();
			return EXIT_USAGE;
		}
		play_step(&lesson_run.step);
		lesson_forget_step();
		if (output_failed())
			return EXIT_INCOMPLETE;
	}
	return end_of_play();
}

static int play(void *unused)
{
	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	signal(SIGINT, SIG_DFL);
	if (lesson_begin(MODE_PLAY)) {
		output_error();
		return EXIT_USAGE;
	}
	put_title();
	return play_all();
}

/* ---- its process ---- */

bool lesson_can_play;
static bool is_asked_for;

void lesson_ask_for(const struct lesson *lesson)
{
	lesson_run.lesson = *lesson;
	is_asked_for = true;
}

bool lesson_is_asked_for(void)
{
	return is_asked_for;
}

enum exit_code lesson_play(void)
{
	struct sigaction before, ignore = { .sa_handler = SIG_IGN };
	struct child_result r;
	int err;

	is_asked_for = false;
	sigaction(SIGINT, &ignore, &before); /* the child's affair */
	err = child_run(play, NULL, 0, false, &r);
	sigaction(SIGINT, &before, NULL);
	if (err) {
		fail("process", NULL, "no process for the lesson: %s",
		     strerror(-err));
		output_error();
		return EXIT_USAGE;
	}
	if (r.signal == SIGINT && !session.is_shell) {
		signal(SIGINT, SIG_DFL);
		raise(SIGINT);
	}
	if (r.signal) {
		fail("died", NULL, "the lesson's machine died: %s",
		     strsignal(r.signal));
		session.error.exit = EXIT_DIED;
		output_error();
		return EXIT_DIED;
	}
	return (enum exit_code)r.code;
}

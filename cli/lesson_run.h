/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lesson_run.h - the lesson that runs in this process, for those who run it
 */
#ifndef CLI_LESSON_RUN_H
#define CLI_LESSON_RUN_H

#include "lesson.h"

enum lesson_mode {
	MODE_NONE,
	MODE_PLAY,
	MODE_TEST,
	MODE_REDO, /* everything up to `at` once more */
};

struct unit {
	char *text; /* a command of the lesson's file */
	unsigned int line;
};

struct lesson_run {
	struct lesson lesson;
	enum lesson_mode mode;
	struct unit *unit;
	size_t nr_units, at;   /* at: the one that runs */
	struct step step;      /* which it made */
	unsigned int nr_tasks; /* asks and goals in the whole lesson */
	Tcl_Obj *globals;      /* variables from before */
};

extern struct lesson_run lesson_run;

/* -EINVAL with the error set: this machine is none that lessons can show. */
int lesson_check_machine(void);
/* A fresh machine, as the file's first lines say, and its commands. */
int lesson_begin(enum lesson_mode mode);
const char *lesson_file(void); /* last name of its path */

/* A command of the lesson's own, unseen. False: session.error is set. */
bool lesson_evaluate(const char *text, unsigned int line);
void lesson_be_quiet(bool quiet);
/* Of an ask: its value, free() it; NULL: it has none, session.error says why.
 * Of a goal: 1, 0, or -1 when there is no telling. */
char *lesson_value(const struct step *s);
int lesson_is_true(const struct step *s);
void lesson_forget_step(void);

/* The machine as the lesson means it to be in front of the unit that runs. */
bool lesson_redo(void);
/* What is written between the two goes nowhere. */
void lesson_mute(void);
void lesson_unmute(void);

#endif

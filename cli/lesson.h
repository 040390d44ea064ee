/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lesson.h - lessons: where they are, what they are called, how one is played
 *
 * A lesson is a script with four more commands: say, demo, ask, goal. Its
 * commands run one by one; the steps among them are played when the command
 * that made them is over, so that a student's own commands never run inside a
 * command of the lesson:
 *
 *	file --> command --> interp --> step? --+-- play: to a student
 *	     ^                                  +-- test: alone, each judged
 *	     +---------- next command ----------+-- redo: alone, in silence
 *
 * The machine is the student's while he works. When what he did makes a later
 * command of the lesson fail, the machine is made anew by `redo`.
 */
#ifndef CLI_LESSON_H
#define CLI_LESSON_H

#include "scenario.h"

struct lesson {
	unsigned int number; /* 0: its name has none */
	char name[64];	     /* 01-slab-and-object */
	char path[4096];
	char title[128];
	char learn[256]; /* what one learns */
};

/* All lessons, by name; free() them. The folder: $SLABCTL_LESSONS, else beside
 * slabctl where it was built or installed. */
int lessons_list(struct lesson **ret, size_t *nr);
/* By number, name, a part of the name, or path. */
int lesson_find(const char *word, struct lesson *ret);
/* Does the file begin as lessons do? */
bool lesson_is(const char *path);

/* `lesson NAME` asks; who can play one does it behind the command. */
extern bool lesson_can_play;
void lesson_ask_for(const struct lesson *lesson);
bool lesson_is_asked_for(void);
/* The lesson that was asked for, in a process of its own. */
enum exit_code lesson_play(void);

/* Plays the file by itself, in this process; each ask and goal is a result. */
void lesson_test(const char *path,
		 void (*tell)(const struct scenario_result *result));

/* ---- steps: what the commands of a lesson make ---- */

enum step_kind { STEP_NONE, STEP_DEMO, STEP_ASK, STEP_GOAL };

struct step {
	enum step_kind kind;
	unsigned int line; /* in the lesson's file */
	char *text;	   /* the question, what to reach */
	char *body;	   /* of demo: commands; else an expression */
	char *hint;	   /* NULL: none */
	char *solution;
};

/* Is a lesson being played, tested or made anew? Else it is a script. */
bool lesson_is_running(void);
/* Takes the step, for when the command is over. 0 or -EINVAL. */
int lesson_step(enum step_kind kind, const char *text, const char *body,
		const char *hint, const char *solution);
void lesson_say(const char *text);

/* text in lines of width columns, paragraphs parted by empty lines; free() it.
 * width 0: as long as they come. */
char *lesson_wrap(const char *text, unsigned int width);
/* Is what a student wrote the answer that is right? */
bool lesson_answer_fits(const char *answer, const char *right);

#endif

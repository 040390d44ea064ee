/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * where.h - which line of which file runs, and is it a statement of its own?
 *
 * Tcl knows lines of files and of literal bodies (`info frame`); inside our own
 * bodies (@N { }, scenario { }) it counts from the body's first line, and the
 * rest is added here.
 *
 * A statement is a command that stands by itself in the unit that is evaluated
 * (a file, what was typed), or so in the braces of if, for, foreach, while: its
 * answer is shown. `set m [map ring]` has a command inside that is none.
 */
#ifndef CLI_WHERE_H
#define CLI_WHERE_H

#include "session.h"

/* The command that calls this. True when it is a statement. */
bool where_now(struct where *ret);

/* Evaluates a word of the command that runs as a script. */
int where_eval_body(Tcl_Obj *body);
/* Text evaluated between the two by other means begins on that line. */
void where_enter(unsigned int line);
void where_leave(void);

struct statements *statements_parse(const char *unit);
void statements_free(struct statements *s);

/* Gives session.error the error that the interpreter holds, unless it is one of
 * ours already. info_line: added to lines that Tcl counted from a unit. */
void where_adopt_error(unsigned int unit_line);

/* Behind the top-level command that failed last: where the unit goes on, and
 * the number of its line. NULL: nothing is left, or it can not be told. */
const char *where_rest(const char *unit, unsigned int first_line,
		       unsigned int *line);

#endif

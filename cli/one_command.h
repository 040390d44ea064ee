/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * one_command.h - the one command of a script, its words substituted now, to
 * be run later by somebody who can not enter Tcl
 */
#ifndef CLI_ONE_COMMAND_H
#define CLI_ONE_COMMAND_H

#include "command.h"

struct one_command {
	Tcl_Obj *list; /* referenced */
	char text[160];
};

/* who: the command that wants it. -EINVAL with the error set. */
int one_command_parse(const char *who, Tcl_Obj *script,
		      struct one_command *ret);
void one_command_free(struct one_command *w);
/* Is it one that works on the machine? */
int one_command_check(const char *who, const struct one_command *w);
/* As command_dispatch() takes it. */
void one_command_split(const struct one_command *w, const char **first,
		       Tcl_Obj ***objects, size_t *nr);

#endif

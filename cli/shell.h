/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shell.h - the prompt
 */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include "session.h"

#define PROMPT	 "slabctl> "
#define CONTINUE "    ...> "

/* Until quit, Ctrl-D, or the terminal goes. */
enum exit_code shell_run(void);

/* One line from the terminal, with the shell's keys and completion, for others
 * than the shell; a process that begins with shell_read_start() never runs the
 * shell. before: lines in front of it of the same command, or NULL. *ret is
 * malloc'ed; NULL: Ctrl-C. False: Ctrl-D, or the terminal goes. */
void shell_read_start(void);
bool shell_read(const char *prompt, const char *before, char **ret);

/* --record: what was typed, as a script. A file that can not be written is told
 * once and given up. */
void record_open(const char *path);
void record_line(const char *text);
void record_close(void);

#endif

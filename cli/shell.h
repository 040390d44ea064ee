/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shell.h - the prompt
 */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include "session.h"

/* Until quit, Ctrl-D, or the terminal goes. */
enum exit_code shell_run(void);

/* --record: what was typed, as a script. A file that can not be written is told
 * once and given up. */
void record_open(const char *path);
void record_line(const char *text);
void record_close(void);

#endif

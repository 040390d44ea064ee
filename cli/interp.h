/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * interp.h - scripts: a safe Tcl interpreter with slabctl's commands in it
 *
 * Every evaluation returns an exit code and has told about its errors.
 */
#ifndef CLI_INTERP_H
#define CLI_INTERP_H

#include "session.h"

int interp_create(const char *argv0);
void interp_destroy(void);

/* The words of slabctl's own command line: nothing is substituted. */
enum exit_code interp_words(char **words, size_t nr);
/* A text; name and line are what its places are called. */
enum exit_code interp_text(const char *text, const char *name,
			   unsigned int line);
/* A script file; "-" is stdin. args become $argv. */
enum exit_code interp_file(const char *path, char **args);
/* All of a file or, for "-", of stdin, NUL-terminated; free() it. NULL: the
 * error is set. */
char *interp_read_file(const char *path, size_t *size);

/* Ctrl-C asks what is evaluated to stop. */
void interp_watch(bool on);
/* The limit counts from now. */
void interp_start_limit(void);
/* For commands that take long: Tcl looks only between two. */
bool interp_time_is_up(void);
/* When a limit or Ctrl-C stopped the evaluation, session.error says so. */
void interp_name_limit(void);

#endif

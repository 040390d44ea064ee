/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * complete.h - what could stand here, from the rows and from live names
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stddef.h>

/* Candidates for the word that begins at `start` of line and ends with it, all
 * beginning so; malloc'ed, sorted, ends with NULL. */
char **complete_line(const char *line, size_t start);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress.h - how far something long has come, and figures that move: on a
 * terminal
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* "map: 4000 of 15625 slabs"; cheap enough for every step. */
void progress_show(const char *what, const char *of, size_t done, size_t all);
/* Figures that move: one line, as much of it as there is room for. parts: each
 * with two blanks in front of the next; the last ones go first. Nothing without
 * a terminal. */
bool progress_is_shown(void);
void progress_line(const char *const *parts, size_t nr);
/* Out of the way of what is printed now; the next one comes back. Any thread. */
void progress_hide(void);
/* Takes the line away. */
void progress_end(void);

#endif

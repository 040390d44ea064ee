/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress.h - how far something long has come: on a terminal, after half a
 * second
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stddef.h>

/* "map: 4000 of 15625 slabs"; cheap enough for every step. */
void progress_show(const char *what, const char *of, size_t done, size_t all);
/* Takes the line away. */
void progress_end(void);

#endif

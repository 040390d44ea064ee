/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hints.h - what somebody meant who wrote what Tcl can not run
 */
#ifndef CLI_HINTS_H
#define CLI_HINTS_H

#include "session.h"

/* Adds a hint to session.error, which holds Tcl's own message. */
void hint_tcl(const char *message);

/* The error for a first word that no command has. Returns -EINVAL. */
int hint_unknown(const char *word);

/* Is something in what was typed worth a word, although it ran? NULL: no. */
const char *hint_after(const char *unit);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * argument.h - gives each word of a command line to the argument it is for
 */
#ifndef CLI_ARGUMENT_H
#define CLI_ARGUMENT_H

#include "command.h"

/* Fills inv->bound from inv->words by the rows of its command. */
int arguments_bind(struct invocation *inv);

/* Is word a name=value? Copies the name; returns the value or NULL. */
const char *split_key(const char *word, char *key, size_t size);

#endif

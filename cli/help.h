/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * help.h - what the rows say, for people, for man and for programs
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <getopt.h>

#include "command.h"

struct topic {
	const char *name, *brief, *text;
};
extern const struct topic topics[]; /* ends with no name */

extern const struct field help_returns;
/* words: what was asked about; none: everything. -errno with the error set. */
int help_about(struct model *out, const char *const *words, size_t nr);
/* `slabctl help bash`: completion for bash. */
void help_bash(FILE *f);
/* The long options of slabctl's line (main.c). */
extern const struct option slabctl_options[];
/* `slabctl --help` */
void help_usage(FILE *f);

#endif

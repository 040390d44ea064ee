/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * handout.h - what commands that hand out objects share: gfp=, `as`, the answer
 */
#ifndef CLI_HANDOUT_H
#define CLI_HANDOUT_H

#include "command.h"

#define MAX_OBJECTS (1U << 20) /* of one command */

#define GFP_ARG                                                         \
	ARG("gfp", KEY,                                                 \
	    "kernel, nowait, atomic or nolock; with zero, nofail, ...", \
	    .value = "WORD,...")

/* gfp=: what it says, GFP_KERNEL when it says nothing; nolock: no lock is
 * waited for, and then no other of the first kind stands there. */
int gfp_parse(const struct invocation *inv, gfp_t *ret, bool *nolock);

/* Are there as many names behind `as` as objects? */
int names_check(const struct invocation *inv, size_t nr);
/* The i-th of nr objects goes into the answer and into its variable. */
int object_put(const struct invocation *inv, struct model *out,
	       const void *object, size_t i, size_t nr);
/* Why an allocation gave NULL, if it is known. */
const char *null_hint(void);

#endif

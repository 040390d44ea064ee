/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transcript.h - a session as it stood on a screen, replayed and compared
 *
 *	# what comes before the first prompt is a comment, but
 *	# machine: cpus=2 seed=7
 *	slabctl> cache create ring size=192
 *	ring  192 B in 192 B, 21 per slab of 1 page
 */
#ifndef CLI_TRANSCRIPT_H
#define CLI_TRANSCRIPT_H

#include "scenario.h"

#define TRANSCRIPT_SUFFIX ".session"

/* Runs the file in this process, which is used up by it. updates: writes what
 * came into the file instead of comparing. */
void transcript_run(const char *path, bool updates,
		    struct scenario_result *ret);

/* What stands behind "# machine:", cpus=2 seed=7, up to the line's end. 0, or
 * -EINVAL with the error set. */
int transcript_machine(const char *line);

#endif

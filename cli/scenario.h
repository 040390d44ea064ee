/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scenario.h - what became of a scenario
 */
#ifndef CLI_SCENARIO_H
#define CLI_SCENARIO_H

#include "session.h"

/* The worse, the later. */
enum outcome {
	OUTCOME_SKIPPED, /* this build or machine has not what it needs */
	OUTCOME_OK,
	OUTCOME_FAILED,	 /* an expectation, a report left over, an error */
	OUTCOME_MISTAKE, /* of the file: unknown command, wrong argument */
	OUTCOME_DIED,	 /* a signal, an abort, no end */
	NR_OUTCOMES,
};

struct scenario_result {
	enum outcome outcome;
	char title[256];
	char file[128];
	unsigned int line; /* of what failed */
	char message[1024];
	char hint[512];
	char detail[16384]; /* lines; empty: none */
	const char *output; /* what the scenario wrote */
};

/* The exit code that an outcome gives; its word: "ok". */
enum exit_code outcome_exit(enum outcome outcome);
const char *outcome_name(enum outcome outcome);

/* Who runs scenarios for a test sets these. filter: only titles that match. */
extern void (*scenario_listener)(const struct scenario_result *result);
extern const char *scenario_filter;

#endif

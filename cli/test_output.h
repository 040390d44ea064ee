/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_output.h - results of scenarios: for people, TAP, JUnit, JSON
 */
#ifndef CLI_TEST_OUTPUT_H
#define CLI_TEST_OUTPUT_H

#include "scenario.h"

struct test_file {
	char *path;
	bool is_done;
	struct scenario_result **result;
	size_t nr;
};

struct test_output {
	bool is_tap, updates;
	const char *junit, *filter, *first_path;
	size_t nr_told; /* TAP counts through all files */
};

void test_output_begin(struct test_output *to);
void test_output_file(struct test_output *to, const struct test_file *f);
/* The sums; the exit code of the whole. */
enum exit_code test_output_end(struct test_output *to,
			       const struct test_file *file, size_t nr);

#endif

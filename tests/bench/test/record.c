/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/test/record.c - a short run of bench-run, and what is in its JSON
 *
 * Takes the path of bench-run. Nothing here asks whether anything is fast.
 */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <json-c/json.h>

static const char *bench;

/* The exit status of bench with these words behind it; -1: no exit. Its words
 * go to a file, of which the test looks at what is said. */
static int run(const char *words, char said[4096])
{
	char command[8192], path[] = "/tmp/slab-bench-said-XXXXXX";
	int fd = mkstemp(path), status;
	ssize_t got;

	assert_true(fd >= 0);
	snprintf(command, sizeof(command), "'%s' --quiet %s >%s 2>&1", bench,
		 words, path);
	status = system(command);
	got = read(fd, said, 4095);
	said[got > 0 ? got : 0] = 0;
	close(fd);
	unlink(path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static json_object *member(json_object *o, const char *name)
{
	json_object *value;

	if (!json_object_object_get_ex(o, name, &value))
		fail_msg("the JSON has no '%s'", name);
	return value;
}

/* bench, run on glibc and slab-inline, and the object that it wrote. */
static json_object *recorded(const char *words)
{
	char path[] = "/tmp/slab-bench-json-XXXXXX", all[512], said[4096];
	int fd = mkstemp(path), status;
	json_object *o;

	assert_true(fd >= 0);
	close(fd);
	snprintf(
		all, sizeof(all),
		"--rounds=2 --ms=1 --reps=2 --json=%s --rows=glibc,slab-inline "
		"%s",
		path, words);
	status = run(all, said);
	if (status)
		fail_msg("bench %s: exit status %d:\n%s", all, status, said);
	o = json_object_from_file(path);
	unlink(path);
	if (!o)
		fail_msg("what bench wrote is no JSON: %s",
			 json_util_get_last_err());
	return o;
}

static json_object *entry(json_object *list, const char *row,
			  const char *workload)
{
	size_t nr = json_object_array_length(list), i;
	json_object *o;

	for (i = 0; i < nr; i++) {
		o = json_object_array_get_idx(list, i);
		if (!strcmp(json_object_get_string(member(o, "row")), row) &&
		    !strcmp(json_object_get_string(member(o, "workload")),
			    workload))
			return o;
	}
	fail_msg("no entry for %s, %s", row, workload);
	return NULL;
}

static void each_row_has_a_sample_a_round(void **state)
{
	static const char *const names[] = { "glibc", "slab-inline" };
	static const char *const workloads[] = {
		"W1", "W2.8r", "W3.50", "W4", "W5.20", "W6.8f", "W8.8",
	};
	json_object *o =
		recorded("--workloads=W1,W2.8r,W3.50,W4,W5.20,W6.8f,W8.8");
	json_object *one, *ns;
	double median;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 7; k++) {
			one = entry(member(o, "times"), names[i], workloads[k]);
			ns = member(one, "ns");
			median = json_object_get_double(member(one, "median"));
			assert_int_equal(json_object_array_length(ns), 2);
			if (!(median > 0) || !isfinite(median))
				fail_msg("%s, %s: median %g", names[i],
					 workloads[k], median);
		}
	json_object_put(o);
}

static void ratio_of_a_target_follows_from_the_samples(void **state)
{
	json_object *o = recorded("--workloads=W1"), *a, *b, *target;
	double x[2], y[2], wanted, found;

	(void)state;
	a = member(entry(member(o, "times"), "slab-inline", "W1"), "ns");
	b = member(entry(member(o, "times"), "glibc", "W1"), "ns");
	for (size_t i = 0; i < 2; i++) {
		x[i] = json_object_get_double(json_object_array_get_idx(a, i));
		y[i] = json_object_get_double(json_object_array_get_idx(b, i));
	}
	target = entry(member(o, "targets"), "slab-inline", "W1");
	assert_string_equal(json_object_get_string(member(target, "against")),
			    "glibc");
	wanted = (x[0] / y[0] + x[1] / y[1]) / 2;
	found = json_object_get_double(member(target, "ratio"));
	if (fabs(wanted - found) > 1e-9 * wanted)
		fail_msg("ratio %.12g, by the samples %.12g", found, wanted);
	assert_int_equal(json_object_get_boolean(member(target, "holds")),
			 found <= 0.90);
	json_object_put(o);
}

static void host_and_build_are_said(void **state)
{
	json_object *o = recorded("--workloads=W1"), *host = member(o, "host");

	(void)state;
	assert_true(json_object_get_int(member(host, "nr_cpus")) > 0);
	assert_non_null(json_object_get_string(member(host, "kernel")));
	assert_non_null(
		json_object_get_string(member(member(o, "build"), "compiler")));
	assert_int_equal(json_object_get_int(member(o, "rounds")), 2);
	json_object_put(o);
}

static void wrong_words_are_named(void **state)
{
	static const struct {
		const char *words, *said;
		int status;
	} rows[] = {
		{ "--rows=hoard", "no row 'hoard'", 2 },
		{ "nightly", "no suite 'nightly'", 2 },
		{ "--rounds=0", "'0' is no number from 1", 2 },
		{ "--cpus=0,1,2", "more than two", 2 },
		{ "--rounds=1 --rows=glibc --workloads=W9", "no workload 'W9'",
		  1 },
		{ "--rounds=1 --rows=glibc --workloads=W1.4",
		  "W1 takes no number", 1 },
		{ "--rounds=1 --rows=glibc --workloads=W2.x",
		  "'x' is no number", 1 },
	};
	char said[4096];
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		status = run(rows[i].words, said);
		if (status != rows[i].status || !strstr(said, rows[i].said))
			fail_msg("bench %s: exit status %d, not %d; said:\n%s",
				 rows[i].words, status, rows[i].status, said);
	}
}

static void rows_that_were_not_built_are_left_out(void **state)
{
	char said[4096];

	(void)state;
	assert_int_equal(run("--programs=/nowhere", said), 2);
	assert_non_null(strstr(said, "no glibc"));
	assert_non_null(strstr(said, "no program is there"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_a_sample_a_round),
		cmocka_unit_test(ratio_of_a_target_follows_from_the_samples),
		cmocka_unit_test(host_and_build_are_said),
		cmocka_unit_test(wrong_words_are_named),
		cmocka_unit_test(rows_that_were_not_built_are_left_out),
	};

	if (argc != 2)
		return 2;
	bench = argv[1];
	unsetenv("BENCH_ROUNDS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

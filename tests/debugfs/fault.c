/* SPDX-License-Identifier: MIT */
/* /sys/kernel/debug/failslab and /proc/self: the settings, and that requests
 * fail by them. */
#include "fixture.h"

#include <slab/report.h>

#define FAILSLAB "/sys/kernel/debug/failslab"

static void a_new_machine_has_the_kernels_defaults(void **state)
{
	struct tree_node dir, *nodes;
	size_t nr;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	CHECK_FILES(
		FAILSLAB, { "probability", "0\n" }, { "interval", "1\n" },
		{ "times", "1\n" }, { "space", "0\n" }, { "verbose", "2\n" },
		{ "verbose_ratelimit_interval_ms", "0\n" },
		{ "verbose_ratelimit_burst", "10\n" }, { "task-filter", "N\n" },
		{ "ignore-gfp-wait", "Y\n" }, { "cache-filter", "N\n" });
	CHECK_FILES("/proc/self", { "fail-nth", "0\n" },
		    { "make-it-fail", "0\n" });
	assert_int_equal(tree_lookup(target, FAILSLAB, true, &dir), 0);
	assert_int_equal(tree_readdir(target, &dir, &nodes, &nr), 0);
	check_number("files", (long)nr, 10);
	free(nodes);
	machine_close();
}

static void settings_are_read_and_written_as_debugfs_does(void **state)
{
	static const struct {
		const char *path, *value;
		ssize_t result;
		const char *content;
	} rows[] = {
		{ FAILSLAB "/probability", "100\n", 4, "100\n" },
		/* debugfs reads numbers as C writes them */
		{ FAILSLAB "/probability", "0x10", 4, "16\n" },
		{ FAILSLAB "/probability", "010", 3, "8\n" },
		{ FAILSLAB "/probability", "-1", -EINVAL, "8\n" },
		{ FAILSLAB "/probability", "ten", -EINVAL, "8\n" },
		{ FAILSLAB "/probability", "", -EINVAL, "8\n" },
		{ FAILSLAB "/probability", "18446744073709551616", -ERANGE,
		  "8\n" },
		{ FAILSLAB "/interval", "10\n", 3, "10\n" },
		{ FAILSLAB "/interval", "10 ", -EINVAL, "10\n" },
		{ FAILSLAB "/times", "-1\n", 3, "-1\n" },
		{ FAILSLAB "/times", "5", 1, "5\n" },
		{ FAILSLAB "/times", "2147483648", -ERANGE, "5\n" },
		{ FAILSLAB "/space", "1048576", 7, "1048576\n" },
		{ FAILSLAB "/space", "1M", -EINVAL, "1048576\n" },
		{ FAILSLAB "/verbose", "0", 1, "0\n" },
		{ FAILSLAB "/verbose_ratelimit_interval_ms", "100", 3,
		  "100\n" },
		{ FAILSLAB "/verbose_ratelimit_burst", "4294967296", -ERANGE,
		  "10\n" },
		{ FAILSLAB "/task-filter", "Y\n", 2, "Y\n" },
		{ FAILSLAB "/task-filter", "off", 3, "N\n" },
		{ FAILSLAB "/ignore-gfp-wait", "0", 1, "N\n" },
		{ FAILSLAB "/ignore-gfp-wait", "t", 1, "Y\n" },
		{ FAILSLAB "/cache-filter", "on\n", 3, "Y\n" },
		{ FAILSLAB "/cache-filter", "perhaps", -EINVAL, "Y\n" },
		{ FAILSLAB "/cache-filter", "", -EINVAL, "Y\n" },
		{ "/proc/self/fail-nth", "3\n", 2, "3\n" },
		{ "/proc/self/fail-nth", "-1", -EINVAL, "3\n" },
		{ "/proc/self/fail-nth", "4294967296", -ERANGE, "3\n" },
		{ "/proc/self/fail-nth", "0", 1, "0\n" },
		{ "/proc/self/make-it-fail", "1\n", 2, "1\n" },
		{ "/proc/self/make-it-fail", "2", -EINVAL, "1\n" },
		{ "/proc/self/make-it-fail", "-1", -EINVAL, "1\n" },
		{ "/proc/self/make-it-fail", "0", 1, "0\n" },
	};

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char what[200];

		snprintf(what, sizeof(what), "echo -n '%s' > %s", rows[i].value,
			 rows[i].path);
		check_number(what, write_path(rows[i].path, rows[i].value),
			     rows[i].result);
		check_file("", rows[i].path + 1, rows[i].content);
	}
	machine_close();
}

/* The recipe: every allocation of one cache fails, of no other one. */
static void one_cache_can_be_made_to_fail(void **state)
{
	struct kmem_cache *chosen, *other;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	chosen = cache_new("chosen", 64, "F", 0);
	other = cache_new("other", 64, "F", 0);
	check_number("cache",
		     write_path("/sys/kernel/slab/chosen/failslab", "1\n"), 2);
	check_number("filter", write_path(FAILSLAB "/cache-filter", "Y\n"), 2);
	check_number("wait", write_path(FAILSLAB "/ignore-gfp-wait", "N\n"), 2);
	check_number("times", write_path(FAILSLAB "/times", "-1\n"), 3);
	check_number("before", kmem_cache_alloc(chosen, GFP_KERNEL) != NULL,
		     true);
	check_number("probability",
		     write_path(FAILSLAB "/probability", "100\n"), 4);
	check_number("chosen", kmem_cache_alloc(chosen, GFP_KERNEL) != NULL,
		     false);
	check_number("other", kmem_cache_alloc(other, GFP_KERNEL) != NULL,
		     true);
	check_number("cache",
		     write_path("/sys/kernel/slab/chosen/failslab", "0\n"), 2);
	check_number("chosen again",
		     kmem_cache_alloc(chosen, GFP_KERNEL) != NULL, true);
	machine_close();
}

static void fail_nth_counts_down_and_reads_0_when_done(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "F", 0);
	check_number("wait", write_path(FAILSLAB "/ignore-gfp-wait", "N"), 1);
	check_number("set", write_path("/proc/self/fail-nth", "3"), 1);
	check_number("1st", kmem_cache_alloc(s, GFP_KERNEL) != NULL, true);
	check_file("/proc/self", "fail-nth", "2\n");
	check_number("2nd", kmem_cache_alloc(s, GFP_KERNEL) != NULL, true);
	check_number("3rd", kmem_cache_alloc(s, GFP_KERNEL) != NULL, false);
	check_file("/proc/self", "fail-nth", "0\n");
	check_number("4th", kmem_cache_alloc(s, GFP_KERNEL) != NULL, true);
	machine_close();
}

static void times_goes_down_with_each_failure(void **state)
{
	struct kmem_cache *s;
	unsigned int failed = 0;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "F", 0);
	check_number("wait", write_path(FAILSLAB "/ignore-gfp-wait", "N"), 1);
	check_number("times", write_path(FAILSLAB "/times", "2"), 1);
	check_number("interval", write_path(FAILSLAB "/interval", "2"), 1);
	check_number("all", write_path(FAILSLAB "/probability", "100"), 3);
	for (unsigned int i = 0; i < 8; i++)
		failed |= (kmem_cache_alloc(s, GFP_KERNEL) == NULL) << i;
	/* .x.x.... */
	check_number("failed", failed, 0x0a);
	check_file(FAILSLAB, "times", "0\n");
	machine_close();
}

static void count_messages(void *count, const struct slab_report *report)
{
	if (report->record == SLAB_RECORD_NOTE &&
	    !strcmp(report->text, "FAULT_INJECTION: forcing a failure."))
		++*(unsigned int *)count;
}

static void messages_are_limited_by_interval_and_burst(void **state)
{
	static const struct {
		const char *interval, *burst;
		unsigned int ticks, wanted; /* of 5 failures each */
	} rows[] = {
		{ "0", "2", 0, 5 }, /* no interval, no limit */
		{ "100", "2", 0, 2 },
		{ "100", "2", 100, 0 }, /* still the same interval */
		{ "100", "2", 1, 2 },
		{ "100", "0", 101, 0 },
	};
	unsigned int said = 0;
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "F", 0);
	assert_int_equal(slab_machine_add_sink(machine, count_messages, &said),
			 0);
	check_number("wait", write_path(FAILSLAB "/ignore-gfp-wait", "N"), 1);
	check_number("times", write_path(FAILSLAB "/times", "-1"), 2);
	check_number("all", write_path(FAILSLAB "/probability", "100"), 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_path(FAILSLAB "/verbose_ratelimit_interval_ms",
			   rows[i].interval);
		write_path(FAILSLAB "/verbose_ratelimit_burst", rows[i].burst);
		slab_machine_tick(machine, rows[i].ticks);
		said = 0;
		for (int j = 0; j < 5; j++)
			assert_null(kmem_cache_alloc(s, GFP_KERNEL));
		check_number(rows[i].interval, said, rows[i].wanted);
	}
	machine_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_machine_has_the_kernels_defaults),
		cmocka_unit_test(settings_are_read_and_written_as_debugfs_does),
		cmocka_unit_test(one_cache_can_be_made_to_fail),
		cmocka_unit_test(fail_nth_counts_down_and_reads_0_when_done),
		cmocka_unit_test(times_goes_down_with_each_failure),
		cmocka_unit_test(messages_are_limited_by_interval_and_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

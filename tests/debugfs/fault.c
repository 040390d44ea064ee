/* SPDX-License-Identifier: MIT */
/* /sys/kernel/debug/failslab, fail_page_alloc and /proc/self: the settings, and
 * that requests fail by them. */
#include "fixture.h"

#include <slab/report.h>

#define FAILSLAB	"/sys/kernel/debug/failslab"
#define FAIL_PAGE_ALLOC "/sys/kernel/debug/fail_page_alloc"

static void check_count(const char *path, long wanted)
{
	struct tree_node dir, *nodes;
	size_t nr;

	assert_int_equal(tree_lookup(target, path, true, &dir), 0);
	assert_int_equal(tree_readdir(target, &dir, &nodes, &nr), 0);
	check_number(path, (long)nr, wanted);
	for (size_t i = 0; i < nr; i++)
		check_number(nodes[i].name, nodes[i].mode, 0600);
	free(nodes);
}

static void a_new_machine_has_the_kernels_defaults(void **state)
{
	static const struct file_row common[] = {
		{ "probability", "0\n" },
		{ "interval", "1\n" },
		{ "times", "1\n" },
		{ "space", "0\n" },
		{ "verbose", "2\n" },
		{ "verbose_ratelimit_interval_ms", "0\n" },
		{ "verbose_ratelimit_burst", "10\n" },
		{ "task-filter", "N\n" },
		{ "stacktrace-depth", "32\n" },
		{ "require-start", "0x0000000000000000\n" },
		{ "require-end", "0xffffffffffffffff\n" },
		{ "reject-start", "0x0000000000000000\n" },
		{ "reject-end", "0x0000000000000000\n" },
		{ "ignore-gfp-wait", "Y\n" },
	};
	const size_t nr = sizeof(common) / sizeof(common[0]);

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	check_files(FAILSLAB, common, nr);
	CHECK_FILES(FAILSLAB, { "cache-filter", "N\n" });
	check_count(FAILSLAB, (long)nr + 1);
	check_files(FAIL_PAGE_ALLOC, common, nr);
	CHECK_FILES(FAIL_PAGE_ALLOC, { "ignore-gfp-highmem", "Y\n" },
		    { "min-order", "1\n" });
	check_count(FAIL_PAGE_ALLOC, (long)nr + 2);
	CHECK_FILES("/proc/self", { "fail-nth", "0\n" },
		    { "make-it-fail", "0\n" });
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
		/* more callers than 32 are not looked at */
		{ FAILSLAB "/stacktrace-depth", "5", 1, "5\n" },
		{ FAILSLAB "/stacktrace-depth", "33", 2, "32\n" },
		{ FAILSLAB "/stacktrace-depth", "-1", -EINVAL, "32\n" },
		{ FAILSLAB "/require-start", "0x550e00000010\n", 15,
		  "0x0000550e00000010\n" },
		{ FAILSLAB "/require-end", "93518617903136", 14,
		  "0x0000550e00000020\n" },
		{ FAILSLAB "/reject-start", "0xffffffffffffffff", 18,
		  "0xffffffffffffffff\n" },
		{ FAILSLAB "/reject-end", "0x10000000000000000", -ERANGE,
		  "0x0000000000000000\n" },
		{ FAILSLAB "/reject-end", "main", -EINVAL,
		  "0x0000000000000000\n" },
		{ FAIL_PAGE_ALLOC "/probability", "7", 1, "7\n" },
		{ FAIL_PAGE_ALLOC "/space", "-7", 2, "-7\n" },
		{ FAIL_PAGE_ALLOC "/ignore-gfp-highmem", "n", 1, "N\n" },
		{ FAIL_PAGE_ALLOC "/ignore-gfp-wait", "n", 1, "N\n" },
		{ FAIL_PAGE_ALLOC "/min-order", "3", 1, "3\n" },
		{ FAIL_PAGE_ALLOC "/min-order", "4294967296", -ERANGE, "3\n" },
		{ FAIL_PAGE_ALLOC "/require-start", "0x10", 4,
		  "0x0000000000000010\n" },
		{ FAIL_PAGE_ALLOC "/stacktrace-depth", "99", 2, "32\n" },
		/* the two share nothing */
		{ FAILSLAB "/require-start", "0x20", 4,
		  "0x0000000000000020\n" },
		{ FAIL_PAGE_ALLOC "/require-start", "bad", -EINVAL,
		  "0x0000000000000010\n" },
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

/* Call sites stand where the machine prints them, whichever slot it has. */
static void one_caller_can_be_made_to_fail(void **state)
{
	struct slab_machine *below;
	struct kmem_cache *s;
	uintptr_t here, there;
	char text[32];

	(void)state;
	/* not the first slot, which prints addresses as they are */
	assert_int_equal(
		slab_machine_create_virtual(
			&(struct slab_machine_config){ .slot = SLAB_ANY_SLOT },
			&below),
		0);
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "F", 0);
	here = slab_machine_site(machine, "a.c", 1, "");
	there = slab_machine_site(machine, "a.c", 2, "");
	check_number("wait", write_path(FAILSLAB "/ignore-gfp-wait", "N"), 1);
	check_number("times", write_path(FAILSLAB "/times", "-1"), 2);
	check_number("all", write_path(FAILSLAB "/probability", "100"), 3);
	snprintf(text, sizeof(text), "0x%016lx\n",
		 slab_machine_print_address(machine, there));
	check_number("start", write_path(FAILSLAB "/require-start", text), 19);
	check_file(FAILSLAB, "require-start", text);
	snprintf(text, sizeof(text), "0x%lx",
		 slab_machine_print_address(machine, there) + 1);
	write_path(FAILSLAB "/require-end", text);
	slab_machine_set_site(machine, here);
	check_number("here", kmem_cache_alloc(s, GFP_KERNEL) != NULL, true);
	slab_machine_set_site(machine, there);
	check_number("there", kmem_cache_alloc(s, GFP_KERNEL) != NULL, false);
	machine_close();
	slab_machine_destroy(below);
}

static void requests_of_pages_fail_by_their_own_files(void **state)
{
	void *p;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	check_number("all", write_path(FAIL_PAGE_ALLOC "/probability", "100"),
		     3);
	check_number("times", write_path(FAIL_PAGE_ALLOC "/times", "-1"), 2);
	p = kmalloc(16384, GFP_KERNEL);
	check_number("may wait", p != NULL, true);
	check_number("wait",
		     write_path(FAIL_PAGE_ALLOC "/ignore-gfp-wait", "N"), 1);
	check_number("order 2", kmalloc(16384, GFP_KERNEL) != NULL, false);
	check_number("order", write_path(FAIL_PAGE_ALLOC "/min-order", "3"), 1);
	kfree(p);
	p = kmalloc(16384, GFP_KERNEL);
	check_number("order 2 below 3", p != NULL, true);
	kfree(p);
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
		cmocka_unit_test(one_caller_can_be_made_to_fail),
		cmocka_unit_test(requests_of_pages_fail_by_their_own_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Writing to files of /sys/kernel/slab/<cache>: what is taken, what is
 * refused with which errno, and what the file says then. The first two tables
 * are what a 6.12 kernel answered, without newline, but for cpu_partial of
 * a plain cache, which 7.0 no longer has. */
#include "fixture.h"

#include <slab/inject.h>
#include <slab/report.h>

struct write_row {
	const char *file, *value;
	ssize_t result;
	const char *content; /* of the file afterwards */
};

static void check_writes(const char *directory, const struct write_row *rows,
			 size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		char path[256], what[300];

		snprintf(path, sizeof(path), "%s/%s", directory, rows[i].file);
		snprintf(what, sizeof(what), "echo -n '%s' > %s", rows[i].value,
			 path);
		check_number(what, write_path(path, rows[i].value),
			     rows[i].result);
		check_file(directory, rows[i].file, rows[i].content);
	}
}

#define CHECK_WRITES(directory, rows) \
	check_writes(directory, rows, sizeof(rows) / sizeof((rows)[0]))

#define SAME_FOR_ALL_CACHES                                                  \
	{ "min_partial", "3", 1, "3\n" },                                    \
		{ "min_partial", "-1", -EINVAL, "3\n" },                     \
		{ "min_partial", "abc", -EINVAL, "3\n" },                    \
		{ "min_partial", "0", 1, "0\n" },                            \
		{ "min_partial", "100", 3, "100\n" },                        \
		{ "cpu_partial", "0", 1, "0\n" },                            \
		{ "cpu_partial", "5", -EINVAL, "0\n" },                      \
		{ "cpu_partial", "-1", -EINVAL, "0\n" },                     \
		{ "cpu_partial", "x", -EINVAL, "0\n" },                      \
		{ "validate", "0", -EINVAL, "" },                            \
		{ "validate", "2", -EINVAL, "" }, { "validate", "", 0, "" }, \
		{ "shrink", "0", -EINVAL, "" }, { "shrink", "1", 1, "" },    \
		{ "shrink", "2", -EINVAL, "" },                              \
		{ "remote_node_defrag_ratio", "50", 2, "50\n" },             \
		{ "remote_node_defrag_ratio", "100", 3, "100\n" },           \
		{ "remote_node_defrag_ratio", "101", -ERANGE, "100\n" },     \
		{ "remote_node_defrag_ratio", "1000", -ERANGE, "100\n" },    \
		{ "remote_node_defrag_ratio", "x", -EINVAL, "100\n" },       \
		{ "order", "2", -EACCES, "0\n" },                            \
		{ "slabs", "1", -EACCES, "1 N0=1\n" },                       \
		{ "usersize", "1", -EACCES, "0\n" },                         \
		{ "align", "1", -EACCES, "8\n" },                            \
		{ "trace", "1", -EACCES, "0\n" },                            \
	{                                                                    \
		"trace", "0", -EACCES, "0\n"                                 \
	}

static void a_debug_cache_answers_as_in_6_12(void **state)
{
	static const struct write_row rows[] = {
		SAME_FOR_ALL_CACHES,
		{ "validate", "1", 1, "" },
		{ "red_zone", "1", -EACCES, "1\n" },
		{ "poison", "0", -EACCES, "1\n" },
		{ "sanity_checks", "1", -EACCES, "1\n" },
		{ "sanity_checks", "0", -EACCES, "1\n" },
		{ "store_user", "1", -EACCES, "1\n" },
	};
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = cache_new("attrw", 64, "FZPU", 0);
	for (int i = 0; i < 5; i++)
		assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	CHECK_WRITES("/sys/kernel/slab/attrw", rows);
	machine_close();
}

static void a_plain_cache_answers_as_in_6_12(void **state)
{
	static const struct write_row rows[] = {
		SAME_FOR_ALL_CACHES,
		{ "validate", "1", -EINVAL, "" },
		{ "red_zone", "1", -EACCES, "0\n" },
		{ "poison", "0", -EACCES, "0\n" },
		{ "sanity_checks", "1", -EACCES, "0\n" },
		{ "store_user", "1", -EACCES, "0\n" },
	};
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = cache_new("attrw", 64, "", SLAB_NO_MERGE);
	for (int i = 0; i < 5; i++)
		assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	CHECK_WRITES("/sys/kernel/slab/attrw", rows);
	machine_close();
}

static void numbers_are_strict_and_flags_are_not(void **state)
{
	static const struct write_row rows[] = {
		{ "min_partial", "7\n", 2, "7\n" },
		{ "min_partial", "+8", 2, "8\n" },
		{ "min_partial", "", 0, "8\n" },
		{ "min_partial", "\n", -EINVAL, "8\n" },
		{ "min_partial", " 9", -EINVAL, "8\n" },
		{ "min_partial", "9 ", -EINVAL, "8\n" },
		{ "min_partial", "9\n\n", -EINVAL, "8\n" },
		{ "min_partial", "0x9", -EINVAL, "8\n" },
		{ "min_partial", "18446744073709551615\n", 21,
		  "18446744073709551615\n" },
		{ "min_partial", "18446744073709551616", -ERANGE,
		  "18446744073709551615\n" },
		{ "cpu_partial", "000\n", 4, "0\n" },
		{ "cpu_partial", "4294967296", -ERANGE, "0\n" },
		{ "remote_node_defrag_ratio", "0\n", 2, "0\n" },
		{ "remote_node_defrag_ratio", "-1", -EINVAL, "0\n" },
		{ "remote_node_defrag_ratio", "4294967296", -ERANGE, "0\n" },
		{ "validate", "1\n", 2, "" },
		{ "validate", "1 ", 2, "" },
		{ "validate", "1x", 2, "" },
		{ "validate", " 1", -EINVAL, "" },
		{ "validate", "\n", -EINVAL, "" },
		{ "shrink", "1 please\n", 9, "" },
		{ "shrink", "\n1", -EINVAL, "" },
		{ "failslab", "1\n", 2, "1\n" },
		{ "failslab", "x", 1, "0\n" },
		{ "failslab", "12", 2, "1\n" },
		{ "failslab", "", 0, "1\n" },
		{ "failslab", "0", 1, "0\n" },
	};

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("c", 64, "FZPU", 0);
	CHECK_WRITES("/sys/kernel/slab/c", rows);
	machine_close();
}

static void every_file_without_write_permission_says_eacces(void **state)
{
	struct tree_node dir, *nodes;
	unsigned int nr_readonly = 0;
	size_t nr;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("c", 64, "FZPU", 0);
	assert_int_equal(tree_lookup(target, "/sys/kernel/slab/c", true, &dir),
			 0);
	assert_int_equal(tree_readdir(target, &dir, &nodes, &nr), 0);
	for (size_t i = 0; i < nr; i++) {
		if (nodes[i].mode != 0400)
			continue;
		nr_readonly++;
		check_number(nodes[i].name,
			     tree_write(target, &nodes[i], "1\n", 2), -EACCES);
	}
	check_number("files with mode 0400", nr_readonly, 25);
	free(nodes);
	check_number("alloc_traces",
		     write_path("/sys/kernel/debug/slab/c/alloc_traces", "1"),
		     -EACCES);
	check_number("slabinfo", write_path("/proc/slabinfo", "1"), -EACCES);
	check_number("a directory", write_path("/sys/kernel/slab/c", "1"),
		     -EISDIR);
	machine_close();
}

static void failslab_is_refused_where_others_share_the_cache(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("a", 64, "", 0);
	check_number("alone", write_path("/sys/kernel/slab/a/failslab", "1"),
		     1);
	/* its directory keeps the id that it was made with */
	check_file("/sys/kernel/slab/:0000064", "failslab", "1\n");
	check_number("off", write_path("/sys/kernel/slab/a/failslab", "0"), 1);
	assert_ptr_equal(cache_new("b", 64, "", 0), s);
	check_number("with an alias",
		     write_path("/sys/kernel/slab/a/failslab", "1"), -EINVAL);
	check_number("through the alias",
		     write_path("/sys/kernel/slab/b/failslab", "0"), -EINVAL);
	check_number("nothing", write_path("/sys/kernel/slab/b/failslab", ""),
		     0);
	check_file("/sys/kernel/slab/:0000064", "failslab", "0\n");
	machine_close();
}

/* ---- what the writes do ---- */
static void min_partial_decides_which_empty_slabs_stay(void **state)
{
	struct kmem_cache *s;
	void *object;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "FZPU", 0);
	object = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, object);
	check_file("/sys/kernel/slab/c", "slabs", "1 N0=1\n");
	check_number("min_partial",
		     write_path("/sys/kernel/slab/c/min_partial", "0"), 1);
	object = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, object);
	check_file("/sys/kernel/slab/c", "slabs", "0\n");
	machine_close();
}

static void shrink_frees_empty_slabs(void **state)
{
	struct kmem_cache *s;
	void *object;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "FZPU", 0);
	object = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, object);
	check_file("/sys/kernel/slab/c", "slabs", "1 N0=1\n");
	check_number("shrink", write_path("/sys/kernel/slab/c/shrink", "1\n"),
		     2);
	CHECK_FILES("/sys/kernel/slab/c", { "slabs", "0\n" },
		    { "total_objects", "0\n" }, { "partial", "0\n" });
	machine_close();
}

static void validate_reports_and_repairs(void **state)
{
	uint8_t byte = 0x12;
	uintptr_t end;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	end = (uintptr_t)kmem_cache_alloc(cache_new("c", 64, "ZP", 0),
					  GFP_KERNEL) +
	      64;
	assert_int_equal(slab_poke(machine, end, &byte, 1), 0);
	check_number("damaged",
		     write_path("/sys/kernel/slab/c/validate", "1\n"), 2);
	/* slub_kunit counts the failed check and its repair */
	check_number("errors", slab_machine_errors(machine), 2);
	assert_int_equal(slab_target_read(target, end, &byte, 1), 0);
	check_number("red zone", byte, 0xcc);
	slab_machine_clear_errors(machine);
	check_number("repaired",
		     write_path("/sys/kernel/slab/c/validate", "1\n"), 2);
	check_number("errors", slab_machine_errors(machine), 0);
	machine_close();
}

static void nothing_is_read_behind_a_nul_or_a_page(void **state)
{
	static char page[5000];

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("c", 64, "FZPU", 0);
	check_number("3\\0x",
		     write_bytes("/sys/kernel/slab/c/min_partial", "3\0x", 3),
		     3);
	check_file("/sys/kernel/slab/c", "min_partial", "3\n");
	check_number("\\0",
		     write_bytes("/sys/kernel/slab/c/min_partial", "\0", 1),
		     -EINVAL);
	memset(page, '1', sizeof(page));
	check_number(
		"5000 bytes",
		write_bytes("/sys/kernel/slab/c/shrink", page, sizeof(page)),
		4096);
	check_number("a number of 5000 digits",
		     write_bytes("/sys/kernel/slab/c/min_partial", page,
				 sizeof(page)),
		     -ERANGE);
	machine_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_debug_cache_answers_as_in_6_12),
		cmocka_unit_test(a_plain_cache_answers_as_in_6_12),
		cmocka_unit_test(numbers_are_strict_and_flags_are_not),
		cmocka_unit_test(
			every_file_without_write_permission_says_eacces),
		cmocka_unit_test(
			failslab_is_refused_where_others_share_the_cache),
		cmocka_unit_test(min_partial_decides_which_empty_slabs_stay),
		cmocka_unit_test(shrink_frees_empty_slabs),
		cmocka_unit_test(validate_reports_and_repairs),
		cmocka_unit_test(nothing_is_read_behind_a_nul_or_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

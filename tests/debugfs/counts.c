/* SPDX-License-Identifier: MIT */
/* /sys/kernel/slab/<cache>: how full a cache is, by node and by CPU, and the
 * same numbers in /proc/slabinfo. */
#include "fixture.h"

#include <slab/report.h>
#include <slab/sheaf.h>

static void *objects[256];

static void alloc_on(unsigned int cpu, struct kmem_cache *s, unsigned int from,
		     unsigned int nr)
{
	assert_int_equal(slab_machine_set_cpu(machine, cpu), 0);
	for (unsigned int i = from; i < from + nr; i++) {
		objects[i] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_non_null(objects[i]);
	}
}

static void a_new_cache_has_nothing(void **state)
{
	(void)state;
	machine_open(
		&(struct slab_machine_config){ .nr_cpus = 2, .nr_nodes = 2 });
	cache_new("ring", 192, "FZPU", 0);
	CHECK_FILES("/sys/kernel/slab/ring", { "objects", "0\n" },
		    { "total_objects", "0\n" }, { "slabs", "0\n" },
		    { "partial", "0\n" }, { "objects_partial", "0\n" },
		    { "cpu_slabs", "0\n" }, { "slabs_cpu_partial", "0(0)\n" },
		    { "cpu_partial", "0\n" }, { "alloc_slowpath", "0\n" },
		    { "alloc_slab", "0\n" });
	machine_close();
}

/* the case traces.s64.FZPU of the 6.12 data: 7 allocated, 2 freed */
static void counts_are_those_of_a_kernel(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = cache_new("traces", 64, "FZPU", 0);
	alloc_on(0, s, 0, 7);
	kmem_cache_free(s, objects[0]);
	kmem_cache_free(s, objects[5]);
	CHECK_FILES(
		"/sys/kernel/slab/traces", { "slabs", "1 N0=1\n" },
		{ "total_objects", "25 N0=25\n" }, { "objects", "5 N0=5\n" },
		{ "objects_partial", "5 N0=5\n" }, { "partial", "1 N0=1\n" },
		{ "cpu_slabs", "0\n" }, { "slabs_cpu_partial", "0(0)\n" });
	machine_close();
}

static void full_slabs_count_but_not_as_partial(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "FZPU", 0);
	alloc_on(0, s, 0, 25);
	CHECK_FILES("/sys/kernel/slab/c", { "objects", "25 N0=25\n" },
		    { "total_objects", "25 N0=25\n" }, { "slabs", "1 N0=1\n" },
		    { "partial", "0\n" }, { "objects_partial", "0\n" });
	alloc_on(0, s, 25, 3);
	CHECK_FILES("/sys/kernel/slab/c", { "objects", "28 N0=28\n" },
		    { "total_objects", "50 N0=50\n" }, { "slabs", "2 N0=2\n" },
		    { "partial", "1 N0=1\n" },
		    { "objects_partial", "3 N0=3\n" });
	machine_close();
}

static void counts_stand_by_node(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(
		&(struct slab_machine_config){ .nr_cpus = 2, .nr_nodes = 2 });
	s = cache_new("c", 64, "FZPU", 0);
	alloc_on(1, s, 0, 3);
	CHECK_FILES("/sys/kernel/slab/c", { "objects", "3 N1=3\n" },
		    { "total_objects", "25 N1=25\n" }, { "slabs", "1 N1=1\n" },
		    { "partial", "1 N1=1\n" },
		    { "objects_partial", "3 N1=3\n" });
	for (unsigned int i = 3; i < 5; i++) {
		objects[i] = kmem_cache_alloc_node(s, GFP_KERNEL, 0);
		assert_non_null(objects[i]);
	}
	CHECK_FILES("/sys/kernel/slab/c", { "objects", "5 N0=2 N1=3\n" },
		    { "total_objects", "50 N0=25 N1=25\n" },
		    { "slabs", "2 N0=1 N1=1\n" },
		    { "partial", "2 N0=1 N1=1\n" },
		    { "objects_partial", "5 N0=2 N1=3\n" });
	machine_close();
}

/* the case slab_objects_plus100_free.s100.P of the 6.12 data */
static void a_damaged_count_wraps_as_in_the_kernel(void **state)
{
	struct slab_slab_info slab;
	struct slab_cache_info info;
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 100, "P", 0);
	alloc_on(0, s, 0, 4);
	assert_int_equal(slab_target_cache(target, "c", &info), 0);
	assert_int_equal(slab_target_slab(target, info.cache, 1, &slab), 0);
	/* word 5 of a descriptor holds inuse, and objects from bit 16 on */
	((unsigned long *)slab.descriptor)[5] += 100UL << 16;
	kmem_cache_free(s, objects[0]);
	CHECK_FILES(
		"/sys/kernel/slab/c", { "slabs", "1 N0=1\n" },
		{ "total_objects", "36 N0=36\n" },
		{ "objects", "18446744073709551519 N0=18446744073709551519\n" },
		{ "partial", "1 N0=1\n" }, { "objects_partial", "3 N0=3\n" });
	machine_close();
}

static void an_alias_shows_the_numbers_of_its_cache(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("first", 60, "", 0);
	assert_ptr_equal(cache_new("second", 64, "", 0), s);
	assert_ptr_equal(cache_new("third", 57, "", 0), s);
	CHECK_FILES("/sys/kernel/slab/:0000064", { "aliases", "2\n" },
		    { "object_size", "64\n" }, { "slab_size", "64\n" });
	CHECK_FILES("/sys/kernel/slab/second", { "aliases", "2\n" },
		    { "object_size", "64\n" });
	CHECK_FILES("/sys/kernel/slab/third", { "aliases", "2\n" });
	kmem_cache_destroy(s);
	CHECK_FILES("/sys/kernel/slab/:0000064", { "aliases", "1\n" });
	machine_close();
}

/* The kernel's own first caches have a negative count of references. */
static void a_boot_cache_has_no_aliases(void **state)
{
	struct slab_cache_info info = { .refcount = -1 };
	const struct attr *attr = attr_cache_rows;
	char text[16] = "";
	FILE *out;

	(void)state;
	while (strcmp(attr->name, "aliases"))
		attr++;
	out = fmemopen(text, sizeof(text), "w");
	attr->show(&(struct attr_file){ .attr = attr, .info = &info }, out);
	fclose(out);
	assert_string_equal(text, "0\n");
}

/* ---- statistics ---- */
static void statistics_are_summed_and_shown_by_cpu(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 3 });
	s = cache_new("c", 64, "FZPU", 0);
	alloc_on(0, s, 0, 2);
	alloc_on(2, s, 2, 5);
	kmem_cache_free(s, objects[0]);
	CHECK_FILES("/sys/kernel/slab/c", { "alloc_slowpath", "7 C0=2 C2=5\n" },
		    { "alloc_slab", "1 C0=1\n" },
		    { "free_slowpath", "1 C2=1\n" }, { "free_slab", "0\n" },
		    { "alloc_fastpath", "0\n" }, { "free_fastpath", "0\n" });
	assert_int_equal(slab_machine_set_cpu(machine, 1), 0);
	for (unsigned int i = 1; i < 7; i++)
		kmem_cache_free(s, objects[i]);
	check_file("/sys/kernel/slab/c", "free_slowpath", "7 C1=6 C2=1\n");
	machine_close();
}

static void a_cpu_that_is_offline_is_no_part_of_a_statistic(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = cache_new("c", 64, "FZPU", 0);
	alloc_on(0, s, 0, 2);
	alloc_on(1, s, 2, 3);
	assert_int_equal(slab_machine_set_cpu(machine, 0), 0);
	assert_int_equal(slab_machine_set_cpu_online(machine, 1, false), 0);
	check_file("/sys/kernel/slab/c", "alloc_slowpath", "2 C0=2\n");
	assert_int_equal(slab_machine_set_cpu_online(machine, 1, true), 0);
	check_file("/sys/kernel/slab/c", "alloc_slowpath", "5 C0=2 C1=3\n");
	machine_close();
}

/* Objects that lie in sheaves count as in use; CPUs have no slabs. */
static void sheaves_are_counted_and_cpu_slabs_are_not(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = cache_new("c", 256, "", SLAB_NO_MERGE);
	alloc_on(1, s, 0, 1);
	CHECK_FILES(
		"/sys/kernel/slab/c", { "sheaf_capacity", "28\n" },
		{ "alloc_fastpath", "1 C1=1\n" }, { "alloc_slowpath", "0\n" },
		{ "sheaf_refill", "28 C1=28\n" },
		{ "barn_get_fail", "1 C1=1\n" }, { "objects", "28 N0=28\n" },
		{ "total_objects", "32 N0=32\n" }, { "partial", "1 N0=1\n" },
		{ "cpu_slabs", "0\n" }, { "cpu_partial", "0\n" },
		{ "slabs_cpu_partial", "0(0)\n" });
	kmem_cache_free(s, objects[0]);
	check_file("/sys/kernel/slab/c", "free_fastpath", "1 C1=1\n");
	assert_int_equal(slab_cache_flush_cpu(machine, s), 0);
	CHECK_FILES("/sys/kernel/slab/c", { "sheaf_flush", "28 C1=28\n" },
		    { "objects", "0\n" });
	machine_close();
}

static void writing_0_clears_a_statistic_on_every_cpu(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = cache_new("c", 64, "FZPU", 0);
	alloc_on(0, s, 0, 2);
	alloc_on(1, s, 2, 1);
	check_number("1", write_path("/sys/kernel/slab/c/alloc_slowpath", "1"),
		     -EINVAL);
	check_number("\\n",
		     write_path("/sys/kernel/slab/c/alloc_slowpath", "\n"),
		     -EINVAL);
	check_number("nothing",
		     write_path("/sys/kernel/slab/c/alloc_slowpath", ""), 0);
	check_file("/sys/kernel/slab/c", "alloc_slowpath", "3 C0=2 C1=1\n");
	check_number("0x",
		     write_path("/sys/kernel/slab/c/alloc_slowpath", "0x"), 2);
	CHECK_FILES("/sys/kernel/slab/c", { "alloc_slowpath", "0\n" },
		    { "alloc_slab", "1 C0=1\n" });
	machine_close();
}

/* ---- /proc/slabinfo ---- */
#define SLABINFO_HEAD                                                  \
	"slabinfo - version: 2.1\n"                                    \
	"# name            <active_objs> <num_objs> <objsize> "        \
	"<objperslab> <pagesperslab> : tunables <limit> <batchcount> " \
	"<sharedfactor> : slabdata <active_slabs> <num_slabs> "        \
	"<sharedavail>\n"

static void slabinfo_has_two_lines_and_one_a_cache(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(
		&(struct slab_machine_config){ .nr_cpus = 2, .nr_nodes = 2 });
	check_file("/proc", "slabinfo", SLABINFO_HEAD);
	s = cache_new("dentry", 192, "F", 0);
	alloc_on(0, s, 0, 23);
	alloc_on(1, s, 23, 2);
	cache_new("a_name_longer_than_its_column", 1024, "F", 0);
	cache_new("first", 64, "", 0);
	cache_new("alias", 64, "", 0);
	check_file("/proc", "slabinfo",
		   SLABINFO_HEAD
		   "first                  0      0     64   64    1 : "
		   "tunables    0    0    0 : slabdata      0      0      0\n"
		   "a_name_longer_than_its_column      0      0   1024   16    "
		   "4 : "
		   "tunables    0    0    0 : slabdata      0      0      0\n"
		   "dentry                25     63    192   21    1 : "
		   "tunables    0    0    0 : slabdata      3      3      0\n");
	machine_close();
}

/* the sample line of a running 6.18 */
static void a_full_dentry_cache_has_the_kernels_line(void **state)
{
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = cache_new("dentry", 192, "F", 0);
	for (unsigned int i = 0; i < 179676; i++)
		assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	check_file("/proc", "slabinfo",
		   SLABINFO_HEAD
		   "dentry            179676 179676    192   21    1 : "
		   "tunables    0    0    0 : slabdata   8556   8556      0\n");
	machine_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_cache_has_nothing),
		cmocka_unit_test(counts_are_those_of_a_kernel),
		cmocka_unit_test(full_slabs_count_but_not_as_partial),
		cmocka_unit_test(counts_stand_by_node),
		cmocka_unit_test(a_damaged_count_wraps_as_in_the_kernel),
		cmocka_unit_test(an_alias_shows_the_numbers_of_its_cache),
		cmocka_unit_test(a_boot_cache_has_no_aliases),
		cmocka_unit_test(statistics_are_summed_and_shown_by_cpu),
		cmocka_unit_test(
			a_cpu_that_is_offline_is_no_part_of_a_statistic),
		cmocka_unit_test(sheaves_are_counted_and_cpu_slabs_are_not),
		cmocka_unit_test(writing_0_clears_a_statistic_on_every_cpu),
		cmocka_unit_test(slabinfo_has_two_lines_and_one_a_cache),
		cmocka_unit_test(a_full_dentry_cache_has_the_kernels_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

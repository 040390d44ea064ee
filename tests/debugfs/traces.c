/* SPDX-License-Identifier: MIT */
/* /sys/kernel/debug/slab/<cache>/{alloc,free}_traces: who used the objects
 * that are in use. */
#include "fixture.h"

#include <slab/report.h>

#define TRACES "/sys/kernel/debug/slab/ring"

static uint64_t start;

static void open_ring(const struct slab_machine_config *config)
{
	machine_open(config);
	cache_new("ring", 64, "FZPU", 0);
	slab_machine_set_task(machine, 42, "test");
	start = slab_machine_jiffies(machine);
}

/* From now on everything is done on this line of demo.slab. */
static void stand_at(unsigned int line)
{
	slab_machine_set_site(machine, slab_machine_site(machine, "demo.slab",
							 line, "alloc"));
}

static void *alloc_one(void)
{
	void *object =
		kmem_cache_alloc(slab_cache_find(machine, "ring"), GFP_KERNEL);

	assert_non_null(object);
	return object;
}

static void without_objects_there_is_no_data(void **state)
{
	(void)state;
	open_ring(&(struct slab_machine_config){ .nr_cpus = 2 });
	CHECK_FILES(TRACES, { "alloc_traces", "No data\n" },
		    { "free_traces", "No data\n" });
	stand_at(1);
	kmem_cache_free(slab_cache_find(machine, "ring"), alloc_one());
	CHECK_FILES(TRACES, { "alloc_traces", "No data\n" },
		    { "free_traces", "No data\n" });
	machine_close();
}

static void places_are_counted_and_sorted_by_count(void **state)
{
	(void)state;
	open_ring(&(struct slab_machine_config){ .nr_cpus = 2 });
	stand_at(2);
	alloc_one();
	slab_machine_tick(machine, 1);
	stand_at(1);
	for (int i = 0; i < 3; i++)
		alloc_one();
	slab_machine_tick(machine, 10);
	slab_machine_set_cpu(machine, 1);
	slab_machine_set_task(machine, 43, "other");
	alloc_one();
	slab_machine_tick(machine, 6);
	/* ages 16, 16, 16 and 6 are 54, by 4 */
	check_file(TRACES, "alloc_traces",
		   "      4 demo.slab:1 age=6/13/16 pid=42-43 cpus=0-1\n"
		   "        demo.slab:1\n"
		   "\n"
		   "      1 demo.slab:2 age=17 pid=42 cpus=0\n"
		   "        demo.slab:2\n"
		   "\n");
	machine_close();
}

static void frees_are_those_of_a_former_life(void **state)
{
	struct kmem_cache *s;
	char wanted[200];
	void *object;

	(void)state;
	open_ring(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = slab_cache_find(machine, "ring");
	stand_at(1);
	object = alloc_one();
	alloc_one();
	alloc_one();
	stand_at(2);
	slab_machine_set_cpu(machine, 1);
	kmem_cache_free(s, object);
	slab_machine_tick(machine, 5);
	stand_at(3);
	slab_machine_set_cpu(machine, 0);
	assert_ptr_equal(alloc_one(), object);
	slab_machine_tick(machine, 2);
	/* what was never freed stands together, as old as the clock */
	snprintf(wanted, sizeof(wanted),
		 "      2 <not-available> age=%llu pid=0 cpus=0\n"
		 "      1 demo.slab:2 age=7 pid=42 cpus=1\n"
		 "        demo.slab:2\n"
		 "\n",
		 (unsigned long long)start + 7);
	check_file(TRACES, "free_traces", wanted);
	machine_close();
}

static void cpus_and_nodes_show_where_there_are_several(void **state)
{
	static const struct {
		unsigned int cpus, nodes;
		const char *wanted;
	} rows[] = {
		{ 1, 1, "      1 demo.slab:1 age=0 pid=42\n" },
		{ 2, 1, "      1 demo.slab:1 age=0 pid=42 cpus=0\n" },
		{ 2, 2, "      1 demo.slab:1 age=0 pid=42 cpus=0 nodes=0\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_ring(&(struct slab_machine_config){
			.nr_cpus = rows[i].cpus,
			.nr_nodes = rows[i].nodes,
			.stack_depot_disable = true });
		stand_at(1);
		alloc_one();
		/* and without a stack no empty line ends the block */
		check_file(TRACES, "alloc_traces", rows[i].wanted);
		machine_close();
	}
}

static void lists_join_neighbours(void **state)
{
	static const unsigned int cpus[] = { 0, 1, 2, 5, 7, 8 };

	(void)state;
	open_ring(&(struct slab_machine_config){
		.nr_cpus = 9, .nr_nodes = 3, .stack_depot_disable = true });
	stand_at(1);
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		slab_machine_set_cpu(machine, cpus[i]);
		alloc_one();
	}
	check_file(
		TRACES, "alloc_traces",
		"      6 demo.slab:1 age=0 pid=42 cpus=0-2,5,7-8 nodes=0-2\n");
	machine_close();
}

static void full_slabs_are_looked_at_too(void **state)
{
	(void)state;
	open_ring(&(struct slab_machine_config){ .stack_depot_disable = true });
	stand_at(1);
	for (int i = 0; i < 60; i++)
		alloc_one();
	check_file(TRACES, "alloc_traces",
		   "     60 demo.slab:1 age=0 pid=42\n");
	machine_close();
}

static void kmalloc_shows_what_rounding_up_wastes(void **state)
{
	(void)state;
	machine_open(&(struct slab_machine_config){
		.slab_debug = "U", .stack_depot_disable = true });
	slab_machine_set_task(machine, 42, "test");
	stand_at(1);
	for (int i = 0; i < 2; i++)
		assert_non_null(kmalloc(19, GFP_KERNEL));
	assert_non_null(kmalloc(32, GFP_KERNEL));
	check_file("/sys/kernel/debug/slab/kmalloc-32", "alloc_traces",
		   "      2 demo.slab:1 waste=26/13 age=0 pid=42\n"
		   "      1 demo.slab:1 age=0 pid=42\n");
	machine_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_objects_there_is_no_data),
		cmocka_unit_test(places_are_counted_and_sorted_by_count),
		cmocka_unit_test(frees_are_those_of_a_former_life),
		cmocka_unit_test(cpus_and_nodes_show_where_there_are_several),
		cmocka_unit_test(lists_join_neighbours),
		cmocka_unit_test(full_slabs_are_looked_at_too),
		cmocka_unit_test(kmalloc_shows_what_rounding_up_wastes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

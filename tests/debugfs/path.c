/* SPDX-License-Identifier: MIT */
/* Paths: what is where, with which type, mode and size; links and ids. */
#include "fixture.h"

#include <limits.h>

/* The ids that a running kernel showed, and names that stay names. */
static void a_mergeable_cache_is_named_by_its_flags_and_size(void **state)
{
	static const struct {
		const char *name;
		unsigned int size;
		slab_flags_t flags;
		const char *letters, *directory;
	} rows[] = {
		{ "vmap_area", 64, 0, "", ":0000064" },
		{ "anon_vma_chain", 64, SLAB_ACCOUNT, "", ":A-0000064" },
		{ "buffer_head", 104, SLAB_RECLAIM_ACCOUNT, "", ":a-0000104" },
		{ "pidfs_attr", 32, SLAB_ACCOUNT | SLAB_RECLAIM_ACCOUNT, "",
		  ":aA-0000032" },
		{ "dma", 48, SLAB_CACHE_DMA, "", ":d-0000048" },
		{ "dma32", 48, SLAB_CACHE_DMA32, "", ":D-0000048" },
		{ "all", 128,
		  SLAB_CACHE_DMA | SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, "",
		  ":daA-0000128" },
		{ "odd", 57, 0, "", ":0000064" },
		{ "lines", 40, SLAB_HWCACHE_ALIGN, "", ":0000064" },
		/* 7.0 merges no cache with a debug flag, F neither */
		{ "f", 72, 0, "F", "f" },
		{ "z", 72, 0, "Z", "z" },
		{ "p", 72, 0, "P", "p" },
		{ "u", 72, 0, "U", "u" },
		{ "t", 72, 0, "T", "t" },
		{ "no_merge", 72, SLAB_NO_MERGE, "", "no_merge" },
		{ "noleaktrace", 72, SLAB_NOLEAKTRACE, "", "noleaktrace" },
		{ "failslab", 72, SLAB_FAILSLAB, "", "failslab" },
		{ "typesafe", 72, SLAB_TYPESAFE_BY_RCU, "", "typesafe" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tree_node node;
		char path[64];

		machine_open(&(struct slab_machine_config){ 0 });
		cache_new(rows[i].name, rows[i].size, rows[i].letters,
			  rows[i].flags);
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s",
			 rows[i].name);
		check_number(path, tree_lookup(target, path, false, &node), 0);
		if (*rows[i].directory == ':') {
			check_number(path, node.type, TREE_LINK);
			check_text(path, node.target, rows[i].directory);
		} else {
			check_number(path, node.type, TREE_DIRECTORY);
		}
		check_number(path, tree_lookup(target, path, true, &node), 0);
		check_text(path, node.name, rows[i].directory);
		check_number(path, node.type, TREE_DIRECTORY);
		machine_close();
	}
}

static void each_name_of_a_merged_cache_is_a_link(void **state)
{
	static const char *const wanted[] = { ":0000064", "a", "b", "c" };
	struct tree_node dir, *nodes;
	unsigned int found = 0;
	size_t nr;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("a", 64, "", 0);
	cache_new("b", 64, "", 0);
	cache_new("c", 60, "", 0);
	assert_int_equal(tree_lookup(target, "/sys/kernel/slab", true, &dir),
			 0);
	assert_int_equal(tree_readdir(target, &dir, &nodes, &nr), 0);
	check_number("entries", (long)nr, 4);
	for (size_t i = 0; i < nr; i++) {
		for (size_t j = 0; j < 4; j++) {
			if (strcmp(nodes[i].name, wanted[j]))
				continue;
			found |= 1U << j;
			check_number(nodes[i].name, nodes[i].type,
				     j ? TREE_LINK : TREE_DIRECTORY);
			check_number(nodes[i].name, nodes[i].mode,
				     j ? 0777 : 0755);
			check_text(nodes[i].name, nodes[i].target,
				   j ? ":0000064" : "");
		}
	}
	check_number("names found", found, 15);
	free(nodes);
	machine_close();
}

static void nothing_merges_when_merging_is_off(void **state)
{
	struct tree_node node;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	assert_int_equal(slab_machine_sysctl(machine, "slab_nomerge", "1"), 0);
	cache_new("a", 64, "", 0);
	assert_int_equal(
		tree_lookup(target, "/sys/kernel/slab/a", false, &node), 0);
	check_number("a", node.type, TREE_DIRECTORY);
	check_number(
		":0000064",
		tree_lookup(target, "/sys/kernel/slab/:0000064", false, &node),
		-ENOENT);
	machine_close();
}

/* ---- one directory ---- */
static void a_cache_directory_has_exactly_these_files(void **state)
{
	/* 6.18 listed these 30; 7.0's statistics and failslab come below */
	static const struct {
		const char *name;
		unsigned int mode;
	} rows[] = {
		{ "aliases", 0400 },
		{ "align", 0400 },
		{ "cache_dma", 0400 },
		{ "cpu_partial", 0600 },
		{ "cpu_slabs", 0400 },
		{ "ctor", 0400 },
		{ "destroy_by_rcu", 0400 },
		{ "hwcache_align", 0400 },
		{ "min_partial", 0600 },
		{ "object_size", 0400 },
		{ "objects", 0400 },
		{ "objects_partial", 0400 },
		{ "objs_per_slab", 0400 },
		{ "order", 0400 },
		{ "partial", 0400 },
		{ "poison", 0400 },
		{ "reclaim_account", 0400 },
		{ "red_zone", 0400 },
		{ "remote_node_defrag_ratio", 0600 },
		{ "sanity_checks", 0400 },
		{ "sheaf_capacity", 0400 },
		{ "shrink", 0600 },
		{ "slab_size", 0400 },
		{ "slabs", 0400 },
		{ "slabs_cpu_partial", 0400 },
		{ "store_user", 0400 },
		{ "total_objects", 0400 },
		{ "trace", 0400 },
		{ "usersize", 0400 },
		{ "validate", 0600 },
		{ "failslab", 0600 },
#define STAT(id, file, counts) { file, 0600 },
#include <slab/stat_items.def>
#undef STAT
	};
	size_t nr_rows = sizeof(rows) / sizeof(rows[0]), nr;
	struct tree_node dir, *nodes;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("c", 64, "F", 0);
	assert_int_equal(tree_lookup(target, "/sys/kernel/slab/c", true, &dir),
			 0);
	assert_int_equal(tree_readdir(target, &dir, &nodes, &nr), 0);
	check_number("files", (long)nr, (long)nr_rows);
	check_number("files", (long)nr, 31 + 26);
	for (size_t i = 0; i < nr_rows; i++) {
		const struct tree_node *found = NULL;

		for (size_t j = 0; j < nr; j++) {
			if (!strcmp(nodes[j].name, rows[i].name))
				found = &nodes[j];
		}
		check_number(rows[i].name, found != NULL, true);
		if (!found)
			continue;
		check_number(rows[i].name, found->type, TREE_FILE);
		check_number(rows[i].name, found->mode, rows[i].mode);
		check_number(rows[i].name, (long)found->size, 4096);
	}
	free(nodes);
	machine_close();
}

static void every_row_says_what_it_is_and_what_it_takes(void **state)
{
	static const struct attr *const tables[] = {
		attr_cache_rows,       attr_debug_rows,	   attr_stat_rows,
		attr_cache_fault_rows, attr_traces_rows,   attr_failslab_rows,
		attr_task_rows,	       attr_slabinfo_rows,
	};

	(void)state;
	mistakes = 0;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct attr *a = tables[i]; a->name; a++) {
			check_number(a->name, a->help && *a->help, true);
			check_number(a->name, a->unit != NULL, true);
			check_number(a->name, a->show != NULL, true);
			check_number(a->name, (a->mode & 0200) != 0,
				     a->store != NULL);
			check_number(a->name, a->accepts != NULL,
				     a->store != NULL);
		}
	}
	assert_int_equal(mistakes, 0);
}

/* ---- the way there ---- */
static void directories_and_modes_are_a_kernels(void **state)
{
	static const struct {
		const char *path;
		enum tree_type type;
		unsigned int mode;
		size_t size;
	} rows[] = {
		{ "/", TREE_DIRECTORY, 0755, 0 },
		{ "/proc", TREE_DIRECTORY, 0555, 0 },
		{ "/proc/slabinfo", TREE_FILE, 0400, 0 },
		{ "/proc/self", TREE_DIRECTORY, 0555, 0 },
		{ "/proc/self/fail-nth", TREE_FILE, 0644, 0 },
		{ "/proc/self/make-it-fail", TREE_FILE, 0644, 0 },
		{ "/sys", TREE_DIRECTORY, 0555, 0 },
		{ "/sys/kernel", TREE_DIRECTORY, 0755, 0 },
		{ "/sys/kernel/slab", TREE_DIRECTORY, 0755, 0 },
		{ "/sys/kernel/slab/u", TREE_DIRECTORY, 0755, 0 },
		{ "/sys/kernel/slab/u/order", TREE_FILE, 0400, 4096 },
		{ "/sys/kernel/debug", TREE_DIRECTORY, 0700, 0 },
		{ "/sys/kernel/debug/failslab", TREE_DIRECTORY, 0755, 0 },
		{ "/sys/kernel/debug/failslab/times", TREE_FILE, 0600, 0 },
		{ "/sys/kernel/debug/slab", TREE_DIRECTORY, 0755, 0 },
		{ "/sys/kernel/debug/slab/u", TREE_DIRECTORY, 0755, 0 },
		{ "/sys/kernel/debug/slab/u/alloc_traces", TREE_FILE, 0400, 0 },
		{ "/sys/kernel/debug/slab/u/free_traces", TREE_FILE, 0400, 0 },
	};

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("u", 64, "U", 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tree_node node = { .size = 1 };

		check_number(rows[i].path,
			     tree_lookup(target, rows[i].path, false, &node),
			     0);
		check_number(rows[i].path, node.type, rows[i].type);
		check_number(rows[i].path, node.mode, rows[i].mode);
		check_number(rows[i].path, (long)node.size, (long)rows[i].size);
	}
	machine_close();
}

static void paths_are_walked_as_by_a_kernel(void **state)
{
	static char too_long[PATH_MAX + 1], long_name[300] = "/";
	static const struct {
		const char *path;
		int result;
		const char *name;
	} rows[] = {
		{ "//proc///slabinfo", 0, "slabinfo" },
		{ "/proc/./slabinfo", 0, "slabinfo" },
		{ "/proc/../sys/kernel", 0, "kernel" },
		{ "/../../proc", 0, "proc" },
		{ "/proc/", 0, "proc" },
		{ "/sys/kernel/slab/a/", 0, ":0000064" },
		{ "/sys/kernel/slab/a/order", 0, "order" },
		/* .. of a link's target, which is in the same place */
		{ "/sys/kernel/slab/a/../b/order", 0, "order" },
		{ "", -ENOENT, NULL },
		{ "proc", -ENOENT, NULL },
		{ "/nothing", -ENOENT, NULL },
		{ "/sys/kernel/slab/nothing/order", -ENOENT, NULL },
		{ "/sys/kernel/slab/a/alloc_calls", -ENOENT, NULL },
		{ "/sys/kernel/slab/a/free_calls", -ENOENT, NULL },
		{ "/sys/kernel/slab/a/skip_kfence", -ENOENT, NULL },
		{ "/sys/kernel/slab/a/ops", -ENOENT, NULL },
		{ "/proc/slabinfo/", -ENOTDIR, NULL },
		{ "/proc/slabinfo/x", -ENOTDIR, NULL },
		{ "/proc/slabinfo/..", -ENOTDIR, NULL },
		{ long_name, -ENAMETOOLONG, NULL },
		{ too_long, -ENAMETOOLONG, NULL },
	};

	(void)state;
	memset(long_name + 1, 'x', sizeof(long_name) - 2);
	memset(too_long, '/', sizeof(too_long) - 1);
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("a", 64, "", 0);
	cache_new("b", 64, "", 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tree_node node;
		char *text;
		ssize_t n;

		check_number(rows[i].path,
			     tree_lookup(target, rows[i].path, true, &node),
			     rows[i].result);
		n = read_path(rows[i].path, &text);
		free(text);
		if (rows[i].result)
			check_number(rows[i].path, n, rows[i].result);
		else
			check_text(rows[i].path, node.name, rows[i].name);
	}
	machine_close();
}

static void a_link_on_the_way_is_followed_in_any_case(void **state)
{
	struct tree_node node;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("a", 64, "", 0);
	check_number("a",
		     tree_lookup(target, "/sys/kernel/slab/a", false, &node),
		     0);
	check_text("a", node.name, "a");
	check_number("a/",
		     tree_lookup(target, "/sys/kernel/slab/a/", false, &node),
		     0);
	check_text("a/", node.name, ":0000064");
	check_number(
		"a/order",
		tree_lookup(target, "/sys/kernel/slab/a/order", false, &node),
		0);
	check_text("a/order", node.name, "order");
	machine_close();
}

static void a_slash_in_a_name_is_a_bang_in_the_tree(void **state)
{
	struct tree_node dir, *nodes;
	size_t nr;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("pool/a", 64, "U", 0);
	check_file("/sys/kernel/slab/pool!a", "object_size", "64\n");
	assert_int_equal(
		tree_lookup(target, "/sys/kernel/debug/slab", true, &dir), 0);
	assert_int_equal(tree_readdir(target, &dir, &nodes, &nr), 0);
	check_number("directories in debugfs", (long)nr, 0);
	free(nodes);
	machine_close();
}

/* sysfs gives a name to the last who asks for it, debugfs to the first. */
static void a_name_used_twice_leads_to_one_cache(void **state)
{
	struct tree_node dir, *nodes;
	size_t nr;

	(void)state;
	machine_open(
		&(struct slab_machine_config){ .stack_depot_disable = true });
	slab_machine_set_task(machine, 42, "test");
	slab_machine_set_site(machine,
			      slab_machine_site(machine, "demo.slab", 1, ""));
	kmem_cache_alloc(cache_new("dir", 64, "U", 0), GFP_KERNEL);
	cache_new("dir", 128, "U", 0);
	cache_new("link", 256, "", 0);
	cache_new("link", 512, "", 0);
	cache_new("both", 1024, "", 0);
	cache_new("both", 2048, "F", 0);
	CHECK_FILES("/sys/kernel/slab", { "dir/object_size", "128\n" },
		    { "link/object_size", "512\n" },
		    { "both/object_size", "2048\n" },
		    { ":0000256/object_size", "256\n" });
	check_file("/sys/kernel/debug/slab/dir", "alloc_traces",
		   "      1 demo.slab:1 age=0 pid=42\n");
	assert_int_equal(
		tree_lookup(target, "/sys/kernel/debug/slab", true, &dir), 0);
	assert_int_equal(tree_readdir(target, &dir, &nodes, &nr), 0);
	check_number("directories in debugfs", (long)nr, 1);
	free(nodes);
	machine_close();
}

static void traces_are_there_for_caches_that_store_users(void **state)
{
	struct tree_node node;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("with", 64, "U", 0);
	cache_new("without", 64, "FZP", 0);
	check_number(
		"with",
		tree_lookup(target, "/sys/kernel/debug/slab/with", true, &node),
		0);
	check_number("without",
		     tree_lookup(target, "/sys/kernel/debug/slab/without", true,
				 &node),
		     -ENOENT);
	machine_close();
}

static void a_destroyed_cache_is_gone_for_whoever_has_its_file(void **state)
{
	struct tree_node file, dir, *nodes;
	struct kmem_cache *s;
	char *text;
	size_t nr;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "F", 0);
	assert_int_equal(tree_lookup(target, "/sys/kernel/slab/c", true, &dir),
			 0);
	assert_int_equal(
		tree_lookup(target, "/sys/kernel/slab/c/order", true, &file),
		0);
	kmem_cache_destroy(s);
	check_number("lookup",
		     tree_lookup(target, "/sys/kernel/slab/c", true, &dir),
		     -ENOENT);
	check_number("read", tree_read(target, &file, &text), -ENODEV);
	check_number("readdir", tree_readdir(target, &dir, &nodes, &nr),
		     -ENODEV);
	machine_close();
}

/* data of 6.12: after a destroy that failed the name can be used again */
static void a_leaked_cache_leaves_the_tree(void **state)
{
	struct kmem_cache *s;
	struct tree_node node;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "FZPU", 0);
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	check_number("destroy", kmem_cache_destroy(s), -EBUSY);
	check_number("sysfs",
		     tree_lookup(target, "/sys/kernel/slab/c", true, &node),
		     -ENOENT);
	check_number(
		"debugfs",
		tree_lookup(target, "/sys/kernel/debug/slab/c", true, &node),
		-ENOENT);
	cache_new("c", 128, "F", 0);
	check_file("/sys/kernel/slab/c", "object_size", "128\n");
	machine_close();
}

static void what_is_no_file_can_not_be_read(void **state)
{
	struct tree_node node, *nodes;
	char *text;
	size_t nr;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("a", 64, "", 0);
	check_number("a directory", read_path("/sys/kernel/slab/a", &text),
		     -EISDIR);
	assert_int_equal(tree_lookup(target, "/proc/slabinfo", true, &node), 0);
	check_number("readdir of a file",
		     tree_readdir(target, &node, &nodes, &nr), -ENOTDIR);
	machine_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_mergeable_cache_is_named_by_its_flags_and_size),
		cmocka_unit_test(each_name_of_a_merged_cache_is_a_link),
		cmocka_unit_test(nothing_merges_when_merging_is_off),
		cmocka_unit_test(a_cache_directory_has_exactly_these_files),
		cmocka_unit_test(every_row_says_what_it_is_and_what_it_takes),
		cmocka_unit_test(directories_and_modes_are_a_kernels),
		cmocka_unit_test(paths_are_walked_as_by_a_kernel),
		cmocka_unit_test(a_link_on_the_way_is_followed_in_any_case),
		cmocka_unit_test(a_slash_in_a_name_is_a_bang_in_the_tree),
		cmocka_unit_test(a_name_used_twice_leads_to_one_cache),
		cmocka_unit_test(traces_are_there_for_caches_that_store_users),
		cmocka_unit_test(
			a_destroyed_cache_is_gone_for_whoever_has_its_file),
		cmocka_unit_test(a_leaked_cache_leaves_the_tree),
		cmocka_unit_test(what_is_no_file_can_not_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

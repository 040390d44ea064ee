/* SPDX-License-Identifier: MIT */
/* The tree over a native machine: every file can be read, with statistics and
 * without, at rest and while threads run; counts are those of a virtual one. */
#include "fixture.h"

#include <pthread.h>

static void native_open(bool statistics)
{
	struct slab_machine_config config = { .statistics = statistics,
					      .asan_off = true };

	assert_int_equal(slab_machine_create_native(&config, &machine), 0);
	slab_machine_use(machine);
	assert_int_equal(slab_target_open_self(machine, &target), 0);
	mistakes = 0;
}

/* All files below; how many were read. */
static unsigned int read_below(const char *path)
{
	struct tree_node here, *node;
	unsigned int sum = 0;
	size_t nr, i;

	if (tree_lookup(target, path, true, &here) ||
	    tree_readdir(target, &here, &node, &nr))
		return 0; /* its cache is gone by now */
	for (i = 0; i < nr; i++) {
		char below[600], *text = NULL;
		ssize_t n;

		snprintf(below, sizeof(below), "%s/%s", path, node[i].name);
		if (node[i].type == TREE_DIRECTORY)
			sum += read_below(below);
		if (node[i].type != TREE_FILE)
			continue;
		n = tree_read(target, &node[i], &text);
		if (n < 0 && n != -ENODEV && n != -ENODATA)
			check_text(below, strerror((int)-n), "its content");
		sum += n >= 0;
		free(text);
	}
	free(node);
	return sum;
}

static bool is_there(const char *path)
{
	struct tree_node node;

	return !tree_lookup(target, path, true, &node);
}

static void every_file_can_be_read(void **state)
{
	unsigned int with, without;

	(void)state;
	native_open(true);
	cache_new("ring", 192, "FZPU", 0);
	cache_new("plain", 256, "-", SLAB_NO_MERGE);
	with = read_below("/");
	assert_true(is_there("/sys/kernel/slab/plain/alloc_fastpath"));
	machine_close();
	native_open(false);
	cache_new("ring", 192, "FZPU", 0);
	cache_new("plain", 256, "-", SLAB_NO_MERGE);
	without = read_below("/");
	/* as a kernel without SLUB_STATS has it */
	assert_false(is_there("/sys/kernel/slab/plain/alloc_fastpath"));
	assert_true(is_there("/sys/kernel/slab/plain/objects"));
	machine_close();
	print_message("%u files with statistics, %u without\n", with, without);
	assert_true(without > 70);
	assert_true(with > without);
	assert_int_equal((with - without) % SLAB_NR_STATS, 0);
}

/* counts.c's case of the 6.12 data */
static void counts_are_those_of_a_kernel(void **state)
{
	struct kmem_cache *s;
	void *p[7];
	int i;

	(void)state;
	native_open(true);
	s = cache_new("traces", 64, "FZPU", 0);
	for (i = 0; i < 7; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p[0]);
	kmem_cache_free(s, p[5]);
	CHECK_FILES(
		"/sys/kernel/slab/traces", { "slabs", "1 N0=1\n" },
		{ "total_objects", "25 N0=25\n" }, { "objects", "5 N0=5\n" },
		{ "objects_partial", "5 N0=5\n" }, { "partial", "1 N0=1\n" });
	machine_close();
}

static void traces_have_real_stacks(void **state)
{
	struct kmem_cache *s;
	char *text;

	(void)state;
	native_open(true);
	s = cache_new("ring", 192, "U", 0);
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_true(read_path("/sys/kernel/debug/slab/ring/alloc_traces",
			      &text) > 0);
	if (!strstr(text, __func__))
		fail_msg("no %s in:\n%s", __func__, text);
	free(text);
	machine_close();
}

static void writes_do_what_they_do(void **state)
{
	struct kmem_cache *s;
	void *p[200];
	int i;

	(void)state;
	native_open(true);
	s = cache_new("ring", 192, "F", 0);
	for (i = 0; i < 200; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < 200; i++)
		kmem_cache_free(s, p[i]);
	assert_int_equal(write_path("/sys/kernel/slab/ring/validate", "1"), 1);
	assert_int_equal(write_path("/sys/kernel/slab/ring/min_partial", "0"),
			 1);
	assert_int_equal(write_path("/sys/kernel/slab/ring/shrink", "1"), 1);
	check_file("/sys/kernel/slab/ring", "slabs", "0\n");
	assert_int_equal(write_path("/sys/kernel/slab/ring/alloc_slab", "0"),
			 1);
	check_file("/sys/kernel/slab/ring", "alloc_slab", "0\n");
	machine_close();
}

/* ---- while threads run ---- */
static bool is_over;

static void *churn(void *cache)
{
	struct kmem_cache *s = cache, *own;
	void *p[64];
	unsigned int i, n = 0;
	char name[32];

	snprintf(name, sizeof(name), "own-%p", (void *)&p);
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		for (i = 0; i < 64; i++)
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		for (i = 0; i < 64; i++)
			kmem_cache_free(s, p[i]);
		if (++n % 64)
			continue;
		own = kmem_cache_create(name, 100, NULL, SLAB_STORE_USER);
		kmem_cache_destroy(own);
	}
	return NULL;
}

static void it_is_read_while_threads_run(void **state)
{
	struct kmem_cache *s[2];
	pthread_t thread[4];
	unsigned int i, nr = 0;

	(void)state;
#if defined(__SANITIZE_THREAD__)
	print_message("ThreadSanitizer: a look is a race by its nature\n");
	skip();
#endif
	native_open(true);
	s[0] = cache_new("ring", 192, "FZPU", 0);
	s[1] = cache_new("plain", 256, "-", SLAB_NO_MERGE);
	is_over = false;
	for (i = 0; i < 4; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, churn, s[i % 2]), 0);
	for (i = 0; i < 3; i++)
		nr += read_below("/");
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	assert_true(nr > 300);
	machine_close();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_can_be_read),
		cmocka_unit_test(counts_are_those_of_a_kernel),
		cmocka_unit_test(traces_have_real_stacks),
		cmocka_unit_test(writes_do_what_they_do),
		cmocka_unit_test(it_is_read_while_threads_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

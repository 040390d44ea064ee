/* SPDX-License-Identifier: MIT */
/* The tree of a machine whose descriptors are damaged: every file can still
 * be read, and says what the counters say. */
#include "../patience.h"
#include "fixture.h"

#include <unistd.h>

#include <slab/inject.h>

/* Reads everything below a path; the number of files. */
static unsigned int read_all(const char *path)
{
	struct tree_node dir, *nodes;
	unsigned int files = 0;
	size_t nr;

	check_number(path, tree_lookup(target, path, true, &dir), 0);
	check_number(path, tree_readdir(target, &dir, &nodes, &nr), 0);
	for (size_t i = 0; i < nr; i++) {
		char below[512];
		char *text;
		ssize_t n;

		snprintf(below, sizeof(below), "%s/%s", path, nodes[i].name);
		if (nodes[i].type == TREE_DIRECTORY)
			files += read_all(below);
		if (nodes[i].type != TREE_FILE)
			continue;
		files++;
		n = read_path(below, &text);
		if (n < 0 || (n && text[n - 1] != '\n'))
			check_text(below, n < 0 ? strerror((int)-n) : text,
				   "lines, or nothing");
		free(text);
	}
	free(nodes);
	return files;
}

static unsigned long *descriptor_of(const char *cache)
{
	struct slab_cache_info info;
	struct slab_slab_info slab;

	assert_int_equal(slab_target_cache(target, cache, &info), 0);
	assert_int_equal(slab_target_slab(target, info.cache, 1, &slab), 0);
	return (unsigned long *)slab.descriptor;
}

/* Words 0 to 5: flags, cache, list (2), freelist, counters; one at a time. */
static void every_file_survives_every_damaged_word(void **state)
{
	static const char *const letters[] = { "F", "Z", "P", "U", "FZPU" };
	unsigned int machines = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		for (unsigned int word = 0; word <= 5; word++) {
			const unsigned long damage[] = { 0, ~0UL,
							 0x4141414141414141, 1,
							 SLAB_SLOT_BASE + 8 };

			for (size_t j = 0; j < 5; j++) {
				struct kmem_cache *s;
				unsigned int files;

				machine_open(&(struct slab_machine_config){
					.nr_cpus = 2, .nr_nodes = 2 });
				s = cache_new("c", 64, letters[i], 0);
				for (int k = 0; k < 5; k++)
					kmem_cache_alloc(s, GFP_KERNEL);
				files = read_all("/");
				descriptor_of("c")[word] = damage[j];
				check_number("files read", read_all("/"),
					     files);
				machine_close();
				machines++;
			}
		}
	}
	assert_int_equal(machines, 150);
}

static void counters_are_shown_as_they_are(void **state)
{
	unsigned long *descriptor;
	struct kmem_cache *s;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	s = cache_new("c", 64, "P", 0);
	for (int i = 0; i < 5; i++)
		kmem_cache_alloc(s, GFP_KERNEL);
	descriptor = descriptor_of("c");
	/* more in use than there are: 56 of them, 60000 in use */
	descriptor[5] = (descriptor[5] & ~0xffffUL) | 60000;
	CHECK_FILES("/sys/kernel/slab/c", { "total_objects", "56 N0=56\n" },
		    { "objects", "60000 N0=60000\n" },
		    { "objects_partial", "60000 N0=60000\n" },
		    { "partial", "1 N0=1\n" });
	machine_close();
}

static void a_damaged_track_is_printed_as_it_is(void **state)
{
	uint8_t bytes[32];
	struct slab_cache_info info;
	uintptr_t object;
	char *text;

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2 });
	object = (uintptr_t)kmem_cache_alloc(cache_new("c", 64, "U", 0),
					     GFP_KERNEL);
	assert_int_equal(slab_target_cache(target, "c", &info), 0);
	memset(bytes, 0x41, sizeof(bytes));
	assert_int_equal(
		slab_poke(machine, object + info.inuse, bytes, sizeof(bytes)),
		0);
	assert_true(read_path("/sys/kernel/debug/slab/c/alloc_traces", &text) >
		    0);
	/* as a kernel's report shows it: see the 6.12 data */
	if (!strstr(text, "      1 0x4141414141414141 age=") ||
	    !strstr(text, " pid=1094795585"))
		check_text("alloc_traces", text,
			   "      1 0x4141414141414141 age=N pid=1094795585");
	free(text);
	machine_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_survives_every_damaged_word),
		cmocka_unit_test(counters_are_shown_as_they_are),
		cmocka_unit_test(a_damaged_track_is_printed_as_it_is),
	};

	/* a walk without end must fail, not hang */
	alarm(patience());
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* /sys/kernel/slab/<cache>: what a cache is, for each set of flags. Numbers
 * are those that 6.12 and 6.18 kernels showed. */
#include "fixture.h"

static void construct(void *object)
{
	*(uint64_t *)object = 0x1122334455667788;
}

static void flags_decide_slab_size_and_what_fits(void **state)
{
	static const struct {
		const char *letters;
		slab_flags_t flags;
		bool has_ctor;
		unsigned int slab_size, objs_per_slab;
	} rows[] = {
		{ "", SLAB_NO_MERGE, false, 64, 64 },
		{ "F", 0, false, 64, 64 },
		{ "T", 0, false, 64, 64 },
		{ "Z", 0, false, 88, 46 },
		{ "P", 0, false, 72, 56 },
		{ "U", 0, false, 128, 32 },
		{ "ZP", 0, false, 96, 42 },
		{ "ZU", 0, false, 152, 26 },
		{ "PU", 0, false, 136, 30 },
		{ "ZPU", 0, false, 160, 25 },
		{ "FZPU", 0, false, 160, 25 },
		{ "FZPUT", 0, false, 160, 25 },
		{ "", SLAB_TYPESAFE_BY_RCU, false, 72, 56 },
		{ "", 0, true, 72, 56 },
		{ "ZPU", SLAB_TYPESAFE_BY_RCU, false, 160, 25 },
		{ "ZPU", 0, true, 160, 25 },
	};

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2 });
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[32], path[64], size[16], objects[16];
		slab_flags_t debug;
		char bad;

		snprintf(name, sizeof(name), "c%zu", i);
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s", name);
		snprintf(size, sizeof(size), "%u\n", rows[i].slab_size);
		snprintf(objects, sizeof(objects), "%u\n",
			 rows[i].objs_per_slab);
		slab_debug_letters(rows[i].letters, &debug, &bad);
		assert_non_null(
			kmem_cache_create(name, 64, 0, debug | rows[i].flags,
					  rows[i].has_ctor ? construct : NULL));
#define LETTER(flag) debug &flag ? "1\n" : "0\n"
		CHECK_FILES(
			path, { "object_size", "64\n" }, { "slab_size", size },
			{ "objs_per_slab", objects }, { "order", "0\n" },
			{ "align", "8\n" }, { "aliases", "0\n" },
			{ "sanity_checks", LETTER(SLAB_CONSISTENCY_CHECKS) },
			{ "red_zone", LETTER(SLAB_RED_ZONE) },
			{ "poison", LETTER(SLAB_POISON) },
			{ "store_user", LETTER(SLAB_STORE_USER) },
			{ "trace", LETTER(SLAB_TRACE) },
			{ "destroy_by_rcu", rows[i].flags & SLAB_TYPESAFE_BY_RCU
						    ? "1\n"
						    : "0\n" });
		if (debug)
			check_file(path, "sheaf_capacity", "0\n");
	}
	machine_close();
}

/* data of 6.12: geometry of kmalloc caches under slab_debug=FZPU */
static void kmalloc_caches_pay_for_their_alignment_twice(void **state)
{
	static const struct {
		unsigned int size;
		const char *name, *align, *slab_size;
	} rows[] = {
		{ 8, "kmalloc-8", "8\n", "112\n" },
		{ 16, "kmalloc-16", "16\n", "128\n" },
		{ 32, "kmalloc-32", "32\n", "160\n" },
		{ 64, "kmalloc-64", "64\n", "256\n" },
		{ 96, "kmalloc-96", "32\n", "224\n" },
		{ 128, "kmalloc-128", "128\n", "384\n" },
		{ 192, "kmalloc-192", "64\n", "384\n" },
		{ 256, "kmalloc-256", "256\n", "768\n" },
		{ 512, "kmalloc-512", "512\n", "1536\n" },
		{ 1024, "kmalloc-1k", "1024\n", "3072\n" },
		{ 2048, "kmalloc-2k", "2048\n", "6144\n" },
		{ 4096, "kmalloc-4k", "4096\n", "12288\n" },
		{ 8192, "kmalloc-8k", "8192\n", "24576\n" },
	};

	(void)state;
	machine_open(&(struct slab_machine_config){ .nr_cpus = 2,
						    .slab_debug = "FZPU" });
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[64], size[16];

		assert_non_null(
			slab_kmalloc_cache(machine, rows[i].size, GFP_KERNEL));
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s",
			 rows[i].name);
		snprintf(size, sizeof(size), "%u\n", rows[i].size);
		CHECK_FILES(path, { "object_size", size },
			    { "align", rows[i].align },
			    { "slab_size", rows[i].slab_size },
			    /* the whole object is user space's to copy */
			    { "usersize", size });
	}
	machine_close();
}

static void creation_flags_have_a_file_each(void **state)
{
	static const struct {
		const char *file;
		slab_flags_t flag;
	} rows[] = {
		{ "hwcache_align", SLAB_HWCACHE_ALIGN },
		{ "reclaim_account", SLAB_RECLAIM_ACCOUNT },
		{ "destroy_by_rcu", SLAB_TYPESAFE_BY_RCU },
		{ "cache_dma", SLAB_CACHE_DMA },
		{ "failslab", SLAB_FAILSLAB },
	};
	size_t nr = sizeof(rows) / sizeof(rows[0]);

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	for (size_t i = 0; i < nr; i++) {
		char path[64];

		cache_new(rows[i].file, 40, "", rows[i].flag | SLAB_NO_MERGE);
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s",
			 rows[i].file);
		for (size_t j = 0; j < nr; j++)
			check_file(path, rows[j].file, i == j ? "1\n" : "0\n");
	}
	machine_close();
}

static void cache_lines_raise_the_alignment(void **state)
{
	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	cache_new("a", 20, "F", SLAB_HWCACHE_ALIGN);
	cache_new("b", 100, "F", SLAB_HWCACHE_ALIGN);
	CHECK_FILES("/sys/kernel/slab/a", { "align", "32\n" },
		    { "object_size", "20\n" }, { "slab_size", "32\n" });
	CHECK_FILES("/sys/kernel/slab/b", { "align", "64\n" },
		    { "slab_size", "128\n" });
	machine_close();
}

static void order_and_min_partial_follow_the_size_and_the_cpus(void **state)
{
	static const struct {
		unsigned int cpus, size;
		const char *order, *objs_per_slab, *min_partial;
	} rows[] = {
		{ 2, 256, "0\n", "16\n", "5\n" },
		{ 2, 512, "1\n", "16\n", "5\n" },
		{ 2, 1024, "2\n", "16\n", "5\n" },
		{ 2, 4096, "3\n", "8\n", "6\n" },
		{ 2, 16384, "3\n", "2\n", "7\n" },
		{ 2, 40000, "4\n", "1\n", "7\n" },
		{ 8, 256, "1\n", "32\n", "5\n" },
		{ 8, 1024, "3\n", "32\n", "5\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		machine_open(&(struct slab_machine_config){
			.nr_cpus = rows[i].cpus });
		cache_new("c", rows[i].size, "F", 0);
		CHECK_FILES("/sys/kernel/slab/c", { "order", rows[i].order },
			    { "objs_per_slab", rows[i].objs_per_slab },
			    { "min_partial", rows[i].min_partial });
		machine_close();
	}
}

static void ctor_is_a_symbol_or_nothing(void **state)
{
	char *text;

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	assert_non_null(kmem_cache_create("with", 64, 0, 0, construct));
	cache_new("without", 64, "F", 0);
	check_file("/sys/kernel/slab/without", "ctor", "");
	assert_true(read_path("/sys/kernel/slab/with/ctor", &text) > 0);
	/* a static function of this program: +0x0 into it, one newline */
	if (!strstr(text, "construct+0x0/0x") ||
	    strchr(text, '\n') != text + strlen(text) - 1)
		check_text("ctor", text, "construct+0x0/0xLEN [...]\\n");
	free(text);
	machine_close();
}

static void usercopy_window_shows_its_length(void **state)
{
	struct kmem_cache_args args = { .useroffset = 8, .usersize = 40 };

	(void)state;
	machine_open(&(struct slab_machine_config){ 0 });
	assert_non_null(kmem_cache_create("dentry", 192, &args, 0));
	cache_new("plain", 192, "F", 0);
	check_file("/sys/kernel/slab/dentry", "usersize", "40\n");
	check_file("/sys/kernel/slab/plain", "usersize", "0\n");
	machine_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_decide_slab_size_and_what_fits),
		cmocka_unit_test(kmalloc_caches_pay_for_their_alignment_twice),
		cmocka_unit_test(creation_flags_have_a_file_each),
		cmocka_unit_test(cache_lines_raise_the_alignment),
		cmocka_unit_test(
			order_and_min_partial_follow_the_size_and_the_cpus),
		cmocka_unit_test(ctor_is_a_symbol_or_nothing),
		cmocka_unit_test(usercopy_window_shows_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

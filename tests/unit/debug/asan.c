/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/debug/asan.c - what AddressSanitizer sees of a machine's objects;
 * skipped in builds without it
 */
#include <errno.h>

#include "../lab.h"

#include "debug/asan.h"

#ifdef SLAB_HAS_ASAN

#include <unistd.h>

/* Reports are what is tested: the program goes on after each. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "halt_on_error=0:suppress_equal_pcs=0:detect_leaks=0:print_summary=0";
}

static int setup(void **state)
{
	(void)state;
	memset(&lab, 0, sizeof(lab));
	assert_int_equal(slab_machine_create_virtual(NULL, &lab.m), 0);
	slab_machine_add_sink(lab.m, lab_sink, NULL);
	slab_machine_use(lab.m);
	return 0;
}

static volatile char sink;

static void seen(unsigned int nr, const char *where)
{
	/* the compiler does not know that an access may make a report */
	__asm__ volatile("" ::: "memory");
	assert_int_equal(lab.nr_records, nr);
	if (nr) {
		assert_int_equal(lab.records[0].kind, SLAB_REPORT_ASAN);
		assert_non_null(strstr(lab.records[0].text, where));
	}
	lab.nr_records = 0;
}

static void in_bounds_is_silent_and_one_past_is_not(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 100, NULL,
						 SLAB_NO_MERGE | SLAB_NOLEAKTRACE);
	volatile char *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	a[0] = a[99] = 1;
	seen(0, "");
	sink = a[100];
	seen(1, "0 bytes past the end of ring:S1#0");
	a[103] = 1;
	seen(1, "3 bytes past the end of ring:S1#0");
}

static void reads_after_free_are_seen(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 64, NULL,
						 SLAB_DEBUG_DEFAULT_FLAGS);
	volatile char *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	a[5] = 1;
	kmem_cache_free(s, (void *)a);
	seen(0, "");
	sink = a[5];
	seen(1, "byte 5 of ring:S1#0");
	sink = a[-1];
	seen(1, "1 byte before ring:S1#0");
}

static void our_own_accesses_are_not_seen(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 64, NULL,
						 SLAB_DEBUG_DEFAULT_FLAGS);
	void *p[40];
	unsigned int i;

	(void)state;
	for (i = 0; i < 40; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	validate_slab_cache(s);
	for (i = 0; i < 40; i++)
		kmem_cache_free(s, p[i]);
	validate_slab_cache(s);
	kmem_cache_shrink(s);
	p[0] = kmalloc(30, GFP_KERNEL);
	p[0] = krealloc(p[0], 20, GFP_KERNEL);
	p[0] = krealloc(p[0], 2000, GFP_KERNEL);
	kfree(p[0]);
	assert_int_equal(kmem_cache_destroy(s), 0);
	slab_machine_reset(lab.m);
	seen(0, "");
}

static void the_rest_of_a_smaller_request_is_nobodys(void **state)
{
	volatile char *a;

	(void)state;
	slab_machine_sysctl(lab.m, "slab_debug", "FZPU,kmalloc-*");
	a = kmalloc(18, GFP_KERNEL);
	a[17] = 1;
	seen(0, "");
	sink = a[18];
	seen(1, "AddressSanitizer");
	assert_ptr_equal(krealloc((void *)a, 30, GFP_KERNEL), a);
	a[29] = 1;
	seen(0, "");
	sink = a[30];
	seen(1, "AddressSanitizer");
}

static void a_request_is_known_without_flags(void **state)
{
	volatile char *a = kmalloc(18, GFP_KERNEL);

	(void)state;
	sink = a[18];
	seen(1, "byte 18 of kmalloc-32:S1#59");
	assert_ptr_equal(krealloc((void *)a, 30, GFP_KERNEL), a);
	sink = a[29];
	seen(0, "");
	assert_int_equal(ksize((void *)a), 32);
	sink = a[31];
	seen(0, "");
}

static void what_was_freed_is_not_resized(void **state)
{
	char *a = kmalloc(18, GFP_KERNEL);

	(void)state;
	kfree(a);
	assert_int_equal(ksize(a), 0);
	seen(1, "which is free");
	assert_null(krealloc(a, 30, GFP_KERNEL));
	seen(1, "which is free");
	sink = *(volatile char *)a;
	seen(1, "which is free");
}

static void freed_twice_is_known_without_any_flag(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 64, NULL,
						 SLAB_NO_MERGE);
	char *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, a);
	kmem_cache_free(s, a);
	assert_string_equal(lab_said(), "Object already free; FIX NOT_FREED");
}

static void a_new_machine_finds_a_clean_shadow(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 64, NULL, SLAB_POISON);
	volatile char *page;

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	slab_machine_destroy(lab.m);
	setup(state);
	page = slab_machine_alloc_pages(lab.m, 0);
	page[0] = page[4095] = 1;
	slab_machine_reset(lab.m);
	page = slab_machine_alloc_pages(lab.m, 0);
	page[100] = 1;
	seen(0, "");
}

static void a_native_machine_s_objects_are_reported_too(void **state)
{
	struct slab_machine *m;
	struct kmem_cache *s;
	volatile char *a;
	int err = slab_machine_create_native(NULL, &m);

	(void)state;
	if (err == -ENOSYS)
		skip();
	assert_int_equal(err, 0);
	slab_machine_add_sink(m, lab_sink, NULL);
	slab_machine_use(m);
	s = kmem_cache_create("ring", 100, NULL,
			      SLAB_NO_MERGE | SLAB_NOLEAKTRACE);
	a = kmem_cache_alloc(s, GFP_KERNEL);
	a[99] = 1;
	seen(0, "");
	sink = a[100];
	seen(1, "0 bytes past the end of ring:S1#0");
	kmem_cache_free(s, (void *)a);
	sink = a[5];
	seen(1, "byte 5 of ring:S1#0, which is free");
	slab_machine_use(lab.m);
	slab_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define asan_test(name) \
	cmocka_unit_test_setup_teardown(name, setup, lab_teardown)
		asan_test(in_bounds_is_silent_and_one_past_is_not),
		asan_test(reads_after_free_are_seen),
		asan_test(our_own_accesses_are_not_seen),
		asan_test(the_rest_of_a_smaller_request_is_nobodys),
		asan_test(a_request_is_known_without_flags),
		asan_test(what_was_freed_is_not_resized),
		asan_test(freed_twice_is_known_without_any_flag),
		asan_test(a_new_machine_finds_a_clean_shadow),
		asan_test(a_native_machine_s_objects_are_reported_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void needs_a_build_with_address_sanitizer(void **state)
{
	(void)state;
	print_message("skipped: this build has no AddressSanitizer\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_a_build_with_address_sanitizer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif

/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/usercopy.c - only the window of one object may be copied */
#include "../lab.h"

#include "slab/slab.h"

static struct kmem_cache *windowed(slab_flags_t flags)
{
	return kmem_cache_create_usercopy("box", 64, 8, flags, 16, 32, NULL);
}

static void expect_refused(const void *p, size_t n, bool to_user,
			   const char *wanted)
{
	unsigned int before = lab.nr_records;

	assert_false(slab_check_usercopy(lab.m, p, n, to_user));
	assert_int_equal(lab.nr_records, before + 1);
	assert_string_equal(lab.records[before].text, wanted);
	assert_int_equal(lab.records[before].kind,
			 to_user ? SLAB_REPORT_USERCOPY_EXPOSE :
				   SLAB_REPORT_USERCOPY_OVERWRITE);
}

static void the_window_and_parts_of_it_may_be_copied(void **state)
{
	char *p = kmem_cache_alloc(windowed(0), GFP_KERNEL);

	(void)state;
	assert_true(slab_check_usercopy(lab.m, p + 16, 32, true));
	assert_true(slab_check_usercopy(lab.m, p + 16, 1, false));
	assert_true(slab_check_usercopy(lab.m, p + 47, 1, false));
	assert_true(slab_check_usercopy(lab.m, p + 20, 28, true));
	assert_int_equal(lab.nr_records, 0);
}

static void outside_the_window_nothing_may(void **state)
{
	char *p = kmem_cache_alloc(windowed(0), GFP_KERNEL);

	(void)state;
	expect_refused(p + 16, 33, true,
		       "Kernel memory exposure attempt detected from SLUB object 'box' (offset 16, size 33)!");
	expect_refused(p + 15, 1, false,
		       "Kernel memory overwrite attempt detected to SLUB object 'box' (offset 15, size 1)!");
	expect_refused(p + 48, 1, true,
		       "Kernel memory exposure attempt detected from SLUB object 'box' (offset 48, size 1)!");
	expect_refused(p + 20, (size_t)-1, true,
		       "Kernel memory exposure attempt detected from SLUB object 'box' (offset 20, size 18446744073709551615)!");
	/* each one is said, not the first alone; slub_kunit counts none */
	assert_int_equal(slab_machine_reports(lab.m), 4);
	assert_int_equal(slab_machine_errors(lab.m), 0);
}

static void offsets_do_not_count_the_left_red_zone(void **state)
{
	char *p = kmem_cache_alloc(windowed(SLAB_RED_ZONE), GFP_KERNEL);

	(void)state;
	assert_true(slab_check_usercopy(lab.m, p + 16, 32, true));
	expect_refused(p, 4, true,
		       "Kernel memory exposure attempt detected from SLUB object 'box' (offset 0, size 4)!");
	expect_refused(p - 3, 4, false,
		       "Kernel memory overwrite attempt detected to SLUB object in left red zone 'box' (offset 5, size 4)!");
}

static void without_a_window_no_byte_may_be_copied(void **state)
{
	struct kmem_cache *s = __kmem_cache_create("none", 64, 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	expect_refused(p, 1, true,
		       "Kernel memory exposure attempt detected from SLUB object 'none' (offset 0, size 1)!");
}

static void kmalloc_objects_are_windows_as_a_whole(void **state)
{
	char *p = kmalloc(60, GFP_KERNEL);

	(void)state;
	assert_true(slab_check_usercopy(lab.m, p, 64, true));
	expect_refused(p, 65, true,
		       "Kernel memory exposure attempt detected from SLUB object 'kmalloc-64' (offset 0, size 65)!");
}

static void other_memory_and_nothing_may_be_copied(void **state)
{
	struct kmem_cache *s = __kmem_cache_create("none", 64, 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);
	int local;

	(void)state;
	assert_true(slab_check_usercopy(lab.m, &local, 4, true));
	assert_true(slab_check_usercopy(lab.m, NULL, 4, true));
	assert_true(slab_check_usercopy(
		lab.m, slab_machine_alloc_pages(lab.m, 0), 4096, true));
	assert_true(slab_check_usercopy(lab.m, p, 0, true));
	assert_int_equal(lab.nr_records, 0);
}

static void a_window_outside_the_object_is_none(void **state)
{
	struct kmem_cache *s;

	(void)state;
	slab_machine_sysctl(lab.m, "slab_nomerge", "1");
	s = kmem_cache_create_usercopy("far", 64, 8, 0, 40, 25, NULL);
	assert_string_equal(lab_said(), "usercopy window outside the object");
	assert_int_equal(s->usersize, 0);
	assert_int_equal(s->useroffset, 0);
	lab_forget();
	s = kmem_cache_create_usercopy("none", 64, 8, 0, 40, 0, NULL);
	assert_string_equal(lab_said(), "usercopy window outside the object");
	assert_int_equal(s->useroffset, 0);
	lab_forget();
	s = kmem_cache_create_usercopy("last", 64, 8, 0, 40, 24, NULL);
	assert_string_equal(lab_said(), "");
	assert_int_equal(s->usersize, 24);
}

static void without_its_window_a_cache_shares(void **state)
{
	struct kmem_cache *s = kmem_cache_create("p", 64, NULL, 0);

	(void)state;
	assert_ptr_equal(kmem_cache_create_usercopy("far", 64, 8, 0, 40, 25,
						    NULL), s);
	assert_string_equal(lab.records[0].text,
			    "cache far: usercopy window 40+25 is not inside the object of 64 bytes; there is none");
	assert_ptr_not_equal(kmem_cache_create_usercopy("near", 64, 8, 0, 40,
							24, NULL), s);
	assert_int_equal(lab.nr_records, 1);
}

static void a_slab_without_its_cache_is_refused(void **state)
{
	struct kmem_cache *s = __kmem_cache_create("x", 64, 0, 0, NULL), *was;
	char *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab *slab = virt_to_slab(lab.m, p);

	(void)state;
	was = slab->slab_cache;
	slab->slab_cache = (void *)0x4242424242424240;
	expect_refused(p, 1, true,
		       "Kernel memory exposure attempt detected from SLUB object not in SLUB page?! (offset 0, size 1)!");
	slab->slab_cache = was;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(the_window_and_parts_of_it_may_be_copied),
		lab_test(outside_the_window_nothing_may),
		lab_test(offsets_do_not_count_the_left_red_zone),
		lab_test(without_a_window_no_byte_may_be_copied),
		lab_test(kmalloc_objects_are_windows_as_a_whole),
		lab_test(other_memory_and_nothing_may_be_copied),
		lab_test(a_window_outside_the_object_is_none),
		lab_test(without_its_window_a_cache_shares),
		lab_test(a_slab_without_its_cache_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

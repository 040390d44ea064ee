/* SPDX-License-Identifier: MIT */
/* tests/unit/machine/site.c - one address a file, line and text */
#include "../lab.h"

#include "machine/machine.h"

static void equal_sites_have_one_address(void **state)
{
	uintptr_t a = slab_machine_site(lab.m, "a.slab", 3, "alloc ring");

	(void)state;
	assert_int_not_equal(a, 0);
	assert_int_equal(slab_machine_site(lab.m, "a.slab", 3, "alloc ring"),
			 a);
	assert_int_not_equal(slab_machine_site(lab.m, "a.slab", 4,
					       "alloc ring"), a);
	assert_int_not_equal(slab_machine_site(lab.m, "b.slab", 3,
					       "alloc ring"), a);
	assert_int_not_equal(slab_machine_site(lab.m, "a.slab", 3, "free"), a);
	/* the seam between file and text counts */
	assert_int_not_equal(slab_machine_site(lab.m, "a.slaba", 3,
					       "lloc ring"), a);
}

static void a_site_is_found_by_its_address_alone(void **state)
{
	uintptr_t a = slab_machine_site(lab.m, "a.slab", 3, "alloc ring");
	const char *file = NULL, *text = NULL;
	unsigned int line = 0;

	(void)state;
	assert_true(slab_machine_site_lookup(lab.m, a, &file, &line, &text));
	assert_string_equal(file, "a.slab");
	assert_int_equal(line, 3);
	assert_string_equal(text, "alloc ring");
	assert_true(slab_machine_site_lookup(lab.m, a, NULL, NULL, NULL));
	assert_false(slab_machine_site_lookup(lab.m, a + 1, &file, &line, NULL));
	assert_false(slab_machine_site_lookup(lab.m, a - 1, &file, &line, NULL));
	assert_false(slab_machine_site_lookup(lab.m, a + 16, &file, &line,
					      NULL));
	assert_false(slab_machine_site_lookup(lab.m, 0, &file, &line, NULL));
	assert_false(slab_machine_site_lookup(lab.m, (uintptr_t)&a, &file,
					      &line, NULL));
}

static void strings_are_copied_and_may_be_missing(void **state)
{
	char name[] = "a.slab";
	const char *file = NULL, *text = NULL;
	uintptr_t a;

	(void)state;
	a = slab_machine_site(lab.m, name, 3, NULL);
	name[0] = 'x';
	assert_true(slab_machine_site_lookup(lab.m, a, &file, NULL, &text));
	assert_string_equal(file, "a.slab");
	assert_string_equal(text, "");
	assert_int_not_equal(slab_machine_site(lab.m, NULL, 0, NULL), 0);
}

static void sites_are_numbers_that_no_page_has(void **state)
{
	uintptr_t a = slab_machine_site(lab.m, "a.slab", 3, "");

	(void)state;
	assert_true(a >= lab.m->base + SLOT_SITES);
	assert_true(a < lab.m->base + SLAB_SLOT_SIZE);
	assert_false(machine_owns(lab.m, a));
}

static void sites_are_kept_over_a_reset(void **state)
{
	uintptr_t a = slab_machine_site(lab.m, "a.slab", 3, "");

	(void)state;
	slab_machine_reset(lab.m);
	assert_true(slab_machine_site_lookup(lab.m, a, NULL, NULL, NULL));
	assert_int_equal(slab_machine_site(lab.m, "a.slab", 3, ""), a);
}

static void a_machine_takes_65536_sites_and_then_0(void **state)
{
	static uintptr_t site[MAX_SITES];
	const char *file = NULL;
	unsigned int i, line = 0;

	(void)state;
	for (i = 0; i < MAX_SITES; i++) {
		site[i] = slab_machine_site(lab.m, "big.slab", i, "x");
		assert_int_not_equal(site[i], 0);
	}
	assert_int_equal(slab_machine_site(lab.m, "big.slab", MAX_SITES, "x"),
			 0);
	for (i = 0; i < MAX_SITES; i++) {
		assert_int_equal(slab_machine_site(lab.m, "big.slab", i, "x"),
				 site[i]);
		assert_true(slab_machine_site_lookup(lab.m, site[i], &file,
						     &line, NULL));
		assert_int_equal(line, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(equal_sites_have_one_address),
		lab_test(a_site_is_found_by_its_address_alone),
		lab_test(strings_are_copied_and_may_be_missing),
		lab_test(sites_are_numbers_that_no_page_has),
		lab_test(sites_are_kept_over_a_reset),
		lab_test(a_machine_takes_65536_sites_and_then_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/flags.c - slab_debug=, letter by letter and quirk by quirk */
#include "../lab.h"

#include <errno.h>

#include "debug/flags.h"

#define F SLAB_CONSISTENCY_CHECKS
#define Z SLAB_RED_ZONE
#define P SLAB_POISON
#define U SLAB_STORE_USER
#define T SLAB_TRACE
#define A SLAB_FAILSLAB
#define FZPU SLAB_DEBUG_DEFAULT_FLAGS

static char note[256];

static void keep_note(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (r->record == SLAB_RECORD_NOTE)
		snprintf(note, sizeof(note), "%s", r->text);
}

struct flags_case {
	const char *value, *cache;
	slab_flags_t own, wanted;
};

static void expect_cases(const struct flags_case *c)
{
	for (; c->value; c++) {
		slab_flags_t got;

		assert_int_equal(debug_parse(lab.m, c->value), 0);
		got = debug_flags_for(lab.m, c->cache, c->own);
		if (got != c->wanted) {
			print_error("slab_debug=%s, cache %s with %#x: wanted %#x, got %#x\n",
				    c->value, c->cache, c->own, c->wanted, got);
			fail();
		}
	}
}

static void letters_switch_on_what_they_stand_for(void **state)
{
	static const struct flags_case cases[] = {
		{ "F", "x", 0, F },
		{ "Z", "x", 0, Z },
		{ "P", "x", 0, P },
		{ "U", "x", 0, U },
		{ "T", "x", 0, T },
		{ "A", "x", 0, A },
		{ "fzpu", "x", 0, FZPU },
		{ "", "x", 0, FZPU },
		{ "O", "x", 0, 0 },
		{ "-", "x", 0, 0 },
		{ "-F", "x", 0, F },
		{ "FZ-P", "x", 0, P },
		{ "FZPUO", "x", 0, FZPU },
		{ "F", "x", SLAB_POISON, F | P },
		{ 0 },
	};

	(void)state;
	expect_cases(cases);
}

static void lists_name_caches(void **state)
{
	static const struct flags_case cases[] = {
		{ ",dentry", "dentry", 0, FZPU },
		{ ",dentry", "inode", 0, 0 },
		{ "P,dentry", "dentry", 0, P },
		{ "P,a,b", "b", 0, P },
		{ "P,a,b", "ab", 0, 0 },
		{ "P,ab", "a", 0, 0 },
		{ "P,a", "ab", 0, 0 },
		{ "P,kmalloc-*", "kmalloc-64", 0, P },
		{ "P,kmalloc-*", "kmalloc-", 0, P },
		{ "P,kmalloc-*", "kmalloc", 0, 0 },
		{ "P,kmalloc-*64", "kmalloc-96", 0, P }, /* the rest is ignored */
		{ "P,*", "anything", 0, P },
		{ "P,", "x", 0, 0 },
		{ "P,a", "P", 0, 0 }, /* a letter is no name */
		{ "P,a*,b", "b", 0, P },
		{ "-,a;FZ", "a", 0, 0 },
		{ "FZ;-,zs_handle", "zs_handle", 0, 0 },
		{ "FZ;-,zs_handle", "other", 0, F | Z },
		{ "FZ;-,zs_handle", "zs_handle", U, U },
		{ 0 },
	};

	(void)state;
	expect_cases(cases);
}

static void the_first_matching_block_decides(void **state)
{
	static const struct flags_case cases[] = {
		{ "P,a;Z,a", "a", 0, P },
		{ "P,a;Z,a*", "ab", 0, Z },
		{ "F;P,a", "a", 0, P }, /* global letters are not added */
		{ "F;P,a", "b", 0, F },
		{ "P,a;F", "b", 0, F },
		{ "F;Z", "x", 0, Z }, /* the last global block wins */
		{ "F;;Z", "x", 0, Z },
		{ ";F", "x", 0, F },
		{ "F;", "x", 0, F },
		{ ";", "x", 0, 0 },
		{ "P,a;;Z,b", "b", 0, Z },
		{ "P,a,b;Z,c", "b", 0, P },
		{ "P,a,b;Z,c", "c", 0, Z },
		{ 0 },
	};

	(void)state;
	expect_cases(cases);
}

static void semicolons_stick_to_the_last_name(void **state)
{
	static const struct flags_case cases[] = {
		{ "P,a,b;;Z,c", "b", 0, 0 },
		{ "P,a,b;;Z,c", "b;", 0, P },
		{ "P,a,b;;Z,c", "a", 0, P },
		{ "P,a,b*;;Z,c", "bb", 0, P },
		{ "P,a;", "a", 0, 0 },
		{ 0 },
	};

	(void)state;
	expect_cases(cases);
}

static void some_caches_do_not_listen(void **state)
{
	static const struct flags_case cases[] = {
		{ "FZPU", "x", SLAB_NO_USER_FLAGS | P, SLAB_NO_USER_FLAGS | P },
		{ "FZPU,x", "x", SLAB_NO_USER_FLAGS, SLAB_NO_USER_FLAGS },
		{ "FZPU", "x", SLAB_NOLEAKTRACE, SLAB_NOLEAKTRACE | F | Z | P },
		/* by name it can be had */
		{ "FZPU,x", "x", SLAB_NOLEAKTRACE, SLAB_NOLEAKTRACE | FZPU },
		{ 0 },
	};

	(void)state;
	expect_cases(cases);
}

static void o_is_a_switch_of_the_machine(void **state)
{
	(void)state;
	assert_int_equal(debug_parse(lab.m, "FZPU"), 0);
	assert_false(lab.m->params.disable_higher_order);
	assert_int_equal(debug_parse(lab.m, "FZPUO"), 0);
	assert_true(lab.m->params.disable_higher_order);
	assert_int_equal(debug_parse(lab.m, "P,x;o,y"), 0);
	assert_true(lab.m->params.disable_higher_order);
	assert_int_equal(debug_parse(lab.m, "F"), 0);
	assert_false(lab.m->params.disable_higher_order);
}

static void the_text_is_kept_only_for_its_lists(void **state)
{
	(void)state;
	assert_int_equal(debug_parse(lab.m, "FZ"), 0);
	assert_null(lab.m->params.debug_string);
	assert_int_equal(debug_parse(lab.m, "FZ;P,x"), 0);
	assert_string_equal(lab.m->params.debug_string, "FZ;P,x");
	assert_int_equal(debug_parse(lab.m, ""), 0);
	assert_null(lab.m->params.debug_string);
}

static void unknown_letters_are_said_and_skipped(void **state)
{
	(void)state;
	slab_machine_add_sink(lab.m, keep_note, NULL);
	note[0] = '\0';
	assert_int_equal(debug_parse(lab.m, "FxZ,a"), 0);
	assert_string_equal(note, "slab_debug option 'x' unknown. skipped");
	assert_int_equal(lab.nr_notes, 1);
	assert_int_equal(debug_flags_for(lab.m, "a", 0), F | Z);
	/* not again for each cache */
	assert_int_equal(lab.nr_notes, 1);
}

static void letters_to_flags_and_back(void **state)
{
	slab_flags_t flags;
	char bad = 0, text[8];

	(void)state;
	assert_int_equal(slab_debug_letters("FZPUTA", &flags, &bad), 0);
	assert_int_equal(flags, F | Z | P | U | T | A);
	assert_string_equal(slab_debug_text(flags, text), "FZPUTA");
	assert_int_equal(slab_debug_letters("zF", &flags, NULL), 0);
	assert_string_equal(slab_debug_text(flags, text), "FZ");
	assert_int_equal(slab_debug_letters("FZ-P", &flags, NULL), 0);
	assert_int_equal(flags, P);
	assert_int_equal(slab_debug_letters("", &flags, NULL), 0);
	assert_int_equal(flags, 0);
	assert_string_equal(slab_debug_text(0, text), "-");
	assert_string_equal(slab_debug_text(SLAB_HWCACHE_ALIGN | U, text), "U");
	flags = 77;
	assert_int_equal(slab_debug_letters("FOZ", &flags, &bad), -EINVAL);
	assert_int_equal(bad, 'O');
	assert_int_equal(flags, 77);
	assert_int_equal(slab_debug_letters("F,", &flags, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(letters_switch_on_what_they_stand_for),
		lab_test(lists_name_caches),
		lab_test(the_first_matching_block_decides),
		lab_test(semicolons_stick_to_the_last_name),
		lab_test(some_caches_do_not_listen),
		lab_test(o_is_a_switch_of_the_machine),
		lab_test(the_text_is_kept_only_for_its_lists),
		lab_test(unknown_letters_are_said_and_skipped),
		lab_test(letters_to_flags_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

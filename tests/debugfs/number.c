/* SPDX-License-Identifier: MIT */
/* What the kernel's kstrtoul(), kstrtouint(), kstrtoint() and kstrtobool()
 * take and refuse. */
#include <limits.h>

#include "fixture.h"
#include "debugfs/number.h"

enum type { ULONG, UINT, INT };

struct row {
	enum type type;
	unsigned int base;
	const char *text;
	int err;
	long value;
};

static const struct row rows[] = {
	{ ULONG, 10, "0", 0, 0 },
	{ ULONG, 10, "5\n", 0, 5 },
	{ ULONG, 10, "+5", 0, 5 },
	{ ULONG, 10, "007", 0, 7 },
	{ ULONG, 10, "18446744073709551615", 0, -1 },
	{ ULONG, 10, "18446744073709551616", -ERANGE, 0 },
	{ ULONG, 10, "99999999999999999999999x", -ERANGE, 0 },
	{ ULONG, 10, "", -EINVAL, 0 },
	{ ULONG, 10, "\n", -EINVAL, 0 },
	{ ULONG, 10, "+", -EINVAL, 0 },
	{ ULONG, 10, "++5", -EINVAL, 0 },
	{ ULONG, 10, "-1", -EINVAL, 0 },
	{ ULONG, 10, "-0", -EINVAL, 0 },
	{ ULONG, 10, " 5", -EINVAL, 0 },
	{ ULONG, 10, "5 ", -EINVAL, 0 },
	{ ULONG, 10, "5\n\n", -EINVAL, 0 },
	{ ULONG, 10, "5\n6", -EINVAL, 0 },
	{ ULONG, 10, "5\r\n", -EINVAL, 0 },
	{ ULONG, 10, "1e3", -EINVAL, 0 },
	{ ULONG, 10, "1_000", -EINVAL, 0 },
	{ ULONG, 10, "0x10", -EINVAL, 0 },
	{ ULONG, 10, "abc", -EINVAL, 0 },
	{ ULONG, 0, "10", 0, 10 },
	{ ULONG, 0, "0x10", 0, 16 },
	{ ULONG, 0, "0XfF\n", 0, 255 },
	{ ULONG, 0, "010", 0, 8 },
	{ ULONG, 0, "08", -EINVAL, 0 },
	{ ULONG, 0, "0x", -EINVAL, 0 },
	{ ULONG, 0, "0xg", -EINVAL, 0 },
	{ ULONG, 0, "ff", -EINVAL, 0 },
	{ ULONG, 0, "0x10000000000000000", -ERANGE, 0 },
	{ UINT, 10, "4294967295", 0, 4294967295 },
	{ UINT, 10, "4294967296", -ERANGE, 0 },
	{ UINT, 10, "-1", -EINVAL, 0 },
	{ INT, 0, "-1", 0, -1 },
	{ INT, 0, "+7\n", 0, 7 },
	{ INT, 0, "-0x10", 0, -16 },
	{ INT, 0, "2147483647", 0, INT_MAX },
	{ INT, 0, "-2147483648", 0, INT_MIN },
	{ INT, 0, "2147483648", -ERANGE, 0 },
	{ INT, 0, "-2147483649", -ERANGE, 0 },
	{ INT, 0, "--1", -EINVAL, 0 },
	{ INT, 0, "-", -EINVAL, 0 },
};

static void numbers_are_read_as_the_kernel_reads_them(void **state)
{
	(void)state;
	mistakes = 0;
	for (const struct row *r = rows; r < rows + sizeof(rows) / sizeof(*r);
	     r++) {
		unsigned long as_ulong = 77;
		unsigned int as_uint = 77;
		int as_int = 77, err = 0;
		long value = 0;

		switch (r->type) {
		case ULONG:
			err = number_ulong(r->text, r->base, &as_ulong);
			value = (long)as_ulong;
			break;
		case UINT:
			err = number_uint(r->text, r->base, &as_uint);
			value = as_uint;
			break;
		case INT:
			err = number_int(r->text, r->base, &as_int);
			value = as_int;
			break;
		}
		check_number(r->text, err, r->err);
		/* a refused number changes nothing */
		check_number(r->text, value, r->err ? 77 : r->value);
	}
	assert_int_equal(mistakes, 0);
}

static void truth_is_judged_by_its_first_letters(void **state)
{
	static const struct {
		const char *text;
		int wanted; /* 2: EINVAL */
	} words[] = {
		{ "Y\n", 1 },	{ "y", 1 },    { "yes", 1 },   { "1", 1 },
		{ "t", 1 },	{ "True", 1 }, { "on", 1 },    { "ON", 1 },
		{ "oN!", 1 },	{ "N\n", 0 },  { "n", 0 },     { "no", 0 },
		{ "0", 0 },	{ "f", 0 },    { "False", 0 }, { "off", 0 },
		{ "OF", 0 },	{ "", 2 },     { "\n", 2 },    { " Y", 2 },
		{ "2", 2 },	{ "o", 2 },    { "ox", 2 },    { "-1", 2 },
		{ "maybe", 2 },
	};

	(void)state;
	mistakes = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		bool value = false;
		int err = number_bool(words[i].text, &value);

		check_number(words[i].text,
			     err == -EINVAL ? 2
			     : err	    ? 3
					    : value,
			     words[i].wanted);
	}
	assert_int_equal(mistakes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_as_the_kernel_reads_them),
		cmocka_unit_test(truth_is_judged_by_its_first_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

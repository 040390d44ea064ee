/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "number.h"

/* The value of a digit in any base up to 16; 16 for what is none. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

/* A number without sign. */
static int number_digits(const char *s, unsigned int base, unsigned long *ret)
{
	bool is_hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	unsigned long value = 0;
	bool overflow = false;
	const char *start;

	if (!base)
		base = is_hex && digit_value(s[2]) < 16 ? 16
		       : s[0] == '0'			? 8
							: 10;
	if (base == 16 && is_hex)
		s += 2;
	for (start = s; digit_value(*s) < base; s++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit_value(*s), &value))
			overflow = true;
	}
	if (overflow)
		return -ERANGE;
	if (s == start)
		return -EINVAL;
	if (*s == '\n')
		s++;
	if (*s)
		return -EINVAL;
	*ret = value;
	return 0;
}

int number_ulong(const char *s, unsigned int base, unsigned long *ret)
{
	return number_digits(*s == '+' ? s + 1 : s, base, ret);
}

int number_uint(const char *s, unsigned int base, unsigned int *ret)
{
	unsigned long value;
	int err = number_ulong(s, base, &value);

	if (err)
		return err;
	if (value > UINT_MAX)
		return -ERANGE;
	*ret = (unsigned int)value;
	return 0;
}

int number_int(const char *s, unsigned int base, int *ret)
{
	bool is_negative = *s == '-';
	unsigned long value;
	int err =
		number_digits(*s == '-' || *s == '+' ? s + 1 : s, base, &value);

	if (err)
		return err;
	if (value > INT_MAX + (unsigned long)is_negative)
		return -ERANGE;
	*ret = (int)(is_negative ? -(long)value : (long)value);
	return 0;
}

int number_bool(const char *s, bool *ret)
{
	bool is_on_or_off = *s == 'o' || *s == 'O';
	const char *at = is_on_or_off ? s + 1 : s;
	char c = *at;

	if (c && strchr(is_on_or_off ? "nN" : "yYtT1", c))
		*ret = true;
	else if (c && strchr(is_on_or_off ? "fF" : "nNfF0", c))
		*ret = false;
	else
		return -EINVAL;
	return 0;
}

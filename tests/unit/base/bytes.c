/* SPDX-License-Identifier: MIT */
/* tests/unit/base/bytes.c - every byte of a run, none beside it, in any size */
#include "../lab.h"

#include "base/bytes.h"

#define MAX_SIZE 150U
#define BESIDE	 40U

static uint8_t run[BESIDE + MAX_SIZE + BESIDE];

static uint8_t *at(unsigned int shift)
{
	memset(run, 0x11, sizeof(run));
	return run + BESIDE / 2 + shift;
}

/* The first byte that is not as it should be; -1: there is none. */
static long wrong(const uint8_t *p, size_t n, uint8_t byte, uint8_t end)
{
	size_t i;

	for (i = 0; i < sizeof(run); i++) {
		size_t off = (size_t)(&run[i] - p);
		uint8_t wanted = off >= n	? 0x11 :
				 off == n - 1 ? end :
						byte;

		if (run[i] != wanted)
			return (long)i;
	}
	return -1;
}

static void a_run_is_filled_and_nothing_beside_it(void **state)
{
	unsigned int shift, n;

	(void)state;
	for (shift = 0; shift < 16; shift++) {
		for (n = 0; n <= MAX_SIZE; n++) {
			uint8_t *p = at(shift);

			bytes_fill(p, 0xcc, n);
			assert_int_equal(wrong(p, n, 0xcc, 0xcc), -1);
			if (!n)
				continue;
			p = at(shift);
			bytes_fill_to(p, 0x6b, 0xa5, n);
			assert_int_equal(wrong(p, n, 0x6b, 0xa5), -1);
		}
	}
}

static void each_byte_of_a_run_is_looked_at(void **state)
{
	unsigned int n, i;

	(void)state;
	for (n = 0; n <= MAX_SIZE; n++) {
		uint8_t *p = at(n % 16);

		bytes_fill(p, 0xcc, n);
		assert_true(bytes_are(p, 0xcc, n));
		for (i = 0; i < n; i++) {
			p[i] ^= 4;
			if (bytes_are(p, 0xcc, n))
				fail_msg("byte %u of %u is not seen", i, n);
			p[i] ^= 4;
		}
	}
	for (n = 1; n <= MAX_SIZE; n++) {
		uint8_t *p = at(n % 16);

		bytes_fill_to(p, 0x6b, 0xa5, n);
		assert_true(bytes_are_to(p, 0x6b, 0xa5, n));
		for (i = 0; i < n; i++) {
			p[i] ^= 4;
			if (bytes_are_to(p, 0x6b, 0xa5, n))
				fail_msg("byte %u of %u is not seen", i, n);
			p[i] ^= 4;
		}
		p[n - 1] = 0x6b;
		assert_false(bytes_are_to(p, 0x6b, 0xa5, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_filled_and_nothing_beside_it),
		cmocka_unit_test(each_byte_of_a_run_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

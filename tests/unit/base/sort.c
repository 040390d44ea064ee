/* SPDX-License-Identifier: MIT */
/* base/sort.h: as qsort(), whatever the order and the size of items. */
#include "../lab.h"

#include "base/sort.h"

#define NR 1000U

struct pair {
	unsigned long key, value;
};

static uint64_t seed;

static unsigned long number(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return seed >> 33;
}

static int by_key(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* The value goes with its key, so it is sorted, and by_key alone decided. */
static void check_sorted(unsigned int nr, unsigned long keys)
{
	struct pair a[NR] = { 0 }, b[NR];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		a[i].key = number() % keys;
		a[i].value = ~a[i].key;
	}
	memcpy(b, a, sizeof(b));
	sort_in_place(a, nr, sizeof(*a), by_key);
	qsort(b, nr, sizeof(*b), by_key);
	for (i = 0; i < nr; i++) {
		assert_int_equal(a[i].key, b[i].key);
		assert_int_equal(a[i].value, ~a[i].key);
	}
}

static void it_sorts_as_qsort_does(void **state)
{
	unsigned int nr;

	(void)state;
	for (nr = 1; nr < NR; nr = nr * 5 / 4 + 1) {
		check_sorted(nr, 1UL << 40);
		check_sorted(nr, 3);
	}
	check_sorted(NR, 1UL << 40);
}

static void nothing_is_sorted_too(void **state)
{
	(void)state;
	sort_in_place(NULL, 0, sizeof(struct pair), by_key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_sorts_as_qsort_does),
		cmocka_unit_test(nothing_is_sorted_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

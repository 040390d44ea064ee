/* SPDX-License-Identifier: MIT */
/* base/sort.c - see sort.h */
#include "base/sort.h"

struct items {
	char *base;
	size_t size;
	int (*compare)(const void *a, const void *b);
};

static void *item(const struct items *it, size_t i)
{
	return it->base + i * it->size;
}

static void swap(const struct items *it, size_t i, size_t k)
{
	unsigned long *a = item(it, i), *b = item(it, k);
	size_t n;

	for (n = it->size / sizeof(*a); n; n--, a++, b++) {
		unsigned long word = *a;

		*a = *b;
		*b = word;
	}
}

/* Below root all are where they belong; root goes down to its place. */
static void sift(const struct items *it, size_t root, size_t nr)
{
	size_t child;

	for (; (child = 2 * root + 1) < nr; root = child) {
		if (child + 1 < nr &&
		    it->compare(item(it, child), item(it, child + 1)) < 0)
			child++;
		if (it->compare(item(it, root), item(it, child)) >= 0)
			return;
		swap(it, root, child);
	}
}

void sort_in_place(void *base, size_t nr, size_t size,
		   int (*compare)(const void *a, const void *b))
{
	const struct items it = { base, size, compare };
	size_t i;

	for (i = nr / 2; i--;)
		sift(&it, i, nr);
	for (i = nr; i-- > 1;) {
		swap(&it, 0, i);
		sift(&it, 0, i);
	}
}

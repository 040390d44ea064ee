/* SPDX-License-Identifier: MIT */
/*
 * base/sort.h - qsort() that allocates nothing
 *
 * glibc's asks malloc, which may be made of this library, for room to merge
 * in. This one (a heapsort) works in place; equal ones come in any order.
 */
#ifndef SLAB_BASE_SORT_H
#define SLAB_BASE_SORT_H

#include <stddef.h>

/* size: whole words. */
void sort_in_place(void *base, size_t nr, size_t size,
		   int (*compare)(const void *a, const void *b));

#endif

/* SPDX-License-Identifier: MIT */
/*
 * number.h - the kernel's strict way to read what is written to a file
 *
 * One number, an optional + (and - where signed), at most one newline behind
 * it, nothing else: no blanks, no empty text.
 *
 * base 10, or 0: 0x and 0 in front mean 16 and 8, as in C
 * Errors:  -EINVAL (no number, or something behind it), -ERANGE (too large;
 *          said first, whatever stands behind the digits)
 */
#ifndef SLAB_DEBUGFS_NUMBER_H
#define SLAB_DEBUGFS_NUMBER_H

#include <stdbool.h>

int number_ulong(const char *s, unsigned int base, unsigned long *ret);
int number_uint(const char *s, unsigned int base, unsigned int *ret);
int number_int(const char *s, unsigned int base, int *ret);

/* Y y T t 1 on, N n F f 0 off: what comes behind the first letter does not
 * count, but for the second one of "on" and "off". */
int number_bool(const char *s, bool *ret);

#endif

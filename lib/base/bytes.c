/* SPDX-License-Identifier: MIT */
/*
 * base/bytes.c - see bytes.h; CMake builds this file without sanitizers and
 * with -fno-builtin, so that no loop becomes a call of memset()
 */
#define BYTES_HERE
#include "base/bytes.h"

#define WORD sizeof(uintptr_t)

size_t bytes_find_other(const void *p, uint8_t byte, size_t n)
{
	const uint8_t *at = p;
	uintptr_t word = BYTES_REPEAT(byte);
	size_t i = 0;

	while (i + WORD <= n && *(const any_word *)(at + i) == word)
		i += WORD;
	while (i < n && at[i] == byte)
		i++;
	return i;
}

size_t bytes_rfind_other(const void *p, uint8_t byte, size_t n)
{
	const uint8_t *at = p;
	size_t i = n;

	while (i > 0 && at[i - 1] == byte)
		i--;
	return i ? i - 1 : n;
}

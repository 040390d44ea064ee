/* SPDX-License-Identifier: MIT */
/*
 * base/bytes.c - see bytes.h; CMake builds this file without sanitizers and
 * with -fno-builtin, so that no loop becomes a call of memset()
 */
#include "base/bytes.h"

/* A word that may stand anywhere and alias anything. */
typedef uintptr_t any_word __attribute__((aligned(1), may_alias));

#define WORD sizeof(uintptr_t)

static uintptr_t repeat(uint8_t byte)
{
	return byte * (~(uintptr_t)0 / 0xff);
}

void bytes_fill(void *p, uint8_t byte, size_t n)
{
	uint8_t *to = p;
	uintptr_t word = repeat(byte);

	for (; n >= WORD; n -= WORD, to += WORD)
		*(any_word *)to = word;
	while (n--)
		*to++ = byte;
}

void bytes_copy(void *to, const void *from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
		*(any_word *)d = *(const any_word *)s;
	while (n--)
		*d++ = *s++;
}

size_t bytes_find_other(const void *p, uint8_t byte, size_t n)
{
	const uint8_t *at = p;
	uintptr_t word = repeat(byte);
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

uint8_t byte_read(const void *p)
{
	return *(const volatile uint8_t *)p;
}

uintptr_t word_read(const void *p)
{
	return *(const any_word *)p;
}

void word_write(void *p, uintptr_t value)
{
	*(any_word *)p = value;
}

/* SPDX-License-Identifier: MIT */
/*
 * base/bytes.h - the only hands that touch user bytes
 *
 * Objects, red zones, padding and free pointers are read and written through
 * these and through nothing else, so that a build with a sanitizer may forbid
 * those bytes to everybody but us. Such builds call bytes.c, which is built
 * without sanitizers and without calls that one watches; the others have the
 * few instructions in place, for a debug cache fills and checks some hundred
 * bytes at each allocation and free.
 */
#ifndef SLAB_BASE_BYTES_H
#define SLAB_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define BYTES_ARE_WATCHED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BYTES_ARE_WATCHED 1
#endif

/* Index of the first, of the last byte that is not `byte`; n if there is none. */
size_t bytes_find_other(const void *p, uint8_t byte, size_t n);
size_t bytes_rfind_other(const void *p, uint8_t byte, size_t n);

#if defined(BYTES_ARE_WATCHED) || defined(BYTES_HERE)
void bytes_fill(void *p, uint8_t byte, size_t n);
void bytes_copy(void *to, const void *from, size_t n);
/* Is every one of them `byte`? */
bool bytes_are(const void *p, uint8_t byte, size_t n);
/* The same but for the last of n > 0, which is `end`. */
void bytes_fill_to(void *p, uint8_t byte, uint8_t end, size_t n);
bool bytes_are_to(const void *p, uint8_t byte, uint8_t end, size_t n);
uint8_t byte_read(const void *p);
/* Any alignment. */
uintptr_t word_read(const void *p);
void word_write(void *p, uintptr_t value);
#endif

#if !defined(BYTES_ARE_WATCHED) || defined(BYTES_HERE)

#ifdef BYTES_HERE
#define BYTES_INLINE
#else
#define BYTES_INLINE static inline
#endif

/* They may stand anywhere and alias anything. */
typedef uint32_t any_half __attribute__((aligned(1), may_alias));
typedef uintptr_t any_word __attribute__((aligned(1), may_alias));
typedef uint64_t any_pair
	__attribute__((vector_size(16), aligned(1), may_alias));

#define BYTES_REPEAT(byte)   ((uintptr_t)(byte) * (~(uintptr_t)0 / 0xff))
#define BYTES_AT(type, p, i) (*(type *)((uintptr_t)(p) + (i)))

/*
 * The last step of each size begins where it ends with the last byte: it may
 * do some twice, and no byte is left over. Filling and checking take the same
 * steps: what was stored a moment ago, in one piece, is loaded in one piece, and
 * need not have left the store buffer.
 */
#define BYTES_PAIRS (2 * sizeof(any_pair)) /* n is as many at least */

static inline void bytes_fill_pairs(void *p, any_pair pair, any_pair end,
				    size_t n)
{
	uintptr_t at = (uintptr_t)p, last = at + n - BYTES_PAIRS;

	for (; at < last; at += BYTES_PAIRS) {
		BYTES_AT(any_pair, at, 0) = pair;
		BYTES_AT(any_pair, at, sizeof(pair)) = pair;
	}
	BYTES_AT(any_pair, last, 0) = pair;
	BYTES_AT(any_pair, last, sizeof(pair)) = end;
}

static inline bool bytes_are_pairs(const void *p, any_pair pair, any_pair end,
				   size_t n)
{
	uintptr_t at = (uintptr_t)p, last = at + n - BYTES_PAIRS;
	any_pair other = (BYTES_AT(const any_pair, last, 0) ^ pair) |
			 (BYTES_AT(const any_pair, last, sizeof(pair)) ^ end);

	for (; at < last; at += BYTES_PAIRS)
		other |= (BYTES_AT(const any_pair, at, 0) ^ pair) |
			 (BYTES_AT(const any_pair, at, sizeof(pair)) ^ pair);
	return !(other[0] | other[1]);
}

BYTES_INLINE void bytes_fill(void *p, uint8_t byte, size_t n)
{
	const uintptr_t word = BYTES_REPEAT(byte);
	const any_pair pair = { word, word };
	size_t i;

	if (n - sizeof(word) <= sizeof(word)) {
		BYTES_AT(any_word, p, 0) = word;
		BYTES_AT(any_word, p, n - sizeof(word)) = word;
	} else if (n >= BYTES_PAIRS) {
		bytes_fill_pairs(p, pair, pair, n);
	} else if (n > sizeof(pair)) {
		BYTES_AT(any_pair, p, 0) = pair;
		BYTES_AT(any_pair, p, n - sizeof(pair)) = pair;
	} else if (n >= sizeof(uint32_t)) {
		BYTES_AT(any_half, p, 0) = (uint32_t)word;
		BYTES_AT(any_half, p, n - sizeof(uint32_t)) = (uint32_t)word;
	} else {
		for (i = 0; i < n; i++)
			BYTES_AT(volatile uint8_t, p, i) = byte;
	}
}

BYTES_INLINE void bytes_copy(void *to, const void *from, size_t n)
{
	size_t i = 0;

	for (; i + sizeof(uintptr_t) <= n; i += sizeof(uintptr_t))
		BYTES_AT(any_word, to, i) = BYTES_AT(const any_word, from, i);
	for (; i < n; i++)
		BYTES_AT(volatile uint8_t, to, i) =
			BYTES_AT(const uint8_t, from, i);
}

BYTES_INLINE bool bytes_are(const void *p, uint8_t byte, size_t n)
{
	const uintptr_t word = BYTES_REPEAT(byte);
	const any_pair pair = { word, word };
	size_t i;

	if (n - sizeof(word) <= sizeof(word))
		return BYTES_AT(const any_word, p, 0) == word &&
		       BYTES_AT(const any_word, p, n - sizeof(word)) == word;
	if (n >= BYTES_PAIRS)
		return bytes_are_pairs(p, pair, pair, n);
	if (n > sizeof(pair)) {
		any_pair other =
			(BYTES_AT(const any_pair, p, 0) ^ pair) |
			(BYTES_AT(const any_pair, p, n - sizeof(pair)) ^ pair);

		return !(other[0] | other[1]);
	}
	if (n >= sizeof(uint32_t))
		return BYTES_AT(const any_half, p, 0) == (uint32_t)word &&
		       BYTES_AT(const any_half, p, n - sizeof(uint32_t)) ==
			       (uint32_t)word;
	for (i = 0; i < n; i++)
		if (BYTES_AT(const uint8_t, p, i) != byte)
			return false;
	return true;
}

/* The last piece with the last byte in it, for the same reason. */
#define BYTES_END(byte, end)             \
	((any_pair){ BYTES_REPEAT(byte), \
		     BYTES_REPEAT(byte) ^ (uintptr_t)((byte) ^ (end)) << 56 })

BYTES_INLINE void bytes_fill_to(void *p, uint8_t byte, uint8_t end, size_t n)
{
	const uintptr_t word = BYTES_REPEAT(byte);

	if (n >= BYTES_PAIRS) {
		bytes_fill_pairs(p, (any_pair){ word, word },
				 BYTES_END(byte, end), n);
	} else {
		bytes_fill(p, byte, n - 1);
		bytes_fill((uint8_t *)p + n - 1, end, 1);
	}
}

BYTES_INLINE bool bytes_are_to(const void *p, uint8_t byte, uint8_t end,
			       size_t n)
{
	const uintptr_t word = BYTES_REPEAT(byte);

	if (n >= BYTES_PAIRS)
		return bytes_are_pairs(p, (any_pair){ word, word },
				       BYTES_END(byte, end), n);
	return bytes_are(p, byte, n - 1) &&
	       bytes_are((const uint8_t *)p + n - 1, end, 1);
}

BYTES_INLINE uint8_t byte_read(const void *p)
{
	return *(const volatile uint8_t *)p;
}

BYTES_INLINE uintptr_t word_read(const void *p)
{
	return *(const any_word *)p;
}

BYTES_INLINE void word_write(void *p, uintptr_t value)
{
	*(any_word *)p = value;
}

#endif
#endif

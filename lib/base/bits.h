/* SPDX-License-Identifier: MIT */
/* base/bits.h - rounding, powers of two, bitmaps */
#ifndef SLAB_BASE_BITS_H
#define SLAB_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>

#define ALIGN_UP(x, a)	 (((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	 ((a) < (b) ? (a) : (b))
#define MAX(a, b)	 ((a) > (b) ? (a) : (b))

/* Index of the highest set bit, counted from 1; 0 for 0. */
static inline unsigned int fls(unsigned long x)
{
	return x ? 64 - (unsigned int)__builtin_clzl(x) : 0;
}

static inline unsigned int ilog2(unsigned long x)
{
	return fls(x) - 1;
}

#define BITS_PER_WORD	 (8 * sizeof(unsigned long))
#define BITMAP_BYTES(n)	 (((n) + BITS_PER_WORD - 1) / BITS_PER_WORD * sizeof(unsigned long))

static inline bool bitmap_test(const unsigned long *map, unsigned int i)
{
	return map[i / BITS_PER_WORD] >> (i % BITS_PER_WORD) & 1;
}

static inline void bitmap_set(unsigned long *map, unsigned int i)
{
	map[i / BITS_PER_WORD] |= 1UL << (i % BITS_PER_WORD);
}

static inline void bitmap_clear(unsigned long *map, unsigned int i)
{
	map[i / BITS_PER_WORD] &= ~(1UL << (i % BITS_PER_WORD));
}

#endif

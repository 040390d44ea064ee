/* SPDX-License-Identifier: MIT */
/*
 * base/random.h - reproducible random numbers (SplitMix64)
 *
 * Not for secrets of a hostile world: the same seed gives the same numbers on
 * every host, which is what a virtual machine wants.
 */
#ifndef SLAB_BASE_RANDOM_H
#define SLAB_BASE_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
	/* threads of one machine draw at once */
	uint64_t z = __atomic_add_fetch(&r->state, 0x9e3779b97f4a7c15U,
					__ATOMIC_RELAXED);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

/* Uniform in [0, n); n > 0. */
static inline uint64_t random_below(struct random *r, uint64_t n)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % n;
	uint64_t x;

	do
		x = random_next(r);
	while (x >= limit);
	return x % n;
}

#endif

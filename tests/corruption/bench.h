/* SPDX-License-Identifier: MIT */
/*
 * tests/corruption/bench.h - one cache, one slab, and damage done to it
 *
 * The picture that the cells of corruptions.def speak of: f f . . T . . f f
 * with the damaged object T in the middle, free or not.
 */
#ifndef TESTS_CORRUPTION_BENCH_H
#define TESTS_CORRUPTION_BENCH_H

#include <stdbool.h>

#include <slab/inject.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#define HAS_ASAN __has_feature(address_sanitizer)
#else
#define HAS_ASAN 0
#endif

enum state { IN_USE, FREE };

/* What a kind needs beyond the usual setting. */
struct setting {
	const char *kind;
	enum state state;
	unsigned int size, request; /* 0: 200 and all of it */
	bool is_call, needs_second_slab, needs_neighbour;
	bool in_sheaves; /* free objects are left there */
};
const struct setting *setting_of(const char *kind);

#define MAX_OBJECTS 256

struct bench {
	struct slab_machine *m;
	const struct slab_corruption *kind;
	const struct setting *setting;
	struct kmem_cache *s;
	struct slab_target *t;
	unsigned int nr;	   /* objects of the slab */
	void *object[MAX_OBJECTS]; /* by address */
	bool in_use[MAX_OBJECTS];
	unsigned int target, nr_free;
	unsigned int reports[SLAB_NR_REPORTS];
};

/* A mistake of the test: the end. */
void die(const char *what) __attribute__((noreturn));

/* all_free: so is everything but the target, if that is an object. */
void bench_set_up(struct bench *b, slab_flags_t flags, bool all_free);
void bench_tear_down(struct bench *b);
void *bench_take(struct bench *b);
/* Object i, if it is in use. */
void bench_give(struct bench *b, unsigned int i);
/* The damage, as slab_corrupt() says. */
int bench_damage(struct bench *b, slab_flags_t flags,
		 struct slab_corrupt_result *ret);

#endif

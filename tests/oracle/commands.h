/* SPDX-License-Identifier: MIT */
/*
 * commands.h - the harness's commands, over the public API
 *
 *	commands.c	   objects: alloc, free and kin
 *	commands_cache.c   caches and their files
 *	commands_damage.c  bytes and words, written and shown
 *
 * A function a command, a row a function.
 */
#ifndef TESTS_ORACLE_COMMANDS_H
#define TESTS_ORACLE_COMMANDS_H

#include "slab/slab.h"

#include "replay.h"

struct command {
	const char *name;
	size_t nr_words; /* at least; missing numbers behind are 0 */
	void (*run)(struct runner *r, const struct words *w);
};
/* Each ends with a row without a name. */
extern const struct command cache_commands[], damage_commands[];

/* Word i as a number below limit. */
unsigned int number(const struct words *w, size_t i, unsigned int limit);
struct kmem_cache **cache_at(struct runner *r, const struct words *w, size_t i);
uint8_t **slot_at(struct runner *r, const struct words *w, size_t i);
uint64_t printed(const struct runner *r, const void *p);
void print_returned(struct runner *r);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * replay.h - a machine of ours that obeys the harness's commands
 */
#ifndef TESTS_ORACLE_REPLAY_H
#define TESTS_ORACLE_REPLAY_H

#include <slab/inspect.h>
#include <slab/machine.h>

#include "oracle.h"

#define NR_CACHES 4
#define NR_SLOTS  4096

/* 4 caches, 4,096 slots that keep their pointer after a free, one key. */
struct runner {
	struct slab_machine *m;
	struct slab_target *target;
	FILE *out;
	struct kmem_cache *caches[NR_CACHES];
	char names[NR_CACHES][64]; /* "": none */
	uint8_t *slots[NR_SLOTS];
	uint64_t key;
	struct kmem_cache *classes[16]; /* of kmalloc, that others use too */
	bool no_sheaves; /* in front of caches without debug flags */
};

/* FLAGS of create: F Z P U T H R B D 3 A N; others mean nothing. */
slab_flags_t create_flags(const char *letters);

/* Answers one command, as the harness would. */
void run_command(struct runner *r, const char *line);

#endif

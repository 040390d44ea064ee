/* SPDX-License-Identifier: MIT */
/*
 * tests/property/property.h - random operations against a simple model
 *
 *	seed --> settings, ops --> world (a machine and a shadow of it)
 *	                             | fails
 *	                             v
 *	                           shrink --> the few ops that matter, as a script
 *
 * An op names slots, not pointers: one that does not fit the world it meets
 * (a free of an empty slot) is skipped. So any part of a list of ops can run,
 * which is what shrinking needs.
 */
#ifndef TESTS_PROPERTY_H
#define TESTS_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define NR_CACHES  8U
#define NR_OBJECTS 1024U
#define MAX_BULK   24U

enum op_kind {
	OP_CREATE, OP_DESTROY, OP_SHRINK, OP_VALIDATE, OP_VERIFY,
	OP_MIN_PARTIAL,
	OP_ALLOC, OP_FREE, OP_BULK_ALLOC, OP_BULK_FREE, OP_DRAIN, OP_WRITE,
	OP_KMALLOC, OP_KREALLOC, OP_KSIZE, OP_KFREE_RCU, OP_RCU_TICK,
	OP_CPU, OP_FAIL_NTH,
	OP_PREFILL, OP_LENT_ALLOC, OP_LENT_REFILL, OP_LENT_RETURN,
	OP_CPU_ONLINE, OP_NODE_MEMORY, OP_POLICY, OP_MEMALLOC, OP_FLUSH,
	OP_BARRIER, OP_FAIL_RATE, OP_NOLOCK_ALLOC, OP_NOLOCK_FREE,
	OP_INTERRUPT,
	NR_OPS,
};

struct op {
	uint8_t kind, cache;
	uint16_t object;
	uint32_t a, b;
};

/* What a seed chooses beside the ops. */
struct settings {
	uint64_t seed;
	unsigned int cpus, nodes;
	unsigned long pages; /* 0: no limit */
	unsigned long reserve; /* pages beyond it */
	const char *slab_debug; /* NULL: none */
	bool hardened, random, init_on_alloc, init_on_free;
	/* every write goes one byte too far: does the property notice? */
	bool plant;
};

struct outcome {
	bool failed;
	size_t at;	/* the op */
	char text[240]; /* class: what was found and what was wanted */
};

/* ---- world.c ---- */
struct settings settings_for(uint64_t seed);
struct op op_for(uint64_t seed, size_t i);
/* Runs the ops to the end, or to the first that fails. With a script: what was
 * done is printed as slabctl commands. */
void world_run(const struct settings *settings, const struct op *ops,
	       size_t nr, FILE *script, struct outcome *ret);

/* ---- shrink.c ---- */
/* In a child: a crash is an outcome too. */
void run_apart(const struct settings *settings, const struct op *ops,
	       size_t nr, struct outcome *ret);
/* Keeps of ops[0..*nr-1] what still fails in the same class. How many runs. */
unsigned int shrink(const struct settings *settings, struct op *ops,
		    size_t *nr, struct outcome *outcome);
/* Prints the ops as a scenario that slabctl runs. */
void print_script(const struct settings *settings, const struct op *ops,
		  size_t nr);

#endif

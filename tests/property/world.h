/* SPDX-License-Identifier: MIT */
/*
 * tests/property/world.h - a machine, and the shadow of what users have of it
 *
 *	world.c		ops on caches and objects: what is done to both
 *	rests.c		ops on what lies between users and slabs
 *	shadow.c	what must be true of both, and contents
 */
#ifndef TESTS_PROPERTY_WORLD_H
#define TESTS_PROPERTY_WORLD_H

#include "property.h"

#include <slab/debug.h>
#include <slab/inspect.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <slab/sheaf.h>

#include "slab/node.h"

#define CONSTRUCTED 0xc7

/* An object in a user's hands, or one that waits for a grace period. */
struct object {
	uint8_t *p; /* NULL: the slot is empty */
	struct kmem_cache *s; /* NULL: whole pages */
	size_t size;	    /* the user's bytes */
	uint8_t key;	    /* of the pattern in them */
	bool is_kmalloc, is_constructed;
	bool is_nolock; /* of kmalloc_nolock(): kfree_nolock() may take it */
};

/* A sheaf in a user's hands. */
struct lent {
	struct slab_sheaf *sheaf; /* NULL: the slot is empty */
	struct kmem_cache *s;
	unsigned int size;
};
#define NR_LENT 16U

struct cache {
	struct kmem_cache *s;
	slab_flags_t flags;
	unsigned int align; /* asked for */
	char name[8];
};

struct world {
	const struct settings *settings;
	struct slab_machine *m;
	struct slab_target *t;
	FILE *script;
	struct outcome *outcome;
	size_t at;
	struct cache caches[NR_CACHES];
	struct object objects[NR_OBJECTS];
	struct object *waiting; /* for a grace period */
	size_t nr_waiting, max_waiting;
	struct lent lent[NR_LENT];
	bool may_fail; /* the next allocation may give NULL */
	unsigned int fail_rate; /* percent of them, for a while */
	struct op now;	      /* being done */
	struct op irq_op;     /* what the next interrupt does */
	unsigned int irq_in;  /* so many points from now */
	bool irq_masked;      /* the shadow is not up to date */
	uint8_t next_key;
};

/* Notes the first failure; false. */
bool fail(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* To the script, if one is printed. */
void say(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Around a command that may give NULL, which is an error to slabctl. */
const char *maybe(const struct world *w);
const char *maybe_end(const struct world *w);
/* A sink: no report is expected ever. */
void on_record(void *arg, const struct slab_report *r);

/* The user's bytes: a pattern of the object's key. */
uint8_t pattern(uint8_t key, size_t i);
void object_write(struct world *w, struct object *o);
bool object_check(struct world *w, const struct object *o);
/* A new object: where it lies, what it holds; then the user writes. */
bool take_over(struct world *w, struct object *o, uint8_t *p, size_t size,
	       gfp_t gfp, bool is_kmalloc);
/* Nobody else has a byte of it. */
bool is_apart_of_all(struct world *w, const struct object *o);
/* NULL where memory is short or a failure was asked for. */
bool null_is_fine(struct world *w);
/* Objects of s in users' hands or waiting. */
size_t count_of(const struct world *w, const struct kmem_cache *s);

/* The invariants of a cache after an op, and after a free of p. */
bool touched(struct world *w, struct kmem_cache *s);
bool settled(struct world *w, struct kmem_cache *s);
bool freed(struct world *w, struct kmem_cache *s, const void *p);
bool everything_check(struct world *w);
/* What waits for a grace period is untouched. */
bool waiting_check(struct world *w);

/* ---- rests.c ---- */
bool op_rests(struct world *w, const struct op *op);
bool op_lent_return(struct world *w, const struct op *op);
bool has_lent(const struct world *w, const struct kmem_cache *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * inject/corrupt.h - what the kinds of damage share: target, keys, writing
 *
 *	corrupt.c	rows, targets, keys
 *	damage_bytes.c	bytes of a slot
 *	damage_chain.c	links of the free chain
 *	damage_slab.c	descriptors and lists
 *	damage_sheaf.c	sheaves and barns
 *	damage_call.c	calls that no correct program makes
 *	damage_read.c	reads that no correct program makes
 *
 * A function per row: 0, or -EINVAL with `why` filled in.
 */
#ifndef SLAB_INJECT_CORRUPT_H
#define SLAB_INJECT_CORRUPT_H

#include <slab/inject.h>

#include "inspect/rest.h"

struct damage {
	struct slab_machine *m;
	const struct slab_corruption *kind;
	const struct slab_corrupt_value *values;
	struct kmem_cache *s;
	struct slab *slab;
	uintptr_t base, end;	/* of the slab's memory */
	uintptr_t object;	/* 0: the slab, or the CPU, is the target */
	unsigned int index;
	unsigned int cpu;	/* where it is the target: no slab, no chain */
	struct chain chain;
	struct rests rests;	/* what lies in the cache's sheaves */
	struct slab_corrupt_result *ret;
};

#define CORRUPTION(id, ...) int damage_##id(struct damage *d);
#include <slab/corruptions.def>
#undef CORRUPTION

/* why, with the cache's and the object's names to print first; -EINVAL. */
int damage_refuse(struct damage *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "ring:S1#3", or "ring:S1" where the slab is the target. */
const char *damage_name(const struct damage *d, char *buf, size_t size);
/* What was done, one sentence. */
void damage_text(struct damage *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The key's number; *ret stays as it is when the key is not given. */
int damage_number(struct damage *d, const char *key, long min, long max,
		  long *ret);
/* The key's address, as the machine prints it, to one of ours. */
int damage_address(struct damage *d, const char *key, uintptr_t *ret);
/* The key's words, or NULL. */
const char *damage_key(const struct damage *d, const char *key);

/* Is the i-th object on the slab's free chain, or in a sheaf? */
static inline bool damage_is_free_at(const struct damage *d, unsigned int i)
{
	return d->chain.pos[i] >= 0 ||
	       rests_owner(&d->rests, slab_object(d->s, d->base, i)) !=
		       SLAB_OWNER_USER;
}

static inline bool damage_is_free(const struct damage *d)
{
	return damage_is_free_at(d, d->index);
}

int damage_need_free(struct damage *d);
/* Free, and on the chain. */
int damage_need_chained(struct damage *d);
int damage_need_in_use(struct damage *d);
/* " (...)" for refusals: what rests in sheaves is on no chain; or "". */
const char *damage_hint_flush(const struct damage *d);

/* Fills [at, at + n) with found=, or with byte, or, where that is there
 * already, with another; notes what changed. */
int damage_fill(struct damage *d, uintptr_t at, size_t n, uint8_t byte,
		const char *what);
/* Writes bytes; notes what changed. */
int damage_write(struct damage *d, uintptr_t at, const void *bytes, size_t n,
		 const char *what);

#endif

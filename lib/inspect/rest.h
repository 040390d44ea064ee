/* SPDX-License-Identifier: MIT */
/*
 * inspect/rest.h - objects that rest outside the slabs' own chains
 *
 * In sheaves of CPUs, in barns, in RCU, borrowed: found once for a cache, and
 * then asked for object by object. The threads of a native machine go on
 * meanwhile: each pointer is read once, judged, and then used.
 */
#ifndef SLAB_INSPECT_REST_H
#define SLAB_INSPECT_REST_H

#include "inspect/target.h"
#include "slab/sheaf.h"

struct rest {
	uintptr_t object;
	enum slab_owner owner;
};

struct rests {
	struct rest *at; /* by address */
	size_t nr;
};

/* Every sheaf of s, in scratch. 0 or -ENOMEM. */
int sheaves_find(const struct kmem_cache *s, struct slab_sheaf_info **ret,
		 size_t *nr);
/* Of s, or of all caches (NULL). 0 or -ENOMEM. */
int rests_collect(const struct slab_machine *m, const struct kmem_cache *s,
		  struct rests *ret);
/* A number that is another one when something else rests there. */
uint64_t rests_print(const struct slab_machine *m, const struct kmem_cache *s);
void rests_free(struct rests *r);

/* The lock of a CPU's sheaves, whichever way it is taken: is it held? */
bool rests_are_in_hands(const struct kmem_cache *s, unsigned int cpu);

/* Where the object rests, or SLAB_OWNER_USER when in none of these places. */
enum slab_owner rests_owner(const struct rests *r, uintptr_t object);
/* The first at or behind the address; and how many of them lie in [base, base + bytes). */
size_t rests_begin(const struct rests *r, uintptr_t address);
size_t rests_within(const struct rests *r, uintptr_t base, size_t bytes);

#endif

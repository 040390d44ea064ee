/* SPDX-License-Identifier: MIT */
/* slab/sheaf.c - the sheaf that is always empty and always full */
#include "slab/sheaf.h"

#include "slab/geometry.h"

/* Constant, so that whoever writes to it finds out at once. */
static const struct slab_sheaf always_empty = { .place = SHEAF_RESTS };

static const struct slab_sheaf of_who_locked = { .place = SHEAF_RESTS };
static const struct slab_sheaf of_who_drains = { .place = SHEAF_RESTS };

struct slab_sheaf *const bootstrap_sheaf = (struct slab_sheaf *)&always_empty;
struct slab_sheaf *const locked_sheaf = (struct slab_sheaf *)&of_who_locked;
struct slab_sheaf *const drained_sheaf = (struct slab_sheaf *)&of_who_drains;

bool sheaf_may_be(const struct kmem_cache *s, const struct slab_sheaf *sheaf)
{
	uintptr_t at = (uintptr_t)sheaf;

	return at % 32 == 0 && meta_owns(s->machine, at) &&
	       meta_owns(s->machine,
			 at + sheaf_bytes(s->sheaf_capacity) - 1);
}

const char *sheaf_check(const struct kmem_cache *s,
			const struct slab_sheaf *sheaf)
{
	if (!sheaf_may_be(s, sheaf) || sheaf->cache != s ||
	    sheaf->place != SHEAF_RESTS)
		return "P4: a sheaf that rests is its cache's own";
	if (sheaf->size > s->sheaf_capacity)
		return "P2: size <= capacity";
	return NULL;
}

unsigned int kmem_cache_sheaf_capacity(const struct kmem_cache *s)
{
	return s->sheaf_capacity;
}

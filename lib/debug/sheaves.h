/* SPDX-License-Identifier: MIT */
/*
 * debug/sheaves.h - sheaves, judged before what lies in them is used
 *
 * 7.0 trusts them. Here a count beyond the capacity and a pointer that no slab
 * of the cache holds are reported once and taken out, and the path goes on.
 *
 * Locking: whoever may use the sheaf.
 */
#ifndef SLAB_DEBUG_SHEAVES_H
#define SLAB_DEBUG_SHEAVES_H

#include "slab/sheaf.h"

/* May the object rest in a sheaf of s: does a slab of s hold it, so that it
 * can be linked there later? */
bool sheaf_takes(const struct kmem_cache *s, const void *object);

/* Afterwards size <= capacity. A sheaf that counts more is emptied: its objects
 * stay in use for their slabs, since nobody can tell how many there were. */
void sheaf_judge_size(struct kmem_cache *s, struct slab_sheaf *sheaf,
		      unsigned int capacity);
#define SHEAF_WHOLE (~0U)
/* Are the top nr objects (fewer, if there are fewer) good to hand out or to go
 * to their slabs, and is there one? What was not is gone afterwards. */
bool sheaf_judge_top(struct kmem_cache *s, struct slab_sheaf *sheaf,
		     unsigned int nr);

/* For machine->damage_say: a barn was found damaged and mended. */
void sheaves_say(struct kmem_cache *s, enum slab_report_kind kind,
		 const void *at);

#endif

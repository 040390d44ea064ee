/* SPDX-License-Identifier: MIT */
/* cache/fast_sim.h - cache/fast.c on machines whose percpu is PERCPU_SIM */
#ifndef SLAB_CACHE_FAST_SIM_H
#define SLAB_CACHE_FAST_SIM_H

#include "cache/sheaf.h"

void *fast_sim_alloc(struct kmem_cache *s, gfp_t gfp);
void fast_sim_free(struct kmem_cache *s, void *object);
void *fast_sim_alloc_miss(struct kmem_cache *s, gfp_t gfp, uintptr_t caller);
void fast_sim_free_miss(struct kmem_cache *s, void *object, uintptr_t caller);
size_t fast_sim_alloc_bulk(struct kmem_cache *s, size_t nr, void **p);
size_t fast_sim_free_bulk(struct kmem_cache *s, size_t nr, void **p);

#endif

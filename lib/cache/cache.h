/* SPDX-License-Identifier: MIT */
/*
 * cache/cache.h - the paths between the public API and the slabs
 */
#ifndef SLAB_CACHE_CACHE_H
#define SLAB_CACHE_CACHE_H

#include <slab/kmalloc.h>

#include "debug/check.h"
#include "slab/node.h"

/* The user's call site, for tracks. */
#define CALLER ((uintptr_t)__builtin_return_address(0))

/* ---- slabs ---- */
/* A private slab with all objects on its freelist, ctor run, debug bytes
 * written; NULL without memory. nr_slabs does not count it yet. */
struct slab *slab_new(struct kmem_cache *s, gfp_t gfp, int node);
/* Its pages go back, after a grace period for SLAB_TYPESAFE_BY_RCU. */
void slab_free_pages(struct kmem_cache *s, struct slab *slab);
/* The same after the final checks; the counters are the caller's. */
void slab_discard(struct kmem_cache *s, struct slab *slab);

/* ---- objects ---- */
/* One object with orig_size recorded where the cache does that. */
void *slab_alloc(struct kmem_cache *s, gfp_t gfp, int node, uintptr_t caller,
		 size_t orig_size);
/* The same without asking failslab. */
void *slab_alloc_unasked(struct kmem_cache *s, gfp_t gfp, int node,
			 uintptr_t caller, size_t orig_size);
/* The slab of an object that is freed to s; NULL, after a warning, when it is
 * no object of s. */
struct slab *slab_of_freed(struct kmem_cache *s, void *object);
/* One checked object of a cache whose slab is known. */
void slab_free_one(struct kmem_cache *s, struct slab *slab, void *object,
		   uintptr_t caller);
/* A chain of cnt objects of one slab, linked head to tail. */
void slab_free_chain(struct kmem_cache *s, struct slab *slab, void *head,
		     void *tail, unsigned int cnt, uintptr_t caller);

/* ---- debug caches: everything under list_lock, one object at a time ---- */
void *debug_alloc_from_partial(struct kmem_cache *s, struct kmem_cache_node *n,
			       struct slab *slab, size_t orig_size);
void *debug_alloc_from_new(struct kmem_cache *s, struct slab *slab,
			   size_t orig_size, gfp_t gfp);
void debug_free_chain(struct kmem_cache *s, struct slab *slab, void *head,
		      void *tail, unsigned int cnt, uintptr_t caller);

/* The free chain of a slab can not be trusted: all its objects count as used,
 * and a listed slab leaves the partial list at once (D11). list_lock held. */
void slab_drop_freelist(struct kmem_cache *s, struct kmem_cache_node *n,
			struct slab *slab);
/* The same, reported, for a head that no cache without checks could follow. */
void slab_drop_bad_head(struct kmem_cache *s, struct kmem_cache_node *n,
			struct slab *slab);

/* Frees empties and sorts the rest; true when slabs are left. */
bool cache_shrink(struct kmem_cache *s);
/* Every empty slab goes; the others are reported. True when some are left. */
bool cache_shutdown(struct kmem_cache *s);

/* A cache without looking for aliases. */
int cache_create(struct slab_machine *m, const char *name,
		 unsigned int object_size, const struct kmem_cache_args *args,
		 slab_flags_t flags, struct kmem_cache **ret);
/* Gives back a cache that is on no list; slabs are gone already. */
void cache_release(struct kmem_cache *s);
bool cache_is_unmergeable(const struct kmem_cache *s);

#endif

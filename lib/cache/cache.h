/* SPDX-License-Identifier: MIT */
/*
 * cache/cache.h - the paths between the public API and the slabs
 */
#ifndef SLAB_CACHE_CACHE_H
#define SLAB_CACHE_CACHE_H

#include <slab/kmalloc.h>

#include "debug/check.h"
#include "machine/fork_gate.h"
#include "slab/node.h"

/* The user's call site, for tracks. */
#define CALLER ((uintptr_t)__builtin_return_address(0))

/* May the caller wait for a lock? Only the _nolock calls may not. */
static inline bool gfp_may_spin(gfp_t gfp)
{
	return gfp & __GFP_RECLAIM;
}

/* ---- slabs ---- */
/* A private slab with all objects on its freelist, ctor run, debug bytes
 * written; NULL without memory. nr_slabs does not count it yet. */
struct slab *slab_new(struct kmem_cache *s, gfp_t gfp, int node);
/* From slab_new() until it is listed and counted no fork comes between, or its
 * child would not know the slab. A constructor is the program's, and may wait
 * for a lock of whom forks; a signal handler does not wait. */
static inline void slab_making_begin(struct kmem_cache *s, gfp_t gfp)
{
	if (!s->ctor && gfp_may_spin(gfp))
		fork_gate_enter(s->machine);
}

static inline void slab_making_end(struct kmem_cache *s, gfp_t gfp)
{
	if (!s->ctor && gfp_may_spin(gfp))
		fork_gate_leave(s->machine);
}

/* Its pages go back, after a grace period for SLAB_TYPESAFE_BY_RCU. */
void slab_free_pages(struct kmem_cache *s, struct slab *slab);
/* The same after the final checks; the counters are the caller's. */
void slab_discard(struct kmem_cache *s, struct slab *slab);

/* ---- objects ---- */
/* One object with orig_size recorded where the cache does that. */
void *slab_alloc_long(struct kmem_cache *s, gfp_t gfp, int node,
		      uintptr_t caller, size_t orig_size);
void *slab_alloc(struct kmem_cache *s, gfp_t gfp, int node, uintptr_t caller,
		 size_t orig_size);
/* The same from slabs alone, without failslab's question and without the
 * steps of slab_handed_out(). */
void *slow_alloc(struct kmem_cache *s, gfp_t gfp, int node, size_t orig_size);
/* An object comes to the user: tracks, zeroes, AddressSanitizer. */
void slab_handed_out(struct kmem_cache *s, void *object, gfp_t gfp,
		     uintptr_t caller, size_t orig_size);
/* All of nr objects, from slabs, or none; not handed out yet. */
bool alloc_bulk_from_slabs(struct kmem_cache *s, gfp_t gfp, size_t nr,
			   void **p);
/* May a slab of emergency memory serve this request? Others always may. */
static inline bool slab_may_serve(const struct kmem_cache *s,
				  const struct slab *slab, gfp_t gfp)
{
	return !(slab_flags(slab) & SL_PFMEMALLOC) ||
	       machine_may_use_reserves(s->machine, gfp);
}
/* Shall other nodes be asked this time? By remote_node_defrag_ratio. */
bool node_others_may_serve(struct kmem_cache *s);
/* The slab of an object that is freed to s; NULL, after a warning, when it is
 * no object of s. */
struct slab *slab_of_freed(struct kmem_cache *s, void *object);
/* One object that should be of s, checked. */
void slab_free(struct kmem_cache *s, void *object, uintptr_t caller);
void slab_free_long(struct kmem_cache *s, void *object, uintptr_t caller);
/* One checked object of a cache whose slab is known. */
void slab_free_one(struct kmem_cache *s, struct slab *slab, void *object,
		   uintptr_t caller);
/* What an object goes through on its way back, wherever it will rest; false:
 * it is not to be freed. */
bool slab_free_hook(struct kmem_cache *s, struct slab *slab, void *object);
/* kfree() of a machine's object. */
void slab_kfree(struct slab_machine *m, const void *p, uintptr_t caller);
/* The same for many, of any caches; the array is clobbered. */
void slab_free_mixed(struct slab_machine *m, size_t nr, void **p,
		     uintptr_t caller);
/* A chain of cnt objects of one slab, linked head to tail, that passed the
 * hooks; nothing is counted. */
void slab_free_chain(struct kmem_cache *s, struct slab *slab, void *head,
		     void *tail, unsigned int cnt, uintptr_t caller);

/* ---- debug caches: everything under list_lock, one object at a time ---- */
/* cache/debug_short.c, for caches of which it is true. An object, the long way
 * when there is no other; false: nothing was done, it takes the long way. */
void debug_short_init(struct kmem_cache *s);
void *debug_alloc_one(struct kmem_cache *s, gfp_t gfp, int node,
		      uintptr_t caller, size_t orig_size);
bool debug_free_one(struct kmem_cache *s, void *object, uintptr_t caller);
void debug_free_or_long(struct kmem_cache *s, void *object, uintptr_t caller);

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

/* The irq-work: what kfree_nolock() left for later on this CPU. */
void free_deferred(struct slab_machine *m);
/* Of a native machine: a slab that nobody has seen goes back then, too. */
void slab_defer_pages(struct kmem_cache *s, struct slab *slab);
struct kmem_cache *slab_kmalloc_cache_nolock(struct slab_machine *m,
					     size_t size, gfp_t gfp);
/* The normal ones, as the kernel does at boot: who may not wait finds them. */
void kmalloc_make_classes(struct slab_machine *m);
/* "kmalloc-96", "msg_msg-1k": a class of a set of caches. */
void kmalloc_class_name(char *buf, size_t bytes, const char *prefix,
			unsigned int size);
/* Whole pages for one request. */
void *kmalloc_large(struct slab_machine *m, size_t size, gfp_t gfp, int node);
/* A barn for a node that has none. 0 or -ENOMEM. */
int cache_add_barn(struct kmem_cache *s, unsigned int nid);

/* Flushes all sheaves, frees empties and sorts the rest; true when slabs are
 * left. cpus_lock is held. */
bool cache_shrink(struct kmem_cache *s);
/* Every empty slab goes; the others are reported. True when some are left. */
bool cache_shutdown(struct kmem_cache *s);

/* By any of its names, or NULL. slab_mutex is held. */
struct kmem_cache *cache_by_name(struct slab_machine *m, const char *name);

/* A cache without looking for aliases. */
int cache_create(struct slab_machine *m, const char *name,
		 unsigned int object_size, const struct kmem_cache_args *args,
		 slab_flags_t flags, struct kmem_cache **ret);
/* Gives back a cache that is on no list; slabs are gone already. */
void cache_release(struct kmem_cache *s);
bool cache_is_unmergeable(const struct kmem_cache *s);
/* Do alloc and free have to do what inline paths leave out? */
bool cache_fast_lacks(const struct kmem_cache *s);

#endif

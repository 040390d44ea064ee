/* SPDX-License-Identifier: MIT */
/*
 * inspect/target.h - what the inspectors share: judged ways to slabs and chains
 *
 *	target --machine--> caches (metadata, trusted) --lists, region--> slabs
 *
 * Descriptors, links and users' bytes may be damaged: a number found there
 * becomes a pointer only after it was found to lie where such a thing can be,
 * and no walk is longer than what it walks could be.
 *
 * Locking: look.h, and so nothing is malloc'ed: scratch.h. Nothing here
 *          writes; a virtual machine is one thread's, and sinks may look while
 *          the path that called them holds its locks.
 */
#ifndef SLAB_INSPECT_TARGET_H
#define SLAB_INSPECT_TARGET_H

#include "debug/check.h"
#include "inspect/look.h"

struct slab_target {
	struct slab_machine *machine;
	/* slabs of the cache asked last, by number: a hint that is checked
	 * before it is used, so that going through a cache slab by slab does
	 * not scan the region for each */
	const struct kmem_cache *hinted;
	struct slab **hint;
	size_t nr_hints;
	/* what rests in sheaves of the cache asked last, as of rest_seq, or
	 * of rests_print(), where nobody counts moves */
	const struct kmem_cache *rested;
	uint64_t rest_seq;
	struct rests *rests;
};

/* A cache of the target by its handle, or NULL. */
struct kmem_cache *target_cache(const struct slab_target *t, uintptr_t cache);

/* The cache behind s on the machine's list, the first behind NULL; NULL: no
 * more, or the link leads to none. */
struct kmem_cache *cache_next(const struct slab_machine *m,
			      const struct kmem_cache *s);
#define each_cache(m, s) (s) = cache_next(m, NULL); (s); (s) = cache_next(m, s)

/* ---- walk.c: the slabs of a cache ---- */
struct walk_slab {
	struct slab *slab;
	enum slab_found_by found_by;
};

/* How far a list could be followed. */
struct walk_list {
	unsigned long nr;
	bool is_whole; /* ended at its head */
};

struct walk {
	struct walk_slab *slabs; /* by number */
	size_t nr;
	struct walk_list partial[SLAB_MAX_NODES], full[SLAB_MAX_NODES];
};

struct walk_seen {
	unsigned long nr_pages, map[]; /* a bit a descriptor */
};

/* Each slab on the list, until it ends, breaks, or leads to one in seen. What
 * fn returns ends it too. */
typedef int (*walk_fn)(void *arg, struct slab *slab);
int walk_list(const struct slab_machine *m, const struct list_head *head,
	      struct walk_seen *seen, walk_fn fn, void *arg,
	      struct walk_list *ret);
/* An empty one, to free(); NULL without memory. */
struct walk_seen *walk_seen(const struct slab_machine *m);

/* 0 or -ENOMEM. */
int walk_slabs(const struct slab_target *t, const struct kmem_cache *s,
	       struct walk *ret);
void walk_free(struct walk *w);
/* S<nr>, or NULL; the lowest in memory where damage made two. */
struct slab *walk_find(struct slab_target *t, const struct kmem_cache *s,
		       unsigned int nr);
/* A node's lists, or NULL where the cache has none. */
struct kmem_cache_node *walk_node(const struct slab_machine *m,
				  const struct kmem_cache *s,
				  unsigned int node);
void walk_slab_info(const struct slab_machine *m, const struct kmem_cache *s,
		    const struct walk_slab *at, struct slab_slab_info *ret);

/* slab_true_bytes(), as far as memory is open: a slab that went meanwhile may
 * be part of a block that goes on behind it. */
static inline size_t slab_open_bytes(const struct slab_machine *m,
				     const struct slab *slab)
{
	size_t open = __atomic_load_n(&m->pages_opened, __ATOMIC_ACQUIRE)
		      << PAGE_SHIFT;
	size_t off = slab_base(m, slab) - m->base;

	return off < open ? MIN(slab_true_bytes(m, slab), open - off) : 0;
}

/* Objects that fit the slab's memory, whatever its counter says. */
static inline unsigned int slab_fit(const struct kmem_cache *s,
				    const struct slab *slab)
{
	size_t n = slab_open_bytes(s->machine, slab) / s->size;

	return (unsigned int)MIN(n, MAX_OBJS_PER_SLAB);
}

/* ---- owner.c: the objects of a slab ---- */
/* The free chain, each object at most once, and who has the others. */
struct chain {
	unsigned int *index; /* head first; room for all objects */
	int *pos;	     /* of each object on it; -1: not there */
	unsigned int nr;
	int end;	     /* SLAB_CHAIN_* */
	uintptr_t wild;
	unsigned int fit; /* objects of the slab when it was walked */
	const unsigned long *users; /* a bit each; NULL: not known */
};

/* 0 or -ENOMEM. */
int chain_walk(const struct kmem_cache *s, const struct slab *slab,
	       struct chain *ret);
void chain_free(struct chain *c);

/* What rests in the cache's sheaves now; NULL without memory. It is the
 * target's, until the next call. */
struct rests;
const struct rests *target_rests(struct slab_target *t,
				 const struct kmem_cache *s);

/* object: the address of the i-th. */
enum slab_owner object_owner(const struct kmem_cache *s,
			     const struct chain *c, const struct rests *rests,
			     uintptr_t object, unsigned int i);
/* Objects of the slab in users' hands, as far as is known. */
unsigned int slab_users(const struct kmem_cache *s, const struct slab *slab);

/* All of them, is_damaged included; free() it. 0 or -ENOMEM. */
int slab_objects(struct slab_target *t, struct kmem_cache *s,
		 const struct slab *slab, struct slab_object_info **ret, size_t *nr);

/* A copy of the slab for the checks, its count of objects put right. */
int view_copy(struct kmem_cache *s, const struct slab *slab,
	      struct slab_view *ret, struct slab *copy);
void view_drop(struct slab_view *v);
static inline unsigned int view_fit(const struct slab_view *v)
{
	return (unsigned int)MIN(v->size / v->s->size, MAX_OBJS_PER_SLAB);
}
/* The red zone value to expect around an object of that owner. */
uint8_t object_value(const struct slab_view *v, uintptr_t object,
		     enum slab_owner owner);

/* What the target's public calls say of one cache. */
int target_cache_info(const struct slab_target *t, struct kmem_cache *s,
		      struct slab_cache_info *ret);

#endif

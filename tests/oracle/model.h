/* SPDX-License-Identifier: MIT */
/*
 * model.h - a small allocator, to compute what rules need to know
 *
 * What a kernel that died would have answered afterwards, no text tells. This
 * model keeps the bytes of each slab, the links between free objects and the
 * counters, and makes the checks of spec/debugging/checks.md with the rows of
 * lib/DIVERGENCE.md. It is no judge by itself: it is believed about a case only
 * as long as it gives the kernel's own text up to the point of divergence.
 *
 *	model.c		slabs, lists, allocation and free
 *	model_sheaf.c	what serves caches without debug flags in 7.0
 *	model_cpu.c	and in 6.12
 *	model_check.c	the checks and their repairs
 *	model_run.c	a case's commands
 *
 * It answers in reduced form: what was found, repaired and returned, no dumps.
 * It knows a few orders of free objects; addresses are (slab, offset), and a word
 * holds a link only if it was written as one.
 */
#ifndef TESTS_ORACLE_MODEL_H
#define TESTS_ORACLE_MODEL_H

#include "oracle.h"

#define NR_CACHES 4
#define NR_SLOTS  4096
#define UNKNOWN	  (-1) /* a byte that is the run's own */

struct mslab;

/* slab NULL: the NULL pointer, or with is_wild one that no slab holds */
struct mptr {
	struct mslab *slab;
	long off;
	bool is_wild;
};

struct mlink {
	long off; /* where the word stands */
	struct mptr to;
};

enum mlist { ON_NO_LIST, ON_PARTIAL, ON_FULL };

struct mslab {
	struct mcache *s;
	unsigned int objects, inuse; /* 15 and 16 bits */
	bool is_frozen, is_discarded;
	enum mlist list;
	struct mptr head;
	int16_t *bytes;
	struct mlink *links;
	size_t nr_links;
	unsigned int *orig_size; /* of each object */
};

struct mcache {
	char name[64];
	struct layout l;
	unsigned int objects, order; /* a slab */
	long bytes;		     /* a slab */
	unsigned long min_partial;
	bool is_plain;
	struct mslab **partial, **full; /* head first */
	size_t nr_partial, nr_full;
	unsigned long nr_slabs, total_objects;
	struct mslab *cpu_slab; /* CPU_SLAB: NULL, or whose chain this is */
	struct mptr cpu_head;
	unsigned int capacity; /* of a sheaf; 0: there are none */
	struct msheaf *main, *spare, **full_sheaves; /* the youngest last */
	unsigned int nr_full_sheaves;
};

/* What stands in front of the slabs of plain caches? */
enum front {
	CPU_SLAB,	    /* 6.12 */
	SHEAVES_OF_ALL,	    /* 7.0 */
	SHEAVES_OF_KMALLOC, /* 7.0, and the others are made without */
};

struct model {
	const struct oracle_case *c;
	unsigned int order; /* which one of free objects in a new slab */
	enum front front;
	struct lines *out; /* of the step that runs */
	int event;	   /* DIVERGENCE row that acted last; -1 */
	bool is_lost;	   /* something happened that it does not know */
	bool said_not_in_slab, said_wrong_cache, said_not_kmalloc;
	struct mcache *caches[NR_CACHES]; /* NULL: none */
	struct mcache **all;
	size_t nr_all;
	struct mslab **slabs; /* every one, to be given back */
	size_t nr_slabs;
	struct mptr slots[NR_SLOTS];
	struct mptr next;   /* what the last `next` saw */
	struct mptr *names; /* O<i> */
	size_t nr_names;
};

/* Rules that the model can name; the order is that of rules[]. */
enum rule_number {
	RULE_WRONG_CACHE,
	RULE_NOT_SLAB_TEXT,
	RULE_KFREE_PAGE_TEXT,
	RULE_CYCLE,
	RULE_KREALLOC,
	RULE_SHEAVES,
	RULE_CPU_PARTIAL,
	RULE_BAD_HEAD,
	RULE_WILD_FREE,
	RULE_SELF_LINK,
	RULE_INUSE_UNDERFLOW,
	RULE_NOT_IN_SLAB,
	RULE_LOST_CHAIN,
	RULE_BOUNDED_WALK,
};

/* ---- model.c ---- */
struct mcache *mcache_new(struct model *m, const char *name,
			  const struct layout *l, unsigned int objects,
			  unsigned int order);
struct mptr malloc_object(struct model *m, struct mcache *s,
			  unsigned int orig_size);
/* head .. tail of one slab, linked */
void mfree_chain(struct model *m, struct mcache *s, struct mptr head,
		 struct mptr tail, unsigned int cnt);
/* One object, into a sheaf where it can rest there. */
void mfree_one(struct model *m, struct mcache *s, struct mptr p);
/* kmem_cache_free(): is it an object of s at all? */
void mfree(struct model *m, struct mcache *s, struct mptr p);
bool mfree_is_refused(struct model *m, struct mcache *s, struct mptr p);
void mdestroy(struct model *m, struct mcache *s);
void mshrink(struct model *m, struct mcache *s);

void mwrite(struct mslab *slab, long off, int byte, long n);
struct mptr mlink_read(const struct mslab *slab, long off);
void mlink_write(struct mslab *slab, long off, struct mptr to);
bool mptr_equal(struct mptr a, struct mptr b);
struct mptr mptr_add(struct mptr p, long n);
/* Does the slot of p lie in the slab? Then the library follows p. */
bool may_follow(const struct mslab *slab, struct mptr p);
long mobject(const struct mslab *slab, unsigned int i);
void mlist_move(struct mslab *slab, enum mlist to, bool to_head);
void minit_object(struct mslab *slab, long off, bool is_active);
void mcount(struct mslab *slab, int by);

struct mslab *mslab_new(struct model *m, struct mcache *s);

/* ---- model_sheaf.c ---- */
unsigned int sheaf_capacity(const struct layout *l);
void msheaves_init(const struct model *m, struct mcache *s);
void msheaves_free(struct mcache *s);
struct mptr msheaf_alloc(struct model *m, struct mcache *s);
void msheaf_alloc_bulk(struct model *m, struct mcache *s, struct mptr *to,
		       unsigned int nr);
/* p lies in a slab of s. */
void msheaf_free(struct model *m, struct mcache *s, struct mptr p);
/* All sheaves to their slabs. */
void msheaves_flush(struct model *m, struct mcache *s);
/* Objects of s to their slabs, a chain a slab; the array is clobbered. The
 * hooks turn chains around. */
void mfree_bulk(struct model *m, struct mcache *s, struct mptr *at,
		unsigned int nr, bool has_hooks);

/* ---- model_cpu.c ---- */
struct mptr mcpu_alloc(struct model *m, struct mcache *s);
/* head .. tail of the CPU's slab, linked */
void mcpu_free(struct model *m, struct mcache *s, struct mptr head,
	       struct mptr tail);
void mcpu_flush(struct model *m, struct mcache *s);

/* ---- model_check.c ---- */
void say(struct model *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* As address_text() and known_text() of names.c. */
const char *mname(struct model *m, struct mptr p, char *buf);
const char *mknown_name(struct model *m, struct mptr p, char *buf);
bool is_valid_object(const struct mslab *slab, struct mptr p);
bool mcheck_object(struct model *m, struct mslab *slab, long off,
		   bool is_active);
bool mcheck_slab(struct model *m, struct mslab *slab);
void mcheck_padding(struct model *m, struct mslab *slab);
bool mon_freelist(struct model *m, struct mslab *slab, struct mptr search);
bool mcheck_alloc(struct model *m, struct mslab *slab, struct mptr p);
bool mcheck_free(struct model *m, struct mslab *slab, struct mptr p);
void mvalidate(struct model *m, struct mcache *s);
void mremaining(struct model *m, struct mslab *slab);
void mreport_object(struct model *m, struct mslab *slab, const char *title,
		    struct mptr p);
void mreport_slab(struct model *m, struct mslab *slab, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void mreport_not_freed(struct model *m, struct mslab *slab, struct mptr p);
/* Which objects are on the free chain; false when its end is not NULL. */
bool mmap_free(const struct mslab *slab, bool *is_free);

/* ---- model_run.c ---- */
struct model_answer {
	struct normal normal; /* reduced */
	int *event;	      /* of each step: the row that acted last; -1 */
	size_t nr_known;      /* steps that it could follow */
};
void model_run(const struct oracle_case *c, unsigned int order,
	       enum front front, struct model_answer *ret);
void model_answer_free(struct model_answer *a);

#endif

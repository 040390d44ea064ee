/*
 * slab/inspect.h - look at a machine without changing it
 *
 * Everything reads through a target. Answers are copies: arrays that the
 * caller gives back with free(). A target may be damaged: every walk is
 * bounded, every pointer is judged against the machine's own tables before it
 * is followed, and what can not be told is SLAB_OWNER_UNKNOWN or the like.
 *
 * Names: slab S<n> is the n-th slab its cache ever had; object k of it is its
 *        k-th slot: "ring:S1#3".
 * Errors: 0 or -errno; -ENOMEM; -ENOENT (no such thing); -EFAULT (not
 *        readable).
 * Threads: a target is one thread's at a time. Of a native machine whose
 *        threads run, caches neither come nor go during a call, and all else
 *        moves: each thing is told as it was when it was looked at, so that
 *        sums may be off by what moved in between. Functions that are called
 *        back from here must not create, destroy or shrink a cache.
 */
#ifndef SLAB_INSPECT_H
#define SLAB_INSPECT_H

#include <slab/report.h>

#ifdef __cplusplus
extern "C" {
#endif

struct slab_target;

/* What this process's machine m looks like. Close it before m goes. */
SLAB_API int slab_target_open_self(struct slab_machine *m,
				   struct slab_target **ret);
SLAB_API void slab_target_close(struct slab_target *t);
/* The machine behind a self target, NULL for others. */
SLAB_API struct slab_machine *slab_target_machine(const struct slab_target *t);

/* What the machine is, in a few words. */
struct slab_machine_about {
	bool is_native;
	/* how a CPU's sheaves are held: "rseq", "try-lock", or "simulated" */
	const char *percpu;
	uintptr_t base;	     /* of its region */
	size_t region_bytes; /* of address space */
	bool region_is_smaller; /* than was asked for: a limit */
	bool has_statistics; /* caches made from now on count */
	unsigned int nr_caches;
};
SLAB_API int slab_target_about(struct slab_target *t,
			       struct slab_machine_about *ret);

/* Copies n bytes at address; all or -EFAULT. Only pages the target holds. */
SLAB_API int slab_target_read(struct slab_target *t, uintptr_t address,
			      void *buf, size_t n);

/* Where an object is. LOCAL: in a full sheaf that a CPU keeps before the barn
 * (native machines); RCU: in rcu_free, in a batch of kfree_rcu, or freed in an
 * interrupt; LOST: refused by a free, or in a frozen slab. */
enum slab_owner {
	SLAB_OWNER_USER, SLAB_OWNER_FREELIST, SLAB_OWNER_MAIN,
	SLAB_OWNER_SPARE, SLAB_OWNER_LOCAL, SLAB_OWNER_RCU, SLAB_OWNER_BARN,
	SLAB_OWNER_PREFILLED, SLAB_OWNER_LOST, SLAB_OWNER_UNKNOWN,
	SLAB_NR_OWNERS,
};

enum slab_stat_item {
#define STAT(id, file, counts) SLAB_STAT_##id,
#include <slab/stat_items.def>
#undef STAT
	SLAB_NR_STATS,
};
/* The item's file in sysfs, and what it counts, in words. */
SLAB_API const char *slab_stat_name(enum slab_stat_item item);
SLAB_API const char *slab_stat_counts(enum slab_stat_item item);

struct slab_node_counts {
	unsigned long nr_partial, nr_slabs, total_objects;
	unsigned long objects_partial; /* in use on partial slabs */
	unsigned long free_partial;    /* free on partial slabs */
};

struct slab_cache_info {
	uintptr_t cache; /* handle for the calls below */
	char name[64];	 /* first name */
	char id[64];	 /* directory in /sys/kernel/slab: name, or :0000064 */
	unsigned int nr_names; /* with aliases; see slab_target_names() */
	unsigned int object_size, size, inuse, offset, align, red_left_pad;
	unsigned int order, objs_per_slab;    /* preferred */
	unsigned int min_order, min_objects;  /* fallback */
	unsigned int sheaf_capacity, useroffset, usersize, defrag_ratio;
	unsigned long min_partial;
	slab_flags_t flags;
	bool is_debug, is_mergeable, has_object_poison, has_orig_size;
	bool has_double_cmpxchg;
	int refcount;
	uintptr_t ctor;
	unsigned int nr_nodes;
	struct slab_node_counts node[16], total;
	/* sysfs `objects`: total_objects minus free ones on partial slabs */
	unsigned long objects;
	unsigned long users; /* objects in users' hands, as far as is known */
	/* by enum slab_owner; their sum is all objects of all its slabs */
	unsigned long owned[SLAB_NR_OWNERS];
	bool has_statistics; /* else all of these are 0 */
	unsigned long stat[SLAB_NR_STATS];
};

/* Newest cache first, as the kernel's list. */
SLAB_API int slab_target_caches(struct slab_target *t,
				struct slab_cache_info **ret, size_t *nr);
SLAB_API int slab_target_cache(struct slab_target *t, const char *name,
			       struct slab_cache_info *ret);
/* What its nodes count, in sum, without a look at any slab: nr_partial,
 * nr_slabs, total_objects. */
SLAB_API int slab_target_counts(struct slab_target *t, uintptr_t cache,
				struct slab_node_counts *ret);
/* One item of a cache on each CPU, into ret[max]. The number of CPUs; -ENODATA:
 * statistics are off. */
SLAB_API int slab_target_stat(struct slab_target *t, uintptr_t cache,
			      enum slab_stat_item item, unsigned long *ret,
			      unsigned int max);
/* All names that cache answers to, NUL after each, an empty one at the end. */
SLAB_API int slab_target_names(struct slab_target *t, uintptr_t cache,
			       char **ret);

enum slab_state {
	SLAB_STATE_PARTIAL, SLAB_STATE_FULL, SLAB_STATE_FROZEN,
	SLAB_STATE_ISOLATED, SLAB_STATE_EMPTY, /* empty: partial, inuse 0 */
	SLAB_STATE_UNKNOWN,
};
/* In small letters: "partial". */
SLAB_API const char *slab_state_name(enum slab_state state);

enum slab_found_by { SLAB_FOUND_PARTIAL_LIST, SLAB_FOUND_FULL_LIST, SLAB_FOUND_REGION };

struct slab_slab_info {
	uintptr_t cache;
	unsigned int nr;	/* S<nr> */
	uintptr_t descriptor, base;
	size_t bytes;
	unsigned int order, objects, inuse, node;
	bool frozen, is_partial;
	uintptr_t freelist;	/* head */
	enum slab_state state;
	enum slab_found_by found_by;
	unsigned int report;	/* the report that froze it; 0: none */
};

/* Every slab of the cache, by number. */
SLAB_API int slab_target_slabs(struct slab_target *t, uintptr_t cache,
			       struct slab_slab_info **ret, size_t *nr);
SLAB_API int slab_target_slab(struct slab_target *t, uintptr_t cache,
			      unsigned int slab_nr, struct slab_slab_info *ret);

/* "user", "freelist", "main", ...: the legend of a map. */
SLAB_API const char *slab_owner_name(enum slab_owner owner);
/* # . m s l r b p X ? */
SLAB_API char slab_owner_letter(enum slab_owner owner);

struct slab_object_info {
	uintptr_t address; /* of the payload */
	unsigned int index;
	enum slab_owner owner;
	bool is_damaged;   /* verify finds something in it */
	uintptr_t next;	   /* decoded free pointer, where one is stored */
	int freelist_pos;  /* 0 is the head; -1: not on the free chain */
	size_t orig_size;  /* recorded request; 0: none */
};

/* Every object of slab S<slab_nr>, by index. */
SLAB_API int slab_target_objects(struct slab_target *t, uintptr_t cache,
				 unsigned int slab_nr,
				 struct slab_object_info **ret, size_t *nr);

/* The free chain of a slab as far as it can be followed. */
struct slab_freelist_info {
	unsigned int *index; /* of each object on it, head first; free() it */
	size_t nr;
	enum { SLAB_CHAIN_WHOLE, SLAB_CHAIN_CYCLE, SLAB_CHAIN_WILD, SLAB_CHAIN_SHORT } end;
	uintptr_t wild;	     /* WILD: where the last link points */
};
SLAB_API int slab_target_freelist(struct slab_target *t, uintptr_t cache,
				  unsigned int slab_nr,
				  struct slab_freelist_info *ret);

/* ---- sheaves: where free objects rest before they reach their slabs ---- */
struct slab_sheaf_info {
	uintptr_t sheaf;	/* its address, as a handle */
	enum slab_owner place;	/* MAIN SPARE LOCAL RCU BARN PREFILLED */
	int cpu; /* MAIN, SPARE, LOCAL, and RCU while it grows; else -1 */
	int node;		/* BARN, and RCU while it waits; else -1 */
	bool is_full_list;	/* BARN, LOCAL: among the full ones */
	bool is_bootstrap;	/* the cache has none: always empty, always full */
	bool is_damaged;	/* no sheaf of the cache, or size > capacity */
	unsigned int size, capacity; /* objects */
};
/* Every sheaf of the cache: each CPU's main, spare, rcu_free and those it keeps
 * before the barn; barns, first out first; those in RCU; those that users
 * borrowed. */
SLAB_API int slab_target_sheaves(struct slab_target *t, uintptr_t cache,
				 struct slab_sheaf_info **ret, size_t *nr);
/* What lies in it, the top last. */
SLAB_API int slab_target_sheaf_objects(struct slab_target *t,
				       const struct slab_sheaf_info *info,
				       uintptr_t **ret, size_t *nr);

struct slab_barn_info {
	bool exists, has_memory; /* of the node */
	unsigned int nr_full, nr_empty, max_full, max_empty;
};
/* Of each node, into ret. */
SLAB_API int slab_target_barns(struct slab_target *t, uintptr_t cache,
			       struct slab_barn_info ret[16],
			       unsigned int *nr);

/* What the pages are used for that were given out; their sum is `used`. */
struct slab_pages_info {
	unsigned long used;    /* as the machine counts them */
	unsigned long slabs;   /* of caches that exist */
	unsigned long large;   /* kmalloc() above the largest cache */
	unsigned long whole;   /* slab_machine_alloc_pages() */
	unsigned long waiting; /* for the end of a grace period; else lost */
	unsigned long orphans; /* slabs of no cache that exists */
};
SLAB_API int slab_target_pages(struct slab_target *t,
			       struct slab_pages_info *ret);

/* ---- where things are in a slot ---- */
enum slab_region {
	SLAB_REGION_LEFT_REDZONE, SLAB_REGION_OBJECT, SLAB_REGION_KMALLOC_REDZONE,
	SLAB_REGION_RIGHT_REDZONE, SLAB_REGION_ALIGN_PADDING, SLAB_REGION_FREEPTR,
	SLAB_REGION_TRACK_ALLOC, SLAB_REGION_TRACK_FREE, SLAB_REGION_ORIG_SIZE,
	SLAB_REGION_PADDING, SLAB_REGION_TAIL, SLAB_NR_REGIONS,
};
/* In words, as reports and maps call it. */
SLAB_API const char *slab_region_name(enum slab_region region);

struct slab_region_info {
	enum slab_region region;
	int offset;	     /* from the object; TAIL: from the slab's start */
	unsigned int length; /* never 0 */
};
/* Regions of a slot in address order, then the slab's tail; at most 12. */
SLAB_API size_t slab_cache_layout(const struct slab_cache_info *info,
				  struct slab_region_info ret[12]);

/* What an address is. */
struct slab_address_info {
	bool is_ours;	 /* lies in the target's pages */
	bool is_slab;	 /* and in a slab; else why says what it is */
	const char *why; /* "free page", "large kmalloc", "not of this machine" */
	struct slab_cache_info cache;
	struct slab_slab_info slab;
	struct slab_object_info object;
	int region_offset; /* from the region's start */
	enum slab_region region;
	long offset;	   /* from the object's start; may be negative */
};
SLAB_API int slab_target_identify(struct slab_target *t, uintptr_t address,
				  struct slab_address_info *ret);

/* The short answer: which slot? It costs the same however large the cache is.
 * -ENOENT: in no slab. */
struct slab_slot_info {
	uintptr_t cache;
	const char *name;     /* of the cache; as long as the cache is there */
	slab_flags_t flags;   /* the cache's */
	unsigned int slab_nr; /* S<nr> */
	uintptr_t base;	      /* of the slab */
	int index;	      /* -1: in the slab's tail */
	uintptr_t object;     /* start of that object; 0: tail */
};
SLAB_API int slab_target_slot(struct slab_target *t, uintptr_t address,
			      struct slab_slot_info *ret);
/* The way back, as cheap: where object `index` of slab S<slab_nr> is. */
SLAB_API int slab_target_place(struct slab_target *t, const char *cache,
			       unsigned int slab_nr, unsigned int index,
			       uintptr_t *ret);

/* slab_cache_traces() of a cache that may be gone by now: -ENODEV. */
SLAB_API int slab_target_traces(struct slab_target *t, uintptr_t cache,
				bool is_alloc, slab_line_fn line, void *arg);

/*
 * Every check on a copy, repairing nothing: what validate would report and
 * more (full and frozen slabs too). Records go to fn (may be NULL). cache 0:
 * all. Returns the number of findings or -errno.
 *
 * Of a native machine a finding counts when several looks, some ms apart, find
 * it, and then many in a row at that place alone, its lists held still: what a
 * thread was in the middle of is no damage.
 */
SLAB_API long slab_target_verify(struct slab_target *t, uintptr_t cache,
				 slab_sink_fn fn, void *arg);

#ifdef __cplusplus
}
#endif
#endif

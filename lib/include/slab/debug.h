/*
 * slab/debug.h - debugging of a cache beyond what its flags do by themselves
 *
 * Errors: 0 or -errno unless said otherwise.
 */
#ifndef SLAB_DEBUG_H
#define SLAB_DEBUG_H

#include <slab/report.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLAB_DEBUG_FLAGS                                                  \
	(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE |     \
	 SLAB_CONSISTENCY_CHECKS)
#define SLAB_DEBUG_DEFAULT_FLAGS                                          \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON |          \
	 SLAB_STORE_USER)

/* The bytes that debugging writes. */
#define SLUB_RED_INACTIVE 0xbb
#define SLUB_RED_ACTIVE	  0xcc
#define POISON_INUSE	  0x5a
#define POISON_FREE	  0x6b
#define POISON_END	  0xa5

/* 7.0's validate_slab_cache(): checks every slab on the cache's lists, repairs
 * and reports. The number of slabs walked, or -ENOMEM. */
SLAB_API long validate_slab_cache(struct kmem_cache *s);

/* FZPUTA letters to flags; -EINVAL with *bad on an unknown one. '-' clears. */
SLAB_API int slab_debug_letters(const char *letters, slab_flags_t *ret,
				char *bad);
/* flags to letters, in the order FZPUTA, "-" for none; buf holds 8. */
SLAB_API char *slab_debug_text(slab_flags_t flags, char *buf);

/* The last alloc and free of an object of a SLAB_STORE_USER cache. -ENOENT:
 * no object of ours, or its cache keeps no tracks. */
SLAB_API int slab_object_tracks(struct slab_machine *m, const void *object,
				struct slab_track *alloc,
				struct slab_track *free);

/* /sys/kernel/debug/slab/NAME/{alloc,free}_traces. -ENOENT without U. */
SLAB_API int slab_cache_traces(struct kmem_cache *s, bool is_alloc,
			       slab_line_fn line, void *arg);

/* The kernel's one-object description (mem_dump_obj), for any address. False
 * when no slab holds it. */
SLAB_API bool kmem_dump_obj(struct slab_machine *m, const void *object,
			    slab_line_fn line, void *arg);

/* Hardened usercopy: may n bytes at ptr be copied? Reports and returns false
 * when not; true for memory that is no slab's. */
SLAB_API bool slab_check_usercopy(struct slab_machine *m, const void *ptr,
				  size_t n, bool to_user);

/* sysfs writes. */
SLAB_API int slab_cache_set_min_partial(struct kmem_cache *s,
					unsigned long min_partial);
SLAB_API int slab_cache_set_failslab(struct kmem_cache *s, bool on);
SLAB_API int slab_cache_set_defrag_ratio(struct kmem_cache *s,
					 unsigned int percent);

/* Sets one counter (enum slab_stat_item) to 0 on every CPU. */
SLAB_API void slab_cache_clear_stat(struct kmem_cache *s, unsigned int item);

/*
 * Failures on purpose. Fields are the debugfs files of that name, in failslab/
 * and fail_page_alloc/, and those of /proc/self: get all, change some, set all.
 *
 * A request that the own filters of failslab or fail_page_alloc let pass is a
 * question. The task's fail_nth counts questions of both, and goes before
 * everything but the stack filter; else a question fails that passes
 * probability, task_filter, times, the stack filter, space, interval and the
 * dice, in this order. Interrupts are no task: fail_nth does not count them,
 * and task_filter spares them.
 */
#define SLAB_FAULT_MAX_DEPTH 32

struct slab_fault_attr {
	unsigned long probability; /* percent; 0: none fails */
	unsigned long interval;	   /* only every so many may */
	int times;		   /* failures left; -1: without end */
	int space;		   /* that passes first: bytes, or pages */
	unsigned long verbose;	   /* 0, 1: a message, 2: with a stack */
	unsigned int verbose_ratelimit_interval_ms; /* 0: no limit */
	unsigned int verbose_ratelimit_burst;
	bool task_filter; /* only if the task is marked make_it_fail */
	/*
	 * The stack filter: of so many callers, innermost first, one must lie
	 * in [require_start, require_end) and none in [reject_start,
	 * reject_end). Requiring [0, ULONG_MAX) and rejecting [0, 0) is no
	 * filter; depth 0 sees nobody, and is at most SLAB_FAULT_MAX_DEPTH.
	 */
	unsigned long stacktrace_depth;
	uintptr_t require_start, require_end, reject_start, reject_end;
};

struct slab_failslab {
	struct slab_fault_attr attr;
	bool ignore_gfp_wait; /* who may wait never fails */
	bool cache_filter;    /* only caches with SLAB_FAILSLAB */
};

struct slab_fail_page_alloc {
	struct slab_fault_attr attr;
	bool ignore_gfp_wait, ignore_gfp_highmem;
	unsigned int min_order; /* smaller requests never fail */
};

struct slab_fault_task {
	bool make_it_fail;
	unsigned int fail_nth; /* the N-th question from now; 0: off or done */
};

struct slab_faults {
	struct slab_failslab failslab;
	struct slab_fail_page_alloc fail_page_alloc;
	struct slab_fault_task task;
};

/* All that shall fail on purpose, and how; and that it be so from now on. */
SLAB_API void slab_faults_get(const struct slab_machine *m,
			      struct slab_faults *ret);
SLAB_API void slab_faults_set(struct slab_machine *m,
			      const struct slab_faults *set);

#ifdef __cplusplus
}
#endif
#endif

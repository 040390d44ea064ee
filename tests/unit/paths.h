/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/paths.h - every path from several shapes, to be disturbed in the
 * middle; afterwards everything must be found again. On sheaves.h
 */
#ifndef TESTS_UNIT_PATHS_H
#define TESTS_UNIT_PATHS_H

#include "sheaves.h"

#define PATH_SIZE    4096U
#define PATH_MAX_NTH 40U

/* In a user's hands; those from PATH_OLD on were there before. */
#define PATH_OLD    40U
#define PATH_NR_OLD 8U
static void *kept[PATH_OLD + PATH_NR_OLD];

static inline void path_alloc(struct kmem_cache *s)
{
	kept[0] = kmem_cache_alloc(s, GFP_KERNEL);
}

static inline void path_free(struct kmem_cache *s)
{
	kmem_cache_free(s, kept[PATH_OLD]);
	kept[PATH_OLD] = NULL;
}

static inline void path_bulk_alloc(struct kmem_cache *s)
{
	/* what it leaves in the array when it fails is nobody's */
	if (!kmem_cache_alloc_bulk(s, GFP_KERNEL, 21, kept))
		memset(kept, 0, 21 * sizeof(*kept));
}

static inline void path_bulk_free(struct kmem_cache *s)
{
	kmem_cache_free_bulk(s, PATH_NR_OLD, kept + PATH_OLD);
	memset(kept + PATH_OLD, 0, PATH_NR_OLD * sizeof(*kept));
}

static inline void path_kfree_rcu(struct kmem_cache *s)
{
	(void)s;
	slab_kfree_rcu(kept[PATH_OLD]);
	kept[PATH_OLD] = NULL;
}

static inline void path_prefill(struct kmem_cache *s)
{
	struct slab_sheaf *lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 3);

	if (!lent)
		return;
	kept[0] = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, lent);
	kmem_cache_refill_sheaf(s, GFP_KERNEL, &lent, 9);
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent);
}

static inline void path_barrier(struct kmem_cache *s)
{
	path_kfree_rcu(s);
	kvfree_rcu_barrier();
}

static inline void path_tick(struct kmem_cache *s)
{
	path_kfree_rcu(s);
	slab_machine_rcu_tick(lab.m);
}

static inline void path_shrink(struct kmem_cache *s)
{
	kmem_cache_shrink(s);
}

static inline void path_offline(struct kmem_cache *s)
{
	(void)s;
	slab_machine_set_cpu_online(lab.m, 1, false);
	slab_machine_set_cpu_online(lab.m, 1, true);
}

static inline void path_node(struct kmem_cache *s)
{
	(void)s;
	slab_machine_set_node_memory(lab.m, 1, false);
	slab_machine_set_node_memory(lab.m, 1, true);
}

static inline void path_nolock(struct kmem_cache *s)
{
	(void)s;
	kept[0] = kmalloc_nolock(PATH_SIZE, 0, NUMA_NO_NODE);
	kfree_nolock(kept[PATH_OLD]);
	kept[PATH_OLD] = NULL;
}

/* The first ones may go on on another CPU when they hold no lock; the others
 * run work that is bound to one. */
#define NR_PATHS_THAT_MIGRATE 6U
static const struct {
	const char *name;
	void (*run)(struct kmem_cache *s);
} paths[] = {
	{ "alloc", path_alloc },	   { "free", path_free },
	{ "bulk alloc", path_bulk_alloc }, { "bulk free", path_bulk_free },
	{ "kfree_rcu", path_kfree_rcu },   { "prefill", path_prefill },
	{ "barrier", path_barrier },	   { "rcu tick", path_tick },
	{ "shrink", path_shrink },	   { "cpu offline", path_offline },
	{ "node memory", path_node },	   { "nolock", path_nolock },
};

static const char *const path_shapes[] = {
	"m2 s2 r2 f1 e1",  "m0 s- r- f0 e0", "m4 s4 r3 f0 e0",
	"m4 s4 r3 f10 e0", "m0 s0 r- f1 e2", "m4 s- r3 f0 e1",
};

/* Each path from each shape, disturbed at each point, each time that it is
 * passed. */
#define for_each_run(path, shape, point, nth)                             \
	for (path = 0; path < ARRAY_SIZE(paths); path++)                  \
		for (shape = 0; shape < ARRAY_SIZE(path_shapes); shape++) \
			for (point = 0; point < SLAB_NR_POINTS; point++)  \
				for (nth = 1; nth <= PATH_MAX_NTH; nth++)

/* On CPU 0; kmalloc's, so that it serves all calls. */
static inline struct kmem_cache *path_ready(unsigned int shape)
{
	struct kmem_cache *s;
	unsigned int i;

	numa();
	s = slab_kmalloc_cache(lab.m, PATH_SIZE, GFP_KERNEL);
	memset(kept, 0, sizeof(kept));
	for (i = 0; i < PATH_NR_OLD; i++)
		kept[PATH_OLD + i] =
			kmem_cache_alloc_node(s, GFP_KERNEL, (int)(i % 2));
	arrange(s, path_shapes[shape]);
	return s;
}

/* All goes back, and nothing is left. */
static inline void path_found_again(struct kmem_cache *s, unsigned int path,
				    unsigned int shape, const char *where,
				    unsigned int nth)
{
	const char *broken = cache_check(s);
	unsigned int i;

	if (broken)
		fail_msg("%s of %s, disturbed at the %u. %s: %s",
			 paths[path].name, path_shapes[shape], nth, where,
			 broken);
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i])
			kmem_cache_free(s, kept[i]);
	kvfree_rcu_barrier();
	kmem_cache_shrink(s);
	broken = cache_check_users(s, 0);
	if (broken || slab_machine_pages_used(lab.m) || lab.nr_records)
		fail_msg("%s of %s, disturbed at the %u. %s: %s, %lu pages, "
			 "\"%s\"",
			 paths[path].name, path_shapes[shape], nth, where,
			 broken, slab_machine_pages_used(lab.m), lab_said());
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/steps.c - what each path costs: locks by kind, exchanges of
 * freelist and counters, looks at a slab. The design in numbers: nothing but
 * this CPU's try-lock while main or spare can serve, a barn's lock for a whole
 * sheaf, a list_lock only where a list changes.
 */
#include "../sheaves.h"

enum column { TRY, PCS, BARN, LIST, CMPXCHG, READ, PAGES, NR_COLUMNS };

static const char *const columns[NR_COLUMNS] = {
	"pcs_try", "pcs_lock", "barn", "list", "cmpxchg", "read", "pages",
};

static const enum slab_point_kind column_points[NR_COLUMNS] = {
	SLAB_POINT_PCS_TRYLOCK,	     SLAB_POINT_PCS_LOCK,
	SLAB_POINT_BARN_LOCK,	     SLAB_POINT_LIST_LOCK,
	SLAB_POINT_FREELIST_CMPXCHG, SLAB_POINT_FREELIST_READ,
	SLAB_POINT_PAGES_ALLOC,
};

/* ---- what is done ---- */
static void *user[16];
static struct slab_sheaf *lent;

static void do_alloc(struct kmem_cache *s)
{
	kmem_cache_alloc(s, GFP_KERNEL);
}

static void do_free(struct kmem_cache *s)
{
	kmem_cache_free(s, user[0]);
}

static void do_bulk_alloc(struct kmem_cache *s)
{
	void *p[4];

	kmem_cache_alloc_bulk(s, GFP_KERNEL, 4, p);
}

static void do_bulk_free(struct kmem_cache *s)
{
	kmem_cache_free_bulk(s, 4, user);
}

static void do_kfree_rcu(struct kmem_cache *s)
{
	(void)s;
	slab_kfree_rcu(user[0]);
}

static void do_rcu_tick(struct kmem_cache *s)
{
	(void)s;
	slab_machine_rcu_tick(lab.m);
}

static void do_prefill(struct kmem_cache *s)
{
	lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 2);
}

static void do_alloc_from(struct kmem_cache *s)
{
	kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, lent);
}

static void do_return(struct kmem_cache *s)
{
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent);
}

static void do_flush(struct kmem_cache *s)
{
	flush_this_cpu(s);
}

static void do_nolock_free(struct kmem_cache *s)
{
	(void)s;
	kfree_nolock(user[0]);
}

/* ---- how it stands before ---- */
static void with_user(struct kmem_cache *s)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		user[i] = alloc(s);
}

static void with_full_slab(struct kmem_cache *s)
{
	unsigned int i;

	for (i = 0; i < FEW_IN_SLAB; i++)
		user[i] = alloc(s);
}

static void with_lone_user(struct kmem_cache *s)
{
	user[0] = alloc(s);
}

/* A slab on the list with so many free as a sheaf misses. */
static void with_half_slab(struct kmem_cache *s)
{
	unsigned int i;

	for (i = 0; i < FEW_IN_SLAB / 2; i++)
		user[i] = slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
}

static void with_whole_slab(struct kmem_cache *s)
{
	user[0] = slow_alloc(s, GFP_KERNEL, NUMA_NO_NODE, 4096);
	slab_free_chain(s, slab_of(user[0]), user[0], user[0], 1, 0);
}

static void with_lent(struct kmem_cache *s)
{
	do_prefill(s);
}

static void with_submitted(struct kmem_cache *s)
{
	unsigned int i;

	for (i = 0; i < FEW; i++)
		slab_kfree_rcu(alloc(s));
}

static const struct path {
	const char *name;
	slab_flags_t flags;
	void (*before)(struct kmem_cache *s);
	const char *shape;
	void (*run)(struct kmem_cache *s);
	unsigned int wanted[NR_COLUMNS];
} paths[] = {
#define PLAIN SLAB_NO_MERGE
	/* this CPU */
	{ "alloc from main", PLAIN, NULL, "m2 s- r- f0 e0", do_alloc,
	  { [TRY] = 1 } },
	{ "alloc after a swap", PLAIN, NULL, "m0 s4 r- f0 e0", do_alloc,
	  { [TRY] = 1 } },
	{ "free to main", PLAIN, with_user, "m2 s- r- f0 e0", do_free,
	  { [TRY] = 1 } },
	{ "free after a swap", PLAIN, with_user, "m4 s0 r- f0 e0", do_free,
	  { [TRY] = 1 } },
	{ "bulk alloc from main", PLAIN, NULL, "m4 s- r- f0 e0",
	  do_bulk_alloc, { [TRY] = 1 } },
	{ "bulk alloc, main and spare", PLAIN, NULL, "m2 s4 r- f0 e0",
	  do_bulk_alloc, { [TRY] = 2 } },
	{ "bulk free to main", PLAIN, with_user, "m0 s- r- f0 e0",
	  do_bulk_free, { [TRY] = 1 } },
	{ "kfree_rcu", PLAIN, with_user, "m0 s- r1 f0 e0", do_kfree_rcu,
	  { [TRY] = 1 } },
	{ "kfree_rcu, a full sheaf", PLAIN, with_user, "m0 s- r3 f0 e0",
	  do_kfree_rcu, { [TRY] = 1 } },
	{ "prefill from the spare", PLAIN, NULL, "m0 s4 r- f0 e0", do_prefill,
	  { [PCS] = 1 } },
	{ "alloc from a lent sheaf", PLAIN, with_lent, NULL, do_alloc_from,
	  { 0 } },
	{ "return as the spare", PLAIN, with_lent, "m0 s- r- f0 e0",
	  do_return, { [PCS] = 1 } },
	/* the barn */
	{ "alloc, a full sheaf of the barn", PLAIN, NULL, "m0 s- r- f1 e0",
	  do_alloc, { [TRY] = 1, [BARN] = 1 } },
	{ "free, an empty sheaf of the barn", PLAIN, with_user,
	  "m4 s- r- f0 e1", do_free, { [TRY] = 1, [BARN] = 1 } },
	{ "free, main for an empty sheaf", PLAIN, with_user, "m4 s4 r- f0 e1",
	  do_free, { [TRY] = 1, [BARN] = 1 } },
	{ "free, a new container", PLAIN, with_user, "m4 s- r- f0 e0",
	  do_free, { [TRY] = 2 } },
	{ "prefill from the barn", PLAIN, NULL, "m0 s- r- f1 e0", do_prefill,
	  { [PCS] = 1, [BARN] = 1 } },
	{ "a grace period, to the barn", PLAIN, with_submitted, NULL,
	  do_rcu_tick, { [BARN] = 1 } },
	{ "kfree_rcu, an empty sheaf of the barn", PLAIN, with_user,
	  "m0 s- r- f0 e1", do_kfree_rcu, { [TRY] = 1, [BARN] = 1 } },
	/* slabs: list_lock to isolate, an exchange a slab */
	{ "refill, half a slab that is there", PLAIN, with_half_slab,
	  "m0 s0 r- f0 e0", do_alloc,
	  { [TRY] = 2, [LIST] = 1, [CMPXCHG] = 1, [READ] = 1 } },
	{ "refill, a slab with more than enough", PLAIN, with_whole_slab,
	  "m0 s0 r- f0 e0", do_alloc,
	  { [TRY] = 2, [LIST] = 2, [CMPXCHG] = 2, [READ] = 2 } },
	{ "refill, a new slab", PLAIN, NULL, "m0 s0 r- f0 e0", do_alloc,
	  { [TRY] = 2, [LIST] = 1, [PAGES] = 1 } },
	/* four objects of one slab are one chain */
	{ "free above the limit, a flush", PLAIN, with_user,
	  "m4 s4 r- f10 e0", do_free,
	  { [TRY] = 2, [LIST] = 1, [CMPXCHG] = 1, [READ] = 1 } },
	{ "flush of main", PLAIN, with_lone_user, "m4 s- r- f0 e0", do_flush,
	  { [PCS] = 2, [CMPXCHG] = 1, [READ] = 1 } },
	{ "flush of main, of a full slab", PLAIN, with_user,
	  "m4 s- r- f0 e0", do_flush,
	  { [PCS] = 2, [LIST] = 1, [CMPXCHG] = 1, [READ] = 1 } },
	/* without sheaves */
	{ "slab alloc, partial", NO_SHEAVES, with_user, NULL, do_alloc,
	  { [LIST] = 1, [CMPXCHG] = 1, [READ] = 1, [TRY] = 1 } },
	{ "slab alloc, new", NO_SHEAVES, NULL, NULL, do_alloc,
	  { [LIST] = 1, [PAGES] = 1, [TRY] = 1 } },
	{ "slab free in between", NO_SHEAVES, with_user, NULL, do_free,
	  { [CMPXCHG] = 1, [READ] = 1 } },
	{ "slab free, the first of a full one", NO_SHEAVES, with_full_slab,
	  NULL, do_free, { [LIST] = 1, [CMPXCHG] = 1, [READ] = 1 } },
	{ "slab free, the last", NO_SHEAVES, with_lone_user, NULL, do_free,
	  { [LIST] = 1, [CMPXCHG] = 1, [READ] = 1 } },
	{ "bulk free of one slab", NO_SHEAVES, with_user, NULL, do_bulk_free,
	  { [LIST] = 1, [CMPXCHG] = 1, [READ] = 1 } },
	{ "nolock free, no room, of a full slab", PLAIN, with_user,
	  "m4 s4 r- f10 e0", do_nolock_free,
	  { [TRY] = 1, [LIST] = 1, [CMPXCHG] = 1, [READ] = 1 } },
	/* debugging: all under list_lock */
	{ "debug alloc", SLAB_POISON, with_user, NULL, do_alloc,
	  { [LIST] = 1, [TRY] = 1 } },
	{ "debug free", SLAB_POISON, with_user, NULL, do_free,
	  { [LIST] = 1 } },
};

static void run_path(const struct path *path, unsigned int *counted)
{
	struct kmem_cache *s;
	unsigned int i;

	lab_reopen(&(struct slab_machine_config){ 0 });
	s = cache(4096, path->flags);
	slab_cache_set_min_partial(s, 100);
	if (path->before)
		path->before(s);
	if (path->shape)
		arrange(s, path->shape);
	count_points();
	path->run(s);
	at_end();
	for (i = 0; i < NR_COLUMNS; i++)
		counted[i] = passed[column_points[i]];
}

static void print_row(const char *name, const unsigned int *counts)
{
	unsigned int i;

	print_error("%-40s", name);
	for (i = 0; i < NR_COLUMNS; i++)
		print_error(" %8u", counts[i]);
	print_error("\n");
}

static void each_path_costs_what_the_design_says(void **state)
{
	unsigned int counted[ARRAY_SIZE(paths)][NR_COLUMNS], i;
	bool differs = false;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		run_path(&paths[i], counted[i]);
		differs |= memcmp(counted[i], paths[i].wanted,
				  sizeof(counted[i])) != 0;
	}
	if (!differs)
		return;
	print_error("%-40s", "");
	for (i = 0; i < NR_COLUMNS; i++)
		print_error(" %8s", columns[i]);
	print_error("\n");
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		print_row(paths[i].name, counted[i]);
		if (memcmp(counted[i], paths[i].wanted, sizeof(counted[i])))
			print_row("  wanted", paths[i].wanted);
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(each_path_costs_what_the_design_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

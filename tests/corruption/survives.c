/* SPDX-License-Identifier: MIT */
/*
 * tests/corruption/survives.c - does the library live on after any damage?
 *
 *	corruption-survives KIND...	these kinds, else all
 *
 * Each kind, with values beside the usual one where they lead elsewhere, in
 * caches with and without sheaves, debugging and hardening; then each of the
 * paths alone, and all of them in a row. That a path ends, within
 * patience(), is one half; the other is that the machine still serves: a
 * cache made afterwards gives objects that are nobody else's.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slab/debug.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <slab/sheaf.h>

#include "../patience.h"
#include "bench.h"

/* More than a sheaf, a spare and a barn's ten hold of 60 objects. */
#define MANY 1500

struct world {
	struct bench b;
	void *taken[MANY];
	bool is_gone; /* the cache */
};

static void take_many(struct world *w)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		w->taken[i] = bench_take(&w->b);
}

/* An object that was handed out twice is freed twice. */
static void free_many(struct world *w)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		if (w->taken[i])
			kmem_cache_free(w->b.s, w->taken[i]);
	memset(w->taken, 0, sizeof(w->taken));
}

/* ---- the paths ---- */
static void path_alloc(struct world *w)
{
	take_many(w);
}

static void path_free(struct world *w)
{
	unsigned int i;

	for (i = 0; i < w->b.nr; i++)
		bench_give(&w->b, i);
	free_many(w);
}

static void path_bulk(struct world *w)
{
	struct kmem_cache *s = w->b.s;
	void *p[MANY];
	int nr = kmem_cache_alloc_bulk(s, GFP_KERNEL, MANY, p);

	kmem_cache_free_bulk(s, (size_t)nr, p);
	nr = kmem_cache_alloc_bulk(s, GFP_KERNEL, 7, p);
	kmem_cache_free_bulk(s, (size_t)nr, p);
}

static void path_prefill(struct world *w)
{
	struct kmem_cache *s = w->b.s;
	static const unsigned int sizes[] = { 1, 40, 100 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct slab_sheaf *h =
			kmem_cache_prefill_sheaf(s, GFP_KERNEL, sizes[i]);
		void *p = NULL;

		if (!h)
			continue;
		p = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL | __GFP_ZERO, h);
		kmem_cache_refill_sheaf(s, GFP_KERNEL, &h, sizes[i] + 20);
		kmem_cache_return_sheaf(s, GFP_KERNEL, h);
		if (p)
			kmem_cache_free(s, p);
	}
}

static void path_shrink(struct world *w)
{
	kmem_cache_shrink(w->b.s);
}

static void path_flush(struct world *w)
{
	slab_cache_flush_all(w->b.m, w->b.s);
}

static void path_offline(struct world *w)
{
	if (slab_machine_set_cpu(w->b.m, 1))
		die("no CPU 1");
	slab_machine_set_cpu_online(w->b.m, 0, false);
	slab_machine_set_cpu_online(w->b.m, 0, true);
	slab_machine_set_cpu(w->b.m, 0);
}

static void path_rcu(struct world *w)
{
	unsigned int i;

	take_many(w);
	for (i = 0; i < MANY; i++)
		kfree_rcu(w->taken[i]);
	memset(w->taken, 0, sizeof(w->taken));
	kvfree_rcu_barrier();
}

static void path_nolock(struct world *w)
{
	void *p = kmalloc_nolock(w->b.setting->size ? w->b.setting->size : 200,
				 0, NUMA_NO_NODE);

	if (p)
		kfree_nolock(p);
}

static void path_validate(struct world *w)
{
	validate_slab_cache(w->b.s);
}

static void path_verify(struct world *w)
{
	if (slab_target_verify(w->b.t, 0, NULL, NULL) < 0)
		die("verify failed");
}

/* Every view: owners, lists, sheaves. */
static void path_look(struct world *w)
{
	struct slab_cache_info info;
	struct slab_slab_info *slabs;
	struct slab_object_info *objects;
	struct slab_sheaf_info *sheaves;
	size_t nr_slabs, nr, i;

	if (slab_target_cache(w->b.t, "ring", &info) ||
	    slab_target_slabs(w->b.t, info.cache, &slabs, &nr_slabs))
		return;
	for (i = 0; i < nr_slabs; i++)
		if (!slab_target_objects(w->b.t, info.cache, slabs[i].nr,
					 &objects, &nr))
			free(objects);
	free(slabs);
	if (!slab_target_sheaves(w->b.t, info.cache, &sheaves, &nr))
		free(sheaves);
}

static void path_destroy(struct world *w)
{
	kmem_cache_destroy(w->b.s);
	w->is_gone = true;
}

static const struct {
	const char *name;
	void (*run)(struct world *w);
} paths[] = {
	{ "look", path_look },	       { "verify", path_verify },
	{ "alloc", path_alloc },       { "free", path_free },
	{ "bulk", path_bulk },	       { "prefill", path_prefill },
	{ "rcu", path_rcu },	       { "nolock", path_nolock },
	{ "flush", path_flush },       { "shrink", path_shrink },
	{ "validate", path_validate }, { "offline", path_offline },
	{ "destroy", path_destroy },
};
#define NR_PATHS  (sizeof(paths) / sizeof(paths[0]))
#define ALL_PATHS NR_PATHS

/* ---- the machine afterwards ---- */
static int by_value(const void *a, const void *b)
{
	char *x = *(char *const *)a, *y = *(char *const *)b;

	return x < y ? -1 : x > y;
}

/* NULL, or what is wrong with a new cache. */
static const char *still_serves(void)
{
	struct kmem_cache *s =
		kmem_cache_create("after", 200, NULL, SLAB_NO_MERGE);
	const char *bad = NULL;
	void *p[200];
	int i;

	if (!s)
		return "a new cache can not be made";
	for (i = 0; i < 200; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		if (!p[i])
			return "a new cache gives no object";
		memset(p[i], i, 200);
	}
	qsort(p, 200, sizeof(p[0]), by_value);
	for (i = 1; i < 200; i++)
		if ((char *)p[i] < (char *)p[i - 1] + 200)
			bad = "a new cache gives an object twice";
	return bad;
}

/* ---- one run ---- */
struct variant {
	slab_flags_t flags;
	bool hardened, fills_barn;
	const char *words;
};

static const struct variant variants[] = {
	{ 0, false, false, "plain" },
	{ 0, true, false, "plain, hardened" },
	{ 0, false, true, "plain, with a barn" },
	{ SLAB_NOLEAKTRACE, false, false, "plain without sheaves" },
	{ SLAB_POISON, false, false, "P" },
	{ SLAB_DEBUG_DEFAULT_FLAGS, true, false, "FZPU, hardened" },
};

/* Values that lead to other places than the usual ones. */
static const struct {
	const char *kind, *key, *value;
} values[] = {
	{ "sheaf-dup", "which", "spare" },
	{ "sheaf-dup", "which", "rcu" },
	{ "sheaf-size", "value", "0" },
	{ "sheaf-size", "value", "60" },
	{ "sheaf-size", "value", "268435455" },
	{ "sheaf-size", "which", "spare" },
	{ "sheaf-size", "which", "rcu" },
	{ "sheaf-foreign", "to", "0" },
	{ "sheaf-foreign", "to", "0x550000001000" },
	{ "sheaf-foreign", "to", "0x550000001004" },
	{ "sheaf-foreign", "which", "spare" },
	{ "sheaf-foreign", "which", "rcu" },
	{ "barn-count", "value", "0" },
	{ "barn-count", "value", "2147483647" },
	{ "barn-count", "which", "empty" },
	{ "inuse", "value", "0" },
	{ "inuse", "value", "65535" },
	{ "objects", "value", "0" },
	{ "objects", "value", "32767" },
	{ "order", "value", "255" },
};
#define NR_VALUES (sizeof(values) / sizeof(values[0]))
#define NO_VALUE  NR_VALUES

static int damage(struct bench *b, const struct variant *v, size_t value)
{
	struct slab_corrupt_result result;
	struct slab_corrupt_value pair[] = { { NULL, NULL }, { NULL, NULL } };

	if (value == NO_VALUE)
		return bench_damage(b, v->flags, &result);
	pair[0].key = values[value].key;
	pair[0].value = values[value].value;
	return slab_corrupt(b->m, b->kind->name,
			    (uintptr_t)b->object[b->target], pair, &result);
}

/* What dies or hangs says where. */
static char where[160];

static void on_death(int sig)
{
	static const char what[] = ": died or hung\n";

	if (write(STDOUT_FILENO, where, strlen(where)) < 0 ||
	    write(STDOUT_FILENO, what, sizeof(what) - 1) < 0)
		_exit(3);
	signal(sig, SIG_DFL);
	raise(sig);
}

static unsigned int run(struct slab_machine *m,
			const struct slab_corruption *kind,
			const struct variant *v, size_t value, size_t path)
{
	struct world w = {
		.b = { .m = m, .kind = kind, .setting = setting_of(kind->name) }
	};
	const char *bad;
	size_t i;

	alarm(patience());
	snprintf(where, sizeof(where), "%s %s=%s, %s, then %s", kind->name,
		 value == NO_VALUE ? "" : values[value].key,
		 value == NO_VALUE ? "" : values[value].value, v->words,
		 path == ALL_PATHS ? "every path" : paths[path].name);
	slab_machine_reset(m);
	bench_set_up(&w.b, v->flags, false);
	if (v->fills_barn) {
		take_many(&w);
		kfree_rcu(w.taken[0]);
		kfree_rcu(w.taken[1]);
		w.taken[0] = w.taken[1] = NULL;
		free_many(&w);
	}
	if (damage(&w.b, v, value)) {
		bench_tear_down(&w.b);
		return 0;
	}
	w.is_gone = !strcmp(kind->name, "destroy-busy");
	for (i = 0; i < NR_PATHS; i++)
		if ((path == ALL_PATHS || path == i) && !w.is_gone)
			paths[i].run(&w);
	bad = still_serves();
	bench_tear_down(&w.b);
	if (!bad)
		return 1;
	printf("%s: %s\n", where, bad);
	exit(1);
}

static bool is_named(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static unsigned int run_paths(struct slab_machine *m,
			      const struct slab_corruption *kind,
			      const struct variant *v)
{
	unsigned int done = 0;
	size_t value, path;

	for (value = 0; value <= NO_VALUE; value++) {
		if (value != NO_VALUE &&
		    strcmp(values[value].kind, kind->name) != 0)
			continue;
		for (path = 0; path <= ALL_PATHS; path++)
			done += run(m, kind, v, value, path);
	}
	return done;
}

int main(int argc, char **argv)
{
	unsigned int done = 0, kinds = 0;
	size_t i, v;

	(void)argc;
	signal(SIGSEGV, on_death);
	signal(SIGBUS, on_death);
	signal(SIGABRT, on_death);
	signal(SIGALRM, on_death);
	for (v = 0; v < sizeof(variants) / sizeof(variants[0]); v++) {
		struct slab_machine_config config = {
			.seed = 7,
			.nr_cpus = 2,
			.freelist_hardened = variants[v].hardened,
			.freelist_random = variants[v].hardened,
			.stack_depot_disable = true,
		};
		struct slab_machine *m;

		if (slab_machine_create_virtual(&config, &m))
			die("no machine");
		slab_machine_use(m);
		for (i = 0; i < slab_nr_corruptions(); i++) {
			const struct slab_corruption *kind = slab_corruption(i);

			if (!is_named(kind->name, argv + 1))
				continue;
			kinds++;
			done += run_paths(m, kind, &variants[v]);
		}
		slab_machine_destroy(m);
	}
	if (!kinds)
		die("no kind of that name");
	if (!done)
		die("nothing could be damaged");
	printf("%u runs survived\n", done);
	return 0;
}

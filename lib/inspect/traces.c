/* SPDX-License-Identifier: MIT */
/*
 * inspect/traces.c - who holds objects: debugfs' traces, and one object's story
 *
 * Traces group objects in use by who, by which stack and by how much more than
 * asked they got (spec/debugging/sysfs.md 4.4). kmem_dump_obj() is 7.0's
 * mem_dump_obj() (reports.md 3.11).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/sort.h"
#include "debug/track.h"
#include "debug/report.h"
#include "inspect/scratch.h"
#include "inspect/target.h"
#include "slab/node.h"

/* Objects with one caller, stack and waste. */
struct group {
	struct slab_track track; /* the first one's */
	unsigned long count, waste;
	uint64_t sum, min, max; /* of ages */
	int min_pid, max_pid;
	uint64_t cpus, nodes; /* a bit each */
	size_t order;	      /* of appearance: settles equal counts */
};

struct groups {
	struct group *v;
	size_t nr, max;
	size_t *table; /* hash to index + 1; at most half full */
	size_t table_size;
};

static size_t group_hash(const struct slab_track *track, unsigned long waste)
{
	uint64_t h = track->addr;

	h = (h ^ track->handle) * 0x9e3779b97f4a7c15U;
	h = (h ^ waste) * 0x9e3779b97f4a7c15U;
	return h >> 32;
}

/* Where such a group is, or where it would go. */
static size_t *group_slot(const struct groups *g, const struct slab_track *track,
			  unsigned long waste)
{
	size_t i = group_hash(track, waste);

	for (;; i++) {
		size_t *slot = &g->table[i & (g->table_size - 1)];
		const struct group *at;

		if (!*slot)
			return slot;
		at = &g->v[*slot - 1];
		if (at->track.addr == track->addr &&
		    at->track.handle == track->handle && at->waste == waste)
			return slot;
	}
}

static int groups_grow(struct groups *g)
{
	size_t max = g->max ? 2 * g->max : 64, i;
	struct group *v = scratch_grow(g->v, max * sizeof(*v));
	size_t *table;

	if (!v)
		return -ENOMEM;
	g->v = v;
	table = scratch_alloc(2 * max * sizeof(*table));
	if (!table)
		return -ENOMEM;
	scratch_free(g->table);
	g->table = table;
	g->table_size = 2 * max;
	g->max = max;
	for (i = 0; i < g->nr; i++)
		*group_slot(g, &v[i].track, v[i].waste) = i + 1;
	return 0;
}

static void groups_fini(struct groups *g)
{
	scratch_free(g->v);
	scratch_free(g->table);
}

/* A damaged track names any CPU. */
static uint64_t bit(int i)
{
	return i >= 0 && i < 64 ? 1ULL << i : 0;
}

static int groups_add(struct groups *g, const struct slab_track *track,
		      unsigned long waste, uint64_t now, unsigned int node)
{
	uint64_t age = now - track->when;
	struct group *group;
	size_t *slot;

	if (g->nr == g->max && groups_grow(g))
		return -ENOMEM;
	slot = group_slot(g, track, waste);
	if (!*slot) {
		g->v[g->nr] = (struct group){
			.track = *track, .count = 1, .waste = waste,
			.sum = age, .min = age, .max = age,
			.min_pid = track->pid, .max_pid = track->pid,
			.cpus = bit(track->cpu), .nodes = bit((int)node),
			.order = g->nr,
		};
		*slot = ++g->nr;
		return 0;
	}
	group = &g->v[*slot - 1];
	group->count++;
	group->nodes |= bit((int)node);
	if (!track->when)
		return 0;
	group->sum += age;
	group->min = MIN(group->min, age);
	group->max = MAX(group->max, age);
	group->min_pid = MIN(group->min_pid, track->pid);
	group->max_pid = MAX(group->max_pid, track->pid);
	group->cpus |= bit(track->cpu);
	return 0;
}

/* ---- collecting ---- */
struct collector {
	struct groups *g;
	struct kmem_cache *s;
	bool is_alloc;
};

static int add_slab(void *arg, struct slab *slab)
{
	unsigned long map[BITMAP_BYTES(MAX_OBJS_PER_SLAB) / sizeof(long)];
	const struct collector *c = arg;
	struct kmem_cache *s = c->s;
	struct slab_view v = view_live(s, slab);
	unsigned int i;
	int err = 0;

	/* a damaged link led elsewhere */
	if (slab->type != PAGE_SLAB || slab->slab_cache != s)
		return 0;
	view_map_free(&v, map);
	for (i = 0; !err && i < view_nr_objects(&v); i++) {
		uintptr_t object = slab_object(s, v.base, i);
		struct slab_track track;
		size_t asked = s->object_size;

		if (bitmap_test(map, i))
			continue;
		if (c->is_alloc)
			asked = layout_get_orig_size(s, (void *)object);
		track_get(&v, object, c->is_alloc ? TRACK_ALLOC : TRACK_FREE,
			  &track);
		/* a damaged size wastes nothing that can be told */
		err = groups_add(c->g, &track,
				 asked < s->object_size ?
					 s->object_size - asked :
					 0,
				 machine_jiffies(s->machine), slab->node);
	}
	return err;
}

static int by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->order < y->order ? -1 : 1;
}

static int collect(struct groups *g, struct kmem_cache *s, bool is_alloc)
{
	const struct slab_machine *m = s->machine;
	struct collector c = { .g = g, .s = s, .is_alloc = is_alloc };
	struct walk_seen *seen;
	struct walk_list list;
	unsigned int node;
	int err;

	if (!(s->flags & SLAB_STORE_USER))
		return -ENOENT;
	seen = walk_seen(m);
	err = seen ? 0 : -ENOMEM;
	for (node = 0; !err && node < m->config.nr_nodes; node++) {
		struct kmem_cache_node *n = walk_node(m, s, node);

		if (!n)
			continue;
		node_lock(s, n);
		err = walk_list(m, &n->partial, seen, add_slab, &c, &list);
		if (!err)
			err = walk_list(m, &n->full, seen, add_slab, &c,
					&list);
		node_unlock(s, n);
	}
	scratch_free(seen);
	if (!err)
		sort_in_place(g->v, g->nr, sizeof(*g->v), by_count);
	return err;
}

/* ---- printing ---- */
struct text {
	char buf[1024];
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *t, const char *format, ...)
{
	size_t left = sizeof(t->buf) - t->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->buf + t->used, left, format, args);
	va_end(args);
	t->used += MIN((size_t)n, left - 1);
}

static void add_symbol(struct text *t, const struct slab_machine *m,
		       uintptr_t address)
{
	char symbol[256];

	slab_symbol(m, address, symbol, sizeof(symbol));
	add(t, "%s", symbol);
}

/* 0-3,5 */
static void add_ranges(struct text *t, const char *title, uint64_t set)
{
	const char *separator = title;
	unsigned int i, first;

	for (i = 0; i < 64; i++) {
		if (!(set >> i & 1))
			continue;
		for (first = i; i < 63 && set >> (i + 1) & 1; i++)
			;
		add(t, "%s%u", separator, first);
		if (i > first)
			add(t, "-%u", i);
		separator = ",";
	}
}

static void print_group(const struct slab_machine *m, const struct group *group,
			slab_line_fn line, void *arg)
{
	const struct slab_track *track = &group->track;
	struct text t = { .used = 0 };
	unsigned int i;

	add(&t, "%7lu ", group->count);
	if (track->addr)
		add_symbol(&t, m, track->addr);
	else
		add(&t, "<not-available>");
	if (group->waste)
		add(&t, " waste=%lu/%lu", group->count * group->waste,
		    group->waste);
	if (group->sum != group->min)
		add(&t, " age=%lu/%lu/%lu", group->min,
		    group->sum / group->count, group->max);
	else
		add(&t, " age=%lu", group->min);
	if (group->min_pid != group->max_pid)
		add(&t, " pid=%d-%d", group->min_pid, group->max_pid);
	else
		add(&t, " pid=%d", group->min_pid);
	if (m->config.nr_cpus > 1)
		add_ranges(&t, " cpus=", group->cpus);
	if (m->config.nr_nodes > 1)
		add_ranges(&t, " nodes=", group->nodes);
	line(arg, t.buf);
	if (!track->handle)
		return;
	for (i = 0; i < track->nr_frames; i++) {
		t.used = 0;
		add(&t, "        ");
		add_symbol(&t, m, track->frames[i]);
		line(arg, t.buf);
	}
	line(arg, "");
}

/* Names of functions and whoever takes lines may allocate: no lock is held. */
static int print_groups(const struct slab_machine *m, struct groups *g, int err,
			slab_line_fn line, void *arg)
{
	size_t i;

	if (!err && !g->nr)
		line(arg, "No data");
	for (i = 0; !err && i < g->nr; i++)
		print_group(m, &g->v[i], line, arg);
	groups_fini(g);
	return err;
}

int slab_target_traces(struct slab_target *t, uintptr_t cache, bool is_alloc,
		       slab_line_fn line, void *arg)
{
	struct groups g = { 0 };
	struct kmem_cache *s;
	int err;

	{
		LOOK(t->machine);
		s = target_cache(t, cache);
		err = s ? collect(&g, s, is_alloc) : -ENODEV;
	}
	return print_groups(t->machine, &g, err, line, arg);
}

int slab_cache_traces(struct kmem_cache *s, bool is_alloc, slab_line_fn line,
		      void *arg)
{
	struct slab_machine *m = s->machine;
	struct groups g = { 0 };
	int err;

	{
		LOOK(m);
		err = collect(&g, s, is_alloc);
	}
	return print_groups(m, &g, err, line, arg);
}

/* ---- one object ---- */
static void print_stack(const struct slab_machine *m,
			const struct slab_track *track, slab_line_fn line,
			void *arg)
{
	unsigned int i;

	for (i = 0; i < track->nr_frames; i++) {
		struct text t = { .used = 0 };

		add(&t, "    ");
		add_symbol(&t, m, track->frames[i]);
		line(arg, t.buf);
	}
}

bool kmem_dump_obj(struct slab_machine *m, const void *object,
		   slab_line_fn line, void *arg)
{
	struct slab *slab = virt_to_slab(m, object);
	struct slab_track alloc = { 0 }, free = { 0 };
	struct text t = { .used = 0 };
	uintptr_t p = (uintptr_t)object, start;
	const struct kmem_cache *s;
	struct slab_view v;

	if (!slab)
		return false;
	s = slab->slab_cache;
	if (!machine_has_cache(m, s)) {
		line(arg, " slab");
		return true;
	}
	v = view_live(slab->slab_cache, slab);
	/* The kernel takes the left red zone off the address before it counts
	 * slots: one that lies there belongs to the object in front. */
	start = v.base;
	if (p - v.base > s->red_left_pad)
		start += (p - v.base - s->red_left_pad) / s->size * s->size;
	add(&t, " slab %s start %016lx", s->name,
	    slab_machine_print_address(m, start));
	if (s->red_left_pad)
		add(&t, " data offset %u", s->red_left_pad);
	add(&t, " pointer offset %ld size %u",
	    (long)(p - start) - (long)s->red_left_pad, s->object_size);
	if (view_is_valid_pointer(&v, (void *)(start + s->red_left_pad))) {
		track_get(&v, start + s->red_left_pad, TRACK_ALLOC, &alloc);
		track_get(&v, start + s->red_left_pad, TRACK_FREE, &free);
	}
	if (alloc.addr) {
		add(&t, " allocated at ");
		add_symbol(&t, m, alloc.addr);
	}
	line(arg, t.buf);
	print_stack(m, &alloc, line, arg);
	if (free.nr_frames) {
		line(arg, " Free path:");
		print_stack(m, &free, line, arg);
	}
	return true;
}

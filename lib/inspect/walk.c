/* SPDX-License-Identifier: MIT */
/*
 * inspect/walk.c - every slab of a cache, and which way it was found
 *
 * The memory map is scanned for what says it is a slab of the cache; then the
 * nodes' lists are followed, which tells the way and adds slabs whose
 * descriptor no longer says so. Bounds: the pages opened; each descriptor at
 * most once on all lists together.
 */
#include "inspect/target.h"

#include <errno.h>
#include <stdlib.h>

#include "base/sort.h"
#include "inspect/scratch.h"
#include "slab/node.h"

static struct walk_slab *walk_add(struct walk *w, size_t *room,
				  struct slab *slab)
{
	if (w->nr == *room) {
		size_t more = *room ? 2 * *room : 16;
		struct walk_slab *slabs =
			scratch_grow(w->slabs, more * sizeof(*slabs));

		if (!slabs)
			return NULL;
		w->slabs = slabs;
		*room = more;
	}
	w->slabs[w->nr] = (struct walk_slab){ slab, SLAB_FOUND_REGION };
	return &w->slabs[w->nr++];
}

static int walk_region(const struct slab_machine *m,
		       const struct kmem_cache *s, struct walk *w, size_t *room)
{
	unsigned long pfn;

	for (pfn = 0; pfn < m->pages_opened; pfn++) {
		struct slab *slab = &m->memmap[pfn];

		if (slab->type != PAGE_SLAB || slab->slab_cache != s)
			continue;
		if (!walk_add(w, room, slab))
			return -ENOMEM;
	}
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct walk_slab *x = a, *y = b;

	return x->slab < y->slab ? -1 : x->slab > y->slab;
}

static int by_number(const void *a, const void *b)
{
	const struct walk_slab *x = a, *y = b;

	if (x->slab->nr != y->slab->nr)
		return x->slab->nr < y->slab->nr ? -1 : 1;
	return by_address(a, b);
}

int walk_list(const struct slab_machine *m, const struct list_head *head,
	      struct walk_seen *seen, walk_fn fn, void *arg,
	      struct walk_list *ret)
{
	const struct list_head *link;
	int err;

	*ret = (struct walk_list){ 0 };
	for (link = head->next; link != head; link = link->next) {
		struct slab *slab = link_slab(m, link);
		unsigned long pfn;

		if (!slab)
			return 0;
		pfn = (unsigned long)(slab - m->memmap);
		/* pages that came since are none of this walk */
		if (pfn >= seen->nr_pages || bitmap_test(seen->map, pfn))
			return 0;
		bitmap_set(seen->map, pfn);
		err = fn(arg, slab);
		if (err)
			return err;
		ret->nr++;
	}
	ret->is_whole = true;
	return 0;
}

struct walk_seen *walk_seen(const struct slab_machine *m)
{
	unsigned long nr = __atomic_load_n(&m->pages_opened, __ATOMIC_ACQUIRE);
	struct walk_seen *seen =
		scratch_alloc(sizeof(*seen) + BITMAP_BYTES(nr + 1));

	if (seen)
		seen->nr_pages = nr;
	return seen;
}

struct lister {
	struct walk *w;
	size_t room, nr_region; /* the first of w, by address */
	enum slab_found_by found_by;
};

static int listed(void *arg, struct slab *slab)
{
	struct lister *l = arg;
	struct walk_slab key = { .slab = slab }, *at = NULL;

	if (l->nr_region)
		at = bsearch(&key, l->w->slabs, l->nr_region, sizeof(key),
			     by_address);
	if (!at)
		at = walk_add(l->w, &l->room, slab);
	if (!at)
		return -ENOMEM;
	at->found_by = l->found_by;
	return 0;
}

struct kmem_cache_node *walk_node(const struct slab_machine *m,
				  const struct kmem_cache *s,
				  unsigned int node)
{
	struct kmem_cache_node *n = s->node[node];

	return n && meta_owns(m, (uintptr_t)n) ? n : NULL;
}

static int walk_lists(const struct slab_machine *m, const struct kmem_cache *s,
		      struct lister *l)
{
	struct walk_seen *seen = walk_seen(m);
	unsigned int i;
	int err = seen ? 0 : -ENOMEM;

	for (i = 0; i < m->config.nr_nodes && !err; i++) {
		struct kmem_cache_node *n = walk_node(m, s, i);

		if (!n)
			continue;
		l->found_by = SLAB_FOUND_PARTIAL_LIST;
		err = walk_list(m, &n->partial, seen, listed, l,
				&l->w->partial[i]);
		if (err)
			break;
		l->found_by = SLAB_FOUND_FULL_LIST;
		err = walk_list(m, &n->full, seen, listed, l, &l->w->full[i]);
	}
	scratch_free(seen);
	return err;
}

int walk_slabs(const struct slab_target *t, const struct kmem_cache *s,
	       struct walk *ret)
{
	struct lister l = { .w = ret };
	int err;

	*ret = (struct walk){ 0 };
	err = walk_region(t->machine, s, ret, &l.room);
	l.nr_region = ret->nr;
	if (!err)
		err = walk_lists(t->machine, s, &l);
	if (err)
		walk_free(ret);
	else
		sort_in_place(ret->slabs, ret->nr, sizeof(*ret->slabs),
			      by_number);
	return err;
}

void walk_free(struct walk *w)
{
	scratch_free(w->slabs);
	w->slabs = NULL;
	w->nr = 0;
}

/* ---- one slab by its number ---- */
static bool is_slab_of(const struct kmem_cache *s, const struct slab *slab,
		       unsigned int nr)
{
	return slab->type == PAGE_SLAB && slab->slab_cache == s &&
	       slab->nr == nr;
}

static struct slab *hint_find(const struct slab_target *t,
			      const struct kmem_cache *s, unsigned int nr)
{
	size_t lo = 0, hi = t->hinted == s ? t->nr_hints : 0;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (t->hint[mid]->nr < nr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (t->hinted == s && lo < t->nr_hints &&
	    is_slab_of(s, t->hint[lo], nr))
		return t->hint[lo];
	return NULL;
}

struct slab *walk_find(struct slab_target *t, const struct kmem_cache *s,
		       unsigned int nr)
{
	struct slab *slab = hint_find(t, s, nr);
	struct walk w;
	size_t i;

	if (slab || walk_slabs(t, s, &w))
		return slab;
	scratch_free(t->hint);
	t->hint = scratch_alloc((w.nr + 1) * sizeof(struct slab *));
	t->nr_hints = t->hint ? w.nr : 0;
	t->hinted = s;
	for (i = 0; i < w.nr; i++) {
		if (t->hint)
			t->hint[i] = w.slabs[i].slab;
		if (!slab && w.slabs[i].slab->nr == nr)
			slab = w.slabs[i].slab;
	}
	walk_free(&w);
	return slab;
}

/* ---- what there is to say of it ---- */
static enum slab_state slab_state(const struct kmem_cache *s,
				  const struct walk_slab *at)
{
	const struct slab *slab = at->slab;

	if (slab->frozen)
		return SLAB_STATE_FROZEN;
	if (slab->inuse > slab->objects || slab->slab_cache != s ||
	    slab->type != PAGE_SLAB)
		return SLAB_STATE_UNKNOWN;
	if (at->found_by == SLAB_FOUND_PARTIAL_LIST)
		return slab->inuse ? SLAB_STATE_PARTIAL : SLAB_STATE_EMPTY;
	if (slab->inuse == slab->objects && !slab->freelist)
		return SLAB_STATE_FULL;
	return SLAB_STATE_ISOLATED;
}

void walk_slab_info(const struct slab_machine *m, const struct kmem_cache *s,
		    const struct walk_slab *at, struct slab_slab_info *ret)
{
	const struct slab *slab = at->slab;

	*ret = (struct slab_slab_info){
		.cache = (uintptr_t)s,
		.nr = slab->nr,
		.descriptor = (uintptr_t)slab,
		.base = slab_base(m, slab),
		.bytes = slab_true_bytes(m, slab),
		.order = slab->order,
		.objects = slab->objects,
		.inuse = slab->inuse,
		.node = slab->node,
		.frozen = slab->frozen,
		.is_partial = slab->flags & SL_PARTIAL,
		.freelist = (uintptr_t)slab->freelist,
		.state = slab_state(s, at),
		.found_by = at->found_by,
		.report = slab->frozen ? slab->stride : 0,
	};
}

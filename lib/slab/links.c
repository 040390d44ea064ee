/* SPDX-License-Identifier: MIT */
/*
 * slab/links.c - do a node's lists lead forth and back? and how they are made
 * anew when they do not
 *
 * A link may be followed when it is the list's head, or stands in a descriptor
 * of ours that leads back and is marked as of this list. A walk that goes on
 * only so can not run in a circle: whoever it came to twice would have to lead
 * back to two.
 */
#include "slab/node.h"

static struct list_head *node_list(struct kmem_cache_node *n, bool is_partial)
{
	return is_partial ? &n->partial : &n->full;
}

/* May link be looked at, as one of the list's? */
static bool is_of_list(const struct slab_machine *m,
		       const struct list_head *head, bool is_partial,
		       const struct list_head *link)
{
	const struct slab *slab = link_slab(m, link);

	return link == head || (slab && slab_is_partial(slab) == is_partial);
}

static bool breaks(struct list_break *ret, struct slab *slab,
		   const struct list_head *link)
{
	*ret = (struct list_break){ slab, link };
	return false;
}

bool node_step_holds(const struct kmem_cache *s, struct kmem_cache_node *n,
		     bool is_partial, const struct list_head *at,
		     struct list_break *ret)
{
	const struct slab_machine *m = s->machine;
	const struct list_head *head = node_list(n, is_partial);
	struct slab *slab = link_slab(m, at == head ? at->next : at);

	if (!is_of_list(m, head, is_partial, at->next))
		return breaks(ret, slab, at->next);
	if (at->next->prev != at)
		return breaks(ret, slab, at->next->prev);
	return true;
}

bool node_slab_holds(const struct kmem_cache *s, struct kmem_cache_node *n,
		     struct slab *slab, struct list_break *ret)
{
	const struct slab_machine *m = s->machine;
	bool is_partial = slab_is_partial(slab);
	const struct list_head *head = node_list(n, is_partial);
	const struct list_head *at = &slab->slab_list;

	if (slab_is_unlinked(slab))
		return is_partial ? breaks(ret, slab, at) : true;
	if (!is_of_list(m, head, is_partial, at->next))
		return breaks(ret, slab, at->next);
	if (at->next->prev != at)
		return breaks(ret, slab, at->next->prev);
	if (!is_of_list(m, head, is_partial, at->prev))
		return breaks(ret, slab, at->prev);
	if (at->prev->next != at)
		return breaks(ret, slab, at->prev->next);
	return true;
}

bool node_end_holds(const struct kmem_cache *s, struct kmem_cache_node *n,
		    bool is_partial, enum list_end end, struct list_break *ret)
{
	const struct list_head *head = node_list(n, is_partial);

	if (end == LIST_HEAD)
		return node_step_holds(s, n, is_partial, head, ret);
	if (!is_of_list(s->machine, head, is_partial, head->prev))
		return breaks(ret, NULL, head->prev);
	if (head->prev->next != head)
		return breaks(ret, link_slab(s->machine, head->prev),
			      head->prev->next);
	return true;
}

bool node_lists_hold(const struct kmem_cache *s, struct kmem_cache_node *n,
		     struct list_break *ret)
{
	unsigned int is_partial;

	for (is_partial = 0; is_partial < 2; is_partial++) {
		const struct list_head *head = node_list(n, is_partial);
		const struct list_head *at = head;

		do {
			if (!node_step_holds(s, n, is_partial, at, ret))
				return false;
			at = at->next;
		} while (at != head);
	}
	return true;
}

/* ---- made anew ---- */

/* Where a list is broken: what it lacks belongs between the two. */
struct gap {
	struct list_head *before, *behind;
};

/* As far as links lead forth from the head, and back from it; marks are not
 * asked, they may be what was overwritten. The ends are joined. */
static struct gap list_join(const struct slab_machine *m,
			    struct list_head *head)
{
	struct gap g = { head, head };

	while (g.before->next != head && link_slab(m, g.before->next) &&
	       g.before->next->prev == g.before)
		g.before = g.before->next;
	if (g.before->next == head && head->prev == g.before)
		return (struct gap){ g.before, head };
	while (g.behind->prev != head && link_slab(m, g.behind->prev) &&
	       g.behind->prev->next == g.behind)
		g.behind = g.behind->prev;
	g.before->next = g.behind;
	g.behind->prev = g.before;
	return g;
}

static void gap_put(struct gap *g, struct slab *slab)
{
	list_insert(&slab->slab_list, g->before, g->behind);
	g->before = &slab->slab_list;
}

static void mark_partial(struct slab *slab, bool is_partial)
{
	if (is_partial)
		__atomic_fetch_or(&slab->flags, SL_PARTIAL, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&slab->flags, ~SL_PARTIAL, __ATOMIC_RELAXED);
}

/* Every slab of a whole list; returns its length. */
static unsigned long list_mark(struct list_head *head, bool is_partial)
{
	unsigned long nr = 0;
	struct slab *slab;

	list_for_each_entry(slab, head, slab_list) {
		mark_partial(slab, is_partial);
		nr++;
	}
	return nr;
}

static bool is_lost_full(const struct slab *slab)
{
	return !slab_is_partial(slab) && !slab_is_unlinked(slab) &&
	       !slab->frozen && !slab->freelist && slab->inuse == slab->objects;
}

/* Each slab of the node that the map knows and that is marked so, or full;
 * what the list has already is marked otherwise meanwhile. */
static void gap_fill(const struct kmem_cache *s,
		     const struct kmem_cache_node *n, struct gap *g,
		     bool is_partial)
{
	const struct slab_machine *m = s->machine;
	unsigned long pfn;

	for (pfn = 0; pfn < m->pages_opened; pfn++) {
		struct slab *slab = &m->memmap[pfn];

		if (slab->type != PAGE_SLAB || slab->slab_cache != s ||
		    slab_node(s, slab) != n)
			continue;
		if (is_partial ? slab_is_partial(slab) : is_lost_full(slab))
			gap_put(g, slab);
	}
}

void node_rebuild(struct kmem_cache *s, struct kmem_cache_node *n)
{
	struct gap partial = list_join(s->machine, &n->partial);
	struct gap full = list_join(s->machine, &n->full);

	list_mark(&n->full, false);
	list_mark(&n->partial, false);
	gap_fill(s, n, &partial, true);
	__atomic_store_n(&n->nr_partial, list_mark(&n->partial, true),
			 __ATOMIC_RELAXED);
	if (!(s->flags & SLAB_STORE_USER))
		return;
	list_mark(&n->full, true);
	gap_fill(s, n, &full, false);
	list_mark(&n->full, false);
}

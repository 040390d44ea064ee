/* SPDX-License-Identifier: MIT */
/* debug/lists.c - see lists.h */
#include "debug/lists.h"

#include "debug/report.h"

static void mend(struct kmem_cache *s, struct kmem_cache_node *n,
		 const struct list_break *at)
{
	struct slab_view v = { .s = s, .is_live = true };

	if (at->slab)
		v = view_live(s, at->slab);
	report_slab(&v, SLAB_REPORT_SLAB_LIST, at->link, 0, 0);
	node_rebuild(s, n);
	report_fix(&v, SLAB_FIX_LISTS_REBUILT, NULL);
}

void lists_judge_slow(struct kmem_cache *s, struct kmem_cache_node *n,
		      struct slab *slab)
{
	struct list_break at;

	if (node_slab_holds(s, n, slab, &at))
		return;
	mend(s, n, &at);
	/* the map may not know it for one of this node's any more */
	if (!node_slab_holds(s, n, slab, &at))
		slab_unlink(slab);
}

void lists_remove(struct kmem_cache *s, struct kmem_cache_node *n,
		  struct slab *slab)
{
	lists_judge(s, n, slab);
	if (slab_is_partial(slab))
		node_remove_partial(s, n, slab);
	else if (!slab_is_unlinked(slab))
		node_remove_full(s, n, slab);
}

/* Ready for the slab, which is on no list any more. */
static void make_room(struct kmem_cache *s, struct kmem_cache_node *n,
		      struct slab *slab, bool is_partial, enum list_end end)
{
	struct list_break at;

	lists_remove(s, n, slab);
	if (!node_end_holds(s, n, is_partial, end, &at))
		mend(s, n, &at);
}

void lists_add_partial(struct kmem_cache *s, struct kmem_cache_node *n,
		       struct slab *slab, enum list_end end)
{
	make_room(s, n, slab, true, end);
	node_add_partial(s, n, slab, end);
}

void lists_add_full(struct kmem_cache *s, struct kmem_cache_node *n,
		    struct slab *slab)
{
	make_room(s, n, slab, false, LIST_HEAD);
	node_add_full(s, n, slab);
}

struct slab *lists_next_partial(struct kmem_cache *s, struct kmem_cache_node *n,
				struct slab *slab)
{
	struct list_head *at = slab ? &slab->slab_list : &n->partial;
	struct list_break broken;

	if (!node_step_holds(s, n, true, at, &broken))
		mend(s, n, &broken);
	if (slab && !slab_is_partial(slab))
		return NULL;
	return at->next == &n->partial ? NULL : link_slab(s->machine, at->next);
}

void lists_make_whole(struct kmem_cache *s, struct kmem_cache_node *n)
{
	struct list_break at;

	if (!node_lists_hold(s, n, &at))
		mend(s, n, &at);
}

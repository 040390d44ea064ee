/* SPDX-License-Identifier: MIT */
/*
 * inspect/verify.c - every check on copies, repairing nothing
 *
 * Of each slab, however it was found, descriptor and bytes are copied and
 * debug/check.c looks at the copy. What it can not see is checked here: lists
 * against counters, slabs against lists, users against free chains.
 *
 * The threads of a native machine go on meanwhile, and are in the middle of
 * something: verify_moving.c says what is told of what is found there.
 */
#include "inspect/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "debug/report.h"
#include "inspect/scratch.h"
#include "slab/node.h"

void verify_line(struct verifier *vf, enum slab_report_kind kind,
		 const char *format, ...)
{
	struct slab_machine *m = vf->t->machine;
	struct slab_report r = {
		.record = SLAB_RECORD_REPORT,
		.kind = kind,
		.machine = m,
		.index = -1,
		.is_zap = true,
		.cpu = machine_cpu(m),
		.pid = machine_pid(m),
		.when = machine_jiffies(m),
	};
	va_list args;

	snprintf(r.cache, sizeof(r.cache), "%s", vf->s->name);
	va_start(args, format);
	vsnprintf(r.text, sizeof(r.text), format, args);
	va_end(args);
	verify_found(vf, &r);
}

/* ---- one slab ---- */
static bool is_on(const struct slab_machine *m, const struct list_head *head,
		  const struct slab *slab)
{
	unsigned long left = m->pages_opened;
	const struct list_head *link;

	for (link = head->next; link != head && left && link_slab(m, link);
	     link = link->next, left--)
		if (link_slab(m, link) == slab)
			return true;
	return false;
}

/* How it was found, and its descriptor at that time. */
struct standing {
	enum slab_found_by found_by;
	struct slab slab;
};

/* While the lists hold still. false: they do not, or it is the cache's no
 * more. */
static bool standing_now(struct verifier *vf, const struct slab *slab,
			 struct standing *ret)
{
	struct slab_machine *m = vf->t->machine;
	unsigned int i;

	ret->found_by = SLAB_FOUND_REGION;
	ret->slab = *slab;
	for (i = 0; i < m->config.nr_nodes; i++) {
		struct kmem_cache_node *n = walk_node(m, vf->s, i);

		if (!n)
			continue;
		if (!look_lock(&n->list_lock))
			return false;
		if (is_on(m, &n->partial, slab))
			ret->found_by = SLAB_FOUND_PARTIAL_LIST;
		else if (is_on(m, &n->full, slab))
			ret->found_by = SLAB_FOUND_FULL_LIST;
		if (ret->found_by != SLAB_FOUND_REGION || slab->node == i)
			ret->slab = *slab;
		lock_release(&n->list_lock);
		if (ret->found_by != SLAB_FOUND_REGION)
			return true;
	}
	return ret->slab.type == PAGE_SLAB && ret->slab.slab_cache == vf->s;
}

/* Type, cache and list: what validate trusts. */
static void verify_membership(struct verifier *vf, struct slab_view *v,
			      const struct standing *at)
{
	const struct slab *slab = &at->slab;
	bool is_listed = at->found_by == SLAB_FOUND_PARTIAL_LIST;
	void *first = (void *)slab_object(v->s, v->base, 0);

	if (slab->type != PAGE_SLAB)
		report_slab(v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	if (!slab->slab_cache)
		report_slab(v, SLAB_REPORT_NO_SLAB_CACHE, first, 0, 0);
	else if (slab->slab_cache != v->s)
		report_object(v, SLAB_REPORT_SLAB_POINTER, first);
	if ((bool)(slab->flags & SL_PARTIAL) != is_listed)
		verify_line(vf, SLAB_REPORT_PARTIAL_COUNT,
		     is_listed ?
			     "SLUB %s: S%u is on the partial list but not marked so" :
			     "SLUB %s: S%u is marked as on the partial list but is not there",
		     v->s->name, slab->nr);
	else if (at->found_by == SLAB_FOUND_REGION && !slab->frozen &&
		 slab->inuse < slab->objects)
		verify_line(vf, SLAB_REPORT_SLABS_COUNT,
		     "SLUB %s: S%u has free objects but is on no list",
		     v->s->name, slab->nr);
}

/* A chain that leads to what a user holds would hand it out twice. */
static void verify_users(struct slab_view *v, const struct chain *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		if (!c->users || !bitmap_test(c->users, c->index[i]))
			continue;
		if (!i)
			report_slab(v, SLAB_REPORT_FREEPTR_SLAB, NULL, 0, 0);
		else
			report_object(v, SLAB_REPORT_FREECHAIN,
				      (void *)slab_object(v->s, v->base,
							  c->index[i - 1]));
		return;
	}
}

/* The chain; then a broken link is cut on the copy, as validate does on the
 * slab, so that it is not found once more in its object. */
static void verify_chain(struct slab_view *v, const struct chain *c)
{
	check_on_freelist(v, NULL);
	verify_users(v, c);
	if (c->end == SLAB_CHAIN_WILD && c->nr)
		view_set_freepointer(v,
				     slab_object(v->s, v->base,
						 c->index[c->nr - 1]),
				     NULL);
}

/* Counters of a frozen slab are forced, so only its objects are looked at. */
static void verify_frozen(struct slab_view *v)
{
	struct slab *copy = v->slab;

	if (copy->freelist)
		report_slab(v, SLAB_REPORT_FREEPTR_SLAB, NULL, 0, 0);
	if (copy->inuse != copy->objects)
		report_slab(v, SLAB_REPORT_WRONG_COUNT, NULL, copy->inuse,
			    copy->objects);
	copy->frozen = 0;
	check_slab(v);
	copy->frozen = 1;
}

/* arg: a struct walk_slab. */
static int look_at_slab(struct verifier *vf, const void *arg)
{
	const struct walk_slab *at = arg;
	struct standing standing = { at->found_by, *at->slab };
	struct kmem_cache *s = vf->s;
	const struct rests *rests;
	struct slab_view v;
	struct slab copy;
	struct chain c;
	unsigned int i;
	int err;

	if (vf->is_close && !standing_now(vf, at->slab, &standing))
		return 0;
	rests = target_rests(vf->t, s);
	err = rests ? chain_walk(s, at->slab, &c) : -ENOMEM;
	if (err)
		return err;
	err = view_copy(s, at->slab, &v, &copy);
	if (err)
		goto out;
	/* a slab that is another one by now */
	if (view_fit(&v) != c.fit)
		goto out_view;
	v.fn = verify_found;
	v.arg = vf;
	verify_membership(vf, &v, &standing);
	if (copy.frozen) {
		verify_frozen(&v);
	} else {
		check_slab(&v);
		verify_chain(&v, &c);
	}
	copy.objects = c.fit & MAX_OBJS_PER_SLAB;
	for (i = 0; i < c.fit; i++) {
		uintptr_t object = slab_object(s, v.base, i);

		check_object(&v, (void *)object,
			     object_value(&v, object,
					  object_owner(s, &c, rests, object,
						       i)));
	}
out_view:
	view_drop(&v);
out:
	chain_free(&c);
	return err;
}

/* ---- the lists of a node ---- */
struct node_sum {
	unsigned long slabs, frozen;
};

/* What a node's lists are, and what it counts. */
struct lists {
	bool hold; /* forth, back, and through slabs that are marked so */
	struct list_break at;
	struct walk_list partial, full;
	unsigned long nr_partial;
};

static unsigned long list_length(const struct list_head *head)
{
	const struct list_head *link;
	unsigned long nr = 0;

	for (link = head->next; link != head; link = link->next)
		nr++;
	return nr;
}

static void lists_count(struct kmem_cache_node *n, struct lists *ret)
{
	ret->partial.nr = list_length(&n->partial);
	ret->partial.is_whole = ret->full.is_whole = true;
}

/* Those of a native machine hold still for it, or their links are not judged,
 * nor by a close look anything. w: what was met on the way there, which a close
 * look does not rely on. */
static bool lists_judge(struct verifier *vf, struct kmem_cache_node *n,
			const struct walk *w, unsigned int node,
			struct lists *ret)
{
	bool is_native = vf->t->machine->is_native;

	*ret = (struct lists){ .hold = true,
			       .partial = w->partial[node],
			       .full = w->full[node],
			       .nr_partial = n->nr_partial };
	if (is_native && !look_lock(&n->list_lock))
		return !vf->is_close;
	ret->hold = node_lists_hold(vf->s, n, &ret->at);
	ret->nr_partial = n->nr_partial;
	if (vf->is_close && ret->hold)
		lists_count(n, ret);
	if (is_native)
		lock_release(&n->list_lock);
	return true;
}

static void tell_break(struct verifier *vf, const struct list_break *at)
{
	struct slab_view v = { .s = vf->s };

	if (at->slab) {
		v = view_live(vf->s, at->slab);
		v.size = slab_open_bytes(vf->t->machine, at->slab);
	}
	v.is_live = false;
	v.fn = verify_found;
	v.arg = vf;
	report_slab(&v, SLAB_REPORT_SLAB_LIST, at->link, 0, 0);
}

static struct node_sum node_sum(const struct walk *w, unsigned int node)
{
	struct node_sum sum = { 0 };
	size_t i;

	for (i = 0; i < w->nr; i++) {
		const struct slab *slab = w->slabs[i].slab;

		if (MIN(slab->node, SLAB_MAX_NODES - 1) != node)
			continue;
		sum.slabs++;
		sum.frozen += slab->frozen;
	}
	return sum;
}

static void verify_node(struct verifier *vf, const struct walk *w,
			unsigned int node)
{
	struct kmem_cache_node *n = walk_node(vf->t->machine, vf->s, node);
	struct node_sum sum = node_sum(w, node);
	struct lists lists;

	if (!n || !lists_judge(vf, n, w, node, &lists))
		return;
	if (!lists.hold)
		tell_break(vf, &lists.at);
	if (lists.partial.nr != lists.nr_partial || !lists.partial.is_whole)
		verify_line(vf, SLAB_REPORT_PARTIAL_COUNT,
		     "SLUB %s: %lu partial slabs counted but counter=%lu",
		     vf->s->name, lists.partial.nr, lists.nr_partial);
	/* a slab that froze before it was ever listed is not counted */
	if (sum.slabs < n->nr_slabs || sum.slabs - sum.frozen > n->nr_slabs ||
	    !lists.full.is_whole)
		verify_line(vf, SLAB_REPORT_SLABS_COUNT,
		     "SLUB: %s %lu slabs counted but counter=%lu", vf->s->name,
		     sum.slabs, n->nr_slabs);
}

/* What is no slab's own: lists, counters, sheaves. arg: a struct walk, which
 * a close look makes anew. */
static int look_at_rest(struct verifier *vf, const void *arg)
{
	const struct walk *w = arg;
	struct walk now = { 0 };
	unsigned int node;
	int err = vf->is_close ? walk_slabs(vf->t, vf->s, &now) : 0;

	if (err)
		return err;
	if (vf->is_close)
		w = &now;
	for (node = 0; node < vf->t->machine->config.nr_nodes; node++)
		verify_node(vf, w, node);
	err = verify_sheaves(vf, w);
	walk_free(&now);
	return err;
}

static int look_at_cache(struct verifier *vf)
{
	struct walk w;
	int err = walk_slabs(vf->t, vf->s, &w);
	size_t i;

	for (i = 0; i < w.nr && !err; i++)
		err = verify_closely(vf, look_at_slab, &w.slabs[i]);
	if (!err)
		err = verify_closely(vf, look_at_rest, &w);
	walk_free(&w);
	return err;
}

static int verify_cache(struct verifier *vf)
{
	return vf->t->machine->is_native ? verify_moving(vf, look_at_cache) :
					   look_at_cache(vf);
}

long slab_target_verify(struct slab_target *t, uintptr_t cache,
			slab_sink_fn fn, void *arg)
{
	LOOK(t->machine);
	struct verifier vf = { .t = t, .fn = fn, .arg = arg };
	struct kmem_cache *s;
	int err = cache && !target_cache(t, cache) ? -ENOENT : 0;

	for (each_cache(t->machine, s)) {
		if (err || (cache && (uintptr_t)s != cache))
			continue;
		vf.s = s;
		err = verify_cache(&vf);
	}
	scratch_free(vf.before.at);
	scratch_free(vf.now.at);
	return err ? err : vf.findings;
}

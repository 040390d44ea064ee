/* SPDX-License-Identifier: MIT */
/*
 * inspect/verify.c - every check on copies, repairing nothing
 *
 * Of each slab, however it was found, descriptor and bytes are copied and
 * debug/check.c looks at the copy. What it can not see is checked here: lists
 * against counters, slabs against lists, users against free chains.
 */
#include "inspect/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "debug/report.h"
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
		.cpu = m->cpu,
		.pid = m->pid,
		.when = m->jiffies,
	};
	va_list args;

	vf->findings++;
	snprintf(r.cache, sizeof(r.cache), "%s", vf->s->name);
	va_start(args, format);
	vsnprintf(r.text, sizeof(r.text), format, args);
	va_end(args);
	if (vf->fn)
		vf->fn(vf->arg, &r);
}

/* ---- one slab ---- */
/* Type, cache and list: what validate trusts. */
static void verify_membership(struct verifier *vf, struct slab_view *v,
			      const struct walk_slab *at)
{
	const struct slab *slab = at->slab;
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

static int verify_slab(struct verifier *vf, const struct walk_slab *at)
{
	struct kmem_cache *s = vf->s;
	unsigned int fit = slab_fit(s, at->slab), i;
	struct slab_view v;
	struct slab copy;
	struct chain c;
	const struct rests *rests = target_rests(vf->t, s);
	int err = rests ? chain_walk(s, at->slab, &c) : -ENOMEM;

	if (err)
		return err;
	err = view_copy(s, at->slab, &v, &copy);
	if (err)
		goto out;
	v.fn = vf->fn;
	v.arg = vf->arg;
	verify_membership(vf, &v, at);
	if (copy.frozen) {
		verify_frozen(&v);
	} else {
		check_slab(&v);
		verify_chain(&v, &c);
	}
	copy.objects = fit & MAX_OBJS_PER_SLAB;
	for (i = 0; i < fit; i++) {
		uintptr_t object = slab_object(s, v.base, i);

		check_object(&v, (void *)object,
			     object_value(&v, object,
					  object_owner(s, &c, rests, object,
						       i)));
	}
	vf->findings += v.findings;
	view_drop(&v);
out:
	chain_free(&c);
	return err;
}

/* ---- the lists of a node ---- */
struct node_sum {
	unsigned long slabs, frozen;
};

/* Forth, back, and through slabs that are marked so. */
static void verify_links(struct verifier *vf, struct kmem_cache_node *n)
{
	struct slab_view v = { .s = vf->s };
	struct list_break at;

	if (node_lists_hold(vf->s, n, &at))
		return;
	if (at.slab)
		v = view_live(vf->s, at.slab);
	v.is_live = false;
	v.fn = vf->fn;
	v.arg = vf->arg;
	report_slab(&v, SLAB_REPORT_SLAB_LIST, at.link, 0, 0);
	vf->findings += v.findings;
}

static void verify_node(struct verifier *vf, const struct walk *w,
			unsigned int node, const struct node_sum *sum)
{
	struct kmem_cache_node *n = walk_node(vf->t->machine, vf->s, node);

	if (!n)
		return;
	verify_links(vf, n);
	if (w->partial[node].nr != n->nr_partial || !w->partial[node].is_whole)
		verify_line(vf, SLAB_REPORT_PARTIAL_COUNT,
		     "SLUB %s: %lu partial slabs counted but counter=%lu",
		     vf->s->name, w->partial[node].nr, n->nr_partial);
	/* a slab that froze before it was ever listed is not counted */
	if (sum->slabs < n->nr_slabs || sum->slabs - sum->frozen > n->nr_slabs ||
	    !w->full[node].is_whole)
		verify_line(vf, SLAB_REPORT_SLABS_COUNT,
		     "SLUB: %s %lu slabs counted but counter=%lu", vf->s->name,
		     sum->slabs, n->nr_slabs);
}

static int verify_cache(struct verifier *vf)
{
	struct node_sum sum[SLAB_MAX_NODES] = { 0 };
	struct walk w;
	unsigned int node;
	size_t i;
	int err = walk_slabs(vf->t, vf->s, &w);

	for (i = 0; i < w.nr && !err; i++) {
		const struct slab *slab = w.slabs[i].slab;

		node = MIN(slab->node, SLAB_MAX_NODES - 1);
		sum[node].slabs++;
		sum[node].frozen += slab->frozen;
		err = verify_slab(vf, &w.slabs[i]);
	}
	for (node = 0; node < vf->t->machine->config.nr_nodes && !err; node++)
		verify_node(vf, &w, node, &sum[node]);
	if (!err)
		err = verify_sheaves(vf, &w);
	walk_free(&w);
	return err;
}

long slab_target_verify(struct slab_target *t, uintptr_t cache,
			slab_sink_fn fn, void *arg)
{
	struct verifier vf = { .t = t, .fn = fn, .arg = arg };
	struct kmem_cache *s;
	int err = cache && !target_cache(t, cache) ? -ENOENT : 0;

	list_for_each_entry(s, &t->machine->slab_caches, list) {
		if (err || (cache && (uintptr_t)s != cache))
			continue;
		vf.s = s;
		err = verify_cache(&vf);
	}
	return err ? err : vf.findings;
}

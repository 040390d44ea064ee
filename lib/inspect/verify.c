/* SPDX-License-Identifier: MIT */
/*
 * inspect/verify.c - every check on copies, repairing nothing
 *
 * Of each slab, however it was found, descriptor and bytes are copied and
 * debug/check.c looks at the copy. What it can not see is checked here: lists
 * against counters, slabs against lists, users against free chains.
 *
 * The threads of a native machine go on meanwhile, and are in the middle of
 * something. A cache of it in which something is found is looked at again; what
 * every look finds is told.
 */
#include "inspect/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/sort.h"
#include "debug/report.h"
#include "inspect/scratch.h"
#include "slab/node.h"

/* At a machine that moves; 21 ms from the first to the last. */
#define NR_LOOKS 4U

static uint64_t mix(uint64_t print, uint64_t word)
{
	print = (print ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return print ^ (print >> 29);
}

/* A number that the same finding has again. */
static uint64_t finding_print(const struct slab_report *r)
{
	uint64_t print = mix(r->kind, r->slab);
	const char *p;

	print = mix(mix(print, r->object), r->first);
	print = mix(mix(print, r->last), (uint64_t)r->index);
	for (p = r->text; *p; p++)
		print = mix(print, (uint8_t)*p);
	return print;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool prints_have(const struct prints *p, uint64_t print)
{
	return p->nr && bsearch(&print, p->at, p->nr, sizeof(print), by_value);
}

static void prints_add(struct verifier *vf, struct prints *p, uint64_t print)
{
	if (p->nr == p->room) {
		size_t room = p->room ? 2 * p->room : 16;
		uint64_t *at = scratch_grow(p->at, room * sizeof(*at));

		if (!at) {
			vf->is_out_of_memory = true;
			return;
		}
		p->at = at;
		p->room = room;
	}
	p->at[p->nr++] = print;
}

void verify_found(void *verifier, const struct slab_report *r)
{
	struct verifier *vf = verifier;

	if (vf->t->machine->is_native) {
		uint64_t print = finding_print(r);

		if (vf->look && !prints_have(&vf->before, print))
			return;
		if (!vf->is_last) {
			prints_add(vf, &vf->now, print);
			return;
		}
	}
	vf->findings++;
	if (vf->fn)
		vf->fn(vf->arg, r);
}

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
	struct slab_view v;
	struct slab copy;
	struct chain c;
	const struct rests *rests = target_rests(vf->t, s);
	int err = rests ? chain_walk(s, at->slab, &c) : -ENOMEM;
	unsigned int i;

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
	verify_membership(vf, &v, at);
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

/* The lists of a native machine hold still for it, or are not judged. */
static bool lists_hold(struct verifier *vf, struct kmem_cache_node *n,
		       struct list_break *ret)
{
	struct slab_machine *m = vf->t->machine;
	bool hold;

	if (!m->is_native)
		return node_lists_hold(vf->s, n, ret);
	if (!look_lock(m, &n->list_lock))
		return true;
	hold = node_lists_hold(vf->s, n, ret);
	lock_release(&n->list_lock);
	return hold;
}

/* Forth, back, and through slabs that are marked so. */
static void verify_links(struct verifier *vf, struct kmem_cache_node *n)
{
	struct slab_view v = { .s = vf->s };
	struct list_break at;

	if (lists_hold(vf, n, &at))
		return;
	if (at.slab) {
		v = view_live(vf->s, at.slab);
		v.size = slab_open_bytes(vf->t->machine, at.slab);
	}
	v.is_live = false;
	v.fn = verify_found;
	v.arg = vf;
	report_slab(&v, SLAB_REPORT_SLAB_LIST, at.link, 0, 0);
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

static int look_at_cache(struct verifier *vf)
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

/* Looks again and again, later and later, as long as there is something that
 * every look found. */
static int verify_moving_cache(struct verifier *vf)
{
	unsigned int i;
	int err;

	for (i = 0; i < NR_LOOKS; i++) {
		struct timespec pause = { .tv_nsec = 1000000L << (2 * i) };
		struct prints before = vf->before;

		vf->look = i;
		vf->is_last = i == NR_LOOKS - 1;
		vf->now.nr = 0;
		err = look_at_cache(vf);
		if (!err && vf->is_out_of_memory)
			err = -ENOMEM;
		if (err || !vf->now.nr)
			return err;
		sort_in_place(vf->now.at, vf->now.nr, sizeof(*vf->now.at),
			      by_value);
		vf->before = vf->now;
		vf->now = before;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int verify_cache(struct verifier *vf)
{
	return vf->t->machine->is_native ? verify_moving_cache(vf) :
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

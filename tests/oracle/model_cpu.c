/* SPDX-License-Identifier: MIT */
/*
 * model_cpu.c - see model.h: what served plain caches in 6.12
 *
 * One slab is the CPU's: its free chain hangs on the CPU, the slab counts all
 * its objects as in use, and frees into it touch nothing else. A flush gives
 * the chain back and counts it. That chains are followed there unseen is what
 * the measured kernel died of.
 */
#include "model.h"

static struct mptr next_of(const struct mslab *slab, struct mptr p)
{
	return mlink_read(slab, p.off + slab->s->l.fp);
}

static bool is_null(struct mptr p)
{
	return !p.slab && !p.is_wild;
}

/* The slab's chain becomes the CPU's. */
static void take_slab(struct mcache *s, struct mslab *slab)
{
	s->cpu_slab = slab;
	s->cpu_head = slab->head;
	slab->head = (struct mptr){ 0 };
	slab->inuse = slab->objects;
}

static void find_slab(struct model *m, struct mcache *s)
{
	struct mslab *slab;

	if (s->nr_partial) {
		slab = s->partial[0];
		mlist_move(slab, ON_NO_LIST, false);
	} else {
		slab = mslab_new(m, s);
		mcount(slab, 1);
	}
	take_slab(s, slab);
}

struct mptr mcpu_alloc(struct model *m, struct mcache *s)
{
	struct mptr p;

	if (s->cpu_slab && !is_null(s->cpu_head) &&
	    !may_follow(s->cpu_slab, s->cpu_head)) {
		/* as far as the kernel came */
		m->event = RULE_BAD_HEAD;
		mreport_slab(m, s->cpu_slab, "Freepointer corrupt");
		s->cpu_head = (struct mptr){ 0 };
	}
	if (!s->cpu_slab || is_null(s->cpu_head))
		find_slab(m, s);
	p = s->cpu_head;
	s->cpu_head = next_of(s->cpu_slab, p);
	return p;
}

void mcpu_free(struct model *m, struct mcache *s, struct mptr head,
	       struct mptr tail)
{
	if (mptr_equal(tail, s->cpu_head)) {
		m->event = RULE_SELF_LINK;
		mreport_object(m, tail.slab, "Object already free", tail);
		return;
	}
	mlink_write(s->cpu_slab, tail.off + s->l.fp, s->cpu_head);
	s->cpu_head = head;
}

void mcpu_flush(struct model *m, struct mcache *s)
{
	struct mslab *slab = s->cpu_slab;
	struct mptr p = s->cpu_head, tail = { 0 };
	unsigned int nr = 0;

	if (!slab)
		return;
	s->cpu_slab = NULL;
	while (!is_null(p)) {
		if (!may_follow(slab, p) || nr > slab->objects) {
			m->event = RULE_BOUNDED_WALK;
			break;
		}
		nr++;
		tail = p;
		p = next_of(slab, p);
	}
	if (!nr)
		return;
	mlink_write(slab, tail.off + s->l.fp, slab->head);
	slab->head = s->cpu_head;
	slab->inuse = (slab->inuse - nr) & 0xffff;
	mlist_move(slab, ON_PARTIAL, true);
}

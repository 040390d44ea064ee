/* SPDX-License-Identifier: MIT */
/*
 * inject/interleave_check.c - what holds at every step, and when all is quiet
 *
 * Invariants of spec/allocator/invariants.md 7.1 to 7.3. What a lock protects
 * is looked at when nobody holds that lock; what a thread carries in its hands
 * is in no place, so that until all is quiet an object or a sheaf is in one
 * place at most.
 */
#include "inject/interleave_world.h"

#include <stdio.h>
#include <string.h>

#include "slab/freelist.h"

#define MAX_CONTAINERS 64U

/* Places of objects and sheaves found so far. */
struct places {
	struct world *w;
	uint8_t objects[WORLD_PAGES]; /* a bit a slot */
	const struct slab_sheaf *sheaves[MAX_CONTAINERS];
	unsigned int nr_sheaves;
	const char *broken; /* the first */
};

static void breaks(struct places *p, const char *what)
{
	if (!p->broken)
		p->broken = what;
}

/* ---- one place each ---- */
static void put_slot(struct places *p, unsigned int page, unsigned int slot,
		     const char *rule)
{
	if (p->objects[page] & (1U << slot)) {
		breaks(p, rule);
		snprintf(p->w->why, sizeof(p->w->why),
			 "object %u of page %u is in two places", slot, page);
	}
	p->objects[page] |= 1U << slot;
}

static void put_object(struct places *p, const void *object)
{
	struct slab *slab = virt_to_slab(p->w->m, object);
	uintptr_t base, off;

	if (!slab || slab->slab_cache != p->w->s)
		return breaks(
			p, "P5: what a sheaf holds is an object of the cache");
	base = slab_base(p->w->m, slab);
	off = (uintptr_t)object - base - p->w->s->red_left_pad;
	if (off % p->w->s->size || off / p->w->s->size >= slab->objects)
		return breaks(
			p, "P5: what a sheaf holds is an object of the cache");
	put_slot(p, (unsigned int)(slab - p->w->m->memmap),
		 (unsigned int)(off / p->w->s->size),
		 "P5: an object is in one place");
}

static void put_sheaf(struct places *p, const struct slab_sheaf *sheaf,
		      unsigned int place, unsigned int capacity)
{
	const struct kmem_cache *s = p->w->s;
	unsigned int i;

	if (!sheaf_may_be(s, sheaf) || sheaf->cache != s ||
	    (sheaf->place != place))
		return breaks(p, "P4: a sheaf that is in use was not freed");
	for (i = 0; i < p->nr_sheaves; i++)
		if (p->sheaves[i] == sheaf)
			return breaks(p, "P4: a sheaf is in one place");
	if (p->nr_sheaves < MAX_CONTAINERS)
		p->sheaves[p->nr_sheaves++] = sheaf;
	if (sheaf->size > capacity)
		return breaks(p, "P2: size <= capacity");
	if (place == SHEAF_RESTS && sheaf->capacity != capacity)
		return breaks(p, "P2: inline frees know what a sheaf takes");
	for (i = 0; i < sheaf->size; i++)
		put_object(p, sheaf->objects[i]);
}

/* ---- slabs ---- */
static void check_chain(struct places *p, const struct slab *slab,
			unsigned int page)
{
	const struct kmem_cache *s = p->w->s;
	uintptr_t base = slab_base(p->w->m, slab);
	void *object = slab->freelist;
	unsigned int nr = 0;

	for (; object; object = get_freepointer(s, object)) {
		uintptr_t off = (uintptr_t)object - base - s->red_left_pad;

		if (off % s->size || off / s->size >= slab->objects)
			return breaks(
				p, "S2: a link leads to an object of the slab");
		if (++nr > slab->objects)
			return breaks(p, "S2: the chain ends");
		put_slot(p, page, (unsigned int)(off / s->size),
			 "S2, S15: what a chain has is there once, and no user "
			 "has it");
	}
	if (nr + slab->inuse != slab->objects) {
		snprintf(p->w->why, sizeof(p->w->why),
			 "page %u: %u on the chain, inuse %u of %u", page, nr,
			 slab->inuse, slab->objects);
		breaks(p, "S2: length of the chain == objects - inuse");
	}
	if (!slab->freelist != (slab->inuse == slab->objects))
		breaks(p, "S3: freelist is NULL exactly when all are in use");
}

static bool is_damaged(const struct world *w, unsigned int page)
{
	return w->in->damage && page == w->page_of[w->in->damaged];
}

static void check_slab_alone(struct places *p, const struct slab *slab,
			     unsigned int page)
{
	const struct world *w = p->w;

	if (slab->objects != w->in->objects || slab->inuse > slab->objects)
		breaks(p, "S1: inuse <= objects, and those never change");
	if (slab->frozen && (slab->freelist || slab->inuse != slab->objects))
		breaks(p, "S10: frozen means full");
	if (!is_damaged(w, page))
		check_chain(p, slab, page);
}

/* Compares with the last look: how a slab died, what a free left empty. */
static void check_change(struct places *p, const struct slab *slab,
			 unsigned int page, bool is_slab)
{
	struct seen *was = &p->w->state.seen[page];
	const struct kmem_cache_node *n = p->w->s->node[0];
	bool is_listed = is_slab && slab_is_partial(slab);
	bool is_kept = is_listed && !slab->inuse;

	/* T3: who may not wait for list_lock gives a new one back */
	if (was->is_slab && !is_slab &&
	    (was->is_listed ||
	     (was->inuse && !(was->is_new && p->w->in->sections))))
		breaks(p, "S14: a slab dies empty and on no list");
	if (!is_slab && slab->type != PAGE_NONE && slab->type != PAGE_SLAB &&
	    (slab->freelist || slab->counters || slab->flags))
		breaks(p, "S14: a dead slab is left alone");
	if (!is_kept)
		was->nr_partial = 0;
	else if (!was->is_kept)
		was->nr_partial = n->nr_partial;
	if (is_kept && !lock_is_held(&n->list_lock) &&
	    was->nr_partial > p->w->s->min_partial) {
		snprintf(p->w->why, sizeof(p->w->why),
			 "page %u was left empty with nr_partial %lu", page,
			 was->nr_partial);
		breaks(p, "S12: an empty slab stays only with nr_partial <= "
			  "min_partial");
	}
	/* judged once, when the lock was free for the first time */
	if (is_kept && !lock_is_held(&n->list_lock))
		was->nr_partial = 0;
	was->is_new = is_slab && !is_listed && slab->freelist &&
		      (was->is_new || !was->is_slab || was->nr != slab->nr);
	was->nr = slab->nr;
	was->is_slab = is_slab;
	was->is_listed = is_listed;
	was->is_kept = is_kept;
	was->inuse = is_slab ? slab->inuse : 0;
}

struct slab_sum {
	unsigned long live, listed, frozen, isolated;
};

static void check_slabs(struct places *p, struct slab_sum *sum)
{
	const struct world *w = p->w;
	unsigned int page;

	for (page = 1; page < MIN(w->m->pages_high, WORLD_PAGES); page++) {
		const struct slab *slab = &w->m->memmap[page];
		bool is_slab =
			slab->type == PAGE_SLAB && slab->slab_cache == w->s;

		check_change(p, slab, page, is_slab);
		if (!is_slab)
			continue;
		check_slab_alone(p, slab, page);
		sum->live++;
		sum->listed += slab_is_partial(slab);
		sum->frozen += slab->frozen;
		sum->isolated +=
			!slab_is_partial(slab) && slab->inuse != slab->objects;
	}
	if (w->m->pages_high > WORLD_PAGES)
		breaks(p, "more pages are in use than an explorer watches");
}

/* ---- lists ---- */
static const struct slab *listed(const struct world *w,
				 const struct list_head *at)
{
	const struct slab *slab = link_slab(w->m, at);

	return slab && slab < w->m->memmap + WORLD_PAGES &&
			       slab->type == PAGE_SLAB &&
			       slab->slab_cache == w->s && at->next->prev == at
		       ? slab
		       : NULL;
}

static void check_lists(struct places *p, const struct slab_sum *sum)
{
	const struct world *w = p->w;
	const struct kmem_cache_node *n = w->s->node[0];
	const struct list_head *at;
	const struct slab *slab;
	unsigned long partial = 0, full = 0;

	if ((long)n->nr_slabs < 0 || (long)n->nr_partial < 0 ||
	    n->nr_partial > n->nr_slabs + w->threads) {
		snprintf(p->w->why, sizeof(p->w->why),
			 "nr_partial %ld, nr_slabs %ld", (long)n->nr_partial,
			 (long)n->nr_slabs);
		breaks(p, "N3: 0 <= nr_partial <= nr_slabs");
	}
	if (lock_is_held(&n->list_lock))
		return;
	for (at = n->partial.next; at != &n->partial; at = at->next) {
		slab = listed(w, at);
		if (!slab || ++partial > sum->live)
			return breaks(p, "S8: the partial list leads through "
					 "slabs of the cache, each once");
		if (!slab_is_partial(slab))
			breaks(p, "S4: on partial means SL_partial");
		if (!slab->freelist)
			breaks(p, "S5: on partial means a free object");
		if (slab->frozen)
			breaks(p, "S10: frozen means on no list");
	}
	if (partial != sum->listed)
		breaks(p, "S4: SL_partial means on partial");
	if (partial != n->nr_partial)
		breaks(p, "S7: nr_partial == length of partial");
	for (at = n->full.next; at != &n->full; at = at->next) {
		slab = listed(w, at);
		if (!slab || ++full > sum->live)
			return breaks(p, "S8: the full list leads through "
					 "slabs of the cache, each once");
		if (!(w->s->flags & SLAB_STORE_USER) || slab->freelist ||
		    slab->inuse != slab->objects || slab_is_partial(slab))
			breaks(p,
			       "S9: on full means full, and SLAB_STORE_USER");
	}
	if ((w->s->flags & SLAB_STORE_USER) && !sum->frozen &&
	    n->nr_slabs != partial + full) {
		snprintf(p->w->why, sizeof(p->w->why),
			 "nr_slabs %lu, %lu partial, %lu full", n->nr_slabs,
			 partial, full);
		breaks(p, "N4: nr_slabs == partial + full");
	}
}

/* ---- sheaves ---- */
/* Those that a CPU keeps: full ones, and empty ones in their places. */
static void check_local(struct places *p, const struct slub_percpu_sheaves *pcs)
{
	unsigned int capacity = p->w->s->sheaf_capacity, nr = 0;
	const struct slab_sheaf *sheaf;

	for (sheaf = pcs->local_full; sheaf && !p->broken;
	     sheaf = sheaf_next(sheaf), nr++) {
		put_sheaf(p, sheaf, SHEAF_RESTS, capacity);
		if (!p->broken && !sheaf->size)
			breaks(p, "P6: full sheaves that a CPU keeps hold "
				  "objects, empty ones none");
	}
	for (sheaf = pcs->local_empty; sheaf && !p->broken;
	     sheaf = sheaf_next(sheaf), nr++) {
		put_sheaf(p, sheaf, SHEAF_RESTS, capacity);
		if (!p->broken && sheaf->size)
			breaks(p, "P6: full sheaves that a CPU keeps hold "
				  "objects, empty ones none");
	}
	if (!p->broken && nr != pcs->nr_local)
		breaks(p, "P6: nr_local is how many sheaves a CPU keeps");
}

static void check_cpu(struct places *p, const struct slub_percpu_sheaves *pcs)
{
	const struct kmem_cache *s = p->w->s;

	if (world_is_locked(p->w, pcs))
		return;
	if (!pcs->main)
		return breaks(p, "P1: main is never NULL");
	if (pcs->fast != (p->w->in->sections ? pcs->main : bootstrap_sheaf))
		return breaks(p, "P1: inline paths find main, or nothing");
	put_sheaf(p, pcs->main, SHEAF_RESTS, s->sheaf_capacity);
	if (pcs->spare)
		put_sheaf(p, pcs->spare, SHEAF_RESTS, s->sheaf_capacity);
	if (pcs->rcu_free)
		put_sheaf(p, pcs->rcu_free, SHEAF_RESTS, s->sheaf_capacity);
	check_local(p, pcs);
	if (pcs->rcu_free && pcs->rcu_free->size == s->sheaf_capacity)
		breaks(p, "P3: a full rcu_free is submitted at once");
}

static void check_barn_list(struct places *p, const struct list_head *list,
			    unsigned int nr, bool is_full)
{
	const struct list_head *at;
	unsigned int found = 0;

	for (at = list->next; at != list; at = at->next) {
		const struct slab_sheaf *sheaf =
			container_of(at, struct slab_sheaf, list);

		if (!sheaf_may_be(p->w->s, sheaf) || at->next->prev != at ||
		    ++found > nr)
			return breaks(
				p,
				"P6: a barn's lists are as long as its counts");
		if (is_full != (sheaf->size != 0))
			breaks(p, "P6: a barn's full sheaves hold objects, the "
				  "empty ones none");
		put_sheaf(p, sheaf, SHEAF_RESTS, p->w->s->sheaf_capacity);
	}
	if (found != nr)
		breaks(p, "P6: a barn's lists are as long as its counts");
}

static void check_waiting(struct places *p)
{
	const struct slab_machine *m = p->w->m;
	const struct rcu_head *head;
	unsigned int cpu, i;

	for (head = m->rcu_first; head; head = head->next) {
		if (rcu_head_is_sheaf(head)) {
			put_sheaf(
				p,
				container_of(head, struct slab_sheaf, rcu_head),
				SHEAF_IN_RCU, p->w->s->sheaf_capacity);
		} else if (rcu_head_is_batch(head)) {
			const struct krc_block *b =
				container_of(head, struct krc_block, rcu);

			for (i = 0; i < b->nr; i++)
				put_object(p, b->p[i]);
		}
	}
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		for (i = 0; m->krc[cpu] && i < m->krc[cpu]->nr; i++)
			put_object(p, m->krc[cpu]->p[i]);
}

/* What kfree_nolock() put off, linked as it is. */
static void check_deferred(struct places *p)
{
	const struct slab_machine *m = p->w->m;
	unsigned int cpu, left;
	const char *object;

	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		left = m->nr_deferred[cpu];
		for (object = m->deferred[cpu]; object && left && !p->broken;
		     object = (void *)word_read((void *)waiting_link(p->w->s, object))) {
			put_object(p, object);
			left--;
		}
	}
}

static void check_sheaves(struct places *p)
{
	const struct world *w = p->w;
	const struct node_barn *barn = w->s->node[0]->barn;
	const struct list_head *at;
	unsigned int cpu;

	check_waiting(p);
	check_deferred(p);
	if (!w->s->sheaf_capacity) {
		for (cpu = 0; cpu < w->m->config.nr_cpu_ids; cpu++)
			if (w->s->cpu_sheaves[cpu].main != bootstrap_sheaf)
				breaks(p, "P8: no sheaves but the bootstrap "
					  "sheaf");
		return;
	}
	for (cpu = 0; cpu < w->m->config.nr_cpu_ids; cpu++)
		check_cpu(p, &w->s->cpu_sheaves[cpu]);
	if (!lock_is_held(&barn->lock)) {
		check_barn_list(p, &barn->sheaves_full, barn->nr_full, true);
		check_barn_list(p, &barn->sheaves_empty, barn->nr_empty, false);
	}
	if (lock_is_held(&w->s->lent_lock))
		return;
	for (at = w->s->lent.next; at != &w->s->lent; at = at->next) {
		const struct slab_sheaf *sheaf =
			container_of(at, struct slab_sheaf, list);

		put_sheaf(p, sheaf, SHEAF_LENT, sheaf->capacity);
	}
}

/* ---- nothing is in progress ---- */
static void check_quiet(struct places *p, const struct slab_sum *sum)
{
	const struct world *w = p->w;
	const struct kmem_cache_node *n = w->s->node[0];
	unsigned int page, cpu;
	bool is_locked = lock_is_held(&n->list_lock) ||
			 lock_is_held(&w->m->pages_lock) ||
			 lock_is_held(&w->m->meta_lock) ||
			 lock_is_held(&w->m->cpus_lock) ||
			 lock_is_held(&w->m->flush_lock) ||
			 lock_is_held(&w->m->slab_mutex) ||
			 lock_is_held(&w->s->lent_lock) ||
			 (n->barn && lock_is_held(&n->barn->lock));

	for (cpu = 0; cpu < w->m->config.nr_cpu_ids; cpu++)
		is_locked |= world_is_locked(w, &w->s->cpu_sheaves[cpu]) ||
			     lock_is_held(&w->s->cpu_sheaves[cpu].lock);
	if (is_locked)
		breaks(p, "no lock is held at the end");
	if (sum->isolated)
		breaks(p, "S11: no slab with a free object is on no list");
	/* one that froze before it was listed is not counted */
	if (n->nr_slabs != sum->live && !w->in->damage)
		breaks(p, "N1: nr_slabs == number of slabs");
	if (n->total_objects != sum->live * w->in->objects && !w->in->damage)
		breaks(p, "N2: total_objects == their objects");
	for (page = 1; page < MIN(w->m->pages_high, WORLD_PAGES); page++) {
		const struct slab *slab = &w->m->memmap[page];

		if (slab->type == PAGE_SLAB && !is_damaged(w, page) &&
		    p->objects[page] != (1U << slab->objects) - 1) {
			snprintf(p->w->why, sizeof(p->w->why),
				 "page %u: objects 0x%x of 0x%x are found",
				 page, p->objects[page],
				 (1U << slab->objects) - 1);
			breaks(p, "N5: every object is in some place");
		}
	}
	if (w->s->sheaf_capacity && p->nr_sheaves != world_containers(w)) {
		snprintf(p->w->why, sizeof(p->w->why),
			 "%u sheaves are found, %lu are there", p->nr_sheaves,
			 world_containers(w));
		breaks(p, "P4: every sheaf is in some place");
	}
}

void world_watch(struct world *w)
{
	struct places p = { .w = w };
	unsigned int page;

	if (world_is_gone(w))
		return;
	for (page = 1; page < MIN(w->m->pages_high, WORLD_PAGES); page++) {
		const struct slab *slab = &w->m->memmap[page];

		check_change(&p, slab, page,
			     slab->type == PAGE_SLAB &&
				     slab->slab_cache == w->s);
	}
}

const char *world_check(struct world *w, bool is_quiet)
{
	struct places p = { .w = w };
	struct slab_sum sum = { 0 };
	unsigned int page;

	if (world_is_gone(w))
		return NULL;
	if (w->m->sections_broken)
		breaks(&p, w->m->sections_broken);
	memcpy(p.objects, w->state.held, sizeof(p.objects));
	check_slabs(&p, &sum);
	for (page = 1; page < MIN(w->m->pages_high, WORLD_PAGES); page++)
		if (w->state.held[page] && w->m->memmap[page].type != PAGE_SLAB)
			breaks(&p, "S14: a slab dies with no object in use");
	check_lists(&p, &sum);
	check_sheaves(&p);
	if (is_quiet)
		check_quiet(&p, &sum);
	if (w->state.nr_reports && !w->in->damage) {
		snprintf(w->why, sizeof(w->why), "%s", w->state.report);
		breaks(&p, "a report was made");
	}
	return p.broken;
}

/* SPDX-License-Identifier: MIT */
/*
 * model_sheaf.c - see model.h: what serves a cache without debug flags
 *
 *	main <-> spare <-> barn's full sheaves <-> slabs
 *
 * Numbers are those of spec/allocator/alloc-free-paths.md and geometry.md. The
 * measured kernel had one CPU, one node and memory enough: a container is never
 * missing, so empty ones need not be counted, and nobody else holds a lock.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define MAX_FULL   10
#define BATCH	   32
#define LOOK_AHEAD 3

struct msheaf {
	unsigned int nr;
	struct mptr at[]; /* the top is the last */
};

/* 2.6 */
unsigned int sheaf_capacity(const struct layout *l)
{
	if (l->flags & FLAG_DEBUG)
		return 0;
	return l->size >= 4096	 ? 4
	       : l->size >= 1024 ? 12
	       : l->size >= 256	 ? 28
				 : 60;
}

static struct msheaf *sheaf_new(const struct mcache *s)
{
	return must(calloc(1, sizeof(struct msheaf) +
				      s->capacity * sizeof(struct mptr)));
}

void msheaves_init(const struct model *m, struct mcache *s)
{
	bool has =
		m->front == SHEAVES_OF_ALL ||
		(m->front == SHEAVES_OF_KMALLOC && (s->l.flags & FLAG_KMALLOC));

	s->capacity = has ? sheaf_capacity(&s->l) : 0;
	if (s->capacity)
		s->main = sheaf_new(s);
}

void msheaves_free(struct mcache *s)
{
	free(s->main);
	free(s->spare);
	for (unsigned int i = 0; i < s->nr_full_sheaves; i++)
		free(s->full_sheaves[i]);
	free(s->full_sheaves);
}

/* ---- slabs, many objects at once: 3.5 ---- */
static struct mptr next_of(const struct mslab *slab, struct mptr p)
{
	return mlink_read(slab, p.off + slab->s->l.fp);
}

/* DIVERGENCE bad-head: a kernel would follow it. */
static bool can_follow(struct model *m, struct mslab *slab, struct mptr p)
{
	if (may_follow(slab, p))
		return true;
	m->event = RULE_BAD_HEAD;
	mreport_slab(m, slab, "Freepointer corrupt");
	say(m, "FIX %s: Freelist cleared", slab->s->name);
	return false;
}

static void give_back(struct model *m, struct mslab *slab, struct mptr head,
		      unsigned int cnt)
{
	struct mptr tail = head;
	unsigned int i;

	for (i = 1; i < cnt; i++) {
		struct mptr next = next_of(slab, tail);

		if (!can_follow(m, slab, next))
			break;
		tail = next;
	}
	mfree_chain(m, slab->s, head, tail, i);
}

static unsigned int grab(struct model *m, struct mslab *slab, struct mptr *to,
			 unsigned int max)
{
	unsigned int nr = slab->objects - slab->inuse, got = 0;
	struct mptr p = slab->head;

	slab->head = (struct mptr){ 0 };
	slab->inuse = slab->objects;
	while (got < nr && got < max) {
		if (!can_follow(m, slab, p))
			return got;
		to[got++] = p;
		p = next_of(slab, p);
	}
	if (got < nr && can_follow(m, slab, p))
		give_back(m, slab, p, nr - got);
	return got;
}

static unsigned int grab_new(struct model *m, struct mcache *s, struct mptr *to,
			     unsigned int max)
{
	struct mslab *slab = mslab_new(m, s);
	unsigned int nr = max < slab->objects ? max : slab->objects;

	for (unsigned int i = 0; i < nr; i++) {
		to[i] = slab->head;
		slab->head = next_of(slab, slab->head);
	}
	slab->inuse = nr;
	mlist_move(slab, nr < slab->objects ? ON_PARTIAL : ON_FULL, true);
	mcount(slab, 1);
	return nr;
}

static void refill(struct model *m, struct mcache *s, struct mptr *to,
		   unsigned int nr)
{
	struct mslab *taken[64];
	unsigned int nr_taken = 0, total = 0, got = 0;

	while (s->nr_partial && total < nr && nr_taken < 64) {
		struct mslab *slab = s->partial[0];

		mlist_move(slab, ON_NO_LIST, false);
		taken[nr_taken++] = slab;
		total += slab->objects - slab->inuse;
	}
	/* the last one first */
	while (got < nr && nr_taken)
		got += grab(m, taken[--nr_taken], to + got, nr - got);
	if (nr_taken)
		m->is_lost = true; /* chains longer than their counts */
	while (got < nr)
		got += grab_new(m, s, to + got, nr - got);
}

/* ---- back to slabs: 3.12 ---- */
static bool is_next_of_itself(struct model *m, struct mptr p,
			      struct mptr neighbour)
{
	if (!mptr_equal(p, neighbour))
		return false;
	m->event = RULE_SELF_LINK;
	mreport_object(m, p.slab, "Object already free", p);
	mreport_not_freed(m, p.slab, p);
	return true;
}

/* The last of at[0..nr-1] and others of its slab; how many are left. */
static unsigned int free_chain(struct model *m, struct mcache *s,
			       struct mptr *at, unsigned int nr, bool has_hooks)
{
	unsigned int kept = nr - 1, cnt = 1, misses = 0;
	struct mptr head = at[kept], tail = head;
	struct mslab *slab = head.slab;

	for (unsigned int i = kept; i > 0 && misses < LOOK_AHEAD;) {
		struct mptr p = at[--i];

		if (p.slab != slab) {
			misses++;
			continue;
		}
		if (!is_next_of_itself(m, p, has_hooks ? tail : head)) {
			cnt++;
			if (has_hooks) {
				mlink_write(slab, tail.off + s->l.fp, p);
				tail = p;
			} else {
				mlink_write(slab, p.off + s->l.fp, head);
				head = p;
			}
		}
		kept--;
		at[i] = at[kept];
		at[kept] = p;
	}
	mfree_chain(m, s, head, tail, cnt);
	return kept;
}

void mfree_bulk(struct model *m, struct mcache *s, struct mptr *at,
		unsigned int nr, bool has_hooks)
{
	while (nr) {
		/* an entry that was left twice, and its slab is gone */
		if (at[nr - 1].slab->is_discarded) {
			m->is_lost = true;
			return;
		}
		nr = free_chain(m, s, at, nr, has_hooks);
	}
}

static void flush(struct model *m, struct mcache *s, struct msheaf *sheaf)
{
	unsigned int nr = sheaf->nr;

	sheaf->nr = 0;
	mfree_bulk(m, s, sheaf->at, nr, false);
}

/* 3.13: the spare first, main in batches from its top, then the barn. */
void msheaves_flush(struct model *m, struct mcache *s)
{
	if (!s->capacity)
		return;
	if (s->spare)
		flush(m, s, s->spare);
	free(s->spare);
	s->spare = NULL;
	while (s->main->nr) {
		unsigned int nr = s->main->nr < BATCH ? s->main->nr : BATCH;
		struct mptr batch[BATCH];

		s->main->nr -= nr;
		memcpy(batch, s->main->at + s->main->nr, nr * sizeof(*batch));
		mfree_bulk(m, s, batch, nr, false);
	}
	/* the youngest first */
	while (s->nr_full_sheaves) {
		struct msheaf *full = s->full_sheaves[--s->nr_full_sheaves];

		flush(m, s, full);
		free(full);
	}
}

/* ---- one object: 3.2, 3.3 ---- */
static void swap_spare(struct mcache *s)
{
	struct msheaf *main = s->main;

	s->main = s->spare;
	s->spare = main;
}

/* main has something afterwards; a bulk request refills no sheaf. */
static bool fill_main(struct model *m, struct mcache *s, bool may_refill)
{
	if (s->main->nr)
		return true;
	if (s->spare && s->spare->nr) {
		swap_spare(s);
		return true;
	}
	if (s->nr_full_sheaves) {
		free(s->main);
		s->main = s->full_sheaves[--s->nr_full_sheaves];
		return true;
	}
	if (!may_refill)
		return false;
	/* the spare, empty, is what is filled, and main becomes the spare */
	if (!s->spare)
		s->spare = sheaf_new(s);
	swap_spare(s);
	refill(m, s, s->main->at, s->capacity);
	s->main->nr = s->capacity;
	return true;
}

struct mptr msheaf_alloc(struct model *m, struct mcache *s)
{
	fill_main(m, s, true);
	return s->main->at[--s->main->nr];
}

/* 3.12 */
void msheaf_alloc_bulk(struct model *m, struct mcache *s, struct mptr *to,
		       unsigned int nr)
{
	unsigned int done = 0;

	while (done < nr && fill_main(m, s, false)) {
		unsigned int n =
			nr - done < s->main->nr ? nr - done : s->main->nr;

		s->main->nr -= n;
		memcpy(to + done, s->main->at + s->main->nr, n * sizeof(*to));
		done += n;
	}
	if (done < nr)
		refill(m, s, to + done, nr - done);
}

/* ---- free: 3.9, 3.10 ---- */
static void make_room(struct model *m, struct mcache *s)
{
	if (s->main->nr < s->capacity)
		return;
	if (s->spare && s->spare->nr < s->capacity) {
		swap_spare(s);
		return;
	}
	if (s->spare && s->nr_full_sheaves < MAX_FULL) {
		s->full_sheaves = must(realloc(
			s->full_sheaves,
			(s->nr_full_sheaves + 1) * sizeof(struct msheaf *)));
		s->full_sheaves[s->nr_full_sheaves++] = s->main;
		s->main = sheaf_new(s);
		return;
	}
	/* no spare: main becomes it. Barn full: the spare is emptied first */
	if (s->spare)
		flush(m, s, s->spare);
	else
		s->spare = sheaf_new(s);
	swap_spare(s);
}

void msheaf_free(struct model *m, struct mcache *s, struct mptr p)
{
	make_room(m, s);
	s->main->at[s->main->nr++] = p;
}

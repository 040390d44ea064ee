/* SPDX-License-Identifier: MIT */
/* model.c - see model.h: slabs, lists, allocation and free */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* ---- words and bytes ---- */
bool mptr_equal(struct mptr a, struct mptr b)
{
	return !a.is_wild && !b.is_wild && a.slab == b.slab &&
	       (!a.slab || a.off == b.off);
}

struct mptr mptr_add(struct mptr p, long n)
{
	if (p.slab)
		p.off += n;
	else if (n)
		p.is_wild = true;
	return p;
}

/* n bytes; what is outside of the slab is cut off. Links under them go. */
void mwrite(struct mslab *slab, long off, int byte, long n)
{
	long end = off + n;

	if (off < 0)
		off = 0;
	if (end > slab->s->bytes)
		end = slab->s->bytes;
	for (size_t i = 0; off < end && i < slab->nr_links;) {
		if (slab->links[i].off < end && slab->links[i].off + 8 > off)
			slab->links[i] = slab->links[--slab->nr_links];
		else
			i++;
	}
	for (; off < end; off++)
		slab->bytes[off] = (int16_t)byte;
}

struct mptr mlink_read(const struct mslab *slab, long off)
{
	for (size_t i = 0; i < slab->nr_links; i++) {
		if (slab->links[i].off == off)
			return slab->links[i].to;
	}
	return (struct mptr){ .is_wild = true }; /* decoded from anything */
}

void mlink_write(struct mslab *slab, long off, struct mptr to)
{
	mwrite(slab, off, UNKNOWN, 8);
	if (off < 0 || off + 8 > slab->s->bytes)
		return;
	slab->links = must(realloc(slab->links, (slab->nr_links + 1) *
							sizeof(*slab->links)));
	slab->links[slab->nr_links++] = (struct mlink){ off, to };
}

static struct mptr next_of(const struct mslab *slab, struct mptr p)
{
	return mlink_read(slab, p.off + slab->s->l.fp);
}

bool may_follow(const struct mslab *slab, struct mptr p)
{
	long slot = p.off - (long)slab->s->l.left_pad;

	return p.slab == slab && slot >= 0 &&
	       slot + (long)slab->s->l.size <= slab->s->bytes;
}

long mobject(const struct mslab *slab, unsigned int i)
{
	return (long)slab->s->l.left_pad + (long)i * (long)slab->s->l.size;
}

static unsigned int index_of(const struct mslab *slab, long off)
{
	return (unsigned int)((off - (long)slab->s->l.left_pad) /
			      (long)slab->s->l.size) %
	       slab->s->objects;
}

void minit_object(struct mslab *slab, long off, bool is_active)
{
	const struct layout *l = &slab->s->l;
	int red = is_active ? 0xcc : 0xbb;
	long n = l->object_size;

	if (l->flags & FLAG_Z) {
		mwrite(slab, off - (long)l->left_pad, red, l->left_pad);
		if (l->has_orig_size && is_active)
			n = slab->orig_size[index_of(slab, off)];
	}
	if (l->is_poisoned && n) {
		mwrite(slab, off, 0x6b, n - 1);
		mwrite(slab, off + n - 1, 0xa5, 1);
	}
	if (l->flags & FLAG_Z)
		mwrite(slab, off + n, red, (long)l->inuse - n);
}

/* ---- lists ---- */
static void list_take(struct mslab **list, size_t *nr, const struct mslab *slab)
{
	for (size_t i = 0; i < *nr; i++) {
		if (list[i] != slab)
			continue;
		(*nr)--;
		memmove(list + i, list + i + 1, (*nr - i) * sizeof(void *));
		return;
	}
}

static void list_put(struct mslab ***list, size_t *nr, struct mslab *slab,
		     bool to_head)
{
	*list = must(realloc(*list, (*nr + 1) * sizeof(void *)));
	if (to_head)
		memmove(*list + 1, *list, *nr * sizeof(void *));
	(*list)[to_head ? 0 : *nr] = slab;
	(*nr)++;
}

void mlist_move(struct mslab *slab, enum mlist to, bool to_head)
{
	struct mcache *s = slab->s;

	if (slab->list == ON_PARTIAL)
		list_take(s->partial, &s->nr_partial, slab);
	else if (slab->list == ON_FULL)
		list_take(s->full, &s->nr_full, slab);
	/* full slabs are listed for those who ask who has what */
	if (to == ON_FULL && !(s->l.flags & FLAG_U))
		to = ON_NO_LIST;
	if (to == ON_PARTIAL)
		list_put(&s->partial, &s->nr_partial, slab, to_head);
	else if (to == ON_FULL)
		list_put(&s->full, &s->nr_full, slab, true);
	slab->list = to;
}

void mcount(struct mslab *slab, int by)
{
	slab->s->nr_slabs += (unsigned long)by;
	slab->s->total_objects += (unsigned long)(by * (long)slab->objects);
}

struct mcache *mcache_new(struct model *m, const char *name,
			  const struct layout *l, unsigned int objects,
			  unsigned int order)
{
	struct mcache *s = must(calloc(1, sizeof(*s)));
	unsigned int log = 0;

	snprintf(s->name, sizeof(s->name), "%s", name);
	s->l = *l;
	s->objects = objects;
	s->order = order;
	s->bytes = 4096L << order;
	s->is_plain = !(l->flags & FLAG_DEBUG);
	msheaves_init(m, s);
	while (l->size >> (log + 1))
		log++;
	s->min_partial = log / 2 < 5 ? 5 : log / 2 > 10 ? 10 : log / 2;
	m->all = must(realloc(m->all, (m->nr_all + 1) * sizeof(void *)));
	m->all[m->nr_all++] = s;
	return s;
}

static unsigned int common_divisor(unsigned int a, unsigned int b)
{
	while (b) {
		unsigned int rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * The i-th free object of a new slab. In order 0 the first few are no
 * neighbours and not at the slab's ends, as it is with most random orders; 1
 * and 2 are up and down.
 */
static unsigned int nth_object(const struct mcache *s, unsigned int order,
			       unsigned int i)
{
	unsigned int stride = s->objects * 5 / 13 + 1 + order;

	if (order == 1)
		return i;
	if (order == 2)
		return s->objects - 1 - i;
	while (common_divisor(stride, s->objects) != 1)
		stride++;
	return (s->objects / 2 + 7 * order + i * stride) % s->objects;
}

struct mslab *mslab_new(struct model *m, struct mcache *s)
{
	struct mslab *slab = must(calloc(1, sizeof(*slab)));
	bool has_p = s->l.flags & FLAG_P;

	m->slabs = must(realloc(m->slabs, (m->nr_slabs + 1) * sizeof(void *)));
	m->slabs[m->nr_slabs++] = slab;
	slab->s = s;
	slab->objects = s->objects;
	slab->bytes = must(calloc((size_t)s->bytes, sizeof(*slab->bytes)));
	slab->orig_size = must(calloc(s->objects, sizeof(unsigned int)));
	mwrite(slab, 0, has_p ? 0x5a : UNKNOWN, s->bytes);
	for (unsigned int i = 0; i < s->objects; i++) {
		long off = mobject(slab, nth_object(s, m->order, i));
		struct mptr next = { 0 };

		if (i == 0)
			slab->head = (struct mptr){ slab, off, false };
		if (i + 1 < s->objects)
			next = (struct mptr){
				slab,
				mobject(slab, nth_object(s, m->order, i + 1)),
				false,
			};
		if (s->l.flags & FLAG_DEBUG)
			minit_object(slab, off, false);
		if (s->l.flags & FLAG_U)
			mwrite(slab, off + s->l.info_end, UNKNOWN, 64);
		mlink_write(slab, off + s->l.fp, next);
	}
	return slab;
}

/* ---- allocation ---- */
static void hand_out(struct mslab *slab, struct mptr p, unsigned int orig_size)
{
	if (slab->s->is_plain)
		return;
	if (slab->s->l.has_orig_size)
		slab->orig_size[index_of(slab, p.off)] = orig_size;
	minit_object(slab, p.off, true);
	if (slab->s->l.flags & FLAG_U)
		mwrite(slab, p.off + slab->s->l.info_end, UNKNOWN, 32);
}

static void drop_freelist(struct mslab *slab)
{
	if (slab->list == ON_PARTIAL && !slab->head.slab && !slab->head.is_wild)
		mlist_move(slab, ON_FULL, false);
}

/* DIVERGENCE bad-head: a kernel would follow it. */
static void drop_bad_head(struct model *m, struct mslab *slab)
{
	m->event = RULE_BAD_HEAD;
	mreport_slab(m, slab, "Freepointer corrupt");
	slab->head = (struct mptr){ 0 };
	slab->inuse = slab->objects;
	say(m, "FIX %s: Freelist cleared", slab->s->name);
	drop_freelist(slab);
}

/* The head of a slab's chain, checked; false when the slab has none to give.
 * is_new: on no list yet. */
static bool pop(struct model *m, struct mslab *slab, bool is_new,
		unsigned int orig_size, struct mptr *ret)
{
	bool has_f = slab->s->l.flags & FLAG_F;
	struct mptr p = slab->head;
	bool can_follow = may_follow(slab, p);

	if (!has_f && !can_follow) {
		drop_bad_head(m, slab);
		return false;
	}
	slab->inuse = (slab->inuse + 1) & 0xffff;
	if (can_follow)
		slab->head = next_of(slab, p);
	else
		m->event = RULE_BAD_HEAD;
	if (has_f && !mcheck_alloc(m, slab, p)) {
		say(m, "FIX %s: Marking all objects used", slab->s->name);
		slab->inuse = slab->objects;
		slab->head = (struct mptr){ 0 };
		slab->is_frozen = true;
		mlist_move(slab, ON_NO_LIST, false);
		return false;
	}
	hand_out(slab, p, orig_size);
	if (!is_new &&
	    (slab->s->is_plain ? !slab->head.slab && !slab->head.is_wild
			       : slab->inuse == slab->objects))
		mlist_move(slab, ON_FULL, false);
	*ret = p;
	return true;
}

struct mptr malloc_object(struct model *m, struct mcache *s,
			  unsigned int orig_size)
{
	struct mptr p;
	struct mslab *slab;

	if (s->capacity)
		return msheaf_alloc(m, s);
	if (s->is_plain && m->front == CPU_SLAB)
		return mcpu_alloc(m, s);
	for (size_t i = 0; i < s->nr_partial;) {
		slab = s->partial[i];
		if (pop(m, slab, false, orig_size, &p))
			return p;
		if (i < s->nr_partial && s->partial[i] == slab)
			i++;
	}
	slab = mslab_new(m, s);
	if (!pop(m, slab, true, orig_size, &p)) {
		m->is_lost = true; /* a new slab is whole */
		return (struct mptr){ 0 };
	}
	mlist_move(slab, slab->inuse == slab->objects ? ON_FULL : ON_PARTIAL,
		   true);
	mcount(slab, 1);
	return p;
}

/* ---- free ---- */
static void discard(struct model *m, struct mslab *slab)
{
	mlist_move(slab, ON_NO_LIST, false);
	mcount(slab, -1);
	slab->is_discarded = true;
	if (!(slab->s->l.flags & FLAG_F))
		return;
	mcheck_padding(m, slab);
	for (unsigned int i = 0; i < slab->objects && i < slab->s->objects; i++)
		mcheck_object(m, slab, mobject(slab, i), false);
}

static void refuse(struct model *m, struct mslab *slab, struct mptr last)
{
	mreport_not_freed(m, slab, last);
	drop_freelist(slab);
}

/* 2.7 steps 3 to 5: objects found; 0 when *last was refused. */
static unsigned int process_chain(struct model *m, struct mslab *slab,
				  struct mptr head, struct mptr tail,
				  unsigned int cnt, struct mptr *last)
{
	unsigned int seen = 0;
	struct mptr p = head;

	for (;;) {
		*last = p;
		if (++seen > cnt)
			return seen;
		if (slab->s->l.flags & FLAG_F) {
			if (!mcheck_free(m, slab, p))
				return 0;
		} else if (!may_follow(slab, p)) {
			char name[64];

			m->event = RULE_WILD_FREE;
			mreport_slab(m, slab, "Invalid object pointer %s",
				     mknown_name(m, p, name));
			return 0;
		}
		if (slab->s->l.flags & FLAG_U)
			mwrite(slab, p.off + slab->s->l.info_end + 32, UNKNOWN,
			       32);
		minit_object(slab, p.off, false);
		if (mptr_equal(p, tail))
			return seen;
		p = next_of(slab, p);
	}
}

static bool links_to_itself(struct model *m, struct mslab *slab,
			    struct mptr tail)
{
	if (!mptr_equal(tail, slab->head))
		return false;
	m->event = RULE_SELF_LINK;
	mreport_object(m, slab, "Object already free", tail);
	return true;
}

static bool debug_take_back(struct model *m, struct mslab *slab,
			    struct mptr head, struct mptr tail,
			    unsigned int cnt)
{
	struct mptr last = head;
	unsigned int found;

	if ((slab->s->l.flags & FLAG_F) && !mcheck_slab(m, slab)) {
		refuse(m, slab, last);
		return false;
	}
	if (slab->inuse < cnt) {
		mreport_slab(
			m, slab,
			"Slab has %u allocated objects but %u are to be freed",
			slab->inuse, cnt);
		refuse(m, slab, last);
		return false;
	}
	found = process_chain(m, slab, head, tail, cnt, &last);
	if (found && found != cnt)
		mreport_slab(m, slab,
			     "Bulk free expected %u objects but found %u", cnt,
			     found);
	if (!found || found > cnt || links_to_itself(m, slab, tail)) {
		refuse(m, slab, last);
		return false;
	}
	slab->inuse -= found;
	return true;
}

static bool plain_take_back(struct model *m, struct mslab *slab,
			    struct mptr head, struct mptr tail,
			    unsigned int cnt)
{
	char name[64];

	if (!may_follow(slab, head) || !may_follow(slab, tail)) {
		m->event = RULE_WILD_FREE;
		mreport_slab(m, slab, "Invalid object pointer %s",
			     mknown_name(m, head, name));
	} else if (slab->inuse < cnt) {
		m->event = RULE_INUSE_UNDERFLOW;
		mreport_slab(
			m, slab,
			"Slab has %u allocated objects but %u are to be freed",
			slab->inuse, cnt);
	} else if (!links_to_itself(m, slab, tail)) {
		slab->inuse -= cnt;
		return true;
	}
	mreport_not_freed(m, slab, head);
	return false;
}

void mfree_chain(struct model *m, struct mcache *s, struct mptr head,
		 struct mptr tail, unsigned int cnt)
{
	struct mslab *slab = head.slab;
	bool was_full;

	if (slab == s->cpu_slab && may_follow(slab, head) &&
	    may_follow(slab, tail)) {
		mcpu_free(m, s, head, tail);
		return;
	}
	if (s->is_plain ? !plain_take_back(m, slab, head, tail, cnt)
			: !debug_take_back(m, slab, head, tail, cnt))
		return;
	was_full = s->is_plain ? !slab->head.slab && !slab->head.is_wild
			       : slab->list != ON_PARTIAL;
	mlink_write(slab, tail.off + s->l.fp, slab->head);
	slab->head = head;
	/* emptied, and a damaged head hides that it was full: as unlisted as
	 * before */
	if (s->is_plain && !was_full && slab->list != ON_PARTIAL)
		return;
	if (!slab->inuse && s->nr_partial >= s->min_partial)
		discard(m, slab);
	else if (was_full)
		mlist_move(slab, ON_PARTIAL, false);
}

bool mfree_is_refused(struct model *m, struct mcache *s, struct mptr p)
{
	if (!p.slab || p.off < 0 || p.off >= p.slab->s->bytes) {
		m->event = RULE_NOT_IN_SLAB;
		if (!m->said_not_in_slab)
			say(m,
			    "kmem_cache_free(%s, PTR): object is not in a slab "
			    "page",
			    s->name);
		m->said_not_in_slab = true;
		return true;
	}
	if (p.slab->s != s) {
		m->event = RULE_WRONG_CACHE;
		if (!m->said_wrong_cache)
			say(m,
			    "kmem_cache_free(%s, PTR): object belongs to "
			    "different cache %s",
			    s->name, p.slab->s->name);
		m->said_wrong_cache = true;
		return true;
	}
	return false;
}

void mfree_one(struct model *m, struct mcache *s, struct mptr p)
{
	if (s->capacity && may_follow(p.slab, p))
		msheaf_free(m, s, p);
	else
		mfree_chain(m, s, p, p, 1);
}

void mfree(struct model *m, struct mcache *s, struct mptr p)
{
	if (!mfree_is_refused(m, s, p))
		mfree_one(m, s, p);
}

/* ---- the end of slabs ---- */
void mdestroy(struct model *m, struct mcache *s)
{
	struct mslab *empty[64];
	size_t nr = 0;

	msheaves_flush(m, s);
	mcpu_flush(m, s);
	for (size_t i = 0; i < s->nr_partial;) {
		struct mslab *slab = s->partial[i];

		if (!slab->inuse && nr < ARRAY_SIZE(empty)) {
			mlist_move(slab, ON_NO_LIST, false);
			empty[nr++] = slab;
		} else {
			mremaining(m, slab);
			i++;
		}
	}
	while (nr)
		discard(m, empty[--nr]);
	if (s->nr_slabs)
		say(m, "kmem_cache_destroy %s: Slab cache still has objects",
		    s->name);
}

void mshrink(struct model *m, struct mcache *s)
{
	msheaves_flush(m, s);
	mcpu_flush(m, s);
	for (size_t i = 0; i < s->nr_partial;) {
		if (!s->partial[i]->inuse)
			discard(m, s->partial[i]);
		else
			i++;
	}
	/* the others' order is not kept: no case needs it */
}

/* SPDX-License-Identifier: MIT */
/*
 * model_check.c - see model.h: checks, reports and repairs
 *
 * Numbers are those of spec/debugging/checks.md; texts are in the normal form
 * of kernel.c, reduced.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

void say(struct model *m, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lines_add(m->out, text);
}

const char *mname(struct model *m, struct mptr p, char *buf)
{
	const struct mcache *s;
	struct mptr object = p;
	size_t i;

	if (!p.slab)
		return name_copy(buf, p.is_wild ? "wild" : "NULL");
	s = p.slab->s;
	if (p.off < 0 || p.off >= s->bytes)
		return name_copy(buf, "wild");
	if (p.off / (long)s->l.size >= (long)s->objects) {
		sprintf(buf, "tail+%ld", p.off);
		return buf;
	}
	object.off = mobject(p.slab, (unsigned int)(p.off / (long)s->l.size));
	for (i = 0; i < m->nr_names; i++) {
		if (mptr_equal(m->names[i], object))
			break;
	}
	if (i == m->nr_names) {
		m->names = must(realloc(m->names, (i + 1) * sizeof(*m->names)));
		m->names[m->nr_names++] = object;
	}
	if (p.off == object.off)
		sprintf(buf, "O%zu", i);
	else
		sprintf(buf, "O%zu%+ld", i, p.off - object.off);
	return buf;
}

const char *mknown_name(struct model *m, struct mptr p, char *buf)
{
	size_t before = m->nr_names;
	long off;

	mname(m, p, buf);
	if (m->nr_names == before)
		return buf;
	/* it has no name, and gets none here */
	off = p.off - m->names[before].off;
	m->nr_names = before;
	if (off)
		sprintf(buf, "object%+ld", off);
	else
		name_copy(buf, "object");
	return buf;
}

/* FIRST..LAST, as add_range() of kernel.c has it. */
static const char *range_text(struct model *m, struct mslab *slab, long first,
			      long last, char *buf)
{
	struct mptr p = { slab, first, false };
	long i = first / (long)slab->s->l.size;
	char name[64];

	mname(m, p, name);
	if (i >= (long)slab->s->objects)
		sprintf(buf, "%s+%ld", name, last - first);
	else
		sprintf(buf, "%s..%+ld", name,
			last - mobject(slab, (unsigned int)i));
	return buf;
}

bool is_valid_object(const struct mslab *slab, struct mptr p)
{
	const struct layout *l = &slab->s->l;
	long slot = p.off - (long)l->left_pad;
	unsigned int fit = (unsigned int)(slab->s->bytes / (long)l->size);
	unsigned int max = slab->objects < fit ? slab->objects : fit;

	if (!p.slab)
		return !p.is_wild;
	return p.slab == slab && slot >= 0 && slot % (long)l->size == 0 &&
	       slot / (long)l->size < (long)max;
}

/* The slab line, as kernel.c has it. */
static void say_slab(struct model *m, const struct mslab *slab)
{
	const char *fp = "garbage";

	if (!slab->head.slab && !slab->head.is_wild)
		fp = "NULL";
	else if (slab->head.slab == slab && is_valid_object(slab, slab->head))
		fp = "object";
	if (slab->s->l.flags & FLAG_KMALLOC)
		say(m, "Slab objects=%u%s", slab->objects,
		    slab->s->order ? " head" : "");
	else
		say(m, "Slab objects=%u used=%u fp=%s%s%s", slab->objects,
		    slab->inuse, fp,
		    slab->list == ON_PARTIAL ? " workingset" : "",
		    slab->s->order ? " head" : "");
}

/* A finding about the slab as a whole. */
void mreport_slab(struct model *m, struct mslab *slab, const char *format, ...)
{
	char title[256];
	va_list args;

	va_start(args, format);
	vsnprintf(title, sizeof(title), format, args);
	va_end(args);
	say(m, "BUG %s: %s", slab->s->name, title);
	say_slab(m, slab);
}

void mreport_object(struct model *m, struct mslab *slab, const char *title,
		    struct mptr p)
{
	bool is_object = p.slab && is_valid_object(slab, p);
	char name[64];

	mreport_slab(m, slab, "%s", title);
	say(m, "%s %s", is_object ? "Object" : "Invalid pointer",
	    is_object ? mname(m, p, name) : mknown_name(m, p, name));
}

void mreport_not_freed(struct model *m, struct mslab *slab, struct mptr p)
{
	char name[64];

	say(m, "FIX %s: Object at %s not freed", slab->s->name,
	    mknown_name(m, p, name));
}

/* ---- bytes ---- */
/* First and last byte that are not wanted; false when all are. */
static bool find_wrong(struct model *m, const struct mslab *slab, long start,
		       int wanted, long n, long *first, long *last)
{
	bool is_found = false;

	for (long i = start; i < start + n; i++) {
		int byte;

		if (i < 0 || i >= slab->s->bytes)
			continue;
		byte = slab->bytes[i];
		if (byte == wanted)
			continue;
		/* chance: most are wrong, and the first one's value shows */
		if (byte == UNKNOWN)
			m->is_lost = true;
		if (!is_found)
			*first = i;
		*last = i;
		is_found = true;
	}
	return is_found;
}

static bool check_bytes(struct model *m, struct mslab *slab, const char *label,
			long object, long start, int wanted, long n,
			bool is_full)
{
	long first = 0, last = 0;
	char text[96];

	if (!find_wrong(m, slab, start, wanted, n, &first, &last))
		return true;
	range_text(m, slab, first, last, text);
	say(m, "[%s overwritten] %s. First byte 0x%x instead of 0x%x", label,
	    text, slab->bytes[first] & 0xff, wanted);
	if (is_full)
		mreport_object(m, slab, "Object corrupt",
			       (struct mptr){ slab, object, false });
	say(m, "FIX %s: Restoring %s %s=0x%x", slab->s->name, label, text,
	    wanted);
	mwrite(slab, first, wanted, last - first + 1);
	return false;
}

/* 2.2 */
bool mcheck_object(struct model *m, struct mslab *slab, long off,
		   bool is_active)
{
	const struct layout *l = &slab->s->l;
	int red = is_active ? 0xcc : 0xbb;
	long size = l->object_size, inuse = l->inuse;
	struct mptr next;
	bool ok = true;

	if (l->flags & FLAG_Z) {
		unsigned int orig =
			slab->orig_size[(off - (long)l->left_pad) /
					(long)l->size % slab->s->objects];

		ok &= check_bytes(m, slab, "Left Redzone", off,
				  off - (long)l->left_pad, red, l->left_pad,
				  ok);
		ok &= check_bytes(m, slab, "Right Redzone", off, off + size,
				  red, inuse - size, ok);
		if (l->has_orig_size && is_active && size > (long)orig)
			ok &= check_bytes(m, slab, "kmalloc Redzone", off,
					  off + orig, red, size - orig, ok);
	} else if ((l->flags & FLAG_P) && size < inuse) {
		ok &= check_bytes(m, slab, "Alignment padding", off, off + size,
				  0x5a, inuse - size, ok);
	}
	if (l->is_poisoned && !is_active) {
		ok &= check_bytes(m, slab, "Poison", off, off, 0x6b, size - 1,
				  ok);
		ok &= check_bytes(m, slab, "End Poison", off, off + size - 1,
				  0xa5, 1, ok);
	}
	if (l->flags & FLAG_P)
		ok &= check_bytes(m, slab, "Object padding", off,
				  off + l->meta_end, 0x5a,
				  (long)l->span - (long)l->meta_end, true);
	if (!l->fp_is_outside && is_active)
		return ok;
	next = mlink_read(slab, off + l->fp);
	if (!is_valid_object(slab, next)) {
		mreport_object(m, slab, "Freepointer corrupt",
			       (struct mptr){ slab, off, false });
		mlink_write(slab, off + l->fp, (struct mptr){ 0 });
		ok = false;
	}
	return ok;
}

/* 2.4 */
void mcheck_padding(struct model *m, struct mslab *slab)
{
	long used = (long)slab->s->objects * (long)slab->s->l.size;
	long first = used, last = used;
	char text[96];

	if (!(slab->s->l.flags & FLAG_P) ||
	    !find_wrong(m, slab, used, 0x5a, slab->s->bytes - used, &first,
			&last))
		return;
	range_text(m, slab, first, last, text);
	mreport_slab(m, slab, "Padding overwritten. %s", text);
	say(m, "FIX %s: Restoring slab padding %s=0x5a", slab->s->name, text);
	mwrite(slab, first, 0x5a, last - first + 1);
}

/* 2.3 */
bool mcheck_slab(struct model *m, struct mslab *slab)
{
	if (slab->objects > slab->s->objects) {
		mreport_slab(m, slab, "objects %u > max %u", slab->objects,
			     slab->s->objects);
		return false;
	}
	if (slab->inuse > slab->objects) {
		mreport_slab(m, slab, "inuse %u > max %u", slab->inuse,
			     slab->objects);
		return false;
	}
	if (slab->is_frozen) {
		mreport_slab(m, slab,
			     "Slab disabled since SLUB metadata consistency "
			     "check failed");
		return false;
	}
	mcheck_padding(m, slab);
	return true;
}

static void clear_freelist(struct model *m, struct mslab *slab)
{
	m->event = RULE_LOST_CHAIN;
	slab->head = (struct mptr){ 0 };
	slab->inuse = slab->objects;
	say(m, "FIX %s: Freelist cleared", slab->s->name);
}

/* 2.5 */
bool mon_freelist(struct model *m, struct mslab *slab, struct mptr search)
{
	struct mptr p = slab->head, prev = { 0 };
	const char *name = slab->s->name;
	unsigned int n = 0;
	int counted;

	while ((p.slab || p.is_wild) && n <= slab->objects) {
		if (search.slab && mptr_equal(p, search))
			return true;
		if (!is_valid_object(slab, p)) {
			if (!prev.slab) {
				mreport_slab(m, slab, "Freepointer corrupt");
				clear_freelist(m, slab);
				return false;
			}
			mreport_object(m, slab, "Freechain corrupt", prev);
			mlink_write(slab, prev.off + slab->s->l.fp,
				    (struct mptr){ 0 });
			break;
		}
		prev = p;
		p = mlink_read(slab, p.off + slab->s->l.fp);
		n++;
	}
	if (n > slab->objects) {
		mreport_slab(m, slab, "Freelist cycle detected");
		clear_freelist(m, slab);
		m->event = RULE_CYCLE;
		return false;
	}
	if (slab->objects != slab->s->objects) {
		mreport_slab(
			m, slab,
			"Wrong number of objects. Found %u but should be %u",
			slab->objects, slab->s->objects);
		slab->objects = slab->s->objects;
		say(m, "FIX %s: Number of objects adjusted", name);
	}
	counted = (int)slab->objects - (int)n;
	if ((int)slab->inuse != counted) {
		mreport_slab(
			m, slab,
			"Wrong object count. Counter is %u but counted were %d",
			slab->inuse, counted);
		slab->inuse = (unsigned int)counted & 0xffff;
		say(m, "FIX %s: Object count adjusted", name);
	}
	return !search.slab;
}

/* 2.6 step 3 */
bool mcheck_alloc(struct model *m, struct mslab *slab, struct mptr p)
{
	if (!mcheck_slab(m, slab))
		return false;
	if (!p.slab || !is_valid_object(slab, p)) {
		mreport_object(m, slab, "Freelist Pointer check fails", p);
		return false;
	}
	return mcheck_object(m, slab, p.off, false);
}

/* 2.7a; that it is an object of this cache was asked before */
bool mcheck_free(struct model *m, struct mslab *slab, struct mptr p)
{
	char name[64];

	if (!is_valid_object(slab, p)) {
		mreport_slab(m, slab, "Invalid object pointer %s",
			     mknown_name(m, p, name));
		return false;
	}
	if (mon_freelist(m, slab, p)) {
		mreport_object(m, slab, "Object already free", p);
		return false;
	}
	return mcheck_object(m, slab, p.off, true);
}

bool mmap_free(const struct mslab *slab, bool *is_free)
{
	struct mptr p = slab->head;

	memset(is_free, 0, slab->s->objects * sizeof(*is_free));
	while (p.slab && is_valid_object(slab, p)) {
		bool *at = &is_free[(p.off - (long)slab->s->l.left_pad) /
				    (long)slab->s->l.size % slab->s->objects];

		if (*at)
			return false;
		*at = true;
		p = mlink_read(slab, p.off + slab->s->l.fp);
	}
	return !p.slab && !p.is_wild;
}

/* ---- 2.8 ---- */
static void validate_slab(struct model *m, struct mslab *slab)
{
	bool *is_free;

	if (!mcheck_slab(m, slab) || !mon_freelist(m, slab, (struct mptr){ 0 }))
		return;
	is_free = must(calloc(slab->s->objects + 1, sizeof(*is_free)));
	mmap_free(slab, is_free);
	for (unsigned int i = 0; i < slab->s->objects; i++) {
		if (!mcheck_object(m, slab, mobject(slab, i), !is_free[i]))
			break;
	}
	free(is_free);
}

void mvalidate(struct model *m, struct mcache *s)
{
	size_t nr_partial = s->nr_partial, nr_full = s->nr_full;
	struct mslab **partial = must(calloc(nr_partial + 1, sizeof(void *)));

	if (nr_partial)
		memcpy(partial, s->partial, nr_partial * sizeof(void *));
	for (size_t i = 0; i < nr_partial; i++)
		validate_slab(m, partial[i]);
	if (s->l.flags & FLAG_U) {
		for (size_t i = 0; i < nr_full; i++)
			validate_slab(m, s->full[i]);
		if (nr_partial + nr_full != s->nr_slabs)
			say(m, "SLUB: %s %zu slabs counted but counter=%lu",
			    s->name, nr_partial + nr_full, s->nr_slabs);
	}
	/* D11, after the walk: a list is not changed under it */
	for (size_t i = 0; i < nr_partial; i++) {
		if (!partial[i]->head.slab && !partial[i]->head.is_wild &&
		    partial[i]->inuse == partial[i]->objects)
			mlist_move(partial[i], ON_FULL, false);
	}
	free(partial);
}

/* ---- 2.11 ---- */
void mremaining(struct model *m, struct mslab *slab)
{
	bool *is_free = must(calloc(slab->s->objects + 1, sizeof(*is_free)));

	say(m, "BUG %s: Objects remaining on __kmem_cache_shutdown()",
	    slab->s->name);
	if (!mmap_free(slab, is_free))
		m->event = RULE_BOUNDED_WALK;
	for (unsigned int i = 0; i < slab->objects; i++) {
		struct mptr p = { slab, mobject(slab, i), false };
		size_t nr;

		if (i < slab->s->objects && is_free[i])
			continue;
		for (nr = 0; nr < m->nr_names; nr++) {
			if (mptr_equal(m->names[nr], p))
				break;
		}
		if (nr < m->nr_names)
			say(m, "Object O%zu", nr);
		else
			say(m, "Object");
	}
	say_slab(m, slab);
	free(is_free);
}

/* SPDX-License-Identifier: MIT */
/*
 * model_run.c - see model.h: a case's commands, answered by the model
 *
 * A command that the model does not know ends what it can say about a case.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

static struct mptr *slot(struct model *m, const struct words *w, size_t i)
{
	return &m->slots[(unsigned long long)words_number(w, i) % NR_SLOTS];
}

static struct mcache *cache(struct model *m, const struct words *w, size_t i)
{
	return m->caches[(unsigned long long)words_number(w, i) % NR_CACHES];
}

static void say_object(struct model *m, struct mptr p)
{
	bool is_next = p.slab && mptr_equal(p, m->next);
	char name[64];

	say(m, "= %s%s", mname(m, p, name), is_next ? " (next)" : "");
}

/* ---- caches ---- */
/* How objects lie the kernel's own geo line says. */
static void run_create(struct model *m, const struct words *w,
		       const struct step *step)
{
	struct case_cache known;
	struct mcache *s;

	for (size_t i = 0; i < step->out.nr; i++) {
		if (!starts_with(step->out.at[i], "@@ geo ") ||
		    !case_cache_read(step->out.at[i], &known))
			continue;
		s = mcache_new(m, known.name, &known.layout, known.objects,
			       known.order);
		m->caches[words_number(w, 1) % NR_CACHES] = s;
		return;
	}
	m->is_lost = true;
}

/* With one CPU: geometry.md 2.4. */
static unsigned int slab_order(unsigned int size)
{
	unsigned long want = 8, fits = (4096UL << 3) / size;
	unsigned int order = 0, least;

	if (want > fits)
		want = fits ? fits : 1;
	while (4096UL << order < want * size)
		order++;
	least = order;
	for (unsigned long part = 16; part > 1; part /= 2) {
		for (order = least; order <= 3; order++) {
			unsigned long all = 4096UL << order;

			if (all % size <= all / part)
				return order;
		}
	}
	for (order = 0; 4096UL << order < size; order++)
		;
	return order;
}

static struct mcache *kmalloc_cache(struct model *m, unsigned long size)
{
	unsigned int class = bytes_of_class(size), order;
	struct mcache *s;
	struct layout l;
	char name[32];

	snprintf(name, sizeof(name),
		 class < 1024 ? "kmalloc-%u" : "kmalloc-%uk",
		 class < 1024 ? class : class / 1024);
	for (size_t i = 0; i < m->nr_all; i++) {
		if (!strcmp(m->all[i]->name, name))
			return m->all[i];
	}
	layout_compute(&l, class, class & -class, case_kmalloc_flags(m->c));
	order = slab_order(l.size);
	s = mcache_new(m, name, &l, (unsigned int)((4096UL << order) / l.size),
		       order);
	for (int i = 0; i < OTHERS; i++)
		malloc_object(m, s, class);
	return s;
}

static bool is_large(unsigned long size)
{
	return !size || bytes_of_class(size) > 8192;
}

static void run_setname(struct model *m, const struct words *w)
{
	unsigned long size = 0;
	char unit = 0;

	if (sscanf(w->at[2], "kmalloc-%lu%c", &size, &unit) < 1) {
		m->is_lost = true;
		return;
	}
	m->caches[words_number(w, 1) % NR_CACHES] =
		kmalloc_cache(m, unit == 'k' ? size * 1024 : size);
}

static void run_destroy(struct model *m, const struct words *w)
{
	struct mcache *s = cache(m, w, 1);

	if (s)
		mdestroy(m, s);
	m->caches[words_number(w, 1) % NR_CACHES] = NULL;
	say(m, "= returned");
}

static void run_validate(struct model *m, const struct words *w)
{
	struct mcache *s = cache(m, w, 1);

	if (!s) {
		say(m, "= -2");
	} else if (s->is_plain) {
		say(m, "= -22");
	} else {
		mvalidate(m, s);
		say(m, "= 2");
	}
}

static void run_shrink(struct model *m, const struct words *w)
{
	if (cache(m, w, 1))
		mshrink(m, cache(m, w, 1));
	say(m, cache(m, w, 1) ? "= 2" : "= -2");
}

static void run_attr(struct model *m, const struct words *w)
{
	struct mcache *s = cache(m, w, 1);
	unsigned long n;
	char text[64];

	if (!s) {
		say(m, "= -2 []");
		return;
	}
	if (!strcmp(w->at[2], "slabs")) {
		n = s->nr_slabs;
	} else if (!strcmp(w->at[2], "total_objects")) {
		n = s->total_objects;
	} else if (!strcmp(w->at[2], "partial")) {
		n = s->nr_partial;
	} else if (!strcmp(w->at[2], "objects")) {
		n = s->total_objects;
		for (size_t i = 0; i < s->nr_partial; i++)
			n -= (unsigned long)((long)s->partial[i]->objects -
					     (long)s->partial[i]->inuse);
	} else {
		m->is_lost = true;
		return;
	}
	if (s->is_plain || (s->l.flags & FLAG_KMALLOC)) {
		say(m, "= counter");
		return;
	}
	snprintf(text, sizeof(text), n ? "%lu N0=%lu" : "%lu", n, n);
	say(m, "= %zu [%s]", strlen(text), text);
}

/* ---- objects ---- */
static struct mptr alloc_one(struct model *m, struct mcache *s,
			     unsigned int size)
{
	if (s)
		return malloc_object(m, s, size);
	m->is_lost = true;
	return (struct mptr){ 0 };
}

static void free_one(struct model *m, struct mcache *s, struct mptr p)
{
	if (s)
		mfree(m, s, p);
	else
		m->is_lost = true;
}

static void run_alloc(struct model *m, const struct words *w)
{
	struct mcache *s = cache(m, w, 2);

	*slot(m, w, 1) = alloc_one(m, s, s ? s->l.object_size : 0);
	say_object(m, *slot(m, w, 1));
}

static void run_allocn(struct model *m, const struct words *w, size_t first,
		       size_t count, struct mcache *s)
{
	(void)w;
	for (size_t i = first; i < first + count && i < NR_SLOTS; i++)
		m->slots[i] = alloc_one(m, s, s ? s->l.object_size : 0);
}

static void run_freen(struct model *m, const struct words *w)
{
	size_t first = (size_t)words_number(w, 1);
	size_t count = (size_t)words_number(w, 2);

	for (size_t i = first; i < first + count && i < NR_SLOTS; i++)
		free_one(m, cache(m, w, 3), m->slots[i]);
}

static void kfree_one(struct model *m, struct mptr p)
{
	if (p.slab) {
		mfree_one(m, p.slab->s, p);
	} else if (p.is_wild) {
		if (!m->said_not_kmalloc)
			say(m, "page dumped because: kfree(PTR): "
			       "Not a kmalloc allocation");
		m->said_not_kmalloc = true;
	}
}

static void run_freeptr(struct model *m, const struct words *w)
{
	struct mptr p = { .is_wild = strcmp(w->at[1], "null") != 0 };

	say(m, "ptr %s", p.is_wild ? "PTR" : "NULL");
	if (strcmp(w->at[2], "kfree"))
		free_one(m, cache(m, w, 2), p);
	else if (strcmp(w->at[1], "big"))
		kfree_one(m, p);
	say(m, "= returned");
}

/* Into main as the array runs, or to the slabs from its end. */
static void run_bulkfree(struct model *m, const struct words *w)
{
	struct mcache *s = cache(m, w, 1);
	struct mptr p[MAX_WORDS];
	unsigned int nr = 0;

	for (size_t i = 2; s && i < w->nr; i++) {
		p[nr] = *slot(m, w, i);
		if (!p[nr].slab || p[nr].slab->s != s ||
		    !may_follow(p[nr].slab, p[nr])) {
			m->is_lost = true;
			return;
		}
		nr++;
	}
	for (unsigned int i = 0; s && s->capacity && i < nr; i++)
		msheaf_free(m, s, p[i]);
	if (s && !s->capacity)
		mfree_bulk(m, s, p, nr, true);
	say(m, "= returned");
}

/* ---- kmalloc ---- */
static void run_km(struct model *m, const struct words *w)
{
	unsigned int size = (unsigned int)words_number(w, 2);
	struct mptr p;

	if (is_large(size)) {
		m->is_lost = true;
		return;
	}
	p = alloc_one(m, kmalloc_cache(m, size), size);
	if (w->at[0][2] && p.slab) {
		const struct layout *l = &p.slab->s->l;
		bool is_cut = l->flags & (FLAG_Z | FLAG_U);

		mwrite(p.slab, p.off, 0, is_cut ? size : l->object_size);
	}
	*slot(m, w, 1) = p;
	say_object(m, p);
}

/* In place while the class fits, as 7.0: the new size is recorded and the red
 * zone behind it filled again. */
static void run_krealloc(struct model *m, const struct words *w)
{
	unsigned int size = (unsigned int)words_number(w, 2);
	struct mptr *at = slot(m, w, 1), old = *at, new;
	const struct layout *l;

	if (is_large(size) || !old.slab) {
		m->is_lost = true;
		return;
	}
	l = &old.slab->s->l;
	if (size <= l->object_size) {
		if (l->has_orig_size) {
			unsigned int i =
				(unsigned int)(old.off / (long)l->size);

			m->event = RULE_KREALLOC;
			old.slab->orig_size[i] = size;
			if (l->flags & FLAG_Z)
				mwrite(old.slab, old.off + size, 0xcc,
				       (long)(l->object_size - size));
		}
		say_object(m, old);
		return;
	}
	new = alloc_one(m, kmalloc_cache(m, size), size);
	for (long i = 0; new.slab &&i < (long)l->object_size; i++)
		mwrite(new.slab, new.off + i, old.slab->bytes[old.off + i], 1);
	kfree_one(m, old);
	*at = new;
	say_object(m, new);
}

static void run_ksize(struct model *m, const struct words *w)
{
	struct mptr p = *slot(m, w, 1);
	const struct layout *l;

	if (!p.slab) {
		m->is_lost = true;
		return;
	}
	l = &p.slab->s->l;
	p.slab->orig_size[p.off / (long)l->size] = l->object_size;
	if (l->flags & (FLAG_Z | FLAG_P))
		say(m, "= %u", l->object_size);
	else if (l->flags & (FLAG_RCU | FLAG_U))
		say(m, "= %u", l->inuse);
	else
		say(m, "= %u", l->size);
}

static void run_hd(struct model *m, const struct words *w)
{
	struct mptr p = *slot(m, w, 1);
	long offset = words_number(w, 2), n = words_number(w, 3);
	const struct layout *l;
	unsigned int orig;

	if (!p.slab) {
		m->is_lost = true;
		return;
	}
	l = &p.slab->s->l;
	orig = p.slab->orig_size[p.off / (long)l->size];
	for (long row = 0; row < n; row += 16) {
		int bytes[16];
		long nr = n - row < 16 ? n - row : 16;
		char text[96];

		for (long i = 0; i < nr; i++) {
			long at = offset + row + i;
			long from = p.off + at;
			long word = at - ((long)l->meta_end - 8);

			bytes[i] = from < 0 || from >= p.slab->s->bytes
					   ? UNKNOWN
					   : p.slab->bytes[from];
			if (l->has_orig_size && word >= 0 && word < 8)
				bytes[i] = (int)((uint64_t)orig >> (8 * word) &
						 0xff);
		}
		lines_add(m->out, hex_text(l, orig, offset + row, bytes,
					   (size_t)nr, text));
	}
}

/* ---- damage ---- */
static void run_wr(struct model *m, const struct words *w)
{
	struct mptr p = *slot(m, w, 1);

	if (p.slab)
		mwrite(p.slab, p.off + words_number(w, 2),
		       (int)words_number(w, 4) & 0xff, words_number(w, 3));
}

static void run_wrq(struct model *m, const struct words *w)
{
	struct mptr p = *slot(m, w, 1);
	uint64_t word = (uint64_t)words_number(w, 3);

	for (int i = 0; p.slab && i < 8; i++)
		mwrite(p.slab, p.off + words_number(w, 2) + i,
		       (int)(word >> (8 * i) & 0xff), 1);
}

/* An xor of a link's low byte moves where it leads. */
static void run_xorb(struct model *m, const struct words *w)
{
	struct mptr p = *slot(m, w, 1);
	long off = p.off + words_number(w, 2);
	int byte = (int)words_number(w, 3) & 0xff;

	for (size_t i = 0; p.slab && i < p.slab->nr_links; i++) {
		struct mlink *link = &p.slab->links[i];

		if (off < link->off || off >= link->off + 8)
			continue;
		if (off == link->off && link->to.slab)
			link->to.off ^= byte;
		else
			link->to = (struct mptr){ .is_wild = true };
		return;
	}
	if (!p.slab || off < 0 || off >= p.slab->s->bytes)
		return;
	if (p.slab->bytes[off] != UNKNOWN)
		mwrite(p.slab, off, p.slab->bytes[off] ^ byte, 1);
}

static void run_fill(struct model *m, const struct words *w)
{
	struct mptr p = *slot(m, w, 1);

	if (p.slab && cache(m, w, 3))
		mwrite(p.slab, p.off, (int)words_number(w, 2) & 0xff,
		       cache(m, w, 3)->l.object_size);
}

static void run_wrtail(struct model *m, const struct words *w)
{
	struct mslab *slab = slot(m, w, 1)->slab;
	long off = words_number(w, 3), n = words_number(w, 4), used;

	if (!slab)
		return;
	used = (long)slab->s->objects * (long)slab->s->l.size;
	say(m, "tail %ld..%ld", used, slab->s->bytes);
	if (slab->s->bytes - used < n) {
		say(m, "notail");
		return;
	}
	mwrite(slab, off + (off < 0 ? slab->s->bytes : used),
	       (int)words_number(w, 5) & 0xff, n);
}

static void run_forge(struct model *m, const struct words *w)
{
	struct mptr p = *slot(m, w, 1), to = { 0 };

	if (words_number(w, 3) >= 0)
		to = mptr_add(*slot(m, w, 3), (long)words_number(w, 4));
	if (p.slab)
		mlink_write(p.slab, p.off + words_number(w, 2), to);
}

static void run_next(struct model *m, const struct words *w)
{
	struct mptr p = *slot(m, w, 1);
	char name[64];

	if (p.slab)
		p = mlink_read(p.slab, p.off + words_number(w, 2));
	say(m, "= next %s", mknown_name(m, p, name));
	m->next = p;
}

static void run_slabset(struct model *m, const struct words *w)
{
	struct mslab *slab = slot(m, w, 1)->slab;

	if (!slab || words_number(w, 2) != 4)
		m->is_lost = true;
	else
		slab->head = (struct mptr){ .is_wild = words_number(w, 3) };
}

static void run_slabinc(struct model *m, const struct words *w)
{
	struct mslab *slab = slot(m, w, 1)->slab;
	uint32_t word;

	if (!slab) {
		m->is_lost = true;
		return;
	}
	word = (uint32_t)(slab->inuse | slab->objects << 16 |
			  (uint32_t)slab->is_frozen << 31);
	word += (uint32_t)words_number(w, 2);
	slab->inuse = word & 0xffff;
	slab->objects = word >> 16 & 0x7fff;
	slab->is_frozen = word >> 31;
	if (slab->s->is_plain)
		say(m, "counters");
	else
		say(m, "counters %08x", word);
}

/* ---- a command ---- */
/* Those that answer with one line, whatever the state is. */
static bool run_simple(struct model *m, const struct words *w)
{
	const char *name = w->at[0];

	if (!strcmp(name, "learn"))
		say(m, "= key");
	else if (!strcmp(name, "ptreq"))
		say(m, "= %s",
		    mptr_equal(*slot(m, w, 1), *slot(m, w, 2)) ? "same"
							       : "different");
	else if (!strcmp(name, "free") || !strcmp(name, "freeoff")) {
		bool has_offset = name[4];

		free_one(m, cache(m, w, has_offset ? 3 : 2),
			 mptr_add(*slot(m, w, 1),
				  has_offset ? (long)words_number(w, 2) : 0));
		say(m, "= returned");
	} else if (!strcmp(name, "freebase")) {
		struct mptr p = *slot(m, w, 1);

		p.off = 0;
		free_one(m, cache(m, w, 2), p);
		say(m, "= returned");
	} else if (!strcmp(name, "kfree") || !strcmp(name, "kfreeoff")) {
		kfree_one(m, mptr_add(*slot(m, w, 1),
				      name[5] ? (long)words_number(w, 2) : 0));
		say(m, "= returned");
	} else if (!strcmp(name, "allocn")) {
		run_allocn(m, w, (size_t)words_number(w, 1),
			   (size_t)words_number(w, 2), cache(m, w, 3));
	} else if (!strcmp(name, "bulkalloc")) {
		struct mcache *s = cache(m, w, 1);
		size_t first = (size_t)words_number(w, 2);
		size_t count = (size_t)words_number(w, 3);

		if (s && s->capacity && first + count <= NR_SLOTS)
			msheaf_alloc_bulk(m, s, &m->slots[first],
					  (unsigned int)count);
		else
			run_allocn(m, w, first, count, s);
		say(m, "= %lld", words_number(w, 3));
	} else if (strcmp(name, "rcuwait")) {
		return false;
	}
	return true;
}

static const struct {
	const char *name;
	void (*run)(struct model *m, const struct words *w);
} commands[] = {
	{ "alloc", run_alloc },
	{ "freen", run_freen },
	{ "freeptr", run_freeptr },
	{ "bulkfree", run_bulkfree },
	{ "km", run_km },
	{ "kmz", run_km },
	{ "krealloc", run_krealloc },
	{ "ksize", run_ksize },
	{ "hd", run_hd },
	{ "wr", run_wr },
	{ "wrq", run_wrq },
	{ "xorb", run_xorb },
	{ "fill", run_fill },
	{ "wrtail", run_wrtail },
	{ "forge", run_forge },
	{ "next", run_next },
	{ "slabset", run_slabset },
	{ "slabinc", run_slabinc },
	{ "validate", run_validate },
	{ "shrink", run_shrink },
	{ "attr", run_attr },
	{ "setname", run_setname },
	{ "destroy", run_destroy },
};

static void run_step(struct model *m, const struct step *step)
{
	struct words w;

	if (step->is_phase)
		return;
	words_split(&w, step->command);
	/* missing trailing numbers are 0 */
	while (w.nr && w.nr < 4)
		w.at[w.nr++] = (char *)"0";
	if (!w.nr || (!strcmp(w.at[0], "create") && !step->out.nr)) {
		m->is_lost = true;
	} else if (!strcmp(w.at[0], "create")) {
		run_create(m, &w, step);
	} else if (!run_simple(m, &w)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(commands) &&
		       strcmp(commands[i].name, w.at[0]))
			i++;
		if (i < ARRAY_SIZE(commands))
			commands[i].run(m, &w);
		else
			m->is_lost = true;
	}
}

void model_run(const struct oracle_case *c, unsigned int order,
	       enum front front, struct model_answer *ret)
{
	struct model *m = must(calloc(1, sizeof(*m)));

	m->c = c;
	m->order = order;
	m->front = front;
	m->event = -1;
	ret->normal.nr_steps = c->nr_steps;
	ret->normal.steps =
		must(calloc(c->nr_steps + 1, sizeof(*ret->normal.steps)));
	ret->event = must(calloc(c->nr_steps + 1, sizeof(*ret->event)));
	ret->nr_known = c->nr_steps;
	for (size_t i = 0; i < c->nr_steps; i++) {
		m->out = &ret->normal.steps[i].out;
		run_step(m, &c->steps[i]);
		ret->event[i] = m->event;
		if (m->is_lost && ret->nr_known == c->nr_steps)
			ret->nr_known = i;
	}
	for (size_t i = 0; i < m->nr_slabs; i++) {
		free(m->slabs[i]->bytes);
		free(m->slabs[i]->links);
		free(m->slabs[i]->orig_size);
		free(m->slabs[i]);
	}
	for (size_t i = 0; i < m->nr_all; i++) {
		free(m->all[i]->partial);
		free(m->all[i]->full);
		msheaves_free(m->all[i]);
		free(m->all[i]);
	}
	free(m->slabs);
	free(m->all);
	free(m->names);
	free(m);
}

void model_answer_free(struct model_answer *a)
{
	normal_free(&a->normal);
	free(a->event);
	*a = (struct model_answer){ 0 };
}

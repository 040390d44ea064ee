/* SPDX-License-Identifier: MIT */
/*
 * chance.c - cases whose outcome the machine's secret decides
 *
 * A free pointer is stored xor-ed with a secret of its cache. Damage to all of
 * its 8 bytes, or none, always leads to the same outcome; a byte written into
 * it leads now and then to a pointer that passes for a good one, as a die does.
 */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define NR_CACHES 4
#define NR_SLOTS  4096

struct slots {
	const struct oracle_case *c;
	struct case_cache caches[NR_CACHES];
	struct layout of[NR_SLOTS]; /* size 0: not known */
};

static void set_slots(struct slots *s, size_t first, size_t count,
		      const struct layout *l)
{
	for (size_t i = first; i < first + count && i < NR_SLOTS; i++)
		s->of[i] = *l;
}

/* What commands put into slots. */
static void follow(struct slots *s, const struct step *step,
		   const struct words *w)
{
	size_t first = (size_t)words_number(w, 1) % NR_SLOTS;
	unsigned int class;
	struct layout l;

	for (size_t i = 0; i < step->out.nr; i++) {
		struct case_cache cache;

		if (case_cache_read(step->out.at[i], &cache))
			s->caches[first % NR_CACHES] = cache;
	}
	if (!strcmp(w->at[0], "alloc"))
		set_slots(s, first, 1,
			  &s->caches[words_number(w, 2) % NR_CACHES].layout);
	if (!strcmp(w->at[0], "allocn"))
		set_slots(s, first, (size_t)words_number(w, 2),
			  &s->caches[words_number(w, 3) % NR_CACHES].layout);
	if (!strcmp(w->at[0], "km") || !strcmp(w->at[0], "kmz")) {
		class = bytes_of_class((unsigned long)words_number(w, 2));
		layout_compute(&l, class, class & -class,
			       case_kmalloc_flags(s->c));
		set_slots(s, first, 1, &l);
	}
}

/* Does [offset, offset + n) cover some of the free pointer and not all? */
static bool is_partial(const struct layout *l, long offset, long n)
{
	long fp = l->fp, end = offset + n;

	return l->size && offset < fp + 8 && end > fp &&
	       (offset > fp || end < fp + 8);
}

bool case_depends_on_key(const struct oracle_case *c)
{
	struct slots *s = must(calloc(1, sizeof(*s)));
	bool depends = false;

	s->c = c;
	for (size_t i = 0; i < c->nr_steps; i++) {
		const struct step *step = &c->steps[i];
		const struct layout *l;
		struct words w;

		words_split(&w, step->is_phase ? "phase" : step->command);
		follow(s, step, &w);
		l = &s->of[words_number(&w, 1) % NR_SLOTS];
		if (!strcmp(w.at[0], "wr"))
			depends |= is_partial(l, (long)words_number(&w, 2),
					      (long)words_number(&w, 3));
		if (!strcmp(w.at[0], "fill"))
			depends |= is_partial(l, 0, l->object_size);
	}
	free(s);
	return depends;
}

/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/paper.h - a slab on paper: a view that claims any address
 *
 * Bytes, descriptor and cache are the test's own; base and the descriptor's
 * address are what a report prints. So texts can be compared whole, with the
 * addresses of the log they come from. Lines go to paper_text.
 */
#ifndef TESTS_UNIT_PAPER_H
#define TESTS_UNIT_PAPER_H

#include "lab.h"

#include "base/bytes.h"
#include "debug/depot.h"
#include "debug/report.h"
#include "debug/track.h"

#define FZPU SLAB_DEBUG_DEFAULT_FLAGS

struct paper {
	struct kmem_cache s;
	struct slab slab;
	uint8_t bytes[8 * 4096] __attribute__((aligned(16)));
	struct slab_view v;
};

static struct paper paper;
static char paper_text[1 << 16];

static inline void paper_line(void *arg, const char *line)
{
	size_t n = strlen(paper_text);

	(void)arg;
	assert_null(strchr(line, '\n'));
	assert_true(n + strlen(line) + 2 < sizeof(paper_text));
	sprintf(paper_text + n, "%s\n", line);
}

static inline void paper_sink(void *arg, const struct slab_report *r)
{
	slab_report_print(r, paper_line, arg);
}

/*
 * A cache like a real one of that geometry, and a slab of it at base whose
 * objects are all free and chained in order. The descriptor prints as where.
 */
static inline void paper_open(const char *name, unsigned int object_size,
			      slab_flags_t flags, uintptr_t base,
			      uintptr_t where)
{
	struct kmem_cache *s = __kmem_cache_create(name, object_size, 0, flags,
						   NULL);
	unsigned int i;

	assert_non_null(s);
	paper_text[0] = '\0';
	assert_int_equal(slab_machine_add_sink(lab.m, paper_sink, NULL), 0);
	paper.s = *s;
	memset(&paper.slab, 0, sizeof(paper.slab));
	paper.slab.slab_cache = &paper.s;
	paper.slab.flags = SL_PARTIAL;
	paper.slab.order = (uint8_t)s->oo.order;
	paper.slab.objects = s->oo.objects & MAX_OBJS_PER_SLAB;
	paper.slab.type = PAGE_SLAB;
	paper.slab.nr = 1;
	paper.v = (struct slab_view){
		.s = &paper.s, .slab = &paper.slab,
		.where = (const struct slab *)where, .bytes = paper.bytes,
		.base = base, .size = slab_bytes(&paper.slab), .is_live = true,
	};
	assert_true(paper.v.size <= sizeof(paper.bytes));
	memset(paper.bytes, 0, sizeof(paper.bytes));
	layout_setup_slab(&paper.s, paper.bytes, paper.v.size);
	for (i = 0; i < paper.slab.objects; i++) {
		uintptr_t object = slab_object(&paper.s, base, i);
		bool is_last = i + 1 == paper.slab.objects;

		layout_setup_object(&paper.s, view_at(&paper.v, object));
		if (flags & SLAB_STORE_USER)
			track_init(&paper.s, view_at(&paper.v, object));
		view_set_freepointer(&paper.v, object,
				     is_last ? NULL :
					       (void *)(object + paper.s.size));
	}
	paper.slab.freelist = (void *)slab_object(&paper.s, base, 0);
}

static inline uintptr_t paper_object(unsigned int i)
{
	return slab_object(&paper.s, paper.v.base, i);
}

static inline void *paper_at(uintptr_t address)
{
	return view_at(&paper.v, address);
}

/* Object i was allocated or freed at sites "<file>:<line>", "<file>:<line+1>"
 * and so on, nr of them. */
static inline void paper_track(unsigned int i, enum track_item item,
			       const char *file, unsigned int line,
			       unsigned int nr)
{
	uintptr_t frames[8];
	struct track track;
	unsigned int k;

	assert_true(nr <= 8);
	for (k = 0; k < nr; k++)
		frames[k] = slab_machine_site(lab.m, file, line + k, "");
	memset(&track, 0, sizeof(track));
	track.addr = frames[0];
	track.handle = depot_save(lab.m, frames, nr);
	track.cpu = (int)lab.m->cpu;
	track.pid = lab.m->pid;
	track.when = lab.m->jiffies;
	bytes_copy((char *)paper_at(paper_object(i)) +
			   layout_track(&paper.s, item),
		   &track, sizeof(track));
}

#endif

/* SPDX-License-Identifier: MIT */
/* inject/interleave_tell.c - a start, and what runs from it, in words */
#include "inject/interleave.h"

#include <stdarg.h>
#include <string.h>

#include "inject/interleave_world.h"

static const char *const op_names[] = {
#define OP(id, text) text,
	INTERLEAVE_OPS(OP)
#undef OP
};

void interleave_op_text(unsigned int op, unsigned int arg, char *buf,
			size_t size)
{
	bool of_slab = op == INTERLEAVE_FREE || op == INTERLEAVE_FREE_CHAIN ||
		       op == INTERLEAVE_KFREE_RCU;

	if (arg)
		snprintf(buf, size, of_slab ? "%s S%u" : "%s %u", op_names[op],
			 arg);
	else
		snprintf(buf, size, "%s", op_names[op]);
}

static void add(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add(char *buf, size_t size, const char *format, ...)
{
	size_t n = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + n, size - n, format, args);
	va_end(args);
}

static void describe_start(const struct interleave *in, char *buf, size_t size)
{
	unsigned int i;

	add(buf, size, "%u objects a slab, min_partial %u", in->objects,
	    in->min_partial);
	if (!in->capacity) {
		for (i = 0; i < INTERLEAVE_SLABS; i++)
			if (in->used[i] >= 0)
				add(buf, size, ", S%u: %d used", i + 1,
				    in->used[i]);
		return;
	}
	add(buf, size, ", sheaves of %u%s, %u held", in->capacity,
	    in->sections ? " in sections" : "", in->held);
	if (in->local)
		add(buf, size, ", %u kept", in->local);
	for (i = 0; i < INTERLEAVE_CPUS; i++)
		add(buf, size, ", CPU %u: main %d spare %d rcu_free %d", i,
		    in->cpu[i].main, in->cpu[i].spare, in->cpu[i].rcu_free);
	add(buf, size, ", barn: %u full %u empty", in->barn_full,
	    in->barn_empty);
}

void interleave_describe(const struct interleave *in, char *buf, size_t size)
{
	unsigned int t, i;
	char step[32];

	buf[0] = '\0';
	describe_start(in, buf, size);
	for (t = 0; t < in->nr_threads; t++) {
		add(buf, size, " | CPU %u:", in->threads[t].cpu);
		for (i = 0; i < INTERLEAVE_STEPS && in->threads[t].steps[i].op;
		     i++) {
			interleave_op_text(in->threads[t].steps[i].op,
					   in->threads[t].steps[i].arg, step,
					   sizeof(step));
			add(buf, size, "%s %s", i ? ";" : "", step);
		}
	}
	if (in->handler)
		add(buf, size, " | a signal: %s", op_names[in->handler]);
}

void world_slabs(const struct world *w, char *buf, size_t size)
{
	unsigned int page;

	buf[0] = '\0';
	for (page = 1; page < WORLD_PAGES && !world_is_gone(w); page++) {
		const struct slab *slab = &w->m->memmap[page];

		if (slab->type == PAGE_SLAB && slab->slab_cache == w->s)
			add(buf, size, "%s%u:%u", buf[0] ? " " : "", page,
			    slab->inuse);
	}
}

/* SPDX-License-Identifier: MIT */
/* debug/failslab.c - see failslab.h; the engine is machine/fault.c */
#include "debug/failslab.h"

#include <errno.h>
#include <stdlib.h>

#include <slab/kmalloc.h>

#include "debug/report.h"
#include "slab/geometry.h"

static void say(struct slab_machine *m, const struct fault *f, uintptr_t caller)
{
	const struct slab_fault_attr *a = f->attr;
	uintptr_t frame[SLAB_FAULT_MAX_DEPTH];
	unsigned int i, nr;
	char symbol[200];

	report_note(m, "FAULT_INJECTION: forcing a failure.");
	report_note(
		m, "name %s, interval %lu, probability %lu, space %d, times %d",
		f->name, a->interval, a->probability, a->space, f->times);
	if (a->verbose < 2)
		return;
	report_note(m, "Call Trace:");
	report_note(m, " <TASK>");
	nr = machine_stack(m, caller, frame, SLAB_FAULT_MAX_DEPTH);
	for (i = 0; i < nr; i++) {
		slab_symbol(m, frame[i], symbol, sizeof(symbol));
		report_note(m, " %s", symbol);
	}
	report_note(m, " </TASK>");
}

void failslab_init(struct slab_machine *m)
{
	faults_init(m);
	m->fault_say = say;
}

/* Four decimal numbers with commas between them, and nothing else. */
static bool parse_numbers(const char *text, long ret[4])
{
	unsigned int i;
	char *end;

	for (i = 0; i < 4; i++) {
		errno = 0;
		ret[i] = strtol(text, &end, 10);
		if (end == text || errno || *end != (i < 3 ? ',' : '\0'))
			return false;
		text = end + 1;
	}
	return ret[0] >= 0 && ret[1] >= 0 && ret[2] == (int)ret[2] &&
	       ret[3] == (int)ret[3];
}

int fault_option(struct slab_machine *m, struct fault *f, const char *value)
{
	long n[4];

	if (!parse_numbers(value, n)) {
		report_note(m, "FAULT_INJECTION: failed to parse arguments");
		return -EINVAL;
	}
	/* threads of a native machine ask meanwhile */
	__atomic_store_n(&f->attr->interval, (unsigned long)n[0],
			 __ATOMIC_RELAXED);
	__atomic_store_n(&f->attr->space, (int)n[2], __ATOMIC_RELAXED);
	__atomic_store_n(&f->attr->times, (int)n[3], __ATOMIC_RELAXED);
	__atomic_store_n(&f->attr->probability, (unsigned long)n[1],
			 __ATOMIC_RELAXED);
	return 0;
}

/* failslab's own filters; has_flag: the cache may fail on purpose (A). */
static bool may_be_asked(const struct slab_machine *m, gfp_t gfp, bool has_flag)
{
	const struct slab_failslab *f = &m->faults.failslab;

	if (gfp & __GFP_NOFAIL)
		return false;
	if (f->ignore_gfp_wait && (gfp & __GFP_DIRECT_RECLAIM))
		return false;
	return has_flag || !f->cache_filter;
}

bool failslab_asks(struct kmem_cache *s, gfp_t gfp, uintptr_t caller)
{
	struct slab_machine *m = s->machine;

	return may_be_asked(m, gfp, s->flags & SLAB_FAILSLAB) &&
	       fault_should_fail(m, &m->failslab, (int)s->object_size,
				 gfp & __GFP_NOWARN, caller);
}

bool failslab_fails_container(struct kmem_cache *s, size_t bytes, gfp_t gfp)
{
	struct slab_machine *m = s->machine;
	const struct kmem_cache *of;
	unsigned int class;

	if (bytes > KMALLOC_MAX_CACHE_SIZE)
		return false; /* whole pages: not failslab's */
	class = kmalloc_class(bytes);
	of = m->kmalloc[0][class];
	return may_be_asked(m, gfp, of && (of->flags & SLAB_FAILSLAB)) &&
	       fault_should_fail(m, &m->failslab,
				 (int)kmalloc_class_size(class),
				 gfp & __GFP_NOWARN, 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * debug/failslab.c - see failslab.h; the order of questions is 7.0's
 * (spec/debugging/fault-injection.md 7.2 and 7.3)
 */
#include "debug/failslab.h"

#include "debug/report.h"

void failslab_init(struct slab_machine *m)
{
	m->failslab = (struct slab_failslab){
		.interval = 1,
		.times = 1,
		.verbose = 2,
		.verbose_ratelimit_burst = 10,
		.ignore_gfp_wait = true,
	};
	m->failslab_count = 0;
	m->failslab_since = m->failslab_said = 0;
}

void slab_failslab_get(const struct slab_machine *m, struct slab_failslab *ret)
{
	*ret = m->failslab;
}

void slab_failslab_set(struct slab_machine *m, const struct slab_failslab *set)
{
	m->failslab = *set;
}

/* Only burst messages an interval, if there is one; a jiffy is a ms. */
static bool may_say(struct slab_machine *m)
{
	const struct slab_failslab *f = &m->failslab;

	if (!f->verbose_ratelimit_interval_ms)
		return true;
	if (!m->failslab_since ||
	    m->jiffies - m->failslab_since > f->verbose_ratelimit_interval_ms) {
		m->failslab_since = m->jiffies;
		m->failslab_said = 0;
	}
	return m->failslab_said++ < f->verbose_ratelimit_burst;
}

static void say_so(struct slab_machine *m, uintptr_t caller)
{
	const struct slab_failslab *f = &m->failslab;
	uintptr_t frames[SLAB_TRACK_FRAMES];
	unsigned int i, nr;
	char symbol[200];

	if (!f->verbose || !may_say(m))
		return;
	report_note(m, "FAULT_INJECTION: forcing a failure.");
	report_note(m,
		    "name failslab, interval %lu, probability %lu, space %d, times %d",
		    f->interval, f->probability, f->space, f->times);
	if (f->verbose < 2)
		return;
	report_note(m, "Call Trace:");
	report_note(m, " <TASK>");
	nr = machine_stack(m, caller, frames, SLAB_TRACK_FRAMES);
	for (i = 0; i < nr; i++) {
		slab_symbol(m, frames[i], symbol, sizeof(symbol));
		report_note(m, " %s", symbol);
	}
	report_note(m, " </TASK>");
}

/* Steps 2 to 8. */
static bool dice_say_fail(struct slab_machine *m, int size)
{
	struct slab_failslab *f = &m->failslab;

	if (!f->probability)
		return false;
	if (f->task_filter && !f->task_make_it_fail)
		return false;
	if (!f->times)
		return false;
	/* compared first: failures begin when the rest would not do */
	if (f->space > size) {
		f->space -= size;
		return false;
	}
	if (f->interval > 1 && ++m->failslab_count % f->interval)
		return false;
	return random_below(&m->random, 100) < f->probability;
}

static bool should_fail(struct slab_machine *m, int size)
{
	struct slab_failslab *f = &m->failslab;

	if (f->fail_nth)
		return --f->fail_nth == 0;
	return dice_say_fail(m, size);
}

bool failslab_should_fail(struct kmem_cache *s, gfp_t gfp)
{
	struct slab_machine *m = s->machine;
	struct slab_failslab *f = &m->failslab;

	if (gfp & __GFP_NOFAIL)
		return false;
	if (f->ignore_gfp_wait && (gfp & __GFP_DIRECT_RECLAIM))
		return false;
	if (f->cache_filter && !(s->flags & SLAB_FAILSLAB))
		return false;
	if (!should_fail(m, (int)s->object_size))
		return false;
	if (!(gfp & __GFP_NOWARN))
		say_so(m, (uintptr_t)__builtin_return_address(0));
	if (f->times > 0)
		f->times--;
	return true;
}

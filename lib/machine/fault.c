/* SPDX-License-Identifier: MIT */
/* machine/fault.c - see fault.h; the order of questions is 7.0's: the stack
 * before chance, a task's fail_nth before all of it */
#include "machine/fault.h"

#include <limits.h>

#include "base/bits.h"
#include "machine/machine.h"

static const struct slab_fault_attr never = {
	.interval = 1,
	.times = 1,
	.verbose = 2,
	.verbose_ratelimit_burst = 10,
	.stacktrace_depth = SLAB_FAULT_MAX_DEPTH,
	.require_end = ULONG_MAX,
};

void faults_init(struct slab_machine *m)
{
	m->faults = (struct slab_faults){
		.failslab = { .attr = never, .ignore_gfp_wait = true },
		.fail_page_alloc = { .attr = never,
				     .ignore_gfp_wait = true,
				     .ignore_gfp_highmem = true,
				     .min_order = 1 },
	};
	m->failslab = (struct fault){ .name = "failslab",
				      .attr = &m->faults.failslab.attr };
	m->fail_page_alloc =
		(struct fault){ .name = "fail_page_alloc",
				.attr = &m->faults.fail_page_alloc.attr };
}

static _Thread_local struct slab_fault_task this_thread
	__attribute__((tls_model("initial-exec")));

struct slab_fault_task *fault_task(struct slab_machine *m)
{
	return m->is_native ? &this_thread : &m->faults.task;
}

void slab_faults_get(const struct slab_machine *m, struct slab_faults *ret)
{
	*ret = m->faults;
	if (m->is_native)
		ret->task = this_thread;
}

static void limit_depth(struct slab_fault_attr *a)
{
	a->stacktrace_depth =
		MIN(a->stacktrace_depth, (unsigned long)SLAB_FAULT_MAX_DEPTH);
}

void slab_faults_set(struct slab_machine *m, const struct slab_faults *set)
{
	m->faults = *set;
	*fault_task(m) = set->task;
	limit_depth(&m->faults.failslab.attr);
	limit_depth(&m->faults.fail_page_alloc.attr);
	if (m->fast_changed)
		m->fast_changed(m);
}

/* An interrupt asks for nobody: what the task is marked with is not meant. */
static bool in_task(const struct slab_machine *m)
{
	return !m->in_interrupt;
}

/* One frame that is rejected outweighs any that is required. */
static bool stack_lets_fail(struct slab_machine *m,
			    const struct slab_fault_attr *a, uintptr_t caller)
{
	bool found = !a->require_start && a->require_end == ULONG_MAX;
	uintptr_t frame[SLAB_FAULT_MAX_DEPTH];
	unsigned int i, nr;

	if (!a->stacktrace_depth ||
	    (found && !a->reject_start && !a->reject_end))
		return found;
	nr = machine_stack(m, caller, frame, (unsigned int)a->stacktrace_depth);
	for (i = 0; i < nr; i++) {
		if (frame[i] >= a->reject_start && frame[i] < a->reject_end)
			return false;
		if (frame[i] >= a->require_start && frame[i] < a->require_end)
			found = true;
	}
	return found;
}

/* One of `times`, if there is one left. */
static bool take_one(struct fault *f)
{
	int *times = &f->attr->times;
	int left = __atomic_load_n(times, __ATOMIC_RELAXED);

	while (left > 0 &&
	       !__atomic_compare_exchange_n(times, &left, left - 1, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (left)
		__atomic_store_n(&f->times, left, __ATOMIC_RELAXED);
	return left;
}

static bool dice_say_fail(struct slab_machine *m, struct fault *f, int size,
			  uintptr_t caller)
{
	struct slab_fault_attr *a = f->attr;
	unsigned long probability =
		__atomic_load_n(&a->probability, __ATOMIC_RELAXED);
	unsigned long interval =
		__atomic_load_n(&a->interval, __ATOMIC_RELAXED);

	if (!probability)
		return false;
	if (a->task_filter && !(in_task(m) && fault_task(m)->make_it_fail))
		return false;
	if (!__atomic_load_n(&a->times, __ATOMIC_RELAXED))
		return false;
	if (!stack_lets_fail(m, a, caller))
		return false;
	/* compared first: failures begin when the rest would not do */
	if (__atomic_load_n(&a->space, __ATOMIC_RELAXED) > size) {
		__atomic_fetch_sub(&a->space, size, __ATOMIC_RELAXED);
		return false;
	}
	if (interval > 1 &&
	    __atomic_add_fetch(&f->count, 1, __ATOMIC_RELAXED) % interval)
		return false;
	return random_below(&m->random, 100) < probability && take_one(f);
}

/* The N-th question of whoever asks, if the stack lets it count. */
static bool nth_says_fail(struct slab_machine *m, struct fault *f,
			  uintptr_t caller)
{
	if (!stack_lets_fail(m, f->attr, caller))
		return false;
	if (--fault_task(m)->fail_nth)
		return false;
	/* it asks nobody's leave, but takes one where there are some */
	if (!take_one(f))
		f->times = 0;
	return true;
}

/* Only burst messages an interval, if there is one; a jiffy is a ms. */
static bool may_say(struct slab_machine *m, struct fault *f)
{
	const struct slab_fault_attr *a = f->attr;
	uint64_t since;

	if (!a->verbose)
		return false;
	if (!a->verbose_ratelimit_interval_ms)
		return true;
	since = __atomic_load_n(&f->since, __ATOMIC_RELAXED);
	if (!since ||
	    machine_jiffies(m) - since > a->verbose_ratelimit_interval_ms) {
		__atomic_store_n(&f->since, machine_jiffies(m),
				 __ATOMIC_RELAXED);
		__atomic_store_n(&f->said, 0, __ATOMIC_RELAXED);
	}
	return __atomic_fetch_add(&f->said, 1, __ATOMIC_RELAXED) <
	       a->verbose_ratelimit_burst;
}

bool fault_should_fail(struct slab_machine *m, struct fault *f, int size,
		       bool is_quiet, uintptr_t caller)
{
	bool fails = in_task(m) && fault_task(m)->fail_nth
			     ? nth_says_fail(m, f, caller)
			     : dice_say_fail(m, f, size, caller);

	if (!fails)
		return false;
	if (!is_quiet && m->fault_say && may_say(m, f))
		m->fault_say(m, f, caller);
	return true;
}

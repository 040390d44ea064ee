/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU lock of native machines (spec/allocator/locks.md 5.2, rules 1 to
 * 5): inline paths and the folded lock as sections, a drainer of another CPU,
 * threads that move while they hold it, signals whose handlers allocate and
 * free.
 */
#include "explore.h"

#include "base/random.h"

struct op {
	uint8_t op, arg;
};

#define STEP(name, n)                \
	{                            \
		INTERLEAVE_##name, n \
	}

/* What threads do on their CPU; the first NR_FAST are single objects. */
static const struct op works[] = {
	STEP(ALLOC, 0),	     STEP(FREE, 0),	 STEP(KFREE_RCU, 0),
	STEP(BULK_ALLOC, 2), STEP(BULK_FREE, 2), STEP(PREFILL, 1),
};
#define NR_WORKS (sizeof(works) / sizeof(works[0]))
#define NR_FAST	 2U

/* What is done to every CPU, from one. */
static const struct op drains[] = {
	STEP(FLUSH_ALL, 0),
	STEP(SHRINK, 0),
	STEP(BARRIER, 0),
};
#define NR_DRAINS (sizeof(drains) / sizeof(drains[0]))

static const uint8_t handlers[] = {
	INTERLEAVE_KMALLOC_NOLOCK,
	INTERLEAVE_KFREE_NOLOCK,
};

static struct interleave sections(unsigned int capacity)
{
	return (struct interleave){
		.objects = 3,
		.min_partial = 1,
		.capacity = capacity,
		.sections = true,
		.barn_limit = 1,
		.held = 2,
		.cpu = { { 0, INTERLEAVE_ABSENT, INTERLEAVE_ABSENT },
			 { 0, INTERLEAVE_ABSENT, INTERLEAVE_ABSENT } },
		.nr_threads = 2,
		.preemptions = 2,
	};
}

static void set(struct interleave *in, unsigned int thread, struct op op)
{
	in->threads[thread].steps[0].op = op.op;
	in->threads[thread].steps[0].arg = op.arg;
	/* what was borrowed goes back */
	in->threads[thread].steps[1].op = op.op == INTERLEAVE_PREFILL
						  ? INTERLEAVE_RETURN
						  : INTERLEAVE_NONE;
}

/* Fills of CPU 0: main, and no spare, an empty one, a full one. */
static void each_fill(struct interleave *in, void (*next)(struct interleave *))
{
	int cap = (int)in->capacity, main, spare;

	for (main = 0; main <= cap; main++)
		for (spare = -1; spare <= cap; spare += spare < 0 ? 1 : cap) {
			in->cpu[0].main = main;
			in->cpu[0].spare = spare;
			next(in);
		}
}

/* ---- two threads ---- */
static void each_pair(struct interleave *in)
{
	size_t a, b;

	for (a = 0; a < NR_WORKS; a++)
		for (b = a; b < NR_WORKS; b++) {
			set(in, 0, works[a]);
			set(in, 1, works[b]);
			explore(in);
		}
}

/* The suite: one of them is a single object. */
static void each_fast_pair(struct interleave *in)
{
	size_t a, b;

	if (explorer.is_campaign) {
		each_pair(in);
		return;
	}
	for (a = 0; a < NR_FAST; a++)
		for (b = a; b < NR_WORKS; b++) {
			set(in, 0, works[a]);
			set(in, 1, works[b]);
			explore(in);
		}
}

static void two_threads_on_one_cpu(void **state)
{
	struct interleave in = sections(1);

	(void)state;
	explore_begin();
	each_fill(&in, each_pair);
	in.local = 1;
	each_fill(&in, each_fast_pair);
	in = sections(2);
	each_fill(&in, each_fast_pair);
}

/* The second one may begin on the other CPU. */
static void each_place(struct interleave *in)
{
	for (in->threads[1].cpu = 0; in->threads[1].cpu < 2;
	     in->threads[1].cpu++) {
		in->preemptions =
			2 - (in->threads[1].cpu && !explorer.is_campaign);
		each_fast_pair(in);
	}
}

static void two_threads_that_move(void **state)
{
	struct interleave in = sections(1);

	(void)state;
	explore_begin();
	in.migrations = 1;
	for (in.cpu[1].main = 0; in.cpu[1].main <= 1; in.cpu[1].main++) {
		each_fill(&in, each_place);
		if (!explorer.is_campaign)
			break;
	}
}

/* ---- a drainer ---- */
static void each_drain(struct interleave *in)
{
	unsigned int last = in->nr_threads - 1;
	size_t a, b, d;

	in->threads[last].cpu = 1;
	for (d = 0; d < NR_DRAINS; d++) {
		set(in, last, drains[d]);
		for (a = 0; a < NR_WORKS; a++) {
			set(in, 0, works[a]);
			for (b = last == 2 ? a : NR_WORKS - 1; b < NR_WORKS;
			     b++) {
				if (last == 2)
					set(in, 1, works[b]);
				explore(in);
			}
		}
	}
}

static void a_drainer_of_another_cpu(void **state)
{
	struct interleave in = sections(1);

	(void)state;
	explore_begin();
	each_fill(&in, each_drain);
	in.cpu[0].rcu_free = 1;
	in.capacity = 2;
	in.preemptions = 1 + explorer.is_campaign;
	each_fill(&in, each_drain);
}

static void a_drainer_and_two_threads(void **state)
{
	struct interleave in = sections(1);

	(void)state;
	explore_begin();
	in.nr_threads = 3;
	in.preemptions = 1 + explorer.is_campaign;
	each_fill(&in, each_drain);
}

/* One's membarrier late, behind an owner that came and went: rule 5. */
static void two_drainers_of_one_cpu(void **state)
{
	static const struct op drain = STEP(DRAIN, 0);
	struct interleave in = sections(1);
	size_t a;

	(void)state;
	explore_begin();
	in.nr_threads = 3;
	in.threads[1].cpu = in.threads[2].cpu = 1;
	in.preemptions = 3;
	set(&in, 1, drain);
	set(&in, 2, drain);
	for (in.cpu[0].main = 0; in.cpu[0].main <= 1; in.cpu[0].main++) {
		in.cpu[0].spare = 1 - in.cpu[0].main;
		for (a = 0; a < NR_FAST; a++) {
			set(&in, 0, works[a]);
			explore(&in);
		}
	}
}

/* Two that drain each other. */
static void each_two_drains(struct interleave *in)
{
	size_t a, b;

	for (a = 0; a < NR_DRAINS; a++)
		for (b = a; b < NR_DRAINS; b++) {
			set(in, 0, drains[a]);
			set(in, 1, drains[b]);
			explore(in);
		}
}

static void two_drainers(void **state)
{
	struct interleave in = sections(1);

	(void)state;
	explore_begin();
	in.threads[1].cpu = 1;
	in.preemptions = 1 + explorer.is_campaign;
	in.cpu[0].rcu_free = 0;
	each_fill(&in, each_two_drains);
}

/* ---- signals ---- */
static void each_interrupted(struct interleave *in)
{
	size_t a, d, h;

	for (h = 0; h < sizeof(handlers); h++) {
		in->handler = handlers[h];
		for (a = 0; a < NR_WORKS; a++) {
			set(in, 0, works[a]);
			set(in, 1, works[1]);
			explore(in);
			for (d = 0; d < NR_DRAINS; d++) {
				set(in, 1, drains[d]);
				explore(in);
			}
		}
	}
}

static void a_signal_at_any_point(void **state)
{
	struct interleave in = sections(1);

	(void)state;
	explore_begin();
	in.signals = 1;
	in.preemptions = explorer.is_campaign;
	for (in.threads[1].cpu = 0; in.threads[1].cpu < 2; in.threads[1].cpu++)
		each_fill(&in, each_interrupted);
}

static const struct op slab_works[] = {
	STEP(ALLOC, 0),	 STEP(FREE, 1),	  STEP(FREE_CHAIN, 1),
	STEP(REFILL, 2), STEP(SHRINK, 0),
};
#define NR_SLAB_WORKS (sizeof(slab_works) / sizeof(slab_works[0]))

/* The same where there are no sheaves, only slabs. */
static void a_signal_among_slabs(void **state)
{
	struct interleave in = sections(0);
	size_t a, b, h;

	(void)state;
	explore_begin();
	in.flags = SLAB_NOLEAKTRACE;
	in.signals = 1;
	in.preemptions = 1;
	in.threads[1].cpu = 1;
	in.used[2] = INTERLEAVE_ABSENT;
	for (in.objects = 1; in.objects <= 3; in.objects++)
		for (in.min_partial = 0; in.min_partial < 2; in.min_partial++)
			for (in.used[0] = 1; in.used[0] <= (int)in.objects;
			     in.used[0]++)
				for (h = 0; h < sizeof(handlers); h++)
					for (a = 0; a < NR_SLAB_WORKS; a++)
						for (b = 0; b < 2; b++) {
							in.handler =
								handlers[h];
							in.used[1] = -1;
							set(&in, 0,
							    slab_works[a]);
							set(&in, 1,
							    slab_works[b]);
							explore(&in);
						}
}

/* Frees that find no room wait on a stack that all CPUs share; the next who
 * asks takes them from there, or frees them. */
static void frees_that_wait(void **state)
{
	static const struct op ops[] = {
		STEP(KFREE_NOLOCK, 0),
		STEP(KMALLOC_NOLOCK, 0),
		STEP(ALLOC, 0),
		STEP(FREE, 0),
	};
	struct interleave in = sections(1);
	unsigned int fill, i;
	size_t a, b;

	(void)state;
	explore_begin();
	in.held = 4;
	in.threads[1].cpu = 1;
	in.preemptions = 1 + explorer.is_campaign;
	/* which CPU's sheaves are full, and which empty; the suite: one each */
	for (fill = 0; fill < 4; fill++) {
		if (fill != 1 && !explorer.is_campaign)
			continue;
		for (i = 0; i < 2; i++) {
			in.cpu[i].main = fill >> i & 1;
			in.cpu[i].spare = fill >> i & 1 ? 1 : -1;
		}
		for (a = 0; a < 16; a++)
			for (b = 0; b < 16; b++) {
				in.threads[0].steps[0].op = ops[a / 4].op;
				in.threads[0].steps[1].op = ops[a % 4].op;
				in.threads[1].steps[0].op = ops[b / 4].op;
				in.threads[1].steps[1].op = ops[b % 4].op;
				explore(&in);
			}
	}
}

/* ---- at random ---- */

/* Three threads with three operations each, and everything may happen. */
static void whatever_comes(void **state)
{
	struct interleave in = sections(1);
	unsigned long i, nr = explorer.is_campaign ? 10000 : 150;
	struct random random = { .state = 1 };
	unsigned int t, k;

	(void)state;
	explore_begin();
	in.nr_threads = 3;
	in.migrations = 4;
	in.failures = in.signals = 2;
	in.random = 100;
	in.preemptions = 0;
	for (i = 0; i < nr; i++) {
		in.capacity = 1 + random_below(&random, 2) % 2;
		in.seed = i + 1;
		in.local = random_below(&random, 3) & 3;
		in.handler = handlers[random_below(&random, 2)];
		for (t = 0; t < 2; t++) {
			in.cpu[t].main =
				(int)random_below(&random, in.capacity + 1);
			in.cpu[t].spare =
				(int)random_below(&random, in.capacity + 2) - 1;
		}
		for (t = 0; t < 3; t++) {
			in.threads[t].cpu = random_below(&random, 2) & 1;
			for (k = 0; k < 3; k++) {
				const struct op *op =
					random_below(&random, 4)
						? &works[random_below(
							  &random,
							  NR_WORKS - 1)]
						: &drains[random_below(
							  &random, NR_DRAINS)];

				in.threads[t].steps[k].op = op->op;
				in.threads[t].steps[k].arg = op->arg;
			}
		}
		explore(&in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		explore_test(two_threads_on_one_cpu),
		explore_test(two_threads_that_move),
		explore_test(a_drainer_of_another_cpu),
		explore_test(a_drainer_and_two_threads),
		explore_test(two_drainers_of_one_cpu),
		explore_test(two_drainers),
		explore_test(a_signal_at_any_point),
		explore_test(a_signal_among_slabs),
		explore_test(frees_that_wait),
		explore_test(whatever_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

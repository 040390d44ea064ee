/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * work.c - see work.h
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <slab/kmalloc.h>

#include "command.h"
#include "interp.h"
#include "names.h"
#include "stop.h"
#include "work.h"

#define NR_SLOTS    64U /* of a cache, where workers swap objects */
#define STACK_BYTES (256U << 10)
#define SHOW_EACH_S 0.25
#define LOOK_EACH_S 0.02  /* at Ctrl-C and the clock */
#define TURNS	    1024U /* virtual: between two such looks */
#define NOBODY	    0xffffU

const char *const work_words[NR_WORK_WORDS] = {
#define WORK(id, word, brief) [WORK_##id] = word,
#include "work_words.def"
#undef WORK
};

struct hold {
	struct kmem_cache *s;
	bool bears_marks;
	void **p;
	uint64_t nr, got, given, failed;
};

struct worker {
	struct work *work;
	unsigned int number, cpu;
	uint64_t random, ops; /* left to do, where there is an end */
	uint64_t calls[NR_WORK_WORDS], wrong;
	double ended;
	pthread_t thread;
	struct hold hold[MAX_WORK_CACHES];
} __attribute__((aligned(64)));

struct work {
	const struct work_plan *plan;
	struct worker *worker;
	unsigned int nr_started, total_share;
	void *slot[MAX_WORK_CACHES][NR_SLOTS];
	uint64_t slowpath_before;
	double began;
	bool is_over, gives_back;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool may_go, may_end;
	unsigned int nr_done;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Only its worker writes a figure; the others may look at it. */
#define ADD(figure, n) \
	__atomic_store_n(&(figure), (figure) + (n), __ATOMIC_RELAXED)
#define READ(figure) __atomic_load_n(&(figure), __ATOMIC_RELAXED)

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* ---- objects in hand ---- */

static uint64_t mark_of(unsigned int owner, const void *p)
{
	return (uintptr_t)p ^ ((uint64_t)(owner + 1) << 48) ^ 0x736c6162U;
}

static void mark(const struct hold *h, unsigned int owner, void *p)
{
	uint64_t word = mark_of(owner, p);

	if (h->bears_marks)
		memcpy(p, &word, sizeof(word));
}

static void check_mark(struct worker *w, const struct hold *h,
		       unsigned int owner, const void *p)
{
	uint64_t word;

	if (!h->bears_marks)
		return;
	memcpy(&word, p, sizeof(word));
	if (word != mark_of(owner, p))
		ADD(w->wrong, 1);
}

static void keep(struct worker *w, struct hold *h, void *p)
{
	mark(h, w->number, p);
	h->p[h->nr] = p;
	ADD(h->nr, 1);
}

/* One of them, any. */
static void *take(struct worker *w, struct hold *h, uint64_t random)
{
	uint64_t i = random % h->nr;
	void *p = h->p[i];

	h->p[i] = h->p[h->nr - 1];
	ADD(h->nr, (uint64_t)-1);
	check_mark(w, h, w->number, p);
	return p;
}

/* ---- the words ---- */

static void get_one(struct worker *w, struct hold *h)
{
	void *p = kmem_cache_alloc(h->s, GFP_KERNEL | __GFP_NOWARN);

	if (!p) {
		ADD(h->failed, 1);
		return;
	}
	ADD(h->got, 1);
	keep(w, h, p);
}

static void give_one(struct worker *w, struct hold *h, uint64_t random,
		     bool rcu)
{
	void *p = take(w, h, random);

	if (rcu)
		slab_kfree_rcu(p);
	else
		kmem_cache_free(h->s, p);
	ADD(h->given, 1);
}

static void get_many(struct worker *w, struct hold *h)
{
	void *p[WORK_BULK];
	unsigned int i;

	if (!kmem_cache_alloc_bulk(h->s, GFP_KERNEL | __GFP_NOWARN, WORK_BULK,
				   p)) {
		ADD(h->failed, 1);
		return;
	}
	ADD(h->got, WORK_BULK);
	for (i = 0; i < WORK_BULK; i++)
		keep(w, h, p[i]);
}

static void give_many(struct worker *w, struct hold *h, uint64_t random)
{
	void *p[WORK_BULK];
	size_t nr = h->nr < WORK_BULK ? h->nr : WORK_BULK, i;

	if (!nr)
		return;
	for (i = 0; i < nr; i++)
		p[i] = take(w, h, random);
	kmem_cache_free_bulk(h->s, nr, p);
	ADD(h->given, nr);
}

/* Mine goes into a slot, what was there is mine. */
static void swap_one(struct worker *w, struct hold *h, uint64_t random)
{
	void **slot = &w->work->slot[h - w->hold][random % NR_SLOTS];
	void *p = h->nr ? take(w, h, random >> 6) : NULL;

	if (p)
		mark(h, NOBODY, p);
	p = __atomic_exchange_n(slot, p, __ATOMIC_ACQ_REL);
	if (!p)
		return;
	check_mark(w, h, NOBODY, p);
	keep(w, h, p);
}

static enum work_word pick(const struct work *work, uint64_t random)
{
	uint64_t n = random % work->total_share;
	unsigned int word = 0;

	while (n >= work->plan->share[word])
		n -= work->plan->share[word++];
	return (enum work_word)word;
}

/* With its hands full it gives, with them empty it gets. */
static enum work_word settle(const struct work *work, const struct hold *h,
			     enum work_word word)
{
	size_t room = work->plan->objects - h->nr;

	if (word == WORK_ALLOC && !room)
		return WORK_FREE;
	if ((word == WORK_FREE || word == WORK_RCU) && !h->nr)
		return WORK_ALLOC;
	return word;
}

static void step(struct worker *w)
{
	const struct work *work = w->work;
	uint64_t random = next_random(&w->random);
	struct hold *h = &w->hold[(random >> 40) % work->plan->nr_caches];
	enum work_word word = settle(work, h, pick(work, random & 0xffffff));

	random = next_random(&w->random);
	switch (word) {
	case WORK_ALLOC:
		get_one(w, h);
		break;
	case WORK_FREE:
		give_one(w, h, random, false);
		break;
	case WORK_BULK_CALL:
		if (h->nr + WORK_BULK > work->plan->objects ||
		    (h->nr >= WORK_BULK && random >> 63))
			give_many(w, h, random);
		else
			get_many(w, h);
		break;
	case WORK_RCU:
		give_one(w, h, random, true);
		break;
	case WORK_SWAP:
		swap_one(w, h, random);
		break;
	default:
		kmem_cache_shrink(h->s);
	}
	ADD(w->calls[word], 1);
}

static void give_all(struct worker *w)
{
	size_t i;

	for (i = 0; i < w->work->plan->nr_caches; i++) {
		while (w->hold[i].nr)
			give_one(w, &w->hold[i], 0, false);
	}
}

/* ---- figures ---- */

static uint64_t slowpath_of(const struct slab_cache_info *cache, bool *has)
{
	unsigned long count[SLAB_MAX_CPUS];
	int nr = slab_target_stat(session.target, cache->cache,
				  SLAB_STAT_ALLOC_SLOWPATH, count,
				  SLAB_MAX_CPUS),
	    i;
	uint64_t sum = 0;

	*has = nr >= 0;
	for (i = 0; i < nr; i++)
		sum += count[i];
	return sum;
}

static void add_worker(struct work_figures *f, const struct worker *w,
		       size_t nr_caches)
{
	size_t i;

	for (i = 0; i < NR_WORK_WORDS; i++) {
		uint64_t n = READ(w->calls[i]);

		f->calls[i] += n;
		f->all_calls += n;
	}
	f->wrong += READ(w->wrong);
	for (i = 0; i < nr_caches; i++) {
		f->cache[i].got += READ(w->hold[i].got);
		f->cache[i].given += READ(w->hold[i].given);
		f->cache[i].failed += READ(w->hold[i].failed);
		f->cache[i].held += READ(w->hold[i].nr);
	}
}

static void figures(const struct work *work, struct work_figures *f)
{
	const struct work_plan *plan = work->plan;
	struct slab_node_counts counts;
	unsigned int i;
	size_t k, n;

	memset(f, 0, sizeof(*f));
	f->seconds = now() - work->began;
	f->has_statistics = true;
	for (i = 0; i < plan->nr_workers; i++)
		add_worker(f, &work->worker[i], plan->nr_caches);
	for (k = 0; k < plan->nr_caches; k++) {
		bool has;

		for (n = 0; n < NR_SLOTS; n++)
			f->cache[k].held += READ(work->slot[k][n]) != NULL;
		f->held += f->cache[k].held;
		if (plan->cache[k].sheaf_capacity) {
			f->sheaf_got += f->cache[k].got;
			f->slowpath += slowpath_of(&plan->cache[k], &has);
			f->has_statistics &= has;
		}
		if (!slab_target_counts(session.target, plan->cache[k].cache,
					&counts))
			f->slabs += counts.nr_slabs;
	}
	f->slowpath -= work->slowpath_before;
}

/* ---- one after the other, and at once ---- */

/* Is it time to stop? */
static bool is_time(const struct work *work, enum work_end *end)
{
	if (interrupted)
		*end = WORK_INTERRUPTED;
	else if (interp_time_is_up())
		*end = WORK_LIMIT;
	else if (work->plan->seconds > 0 &&
		 now() - work->began >= work->plan->seconds)
		*end = WORK_TIME;
	else
		return false;
	return true;
}

/* The CPUs of a virtual machine that are online, in turn. */
static void take_turns(struct work *work, enum work_end *end)
{
	struct slab_machine *m = session.machine;
	unsigned int before = slab_machine_cpu(m), i = 0, turn = 0;
	uint64_t left = work->plan->ops;

	while (left) {
		struct worker *w = &work->worker[i];

		i = (i + 1) % work->plan->nr_workers;
		if (!w->ops)
			continue;
		slab_machine_set_cpu(m, w->cpu);
		step(w);
		w->ops--;
		left--;
		if (++turn % TURNS == 0 && is_time(work, end))
			break;
	}
	slab_machine_set_cpu(m, before);
}

static void *work_of_thread(void *worker)
{
	struct worker *w = worker;
	struct work *work = w->work;
	bool is_endless = !work->plan->ops;

	pthread_mutex_lock(&work->lock);
	while (!work->may_go)
		pthread_cond_wait(&work->changed, &work->lock);
	pthread_mutex_unlock(&work->lock);
	for (; (is_endless || w->ops) && !READ(work->is_over); w->ops--)
		step(w);
	w->ended = now();
	pthread_mutex_lock(&work->lock);
	work->nr_done++;
	pthread_cond_broadcast(&work->changed);
	while (!work->may_end)
		pthread_cond_wait(&work->changed, &work->lock);
	pthread_mutex_unlock(&work->lock);
	if (work->gives_back)
		give_all(w);
	return NULL;
}

/* Ctrl-C is for the thread that looks at it. */
static int start_threads(struct work *work)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int err = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (!err && work->nr_started < work->plan->nr_workers) {
		struct worker *w = &work->worker[work->nr_started];

		err = pthread_create(&w->thread, &attr, work_of_thread, w);
		if (!err)
			work->nr_started++;
	}
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

static void say(struct work *work, bool *what)
{
	pthread_mutex_lock(&work->lock);
	*what = true;
	pthread_cond_broadcast(&work->changed);
	pthread_mutex_unlock(&work->lock);
}

/* True when all are done. */
static bool wait_a_little(struct work *work)
{
	double until = now() + LOOK_EACH_S;
	struct timespec t = { .tv_sec = (time_t)until };
	bool is_done;

	t.tv_nsec = (long)(1e9 * (until - (double)t.tv_sec));
	pthread_mutex_lock(&work->lock);
	if (work->nr_done < work->nr_started)
		pthread_cond_timedwait(&work->changed, &work->lock, &t);
	is_done = work->nr_done == work->nr_started;
	pthread_mutex_unlock(&work->lock);
	return is_done;
}

/* What they hold goes back, or stays. */
static void end_threads(struct work *work, bool gives_back)
{
	unsigned int i;

	work->gives_back = gives_back;
	say(work, &work->may_end);
	for (i = 0; i < work->nr_started; i++)
		pthread_join(work->worker[i].thread, NULL);
}

static int run_at_once(struct work *work,
		       void (*show)(const struct work_figures *now),
		       enum work_end *end)
{
	double shown = now();
	struct work_figures f;
	int err = start_threads(work);
	unsigned int nr = work->nr_started;

	if (err)
		__atomic_store_n(&work->is_over, true, __ATOMIC_RELAXED);
	work->began = now();
	say(work, &work->may_go);
	while (!wait_a_little(work)) {
		if (!READ(work->is_over) && is_time(work, end))
			__atomic_store_n(&work->is_over, true,
					 __ATOMIC_RELAXED);
		if (now() - shown < SHOW_EACH_S)
			continue;
		figures(work, &f);
		show(&f);
		shown = now();
	}
	if (!err)
		return 0;
	end_threads(work, true);
	return fail("process", "threads=N asks for fewer",
		    "run: no more than %u threads: %s", nr, strerror(err));
}

static void end_turns(struct work *work, bool gives_back)
{
	struct slab_machine *m = session.machine;
	unsigned int before = slab_machine_cpu(m), i;

	for (i = 0; gives_back && i < work->plan->nr_workers; i++) {
		slab_machine_set_cpu(m, work->worker[i].cpu);
		give_all(&work->worker[i]);
	}
	slab_machine_set_cpu(m, before);
}

static void empty_slots(struct work *work)
{
	size_t k, n;

	for (k = 0; k < work->plan->nr_caches; k++) {
		for (n = 0; n < NR_SLOTS; n++) {
			if (work->slot[k][n])
				kmem_cache_free(
					cache_handle(&work->plan->cache[k]),
					work->slot[k][n]);
			work->slot[k][n] = NULL;
		}
	}
}

/* ---- begin and end ---- */

static bool can_bear_marks(const struct slab_cache_info *c)
{
	return c->object_size >= sizeof(uint64_t) && !c->ctor &&
	       !(c->flags & SLAB_TYPESAFE_BY_RCU);
}

/* The n-th CPU that is online, round and round. */
static unsigned int cpu_for(unsigned int n)
{
	unsigned int nr = session_nr_cpus(), nr_online = 0, cpu;

	for (cpu = 0; cpu < nr; cpu++)
		nr_online += slab_machine_cpu_online(session.machine, cpu);
	n %= nr_online;
	for (cpu = 0; cpu < nr - 1; cpu++) {
		if (slab_machine_cpu_online(session.machine, cpu) && !n--)
			break;
	}
	return cpu;
}

static void hire(struct work *work, unsigned int i)
{
	const struct work_plan *plan = work->plan;
	struct worker *w = &work->worker[i];
	size_t k;

	w->work = work;
	w->number = i;
	w->cpu = session.opt.is_native ? 0 : cpu_for(i);
	w->random = plan->seed + ((uint64_t)i << 32);
	w->ops = plan->ops / plan->nr_workers +
		 (i < plan->ops % plan->nr_workers);
	for (k = 0; k < plan->nr_caches; k++) {
		w->hold[k].s = cache_handle(&plan->cache[k]);
		w->hold[k].bears_marks = can_bear_marks(&plan->cache[k]);
		w->hold[k].p = must_alloc(plan->objects * sizeof(void *));
	}
}

static void dismiss_all(struct work *work)
{
	unsigned int i;
	size_t k;

	for (i = 0; i < work->plan->nr_workers; i++) {
		for (k = 0; k < work->plan->nr_caches; k++)
			free(work->worker[i].hold[k].p);
	}
	free(work->worker);
	free(work);
}

static struct work *prepare(const struct work_plan *plan)
{
	struct work *work = must_alloc(sizeof(*work));
	size_t bytes = plan->nr_workers * sizeof(struct worker), k;
	pthread_condattr_t clock;
	unsigned int i;
	bool has;

	work->plan = plan;
	work->worker = aligned_alloc(64, bytes);
	if (!work->worker)
		die_no_memory();
	memset(work->worker, 0, bytes);
	pthread_mutex_init(&work->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&work->changed, &clock);
	pthread_condattr_destroy(&clock);
	for (i = 0; i < NR_WORK_WORDS; i++)
		work->total_share += plan->share[i];
	for (i = 0; i < plan->nr_workers; i++)
		hire(work, i);
	for (k = 0; k < plan->nr_caches; k++) {
		if (plan->cache[k].sheaf_capacity)
			work->slowpath_before +=
				slowpath_of(&plan->cache[k], &has);
	}
	return work;
}

static double last_end(const struct work *work)
{
	double last = work->began;
	unsigned int i;

	for (i = 0; i < work->plan->nr_workers; i++) {
		if (work->worker[i].ended > last)
			last = work->worker[i].ended;
	}
	return last - work->began;
}

static void forget_held(struct work_figures *f, size_t nr_caches)
{
	size_t i;

	f->held = 0;
	for (i = 0; i < nr_caches; i++) {
		f->cache[i].given += f->cache[i].held;
		f->cache[i].held = 0;
	}
}

int work_run(const struct work_plan *plan,
	     void (*show)(const struct work_figures *now), enum work_end *end,
	     struct work_figures *ret)
{
	struct work *work = prepare(plan);
	bool gives_back;
	int err = 0;

	*end = WORK_DONE;
	work->began = now();
	if (session.opt.is_native)
		err = run_at_once(work, show, end);
	else
		take_turns(work, end);
	if (!err) {
		gives_back = !plan->keeps && *end != WORK_INTERRUPTED;
		figures(work, ret);
		ret->seconds = last_end(work);
		if (session.opt.is_native)
			end_threads(work, gives_back);
		else
			end_turns(work, gives_back);
		if (gives_back)
			empty_slots(work);
		if (gives_back)
			forget_held(ret, plan->nr_caches);
	}
	dismiss_all(work);
	return err;
}

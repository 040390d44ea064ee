/* SPDX-License-Identifier: MIT */
/*
 * cache/fork.c - fork(): the allocator stands still, in both processes it goes on
 *
 * Before the fork its thread takes every lock of the native machine in the
 * order of their ranks, all of one rank together, every CPU of every cache
 * among them, so that no inline path finds anything either; and it waits for
 * those who are between locks (machine/fork_gate.h). After it the parent lets all of them
 * go. The child, where no other thread is left, starts with all of them free.
 *
 * What threads had in hand that the child does not have is lost to it. exec
 * and vfork need nothing: no handler runs.
 *
 * The handlers are there from when the library is loaded on: those of whoever
 * uses it then run outside of ours, and may allocate.
 */
#define _GNU_SOURCE
#include "cache/fork.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "cache/sheaf.h"
#include "debug/depot.h"
#include "machine/fork_gate.h"
#include "machine/rcu.h"

/* ---- all locks of one rank ---- */
static struct slab_lock making = { .rank = LOCK_RANK_MAKING };

int fork_making_begin(void)
{
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	lock_take(&making);
	return cancel;
}

void fork_making_end(int cancel)
{
	lock_release(&making);
	pthread_setcancelstate(cancel, NULL);
}

/* Several of one rank, which nobody else ever holds: their order is ours. */
static void hold(struct slab_lock *lock)
{
	lock_suspend();
	lock_take(lock);
}

static void let_go(struct slab_lock *lock)
{
	lock_resume(1U << lock->rank);
	lock_release(lock);
}

typedef void (*lock_fn)(struct slab_lock *lock);

static void each_of_node(struct kmem_cache *s, unsigned int nid,
			 enum lock_rank rank, lock_fn fn)
{
	struct kmem_cache_node *n = s->node[nid];

	if (!n)
		return;
	if (rank == LOCK_RANK_LIST)
		fn(&n->list_lock);
	else if (rank == LOCK_RANK_BARN && n->barn)
		fn(&n->barn->lock);
}

static void each_of_cache(struct kmem_cache *s, enum lock_rank rank, lock_fn fn)
{
	unsigned int cpu, nid;

	if (rank == LOCK_RANK_PCS)
		for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++)
			fn(&s->cpu_sheaves[cpu].lock);
	else if (rank == LOCK_RANK_LENT)
		fn(&s->lent_lock);
	else
		for (nid = 0; nid < SLAB_MAX_NODES; nid++)
			each_of_node(s, nid, rank, fn);
}

/* Those that were destroyed with objects left serve on. */
static void each_cache(struct slab_machine *m,
		       void (*fn)(struct kmem_cache *s, void *arg), void *arg)
{
	struct kmem_cache *s;

	list_for_each_entry(s, &m->slab_caches, list)
		fn(s, arg);
	list_for_each_entry(s, &m->leaked_caches, list)
		fn(s, arg);
}

struct each_rank {
	enum lock_rank rank;
	lock_fn fn;
};

static void cache_locks(struct kmem_cache *s, void *arg)
{
	const struct each_rank *each = arg;

	each_of_cache(s, each->rank, each->fn);
}

static void all_of_caches(struct slab_machine *m, enum lock_rank rank,
			  lock_fn fn)
{
	each_cache(m, cache_locks, &(struct each_rank){ rank, fn });
}

static void all_of_machine(struct slab_machine *m, lock_fn fn)
{
	struct slab_lock *depot = depot_lock(m);
	unsigned int cpu;

	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		fn(&m->krc_lock[cpu]);
	fn(&m->rcu_queue_lock);
	fn(&m->report_lock);
	fn(&m->pages_lock);
	if (depot)
		fn(depot);
	fn(&m->meta_lock);
}

/* ---- every CPU of every cache ---- */
struct taking {
	bool missing; /* somebody holds one */
};

static void drain_cpus(struct kmem_cache *s, void *arg)
{
	unsigned int cpu;

	(void)arg;
	for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++) {
		struct slab_sheaf **fast = &s->cpu_sheaves[cpu].fast;
		struct slab_sheaf *old =
			__atomic_load_n(fast, __ATOMIC_RELAXED);

		if (old != locked_sheaf && old != drained_sheaf)
			__atomic_compare_exchange_n(fast, &old, drained_sheaf,
						    false, __ATOMIC_ACQ_REL,
						    __ATOMIC_RELAXED);
	}
}

static void look_at_cpus(struct kmem_cache *s, void *arg)
{
	struct taking *taking = arg;
	unsigned int cpu;

	for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++)
		taking->missing |=
			__atomic_load_n(&s->cpu_sheaves[cpu].fast,
					__ATOMIC_ACQUIRE) != drained_sheaf;
}

static void give_back_cpus(struct kmem_cache *s, void *arg)
{
	unsigned int cpu;

	(void)arg;
	for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++)
		pcs_swap_out(s, &s->cpu_sheaves[cpu]);
}

/* As percpu_swap_there(), with one membarrier for all of them. */
static void hold_cpus(struct slab_machine *m)
{
	struct taking taking;

	all_of_caches(m, LOCK_RANK_PCS, hold);
	while (m->percpu == PERCPU_RSEQ) {
		taking.missing = false;
		each_cache(m, drain_cpus, NULL);
		/* where that is forbidden nothing can be done about it */
		if (!percpu_interrupt_all(m->config.nr_cpu_ids))
			break;
		each_cache(m, look_at_cpus, &taking);
		if (!taking.missing)
			break;
		sched_yield();
	}
}

static void let_go_cpus(struct slab_machine *m, lock_fn fn)
{
	if (m->percpu == PERCPU_RSEQ)
		each_cache(m, give_back_cpus, NULL);
	all_of_caches(m, LOCK_RANK_PCS, fn);
}

/* ---- the handlers ---- */

/* Of the one fork that runs; `making` is held. */
static struct {
	struct slab_machine *m; /* NULL: there is none */
	bool has_rcu;
	sigset_t signals;
} now;

static _Thread_local bool is_inside
	__attribute__((tls_model("initial-exec"))); /* forks from a callback */

static bool is_reporter(const struct slab_machine *m)
{
	return m && __atomic_load_n(&m->reporter, __ATOMIC_RELAXED) ==
			    machine_pid(m);
}

/* In a path of ours: in a sink, for one. */
static bool in_callback(void)
{
	return fork_pass.depth || fork_pass.looks ||
	       is_reporter(
		       __atomic_load_n(&native_machine, __ATOMIC_ACQUIRE));
}

void fork_prepare(void)
{
	sigset_t all, signals;
	struct slab_machine *m;

	/* its own locks would wait for itself: such a child may exec, and may
	 * go on where no other thread was in the middle of something */
	is_inside = in_callback();
	if (is_inside)
		return;
	/* a handler would wait for the gate, which this thread opens again */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &signals);
	hold(&making);
	now.signals = signals;
	now.m = m = __atomic_load_n(&native_machine, __ATOMIC_ACQUIRE);
	if (!m)
		return;
	lock_suspend();
	/* handlers push to it at any time: the child starts with none */
	machine_run_irq_work(m);
	hold(&m->cpus_lock);
	hold(&m->slab_mutex);
	hold(&m->flush_lock);
	fork_gate_close(m);
	now.has_rcu = rcu_native_before_fork(m);
	hold_cpus(m);
	all_of_caches(m, LOCK_RANK_BARN, hold);
	all_of_caches(m, LOCK_RANK_LIST, hold);
	all_of_caches(m, LOCK_RANK_LENT, hold);
	all_of_machine(m, hold);
}

static void after(struct slab_machine *m, lock_fn fn)
{
	all_of_machine(m, fn);
	all_of_caches(m, LOCK_RANK_LENT, fn);
	all_of_caches(m, LOCK_RANK_LIST, fn);
	all_of_caches(m, LOCK_RANK_BARN, fn);
	let_go_cpus(m, fn);
	fork_gate_open(m);
	fn(&m->flush_lock);
	fn(&m->slab_mutex);
	fn(&m->cpus_lock);
}

static void done(lock_fn fn)
{
	sigset_t signals = now.signals;

	fn(&making);
	lock_suspend();
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
}

void fork_parent(void)
{
	if (is_inside)
		return;
	if (now.m)
		after(now.m, let_go);
	done(let_go);
}

/* Of a fork in a callback, whose locks this thread gives back by itself. */
static void in_lone_child(void)
{
	struct slab_machine *m =
		__atomic_load_n(&native_machine, __ATOMIC_ACQUIRE);
	bool reports = is_reporter(m);

	if (!m)
		return;
	lock_lone_child();
	lock_reset(&making);
	m->pid = getpid();
	native_forget_tid();
	if (reports)
		m->reporter = machine_pid(m);
	fork_gate_alone(m);
	rcu_native_in_lone_child(m);
}

static void in_child(void)
{
	struct slab_machine *m = now.m;

	if (is_inside) {
		in_lone_child();
		return;
	}
	if (m) {
		m->pid = getpid();
		native_forget_tid();
		m->deferred[0] = NULL;
		m->deferred_slabs = NULL;
		m->nr_deferred[0] = 0;
		pages_after_fork(m);
		after(m, lock_reset);
		rcu_native_in_child(m, now.has_rcu);
	}
	done(lock_reset);
}

static __attribute__((constructor)) void listen(void)
{
	pthread_atfork(fork_prepare, fork_parent, in_child);
}

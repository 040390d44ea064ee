/* SPDX-License-Identifier: MIT */
/*
 * machine/rcu_native.c - grace periods of real threads, by liburcu
 *
 *	queue --[round: take all, wait for readers]--> ready --> callbacks
 *
 * Readers are the program's (<urcu/urcu-memb.h>). Whoever frees may be one, so
 * nobody who frees waits: rounds are the worker's, a thread that is made at the
 * first kfree_rcu and the only one this library ever makes; and theirs who
 * wait for the end of a grace period anyway (barrier, tick). Callbacks that are
 * ready are run by those who call kfree_rcu, too: else some of them could fill
 * the memory faster than one thread empties it.
 *
 * Locking:  rcu_lock is held for a round, so who gets it knows that all that
 *           was taken before has run, and takes the rest. No other lock is
 *           held by who waits for it. Callbacks take what frees take.
 * call_rcu: is not used. Its workers stand still during fork() only when
 *           somebody says so, once: were it we, a program that does so itself,
 *           as liburcu wants it to, would wait for itself for ever.
 */
#define _GNU_SOURCE
#include "machine/rcu.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/futex.h"
#include "machine/fork_gate.h"
#include "machine/stack.h"
#include "machine/urcu.h"

/* A grace period interrupts every CPU, so one serves many callbacks. */
#define PAUSE_NS     1000000L
#define NO_PAUSE_NR  1024U /* callbacks that wait already */
#define RETRY_MS     1000U
#define TRIAL_MS     1000U
#define FORK_WAIT_MS 100U

static _Thread_local bool runs_callbacks
	__attribute__((tls_model("initial-exec")));
static _Thread_local unsigned int callback_epoch
	__attribute__((tls_model("initial-exec")));

/* Sanitizers want room on each stack. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STACK_BYTES (2UL << 20)
#else
#define STACK_BYTES (256UL << 10)
#endif

/* Tools that watch memory order do not see liburcu's. */
#if defined(__SANITIZE_THREAD__)
void __tsan_acquire(void *at);
#define SAY_GRACE_IS_OVER(m) __tsan_acquire(m)
#else
#define SAY_GRACE_IS_OVER(m) ((void)(m))
#endif

/* ---- rounds ---- */
bool rcu_native_may_wait(void)
{
	return !runs_callbacks && !urcu_is_reading();
}

/* Under rcu_lock: all that is queued gets its grace period. */
static void pass_grace(struct slab_machine *m)
{
	bool *in_grace = &m->rcu_worker.in_grace, any;

	fork_gate_enter(m);
	any = rcu_take(m);
	__atomic_store_n(in_grace, any, __ATOMIC_RELAXED);
	fork_gate_leave(m);
	if (!any)
		return;
	urcu_wait();
	SAY_GRACE_IS_OVER(m);
	/* a fork that is waited for at the gate waits for this */
	__atomic_store_n(in_grace, false, __ATOMIC_RELEASE);
	fork_gate_enter(m);
	lock_take(&m->rcu_queue_lock);
	/* the first is looked at without the lock */
	__atomic_store_n(m->rcu_ready_last, m->rcu_grace, __ATOMIC_RELAXED);
	while (*m->rcu_ready_last)
		m->rcu_ready_last = &(*m->rcu_ready_last)->next;
	__atomic_store_n(&m->rcu_grace, NULL, __ATOMIC_RELAXED);
	lock_release(&m->rcu_queue_lock);
	fork_gate_leave(m);
}

static struct rcu_head *pop_ready(struct slab_machine *m, unsigned int *epoch)
{
	struct rcu_head *head;

	lock_take(&m->rcu_queue_lock);
	head = m->rcu_ready;
	if (head) {
		__atomic_store_n(&m->rcu_ready, head->next, __ATOMIC_RELAXED);
		if (!head->next)
			m->rcu_ready_last = &m->rcu_ready;
		*epoch = m->rcu_epoch & 1;
		__atomic_fetch_add(&m->rcu_running[*epoch], 1,
				   __ATOMIC_RELAXED);
	}
	lock_release(&m->rcu_queue_lock);
	return head;
}

static bool run_one(struct slab_machine *m)
{
	struct rcu_head *head;
	unsigned int epoch;

	fork_gate_enter(m);
	head = pop_ready(m, &epoch);
	if (head) {
		runs_callbacks = true;
		callback_epoch = epoch;
		machine_point(m, SLAB_POINT_RCU_CALLBACK);
		head->func(m, head);
		runs_callbacks = false;
		__atomic_fetch_sub(&m->rcu_pending, 1, __ATOMIC_RELEASE);
		__atomic_fetch_sub(&m->rcu_running[epoch], 1, __ATOMIC_RELEASE);
	}
	fork_gate_leave(m);
	return head;
}

/* Under rcu_lock: callbacks that others have begun are over. */
static void wait_for_helpers(struct slab_machine *m)
{
	unsigned int epoch;

	lock_take(&m->rcu_queue_lock);
	epoch = m->rcu_epoch++ & 1;
	lock_release(&m->rcu_queue_lock);
	while (__atomic_load_n(&m->rcu_running[epoch], __ATOMIC_ACQUIRE))
		sched_yield();
}

unsigned int rcu_native_round(struct slab_machine *m)
{
	unsigned int done = 0;

	stack_know_bounds();
	machine_lock(m, &m->rcu_lock, SLAB_POINT_RCU_LOCK);
	pass_grace(m);
	while (run_one(m))
		done++;
	wait_for_helpers(m);
	machine_unlock(m, &m->rcu_lock, SLAB_POINT_RCU_UNLOCK);
	if (done)
		machine_step(m, SLAB_EVENT_RCU_DONE, done, 0);
	return done;
}

void rcu_native_help(struct slab_machine *m)
{
	if (__builtin_expect(__atomic_load_n(&m->rcu_ready, __ATOMIC_RELAXED) !=
				     NULL,
			     0) &&
	    !runs_callbacks) {
		stack_know_bounds();
		run_one(m);
	}
}

/* ---- the worker ---- */

/* Nobody who waits to learn whether this comes back takes the lock. */
static void stand_trial(struct slab_machine *m)
{
	struct rcu_worker *w = &m->rcu_worker;

	if (__atomic_load_n(&w->trial, __ATOMIC_RELAXED) == RCU_PROVEN)
		return;
	lock_take(&m->rcu_lock);
	fork_gate_enter(m);
	__atomic_store_n(&w->in_grace, true, __ATOMIC_RELAXED);
	fork_gate_leave(m);
	urcu_wait();
	__atomic_store_n(&w->in_grace, false, __ATOMIC_RELEASE);
	lock_release(&m->rcu_lock);
	__atomic_store_n(&w->trial, RCU_PROVEN, __ATOMIC_RELEASE);
	futex_wake(&w->trial, INT_MAX);
}

/* Of the worker: it need not ask. */
static void know_own_stack(const struct rcu_worker *w)
{
	if (!w->stack)
		return;
	stack_bounds.low = (uintptr_t)w->stack + PAGE_SIZE;
	stack_bounds.high = (uintptr_t)w->stack + w->stack_bytes;
	stack_bounds.is_known = true;
}

static void *work(void *arg)
{
	struct slab_machine *m = arg;
	struct rcu_worker *w = &m->rcu_worker;

	know_own_stack(w);
	pthread_setname_np(pthread_self(), "slab-rcu");
	stand_trial(m);
	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		uint64_t ms = machine_krc_drain_old(m);

		if (!__atomic_exchange_n(&w->work, 0, __ATOMIC_ACQ_REL)) {
			futex_wait(&w->work, 0, ms);
			continue;
		}
		rcu_native_round(m);
		if (slab_machine_rcu_pending(m) < NO_PAUSE_NR)
			sleep_ns(PAUSE_NS);
	}
	return NULL;
}

void rcu_native_kick(struct slab_machine *m)
{
	struct rcu_worker *w = &m->rcu_worker;

	if (!__atomic_load_n(&w->work, __ATOMIC_RELAXED) &&
	    !__atomic_exchange_n(&w->work, 1, __ATOMIC_ACQ_REL))
		futex_wake(&w->work, 1);
}

/* Of its own: the system reuses stacks of threads that a fork left behind,
 * where liburcu may still look for readers. */
static void use_own_stack(struct rcu_worker *w, pthread_attr_t *attr)
{
	size_t page = PAGE_SIZE, bytes = STACK_BYTES;
	long least = sysconf(_SC_THREAD_STACK_MIN);

	if (least > 0)
		bytes += (size_t)least;
	bytes = ALIGN_UP(bytes, page) + page;
	w->stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (w->stack == MAP_FAILED) {
		w->stack = NULL;
		return;
	}
	w->stack_bytes = bytes;
	mprotect(w->stack, page, PROT_NONE);
	pthread_attr_setstack(attr, (char *)w->stack + page, bytes - page);
}

static void drop_stack(struct rcu_worker *w)
{
	if (w->stack)
		munmap(w->stack, w->stack_bytes);
	w->stack = NULL;
}

/* Signals are the program's threads'. */
static int make_thread(struct slab_machine *m)
{
	struct rcu_worker *w = &m->rcu_worker;
	sigset_t all, before;
	pthread_attr_t attr;
	int err;

	sigfillset(&all);
	pthread_attr_init(&attr);
	use_own_stack(w, &attr);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&w->thread, &attr, work, m);
	if (err && w->stack) {
		/* thread-local data of the program may not fit on ours */
		drop_stack(w);
		err = pthread_create(&w->thread, NULL, work, m);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (err)
		drop_stack(w);
	return err;
}

static __attribute__((noinline)) void start_slow(struct slab_machine *m)
{
	struct rcu_worker *w = &m->rcu_worker;
	uint32_t none = RCU_NO_WORKER;

	if (machine_jiffies(m) < __atomic_load_n(&w->retry, __ATOMIC_RELAXED) ||
	    !__atomic_compare_exchange_n(&w->state, &none, RCU_WORKER_STARTS,
					 false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	/* what was queued before there was anybody to wake */
	__atomic_store_n(&w->work, 1, __ATOMIC_RELAXED);
	if (make_thread(m)) {
		/* until then barriers do its work */
		__atomic_store_n(&w->retry, machine_jiffies(m) + RETRY_MS,
				 __ATOMIC_RELAXED);
		__atomic_store_n(&w->state, RCU_NO_WORKER, __ATOMIC_RELEASE);
		return;
	}
	__atomic_store_n(&w->state, RCU_WORKER_RUNS, __ATOMIC_RELEASE);
}

void rcu_native_start(struct slab_machine *m)
{
	if (__builtin_expect(__atomic_load_n(&m->rcu_worker.state,
					     __ATOMIC_RELAXED) == RCU_NO_WORKER,
			     0))
		start_slow(m);
}

void rcu_native_stop(struct slab_machine *m)
{
	struct rcu_worker *w = &m->rcu_worker;

	if (__atomic_load_n(&w->state, __ATOMIC_ACQUIRE) != RCU_WORKER_RUNS)
		return;
	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	rcu_native_kick(m);
	if (__atomic_load_n(&w->trial, __ATOMIC_ACQUIRE) == RCU_LOST)
		return; /* it waits for ever, where liburcu is broken */
	pthread_join(w->thread, NULL);
	drop_stack(w);
	*w = (struct rcu_worker){ 0 };
}

/* ---- fork ---- */
bool rcu_native_before_fork(struct slab_machine *m)
{
	uint64_t until = machine_jiffies(m) + FORK_WAIT_MS;
	bool is_reading = urcu_is_reading();

	while (__atomic_load_n(&m->rcu_worker.in_grace, __ATOMIC_ACQUIRE)) {
		if (is_reading || machine_jiffies(m) > until)
			return false;
		sleep_ns(PAUSE_NS / 20);
	}
	return true;
}

/*
 * Threads that read at the fork are not there any more, but liburcu may count
 * them for ever, or what it locked be locked: then no grace period ends, and
 * what waits for one stays where it is.
 */
void rcu_native_in_child(struct slab_machine *m, bool is_whole)
{
	struct rcu_worker *w = &m->rcu_worker;
	uint32_t trial =
		is_whole && w->trial != RCU_LOST ? RCU_ON_TRIAL : RCU_LOST;

	lock_reset(&m->rcu_lock);
	/* it waits once more, with what came later */
	*m->rcu_last = m->rcu_grace;
	while (*m->rcu_last)
		m->rcu_last = &(*m->rcu_last)->next;
	m->rcu_grace = NULL;
	drop_stack(w);
	*w = (struct rcu_worker){ .trial = trial };
}

void rcu_native_in_lone_child(struct slab_machine *m)
{
	const struct rcu_worker *w = &m->rcu_worker;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(m->rcu_running); i++)
		m->rcu_running[i] = runs_callbacks && i == callback_epoch;
	/* it may have been the worker that forked */
	if (w->state != RCU_WORKER_RUNS ||
	    !pthread_equal(w->thread, pthread_self()))
		rcu_native_in_child(m, !w->in_grace);
}

bool rcu_native_works(struct slab_machine *m)
{
	struct rcu_worker *w = &m->rcu_worker;
	uint64_t until;
	uint32_t trial = __atomic_load_n(&w->trial, __ATOMIC_ACQUIRE);

	if (__builtin_expect(trial != RCU_ON_TRIAL, 1))
		return trial == RCU_PROVEN;
	if (!slab_machine_rcu_pending(m))
		return false;
	rcu_native_start(m);
	until = machine_jiffies(m) + TRIAL_MS;
	while (__atomic_load_n(&w->trial, __ATOMIC_ACQUIRE) == RCU_ON_TRIAL &&
	       machine_jiffies(m) < until)
		futex_wait(&w->trial, RCU_ON_TRIAL, TRIAL_MS / 10);
	trial = RCU_ON_TRIAL;
	/* the worker says so when it ever comes back */
	__atomic_compare_exchange_n(&w->trial, &trial, RCU_LOST, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	return trial == RCU_PROVEN;
}

/* SPDX-License-Identifier: MIT */
/*
 * machine/rcu.c - callbacks wait for a grace period
 *
 * On a virtual machine nobody reads while a command runs, so a grace period
 * ends when it is told to: then the callbacks queued before it run, in order.
 * On a native one readers are threads: rcu_native.c.
 */
#include "machine/rcu.h"

#include "base/bits.h"

/* ---- the queue ---- */
void machine_queue_rcu(struct slab_machine *m, struct rcu_head *head,
		       void (*func)(struct slab_machine *, struct rcu_head *))
{
	unsigned int pending;

	machine_moved(m);
	head->next = NULL;
	head->func = func;
	if (m->is_native)
		lock_take(&m->rcu_queue_lock);
	*m->rcu_last = head;
	m->rcu_last = &head->next;
	pending = __atomic_add_fetch(&m->rcu_pending, 1, __ATOMIC_RELAXED);
	if (m->is_native)
		lock_release(&m->rcu_queue_lock);
	machine_step(m, SLAB_EVENT_RCU_QUEUE, pending, 0);
}

void machine_rcu_kick(struct slab_machine *m)
{
	if (m->is_native)
		rcu_native_kick(m);
}

void machine_rcu_help(struct slab_machine *m)
{
	if (m->is_native)
		rcu_native_help(m);
}

void machine_call_rcu(struct slab_machine *m, struct rcu_head *head,
		      void (*func)(struct slab_machine *, struct rcu_head *))
{
	machine_queue_rcu(m, head, func);
	machine_rcu_kick(m);
}

void machine_rcu_start(struct slab_machine *m)
{
	if (m->is_native)
		rcu_native_start(m);
}

void machine_rcu_stop(struct slab_machine *m)
{
	if (m->is_native)
		rcu_native_stop(m);
}

bool machine_rcu_may_wait(const struct slab_machine *m)
{
	return !m->is_native || rcu_native_may_wait();
}

/* ---- batches of kfree_rcu ---- */
void machine_krc_lock(struct slab_machine *m, unsigned int cpu)
{
	if (m->is_native)
		lock_take(&m->krc_lock[cpu]);
}

void machine_krc_unlock(struct slab_machine *m, unsigned int cpu)
{
	if (m->is_native)
		lock_release(&m->krc_lock[cpu]);
}

void machine_krc_drain_locked(struct slab_machine *m, unsigned int cpu)
{
	struct krc_block *block;

	if (!m->krc[cpu])
		return;
	machine_point(m, SLAB_POINT_RCU_SUBMIT);
	/* in one step: a barrier must find it in one place or the other */
	block = m->krc[cpu];
	m->krc[cpu] = NULL;
	if (block)
		machine_queue_rcu(m, &block->rcu, block->rcu.func);
}

void machine_krc_drain(struct slab_machine *m, unsigned int cpu)
{
	machine_krc_lock(m, cpu);
	machine_krc_drain_locked(m, cpu);
	machine_krc_unlock(m, cpu);
	machine_rcu_kick(m);
}

uint64_t machine_krc_drain_old(struct slab_machine *m)
{
	uint64_t now = machine_jiffies(m), next = KRC_NONE;
	bool any = false;
	unsigned int cpu;

	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		uint64_t age;

		machine_krc_lock(m, cpu);
		if (m->krc[cpu]) {
			age = now - m->krc[cpu]->since;
			if (age >= KRC_DRAIN_JIFFIES) {
				machine_krc_drain_locked(m, cpu);
				any = true;
			} else {
				next = MIN(next, KRC_DRAIN_JIFFIES - age);
			}
		}
		machine_krc_unlock(m, cpu);
	}
	/* the worker is one of those who ask, and sleeps when there is nothing */
	if (any)
		machine_rcu_kick(m);
	return next;
}

static void drain_all(struct slab_machine *m)
{
	unsigned int cpu;

	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		machine_krc_drain(m, cpu);
}

/* ---- grace periods ---- */
struct rcu_head *rcu_take(struct slab_machine *m)
{
	struct rcu_head *head;

	machine_moved(m);
	if (m->is_native)
		lock_take(&m->rcu_queue_lock);
	head = m->rcu_first;
	m->rcu_first = NULL;
	m->rcu_last = &m->rcu_first;
	if (m->is_native) {
		/* in one step: who looks finds it on one list or the other */
		__atomic_store_n(&m->rcu_grace, head, __ATOMIC_RELAXED);
		lock_release(&m->rcu_queue_lock);
	} else {
		m->rcu_pending = 0;
	}
	return head;
}

unsigned int rcu_run(struct slab_machine *m, struct rcu_head *head)
{
	unsigned int done = 0;

	while (head) {
		struct rcu_head *next = head->next;

		machine_point(m, SLAB_POINT_RCU_CALLBACK);
		head->func(m, head);
		head = next;
		done++;
	}
	if (done)
		machine_step(m, SLAB_EVENT_RCU_DONE, done, 0);
	return done;
}

unsigned int slab_machine_rcu_tick(struct slab_machine *m)
{
	unsigned int done;

	if (!machine_rcu_may_wait(m))
		return 0;
	/* a grace period takes longer than a batch may wait */
	drain_all(m);
	if (m->is_native)
		return rcu_native_works(m) ? rcu_native_round(m) : 0;
	/* an interrupt of who runs them can not wait for him */
	if (m->in_interrupt && lock_is_held(&m->rcu_lock))
		return 0;
	/* a barrier waits for callbacks that another CPU has begun to run */
	machine_lock(m, &m->rcu_lock, SLAB_POINT_RCU_LOCK);
	done = rcu_run(m, rcu_take(m));
	machine_unlock(m, &m->rcu_lock, SLAB_POINT_RCU_UNLOCK);
	return done;
}

void slab_machine_rcu_barrier(struct slab_machine *m)
{
	/* threads go on queueing: native, what was there before is enough */
	while (slab_machine_rcu_tick(m) && !m->is_native)
		;
}

unsigned int slab_machine_rcu_pending(const struct slab_machine *m)
{
	return __atomic_load_n(&m->rcu_pending, __ATOMIC_ACQUIRE);
}

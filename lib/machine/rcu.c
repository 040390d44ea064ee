/* SPDX-License-Identifier: MIT */
/*
 * machine/rcu.c - grace periods of a virtual machine
 *
 * Nobody reads while a command runs, so a grace period ends when it is told
 * to: then the callbacks queued before it run, in order.
 */
#include "machine/machine.h"

static void queue(struct slab_machine *m, struct rcu_head *head,
		  void (*func)(struct slab_machine *, struct rcu_head *))
{
	m->rest_seq++;
	head->next = NULL;
	head->func = func;
	*m->rcu_last = head;
	m->rcu_last = &head->next;
	m->rcu_pending++;
	machine_step(m, SLAB_EVENT_RCU_QUEUE, m->rcu_pending, 0);
}

void machine_call_rcu(struct slab_machine *m, struct rcu_head *head,
		      void (*func)(struct slab_machine *, struct rcu_head *))
{
	machine_point(m, SLAB_POINT_RCU_SUBMIT);
	queue(m, head, func);
}

void machine_krc_drain(struct slab_machine *m, unsigned int cpu)
{
	struct krc_block *block;

	if (!m->krc[cpu])
		return;
	machine_point(m, SLAB_POINT_RCU_SUBMIT);
	/* in one step: a barrier must find it in one place or the other */
	block = m->krc[cpu];
	m->krc[cpu] = NULL;
	if (block)
		queue(m, &block->rcu, block->rcu.func);
}

static unsigned int run_callbacks(struct slab_machine *m)
{
	struct rcu_head *head = m->rcu_first;
	unsigned int done = 0;

	m->rest_seq++;
	m->rcu_first = NULL;
	m->rcu_last = &m->rcu_first;
	m->rcu_pending = 0;
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
	unsigned int done, cpu;

	/* a grace period takes longer than a batch may wait */
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		machine_krc_drain(m, cpu);
	/* an interrupt of who runs them can not wait for him */
	if (m->in_interrupt && lock_is_held(&m->rcu_lock))
		return 0;
	/* a barrier waits for callbacks that another CPU has begun to run */
	machine_lock(m, &m->rcu_lock, SLAB_POINT_RCU_LOCK);
	done = run_callbacks(m);
	machine_unlock(m, &m->rcu_lock, SLAB_POINT_RCU_UNLOCK);
	return done;
}

void slab_machine_rcu_barrier(struct slab_machine *m)
{
	while (slab_machine_rcu_tick(m))
		;
}

unsigned int slab_machine_rcu_pending(const struct slab_machine *m)
{
	return m->rcu_pending;
}

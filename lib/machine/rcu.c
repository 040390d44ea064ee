/* SPDX-License-Identifier: MIT */
/*
 * machine/rcu.c - grace periods of a virtual machine
 *
 * Nobody reads while a command runs, so a grace period ends when it is told
 * to: then the callbacks queued before it run, in order.
 */
#include "machine/machine.h"

void machine_call_rcu(struct slab_machine *m, struct rcu_head *head,
		      void (*func)(struct slab_machine *, struct rcu_head *))
{
	machine_point(m, SLAB_POINT_RCU_SUBMIT);
	head->next = NULL;
	head->func = func;
	*m->rcu_last = head;
	m->rcu_last = &head->next;
	m->rcu_pending++;
	machine_step(m, SLAB_EVENT_RCU_QUEUE, m->rcu_pending, 0);
}

unsigned int slab_machine_rcu_tick(struct slab_machine *m)
{
	struct rcu_head *head = m->rcu_first;
	unsigned int done = 0;

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
		machine_step(m, SLAB_EVENT_RCU_DONE, done,
			      0);
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

/* SPDX-License-Identifier: MIT */
/*
 * machine/interrupt.c - something else runs on this CPU in between
 *
 * An interrupt finds the locks of whom it interrupted held, so all it may do
 * is try. It starts with no lock of its own.
 */
#include "machine/machine.h"

void machine_run_irq_work(struct slab_machine *m)
{
	uint32_t held;

	if (m->in_interrupt || m->irqs_off[m->cpu] || !m->irq_work)
		return;
	held = lock_suspend();
	m->in_interrupt++;
	m->irq_work(m);
	m->in_interrupt--;
	lock_resume(held);
}

void slab_machine_interrupt(struct slab_machine *m, void (*fn)(void *arg),
			    void *arg)
{
	uint32_t held = lock_suspend();
	uint8_t off = m->irqs_off[m->cpu];

	m->in_interrupt++;
	m->irqs_off[m->cpu] = 0;
	fn(arg);
	m->irqs_off[m->cpu] = off;
	m->in_interrupt--;
	lock_resume(held);
	if (m->deferred[m->cpu])
		machine_run_irq_work(m);
}

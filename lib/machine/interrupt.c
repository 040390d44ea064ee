/* SPDX-License-Identifier: MIT */
/*
 * machine/interrupt.c - something else runs on this CPU in between
 *
 * An interrupt, or a signal handler, finds the locks of whom it interrupted
 * held, so all it may do is try. It starts with no lock of its own. What it
 * could not do it leaves: on a virtual machine until the interrupt is over, on
 * a native one, which is not told when that is, until the next slow path of
 * any thread.
 */
#include "machine/machine.h"

void machine_run_irq_work(struct slab_machine *m)
{
	uint32_t held;

	if (!m->irq_work)
		return;
	if (machine_has_signals(m)) {
		if (lock_may_wait())
			m->irq_work(m);
		return;
	}
	if (m->in_interrupt || m->irqs_off[m->cpu])
		return;
	held = lock_suspend();
	m->in_interrupt++;
	m->sections_ended[machine_here(m)]++;
	m->irq_work(m);
	m->in_interrupt--;
	lock_resume(held);
}

struct machine_any machine_any_begin(struct slab_machine *m)
{
	struct machine_any before = { 0 };

	/* a virtual machine's interrupt has done so */
	if (!machine_has_signals(m))
		return before;
	before.locks = lock_suspend();
	before.acts_for = percpu_acts_save();
	lock_forbid_wait();
	if (m->is_native)
		return before;
	before.works_from = m->works_from;
	before.cpu = m->cpu;
	if (m->works_from)
		m->cpu = machine_here(m);
	m->works_from = 0;
	return before;
}

void machine_any_end(struct slab_machine *m, struct machine_any before)
{
	if (!machine_has_signals(m))
		return;
	if (!m->is_native) {
		if (before.works_from)
			m->cpu = before.cpu;
		m->works_from = before.works_from;
	}
	percpu_acts_restore(before.acts_for);
	lock_resume(before.locks);
}

void slab_machine_interrupt(struct slab_machine *m, void (*fn)(void *arg),
			    void *arg)
{
	uint32_t held = lock_suspend();
	uint8_t off = m->irqs_off[m->cpu];

	m->in_interrupt++;
	m->sections_ended[machine_here(m)]++;
	m->irqs_off[m->cpu] = 0;
	fn(arg);
	m->irqs_off[m->cpu] = off;
	m->in_interrupt--;
	lock_resume(held);
	if (!machine_has_signals(m) && m->deferred[m->cpu])
		machine_run_irq_work(m);
}

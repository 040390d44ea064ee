/* SPDX-License-Identifier: MIT */
/* machine/fork_gate.c - see fork_gate.h */
#define _GNU_SOURCE
#include "machine/fork_gate.h"

#include <limits.h>
#include <sched.h>

#include "base/futex.h"

_Thread_local struct fork_pass fork_pass
	__attribute__((tls_model("initial-exec")));

void fork_gate_pass(struct slab_machine *m)
{
	struct fork_gate *gate = &m->fork_gate;

	for (;;) {
		uint32_t *inside;

		fork_pass.cpu = machine_cpu(m);
		inside = &gate->cpu[fork_pass.cpu].inside;
		__atomic_fetch_add(inside, 1, __ATOMIC_SEQ_CST);
		if (__builtin_expect(!__atomic_load_n(&gate->is_closed,
						      __ATOMIC_SEQ_CST),
				     1))
			return;
		__atomic_fetch_sub(inside, 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&gate->is_closed, __ATOMIC_ACQUIRE))
			futex_wait(&gate->is_closed, 1, FUTEX_FOREVER);
	}
}

void fork_gate_close(struct slab_machine *m)
{
	unsigned int cpu;

	__atomic_store_n(&m->fork_gate.is_closed, 1, __ATOMIC_SEQ_CST);
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		while (__atomic_load_n(&m->fork_gate.cpu[cpu].inside,
				       __ATOMIC_SEQ_CST))
			sched_yield();
}

void fork_gate_alone(struct slab_machine *m)
{
	unsigned int cpu;

	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		m->fork_gate.cpu[cpu].inside =
			fork_pass.depth && cpu == fork_pass.cpu;
	m->fork_gate.is_closed = 0;
}

void fork_gate_open(struct slab_machine *m)
{
	__atomic_store_n(&m->fork_gate.is_closed, 0, __ATOMIC_RELEASE);
	futex_wake(&m->fork_gate.is_closed, INT_MAX);
}

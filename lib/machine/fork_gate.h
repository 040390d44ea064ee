/* SPDX-License-Identifier: MIT */
/*
 * machine/fork_gate.h - what a fork waits for, beside the locks
 *
 * A child of fork() gets pages one after the other, while threads of its
 * parent go on writing. Most of what they write is under a lock, which the
 * fork takes (cache/fork.c); what is not, above all a push to a slab's
 * freelist by compare-exchange, stands between enter and leave:
 *
 *	enter   count me in; is the gate closed? count me out, wait, again
 *	fork    close the gate; wait until nobody is counted in
 *
 * Inside the gate locks behind LOCK_RANK_RCU may be taken, and no other; a
 * thread that holds one of those behind it does not enter. Whoever is inside
 * may enter again. A signal handler never does: it pushes to no slab.
 */
#ifndef SLAB_MACHINE_FORK_GATE_H
#define SLAB_MACHINE_FORK_GATE_H

#include "machine/machine.h"

/* This thread: how deep inside, and which count says so; and its looks, which
 * hold locks that a fork takes (inspect/look.h). */
struct fork_pass {
	unsigned int depth, cpu;
	unsigned int looks;
};
extern _Thread_local struct fork_pass fork_pass
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

void fork_gate_pass(struct slab_machine *m);

static inline void fork_gate_enter(struct slab_machine *m)
{
	if (m->is_native && !fork_pass.depth++)
		fork_gate_pass(m);
}

static inline void fork_gate_leave(struct slab_machine *m)
{
	if (m->is_native && !--fork_pass.depth)
		__atomic_fetch_sub(&m->fork_gate.cpu[fork_pass.cpu].inside, 1,
				   __ATOMIC_RELEASE);
}

void fork_gate_close(struct slab_machine *m);
void fork_gate_open(struct slab_machine *m);
/* In a child whose fork did not wait: the other threads are not there. */
void fork_gate_alone(struct slab_machine *m);

#endif

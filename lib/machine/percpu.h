/* SPDX-License-Identifier: MIT */
/*
 * machine/percpu.h - this thread's CPU, and words of which each CPU has one
 *
 *	PERCPU_RSEQ  the kernel restarts a thread that it interrupts between
 *	             reading its CPU's number and the store that commits
 *	PERCPU_LOCK  a try-lock in the record; no inline path ever succeeds
 *	PERCPU_SIM   PERCPU_RSEQ's protocol on a virtual machine, step by step
 *
 * Found out once, when the first machine is made: no registration of glibc's,
 * no membarrier, valgrind, or a kernel without rseq mean PERCPU_LOCK.
 */
#ifndef SLAB_MACHINE_PERCPU_H
#define SLAB_MACHINE_PERCPU_H

#include <slab/cache.h>

enum percpu_kind { PERCPU_LOCK, PERCPU_RSEQ, PERCPU_SIM };

/* What this process can do, unless no_rseq. */
enum percpu_kind percpu_init(bool no_rseq);

/* CPUs that this kernel may ever have, or at least as many. */
unsigned int percpu_possible(void);
/* The CPU that this thread runs on, or acts for; it may be another one by the
 * time it is used. */
unsigned int percpu_current(void);
/* Until it says -1 this thread acts for that CPU (work on every CPU). */
void percpu_act_for(int cpu);

extern _Thread_local int percpu_acts_for /* + 1 */
	__attribute__((tls_model("initial-exec")));

static inline bool percpu_acts(void)
{
	return percpu_acts_for != 0;
}
/* The same, for who interrupts that work: gives and takes what it said. */
int percpu_acts_save(void);
void percpu_acts_restore(int saved);

/*
 * PERCPU_RSEQ: any CPU's record gets `drained` for its first word (this CPU's
 * own, and `locked`: machine/percpu_rseq.h). Whoever was in the middle of a
 * section there has finished it or begins anew when this returns. One caller
 * a record at a time. -EBUSY: somebody there has it; or -errno, when no way is
 * open to make sure. Nothing has changed then.
 */
int percpu_swap_there(void *record, unsigned int cpu, void *locked,
		      void *drained);
/* Whoever was in the middle of a section on any CPU has finished it or begins
 * anew. false: there was no way to make sure. */
bool percpu_interrupt_all(unsigned int nr_cpus);

#endif

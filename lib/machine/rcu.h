/* SPDX-License-Identifier: MIT */
/* machine/rcu.h - what both kinds of machines' RCU share */
#ifndef SLAB_MACHINE_RCU_H
#define SLAB_MACHINE_RCU_H

#include "machine/machine.h"

/* All callbacks that are queued, in order; they count as pending still. Of a
 * native machine they are in rcu_grace then. */
struct rcu_head *rcu_take(struct slab_machine *m);
/* Runs them, of a virtual machine; how many. */
unsigned int rcu_run(struct slab_machine *m, struct rcu_head *head);

/* ---- machine/rcu_native.c ---- */
/* All that is queued now has run when it returns; how many ran here. */
unsigned int rcu_native_round(struct slab_machine *m);
/* Can a round end? Waits a while for the answer in a child of fork(). */
bool rcu_native_works(struct slab_machine *m);
void rcu_native_kick(struct slab_machine *m);
void rcu_native_help(struct slab_machine *m);
void rcu_native_start(struct slab_machine *m);
bool rcu_native_may_wait(void);
/* The worker ends, and nothing runs any more. */
void rcu_native_stop(struct slab_machine *m);

/* ---- around fork() (cache/fork.c) ---- */
/* The gate is closed. Nobody of ours is in liburcu; false: somebody is, and
 * waits for readers of whom one may be, or wait for, the thread that forks. */
bool rcu_native_before_fork(struct slab_machine *m);
/* In the child, all locks free: the worker is not there any more. */
void rcu_native_in_child(struct slab_machine *m, bool is_whole);
/* In a child of a fork that did not wait: as well as that can be known. */
void rcu_native_in_lone_child(struct slab_machine *m);

#endif

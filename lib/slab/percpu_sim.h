/* SPDX-License-Identifier: MIT */
/*
 * slab/percpu_sim.h - the folded lock and the inline paths, step by step
 *
 * What restartable sequences do on real CPUs (machine/percpu_rseq.h,
 * slab/fast.h) in C, for virtual machines whose percpu is PERCPU_SIM: a point
 * stands before every load and store, so that an explorer can let others come
 * between any two of them.
 *
 * A section begins anew when, before its one store that commits, another
 * thread ran on its CPU, an interrupt came there, or a membarrier was aimed at
 * it. All are counted in sections_ended of the machine: the membarrier here, an
 * interrupt by machine/interrupt.c, threads by who switches them. What runs on
 * other CPUs meanwhile does not end it; nor need a move do so by itself, since
 * it shows when somebody else runs where the section began.
 *
 * The holder in the record's lock, that CPU + 1, says whether somebody should
 * hold the sheaves; sections_broken of the machine when two do, or when a
 * section commits to what somebody holds.
 */
#ifndef SLAB_SLAB_PERCPU_SIM_H
#define SLAB_SLAB_PERCPU_SIM_H

#include "slab/cpu.h"

/* The top of this CPU's main; NULL: take the slow path. */
void *percpu_sim_pop(struct slab_machine *m, struct slub_percpu_sheaves *base);
/* false: take the slow path. */
bool percpu_sim_push(struct slab_machine *m, struct slub_percpu_sheaves *base,
		     void *object);
/* All nr of them; false: none. */
bool percpu_sim_pop_many(struct slab_machine *m,
			 struct slub_percpu_sheaves *base, unsigned int nr,
			 void **p);
bool percpu_sim_push_many(struct slab_machine *m,
			  struct slub_percpu_sheaves *base, unsigned int nr,
			  void **p);

/* This CPU's record, or that of the CPU this thread works for; NULL: busy. */
struct slub_percpu_sheaves *percpu_sim_lock(struct slab_machine *m,
					    struct slub_percpu_sheaves *base);
struct slub_percpu_sheaves *
percpu_sim_lock_wait(struct slab_machine *m, struct slub_percpu_sheaves *base);
void percpu_sim_unlock(struct slab_machine *m, struct slub_percpu_sheaves *pcs);

static inline bool percpu_sim_is_locked(const struct slub_percpu_sheaves *pcs)
{
	return pcs->fast == locked_sheaf || pcs->fast == drained_sheaf;
}

#endif

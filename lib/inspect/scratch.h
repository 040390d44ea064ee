/* SPDX-License-Identifier: MIT */
/*
 * inspect/scratch.h - memory to look with
 *
 * Pages of its own: who looks holds cpus_lock and slab_mutex, and malloc may be
 * made of this library. The metadata of the machine is no place either, for it
 * is what is looked at. Answers are malloc'ed, when the locks are free again:
 * scratch_answer().
 *
 * Locking: none; blocks that were given back are kept by the thread until its
 *          outermost look ends.
 */
#ifndef SLAB_INSPECT_SCRATCH_H
#define SLAB_INSPECT_SCRATCH_H

#include <stddef.h>

/* Zeroed; NULL without memory. */
void *scratch_alloc(size_t bytes);
/* Room for more of them, which are not zeroed; NULL: p is as it was. */
void *scratch_grow(void *p, size_t bytes);
void scratch_free(void *p);

/* Around a look. */
void scratch_begin(void);
void scratch_end(void);

/* The scratch p becomes the caller's, to free(). *ret, or -ENOMEM. */
int scratch_answer(void *p, size_t bytes, void *ret);

#endif

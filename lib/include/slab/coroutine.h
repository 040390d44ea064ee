/*
 * slab/coroutine.h - several virtual CPUs' work on one thread
 *
 * A coroutine runs a function on a stack of its own until that ends or calls
 * slab_coroutine_back(), from a point hook say, in the middle of a free; the
 * next slab_coroutine_run() goes on from there. What belongs to who runs
 * changes with it: the machine's current CPU, task, policy and site, how deep
 * in interrupts it is, which locks it holds, and errno.
 *
 * Coroutines may run each other; each goes back to who ran it. A machine with
 * unfinished coroutines wants a wait hook (slab/event.h): a lock may be held by
 * one of them, and spinning on it would never end.
 */
#ifndef SLAB_COROUTINE_H
#define SLAB_COROUTINE_H

#include <slab/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

struct slab_coroutine;

/* Begins, when it is first run, as who is current now. -ENOMEM; -ENOTSUP:
 * builds with ThreadSanitizer, which would take it for threads. */
SLAB_API int slab_coroutine_create(struct slab_machine *m,
				   void (*fn)(void *arg), void *arg,
				   struct slab_coroutine **ret);
/* It is forgotten where it stands: what it had locked stays locked. NULL is
 * fine; the one that runs must not. */
SLAB_API void slab_coroutine_destroy(struct slab_coroutine *c);
/* Forgets where it stands and is as created now, on the same stack. */
SLAB_API void slab_coroutine_restart(struct slab_coroutine *c);

/* Until it goes back or ends: true when it has ended, before or now. */
SLAB_API bool slab_coroutine_run(struct slab_coroutine *c);
/* From inside: to who ran the coroutine; returns when it is run again. Outside
 * of any it does nothing. */
SLAB_API void slab_coroutine_back(void);
/* The one that runs; NULL: none. */
SLAB_API struct slab_coroutine *slab_coroutine_current(void);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * machine/stack.c - who called: never past the stack, whatever it holds
 *
 * Our own frames have frame pointers, up to the call that a user made. From
 * there it goes on by the rules of each module (machine/unwind.c), or by frame
 * pointer all the way: cheaper by a third, and where a caller was built
 * without them, the walk ends or leaves somebody out. What is found is judged
 * before it is believed.
 */
#define _GNU_SOURCE
#include "machine/machine.h"

#include <errno.h>
#include <pthread.h>

#include "base/lock.h"
#include "machine/fork_gate.h"
#include "machine/stack.h"
#include "machine/unwind.h"

/* Asking for a thread's stack may allocate, so it is asked once, not by a
 * signal handler, and a question that comes while it is asked finds an empty
 * one. */
_Thread_local struct stack_bounds stack_bounds
	__attribute__((tls_model("initial-exec")));

void stack_find_bounds(void)
{
	int saved_errno = errno;
	pthread_attr_t attr;
	void *start;
	size_t size;

	if (!lock_may_wait())
		return;
	stack_bounds.is_known = true;
	if (!pthread_getattr_np(pthread_self(), &attr)) {
		if (!pthread_attr_getstack(&attr, &start, &size)) {
			stack_bounds.low = (uintptr_t)start;
			stack_bounds.high = (uintptr_t)start + size;
		}
		pthread_attr_destroy(&attr);
	}
	errno = saved_errno;
}

#if defined(__x86_64__) || defined(__aarch64__)
/* A frame is the caller's frame pointer and then the return address. */
static unsigned int walk(uintptr_t fp, uintptr_t *frames, unsigned int max,
			 struct stack_trail *trail)
{
	uintptr_t low = fp, high = stack_bounds.high;
	unsigned int nr = 0;

	while (nr < max && stack_holds(low, high, fp)) {
		uintptr_t up = stack_read(trail, fp);
		uintptr_t to = stack_read(trail, fp + sizeof(uintptr_t));

		if (!unwind_is_code(to))
			break;
		frames[nr++] = to;
		if (up <= fp)
			break;
		fp = up;
	}
	return nr;
}

static bool uses_tables(const struct slab_machine *m)
{
	switch (m->config.unwind) {
	case SLAB_UNWIND_FRAME_POINTER:
		return false;
	case SLAB_UNWIND_UNWINDER:
		return true;
	default:
		return m->is_native;
	}
}

unsigned int stack_walk(const struct slab_machine *m, uintptr_t fp,
			uintptr_t *frames, unsigned int max,
			struct stack_trail *trail)
{
	struct unwind_frame f;

	if (!uses_tables(m))
		return walk(fp, frames, max, trail);
	if (!stack_holds(fp, stack_bounds.high, fp) || fp < stack_bounds.low)
		return 0;
	f.fp = stack_read(trail, fp);
	f.pc = stack_read(trail, fp + sizeof(uintptr_t));
	f.sp = fp + 2 * sizeof(uintptr_t);
	return unwind(f, stack_bounds.high, frames, max, trail);
}
#else
unsigned int stack_walk(const struct slab_machine *m, uintptr_t fp,
			uintptr_t *frames, unsigned int max,
			struct stack_trail *trail)
{
	(void)m, (void)fp, (void)frames, (void)max, (void)trail;
	return 0;
}
#endif

unsigned int machine_stack(struct slab_machine *m, uintptr_t caller,
			   uintptr_t *frames, unsigned int max)
{
	uintptr_t fp = (uintptr_t)__builtin_frame_address(0);
	unsigned int nr = 0;

	if (!max)
		return 0;
	if (m->site) {
		frames[0] = m->site;
		return 1;
	}
	/* in the middle of a path locks may be held, and asking allocates */
	if (!fork_pass.depth)
		stack_know_bounds();
	if (caller)
		fp = stack_find(fp, caller);
	if (fp >= stack_bounds.low)
		nr = stack_walk(m, fp, frames, max, NULL);
	if (!nr && caller) {
		frames[0] = caller;
		nr = 1;
	}
	return nr;
}

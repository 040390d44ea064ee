/* SPDX-License-Identifier: MIT */
/*
 * machine/stack.c - who called: by frame pointer, and never past the stack
 *
 * Frame pointers cost a few loads a frame, where an unwinder takes locks and
 * memory. A caller built without them breaks the chain: what is found then is
 * judged before it is believed, and the walk ends there.
 */
#define _GNU_SOURCE
#include "machine/machine.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "base/bytes.h"

/* Frames of ours between the caller and here, at most. */
#define MAX_OWN_FRAMES 64

struct stack_bounds {
	uintptr_t low, high; /* equal: not known */
	bool is_known;
};

/* This thread's stack. Asking for it may allocate, so it is asked once, and a
 * question that comes while it is asked finds an empty one. */
static struct stack_bounds thread_stack(void)
{
	static _Thread_local struct stack_bounds bounds;
	int saved_errno = errno;
	pthread_attr_t attr;
	void *start;
	size_t size;

	if (bounds.is_known)
		return bounds;
	bounds.is_known = true;
	if (!pthread_getattr_np(pthread_self(), &attr)) {
		if (!pthread_attr_getstack(&attr, &start, &size)) {
			bounds.low = (uintptr_t)start;
			bounds.high = (uintptr_t)start + size;
		}
		pthread_attr_destroy(&attr);
	}
	errno = saved_errno;
	return bounds;
}

/* Does anything that was loaded hold this address? */
static bool is_code(uintptr_t address)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
	struct dl_find_object found;

	return !_dl_find_object((void *)address, &found);
#else
	return address >= 4096;
#endif
}

#if defined(__x86_64__) || defined(__aarch64__)
/* A frame is the caller's frame pointer and then the return address. */
static unsigned int walk(uintptr_t fp, uintptr_t caller, uintptr_t *frames,
			 unsigned int max)
{
	struct stack_bounds stack = thread_stack();
	bool is_own = caller != 0;
	unsigned int nr = 0, steps;

	for (steps = 0; nr < max && steps < MAX_OWN_FRAMES + max; steps++) {
		uintptr_t to, up;

		/* a fiber runs on a stack that nobody told us about */
		if (fp < stack.low || fp >= stack.high ||
		    stack.high - fp < 2 * sizeof(uintptr_t) ||
		    fp % sizeof(uintptr_t))
			break;
		up = word_read((void *)fp);
		to = word_read((void *)(fp + sizeof(uintptr_t)));
		if (!is_code(to))
			break;
		if (to == caller)
			is_own = false;
		if (!is_own)
			frames[nr++] = to;
		if (up <= fp)
			break;
		fp = up;
	}
	return nr;
}
#else
static unsigned int walk(uintptr_t fp, uintptr_t caller, uintptr_t *frames,
			 unsigned int max)
{
	(void)fp, (void)caller, (void)frames, (void)max;
	return 0;
}
#endif

unsigned int machine_stack(struct slab_machine *m, uintptr_t caller,
			   uintptr_t *frames, unsigned int max)
{
	unsigned int nr;

	if (!max)
		return 0;
	if (m->site) {
		frames[0] = m->site;
		return 1;
	}
	nr = walk((uintptr_t)__builtin_frame_address(0), caller, frames, max);
	if (!nr && caller) {
		frames[0] = caller;
		nr = 1;
	}
	return nr;
}

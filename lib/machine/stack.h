/* SPDX-License-Identifier: MIT */
/*
 * machine/stack.h - a walk in two parts, for who walks the same stack often
 *
 *	our frames, up to the one that returns to `caller`   stack_find()
 *	his, and those behind it				     stack_walk()
 *
 * The second leaves a trail: each word of the stack that it read. While all of
 * them are what they were, another walk from the same place would find the
 * same, whichever way it goes.
 */
#ifndef SLAB_MACHINE_STACK_H
#define SLAB_MACHINE_STACK_H

#include "base/bytes.h"
#include "machine/machine.h"

/* This thread's; 0, 0: not known. */
struct stack_bounds {
	uintptr_t low, high;
	bool is_known;
};
extern _Thread_local struct stack_bounds stack_bounds
	__attribute__((tls_model("initial-exec"), visibility("hidden")));
/* Asks for them, when that may be done. */
void stack_find_bounds(void);
/* Before locks are taken under which somebody may want them: to ask allocates. */
static inline void stack_know_bounds(void)
{
	if (__builtin_expect(!stack_bounds.is_known, 0))
		stack_find_bounds();
}

/* Two words a frame, and our own. */
#define STACK_TRAIL_WORDS (2 * SLAB_TRACK_FRAMES + 4)

struct stack_trail {
	unsigned int nr; /* more than there is room for: it is of no use */
	struct {
		uintptr_t at, value; /* at 0: what it held is no matter */
	} word[STACK_TRAIL_WORDS];
};

static inline uintptr_t stack_read(struct stack_trail *trail, uintptr_t at)
{
	uintptr_t value = word_read((void *)at);

	if (trail && trail->nr++ < STACK_TRAIL_WORDS) {
		trail->word[trail->nr - 1].at = at;
		trail->word[trail->nr - 1].value = value;
	}
	return value;
}

/* A fiber runs on a stack that nobody told us about. */
static inline bool stack_holds(uintptr_t low, uintptr_t high, uintptr_t fp)
{
	return fp >= low && fp < high && high - fp >= 2 * sizeof(uintptr_t) &&
	       fp % sizeof(uintptr_t) == 0;
}

/* Frames of ours between the caller and here, at most. */
#define STACK_OWN_FRAMES 64

/* From frame `fp` on: the one that returns to caller; 0: none of ours does. */
static inline uintptr_t stack_find(uintptr_t fp, uintptr_t caller)
{
	uintptr_t low = fp, high = stack_bounds.high;
	unsigned int steps;

	if (fp < stack_bounds.low)
		return 0;
	for (steps = 0; steps < STACK_OWN_FRAMES && stack_holds(low, high, fp);
	     steps++) {
		uintptr_t up = word_read((void *)fp);

		if (word_read((void *)(fp + sizeof(uintptr_t))) == caller)
			return fp;
		if (up <= fp)
			break;
		fp = up;
	}
	return 0;
}

/* Callers from the frame `fp` of ours on, as machine_stack(); trail: NULL, or
 * filled. */
unsigned int stack_walk(const struct slab_machine *m, uintptr_t fp,
			uintptr_t *frames, unsigned int max,
			struct stack_trail *trail);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * debug/recent.h - handles of stacks that were walked a moment ago
 *
 * A loop allocates from the same stack again and again. What its walk read is
 * compared with what stands there now, a few words, and when nothing differs
 * the walk would end in the same handle.
 *
 * Locking: none. An entry is marked while it is written; whoever finds it so,
 *          before or after, walks the stack.
 */
#ifndef SLAB_DEBUG_RECENT_H
#define SLAB_DEBUG_RECENT_H

#include "machine/stack.h"

#define RECENT_SHIFT 7

/* Two words side by side, as frame pointer and return address are; and one. */
struct recent_pair {
	uintptr_t offset; /* from fp */
	uintptr_t value[2];
};
struct recent_word {
	uintptr_t offset, value;
};
#define RECENT_PAIRS 20
#define RECENT_WORDS 28

struct recent_stack {
	uintptr_t fp, caller; /* fp: RECENT_BUSY while it is written */
	uintptr_t up;	      /* what the frame at fp saved, */
	uintptr_t up_counts;  /* and its bits that count: all or none */
	uint32_t handle, nr_words;
	uintptr_t end; /* the largest offset */
	/* behind the last one stands whether there are words, too */
	struct recent_pair pair[RECENT_PAIRS + 1];
	struct recent_word word[RECENT_WORDS];
	uintptr_t unused[3];
};
#define RECENT_END   UINTPTR_MAX
#define RECENT_GO_ON (UINTPTR_MAX - 1)
#define RECENT_BUSY  ((uintptr_t)1)

static_assert(sizeof(struct recent_stack) == 1024, "a shift, not a product");
static_assert(RECENT_PAIRS > STACK_TRAIL_WORDS / 2, "frames have pairs");

struct recent_stacks {
	struct recent_stack entry[1U << RECENT_SHIFT];
};

/* Of a pair of places: this one or the one beside it. Else two calls in a loop,
 * if they met, would walk each time. */
static inline size_t recent_slot(uintptr_t fp, uintptr_t caller)
{
	return ((fp >> 3) + caller) * 0x9e3779b97f4a7c15U >>
	       (64 - RECENT_SHIFT);
}

#define RECENT_GET(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)

/* All that was read before it, was read before what follows. */
static inline void recent_barrier(void)
{
#if defined(__x86_64__)
	__atomic_signal_fence(__ATOMIC_ACQ_REL); /* loads keep their order */
#else
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
}

static inline bool recent_is_of(const struct recent_stack *e, uintptr_t fp,
				uintptr_t caller)
{
	return RECENT_GET(e->fp) == fp && RECENT_GET(e->caller) == caller;
}

/* With those of code without frame pointers. */
uint32_t recent_check_words(const struct recent_stack *e, uintptr_t fp,
			    uintptr_t left);

/* The handle of the stack behind frame `fp` of ours, which lies on this
 * thread's stack and returns to caller; 0: it is not known. */
static inline uint32_t recent_find(const struct recent_stacks *recent,
				   uintptr_t fp, uintptr_t caller)
{
	size_t slot = recent_slot(fp, caller);
	const struct recent_stack *e = &recent->entry[slot];
	uintptr_t left = stack_bounds.high - fp - 2 * sizeof(uintptr_t);
	const struct recent_pair *pair;
	uintptr_t offset;
	uint32_t handle;

	if (__builtin_expect(!recent_is_of(e, fp, caller), 0)) {
		e = &recent->entry[slot ^ 1];
		if (!recent_is_of(e, fp, caller))
			return 0;
	}
	/* another thread's stack may have been where this one is shorter */
	if ((word_read((const void *)fp) ^ RECENT_GET(e->up)) &
		    RECENT_GET(e->up_counts) ||
	    RECENT_GET(e->end) > left)
		return 0;
	/* of an entry that is being written an offset may be any */
	for (pair = e->pair; (offset = RECENT_GET(pair->offset)) <= left;
	     pair++)
		if (word_read((const char *)fp + offset) !=
			    word_read(&pair->value[0]) ||
		    word_read((const char *)fp + offset + sizeof(uintptr_t)) !=
			    word_read(&pair->value[1]))
			return 0;
	if (offset != RECENT_END)
		return offset == RECENT_GO_ON ?
			       recent_check_words(e, fp, left) :
			       0;
	handle = RECENT_GET(e->handle);
	/* whoever writes it for this frame again is this thread, later */
	recent_barrier();
	return RECENT_GET(e->fp) == fp ? handle : 0;
}

void recent_keep(struct recent_stacks *recent, uintptr_t fp, uintptr_t caller,
		 const struct stack_trail *trail, uint32_t handle);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * machine/unwind.h - callers of code that keeps no frame pointers
 *
 * Each return address has a rule, which its module's call frame information
 * (.eh_frame) tells: where the caller's frame begins, and where its return
 * address and frame pointer stand. Rules are kept, so a step costs a few loads.
 *
 * libgcc's unwinder knows all that and more, and takes 120 to 180 ns a frame:
 * it asks anew each time. It also reads code at whatever a broken stack holds
 * for a return address; here nothing is read but the stack, between the frame
 * that asks and the stack's end, and the tables of modules that are loaded.
 */
#ifndef SLAB_MACHINE_UNWIND_H
#define SLAB_MACHINE_UNWIND_H

#include "machine/stack.h"

/* Of code that was called and has not returned. */
struct unwind_frame {
	uintptr_t pc; /* where the call returns to */
	uintptr_t sp; /* after it has */
	uintptr_t fp; /* what the frame pointer's register holds then */
};

/* Is it in anything that was loaded? */
bool unwind_is_code(uintptr_t address);

/*
 * Return addresses of f and its callers, innermost first, at most max; what is
 * read lies in [f.sp, high). They end where the program or thread began,
 * without libc's frames but the innermost, or with the first that is no code.
 * A trail begins with the word that f.fp is.
 */
unsigned int unwind(struct unwind_frame f, uintptr_t high, uintptr_t *frames,
		    unsigned int max, struct stack_trail *trail);

#endif

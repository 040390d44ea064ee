/* SPDX-License-Identifier: MIT */
/*
 * machine/unwind_rule.h - how a walk gets from a frame to its caller's
 *
 *	module's tables --unwind_tables.c--> rule of a return address
 *	                                      --unwind.c--> the frame behind it
 */
#ifndef SLAB_MACHINE_UNWIND_RULE_H
#define SLAB_MACHINE_UNWIND_RULE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum rule_kind {
	RULE_UNKNOWN,	/* not asked yet */
	RULE_NONE,	/* its module does not say, or not in words of ours */
	RULE_END,	/* nobody called it */
	RULE_BEGINNING, /* who called it is libc's business */
	RULE_FP,	/* fp -> caller's fp, return address: the common form */
	RULE_CFA,
};

/* The caller's frame begins at cfa, sp or fp + cfa_offset; where the return
 * address and the frame pointer were saved is counted from there. */
struct rule {
	uint8_t kind;
	bool cfa_is_fp, has_fp;
	int8_t ra_offset;    /* words */
	uint16_t cfa_offset; /* words */
	int16_t fp_offset;   /* words */
};

static_assert(sizeof(struct rule) == 8, "read and written as one");

/* What the tables say of a call that returns to pc; RULE_UNKNOWN is never it. */
struct rule unwind_rule(uintptr_t pc);
/* Is it code of the C library's? */
bool unwind_is_libc(uintptr_t pc);

#endif

/* SPDX-License-Identifier: MIT */
/* machine/unwind.c - see unwind.h: the walk, and the rules that it keeps */
#include "machine/unwind.h"

#include <stddef.h>

#include "machine/unwind_rule.h"

/* ---- rules ---- */
union rule_word {
	struct rule rule;
	uint64_t word;
};

/*
 * Filled by whoever misses one, read by all. Both words of an entry say which
 * address it is of, so that two halves of different ones do not fit together.
 * An unloaded module's rules stay: they would be wrong for another one in its
 * place, and its callers with them, but nothing outside the stack is read.
 */
#define RULES_SHIFT 12
static struct {
	uint64_t key, word;
} rules[1U << RULES_SHIFT];

static size_t rule_slot(uintptr_t pc)
{
	return pc * 0x9e3779b97f4a7c15U >> (64 - RULES_SHIFT);
}

static struct rule rule_kept(uintptr_t pc)
{
	size_t i = rule_slot(pc);
	union rule_word r = { .word = __atomic_load_n(&rules[i].word,
						      __ATOMIC_RELAXED) };

	if ((__atomic_load_n(&rules[i].key, __ATOMIC_RELAXED) ^ r.word) != pc)
		r.word = 0;
	return r.rule;
}

static void rule_keep(uintptr_t pc, struct rule rule)
{
	union rule_word r = { .rule = rule };
	size_t i = rule_slot(pc);

	__atomic_store_n(&rules[i].key, pc ^ r.word, __ATOMIC_RELAXED);
	__atomic_store_n(&rules[i].word, r.word, __ATOMIC_RELAXED);
}

static __attribute__((noinline)) struct rule rule_find(uintptr_t pc)
{
	struct rule rule = unwind_rule(pc);

	rule_keep(pc, rule);
	return rule;
}

/* ---- walking ---- */
static uintptr_t return_address(struct stack_trail *trail, uintptr_t at)
{
	uintptr_t address = stack_read(trail, at);

#if defined(__aarch64__)
	address &= (1UL << 48) - 1; /* the rest may be a signature */
#endif
	return address;
}

/* Two functions of libc at most lie between a program's or a thread's first
 * one and the end: from now on stacks end with the inner one. */
static unsigned int cut_beginning(const uintptr_t *frames, unsigned int nr)
{
	unsigned int keep = nr, i;

	for (i = 1; i <= 2 && i < nr && unwind_is_libc(frames[nr - 1 - i]);
	     i++) {
		rule_keep(frames[nr - 1 - i],
			  (struct rule){ .kind = RULE_BEGINNING });
		keep = nr - i;
	}
	return keep;
}

/*
 * Where in the trail f.fp was read, and whether anything depended on it. Code
 * without frame pointers saves there whatever it had in that register, a
 * counter for one: of a word that nobody looked at it is no matter what it is.
 */
struct fp_read {
	struct stack_trail *trail;
	unsigned int at;
	bool is_used;
};

static void fp_is_read(struct fp_read *fp)
{
	if (!fp->trail)
		return;
	if (!fp->is_used && fp->at < STACK_TRAIL_WORDS)
		fp->trail->word[fp->at].at = 0;
	fp->at = fp->trail->nr;
	fp->is_used = false;
}

/* The caller's frame; false: it does not lie on the stack. */
static bool step(struct unwind_frame *f, struct rule rule, uintptr_t high,
		 struct stack_trail *trail, struct fp_read *fp)
{
	const intptr_t word = sizeof(uintptr_t);
	uintptr_t cfa = (rule.cfa_is_fp ? f->fp : f->sp) +
			(uintptr_t)rule.cfa_offset * (uintptr_t)word;
	uintptr_t ra_at = cfa + (uintptr_t)(rule.ra_offset * word);
	uintptr_t fp_at = cfa + (uintptr_t)(rule.fp_offset * word);

	fp->is_used |= rule.cfa_is_fp;
	if (cfa <= f->sp || cfa > high || cfa % (uintptr_t)word ||
	    ra_at < f->sp || (rule.has_fp && fp_at < f->sp))
		return false;
	if (rule.has_fp) {
		fp_is_read(fp);
		f->fp = stack_read(trail, fp_at);
	}
	f->pc = return_address(trail, ra_at);
	f->sp = cfa;
	return true;
}

static unsigned int walk(struct unwind_frame f, uintptr_t high,
			 uintptr_t *frames, unsigned int max,
			 struct stack_trail *trail, struct fp_read *fp_read)
{
	bool has_learned = false;
	unsigned int nr = 0;

	while (nr < max) {
		struct rule rule = rule_kept(f.pc);

		if (__builtin_expect(rule.kind == RULE_UNKNOWN, 0)) {
			if (!unwind_is_code(f.pc))
				break;
			rule = rule_find(f.pc);
			has_learned = true;
		}
		frames[nr++] = f.pc;
		if (rule.kind == RULE_BEGINNING)
			break;
		if (rule.kind == RULE_END)
			return has_learned ? cut_beginning(frames, nr) : nr;
		if (rule.kind == RULE_NONE) {
			/* code without tables may keep frame pointers */
			rule = (struct rule){ .kind = RULE_FP,
					      .cfa_offset = 2,
					      .has_fp = true,
					      .cfa_is_fp = true,
					      .fp_offset = -2,
					      .ra_offset = -1 };
		}
		/* the common form needs no look at the rule's numbers: the
		 * next frame is loaded before this rule is */
		if (rule.kind == RULE_FP) {
			uintptr_t fp = f.fp;

			fp_read->is_used = true;
			if (fp < f.sp || fp >= high ||
			    high - fp < 2 * sizeof(uintptr_t) ||
			    fp % sizeof(uintptr_t))
				break;
			fp_is_read(fp_read);
			f.fp = stack_read(trail, fp);
			f.pc = return_address(trail, fp + sizeof(uintptr_t));
			f.sp = fp + rule.cfa_offset * sizeof(uintptr_t);
		} else if (!step(&f, rule, high, trail, fp_read)) {
			break;
		}
	}
	return nr;
}

unsigned int unwind(struct unwind_frame f, uintptr_t high, uintptr_t *frames,
		    unsigned int max, struct stack_trail *trail)
{
	struct fp_read fp = { .trail = trail };
	unsigned int nr = walk(f, high, frames, max, trail, &fp);

	fp_is_read(&fp);
	return nr;
}

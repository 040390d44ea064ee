/* SPDX-License-Identifier: MIT */
/*
 * machine/percpu_rseq.h - the first word of this CPU's record is replaced, here
 *
 * slab/fast.h has the sections that programs compile in; this one takes the
 * lock that stops them. Its commit is a plain store: a locked instruction
 * would wait for all stores to users' memory before it, which made refills
 * half as dear again as they are. The price is paid by those who drain another
 * CPU, seldom: percpu_swap_there() puts a word of its own and looks, after the
 * membarrier, whether somebody here has stored over it meanwhile (rule 5 of
 * the user-space lock, its second form).
 */
#ifndef SLAB_MACHINE_PERCPU_RSEQ_H
#define SLAB_MACHINE_PERCPU_RSEQ_H

#include "machine/percpu.h"

#include <features.h>

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35) && defined(SLAB_HAS_FAST)
#define HAVE_RSEQ 1
#endif

/* This CPU's record, whose first word is `locked` from now on; NULL: it was
 * that, or `drained`, already. */
#if defined(HAVE_RSEQ) && defined(__x86_64__)
static inline void *percpu_swap_here(void *records, void *locked, void *drained)
{
	void *record, *old;
	bool is_held;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "addq %[records], %[t]\n\t"
			 "movq (%[t]), %[old]\n\t"
			 "cmpq %[locked], %[old]\n\t"
			 "je 883f\n\t"
			 "cmpq %[drained], %[old]\n\t"
			 "je 883f\n\t"
			 "movq %[locked], (%[t])" SLAB_RSEQ_END
			 : [t] "=&r"(record), [old] "=&r"(old), "=@ccz"(is_held)
			 : [rseq] "r"(slab_rseq_offset),
			   [records] "r"(records), [locked] "r"(locked),
			   [drained] "r"(drained)
			 : "memory");
	return is_held ? NULL : record;
}
#elif defined(HAVE_RSEQ) && defined(__aarch64__)
static inline void *percpu_swap_here(void *records, void *locked, void *drained)
{
	void *record, *old;
	uint64_t done;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "add %[t], %[records], %[t]\n\t"
			 "mov %[done], 0\n\t"
			 "ldar %[old], [%[t]]\n\t"
			 "cmp %[old], %[locked]\n\t"
			 "b.eq 883f\n\t"
			 "cmp %[old], %[drained]\n\t"
			 "b.eq 883f\n\t"
			 "mov %[done], 1\n\t"
			 "str %[locked], [%[t]]" SLAB_RSEQ_END
			 : [t] "=&r"(record), [old] "=&r"(old),
			   [done] "=&r"(done)
			 : [rseq] "r"(slab_rseq_area()), [records] "r"(records),
			   [locked] "r"(locked), [drained] "r"(drained)
			 : "memory", "cc");
	return done ? record : NULL;
}
#else
static inline void *percpu_swap_here(void *records, void *locked, void *drained)
{
	(void)records, (void)locked, (void)drained;
	return NULL;
}
#endif

/*
 * Many objects from and to this CPU's main sheaf, as slab/fast.h does one: the
 * run is copied, then one store commits. How many: what there is, or is room
 * for, up to nr.
 */
#if defined(HAVE_RSEQ) && defined(__x86_64__)
/* %[i] words, from the end: four at a time, then the rest. */
#define SLAB_COPY_RUN(from, to)                              \
	"887:\tsubq $4, %[i]\n\t"                            \
	"jb 888f\n\t"                                        \
	"movups 16(" from ",%[i],8), %%xmm0\n\t"             \
	"movups (" from ",%[i],8), %%xmm1\n\t"               \
	"movups %%xmm0, 16(" to ",%[i],8)\n\t"               \
	"movups %%xmm1, (" to ",%[i],8)\n\t"                 \
	"jmp 887b\n"                                         \
	"888:\taddq $3, %[i]\n\t"                            \
	"js 889f\n"                                          \
	"890:\tmovq (" from ",%[i],8), %%xmm0\n\t"           \
	"movq %%xmm0, (" to ",%[i],8)\n\t"                   \
	"subq $1, %[i]\n\t"                                  \
	"jns 890b\n"

static inline unsigned int percpu_pop_many(const struct slab_fast *fast,
					   unsigned int nr, void **p)
{
	uint64_t t, n, run, i, from;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "movq (%[cpus],%[t]), %[t]\n\t"
			 "movq 24(%[t]), %[n]\n\t"
			 "movl %k[n], %k[from]\n\t"
			 "movl %[nr], %k[run]\n\t"
			 "cmpl %k[run], %k[from]\n\t"
			 "cmovbl %k[from], %k[run]\n\t"
			 "testl %k[run], %k[run]\n\t"
			 "jz 883f\n\t"
			 "subl %k[run], %k[from]\n\t"
			 "leaq 48(%[t],%[from],8), %[from]\n\t"
			 "subq %[run], %[n]\n\t"
			 "movl %k[run], %k[i]\n"
			 SLAB_COPY_RUN("%[from]", "%[p]")
			 "889:\tmovq %[n], 24(%[t])" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [run] "=&r"(run),
			   [i] "=&r"(i), [from] "=&r"(from)
			 : [rseq] "r"(slab_rseq_offset), [cpus] "r"(fast->cpus),
			   [nr] "r"(nr), [p] "r"(p)
			 : "memory", "cc", "xmm0", "xmm1");
	return (unsigned int)run;
}

static inline unsigned int percpu_push_many(const struct slab_fast *fast,
					    unsigned int nr, void **p)
{
	uint64_t t, n, to, run, i;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "movq (%[cpus],%[t]), %[t]\n\t"
			 "movq 24(%[t]), %[n]\n\t"
			 "movl %k[n], %k[to]\n\t"
			 "movl 32(%[t]), %k[run]\n\t"
			 "subl %k[to], %k[run]\n\t"
			 "cmpl %[nr], %k[run]\n\t"
			 "cmoval %[nr], %k[run]\n\t"
			 "testl %k[run], %k[run]\n\t"
			 "jz 883f\n\t"
			 "leaq 48(%[t],%[to],8), %[to]\n\t"
			 "movq %[run], %[i]\n\t"
			 "shlq $32, %[i]\n\t"
			 "addq %[run], %[i]\n\t"
			 "addq %[i], %[n]\n\t"
			 "jnc 891f\n\t"
			 "xorl %k[run], %k[run]\n\t" /* the count is full */
			 "jmp 883f\n"
			 "891:\tmovl %k[run], %k[i]\n"
			 SLAB_COPY_RUN("%[p]", "%[to]")
			 "889:\tmovq %[n], 24(%[t])" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [to] "=&r"(to),
			   [run] "=&r"(run), [i] "=&r"(i)
			 : [rseq] "r"(slab_rseq_offset), [cpus] "r"(fast->cpus),
			   [nr] "r"(nr), [p] "r"(p)
			 : "memory", "cc", "xmm0", "xmm1");
	return (unsigned int)run;
}
#else
static inline unsigned int percpu_pop_many(const struct slab_fast *fast,
					   unsigned int nr, void **p)
{
	(void)fast, (void)nr, (void)p;
	return 0;
}

static inline unsigned int percpu_push_many(const struct slab_fast *fast,
					    unsigned int nr, void **p)
{
	(void)fast, (void)nr, (void)p;
	return 0;
}
#endif

#endif

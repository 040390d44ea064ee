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

/* This CPU's record, whose first word is `locked` from now on; NULL: it was
 * that, or `drained`, already. */
#if defined(SLAB_HAS_FAST) && defined(__x86_64__)
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
			 : [rseq] "r"(SLAB_RSEQ_OFFSET),
			   [records] "r"(records), [locked] "r"(locked),
			   [drained] "r"(drained)
			 : "memory");
	return is_held ? NULL : record;
}
#elif defined(SLAB_HAS_FAST) && defined(__aarch64__)
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
 * run is copied, then one store commits. All nr of them or, where there are not
 * as many, or there is no room for as many, none: false.
 */
#if defined(SLAB_HAS_FAST) && defined(__x86_64__)
/* %[i] words, from the end: eight at a time, then the rest. */
#define SLAB_COPY_RUN(from, to)                              \
	"subq $8, %[i]\n\t"                                  \
	"jb 888f\n"                                          \
	"887:\tmovups 48(" from ",%[i],8), %%xmm0\n\t"       \
	"movups 32(" from ",%[i],8), %%xmm1\n\t"             \
	"movups 16(" from ",%[i],8), %%xmm2\n\t"             \
	"movups (" from ",%[i],8), %%xmm3\n\t"               \
	"movups %%xmm0, 48(" to ",%[i],8)\n\t"               \
	"movups %%xmm1, 32(" to ",%[i],8)\n\t"               \
	"movups %%xmm2, 16(" to ",%[i],8)\n\t"               \
	"movups %%xmm3, (" to ",%[i],8)\n\t"                 \
	"subq $8, %[i]\n\t"                                  \
	"jae 887b\n"                                         \
	"888:\taddq $7, %[i]\n\t"                            \
	"js 889f\n"                                          \
	"890:\tmovq (" from ",%[i],8), %%xmm0\n\t"           \
	"movq %%xmm0, (" to ",%[i],8)\n\t"                   \
	"subq $1, %[i]\n\t"                                  \
	"jns 890b\n"                                         \
	"889:\t"

static inline bool percpu_pop_many(const struct slab_fast *fast,
				   unsigned int nr, void **p)
{
	uint64_t t, n, i, from;
	bool are_too_few;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "movq (%[cpus],%[t]), %[t]\n\t"
			 "movq 24(%[t]), %[n]\n\t"
			 "movl %k[n], %k[from]\n\t"
			 "subl %k[nr], %k[from]\n\t"
			 "jb 883f\n\t"
			 "subq %q[nr], %[n]\n\t"
			 "leaq 48(%[t],%[from],8), %[from]\n\t"
			 "movl %k[nr], %k[i]\n"
			 SLAB_COPY_RUN("%[from]", "%[p]")
			 "clc\n\t" /* the commit is the last */
			 "movq %[n], 24(%[t])" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [i] "=&r"(i),
			   [from] "=&r"(from), "=@ccc"(are_too_few)
			 : [rseq] "r"(SLAB_RSEQ_OFFSET), [cpus] "r"(fast->cpus),
			   [nr] "r"((uint64_t)nr), [p] "r"(p)
			 : "memory", "xmm0", "xmm1", "xmm2", "xmm3");
	return !are_too_few;
}

static inline bool percpu_push_many(const struct slab_fast *fast,
				    unsigned int nr, void **p)
{
	uint64_t t, n, to, i;
	bool are_too_many;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "movq (%[cpus],%[t]), %[t]\n\t"
			 "movq 24(%[t]), %[n]\n\t"
			 "movl %k[n], %k[to]\n\t"
			 "movl 32(%[t]), %k[i]\n\t"
			 "subl %k[to], %k[i]\n\t"
			 "jb 883f\n\t"
			 "cmpl %k[nr], %k[i]\n\t"
			 "jb 883f\n\t"
			 "addq %[pushes], %[n]\n\t"
			 "jc 883f\n\t"
			 "leaq 48(%[t],%[to],8), %[to]\n\t"
			 "movl %k[nr], %k[i]\n"
			 SLAB_COPY_RUN("%[p]", "%[to]")
			 "clc\n\t" /* the commit is the last */
			 "movq %[n], 24(%[t])" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [to] "=&r"(to),
			   [i] "=&r"(i), "=@ccc"(are_too_many)
			 : [rseq] "r"(SLAB_RSEQ_OFFSET), [cpus] "r"(fast->cpus),
			   [nr] "r"((uint64_t)nr),
			   [pushes] "r"(nr * SLAB_FAST_PUSH), [p] "r"(p)
			 : "memory", "xmm0", "xmm1", "xmm2", "xmm3");
	return !are_too_many;
}
#elif defined(SLAB_HAS_FAST) && defined(__aarch64__)
/* %[i] words upwards, two at a time, then the one that may be left. */
#define SLAB_COPY_RUN(from, to)                                     \
	"887:\tsubs %[i], %[i], 2\n\t"                              \
	"b.lo 888f\n\t"                                            \
	"ldp %[w0], %[w1], [" from "], 16\n\t"                     \
	"stp %[w0], %[w1], [" to "], 16\n\t"                       \
	"b 887b\n"                                                 \
	"888:\tadds %[i], %[i], 1\n\t"                              \
	"b.ne 889f\n\t"                                            \
	"ldr %[w0], [" from "]\n\t"                                \
	"str %[w0], [" to "]\n"                                    \
	"889:\t"

static inline bool percpu_pop_many(const struct slab_fast *fast,
				   unsigned int nr, void **p)
{
	uint64_t t, n, i, from, to, w0, w1, are_there;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "mov %[are_there], 0\n\t"
			 "ldr %[t], [%[cpus], %[t]]\n\t"
			 "ldr %[n], [%[t], 24]\n\t"
			 "and %[i], %[n], 0xffffffff\n\t"
			 "subs %[i], %[i], %[nr]\n\t"
			 "b.lo 883f\n\t"
			 "sub %[n], %[n], %[nr]\n\t"
			 "add %[from], %[t], %[i], lsl 3\n\t"
			 "add %[from], %[from], 48\n\t"
			 "mov %[to], %[p]\n\t"
			 "mov %[i], %[nr]\n"
			 SLAB_COPY_RUN("%[from]", "%[to]")
			 "mov %[are_there], 1\n\t"
			 "str %[n], [%[t], 24]" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [i] "=&r"(i),
			   [from] "=&r"(from), [to] "=&r"(to), [w0] "=&r"(w0),
			   [w1] "=&r"(w1), [are_there] "=&r"(are_there)
			 : [rseq] "r"(slab_rseq_area()), [cpus] "r"(fast->cpus),
			   [nr] "r"((uint64_t)nr), [p] "r"(p)
			 : "memory", "cc");
	return are_there;
}

static inline bool percpu_push_many(const struct slab_fast *fast,
				    unsigned int nr, void **p)
{
	uint64_t t, n, i, from, to, w0, w1, have_room;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "mov %[have_room], 0\n\t"
			 "ldr %[t], [%[cpus], %[t]]\n\t"
			 "ldp %[n], %[w0], [%[t], 24]\n\t"
			 "and %[i], %[n], 0xffffffff\n\t"
			 "and %[w0], %[w0], 0xffffffff\n\t"
			 "subs %[w0], %[w0], %[i]\n\t"
			 "b.lo 883f\n\t"
			 "cmp %[w0], %[nr]\n\t"
			 "b.lo 883f\n\t"
			 "adds %[n], %[n], %[pushes]\n\t"
			 "b.cs 883f\n\t"
			 "add %[to], %[t], %[i], lsl 3\n\t"
			 "add %[to], %[to], 48\n\t"
			 "mov %[from], %[p]\n\t"
			 "mov %[i], %[nr]\n"
			 SLAB_COPY_RUN("%[from]", "%[to]")
			 "mov %[have_room], 1\n\t"
			 "str %[n], [%[t], 24]" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [i] "=&r"(i),
			   [from] "=&r"(from), [to] "=&r"(to), [w0] "=&r"(w0),
			   [w1] "=&r"(w1), [have_room] "=&r"(have_room)
			 : [rseq] "r"(slab_rseq_area()), [cpus] "r"(fast->cpus),
			   [nr] "r"((uint64_t)nr), [p] "r"(p),
			   [pushes] "r"(nr * SLAB_FAST_PUSH)
			 : "memory", "cc");
	return have_room;
}
#else
static inline bool percpu_pop_many(const struct slab_fast *fast,
				   unsigned int nr, void **p)
{
	(void)fast, (void)nr, (void)p;
	return false;
}

static inline bool percpu_push_many(const struct slab_fast *fast,
				    unsigned int nr, void **p)
{
	(void)fast, (void)nr, (void)p;
	return false;
}
#endif

#endif

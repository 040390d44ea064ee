/* SPDX-License-Identifier: MIT */
/*
 * pool/bound_cache.h - the least that an allocator with sheaves per CPU does
 *
 * No allocator: nothing is ever given back, nothing is checked, no pointer
 * leads to its cache, no other CPU drains. What is left is the price of the
 * idea, which a real one can approach and hardly pass:
 *
 *	cpu: main, spare, a few full ones  <-->  barn  <--  4 MiB of new objects
 *
 * Locking:   a CPU's main is either its sheaf, or bound_locked while a thread
 *            works on the CPU's structure. That one holds nothing and has room
 *            for nothing, so that both fast paths fail by the test that they
 *            make anyway. It is taken in a restartable sequence, and given back
 *            by one store, from whatever CPU the thread runs on by then. The
 *            barn has a lock of its own. Not for signal handlers.
 * Sequences: <sys/rseq.h>, registered by glibc; each ends with its only store
 *            that counts, and answers by the carry flag.
 */
#ifndef BENCH_BOUND_CACHE_H
#define BENCH_BOUND_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/rseq.h>

#define BOUND_SHEAF_CAPACITY 60U
#define BOUND_CPU_SHIFT	     "7" /* a struct bound_cpu is 128 bytes */

struct bound_sheaf {
	uint32_t size, capacity; /* at 0 and 4, */
	struct bound_sheaf *next;
	void *objects[BOUND_SHEAF_CAPACITY]; /* and at 16: see below */
};

struct bound_cpu {
	struct bound_sheaf *main; /* first: sections know it by no offset */
	struct bound_sheaf *spare;
	struct bound_sheaf *full, *empty; /* before the barn is asked */
	unsigned int nr_full;
} __attribute__((aligned(128)));

struct bound_cache {
	struct bound_cpu *cpus;
	size_t size;
	struct {
		int is_locked;
		struct bound_sheaf *full, *empty;
		char *fresh, *end; /* objects nobody had yet */
	} barn __attribute__((aligned(128)));
};

extern struct bound_sheaf bound_locked;
extern ptrdiff_t bound_rseq; /* __rseq_offset, but not through the GOT */

struct bound_cache *bound_create(size_t size);
void *bound_alloc_slow(struct bound_cache *s);
void bound_free_slow(struct bound_cache *s, void *p);

/*
 * Begins a section: writes its descriptor, says which one is on, and leaves in
 * %[at] how far this CPU's structure is from the first one. What follows, up to
 * label 8, is the section. Interrupted, it begins again from the top.
 */
#define BOUND_SECTION                                                    \
	".pushsection __rseq_cs, \"aw\"\n"                               \
	"	.balign 32\n"                                             \
	"6:	.long 0, 0\n"                                             \
	"	.quad 7f, 8f - 7f, 9f\n"                                  \
	".popsection\n"                                                  \
	".pushsection __rseq_failure, \"ax\"\n"                          \
	/* ud1 with RSEQ_SIG: what the kernel wants before an address it \
	 * may go to */                                                  \
	"	.byte 0x0f, 0xb9, 0x3d\n"                                 \
	"	.long 0x53053053\n"                                       \
	"9:	jmp 5f\n"                                                 \
	".popsection\n"                                                  \
	"5:	leaq 6b(%%rip), %[at]\n"                                  \
	"	movq %[at], %%fs:8(%[rseq])\n"                            \
	"7:	movl %%fs:4(%[rseq]), %k[at]\n"                           \
	"	shlq $" BOUND_CPU_SHIFT ", %[at]\n"

static inline __attribute__((always_inline)) void *
bound_alloc(struct bound_cache *s)
{
	bool is_dry;
	uint64_t at, left;
	void *object;

	__asm__ volatile(BOUND_SECTION
			 "	movq (%[cpus], %[at]), %[at]\n"
			 "	movl (%[at]), %k[left]\n"
			 "	subl $1, %k[left]\n"
			 "	jc 8f\n"
			 "	movq 16(%[at], %[left], 8), %[object]\n"
			 "	movl %k[left], (%[at])\n"
			 "8:\n"
			 : [at] "=&r"(at), [left] "=&r"(left),
			   [object] "=&r"(object), "=@ccc"(is_dry)
			 : [rseq] "r"(bound_rseq), [cpus] "r"(s->cpus)
			 : "memory");
	if (__builtin_expect(is_dry, 0))
		return bound_alloc_slow(s);
	return object;
}

static inline __attribute__((always_inline)) void
bound_free(struct bound_cache *s, void *p)
{
	bool has_room;
	uint64_t at, size;

	__asm__ volatile(BOUND_SECTION
			 "	movq (%[cpus], %[at]), %[at]\n"
			 "	movl (%[at]), %k[size]\n"
			 "	cmpl 4(%[at]), %k[size]\n"
			 "	jnc 8f\n"
			 "	movq %[object], 16(%[at], %[size], 8)\n"
			 /* lea, unlike add, leaves the carry flag alone */
			 "	leal 1(%[size]), %k[size]\n"
			 "	movl %k[size], (%[at])\n"
			 "8:\n"
			 : [at] "=&r"(at), [size] "=&r"(size),
			   "=@ccc"(has_room)
			 : [rseq] "r"(bound_rseq), [cpus] "r"(s->cpus),
			   [object] "r"(p)
			 : "memory");
	if (__builtin_expect(!has_room, 0))
		bound_free_slow(s, p);
}

/*
 * Many at once: a run is copied, then one store commits. What the loop left in
 * p[] when it was interrupted, it writes again. false: not all of them are
 * there, or fit; nothing happened.
 */
static inline __attribute__((always_inline)) bool
bound_alloc_run(struct bound_cache *s, uint64_t nr, void **p)
{
	bool is_short;
	uint64_t at, left, i, object;

	__asm__ volatile(BOUND_SECTION
			 "	movq (%[cpus], %[at]), %[at]\n"
			 "	movl (%[at]), %k[left]\n"
			 "	subl %k[nr], %k[left]\n"
			 "	jc 8f\n"
			 "	leaq 16(%[at], %[left], 8), %[object]\n"
			 "	movl %k[nr], %k[i]\n"
			 "3:	movdqu -16(%[object], %[i], 8), %%xmm0\n"
			 "	movups %%xmm0, -16(%[p], %[i], 8)\n"
			 "	subq $2, %[i]\n"
			 "	jnz 3b\n"
			 "	movl %k[left], (%[at])\n"
			 "8:\n"
			 : [at] "=&r"(at), [left] "=&r"(left), [i] "=&r"(i),
			   [object] "=&r"(object), "=@ccc"(is_short)
			 : [rseq] "r"(bound_rseq), [cpus] "r"(s->cpus),
			   [nr] "r"(nr), [p] "r"(p)
			 : "memory", "xmm0");
	return !is_short;
}

static inline __attribute__((always_inline)) bool
bound_free_run(struct bound_cache *s, uint64_t nr, void **p)
{
	bool has_no_room;
	uint64_t at, size, i, object;

	__asm__ volatile(BOUND_SECTION
			 "	movq (%[cpus], %[at]), %[at]\n"
			 "	movl (%[at]), %k[size]\n"
			 "	leaq 16(%[at], %[size], 8), %[object]\n"
			 "	addl %k[nr], %k[size]\n"
			 "	movl 4(%[at]), %k[i]\n"
			 "	cmpl %k[size], %k[i]\n"
			 "	jc 8f\n"
			 "	movl %k[nr], %k[i]\n"
			 "3:	movdqu -16(%[p], %[i], 8), %%xmm0\n"
			 "	movups %%xmm0, -16(%[object], %[i], 8)\n"
			 "	subq $2, %[i]\n"
			 "	jnz 3b\n"
			 "	movl %k[size], (%[at])\n"
			 "8:\n"
			 : [at] "=&r"(at), [size] "=&r"(size), [i] "=&r"(i),
			   [object] "=&r"(object), "=@ccc"(has_no_room)
			 : [rseq] "r"(bound_rseq), [cpus] "r"(s->cpus),
			   [nr] "r"(nr), [p] "r"(p)
			 : "memory", "xmm0");
	return !has_no_room;
}

#endif

/* SPDX-License-Identifier: MIT */
/* pool/bound_cache.c - where a CPU gets a sheaf when it has none; one copy,
 * whether the fast paths are inline or called */
#define _GNU_SOURCE
#include "pool/bound_cache.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRESH_BYTES (4UL << 20)
#define MAX_FULL    16U /* sheaves of a CPU */

_Static_assert(offsetof(struct bound_sheaf, objects) == 16, "sections know it");
_Static_assert(sizeof(struct bound_cpu) == 128, "BOUND_CPU_SHIFT");

struct bound_sheaf bound_locked; /* {0, 0} */
ptrdiff_t bound_rseq;

static _Noreturn void fail(const char *why)
{
	fprintf(stderr, "the bound: %s\n", why);
	exit(2);
}

static void *aligned(size_t alignment, size_t bytes)
{
	void *p = aligned_alloc(alignment,
				(bytes + alignment - 1) & ~(alignment - 1));

	if (!p)
		fail("no memory");
	return memset(p, 0, bytes);
}

static struct bound_sheaf *sheaf_create(void)
{
	struct bound_sheaf *sheaf = aligned(64, sizeof(*sheaf));

	sheaf->capacity = BOUND_SHEAF_CAPACITY;
	return sheaf;
}

static void push(struct bound_sheaf **list, struct bound_sheaf *sheaf)
{
	sheaf->next = *list;
	*list = sheaf;
}

static struct bound_sheaf *pop(struct bound_sheaf **list)
{
	struct bound_sheaf *sheaf = *list;

	if (sheaf)
		*list = sheaf->next;
	return sheaf;
}

/* The CPU this thread is on, and its main, which only we see from here on. */
static struct bound_cpu *cpu_lock(struct bound_cache *s,
				  struct bound_sheaf **main)
{
	uint64_t at;

	for (;;) {
		__asm__ volatile(BOUND_SECTION
				 "	addq %[cpus], %[at]\n"
				 "	movq (%[at]), %[main]\n"
				 "	cmpq %[locked], %[main]\n"
				 "	je 8f\n"
				 "	movq %[locked], (%[at])\n"
				 "8:\n"
				 : [at] "=&r"(at), [main] "=&r"(*main)
				 : [rseq] "r"(bound_rseq), [cpus] "r"(s->cpus),
				   [locked] "r"(&bound_locked)
				 : "memory", "cc");
		if (*main != &bound_locked)
			return (struct bound_cpu *)at;
		sched_yield();
	}
}

static void cpu_unlock(struct bound_cpu *cpu, struct bound_sheaf *main)
{
	__atomic_store_n(&cpu->main, main, __ATOMIC_RELEASE);
}

static void barn_lock(struct bound_cache *s)
{
	unsigned int spins = 0;

	while (__atomic_exchange_n(&s->barn.is_locked, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&s->barn.is_locked, __ATOMIC_RELAXED))
			if (++spins % 256)
				__builtin_ia32_pause();
			else
				sched_yield();
}

static void barn_unlock(struct bound_cache *s)
{
	__atomic_store_n(&s->barn.is_locked, 0, __ATOMIC_RELEASE);
}

/* Addresses rise in the order in which they are handed out. */
static void fill_fresh(struct bound_cache *s, struct bound_sheaf *sheaf)
{
	unsigned int i;

	for (i = sheaf->capacity; i--; sheaf->size++) {
		if ((size_t)(s->barn.end - s->barn.fresh) < s->size) {
			s->barn.fresh =
				mmap(NULL, FRESH_BYTES, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (s->barn.fresh == MAP_FAILED)
				fail("no memory");
			s->barn.end = s->barn.fresh + FRESH_BYTES;
		}
		sheaf->objects[i] = s->barn.fresh;
		s->barn.fresh += s->size;
	}
}

/* main is empty: a full one for it from the barn, or objects. */
static struct bound_sheaf *refill(struct bound_cache *s,
				  struct bound_sheaf *main)
{
	struct bound_sheaf *full;

	barn_lock(s);
	full = pop(&s->barn.full);
	if (full) {
		push(&s->barn.empty, main);
		main = full;
	} else {
		fill_fresh(s, main);
	}
	barn_unlock(s);
	return main;
}

__attribute__((noinline, cold)) void *bound_alloc_slow(struct bound_cache *s)
{
	struct bound_sheaf *main, *full;
	struct bound_cpu *cpu = cpu_lock(s, &main);
	void *object;

	if (!main->size && cpu->spare->size) {
		full = cpu->spare;
		cpu->spare = main;
		main = full;
	} else if (!main->size && (full = pop(&cpu->full))) {
		cpu->nr_full--;
		push(&cpu->empty, main);
		main = full;
	} else if (!main->size) {
		main = refill(s, main);
	}
	object = main->objects[--main->size];
	cpu_unlock(cpu, main);
	return object;
}

__attribute__((noinline, cold)) void bound_free_slow(struct bound_cache *s,
						     void *p)
{
	struct bound_sheaf *main, *empty;
	struct bound_cpu *cpu = cpu_lock(s, &main);

	if (main->size < main->capacity) {
		empty = main;
	} else if (cpu->spare->size < cpu->spare->capacity) {
		empty = cpu->spare;
		cpu->spare = main;
	} else if (cpu->nr_full < MAX_FULL) {
		push(&cpu->full, main);
		cpu->nr_full++;
		empty = pop(&cpu->empty);
	} else {
		barn_lock(s);
		push(&s->barn.full, main);
		empty = pop(&s->barn.empty);
		barn_unlock(s);
	}
	if (!empty)
		empty = sheaf_create();
	empty->objects[empty->size++] = p;
	cpu_unlock(cpu, empty);
}

struct bound_cache *bound_create(size_t size)
{
	long nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct bound_cache *s = aligned(128, sizeof(*s));

	if (!__rseq_size)
		fail("no restartable sequences: kernel or "
		     "glibc.pthread.rseq=0");
	bound_rseq = __rseq_offset;
	s->size = (size + 15) & ~15UL;
	s->cpus = aligned(4096, (size_t)nr_cpus * sizeof(*s->cpus));
	for (long i = 0; i < nr_cpus; i++) {
		s->cpus[i].main = sheaf_create();
		s->cpus[i].spare = sheaf_create();
	}
	return s;
}

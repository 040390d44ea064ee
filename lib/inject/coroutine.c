/* SPDX-License-Identifier: MIT */
/* inject/coroutine.c - a stack, a context and who was current */
#define _GNU_SOURCE
#include <slab/coroutine.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/machine.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define FIBERS_ASAN
#endif
#if __has_feature(thread_sanitizer)
#define NO_FIBERS
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FIBERS_ASAN
#endif
#ifdef __SANITIZE_THREAD__
#define NO_FIBERS
#endif

#ifdef FIBERS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/*
 * swapcontext() asks the kernel for the signal mask each time, and an explorer
 * switches some million times; AddressSanitizer clears the whole stack's shadow
 * at each. So where the few instructions are known, they stand here.
 */
#ifdef __x86_64__
struct context {
	void *sp;
};

void slab_coroutine_switch(void **from, void *to)
	__attribute__((visibility("hidden")));
/* What a called function must keep goes to the stack that is left. */
__asm__(".text\n"
	".p2align 4\n"
	".hidden slab_coroutine_switch\n"
	".globl slab_coroutine_switch\n"
	".type slab_coroutine_switch, @function\n"
	"slab_coroutine_switch:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size slab_coroutine_switch, . - slab_coroutine_switch\n");

static void context_switch(struct context *from, struct context *to)
{
	slab_coroutine_switch(&from->sp, to->sp);
}

static void context_make(struct context *c, char *stack, size_t bytes,
			 void (*fn)(void))
{
	uintptr_t *top = (uintptr_t *)(stack + bytes);

	/* fn begins as after a call from nowhere, at a multiple of 16 and 8;
	 * below that its address, and six registers to be popped */
	*--top = 0;
	*--top = (uintptr_t)fn;
	top -= 6;
	memset(top, 0, 6 * sizeof(*top));
	c->sp = top;
}
#else
#include <ucontext.h>

struct context {
	ucontext_t u;
};

static void context_switch(struct context *from, struct context *to)
{
	swapcontext(&from->u, &to->u);
}

static void context_make(struct context *c, char *stack, size_t bytes,
			 void (*fn)(void))
{
	getcontext(&c->u);
	c->u.uc_stack.ss_sp = stack;
	c->u.uc_stack.ss_size = bytes;
	c->u.uc_link = NULL;
	makecontext(&c->u, fn, 0);
}
#endif

#define STACK_BYTES (1UL << 20) /* opened as it is touched */

/* Who runs: what the next switch takes along. */
struct who {
	unsigned int cpu, works_from, in_interrupt;
	int pid, error;
	char comm[16];
	__typeof__(((struct slab_machine *)NULL)->policy) policy;
	bool memalloc;
	uintptr_t site;
	uint32_t locks;
};

/* One side of a switch, with what AddressSanitizer wants told of it. */
struct side {
	struct context context;
	struct who who;
	const void *stack;
	size_t stack_bytes;
	void *fake_stack;
};

struct slab_coroutine {
	struct slab_machine *m;
	void (*fn)(void *arg);
	void *arg;
	char *stack; /* above its guard page */
	bool ended;
	struct side inside, outside;
	struct slab_coroutine *caller; /* NULL: no coroutine */
};

static _Thread_local struct slab_coroutine *current;

static void who_get(struct slab_machine *m, struct who *who)
{
	who->cpu = m->cpu;
	who->works_from = m->works_from;
	who->in_interrupt = m->in_interrupt;
	who->pid = m->pid;
	memcpy(who->comm, m->comm, sizeof(who->comm));
	who->policy = m->policy;
	who->memalloc = m->memalloc;
	who->site = m->site;
	who->error = errno;
}

static void who_set(struct slab_machine *m, const struct who *who)
{
	m->cpu = who->cpu;
	m->works_from = who->works_from;
	m->in_interrupt = who->in_interrupt;
	m->pid = who->pid;
	memcpy(m->comm, who->comm, sizeof(m->comm));
	m->policy = who->policy;
	m->memalloc = who->memalloc;
	m->site = who->site;
	errno = who->error;
}

/* Where a side that was left comes back to life. */
static void arrive(struct side *at, struct side *from)
{
#ifdef FIBERS_ASAN
	__sanitizer_finish_switch_fiber(at->fake_stack, &from->stack,
					&from->stack_bytes);
#else
	(void)at, (void)from;
#endif
}

/* ends: nobody comes back to `from`, its fake stack may go. */
static void leave(struct slab_machine *m, struct side *from, struct side *to,
		  bool ends)
{
	who_get(m, &from->who);
	from->who.locks = lock_suspend();
#ifdef FIBERS_ASAN
	__sanitizer_start_switch_fiber(ends ? NULL : &from->fake_stack,
				       to->stack, to->stack_bytes);
#else
	(void)ends;
#endif
	context_switch(&from->context, &to->context);
	arrive(from, to);
	lock_resume(from->who.locks);
	who_set(m, &from->who);
}

static void body(void)
{
	struct slab_coroutine *c = current;

	arrive(&c->inside, &c->outside);
	lock_resume(0);
	who_set(c->m, &c->inside.who);
	c->fn(c->arg);
	c->ended = true;
	leave(c->m, &c->inside, &c->outside, true);
}

/* Frames that nobody returns to leave their mark. */
static void forget_stack(struct slab_coroutine *c)
{
#ifdef FIBERS_ASAN
	if (!c->ended)
		__asan_unpoison_memory_region(c->stack, STACK_BYTES);
#else
	(void)c;
#endif
}

void slab_coroutine_restart(struct slab_coroutine *c)
{
	struct side *in = &c->inside;

	forget_stack(c);
	memset(in, 0, sizeof(*in));
	who_get(c->m, &in->who);
	in->stack = c->stack;
	in->stack_bytes = STACK_BYTES;
	context_make(&in->context, c->stack, STACK_BYTES, body);
	c->ended = false;
}

int slab_coroutine_create(struct slab_machine *m, void (*fn)(void *arg),
			  void *arg, struct slab_coroutine **ret)
{
	struct slab_coroutine *c;
	char *map;

	*ret = NULL;
#ifdef NO_FIBERS
	return -ENOTSUP;
#endif
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	map = mmap(NULL, STACK_BYTES + PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1,
		   0);
	if (map == MAP_FAILED || mprotect(map, PAGE_SIZE, PROT_NONE)) {
		if (map != MAP_FAILED)
			munmap(map, STACK_BYTES + PAGE_SIZE);
		free(c);
		return -ENOMEM;
	}
	c->m = m;
	c->fn = fn;
	c->arg = arg;
	c->stack = map + PAGE_SIZE;
	slab_coroutine_restart(c);
	*ret = c;
	return 0;
}

void slab_coroutine_destroy(struct slab_coroutine *c)
{
	if (!c)
		return;
	forget_stack(c);
	munmap(c->stack - PAGE_SIZE, STACK_BYTES + PAGE_SIZE);
	free(c);
}

bool slab_coroutine_run(struct slab_coroutine *c)
{
	if (c->ended)
		return true;
	c->caller = current;
	current = c;
	leave(c->m, &c->outside, &c->inside, false);
	current = c->caller;
	return c->ended;
}

void slab_coroutine_back(void)
{
	struct slab_coroutine *c = current;

	if (c)
		leave(c->m, &c->inside, &c->outside, false);
}

struct slab_coroutine *slab_coroutine_current(void)
{
	return current;
}

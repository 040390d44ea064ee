/* SPDX-License-Identifier: MIT */
/* tests/unit/machine/stack.c - callers, innermost first, and never a crash */
#define _GNU_SOURCE
#include "../lab.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "machine/machine.h"

#define NOINLINE __attribute__((noinline))
#define HERE	 ((uintptr_t)__builtin_return_address(0))
/* So that no call becomes a jump. */
#define STAY __asm__ volatile("" ::: "memory")

static uintptr_t frames[16];
static unsigned int nr, room = 16;

/* The library's side: everything up to `entry` is its own. */
static NOINLINE void inner(uintptr_t caller)
{
	memset(frames, 0, sizeof(frames));
	nr = machine_stack(lab.m, caller, frames, room);
	STAY;
}

static NOINLINE uintptr_t entry(void)
{
	inner(HERE);
	STAY;
	return HERE;
}

/* The user's. */
static NOINLINE uintptr_t one(void)
{
	uintptr_t caller = entry();

	STAY;
	return caller;
}

static NOINLINE uintptr_t two(void)
{
	uintptr_t caller = one();

	STAY;
	return caller;
}

static void callers_come_innermost_first_without_ours(void **state)
{
	uintptr_t caller;
	char name[100];

	(void)state;
	caller = two();
	assert_true(nr >= 2);
	assert_int_equal(frames[0], caller);
	slab_symbol(lab.m, frames[0], name, sizeof(name));
	assert_memory_equal(name, "one+0x", 6);
#if defined(__x86_64__) || defined(__aarch64__)
	assert_true(nr >= 3);
	slab_symbol(lab.m, frames[1], name, sizeof(name));
	assert_memory_equal(name, "two+0x", 6);
#endif
}

static void a_site_stands_for_the_whole_stack(void **state)
{
	uintptr_t site = slab_machine_site(lab.m, "a.slab", 1, "");

	(void)state;
	slab_machine_set_site(lab.m, site);
	two();
	assert_int_equal(nr, 1);
	assert_int_equal(frames[0], site);
	slab_machine_set_site(lab.m, 0);
	two();
	assert_int_not_equal(frames[0], site);
}

static void no_more_frames_than_asked_for(void **state)
{
	(void)state;
	for (room = 0; room <= 3; room++) {
		two();
		assert_true(nr <= room);
		assert_int_equal(frames[room], 0);
	}
	room = 16;
}

/* A caller who is not on the stack, as when he was called by a jump. */
static void the_caller_is_there_even_when_the_stack_hides_him(void **state)
{
	(void)state;
	nr = machine_stack(lab.m, 0x1234, frames, 16);
	assert_int_equal(nr, 1);
	assert_int_equal(frames[0], 0x1234);
}

static NOINLINE void deeper(unsigned int n, uintptr_t caller)
{
	if (n)
		deeper(n - 1, caller);
	else
		inner(caller);
	STAY;
}

static NOINLINE uintptr_t deep_entry(void)
{
	deeper(500, HERE);
	STAY;
	return HERE;
}

static void a_walk_ends_however_deep_we_are(void **state)
{
	uintptr_t caller;

	(void)state;
	caller = deep_entry();
	assert_int_equal(nr, 1);
	assert_int_equal(frames[0], caller);
}

static void errno_stays(void **state)
{
	(void)state;
	errno = EXDEV;
	two();
	assert_int_equal(errno, EXDEV);
}

#ifdef __x86_64__
/* Calls fn with a frame pointer that code without them left behind. */
void with_frame_pointer(uintptr_t fp, void (*fn)(uintptr_t), uintptr_t arg);
__asm__(".pushsection .text\n"
	".type with_frame_pointer, @function\n"
	"with_frame_pointer:\n"
	"	push %rbp\n"
	"	mov %rdi, %rbp\n"
	"	mov %rdx, %rdi\n"
	"	call *%rsi\n"
	"	pop %rbp\n"
	"	ret\n"
	".size with_frame_pointer, . - with_frame_pointer\n"
	".popsection\n");

static void any_frame_pointer_is_survived(void **state)
{
	uintptr_t local[8], top = (uintptr_t)__builtin_frame_address(0);
	void *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	pthread_attr_t attr;
	void *stack;
	size_t size, i;

	(void)state;
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &stack, &size);
	pthread_attr_destroy(&attr);
	uintptr_t tries[] = {
		0, 1, 7, 4096, (uintptr_t)hole, (uintptr_t)lab.m,
		UINTPTR_MAX, UINTPTR_MAX - 15, (uintptr_t)local,
		(uintptr_t)local + 1, (uintptr_t)stack + size,
		(uintptr_t)stack + size - 8, (uintptr_t)stack + size - 16,
		(uintptr_t)stack, top - 512, 0x4141414141414141,
	};

	/* a frame that is its own caller, and one that is further down */
	local[0] = (uintptr_t)local;
	local[1] = (uintptr_t)with_frame_pointer;
	for (i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		with_frame_pointer(tries[i], inner, 0);
		assert_in_range(nr, 1, 16);
		with_frame_pointer(tries[i], inner, 0x1234);
		assert_int_equal(nr, 1);
		assert_int_equal(frames[0], 0x1234);
	}
	munmap(hole, 4096);
}

static void what_is_no_code_is_no_frame(void **state)
{
	uintptr_t fake[4];

	(void)state;
	/* looks like a frame, but for where it returns to */
	fake[0] = (uintptr_t)&fake[2];
	fake[1] = (uintptr_t)fake;
	fake[2] = 0;
	fake[3] = (uintptr_t)two;
	with_frame_pointer((uintptr_t)fake, inner, 0);
	for (unsigned int i = 0; i < nr; i++) {
		assert_int_not_equal(frames[i], (uintptr_t)fake);
		assert_int_not_equal(frames[i], (uintptr_t)two);
	}
}
#endif

static void *in_thread(void *unused)
{
	(void)unused;
	two();
	return NULL;
}

static void another_threads_stack_is_walked_too(void **state)
{
	pthread_t thread;
	char name[100];

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, in_thread, NULL), 0);
	pthread_join(thread, NULL);
	assert_true(nr >= 1);
	slab_symbol(lab.m, frames[0], name, sizeof(name));
	assert_memory_equal(name, "one+0x", 6);
}

static ucontext_t back, fiber;
static uintptr_t fiber_caller;

static void in_fiber(void)
{
	fiber_caller = two();
	swapcontext(&fiber, &back);
}

static void on_a_stack_we_do_not_know_there_is_the_caller(void **state)
{
	static char stack[1 << 16];

	(void)state;
	getcontext(&fiber);
	fiber.uc_stack.ss_sp = stack;
	fiber.uc_stack.ss_size = sizeof(stack);
	fiber.uc_link = &back;
	makecontext(&fiber, in_fiber, 0);
	swapcontext(&back, &fiber);
	assert_int_equal(nr, 1);
	assert_int_equal(frames[0], fiber_caller);
}

/* The same by the tables of unwinding. */
static int setup_unwinder(void **state)
{
	(void)state;
	memset(&lab, 0, sizeof(lab));
	lab_open(&(struct slab_machine_config){
		.unwind = SLAB_UNWIND_UNWINDER });
	return 0;
}

#define unwinder_test(name)                                                    \
	{ #name "_by_the_unwinder", name, setup_unwinder, lab_teardown, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		unwinder_test(callers_come_innermost_first_without_ours),
		unwinder_test(no_more_frames_than_asked_for),
		unwinder_test(the_caller_is_there_even_when_the_stack_hides_him),
		unwinder_test(a_walk_ends_however_deep_we_are),
		unwinder_test(errno_stays),
#ifdef __x86_64__
		unwinder_test(any_frame_pointer_is_survived),
		unwinder_test(what_is_no_code_is_no_frame),
#endif
		unwinder_test(another_threads_stack_is_walked_too),
		unwinder_test(on_a_stack_we_do_not_know_there_is_the_caller),
		lab_test(callers_come_innermost_first_without_ours),
		lab_test(a_site_stands_for_the_whole_stack),
		lab_test(no_more_frames_than_asked_for),
		lab_test(the_caller_is_there_even_when_the_stack_hides_him),
		lab_test(a_walk_ends_however_deep_we_are),
		lab_test(errno_stays),
#ifdef __x86_64__
		lab_test(any_frame_pointer_is_survived),
		lab_test(what_is_no_code_is_no_frame),
#endif
		lab_test(another_threads_stack_is_walked_too),
		lab_test(on_a_stack_we_do_not_know_there_is_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

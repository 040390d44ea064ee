/* SPDX-License-Identifier: MIT */
/* tests/stress/stepper.c - see stepper.h */
#define _GNU_SOURCE
#include "stepper.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static void (*run_between)(void);
static volatile unsigned long steps, since, limit;
static volatile bool is_on, is_running_through, may_break;

unsigned long stepper_steps(void)
{
	return steps;
}

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define TRAP_FLAG 0x100UL
#define INT3	  0xcc

struct section {
	uint32_t version, flags;
	uint64_t start, length, abort;
};
/* The linker's names for the ends of what slab/fast.h puts there. */
extern const struct section __start___rseq_cs[] __attribute__((weak));
extern const struct section __stop___rseq_cs[] __attribute__((weak));

/* Where a sequence ends that goes on without us, and what stood there. */
static uint8_t *ends_at, was_there;

static void put_byte(uint8_t *at, uint8_t byte)
{
	uintptr_t page = (uintptr_t)at & ~4095UL;

	if (mprotect((void *)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC))
		abort();
	*at = byte;
	if (mprotect((void *)page, 4096, PROT_READ | PROT_EXEC))
		abort();
}

static void take_out(void)
{
	if (ends_at)
		put_byte(ends_at, was_there);
	ends_at = NULL;
}

/* The kernel has sent the thread there because of the trap. */
static const struct section *aborted(uintptr_t ip)
{
	const struct section *s;

	for (s = __start___rseq_cs; s && s < __stop___rseq_cs; s++)
		if (s->abort == ip)
			return s;
	return NULL;
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	uintptr_t ip = (uintptr_t)regs[REG_RIP];
	const struct section *section;
	int saved = errno;

	(void)signal, (void)info;
	if (ends_at && ip == (uintptr_t)ends_at + 1) {
		regs[REG_RIP] = (greg_t)(uintptr_t)ends_at;
		regs[REG_EFL] |= (greg_t)TRAP_FLAG;
		take_out();
	}
	steps++;
	run_between();
	section = aborted(ip);
	if ((limit && ++since > limit) || (section && !may_break)) {
		regs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
		is_running_through = true;
	} else if (section) {
		take_out(); /* of one that was left elsewhere */
		ends_at = (uint8_t *)(section->start + section->length);
		was_there = *ends_at;
		put_byte(ends_at, INT3);
		regs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
	}
	errno = saved;
}

bool stepper_init(void (*between)(void))
{
	struct sigaction action = { .sa_sigaction = on_trap,
				    .sa_flags = SA_SIGINFO };

	run_between = between;
	return !sigaction(SIGTRAP, &action, NULL);
}

static void set_flag(void)
{
	__asm__ volatile("subq $128, %%rsp\n\t"
			 "pushfq\n\t"
			 "orq $0x100, (%%rsp)\n\t"
			 "popfq\n\t"
			 "addq $128, %%rsp"
			 :
			 :
			 : "memory", "cc");
}

static void clear_flag(void)
{
	__asm__ volatile("subq $128, %%rsp\n\t"
			 "pushfq\n\t"
			 "andq $~0x100, (%%rsp)\n\t"
			 "popfq\n\t"
			 "addq $128, %%rsp"
			 :
			 :
			 : "memory", "cc");
}

void stepper_start(unsigned long budget, bool is_alone)
{
	steps = since = 0;
	is_running_through = false;
	may_break = is_alone;
	limit = budget;
	is_on = true;
	set_flag();
}

void stepper_again(void)
{
	since = 0;
	if (!is_on || !is_running_through)
		return;
	is_running_through = false;
	set_flag();
}

void stepper_stop(void)
{
	is_on = false;
	clear_flag();
	take_out();
}
#else
bool stepper_init(void (*between)(void))
{
	run_between = between;
	return false;
}

void stepper_start(unsigned long budget, bool is_alone)
{
	(void)budget, (void)is_alone;
}

void stepper_again(void)
{
}

void stepper_stop(void)
{
}
#endif

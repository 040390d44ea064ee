/* SPDX-License-Identifier: MIT */
/* machine/percpu.c - see percpu.h */
#define _GNU_SOURCE
#include "machine/percpu_rseq.h"

#include <slab/machine.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

_Thread_local int percpu_acts_for
	__attribute__((tls_model("initial-exec")));

static bool has_rseq;

static char *thread_pointer(void)
{
	char *tp;

#if defined(__x86_64__)
	__asm__("movq %%fs:0, %0" : "=r"(tp));
#else
	tp = __builtin_thread_pointer();
#endif
	return tp;
}

static bool membarrier(int cmd, unsigned int flags, int cpu)
{
	int saved = errno;
	long ret = syscall(SYS_membarrier, cmd, flags, cpu);

	errno = saved;
	return ret >= 0;
}

/* The kernel's list of them ends with the highest. */
static unsigned int possible_by_list(void)
{
	char text[256];
	unsigned int last = 0, i;
	int fd = open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	for (i = 0; i < (unsigned int)n; i++)
		if (text[i] >= '0' && text[i] <= '9')
			last = last * 10 + (unsigned int)(text[i] - '0');
		else if (text[i] == '-' || text[i] == ',')
			last = 0;
	return last + 1;
}

/* No kernel is built for more. */
#define NR_CPUS_MOST 8192

unsigned int percpu_possible(void)
{
	static unsigned int known;
	unsigned long mask[128];
	unsigned int nr = known;
	int saved = errno;
	long bytes;

	if (nr)
		return nr;
	nr = possible_by_list();
	if (!nr) {
		/* no /sys: masks of the kernel have room for all of them */
		bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
		nr = bytes > 0 ? (unsigned int)bytes * 8 : NR_CPUS_MOST;
	}
	errno = saved;
	return known = nr;
}

static bool kernel_can(void)
{
#ifdef SLAB_HAS_FAST
	const struct rseq *area = (void *)(thread_pointer() + __rseq_offset);

	/* below zero: registered by nobody (a tunable, valgrind) */
	if (!__rseq_size || (int32_t)__atomic_load_n(&area->cpu_id,
						     __ATOMIC_RELAXED) < 0)
		return false;
	return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
#else
	return false;
#endif
}

#ifdef SLAB_HAS_FAST
ptrdiff_t slab_rseq_offset;

/* Sections store to the area before they know whether they may be there. */
static __attribute__((constructor(101))) void know_offset(void)
{
	slab_rseq_offset = __rseq_offset;
}
#else
static void know_offset(void)
{
}
#endif

enum percpu_kind percpu_init(bool no_rseq)
{
	know_offset(); /* a malloc comes before constructors */
	has_rseq = !no_rseq && percpu_possible() <= SLAB_MAX_CPUS &&
		   kernel_can();
	return has_rseq ? PERCPU_RSEQ : PERCPU_LOCK;
}

unsigned int percpu_current(void)
{
	int cpu;

	if (percpu_acts_for)
		return (unsigned int)percpu_acts_for - 1;
#ifdef SLAB_HAS_FAST
	if (has_rseq) {
		const struct rseq *area =
			(void *)(thread_pointer() + __rseq_offset);

		return __atomic_load_n(&area->cpu_id_start, __ATOMIC_RELAXED);
	}
#endif
	cpu = sched_getcpu();
	return cpu < 0 ? 0 : (unsigned int)cpu;
}

void percpu_act_for(int cpu)
{
	percpu_acts_for = cpu + 1;
}

int percpu_acts_save(void)
{
	int saved = percpu_acts_for;

	percpu_acts_for = 0;
	return saved;
}

void percpu_acts_restore(int saved)
{
	percpu_acts_for = saved;
}

/* Without membarrier (a sandbox forbade it meanwhile): to run on a CPU means
 * that whoever ran there was interrupted. */
static bool visit(unsigned int cpu)
{
	cpu_set_t before, only;
	bool came;

	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	if (sched_getaffinity(0, sizeof(before), &before) ||
	    sched_setaffinity(0, sizeof(only), &only))
		return false;
	came = sched_getcpu() == (int)cpu;
	sched_setaffinity(0, sizeof(before), &before);
	return came;
}

static bool interrupt_sections(unsigned int cpu)
{
	int saved = errno;
	bool done;

	done = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
			  MEMBARRIER_CMD_FLAG_CPU, (int)cpu) ||
	       membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0) ||
	       visit(cpu);
	errno = saved;
	return done;
}

bool percpu_interrupt_all(unsigned int nr_cpus)
{
	int saved = errno;
	bool done = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0);
	unsigned int cpu;

	if (!done)
		for (cpu = 0, done = true; cpu < nr_cpus; cpu++)
			done &= visit(cpu);
	errno = saved;
	return done;
}

int percpu_swap_there(void *record, unsigned int cpu, void *locked,
		      void *drained)
{
	void **word = record, *old = __atomic_load_n(word, __ATOMIC_RELAXED);

	do {
		if (old == locked || old == drained)
			return -EBUSY;
	} while (!__atomic_compare_exchange_n(word, &old, drained, false,
					      __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	if (!interrupt_sections(cpu)) {
		/* back, unless somebody there has it by now */
		void *ours = drained;

		__atomic_compare_exchange_n(word, &ours, old, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
		return -EPERM;
	}
	/* who had loaded `old` before that, and stored `locked` before the
	 * membarrier, is the owner, not we */
	if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != drained)
		return -EBUSY;
	return 0;
}

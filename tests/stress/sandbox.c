/* SPDX-License-Identifier: MIT */
/*
 * tests/stress/sandbox.c - what the system forbids, before or after the start
 *
 * System calls are refused by a filter of the child's own (seccomp), as a
 * browser's or a daemon's sandbox does.
 */
#define _GNU_SOURCE
#include <string.h>

#include "child.h"

#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <slab/report.h>
#include <slab/sheaf.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/bits.h"
#include "cache/cache.h"

#define N 2000U

static struct slab_machine *m;

/* From here on these calls fail with EPERM. */
static void forbid_all(const long *calls, unsigned int nr)
{
	struct sock_filter filter[16];
	struct sock_fprog program = { .filter = filter };
	unsigned int n = 0, i;

	filter[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (i = 0; i < nr; i++)
		filter[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)calls[i],
			(unsigned char)(nr - i), 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						   SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(CHILD_SKIPS);
}
#define FORBID(...)                                                        \
	forbid_all((const long[]){ __VA_ARGS__ },                          \
		   sizeof((const long[]){ __VA_ARGS__ }) / sizeof(long))

static void open_machine(void)
{
	WANT(slab_machine_create_native(NULL, &m), 0);
	slab_machine_use(m);
}

static struct kmem_cache *some_cache(void)
{
	struct kmem_cache *s = kmem_cache_create("sandboxed", 200, NULL,
						 SLAB_NO_MERGE);

	WANT(s != NULL, 1);
	return s;
}

/* Each gets a number, which nobody else may overwrite. */
static void use(struct kmem_cache *s)
{
	static unsigned long *p[N];
	unsigned int i;

	for (i = 0; i < N; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		WANT(p[i] != NULL, 1);
		*p[i] = i;
	}
	for (i = 0; i < N; i++) {
		WANT(*p[i], i);
		kmem_cache_free(s, p[i]);
	}
}

static unsigned int nr_cpus(void)
{
	cpu_set_t all;

	return sched_getaffinity(0, sizeof(all), &all) ?
		       1 :
		       (unsigned int)CPU_COUNT(&all);
}

static void go_to(unsigned int nth)
{
	cpu_set_t all, one;
	int cpu;

	sched_getaffinity(0, sizeof(all), &all);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && !nth--)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void *use_elsewhere(void *s)
{
	go_to(nr_cpus() - 1);
	use(s);
	return NULL;
}

/* Sheaves with objects on the last CPU, and then on this, the first. */
static void use_on_two_cpus(struct kmem_cache *s)
{
	pthread_t thread;

	pthread_create(&thread, NULL, use_elsewhere, s);
	pthread_join(thread, NULL);
	use(s);
}

/* ---- membarrier ---- */
static void no_membarrier_later(void)
{
	struct kmem_cache *s;

	open_machine();
	s = some_cache();
	use_on_two_cpus(s);
	FORBID(SYS_membarrier);
	/* the CPUs are visited then */
	WANT(kmem_cache_shrink(s), 0);
	use_on_two_cpus(s);
	WANT(kmem_cache_destroy(s), 0);
}

static void without_membarrier_cpus_are_visited(void **state)
{
	(void)state;
	in_child(no_membarrier_later);
}

static char unreached[512];
static unsigned int nr_unreached;

static void note_of_a_cpu(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (r->record != SLAB_RECORD_NOTE || !strstr(r->text, "reached"))
		return;
	nr_unreached++;
	snprintf(unreached, sizeof(unreached), "%s", r->text);
}

static void nothing_reaches_a_cpu(void)
{
	struct kmem_cache *s, *t;

	open_machine();
	if (nr_cpus() < 2 || m->percpu != PERCPU_RSEQ)
		_exit(CHILD_SKIPS);
	s = some_cache();
	t = kmem_cache_create("other", 64, NULL, SLAB_NO_MERGE);
	go_to(0);
	use_on_two_cpus(s);
	use_on_two_cpus(t);
	FORBID(SYS_membarrier, SYS_sched_setaffinity);
	/* what the other CPU has stays there; nothing crashes, all goes on */
	kmem_cache_shrink(s);
	use(s);
	slab_cache_flush_all(m, s);
	slab_machine_trim(m);
	use(s);
	/* nobody uses it, as its user says: why it can not go is said once */
	WANT(slab_machine_add_sink(m, note_of_a_cpu, NULL), 0);
	WANT(kmem_cache_destroy(s), -EBUSY);
	WANT(nr_unreached, 1);
	WANT(strstr(unreached, "of CPU ") != NULL, 1);
	WANT(strstr(unreached, "membarrier() and sched_setaffinity()") != NULL,
	     1);
	use(t);
	kfree(kmalloc(100, GFP_KERNEL));
}

static void without_any_way_to_a_cpu_its_drain_is_skipped(void **state)
{
	(void)state;
	in_child(nothing_reaches_a_cpu);
}

static void no_membarrier_ever(void)
{
	struct kmem_cache *s;

	FORBID(SYS_membarrier);
	open_machine();
	WANT(m->percpu, PERCPU_LOCK);
	s = some_cache();
	use_on_two_cpus(s);
	WANT(kmem_cache_shrink(s), 0);
	WANT(kmem_cache_destroy(s), 0);
}

static void without_membarrier_at_the_start_cpus_are_locked(void **state)
{
	(void)state;
	in_child(no_membarrier_ever);
}

/* ---- rseq ---- */
static void run_again(const char *tunables, const char *what)
{
	setenv("GLIBC_TUNABLES", tunables, 1);
	execl("/proc/self/exe", "sandbox", what, NULL);
	_exit(CHILD_SKIPS);
}

static void no_rseq(void)
{
	run_again("glibc.pthread.rseq=0", "--no-rseq");
}

static void without_rseq_cpus_are_locked(void **state)
{
	(void)state;
	in_child(no_rseq);
}

static void other_owner(void)
{
	run_again("glibc.pthread.rseq=0", "--other-owner");
}

static void another_owner_of_rseq_is_left_alone(void **state)
{
	(void)state;
	in_child(other_owner);
}

#define RSEQ_SIGNATURE 0x53053053U
static struct {
	uint32_t cpu_id_start, cpu_id;
	uint64_t rseq_cs;
	uint32_t flags, rest[3];
} __attribute__((aligned(32))) theirs = { .cpu_id = (uint32_t)-1 };

/* In a process without glibc's registration. */
static int run_without_rseq(bool other_registers)
{
	struct kmem_cache *s;

	if (other_registers) {
		if (syscall(SYS_rseq, &theirs, 32, 0, RSEQ_SIGNATURE))
			return CHILD_SKIPS;
		WANT(theirs.cpu_id != (uint32_t)-1, 1);
	}
	open_machine();
	WANT(m->percpu, PERCPU_LOCK);
	s = some_cache();
	use_on_two_cpus(s);
	WANT(kmem_cache_shrink(s), 0);
	WANT(kmem_cache_destroy(s), 0);
	/* nobody wrote a section of ours into it */
	if (other_registers)
		WANT(theirs.rseq_cs, 0);
	return 0;
}

/* ---- memory ---- */
static void no_mprotect_later(void)
{
	static void *p[1 << 17];
	struct kmem_cache *s;
	unsigned int n, i;

	open_machine();
	s = some_cache();
	use(s);
	FORBID(SYS_mprotect, SYS_mmap);
	/* as much as was opened, then no memory, and no crash */
	for (n = 0; n < ARRAY_SIZE(p); n++) {
		errno = 0;
		p[n] = kmalloc(1UL << 20, GFP_KERNEL);
		if (!p[n])
			break;
		memset(p[n], 0x11, 200);
	}
	WANT(n > 0, 1);
	WANT(n < ARRAY_SIZE(p), 1);
	WANT(errno, ENOMEM);
	for (i = 0; i < n; i++)
		kfree(p[i]);
	use(s);
	WANT(kmem_cache_destroy(s), 0);
}

static void without_mprotect_memory_ends(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* they need both calls for themselves */
#endif
	in_child(no_mprotect_later);
}

static void no_madvise(void)
{
	struct kmem_cache *s;

	FORBID(SYS_madvise);
	open_machine();
	s = some_cache();
	use_on_two_cpus(s);
	slab_machine_trim(m);
	use_on_two_cpus(s);
	WANT(kmem_cache_destroy(s), 0);
}

static void without_madvise_memory_stays(void **state)
{
	(void)state;
	in_child(no_madvise);
}

static void no_mmap(void)
{
	FORBID(SYS_mmap);
	WANT(slab_machine_create_native(NULL, &m) < 0, 1);
	errno = 0;
	WANT(kmalloc(10, GFP_KERNEL) == NULL, 1);
	WANT(kmem_cache_create("none", 10, NULL, 0) == NULL, 1);
	kfree(NULL);
}

static void without_mmap_there_is_no_machine(void **state)
{
	(void)state;
	in_child(no_mmap);
}

static void little_address_space(void)
{
	struct rlimit limit = { 4UL << 30, 4UL << 30 };
	struct kmem_cache *s;

	if (setrlimit(RLIMIT_AS, &limit))
		_exit(CHILD_SKIPS);
	open_machine();
	WANT(m->region_is_smaller, 1);
	WANT(m->region_bytes <= 4UL << 30, 1);
	s = some_cache();
	use_on_two_cpus(s);
	WANT(kmem_cache_destroy(s), 0);
}

static void a_limit_makes_the_region_smaller(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#endif
	in_child(little_address_space);
}

/* ---- CPUs and clocks ---- */
static void one_cpu(void)
{
	struct kmem_cache *s;

	go_to(0);
	open_machine();
	s = some_cache();
	use_on_two_cpus(s);
	WANT(kmem_cache_shrink(s), 0);
	WANT(kmem_cache_destroy(s), 0);
}

static void one_cpu_is_enough(void **state)
{
	(void)state;
	in_child(one_cpu);
}

/* As coarse as ours: how far it is behind the other one is the host's. */
static long monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void clock_is(void)
{
	long before, jiffies, after;

	open_machine();
	before = monotonic_ms();
	jiffies = (long)slab_machine_jiffies(m);
	after = monotonic_ms();
	/* nobody can set it, so no step of the wall clock reaches us */
	WANT(before <= jiffies && jiffies <= after, 1);
}

static void time_is_the_monotonic_clock(void **state)
{
	(void)state;
	in_child(clock_is);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_membarrier_cpus_are_visited),
		cmocka_unit_test(without_any_way_to_a_cpu_its_drain_is_skipped),
		cmocka_unit_test(
			without_membarrier_at_the_start_cpus_are_locked),
		cmocka_unit_test(without_rseq_cpus_are_locked),
		cmocka_unit_test(another_owner_of_rseq_is_left_alone),
		cmocka_unit_test(without_mprotect_memory_ends),
		cmocka_unit_test(without_madvise_memory_stays),
		cmocka_unit_test(without_mmap_there_is_no_machine),
		cmocka_unit_test(a_limit_makes_the_region_smaller),
		cmocka_unit_test(one_cpu_is_enough),
		cmocka_unit_test(time_is_the_monotonic_clock),
	};

	if (argc == 2 && !strcmp(argv[1], "--no-rseq"))
		return run_without_rseq(false);
	if (argc == 2 && !strcmp(argv[1], "--other-owner"))
		return run_without_rseq(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * What a system may refuse a native machine: address space, memory, calls,
 * /proc and /sys. Each test has a process of its own, which can be spoilt; what
 * it returns is the line of the claim that does not hold, or 0.
 */
#define _GNU_SOURCE
#include "../native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "cache/cache.h"
#include "inspect/check.h"

#define SKIPPED 77

static const char *what;

#define CLAIM(condition)                                                \
	do {                                                            \
		if (!(condition)) {                                     \
			fprintf(stderr,                                 \
				"line %d: " #condition " (errno %d)\n", \
				__LINE__, errno);                       \
			return 1;                                       \
		}                                                       \
	} while (0)

#define CLAIM_EQUAL(a, b)                                                    \
	do {                                                                 \
		long a_ = (long)(a), b_ = (long)(b);                         \
                                                                             \
		if (a_ != b_) {                                              \
			fprintf(stderr, "line %d: " #a " is %ld, not %ld\n", \
				__LINE__, a_, b_);                           \
			return 1;                                            \
		}                                                            \
	} while (0)

static void in_child(int (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		status = fn();
		if (status == SKIPPED)
			fprintf(stderr, "skipped: %s\n", what);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		fail_msg("signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Objects of several sizes, written, freed, all of it checked. */
static int works(void)
{
	struct kmem_cache *s = kmem_cache_create("works", 200, NULL, 0);
	static void *p[3000];
	unsigned int i;

	CLAIM(s);
	for (i = 0; i < 3000; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		CLAIM(p[i]);
		memset(p[i], (int)i, 200);
	}
	for (i = 0; i < 3000; i++) {
		CLAIM(*((uint8_t *)p[i] + 199) == (uint8_t)i);
		kmem_cache_free(s, p[i]);
	}
	CLAIM_EQUAL(kmem_cache_shrink(s), 0);
	kmem_cache_destroy(s);
	p[0] = kmalloc(100000, GFP_KERNEL);
	CLAIM(p[0]);
	memset(p[0], 1, 100000);
	kfree(p[0]);
	slab_machine_trim(slab_machine_current());
	CLAIM_EQUAL(slab_machine_pages_used(slab_machine_current()), 0);
	return 0;
}

/* ---- calls that are refused ---- */

/* The system call `nr` fails so from now on, when its argument has a bit. */
static int refuse(long nr, unsigned int arg, uint32_t bits, int err)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)(offsetof(struct seccomp_data, args) +
				    8 * arg)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
			 SECCOMP_RET_ERRNO | ((uint32_t)err & 0xffff)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	what = "no seccomp here";
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int without_mmap(void)
{
	struct slab_machine *made = NULL;

	if (refuse(SYS_mmap, 3, ~0U, EPERM))
		return SKIPPED;
	CLAIM_EQUAL(slab_machine_create_native(NULL, &made), -EPERM);
	CLAIM(!made && !slab_machine_current());
	errno = 0;
	CLAIM(!kmem_cache_create("none", 64, NULL, 0));
	CLAIM_EQUAL(errno, ENOMEM);
	errno = 0;
	CLAIM(!kmalloc(64, GFP_KERNEL));
	CLAIM_EQUAL(errno, ENOMEM);
	errno = 0;
	CLAIM(!kmalloc_nolock(64, 0, NUMA_NO_NODE));
	kfree(NULL);
	kfree(&made); /* not ours, and nobody to tell it to */
	return 0;
}

static void without_mmap_there_is_no_machine_and_it_says_so(void **state)
{
	(void)state;
	in_child(without_mmap);
}

static int without_reserving(void)
{
	struct slab_machine *made = NULL;

	/* the region alone is mapped so */
	if (refuse(SYS_mmap, 3, MAP_NORESERVE, ENOMEM))
		return SKIPPED;
	CLAIM_EQUAL(slab_machine_create_native(NULL, &made), -ENOMEM);
	CLAIM(!made);
	return 0;
}

static void without_a_region_there_is_no_machine(void **state)
{
	(void)state;
	in_child(without_reserving);
}

static int without_mprotect(void)
{
	struct slab_machine *made;
	struct kmem_cache *s;
	unsigned int i;

	CLAIM_EQUAL(slab_machine_create_native(NULL, &made), 0);
	s = kmem_cache_create("full", 1024, NULL, 0);
	CLAIM(s);
	CLAIM(kmem_cache_alloc(s, GFP_KERNEL));
	if (refuse(SYS_mprotect, 2, PROT_WRITE, EPERM))
		return SKIPPED;
	/* what is open already serves; then it ends */
	for (i = 0; i < 1 << 20; i++)
		if (!kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOWARN))
			break;
	CLAIM_EQUAL(errno, ENOMEM);
	CLAIM(i > 1000 && i < 1 << 20);
	CLAIM(!cache_check(s));
	return 0;
}

static void without_mprotect_memory_ends_where_it_was(void **state)
{
	(void)state;
	in_child(without_mprotect);
}

static int never_mprotect(void)
{
	struct slab_machine *made;

	if (refuse(SYS_mprotect, 2, PROT_WRITE, EPERM))
		return SKIPPED;
	/* a region, and not one byte of it */
	CLAIM_EQUAL(slab_machine_create_native(NULL, &made), 0);
	errno = 0;
	CLAIM(!kmem_cache_create("none", 64, NULL, 0));
	CLAIM_EQUAL(errno, ENOMEM);
	CLAIM(!kmalloc(10, GFP_KERNEL | __GFP_NOWARN));
	CLAIM(!kmalloc(100000, GFP_KERNEL | __GFP_NOWARN));
	CLAIM(!slab_machine_alloc_pages(made, 0));
	slab_machine_trim(made);
	slab_machine_destroy(made);
	return 0;
}

static void without_any_mprotect_nothing_is_had_and_nothing_dies(void **state)
{
	(void)state;
	in_child(never_mprotect);
}

static int without_madvise(void)
{
	static char *p[128];
	unsigned int i;

	if (refuse(SYS_madvise, 2, ~0U, EPERM))
		return SKIPPED;
	for (i = 0; i < 64; i++) {
		p[i] = kmalloc(1 << 20, GFP_KERNEL);
		CLAIM(p[i]);
		memset(p[i], 0xee, 1 << 20);
	}
	for (i = 0; i < 64; i++)
		kfree(p[i]);
	/* what stayed is no zeroed memory; beyond it lies what is fresh */
	for (i = 0; i < 128; i++) {
		p[i] = kzalloc(1 << 20, GFP_KERNEL);
		CLAIM(p[i] && !p[i][0] && !p[i][(1 << 20) - 1]);
	}
	for (i = 0; i < 128; i++)
		kfree(p[i]);
	return works();
}

static void without_madvise_memory_stays(void **state)
{
	(void)state;
	in_child(without_madvise);
}

static int without_membarrier(void)
{
	/* each command is a bit */
	if (refuse(SYS_membarrier, 0, ~0U, EPERM))
		return SKIPPED;
	CLAIM_EQUAL(works(), 0);
	CLAIM_EQUAL(slab_machine_current()->percpu, PERCPU_LOCK);
	return 0;
}

static void without_membarrier_cpus_have_locks(void **state)
{
	(void)state;
	in_child(without_membarrier);
}

static int membarrier_ends(void)
{
	struct kmem_cache *s = kmem_cache_create("caught", 64, NULL, 0);
	void *p;

	CLAIM(s);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	CLAIM(p);
	kmem_cache_free(s, p);
	/* a sandbox that is entered later */
	if (refuse(SYS_membarrier, 0, ~0U, EPERM))
		return SKIPPED;
	CLAIM_EQUAL(works(), 0);
	kmem_cache_shrink(s);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	CLAIM(p);
	kmem_cache_free(s, p);
	CLAIM(!cache_check(s));
	return 0;
}

static void a_sandbox_that_comes_later_loses_nothing(void **state)
{
	(void)state;
	in_child(membarrier_ends);
}

/* ---- /proc and /sys ---- */
static int without_files(void)
{
	/* all flags of an open, O_RDONLY ones among them */
	if (refuse(SYS_openat, 1, ~0U, EACCES))
		return SKIPPED;
	CLAIM_EQUAL(open("/proc/self/stat", O_RDONLY), -1);
	CLAIM_EQUAL(works(), 0);
	CLAIM(slab_machine_config(slab_machine_current())->nr_cpu_ids > 0);
	return 0;
}

static void no_file_is_needed(void **state)
{
	(void)state;
	in_child(without_files);
}

static int without_proc(void)
{
	what = "no mount namespaces for this user";
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return SKIPPED;
	umount2("/proc", MNT_DETACH);
	umount2("/sys", MNT_DETACH);
	CLAIM(access("/proc/self", F_OK) && access("/sys/devices", F_OK));
	CLAIM_EQUAL(works(), 0);
	return 0;
}

static void no_proc_and_no_sys_are_needed(void **state)
{
	(void)state;
	in_child(without_proc);
}

/* ---- address space and memory ---- */
static bool may_limit(int what_limit, rlim_t bytes)
{
	what = "sanitizers map more than any limit";
#ifndef __has_feature /* gcc says it in another way */
#define __has_feature(what) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	(void)what_limit, (void)bytes;
	return false;
#else
	struct rlimit limit = { bytes, bytes };

	/* an emulator lets them be set, and does not set them */
	what = "no limits here";
	return !setrlimit((__rlimit_resource_t)what_limit, &limit) &&
	       !getrlimit((__rlimit_resource_t)what_limit, &limit) &&
	       limit.rlim_cur == bytes;
#endif
}

static char told[512];
static unsigned int nr_told;

static void catch_stderr(int fd)
{
	ssize_t n = pread(fd, told, sizeof(told) - 1, 0);
	const char *at = told;

	told[MAX(n, 0)] = '\0';
	for (nr_told = 0; (at = strstr(at, "slab: the region has")); at++)
		nr_told++;
}

static int little_space(void)
{
	int fd = memfd_create("stderr", 0), old = dup(STDERR_FILENO);
	struct slab_machine *made;
	void *rest;

	if (!may_limit(RLIMIT_AS, 1UL << 30))
		return SKIPPED;
	dup2(fd, STDERR_FILENO);
	made = slab_machine_current();
	slab_machine_current();
	dup2(old, STDERR_FILENO);
	catch_stderr(fd);
	CLAIM(made);
	CLAIM(made->region_is_smaller);
	CLAIM_EQUAL(nr_told, 1);
	CLAIM(strstr(told, "RLIMIT_AS (ulimit -v) allows 1024 MiB"));
	CLAIM(made->region_bytes >= 128 << 20);
	/* the program has room, too */
	rest = mmap(NULL, 520 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	CLAIM(rest != MAP_FAILED);
	CLAIM_EQUAL(works(), 0);
	return 0;
}

static void a_limit_makes_a_smaller_region_and_that_is_said_once(void **state)
{
	(void)state;
	in_child(little_space);
}

static int least_space(void)
{
	struct slab_machine *made;
	unsigned int nr = 0;
	void *first = NULL, *p;

	CLAIM_EQUAL(slab_machine_create_native(
			    &(struct slab_machine_config){ .region_bytes = 1 },
			    &made),
		    0);
	CLAIM_EQUAL(made->region_bytes, 16 << 20);
	CLAIM(!made->region_is_smaller);
	CLAIM_EQUAL(works(), 0);
	/* 8 MiB of pages: all of them, then none, then again */
	while (nr < 10000 && (p = kmalloc(4096, GFP_KERNEL | __GFP_NOWARN))) {
		*(void **)p = first;
		first = p;
		nr++;
	}
	CLAIM_EQUAL(errno, ENOMEM);
	CLAIM(nr > 1900 && nr < 2048);
	while (first) {
		p = *(void **)first;
		kfree(first);
		first = p;
	}
	CLAIM_EQUAL(works(), 0);
	return 0;
}

static void the_smallest_region_is_used_to_its_last_page(void **state)
{
	(void)state;
	in_child(least_space);
}

static int no_space(void)
{
	struct slab_machine *made = NULL;

	if (!may_limit(RLIMIT_AS, 1 << 20))
		return SKIPPED;
	CLAIM_EQUAL(slab_machine_create_native(NULL, &made), -ENOMEM);
	CLAIM(!made);
	errno = 0;
	CLAIM(!kmalloc(64, GFP_KERNEL));
	CLAIM_EQUAL(errno, ENOMEM);
	/* as soon as there is room there is a machine */
	return 0;
}

static void without_address_space_there_is_no_machine(void **state)
{
	(void)state;
	in_child(no_space);
}

/* What overcommit_memory=2 does is done to the same calls. */
static int little_memory(void)
{
	struct slab_machine *made;
	unsigned int nr = 0;
	void *first = NULL, *p;

	CLAIM_EQUAL(slab_machine_create_native(NULL, &made), 0);
	/* a piece is 16 MiB; 8 MiB of it can be had, beside the map */
	if (!may_limit(RLIMIT_DATA, 15 << 20))
		return SKIPPED;
	while (nr < 10000 && (p = kmalloc(4096, GFP_KERNEL | __GFP_NOWARN))) {
		*(void **)p = first;
		first = p;
		nr++;
	}
	CLAIM_EQUAL(errno, ENOMEM);
	CLAIM(nr > 1000 && nr < 5000);
	while (first) {
		p = *(void **)first;
		kfree(first);
		first = p;
	}
	CLAIM_EQUAL(works(), 0);
	return 0;
}

static void a_limit_of_memory_is_used_up_to_it(void **state)
{
	(void)state;
	in_child(little_memory);
}

/* ---- life ---- */
static int strings_are_copied(void)
{
	char text[] = "-";
	struct slab_machine *made;

	CLAIM_EQUAL(slab_machine_create_native(
			    &(struct slab_machine_config){ .slab_debug = text },
			    &made),
		    0);
	text[0] = '?';
	CLAIM_EQUAL(strcmp(slab_machine_config(made)->slab_debug, "-"), 0);
	return 0;
}

static void the_configurations_strings_are_copied(void **state)
{
	(void)state;
	in_child(strings_are_copied);
}

static int one_after_the_other(void)
{
	struct slab_machine *first, *second;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		CLAIM_EQUAL(slab_machine_create_native(NULL, &first), 0);
		CLAIM_EQUAL(slab_machine_create_native(NULL, &second), -EBUSY);
		slab_machine_use(first);
		CLAIM_EQUAL(works(), 0);
		slab_machine_destroy(first);
	}
	/* the current machine went with it: there is a new one */
	CLAIM_EQUAL(works(), 0);
	return 0;
}

static void machines_come_one_after_the_other(void **state)
{
	(void)state;
	in_child(one_after_the_other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			without_mmap_there_is_no_machine_and_it_says_so),
		cmocka_unit_test(without_a_region_there_is_no_machine),
		cmocka_unit_test(without_mprotect_memory_ends_where_it_was),
		cmocka_unit_test(
			without_any_mprotect_nothing_is_had_and_nothing_dies),
		cmocka_unit_test(without_madvise_memory_stays),
		cmocka_unit_test(without_membarrier_cpus_have_locks),
		cmocka_unit_test(a_sandbox_that_comes_later_loses_nothing),
		cmocka_unit_test(no_file_is_needed),
		cmocka_unit_test(no_proc_and_no_sys_are_needed),
		cmocka_unit_test(
			a_limit_makes_a_smaller_region_and_that_is_said_once),
		cmocka_unit_test(the_smallest_region_is_used_to_its_last_page),
		cmocka_unit_test(without_address_space_there_is_no_machine),
		cmocka_unit_test(a_limit_of_memory_is_used_up_to_it),
		cmocka_unit_test(the_configurations_strings_are_copied),
		cmocka_unit_test(machines_come_one_after_the_other),
	};

	(void)native_setup;
	(void)native_teardown;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * machine/native.c - the machine that this process runs on
 *
 * CPUs are the kernel's, threads are the program's, memory is a region that is
 * reserved once and opened as it is used. A process has one: two would share
 * its CPUs, and gain nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "machine/pages.h"
#include "machine/urcu.h"
#include "machine/vdso.h"

/* Half of it pages. Tools that shadow all memory want it below 320 GiB. */
#define REGION_BYTES	 (256UL << 30)
#define REGION_UNIT	 (16UL << 20) /* so that each part is whole pieces */
#define REGION_BYTES_MIN REGION_UNIT

/* Free memory that stays backed for the next who asks. */
#define IDLE_BYTES (8UL << 20)

#ifndef __has_feature /* clang's way to say it */
#define __has_feature(what) 0
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REGION_DEFAULT SLAB_SLOT_SIZE
#define REGION_HINT    (SLAB_SLOT_BASE + SLAB_NR_SLOTS * SLAB_SLOT_SIZE)
#else
#define REGION_DEFAULT REGION_BYTES
#define REGION_HINT    0UL
#endif

struct slab_machine *native_machine;

/* A reservation of that size, aligned to 2 MiB; 0, and errno: there is none. */
static uintptr_t reserve(size_t bytes)
{
	const size_t align = 2UL << 20;
	void *hint = (void *)REGION_HINT;
	uintptr_t at, start;
	void *got = mmap(hint, bytes + align, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (got == MAP_FAILED)
		return 0;
	at = (uintptr_t)got;
	start = ALIGN_UP(at, align);
	if (start > at)
		munmap(got, start - at);
	if (start + bytes < at + bytes + align)
		munmap((void *)(start + bytes), at + align - start);
	return start;
}

/* As asked for; where a limit does not let that be, half of what it leaves: the
 * program wants to map something, too. */
static int find_region(struct slab_machine *m)
{
	size_t want = m->config.region_bytes ? m->config.region_bytes :
					       REGION_DEFAULT;
	size_t bytes = ALIGN_UP(want, REGION_UNIT);

	while (!(m->base = reserve(bytes))) {
		if (bytes <= REGION_BYTES_MIN)
			return -errno;
		m->region_errno = errno;
		bytes = MAX(ALIGN_DOWN(bytes / 2, REGION_UNIT),
			    REGION_BYTES_MIN);
		m->region_is_smaller = true;
	}
	if (m->region_is_smaller && bytes > REGION_BYTES_MIN) {
		munmap((void *)m->base, bytes);
		bytes = MAX(ALIGN_DOWN(bytes / 2, REGION_UNIT),
			    REGION_BYTES_MIN);
		m->base = reserve(bytes);
		if (!m->base)
			return -errno;
	}
	m->region_bytes = bytes;
	madvise((void *)m->base, bytes, MADV_DONTDUMP);
	return 0;
}

/* Once for all that will be opened: advice holds for what is reserved, too.
 * Where the system gives huge pages to who does not ask, a small program would
 * pay for them, and what it gave back would be filled again. */
static void want_huge_pages(const struct slab_machine *m)
{
	madvise((void *)m->base, m->region_bytes, MADV_NOHUGEPAGE);
	if (m->nr_pages > HUGE_FROM)
		madvise((void *)(m->base + (HUGE_FROM << PAGE_SHIFT)),
			(m->nr_pages - HUGE_FROM) << PAGE_SHIFT,
			MADV_HUGEPAGE);
}

static void find_cpus(struct slab_machine *m)
{
	unsigned int possible = percpu_possible();

	m->config.nr_cpu_ids = MIN(possible, SLAB_MAX_CPUS);
	m->config.nr_cpus = m->config.nr_cpu_ids;
	m->cpu = 0;
	host_nodes_find(m);
}

/* The caller's string need not stay: it goes along, behind the machine. */
static size_t machine_bytes(const struct slab_machine_config *config)
{
	size_t text = config && config->slab_debug ?
			      strlen(config->slab_debug) + 1 :
			      0;

	return sizeof(struct slab_machine) + text;
}

static void copy_config(struct slab_machine *m,
			const struct slab_machine_config *config)
{
	if (!config)
		return;
	m->config = *config;
	if (config->slab_debug)
		m->config.slab_debug = strcpy((char *)(m + 1),
					      config->slab_debug);
}

void machine_start_native(struct slab_machine *m)
{
	/* for the freelists of hardened caches: not what everybody knows */
	if (!m->config.seed &&
	    getrandom(&m->random.state, sizeof(m->random.state),
		      GRND_NONBLOCK) < 0)
		m->random.state = native_jiffies();
	m->pid = getpid();
	prctl(PR_GET_NAME, m->comm);
}

int machine_open_native(const struct slab_machine_config *config,
			struct slab_machine **ret)
{
	struct slab_machine *m;
	int err;

	if (!urcu_is_built())
		return -ENOSYS;
	if (__atomic_load_n(&native_machine, __ATOMIC_ACQUIRE))
		return -EBUSY;
	/* not malloc'ed: this may be what malloc is made of */
	m = mmap(NULL, machine_bytes(config), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m == MAP_FAILED)
		return -errno;
	copy_config(m, config);
	m->is_native = true;
	vdso_init();
	m->percpu = percpu_init(m->config.no_rseq);
	find_cpus(m);
	err = find_region(m);
	if (err) {
		munmap(m, machine_bytes(&m->config));
		return err;
	}
	m->nr_pages = REGION_PART(m, SLOT_PAGES_BYTES) >> PAGE_SHIFT;
	m->memmap = (struct slab *)(m->base + REGION_PART(m, SLOT_MEMMAP));
	m->idle_kept = (m->config.idle_bytes ? m->config.idle_bytes :
					       IDLE_BYTES) >> PAGE_SHIFT;
	want_huge_pages(m);
	pages_init(m);
	meta_init(m);
	machine_start(m);
	machine_start_native(m);
	*ret = m;
	return 0;
}

void machine_close_native(struct slab_machine *m)
{
	if (__atomic_load_n(&native_machine, __ATOMIC_ACQUIRE) == m) {
		__atomic_store_n(&native_machine, NULL, __ATOMIC_RELEASE);
		/* the next who asks for one makes a new one */
		if (machine_made() == m)
			slab_machine_use(NULL);
	}
	sites_fini(m);
	munmap((void *)m->base, m->region_bytes);
	munmap(m, machine_bytes(&m->config));
}

uint64_t native_jiffies(void)
{
	return vdso_jiffies();
}

/* A system call a track would cost more than the rest of it. */
_Thread_local int native_known_tid
	__attribute__((tls_model("initial-exec")));

void native_forget_tid(void)
{
	native_known_tid = 0;
}

int native_tid(void)
{
	if (!native_known_tid)
		native_known_tid = (int)syscall(SYS_gettid);
	return native_known_tid;
}

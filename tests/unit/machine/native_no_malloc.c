/* SPDX-License-Identifier: MIT */
/*
 * malloc may be made of this library: nothing in it may need malloc, and least
 * of all under a lock of ours. malloc is this test's here, and counts who asks.
 *
 * What may: answers of inspectors, a thread's first stack, the making of the
 * thread that runs callbacks, libnuma, lines of source (libdw), and sites of
 * slabctl's. Never under a lock.
 */
#define _GNU_SOURCE
#include "../native.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* whose malloc it is already */
int main(void)
{
	return 0;
}
#else

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slab/inspect.h>
#include <slab/sheaf.h>

#include "base/bits.h"
#include "cache/cache.h"
#include "machine/machine.h"
#include "machine/stack.h"

/* ---- malloc: from a block that nothing goes back to ---- */
#define ALIGN 16U

static char heap[256 << 20];
static size_t used;
static bool is_armed;	 /* who asks is one of ours */
static unsigned int nr_asked, nr_under_lock;
static void *first_who, *first_under_lock;

static bool holds_a_lock(void)
{
	/* of builds that check the order of locks: any of this thread's */
	uint32_t held = lock_suspend();

	lock_resume(held);
	return (held & ((1U << NR_LOCK_RANKS) - 1)) ||
	       (m && is_armed &&
		(lock_is_held(&m->slab_mutex) || lock_is_held(&m->cpus_lock) ||
		 lock_is_held(&m->pages_lock) || lock_is_held(&m->meta_lock) ||
		 lock_is_held(&m->rcu_queue_lock)));
}

static void *get(size_t size, size_t align, void *who)
{
	size_t at;

	if (is_armed && !nr_asked++)
		first_who = who;
	if (holds_a_lock() && !nr_under_lock++)
		first_under_lock = who;
	align = MAX(align, (size_t)ALIGN);
	size = ALIGN_UP(size, (size_t)ALIGN);
	at = __atomic_fetch_add(&used, size + align + ALIGN, __ATOMIC_RELAXED);
	if (at + size + align + ALIGN > sizeof(heap))
		abort();
	at = ALIGN_UP((uintptr_t)heap + at + ALIGN, align);
	((size_t *)at)[-1] = size;
	return (void *)at;
}

#define WHO __builtin_return_address(0)

void *malloc(size_t size)
{
	return get(size, 0, WHO);
}

void *calloc(size_t nr, size_t size)
{
	return get(nr * size, 0, WHO); /* never used before: zero */
}

void *realloc(void *p, size_t size)
{
	void *to = get(size, 0, WHO);

	if (p)
		memcpy(to, p, MIN(size, ((size_t *)p)[-1]));
	return to;
}

void free(void *p)
{
	if (p && holds_a_lock() && !nr_under_lock++)
		first_under_lock = WHO;
}

void *memalign(size_t align, size_t size);
void *memalign(size_t align, size_t size)
{
	return get(size, align, WHO);
}

void *aligned_alloc(size_t align, size_t size)
{
	return get(size, align, WHO);
}

int posix_memalign(void **ret, size_t align, size_t size)
{
	*ret = get(size, align, WHO);
	return 0;
}

/* ---- in between ---- */
static void arm(void)
{
	nr_asked = nr_under_lock = 0;
	first_who = first_under_lock = NULL;
	__atomic_store_n(&is_armed, true, __ATOMIC_SEQ_CST);
}

static const char *name_of(void *who)
{
	static char name[256];

	slab_symbol(NULL, (uintptr_t)who, name, sizeof(name));
	return name;
}

/* So often, and never under a lock. */
static void disarm(unsigned int may_ask)
{
	__atomic_store_n(&is_armed, false, __ATOMIC_SEQ_CST);
	if (nr_under_lock)
		fail_msg("under a lock %u times, the first from %s",
			 nr_under_lock, name_of(first_under_lock));
	if (nr_asked != may_ask)
		fail_msg("asked %u times and not %u, the first time from %s",
			 nr_asked, may_ask, name_of(first_who));
}

static unsigned int nr_records;

static void quiet_sink(void *arg, const struct slab_report *r)
{
	(void)arg, (void)r;
	nr_records++;
}

static void it_counts(void **state)
{
	void *volatile p;

	(void)state;
	arm();
	p = malloc(100);
	free(p);
	p = calloc(1, 10);
	assert_int_equal(nr_asked, 2);
	lock_take(&m->slab_mutex);
	free(p);
	lock_release(&m->slab_mutex);
	is_armed = false;
	assert_int_equal(nr_under_lock, 1);
}

/* ---- making it ---- */
static void make(const struct slab_machine_config *config)
{
	arm();
	assert_int_equal(slab_machine_create_native(config, &m), 0);
	disarm(0);
	arm();
	slab_machine_reset(m);
	disarm(0);
}

static void making_the_machine_asks_for_none(void **state)
{
	struct slab_machine *made;

	native_teardown(state);
	make(NULL);
	native_teardown(state);
	make(&(struct slab_machine_config){
		.slab_debug = "P,first,second;Z,k*;FU",
		.freelist_hardened = true,
		.freelist_random = true,
		.random_kmalloc = true,
		.statistics = true,
	});
	native_teardown(state);
	arm();
	made = slab_machine_current();
	disarm(0);
	m = made;
	assert_non_null(m);
}

/* What it says of that goes to stderr without stdio. */
static void nor_does_one_with_less_memory(void **state)
{
	struct rlimit limit, less;
	void *more;
	int err;

	native_teardown(state);
	assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
	less = limit;
	less.rlim_cur = 4UL << 30;
	assert_int_equal(setrlimit(RLIMIT_AS, &less), 0);
	more = mmap(NULL, 8UL << 30, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	arm();
	err = slab_machine_create_native(NULL, &m);
	disarm(0);
	setrlimit(RLIMIT_AS, &limit);
	assert_int_equal(err, 0);
	if (more != MAP_FAILED) {
		print_message("an emulator takes no limits\n");
		munmap(more, 8UL << 30);
		skip();
	}
	assert_true(m->region_is_smaller);
}

/* ---- paths ---- */
#define OBJECTS 3000U

static void alloc_and_free(struct kmem_cache *s)
{
	void *object[OBJECTS];
	unsigned int i;

	for (i = 0; i < OBJECTS; i++)
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < OBJECTS; i++)
		kmem_cache_free(s, object[i]);
	if (kmem_cache_alloc_bulk(s, GFP_KERNEL, 500, object))
		kmem_cache_free_bulk(s, 500, object);
	for (i = 0; i < OBJECTS; i++)
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < OBJECTS; i++)
		kfree_rcu(object[i]);
}

static void kmalloc_and_kfree(void)
{
	unsigned int i;

	for (i = 0; i < OBJECTS; i++) {
		void *p = kmalloc(i * 37 % 100000, GFP_KERNEL);
		void *q = krealloc(p, i * 91 % 20000 + 1, GFP_KERNEL);

		if (i % 2)
			kfree(q);
		else
			kfree_rcu(q);
		kfree_nolock(kmalloc_nolock(i % 500, 0, NUMA_NO_NODE));
	}
}

static void lend(struct kmem_cache *s)
{
	struct slab_sheaf *sheaf =
		kmem_cache_prefill_sheaf(s, GFP_KERNEL, 20);

	if (!sheaf)
		return;
	kmem_cache_free(s, kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf));
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
}

static int a_life(const char *name, slab_flags_t flags)
{
	struct kmem_cache *s = kmem_cache_create(name, 200, NULL, flags);

	if (!s)
		return -ENOMEM;
	alloc_and_free(s);
	kmalloc_and_kfree();
	lend(s);
	validate_slab_cache(s);
	kmem_cache_shrink(s);
	kvfree_rcu_barrier();
	slab_machine_rcu_barrier(m);
	slab_machine_trim(m);
	return kmem_cache_destroy(s);
}

static const slab_flags_t kinds[] = {
	SLAB_NO_MERGE,
	SLAB_TYPESAFE_BY_RCU,
	SLAB_POISON | SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS,
	SLAB_POISON | SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER,
};

/* A thread of the C library's needs memory: its thread-local data. */
static void making_the_worker_holds_no_lock(void **state)
{
	(void)state;
	arm();
	machine_rcu_start(m);
	__atomic_store_n(&is_armed, false, __ATOMIC_SEQ_CST);
	assert_int_equal(m->rcu_worker.state, RCU_WORKER_RUNS);
	assert_int_equal(nr_under_lock, 0);
}

/* Where its stack ends is asked once. */
static void asking_for_the_stack_holds_no_lock(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("tracked", 64, NULL, SLAB_STORE_USER);

	(void)state;
	stack_bounds.is_known = false;
	arm();
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	__atomic_store_n(&is_armed, false, __ATOMIC_SEQ_CST);
	assert_true(stack_bounds.is_known);
	assert_int_equal(nr_under_lock, 0);
}

static void a_caches_life_asks_for_none(void **state)
{
	unsigned int i;

	(void)state;
	machine_rcu_start(m);
	stack_find_bounds();
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		char name[] = "life0";
		int err;

		name[4] += (char)i;
		arm();
		err = a_life(name, kinds[i]);
		disarm(0);
		assert_int_equal(err, 0);
	}
	assert_int_equal(nr_said, 0);
}

static void *live_in_a_thread(void *arg)
{
	char name[] = "team0";

	stack_find_bounds();
	name[4] += (char)(uintptr_t)arg;
	while (!over())
		if (a_life(name, kinds[(uintptr_t)arg]))
			abort();
	return NULL;
}

/* Slow paths that only meet under threads: remote frees, refused locks. */
static void nor_do_several_at_once(void **state)
{
	uintptr_t i;

	(void)state;
	machine_rcu_start(m);
	for (i = 0; i < 3; i++)
		team_add(&team, live_in_a_thread, (void *)i);
	usleep(20000); /* what threads need to begin */
	arm();
	usleep(300000);
	is_armed = false;
	team_stop(&team);
	if (nr_asked)
		fail_msg("asked %u times, the first time from %s", nr_asked,
			 name_of(first_who));
	assert_int_equal(nr_said, 0);
}

/* Every record of a finding, and the names of functions in it. */
static __attribute__((noinline)) void find_damage(void)
{
	struct kmem_cache *s = kmem_cache_create(
		"damaged", 64, NULL,
		SLAB_POISON | SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS |
			SLAB_STORE_USER);
	unsigned char *p;

	stack_find_bounds();
	slab_machine_remove_sink(m, native_sink, NULL);
	arm();
	p = kmem_cache_alloc(s, GFP_KERNEL);
	p[64] ^= 1;
	kmem_cache_free(s, p);
	kmem_cache_free(s, p);
	kfree(&nr_records);
	validate_slab_cache(s);
	disarm(0);
}

static void a_finding_asks_for_none(void **state)
{
	static char told[1 << 16];
	int file = memfd_create("stderr", MFD_CLOEXEC), kept = dup(2);
	ssize_t n;

	(void)state;
	assert_true(file >= 0 && kept >= 0);
	dup2(file, 2);
	find_damage();
	dup2(kept, 2);
	close(kept);
	n = pread(file, told, sizeof(told) - 1, 0);
	close(file);
	assert_true(n > 0);
	assert_non_null(strstr(told, "BUG damaged"));
	assert_non_null(strstr(told, "Allocated in find_damage+0x"));
	assert_non_null(strstr(told, "a_finding_asks_for_none+0x"));
}

static unsigned int nr_named;

static void count_named(void *arg, const char *line)
{
	(void)arg;
	nr_named += !!strstr(line, "find_damage+0x");
}

static void printing_sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	nr_records++;
	slab_report_print(r, count_named, NULL);
}

static void nor_does_a_sink_that_prints_it(void **state)
{
	(void)state;
	nr_records = nr_named = 0;
	slab_machine_add_sink(m, printing_sink, NULL);
	find_damage();
	assert_true(nr_records >= 3);
	assert_true(nr_named >= 3);
}

static void what_is_left_is_told_without_a_lock(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("left", 64, NULL, SLAB_NO_MERGE);

	(void)state;
	slab_machine_remove_sink(m, native_sink, NULL);
	slab_machine_add_sink(m, quiet_sink, NULL);
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	arm();
	assert_int_equal(kmem_cache_destroy(s), -EBUSY);
	is_armed = false;
	if (nr_under_lock)
		fail_msg("under a lock %u times, the first from %s",
			 nr_under_lock, name_of(first_under_lock));
}

static void a_fork_asks_for_none(void **state)
{
	int status;
	pid_t child;

	(void)state;
	machine_rcu_start(m);
	arm();
	child = fork();
	if (!child) {
		/* its worker is a new one */
		kfree(kmalloc(100, GFP_KERNEL));
		_exit(nr_asked != 0);
	}
	disarm(0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- those who look ---- */
static unsigned int nr_lines;

static void count_lines(void *arg, const char *line)
{
	(void)arg, (void)line;
	nr_lines++;
	if (lock_is_held(&m->slab_mutex))
		nr_under_lock++;
}

/* An answer is one block, or none where it is the caller's. */
static void an_answer_is_one_block(void **state)
{
	struct kmem_cache *s = kmem_cache_create(
		"seen", 64, NULL,
		SLAB_POISON | SLAB_RED_ZONE | SLAB_STORE_USER);
	struct slab_barn_info barns[SLAB_MAX_NODES];
	struct slab_freelist_info list;
	struct slab_object_info *objects;
	struct slab_sheaf_info *sheaves;
	struct slab_machine_about about;
	struct slab_address_info at;
	struct slab_cache_info *caches, cache;
	struct slab_pages_info pages;
	struct slab_slab_info *slabs, slab;
	struct slab_target *t;
	unsigned int nr_barns, i;
	uintptr_t handle = (uintptr_t)s;
	char *names;
	size_t nr;
	void *p = NULL;

	(void)state;
	machine_rcu_start(m);
	stack_find_bounds();
	for (i = 0; i < 1000; i++) {
		p = kmem_cache_alloc(s, GFP_KERNEL);
		assert_non_null(p);
		kfree_rcu(kmalloc(100, GFP_KERNEL));
	}
	arm();
	assert_int_equal(slab_target_open_self(m, &t), 0);
	disarm(1);

#define ONE(call, blocks)                    \
	do {                                 \
		arm();                       \
		assert_int_equal(call, 0);   \
		disarm(blocks);              \
	} while (0)

	ONE(slab_target_caches(t, &caches, &nr), 1);
	ONE(slab_target_names(t, handle, &names), 1);
	ONE(slab_target_slabs(t, handle, &slabs, &nr), 1);
	ONE(slab_target_objects(t, handle, slabs[0].nr, &objects, &nr), 1);
	ONE(slab_target_freelist(t, handle, slabs[0].nr, &list), 1);
	ONE(slab_target_sheaves(t, handle, &sheaves, &nr), 1);
	ONE(slab_target_about(t, &about), 0);
	ONE(slab_target_cache(t, "seen", &cache), 0);
	ONE(slab_target_slab(t, handle, slabs[0].nr, &slab), 0);
	ONE(slab_target_barns(t, handle, barns, &nr_barns), 0);
	ONE(slab_target_pages(t, &pages), 0);
	ONE(slab_target_identify(t, (uintptr_t)p, &at), 0);
	ONE(slab_target_verify(t, 0, quiet_sink, NULL), 0);
	/* names of functions */
	arm();
	assert_int_equal(slab_target_traces(t, handle, true, count_lines, NULL),
			 0);
	is_armed = false;
	assert_int_equal(nr_under_lock, 0);
	assert_true(nr_lines > 0);
	arm();
	slab_target_close(t);
	disarm(0);
	slab_machine_remove_sink(m, native_sink, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(it_counts),
		native_test(making_the_machine_asks_for_none),
		native_test(nor_does_one_with_less_memory),
		native_test(making_the_worker_holds_no_lock),
		native_test(asking_for_the_stack_holds_no_lock),
		native_test(a_caches_life_asks_for_none),
		native_test(nor_do_several_at_once),
		native_test(a_finding_asks_for_none),
		native_test(nor_does_a_sink_that_prints_it),
		native_test(what_is_left_is_told_without_a_lock),
		native_test(a_fork_asks_for_none),
		native_test(an_answer_is_one_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif

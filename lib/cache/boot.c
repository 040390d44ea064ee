/* SPDX-License-Identifier: MIT */
/* cache/boot.c - a machine starts, and the kernel parameters it starts with */
#include <slab/descriptor.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bits.h"
#include "cache/cache.h"
#include "cache/fork.h"
#include "debug/asan.h"
#include "debug/failslab.h"
#include "debug/flags.h"
#include "debug/sheaves.h"
#include "slab/cpu.h"

/* A program that makes machines can be looked at from outside: this takes the
 * descriptor along out of the static library. */
static const struct slab_descriptor *const described __attribute__((used)) =
	&slab_descriptor;

/* Full sheaves before the barns (DIVERGENCE: local). */
static void keep_near(struct slab_machine *m)
{
	const struct slab_machine_config *c = &m->config;
	size_t all = (16UL << 20) / m->config.nr_cpu_ids;

	m->params.cpu_full_bytes = c->cpu_full_bytes ? c->cpu_full_bytes :
						       1UL << 20;
	m->params.cpus_full_bytes = c->cpus_full_bytes ? c->cpus_full_bytes :
							 MAX(all, 1UL << 20);
}

/* A hook was set, or faults were: from now on, or no longer, inline paths of
 * some caches do too little. */
static void refresh_fast(struct slab_machine *m)
{
	struct kmem_cache *s;

	if (!m->is_native)
		return;
	machine_lock_caches(m);
	list_for_each_entry(s, &m->slab_caches, list) {
		if (cache_fast_lacks(s))
			cpu_fast_close(s);
		else
			cpu_fast_open(s);
	}
	machine_unlock_caches(m);
}

static int boot(struct slab_machine *m)
{
	const struct slab_machine_config *c = &m->config;

	m->params = (struct machine_parameters){
		.max_order = 3,
		.max_full_sheaves = MAX_FULL_SHEAVES,
		.max_empty_sheaves = MAX_EMPTY_SHEAVES,
		.freelist_hardened = c->freelist_hardened,
		.freelist_random = c->freelist_random,
		.random_kmalloc = c->random_kmalloc,
		.no_cmpxchg_double = c->no_cmpxchg_double,
		.init_on_alloc = c->init_on_alloc,
		.init_on_free = c->init_on_free,
		.statistics = m->is_native ? c->statistics : !c->no_statistics,
	};
	if (m->is_native)
		keep_near(m);
	failslab_init(m);
	m->irq_work = free_deferred;
	m->damage_say = sheaves_say;
	m->fast_changed = refresh_fast;
	if (!c->asan_off)
		asan_watch();
	return c->slab_debug ? debug_parse(m, c->slab_debug) : 0;
}

int slab_machine_create_virtual(const struct slab_machine_config *config,
				struct slab_machine **ret)
{
	int err = machine_open(config, ret);

	if (err)
		return err;
	err = boot(*ret);
	if (err)
		slab_machine_destroy(*ret);
	return err;
}

/* Why the system reserved no more. strerror() may allocate. */
static void say_why(const struct slab_machine *m, char *text, size_t bytes)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY)
		snprintf(text, bytes,
			 "RLIMIT_AS (ulimit -v) allows %llu MiB in all",
			 (unsigned long long)limit.rlim_cur >> 20);
	else
		snprintf(text, bytes,
			 "mmap() refused more with errno %d, and RLIMIT_AS is unlimited: a tool such as valgrind, or the system's overcommit",
			 m->region_errno);
}

/* It works, but not as was asked for, or as the system could. A machine that is
 * being made has no sinks. */
static void say_what_is_less(const struct slab_machine *m)
{
	char text[512] = "", why[160];
	size_t n = 0;

	if (m->region_is_smaller) {
		say_why(m, why, sizeof(why));
		n = (size_t)snprintf(text, sizeof(text),
				     "slab: the region has %zu MiB: %s\n",
				     m->region_bytes >> 20, why);
	}
	if (m->nodes_unknown)
		snprintf(
			text + n, sizeof(text) - n,
			"slab: memory counts as of one node: libnuma.so.1 can not be used\n");
	/* no stdio: it allocates */
	if (*text && write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

/* Made by the one who is first; a second one waits until it can be used. */
struct slab_machine *machine_make_native(void)
{
	struct slab_machine *m = __atomic_load_n(&native_machine,
						 __ATOMIC_ACQUIRE);

	if (m || !slab_machine_create_native(NULL, &m))
		return m;
	/* somebody else was first, or it can not be made */
	return __atomic_load_n(&native_machine, __ATOMIC_ACQUIRE);
}

int slab_machine_create_native(const struct slab_machine_config *config,
			       struct slab_machine **ret)
{
	struct slab_machine *m;
	int err, cancel = fork_making_begin();

	err = machine_open_native(config, &m);
	if (!err) {
		err = boot(m);
		if (err)
			machine_close_native(m);
	}
	if (!err) {
		say_what_is_less(m);
		kmalloc_make_classes(m);
		__atomic_store_n(&native_machine, m, __ATOMIC_RELEASE);
		*ret = m;
	}
	fork_making_end(cancel);
	return err;
}

void slab_machine_trim(struct slab_machine *m)
{
	struct kmem_cache *s;

	machine_lock(m, &m->cpus_lock, SLAB_POINT_CPUS_LOCK);
	machine_lock_caches(m);
	list_for_each_entry(s, &m->slab_caches, list)
		cache_shrink(s);
	machine_unlock_caches(m);
	machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
	pages_trim(m);
}

/* Nothing of the machine is out of bounds for AddressSanitizer any more. */
static void open_shadow(struct slab_machine *m)
{
	asan_pages_free(m, m->base, pages_taken(m));
}

void slab_machine_destroy(struct slab_machine *m)
{
	int cancel;

	if (!m)
		return;
	if (!m->is_native) {
		open_shadow(m);
		machine_close(m);
		return;
	}
	cancel = fork_making_begin();
	machine_rcu_stop(m);
	open_shadow(m);
	machine_close_native(m);
	fork_making_end(cancel);
}

static void reset(struct slab_machine *m)
{
	open_shadow(m);
	pages_reset(m);
	meta_reset(m);
	machine_start(m);
	if (m->is_native)
		machine_start_native(m);
	/* slab_debug= parsed once already: nothing new can be wrong with it */
	(void)boot(m);
}

void slab_machine_reset(struct slab_machine *m)
{
	int cancel;

	if (!m->is_native) {
		reset(m);
		return;
	}
	cancel = fork_making_begin();
	/* what waits is gone with its caches: the worker must not run it */
	machine_rcu_stop(m);
	reset(m);
	kmalloc_make_classes(m);
	fork_making_end(cancel);
}

/* ---- parameters ---- */
static int parse_number(const char *value, unsigned int *ret)
{
	char *end;
	unsigned long n;

	if (value[0] < '0' || value[0] > '9')
		return -EINVAL;
	errno = 0;
	n = strtoul(value, &end, 0);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE || n > INT_MAX)
		return -ERANGE;
	*ret = (unsigned int)n;
	return 0;
}

static int parse_bool(const char *value, bool *ret)
{
	static const char *const yes[] = { "1", "y", "yes", "on", "true", "" };
	static const char *const no[] = { "0", "n", "no", "off", "false" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(yes); i++)
		if (!strcasecmp(value, yes[i]))
			return *ret = true, 0;
	for (i = 0; i < ARRAY_SIZE(no); i++)
		if (!strcasecmp(value, no[i]))
			return *ret = false, 0;
	return -EINVAL;
}

/* min above max raises max, max below min lowers min; max ends at what the
 * page allocator has (geometry.md 2.4) */
static int set_min_order(struct slab_machine *m, const char *value)
{
	int err = parse_number(value, &m->params.min_order);

	if (!err && m->params.min_order > m->params.max_order)
		m->params.max_order = m->params.min_order;
	return err;
}

static int set_max_order(struct slab_machine *m, const char *value)
{
	int err = parse_number(value, &m->params.max_order);

	if (err)
		return err;
	m->params.max_order = MIN(m->params.max_order, MAX_PAGE_ORDER);
	if (m->params.min_order > m->params.max_order)
		m->params.min_order = m->params.max_order;
	return 0;
}

static int set_min_objects(struct slab_machine *m, const char *value)
{
	return parse_number(value, &m->params.min_objects);
}

static int set_nomerge(struct slab_machine *m, const char *value)
{
	return parse_bool(value, &m->params.nomerge);
}

static int set_merge(struct slab_machine *m, const char *value)
{
	bool merge;
	int err = parse_bool(value, &merge);

	if (!err)
		m->params.nomerge = !merge;
	return err;
}

static int set_strict_numa(struct slab_machine *m, const char *value)
{
	return parse_bool(value, &m->params.strict_numa);
}

static int set_init_on_alloc(struct slab_machine *m, const char *value)
{
	return parse_bool(value, &m->params.init_on_alloc);
}

static int set_init_on_free(struct slab_machine *m, const char *value)
{
	return parse_bool(value, &m->params.init_on_free);
}

static int set_hardened(struct slab_machine *m, const char *value)
{
	return parse_bool(value, &m->params.freelist_hardened);
}

static int set_random(struct slab_machine *m, const char *value)
{
	return parse_bool(value, &m->params.freelist_random);
}

static int set_random_kmalloc(struct slab_machine *m, const char *value)
{
	return parse_bool(value, &m->params.random_kmalloc);
}

static int set_cmpxchg_double(struct slab_machine *m, const char *value)
{
	bool has;
	int err = parse_bool(value, &has);

	if (!err)
		m->params.no_cmpxchg_double = !has;
	return err;
}

static int set_statistics(struct slab_machine *m, const char *value)
{
	return parse_bool(value, &m->params.statistics);
}

static int set_failslab(struct slab_machine *m, const char *value)
{
	return fault_option(m, &m->failslab, value);
}

static int set_fail_page_alloc(struct slab_machine *m, const char *value)
{
	return fault_option(m, &m->fail_page_alloc, value);
}

static const struct {
	const char *name;
	int (*set)(struct slab_machine *m, const char *value);
} parameters[] = {
	{ "slab_min_order", set_min_order },
	{ "slab_max_order", set_max_order },
	{ "slab_min_objects", set_min_objects },
	{ "slab_nomerge", set_nomerge },
	{ "slab_merge", set_merge },
	{ "slab_strict_numa", set_strict_numa },
	{ "slab_debug", debug_parse },
	{ "init_on_alloc", set_init_on_alloc },
	{ "init_on_free", set_init_on_free },
	{ "freelist_hardened", set_hardened },
	{ "freelist_random", set_random },
	{ "random_kmalloc", set_random_kmalloc },
	{ "cmpxchg_double", set_cmpxchg_double },
	{ "statistics", set_statistics },
	{ "failslab", set_failslab },
	{ "fail_page_alloc", set_fail_page_alloc },
};

int slab_machine_sysctl(struct slab_machine *m, const char *name,
			const char *value)
{
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(parameters); i++) {
		const char *p = parameters[i].name;

		if (!strcmp(name, p) ||
		    (!strncmp(p, "slab_", 5) && !strncmp(name, "slub_", 5) &&
		     !strcmp(name + 5, p + 5)))
			return parameters[i].set(m, value ? value : "");
	}
	return -ENOENT;
}

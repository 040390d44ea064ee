/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/inspect/hostile.c - random bytes over descriptors, links and
 * objects: every inspector comes back, whatever it says
 *
 * Children do it, so that a crash or a hang names its seed. HOSTILE_SEED and
 * HOSTILE_SEEDS in the environment choose which and how many.
 */
#include "../../patience.h"
#include "../lab.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slab/inject.h>
#include <slab/inspect.h>

#include "base/bytes.h"
#include "base/random.h"
#include "slab/node.h"

#define SEEDS	1000UL
#define A_CHILD 20UL

/* ---- a machine with something of everything ---- */
static const slab_flags_t flags[] = {
	0, SLAB_POISON, SLAB_RED_ZONE, SLAB_STORE_USER, SLAB_CONSISTENCY_CHECKS,
	SLAB_DEBUG_DEFAULT_FLAGS, SLAB_TYPESAFE_BY_RCU,
	SLAB_DEBUG_DEFAULT_FLAGS | SLAB_KMALLOC,
};
#define NR_CACHES ARRAY_SIZE(flags)

static void populate(struct random *r)
{
	static const unsigned int sizes[] = { 8, 40, 200, 1000, 5000 };
	unsigned int c, i;

	for (c = 0; c < NR_CACHES; c++) {
		char name[16];
		struct kmem_cache *s;
		void *p[60];

		snprintf(name, sizeof(name), "cache%u", c);
		s = kmem_cache_create(name, sizes[random_below(r, 5)], NULL,
				      flags[c] | SLAB_NO_MERGE);
		for (i = 0; i < 60; i++)
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		for (i = 0; i < 60; i++)
			if (random_below(r, 3) == 0)
				kmem_cache_free(s, p[i]);
	}
	kmalloc(50000, GFP_KERNEL);
	slab_machine_alloc_pages(lab.m, 2);
}

/* ---- damage ---- */
/* A word that could lead somewhere: wild, small, or into our own tables. */
static uintptr_t bad_word(struct random *r)
{
	uintptr_t memmap = (uintptr_t)lab.m->memmap;

	switch (random_below(r, 7)) {
	case 0:
		return random_next(r);
	case 1:
		return random_below(r, 256);
	case 2:
		return lab.m->base + random_below(r, 64 * PAGE_SIZE);
	case 3:
		return memmap + 64 * random_below(r, 80);
	case 4:
		return memmap + random_below(r, 80UL * 64);
	case 5:
		return lab.m->meta.start +
		       random_below(r, lab.m->meta.next - lab.m->meta.start +
					       4096);
	default:
		return memmap + 64 * random_below(r, 80) +
		       offsetof(struct slab, slab_list);
	}
}

static void damage_descriptors(struct random *r, unsigned long used)
{
	unsigned int n = (unsigned int)random_below(r, 40);

	while (n--) {
		struct slab *slab = &lab.m->memmap[random_below(r, used)];
		uintptr_t *words = (uintptr_t *)slab;

		if (random_below(r, 2))
			words[random_below(r, 8)] = bad_word(r);
		else
			((uint8_t *)slab)[random_below(r, 64)] ^=
				(uint8_t)(1U << random_below(r, 8));
	}
}

static void damage_pages(struct random *r, unsigned long used)
{
	unsigned int n = (unsigned int)random_below(r, 200);

	while (n--) {
		uintptr_t at = lab.m->base +
			       random_below(r, used * PAGE_SIZE / 8) * 8;

		/* by the hands that no sanitizer watches */
		word_write((void *)at, bad_word(r));
	}
}

/* ---- looking at all of it ---- */
static void look_at_slab(struct slab_target *t, uintptr_t cache,
			 unsigned int nr)
{
	struct slab_object_info *objects;
	struct slab_freelist_info chain;
	struct slab_slab_info slab;
	size_t n;

	if (!slab_target_objects(t, cache, nr, &objects, &n))
		free(objects);
	if (!slab_target_freelist(t, cache, nr, &chain))
		free(chain.index);
	slab_target_slab(t, cache, nr, &slab);
}

static void look_at_cache(struct slab_target *t, uintptr_t cache)
{
	struct slab_slab_info *slabs;
	size_t nr, i;

	if (slab_target_slabs(t, cache, &slabs, &nr))
		return;
	for (i = 0; i < nr; i++)
		look_at_slab(t, cache, slabs[i].nr);
	free(slabs);
	look_at_slab(t, cache, 12345);
}

static void look_at_record(void *arg, const struct slab_report *r)
{
	unsigned long *n = arg;

	*n += r->number + strlen(r->text);
}

static void look_at_everything(struct random *r, unsigned long used)
{
	struct slab_address_info address;
	struct slab_cache_info *caches;
	struct slab_target *t;
	unsigned long sum = 0;
	size_t nr, i;

	assert_int_equal(slab_target_open_self(lab.m, &t), 0);
	assert_int_equal(slab_target_caches(t, &caches, &nr), 0);
	for (i = 0; i < nr; i++)
		look_at_cache(t, caches[i].cache);
	free(caches);
	for (i = 0; i < 200; i++)
		slab_target_identify(t, lab.m->base +
						random_below(r, used * PAGE_SIZE),
				     &address);
	for (i = 0; i < 50; i++)
		slab_target_identify(t, bad_word(r), &address);
	slab_target_verify(t, 0, look_at_record, &sum);
	slab_target_close(t);
}

static void one_seed(unsigned long seed)
{
	struct random r = { seed };
	unsigned long used;

	lab_open(&(struct slab_machine_config){
		.seed = seed, .freelist_hardened = seed & 1,
		.freelist_random = seed & 2, .nr_nodes = 1 + (seed >> 2 & 1) });
	populate(&r);
	used = 80;
	damage_descriptors(&r, used);
	damage_pages(&r, used);
	look_at_everything(&r, used);
	slab_machine_destroy(lab.m);
}

static unsigned long from_environment(const char *name, unsigned long fallback)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : fallback;
}

static void every_inspector_survives_random_damage(void **state)
{
	unsigned long *at = mmap(NULL, sizeof(*at), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long first = from_environment("HOSTILE_SEED", 1);
	unsigned long end = first + from_environment("HOSTILE_SEEDS", SEEDS);
	unsigned long seed;

	(void)state;
	assert_ptr_not_equal(at, MAP_FAILED);
	for (seed = first; seed < end; seed += A_CHILD) {
		int status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (!child) {
			unsigned long last = MIN(seed + A_CHILD, end);

			alarm(patience());
			for (*at = seed; *at < last; ++*at)
				one_seed(*at);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFSIGNALED(status))
			fail_msg("HOSTILE_SEED=%lu HOSTILE_SEEDS=1: signal %d%s",
				 *at, WTERMSIG(status),
				 WTERMSIG(status) == SIGALRM ? ", it hung" : "");
		if (WEXITSTATUS(status))
			fail_msg("HOSTILE_SEED=%lu HOSTILE_SEEDS=1: exit %d",
				 *at, WEXITSTATUS(status));
	}
	munmap(at, sizeof(*at));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_inspector_survives_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

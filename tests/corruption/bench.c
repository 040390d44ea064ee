/* SPDX-License-Identifier: MIT */
/* tests/corruption/bench.c - see bench.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <slab/sheaf.h>

#include "bench.h"

#if HAS_ASAN
/* Its reports are what letter s is about: the program goes on after each. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "halt_on_error=0:suppress_equal_pcs=0:detect_leaks=0";
}
#endif

static const struct setting settings[] = {
	{ .kind = "kmalloc-redzone", .size = 64, .request = 19 },
	{ .kind = "orig-size", .size = 64, .request = 19 },
	{ .kind = "alignment-padding", .size = 100 },
	{ .kind = "poison", .state = FREE },
	{ .kind = "poison-end", .state = FREE },
	{ .kind = "bitflip", .state = FREE },
	{ .kind = "freeptr", .state = FREE },
	{ .kind = "freeptr-null", .state = FREE },
	{ .kind = "freeptr-self", .state = FREE },
	{ .kind = "freeptr-object", .state = FREE, .needs_neighbour = true },
	{ .kind = "freeptr-wild", .state = FREE },
	{ .kind = "freelist-cross", .state = FREE, .needs_second_slab = true },
	{ .kind = "double-free", .is_call = true },
	{ .kind = "double-free-sheaf", .is_call = true },
	{ .kind = "free-middle", .is_call = true },
	{ .kind = "free-wild", .is_call = true },
	{ .kind = "free-wrong-cache", .is_call = true },
	{ .kind = "free-stack", .is_call = true },
	{ .kind = "free-page", .is_call = true },
	{ .kind = "free-large", .is_call = true },
	{ .kind = "bulk-count", .is_call = true },
	{ .kind = "destroy-busy", .is_call = true },
	{ .kind = "read-out-of-bounds", .is_call = true },
	{ .kind = "read-after-free", .is_call = true },
	{ .kind = "uninitialised-read", .is_call = true },
	{ .kind = "sheaf-dup", .in_sheaves = true },
	{ .kind = "sheaf-size", .in_sheaves = true },
	{ .kind = "sheaf-foreign", .in_sheaves = true },
	{ .kind = "barn-count", .in_sheaves = true },
	{ .kind = "" },
};

const struct setting *setting_of(const char *kind)
{
	const struct setting *s = settings;

	while (*s->kind && strcmp(s->kind, kind) != 0)
		s++;
	return s;
}

void die(const char *what)
{
	printf("corruption: %s\n", what);
	exit(2);
}

static int by_address(const void *a, const void *b)
{
	char *x = *(char *const *)a, *y = *(char *const *)b;

	return x < y ? -1 : x > y;
}

/* Users write: what is in use holds no old links. */
#define DATA 0x11

void *bench_take(struct bench *b)
{
	return b->setting->request ? kmem_cache_alloc_orig(b->s, GFP_KERNEL,
							   b->setting->request)
				   : kmem_cache_alloc(b->s, GFP_KERNEL);
}

void bench_give(struct bench *b, unsigned int i)
{
	if (!b->in_use[i])
		return;
	b->in_use[i] = false;
	kmem_cache_free(b->s, b->object[i]);
}

/* Each object of the full slab goes and comes back, so that links outside of
 * objects are NULL, whatever the first order was; then users write. */
static void settle(struct bench *b)
{
	size_t size = b->setting->request ? b->setting->request
					  : kmem_cache_size(b->s);
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		kmem_cache_free(b->s, b->object[i]);
		if (bench_take(b) != b->object[i])
			die("the only free object was not handed out");
		memset(b->object[i], DATA, size);
	}
}

/* One slab, filled, then: f f . . T . . f f with T in the middle, free or not,
 * and free ones before and behind it in the chain. */
void bench_set_up(struct bench *b, slab_flags_t flags, bool all_free)
{
	struct slab_cache_info info;
	unsigned int i, extra = 0;

	flags |= SLAB_NO_MERGE;
	if (b->setting->request)
		flags |= SLAB_KMALLOC;
	kmem_cache_create("other", 96, NULL, SLAB_NO_MERGE);
	b->s = kmem_cache_create(
		"ring", b->setting->size ? b->setting->size : 200, NULL, flags);
	if (!b->s || slab_target_open_self(b->m, &b->t) ||
	    slab_target_cache(b->t, "ring", &info))
		die("no cache");
	b->nr = info.objs_per_slab;
	if (b->nr > MAX_OBJECTS || b->nr < 10)
		die("a slab of 10 to 256 objects is needed");
	for (i = 0; i < b->nr; i++) {
		b->object[i] = bench_take(b);
		b->in_use[i] = true;
	}
	qsort(b->object, b->nr, sizeof(b->object[0]), by_address);
	settle(b);
	/* a refill fetched more slabs than this one */
	kmem_cache_shrink(b->s);
	if (b->setting->needs_second_slab) {
		for (i = 0; i + 1 < b->nr; i++)
			bench_take(b);
		kmem_cache_shrink(b->s);
		extra = 1;
	}
	b->target = b->nr / 2;
	bench_give(b, b->target + 3);
	bench_give(b, b->target + 4);
	if (b->setting->state == FREE)
		bench_give(b, b->target);
	bench_give(b, b->target - 3);
	bench_give(b, b->target - 4);
	for (i = 0; i < b->nr && all_free; i++) {
		if ((i == b->target && b->kind->target == SLAB_TARGET_OBJECT) ||
		    (i == b->target + 1 && b->setting->needs_neighbour))
			continue;
		bench_give(b, i);
	}
	if (!b->setting->in_sheaves)
		slab_cache_flush_all(b->m, b->s);
	b->nr_free = extra;
	for (i = 0; i < b->nr; i++)
		b->nr_free += !b->in_use[i];
}

void bench_tear_down(struct bench *b)
{
	slab_target_close(b->t);
	b->t = NULL;
}

static bool has_letter(slab_flags_t flags, slab_flags_t flag)
{
	return (flags & flag) == flag;
}

int bench_damage(struct bench *b, slab_flags_t flags,
		 struct slab_corrupt_result *ret)
{
	/* where no request is recorded the place of the damage is told */
	bool tell = !strcmp(b->kind->name, "kmalloc-redzone") &&
		    !has_letter(flags, SLAB_STORE_USER);
	struct slab_corrupt_value values[] = { { tell ? "offset" : NULL, "19" },
					       { NULL, NULL } };

	return slab_corrupt(b->m, b->kind->name,
			    (uintptr_t)b->object[b->target], values, ret);
}

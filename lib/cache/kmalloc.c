/* SPDX-License-Identifier: MIT */
/*
 * cache/kmalloc.c - memory by size over caches of fixed classes
 *
 * Classes and types: spec/allocator/geometry.md 2.7. A class cache is made
 * when it is first asked for (the kernel makes all of them at boot).
 */
#include "cache/sheaf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "debug/asan.h"
#include "debug/report.h"
#include "slab/geometry.h"

static const struct {
	const char *prefix;
	slab_flags_t flags;
} types[] = {
	[KMALLOC_NORMAL] = { "kmalloc", SLAB_NO_MERGE },
	[KMALLOC_RECLAIM] = { "kmalloc-rcl", SLAB_RECLAIM_ACCOUNT },
	[KMALLOC_CGROUP] = { "kmalloc-cg", SLAB_ACCOUNT },
	[KMALLOC_DMA] = { "dma-kmalloc", SLAB_CACHE_DMA },
	[KMALLOC_RANDOM] = { "kmalloc-rnd", SLAB_NO_MERGE },
};

/* One of 16 by who asks, so that an attacker's objects and a victim's seldom
 * share a cache; the first of them is the normal one. */
static enum kmalloc_type random_type(const struct slab_machine *m,
				     uintptr_t caller)
{
	struct random hash = { .state = (m->site ? m->site : caller) ^
					m->config.seed };
	unsigned int copy = random_next(&hash) >> 60;

	return copy ? KMALLOC_RANDOM + copy - 1 : KMALLOC_NORMAL;
}

static enum kmalloc_type kmalloc_type(const struct slab_machine *m, gfp_t gfp,
				      uintptr_t caller)
{
	if (!(gfp & (__GFP_RECLAIMABLE | __GFP_DMA | __GFP_ACCOUNT)))
		return m->params.random_kmalloc ? random_type(m, caller) :
						  KMALLOC_NORMAL;
	if (gfp & __GFP_DMA)
		return KMALLOC_DMA;
	return gfp & __GFP_RECLAIMABLE ? KMALLOC_RECLAIM : KMALLOC_CGROUP;
}

static struct kmem_cache *make_class(struct slab_machine *m,
				     enum kmalloc_type type, unsigned int class)
{
	unsigned int size = kmalloc_class_size(class), copy = 0;
	struct kmem_cache_args args = {
		.align = size & -size,
		.usersize = size,
	};
	struct kmem_cache *s = NULL;
	char name[40], prefix[24];
	slab_flags_t flags;
	int err;

	if (type >= KMALLOC_RANDOM) {
		copy = type - KMALLOC_RANDOM + 1;
		flags = types[KMALLOC_RANDOM].flags;
		snprintf(prefix, sizeof(prefix), "%s-%02u",
			 types[KMALLOC_RANDOM].prefix, copy);
	} else {
		flags = types[type].flags;
		snprintf(prefix, sizeof(prefix), "%s", types[type].prefix);
	}
	kmalloc_class_name(name, sizeof(name), prefix, size);
	machine_lock_caches(m);
	s = m->kmalloc[type][class];
	if (!s) {
		err = cache_create(m, name, size, &args,
				   SLAB_KMALLOC | flags, &s);
		if (!err)
			__atomic_store_n(&m->kmalloc[type][class], s,
					 __ATOMIC_RELEASE);
	}
	machine_unlock_caches(m);
	return s;
}

void kmalloc_class_name(char *buf, size_t bytes, const char *prefix,
			unsigned int size)
{
	snprintf(buf, bytes, size >= 1024 ? "%s-%uk" : "%s-%u", prefix,
		 size >= 1024 ? size / 1024 : size);
}

static struct kmem_cache *class_made(const struct slab_machine *m,
				     enum kmalloc_type type, unsigned int class)
{
	return __atomic_load_n(&m->kmalloc[type][class], __ATOMIC_ACQUIRE);
}

static struct kmem_cache *class_for(struct slab_machine *m, size_t size,
				    gfp_t gfp, uintptr_t caller)
{
	enum kmalloc_type type = kmalloc_type(m, gfp, caller);
	unsigned int class;
	struct kmem_cache *s;

	if (!size || size > KMALLOC_MAX_CACHE_SIZE)
		return NULL;
	class = kmalloc_class(size);
	s = class_made(m, type, class);
	return s ? s : make_class(m, type, class);
}

struct kmem_cache *slab_kmalloc_cache(struct slab_machine *m, size_t size,
				      gfp_t gfp)
{
	return class_for(m, size, gfp, CALLER);
}

struct kmem_cache *slab_kmalloc_cache_nolock(struct slab_machine *m,
					     size_t size, gfp_t gfp)
{
	/* an interrupt can not wait for slab_mutex to make one */
	if ((machine_has_signals(m) || m->in_interrupt) && size &&
	    size <= KMALLOC_MAX_CACHE_SIZE)
		return class_made(m, kmalloc_type(m, gfp, 0),
				  kmalloc_class(size));
	return slab_kmalloc_cache(m, size, gfp);
}

void kmalloc_make_classes(struct slab_machine *m)
{
	unsigned int class;

	/* there is no class 0 */
	for (class = 1; class < ARRAY_SIZE(m->kmalloc[0]); class++)
		make_class(m, KMALLOC_NORMAL, class);
}

/* ---- whole pages ---- */
void *kmalloc_large(struct slab_machine *m, size_t size, gfp_t gfp, int node)
{
	struct slab *page;
	void *p;

	if (size > KMALLOC_MAX_SIZE)
		return NULL;
	page = pages_alloc(m, gfp, get_order(size), node);
	if (!page)
		return NULL;
	page->type = PAGE_LARGE_KMALLOC;
	page->large_size = size;
	p = (void *)slab_base(m, page);
	if (((gfp & __GFP_ZERO) || m->params.init_on_alloc) &&
	    !pages_read_zero(m, page))
		bytes_fill(p, 0, slab_bytes(page));
	return p;
}

static void *alloc_sized(size_t size, gfp_t gfp, int node, uintptr_t caller)
{
	struct slab_machine *m = slab_machine_current();
	struct kmem_cache *s;
	void *p;

	if (!size)
		return ZERO_SIZE_PTR;
	if (!m) {
		errno = ENOMEM;
		return NULL;
	}
	if (size > KMALLOC_MAX_CACHE_SIZE) {
		p = kmalloc_large(m, size, gfp, node);
		if (!p)
			errno = ENOMEM;
		return p;
	}
	s = class_for(m, size, gfp, caller);
	if (!s) {
		errno = ENOMEM;
		return NULL;
	}
	if (m->is_native && !s->fast_is_shut && !cache_is_debug(s) &&
	    node < 0) {
		if (!slab_fast_pop(&s->fast, &p))
			return fast_alloc_miss(s, gfp, caller);
		if (gfp & __GFP_ZERO)
			bytes_fill(p, 0, s->object_size);
		return p;
	}
	return slab_alloc(s, gfp, node, caller, size);
}

void *kmalloc(size_t size, gfp_t gfp)
{
	return alloc_sized(size, gfp, NUMA_NO_NODE, CALLER);
}

void *kmalloc_node(size_t size, gfp_t gfp, int node)
{
	return alloc_sized(size, gfp, node, CALLER);
}

void *kzalloc(size_t size, gfp_t gfp)
{
	return alloc_sized(size, gfp | __GFP_ZERO, NUMA_NO_NODE, CALLER);
}

void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return alloc_sized(bytes, gfp, NUMA_NO_NODE, CALLER);
}

void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return alloc_sized(bytes, gfp | __GFP_ZERO, NUMA_NO_NODE, CALLER);
}

/* ---- by pointer ---- */
static void not_kmalloc(struct slab_machine *m, const void *p)
{
	report_warn(m, SLAB_REPORT_NOT_KMALLOC, true, NULL, p,
		    "kfree(0x%lx): Not a kmalloc allocation",
		    slab_machine_print_address(m, (uintptr_t)p));
}

/* The cache a slab claims, if it is one of ours. */
static struct kmem_cache *owner_of(struct slab_machine *m,
				   const struct slab *slab)
{
	return machine_has_cache(m, slab->slab_cache) ? slab->slab_cache : NULL;
}

void slab_kfree(struct slab_machine *m, const void *p, uintptr_t caller)
{
	struct slab *slab;
	struct kmem_cache *s;

	if (ZERO_OR_NULL_PTR(p) || !m)
		return;
	slab = virt_to_head(m, p);
	if (slab && slab->type == PAGE_SLAB) {
		s = owner_of(m, slab);
		if (s && m->is_native && !s->fast_is_shut &&
		    !cache_is_debug(s)) {
			if (!slab_fast_push(&s->fast, (void *)p))
				fast_free_miss(s, (void *)p, caller);
		} else if (s) {
			slab_free_one(s, slab, (void *)p, caller);
		} else {
			report_warn(m, SLAB_REPORT_NO_SLAB_CACHE, false, NULL,
				    p, "No slab cache for object 0x%016lx",
				    slab_machine_print_address(m,
							       (uintptr_t)p));
		}
	} else if (slab && slab->type == PAGE_LARGE_KMALLOC &&
		   slab_base(m, slab) == (uintptr_t)p) {
		pages_free(m, slab);
	} else {
		not_kmalloc(m, p);
	}
}

void kfree(const void *p)
{
	slab_kfree(slab_machine_current(), p, CALLER);
}

void kfree_sensitive(const void *p)
{
	size_t n = ZERO_OR_NULL_PTR(p) ? 0 : ksize(p);

	if (n)
		bytes_fill((void *)p, 0, n);
	slab_kfree(slab_machine_current(), p, CALLER);
}

static bool is_whole_object(struct kmem_cache *s, struct slab *slab,
			    const void *p)
{
	struct slab_view v = view_live(s, slab);

	return view_is_valid_pointer(&v, p);
}

/* Bytes that ksize() promises for an object of s (geometry.md 2.11). */
static size_t usable(const struct kmem_cache *s)
{
	if (s->flags & (SLAB_RED_ZONE | SLAB_POISON))
		return s->object_size;
	if (s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_STORE_USER))
		return s->inuse;
	return s->size;
}

size_t ksize(const void *p)
{
	struct slab_machine *m = slab_machine_current();
	struct slab *slab;
	struct kmem_cache *s;

	if (ZERO_OR_NULL_PTR(p) || !m)
		return 0;
	slab = virt_to_head(m, p);
	if (slab && slab->type == PAGE_LARGE_KMALLOC)
		return slab_true_bytes(m, slab);
	if (!slab || slab->type != PAGE_SLAB)
		return 0;
	s = owner_of(m, slab);
	if (!s || !is_whole_object(s, slab, p) || !asan_may_touch(p))
		return 0;
	/* whoever asks may use all of it: no red zone inside any more */
	layout_set_orig_size(s, (void *)p, s->object_size);
	asan_object_alloc(s, (void *)p, s->object_size);
	return usable(s);
}

size_t kmalloc_size_roundup(size_t size)
{
	if (!size)
		return 0;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_class_size(kmalloc_class(size));
	if (size <= KMALLOC_MAX_SIZE)
		return PAGE_SIZE << get_order(size);
	return size;
}

/* The new size fits the old object: 1.8 of object-layout.md. */
static void *resize_in_place(struct kmem_cache *s, void *p, size_t old,
			     size_t size, gfp_t gfp)
{
	if (gfp & __GFP_ZERO) {
		if (old < size)
			bytes_fill((char *)p + old, 0, size - old);
		else
			bytes_fill((char *)p + size, 0,
				   s->object_size - size);
	}
	if (cache_has_orig_size(s)) {
		layout_set_orig_size(s, p, size);
		if ((s->flags & SLAB_RED_ZONE) && size < s->object_size)
			bytes_fill((char *)p + size, SLUB_RED_ACTIVE,
				   s->object_size - size);
	}
	asan_object_alloc(s, p, size);
	return p;
}

static void *move(const void *p, size_t old, size_t size, gfp_t gfp,
		  uintptr_t caller)
{
	void *q = alloc_sized(size, gfp, NUMA_NO_NODE, caller);

	if (!q)
		return NULL;
	bytes_copy(q, p, MIN(old, size));
	slab_kfree(slab_machine_current(), p, caller);
	return q;
}

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	struct slab_machine *m = slab_machine_current();
	struct slab *slab;
	struct kmem_cache *s;
	size_t old;

	if (!size) {
		slab_kfree(slab_machine_current(), p, CALLER);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return alloc_sized(size, gfp, NUMA_NO_NODE, CALLER);
	if (!m) {
		errno = ENOMEM;
		return NULL;
	}
	slab = virt_to_head(m, p);
	if (slab && slab->type == PAGE_LARGE_KMALLOC) {
		old = slab_true_bytes(m, slab);
		if (size <= old && size > KMALLOC_MAX_CACHE_SIZE)
			return (void *)p;
		return move(p, old, size, gfp, CALLER);
	}
	s = slab && slab->type == PAGE_SLAB ? owner_of(m, slab) : NULL;
	if (!s || !is_whole_object(s, slab, p)) {
		not_kmalloc(m, p);
		errno = EINVAL;
		return NULL;
	}
	if (!asan_may_touch(p)) {
		errno = EINVAL;
		return NULL;
	}
	old = MIN(layout_get_orig_size(s, p), (size_t)s->object_size);
	if (size <= s->object_size)
		return resize_in_place(s, (void *)p, old, size, gfp);
	return move(p, old, size, gfp, CALLER);
}

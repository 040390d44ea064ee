/* SPDX-License-Identifier: MIT */
/*
 * cache/nolock.c - allocation and free in any context
 *
 * No lock is waited for: each is tried, and what a busy one forbids is not
 * done (NULL), or done later (a deferred free). Rules:
 * spec/allocator/alloc-free-paths.md 3.23.
 */
#include "cache/sheaf.h"

#include <errno.h>

#include "debug/report.h"

#define NOLOCK_GFP (__GFP_ACCOUNT | __GFP_ZERO | __GFP_NO_OBJ_EXT)

/* Under slab_lock an interrupt of its holder would wait for ever. */
static bool may_serve_nolock(const struct kmem_cache *s)
{
	return (s->flags & SLAB_CMPXCHG_DOUBLE) || cache_is_debug(s);
}

static void *try_class(struct slab_machine *m, size_t size, gfp_t gfp, int node,
		       uintptr_t caller)
{
	struct kmem_cache *s = slab_kmalloc_cache_nolock(m, size, gfp);
	void *object;

	if (!s || !may_serve_nolock(s))
		return NULL;
	object = alloc_from_pcs(s, gfp, node);
	if (!object)
		object = slow_alloc(s, gfp, node, size);
	if (object)
		slab_handed_out(s, object, gfp, caller, size);
	return object;
}

void *kmalloc_nolock(size_t size, gfp_t gfp, int node)
{
	struct slab_machine *m = slab_machine_current();
	void *object;

	if (!size)
		return ZERO_SIZE_PTR;
	if (!m || (gfp & ~(gfp_t)NOLOCK_GFP) ||
	    node >= (int)m->config.nr_nodes) {
		errno = m ? EINVAL : ENXIO;
		return NULL;
	}
	gfp |= __GFP_NOWARN | __GFP_NOMEMALLOC;
	object = try_class(m, size, gfp, node, CALLER);
	/* the next larger class has other locks */
	if (!object) {
		size = kmalloc_size_roundup(size) + 1;
		if (size <= KMALLOC_MAX_CACHE_SIZE)
			object = try_class(m, size, gfp, node, CALLER);
	}
	if (!object)
		errno = ENOMEM;
	return object;
}

/* ---- frees that wait ---- */

/* Linked through the free pointer's slot, not encoded. */
static void defer(struct kmem_cache *s, void *object)
{
	struct slab_machine *m = s->machine;

	word_write((char *)object + s->offset, (uintptr_t)m->deferred[m->cpu]);
	m->deferred[m->cpu] = object;
	m->nr_deferred[m->cpu]++;
	m->rest_seq++;
	machine_event(m, SLAB_EVENT_DEFER, s, virt_to_slab(m, object), object,
		      m->nr_deferred[m->cpu], 0);
	if (!m->in_interrupt)
		machine_run_irq_work(m);
}

void free_deferred(struct slab_machine *m)
{
	unsigned int bound = m->nr_deferred[m->cpu], nr = bound;
	void *object = m->deferred[m->cpu];

	m->deferred[m->cpu] = NULL;
	m->nr_deferred[m->cpu] = 0;
	m->rest_seq++;
	while (object && bound--) {
		struct slab *slab = virt_to_slab(m, object);
		struct kmem_cache *s = slab ? slab->slab_cache : NULL;
		struct slab_view v = { 0 };
		void *next;

		/* a write after free may have hit the link */
		if (s && machine_has_cache(m, s))
			v = view_live(s, slab);
		if (!v.s || !view_may_follow(&v, object)) {
			report_warn(m, SLAB_REPORT_NOT_IN_SLAB, false, NULL,
				    object,
				    "deferred frees lead to 0x%lx, which is not in a slab page: %u objects are lost",
				    slab_machine_print_address(
					    m, (uintptr_t)object),
				    bound + 1);
			break;
		}
		next = (void *)word_read((char *)object + s->offset);
		set_freepointer(s, object, NULL);
		slab_free_chain(s, slab, object, object, 1, 0);
		stat(s, SLAB_STAT_FREE_SLOWPATH);
		object = next;
	}
	machine_step(m, SLAB_EVENT_DEFER_RUN, nr, 0);
}

void kfree_nolock(const void *p)
{
	struct slab_machine *m = slab_machine_current();
	struct slab *slab;
	struct kmem_cache *s;
	struct slab_view v;

	if (ZERO_OR_NULL_PTR(p) || !m)
		return;
	slab = virt_to_slab(m, p);
	s = slab && machine_has_cache(m, slab->slab_cache) ? slab->slab_cache :
							     NULL;
	if (!s) {
		report_warn(m, SLAB_REPORT_NOT_KMALLOC, true, NULL, p,
			    "kfree_nolock(0x%lx): Not a kmalloc allocation",
			    slab_machine_print_address(m, (uintptr_t)p));
		return;
	}
	v = view_live(s, slab);
	if (!view_may_follow(&v, p)) {
		slab_free_one(s, slab, (void *)p, CALLER);
		return;
	}
	if (!slab_free_hook(s, slab, (void *)p))
		return;
	if (slab->node == machine_mem_node(m) &&
	    free_to_pcs(s, (void *)p, false))
		return;
	defer(s, (void *)p);
}

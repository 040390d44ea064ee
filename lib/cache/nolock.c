/* SPDX-License-Identifier: MIT */
/*
 * cache/nolock.c - allocation and free in any context
 *
 * No lock is waited for: each is tried, and what a busy one forbids is not
 * done (NULL), or done later (a deferred free). Rules:
 * spec/allocator/alloc-free-paths.md 3.23.
 *
 *	kfree_nolock --push--> deferred objects --take all--> their slabs
 *	                             |
 *	                             +--> the next kmalloc_nolock of the class
 *
 * The stack is taken whole or pushed to, never popped, so that no link of it
 * is read that another thread may change.
 */
#include "cache/sheaf.h"

#include <errno.h>

#include "debug/report.h"
#include "slab/freelist.h"

#define NOLOCK_GFP (__GFP_ACCOUNT | __GFP_ZERO | __GFP_NO_OBJ_EXT)

/* Under slab_lock an interrupt of its holder would wait for ever. */
static bool may_serve_nolock(const struct kmem_cache *s)
{
	return (s->flags & SLAB_CMPXCHG_DOUBLE) || cache_is_debug(s);
}

/* ---- what waits ---- */
static void *take_all(struct slab_machine *m)
{
	void **stack = &m->deferred[machine_deferred_of(m)];

	if (!__atomic_load_n(stack, __ATOMIC_RELAXED))
		return NULL;
	machine_moved(m);
	machine_point(m, SLAB_POINT_DEFERRED);
	return __atomic_exchange_n(stack, NULL, __ATOMIC_ACQUIRE);
}

static void count_waiting(struct slab_machine *m, int by)
{
	__atomic_fetch_add(&m->nr_deferred[machine_deferred_of(m)],
			   (unsigned int)by, __ATOMIC_RELAXED);
}

/* The cache of one in a chain, or NULL: a write after free may have hit the
 * link that led here. */
static struct kmem_cache *cache_of_waiting(struct slab_machine *m, void *object)
{
	struct slab *slab = virt_to_slab(m, object);
	struct kmem_cache *s = slab ? slab->slab_cache : NULL;
	struct slab_view v;

	if (!s || !machine_has_cache(m, s))
		return NULL;
	v = view_live(s, slab);
	return view_may_follow(&v, object) ? s : NULL;
}

static void *next_waiting(const struct kmem_cache *s, const void *object)
{
	return (void *)word_read((void *)waiting_link(s, object));
}

static void link_waiting(const struct kmem_cache *s, void *object, void *next)
{
	word_write((void *)waiting_link(s, object), (uintptr_t)next);
}

/* One that is nobody else's, on top of what waits. */
static void push_waiting(struct kmem_cache *s, void *object)
{
	struct slab_machine *m = s->machine;
	void **stack = &m->deferred[machine_deferred_of(m)];
	void *top = __atomic_load_n(stack, __ATOMIC_RELAXED);

	machine_moved(m);
	do {
		link_waiting(s, object, top);
		machine_point(m, SLAB_POINT_DEFERRED);
	} while (!__atomic_compare_exchange_n(stack, &top, object, true,
					      __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

static void tell_lost(struct slab_machine *m, const void *object)
{
	report_warn(m, SLAB_REPORT_NOT_IN_SLAB, false, NULL, object,
		    "deferred frees lead to 0x%lx, which is not in a slab page: what is behind it is lost",
		    slab_machine_print_address(m, (uintptr_t)object));
}

/* More than there can be on a chain that was just taken: a damaged one may
 * lead in a circle. */
static unsigned int most_waiting(const struct slab_machine *m)
{
	return __atomic_load_n(&m->nr_deferred[machine_deferred_of(m)],
			       __ATOMIC_RELAXED);
}

/* The end of a chain gets something behind it; false: it has none. */
static bool link_end(struct slab_machine *m, void *chain, void *behind)
{
	unsigned int left = most_waiting(m);
	void *object = chain;

	while (left--) {
		struct kmem_cache *s = cache_of_waiting(m, object);
		void *next = s ? next_waiting(s, object) : NULL;

		if (!s)
			break;
		if (!next) {
			link_waiting(s, object, behind);
			return true;
		}
		object = next;
	}
	tell_lost(m, object);
	return false;
}

/* A chain that was taken goes back. It is below what came meanwhile, which is
 * short: its end is looked for, not the chain's. */
static void put_back(struct slab_machine *m, void *chain)
{
	void **stack = &m->deferred[machine_deferred_of(m)];
	void *none = NULL;

	machine_moved(m);
	while (chain) {
		void *newer;

		machine_point(m, SLAB_POINT_DEFERRED);
		if (__atomic_compare_exchange_n(stack, &none, chain, false,
						__ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			break;
		newer = take_all(m);
		none = NULL;
		if (newer && link_end(m, newer, chain))
			chain = newer;
	}
}

static void defer(struct kmem_cache *s, void *object)
{
	struct slab_machine *m = s->machine;

	/* the link must not lie in the red zone behind a small request */
	if (layout_get_orig_size(s, object) < sizeof(void *))
		layout_set_orig_size(s, object, sizeof(void *));
	count_waiting(m, 1);
	push_waiting(s, object);
	machine_event_object(m, SLAB_EVENT_DEFER, s, object,
			     most_waiting(m), 0);
	if (!m->in_interrupt)
		machine_run_irq_work(m);
}

/* A native machine is not told when a handler is over, and a program that only
 * calls these two has no other path to free what waits on: what one deferred
 * the next takes. Plain caches: no check stands between. */
#define LOOK_AT 16U
static void *take_waiting(struct kmem_cache *s, int node)
{
	struct slab_machine *m = s->machine;
	void *all, *object, *next, *found = NULL, *before = NULL;
	struct kmem_cache *of, *of_before = NULL;
	unsigned int i;

	if (!machine_has_signals(m) || cache_is_debug(s))
		return NULL;
	all = object = take_all(m);
	for (i = 0; object && i < LOOK_AT && !found; i++) {
		of = cache_of_waiting(m, object);
		if (!of)
			break; /* whoever frees them tells it */
		next = next_waiting(of, object);
		if (of == s && (node < 0 ||
				virt_to_slab(m, object)->node == node)) {
			found = object;
			if (before)
				link_waiting(of_before, before, next);
			else
				all = next;
			set_freepointer(s, found, NULL);
		}
		before = object;
		of_before = of;
		object = next;
	}
	put_back(m, all);
	if (!found)
		return NULL;
	count_waiting(m, -1);
	stat(s, SLAB_STAT_FREE_SLOWPATH);
	stat(s, SLAB_STAT_ALLOC_SLOWPATH);
	return found;
}

/* ---- allocation ---- */
static void *try_class(struct slab_machine *m, size_t size, gfp_t gfp, int node,
		       uintptr_t caller)
{
	struct kmem_cache *s = slab_kmalloc_cache_nolock(m, size, gfp);
	void *object;

	if (!s || !may_serve_nolock(s))
		return NULL;
	object = alloc_from_pcs(s, gfp, node);
	if (!object)
		object = take_waiting(s, node);
	if (!object)
		object = slow_alloc(s, gfp, node, size);
	if (object)
		slab_handed_out(s, object, gfp, caller, size);
	return object;
}

static void *try_classes(struct slab_machine *m, size_t size, gfp_t gfp,
			 int node, uintptr_t caller)
{
	void *object = try_class(m, size, gfp, node, caller);

	/* the next larger class has other locks */
	if (!object) {
		size = kmalloc_size_roundup(size) + 1;
		if (size <= KMALLOC_MAX_CACHE_SIZE)
			object = try_class(m, size, gfp, node, caller);
	}
	return object;
}

void *kmalloc_nolock(size_t size, gfp_t gfp, int node)
{
	struct slab_machine *m = machine_made();
	struct machine_any before;
	void *object;

	if (!size)
		return ZERO_SIZE_PTR;
	if (!m || (gfp & ~(gfp_t)NOLOCK_GFP) ||
	    node >= (int)m->config.nr_nodes) {
		errno = m ? EINVAL : ENXIO;
		return NULL;
	}
	before = machine_any_begin(m);
	object = try_classes(m, size, gfp | __GFP_NOWARN | __GFP_NOMEMALLOC,
			     node, CALLER);
	machine_any_end(m, before);
	if (!object)
		errno = ENOMEM;
	return object;
}

/* ---- free ---- */
static void free_waiting_slabs(struct slab_machine *m)
{
	struct slab *slab = __atomic_exchange_n(&m->deferred_slabs, NULL,
						__ATOMIC_ACQUIRE);

	while (slab) {
		struct slab *next = (struct slab *)slab->slab_list.next;

		list_init(&slab->slab_list);
		slab_free_pages(slab->slab_cache, slab);
		slab = next;
	}
}

void slab_defer_pages(struct kmem_cache *s, struct slab *slab)
{
	struct slab_machine *m = s->machine;
	struct slab *top = __atomic_load_n(&m->deferred_slabs,
					   __ATOMIC_RELAXED);

	/* until then it is no slab of any list */
	slab->type = PAGE_NONE;
	do {
		slab->slab_list.next = (struct list_head *)top;
		machine_point(m, SLAB_POINT_DEFERRED);
	} while (!__atomic_compare_exchange_n(&m->deferred_slabs, &top, slab,
					      true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

void free_deferred(struct slab_machine *m)
{
	void *object = take_all(m);
	unsigned int left = most_waiting(m), nr = 0;

	if (machine_has_signals(m))
		free_waiting_slabs(m);
	if (!object)
		return;
	while (object && nr < left) {
		struct kmem_cache *s = cache_of_waiting(m, object);
		void *next;

		if (!s) {
			tell_lost(m, object);
			nr = machine_has_signals(m) ? nr : left;
			break;
		}
		next = next_waiting(s, object);
		set_freepointer(s, object, NULL);
		slab_free_chain(s, virt_to_slab(m, object), object, object, 1,
				0);
		stat(s, SLAB_STAT_FREE_SLOWPATH);
		nr++;
		object = next;
	}
	count_waiting(m, -(int)nr);
	machine_step(m, SLAB_EVENT_DEFER_RUN, nr, 0);
}

static void free_any(struct slab_machine *m, void *p)
{
	struct slab *slab = virt_to_slab(m, p);
	struct kmem_cache *s = NULL;
	struct slab_view v;

	if (slab && machine_has_cache(m, slab->slab_cache))
		s = slab->slab_cache;
	if (!s) {
		report_warn(m, SLAB_REPORT_NOT_KMALLOC, true, NULL, p,
			    "kfree_nolock(0x%lx): Not a kmalloc allocation",
			    slab_machine_print_address(m, (uintptr_t)p));
		return;
	}
	v = view_live(s, slab);
	if (!view_may_follow(&v, p)) {
		/* it can not be linked, and the checks want list_lock */
		report_slab(&v, SLAB_REPORT_INVALID_POINTER, p, 0, 0);
		report_fix(&v, SLAB_FIX_NOT_FREED, p);
		return;
	}
	if (!slab_free_hook(s, slab, p))
		return;
	if (slab->node == machine_mem_node(m) && free_to_pcs(s, p, false))
		return;
	defer(s, p);
}

void kfree_nolock(const void *p)
{
	struct slab_machine *m = machine_made();
	struct machine_any before;

	if (ZERO_OR_NULL_PTR(p) || !m)
		return;
	before = machine_any_begin(m);
	free_any(m, (void *)p);
	machine_any_end(m, before);
}

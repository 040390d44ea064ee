/* SPDX-License-Identifier: MIT */
/*
 * cache/lent.c - sheaves that users borrow, filled beforehand
 *
 * spec/allocator/alloc-free-paths.md 3.15 and 3.16. Larger ones than the cache's own are made for
 * the occasion and never meet a CPU or a barn. A handle is judged by the list
 * of lent sheaves before it is used.
 */
#include "cache/gone.h"
#include "cache/sheaf.h"

#include <errno.h>

#include "debug/report.h"
#include "debug/sheaves.h"

/* ---- handles ---- */
static void lend(struct kmem_cache *s, struct slab_sheaf *sheaf,
		 unsigned int capacity)
{
	machine_moved(s->machine);
	sheaf->place = SHEAF_LENT;
	sheaf->capacity = capacity;
	machine_lock(s->machine, &s->lent_lock, SLAB_POINT_LENT_LOCK);
	list_add(&sheaf->list, &s->lent);
	lock_release(&s->lent_lock);
	machine_event(s->machine, SLAB_EVENT_SHEAF_PREFILL, s, NULL, NULL,
		      sheaf->size, 0);
}

/* An oversize one stays marked as lent until it is empty. */
static void take_back(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	machine_moved(s->machine);
	machine_lock(s->machine, &s->lent_lock, SLAB_POINT_LENT_LOCK);
	list_del(&sheaf->list);
	lock_release(&s->lent_lock);
	if (sheaf->capacity == s->sheaf_capacity)
		sheaf_comes_to_rest(s, sheaf);
	machine_event(s->machine, SLAB_EVENT_SHEAF_RETURN, s, NULL, NULL,
		      sheaf->size, 0);
}

static bool is_lent(const struct kmem_cache *s, const struct slab_sheaf *sheaf)
{
	return (uintptr_t)sheaf % 32 == 0 &&
	       meta_owns(s->machine, (uintptr_t)sheaf) &&
	       meta_owns(s->machine, (uintptr_t)(sheaf + 1) - 1) &&
	       sheaf->cache == s && sheaf->place == SHEAF_LENT;
}

static bool handle_is_good(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	struct slab_machine *m = s->machine;

	if (cache_is_gone(s)) {
		cache_say_gone(s, "a call with a borrowed sheaf");
		return false;
	}
	if (is_lent(s, sheaf)) {
		sheaf_judge_size(s, sheaf, sheaf->capacity);
		return true;
	}
	report_warn(m, SLAB_REPORT_SHEAF_HANDLE, false, s, sheaf,
		    "cache %s: 0x%lx is no sheaf that it lent", s->name,
		    slab_machine_print_address(m, (uintptr_t)sheaf));
	errno = EINVAL;
	return false;
}

/* ---- filling ---- */

/* First without the emergency reserves; with them the sheaf is marked. */
static int fill(struct kmem_cache *s, struct slab_sheaf *sheaf, gfp_t gfp)
{
	int err = sheaf_refill(s, sheaf, gfp | __GFP_NOMEMALLOC);

	if (!err || !machine_may_use_reserves(s->machine, gfp))
		return err;
	sheaf->pfmemalloc = 1;
	return sheaf_refill(s, sheaf, gfp);
}

static void drop(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	sheaf->pfmemalloc = 0;
	sheaf_flush(s, sheaf);
	sheaf_free(s, sheaf);
}

static struct slab_sheaf *prefill_oversize(struct kmem_cache *s, gfp_t gfp,
					   unsigned int n)
{
	struct slab_sheaf *sheaf = sheaf_alloc_oversize(s, gfp, n);

	if (!sheaf)
		return NULL;
	stat(s, SLAB_STAT_SHEAF_PREFILL_OVERSIZE);
	if (!alloc_bulk_from_slabs(s, gfp, n, sheaf->objects)) {
		sheaf_free_oversize(s, sheaf, n);
		return NULL;
	}
	sheaf->size = n;
	lend(s, sheaf, n);
	return sheaf;
}

/* One that is there already; the fuller the better. */
static struct slab_sheaf *find_sheaf(struct kmem_cache *s)
{
	struct slub_percpu_sheaves *pcs = pcs_lock(s);
	struct slab_sheaf *sheaf = pcs->spare;
	struct node_barn *barn;

	if (sheaf) {
		pcs->spare = NULL;
		stat(s, SLAB_STAT_SHEAF_PREFILL_FAST);
	} else {
		stat(s, SLAB_STAT_SHEAF_PREFILL_SLOW);
		barn = get_barn(s);
		if (barn) {
			sheaf = barn_get_full_or_empty(s, barn);
			stat(s, sheaf && sheaf->size ?
					SLAB_STAT_BARN_GET :
					SLAB_STAT_BARN_GET_FAIL);
		}
	}
	pcs_unlock(s, pcs);
	return sheaf;
}

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp,
					    unsigned int n)
{
	struct slab_sheaf *sheaf;

	if (cache_is_gone(s)) {
		cache_say_gone(s, "kmem_cache_prefill_sheaf()");
		return NULL;
	}
	if (!n || n > SLAB_SHEAF_MAX) {
		errno = EINVAL;
		return NULL;
	}
	if (n > s->sheaf_capacity) {
		sheaf = prefill_oversize(s, gfp, n);
		goto out;
	}
	sheaf = find_sheaf(s);
	if (!sheaf)
		sheaf = sheaf_alloc(s, gfp);
	if (!sheaf)
		goto out;
	if (sheaf->size < n && fill(s, sheaf, gfp)) {
		drop(s, sheaf);
		sheaf = NULL;
		goto out;
	}
	lend(s, sheaf, s->sheaf_capacity);
out:
	if (!sheaf)
		errno = ENOMEM;
	return sheaf;
}

void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp,
				  struct slab_sheaf *sheaf)
{
	struct slab_machine *m = s->machine;
	void *object;

	if (!handle_is_good(s, sheaf))
		return NULL;
	if (!sheaf_judge_top(s, sheaf, 1)) {
		errno = ENOSPC;
		return NULL;
	}
	object = sheaf->objects[--sheaf->size];
	machine_moved(m);
	machine_event_object(m, SLAB_EVENT_SHEAF_LENT_POP, s, object,
			     sheaf->size, 0);
	slab_handed_out(s, object, gfp & __GFP_ZERO, CALLER, s->object_size);
	return object;
}

/* Capacity is enough: 0, or -ENOMEM with nothing taken away. */
static int refill_in_place(struct kmem_cache *s, gfp_t gfp,
			   struct slab_sheaf *sheaf)
{
	unsigned int missing = sheaf->capacity - sheaf->size;

	if (sheaf->capacity == s->sheaf_capacity)
		return fill(s, sheaf, gfp);
	if (!alloc_bulk_from_slabs(s, gfp, missing,
				   &sheaf->objects[sheaf->size]))
		return -ENOMEM;
	sheaf->size += missing;
	machine_moved(s->machine);
	return 0;
}

int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp,
			    struct slab_sheaf **sheafp, unsigned int n)
{
	struct slab_sheaf *larger;

	if (!sheafp || !*sheafp || n > SLAB_SHEAF_MAX ||
	    !handle_is_good(s, *sheafp))
		return -EINVAL;
	if ((*sheafp)->size >= n)
		return 0;
	if ((*sheafp)->capacity >= n)
		return refill_in_place(s, gfp, *sheafp);
	larger = kmem_cache_prefill_sheaf(s, gfp, n);
	if (!larger)
		return -ENOMEM;
	kmem_cache_return_sheaf(s, gfp, *sheafp);
	*sheafp = larger;
	return 0;
}

static bool becomes_spare(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	struct slub_percpu_sheaves *pcs = pcs_lock(s);
	bool done = !pcs->spare;

	if (done)
		pcs->spare = sheaf;
	pcs_unlock(s, pcs);
	stat(s, done ? SLAB_STAT_SHEAF_RETURN_FAST :
		       SLAB_STAT_SHEAF_RETURN_SLOW);
	return done;
}

int kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp,
			    struct slab_sheaf *sheaf)
{
	struct node_barn *barn;
	unsigned int capacity;

	if (!handle_is_good(s, sheaf))
		return -EINVAL;
	capacity = sheaf->capacity;
	take_back(s, sheaf);
	if (capacity != s->sheaf_capacity || sheaf->pfmemalloc) {
		sheaf->pfmemalloc = 0;
		sheaf_flush(s, sheaf);
		/* tainted ones of the right size are counted, as 7.1 does */
		if (capacity != s->sheaf_capacity)
			sheaf_free_oversize(s, sheaf, capacity);
		else
			sheaf_free(s, sheaf);
		return 0;
	}
	if (becomes_spare(s, sheaf))
		return 0;
	barn = get_barn(s);
	if (!barn ||
	    barn_peek_full(s, barn) >= s->machine->params.max_full_sheaves ||
	    sheaf_refill(s, sheaf, gfp | __GFP_NOMEMALLOC)) {
		drop(s, sheaf);
		return 0;
	}
	barn_put_full(s, barn, sheaf);
	stat(s, SLAB_STAT_BARN_PUT);
	return 0;
}

unsigned int kmem_cache_sheaf_size(const struct slab_sheaf *sheaf)
{
	struct slab_machine *m = slab_machine_current();
	struct kmem_cache *s;

	if (!m || (uintptr_t)sheaf % 32 ||
	    !meta_owns(m, (uintptr_t)sheaf) ||
	    !meta_owns(m, (uintptr_t)(sheaf + 1) - 1))
		return 0;
	s = sheaf->cache;
	return machine_has_cache(m, s) && is_lent(s, sheaf) ? sheaf->size : 0;
}

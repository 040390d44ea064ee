/* SPDX-License-Identifier: MIT */
/*
 * cache/pcs.c - this CPU's main and spare serve; behind them the barn
 *
 *	alloc: main -> swap spare -> full sheaf of the barn -> refill one
 *	free:  main -> swap spare -> empty sheaf of the barn -> flush one
 *
 * Steps and their numbers: spec/allocator/alloc-free-paths.md 3.2, 3.3, 3.9,
 * 3.10. The lock is dropped for whatever takes long; after that the thread may
 * be on another CPU, so everything is looked at again.
 */
#include "cache/sheaf.h"

#include <errno.h>

#include "debug/sheaves.h"

static void swap_spare(struct kmem_cache *s, struct slub_percpu_sheaves *pcs)
{
	struct slab_sheaf *main = pcs->main;

	pcs->main = pcs->spare;
	pcs->spare = main;
	machine_event(s->machine, SLAB_EVENT_SHEAF_SWAP, s, NULL, NULL,
		      pcs->main->size, pcs->spare->size);
}

static void say_installed(struct kmem_cache *s, const struct slab_sheaf *sheaf)
{
	machine_event(s->machine, SLAB_EVENT_SHEAF_INSTALL, s, NULL, NULL,
		      sheaf->size, machine_cpu(s->machine));
}

static void put_surplus(struct kmem_cache *s, struct node_barn *barn,
			struct slab_sheaf *full)
{
	barn_put_full(s, barn, full);
	stat(s, SLAB_STAT_BARN_PUT);
}

/* ---- allocation ---- */

/* Steps 11 to 14: locked, perhaps on another CPU than before. */
static void install_full(struct kmem_cache *s, struct slub_percpu_sheaves *pcs,
			 struct node_barn *barn, struct slab_sheaf *full)
{
	if (!pcs->main->size) {
		if (!pcs->spare)
			pcs->spare = pcs->main;
		else
			barn_put_empty(s, barn, pcs->main);
		pcs->main = full;
	} else if (!pcs->spare) {
		pcs->spare = full;
	} else if (!pcs->spare->size) {
		barn_put_empty(s, barn, pcs->spare);
		pcs->spare = full;
	} else {
		put_surplus(s, barn, full);
		return;
	}
	say_installed(s, full);
}

/* Steps 7 to 9, pcs unlocked on return: a full sheaf that is nobody's. */
static struct slab_sheaf *make_full(struct kmem_cache *s,
				    struct slub_percpu_sheaves *pcs,
				    struct node_barn *barn, gfp_t gfp)
{
	struct slab_sheaf *sheaf = pcs->spare;

	pcs->spare = NULL;
	if (!sheaf)
		sheaf = barn_get_empty(s, barn, true);
	pcs_unlock(s, pcs);
	if (!sheaf)
		sheaf = sheaf_alloc(s, gfp);
	if (!sheaf)
		return NULL;
	if (!sheaf_refill(s, sheaf, gfp | __GFP_NOMEMALLOC))
		return sheaf;
	/* what came must not go with its container (F1 of 7.0-rc1) */
	sheaf_flush(s, sheaf);
	sheaf_free(s, sheaf);
	return NULL;
}

/* Steps 1 to 5: main has something without a refill. Where not, *barn is the
 * one that had no full sheaf, or NULL when there is none to ask. */
static bool find_full(struct kmem_cache *s, struct slub_percpu_sheaves *pcs,
		      bool spin, struct node_barn **barn)
{
	struct slab_sheaf *full;

	*barn = NULL;
	if (!s->sheaf_capacity)
		return false;
	if (pcs->spare && pcs->spare->size) {
		swap_spare(s, pcs);
		return true;
	}
	if (cpu_trade_for_full(pcs))
		return true;
	cache_wants(s);
	*barn = get_barn(s);
	if (!*barn)
		return false;
	full = barn_replace_empty(s, *barn, pcs->main, spin);
	if (!full) {
		stat(s, SLAB_STAT_BARN_GET_FAIL);
		return false;
	}
	pcs->main = full;
	stat(s, SLAB_STAT_BARN_GET);
	say_installed(s, full);
	return true;
}

/* Locked on entry. Locked on return, perhaps another CPU's, with main not
 * empty; or NULL and unlocked. */
static struct slub_percpu_sheaves *
replace_empty_main(struct kmem_cache *s, struct slub_percpu_sheaves *pcs,
		   gfp_t gfp)
{
	bool spin = gfp_may_spin(gfp);
	struct node_barn *barn;
	struct slab_sheaf *full;

	if (find_full(s, pcs, spin, &barn))
		return pcs;
	if (!barn || !spin) {
		pcs_unlock(s, pcs);
		return NULL;
	}
	full = make_full(s, pcs, barn, gfp);
	if (!full)
		return NULL;
	pcs = pcs_trylock(s);
	if (!pcs) {
		put_surplus(s, barn, full);
		return NULL;
	}
	install_full(s, pcs, barn, full);
	return pcs;
}

/* The node on which an object rests; -1: on none of ours. */
static int object_node(const struct kmem_cache *s, const void *object)
{
	const struct slab *slab = virt_to_slab(s->machine, object);

	return slab ? slab->node : -1;
}

static bool is_elsewhere(struct kmem_cache *s, const void *object, int node)
{
	if (node < 0 || object_node(s, object) == node)
		return false;
	stat(s, SLAB_STAT_ALLOC_NODE_MISMATCH);
	return true;
}

void *alloc_from_pcs(struct kmem_cache *s, gfp_t gfp, int node)
{
	struct slab_machine *m = s->machine;
	struct slub_percpu_sheaves *pcs;
	struct slab_sheaf *main;
	void *object;

	if (node >= 0 && node != (int)machine_mem_node(m)) {
		stat(s, SLAB_STAT_ALLOC_NODE_MISMATCH);
		return NULL;
	}
	pcs = pcs_trylock(s);
	if (!pcs)
		return NULL;
	if (!pcs->main->size) {
		pcs = replace_empty_main(s, pcs, gfp);
		if (!pcs)
			return NULL;
	}
	main = pcs->main;
	if (!sheaf_judge_top(s, main, 1)) {
		pcs_unlock(s, pcs);
		return NULL;
	}
	object = main->objects[main->size - 1];
	if (is_elsewhere(s, object, node)) {
		pcs_unlock(s, pcs);
		return NULL;
	}
	main->size--;
	machine_event_object(m, SLAB_EVENT_SHEAF_POP, s, object, main->size, 0);
	pcs_unlock(s, pcs);
	stat(s, SLAB_STAT_ALLOC_FASTPATH);
	return object;
}

/* ---- free ---- */

/* 3.10, last paragraph: locked, perhaps on another CPU; main has room then. */
static void install_empty(struct kmem_cache *s,
			  struct slub_percpu_sheaves *pcs,
			  struct node_barn *barn, struct slab_sheaf *empty)
{
	if (!pcs->spare) {
		pcs->spare = pcs->main;
		pcs->main = empty;
		say_installed(s, empty);
	} else if (pcs->main->size < s->sheaf_capacity) {
		barn_put_empty(s, barn, empty);
	} else if (pcs->spare->size < s->sheaf_capacity) {
		swap_spare(s, pcs);
		barn_put_empty(s, barn, empty);
	} else {
		if (cpu_may_keep(s, pcs)) {
			cpu_keep_main(s, pcs, empty);
			return;
		}
		put_surplus(s, barn, pcs->main);
		pcs->main = empty;
		say_installed(s, empty);
	}
}

/* Steps 3 to 5: 0 and main has room, or why not. */
static int make_room(struct kmem_cache *s, struct slub_percpu_sheaves *pcs,
		     struct node_barn *barn, bool spin)
{
	struct slab_sheaf *empty;
	int err;

	if (!pcs->spare) {
		empty = barn_get_empty(s, barn, spin);
		if (!empty)
			return -ENOENT;
		pcs->spare = pcs->main;
		pcs->main = empty;
		say_installed(s, empty);
		return 0;
	}
	if (pcs->spare->size < s->sheaf_capacity) {
		swap_spare(s, pcs);
		return 0;
	}
	if (cache_shrinks(s))
		return -E2BIG;
	if (cpu_trade_for_empty(pcs))
		return 0;
	if (cpu_may_keep(s, pcs))
		return -ENOMEM;
	err = barn_replace_full(s, barn, pcs->main, spin, &empty);
	if (err)
		return err;
	pcs->main = empty;
	stat(s, SLAB_STAT_BARN_PUT);
	say_installed(s, empty);
	return 0;
}

/* Steps 6 to 8, unlocked on return: an empty sheaf that is nobody's. */
static struct slab_sheaf *make_empty(struct kmem_cache *s,
				     struct slub_percpu_sheaves *pcs, int err,
				     bool spin)
{
	struct slab_sheaf *sheaf = NULL;

	if (err == -E2BIG && spin) {
		stat(s, SLAB_STAT_BARN_PUT_FAIL);
		sheaf = pcs->spare;
		pcs->spare = NULL;
		pcs_unlock(s, pcs);
		sheaf_flush(s, sheaf);
		if (cache_gave_back(s, (size_t)s->sheaf_capacity * s->size))
			flush_kept(s);
		return sheaf;
	}
	pcs_unlock(s, pcs);
	if (!spin)
		return NULL;
	sheaf = sheaf_alloc(s, GFP_NOWAIT);
	if (!sheaf && err != -ENOENT)
		stat(s, SLAB_STAT_BARN_PUT_FAIL);
	return sheaf;
}

/* Locked on entry. Locked on return, perhaps another CPU's, with room in main;
 * or NULL and unlocked. */
static struct slub_percpu_sheaves *
replace_full_main(struct kmem_cache *s, struct slub_percpu_sheaves *pcs,
		  bool spin)
{
	struct node_barn *barn;
	struct slab_sheaf *empty;
	int err;

	while (pcs->main->size == s->sheaf_capacity) {
		barn = s->sheaf_capacity ? get_barn(s) : NULL;
		if (!barn) {
			pcs_unlock(s, pcs);
			return NULL;
		}
		err = make_room(s, pcs, barn, spin);
		if (!err)
			return pcs;
		empty = make_empty(s, pcs, err, spin);
		if (!empty && (!spin || !flush_main(s, false)))
			return NULL;
		pcs = pcs_trylock(s);
		if (!pcs) {
			if (empty)
				barn_put_empty(s, barn, empty);
			return NULL;
		}
		if (empty) {
			install_empty(s, pcs, barn, empty);
			return pcs;
		}
	}
	return pcs;
}

bool free_to_pcs(struct kmem_cache *s, void *object, bool spin)
{
	struct slab_machine *m = s->machine;
	struct slub_percpu_sheaves *pcs = pcs_trylock(s);
	struct slab_sheaf *main;

	if (!pcs)
		return false;
	sheaf_judge_size(s, pcs->main, s->sheaf_capacity);
	if (pcs->main->size == s->sheaf_capacity) {
		pcs = replace_full_main(s, pcs, spin);
		if (!pcs)
			return false;
	}
	main = pcs->main;
	main->objects[main->size++] = object;
	machine_event_object(m, SLAB_EVENT_SHEAF_PUSH, s, object, main->size,
			     0);
	pcs_unlock(s, pcs);
	stat(s, SLAB_STAT_FREE_FASTPATH);
	return true;
}

bool slab_suits_sheaves(const struct kmem_cache *s, const struct slab *slab)
{
	return slab->node == machine_mem_node(s->machine) &&
	       !(slab_flags(slab) & SL_PFMEMALLOC);
}

/* ---- many at once ---- */

size_t alloc_from_pcs_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	struct slab_machine *m = s->machine;
	size_t done = 0;

	while (done < nr) {
		struct slub_percpu_sheaves *pcs = pcs_trylock(s);
		struct node_barn *barn;
		unsigned int batch, i;

		if (!pcs)
			break;
		/* never a refill: the rest comes straight from the slabs */
		if ((!pcs->main->size && !find_full(s, pcs, true, &barn)) ||
		    !sheaf_judge_top(s, pcs->main,
				     (unsigned int)(nr - done))) {
			pcs_unlock(s, pcs);
			break;
		}
		batch = (unsigned int)MIN(nr - done, (size_t)pcs->main->size);
		pcs->main->size -= batch;
		/* the top ones, in the order they lie in */
		for (i = 0; i < batch; i++) {
			void *object = pcs->main->objects[pcs->main->size + i];

			p[done + i] = object;
			machine_event_object(m, SLAB_EVENT_SHEAF_POP, s, object,
					     pcs->main->size + batch - 1 - i,
					     0);
		}
		pcs_unlock(s, pcs);
		stat_add(s, SLAB_STAT_ALLOC_FASTPATH, batch);
		done += batch;
	}
	return done;
}

/* main has room: never allocates, never flushes. */
static bool find_room(struct kmem_cache *s, struct slub_percpu_sheaves *pcs)
{
	struct node_barn *barn = s->sheaf_capacity ? get_barn(s) : NULL;
	int err = barn ? make_room(s, pcs, barn, true) : -ENOENT;

	if (err && err != -ENOENT)
		stat(s, SLAB_STAT_BARN_PUT_FAIL);
	return !err;
}

size_t free_to_pcs_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	struct slab_machine *m = s->machine;
	size_t done = 0;

	while (done < nr) {
		struct slub_percpu_sheaves *pcs = pcs_trylock(s);
		unsigned int batch, i;

		if (!pcs)
			break;
		sheaf_judge_size(s, pcs->main, s->sheaf_capacity);
		if (pcs->main->size == s->sheaf_capacity &&
		    !find_room(s, pcs)) {
			pcs_unlock(s, pcs);
			break;
		}
		batch = (unsigned int)MIN(nr - done,
					  (size_t)(s->sheaf_capacity -
						   pcs->main->size));
		for (i = 0; i < batch; i++) {
			void *object = p[done + i];

			pcs->main->objects[pcs->main->size++] = object;
			machine_event_object(m, SLAB_EVENT_SHEAF_PUSH, s,
					     object, pcs->main->size, 0);
		}
		pcs_unlock(s, pcs);
		stat_add(s, SLAB_STAT_FREE_FASTPATH, batch);
		done += batch;
	}
	return done;
}

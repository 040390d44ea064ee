/* SPDX-License-Identifier: MIT */
/*
 * cache/rcu.c - objects that are freed after a grace period
 *
 *	kfree_rcu -> rcu_free sheaf of this CPU -> [full] RCU -> barn
 *	          -> [no room] a page of pointers -> RCU -> kfree
 *
 * spec/allocator/alloc-free-paths.md 3.17. Objects in rcu_free passed no hook
 * yet; they do when the grace period is over.
 */
#include "cache/sheaf.h"

#include "debug/report.h"
#include "debug/sheaves.h"

/* ---- after the grace period ---- */

/* Runs the free hooks; an object that a hook keeps leaves a hole that the last
 * one fills. True when a reserve object is among them. */
static bool run_hooks(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	bool has_reserve = false;
	unsigned int i = 0;

	sheaf_judge_top(s, sheaf, SHEAF_WHOLE);
	while (i < sheaf->size) {
		void *object = sheaf->objects[i];
		struct slab *slab = virt_to_slab(s->machine, object);

		if (!slab_free_hook(s, slab, object)) {
			sheaf->size--;
			sheaf->objects[i] = sheaf->objects[sheaf->size];
			continue;
		}
		/* other bits of it change under list_lock */
		has_reserve |= (__atomic_load_n(&slab->flags,
						__ATOMIC_RELAXED) &
				SL_PFMEMALLOC) != 0;
		i++;
	}
	return has_reserve;
}

static void rcu_sheaf_to_slabs(struct slab_machine *m, struct rcu_head *head)
{
	struct slab_sheaf *sheaf = container_of(head, struct slab_sheaf,
						rcu_head);
	struct kmem_cache *s = sheaf->cache;

	sheaf_comes_to_rest(s, sheaf);
	machine_event(m, SLAB_EVENT_RCU_SHEAF_DONE, s, NULL, NULL, sheaf->size,
		      0);
	run_hooks(s, sheaf);
	sheaf_flush(s, sheaf);
	sheaf_free(s, sheaf);
}

static void rcu_sheaf_to_barn(struct slab_machine *m, struct rcu_head *head)
{
	struct slab_sheaf *sheaf = container_of(head, struct slab_sheaf,
						rcu_head);
	struct kmem_cache *s = sheaf->cache;
	int node = sheaf->node;
	struct node_barn *barn = s->node[node]->barn;
	unsigned int nr_full;
	bool flush;

	sheaf_comes_to_rest(s, sheaf);
	machine_event(m, SLAB_EVENT_RCU_SHEAF_DONE, s, NULL, NULL, sheaf->size,
		      0);
	flush = run_hooks(s, sheaf) || !barn;
	if (!flush && sheaf->size) {
		nr_full = barn_peek_full(s, barn);
		if (nr_full < m->params.max_full_sheaves) {
			stat(s, SLAB_STAT_BARN_PUT);
			barn_put_full(s, barn, sheaf);
			return;
		}
		machine_event(m, SLAB_EVENT_BARN_REFUSE, s, NULL, NULL,
			      nr_full, (unsigned int)node);
		flush = true;
	}
	if (flush) {
		stat(s, SLAB_STAT_BARN_PUT_FAIL);
		sheaf_flush(s, sheaf);
	}
	if (barn &&
	    barn_peek_empty(s, barn) < m->params.max_empty_sheaves)
		barn_put_empty(s, barn, sheaf);
	else
		sheaf_free(s, sheaf);
}

bool rcu_head_is_sheaf(const struct rcu_head *head)
{
	return head->func == rcu_sheaf_to_slabs ||
	       head->func == rcu_sheaf_to_barn;
}

void rcu_sheaf_submit(struct kmem_cache *s, struct slab_sheaf *sheaf,
		      bool to_barn)
{
	struct slab_machine *m = s->machine;

	machine_event(m, SLAB_EVENT_RCU_SHEAF_SUBMIT, s, NULL, NULL,
		      sheaf->size, 0);
	sheaf->node = (int)machine_mem_node(m);
	machine_point(m, SLAB_POINT_RCU_SUBMIT);
	/* behind the point: until then it is in hand; before the submit: then
	 * it is RCU's */
	sheaf->place = SHEAF_IN_RCU;
	machine_queue_rcu(m, &sheaf->rcu_head,
			  to_barn ? rcu_sheaf_to_barn : rcu_sheaf_to_slabs);
	/* to a barn: the CPU is locked, and its holder wakes nobody */
	if (!to_barn)
		machine_rcu_kick(m);
}

/* ---- into rcu_free ---- */

/* An rcu_free for this CPU, which may be another one then; NULL: none, and
 * unlocked. */
static struct slub_percpu_sheaves *
find_rcu_free(struct kmem_cache *s, struct slub_percpu_sheaves *pcs)
{
	struct slab_sheaf *empty = NULL;
	struct node_barn *barn;

	if (!s->sheaf_capacity)
		goto out_unlock;
	if (pcs->spare && !pcs->spare->size) {
		pcs->rcu_free = pcs->spare;
		pcs->spare = NULL;
		return pcs;
	}
	barn = get_barn(s);
	if (!barn)
		goto out_unlock;
	empty = barn_get_empty(s, barn, true);
	if (empty) {
		pcs->rcu_free = empty;
		return pcs;
	}
	pcs_unlock(s, pcs);
	empty = sheaf_alloc(s, GFP_NOWAIT);
	if (!empty)
		return NULL;
	pcs = pcs_trylock(s);
	if (pcs && !pcs->rcu_free)
		pcs->rcu_free = empty;
	else
		barn_put_empty(s, barn, empty);
	return pcs;

out_unlock:
	pcs_unlock(s, pcs);
	return NULL;
}

bool free_rcu_sheaf(struct kmem_cache *s, void *object)
{
	struct slab_machine *m = s->machine;
	struct slub_percpu_sheaves *pcs = pcs_trylock(s);
	struct slab_sheaf *sheaf;
	bool is_full;

	if (pcs && !pcs->rcu_free)
		pcs = find_rcu_free(s, pcs);
	if (!pcs) {
		stat(s, SLAB_STAT_FREE_RCU_SHEAF_FAIL);
		return false;
	}
	sheaf = pcs->rcu_free;
	sheaf_judge_size(s, sheaf, s->sheaf_capacity - 1);
	sheaf->objects[sheaf->size++] = object;
	machine_event_object(m, SLAB_EVENT_RCU_SHEAF_PUSH, s, object,
			     sheaf->size, 0);
	is_full = sheaf->size == s->sheaf_capacity;
	if (is_full) {
		/* before the unlock: who flushes this CPU must not miss it */
		pcs->rcu_free = NULL;
		rcu_sheaf_submit(s, sheaf, true);
	}
	pcs_unlock(s, pcs);
	stat(s, SLAB_STAT_FREE_RCU_SHEAF);
	if (is_full)
		machine_rcu_kick(m);
	return true;
}

/* ---- batches ---- */
static void free_block(struct slab_machine *m, struct rcu_head *head)
{
	struct krc_block *block = container_of(head, struct krc_block, rcu);

	slab_free_mixed(m, block->nr, block->p, 0);
	meta_free(m, block, PAGE_SIZE);
}

bool rcu_head_is_batch(const struct rcu_head *head)
{
	return head->func == free_block;
}

static struct krc_block *make_block(struct slab_machine *m)
{
	struct krc_block *block = meta_alloc(m, PAGE_SIZE);

	if (!block)
		return NULL;
	block->rcu.func = free_block;
	block->since = machine_jiffies(m);
	return block;
}

static bool batch(struct slab_machine *m, void *p)
{
	unsigned int cpu = machine_cpu(m);
	struct krc_block *block;
	bool is_new, is_full;

	machine_krc_lock(m, cpu);
	block = m->krc[cpu];
	is_new = !block;
	if (is_new)
		block = m->krc[cpu] = make_block(m);
	if (!block) {
		machine_krc_unlock(m, cpu);
		return false;
	}
	block->p[block->nr++] = p;
	machine_moved(m);
	is_full = block->nr == KRC_BLOCK_OBJECTS;
	if (is_full)
		machine_krc_drain_locked(m, cpu);
	machine_krc_unlock(m, cpu);
	/* it grows old from now on, or does not any more */
	if (is_new || is_full)
		machine_rcu_kick(m);
	return true;
}

/* The cache of an object that may wait in a sheaf of this CPU; NULL. */
static struct kmem_cache *sheaf_cache_of(struct slab_machine *m, void *p)
{
	struct slab *slab = virt_to_slab(m, p);
	struct slab_view v;

	if (!slab || slab->node != machine_mem_node(m) ||
	    !machine_has_cache(m, slab->slab_cache))
		return NULL;
	v = view_live(slab->slab_cache, slab);
	return view_may_follow(&v, p) ? slab->slab_cache : NULL;
}

void slab_kfree_rcu(void *p)
{
	struct slab_machine *m = slab_machine_current();
	struct kmem_cache *s;

	if (ZERO_OR_NULL_PTR(p) || !m)
		return;
	machine_rcu_start(m);
	machine_rcu_help(m);
	s = sheaf_cache_of(m, p);
	if (s && free_rcu_sheaf(s, p))
		return;
	if (batch(m, p))
		return;
	/* no memory to remember it by: wait, then free, as the kernel */
	if (!machine_rcu_may_wait(m)) {
		report_note(m, "kfree_rcu(0x%lx): no memory to remember it by, and no waiting here: it is lost",
			    slab_machine_print_address(m, (uintptr_t)p));
		return;
	}
	slab_machine_rcu_barrier(m);
	kfree(p);
}

/* ---- barriers ---- */
static void finish(struct slab_machine *m)
{
	if (!machine_rcu_may_wait(m))
		report_note(m, "kvfree_rcu_barrier() in a read-side critical section or a callback: it waits for nothing");
	/* callbacks first, then what was in batches: tick drains those */
	slab_machine_rcu_barrier(m);
}

void kvfree_rcu_barrier(void)
{
	struct slab_machine *m = slab_machine_current();
	struct kmem_cache *s;

	if (!m)
		return;
	machine_lock(m, &m->cpus_lock, SLAB_POINT_CPUS_LOCK);
	machine_lock_caches(m);
	list_for_each_entry(s, &m->slab_caches, list)
		flush_rcu_sheaves(s);
	machine_unlock_caches(m);
	machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
	finish(m);
}

void kvfree_rcu_barrier_on_cache(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;

	machine_lock(m, &m->cpus_lock, SLAB_POINT_CPUS_LOCK);
	/* another thread may have destroyed it just now */
	if (machine_has_cache(m, s))
		flush_rcu_sheaves(s);
	machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
	finish(m);
}

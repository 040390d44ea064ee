/* SPDX-License-Identifier: MIT */
/* inspect/rest.c - see rest.h */
#include "inspect/rest.h"

#include <errno.h>
#include <stdlib.h>

#include "cache/sheaf.h"

/* ---- every sheaf of a cache ---- */
struct sheaves {
	struct slab_sheaf_info *at;
	size_t nr, room;
	int err;
};

static void add_sheaf(struct sheaves *to, const struct kmem_cache *s,
		      const struct slab_sheaf *sheaf, enum slab_owner place,
		      int cpu, int node, bool is_full)
{
	struct slab_sheaf_info *at;

	if (to->err)
		return;
	if (to->nr == to->room) {
		size_t room = to->room ? 2 * to->room : 16;

		at = realloc(to->at, room * sizeof(*at));
		if (!at) {
			to->err = -ENOMEM;
			return;
		}
		to->at = at;
		to->room = room;
	}
	at = &to->at[to->nr++];
	*at = (struct slab_sheaf_info){ .sheaf = (uintptr_t)sheaf,
					.place = place,
					.cpu = cpu,
					.node = node,
					.is_full_list = is_full,
					.capacity = s->sheaf_capacity };
	if (sheaf == bootstrap_sheaf) {
		at->is_bootstrap = true;
		return;
	}
	if (!sheaf_may_be(s, sheaf) || sheaf->cache != s) {
		at->is_damaged = true;
		return;
	}
	at->size = sheaf->size;
	if (place == SLAB_OWNER_PREFILLED)
		at->capacity = sheaf->capacity;
	if (at->size > at->capacity)
		at->is_damaged = true;
}

static void add_cpus(struct sheaves *to, const struct kmem_cache *s)
{
	unsigned int cpu;

	for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++) {
		const struct slub_percpu_sheaves *pcs = &s->cpu_sheaves[cpu];

		add_sheaf(to, s, pcs->main, SLAB_OWNER_MAIN, (int)cpu, -1,
			  false);
		if (pcs->spare)
			add_sheaf(to, s, pcs->spare, SLAB_OWNER_SPARE,
				  (int)cpu, -1, false);
		if (pcs->rcu_free)
			add_sheaf(to, s, pcs->rcu_free, SLAB_OWNER_RCU,
				  (int)cpu, -1, false);
	}
}

/* As far as links lead to sheaves of s, and no further than there can be. */
static void add_list(struct sheaves *to, const struct kmem_cache *s,
		     const struct list_head *list, enum slab_owner place,
		     int node, bool is_full)
{
	size_t bound = s->machine->meta.used / sizeof(struct slab_sheaf), n;
	const struct list_head *at = list->next;

	for (n = 0; at != list && n < bound; n++, at = at->next) {
		const struct slab_sheaf *sheaf =
			container_of(at, struct slab_sheaf, list);

		if (!sheaf_may_be(s, sheaf) || sheaf->cache != s) {
			add_sheaf(to, s, sheaf, place, -1, node, is_full);
			return;
		}
		add_sheaf(to, s, sheaf, place, -1, node, is_full);
	}
}

static void add_rcu(struct sheaves *to, const struct kmem_cache *s)
{
	const struct slab_machine *m = s->machine;
	const struct rcu_head *head = m->rcu_first;
	unsigned int n;

	for (n = 0; head && n < m->rcu_pending; n++, head = head->next) {
		const struct slab_sheaf *sheaf =
			container_of(head, struct slab_sheaf, rcu_head);

		if (rcu_head_is_sheaf(head) && sheaf_may_be(s, sheaf) &&
		    sheaf->cache == s)
			add_sheaf(to, s, sheaf, SLAB_OWNER_RCU, -1,
				  sheaf->node, false);
	}
}

static int find_sheaves(const struct kmem_cache *s, struct sheaves *ret)
{
	unsigned int nid;

	*ret = (struct sheaves){ 0 };
	add_cpus(ret, s);
	for (nid = 0; nid < s->machine->config.nr_nodes; nid++) {
		const struct node_barn *barn = s->node[nid]->barn;

		if (!barn)
			continue;
		add_list(ret, s, &barn->sheaves_full, SLAB_OWNER_BARN,
			 (int)nid, true);
		add_list(ret, s, &barn->sheaves_empty, SLAB_OWNER_BARN,
			 (int)nid, false);
	}
	add_rcu(ret, s);
	add_list(ret, s, &s->lent, SLAB_OWNER_PREFILLED, -1, false);
	if (ret->err)
		free(ret->at);
	return ret->err;
}

int slab_target_sheaves(struct slab_target *t, uintptr_t cache,
			struct slab_sheaf_info **ret, size_t *nr)
{
	struct kmem_cache *s = target_cache(t, cache);
	struct sheaves all;
	int err = s ? find_sheaves(s, &all) : -ENOENT;

	if (err)
		return err;
	*ret = all.at;
	*nr = all.nr;
	return 0;
}

int slab_target_sheaf_objects(struct slab_target *t,
			      const struct slab_sheaf_info *info,
			      uintptr_t **ret, size_t *nr)
{
	const struct slab_sheaf *sheaf = (const void *)info->sheaf;
	size_t n = MIN(info->size, info->capacity), i;

	*nr = 0;
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	if (info->is_bootstrap ||
	    !meta_owns(t->machine, (uintptr_t)sheaf) ||
	    !meta_owns(t->machine, (uintptr_t)sheaf + sheaf_bytes((unsigned int)n) - 1))
		return 0;
	for (i = 0; i < n; i++)
		(*ret)[i] = (uintptr_t)sheaf->objects[i];
	*nr = n;
	return 0;
}

int slab_target_barns(struct slab_target *t, uintptr_t cache,
		      struct slab_barn_info ret[SLAB_MAX_NODES],
		      unsigned int *nr)
{
	struct kmem_cache *s = target_cache(t, cache);
	unsigned int nid;

	if (!s)
		return -ENOENT;
	*nr = t->machine->config.nr_nodes;
	for (nid = 0; nid < *nr; nid++) {
		const struct node_barn *barn = s->node[nid]->barn;

		ret[nid] = (struct slab_barn_info){
			.exists = barn != NULL,
			.has_memory = node_has_memory(t->machine, nid),
			.nr_full = barn ? barn->nr_full : 0,
			.nr_empty = barn ? barn->nr_empty : 0,
			.max_full = t->machine->params.max_full_sheaves,
			.max_empty = t->machine->params.max_empty_sheaves,
		};
	}
	return 0;
}

/* ---- every object in them ---- */
struct collector {
	const struct slab_machine *m;
	const struct kmem_cache *s; /* NULL: all */
	struct rests *to;
	size_t room;
	int err;
};

static void add_object(struct collector *c, uintptr_t object,
		       enum slab_owner owner)
{
	if (c->err)
		return;
	if (c->to->nr == c->room) {
		size_t room = c->room ? 2 * c->room : 256;
		struct rest *at = realloc(c->to->at, room * sizeof(*at));

		if (!at) {
			c->err = -ENOMEM;
			return;
		}
		c->to->at = at;
		c->room = room;
	}
	c->to->at[c->to->nr++] = (struct rest){ object, owner };
}

static void add_objects_of(struct collector *c, const struct kmem_cache *s)
{
	struct sheaves all;
	size_t i, k;

	if (!c->err)
		c->err = find_sheaves(s, &all);
	if (c->err)
		return;
	for (i = 0; i < all.nr; i++) {
		const struct slab_sheaf_info *info = &all.at[i];
		const struct slab_sheaf *sheaf = (const void *)info->sheaf;
		size_t nr = MIN(info->size, info->capacity);

		/* with a count that can not be, nobody knows which of the
		 * entries are left from before */
		for (k = 0; k < nr; k++)
			add_object(c, (uintptr_t)sheaf->objects[k],
				   info->size > info->capacity ?
					   SLAB_OWNER_UNKNOWN :
					   info->place);
	}
	free(all.at);
}

/* An object that waits by itself, if it is of the cache that is asked for. */
static void add_waiting(struct collector *c, uintptr_t object)
{
	const struct slab *slab = virt_to_slab(c->m, (void *)object);

	if (slab && (!c->s || slab->slab_cache == c->s))
		add_object(c, object, SLAB_OWNER_RCU);
}

static void add_block(struct collector *c, const struct krc_block *block)
{
	unsigned int i;

	for (i = 0; block && i < MIN(block->nr, KRC_BLOCK_OBJECTS); i++)
		add_waiting(c, (uintptr_t)block->p[i]);
}

/* kfree_rcu's batches, growing and in RCU; kfree_nolock's deferred ones. */
static void add_all_waiting(struct collector *c)
{
	const struct slab_machine *m = c->m;
	const struct rcu_head *head = m->rcu_first;
	unsigned int cpu, n;

	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		uintptr_t object = (uintptr_t)m->deferred[cpu];

		add_block(c, m->krc[cpu]);
		for (n = 0; n < m->nr_deferred[cpu]; n++) {
			struct slab *slab = virt_to_slab(m, (void *)object);

			if (!slab || !machine_has_cache(m, slab->slab_cache))
				break;
			add_waiting(c, object);
			object = word_read((void *)(object +
						    slab->slab_cache->offset));
		}
	}
	for (n = 0; head && n < m->rcu_pending; n++, head = head->next)
		if (rcu_head_is_batch(head))
			add_block(c, container_of(head, struct krc_block, rcu));
}

/* And among those of one address, what is known first. */
static int by_address(const void *a, const void *b)
{
	const struct rest *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return (int)x->owner - (int)y->owner;
}

int rests_collect(const struct slab_machine *m, const struct kmem_cache *s,
		  struct rests *ret)
{
	struct collector c = { .m = m, .s = s, .to = ret };
	const struct kmem_cache *each;

	*ret = (struct rests){ 0 };
	if (s) {
		add_objects_of(&c, s);
	} else {
		list_for_each_entry(each, &m->slab_caches, list)
			add_objects_of(&c, each);
	}
	add_all_waiting(&c);
	if (c.err) {
		rests_free(ret);
		return c.err;
	}
	if (ret->nr)
		qsort(ret->at, ret->nr, sizeof(*ret->at), by_address);
	return 0;
}

void rests_free(struct rests *r)
{
	free(r->at);
	*r = (struct rests){ 0 };
}

size_t rests_begin(const struct rests *r, uintptr_t address)
{
	size_t low = 0, high = r->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->at[middle].object < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum slab_owner rests_owner(const struct rests *r, uintptr_t object)
{
	size_t i = rests_begin(r, object);

	return i < r->nr && r->at[i].object == object ? r->at[i].owner :
							SLAB_OWNER_USER;
}

size_t rests_within(const struct rests *r, uintptr_t base, size_t bytes)
{
	return rests_begin(r, base + bytes) - rests_begin(r, base);
}

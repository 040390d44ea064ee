/* SPDX-License-Identifier: MIT */
/* inspect/rest.c - see rest.h */
#include "inspect/rest.h"

#include <errno.h>
#include <stdlib.h>

#include "base/sort.h"
#include "cache/sheaf.h"
#include "inspect/scratch.h"
#include "slab/freelist.h"

#define READ(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)

bool rests_are_in_hands(const struct kmem_cache *s, unsigned int cpu)
{
	const struct slub_percpu_sheaves *pcs = &s->cpu_sheaves[cpu];
	const struct slab_sheaf *fast = READ(pcs->fast);

	return lock_is_held(&pcs->lock) || fast == locked_sheaf ||
	       fast == drained_sheaf;
}

/* ---- every sheaf of a cache ---- */
struct sheaves {
	struct slab_sheaf_info *at;
	size_t nr, room;
	int err;
};

/* Objects that it may hold, as far as its memory reaches. */
static unsigned int capacity_of(const struct kmem_cache *s,
				const struct slab_sheaf *sheaf,
				enum slab_owner place)
{
	unsigned int capacity = s->sheaf_capacity;

	if (place == SLAB_OWNER_PREFILLED)
		capacity = __atomic_load_n(&sheaf->capacity, __ATOMIC_RELAXED);
	return meta_owns(s->machine, (uintptr_t)sheaf +
					     sheaf_bytes(capacity) - 1) ?
		       capacity :
		       0;
}

static void add_sheaf(struct sheaves *to, const struct kmem_cache *s,
		      const struct slab_sheaf *sheaf, enum slab_owner place,
		      int cpu, int node, bool is_full)
{
	struct slab_sheaf_info *at;

	if (to->err)
		return;
	if (to->nr == to->room) {
		size_t room = to->room ? 2 * to->room : 16;

		at = scratch_grow(to->at, room * sizeof(*at));
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
	at->capacity = capacity_of(s, sheaf, place);
	if (at->size > at->capacity)
		at->is_damaged = true;
}

static size_t max_sheaves(const struct kmem_cache *s)
{
	return s->machine->meta.used / sizeof(struct slab_sheaf);
}

/* Those that a CPU keeps before the barn; bounded as the lists are. */
static void add_local(struct sheaves *to, const struct kmem_cache *s,
		      const struct slab_sheaf *first, unsigned int cpu,
		      bool is_full)
{
	const struct slab_sheaf *sheaf = first;
	size_t bound = max_sheaves(s), n;

	for (n = 0; sheaf && n < bound && (!n || sheaf != first); n++) {
		add_sheaf(to, s, sheaf, SLAB_OWNER_LOCAL, (int)cpu, -1,
			  is_full);
		if (!sheaf_may_be(s, sheaf) || sheaf->cache != s)
			return;
		sheaf = sheaf_next(sheaf);
	}
}

static void add_cpus(struct sheaves *to, const struct kmem_cache *s)
{
	unsigned int cpu;

	for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++) {
		const struct slub_percpu_sheaves *pcs = &s->cpu_sheaves[cpu];
		const struct slab_sheaf *spare, *rcu_free;

		add_sheaf(to, s, READ(pcs->main), SLAB_OWNER_MAIN, (int)cpu,
			  -1, false);
		spare = READ(pcs->spare);
		if (spare)
			add_sheaf(to, s, spare, SLAB_OWNER_SPARE, (int)cpu, -1,
				  false);
		rcu_free = READ(pcs->rcu_free);
		if (rcu_free)
			add_sheaf(to, s, rcu_free, SLAB_OWNER_RCU, (int)cpu,
				  -1, false);
		add_local(to, s, READ(pcs->local_full), cpu, true);
		add_local(to, s, READ(pcs->local_empty), cpu, false);
	}
}

/* As far as links lead to sheaves of s, and no further than there can be. */
static void add_list(struct sheaves *to, const struct kmem_cache *s,
		     const struct list_head *list, enum slab_owner place,
		     int node, bool is_full)
{
	const struct list_head *at = list->next;
	size_t bound = max_sheaves(s), n;

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

/* Memory that a callback's head can be in: metadata, or a descriptor. */
static const struct rcu_head *judge_head(const struct slab_machine *m,
					 const struct rcu_head *head)
{
	uintptr_t at = (uintptr_t)head, map = (uintptr_t)m->memmap;

	if (at % sizeof(void *))
		return NULL;
	if (meta_owns(m, at) && meta_owns(m, at + sizeof(*head) - 1))
		return head;
	return at - map < READ(m->pages_opened) * sizeof(struct slab) ? head :
									NULL;
}

/* What waits: in no grace period yet, in one, behind one (native). On none are
 * more than rcu_pending. Under its lock nothing goes from one to the next. */
#define NR_RCU_LISTS 3U
static bool hold_rcu(const struct slab_machine *m)
{
	struct slab_machine *held = (struct slab_machine *)m;

	return m->is_native && look_lock(&held->rcu_queue_lock);
}

static void let_rcu_go(const struct slab_machine *m, bool is_held)
{
	if (is_held)
		lock_release(&((struct slab_machine *)m)->rcu_queue_lock);
}

static const struct rcu_head *rcu_list(const struct slab_machine *m,
				       unsigned int n)
{
	return judge_head(m, n == 0 ? READ(m->rcu_first) :
			     n == 1 ? READ(m->rcu_grace) :
				      READ(m->rcu_ready));
}

static void add_rcu(struct sheaves *to, const struct kmem_cache *s)
{
	const struct slab_machine *m = s->machine;
	bool is_held = hold_rcu(m);
	unsigned int list, n, bound = READ(m->rcu_pending);
	const struct rcu_head *head;

	for (list = 0; list < NR_RCU_LISTS; list++) {
		head = rcu_list(m, list);
		for (n = 0; head && n < bound; n++) {
			const struct slab_sheaf *sheaf = container_of(
				head, struct slab_sheaf, rcu_head);

			if (rcu_head_is_sheaf(head) && sheaf_may_be(s, sheaf) &&
			    sheaf->cache == s)
				add_sheaf(to, s, sheaf, SLAB_OWNER_RCU, -1,
					  sheaf->node, false);
			head = judge_head(m, READ(head->next));
		}
	}
	let_rcu_go(m, is_held);
}

static int find_sheaves(const struct kmem_cache *s, struct sheaves *ret)
{
	unsigned int nid;

	*ret = (struct sheaves){ 0 };
	add_cpus(ret, s);
	/* on its way to a barn it is missed in neither */
	add_rcu(ret, s);
	for (nid = 0; nid < s->machine->config.nr_nodes; nid++) {
		const struct node_barn *barn = s->node[nid]->barn;

		if (!barn)
			continue;
		add_list(ret, s, &barn->sheaves_full, SLAB_OWNER_BARN,
			 (int)nid, true);
		add_list(ret, s, &barn->sheaves_empty, SLAB_OWNER_BARN,
			 (int)nid, false);
	}
	add_list(ret, s, &s->lent, SLAB_OWNER_PREFILLED, -1, false);
	if (ret->err)
		scratch_free(ret->at);
	return ret->err;
}

int sheaves_find(const struct kmem_cache *s, struct slab_sheaf_info **ret,
		 size_t *nr)
{
	struct sheaves all;
	int err = find_sheaves(s, &all);

	if (err)
		return err;
	*ret = all.at;
	*nr = all.nr;
	return 0;
}

int slab_target_sheaves(struct slab_target *t, uintptr_t cache,
			struct slab_sheaf_info **ret, size_t *nr)
{
	struct slab_sheaf_info *all;
	const struct kmem_cache *s;
	int err;

	{
		LOOK(t->machine);
		s = target_cache(t, cache);
		err = s ? sheaves_find(s, &all, nr) : -ENOENT;
	}
	return err ? err : scratch_answer(all, *nr * sizeof(*all), ret);
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
	LOOK(t->machine);
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
	struct rests *to;	    /* NULL: the print alone */
	uint64_t print;
	size_t room;
	int err;
};

static void add_object(struct collector *c, uintptr_t object,
		       enum slab_owner owner)
{
	c->print = (c->print ^ object ^ ((uint64_t)owner << 56)) *
		   UINT64_C(0x9e3779b97f4a7c15);
	c->print ^= c->print >> 29;
	if (c->err || !c->to)
		return;
	if (c->to->nr == c->room) {
		size_t room = c->room ? 2 * c->room : 256;
		struct rest *at =
			scratch_grow(c->to->at, room * sizeof(*at));

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
	scratch_free(all.at);
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
	unsigned int i, nr = block ? READ(block->nr) : 0;

	for (i = 0; i < MIN(nr, KRC_BLOCK_OBJECTS); i++)
		add_waiting(c, (uintptr_t)block->p[i]);
}

/* kfree_rcu's batches, growing and in RCU; kfree_nolock's deferred ones. */
static void add_all_waiting(struct collector *c)
{
	const struct slab_machine *m = c->m;
	unsigned int cpu, n, list, bound;
	const struct rcu_head *head;
	bool is_held;

	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		uintptr_t object = (uintptr_t)m->deferred[cpu];

		add_block(c, READ(m->krc[cpu]));
		for (n = 0; n < m->nr_deferred[cpu]; n++) {
			struct slab *slab = virt_to_slab(m, (void *)object);
			const struct kmem_cache *s =
				slab ? READ(slab->slab_cache) : NULL;

			if (!s || !machine_has_cache(m, s) ||
			    !machine_owns(m, object + s->offset +
						     sizeof(uintptr_t) - 1))
				break;
			add_waiting(c, object);
			object = word_read((void *)waiting_link(s, (void *)object));
		}
	}
	/* behind the batches that grow: what was one of them is here now */
	is_held = hold_rcu(m);
	bound = READ(m->rcu_pending);
	for (list = 0; list < NR_RCU_LISTS; list++) {
		head = rcu_list(m, list);
		for (n = 0; head && n < bound; n++) {
			if (rcu_head_is_batch(head))
				add_block(c, container_of(head, struct krc_block,
							  rcu));
			head = judge_head(m, READ(head->next));
		}
	}
	let_rcu_go(m, is_held);
}

/* And among those of one address, what is known first. */
static int by_address(const void *a, const void *b)
{
	const struct rest *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return (int)x->owner - (int)y->owner;
}

static void collect(struct collector *c)
{
	const struct kmem_cache *each;

	if (c->s) {
		add_objects_of(c, c->s);
	} else {
		for (each_cache(c->m, each))
			add_objects_of(c, each);
	}
	add_all_waiting(c);
}

uint64_t rests_print(const struct slab_machine *m, const struct kmem_cache *s)
{
	struct collector c = { .m = m, .s = s };

	collect(&c);
	return c.print;
}

int rests_collect(const struct slab_machine *m, const struct kmem_cache *s,
		  struct rests *ret)
{
	struct collector c = { .m = m, .s = s, .to = ret };

	*ret = (struct rests){ 0 };
	collect(&c);
	if (c.err) {
		rests_free(ret);
		return c.err;
	}
	sort_in_place(ret->at, ret->nr, sizeof(*ret->at), by_address);
	return 0;
}

void rests_free(struct rests *r)
{
	scratch_free(r->at);
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

/* SPDX-License-Identifier: MIT */
/* inject/interleave_world.c - the start is arranged, kept, copied back */
#include "inject/interleave_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- objects ---- */
static unsigned int page_of(const struct world *w, const void *object)
{
	return (unsigned int)(((uintptr_t)object - w->m->base) >> PAGE_SHIFT);
}

static unsigned int slot_of(const struct world *w, const void *object)
{
	return (unsigned int)(((uintptr_t)object % PAGE_SIZE -
			       w->s->red_left_pad) /
			      w->s->size);
}

static void *object_at(const struct world *w, unsigned int page,
		       unsigned int slot)
{
	return (void *)slab_object(
		w->s, w->m->base + ((uintptr_t)page << PAGE_SHIFT), slot);
}

/* ---- the image ---- */
/*
 * What a schedule may change: the machine, its metadata, the descriptors of the
 * pages and what stands in them. Descriptors beyond WORLD_PAGES are heads of
 * free blocks alone, and those lie at powers of two. It is copied some million
 * times: nothing that stays as it is, and of pages without debug bytes the
 * links alone.
 */
struct image {
	struct slab_machine m;
	struct world_state state;
	struct slab descriptors[WORLD_PAGES];
	struct slab heads[MAX_PAGE_ORDER];
	uintptr_t links[WORLD_PAGES][WORLD_SLOTS];
	size_t meta_bytes, page_bytes; /* page_bytes 0: links are enough */
	uint8_t bytes[];	       /* metadata, then pages */
};

#define FIRST_HEAD 4U
static_assert(1U << FIRST_HEAD == WORLD_PAGES, "the heads begin there");

/* piece_node is a table that is written once. */
static void copy_machine(struct slab_machine *to,
			 const struct slab_machine *from)
{
	size_t before = offsetof(struct slab_machine, piece_node);
	size_t behind = before + sizeof(from->piece_node);

	memcpy(to, from, before);
	memcpy((char *)to + behind, (const char *)from + behind,
	       sizeof(*from) - behind);
}

static uintptr_t *link_at(const struct world *w, unsigned int page,
			  unsigned int slot)
{
	return (uintptr_t *)((char *)object_at(w, page, slot) + w->s->offset);
}

int world_keep(struct world *w)
{
	struct slab_machine *m = w->m;
	size_t meta = m->meta.next - m->meta.start;
	size_t pages = cache_is_debug(w->s) ? m->pages_high << PAGE_SHIFT : 0;
	struct image *i = malloc(sizeof(*i) + meta + pages);
	unsigned int order, page, slot;

	w->image = i;
	if (!i)
		return -ENOMEM;
	copy_machine(&i->m, m);
	i->state = w->state;
	i->meta_bytes = meta;
	i->page_bytes = pages;
	memcpy(i->descriptors, m->memmap, sizeof(i->descriptors));
	for (order = FIRST_HEAD; order < MAX_PAGE_ORDER; order++)
		i->heads[order] = m->memmap[1U << order];
	memcpy(i->bytes, (void *)m->meta.start, meta);
	memcpy(i->bytes + meta, (void *)m->base, pages);
	for (page = 1; page < m->pages_high; page++)
		for (slot = 0; slot < w->in->objects; slot++)
			i->links[page][slot] = *link_at(w, page, slot);
	return 0;
}

void world_restore(struct world *w)
{
	struct slab_machine *m = w->m;
	const struct image *i = w->image;
	unsigned int order, page, slot;

	copy_machine(m, &i->m);
	w->state = i->state;
	memcpy(m->memmap, i->descriptors, sizeof(i->descriptors));
	for (order = FIRST_HEAD; order < MAX_PAGE_ORDER; order++)
		m->memmap[1U << order] = i->heads[order];
	memcpy((void *)m->meta.start, i->bytes, i->meta_bytes);
	if (i->page_bytes) {
		memcpy((void *)m->base, i->bytes + i->meta_bytes,
		       i->page_bytes);
		return;
	}
	for (page = 1; page < m->pages_high; page++)
		for (slot = 0; slot < w->in->objects; slot++)
			*link_at(w, page, slot) = i->links[page][slot];
}

static const char *hold(struct world *w, void *object)
{
	unsigned int page = page_of(w, object), slot = slot_of(w, object);
	struct slab *slab = virt_to_slab(w->m, object);

	if (!slab || slab->slab_cache != w->s)
		return "S15: what is handed out is an object of the cache";
	if (w->state.held[page] & (1U << slot))
		return "P5: what is handed out is not held by another user";
	w->state.held[page] |= 1U << slot;
	return NULL;
}

/* The lowest object that a user holds, of that page (0: of any); NULL. */
static void *let_go(struct world *w, unsigned int page)
{
	unsigned int p, slot;

	for (p = page ? page : 1; p < (page ? page + 1 : WORLD_PAGES); p++) {
		if (!w->state.held[p])
			continue;
		slot = (unsigned int)__builtin_ctz(w->state.held[p]);
		w->state.held[p] &= (uint8_t) ~(1U << slot);
		return object_at(w, p, slot);
	}
	return NULL;
}

/* ---- kfree_rcu: 7.5.7 ---- */
static void now_free(void *arg, const struct slab_event *event)
{
	struct world *w = arg;
	unsigned int page = page_of(w, (void *)event->object);
	unsigned int slot;

	if (event->kind != SLAB_EVENT_FREE || page >= WORLD_PAGES)
		return;
	slot = slot_of(w, (void *)event->object);
	w->state.waiting[page] &= (uint8_t) ~(1U << slot);
	w->state.given[page][slot] = 0;
}

static void give_rcu(struct world *w, void *object)
{
	w->state.waiting[page_of(w, object)] |= 1U << slot_of(w, object);
}

/* The call is over: barriers from now on must wait for it. */
static void gave_rcu(struct world *w, const void *object)
{
	unsigned int page = page_of(w, object), slot = slot_of(w, object);

	if (w->state.waiting[page] & (1U << slot))
		w->state.given[page][slot] = ++w->state.nr_given;
}

static const char *barrier(struct world *w)
{
	unsigned int before = w->state.nr_given, page, slot;

	kvfree_rcu_barrier_on_cache(w->s);
	for (page = 0; page < WORLD_PAGES; page++)
		for (slot = 0; slot < WORLD_SLOTS; slot++)
			if (w->state.given[page][slot] &&
			    w->state.given[page][slot] <= before)
				return "7.5.7: after a barrier what was given "
				       "to kfree_rcu before it is free";
	return NULL;
}

/* ---- steps ---- */
static const char *memory(const struct world *w, bool is_there)
{
	return is_there || w->state.may_lack_memory
		       ? NULL
		       : "N5: there is memory, and a request fails";
}

/* Without sheaves a free goes to one slab, which lives as long as it needs it. */
static void frees_to(struct world *w, unsigned int thread, const void *object)
{
	if (w->s->sheaf_capacity)
		return;
	w->state.frees[thread].page = object ? page_of(w, object) : 0;
	w->state.frees[thread].nr =
		object ? w->m->memmap[page_of(w, object)].nr : 0;
}

static const char *free_many(struct world *w, unsigned int thread,
			     unsigned int nr, unsigned int page)
{
	void *p[16];
	unsigned int n = 0;

	while (n < MIN(nr, ARRAY_SIZE(p)) && (p[n] = let_go(w, page)))
		n++;
	if (page && n)
		frees_to(w, thread, p[0]);
	kmem_cache_free_bulk(w->s, n, p);
	frees_to(w, thread, NULL);
	return NULL;
}

const char *world_touches(const struct world *w, unsigned int thread)
{
	unsigned int page = w->state.frees[thread].page;
	const struct slab *slab = &w->m->memmap[page];

	if (!page ||
	    (slab->type == PAGE_SLAB && slab->nr == w->state.frees[thread].nr))
		return NULL;
	return "S14: a slab that is dead is not used";
}

static const char *hold_all(struct world *w, unsigned int nr, void **p)
{
	const char *broken = NULL;
	unsigned int i;

	for (i = 0; i < nr && !broken; i++)
		broken = hold(w, p[i]);
	return broken;
}

#define GFP (GFP_KERNEL | __GFP_NOWARN)

static const char *lent(struct world *w, unsigned int thread, unsigned int op,
			unsigned int nr)
{
	struct slab_sheaf **sheaf = &w->state.lent[thread];
	void *p;

	switch (op) {
	case INTERLEAVE_PREFILL:
		*sheaf = kmem_cache_prefill_sheaf(w->s, GFP, nr);
		return memory(w, *sheaf);
	case INTERLEAVE_TAKE:
		p = *sheaf ? kmem_cache_alloc_from_sheaf(w->s, GFP, *sheaf)
			   : NULL;
		return p ? hold(w, p) : NULL;
	default:
		if (*sheaf)
			kmem_cache_return_sheaf(w->s, GFP, *sheaf);
		*sheaf = NULL;
		return NULL;
	}
}

const char *world_step(struct world *w, unsigned int thread, unsigned int step)
{
	unsigned int op = w->in->threads[thread].steps[step].op;
	unsigned int arg = w->in->threads[thread].steps[step].arg, n;
	unsigned int page = arg ? w->page_of[(arg - 1) % INTERLEAVE_SLABS] : 0;
	void *p[16], *object;

	switch ((enum interleave_op)op) {
	case INTERLEAVE_ALLOC:
		object = kmem_cache_alloc(w->s, GFP);
		return object ? hold(w, object) : memory(w, false);
	case INTERLEAVE_FREE:
		object = let_go(w, page);
		if (!object)
			return NULL;
		frees_to(w, thread, object);
		kmem_cache_free(w->s, object);
		frees_to(w, thread, NULL);
		return NULL;
	case INTERLEAVE_FREE_CHAIN:
		return free_many(w, thread, w->in->objects, page);
	case INTERLEAVE_BULK_FREE:
		return free_many(w, thread, arg, 0);
	case INTERLEAVE_REFILL:
		n = refill_objects(w->s, p, GFP, arg, arg);
		object = (void *)hold_all(w, n, p);
		return object ? object : memory(w, n == arg);
	case INTERLEAVE_BULK_ALLOC:
		n = (unsigned int)kmem_cache_alloc_bulk(w->s, GFP, arg, p);
		object = (void *)hold_all(w, n, p);
		return object ? object : memory(w, n == arg);
	case INTERLEAVE_KFREE_RCU:
		object = let_go(w, page);
		if (!object)
			return NULL;
		give_rcu(w, object);
		slab_kfree_rcu(object);
		gave_rcu(w, object);
		return NULL;
	case INTERLEAVE_RCU_TICK:
		slab_machine_rcu_tick(w->m);
		return NULL;
	case INTERLEAVE_BARRIER:
		return barrier(w);
	case INTERLEAVE_FLUSH_CPU:
		flush_cpu(w->s);
		return NULL;
	case INTERLEAVE_SHRINK:
		/* without cpus_lock: who reads it does not keep out others who
		 * do, and that hides nothing then */
		cache_shrink(w->s);
		return NULL;
	case INTERLEAVE_VALIDATE:
		validate_slab_cache(w->s);
		return NULL;
	case INTERLEAVE_PREFILL:
	case INTERLEAVE_TAKE:
	case INTERLEAVE_RETURN:
		return lent(w, thread, op, arg);
	case INTERLEAVE_NONE:
	case NR_INTERLEAVE_OPS:
		break;
	}
	return NULL;
}

const char *world_end(struct world *w)
{
	struct slab_machine *m = w->m;
	unsigned int i;
	void *object;

	for (i = 0; i < w->threads; i++)
		lent(w, i, INTERLEAVE_RETURN, 0);
	while ((object = let_go(w, 0)))
		kmem_cache_free(w->s, object);
	if (kmem_cache_destroy(w->s))
		return "N6: a cache without objects in use can be destroyed";
	if (w->state.nr_reports)
		return "a report was made";
	if (m->pages_used)
		return "P10: after destroy no page is left";
	if (m->meta.used != w->meta_before)
		return "P10: after destroy no sheaf is left";
	return NULL;
}

/* ---- the start ---- */
static void count_report(void *arg, const struct slab_report *r)
{
	struct world *w = arg;

	if (r->record == SLAB_RECORD_NOTE || r->record == SLAB_RECORD_TRACE)
		return;
	if (!w->state.nr_reports++)
		snprintf(w->state.report, sizeof(w->state.report), "%.99s",
			 r->text);
}

unsigned long world_containers(const struct world *w)
{
	unsigned long nr = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < w->m->config.nr_cpu_ids; cpu++)
		nr += w->s->stats[cpu][SLAB_STAT_SHEAF_ALLOC] -
		      w->s->stats[cpu][SLAB_STAT_SHEAF_FREE];
	return nr;
}

static int cannot(struct world *w, const char *why)
{
	snprintf(w->why, sizeof(w->why), "%s", why);
	return -EINVAL;
}

/* The largest size of which that many fit a page. */
static struct kmem_cache *make_cache(struct world *w)
{
	unsigned int k = w->in->objects, size;
	struct kmem_cache *s = NULL;

	slab_machine_sysctl(w->m, "slab_max_order", "0");
	for (size = ALIGN_DOWN((unsigned int)PAGE_SIZE / k, 8U); size >= 8;
	     size -= 8) {
		s = kmem_cache_create("interleave", size, NULL, w->in->flags);
		if (!s || (!s->oo.order && s->oo.objects >= k))
			break;
		kmem_cache_destroy(s);
	}
	return s && s->oo.objects == k && !s->oo.order ? s : NULL;
}

/* Sheaves of the size that is wanted, which no argument gives. */
static int set_capacity(struct kmem_cache *s, unsigned int capacity)
{
	unsigned int cpu;

	for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++)
		sheaf_free(s, s->cpu_sheaves[cpu].main);
	s->sheaf_capacity = capacity;
	for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++) {
		s->cpu_sheaves[cpu].main = sheaf_alloc(s, GFP_KERNEL);
		if (!s->cpu_sheaves[cpu].main)
			return -ENOMEM;
	}
	return 0;
}

static struct slab_sheaf *filled(struct world *w, int nr)
{
	struct slab_sheaf *sheaf;

	if (nr < 0)
		return NULL;
	sheaf = sheaf_alloc(w->s, GFP_KERNEL);
	if (sheaf)
		sheaf->size =
			refill_objects(w->s, sheaf->objects, GFP_KERNEL,
				       (unsigned int)nr, (unsigned int)nr) &
			0xff;
	return sheaf;
}

static void arrange_sheaves(struct world *w)
{
	const struct interleave *in = w->in;
	struct node_barn *barn = w->s->node[0]->barn;
	unsigned int cpu, i;

	for (cpu = 0; cpu < INTERLEAVE_CPUS; cpu++) {
		struct slub_percpu_sheaves *pcs = &w->s->cpu_sheaves[cpu];

		sheaf_free(w->s, pcs->main);
		pcs->main = filled(w, MAX(in->cpu[cpu].main, 0));
		pcs->spare = filled(w, in->cpu[cpu].spare);
		pcs->rcu_free = filled(w, in->cpu[cpu].rcu_free);
		for (i = 0; pcs->rcu_free && i < pcs->rcu_free->size; i++) {
			give_rcu(w, pcs->rcu_free->objects[i]);
			gave_rcu(w, pcs->rcu_free->objects[i]);
		}
	}
	for (i = 0; i < in->barn_full; i++)
		barn_put_full(w->s, barn, filled(w, (int)in->capacity));
	for (i = 0; i < in->barn_empty; i++)
		barn_put_empty(w->s, barn, filled(w, 0));
	for (i = 0; i < in->held; i++) {
		void *p;

		if (refill_objects(w->s, &p, GFP_KERNEL, 1, 1))
			hold(w, p);
	}
}

/* All objects of each slab are taken, and some of them freed again. */
static void arrange_slabs(struct world *w)
{
	unsigned int i, k, keep = 0;
	void *p[WORLD_SLOTS] = { NULL };

	for (i = 0; i < INTERLEAVE_SLABS; i++) {
		if (w->in->used[i] < 0)
			continue;
		for (k = 0; k < w->in->objects; k++) {
			p[k] = kmem_cache_alloc(w->s, GFP_KERNEL);
			hold(w, p[k]);
		}
		w->page_of[i] = page_of(w, p[0]);
		keep |= 1U << i;
	}
	for (i = 0; i < INTERLEAVE_SLABS; i++) {
		if (!(keep & (1U << i)))
			continue;
		for (k = w->in->objects; k > (unsigned int)w->in->used[i];
		     k--) {
			w->state.held[w->page_of[i]] &=
				(uint8_t) ~(1U << (k - 1));
			kmem_cache_free(w->s,
					object_at(w, w->page_of[i], k - 1));
		}
	}
}

static void behind(const struct world *w, void *object)
{
	*((uint8_t *)object + w->s->object_size) ^= 0x55;
}

static void do_damage(struct world *w)
{
	unsigned int page = w->page_of[w->in->damaged];
	struct slab *slab = &w->m->memmap[page];

	switch (w->in->damage) {
	case INTERLEAVE_SOUND:
		break;
	case INTERLEAVE_BAD_BYTES:
		behind(w, slab->freelist);
		break;
	case INTERLEAVE_BAD_HEAD_AND_USER:
		behind(w, object_at(w, page, 0));
		/* fall through */
	case INTERLEAVE_BAD_HEAD:
		slab->freelist = (char *)slab->freelist + 1;
		break;
	}
}

static bool has_step(const struct interleave *in, unsigned int op)
{
	unsigned int t, i;

	for (t = 0; t < in->nr_threads; t++)
		for (i = 0; i < INTERLEAVE_STEPS; i++)
			if (in->threads[t].steps[i].op == op)
				return true;
	return false;
}

int world_open(struct world *w, struct slab_machine *m,
	       const struct interleave *in)
{
	memset(w, 0, sizeof(*w));
	w->m = m;
	w->in = in;
	w->threads = in->nr_threads;
	slab_machine_set_point_hook(m, NULL, NULL);
	slab_machine_set_wait_hook(m, NULL, NULL);
	slab_machine_set_event_hook(m, NULL, NULL);
	slab_machine_reset(m);
	slab_machine_use(m);
	if (!in->objects || in->objects > WORLD_SLOTS)
		return cannot(w, "a slab has 1 to 8 objects");
	if (m->config.nr_cpus < INTERLEAVE_CPUS)
		return cannot(w, "the machine has too few CPUs");
	/* the memory map is there from now on */
	slab_machine_free_pages(m, slab_machine_alloc_pages(m, 0));
	w->meta_before = m->meta.used;
	if (in->barn_limit)
		m->params.max_full_sheaves = m->params.max_empty_sheaves =
			in->barn_limit;
	w->s = make_cache(w);
	if (!w->s)
		return cannot(w, "no object size gives so many a slab");
	if (!in->capacity != !w->s->sheaf_capacity)
		return cannot(w, "capacity does not suit the flags");
	w->s->min_partial = WORLD_PAGES; /* nothing goes */
	slab_machine_add_sink(m, count_report, w);
	if (in->capacity) {
		if (set_capacity(w->s, in->capacity))
			return cannot(w, "no memory");
		arrange_sheaves(w);
	} else {
		arrange_slabs(w);
	}
	/* empty slabs of the start are there, whatever min_partial says */
	if (world_check(w, true)) {
		slab_machine_remove_sink(m, count_report, w);
		return cannot(w, "the start is broken");
	}
	w->s->min_partial = in->min_partial;
	do_damage(w);
	if (has_step(in, INTERLEAVE_BARRIER))
		slab_machine_set_event_hook(m, now_free, w);
	return 0;
}

void world_close(struct world *w)
{
	slab_machine_set_event_hook(w->m, NULL, NULL);
	slab_machine_remove_sink(w->m, count_report, w);
	free(w->image);
	w->image = NULL;
}

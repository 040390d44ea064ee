/* SPDX-License-Identifier: MIT */
/* inject/interleave_start.c - the start is arranged, kept, copied back */
#include "inject/interleave_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slab/geometry.h"

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
	return (uintptr_t *)((char *)world_object(w, page, slot) +
			     w->s->offset);
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

/* Pages of pointers that wait: the only other metadata that comes and goes. */
static unsigned int nr_batches(const struct slab_machine *m)
{
	const struct rcu_head *head;
	unsigned int cpu, nr = 0;

	for (head = m->rcu_first; head; head = head->next)
		nr += rcu_head_is_batch(head);
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		nr += m->krc[cpu] != NULL;
	return nr;
}

unsigned long world_containers(const struct world *w)
{
	size_t used =
		w->m->meta.used - w->meta_rest - nr_batches(w->m) * PAGE_SIZE;

	return used % w->sheaf_piece ? ~0UL : used / w->sheaf_piece;
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

static void set_main(struct kmem_cache *s, unsigned int cpu,
		     struct slab_sheaf *main)
{
	struct slub_percpu_sheaves *pcs = &s->cpu_sheaves[cpu];

	pcs->main = main;
	cpu_fast_init(s, pcs);
}

/* Sheaves of the size that is wanted, which no argument gives. */
static int set_capacity(struct world *w, unsigned int capacity)
{
	struct kmem_cache *s = w->s;
	struct slab_sheaf *main;
	unsigned int cpu;

	for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++)
		sheaf_free(s, s->cpu_sheaves[cpu].main);
	s->sheaf_capacity = capacity;
	w->meta_rest = w->m->meta.used;
	for (cpu = 0; cpu < s->machine->config.nr_cpu_ids; cpu++) {
		main = sheaf_alloc(s, GFP_KERNEL);
		if (!main)
			return -ENOMEM;
		w->sheaf_piece = (w->m->meta.used - w->meta_rest) / (cpu + 1);
		set_main(s, cpu, main);
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
		set_main(w->s, cpu, filled(w, MAX(in->cpu[cpu].main, 0)));
		pcs->spare = filled(w, in->cpu[cpu].spare);
		pcs->rcu_free = filled(w, in->cpu[cpu].rcu_free);
		for (i = 0; pcs->rcu_free && i < pcs->rcu_free->size; i++) {
			world_give_rcu(w, pcs->rcu_free->objects[i]);
			world_gave_rcu(w, pcs->rcu_free->objects[i]);
		}
	}
	for (i = 0; i < in->barn_full; i++)
		barn_put_full(w->s, barn, filled(w, (int)in->capacity));
	for (i = 0; i < in->barn_empty; i++)
		barn_put_empty(w->s, barn, filled(w, 0));
	for (i = 0; i < in->held; i++) {
		void *p;

		if (refill_objects(w->s, &p, GFP_KERNEL, 1, 1))
			world_hold(w, p);
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
			world_hold(w, p[k]);
		}
		w->page_of[i] = world_page(w, p[0]);
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
					world_object(w, w->page_of[i], k - 1));
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
		behind(w, world_object(w, page, 0));
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
	m->percpu = in->sections ? PERCPU_SIM : PERCPU_LOCK;
	/* as natively; with them nothing goes the short way */
	m->params.statistics = !in->sections;
	if (in->barn_limit)
		m->params.max_full_sheaves = m->params.max_empty_sheaves =
			in->barn_limit;
	w->s = make_cache(w);
	if (!w->s)
		return cannot(w, "no object size gives so many a slab");
	if (!in->capacity != !w->s->sheaf_capacity)
		return cannot(w, "capacity does not suit the flags");
	w->s->min_partial = WORLD_PAGES; /* nothing goes */
	m->params.cpu_full_bytes =
		(size_t)in->local * in->capacity * w->s->size;
	m->params.cpus_full_bytes = m->params.cpu_full_bytes;
	slab_machine_add_sink(m, count_report, w);
	if (in->capacity) {
		if (set_capacity(w, in->capacity))
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
	/* kmalloc_nolock() finds its class */
	m->kmalloc[KMALLOC_NORMAL][kmalloc_class(WORLD_KMALLOC)] = w->s;
	do_damage(w);
	if (has_step(in, INTERLEAVE_BARRIER))
		slab_machine_set_event_hook(m, world_now_free, w);
	return 0;
}

void world_close(struct world *w)
{
	slab_machine_set_event_hook(w->m, NULL, NULL);
	slab_machine_remove_sink(w->m, count_report, w);
	free(w->image);
	w->image = NULL;
}

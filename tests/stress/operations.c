/* SPDX-License-Identifier: MIT */
/* tests/stress/operations.c - what workers do, a row each, by chance */
#define _GNU_SOURCE
#include <slab/debug.h>
#include <slab/sheaf.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "stress.h"

#define BULK 80U

/* Two words that change hands as one: cmpxchg16b is not everywhere, so the
 * kind travels in the low bits of an object, which are zero. */
static atomic_uintptr_t shared[SHARED_SLOTS];

static struct held swap_shared(unsigned int i, struct held mine)
{
	uintptr_t word = 0;

	if (mine.kind)
		word = (uintptr_t)mine.p << 4 | (uintptr_t)(mine.kind - kinds);
	word = atomic_exchange_explicit(&shared[i], word,
					memory_order_acq_rel);
	if (!word)
		return (struct held){ 0 };
	return (struct held){ (void *)(word >> 4), &kinds[word & 15] };
}

struct kind *kind_any(struct random *r)
{
	unsigned int all = 0, i;
	uint64_t at;

	for (i = 0; i < nr_kinds; i++)
		all += kinds[i].weight;
	at = random_below(r, all);
	for (i = 0; at >= kinds[i].weight; i++)
		at -= kinds[i].weight;
	return &kinds[i];
}

/* ---- one object ---- */
static void *kind_alloc(struct worker *w, struct kind *k)
{
	static void *(*const not_inline)(struct kmem_cache *, gfp_t) =
		kmem_cache_alloc;
	uint64_t how = random_next(&w->random);
	gfp_t gfp = how & 15 ? GFP_KERNEL : GFP_NOWAIT;
	void *p;

	if (k->is_kmalloc)
		p = kmalloc(k->size, gfp);
	else if (how & 16)
		p = not_inline(k->s, gfp);
	else
		p = kmem_cache_alloc(k->s, gfp);
	if (!p) {
		if (errno != ENOMEM)
			fail("no object, and no reason", k, (unsigned)errno,
			     ENOMEM);
		return NULL;
	}
	token_put(p, k->size);
	atomic_fetch_add_explicit(&k->live, 1, memory_order_relaxed);
	return p;
}

void kind_free(struct kind *k, void *p)
{
	token_take(p, k->size);
	atomic_fetch_sub_explicit(&k->live, 1, memory_order_relaxed);
	if (k->is_kmalloc)
		kfree(p);
	else
		kmem_cache_free(k->s, p);
}

static unsigned long replace_one(struct worker *w)
{
	struct held *h = &w->slots[random_below(&w->random, MY_SLOTS)];
	unsigned long done = 1;

	if (h->kind) {
		kind_free(h->kind, h->p);
		done++;
	}
	h->kind = kind_any(&w->random);
	h->p = kind_alloc(w, h->kind);
	if (!h->p)
		h->kind = NULL;
	return done;
}

static unsigned long trade_one(struct worker *w)
{
	struct held *h = &w->slots[random_below(&w->random, MY_SLOTS)];

	*h = swap_shared((unsigned int)random_below(&w->random, SHARED_SLOTS),
			 *h);
	if (h->kind)
		token_check(h->p, h->kind->size);
	return replace_one(w);
}

/* As W1: the same few objects again and again. */
static unsigned long in_and_out(struct worker *w)
{
	struct kind *k = kind_any(&w->random);
	unsigned int n = 1 + (unsigned int)random_below(&w->random, 100), i;
	void *p[128];

	for (i = 0; i < n; i++) {
		p[i] = kind_alloc(w, k);
		if (!p[i])
			break;
	}
	n = i;
	while (i)
		kind_free(k, p[--i]);
	return 2UL * n;
}

/* ---- many ---- */

/* More than CPUs keep, so that a cache begins to shrink; the next one finds
 * nothing. */
static unsigned long tide(struct worker *w)
{
	struct kind *k = kind_any(&w->random);
	void *p[2000];
	size_t n, i;

	if (k->size > 256)
		return 0;
	for (n = 0; n < sizeof(p) / sizeof(*p); n++) {
		p[n] = kind_alloc(w, k);
		if (!p[n])
			break;
	}
	for (i = 0; i < n; i++)
		kind_free(k, p[i]);
	return 2 * n;
}

static unsigned long bulk(struct worker *w)
{
	struct kind *k = kind_any(&w->random);
	size_t n = 1 + random_below(&w->random, BULK), i, nr;
	void *p[BULK + MY_SLOTS];
	unsigned int at;

	if (k->is_kmalloc)
		return 0;
	nr = (size_t)kmem_cache_alloc_bulk(k->s, GFP_KERNEL, n, p);
	if (nr != 0 && nr != n)
		fail("a bulk allocation of some, not of all", k, nr, n);
	for (i = 0; i < nr; i++)
		token_put(p[i], k->size);
	n = nr;
	/* and others of the kind that came from anywhere */
	for (at = 0; at < MY_SLOTS; at++) {
		if (w->slots[at].kind != k)
			continue;
		p[nr++] = w->slots[at].p;
		w->slots[at].kind = NULL;
	}
	for (i = nr; i > 1; i--) {
		size_t j = random_below(&w->random, i);
		void *t = p[i - 1];

		p[i - 1] = p[j];
		p[j] = t;
	}
	for (i = 0; i < nr; i++)
		token_take(p[i], k->size);
	atomic_fetch_sub_explicit(&k->live, (long)(nr - n),
				  memory_order_relaxed);
	kmem_cache_free_bulk(k->s, nr, p);
	return n + nr;
}

static unsigned long borrow(struct worker *w)
{
	struct kind *k = kind_any(&w->random);
	unsigned int n = 1 + (unsigned int)random_below(&w->random, BULK);
	struct slab_sheaf *sheaf;
	unsigned int take, i;
	void *p[BULK];

	if (k->is_kmalloc)
		return 0;
	sheaf = kmem_cache_prefill_sheaf(k->s, GFP_KERNEL, n);
	if (!sheaf)
		return 0;
	if (kmem_cache_sheaf_size(sheaf) < n)
		fail("a borrowed sheaf with too few", sheaf,
		     kmem_cache_sheaf_size(sheaf), n);
	take = (unsigned int)random_below(&w->random, n + 1);
	for (i = 0; i < take; i++) {
		p[i] = kmem_cache_alloc_from_sheaf(k->s, GFP_KERNEL, sheaf);
		if (!p[i])
			fail("a borrowed sheaf that has none", sheaf, i, take);
		token_put(p[i], k->size);
	}
	if (n % 2)
		kmem_cache_refill_sheaf(k->s, GFP_KERNEL, &sheaf, n);
	if (kmem_cache_return_sheaf(k->s, GFP_KERNEL, sheaf))
		fail("a sheaf was not taken back", sheaf, 1, 0);
	for (i = 0; i < take; i++) {
		token_take(p[i], k->size);
		kmem_cache_free(k->s, p[i]);
	}
	return 2UL * take;
}

/* ---- now and then ---- */
static unsigned long resize(struct worker *w)
{
	struct held *h = &w->slots[random_below(&w->random, MY_SLOTS)];
	struct kind *to;
	void *p;

	if (!h->kind || !h->kind->is_kmalloc)
		return 0;
	do
		to = kind_any(&w->random);
	while (!to->is_kmalloc);
	token_take(h->p, h->kind->size);
	p = krealloc(h->p, to->size, GFP_KERNEL);
	if (!p) {
		token_put(h->p, h->kind->size);
		return 0;
	}
	atomic_fetch_sub_explicit(&h->kind->live, 1, memory_order_relaxed);
	/* a smaller size stays in the old class, which counts */
	if (to->size < h->kind->size) {
		to = h->kind;
		if (krealloc(p, to->size, GFP_KERNEL) != p)
			fail("an object that moved in its own class", p, 1, 0);
	}
	token_put(p, to->size);
	atomic_fetch_add_explicit(&to->live, 1, memory_order_relaxed);
	h->kind = to;
	h->p = p;
	return 2;
}

static unsigned long after_grace(struct worker *w)
{
	struct held *h = &w->slots[random_below(&w->random, MY_SLOTS)];

	if (!options.rcu || !h->kind)
		return 0;
	token_take(h->p, h->kind->size);
	atomic_fetch_sub_explicit(&h->kind->live, 1, memory_order_relaxed);
	h->kind = NULL;
	kfree_rcu(h->p, rcu);
	return 1;
}

static unsigned long shrink(struct worker *w)
{
	struct kind *k = kind_any(&w->random);

	kmem_cache_shrink(k->s);
	return 0;
}

static unsigned long flush(struct worker *w)
{
	struct kind *k = kind_any(&w->random);

	if (random_next(&w->random) & 1)
		slab_cache_flush_all(machine, k->s);
	else
		slab_cache_flush_cpu(machine, k->s);
	return 0;
}

static unsigned long validate(struct worker *w)
{
	struct kind *k = kind_any(&w->random);

	if (validate_slab_cache(k->s) < 0 && !options.limits)
		fail("no validation", k, 0, 0);
	return 0;
}

static unsigned long trim(struct worker *w)
{
	(void)w;
	slab_machine_trim(machine);
	return 0;
}

static unsigned long barrier(struct worker *w)
{
	(void)w;
	if (options.rcu)
		kvfree_rcu_barrier();
	return 0;
}

static unsigned long make_and_destroy(struct worker *w)
{
	unsigned int size = 8 * (1 + (unsigned int)random_below(&w->random, 90));
	slab_flags_t flags = SLAB_NO_MERGE;
	unsigned int n = (unsigned int)random_below(&w->random, 300), i;
	struct kmem_cache *s;
	void *p[300];
	char name[40];
	int left;

	if (!random_below(&w->random, 4))
		flags |= SLAB_TYPESAFE_BY_RCU;
	if (!random_below(&w->random, 4))
		flags |= SLAB_DEBUG_DEFAULT_FLAGS;
	snprintf(name, sizeof(name), "stress-%u-%lu", w->nr,
		 atomic_load(&w->done));
	s = kmem_cache_create(name, size, NULL, flags);
	if (!s)
		return 0;
	for (i = 0; i < n; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		if (!p[i])
			break;
		token_put(p[i], size);
	}
	n = i;
	while (i--) {
		token_take(p[i], size);
		kmem_cache_free(s, p[i]);
	}
	left = kmem_cache_destroy(s);
	if (left)
		fail("objects left in a cache that has none", s,
		     (unsigned long)-left, 0);
	return 2UL * n;
}

/* Of 100,000. */
static const struct {
	const char *name;
	unsigned int weight;
	unsigned long (*run)(struct worker *w);
} operations[] = {
	{ "replace one", 59850, replace_one },
	{ "trade one", 27000, trade_one },
	{ "in and out", 8000, in_and_out },
	{ "bulk", 2500, bulk },
	{ "borrow", 1200, borrow },
	{ "resize", 600, resize },
	{ "kfree_rcu", 600, after_grace },
	{ "flush", 40, flush },
	{ "tide", 100, tide },
	{ "shrink", 25, shrink },
	{ "validate", 60, validate },
	{ "make and destroy", 20, make_and_destroy },
	{ "rcu barrier", 3, barrier },
	{ "trim", 2, trim },
};

void operations_run(struct worker *w, unsigned long quota)
{
	unsigned long until = atomic_load(&w->done) + quota;
	unsigned int i;
	uint64_t at;

	while (atomic_load_explicit(&w->done, memory_order_relaxed) < until) {
		at = random_below(&w->random, 100000);
		for (i = 0; at >= operations[i].weight; i++)
			at -= operations[i].weight;
		w->doing = operations[i].name;
		/* at least one, so that a machine without memory ends */
		atomic_fetch_add_explicit(&w->done,
					  MAX(operations[i].run(w), 1UL),
					  memory_order_relaxed);
		disturb_sometimes(w);
	}
	w->doing = "nothing";
}

void operations_end(struct worker *w)
{
	unsigned int i;

	for (i = 0; i < MY_SLOTS; i++)
		if (w->slots[i].kind)
			kind_free(w->slots[i].kind, w->slots[i].p);
	memset(w->slots, 0, sizeof(w->slots));
}

void shared_end(void)
{
	unsigned int i;

	for (i = 0; i < SHARED_SLOTS; i++) {
		struct held h = swap_shared(i, (struct held){ 0 });

		if (h.kind)
			kind_free(h.kind, h.p);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * tests/property/rests.c - ops on what lies between users and slabs: borrowed
 * sheaves, CPUs and nodes that come and go, calls that wait for no lock, and
 * interrupts anywhere
 */
#include "world.h"

#include <errno.h>
#include <string.h>

#include "base/random.h"

/* ---- borrowed sheaves ---- */
bool has_lent(const struct world *w, const struct kmem_cache *s)
{
	unsigned int i;

	for (i = 0; i < NR_LENT; i++)
		if (w->lent[i].sheaf && w->lent[i].s == s)
			return true;
	return false;
}

/* What the sheaf says it has must be what we know. */
static bool lent_check(struct world *w, const struct lent *l)
{
	unsigned int size = kmem_cache_sheaf_size(l->sheaf);

	return size == l->size ||
	       fail(w, "lent: a sheaf has %u objects, wanted %u", size,
		    l->size);
}

static bool op_prefill(struct world *w, const struct op *op)
{
	struct cache *c = &w->caches[op->cache];
	struct lent *l = &w->lent[op->object % NR_LENT];
	unsigned int n = 1 + op->a % (op->b & 3 ? 30 : 150);

	if (!c->s || l->sheaf)
		return true;
	say(w, "\t%ssheaf prefill %s %u as h%u%s\n", maybe(w), c->name, n,
	    op->object % NR_LENT, maybe_end(w));
	l->sheaf = kmem_cache_prefill_sheaf(c->s, GFP_KERNEL, n);
	if (!l->sheaf)
		return null_is_fine(w) && touched(w, c->s);
	l->s = c->s;
	l->size = kmem_cache_sheaf_size(l->sheaf);
	if (l->size < n || l->size > MAX(n, c->s->sheaf_capacity))
		return fail(w, "lent: a sheaf for %u has %u objects", n,
			    l->size);
	return touched(w, c->s);
}

/* It never fails as long as there is one. */
static bool op_lent_alloc(struct world *w, const struct op *op)
{
	struct lent *l = &w->lent[op->object % NR_LENT];
	struct object *o = &w->objects[op->object];
	bool zero;
	uint8_t *p;

	if (!l->sheaf || !l->size || o->p)
		return true;
	zero = !l->s->ctor && op->a % 4 == 0;
	say(w, "\tsheaf alloc $h%u as o%u%s\n", op->object % NR_LENT,
	    op->object, zero ? " gfp=zero" : "");
	p = kmem_cache_alloc_from_sheaf(l->s, zero ? __GFP_ZERO : 0, l->sheaf);
	if (!p)
		return fail(w, "lent: NULL from a sheaf with %u objects",
			    l->size);
	l->size--;
	return lent_check(w, l) &&
	       take_over(w, o, p, kmem_cache_size(l->s), zero ? __GFP_ZERO : 0,
			 false) &&
	       touched(w, l->s);
}

static bool op_lent_refill(struct world *w, const struct op *op)
{
	struct lent *l = &w->lent[op->object % NR_LENT];
	unsigned int n = op->a % 60, before = l->size;
	int err;

	if (!l->sheaf)
		return true;
	say(w, "\t%ssheaf refill $h%u %u%s\n", maybe(w), op->object % NR_LENT,
	    MAX(n, 1U), maybe_end(w));
	err = kmem_cache_refill_sheaf(l->s, GFP_KERNEL, &l->sheaf, MAX(n, 1U));
	l->size = kmem_cache_sheaf_size(l->sheaf);
	if (l->size < before)
		return fail(w, "lent: a refill leaves %u of %u objects",
			    l->size, before);
	if (err == -ENOMEM)
		return null_is_fine(w) && touched(w, l->s);
	if (err || l->size < n)
		return fail(w, "lent: a refill to %u gives %d and %u objects",
			    n, err, l->size);
	return touched(w, l->s);
}

bool op_lent_return(struct world *w, const struct op *op)
{
	struct lent *l = &w->lent[op->object % NR_LENT];
	int err;

	if (!l->sheaf)
		return true;
	if (!lent_check(w, l))
		return false;
	say(w, "\tsheaf return $h%u\n", op->object % NR_LENT);
	err = kmem_cache_return_sheaf(l->s, GFP_KERNEL, l->sheaf);
	l->sheaf = NULL;
	if (err)
		return fail(w, "lent: a return gives %d", err);
	return touched(w, l->s);
}

/* ---- CPUs, nodes, the task ---- */
static bool op_cpu_online(struct world *w, const struct op *op)
{
	unsigned int cpu = op->a % w->settings->cpus;
	bool online = !slab_machine_cpu_online(w->m, cpu);

	if (cpu == slab_machine_cpu(w->m))
		return true;
	say(w, "\tcpu %s %u\n", online ? "online" : "offline", cpu);
	if (slab_machine_set_cpu_online(w->m, cpu, online))
		return fail(w, "cpu: %u does not go", cpu);
	return true;
}

static bool op_node_memory(struct world *w, const struct op *op)
{
	unsigned int node = op->a % w->settings->nodes, i, with = 0;
	bool on = !slab_machine_node_memory(w->m, node);
	int err;

	for (i = 0; i < w->settings->nodes; i++)
		with += slab_machine_node_memory(w->m, i);
	if (!on && with == 1)
		return true;
	say(w, "\tmachine node %u %s\n", node, on ? "on" : "off");
	err = slab_machine_set_node_memory(w->m, node, on);
	return !err || fail(w, "node: %u gives %d", node, err);
}

static bool op_policy(struct world *w, const struct op *op)
{
	static const char *const words[] = {
		"none", "preferred",	  "interleave", "weighted-interleave",
		"bind", "preferred-many", "local",
	};
	enum slab_mempolicy policy = op->a % 7;
	uint32_t nodes = 1U << op->b % w->settings->nodes;
	unsigned int i;

	if (policy == SLAB_MPOL_NONE || policy == SLAB_MPOL_LOCAL)
		nodes = 0;
	else
		nodes |= (op->b >> 8) & ((1U << w->settings->nodes) - 1);
	say(w, "\tmachine policy %s", words[policy]);
	for (i = 0; i < w->settings->nodes; i++)
		if (nodes & 1U << i)
			say(w, " %u", i);
	say(w, "\n");
	return !slab_machine_set_mempolicy(w->m, policy, nodes) ||
	       fail(w, "policy: %u of %x is refused", policy, nodes);
}

static bool op_memalloc(struct world *w, const struct op *op)
{
	say(w, "\tmachine memalloc %s\n", op->a & 1 ? "on" : "off");
	slab_machine_set_memalloc(w->m, op->a & 1);
	return true;
}

static bool op_flush(struct world *w, const struct op *op)
{
	struct kmem_cache *s = w->caches[op->cache].s;

	if (!s)
		return true;
	say(w, "\tcpu flush %u %s\n", slab_machine_cpu(w->m),
	    w->caches[op->cache].name);
	if (slab_cache_flush_cpu(w->m, s))
		return fail(w, "flush: refused");
	return touched(w, s);
}

static bool op_barrier(struct world *w, const struct op *op)
{
	(void)op;
	say(w, "\trcu barrier\n");
	if (!waiting_check(w))
		return false;
	w->nr_waiting = 0;
	kvfree_rcu_barrier();
	return !slab_machine_rcu_pending(w->m) ||
	       fail(w, "barrier: %u callbacks are pending",
		    slab_machine_rcu_pending(w->m));
}

/* A share of all questions fails for a while. */
static bool op_fail_rate(struct world *w, const struct op *op)
{
	struct slab_faults fault;

	w->fail_rate = w->fail_rate ? 0 : 5 + op->a % 60;
	if (w->fail_rate)
		say(w,
		    "\tfailslab set probability=%u interval=1 times=-1 "
		    "ignore-gfp-wait=0 verbose=0\n",
		    w->fail_rate);
	else
		say(w, "\tfailslab off\n");
	slab_faults_get(w->m, &fault);
	fault.failslab.attr.probability = w->fail_rate;
	if (w->fail_rate) {
		fault.failslab.attr.interval = 1;
		fault.failslab.attr.times = -1;
		fault.failslab.attr.verbose = 0;
		fault.failslab.ignore_gfp_wait = false;
	} else {
		/* `failslab off` forgets this one, too */
		fault.task.fail_nth = 0;
	}
	slab_faults_set(w->m, &fault);
	return true;
}

/* ---- without waiting for a lock ---- */

/* What it was asked for, or the next larger class, which is told apart by its
 * size alone. */
static bool nolock_take_over(struct world *w, struct object *o, uint8_t *p,
			     size_t size, gfp_t gfp)
{
	struct slab *slab = virt_to_slab(w->m, p);
	size_t class = kmalloc_size_roundup(size);

	if (slab && slab->slab_cache->object_size > class)
		size = class + 1;
	if (!take_over(w, o, p, size, gfp, true))
		return false;
	o->is_nolock = true;
	return true;
}

static bool op_nolock_alloc(struct world *w, const struct op *op)
{
	struct object *o = &w->objects[op->object];
	size_t size = 1 + op->a % (op->b & 3 ? 300 : 8192);
	gfp_t gfp = op->b & 4 ? __GFP_ZERO : 0;
	uint8_t *p;

	if (o->p)
		return true;
	say(w, "\t%skmalloc %zu as o%u gfp=nolock%s%s\n", maybe(w), size,
	    op->object, gfp ? ",zero" : "", maybe_end(w));
	p = kmalloc_nolock(size, gfp, NUMA_NO_NODE);
	if (!p)
		return null_is_fine(w);
	return nolock_take_over(w, o, p, size, gfp) && touched(w, o->s);
}

static bool op_nolock_free(struct world *w, const struct op *op)
{
	struct object *o = &w->objects[op->object], gone = *o;

	if (!o->p || !o->is_nolock)
		return true;
	if (!object_check(w, o))
		return false;
	o->p = NULL;
	say(w, "\tfree $o%u nolock\n", op->object);
	kfree_nolock(gone.p);
	return freed(w, gone.s, gone.p);
}

/* ---- interrupts ---- */
static struct object *find_object(struct world *w, unsigned int from,
				  bool is_nolock)
{
	unsigned int i;

	for (i = 0; i < NR_OBJECTS; i++) {
		unsigned int slot = (from + i) % NR_OBJECTS;
		struct object *o = &w->objects[slot];

		/* the interrupted op is about to fill these */
		if (slot - w->now.object < MAX_BULK)
			continue;
		if (is_nolock ? o->p && o->is_nolock : !o->p)
			return o;
	}
	return NULL;
}

/* An object for one slot, and one of another slot goes. Nothing is checked but
 * contents: the machine is in the middle of something. */
static void in_interrupt(void *arg)
{
	struct world *w = arg;
	const struct op *op = &w->irq_op;
	struct object *empty = find_object(w, op->object, false);
	struct object *old = find_object(w, op->a, true);
	size_t size = 1 + op->b % 300;
	uint8_t *p;

	if (empty && op->a & 1) {
		p = kmalloc_nolock(size, 0, NUMA_NO_NODE);
		if (p && !nolock_take_over(w, empty, p, size, 0))
			return;
	}
	if (!old || !(op->a & 2) || !object_check(w, old))
		return;
	p = old->p;
	old->p = NULL;
	kfree_nolock(p);
}

static void at_point(void *arg, enum slab_point_kind point)
{
	struct world *w = arg;

	(void)point;
	if (w->irq_masked || --w->irq_in)
		return;
	slab_machine_set_point_hook(w->m, NULL, NULL);
	slab_machine_interrupt(w->m, in_interrupt, w);
}

/* slabctl has no such thing, so scripts go on without. */
static bool op_interrupt(struct world *w, const struct op *op)
{
	if (w->script) {
		say(w, "\t# here an interrupt was set for point %u\n",
		    1 + op->b % 60);
		return true;
	}
	w->irq_op = *op;
	w->irq_in = 1 + op->b % 60;
	slab_machine_set_point_hook(w->m, at_point, w);
	return true;
}

bool op_rests(struct world *w, const struct op *op)
{
	switch (op->kind) {
	case OP_PREFILL:
		return op_prefill(w, op);
	case OP_LENT_ALLOC:
		return op_lent_alloc(w, op);
	case OP_LENT_REFILL:
		return op_lent_refill(w, op);
	case OP_LENT_RETURN:
		return op_lent_return(w, op);
	case OP_CPU_ONLINE:
		return op_cpu_online(w, op);
	case OP_NODE_MEMORY:
		return op_node_memory(w, op);
	case OP_POLICY:
		return op_policy(w, op);
	case OP_MEMALLOC:
		return op_memalloc(w, op);
	case OP_FLUSH:
		return op_flush(w, op);
	case OP_BARRIER:
		return op_barrier(w, op);
	case OP_FAIL_RATE:
		return op_fail_rate(w, op);
	case OP_NOLOCK_ALLOC:
		return op_nolock_alloc(w, op);
	case OP_NOLOCK_FREE:
		return op_nolock_free(w, op);
	default:
		return op_interrupt(w, op);
	}
}

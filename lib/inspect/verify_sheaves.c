/* SPDX-License-Identifier: MIT */
/*
 * inspect/verify_sheaves.c - does what rests in front of the slabs add up?
 *
 *	each sheaf	is one, in one place, and not too full
 *	each entry	is an object of the cache, and rests there alone
 *	each barn	has as many sheaves as it counts
 *	each CPU	too, of those that it keeps before the barn
 *
 * Invariants P1 to P6 and P8 (spec/allocator/invariants.md). What a CPU holds
 * locked is in the middle of a move and is not judged.
 */
#include "inspect/verify.h"

#include <errno.h>
#include <stdio.h>

#include "base/sort.h"
#include "inspect/rest.h"
#include "inspect/scratch.h"
#include "slab/cpu.h"

/* Of one verify. */
struct resting {
	struct verifier *vf;
	struct slab_sheaf_info *sheaves;
	size_t nr_sheaves;
};

/* ---- who is meant ---- */
static const char *place_name(const struct slab_sheaf_info *info, char *buf,
			      size_t size)
{
	const char *place = slab_owner_name(info->place);

	if (info->place == SLAB_OWNER_LOCAL)
		snprintf(buf, size, "a%s sheaf that CPU %d keeps",
			 info->is_full_list ? " full" : "n empty", info->cpu);
	else if (info->cpu >= 0)
		snprintf(buf, size, "%s of CPU %d", place, info->cpu);
	else if (info->place == SLAB_OWNER_BARN)
		snprintf(buf, size, "a%s sheaf of the barn of node %d",
			 info->is_full_list ? " full" : "n empty", info->node);
	else if (info->place == SLAB_OWNER_RCU)
		snprintf(buf, size, "a sheaf in RCU");
	else
		snprintf(buf, size, "a lent sheaf");
	return buf;
}

static unsigned long printed(const struct resting *r, uintptr_t address)
{
	return slab_machine_print_address(r->vf->t->machine, address);
}

/* ---- sheaves ---- */
static bool is_in_hands(const struct kmem_cache *s,
			const struct slab_sheaf_info *info)
{
	if (info->cpu >= 0)
		return rests_are_in_hands(s, (unsigned int)info->cpu);
	return info->place == SLAB_OWNER_BARN &&
	       lock_is_held(&s->node[info->node]->barn->lock);
}

static enum sheaf_place marked_as(const struct slab_sheaf_info *info)
{
	if (info->place == SLAB_OWNER_PREFILLED)
		return SHEAF_LENT;
	return info->place == SLAB_OWNER_RCU && info->cpu < 0 ? SHEAF_IN_RCU :
								SHEAF_RESTS;
}

/* What is wrong with it, in words of its own; NULL: nothing. */
static const char *sheaf_problem(const struct slab_sheaf_info *info)
{
	const struct slab_sheaf *sheaf = (const void *)info->sheaf;

	if (sheaf->place != marked_as(info))
		return "is marked as being somewhere else";
	if (info->place == SLAB_OWNER_RCU && info->cpu >= 0 &&
	    info->size == info->capacity)
		return "is full and was not handed to RCU";
	if (info->place == SLAB_OWNER_LOCAL && info->is_full_list &&
	    info->size != info->capacity)
		return "is not full";
	if (info->place != SLAB_OWNER_BARN && info->place != SLAB_OWNER_LOCAL)
		return NULL;
	if (info->is_full_list && !info->size)
		return "is empty";
	if (!info->is_full_list && info->size)
		return "holds objects";
	return NULL;
}

static void verify_sheaf(struct resting *r, const struct slab_sheaf_info *info)
{
	struct verifier *vf = r->vf;
	const char *problem;
	char place[64];

	if (info->is_bootstrap || is_in_hands(vf->s, info))
		return;
	place_name(info, place, sizeof(place));
	if (info->size > info->capacity)
		verify_line(vf, SLAB_REPORT_BAD_SHEAF,
			    "SLUB %s: Sheaf corrupt: %s has %u objects and room for %u",
			    vf->s->name, place, info->size, info->capacity);
	else if (info->is_damaged)
		verify_line(vf, SLAB_REPORT_BAD_SHEAF,
			    "SLUB %s: Sheaf corrupt: %s is none of the cache (0x%lx)",
			    vf->s->name, place, printed(r, info->sheaf));
	else if ((problem = sheaf_problem(info)))
		verify_line(vf, SLAB_REPORT_BAD_SHEAF,
			    "SLUB %s: Sheaf corrupt: %s %s", vf->s->name,
			    place, problem);
}

/* And those of one address in the order in which they are looked for. */
static int by_sheaf(const void *a, const void *b)
{
	const struct slab_sheaf_info *x = a, *y = b;

	if (x->sheaf != y->sheaf)
		return x->sheaf < y->sheaf ? -1 : 1;
	if (x->cpu != y->cpu)
		return (unsigned int)x->cpu < (unsigned int)y->cpu ? -1 : 1;
	if (x->place != y->place)
		return (int)x->place - (int)y->place;
	if (x->node != y->node)
		return x->node - y->node;
	return (int)y->is_full_list - (int)x->is_full_list;
}

/* P4: a container is in one place. */
static void verify_places(struct resting *r)
{
	size_t i;

	sort_in_place(r->sheaves, r->nr_sheaves, sizeof(*r->sheaves), by_sheaf);
	for (i = 1; i < r->nr_sheaves; i++) {
		const struct slab_sheaf_info *info = &r->sheaves[i];
		char one[64], other[64];

		if (info->is_bootstrap || info->sheaf != info[-1].sheaf)
			continue;
		verify_line(r->vf, SLAB_REPORT_BAD_SHEAF,
			    "SLUB %s: Sheaf corrupt: %s is %s, too",
			    r->vf->s->name,
			    place_name(info - 1, one, sizeof(one)),
			    place_name(info, other, sizeof(other)));
	}
}

/* What inline paths decide from leads to main, or to what shows them nothing. */
static bool shows_main(const struct kmem_cache *s,
		       const struct slub_percpu_sheaves *pcs)
{
	return s->machine->percpu == PERCPU_LOCK || pcs->fast == pcs->main ||
	       (s->fast_is_shut && pcs->fast == bootstrap_sheaf);
}

/* P1 and P8: what a CPU can not be without, and what it must not have. */
static const char *cpu_problem(const struct kmem_cache *s,
			       const struct slub_percpu_sheaves *pcs)
{
	if (!pcs->main)
		return "has no main sheaf";
	if (!s->sheaf_capacity &&
	    (pcs->main != bootstrap_sheaf || pcs->spare || pcs->rcu_free ||
	     pcs->local_full || pcs->local_empty))
		return "has sheaves that the cache does not have";
	if (!shows_main(s, pcs))
		return "shows inline paths another sheaf than its main";
	return NULL;
}

static void verify_cpu(struct resting *r, unsigned int cpu)
{
	const struct kmem_cache *s = r->vf->s;
	const struct slub_percpu_sheaves *pcs = &s->cpu_sheaves[cpu];
	unsigned long kept = 0;
	const char *problem;
	size_t i;

	if (rests_are_in_hands(s, cpu))
		return;
	problem = cpu_problem(s, pcs);
	if (problem)
		verify_line(r->vf, SLAB_REPORT_BAD_SHEAF,
			    "SLUB %s: Sheaf corrupt: CPU %u %s", s->name, cpu,
			    problem);
	for (i = 0; i < r->nr_sheaves; i++)
		kept += r->sheaves[i].place == SLAB_OWNER_LOCAL &&
			r->sheaves[i].cpu == (int)cpu;
	if (kept != pcs->nr_local)
		verify_line(r->vf, SLAB_REPORT_BAD_SHEAF,
			    "SLUB %s: Sheaf corrupt: CPU %u keeps %lu sheaves but counter=%u",
			    s->name, cpu, kept, pcs->nr_local);
}

/* ---- entries ---- */
static bool is_object(const struct verifier *vf, uintptr_t object)
{
	const struct slab *slab = virt_to_slab(vf->t->machine, (void *)object);

	return slab && slab->slab_cache == vf->s &&
	       is_object_of(vf->s, slab_base(vf->t->machine, slab),
			    slab_fit(vf->s, slab), (void *)object);
}

static void verify_entries(struct resting *r, const struct rests *rests)
{
	struct verifier *vf = r->vf;
	size_t i;

	for (i = 0; i < rests->nr; i++) {
		const struct rest *at = &rests->at[i];

		if (at->owner == SLAB_OWNER_UNKNOWN)
			continue;
		if (i && at->object == at[-1].object)
			verify_line(vf, SLAB_REPORT_BAD_SHEAF,
				    "SLUB %s: Sheaf corrupt: 0x%lx rests twice, %s and %s",
				    vf->s->name, printed(r, at->object),
				    slab_owner_name(at[-1].owner),
				    slab_owner_name(at->owner));
		else if (!is_object(vf, at->object))
			verify_line(vf, SLAB_REPORT_BAD_SHEAF,
				    "SLUB %s: Sheaf corrupt: 0x%lx, %s, is no object of the cache",
				    vf->s->name, printed(r, at->object),
				    slab_owner_name(at->owner));
	}
}

/* P5: what rests is on no chain. */
static int verify_chains(struct resting *r, const struct walk *w,
			 const struct rests *rests)
{
	struct verifier *vf = r->vf;
	size_t i, k;

	for (i = 0; i < w->nr && rests->nr; i++) {
		const struct slab *slab = w->slabs[i].slab;
		uintptr_t base = slab_base(vf->t->machine, slab);
		struct chain c;

		if (!rests_within(rests, base,
				  slab_true_bytes(vf->t->machine, slab)))
			continue;
		if (chain_walk(vf->s, slab, &c))
			return -ENOMEM;
		for (k = 0; k < c.nr; k++) {
			uintptr_t object = slab_object(vf->s, base, c.index[k]);
			enum slab_owner owner = rests_owner(rests, object);

			if (owner != SLAB_OWNER_USER &&
			    owner != SLAB_OWNER_UNKNOWN)
				verify_line(vf, SLAB_REPORT_BAD_SHEAF,
					    "SLUB %s: Sheaf corrupt: 0x%lx rests twice, %s and on the free chain of S%u",
					    vf->s->name, printed(r, object),
					    slab_owner_name(owner), slab->nr);
		}
		chain_free(&c);
	}
	return 0;
}

/* ---- barns ---- */
static unsigned long count_sheaves(const struct resting *r, unsigned int node,
				   bool full)
{
	unsigned long nr = 0;
	size_t i;

	for (i = 0; i < r->nr_sheaves; i++) {
		const struct slab_sheaf_info *info = &r->sheaves[i];

		nr += info->place == SLAB_OWNER_BARN &&
		      info->node == (int)node && info->is_full_list == full;
	}
	return nr;
}

static void verify_barn(struct resting *r, unsigned int node)
{
	const struct kmem_cache *s = r->vf->s;
	const struct node_barn *barn = s->node[node]->barn;
	unsigned long full, empty;

	if (!barn || lock_is_held(&barn->lock))
		return;
	full = count_sheaves(r, node, true);
	empty = count_sheaves(r, node, false);
	if (!s->sheaf_capacity)
		verify_line(r->vf, SLAB_REPORT_BAD_BARN,
			    "SLUB %s: Barn corrupt: node %u has one and the cache no sheaves",
			    s->name, node);
	if (full != barn->nr_full)
		verify_line(r->vf, SLAB_REPORT_BAD_BARN,
			    "SLUB %s: Barn corrupt: node %u: %lu full sheaves counted but counter=%u",
			    s->name, node, full, barn->nr_full);
	if (empty != barn->nr_empty)
		verify_line(r->vf, SLAB_REPORT_BAD_BARN,
			    "SLUB %s: Barn corrupt: node %u: %lu empty sheaves counted but counter=%u",
			    s->name, node, empty, barn->nr_empty);
}

int verify_sheaves(struct verifier *vf, const struct walk *w)
{
	const struct slab_machine *m = vf->t->machine;
	struct resting r = { .vf = vf };
	const struct rests *rests;
	unsigned int i;
	int err = sheaves_find(vf->s, &r.sheaves, &r.nr_sheaves);

	if (err)
		return err;
	for (i = 0; i < m->config.nr_cpu_ids; i++)
		verify_cpu(&r, i);
	for (i = 0; i < r.nr_sheaves; i++)
		verify_sheaf(&r, &r.sheaves[i]);
	for (i = 0; i < m->config.nr_nodes; i++)
		verify_barn(&r, i);
	verify_places(&r);
	scratch_free(r.sheaves);
	rests = target_rests(vf->t, vf->s);
	if (!rests)
		return -ENOMEM;
	verify_entries(&r, rests);
	return verify_chains(&r, w, rests);
}

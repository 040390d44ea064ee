/* SPDX-License-Identifier: MIT */
/*
 * inject/damage_sheaf.c - sheaves and barns
 *
 * Counts and pointers in front of the slabs, which 7.0 keeps in ordinary
 * kmalloc memory and believes.
 */
#include "inject/corrupt.h"

#include <stdio.h>
#include <string.h>

#include "cache/sheaf.h"

/* What an entry is called. */
static const char *entry_name(const struct damage *d, const void *object,
			      char *buf, size_t size)
{
	const struct slab *slab = virt_to_slab(d->m, object);
	uintptr_t base;

	if (slab && slab->slab_cache == d->s) {
		base = slab_base(d->m, slab);
		snprintf(buf, size, "%s:S%u#%lu", d->s->name, slab->nr,
			 ((uintptr_t)object - base) / d->s->size);
	} else {
		snprintf(buf, size, "0x%lx",
			 slab_machine_print_address(d->m, (uintptr_t)object));
	}
	return buf;
}

/* which=, or the first of main, spare and rcu_free with `least` objects. */
static int find_sheaf(struct damage *d, unsigned int least,
		      struct slab_sheaf **ret, const char **name)
{
	const struct slub_percpu_sheaves *pcs = &d->s->cpu_sheaves[d->cpu];
	const struct {
		const char *name;
		struct slab_sheaf *sheaf;
	} sheaves[] = { { "main", pcs->main },
			{ "spare", pcs->spare },
			{ "rcu", pcs->rcu_free } };
	const char *which = damage_key(d, "which");
	char cpu[96];
	size_t i;

	damage_name(d, cpu, sizeof(cpu));
	for (i = 0; i < ARRAY_SIZE(sheaves); i++) {
		if (which && strcmp(which, sheaves[i].name) != 0)
			continue;
		*name = sheaves[i].name;
		*ret = sheaves[i].sheaf;
		/* its top would lie in somebody else's memory */
		if (*ret && least && (*ret)->size > d->s->sheaf_capacity)
			return damage_refuse(d, "%s of %s has an impossible size already",
					     *name, cpu);
		if (*ret && (*ret)->size >= least)
			return 0;
		if (!which)
			continue;
		if (!*ret)
			return damage_refuse(d, "%s has no %s now", cpu, which);
		return damage_refuse(d, "%s of %s has %u object%s; %s needs %u",
				     which, cpu, (unsigned int)(*ret)->size,
				     (*ret)->size == 1 ? "" : "s",
				     d->kind->name, least);
	}
	if (which)
		return damage_refuse(d, "which=%.20s: main, spare or rcu",
				     which);
	return damage_refuse(d, "no sheaf of %s has %u object%s: free some there",
			     cpu, least, least == 1 ? "" : "s");
}

/* The slab's own chain has it, and the sheaf as well. */
int damage_double_free_sheaf(struct damage *d)
{
	int err = damage_need_in_use(d);
	char name[96];

	if (err)
		return err;
	damage_name(d, name, sizeof(name));
	if (!d->s->sheaf_capacity)
		return damage_refuse(d, "%s has no sheaves: double-free is the kind for it",
				     d->s->name);
	if (!slab_suits_sheaves(d->s, d->slab))
		return damage_refuse(d, "%s lies on another node: its frees go past the sheaves",
				     name);
	kmem_cache_free(d->s, (void *)d->object);
	slab_cache_flush_cpu(d->m, d->s);
	kmem_cache_free(d->s, (void *)d->object);
	damage_text(d, "%s was freed, flushed to its slab's free chain and freed again, into a sheaf",
		    name);
	return 0;
}

int damage_sheaf_dup(struct damage *d)
{
	char cpu[96], twice[96], lost[96];
	struct slab_sheaf *sheaf = NULL;
	const char *which;
	int err = find_sheaf(d, 2, &sheaf, &which);
	void **top;

	if (err || !sheaf)
		return err;
	top = &sheaf->objects[sheaf->size - 1];
	if (*top == sheaf->objects[0])
		return damage_refuse(d, "%s of %s has one object at both its ends already",
				     which, damage_name(d, cpu, sizeof(cpu)));
	damage_text(d, "the top of %s of %s was %s; now %s, its first, is there twice",
		    which, damage_name(d, cpu, sizeof(cpu)),
		    entry_name(d, *top, lost, sizeof(lost)),
		    entry_name(d, sheaf->objects[0], twice, sizeof(twice)));
	*top = sheaf->objects[0];
	machine_moved(d->m);
	return 0;
}

int damage_sheaf_size(struct damage *d)
{
	long to = (long)d->s->sheaf_capacity + 1;
	struct slab_sheaf *sheaf = NULL;
	const char *which;
	char cpu[96];
	int err = find_sheaf(d, 0, &sheaf, &which);

	if (!err)
		err = damage_number(d, "value", 0, (1L << 28) - 1, &to);
	if (err || !sheaf)
		return err;
	damage_name(d, cpu, sizeof(cpu));
	if (to == (long)sheaf->size)
		return damage_refuse(d, "%s of %s has %ld objects already",
				     which, cpu, to);
	damage_text(d, "%s of %s had %u objects, has %ld; it can hold %u", which,
		    cpu, (unsigned int)sheaf->size, to, d->s->sheaf_capacity);
	sheaf->size = (unsigned int)to & ((1U << 28) - 1);
	machine_moved(d->m);
	return 0;
}

int damage_sheaf_foreign(struct damage *d)
{
	uintptr_t to = 0x4141414141414141;
	struct slab_sheaf *sheaf = NULL;
	const char *which;
	char cpu[96], lost[96];
	int err = find_sheaf(d, 1, &sheaf, &which);
	void **top;

	if (!err)
		err = damage_address(d, "to", &to);
	if (err || !sheaf)
		return err;
	top = &sheaf->objects[sheaf->size - 1];
	damage_name(d, cpu, sizeof(cpu));
	if (*top == (void *)to)
		return damage_refuse(d, "the top of %s of %s is that already",
				     which, cpu);
	damage_text(d, "the top of %s of %s was %s, is 0x%lx", which, cpu,
		    entry_name(d, *top, lost, sizeof(lost)),
		    slab_machine_print_address(d->m, to));
	*top = (void *)to;
	machine_moved(d->m);
	return 0;
}

/* The barn that CPU's trades go to. */
static struct node_barn *barn_of(const struct damage *d)
{
	unsigned int here = d->m->cpu;
	struct node_barn *barn;

	d->m->cpu = d->cpu;
	barn = get_barn(d->s);
	d->m->cpu = here;
	return barn;
}

int damage_barn_count(struct damage *d)
{
	const char *which = damage_key(d, "which");
	struct node_barn *barn = barn_of(d);
	unsigned int *nr;
	char cpu[96];
	long to;
	int err;

	damage_name(d, cpu, sizeof(cpu));
	if (!barn)
		return damage_refuse(d, "%s has no barn", cpu);
	if (!which)
		which = "full";
	if (strcmp(which, "full") && strcmp(which, "empty"))
		return damage_refuse(d, "which=%.20s: full or empty", which);
	nr = *which == 'f' ? &barn->nr_full : &barn->nr_empty;
	to = (long)*nr + 1;
	err = damage_number(d, "value", 0, INT32_MAX, &to);
	if (err)
		return err;
	if (to == (long)*nr)
		return damage_refuse(d, "the barn counts %ld %s sheaves already",
				     to, which);
	damage_text(d, "the barn of %s counted %u %s sheaves, counts %ld", cpu,
		    *nr, which, to);
	*nr = (unsigned int)to;
	machine_moved(d->m);
	return 0;
}

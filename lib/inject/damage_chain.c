/* SPDX-License-Identifier: MIT */
/*
 * inject/damage_chain.c - links of the free chain
 *
 * Links are written as the cache writes them: encoded where it is hardened.
 */
#include "inject/corrupt.h"

#include <stdio.h>

static uintptr_t link_of(const struct damage *d)
{
	return (uintptr_t)get_freepointer(d->s, (void *)d->object);
}

/* The word as it is stored; where: "to itself", unless the user's to= said. */
static int write_word(struct damage *d, uintptr_t word, const char *where)
{
	uintptr_t old = link_of(d);
	char name[96];
	int err;

	err = damage_write(d, d->object + d->s->offset, &word, sizeof(word),
			   "the link");
	if (err)
		return err;
	damage_text(d, "the link of %s led to 0x%lx; now it leads %s%s0x%lx",
		    damage_name(d, name, sizeof(name)),
		    slab_machine_print_address(d->m, old),
		    damage_key(d, "to") ? "to" : where,
		    damage_key(d, "to") ? " " : ", ",
		    slab_machine_print_address(d->m, link_of(d)));
	return 0;
}

static int write_link(struct damage *d, uintptr_t next, const char *where)
{
	uintptr_t at = d->object + d->s->offset;
	char name[96];

	if (link_of(d) == next)
		return damage_refuse(d, "the link of %s is 0x%lx already",
				     damage_name(d, name, sizeof(name)),
				     slab_machine_print_address(d->m, next));
	return write_word(d, freelist_code(d->s, next, at), where);
}

/* Has the object a link now? Free ones do; others where it stands outside. */
static int need_link(struct damage *d)
{
	return freeptr_is_outside(d->s) ? 0 : damage_need_chained(d);
}

int damage_freeptr(struct damage *d)
{
	uintptr_t at = d->object + d->s->offset, word = word_read((void *)at);
	long bit = 0;
	int err = need_link(d);

	if (!err)
		err = damage_number(d, "bit", 0, 63, &bit);
	if (err)
		return err;
	word ^= 1UL << bit;
	return write_word(d, word, "one bit away");
}

int damage_freeptr_null(struct damage *d)
{
	int err = need_link(d);

	return err ? err : write_link(d, 0, "to nothing");
}

int damage_freeptr_self(struct damage *d)
{
	int err = need_link(d);

	return err ? err : write_link(d, d->object, "to itself");
}

/* An object of the slab that is not free, and not the target. */
static uintptr_t find_in_use(const struct damage *d)
{
	unsigned int fit = slab_fit(d->s, d->slab), i;

	for (i = 1; i < fit; i++) {
		unsigned int k = (d->index + i) % fit;

		if (!damage_is_free_at(d, k))
			return slab_object(d->s, d->base, k);
	}
	return 0;
}

int damage_freeptr_object(struct damage *d)
{
	uintptr_t to = find_in_use(d);
	int err = need_link(d);

	if (!err)
		err = damage_address(d, "to", &to);
	if (!err && !to)
		err = damage_refuse(d, "%s has no object in use in this slab: alloc one, or give to=",
				    d->s->name);
	return err ? err : write_link(d, to, "to an object in use");
}

int damage_freeptr_wild(struct damage *d)
{
	uintptr_t to = 0x4141414141414141;
	int err = need_link(d);

	if (!err)
		err = damage_address(d, "to", &to);
	return err ? err : write_link(d, to, "out of the slab");
}

/* A free object of another slab of the cache. */
static uintptr_t find_foreign(const struct damage *d)
{
	const struct slab_target t = { .machine = d->m };
	uintptr_t to = 0;
	struct walk w;
	size_t i;

	if (walk_slabs(&t, d->s, &w))
		return 0;
	for (i = 0; i < w.nr && !to; i++) {
		struct chain c;

		if (w.slabs[i].slab == d->slab ||
		    chain_walk(d->s, w.slabs[i].slab, &c))
			continue;
		if (c.nr)
			to = slab_object(d->s, slab_base(d->m, w.slabs[i].slab),
					 c.index[0]);
		chain_free(&c);
	}
	walk_free(&w);
	return to;
}

int damage_freelist_cross(struct damage *d)
{
	uintptr_t to = find_foreign(d);
	int err = need_link(d);

	if (!err)
		err = damage_address(d, "to", &to);
	if (!err && !to)
		err = damage_refuse(d, "%s has no other slab with a free object%s: alloc until it has a second one, or give to=",
				    d->s->name, damage_hint_flush(d));
	return err ? err : write_link(d, to, "to another slab");
}

static int need_chain(struct damage *d)
{
	if (d->chain.nr)
		return 0;
	return damage_refuse(d, "%s:S%u has no object on its free chain: free one first%s",
			     d->s->name, d->slab->nr, damage_hint_flush(d));
}

int damage_freelist_cycle(struct damage *d)
{
	int err = need_chain(d);

	if (err)
		return err;
	if (d->chain.end == SLAB_CHAIN_CYCLE)
		return damage_refuse(d, "the free chain of S%u is a circle already",
				     d->slab->nr);
	d->index = d->chain.index[d->chain.nr - 1];
	d->object = slab_object(d->s, d->base, d->index);
	return write_link(d, slab_object(d->s, d->base, d->chain.index[0]),
			  "to the first of the chain");
}

/* Not in anybody's bytes: the descriptor is changed. */
int damage_freelist_head(struct damage *d)
{
	uintptr_t old = (uintptr_t)d->slab->freelist, to = old + 1;
	char name[96];
	int err = 0;

	if (!damage_key(d, "value"))
		err = need_chain(d);
	if (!err)
		err = damage_address(d, "value", &to);
	if (!err && to == old)
		err = damage_refuse(d, "the head of the free chain is that already");
	if (err)
		return err;
	d->slab->freelist = (void *)to;
	damage_text(d, "the head of the free chain of %s was 0x%lx, is 0x%lx",
		    damage_name(d, name, sizeof(name)),
		    slab_machine_print_address(d->m, old),
		    slab_machine_print_address(d->m, to));
	return 0;
}

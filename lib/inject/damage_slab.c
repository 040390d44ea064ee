/* SPDX-License-Identifier: MIT */
/*
 * inject/damage_slab.c - descriptors, lists and counters
 *
 * A library keeps them where no user's bytes are near; in a kernel they are
 * one stray write away.
 */
#include "inject/corrupt.h"

#include <string.h>

#include "slab/node.h"

/* value=, which must be another than the field has. */
static int new_value(struct damage *d, const char *field, long old, long max,
		     long *ret)
{
	char name[96];
	int err = damage_number(d, "value", 0, max, ret);

	if (err)
		return err;
	if (*ret == old)
		return damage_refuse(d, "%s of %s is %ld already", field,
				     damage_name(d, name, sizeof(name)), old);
	damage_text(d, "%s of %s was %ld, is %ld", field,
		    damage_name(d, name, sizeof(name)), old, *ret);
	return 0;
}

int damage_inuse(struct damage *d)
{
	long old = d->slab->inuse;
	long to = old < d->slab->objects ? old + 1 : old - 1;
	int err = new_value(d, "inuse", old, 0xffff, &to);

	if (!err)
		d->slab->inuse = (unsigned int)to & 0xffff;
	return err;
}

int damage_objects(struct damage *d)
{
	long old = d->slab->objects, to = old + 1;
	int err = new_value(d, "objects", old, MAX_OBJS_PER_SLAB, &to);

	if (!err)
		d->slab->objects = (unsigned int)to & MAX_OBJS_PER_SLAB;
	return err;
}

int damage_order(struct damage *d)
{
	long old = d->slab->order, to = old ? old - 1 : 1;
	int err = new_value(d, "order", old, 0xff, &to);

	if (!err)
		d->slab->order = (uint8_t)to;
	return err;
}

int damage_slab_type(struct damage *d)
{
	char name[96];

	if (d->slab->type != PAGE_SLAB)
		return damage_refuse(d, "%s is not marked as a slab already",
				     damage_name(d, name, sizeof(name)));
	d->slab->type = PAGE_NONE;
	damage_text(d, "%s is no longer marked as a slab",
		    damage_name(d, name, sizeof(name)));
	return 0;
}

int damage_slab_cache(struct damage *d)
{
	const char *key = damage_key(d, "cache");
	struct kmem_cache *other = NULL;
	char name[96];

	if (key && strcmp(key, "NULL")) {
		other = slab_cache_find(d->m, key);
		if (!other)
			return damage_refuse(d, "cache=%.40s: no such cache; NULL, or the name of one",
					     key);
		if (other == d->s)
			return damage_refuse(d, "the slab is one of %s already",
					     d->s->name);
	}
	damage_text(d, "the cache of %s is now %s",
		    damage_name(d, name, sizeof(name)),
		    other ? other->name : "NULL");
	d->slab->slab_cache = other;
	return 0;
}

/* On a list that still holds: a broken one leads who knows where. */
static int need_listed(struct damage *d)
{
	struct kmem_cache_node *n =
		walk_node(d->m, d->s, MIN(d->slab->node, SLAB_MAX_NODES - 1));
	struct list_break broken;
	char name[96];

	if (slab_is_unlinked(d->slab))
		return damage_refuse(d, "%s is on no list: free one of its objects first%s",
				     damage_name(d, name, sizeof(name)),
				     damage_hint_flush(d));
	if (!n || !node_slab_holds(d->s, n, d->slab, &broken))
		return damage_refuse(d, "the links of %s are broken already",
				     damage_name(d, name, sizeof(name)));
	return 0;
}

static int overwrite_link(struct damage *d, struct list_head **link,
			  const char *which)
{
	uintptr_t to = 0x4141414141414141, old = (uintptr_t)*link;
	int err = need_listed(d);
	char name[96];

	if (!err)
		err = damage_address(d, "to", &to);
	if (err)
		return err;
	damage_name(d, name, sizeof(name));
	if (to == old)
		return damage_refuse(d, "the %s link of %s is 0x%lx already",
				     which, name,
				     slab_machine_print_address(d->m, old));
	*link = (struct list_head *)to;
	damage_text(d, "the %s link of %s was 0x%lx, is 0x%lx", which, name,
		    slab_machine_print_address(d->m, old),
		    slab_machine_print_address(d->m, to));
	return 0;
}

int damage_list_next(struct damage *d)
{
	return overwrite_link(d, &d->slab->slab_list.next, "next");
}

int damage_list_prev(struct damage *d)
{
	return overwrite_link(d, &d->slab->slab_list.prev, "prev");
}

int damage_list_unlink(struct damage *d)
{
	char name[96];
	int err = need_listed(d);

	if (err)
		return err;
	list_del(&d->slab->slab_list);
	damage_text(d, "%s was taken off its list, and no counter knows",
		    damage_name(d, name, sizeof(name)));
	return 0;
}

int damage_node_count(struct damage *d)
{
	struct kmem_cache_node *n =
		walk_node(d->m, d->s, MIN(d->slab->node, SLAB_MAX_NODES - 1));
	long old, to;
	int err;

	if (!n)
		return damage_refuse(d, "node %u of %s does not exist",
				     d->slab->node, d->s->name);
	old = (long)n->nr_partial;
	to = old + 1;
	err = new_value(d, "nr_partial of the node", old, INT32_MAX, &to);
	if (!err)
		n->nr_partial = (unsigned long)to;
	return err;
}

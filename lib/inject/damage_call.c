/* SPDX-License-Identifier: MIT */
/* inject/damage_call.c - calls that no correct program makes */
#include "inject/corrupt.h"

#include <errno.h>
#include <string.h>

#include <slab/kmalloc.h>
#include "slab/node.h"

/* Twice for an object in use, once more for a free one. */
int damage_double_free(struct damage *d)
{
	bool was_free = damage_is_free(d);
	char name[96];

	damage_text(d, "%s was freed %s",
		    damage_name(d, name, sizeof(name)),
		    was_free ? "once more" : "twice");
	if (!was_free)
		kmem_cache_free(d->s, (void *)d->object);
	kmem_cache_free(d->s, (void *)d->object);
	return 0;
}

int damage_free_middle(struct damage *d)
{
	long offset = MIN(8, (long)d->s->object_size / 2);
	char name[96];
	int err;

	if (d->s->object_size < 2)
		return damage_refuse(d, "objects of %s have 1 byte and no middle",
				     d->s->name);
	err = damage_number(d, "offset", 1, (long)d->s->object_size - 1,
			    &offset);
	if (err)
		return err;
	damage_text(d, "%s + %ld was freed", damage_name(d, name, sizeof(name)),
		    offset);
	kmem_cache_free(d->s, (void *)(d->object + offset));
	return 0;
}

static void free_stranger(struct damage *d, void *p, const char *what)
{
	damage_text(d, "%s, 0x%lx, was freed to %s", what,
		    slab_machine_print_address(d->m, (uintptr_t)p),
		    d->s->name);
	kmem_cache_free(d->s, p);
}

int damage_free_wild(struct damage *d)
{
	uintptr_t to = 0x4141414141414141;
	int err = damage_address(d, "to", &to);

	if (err)
		return err;
	if (virt_to_slab(d->m, (void *)to))
		return damage_refuse(d, "to=0x%lx is in a slab; free-middle and free-wrong-cache free such",
				     slab_machine_print_address(d->m, to));
	free_stranger(d, (void *)to, "a wild pointer");
	return 0;
}

int damage_free_stack(struct damage *d)
{
	long local = 0;

	/* its address differs from run to run, so it is not told */
	damage_text(d, "the address of a local variable was freed to %s",
		    d->s->name);
	kmem_cache_free(d->s, &local);
	return 0;
}

/* The page is given back: only the call is wrong, nothing is lost. */
int damage_free_page(struct damage *d)
{
	void *page = slab_machine_alloc_pages(d->m, 0);

	if (!page)
		return -ENOMEM;
	free_stranger(d, page, "a page");
	slab_machine_free_pages(d->m, page);
	return 0;
}

int damage_free_large(struct damage *d)
{
	struct slab_machine *before = slab_machine_use(d->m);
	void *p = kmalloc(2 * KMALLOC_MAX_CACHE_SIZE, GFP_KERNEL);

	if (p) {
		free_stranger(d, p, "a large kmalloc");
		kfree(p);
	}
	slab_machine_use(before);
	return p ? 0 : -ENOMEM;
}

static struct kmem_cache *other_cache(const struct damage *d)
{
	struct kmem_cache *s;

	list_for_each_entry(s, &d->m->slab_caches, list)
		if (s != d->s)
			return s;
	return NULL;
}

int damage_free_wrong_cache(struct damage *d)
{
	const char *key = damage_key(d, "cache");
	struct kmem_cache *other = key ? slab_cache_find(d->m, key) :
					 other_cache(d);
	char name[96];
	int err = damage_need_in_use(d);

	if (err)
		return err;
	if (!other)
		return damage_refuse(d, key ? "cache=%.40s: no such cache" :
					      "there is no other cache than the one of %.40s: create one",
				     key ? key : d->s->name);
	if (other == d->s)
		return damage_refuse(d, "%s is the object's own cache: name another",
				     other->name);
	damage_text(d, "%s was freed to %s", damage_name(d, name, sizeof(name)),
		    other->name);
	kmem_cache_free(other, (void *)d->object);
	return 0;
}

int damage_bulk_count(struct damage *d)
{
	void *objects[16];
	long times = 2, i;
	char name[96];
	int err = damage_need_in_use(d);

	if (!err)
		err = damage_number(d, "times", 2, ARRAY_SIZE(objects), &times);
	if (err)
		return err;
	for (i = 0; i < times; i++)
		objects[i] = (void *)d->object;
	damage_text(d, "%s was named %ld times in one bulk free",
		    damage_name(d, name, sizeof(name)), times);
	kmem_cache_free_bulk(d->s, (size_t)times, objects);
	return 0;
}

int damage_destroy_busy(struct damage *d)
{
	int err = damage_need_in_use(d);
	struct kmem_cache *s = d->s;

	if (err)
		return err;
	if (s->refcount > 1)
		return damage_refuse(d, "%s has %d names: destroying one ends nothing; create with no_merge",
				     s->name, s->refcount);
	damage_text(d, "cache %s was destroyed with objects in use", s->name);
	kmem_cache_destroy(s);
	return 0;
}

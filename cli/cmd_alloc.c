/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_alloc.c - get objects and give them back
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/kmalloc.h>

#include "commands.h"
#include "handout.h"
#include "names.h"
#include "progress.h"

/* ---- alloc ---- */

static int fail_no_object(const struct slab_cache_info *cache, size_t got,
			  size_t nr)
{
	if (interrupted)
		return fail("interrupted", NULL, "interrupted");
	if (nr == 1)
		return fail_answer("no_memory", null_hint(),
				   "alloc: %s gave NULL", cache->name);
	if (!got)
		return fail_answer("no_memory", null_hint(),
				   "alloc: %s gave none of %zu objects",
				   cache->name, nr);
	return fail_answer("no_memory", null_hint(),
			   "alloc: %s gave NULL after %zu of %zu objects; "
			   "those were given back",
			   cache->name, got, nr);
}

static int parse_node(const struct invocation *inv, uint64_t *node)
{
	unsigned int nr = slab_machine_config(inv->machine)->nr_nodes;

	if (arg_number(inv, "node", UINT32_MAX, node))
		return -EINVAL;
	if (arg_given(inv, "node") && *node >= nr)
		return fail("value", "--nodes N makes more",
			    "%s: no node %llu: this machine has %s%u",
			    command_name(inv->command),
			    (unsigned long long)*node,
			    nr == 1 ? "only node " : "0 to ", nr - 1);
	return 0;
}

static int alloc_objects(const struct invocation *inv,
			 const struct slab_cache_info *cache, void **p,
			 size_t nr, gfp_t gfp)
{
	struct kmem_cache *s = cache_handle(cache);
	uint64_t node = UINT64_MAX, orig = 0;
	size_t i;

	if (parse_node(inv, &node) ||
	    arg_number(inv, "orig", cache->object_size, &orig))
		return -EINVAL;
	if (arg_given(inv, "orig") && !(cache->flags & SLAB_KMALLOC))
		return fail("value", "cache create ... flags=kmalloc",
			    "alloc: %s records no requested sizes",
			    cache->name);
	if (arg_given(inv, "bulk")) {
		if (arg_given(inv, "node") || arg_given(inv, "orig"))
			return fail("usage", NULL,
				    "alloc: bulk goes with "
				    "neither node= nor orig=");
		if ((size_t)kmem_cache_alloc_bulk(s, gfp, nr, p) != nr)
			return fail_no_object(cache, 0, nr);
		return 0;
	}
	for (i = 0; i < nr; i++) {
		progress_show("alloc", "objects", i, nr);
		if (arg_given(inv, "orig"))
			p[i] = kmem_cache_alloc_orig(s, gfp, (size_t)orig);
		else if (arg_given(inv, "node"))
			p[i] = kmem_cache_alloc_node(s, gfp, (int)node);
		else
			p[i] = kmem_cache_alloc(s, gfp);
		if (p[i] && !interrupted)
			continue;
		if (p[i])
			i++;
		fail_no_object(cache, i, nr);
		while (i-- > 0)
			kmem_cache_free(s, p[i]);
		return -EINVAL;
	}
	return 0;
}

static int alloc(const struct invocation *inv, struct model *out)
{
	struct slab_cache_info cache;
	uint64_t nr = 1, i;
	bool nolock;
	gfp_t gfp;
	void **p;
	int err;

	if (place_cache(arg_word(inv, "CACHE"), &cache) ||
	    arg_number(inv, "N", MAX_OBJECTS, &nr) ||
	    gfp_parse(inv, &gfp, &nolock) || names_check(inv, nr))
		return -EINVAL;
	if (!nr)
		return fail("number", NULL, "alloc: 0 objects are none");
	p = must_alloc(nr * sizeof(*p));
	err = alloc_objects(inv, &cache, p, nr, gfp);
	progress_end();
	for (i = 0; !err && i < nr; i++)
		err = object_put(inv, out, p[i], i, nr);
	free(p);
	return err;
}

/* ---- free ---- */

struct freeing {
	uintptr_t *p;
	size_t nr, room;
};

static void freeing_add(struct freeing *f, uintptr_t address)
{
	if (f->nr == f->room) {
		f->room = f->room ? 2 * f->room : 16;
		f->p = realloc(f->p, f->room * sizeof(*f->p));
		if (!f->p)
			die_no_memory();
	}
	f->p[f->nr++] = address;
}

/* A word may be a list: free $objects */
static int add_words(struct freeing *f, const struct bound *words)
{
	size_t i;
	int k;

	for (i = 0; words && i < words->nr; i++) {
		Tcl_Obj **item;
		int nr;

		if (Tcl_ListObjGetElements(session.interp, words->objects[i],
					   &nr, &item) != TCL_OK)
			return fail("list", NULL, "free: %s",
				    Tcl_GetStringResult(session.interp));
		for (k = 0; k < nr; k++) {
			uintptr_t address;

			if (place_address(Tcl_GetString(item[k]), &address))
				return -EINVAL;
			freeing_add(f, address);
		}
	}
	return 0;
}

static int add_all(struct freeing *f, const char *name)
{
	struct slab_cache_info cache;
	struct slab_slab_info *slab;
	size_t nr = 0, i, k, nr_objects;
	int err;

	if (place_cache(name, &cache))
		return -EINVAL;
	err = slab_target_slabs(session.target, cache.cache, &slab, &nr);
	if (err)
		return fail("slab", NULL, "the slabs of %s: %s", name,
			    strerror(-err));
	for (i = 0; i < nr; i++) {
		struct slab_object_info *object;

		if (slab_target_objects(session.target, cache.cache, slab[i].nr,
					&object, &nr_objects))
			continue;
		for (k = 0; k < nr_objects; k++) {
			if (object[k].owner == SLAB_OWNER_USER)
				freeing_add(f, object[k].address);
		}
		free(object);
	}
	free(slab);
	return 0;
}

/* The cache that an object is freed to when none is named; NULL: kfree(). */
static struct kmem_cache *own_cache(uintptr_t address)
{
	struct slab_slot_info slot;

	if (slab_target_slot(session.target, address, &slot) ||
	    slot.flags & SLAB_KMALLOC)
		return NULL;
	return (struct kmem_cache *)slot.cache;
}

static void free_one(struct kmem_cache *to, uintptr_t address)
{
	if (!to)
		to = own_cache(address);
	if (to)
		kmem_cache_free(to, (void *)address);
	else
		kfree((void *)address);
}

/* Bulk frees go to one cache; objects of kmalloc() need none. */
static int free_bulk(struct kmem_cache *to, const struct freeing *f)
{
	struct kmem_cache *own = to ? to : own_cache(f->p[0]);
	size_t i;

	for (i = 1; !to && i < f->nr; i++) {
		if (own_cache(f->p[i]) != own)
			return fail("value", "cache=NAME frees them to one",
				    "free: bulk wants objects of one cache");
	}
	kmem_cache_free_bulk(own, f->nr, (void **)f->p);
	return 0;
}

static int free_them(const struct invocation *inv, struct kmem_cache *to,
		     const struct freeing *f)
{
	size_t i;

	if (arg_given(inv, "bulk"))
		return f->nr ? free_bulk(to, f) : 0;
	for (i = 0; i < f->nr; i++) {
		progress_show("free", "objects", i, f->nr);
		if (interrupted)
			return fail("interrupted", NULL,
				    "interrupted after "
				    "%zu of %zu objects",
				    i, f->nr);
		if (arg_given(inv, "rcu"))
			slab_kfree_rcu((void *)f->p[i]);
		else if (arg_given(inv, "nolock"))
			kfree_nolock((void *)f->p[i]);
		else
			free_one(to, f->p[i]);
	}
	return 0;
}

static int run_free(const struct invocation *inv, struct model *out)
{
	const char *name = arg_word(inv, "cache"), *all = arg_word(inv, "all");
	const struct bound *words = arg_bound(inv, "OBJ");
	struct slab_cache_info cache;
	struct kmem_cache *to = NULL;
	struct freeing f = { 0 };
	int err = 0;

	(void)out;
	if (!words == !all)
		return fail("usage", "free $b, free $a $b, free all ring",
			    "free: %s",
			    words ? "objects or `all CACHE`, not "
				    "both"
				  : "which objects?");
	if (arg_given(inv, "rcu") + arg_given(inv, "nolock") +
		    (arg_given(inv, "bulk") || name) >
	    1)
		return fail("usage", NULL,
			    "free: rcu, nolock, and bulk or cache= do not go "
			    "together");
	if (name) {
		if (place_cache(name, &cache))
			return -EINVAL;
		to = cache_handle(&cache);
	}
	err = all ? add_all(&f, all) : add_words(&f, words);
	if (!err)
		err = free_them(inv, to, &f);
	progress_end();
	free(f.p);
	return err;
}

/* ---- kmalloc ---- */

static int parse_size(const struct invocation *inv, uint64_t *size)
{
	return arg_number(inv, "SIZE", UINT64_MAX, size);
}

static int put_kmalloc(const struct invocation *inv, struct model *out, void *p,
		       uint64_t size)
{
	if (!p)
		return fail_answer("no_memory",
				   size > KMALLOC_MAX_SIZE
					   ? "kmalloc() gives at most 4 MiB"
					   : null_hint(),
				   "%s: %llu bytes gave NULL",
				   command_name(inv->command),
				   (unsigned long long)size);
	return object_put(inv, out, p, 0, 1);
}

static int run_kmalloc(const struct invocation *inv, struct model *out)
{
	uint64_t size = 0, node = 0;
	bool nolock;
	gfp_t gfp;
	void *p;

	if (parse_size(inv, &size) || gfp_parse(inv, &gfp, &nolock) ||
	    parse_node(inv, &node) || names_check(inv, 1))
		return -EINVAL;
	if (nolock && gfp & ~(gfp_t)(__GFP_ZERO | __GFP_ACCOUNT))
		return fail("value", NULL,
			    "kmalloc: gfp=nolock goes with zero and account "
			    "alone");
	if (nolock)
		p = kmalloc_nolock((size_t)size, gfp,
				   arg_given(inv, "node") ? (int)node : -1);
	else if (arg_given(inv, "node"))
		p = kmalloc_node((size_t)size, gfp, (int)node);
	else
		p = kmalloc((size_t)size, gfp);
	if (!p && nolock)
		return fail_answer("no_memory", null_hint(),
				   "kmalloc: %llu bytes gave NULL: no memory, "
				   "or a lock that was busy",
				   (unsigned long long)size);
	/* it is the user's, who has its name */
	return put_kmalloc(inv, out, p, size); /* NOLINT(*-unix.Malloc) */
}

static int run_krealloc(const struct invocation *inv, struct model *out)
{
	uint64_t size = 0;
	uintptr_t address;
	bool nolock;
	gfp_t gfp;

	if (place_address(arg_word(inv, "OBJ"), &address) ||
	    parse_size(inv, &size) || gfp_parse(inv, &gfp, &nolock) ||
	    names_check(inv, 1))
		return -EINVAL;
	if (nolock)
		return fail("value", "kmalloc SIZE gfp=nolock",
			    "krealloc: there is no krealloc_nolock()");
	return put_kmalloc(inv, out,
			   krealloc((void *)address, (size_t)size, gfp), size);
}

static int run_ksize(const struct invocation *inv, struct model *out)
{
	uintptr_t address;

	if (place_address(arg_word(inv, "OBJ"), &address))
		return -EINVAL;
	root_number(out, ksize((void *)address));
	return 0;
}

/* ---- rows ---- */

static const struct field names_returns =
	FIELD("objects", LIST, "names of the objects");
static const struct field name_returns =
	FIELD("object", TEXT, "name of the object");
static const struct field size_returns =
	FIELD("bytes", BYTES, "bytes that may be used");

static const struct arg alloc_args[] = {
	ARG("CACHE", WORD, "name of a cache", .is_required = true,
	    .complete = complete_cache),
	ARG("N", WORD, "how many; 1"),
	ARG("as", AFTER, "variables for their names, one each", .value = "NAME",
	    .takes_rest = true),
	GFP_ARG,
	ARG("node", KEY, "memory node", .value = "N"),
	ARG("orig", KEY, "requested size to record", .value = "N"),
	ARG("bulk", FLAG, "all in one call"),
	{},
};
static const struct arg free_args[] = {
	ARG("OBJ", WORD, "names, addresses or lists of them",
	    .takes_rest = true, .complete = complete_object),
	ARG("all", AFTER, "every object that users hold", .value = "CACHE",
	    .complete = complete_cache),
	ARG("cache", KEY, "free it to this cache, right or wrong",
	    .value = "NAME", .complete = complete_cache),
	ARG("bulk", FLAG, "all in one call"),
	ARG("rcu", FLAG, "after a grace period: kfree_rcu()"),
	ARG("nolock", FLAG, "from any context: kfree_nolock()"),
	{},
};
static const struct arg kmalloc_args[] = {
	ARG("SIZE", WORD, "bytes", .is_required = true),
	ARG("as", AFTER, "variable for its name", .value = "NAME"),
	GFP_ARG,
	ARG("node", KEY, "memory node", .value = "N"),
	{},
};
static const struct arg krealloc_args[] = {
	ARG("OBJ", WORD, "what kmalloc gave", .is_required = true,
	    .complete = complete_object),
	ARG("SIZE", WORD, "bytes", .is_required = true),
	ARG("as", AFTER, "variable for its name", .value = "NAME"),
	GFP_ARG,
	{},
};
static const struct arg object_args[] = {
	ARG("OBJ", WORD, "what kmalloc gave", .is_required = true,
	    .complete = complete_object),
	{},
};

const struct command alloc_commands[] = {
	{
		.name = "alloc",
		.brief = "get objects of a cache",
		.example = "alloc ring 3 as x y z",
		.args = alloc_args,
		.returns = &names_returns,
		.run = alloc,
		.operates = true,
	},
	{
		.name = "free",
		.brief = "give objects back",
		.example = "free $a $b",
		.args = free_args,
		.run = run_free,
		.operates = true,
	},
	{
		.name = "kmalloc",
		.brief = "get memory by size",
		.example = "kmalloc 100 as k",
		.args = kmalloc_args,
		.returns = &name_returns,
		.run = run_kmalloc,
		.operates = true,
	},
	{
		.name = "krealloc",
		.brief = "make a kmalloc'ed object larger or smaller",
		.example = "krealloc [kmalloc 100] 120 as k",
		.args = krealloc_args,
		.returns = &name_returns,
		.run = run_krealloc,
		.operates = true,
	},
	{
		.name = "ksize",
		.brief = "bytes that may be used of a kmalloc'ed object",
		.example = "ksize [kmalloc 100]",
		.args = object_args,
		.returns = &size_returns,
		.run = run_ksize,
		.operates = true,
	},
	{},
};

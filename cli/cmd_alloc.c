/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_alloc.c - get objects and give them back
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/kmalloc.h>

#include "commands.h"
#include "events.h"
#include "names.h"

#define MAX_OBJECTS (1U << 20) /* of one command */
#define FEW_OBJECTS 8	       /* each is shown on a line of its own */

/* ---- gfp= ---- */

static const struct gfp_word {
	const char *word;
	gfp_t gfp;
} gfp_words[] = {
	{ "kernel", GFP_KERNEL },	{ "nowait", GFP_NOWAIT },
	{ "atomic", GFP_ATOMIC },	{ "zero", __GFP_ZERO },
	{ "account", __GFP_ACCOUNT },	{ "nofail", __GFP_NOFAIL },
	{ "nowarn", __GFP_NOWARN },	{ "noretry", __GFP_NORETRY },
	{ "thisnode", __GFP_THISNODE }, { "reclaimable", __GFP_RECLAIMABLE },
	{ "dma", __GFP_DMA },
};
#define NR_GFP (sizeof(gfp_words) / sizeof(gfp_words[0]))

static int parse_gfp(const struct invocation *inv, gfp_t *ret)
{
	const char *text = arg_word(inv, "gfp"), *names[NR_GFP];
	bool has_base = false;
	char word[32];
	size_t i, n;

	*ret = 0;
	for (i = 0; i < NR_GFP; i++)
		names[i] = gfp_words[i].word;
	for (; text && *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		if (!strcmp(word, "nolock"))
			return fail("value", NULL,
				    "%s: this version has no "
				    "gfp=nolock yet",
				    command_name(inv->command));
		for (i = 0; i < NR_GFP && strcmp(names[i], word); i++)
			;
		if (i == NR_GFP) {
			fail("value", NULL,
			     "%s: no gfp flag \"%s\"; there are kernel nowait "
			     "atomic zero account nofail nowarn noretry "
			     "thisnode reclaimable dma",
			     command_name(inv->command), word);
			hint_nearest(word, names, NR_GFP);
			return -EINVAL;
		}
		has_base |= i < 3;
		*ret |= gfp_words[i].gfp;
	}
	if (!has_base)
		*ret |= GFP_KERNEL;
	return 0;
}

/* ---- names behind `as` ---- */

static int check_names(const struct invocation *inv, size_t nr)
{
	const struct bound *names = arg_bound(inv, "as");
	size_t i;

	if (!names)
		return 0;
	if (names->nr != nr)
		return fail("usage", NULL,
			    "%s: %zu name%s behind `as` for %zu object%s",
			    command_name(inv->command), names->nr,
			    names->nr == 1 ? "" : "s", nr, nr == 1 ? "" : "s");
	for (i = 0; i < nr; i++) {
		const char *p = names->words[i];

		if (!isalpha((unsigned char)*p) && *p != '_')
			return fail("name", "alloc ring as b; later: free $b",
				    "%s: \"%.40s\" is no name for a variable",
				    command_name(inv->command), p);
		while (isalnum((unsigned char)*p) || *p == '_')
			p++;
		if (*p)
			return fail("name", "letters, digits and _",
				    "%s: \"%.40s\" is no name for a variable",
				    command_name(inv->command),
				    names->words[i]);
	}
	return 0;
}

static int put_object(const struct invocation *inv, struct model *out,
		      const void *object, size_t i, size_t nr)
{
	const struct bound *names = arg_bound(inv, "as");
	char name[NAME_SIZE];
	struct block *line;

	object_name((uintptr_t)object, name);
	if (names) {
		if (!Tcl_SetVar(session.interp, names->words[i], name, 0))
			return fail("name", NULL,
				    "the variable %s can not be set",
				    names->words[i]);
		labels_add(session.labels, names->words[i]);
	}
	if (out->root->kind == KIND_LIST)
		list_text(out->root, "%s", name);
	else
		root_text(out, "%s", name);
	if (nr > FEW_OBJECTS)
		return 0;
	line = view_line(out);
	line_add(line, STYLE_STRONG, "%s", name);
	line_add(line, STYLE_PLAIN, "  %s", address_text((uintptr_t)object));
	if (names)
		line_add(line, STYLE_NAME, "  $%s", names->words[i]);
	return 0;
}

/* ---- alloc ---- */

static const char *null_hint(void)
{
	return event_log_ends_with(session.events, SLAB_EVENT_FAIL_INJECTED)
		       ? "failslab made it fail; failslab show"
		       : NULL;
}

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

static int alloc_objects(const struct invocation *inv,
			 const struct slab_cache_info *cache, void **p,
			 size_t nr, gfp_t gfp)
{
	struct kmem_cache *s = cache_handle(cache);
	uint64_t node = UINT64_MAX, orig = 0;
	size_t i;

	if (arg_number(inv, "node", SLAB_MAX_NODES - 1, &node) ||
	    arg_number(inv, "orig", cache->object_size, &orig))
		return -EINVAL;
	if (arg_given(inv, "node") && node >= cache->nr_nodes)
		return fail("value", "--nodes N makes more",
			    "alloc: no node %llu: this machine has 0 to %u",
			    (unsigned long long)node, cache->nr_nodes - 1);
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
	gfp_t gfp;
	void **p;
	int err;

	if (place_cache(arg_word(inv, "CACHE"), &cache) ||
	    arg_number(inv, "N", MAX_OBJECTS, &nr) || parse_gfp(inv, &gfp) ||
	    check_names(inv, nr))
		return -EINVAL;
	if (!nr)
		return fail("number", NULL, "alloc: 0 objects are none");
	p = must_alloc(nr * sizeof(*p));
	err = alloc_objects(inv, &cache, p, nr, gfp);
	for (i = 0; !err && i < nr; i++)
		err = put_object(inv, out, p[i], i, nr);
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
		if (interrupted)
			return fail("interrupted", NULL,
				    "interrupted after "
				    "%zu of %zu objects",
				    i, f->nr);
		if (arg_given(inv, "rcu"))
			slab_kfree_rcu((void *)f->p[i]);
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
	if (arg_given(inv, "nolock"))
		return fail("value", NULL,
			    "free: this version has no nolock yet");
	if (!words == !all)
		return fail("usage", "free $b, free $a $b, free all ring",
			    "free: %s",
			    words ? "objects or `all CACHE`, not "
				    "both"
				  : "which objects?");
	if (arg_given(inv, "rcu") && (arg_given(inv, "bulk") || name))
		return fail("usage", NULL,
			    "free: rcu goes with neither bulk nor cache=");
	if (name) {
		if (place_cache(name, &cache))
			return -EINVAL;
		to = cache_handle(&cache);
	}
	err = all ? add_all(&f, all) : add_words(&f, words);
	if (!err)
		err = free_them(inv, to, &f);
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
	return put_object(inv, out, p, 0, 1);
}

static int run_kmalloc(const struct invocation *inv, struct model *out)
{
	uint64_t size = 0;
	gfp_t gfp;

	if (parse_size(inv, &size) || parse_gfp(inv, &gfp) ||
	    check_names(inv, 1))
		return -EINVAL;
	return put_kmalloc(inv, out, kmalloc((size_t)size, gfp), size);
}

static int run_krealloc(const struct invocation *inv, struct model *out)
{
	uint64_t size = 0;
	uintptr_t address;
	gfp_t gfp;

	if (place_address(arg_word(inv, "OBJ"), &address) ||
	    parse_size(inv, &size) || parse_gfp(inv, &gfp) ||
	    check_names(inv, 1))
		return -EINVAL;
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

#define GFP_ARG                                                           \
	ARG("gfp", KEY, "kernel, nowait, atomic; with zero, nofail, ...", \
	    .value = "WORD,...")

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
	ARG("rcu", FLAG, "after a grace period"),
	ARG("nolock", FLAG, "from any context"),
	{},
};
static const struct arg kmalloc_args[] = {
	ARG("SIZE", WORD, "bytes", .is_required = true),
	ARG("as", AFTER, "variable for its name", .value = "NAME"),
	GFP_ARG,
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
	},
	{
		.name = "free",
		.brief = "give objects back",
		.example = "free $a $b",
		.args = free_args,
		.run = run_free,
	},
	{
		.name = "kmalloc",
		.brief = "get memory by size",
		.example = "kmalloc 100 as k",
		.args = kmalloc_args,
		.returns = &name_returns,
		.run = run_kmalloc,
	},
	{
		.name = "krealloc",
		.brief = "make a kmalloc'ed object larger or smaller",
		.example = "krealloc [kmalloc 100] 120 as k",
		.args = krealloc_args,
		.returns = &name_returns,
		.run = run_krealloc,
	},
	{
		.name = "ksize",
		.brief = "bytes that may be used of a kmalloc'ed object",
		.example = "ksize [kmalloc 100]",
		.args = object_args,
		.returns = &size_returns,
		.run = run_ksize,
	},
	{},
};

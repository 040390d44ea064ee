/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_sheaf.c - `sheaf`: borrow one that is filled, so that nothing fails later
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>

#include "borrowed.h"
#include "commands.h"
#include "handout.h"
#include "names.h"
#include "owners.h"

/* ---- handles ---- */

/* The sheaf that H names and the cache it is used with: its own, or cache=,
 * right or wrong. Its own may be gone. */
static int parse_handle(const struct invocation *inv, struct borrowed **ret,
			struct kmem_cache **s)
{
	struct borrowed *b = borrowed_find(arg_word(inv, "H"));
	const char *name = arg_word(inv, "cache");
	struct slab_cache_info cache;

	if (!b)
		return -EINVAL;
	*ret = b;
	/* the library would take it for the other one */
	if (b->is_back && borrowed_name((uintptr_t)b->sheaf))
		return fail_answer("refused", NULL,
				   "%s: %s was returned, and is borrowed again "
				   "as %s",
				   command_name(inv->command), b->name,
				   borrowed_name((uintptr_t)b->sheaf));
	if (name) {
		if (place_cache(name, &cache))
			return -EINVAL;
		*s = cache_handle(&cache);
		return 0;
	}
	if (slab_target_cache(session.target, b->cache_name, &cache) ||
	    cache.cache != b->cache)
		return fail_answer("gone", NULL,
				   "%s: cache %s was destroyed, and %s with it",
				   command_name(inv->command), b->cache_name,
				   b->name);
	*s = cache_handle(&cache);
	return 0;
}

static int fail_handle(const struct invocation *inv, const struct borrowed *b)
{
	return fail_answer("refused",
			   b->is_back ? "sheaf prefill borrows another one"
				      : NULL,
			   "%s: %s is no sheaf that this cache lent%s",
			   command_name(inv->command), b->name,
			   b->is_back ? ": it was returned before" : "");
}

static int parse_count(const struct invocation *inv, uint64_t *n)
{
	if (arg_number(inv, "N", UINT32_MAX, n))
		return -EINVAL;
	if (!*n || *n > SLAB_SHEAF_MAX)
		return fail("number", NULL,
			    "%s: N=%llu: a sheaf is asked for 1 to %u objects",
			    command_name(inv->command), (unsigned long long)*n,
			    SLAB_SHEAF_MAX);
	return 0;
}

/* ---- what there is to say of one ---- */

static const struct field sheaf_fields[] = {
	FIELD("name", TEXT, "of the handle"),
	FIELD("cache", TEXT, "its cache"),
	FIELD("state", TEXT, "borrowed, returned or gone"),
	FIELD("size", COUNT, "objects in it"),
	FIELD("capacity", COUNT, "that it holds"),
	FIELD("oversize", FLAG, "larger than the cache's own"),
	FIELD("objects", LIST, "in it, the next to leave first"),
	{},
};
static const struct field sheaf_returns =
	FIELD("sheaf", RECORD, NULL, .of = sheaf_fields);
static const struct field handle_returns =
	FIELD("handle", TEXT, "name of the handle");
static const struct field names_returns =
	FIELD("objects", LIST, "names of the objects");

/* The sheaf as the inspector sees it; false: nobody borrowed it. */
static bool inspect(const struct borrowed *b, struct slab_sheaf_info *ret)
{
	struct slab_sheaf_info *all;
	size_t nr = 0, i;
	bool found = false;

	if (b->is_back ||
	    slab_target_sheaves(session.target, b->cache, &all, &nr))
		return false;
	for (i = 0; i < nr && !found; i++) {
		found = all[i].place == SLAB_OWNER_PREFILLED &&
			all[i].sheaf == (uintptr_t)b->sheaf;
		if (found)
			*ret = all[i];
	}
	free(all);
	return found;
}

static void view_handle(struct model *out, const struct invocation *inv,
			const struct borrowed *b)
{
	struct slab_sheaf_info info;
	struct block *line = view_line(out);

	line_add(line, STYLE_STRONG, "%s", b->name);
	if (inspect(b, &info))
		line_add(line, STYLE_PLAIN, "  %u of %u", info.size,
			 info.capacity);
	if (arg_given(inv, "as"))
		line_add(line, STYLE_NAME, "  $%s", arg_word(inv, "as"));
}

static int sheaf_show(const struct invocation *inv, struct model *out)
{
	struct borrowed *b = borrowed_find(arg_word(inv, "H"));
	struct slab_cache_info cache;
	struct slab_sheaf_info info;
	struct value *r = out->root, *list;
	bool has_cache;
	size_t nr = 0;
	uintptr_t *in;

	if (!b)
		return -EINVAL;
	has_cache = !slab_target_cache(session.target, b->cache_name, &cache) &&
		    cache.cache == b->cache;
	put_text(r, "name", "%s", b->name);
	put_text(r, "cache", "%s", b->cache_name);
	put_text(r, "state", "%s",
		 b->is_back  ? "returned"
		 : has_cache ? "borrowed"
			     : "gone");
	if (!has_cache || !inspect(b, &info))
		return 0;
	put_count(r, "size", info.size);
	put_count(r, "capacity", info.capacity);
	put_flag(r, "oversize", info.capacity != cache.sheaf_capacity);
	list = put_list(r, "objects");
	if (slab_target_sheaf_objects(session.target, &info, &in, &nr))
		return 0;
	while (nr-- > 0) {
		char name[NAME_SIZE];

		list_text(list, "%s", object_name(in[nr], name));
	}
	free(in);
	return 0;
}

/* ---- prefill, alloc, refill, return ---- */

static int sheaf_prefill(const struct invocation *inv, struct model *out)
{
	struct slab_cache_info cache;
	struct slab_sheaf *sheaf;
	struct borrowed *b;
	uint64_t n = 0;
	bool nolock;
	gfp_t gfp;

	if (place_cache(arg_word(inv, "CACHE"), &cache) ||
	    parse_count(inv, &n) || gfp_parse(inv, &gfp, &nolock) ||
	    names_check(inv, 1))
		return -EINVAL;
	if (nolock)
		return fail("value", NULL,
			    "sheaf prefill waits for locks: not gfp=nolock");
	sheaf = kmem_cache_prefill_sheaf(cache_handle(&cache), gfp,
					 (unsigned int)n);
	if (!sheaf)
		return fail_answer("no_memory", null_hint(),
				   "sheaf prefill: %s gave NULL: no sheaf of "
				   "%llu objects",
				   cache.name, (unsigned long long)n);
	b = borrowed_add(&cache, sheaf);
	if (!Tcl_SetVar(session.interp, arg_word(inv, "as"), b->name, 0))
		return fail("name", NULL, "the variable %s can not be set",
			    arg_word(inv, "as"));
	root_text(out, "%s", b->name);
	view_handle(out, inv, b);
	return 0;
}

static int sheaf_alloc(const struct invocation *inv, struct model *out)
{
	struct borrowed *b;
	struct kmem_cache *s = NULL;
	uint64_t nr = 1, i;
	bool nolock;
	gfp_t gfp;

	if (parse_handle(inv, &b, &s) || gfp_parse(inv, &gfp, &nolock) ||
	    (arg_given(inv, "N") && parse_count(inv, &nr)) ||
	    names_check(inv, nr))
		return -EINVAL;
	if (!b->is_back && nr > kmem_cache_sheaf_size(b->sheaf) &&
	    kmem_cache_sheaf_size(b->sheaf))
		return fail_answer("empty", "sheaf refill H N fills it",
				   "sheaf alloc: %s has %u objects, not %llu",
				   b->name, kmem_cache_sheaf_size(b->sheaf),
				   (unsigned long long)nr);
	for (i = 0; i < nr; i++) {
		void *p = kmem_cache_alloc_from_sheaf(s, gfp, b->sheaf);

		if (!p && errno == EINVAL)
			return fail_handle(inv, b);
		if (!p)
			return fail_answer("empty", "sheaf refill H N fills it",
					   "sheaf alloc: %s is empty", b->name);
		if (object_put(inv, out, p, i, nr))
			return -EINVAL;
	}
	return 0;
}

static int sheaf_refill(const struct invocation *inv, struct model *out)
{
	struct kmem_cache *s = NULL;
	struct borrowed *b;
	uint64_t n = 0;
	bool nolock;
	gfp_t gfp;
	int err;

	if (parse_handle(inv, &b, &s) || parse_count(inv, &n) ||
	    gfp_parse(inv, &gfp, &nolock))
		return -EINVAL;
	err = kmem_cache_refill_sheaf(s, gfp, &b->sheaf, (unsigned int)n);
	if (err == -EINVAL)
		return fail_handle(inv, b);
	if (err)
		return fail_answer("no_memory", null_hint(),
				   "sheaf refill: no memory for %llu objects; "
				   "%s has %u, as before or more",
				   (unsigned long long)n, b->name,
				   kmem_cache_sheaf_size(b->sheaf));
	root_text(out, "%s", b->name);
	view_handle(out, inv, b);
	return 0;
}

static int sheaf_return(const struct invocation *inv, struct model *out)
{
	struct kmem_cache *s = NULL;
	struct borrowed *b;
	bool nolock;
	gfp_t gfp;

	(void)out;
	if (parse_handle(inv, &b, &s) || gfp_parse(inv, &gfp, &nolock))
		return -EINVAL;
	if (kmem_cache_return_sheaf(s, gfp, b->sheaf))
		return fail_handle(inv, b);
	b->is_back = true;
	return 0;
}

/* ---- rows ---- */

#define HANDLE                                                               \
	ARG("H", WORD, "$H, as `sheaf prefill` set it", .is_required = true, \
	    .complete = complete_borrowed)
#define WRONG_CACHE                                                 \
	ARG("cache", KEY, "use it with this cache, right or wrong", \
	    .value = "NAME", .complete = complete_cache)

static const struct arg prefill_args[] = {
	ARG("CACHE", WORD, "name of a cache", .is_required = true,
	    .complete = complete_cache),
	ARG("N", WORD, "objects, at least", .is_required = true),
	ARG("as", AFTER, "variable for its name", .value = "H",
	    .is_required = true),
	GFP_ARG,
	{},
};
static const struct arg alloc_args[] = {
	HANDLE,
	ARG("N", WORD, "how many; 1"),
	ARG("as", AFTER, "variables for their names, one each", .value = "NAME",
	    .takes_rest = true),
	GFP_ARG,
	WRONG_CACHE,
	{},
};
static const struct arg refill_args[] = {
	HANDLE,	 ARG("N", WORD, "objects, at least", .is_required = true),
	GFP_ARG, WRONG_CACHE,
	{},
};
static const struct arg return_args[] = {
	HANDLE,
	GFP_ARG,
	WRONG_CACHE,
	{},
};
static const struct arg show_args[] = {
	HANDLE,
	{},
};

const struct command sheaf_commands[] = {
	{
		.group = "sheaf",
		.name = "prefill",
		.brief = "borrow a sheaf with objects in it",
		.example = "sheaf prefill plain 10 as h",
		.args = prefill_args,
		.returns = &handle_returns,
		.run = sheaf_prefill,
		.operates = true,
	},
	{
		.group = "sheaf",
		.name = "alloc",
		.brief =
			"get objects of it; that never fails while it has some",
		.example =
			"sheaf prefill plain 10 as h; sheaf alloc $h 2 as x y",
		.args = alloc_args,
		.returns = &names_returns,
		.run = sheaf_alloc,
		.operates = true,
	},
	{
		.group = "sheaf",
		.name = "refill",
		.brief = "at least so many objects again",
		.example = "sheaf prefill plain 10 as h; sheaf refill $h 20",
		.args = refill_args,
		.returns = &handle_returns,
		.run = sheaf_refill,
		.operates = true,
	},
	{
		.group = "sheaf",
		.name = "return",
		.brief = "give it back with what is left in it",
		.example = "sheaf prefill plain 10 as h; sheaf return $h",
		.args = return_args,
		.run = sheaf_return,
		.operates = true,
	},
	{
		.group = "sheaf",
		.name = "show",
		.brief = "what is in a borrowed sheaf",
		.example = "sheaf prefill plain 10 as h; sheaf show $h",
		.args = show_args,
		.returns = &sheaf_returns,
		.run = sheaf_show,
	},
	{},
};

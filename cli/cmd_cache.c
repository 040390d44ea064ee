/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_cache.c - `cache`: make caches, look at them, take them away
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/sheaf.h>

#include "commands.h"
#include "ctor.h"
#include "names.h"
#include "owners.h"
#include "picture.h"

/* ---- create ---- */

static const struct flag_word {
	const char *word;
	slab_flags_t flag;
} flag_words[] = {
	{ "hwcache_align", SLAB_HWCACHE_ALIGN },
	{ "typesafe_by_rcu", SLAB_TYPESAFE_BY_RCU },
	{ "reclaim_account", SLAB_RECLAIM_ACCOUNT },
	{ "account", SLAB_ACCOUNT },
	{ "panic", SLAB_PANIC },
	{ "no_merge", SLAB_NO_MERGE },
	{ "no_user_flags", SLAB_NO_USER_FLAGS },
	{ "noleaktrace", SLAB_NOLEAKTRACE },
	{ "kmalloc", SLAB_KMALLOC },
	{ "cache_dma", SLAB_CACHE_DMA },
	{ "cache_dma32", SLAB_CACHE_DMA32 },
};
#define NR_FLAGS (sizeof(flag_words) / sizeof(flag_words[0]))
#define ALL_FLAGS                                                \
	"hwcache_align typesafe_by_rcu reclaim_account account " \
	"panic no_merge no_user_flags noleaktrace kmalloc "      \
	"cache_dma cache_dma32"

static int parse_flags(const char *text, slab_flags_t *ret)
{
	const char *names[NR_FLAGS];
	char word[32];
	size_t i, n;

	for (i = 0; i < NR_FLAGS; i++)
		names[i] = flag_words[i].word;
	for (; text && *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		for (i = 0; i < NR_FLAGS && strcmp(names[i], word); i++)
			;
		if (i == NR_FLAGS) {
			fail("no_flag", ALL_FLAGS,
			     "cache create: no flag named \"%s\"", word);
			hint_nearest(word, names, NR_FLAGS);
			return -EINVAL;
		}
		*ret |= flag_words[i].flag;
	}
	return 0;
}

static int parse_debug(const char *letters, slab_flags_t *ret)
{
	slab_flags_t flags = 0;
	char bad = '?';

	if (!letters || !strcmp(letters, "-"))
		return 0;
	if (slab_debug_letters(letters, &flags, &bad))
		return fail("no_flag",
			    "F checks, Z red zones, P poison, U users, T "
			    "trace, A failslab: debug=FZPU",
			    "cache create: debug=%.40s: no flag '%c'", letters,
			    bad);
	*ret |= flags;
	return 0;
}

static int parse_window(const struct invocation *inv, unsigned int size,
			struct kmem_cache_args *args)
{
	const char *text = arg_word(inv, "usersize");
	uint64_t offset, length;
	char first[32];
	const char *comma;

	if (!text)
		return 0;
	comma = strchr(text, ',');
	snprintf(first, sizeof(first), "%.*s", (int)(comma ? comma - text : 0),
		 text);
	if (!comma)
		return fail("usage", "usersize=16,64",
			    "cache create: usersize= wants OFFSET,LENGTH");
	if (number_parse("usersize offset", first, UINT32_MAX, &offset) ||
	    number_parse("usersize length", comma + 1, UINT32_MAX, &length))
		return -EINVAL;
	if (offset + length > size)
		return fail("value", NULL,
			    "cache create: the window of bytes %llu to %llu is "
			    "outside the object of %u bytes",
			    (unsigned long long)offset,
			    (unsigned long long)offset + length, size);
	args->useroffset = (unsigned int)offset;
	args->usersize = (unsigned int)length;
	return 0;
}

static int check_name(const char *name)
{
	const char *p;

	for (p = name; *p; p++) {
		if (*p <= ' ' || *p > '~' || *p == '/' || *p == '#')
			return fail("name",
				    "letters, digits and - _ . : @ make a name",
				    "cache create: a name has no blank, / or # "
				    "and only plain characters");
	}
	if (!*name)
		return fail("name", NULL, "cache create: the name is empty");
	if (p - name > 63)
		return fail("name", NULL,
			    "cache create: the name has %zu characters; at "
			    "most 63 fit",
			    (size_t)(p - name));
	if (slab_cache_find(session.machine, name))
		return fail("exists", "cache destroy takes it away",
			    "cache create: there is a cache named %s", name);
	return 0;
}

static int parse_numbers(const struct invocation *inv, uint64_t *size,
			 struct kmem_cache_args *args)
{
	uint64_t align = 0, sheaf = 0, offset = 0;

	if (arg_number(inv, "size", UINT64_MAX, size) ||
	    arg_number(inv, "align", UINT64_MAX, &align) ||
	    arg_number(inv, "sheaf", SLAB_SHEAF_MAX, &sheaf) ||
	    arg_number(inv, "freeptr_offset", UINT32_MAX, &offset))
		return -EINVAL;
	if (!*size || *size > 4 << 20)
		return fail("value", NULL,
			    "cache create: size=%llu: an object has 1 to "
			    "4194304 bytes",
			    (unsigned long long)*size);
	if (align & (align - 1) || align > 1 << 21)
		return fail("value", "8, 16, 32, 64, ...",
			    "cache create: align=%llu is %s",
			    (unsigned long long)align,
			    align & (align - 1) ? "no power of two"
						: "larger than a slab");
	args->align = (unsigned int)align;
	args->sheaf_capacity = (unsigned int)sheaf;
	if (!arg_given(inv, "freeptr_offset"))
		return 0;
	args->freeptr_offset = (unsigned int)offset;
	args->use_freeptr_offset = true;
	if (offset % 8 || offset + 8 > *size)
		return fail("value", NULL,
			    "cache create: freeptr_offset=%llu: it is a "
			    "multiple of 8 and leaves 8 bytes inside the "
			    "object of %llu",
			    (unsigned long long)offset,
			    (unsigned long long)*size);
	return 0;
}

static int parse_ctor(const struct invocation *inv, unsigned int size,
		      struct kmem_cache_args *args)
{
	const char *text = arg_word(inv, "ctor");
	uint64_t byte = 0;

	if (!text)
		return 0;
	if (strcmp(text, "zero") && number_parse("ctor", text, 255, &byte))
		return -EINVAL;
	args->ctor = ctor_filling((uint8_t)byte, size);
	if (!args->ctor)
		return fail("value", NULL,
			    "cache create: no more than %u different "
			    "constructors",
			    NR_CTORS);
	return 0;
}

static const struct field create_fields[] = {
	FIELD("name", TEXT, "cache name"),
	FIELD("object_size", BYTES, "size the caller asked for"),
	FIELD("slab_size", BYTES, "object with metadata and padding"),
	FIELD("objs_per_slab", COUNT, "objects in a slab"),
	FIELD("order", COUNT, "a slab has 2^order pages"),
	FIELD("sheaf_capacity", COUNT, "objects in a sheaf; 0: none"),
	FIELD("debug", TEXT, "debug flags"),
	FIELD("alias_of", TEXT, "the cache that serves this name too"),
	{},
};
static const struct field create_returns =
	FIELD("cache", RECORD, NULL, .of = create_fields);

static void put_created(struct model *out, const char *name,
			const struct slab_cache_info *info)
{
	bool is_alias = strcmp(info->name, name);
	struct block *line;
	char debug[8];

	slab_debug_text(info->flags, debug);
	put_text(out->root, "name", "%s", name);
	put_count(out->root, "object_size", info->object_size);
	put_count(out->root, "slab_size", info->size);
	put_count(out->root, "objs_per_slab", info->objs_per_slab);
	put_count(out->root, "order", info->order);
	put_count(out->root, "sheaf_capacity", info->sheaf_capacity);
	put_text(out->root, "debug", "%s", debug);
	if (is_alias)
		put_text(out->root, "alias_of", "%s", info->name);
	line = view_line(out);
	line_add(line, STYLE_STRONG, "%s", name);
	if (is_alias)
		line_add(line, STYLE_PLAIN,
			 " is one more name of %s:", info->name);
	line_add(line, STYLE_PLAIN, "  %u B in %u B, %u per slab of %u page%s",
		 info->object_size, info->size, info->objs_per_slab,
		 1U << info->order, info->order ? "s" : "");
	if (strcmp(debug, "-"))
		line_add(line, STYLE_PLAIN, ", debug %s", debug);
}

static int cache_create(const struct invocation *inv, struct model *out)
{
	const char *name = arg_word(inv, "NAME");
	struct kmem_cache_args args = { 0 };
	struct slab_cache_info info;
	slab_flags_t flags = 0;
	uint64_t size = 0;

	if (check_name(name) || parse_numbers(inv, &size, &args) ||
	    parse_debug(arg_word(inv, "debug"), &flags) ||
	    parse_flags(arg_word(inv, "flags"), &flags) ||
	    parse_window(inv, (unsigned int)size, &args) ||
	    parse_ctor(inv, (unsigned int)size, &args))
		return -EINVAL;
	if (args.use_freeptr_offset && !args.ctor &&
	    !(flags & SLAB_TYPESAFE_BY_RCU))
		return fail("value", "flags=typesafe_by_rcu or ctor=zero",
			    "cache create: freeptr_offset= is for caches with "
			    "typesafe_by_rcu or a constructor");
	errno = 0;
	if (!kmem_cache_create(name, (unsigned int)size, &args, flags)) {
		if (errno == ENOMEM)
			return fail_answer("no_memory", NULL,
					   "cache create: no memory for %s",
					   name);
		return fail("value", NULL,
			    "cache create: no slab order can hold objects of "
			    "%llu bytes laid out so, or these flags do not go "
			    "together",
			    (unsigned long long)size);
	}
	if (place_cache(name, &info))
		return -EINVAL;
	put_created(out, name, &info);
	return 0;
}

/* ---- list and show ---- */

static const struct field list_fields[] = {
	FIELD("name", TEXT, "cache name"),
	FIELD("object_size", BYTES, "size the caller asked for",
	      .header = "size"),
	FIELD("slab_size", BYTES, "object with metadata and padding",
	      .header = "slot", .how = FIELD_EXTRA),
	FIELD("objs_per_slab", COUNT, "objects in a slab", .header = "per slab",
	      .how = FIELD_EXTRA),
	FIELD("order", COUNT, "a slab has 2^order pages", .how = FIELD_EXTRA),
	FIELD("slabs", COUNT, "slabs it has"),
	FIELD("partial", COUNT, "slabs on partial lists"),
	FIELD("users", COUNT, "objects in users' hands"),
	FIELD("sheaves", COUNT, "objects that rest in sheaves"),
	FIELD("freelist", COUNT, "objects on the slabs' free chains"),
	FIELD("lost", COUNT, "objects that nobody gets any more"),
	FIELD("unknown", COUNT, "objects that can not be told from users'",
	      .how = FIELD_QUIET),
	FIELD("total_objects", COUNT, "objects its slabs hold: all of these",
	      .header = "all"),
	FIELD("debug", TEXT, "debug flags"),
	FIELD("aliases", LIST, "other names", .how = FIELD_QUIET),
	{},
};
static const struct field list_part[] = {
	FIELD("caches", TABLE, "one row a cache, newest first",
	      .of = list_fields),
	{},
};
static const struct field list_returns =
	FIELD("list", RECORD, NULL, .of = list_part);

static void put_aliases(struct value *record, const struct slab_cache_info *i)
{
	struct value *list = put_list(record, "aliases");
	char *names, *p;

	if (slab_target_names(session.target, i->cache, &names))
		return;
	for (p = names; *p; p += strlen(p) + 1) {
		if (strcmp(p, i->name))
			list_text(list, "%s", p);
	}
	free(names);
}

static int cache_list(const struct invocation *inv, struct model *out)
{
	struct value *table = put_table(out->root, "caches");
	const char *pattern = arg_word(inv, "PATTERN");
	struct slab_cache_info *all;
	unsigned long unknown = 0;
	size_t nr = 0, i;
	int err;

	err = slab_target_caches(inv->target, &all, &nr);
	if (err)
		return fail("cache", NULL, "the list of caches: %s",
			    strerror(-err));
	for (i = 0; i < nr; i++) {
		const struct slab_cache_info *c = &all[i];
		struct owners owners;
		struct value *row;
		char debug[8];

		if (pattern && !Tcl_StringMatch(c->name, pattern))
			continue;
		row = table_row(table);
		put_text(row, "name", "%s", c->name);
		put_count(row, "object_size", c->object_size);
		put_count(row, "slab_size", c->size);
		put_count(row, "objs_per_slab", c->objs_per_slab);
		put_count(row, "order", c->order);
		put_count(row, "slabs", c->total.nr_slabs);
		put_count(row, "partial", c->total.nr_partial);
		owners_of_cache(c, &owners);
		put_count(row, "users", owners.nr[SLAB_OWNER_USER]);
		put_count(row, "sheaves", owners_sheaves(&owners));
		put_count(row, "freelist", owners.nr[SLAB_OWNER_FREELIST]);
		put_count(row, "lost", owners.nr[SLAB_OWNER_LOST]);
		put_count(row, "unknown", owners.nr[SLAB_OWNER_UNKNOWN]);
		put_count(row, "total_objects", owners_all(&owners));
		unknown += owners.nr[SLAB_OWNER_UNKNOWN];
		slab_debug_text(c->flags, debug);
		put_text(row, "debug", "%s", debug);
		put_aliases(row, c);
	}
	if (unknown) {
		view_value(out, table, 0);
		view_text(out,
			  "and %lu unknown: a free chain that is cut does not "
			  "tell them from users' objects",
			  unknown);
	}
	free(all);
	return 0;
}

static const struct field node_fields[] = {
	FIELD("node", COUNT, "number of the node"),
	FIELD("slabs", COUNT, "slabs of the node"),
	FIELD("partial", COUNT, "of them on its partial list"),
	FIELD("total_objects", COUNT, "objects that its slabs hold"),
	FIELD("objects_partial", COUNT, "in use on partial slabs"),
	{},
};
static const struct field show_fields[] = {
	FIELD("name", TEXT, "cache name"),
	FIELD("id", TEXT, "its directory in /sys/kernel/slab"),
	FIELD("aliases", LIST, "other names it answers to"),
	FIELD("object_size", BYTES, "size the caller asked for"),
	FIELD("slab_size", BYTES, "object with metadata and padding"),
	FIELD("inuse", BYTES, "where metadata begins"),
	FIELD("offset", BYTES, "where the free pointer is"),
	FIELD("red_left_pad", BYTES, "red zone in front of an object"),
	FIELD("align", BYTES, "of every object"),
	FIELD("order", COUNT, "a slab has 2^order pages"),
	FIELD("objs_per_slab", COUNT, "objects in a slab"),
	FIELD("min_order", COUNT, "order when memory is scarce"),
	FIELD("min_partial", COUNT, "empty slabs a node keeps"),
	FIELD("sheaf_capacity", COUNT, "objects in a sheaf; 0: none"),
	FIELD("useroffset", BYTES, "usercopy window: first byte"),
	FIELD("usersize", BYTES, "usercopy window: length"),
	FIELD("debug", TEXT, "debug flags"),
	FIELD("flags", LIST, "what it was created with"),
	FIELD("ctor", FLAG, "has a constructor"),
	FIELD("refcount", NUMBER, "names that share it; -1: never merged"),
	FIELD("slabs", COUNT, "slabs it has"),
	FIELD("partial", COUNT, "slabs on partial lists"),
	FIELD("total_objects", COUNT, "objects its slabs hold"),
	FIELD("objects", COUNT, "of them in use, as sysfs counts"),
	FIELD("users", COUNT, "of them in users' hands"),
	FIELD("owners", TABLE, "who has how many", .of = owner_fields),
	FIELD("nodes", TABLE, "by node", .of = node_fields),
	{},
};
static const struct field show_returns =
	FIELD("cache", RECORD, NULL, .of = show_fields);

static int cache_show(const struct invocation *inv, struct model *out)
{
	struct value *r = out->root, *list;
	struct slab_cache_info c;
	struct owners owners;
	char debug[8];
	unsigned int i;

	if (place_cache(arg_word(inv, "CACHE"), &c))
		return -EINVAL;
	put_text(r, "name", "%s", c.name);
	put_text(r, "id", "%s", c.id);
	put_aliases(r, &c);
	put_count(r, "object_size", c.object_size);
	put_count(r, "slab_size", c.size);
	put_count(r, "inuse", c.inuse);
	put_count(r, "offset", c.offset);
	put_count(r, "red_left_pad", c.red_left_pad);
	put_count(r, "align", c.align);
	put_count(r, "order", c.order);
	put_count(r, "objs_per_slab", c.objs_per_slab);
	put_count(r, "min_order", c.min_order);
	put_count(r, "min_partial", c.min_partial);
	put_count(r, "sheaf_capacity", c.sheaf_capacity);
	put_count(r, "useroffset", c.useroffset);
	put_count(r, "usersize", c.usersize);
	slab_debug_text(c.flags, debug);
	put_text(r, "debug", "%s", debug);
	list = put_list(r, "flags");
	for (i = 0; i < NR_FLAGS; i++) {
		if (c.flags & flag_words[i].flag)
			list_text(list, "%s", flag_words[i].word);
	}
	put_flag(r, "ctor", c.ctor);
	put_number(r, "refcount", c.refcount);
	put_count(r, "slabs", c.total.nr_slabs);
	put_count(r, "partial", c.total.nr_partial);
	put_count(r, "total_objects", c.total.total_objects);
	put_count(r, "objects", c.objects);
	put_count(r, "users", c.users);
	owners_of_cache(&c, &owners);
	owners_put(r, "owners", &owners);
	if (c.nr_nodes < 2)
		return 0;
	list = put_table(r, "nodes");
	for (i = 0; i < c.nr_nodes && i < 16; i++) {
		struct value *row = table_row(list);

		put_count(row, "node", i);
		put_count(row, "slabs", c.node[i].nr_slabs);
		put_count(row, "partial", c.node[i].nr_partial);
		put_count(row, "total_objects", c.node[i].total_objects);
		put_count(row, "objects_partial", c.node[i].objects_partial);
	}
	return 0;
}

/* ---- layout and stats ---- */

static const struct field region_fields[] = {
	FIELD("region", TEXT, "what it is"),
	FIELD("offset", NUMBER, "from the object; tail: from the slab"),
	FIELD("length", BYTES, "bytes"),
	FIELD("name", TEXT, "how to say it behind an object"),
	FIELD("when_free", TEXT, "bytes while the object is free"),
	FIELD("when_used", TEXT, "bytes while it is handed out"),
	{},
};
static const struct field layout_fields[] = {
	FIELD("cache", TEXT, "cache name"),
	FIELD("debug", TEXT, "debug flags"),
	FIELD("slab_size", BYTES, "from one object to the next"),
	FIELD("regions", TABLE, "in address order", .of = region_fields),
	{},
};
static const struct field layout_returns =
	FIELD("layout", RECORD, NULL, .of = layout_fields);

static int cache_layout(const struct invocation *inv, struct model *out)
{
	struct slab_cache_info c;
	char debug[8];

	if (place_cache(arg_word(inv, "CACHE"), &c))
		return -EINVAL;
	slab_debug_text(c.flags, debug);
	put_text(out->root, "cache", "%s", c.name);
	put_text(out->root, "debug", "%s", debug);
	put_count(out->root, "slab_size", c.size);
	picture_layout(out, &c, put_table(out->root, "regions"));
	return 0;
}

static const struct field stat_fields[] = {
	FIELD("item", TEXT, "file in /sys/kernel/slab/CACHE"),
	FIELD("count", COUNT, "since creation"),
	FIELD("counts", TEXT, "what is counted"),
	{},
};
static const struct field stats_part[] = {
	FIELD("stats", TABLE, "one row an item", .of = stat_fields),
	{},
};
static const struct field stats_returns =
	FIELD("stats", RECORD, NULL, .of = stats_part);

static int cache_stats(const struct invocation *inv, struct model *out)
{
	struct value *table = put_table(out->root, "stats");
	struct slab_cache_info c;
	unsigned int i;

	if (place_cache(arg_word(inv, "CACHE"), &c))
		return -EINVAL;
	if (!c.has_statistics)
		return fail_answer("statistics_off",
				   "sysctl statistics=on counts for caches "
				   "made later",
				   "cache stats: %s counts nothing: statistics "
				   "were off when it was made",
				   c.name);
	for (i = 0; i < SLAB_NR_STATS; i++) {
		struct value *row;

		if (!c.stat[i] && !arg_given(inv, "all"))
			continue;
		row = table_row(table);
		put_text(row, "item", "%s", slab_stat_name(i));
		put_count(row, "count", c.stat[i]);
		put_text(row, "counts", "%s", slab_stat_counts(i));
	}
	return 0;
}

/* ---- shrink and destroy ---- */

static const struct field text_returns = FIELD("text", TEXT, NULL);

static int cache_shrink(const struct invocation *inv, struct model *out)
{
	struct slab_cache_info before, after;
	int err = place_cache(arg_word(inv, "CACHE"), &before);
	unsigned long gone;

	if (err)
		return err;
	kmem_cache_shrink(cache_handle(&before));
	if (place_cache(before.name, &after))
		return -EINVAL;
	gone = before.total.nr_slabs - after.total.nr_slabs;
	root_text(out, "%lu slab%s given back, %lu left", gone,
		  gone == 1 ? "" : "s", after.total.nr_slabs);
	return 0;
}

static int cache_destroy(const struct invocation *inv, struct model *out)
{
	const char *name = arg_word(inv, "CACHE");
	struct slab_cache_info c;

	(void)out;
	if (place_cache(name, &c))
		return -EINVAL;
	if (!slab_cache_destroy_name(inv->machine, name))
		return 0;
	return fail_answer("busy", "free all CACHE gives them back first",
			   "cache destroy: objects were left in %s; the cache "
			   "is leaked",
			   name);
}

/* ---- rows ---- */

static const struct arg create_args[] = {
	ARG("NAME", WORD, "of the new cache", .is_required = true),
	ARG("size", KEY, "bytes of an object, 1 to 4M", .value = "N",
	    .is_required = true),
	ARG("align", KEY, "a power of two", .value = "N"),
	ARG("debug", KEY, "debug flags", .value = "FZPUTA"),
	ARG("flags", KEY, ALL_FLAGS, .value = "WORD,..."),
	ARG("ctor", KEY, "a constructor that fills objects",
	    .value = "0xNN|zero"),
	ARG("sheaf", KEY, "objects in a sheaf, at least", .value = "N"),
	ARG("usersize", KEY, "window that may be copied to users",
	    .value = "OFF,LEN"),
	ARG("freeptr_offset", KEY, "where a free object keeps its link",
	    .value = "N"),
	{},
};
static const struct arg list_args[] = {
	ARG("PATTERN", WORD, "only caches whose name matches",
	    .complete = complete_cache),
	{},
};
static const struct arg cache_args[] = {
	ARG("CACHE", WORD, "name of a cache", .is_required = true,
	    .complete = complete_cache),
	{},
};
static const struct arg stats_args[] = {
	ARG("CACHE", WORD, "name of a cache", .is_required = true,
	    .complete = complete_cache),
	ARG("all", FLAG, "the items that are 0 too"),
	{},
};

const struct command cache_commands[] = {
	{
		.group = "cache",
		.name = "create",
		.brief = "make a cache of equal objects",
		.example = "cache create conn size=256 debug=FZPU",
		.args = create_args,
		.returns = &create_returns,
		.run = cache_create,
		.operates = true,
	},
	{
		.group = "cache",
		.name = "list",
		.brief = "one row a cache",
		.example = "cache list r*",
		.args = list_args,
		.returns = &list_returns,
		.run = cache_list,
	},
	{
		.group = "cache",
		.name = "show",
		.brief = "everything about one cache",
		.example = "cache show ring",
		.args = cache_args,
		.returns = &show_returns,
		.run = cache_show,
	},
	{
		.group = "cache",
		.name = "layout",
		.brief = "what lies where around an object",
		.example = "cache layout ring",
		.args = cache_args,
		.returns = &layout_returns,
		.run = cache_layout,
	},
	{
		.group = "cache",
		.name = "stats",
		.brief = "the allocator's counters",
		.example = "cache stats ring all",
		.args = stats_args,
		.returns = &stats_returns,
		.run = cache_stats,
	},
	{
		.group = "cache",
		.name = "shrink",
		.brief = "give back empty slabs",
		.example = "cache shrink ring",
		.args = cache_args,
		.returns = &text_returns,
		.run = cache_shrink,
		.operates = true,
	},
	{
		.group = "cache",
		.name = "destroy",
		.brief = "take a cache away; objects in use are a leak",
		.example = "cache destroy spare",
		.args = cache_args,
		.returns = &text_returns,
		.run = cache_destroy,
		.operates = true,
	},
	{},
};

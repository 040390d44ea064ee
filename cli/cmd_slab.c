/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_slab.c - `slab`: the slabs of a cache, one of them, its free chain
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "names.h"
#include "owners.h"
#include "picture.h"
#include "progress.h"

static const char *found_by_text(enum slab_found_by by)
{
	switch (by) {
	case SLAB_FOUND_PARTIAL_LIST:
		return "partial list";
	case SLAB_FOUND_FULL_LIST:
		return "full list";
	case SLAB_FOUND_REGION:
		return "region";
	}
	return "?";
}

static const struct field slab_fields[] = {
	FIELD("name", TEXT, "as other commands call it"),
	FIELD("state", TEXT, "partial, full, frozen, isolated or empty"),
	FIELD("base", ADDRESS, "first byte", .how = FIELD_EXTRA),
	FIELD("inuse", COUNT,
	      "objects not on its free chain, by its own count"),
	FIELD("user", COUNT, "objects in users' hands"),
	FIELD("sheaves", COUNT, "objects that rest in sheaves"),
	FIELD("freelist", COUNT, "objects on its free chain"),
	FIELD("lost", COUNT, "objects that nobody gets any more"),
	FIELD("unknown", COUNT, "objects that can not be told from users'",
	      .how = FIELD_QUIET),
	FIELD("objects", COUNT, "objects it holds"),
	FIELD("node", COUNT, "memory node", .how = FIELD_EXTRA),
	FIELD("order", COUNT, "it has 2^order pages", .how = FIELD_EXTRA),
	FIELD("frozen", FLAG, "a check failed here", .how = FIELD_QUIET),
	FIELD("found_by", TEXT, "which list led to it"),
	FIELD("report", COUNT, "number of the report that froze it",
	      .how = FIELD_QUIET),
	{},
};
static const struct field list_part[] = {
	FIELD("slabs", TABLE, "one row a slab", .of = slab_fields),
	{},
};
static const struct field list_returns =
	FIELD("list", RECORD, NULL, .of = list_part);

static void put_slab(struct value *r, const struct slab_cache_info *cache,
		     const struct slab_slab_info *slab)
{
	struct owners owners;
	char name[NAME_SIZE];

	owners_of_slab(slab, &owners, NULL);
	put_text(r, "name", "%s", slot_name(cache->name, slab->nr, -1, name));
	put_text(r, "state", "%s", slab_state_name(slab->state));
	if (slab->state == SLAB_STATE_FROZEN)
		put_style(r, "state", STYLE_BAD);
	put_count(r, "base", to_print(slab->base));
	put_count(r, "inuse", slab->inuse);
	put_count(r, "user", owners.nr[SLAB_OWNER_USER]);
	put_count(r, "sheaves", owners_sheaves(&owners));
	put_count(r, "freelist", owners.nr[SLAB_OWNER_FREELIST]);
	put_count(r, "lost", owners.nr[SLAB_OWNER_LOST]);
	put_count(r, "unknown", owners.nr[SLAB_OWNER_UNKNOWN]);
	put_count(r, "objects", slab->objects);
	put_count(r, "node", slab->node);
	put_count(r, "order", slab->order);
	put_flag(r, "frozen", slab->frozen);
	put_text(r, "found_by", "%s", found_by_text(slab->found_by));
	if (slab->report)
		put_count(r, "report", slab->report);
}

/* Users, sheaves, chain and lost are not all, and why. */
static void tell_unknown(struct model *out, const struct value *table)
{
	const struct value *row, *v;

	for (row = table->child; row; row = row->next) {
		v = record_find(row, "unknown");
		if (v && v->number)
			view_text(out,
				  "%s: %llu objects are users' or free; its "
				  "free chain is cut and does not tell",
				  record_find(row, "name")->text,
				  (unsigned long long)v->number);
	}
}

static int slab_list(const struct invocation *inv, struct model *out)
{
	const char *state = arg_word(inv, "state");
	struct slab_cache_info cache;
	struct slab_slab_info *slab;
	struct value *table;
	size_t nr = 0, i;
	int err;

	if (place_cache(arg_word(inv, "CACHE"), &cache))
		return -EINVAL;
	err = slab_target_slabs(inv->target, cache.cache, &slab, &nr);
	if (err)
		return fail("slab", NULL, "the slabs of %s: %s", cache.name,
			    strerror(-err));
	table = put_table(out->root, "slabs");
	for (i = 0; i < nr && !interrupted; i++) {
		progress_show("slab list", "slabs", i, nr);
		if (state && strcmp(state, slab_state_name(slab[i].state)))
			continue;
		put_slab(table_row(table), &cache, &slab[i]);
	}
	progress_end();
	free(slab);
	if (interrupted)
		return fail("interrupted", NULL, "interrupted");
	view_value(out, table, 0);
	tell_unknown(out, table);
	return 0;
}

static const struct field show_fields[] = {
	FIELD("name", TEXT, "as other commands call it"),
	FIELD("cache", TEXT, "cache name"),
	FIELD("state", TEXT, "partial, full, frozen, isolated or empty"),
	FIELD("base", ADDRESS, "first byte"),
	FIELD("bytes", BYTES, "its length"),
	FIELD("descriptor", ADDRESS, "its struct slab"),
	FIELD("inuse", COUNT, "objects not on its chain, by its own count"),
	FIELD("objects", COUNT, "objects it holds"),
	FIELD("frozen", FLAG, "a check failed here"),
	FIELD("partial", FLAG, "marked as on the partial list"),
	FIELD("freelist", TEXT, "first free object"),
	FIELD("node", COUNT, "memory node"),
	FIELD("order", COUNT, "it has 2^order pages"),
	FIELD("found_by", TEXT, "which list led to it"),
	FIELD("report", COUNT, "number of the report that froze it"),
	FIELD("whose", TEXT, "who has how many", .how = FIELD_PEOPLE),
	FIELD("owners", TABLE, "who has how many", .of = owner_fields,
	      .how = FIELD_QUIET),
	FIELD("map", CELLS, "a letter an object, as map shows them"),
	FIELD("chain", CHAIN, "the free objects, head first"),
	{},
};
static const struct field show_returns =
	FIELD("slab", RECORD, NULL, .of = show_fields);

static int slab_show(const struct invocation *inv, struct model *out)
{
	struct slab_cache_info cache;
	struct slab_slab_info slab;
	struct value *r = out->root;
	char name[NAME_SIZE], *letters;
	struct owners owners;

	if (place_slab(arg_word(inv, "SLAB"), &cache, &slab))
		return -EINVAL;
	put_text(r, "name", "%s", slot_name(cache.name, slab.nr, -1, name));
	put_text(r, "cache", "%s", cache.name);
	put_text(r, "state", "%s", slab_state_name(slab.state));
	if (slab.state == SLAB_STATE_FROZEN)
		put_style(r, "state", STYLE_BAD);
	put_count(r, "base", to_print(slab.base));
	put_count(r, "bytes", slab.bytes);
	put_count(r, "descriptor", to_print(slab.descriptor));
	put_count(r, "inuse", slab.inuse);
	put_count(r, "objects", slab.objects);
	put_flag(r, "frozen", slab.frozen);
	put_flag(r, "partial", slab.is_partial);
	put_text(r, "freelist", "%s",
		 slab.freelist ? place_name(slab.freelist, name) : "-");
	put_count(r, "node", slab.node);
	put_count(r, "order", slab.order);
	put_text(r, "found_by", "%s", found_by_text(slab.found_by));
	if (slab.report)
		put_count(r, "report", slab.report);
	owners_of_slab(&slab, &owners, &letters);
	owners_text(r, "whose", &owners);
	owners_put(r, "owners", &owners);
	put_text(r, "map", "%s", letters);
	free(letters);
	picture_chain(put_list(r, "chain"), &slab);
	return 0;
}

static const struct field freelist_fields[] = {
	FIELD("slab", TEXT, "as other commands call it"),
	FIELD("chain", CHAIN, "numbers of the free objects, head first"),
	FIELD("end", TEXT, "how the chain ends"),
	FIELD("wild", ADDRESS, "where its last link points"),
	FIELD("free", COUNT, "objects that the slab's counts say are free"),
	{},
};
static const struct field freelist_returns =
	FIELD("freelist", RECORD, NULL, .of = freelist_fields);

static const char *const ends[] = {
	[SLAB_CHAIN_WHOLE] = "whole: it ends with NULL",
	[SLAB_CHAIN_CYCLE] = "a circle: it comes back to an object",
	[SLAB_CHAIN_WILD] = "wild: its last link is no object of the slab",
	[SLAB_CHAIN_SHORT] = "short: objects that should be free are not on it",
};
static const char *const end_words[] = {
	[SLAB_CHAIN_WHOLE] = "whole",
	[SLAB_CHAIN_CYCLE] = "cycle",
	[SLAB_CHAIN_WILD] = "wild",
	[SLAB_CHAIN_SHORT] = "short",
};

static int slab_freelist(const struct invocation *inv, struct model *out)
{
	struct slab_freelist_info list = { 0 };
	struct slab_cache_info cache;
	struct slab_slab_info slab;
	struct value *chain;
	struct block *line;
	char name[NAME_SIZE];
	size_t i;
	int err;

	if (place_slab(arg_word(inv, "SLAB"), &cache, &slab))
		return -EINVAL;
	err = slab_target_freelist(inv->target, cache.cache, slab.nr, &list);
	if (err)
		return fail("slab", NULL, "the free chain: %s", strerror(-err));
	slot_name(cache.name, slab.nr, -1, name);
	put_text(out->root, "slab", "%s", name);
	chain = put_list(out->root, "chain");
	for (i = 0; i < list.nr; i++)
		list_number(chain, KIND_COUNT, list.index[i]);
	put_text(out->root, "end", "%s", end_words[list.end]);
	if (list.end == SLAB_CHAIN_WILD)
		put_count(out->root, "wild", to_print(list.wild));
	put_count(out->root, "free", slab.objects - slab.inuse);
	line = view_line(out);
	line_add(line, STYLE_STRONG, "%s", name);
	line_add(line, STYLE_PLAIN, "  %zu on the chain, %u free by its counts",
		 list.nr, slab.objects - slab.inuse);
	view_value(out, chain, 0);
	line = view_line(out);
	line_add(line, list.end == SLAB_CHAIN_WHOLE ? STYLE_DIM : STYLE_BAD,
		 "%s%s%s", ends[list.end],
		 list.end == SLAB_CHAIN_WILD ? ", " : "",
		 list.end == SLAB_CHAIN_WILD ? address_text(list.wild) : "");
	free(list.index);
	return 0;
}

static const struct arg list_args[] = {
	ARG("CACHE", WORD, "name of a cache", .is_required = true,
	    .complete = complete_cache),
	ARG("state", KEY, "only slabs in this state",
	    .choices = "partial|full|frozen|isolated|empty"),
	{},
};
static const struct arg slab_args[] = {
	ARG("SLAB", WORD, "ring:S1, or an object in it", .is_required = true,
	    .complete = complete_slab),
	{},
};

const struct command slab_commands[] = {
	{
		.group = "slab",
		.name = "list",
		.brief = "one row a slab, and which way it was found",
		.example = "slab list ring",
		.args = list_args,
		.returns = &list_returns,
		.run = slab_list,
	},
	{
		.group = "slab",
		.name = "show",
		.brief = "everything about one slab",
		.example = "slab show ring:S1",
		.args = slab_args,
		.returns = &show_returns,
		.run = slab_show,
	},
	{
		.group = "slab",
		.name = "freelist",
		.brief = "the chain of free objects, as far as it goes",
		.example = "slab freelist $b.slab",
		.args = slab_args,
		.returns = &freelist_returns,
		.run = slab_freelist,
	},
	{},
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_barn.c - `barn`: the sheaves that the CPUs of a node share
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "names.h"
#include "owners.h"
#include "sheaf_row.h"

static const struct field node_fields[] = {
	FIELD("node", COUNT, "number of the node"),
	FIELD("memory", FLAG, "it has some"),
	FIELD("full", COUNT, "full sheaves", .how = FIELD_QUIET),
	FIELD("max_full", COUNT, "it takes no more", .how = FIELD_QUIET),
	FIELD("empty", COUNT, "empty sheaves", .how = FIELD_QUIET),
	FIELD("max_empty", COUNT, "it takes no more", .how = FIELD_QUIET),
	FIELD("full_of", TEXT, "full sheaves, and its limit",
	      .header = "full sheaves", .how = FIELD_PEOPLE),
	FIELD("empty_of", TEXT, "empty sheaves, and its limit",
	      .header = "empty sheaves", .how = FIELD_PEOPLE),
	{},
};
static const struct field stock_fields[] = {
	FIELD("node", COUNT, "of the barn"),
	FIELD("list", TEXT, "full or empty"),
	SHEAF_ROW_FIELDS,
	{},
};
static const struct field barn_fields[] = {
	FIELD("cache", TEXT, "cache name"),
	FIELD("sheaf_capacity", COUNT, "objects a sheaf of it holds"),
	FIELD("nodes", TABLE, "one row a barn", .of = node_fields),
	FIELD("sheaves", TABLE, "in them, the next to leave first",
	      .of = stock_fields),
	FIELD("owners", TABLE, "who has how many", .of = owner_fields),
	{},
};
static const struct field barn_returns =
	FIELD("barn", RECORD, NULL, .of = barn_fields);

static void put_barn(struct value *table, unsigned int node,
		     const struct slab_barn_info *b)
{
	struct value *row = table_row(table);

	put_count(row, "node", node);
	put_flag(row, "memory", b->has_memory);
	if (!b->exists) {
		put_unknown(row, "full", "the node has no barn");
		put_unknown(row, "empty", "the node has no barn");
		put_text(row, "full_of", "no barn");
		put_text(row, "empty_of", "no barn");
		return;
	}
	put_count(row, "full", b->nr_full);
	put_count(row, "max_full", b->max_full);
	put_count(row, "empty", b->nr_empty);
	put_count(row, "max_empty", b->max_empty);
	put_text(row, "full_of", "%u/%u", b->nr_full, b->max_full);
	put_text(row, "empty_of", "%u/%u", b->nr_empty, b->max_empty);
}

static void put_stock(struct value *table, const struct slab_sheaf_info *s)
{
	struct value *row = table_row(table);

	put_count(row, "node", (uint64_t)s->node);
	put_text(row, "list", "%s", s->is_full_list ? "full" : "empty");
	put_count(row, "size", s->size);
	put_count(row, "capacity", s->capacity);
	put_text(row, "holds", "%3u/%u", s->size, s->capacity);
	sheaf_row_objects(row, s);
}

static int barn_show(const struct invocation *inv, struct model *out)
{
	struct slab_barn_info barn[SLAB_MAX_NODES];
	struct slab_sheaf_info *sheaf;
	struct slab_cache_info cache;
	struct value *nodes, *sheaves;
	unsigned int nr_nodes = 0, i;
	struct owners owners;
	uint64_t node = UINT64_MAX;
	size_t nr, k;

	if (place_cache(arg_word(inv, "CACHE"), &cache) ||
	    arg_number(inv, "NODE", UINT32_MAX, &node))
		return -EINVAL;
	slab_target_barns(inv->target, cache.cache, barn, &nr_nodes);
	if (arg_given(inv, "NODE") && node >= nr_nodes)
		return fail("value", "--nodes N makes more",
			    "barn show: no node %llu: this machine has %s%u",
			    (unsigned long long)node,
			    nr_nodes == 1 ? "only node " : "0 to ",
			    nr_nodes - 1);
	if (sheaf_rows_find(&cache, &sheaf, &nr))
		return -EINVAL;
	sheaf_rows_head(out, &cache);
	nodes = put_table(out->root, "nodes");
	for (i = 0; i < nr_nodes; i++) {
		if (node == UINT64_MAX || node == i)
			put_barn(nodes, i, &barn[i]);
	}
	sheaves = put_table(out->root, "sheaves");
	for (k = 0; k < nr; k++) {
		if (sheaf[k].place == SLAB_OWNER_BARN &&
		    (node == UINT64_MAX || (int)node == sheaf[k].node))
			put_stock(sheaves, &sheaf[k]);
	}
	owners_of_cache(&cache, &owners);
	owners_put(out->root, "owners", &owners);
	if (cache.sheaf_capacity)
		view_value(out, nodes, 0);
	if (sheaves->child)
		view_long_table(out, sheaves);
	owners_view(out, &owners, cache.sheaf_capacity != 0);
	sheaf_rows_difference(out, &owners, sheaf, nr);
	free(sheaf);
	return 0;
}

/* ---- rows ---- */

static const struct arg barn_args[] = {
	ARG("CACHE", WORD, "name of a cache", .is_required = true,
	    .complete = complete_cache),
	ARG("NODE", WORD, "one node's barn alone"),
	{},
};

const struct command barn_commands[] = {
	{
		.group = "barn",
		.name = "show",
		.brief = "the full and empty sheaves that a node keeps",
		.example = "barn show plain",
		.args = barn_args,
		.returns = &barn_returns,
		.run = barn_show,
	},
	{},
};

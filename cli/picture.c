/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * picture.c - caches, slabs and objects as rulers and maps
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>

#include "names.h"
#include "owners.h"
#include "picture.h"
#include "progress.h"

/* ---- regions ---- */

static const struct region_row {
	const char *label; /* in a ruler */
	const char *word;  /* behind an object's name; NULL: none */
	const char *when_free, *when_used;
	enum style style;
} region_rows[SLAB_NR_REGIONS] = {
	[SLAB_REGION_LEFT_REDZONE] = { "left", ".left", "bb", "cc",
				       STYLE_WARN },
	[SLAB_REGION_OBJECT] = { "object", ".start", "6b .. a5", "the user's",
				 STYLE_NAME },
	[SLAB_REGION_KMALLOC_REDZONE] = { "kmalloc rz", NULL, "6b", "cc",
					  STYLE_WARN },
	[SLAB_REGION_RIGHT_REDZONE] = { "rz", ".redzone", "bb", "cc",
					STYLE_WARN },
	[SLAB_REGION_ALIGN_PADDING] = { "align", ".end", "5a", "5a",
					STYLE_DIM },
	[SLAB_REGION_FREEPTR] = { "fp", ".fp", "next free object",
				  "left as it was", STYLE_GOOD },
	[SLAB_REGION_TRACK_ALLOC] = { "alloc", ".track.alloc", "last alloc",
				      "who and when", STYLE_PLAIN },
	[SLAB_REGION_TRACK_FREE] = { "free", ".track.free", "who and when",
				     "last free", STYLE_PLAIN },
	[SLAB_REGION_ORIG_SIZE] = { "orig", ".orig", "last request",
				    "size asked for", STYLE_PLAIN },
	[SLAB_REGION_PADDING] = { "pad", ".pad", "5a", "5a", STYLE_DIM },
	[SLAB_REGION_TAIL] = { "tail", NULL, "5a", "5a", STYLE_DIM },
};

const char *region_word(enum slab_region region)
{
	return region < SLAB_NR_REGIONS ? region_rows[region].word : NULL;
}

/* What the cache's flags really keep in a region. */
static const char *region_bytes(const struct slab_cache_info *c,
				enum slab_region region, bool is_free)
{
	const struct region_row *row = &region_rows[region];
	bool poisons = c->flags & SLAB_POISON;

	if (region == SLAB_REGION_OBJECT && is_free && !c->has_object_poison)
		return "what was left there";
	if ((region == SLAB_REGION_PADDING || region == SLAB_REGION_TAIL ||
	     region == SLAB_REGION_ALIGN_PADDING) &&
	    !poisons)
		return "anything";
	return is_free ? row->when_free : row->when_used;
}

static size_t ruler_parts(const struct slab_cache_info *cache,
			  struct ruler_part part[12])
{
	struct slab_region_info region[12];
	size_t nr = slab_cache_layout(cache, region), i, n = 0;

	for (i = 0; i < nr; i++) {
		const struct region_row *row = &region_rows[region[i].region];

		if (region[i].region == SLAB_REGION_TAIL)
			continue;
		part[n].label = row->label;
		part[n].offset = region[i].offset;
		part[n].length = region[i].length;
		part[n++].style = row->style;
	}
	return n;
}

void picture_object(struct model *out, const struct slab_cache_info *cache,
		    const struct ruler_mark *mark, size_t nr_marks)
{
	struct ruler_mark marks[18];
	struct ruler_part part[12];
	size_t nr = ruler_parts(cache, part), n = 0;

	/* a free pointer inside the object is no region of its own */
	if (cache->offset < cache->object_size) {
		marks[n].offset = (long)cache->offset;
		marks[n].text = ".fp when free";
		marks[n++].style = STYLE_DIM;
	}
	while (nr_marks-- && n < 18)
		marks[n++] = *mark++;
	view_ruler(out, part, nr, marks, n);
}

void picture_layout(struct model *out, const struct slab_cache_info *cache,
		    struct value *table)
{
	struct slab_region_info region[12];
	size_t nr = slab_cache_layout(cache, region), i;
	struct block *line = view_line(out);
	char debug[8];

	slab_debug_text(cache->flags, debug);
	line_add(line, STYLE_STRONG, "%s", cache->name);
	line_add(line, STYLE_PLAIN,
		 "  %u B in %u B, %u per slab of %u page%s, debug %s",
		 cache->object_size, cache->size, cache->objs_per_slab,
		 1U << cache->order, cache->order ? "s" : "", debug);
	picture_object(out, cache, NULL, 0);
	for (i = 0; i < nr; i++) {
		enum slab_region r = region[i].region;
		struct value *row = table_row(table);

		put_text(row, "region", "%s", slab_region_name(r));
		put_number(row, "offset", region[i].offset);
		put_count(row, "length", region[i].length);
		put_text(row, "name", "%s",
			 region_rows[r].word ? region_rows[r].word : "-");
		put_text(row, "when_free", "%s", region_bytes(cache, r, true));
		put_text(row, "when_used", "%s", region_bytes(cache, r, false));
	}
	view_value(out, table, 0);
}

/* ---- map ---- */

static const struct field slab_fields[] = {
	FIELD("name", TEXT, "as other commands call it", .how = FIELD_QUIET),
	FIELD("slab", TEXT, "number of the slab", .how = FIELD_PEOPLE),
	FIELD("state", TEXT, "partial, full, frozen, isolated or empty"),
	FIELD("base", ADDRESS, "first byte", .how = FIELD_EXTRA),
	FIELD("inuse", COUNT, "the slab's own count", .how = FIELD_QUIET),
	FIELD("objects_in_slab", COUNT, "how many it has", .how = FIELD_QUIET),
	FIELD("in_use", TEXT, "inuse of objects", .how = FIELD_PEOPLE),
	FIELD("user", COUNT, "objects in users' hands"),
	FIELD("objects", CELLS, "a letter an object, the first on the left"),
	FIELD("freelist", CHAIN, "the slab's chain of free objects"),
	{},
};
static const struct field map_fields[] = {
	FIELD("cache", TEXT, "cache name"),
	FIELD("object_size", BYTES, "size the caller asked for"),
	FIELD("objs_per_slab", COUNT, "objects in a slab"),
	FIELD("total_objects", COUNT, "objects in its slabs"),
	FIELD("users", COUNT, "of them in users' hands"),
	FIELD("inuse", COUNT, "what the slabs' own counts add up to"),
	FIELD("damaged", COUNT, "objects in which a check finds something"),
	FIELD("slabs", TABLE, "one row a slab", .of = slab_fields),
	FIELD("owners", TABLE, "who has how many", .of = owner_fields),
	{},
};
const struct field map_returns = FIELD("map", RECORD, NULL, .of = map_fields);

struct sums {
	struct owners owners;
	unsigned long inuse, slabs, state[SLAB_STATE_UNKNOWN + 1];
};

void picture_chain(struct value *chain, const struct slab_slab_info *slab)
{
	struct slab_freelist_info list = { 0 };
	size_t i;

	if (slab_target_freelist(session.target, slab->cache, slab->nr, &list))
		return;
	for (i = 0; i < list.nr; i++)
		list_number(chain, KIND_COUNT, list.index[i]);
	free(list.index);
}

static enum style state_style(enum slab_state state)
{
	return state == SLAB_STATE_FROZEN    ? STYLE_BAD
	       : state == SLAB_STATE_UNKNOWN ? STYLE_WARN
					     : STYLE_PLAIN;
}

static void add_owners(struct owners *to, const struct owners *o)
{
	size_t i;

	for (i = 0; i < SLAB_NR_OWNERS; i++)
		to->nr[i] += o->nr[i];
	to->damaged += o->damaged;
}

static void put_slab(struct value *table, const struct slab_cache_info *cache,
		     const struct slab_slab_info *slab, struct sums *sums)
{
	struct value *row = table_row(table);
	struct owners owners;
	char name[NAME_SIZE], *letters;

	owners_of_slab(slab, &owners, &letters);
	put_text(row, "name", "%s", slot_name(cache->name, slab->nr, -1, name));
	put_text(row, "slab", "S%u", slab->nr);
	put_text(row, "state", "%s", slab_state_name(slab->state));
	put_style(row, "state", state_style(slab->state));
	put_count(row, "base", to_print(slab->base));
	put_count(row, "inuse", slab->inuse);
	put_count(row, "objects_in_slab", slab->objects);
	put_text(row, "in_use", "%3u/%u", slab->inuse, slab->objects);
	put_count(row, "user", owners.nr[SLAB_OWNER_USER]);
	put_text(row, "objects", "%s", letters);
	picture_chain(put_list(row, "freelist"), slab);
	free(letters);
	add_owners(&sums->owners, &owners);
	sums->inuse += slab->inuse;
	sums->slabs++;
	sums->state[slab->state]++;
}

#define FEW_SLABS 12 /* more are summed up by state */

/* slabs: 15600 full, 25 partial */
static void put_states(struct model *out, const struct sums *sums)
{
	struct block *line;
	size_t i, nr = 0;

	if (sums->slabs <= FEW_SLABS)
		return;
	line = view_line(out);
	line_add(line, STYLE_PLAIN, "  slabs:");
	for (i = 0; i <= SLAB_STATE_UNKNOWN; i++) {
		if (sums->state[i])
			line_add(line, STYLE_PLAIN, "%s %lu %s",
				 nr++ ? "," : "", sums->state[i],
				 slab_state_name(i));
	}
}

static void put_head(struct model *out, struct block *line,
		     const struct slab_cache_info *cache,
		     const struct sums *sums)
{
	unsigned long users = sums->owners.nr[SLAB_OWNER_USER];
	unsigned long all = owners_all(&sums->owners);
	char debug[8];

	slab_debug_text(cache->flags, debug);
	line_add(line, STYLE_STRONG, "%s", cache->name);
	line_add(line, STYLE_PLAIN, "  %u B, %u per slab, %lu slab%s",
		 cache->object_size, cache->objs_per_slab, sums->slabs,
		 sums->slabs == 1 ? "" : "s");
	if (strcmp(debug, "-"))
		line_add(line, STYLE_PLAIN, ", %s", debug);
	if (strcmp(debug, "-") && sums->inuse != users)
		line = view_line(
			out); /* together they are too much for one line */
	else
		line_add(line, STYLE_PLAIN, "   ");
	line->breaks_wide = true;
	if (sums->inuse == users)
		line_add(line, STYLE_PLAIN, "users hold %lu of %lu", users,
			 all);
	else
		line_add(line, STYLE_PLAIN,
			 "users hold %lu of %lu; slab->inuse adds up to %lu",
			 users, all, sums->inuse);
	put_text(out->root, "cache", "%s", cache->name);
	put_count(out->root, "object_size", cache->object_size);
	put_count(out->root, "objs_per_slab", cache->objs_per_slab);
	put_count(out->root, "total_objects", all);
	put_count(out->root, "users", users);
	put_count(out->root, "inuse", sums->inuse);
	put_count(out->root, "damaged", sums->owners.damaged);
}

int picture_map(struct model *out, const struct slab_cache_info *cache,
		unsigned int slab_nr)
{
	struct block *line = view_line(out);
	struct slab_slab_info *slab;
	struct sums sums = { 0 };
	struct value *table;
	size_t nr = 0, i;
	int err;

	err = slab_target_slabs(session.target, cache->cache, &slab, &nr);
	if (err)
		return fail("slab", NULL, "the slabs of %s: %s", cache->name,
			    strerror(-err));
	table = put_table(out->root, "slabs");
	for (i = 0; i < nr && !interrupted; i++) {
		progress_show("map", "slabs", i, nr);
		if (!slab_nr || slab[i].nr == slab_nr)
			put_slab(table, cache, &slab[i], &sums);
	}
	progress_end();
	free(slab);
	if (interrupted)
		return fail("interrupted", NULL, "interrupted");
	put_head(out, line, cache, &sums);
	put_states(out, &sums);
	view_long_table(out, table);
	owners_put(out->root, "owners", &sums.owners);
	if (sums.slabs)
		owners_view(out, &sums.owners, cache->sheaf_capacity != 0);
	return 0;
}

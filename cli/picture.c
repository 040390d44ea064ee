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
#include "picture.h"

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

#define DAMAGED '!'

static const struct field slab_fields[] = {
	FIELD("name", TEXT, "as other commands call it", .how = FIELD_QUIET),
	FIELD("slab", TEXT, "number of the slab", .how = FIELD_PEOPLE),
	FIELD("state", TEXT, "partial, full, frozen, isolated or empty"),
	FIELD("base", ADDRESS, "first byte"),
	FIELD("inuse", COUNT, "the slab's own count", .how = FIELD_QUIET),
	FIELD("objects_in_slab", COUNT, "how many it has", .how = FIELD_QUIET),
	FIELD("in_use", TEXT, "inuse of objects", .how = FIELD_PEOPLE),
	FIELD("user", COUNT, "objects in users' hands"),
	FIELD("objects", CELLS, "a letter an object, the first on the left"),
	FIELD("freelist", CHAIN, "the slab's chain of free objects"),
	{},
};
static const struct field owner_fields[] = {
	FIELD("owner", TEXT, "who has it"),
	FIELD("letter", TEXT, "in the map"),
	FIELD("count", COUNT, "how many objects"),
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
	unsigned long owner[SLAB_OWNER_UNKNOWN + 1];
	unsigned long objects, inuse, damaged, slabs;
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

/* The letters of a slab's objects; adds them to sums. */
static char *slab_letters(const struct slab_slab_info *slab, struct sums *sums,
			  unsigned long *users)
{
	struct slab_object_info *object;
	size_t nr = 0, i;
	char *letters;

	*users = 0;
	if (slab_target_objects(session.target, slab->cache, slab->nr, &object,
				&nr))
		return must_strdup("");
	letters = must_alloc(nr + 1);
	for (i = 0; i < nr; i++) {
		letters[i] = slab_owner_letter(object[i].owner);
		if (object[i].is_damaged)
			letters[i] = DAMAGED;
		sums->owner[object[i].owner]++;
		sums->damaged += object[i].is_damaged;
		*users += object[i].owner == SLAB_OWNER_USER;
	}
	sums->objects += nr;
	free(object);
	return letters;
}

char *picture_letters(const struct slab_slab_info *slab)
{
	struct sums sums = { 0 };
	unsigned long users;

	return slab_letters(slab, &sums, &users);
}

static void put_slab(struct value *table, const struct slab_cache_info *cache,
		     const struct slab_slab_info *slab, struct sums *sums)
{
	struct value *row = table_row(table);
	unsigned long users;
	char *letters = slab_letters(slab, sums, &users);
	char name[NAME_SIZE];

	put_text(row, "name", "%s", slot_name(cache->name, slab->nr, -1, name));
	put_text(row, "slab", "S%u", slab->nr);
	put_text(row, "state", "%s", slab_state_name(slab->state));
	put_style(row, "state", state_style(slab->state));
	put_count(row, "base", to_print(slab->base));
	put_count(row, "inuse", slab->inuse);
	put_count(row, "objects_in_slab", slab->objects);
	put_text(row, "in_use", "%3u/%u", slab->inuse, slab->objects);
	put_count(row, "user", users);
	put_text(row, "objects", "%s", letters);
	picture_chain(put_list(row, "freelist"), slab);
	sums->inuse += slab->inuse;
	sums->slabs++;
	free(letters);
}

static const char *owner_words(enum slab_owner owner)
{
	switch (owner) {
	case SLAB_OWNER_FREELIST:
		return "slab freelist";
	case SLAB_OWNER_LOST:
		return "lost";
	default:
		return slab_owner_name(owner);
	}
}

/* # user 5   . slab freelist 7 = 12 */
static void put_legend(struct model *out, const struct sums *sums)
{
	struct value *owners = put_table(out->root, "owners"), *row;
	struct block *line = view_line(out);
	unsigned int i;

	for (i = 0; i <= SLAB_OWNER_UNKNOWN; i++) {
		char letter = slab_owner_letter(i);

		row = table_row(owners);
		put_text(row, "owner", "%s", slab_owner_name(i));
		put_text(row, "letter", "%c", letter);
		put_count(row, "count", sums->owner[i]);
		if (!sums->owner[i] && i > SLAB_OWNER_FREELIST)
			continue;
		line_add(line, STYLE_PLAIN, "%s", i ? "   " : "");
		line_add(line, STYLE_STRONG, "%c", letter);
		line_add(line, STYLE_PLAIN, " %s %lu", owner_words(i),
			 sums->owner[i]);
	}
	line_add(line, STYLE_PLAIN, "   = %lu", sums->objects);
	if (!sums->damaged)
		return;
	line_add(line, STYLE_PLAIN, "   ");
	line_add(line, STYLE_BAD, "%c", DAMAGED);
	line_add(line, STYLE_PLAIN, " damaged %lu, counted with its owner",
		 sums->damaged);
}

static void put_head(struct model *out, struct block *line,
		     const struct slab_cache_info *cache,
		     const struct sums *sums)
{
	unsigned long users = sums->owner[SLAB_OWNER_USER];
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
	line_add(line, STYLE_PLAIN, "users hold %lu of %lu", users,
		 sums->objects);
	if (sums->inuse != users)
		line_add(line, STYLE_PLAIN, "; slab->inuse adds up to %lu",
			 sums->inuse);
	put_text(out->root, "cache", "%s", cache->name);
	put_count(out->root, "object_size", cache->object_size);
	put_count(out->root, "objs_per_slab", cache->objs_per_slab);
	put_count(out->root, "total_objects", sums->objects);
	put_count(out->root, "users", users);
	put_count(out->root, "inuse", sums->inuse);
	put_count(out->root, "damaged", sums->damaged);
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
	for (i = 0; i < nr; i++) {
		if (!slab_nr || slab[i].nr == slab_nr)
			put_slab(table, cache, &slab[i], &sums);
	}
	free(slab);
	put_head(out, line, cache, &sums);
	view_value(out, table, 0);
	if (sums.slabs)
		put_legend(out, &sums);
	else
		put_table(out->root, "owners");
	return 0;
}

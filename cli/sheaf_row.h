/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sheaf_row.h - sheaves as rows of a table, whether a CPU or a barn has them
 */
#ifndef CLI_SHEAF_ROW_H
#define CLI_SHEAF_ROW_H

#include "model.h"
#include "owners.h"

/* What a table says of a sheaf. */
#define SHEAF_ROW_FIELDS                                                       \
	FIELD("size", COUNT, "objects in it", .how = FIELD_QUIET),             \
		FIELD("capacity", COUNT, "that it holds", .how = FIELD_QUIET), \
		FIELD("holds", TEXT, "size of capacity", .how = FIELD_PEOPLE), \
		FIELD("objects", LIST, "in it, the next to leave first",       \
		      .how = FIELD_QUIET),                                     \
		FIELD("next", TEXT, "the next to leave first",                 \
		      .how = FIELD_PEOPLE,                                     \
		      .header = "the next to leave first")

/* The objects of a sheaf, top first, for programs and for people. */
void sheaf_row_objects(struct value *row, const struct slab_sheaf_info *sheaf);

/* All of the cache, to free(); -EINVAL with the error set. */
int sheaf_rows_find(const struct slab_cache_info *cache,
		    struct slab_sheaf_info **ret, size_t *nr);
/* "ring  192 B, 21 per slab, sheaves of 60", and its fields. */
struct block *sheaf_rows_head(struct model *out,
			      const struct slab_cache_info *cache);
/* An object that stands in two sheaves, or is none of the cache's, is counted
 * once or not at all; then sheaves and owners differ. */
void sheaf_rows_difference(struct model *out, const struct owners *o,
			   const struct slab_sheaf_info *sheaf, size_t nr);

#endif

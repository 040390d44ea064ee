/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * picture.h - caches, slabs and objects as rulers and maps
 */
#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include <slab/inspect.h>

#include "model.h"

/* A ruler of the cache's slots and a row a region in table. */
void picture_layout(struct model *out, const struct slab_cache_info *cache,
		    struct value *table);
/* A ruler with marks below, for one object. */
void picture_object(struct model *out, const struct slab_cache_info *cache,
		    const struct ruler_mark *mark, size_t nr_marks);

/* The map of a cache, or of one of its slabs (0: all). -errno with the error
 * set. `returns` of its model is map_returns. */
extern const struct field map_returns;
int picture_map(struct model *out, const struct slab_cache_info *cache,
		unsigned int slab_nr);

/* Its chain of free objects into a CHAIN. */
void picture_chain(struct value *chain, const struct slab_slab_info *slab);

/* Short names of regions: what follows the dot; NULL: none. */
const char *region_word(enum slab_region region);

#endif

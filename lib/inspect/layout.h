/* SPDX-License-Identifier: MIT */
/* inspect/layout.h - which region of a slot an offset lies in */
#ifndef SLAB_INSPECT_LAYOUT_H
#define SLAB_INSPECT_LAYOUT_H

#include <slab/inspect.h>

/* offset: from the object, within its slot. orig_size: of an object in use, 0:
 * none recorded. */
enum slab_region layout_region(const struct slab_cache_info *info,
			       size_t orig_size, int offset,
			       int *region_offset);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * names.h - ring:S1#3, $b.end, $b+50: what people call an address
 *
 *	place  := base { step }
 *	base   := CACHE:S<n> | CACHE:S<n>#<k> | 0xADDRESS
 *	step   := +N | -N | .region
 *
 * A name says which slot, not what lies in it, so it outlives free and alloc.
 * Functions return 0, or -EINVAL with the session's error set.
 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "command.h"

int place_address(const char *text, uintptr_t *ret);
/* An address that is in a slab; ret->object is its object. */
int place_identify(const char *text, struct slab_address_info *ret);
/* The start of an object. */
int place_object(const char *text, struct slab_address_info *ret);
/* ring:S1, or the slab that an object or address lies in. */
int place_slab(const char *text, struct slab_cache_info *cache,
	       struct slab_slab_info *slab);
/* A cache by name, with the nearest name as hint. */
int place_cache(const char *name, struct slab_cache_info *ret);
struct kmem_cache *cache_handle(const struct slab_cache_info *info);

/* Is text the plain name of an object? Splits it. */
bool name_split(const char *text, char *cache, size_t size,
		unsigned int *slab_nr, long *index);

#define NAME_SIZE 128
/* ring:S1#3, or 0x... when it is in no slab. Returns buf. */
const char *object_name(uintptr_t address, char *buf);
const char *slot_name(const char *cache, unsigned int slab_nr, long index,
		      char *buf);
/* ring:S1#3+50 */
const char *place_name(uintptr_t address, char *buf);

uintptr_t to_print(uintptr_t address);
/* "0x550000002008" in a ring of buffers that the next sixteen calls keep. */
const char *address_text(uintptr_t address);

/* Start of a region from the object; false when the cache has none. */
bool region_find(const struct slab_cache_info *cache, enum slab_region region,
		 struct slab_region_info *ret);

/* ---- names that `as` gave: $b for ring:S1#3 ---- */
struct labels;
struct labels *labels_create(void);
void labels_destroy(struct labels *l);
void labels_add(struct labels *l, const char *variable);
/* The variable that still holds object, without its $; NULL: none. */
const char *labels_find(struct labels *l, const char *object);

#endif

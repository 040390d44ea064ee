/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * owners.h - free, but where? Who has how many objects, the same in every view
 *
 *	users + sheaves + slabs' free chains + lost + unknown = all
 *
 * Sheaves: main, spare and rcu of the CPUs, barns of the nodes, borrowed ones.
 */
#ifndef CLI_OWNERS_H
#define CLI_OWNERS_H

#include <slab/inspect.h>

#include "model.h"

struct owners {
	unsigned long nr[SLAB_NR_OWNERS];
	unsigned long damaged; /* counted with their owners too */
};

unsigned long owners_all(const struct owners *o);
unsigned long owners_sheaves(const struct owners *o);
/* Of a cache, as the inspector counted. */
void owners_of_cache(const struct slab_cache_info *cache, struct owners *ret);
/* Of a slab; its objects' letters when ret_letters is not NULL: free() them. */
int owners_of_slab(const struct slab_slab_info *slab, struct owners *ret,
		   char **ret_letters);

/* One row an owner: a table of the answer, and a line for people. Those that a
 * cache without sheaves can not have are left out of the line. */
extern const struct field owner_fields[];
void owners_put(struct value *record, const char *name, const struct owners *o);
void owners_view(struct model *out, const struct owners *o, bool has_sheaves);
/* Those that there are, in a record: "user 3   main 2   = 5". */
void owners_text(struct value *record, const char *name,
		 const struct owners *o);

/* "cpu0.main", "barn0.full", "ring:sheaf1": the sheaf an object lies in, and
 * how many leave it first. false: it lies in none. */
#define PLACE_SIZE 96
bool owner_place(const struct slab_cache_info *cache, uintptr_t object,
		 char place[PLACE_SIZE], unsigned int *above);
/* "in use"; "free, in cpu0.main, 3 leave before it"; and the same for programs
 * into rests, which stays empty for objects in no sheaf. */
const char *owner_sentence(const struct slab_address_info *info,
			   char buf[2 * PLACE_SIZE], char rests[PLACE_SIZE]);
/* What a sheaf is called. Returns buf. */
const char *sheaf_place(const struct slab_sheaf_info *sheaf,
			char buf[PLACE_SIZE]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * borrowed.h - names of sheaves that users borrowed: ring:sheaf1
 *
 * A name stays after its sheaf went back, so that a second use of it can be
 * told from a slip of the finger, and meets the library's own check.
 */
#ifndef CLI_BORROWED_H
#define CLI_BORROWED_H

#include <stdbool.h>
#include <stdint.h>

#include <slab/inspect.h>
#include <slab/sheaf.h>

struct borrowed {
	char name[96];
	uintptr_t cache; /* handle; it may be gone */
	char cache_name[64];
	struct slab_sheaf *sheaf;
	bool is_back;
	struct borrowed *next;
};

struct borrowed *borrowed_add(const struct slab_cache_info *cache,
			      struct slab_sheaf *sheaf);
/* By name; NULL with the error set. */
struct borrowed *borrowed_find(const char *name);
/* Of a sheaf that is still out; NULL: none. */
const char *borrowed_name(uintptr_t sheaf);
/* The machine is another one. */
void borrowed_forget(void);

struct words;
void complete_borrowed(struct words *to);

#endif

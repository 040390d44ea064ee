/* SPDX-License-Identifier: MIT */
/*
 * debug/flags.h - slab_debug=: which debug flags a cache gets
 *
 * Grammar and matching: spec/debugging/slab_debug.md.
 */
#ifndef SLAB_DEBUG_FLAGS_H
#define SLAB_DEBUG_FLAGS_H

#include "machine/machine.h"

/* Parses a slab_debug= value into m's parameters. Unknown letters are noted
 * ("slab_debug option 'x' unknown. skipped") and skipped. 0 or -ENOMEM. */
int debug_parse(struct slab_machine *m, const char *value);
/* The flags of a new cache of that name: its own and slab_debug's. */
slab_flags_t debug_flags_for(const struct slab_machine *m, const char *name,
			     slab_flags_t flags);

#endif

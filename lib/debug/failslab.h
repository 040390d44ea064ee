/* SPDX-License-Identifier: MIT */
/* debug/failslab.h - should this request fail? spec/debugging/fault-injection.md */
#ifndef SLAB_DEBUG_FAILSLAB_H
#define SLAB_DEBUG_FAILSLAB_H

#include "slab/slab.h"

void failslab_init(struct slab_machine *m);
bool failslab_should_fail(struct kmem_cache *s, gfp_t gfp);

#endif

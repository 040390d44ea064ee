/* SPDX-License-Identifier: MIT */
/* pool/walk.c - the chain, from what the cache itself says about its slabs */
#include <string.h>

#include <slab/inspect.h>
#include <slab/machine.h>

#include "program/workload.h"

void pool_start(void)
{
}

/* A virtual machine lays its slabs out as the native one does. */
static struct slab_cache_info ask(size_t size)
{
	struct slab_cache_info info;
	struct slab_machine *m;
	struct slab_target *target;

	if (slab_machine_create_virtual(NULL, &m))
		die("no machine");
	slab_machine_use(m);
	if (!kmem_cache_create("walk", (unsigned int)size, NULL,
			       SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE |
				       SLAB_POISON | SLAB_STORE_USER))
		die("no cache of %zu bytes", size);
	if (slab_target_open_self(m, &target) ||
	    slab_target_cache(target, "walk", &info))
		die("the cache cannot be looked at");
	slab_target_close(target);
	slab_machine_destroy(m);
	return info;
}

pool_t pool_open(const struct pool_request *request)
{
	struct slab_cache_info info = ask(request->size);
	struct walk *walk = harness_memory(sizeof(*walk));
	char *slab = harness_memory((size_t)info.size * info.objs_per_slab);
	char *first = slab + info.red_left_pad, *object, *next = NULL;

	for (unsigned int i = info.objs_per_slab; --i;) {
		object = first + (size_t)i * info.size;
		memcpy(object + info.offset, &next, sizeof(next));
		next = object;
	}
	*walk = (struct walk){ first, next, info.offset };
	return walk;
}

void pool_enter(void)
{
}

void pool_leave(void)
{
}

void pool_trim(void)
{
}

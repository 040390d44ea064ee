/* SPDX-License-Identifier: MIT */
/*
 * debug/failslab.h - should this request of an object fail? And what is said
 * when one was made to, of objects or of pages
 */
#ifndef SLAB_DEBUG_FAILSLAB_H
#define SLAB_DEBUG_FAILSLAB_H

#include "slab/slab.h"

void failslab_init(struct slab_machine *m);

/* caller: who asked the library; see machine_stack(). */
bool failslab_asks(struct kmem_cache *s, gfp_t gfp, uintptr_t caller);
static inline bool failslab_should_fail(struct kmem_cache *s, gfp_t gfp,
					uintptr_t caller)
{
	struct slab_machine *m = s->machine;

	/* without either there is no question */
	if (__builtin_expect(
		    !__atomic_load_n(&m->faults.failslab.attr.probability,
				     __ATOMIC_RELAXED) &&
			    !fault_task(m)->fail_nth,
		    1))
		return false;
	return failslab_asks(s, gfp, caller);
}

/* For a container of s with so many bytes, which the kernel has from kmalloc. */
bool failslab_fails_container(struct kmem_cache *s, size_t bytes, gfp_t gfp);

/* failslab=INTERVAL,PROBABILITY,SPACE,TIMES, and fail_page_alloc= alike.
 * -EINVAL: said so, and nothing is changed. */
int fault_option(struct slab_machine *m, struct fault *f, const char *value);

#endif

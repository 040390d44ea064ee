/* SPDX-License-Identifier: MIT */
/*
 * cache/usercopy.c - may these bytes be copied out, or in?
 *
 * Only an object's window may be, and of each object only its own
 * (spec/debugging/hardening.md 9.4). The kernel dies of a wrong answer; here
 * it is reported and the answer is no.
 */
#include <stdio.h>

#include "cache/cache.h"
#include "debug/report.h"

static bool refuse(struct slab_machine *m, struct kmem_cache *s,
		   const void *ptr, const char *what, size_t off, size_t n,
		   bool to_user)
{
	char name[96] = "";

	if (s)
		snprintf(name, sizeof(name), " '%s'", s->name);
	report_warn(m,
		    to_user ? SLAB_REPORT_USERCOPY_EXPOSE :
			      SLAB_REPORT_USERCOPY_OVERWRITE,
		    false, s, ptr,
		    "Kernel memory %s attempt detected %s %s%s (offset %zu, size %zu)!",
		    to_user ? "exposure" : "overwrite",
		    to_user ? "from" : "to", what, name, off, n);
	return false;
}

bool slab_check_usercopy(struct slab_machine *m, const void *ptr, size_t n,
			 bool to_user)
{
	struct slab *slab = virt_to_slab(m, ptr);
	struct kmem_cache *s;
	size_t off;

	if (!slab || !n)
		return true;
	s = slab->slab_cache;
	/* the kernel would follow a damaged pointer */
	if (!machine_has_cache(m, s))
		return refuse(m, NULL, ptr, "SLUB object not in SLUB page?!", 0,
			      n, to_user);
	off = ((uintptr_t)ptr - slab_base(m, slab)) % s->size;
	if (s->flags & SLAB_RED_ZONE) {
		if (off < s->red_left_pad)
			return refuse(m, s, ptr, "SLUB object in left red zone",
				      off, n, to_user);
		off -= s->red_left_pad;
	}
	if (off >= s->useroffset && off - s->useroffset <= s->usersize &&
	    n <= s->useroffset - off + s->usersize)
		return true;
	return refuse(m, s, ptr, "SLUB object", off, n, to_user);
}

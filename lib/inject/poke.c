/* SPDX-License-Identifier: MIT */
/* inject/poke.c - writes by hand, into pages that somebody was given */
#include <slab/inject.h>

#include <errno.h>

#include "base/bytes.h"
#include "slab/slab.h"

static bool is_given_out(const struct slab_machine *m, uintptr_t address)
{
	const struct slab *page = virt_to_head(m, (void *)address);

	if (!page)
		return false;
	switch ((enum page_type)page->type) {
	case PAGE_SLAB:
	case PAGE_LARGE_KMALLOC:
	case PAGE_PAGES:
	case PAGE_NONE:
		return true;
	case PAGE_UNUSED:
	case PAGE_FREE:
	case PAGE_RESERVED:
		return false;
	}
	/* a damaged type: some page it is */
	return true;
}

static void tell(struct slab_machine *m, uintptr_t address, size_t n)
{
	struct slab *slab = virt_to_slab(m, (void *)address);
	struct kmem_cache *s = slab ? slab->slab_cache : NULL;
	uintptr_t base, object;

	if (!s || !machine_has_cache(m, s)) {
		machine_event(m, SLAB_EVENT_WRITE, NULL, NULL, NULL, n,
			      address);
		return;
	}
	base = slab_base(m, slab);
	object = slab_object(s, base, (unsigned int)((address - base) / s->size));
	machine_event(m, SLAB_EVENT_WRITE, s, slab, (void *)object, n,
		      address - object);
}

int slab_poke(struct slab_machine *m, uintptr_t address, const void *bytes,
	      size_t n)
{
	uintptr_t at;

	if (!n)
		return 0;
	if (address + (n - 1) < address || !machine_owns(m, address) ||
	    !machine_owns(m, address + (n - 1)))
		return -EFAULT;
	for (at = ALIGN_DOWN(address, PAGE_SIZE); at < address + n;
	     at += PAGE_SIZE)
		if (!is_given_out(m, at))
			return -EFAULT;
	bytes_copy((void *)address, bytes, n);
	tell(m, address, n);
	return 0;
}

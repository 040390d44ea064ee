/* SPDX-License-Identifier: MIT */
/* inspect/pages.c - what the pages that were given out are used for */
#include "inspect/target.h"

/* NULL: it is free, or was never given out. */
static unsigned long *count_of(const struct slab_machine *m,
			       const struct slab *head,
			       struct slab_pages_info *ret)
{
	switch ((enum page_type)head->type) {
	case PAGE_SLAB:
		return machine_has_live_cache(m, head->slab_cache)
			       ? &ret->slabs
			       : &ret->orphans;
	case PAGE_LARGE_KMALLOC:
		return &ret->large;
	case PAGE_PAGES:
		return &ret->whole;
	case PAGE_NONE:
		return &ret->waiting;
	case PAGE_UNUSED:
	case PAGE_FREE:
	case PAGE_RESERVED:
		return NULL;
	}
	return &ret->orphans; /* a damaged descriptor */
}

int slab_target_pages(struct slab_target *t, struct slab_pages_info *ret)
{
	LOOK(t->machine);
	const struct slab_machine *m = t->machine;
	unsigned long pfn, *count;

	*ret = (struct slab_pages_info){ .used = m->pages_used };
	for (pfn = 0; pfn < m->pages_high; pfn++) {
		const struct slab *head = virt_to_head(
			m, (void *)(m->base + (pfn << PAGE_SHIFT)));

		count = head ? count_of(m, head, ret) : &ret->orphans;
		if (count)
			++*count;
	}
	return 0;
}

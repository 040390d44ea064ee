/* SPDX-License-Identifier: MIT */
/* debug/sheaves.c - see sheaves.h */
#include "debug/sheaves.h"

#include "debug/report.h"

bool sheaf_takes(const struct kmem_cache *s, const void *object)
{
	struct slab *slab = virt_to_slab(s->machine, object);
	struct slab_view v;

	if (!slab || slab->slab_cache != s)
		return false;
	v = view_live((struct kmem_cache *)s, slab);
	return view_may_follow(&v, object);
}

void sheaf_judge_size(struct kmem_cache *s, struct slab_sheaf *sheaf,
		      unsigned int capacity)
{
	if (__builtin_expect(sheaf->size <= capacity, 1))
		return;
	report_line(s->machine, SLAB_REPORT_BAD_SHEAF, s,
		    "SLUB %s: Sheaf corrupt: %u objects in a sheaf for %u, all given up",
		    s->name, (unsigned int)sheaf->size, capacity);
	/* behind those that are there stand others that were, and somebody has
	 * them: which is which nobody knows */
	sheaf->size = 0;
}

/* Objects that are none of s leave the sheaf. */
static void drop_foreign(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	unsigned int kept = 0, i;

	for (i = 0; i < sheaf->size; i++) {
		if (sheaf_takes(s, sheaf->objects[i]))
			sheaf->objects[kept++] = sheaf->objects[i];
		else
			report_line(s->machine, SLAB_REPORT_BAD_SHEAF, s,
				    "SLUB %s: Sheaf corrupt: 0x%lx is no object of the cache",
				    s->name,
				    slab_machine_print_address(
					    s->machine,
					    (uintptr_t)sheaf->objects[i]));
	}
	sheaf->size = kept;
}

bool sheaf_judge_top(struct kmem_cache *s, struct slab_sheaf *sheaf,
		     unsigned int nr)
{
	unsigned int capacity = sheaf->place == SHEAF_LENT ?
					sheaf->capacity :
					s->sheaf_capacity;
	unsigned int i;

	sheaf_judge_size(s, sheaf, capacity);
	for (i = 1; i <= MIN(nr, (unsigned int)sheaf->size); i++) {
		if (sheaf_takes(s, sheaf->objects[sheaf->size - i]))
			continue;
		drop_foreign(s, sheaf);
		break;
	}
	return sheaf->size != 0;
}

void sheaves_say(struct kmem_cache *s, enum slab_report_kind kind,
		 const void *at)
{
	report_line(s->machine, kind, s,
		    "SLUB %s: Barn corrupt: its lists or counts were overwritten (0x%lx)",
		    s->name,
		    slab_machine_print_address(s->machine, (uintptr_t)at));
}

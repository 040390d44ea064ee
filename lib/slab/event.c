/* SPDX-License-Identifier: MIT */
/* slab/event.c - a step with the names of what it is about */
#include "slab/slab.h"

#include <stdio.h>

static int object_index(const struct kmem_cache *s, const struct slab *slab,
			uintptr_t object)
{
	uintptr_t off;

	if (!s || !slab || !object)
		return -1;
	off = object - slab_base(s->machine, slab) - s->red_left_pad;
	if (off >= slab_bytes(slab) || off % s->size)
		return -1;
	return (int)(off / s->size);
}

void machine_event_slow(struct slab_machine *m, enum slab_event_kind kind,
			const struct kmem_cache *s, const struct slab *slab,
			const void *object, unsigned long a, unsigned long b)
{
	struct slab_event event = {
		.kind = kind,
		.when = machine_jiffies(m),
		.cpu = machine_cpu(m),
		.slab_nr = slab ? slab->nr : 0,
		.object = (uintptr_t)object,
		.index = object_index(s, slab, (uintptr_t)object),
		.a = a,
		.b = b,
	};

	if (s && s->name)
		snprintf(event.cache, sizeof(event.cache), "%s", s->name);
	machine_tell(m, &event);
}

/* SPDX-License-Identifier: MIT */
/* cache/gone.c - see gone.h */
#include "cache/gone.h"

#include <errno.h>

#include "debug/report.h"
#include "slab/cpu.h"

/* Its name went with it, and its own word for its machine may be any. */
static struct slab_machine *machine_of(const struct kmem_cache *s)
{
	struct slab_machine *m =
		__atomic_load_n(&native_machine, __ATOMIC_ACQUIRE);
	unsigned int i;

	if (m && meta_owns(m, (uintptr_t)s))
		return m;
	for (i = 0; i < SLAB_NR_SLOTS; i++)
		if (machine_slots[i] &&
		    meta_owns(machine_slots[i], (uintptr_t)s))
			return machine_slots[i];
	return NULL;
}

void cache_say_gone(const struct kmem_cache *s, const char *call)
{
	struct slab_machine *m = machine_of(s);

	if (m)
		report_warn(m, SLAB_REPORT_NO_CACHE, true, NULL, NULL,
			    "%s: 0x%lx is no cache: it was destroyed, or never "
			    "made by kmem_cache_create()",
			    call, slab_machine_print_address(m, (uintptr_t)s));
	errno = EINVAL;
}

void cache_leave_gone(struct kmem_cache *s)
{
	s->self = NULL;
	/* never NULL here: this cache could not have been made */
	s->fast.cpus = cpu_fast_nothing();
	s->fast_is_shut = true;
	s->debug_is_short = false;
	s->sheaf_capacity = 0;
	s->name = NULL;
	s->cpu_sheaves = NULL;
	s->stats = NULL;
}

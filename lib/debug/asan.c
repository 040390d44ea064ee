/* SPDX-License-Identifier: MIT */
/* debug/asan.c - see asan.h; an empty unit in builds without it */
#include "debug/asan.h"

#ifdef SLAB_HAS_ASAN

#include <sanitizer/asan_interface.h>
#include <stdio.h>

#include "debug/report.h"

void asan_slab_new(struct kmem_cache *s, uintptr_t base, size_t bytes)
{
	if (!s->machine->config.asan_off)
		__asan_poison_memory_region((void *)base, bytes);
}

void asan_pages_free(struct slab_machine *m, uintptr_t base, size_t bytes)
{
	if (!m->config.asan_off)
		__asan_unpoison_memory_region((void *)base, bytes);
}

void asan_object_alloc(struct kmem_cache *s, void *object, size_t n)
{
	if (s->machine->config.asan_off)
		return;
	__asan_poison_memory_region(object, layout_span(s));
	__asan_unpoison_memory_region(object, n);
}

bool asan_object_free(struct kmem_cache *s, void *object)
{
	/* readers may look at typesafe objects after their free */
	if (s->machine->config.asan_off || (s->flags & SLAB_TYPESAFE_BY_RCU))
		return true;
	if (__asan_address_is_poisoned(object))
		return false;
	__asan_poison_memory_region(object, layout_span(s));
	return true;
}

/* ---- its reports ---- */
static struct slab_machine *machine_at(uintptr_t address)
{
	unsigned int slot;

	for (slot = 0; slot < SLAB_NR_SLOTS; slot++)
		if (machine_slots[slot] && machine_owns(machine_slots[slot], address))
			return machine_slots[slot];
	return NULL;
}

/* Where the byte is as seen from the nearest object's start. */
static void describe(const struct slab_view *v, uintptr_t address,
		     uintptr_t object, char *buf, size_t size)
{
	const struct kmem_cache *s = v->s;
	unsigned int i = (unsigned int)((object - v->base) / s->size);
	long off = (long)(address - object);

	if (off < 0)
		snprintf(buf, size, "%ld bytes before %s:S%u#%u", -off, s->name,
			 v->slab->nr, i);
	else if (off >= s->object_size)
		snprintf(buf, size, "%ld bytes past the end of %s:S%u#%u",
			 off - s->object_size, s->name, v->slab->nr, i);
	else
		snprintf(buf, size, "byte %ld of %s:S%u#%u", off, s->name,
			 v->slab->nr, i);
}

static void on_report(const char *their_text)
{
	uintptr_t address = (uintptr_t)__asan_get_report_address();
	const char *access = __asan_get_report_access_type() ? "write" : "read";
	size_t bytes = __asan_get_report_access_size();
	struct slab_machine *m = machine_at(address);
	struct slab *slab = m ? virt_to_slab(m, (void *)address) : NULL;
	struct kmem_cache *s = slab ? slab->slab_cache : NULL;
	struct slab_view v;
	uintptr_t object = 0;
	char where[160] = "memory of the machine that is no slab";

	(void)their_text;
	if (!m)
		return;
	if (s && machine_has_cache(m, s)) {
		unsigned long slot;

		v = view_live(s, slab);
		slot = (address - v.base) / s->size;
		if (slot < v.size / s->size) {
			object = slab_object(s, v.base, (unsigned int)slot);
			describe(&v, address, object, where, sizeof(where));
		}
	} else {
		s = NULL;
	}
	report_warn(m, SLAB_REPORT_ASAN, false, s, (void *)object,
		    "AddressSanitizer: %s: %s of %zu bytes at 0x%lx, %s",
		    __asan_get_report_description(), access, bytes,
		    slab_machine_print_address(m, address), where);
}

void asan_watch(void)
{
	__asan_set_error_report_callback(on_report);
}

#endif

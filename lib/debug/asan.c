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

bool asan_may_touch(const void *object)
{
	if (!__asan_address_is_poisoned(object))
		return true;
	(void)*(const volatile char *)object; /* which it reports */
	return false;
}

/* ---- its reports ---- */
static struct slab_machine *machine_at(uintptr_t address)
{
	struct slab_machine *m = __atomic_load_n(&native_machine,
						 __ATOMIC_ACQUIRE);
	unsigned int slot;

	if (m && machine_owns(m, address))
		return m;
	for (slot = 0; slot < SLAB_NR_SLOTS; slot++)
		if (machine_slots[slot] && machine_owns(machine_slots[slot], address))
			return machine_slots[slot];
	return NULL;
}

/* Where the byte is as seen from its slot's object, and KASAN's word for it. */
static const char *describe(const struct slab_view *v, uintptr_t address,
			    uintptr_t object, char *buf, size_t size)
{
	bool is_free = __asan_address_is_poisoned((void *)object);
	const struct kmem_cache *s = v->s;
	unsigned int i = (unsigned int)((object - v->base) / s->size);
	long off = (long)(address - object);
	long asked = is_free ? s->object_size :
			       (long)layout_get_orig_size(s, (void *)object);

	if (off < 0)
		snprintf(buf, size, "%ld byte%s before %s:S%u#%u", -off,
			 off == -1 ? "" : "s", s->name, v->slab->nr, i);
	else if (off >= s->object_size)
		snprintf(buf, size, "%ld byte%s past the end of %s:S%u#%u",
			 off - s->object_size,
			 off - s->object_size == 1 ? "" : "s", s->name,
			 v->slab->nr, i);
	else if (off >= asked)
		snprintf(buf, size,
			 "byte %ld of %s:S%u#%u, of which %ld were asked for",
			 off, s->name, v->slab->nr, i, asked);
	else
		snprintf(buf, size, "byte %ld of %s:S%u#%u%s", off, s->name,
			 v->slab->nr, i, is_free ? ", which is free" : "");
	return is_free ? "slab-use-after-free" : "slab-out-of-bounds";
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
	const char *kind = __asan_get_report_description();

	(void)their_text;
	if (!m)
		return;
	if (s && machine_has_cache(m, s)) {
		unsigned long slot;

		v = view_live(s, slab);
		slot = (address - v.base) / s->size;
		if (slot < v.size / s->size) {
			object = slab_object(s, v.base, (unsigned int)slot);
			kind = describe(&v, address, object, where,
					sizeof(where));
		}
	} else {
		s = NULL;
	}
	report_access(m, s, (void *)object, address, bytes,
		      "AddressSanitizer: %s: %s of %zu byte%s at 0x%lx, %s",
		      kind, access, bytes, bytes == 1 ? "" : "s",
		      slab_machine_print_address(m, address), where);
}

void asan_watch(void)
{
	__asan_set_error_report_callback(on_report);
}

#endif

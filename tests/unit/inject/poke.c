/* SPDX-License-Identifier: MIT */
/* tests/unit/inject/poke.c - writes by hand: where they go, and where not */
#include "../lab.h"

#include <errno.h>

#include <slab/inject.h>

#include "base/bytes.h"
#include "slab/slab.h"

static void bytes_are_written_and_told(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_POISON);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);
	unsigned int before = lab.events[SLAB_EVENT_WRITE];

	(void)state;
	assert_int_equal(slab_poke(lab.m, (uintptr_t)p + 50, "\x9a\x9b", 2), 0);
	assert_int_equal(byte_read(p + 50), 0x9a);
	assert_int_equal(byte_read(p + 51), 0x9b);
	assert_int_equal(byte_read(p + 52), POISON_FREE);
	assert_int_equal(lab.events[SLAB_EVENT_WRITE], before + 1);
}

static struct slab_event last;

static void keep(void *arg, const struct slab_event *event)
{
	(void)arg;
	last = *event;
}

static void a_write_names_the_slot_it_lands_in(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_RED_ZONE);
	uint8_t *p;

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	slab_machine_set_event_hook(lab.m, keep, NULL);
	slab_poke(lab.m, (uintptr_t)p + 203, "x", 1);
	assert_int_equal(last.kind, SLAB_EVENT_WRITE);
	assert_int_equal(last.object, (uintptr_t)p);
	assert_int_equal(last.a, 1);
	assert_int_equal(last.b, 203);
}

static void only_pages_that_somebody_has_are_written(void **state)
{
	char *page = slab_machine_alloc_pages(lab.m, 0);
	uintptr_t base = lab.m->base;

	(void)state;
	assert_int_equal(slab_poke(lab.m, (uintptr_t)page, "x", 1), 0);
	slab_machine_free_pages(lab.m, page);
	assert_int_equal(slab_poke(lab.m, (uintptr_t)page, "x", 1), -EFAULT);
	assert_int_equal(slab_poke(lab.m, base, "x", 1), -EFAULT);
	assert_int_equal(slab_poke(lab.m, base + SLOT_MEMMAP, "x", 1),
			 -EFAULT);
	assert_int_equal(slab_poke(lab.m, base + SLOT_META, "x", 1), -EFAULT);
	assert_int_equal(slab_poke(lab.m, 0, "x", 1), -EFAULT);
	assert_int_equal(slab_poke(lab.m, UINTPTR_MAX, "xy", 2), -EFAULT);
}

static void nothing_is_written_when_the_end_is_nobodys(void **state)
{
	char *page = slab_machine_alloc_pages(lab.m, 0);
	uint8_t before = byte_read(page + 4095);

	(void)state;
	assert_int_equal(slab_poke(lab.m, (uintptr_t)page + 4095, "xy", 2),
			 -EFAULT);
	assert_int_equal(byte_read(page + 4095), before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(bytes_are_written_and_told),
		lab_test(a_write_names_the_slot_it_lands_in),
		lab_test(only_pages_that_somebody_has_are_written),
		lab_test(nothing_is_written_when_the_end_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

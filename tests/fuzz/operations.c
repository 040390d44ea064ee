/* SPDX-License-Identifier: MIT */
/*
 * fuzz/operations.c - any sequence of calls and of damage to users' bytes:
 * reported, survived, and every walk comes to an end
 *
 * Three bytes a step: what, which slot, a number. Damage goes to bytes that a
 * user could reach, objects, red zones and links, and to the words of a slab's
 * descriptor, which in a kernel are a stray write away.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/inject.h>
#include <slab/inspect.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>

#include "machine/page.h"

#define SLOTS 32

static struct slab_machine *m;
static struct slab_target *t;
static struct kmem_cache *caches[4];
static void *slots[SLOTS];

static void start(const uint8_t *data)
{
	static const slab_flags_t sets[] = {
		0, SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, SLAB_POISON,
		SLAB_STORE_USER, SLAB_DEBUG_DEFAULT_FLAGS,
		SLAB_RED_ZONE | SLAB_POISON,
		SLAB_CONSISTENCY_CHECKS | SLAB_POISON,
	};
	unsigned int i;

	if (!m) {
		slab_machine_create_virtual(
			&(struct slab_machine_config){ .asan_off = true }, &m);
		slab_target_open_self(m, &t);
		slab_machine_use(m);
	}
	slab_machine_reset(m);
	slab_machine_set_page_limit(m, 400);
	slab_machine_sysctl(m, "freelist_hardened", data[0] & 1 ? "1" : "0");
	slab_machine_sysctl(m, "freelist_random", data[0] & 2 ? "1" : "0");
	for (i = 0; i < 4; i++)
		caches[i] = kmem_cache_create("fuzz", 1 + data[i] * 3, NULL,
					      sets[data[i + 1] % 8] |
						      SLAB_NO_MERGE);
	memset(slots, 0, sizeof(slots));
}

static void look(void)
{
	struct slab_cache_info *info;
	size_t nr, i;

	if (slab_target_caches(t, &info, &nr))
		return;
	for (i = 0; i < nr; i++) {
		struct slab_slab_info *slabs;
		size_t k, n;

		if (slab_target_slabs(t, info[i].cache, &slabs, &n))
			continue;
		for (k = 0; k < n && k < 8; k++) {
			struct slab_object_info *objects;
			size_t o;

			if (!slab_target_objects(t, info[i].cache, slabs[k].nr,
						 &objects, &o))
				free(objects);
		}
		free(slabs);
	}
	free(info);
	slab_target_verify(t, 0, NULL, NULL);
}

/* A word of the slot's slab becomes small, another's list, or its own. */
static void damage_descriptor(const void *object, const void *other,
			      uint8_t number)
{
	struct slab *slab = virt_to_slab(m, object);
	struct slab *to = virt_to_slab(m, other);
	uintptr_t value = number / 8;

	if (!slab)
		return;
	if (to)
		value = (uintptr_t)&to->slab_list + value % 2;
	((uintptr_t *)slab)[number % 8] = value;
}

static void step(uint8_t what, uint8_t which, uint8_t number)
{
	void **slot = &slots[which % SLOTS];
	struct kmem_cache *s = caches[number % 4];
	void *pair[3] = { *slot, slots[number % SLOTS], *slot };
	uint8_t byte = number;

	switch (what % 13) {
	case 0:
	case 1:
		if (s)
			*slot = kmem_cache_alloc(s, GFP_NOWAIT);
		break;
	case 2:
		if (s)
			kmem_cache_free(s, *slot);
		break;
	case 3:
		if (s)
			kmem_cache_free(s, (void *)((uintptr_t)*slot +
						    (int8_t)number));
		break;
	case 4:
		if (s)
			kmem_cache_free_bulk(s, 1 + which % 3, pair);
		break;
	case 5:
	case 6:
		slab_poke(m, (uintptr_t)*slot + (int8_t)(number * 7), &byte, 1);
		break;
	case 7: /* a word: perhaps a link, to another object or near it */
		pair[1] = (void *)((uintptr_t)pair[1] + (what / 12) % 3 * 8U);
		slab_poke(m, (uintptr_t)*slot + (what & 128 ? 32 : 0), &pair[1],
			  sizeof(void *));
		break;
	case 8:
		if (s)
			validate_slab_cache(s);
		break;
	case 9:
		if (s)
			kmem_cache_shrink(s);
		break;
	case 10:
		*slot = krealloc(number & 1 ? NULL : kmalloc(which, GFP_NOWAIT),
				 number * 40U, GFP_NOWAIT);
		break;
	case 11:
		damage_descriptor(*slot, number & 64 ? pair[1] : NULL, number);
		break;
	default:
		look();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int i;

	if (size < 8)
		return 0;
	start(data);
	for (data += 5, size -= 5; size >= 3; data += 3, size -= 3)
		step(data[0], data[1], data[2]);
	look();
	for (i = 0; i < 4; i++)
		if (caches[i])
			kmem_cache_destroy(caches[i]);
	return 0;
}

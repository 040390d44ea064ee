/* SPDX-License-Identifier: MIT */
/*
 * fuzz/operations.c - any sequence of calls and of damage to users' bytes:
 * reported, survived, and every walk comes to an end
 *
 * Three bytes a step: what, which slot, a number. Damage goes to bytes that a
 * user could reach, objects, red zones and links, to the words of a slab's
 * descriptor, which in a kernel are a stray write away, and to sheaves and
 * barns. Two CPUs on two nodes take turns.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/inject.h>
#include <slab/inspect.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <slab/sheaf.h>

#include "machine/page.h"

#define SLOTS	32
#define SHEAVES 4

static struct slab_machine *m;
static struct slab_target *t;
static struct kmem_cache *caches[4];
static void *slots[SLOTS];
static struct slab_sheaf *sheaves[SHEAVES];

static void start(const uint8_t *data)
{
	static const slab_flags_t sets[] = {
		0,
		SLAB_CONSISTENCY_CHECKS,
		SLAB_RED_ZONE,
		SLAB_POISON,
		SLAB_STORE_USER,
		SLAB_DEBUG_DEFAULT_FLAGS,
		SLAB_RED_ZONE | SLAB_POISON,
		SLAB_CONSISTENCY_CHECKS | SLAB_POISON,
	};
	unsigned int i;

	if (!m) {
		slab_machine_create_virtual(
			&(struct slab_machine_config){
				.asan_off = true, .nr_cpus = 2, .nr_nodes = 2 },
			&m);
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
	memset(sheaves, 0, sizeof(sheaves));
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

static void damage_sheaves(struct kmem_cache *s, uint8_t number)
{
	static const char *const kinds[] = { "sheaf-dup", "sheaf-size",
					     "sheaf-foreign", "barn-count" };
	struct slab_corrupt_result result;

	slab_corrupt_cpu(m, kinds[number / 4 % 4], number / 16 % 2, s, NULL,
			 &result);
}

/* A sheaf is borrowed, used, refilled, given back; also to the wrong cache, and
 * twice. */
static void lend(struct kmem_cache *s, void **slot, uint8_t number)
{
	struct slab_sheaf **sheaf = &sheaves[number / 4 % SHEAVES];

	if (number & 128)
		*sheaf = kmem_cache_prefill_sheaf(s, GFP_NOWAIT, number);
	else if (number & 64)
		kmem_cache_return_sheaf(s, GFP_NOWAIT, *sheaf);
	else if (number & 32)
		kmem_cache_refill_sheaf(s, GFP_NOWAIT, sheaf, number);
	else
		*slot = kmem_cache_alloc_from_sheaf(s, GFP_ATOMIC, *sheaf);
}

/* The machine goes on: CPUs, grace periods, memory. */
static void turn(uint8_t number)
{
	switch (number % 6) {
	case 0:
	case 1:
		slab_machine_set_cpu(m, number / 8 % 2);
		break;
	case 2:
		slab_machine_rcu_tick(m);
		break;
	case 3:
		kvfree_rcu_barrier();
		break;
	case 4:
		slab_machine_set_cpu_online(m, number / 8 % 2, number / 16 % 2);
		break;
	default:
		slab_machine_set_node_memory(m, number / 8 % 2,
					     number / 16 % 2);
	}
}

static void step(uint8_t what, uint8_t which, uint8_t number)
{
	void **slot = &slots[which % SLOTS];
	struct kmem_cache *s = caches[number % 4];
	void *pair[3] = { *slot, slots[number % SLOTS], *slot };
	uint8_t byte = number;
	void *many[70];

	switch (what % 19) {
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
			kmem_cache_free(
				s, (void *)((uintptr_t)*slot + (int8_t)number));
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
		if (s)
			damage_sheaves(s, number);
		break;
	case 12:
	case 13:
		if (s)
			lend(s, slot, number);
		break;
	case 14:
		turn(number);
		break;
	case 15:
		slab_kfree_rcu(*slot);
		break;
	case 16:
		if (s &&
		    kmem_cache_alloc_bulk(s, GFP_NOWAIT, 1 + number % 70, many))
			kmem_cache_free_bulk(s, 1 + number % 70, many);
		break;
	case 17:
		if (number & 1)
			*slot = kmalloc_nolock(number, 0, NUMA_NO_NODE);
		else
			kfree_nolock(*slot);
		break;
	case 18:
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

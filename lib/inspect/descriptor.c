/* SPDX-License-Identifier: MIT */
/*
 * inspect/descriptor.c - the library describes itself, see slab/descriptor.h
 */
#include <slab/descriptor.h>

#include "slab/cpu.h"
#include "slab/node.h"

/* One number out of row n and its value (SplitMix64's last steps). */
#define MIX_1(z) (((z) ^ ((z) >> 30)) * UINT64_C(0xbf58476d1ce4e5b9))
#define MIX_2(z) (((z) ^ ((z) >> 27)) * UINT64_C(0x94d049bb133111eb))
#define MIX(n, value)                                                       \
	MIX_2(MIX_1((uint64_t)(value) + (n) * UINT64_C(0x9e3779b97f4a7c15)))
#define AT(n, type, field) ^ MIX(n, offsetof(struct type, field))
#define OF(n, type) ^ MIX(n, sizeof(struct type))

/* What a reader goes by on its way from a machine to an object. A constant, so
 * that the note can hold it. */
#define ABI_HASH                                                            \
	(SLAB_DESCRIPTOR_VERSION OF(1, slab_descriptor)                     \
	 OF(2, slab_machine) AT(3, slab_machine, config)                    \
	 AT(4, slab_machine, base) AT(5, slab_machine, memmap)              \
	 AT(6, slab_machine, pages_opened) AT(7, slab_machine, meta)        \
	 AT(8, slab_machine, slab_caches) AT(9, slab_machine, depot)        \
	 AT(10, slab_machine, jiffies) AT(11, slab_machine, sites)          \
	 OF(12, slab) AT(13, slab, flags) AT(14, slab, slab_cache)          \
	 AT(15, slab, slab_list) AT(16, slab, freelist)                     \
	 AT(17, slab, counters) AT(18, slab, type) AT(19, slab, order)      \
	 AT(20, slab, node) AT(21, slab, nr) AT(22, slab, user_map)         \
	 OF(23, kmem_cache) AT(24, kmem_cache, flags)                       \
	 AT(25, kmem_cache, size) AT(26, kmem_cache, object_size)           \
	 AT(27, kmem_cache, offset) AT(28, kmem_cache, inuse)               \
	 AT(29, kmem_cache, red_left_pad) AT(30, kmem_cache, oo)            \
	 AT(31, kmem_cache, min) AT(32, kmem_cache, name)                   \
	 AT(33, kmem_cache, names) AT(34, kmem_cache, list)                 \
	 AT(35, kmem_cache, random) AT(36, kmem_cache, stats)               \
	 AT(37, kmem_cache, node) OF(38, kmem_cache_node)                   \
	 AT(39, kmem_cache_node, nr_partial)                                \
	 AT(40, kmem_cache_node, partial) AT(41, kmem_cache_node, nr_slabs) \
	 AT(42, kmem_cache_node, total_objects)                             \
	 AT(43, kmem_cache_node, full) ^ MIX(44, SLAB_NR_STATS)             \
	 AT(45, slab_machine, is_native)                                    \
	 AT(46, slab_machine, region_bytes)                                 \
	 AT(47, kmem_cache, cpu_sheaves) AT(48, kmem_cache, lent)           \
	 AT(49, kmem_cache, sheaf_capacity) OF(50, slub_percpu_sheaves)     \
	 AT(51, slub_percpu_sheaves, main)                                  \
	 AT(52, slub_percpu_sheaves, spare)                                 \
	 AT(53, slub_percpu_sheaves, rcu_free)                              \
	 AT(54, slub_percpu_sheaves, local_full)                            \
	 AT(55, slub_percpu_sheaves, local_empty)                           \
	 AT(56, kmem_cache_node, barn) OF(57, node_barn)                    \
	 AT(58, node_barn, sheaves_full) AT(59, node_barn, sheaves_empty)   \
	 OF(60, slab_sheaf) AT(61, slab_sheaf, cache))

const struct slab_descriptor slab_descriptor = {
	.magic = { 's', 'l', 'a', 'b', 'd', 'e', 's', 'c' },
	.version = SLAB_DESCRIPTOR_VERSION,
	.size = sizeof(struct slab_descriptor),
	.abi_hash = ABI_HASH,
	.slot_base = SLAB_SLOT_BASE,
	.slot_size = SLAB_SLOT_SIZE,
	.memmap_offset = SLOT_MEMMAP,
	.meta_offset = SLOT_META,
	.nr_slots = SLAB_NR_SLOTS,
	.max_cpus = SLAB_MAX_CPUS,
	.max_nodes = SLAB_MAX_NODES,
	.page_shift = PAGE_SHIFT,
	.max_page_order = MAX_PAGE_ORDER,
	.max_objects = MAX_OBJS_PER_SLAB,
	.machine_size = sizeof(struct slab_machine),
	.cache_size = sizeof(struct kmem_cache),
	.node_size = sizeof(struct kmem_cache_node),
	.slab_size = sizeof(struct slab),
	.machines = machine_slots,
	.native = &native_machine,
};

/* The note needs a name that no other library can take the place of. */
extern const struct slab_descriptor descriptor_here
	__attribute__((visibility("hidden"), alias("slab_descriptor"), used));

/* A number of 64 bits as two operands: an immediate holds 32. */
#define HALVES(n) "i"((uint32_t)(n)), "i"((uint32_t)((uint64_t)(n) >> 32))

/* Never called: C cannot write a distance between two addresses into a section
 * that the loader leaves alone, the assembler can. */
static void write_note(void) __attribute__((used));
static void write_note(void)
{
	__asm__ volatile(".pushsection .note.slab,\"a\",%%note\n"
			 ".balign 4\n"
			 ".long 5, 2f - 1f, %c0\n"
			 ".asciz \"slab\"\n"
			 ".balign 4\n"
			 "1: .ascii \"slabdesc\"\n"
			 ".long %c1, %c2\n"
			 ".long %c3, %c4\n"
			 ".long %c5, %c6\n"
			 ".long %c7, %c8\n"
			 ".quad descriptor_here - .\n"
			 "2: .balign 4\n"
			 ".popsection"
			 :
			 : "i"(SLAB_NOTE_TYPE), "i"(SLAB_DESCRIPTOR_VERSION),
			   "i"(SLAB_NR_SLOTS), HALVES(ABI_HASH),
			   HALVES(SLAB_SLOT_BASE), HALVES(SLAB_SLOT_SIZE));
}

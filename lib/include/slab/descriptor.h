/*
 * slab/descriptor.h - how an outside reader finds the machines of a process
 *
 *	ELF note "slab" --.descriptor--> slab_descriptor --.machines--> machines
 *
 * A debugger, or slabctl on another process or a core, has no code of ours to
 * run there. It finds the dynamic symbol slab_descriptor, or, in a stripped
 * program, the note (section .note.slab, type SLAB_NOTE_TYPE); compares magic,
 * version and abi_hash with its own; and refuses what differs, since then
 * the structures behind the pointer are not those it knows.
 */
#ifndef SLAB_DESCRIPTOR_H
#define SLAB_DESCRIPTOR_H

#include <slab/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLAB_DESCRIPTOR_MAGIC	"slabdesc" /* 8 bytes, no NUL */
#define SLAB_DESCRIPTOR_VERSION 2U
#define SLAB_NOTE_NAME		"slab"
#define SLAB_NOTE_TYPE		1U

/* Offsets are from the start of a machine's slot of address space. A native
 * machine says itself where its region lies and how large it is: the offsets
 * are parts of it, as they are of slot_size. */
struct slab_descriptor {
	char magic[8];
	uint32_t version;
	uint32_t size;	   /* of this structure */
	uint64_t abi_hash; /* of the layouts of all that is behind machines */
	uint64_t slot_base, slot_size;
	uint64_t memmap_offset; /* one struct slab a page */
	uint64_t meta_offset;	/* caches, nodes, stacks */
	uint32_t nr_slots, max_cpus, max_nodes;
	uint32_t page_shift, max_page_order, max_objects;
	uint32_t machine_size, cache_size, node_size, slab_size;
	/* nr_slots of them; NULL where a slot has no machine */
	struct slab_machine *const *machines;
	/* where the process's native machine is; NULL there: none (since 2) */
	struct slab_machine *const *native;
};

SLAB_API extern const struct slab_descriptor slab_descriptor;

/* The note's contents, unaligned. */
struct slab_note {
	char magic[8];
	uint32_t version, nr_slots;
	uint64_t abi_hash;
	uint64_t slot_base, slot_size;
	int64_t descriptor; /* where slab_descriptor is, from this field on */
} __attribute__((packed));

#ifdef __cplusplus
}
#endif
#endif

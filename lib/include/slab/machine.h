/*
 * slab/machine.h - what an allocator stands on: CPUs, nodes, pages, time, RCU
 *
 * A machine owns all of it and the list of its caches, so several live in one
 * process and none depends on what another left behind:
 *
 *	struct slab_machine *m;
 *	slab_machine_create_virtual(&(struct slab_machine_config){ 0 }, &m);
 *	slab_machine_use(m);
 *	s = kmem_cache_create("ring", 192, NULL, SLAB_POISON);
 *
 * A virtual machine is one thread's: N CPUs and M nodes that a call switches
 * between, a clock that moves when told, addresses fixed by its slot
 * (SLAB_SLOT_BASE + slot * SLAB_SLOT_SIZE) and a seed: the same calls give the
 * same bytes on every host. Machines of different slots print the same
 * addresses: see slab_machine_print_address().
 *
 * Errors: 0 or -errno.
 */
#ifndef SLAB_MACHINE_H
#define SLAB_MACHINE_H

#include <slab/cache.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLAB_SLOT_BASE	0x550000000000UL
#define SLAB_SLOT_SIZE	(64UL << 30)
#define SLAB_NR_SLOTS	4U
#define SLAB_MAX_CPUS	512U /* of a host; one with more has no inline paths */
#define SLAB_VIRTUAL_CPUS 64U /* of a virtual machine */
#define SLAB_MAX_NODES	16U
#define SLAB_ANY_SLOT	(~0U)

/* How the callers of a track are found. */
enum slab_unwind {
	SLAB_UNWIND_AUTO, /* native machines: UNWINDER; else FRAME_POINTER */
	SLAB_UNWIND_FRAME_POINTER, /* cheapest; what is built without ends it */
	SLAB_UNWIND_UNWINDER, /* any code that has .eh_frame */
};

/* Zero means the default beside each field. */
struct slab_machine_config {
	unsigned int nr_cpus;	 /* present CPUs; 1 */
	unsigned int nr_cpu_ids; /* possible CPUs; nr_cpus */
	unsigned int nr_nodes;	 /* CPU c is on node c % nr_nodes; 1 */
	uint64_t seed; /* 0 is a seed like any other; native: a random one */
	unsigned long page_limit; /* pages that can be had; all of the slot */
	unsigned int slot;	 /* SLAB_ANY_SLOT or 0..SLAB_NR_SLOTS-1; 0 is slot 0 */
	const char *slab_debug;	 /* the kernel's slab_debug= value; NULL: absent */
	bool freelist_hardened;	 /* CONFIG_SLAB_FREELIST_HARDENED */
	bool freelist_random;	 /* CONFIG_SLAB_FREELIST_RANDOM */
	bool no_cmpxchg_double;	 /* as a CPU without it: slab_lock instead */
	bool random_kmalloc;	 /* CONFIG_RANDOM_KMALLOC_CACHES: 16 normal sets */
	bool init_on_alloc;
	bool init_on_free;
	bool stack_depot_disable; /* tracks keep no stacks */
	uint32_t memoryless;	 /* a bit a node that starts without memory */
	enum slab_unwind unwind;
	bool asan_off; /* builds with AddressSanitizer: it watches no object */
	bool no_statistics; /* CONFIG_SLUB_STATS off: the 26 items stay 0 */
	/* ---- native machines; the numbers of CPUs, nodes and pages above are
	 * the system's there ---- */
	bool statistics; /* off unless asked for */
	bool no_rseq;	 /* per-CPU try-locks, as where the kernel has none */
	size_t region_bytes; /* of address space; 256 GiB, or what a limit lets */
	/* Objects in full sheaves that a CPU keeps before the node's barn:
	 * bytes of one cache, and of all; 1 MiB, and 16 MiB by CPUs. */
	size_t cpu_full_bytes, cpus_full_bytes;
	/* Free memory that may stay backed by the system: so much, or an
	 * eighth of what is in use; 8 MiB. */
	size_t idle_bytes;
};

/*
 * A machine of its own, as config says; NULL: with defaults. -EINVAL (an
 * impossible number, or in slab_debug), -EBUSY (the slot is taken), -ENOMEM
 * (the address range cannot be reserved).
 */
SLAB_API int slab_machine_create_virtual(const struct slab_machine_config *config,
					 struct slab_machine **ret);
/*
 * The machine that the process runs on: real CPUs, threads and memory. There is
 * one; slab_machine_current() makes it with defaults when no machine was set.
 * -EBUSY: it is there already; -ENOSYS: the library was built without liburcu;
 * -EINVAL from slab_debug; -ENOMEM, or what else the system says when it
 * refuses memory (-EPERM in a sandbox).
 */
SLAB_API int slab_machine_create_native(const struct slab_machine_config *config,
					struct slab_machine **ret);
/* Empty slabs and free pages go back to the system now. */
SLAB_API void slab_machine_trim(struct slab_machine *m);
/* The machine and all that it gave out are gone; its caches may still hold
 * objects. NULL is fine. */
SLAB_API void slab_machine_destroy(struct slab_machine *m);

/* Back to the state after creation, all caches gone without a word; sinks,
 * event and site hooks stay. Cheap: it clears what was used. No other thread
 * may use the machine meanwhile. Native: callbacks that wait for RCU are gone
 * with their objects; it waits for the grace period that runs, so not in a
 * read-side section, nor in a callback. */
SLAB_API void slab_machine_reset(struct slab_machine *m);

/* Makes m the machine of kmem_cache_create() and kmalloc(); returns the one
 * before. The current machine is the process's, not the thread's. */
SLAB_API struct slab_machine *slab_machine_use(struct slab_machine *m);
SLAB_API struct slab_machine *slab_machine_current(void);
SLAB_API const struct slab_machine_config *
slab_machine_config(const struct slab_machine *m);

/* ---- who and when (virtual machines) ---- */
/* Calls are made on CPU cpu from now on. -EINVAL: it is not online, or the
 * machine is native. */
SLAB_API int slab_machine_set_cpu(struct slab_machine *m, unsigned int cpu);
/* The current CPU, and the node that a CPU is on. */
SLAB_API unsigned int slab_machine_cpu(const struct slab_machine *m);
SLAB_API unsigned int slab_machine_cpu_node(const struct slab_machine *m,
					    unsigned int cpu);
/* Who runs, for tracks and reports. */
SLAB_API void slab_machine_set_task(struct slab_machine *m, int pid,
				    const char *comm);
/* The clock, in milliseconds, and so many more of them. */
SLAB_API uint64_t slab_machine_jiffies(const struct slab_machine *m);
SLAB_API void slab_machine_tick(struct slab_machine *m, uint64_t jiffies);

/*
 * Who calls, for tracks made while it is set: a file, a line and what was
 * typed there. slab_machine_site() keeps one copy of each and returns its
 * address, a number inside the slot that no page has; slab_machine_set_site(m,
 * 0) goes back to real stacks. At most 65,536 sites; then 0.
 */
SLAB_API uintptr_t slab_machine_site(struct slab_machine *m, const char *file,
				     unsigned int line, const char *text);
SLAB_API void slab_machine_set_site(struct slab_machine *m, uintptr_t site);
/* false when address is no site of m. */
SLAB_API bool slab_machine_site_lookup(const struct slab_machine *m,
				       uintptr_t address, const char **file,
				       unsigned int *line, const char **text);

/* ---- CPUs and memory that come and go. -EOPNOTSUPP on a native machine: its
 * CPUs do so by themselves, and what one leaves in its sheaves is flushed with
 * all others' ---- */
/*
 * A CPU goes offline: its sheaves are flushed; or it comes online.
 * -EINVAL: no such CPU; -EBUSY: it is the current one, or the last.
 */
SLAB_API int slab_machine_set_cpu_online(struct slab_machine *m,
					 unsigned int cpu, bool online);
SLAB_API bool slab_machine_cpu_online(const struct slab_machine *m,
				      unsigned int cpu);
/*
 * A node loses its memory (every cache is shrunk; what is in use stays) or
 * gets some. CPUs of a node without memory use the nearest one with.
 * -EINVAL: no such node; -EBUSY: the last with memory; -ENOMEM.
 */
SLAB_API int slab_machine_set_node_memory(struct slab_machine *m,
					  unsigned int node, bool has_memory);
SLAB_API bool slab_machine_node_memory(const struct slab_machine *m,
				       unsigned int node);

/* ---- the task's memory policy, which refills from other nodes follow; and
 * single requests with slab_strict_numa ---- */
enum slab_mempolicy {
	SLAB_MPOL_NONE, SLAB_MPOL_PREFERRED, SLAB_MPOL_INTERLEAVE,
	SLAB_MPOL_WEIGHTED_INTERLEAVE, SLAB_MPOL_BIND,
	SLAB_MPOL_PREFERRED_MANY, SLAB_MPOL_LOCAL,
};
/* The task's policy is this from now on. nodes: a bit each. -EINVAL: an empty
 * set where one is needed, or a node that is not there. */
SLAB_API int slab_machine_set_mempolicy(struct slab_machine *m,
					enum slab_mempolicy policy,
					uint32_t nodes);

/* ---- emergency reserves: pages beyond the page limit ---- */
/* So many, which only who is entitled may use. */
SLAB_API void slab_machine_set_reserve(struct slab_machine *m,
				       unsigned long pages);
/* The task may use them, as one that frees memory (PF_MEMALLOC) may. */
SLAB_API void slab_machine_set_memalloc(struct slab_machine *m, bool may);

/*
 * Runs fn as an interrupt of the current CPU: also from a point hook, in the
 * middle of whatever the CPU does. Frees that it deferred run when interrupts
 * are on again.
 */
SLAB_API void slab_machine_interrupt(struct slab_machine *m,
				     void (*fn)(void *arg), void *arg);

/* ---- kernel parameters ---- */
/* Names: slab_min_order slab_max_order slab_min_objects (numbers), slab_nomerge
 * slab_merge slab_strict_numa slab_debug init_on_alloc init_on_free
 * freelist_hardened freelist_random random_kmalloc cmpxchg_double statistics
 * (booleans, or a string for slab_debug); slub_ spellings are
 * accepted. They count for caches made later. failslab and fail_page_alloc
 * (INTERVAL,PROBABILITY,SPACE,TIMES) count at once. -ENOENT: no such name;
 * -EINVAL: no such value; -ERANGE. */
SLAB_API int slab_machine_sysctl(struct slab_machine *m, const char *name,
				 const char *value);

/* ---- RCU: callbacks run when a grace period ends ---- */
/*
 * A grace period ends; returns the number of callbacks that ran. A barrier
 * returns when none waits any more; how many do: pending.
 *
 * On a native machine readers are threads that use liburcu's memb flavour
 * (<urcu/urcu-memb.h>): registered, between urcu_memb_read_lock() and
 * urcu_memb_read_unlock(). Whoever frees need not be registered. Callbacks are
 * run by a thread "slab-rcu", which is made at the first kfree_rcu() or
 * SLAB_TYPESAFE_BY_RCU cache and blocks all signals; by those who call
 * kfree_rcu(); and by tick and barrier, which wait for readers, so that they
 * do nothing (0) in a read-side section or in a callback. What was queued
 * while a barrier ran may be pending when it returns. Where no thread can be
 * made, tick and barrier do it all.
 */
SLAB_API unsigned int slab_machine_rcu_tick(struct slab_machine *m);
SLAB_API void slab_machine_rcu_barrier(struct slab_machine *m);
SLAB_API unsigned int slab_machine_rcu_pending(const struct slab_machine *m);

/* ---- addresses ---- */
/* The number to print for an address: the one slot 0 would have. Addresses
 * outside the machine's slot stay as they are. */
SLAB_API uintptr_t slab_machine_print_address(const struct slab_machine *m,
					      uintptr_t address);
/* The way back, for what a user typed. */
SLAB_API uintptr_t slab_machine_parse_address(const struct slab_machine *m,
					      uintptr_t printed);

/* Whole pages outside any slab, as alloc_pages(); NULL without memory. */
SLAB_API void *slab_machine_alloc_pages(struct slab_machine *m,
					unsigned int order);
SLAB_API int slab_machine_free_pages(struct slab_machine *m, void *p);
SLAB_API unsigned long slab_machine_pages_used(const struct slab_machine *m);
/* Lowers or lifts the limit (0) while running. */
SLAB_API void slab_machine_set_page_limit(struct slab_machine *m,
					  unsigned long pages);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * machine/machine.h - the contract between the allocator and what it stands on
 *
 * A slot of address space, the same for every machine:
 *
 *	+0      pages       32 GiB; page 0 is never given out, so offset 0 is
 *	                    no object
 *	+32 GiB memory map  one struct slab a page
 *	+40 GiB metadata    caches, nodes, stacks, bitmaps: never beside users'
 *	                    bytes, so no overflow of theirs can reach it
 *	+56 GiB sites       numbers only, never mapped
 *
 * All of it is reserved PROT_NONE and opened in 2 MiB pieces as it grows.
 * Address to slab is a subtraction, a shift and a load.
 */
#ifndef SLAB_MACHINE_MACHINE_H
#define SLAB_MACHINE_MACHINE_H

#include <slab/debug.h>
#include <slab/event.h>
#include <slab/machine.h>
#include <slab/report.h>

#include "base/list.h"
#include "base/lock.h"
#include "base/random.h"
#include "machine/fault.h"

#define PAGE_SHIFT     12
#define PAGE_SIZE      (1UL << PAGE_SHIFT)
#define MAX_PAGE_ORDER 10U

#define SLOT_PAGES_BYTES (32UL << 30)
#define SLOT_MEMMAP	 (32UL << 30)
#define SLOT_META	 (40UL << 30)
#define SLOT_META_BYTES	 (16UL << 30)
#define SLOT_SITES	 (56UL << 30)
#define MAX_SITES	 65536U

struct slab;
struct kmem_cache;

/* Nodes take turns at the slot's low end, a piece of the largest order at a
 * time, so that no more is opened than is used. */
#define MAX_PIECES (SLOT_PAGES_BYTES >> (PAGE_SHIFT + MAX_PAGE_ORDER))

struct node_pages {
	struct list_head free[MAX_PAGE_ORDER + 1];
	unsigned long nr_pieces, max_pieces;
};

/* Metadata: power-of-two pieces, freed ones by size. */
#define META_CLASSES 30
struct meta_arena {
	uintptr_t start, next, opened, end;
	void *free[META_CLASSES];
	size_t used;
	unsigned long fail_after; /* tests: the N-th request from now fails */
};

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct slab_machine *m, struct rcu_head *head);
};

/* Objects for which no rcu_free sheaf had room: a page of them at a time. */
struct krc_block {
	struct rcu_head rcu; /* func is set when the block is made */
	uint64_t since;
	unsigned int nr;
	void *p[];
};
#define KRC_BLOCK_OBJECTS \
	((PAGE_SIZE - sizeof(struct krc_block)) / sizeof(void *))
#define KRC_DRAIN_JIFFIES 5000U

struct site {
	const char *file, *text; /* one block, at file */
	unsigned int line;
	unsigned int next; /* of the same hash, + 1; 0: the last */
};

struct machine_sink {
	slab_sink_fn fn;
	void *arg;
};
#define MAX_SINKS 8

/* Normal ones last: the 15 random copies, where a machine has them. */
enum kmalloc_type {
	KMALLOC_NORMAL, KMALLOC_RECLAIM, KMALLOC_CGROUP, KMALLOC_DMA,
	KMALLOC_RANDOM,
	NR_KMALLOC_TYPES = KMALLOC_RANDOM + 15,
};

/* What a kernel parameter changed; read by cache creation. */
struct machine_parameters {
	unsigned int min_order, max_order, min_objects;
	bool nomerge;
	slab_flags_t debug_flags;    /* global blocks of slab_debug= */
	char *debug_string;	     /* with lists; NULL: none (malloc'ed) */
	bool disable_higher_order;   /* letter O */
	bool freelist_hardened, freelist_random;
	bool init_on_alloc, init_on_free;
	bool strict_numa, random_kmalloc, no_cmpxchg_double;
	/* of a barn; constants in 7.0, an explorer wants them small */
	unsigned int max_full_sheaves, max_empty_sheaves;
};

struct stack_depot;

struct slab_machine {
	struct slab_machine_config config; /* with the defaults filled in */
	unsigned int slot;
	uintptr_t base; /* of the slot */

	/* pages */
	struct slab *memmap;
	unsigned long nr_pages;	     /* of the slot */
	unsigned long pages_opened;  /* from 0 */
	unsigned long pages_high; /* none from here on was given out since a reset */
	unsigned long pages_used, page_limit; /* limit 0: none */
	unsigned long nr_pieces; /* of the largest order, some node's */
	uint8_t piece_node[MAX_PIECES];
	struct node_pages nodes[SLAB_MAX_NODES];
	struct slab_lock pages_lock;
	struct meta_arena meta;
	struct slab_lock meta_lock;

	/* who and when */
	unsigned int cpu;
	uint64_t cpus_online;	  /* a bit a CPU; under cpus_lock */
	uint32_t nodes_memory;	  /* a bit a node with memory */
	struct slab_lock cpus_lock;
	struct slab_lock flush_lock;
	struct slab_lock rcu_lock; /* held while callbacks run */
	int pid;
	char comm[16];
	uint64_t jiffies;
	struct random random;

	/* interrupts of this machine's CPUs */
	unsigned int in_interrupt;	 /* nested so deep */
	uint8_t irqs_off[SLAB_MAX_CPUS]; /* barn and list locks held */
	void *deferred[SLAB_MAX_CPUS];	 /* kfree_nolock's, linked */
	unsigned int nr_deferred[SLAB_MAX_CPUS];
	void (*irq_work)(struct slab_machine *m); /* frees them */

	/* the task */
	struct {
		enum slab_mempolicy mode;
		uint32_t nodes;
		unsigned int next; /* of an interleave */
	} policy;
	bool memalloc;
	unsigned long reserve_pages;

	/* RCU: callbacks in the order they were queued */
	struct rcu_head *rcu_first, **rcu_last;
	unsigned int rcu_pending;
	struct krc_block *krc[SLAB_MAX_CPUS]; /* kfree_rcu's old batches */

	/* caches, under slab_mutex; newest first */
	struct slab_lock slab_mutex;
	struct list_head slab_caches;
	struct list_head leaked_caches; /* destroyed with objects left */
	struct machine_parameters params;
	/* type, class index; made on demand */
	struct kmem_cache *kmalloc[NR_KMALLOC_TYPES][14];

	/* what was found */
	struct machine_sink sinks[MAX_SINKS];
	unsigned int nr_reports, nr_errors;
	unsigned int taint;	/* bits of 3.2's letters */
	bool lockdep_off_said;
	uint64_t warned;	/* one-time warnings that were given */
	struct stack_depot *depot;

	/* what shall fail */
	struct slab_faults faults; /* as it was set */
	struct fault failslab, fail_page_alloc;
	void (*fault_say)(struct slab_machine *m, const struct fault *f,
			  uintptr_t caller); /* one was made to */

	uint64_t rest_seq; /* moves of objects between sheaves, for inspectors */
	/* how the structures below debug/ say that they were damaged */
	void (*damage_say)(struct kmem_cache *s, enum slab_report_kind kind,
			   const void *at);

	/* who watches */
	slab_event_fn event_fn;
	void *event_arg;
	uint64_t event_seq;
	slab_point_fn point_fn;
	void *point_arg;
	slab_wait_fn wait_fn;
	void *wait_arg;

	/* sites of the shell; kept over reset */
	struct site *sites;
	unsigned int nr_sites, max_sites;
	uintptr_t site; /* 0: real stacks */

	unsigned long *traces_scratch;
};

/* The machines of this process, by slot; NULL: none. Where an outside reader
 * begins (inspect/descriptor.c). */
extern struct slab_machine *machine_slots[SLAB_NR_SLOTS];

#define TAINT_BAD_PAGE (1U << 5)
#define TAINT_WARN     (1U << 9)

/* ---- life ---- */
/* A machine with its slot reserved and no parameters read (cache/boot.c). */
int machine_open(const struct slab_machine_config *config,
		 struct slab_machine **ret);
void machine_close(struct slab_machine *m);
/* The state after creation, but for hooks, sinks, sites and parameters. */
void machine_start(struct slab_machine *m);

/* ---- current CPU and task ---- */
static inline unsigned int machine_node(const struct slab_machine *m)
{
	return m->cpu % m->config.nr_nodes;
}

static inline bool node_has_memory(const struct slab_machine *m,
				   unsigned int node)
{
	return m->nodes_memory & (1U << node);
}

static inline bool cpu_is_online(const struct slab_machine *m,
				 unsigned int cpu)
{
	return m->cpus_online & (1ULL << cpu);
}

/* machine/numa.c: the nearest node with memory, where allocations come from */
unsigned int machine_mem_node(const struct slab_machine *m);
/* Where the task's policy wants the next slab from. */
unsigned int machine_policy_node(struct slab_machine *m);
/* The node of a request that names none: the policy's, with slab_strict_numa;
 * else NUMA_NO_NODE. */
int machine_strict_node(struct slab_machine *m, int node);
/* 7.0's gfp_pfmemalloc_allowed(). */
bool machine_may_use_reserves(const struct slab_machine *m, gfp_t gfp);

/* Callers, innermost first, without the library's own frames; at most max. The
 * site, where one is set. */
unsigned int machine_stack(struct slab_machine *m, uintptr_t caller,
			   uintptr_t *frames, unsigned int max);

/* Frees that interrupts deferred, when none runs and interrupts are on. */
void machine_run_irq_work(struct slab_machine *m);

/* ---- events and points ---- */
/* A step of the machine's own; steps with names: slab/slab.h. */
void machine_step(struct slab_machine *m, enum slab_event_kind kind,
		  unsigned long a, unsigned long b);

static inline void machine_point(struct slab_machine *m,
				 enum slab_point_kind point)
{
	if (__builtin_expect(m->point_fn != NULL, 0))
		m->point_fn(m->point_arg, point);
}

/* Interrupts are off under barn and list locks. */
static inline void irqs_off(struct slab_machine *m,
			    const struct slab_lock *lock)
{
	if (lock->rank == LOCK_RANK_BARN || lock->rank == LOCK_RANK_LIST)
		m->irqs_off[m->cpu]++;
}

static inline void irqs_on(struct slab_machine *m, const struct slab_lock *lock)
{
	if (lock->rank != LOCK_RANK_BARN && lock->rank != LOCK_RANK_LIST)
		return;
	if (!--m->irqs_off[m->cpu] && m->deferred[m->cpu])
		machine_run_irq_work(m);
}

/* The lock, its point passed. */
static inline void machine_lock_now(struct slab_machine *m,
				    struct slab_lock *lock)
{
	/* who runs several CPUs on one thread lets another one go on */
	while (__builtin_expect(m->wait_fn != NULL, 0) && !lock_try(lock))
		m->wait_fn(m->wait_arg, lock);
	if (!m->wait_fn)
		lock_take(lock);
	lock->holder = (uint16_t)m->cpu;
	irqs_off(m, lock);
}

static inline void machine_lock(struct slab_machine *m, struct slab_lock *lock,
				enum slab_point_kind point)
{
	machine_point(m, point);
	machine_lock_now(m, lock);
}

static inline bool machine_trylock(struct slab_machine *m,
				   struct slab_lock *lock,
				   enum slab_point_kind point)
{
	machine_point(m, point);
	if (!lock_try(lock))
		return false;
	lock->holder = (uint16_t)m->cpu;
	irqs_off(m, lock);
	return true;
}

static inline void machine_unlock(struct slab_machine *m,
				  struct slab_lock *lock,
				  enum slab_point_kind point)
{
	lock_release(lock);
	irqs_on(m, lock);
	machine_point(m, point);
}

/* ---- pages ---- */
/*
 * 1 << order pages, naturally aligned, of `node` or, unless __GFP_THISNODE,
 * of any; NUMA_NO_NODE: this CPU's. The head's descriptor, zeroed but for
 * order and node, or NULL. Contents are what was left there (zero when fresh).
 */
struct slab *pages_alloc(struct slab_machine *m, gfp_t gfp, unsigned int order,
			 int node);
void pages_free(struct slab_machine *m, struct slab *head);
/* The order of a block that was given out, from its tails' descriptors. */
unsigned int pages_order(const struct slab_machine *m, const struct slab *head);
void pages_init(struct slab_machine *m);
/* Bytes from the slot's start that some node has or had. */
size_t pages_taken(const struct slab_machine *m);
/* Frees everything; contents read zero again. */
void pages_reset(struct slab_machine *m);

static inline bool machine_owns(const struct slab_machine *m, uintptr_t address)
{
	return address - m->base < m->pages_opened << PAGE_SHIFT;
}

/* ---- metadata: zeroed, aligned to its size up to 64; NULL without memory ---- */
void *meta_alloc(struct slab_machine *m, size_t size);
void meta_free(struct slab_machine *m, void *p, size_t size);
char *meta_strdup(struct slab_machine *m, const char *s);
void meta_init(struct slab_machine *m);
void meta_reset(struct slab_machine *m);
static inline bool meta_owns(const struct slab_machine *m, uintptr_t address)
{
	return address >= m->meta.start && address < m->meta.next;
}

/* ---- RCU ---- */
void machine_call_rcu(struct slab_machine *m, struct rcu_head *head,
		      void (*func)(struct slab_machine *, struct rcu_head *));
/* The CPU's batch of kfree_rcu stops growing and waits for a grace period. */
void machine_krc_drain(struct slab_machine *m, unsigned int cpu);

/* Opens [start, start + bytes), whole 2 MiB pieces, for reading and writing. */
int machine_open_range(uintptr_t start, size_t bytes);

void sites_fini(struct slab_machine *m);

#endif

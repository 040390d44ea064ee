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

/* What a kernel parameter changed; read by cache creation. */
struct machine_parameters {
	unsigned int min_order, max_order, min_objects;
	bool nomerge;
	slab_flags_t debug_flags;    /* global blocks of slab_debug= */
	char *debug_string;	     /* with lists; NULL: none (malloc'ed) */
	bool disable_higher_order;   /* letter O */
	bool freelist_hardened, freelist_random;
	bool init_on_alloc, init_on_free;
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
	int pid;
	char comm[16];
	uint64_t jiffies;
	struct random random;

	/* RCU: callbacks in the order they were queued */
	struct rcu_head *rcu_first, **rcu_last;
	unsigned int rcu_pending;

	/* caches, under slab_mutex; newest first */
	struct slab_lock slab_mutex;
	struct list_head slab_caches;
	struct list_head leaked_caches; /* destroyed with objects left */
	struct machine_parameters params;
	struct kmem_cache *kmalloc[4][14]; /* type, class index; made on demand */

	/* what was found */
	struct machine_sink sinks[MAX_SINKS];
	unsigned int nr_reports, nr_errors;
	unsigned int taint;	/* bits of 3.2's letters */
	bool lockdep_off_said;
	uint64_t warned;	/* one-time warnings that were given */
	struct stack_depot *depot;
	struct slab_failslab failslab;
	unsigned long failslab_count;
	uint64_t failslab_since; /* messages since then: */
	unsigned int failslab_said;

	/* who watches */
	slab_event_fn event_fn;
	void *event_arg;
	uint64_t event_seq;
	slab_point_fn point_fn;
	void *point_arg;

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

/* Callers, innermost first, without the library's own frames; at most max. The
 * site, where one is set. */
unsigned int machine_stack(struct slab_machine *m, uintptr_t caller,
			   uintptr_t *frames, unsigned int max);

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

static inline void machine_lock(struct slab_machine *m, struct slab_lock *lock,
				enum slab_point_kind point)
{
	machine_point(m, point);
	lock_take(lock);
}

static inline bool machine_trylock(struct slab_machine *m,
				   struct slab_lock *lock,
				   enum slab_point_kind point)
{
	machine_point(m, point);
	return lock_try(lock);
}

static inline void machine_unlock(struct slab_machine *m,
				  struct slab_lock *lock,
				  enum slab_point_kind point)
{
	lock_release(lock);
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

/* Opens [start, start + bytes), whole 2 MiB pieces, for reading and writing. */
int machine_open_range(uintptr_t start, size_t bytes);

void sites_fini(struct slab_machine *m);

#endif

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

#include <pthread.h>

#include <slab/debug.h>
#include <slab/event.h>
#include <slab/machine.h>
#include <slab/report.h>

#include "base/list.h"
#include "base/lock.h"
#include "base/random.h"
#include "machine/fault.h"
#include "machine/probe.h"
#include "machine/percpu.h"

#define PAGE_SHIFT     12
#define PAGE_SIZE      (1UL << PAGE_SHIFT)
#define MAX_PAGE_ORDER 10U

#define SLOT_PAGES_BYTES (32UL << 30)
#define SLOT_MEMMAP	 (32UL << 30)
#define SLOT_META	 (40UL << 30)
#define SLOT_META_BYTES	 (16UL << 30)
#define SLOT_SITES	 (56UL << 30)
/* A native machine's region may be smaller, in the same proportions. */
#define REGION_PART(m, offset) \
	((m)->region_bytes / (SLAB_SLOT_SIZE >> 20) * ((offset) >> 20))
#define MAX_SITES	 65536U

struct slab;
struct kmem_cache;

/* Nodes take turns at the slot's low end, a piece of the largest order at a
 * time, so that no more is opened than is used. */
#define MAX_PIECES (SLOT_PAGES_BYTES >> (PAGE_SHIFT + MAX_PAGE_ORDER))

struct node_pages {
	struct list_head free[MAX_PAGE_ORDER + 1];
	unsigned long nr_pieces, max_pieces;
	unsigned long next, end; /* of its last piece, not open yet */
};

/* Metadata: pieces of few sizes, freed ones by size. */
#define META_CLASSES 120
struct meta_arena {
	uintptr_t start, next, opened, end;
	void *free[META_CLASSES];
	size_t used;
	unsigned long fail_after; /* tests: the N-th request from now fails */
};

/*
 * Pages for what one CPU reads and writes from end to end: processors fetch
 * ahead, up to the end of a page, and would take it from another CPU that has
 * its own there.
 */
struct meta_room {
	uintptr_t next, end;
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

/* Native: the thread that runs callbacks (machine/rcu_native.c). */
enum rcu_worker_state { RCU_NO_WORKER, RCU_WORKER_STARTS, RCU_WORKER_RUNS };
/* A child of fork() has to see whether grace periods still end. */
enum rcu_trial { RCU_PROVEN, RCU_ON_TRIAL, RCU_LOST };
struct rcu_worker {
	uint32_t work; /* a futex: there may be something to do */
	uint32_t state;
	uint32_t trial; /* a futex, too */
	bool stop;
	bool in_grace;	/* who holds rcu_lock is in liburcu */
	uint64_t retry; /* in jiffies: it could not be made */
	pthread_t thread;
	void *stack; /* NULL: the system's */
	size_t stack_bytes;
};

/* machine/fork_gate.h */
struct fork_gate {
	uint32_t is_closed; /* a futex */
	struct {
		uint32_t inside; /* threads that came in on this CPU */
	} __attribute__((aligned(64))) cpu[SLAB_MAX_CPUS];
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
	char *debug_string;	     /* with lists; NULL: none (metadata) */
	bool disable_higher_order;   /* letter O */
	bool freelist_hardened, freelist_random;
	bool init_on_alloc, init_on_free;
	bool strict_numa, random_kmalloc, no_cmpxchg_double;
	/* of a barn; constants in 7.0, an explorer wants them small */
	unsigned int max_full_sheaves, max_empty_sheaves;
	/* bytes of objects in full sheaves that a CPU keeps before the barn:
	 * of one cache, of all; native machines only (DIVERGENCE: local) */
	size_t cpu_full_bytes, cpus_full_bytes;
	bool statistics; /* CONFIG_SLUB_STATS */
};

struct stack_depot;

struct slab_machine {
	struct slab_machine_config config; /* with the defaults filled in */
	bool is_native;
	enum percpu_kind percpu;
	unsigned int slot;
	uintptr_t base;	     /* of the slot */
	size_t region_bytes; /* from base; a slot's, or a native machine's */
	bool region_is_smaller; /* than was asked for, because of: */
	int region_errno;	/* mmap's */
	uint8_t cpu_node[SLAB_MAX_CPUS];     /* native */
	uint16_t host_node[SLAB_MAX_NODES]; /* native: the system's numbers */
	bool nodes_unknown; /* native: the system has some, and no libnuma */
	struct {
		size_t bytes; /* of objects in sheaves before the barns */
		struct meta_room room; /* for its sheaves; under meta_lock */
	} __attribute__((aligned(64))) kept[SLAB_MAX_CPUS];
	/* which steps inline paths may leave out has changed (cache/boot.c) */
	void (*fast_changed)(struct slab_machine *m);

	/* pages */
	struct slab *memmap;
	unsigned long nr_pages;	     /* of the slot */
	unsigned long pages_opened;  /* from 0 */
	unsigned long pages_high; /* none from here on was given out since a reset */
	unsigned long pages_used, page_limit; /* limit 0: none */
	unsigned long nr_pieces;     /* that are some node's */
	unsigned int piece_order;    /* the largest, or more in a large region */
	uint8_t piece_node[MAX_PIECES];
	struct node_pages nodes[SLAB_MAX_NODES];
	struct slab_lock pages_lock;
	/* machine/give_back.c; native */
	unsigned long pages_idle; /* free, backed, and in runs */
	unsigned long idle_kept;  /* so many of them at least stay */
	struct list_head pages_away; /* on their way back to the system */
	bool is_draining, is_giving_back;
	bool keeps_pages; /* the system takes none back */
	struct meta_arena meta;
	struct slab_lock meta_lock;

	/* who and when */
	unsigned int cpu;
	unsigned int works_from; /* + 1: this CPU, in the name of `cpu`; 0 */
	uint64_t cpus_online;	  /* virtual: a bit a CPU; under cpus_lock */
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
	/* kfree_nolock's, linked; a native machine has one stack, the first */
	void *deferred[SLAB_MAX_CPUS];
	unsigned int nr_deferred[SLAB_MAX_CPUS];
	struct slab *deferred_slabs; /* that such a call made and did not need */
	void (*irq_work)(struct slab_machine *m); /* frees them */

	/* PERCPU_SIM: slab/percpu_sim.h */
	uint32_t sections_ended[SLAB_MAX_CPUS];
	const char *sections_broken; /* NULL, or what two did at once */

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
	unsigned int rcu_pending; /* not run yet */
	struct krc_block *krc[SLAB_MAX_CPUS]; /* kfree_rcu's old batches */
	/* native; a virtual machine takes neither */
	struct slab_lock rcu_queue_lock, krc_lock[SLAB_MAX_CPUS];
	struct rcu_worker rcu_worker;
	/* native: whose grace period runs (under rcu_lock), and is over */
	struct rcu_head *rcu_grace, *rcu_ready, **rcu_ready_last;
	unsigned int rcu_epoch, rcu_running[2]; /* callbacks, by epoch */
	struct fork_gate fork_gate; /* native */

	/* caches, under slab_mutex; newest first */
	struct slab_lock slab_mutex;
	unsigned int unreached_cpu; /* + 1: one whose sheaves nobody could drain */
	int caches_locked_by; /* native: the thread that has it; 0: none */
	struct list_head slab_caches;
	struct list_head leaked_caches; /* destroyed with objects left */
	struct machine_parameters params;
	/* type, class index; made on demand */
	struct kmem_cache *kmalloc[NR_KMALLOC_TYPES][14];

	/* what was found */
	struct slab_lock report_lock; /* native; held while sinks run */
	int reporter; /* the thread that holds it; 0: none */
	unsigned int nr_untold; /* found where no sink could be called */
	enum slab_report_policy report_policy;
	struct machine_sink report_callback;
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

	/* moves of objects between sheaves, for inspectors; not counted on
	 * native machines, where nothing that rests stays so */
	uint64_t rest_seq;
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
/* Of a native machine: where this thread was just now. */
static inline unsigned int machine_cpu(const struct slab_machine *m)
{
	unsigned int cpu;

	if (!m->is_native)
		return m->cpu;
	cpu = percpu_current();
	return cpu < m->config.nr_cpu_ids ? cpu : cpu % m->config.nr_cpu_ids;
}

/* The CPU that runs a virtual machine's current thread, whoever's work it does.
 */
static inline unsigned int machine_here(const struct slab_machine *m)
{
	return m->works_from ? m->works_from - 1 : m->cpu;
}

/* machine/host_nodes.c */
unsigned int native_cpu_node(const struct slab_machine *m, unsigned int cpu);

static inline unsigned int machine_node(const struct slab_machine *m)
{
	if (m->config.nr_nodes == 1)
		return 0;
	return m->is_native ? native_cpu_node(m, machine_cpu(m)) :
			      m->cpu % m->config.nr_nodes;
}

/* Work on every CPU is done by who asks for it, in the CPU's name. */
struct machine_cpu_work {
	unsigned int here;
};

static inline struct machine_cpu_work machine_cpu_begin(struct slab_machine *m)
{
	if (!m->is_native)
		m->works_from = m->cpu + 1;
	return (struct machine_cpu_work){ m->cpu };
}

static inline void machine_act_for(struct slab_machine *m, unsigned int cpu)
{
	if (m->is_native)
		percpu_act_for((int)cpu);
	else
		m->cpu = cpu;
}

static inline void machine_cpu_end(struct slab_machine *m,
				   struct machine_cpu_work work)
{
	if (m->is_native)
		percpu_act_for(-1);
	else {
		m->cpu = work.here;
		m->works_from = 0;
	}
}

/* Something that rests in a sheaf, or waits, has moved. */
static inline void machine_moved(struct slab_machine *m)
{
	if (!m->is_native)
		m->rest_seq++;
}

static inline bool node_has_memory(const struct slab_machine *m,
				   unsigned int node)
{
	return m->nodes_memory & (1U << node);
}

static inline bool cpu_is_online(const struct slab_machine *m,
				 unsigned int cpu)
{
	return m->is_native || (m->cpus_online & (1ULL << cpu));
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

/* The native machine, made with defaults if there is none; NULL: it can not be
 * made. cache/boot.c's, where the paths are that a machine starts with. */
struct slab_machine *machine_make_native(void);
/* A process has one native machine; machine/native.c. */
int machine_open_native(const struct slab_machine_config *config,
			struct slab_machine **ret);
void machine_close_native(struct slab_machine *m);
/* What machine_start() can not know: this process, and a seed of its own. */
void machine_start_native(struct slab_machine *m);
extern struct slab_machine *native_machine;
uint64_t native_jiffies(void);

/* Of who asks; native: the thread's. */
int native_tid(void);
extern _Thread_local int native_known_tid
	__attribute__((tls_model("initial-exec"), visibility("hidden")));
void native_forget_tid(void); /* after a fork */
static inline int machine_pid(const struct slab_machine *m)
{
	if (!m->is_native)
		return m->pid;
	return native_known_tid ? native_known_tid : native_tid();
}

/* Milliseconds; a virtual machine's clock moves when told. */
static inline uint64_t machine_jiffies(const struct slab_machine *m)
{
	return m->is_native ? native_jiffies() : m->jiffies;
}

/* ---- calls from any context: machine/interrupt.c ---- */
/* Frees that interrupts deferred, when none runs and interrupts are on. */
void machine_run_irq_work(struct slab_machine *m);

/* What comes in between are signal handlers; nobody is told of their end. */
static inline bool machine_has_signals(const struct slab_machine *m)
{
	return m->is_native || m->percpu == PERCPU_SIM;
}

/* The stack of deferred frees of whoever runs. */
static inline unsigned int machine_deferred_of(const struct slab_machine *m)
{
	return machine_has_signals(m) ? 0 : m->cpu;
}

/* What signal handlers deferred is done on the slow paths of others, where no
 * lock of slabs or sheaves is held. */
static inline void machine_catch_up(struct slab_machine *m)
{
	if (machine_has_signals(m) &&
	    (__atomic_load_n(&m->deferred[0], __ATOMIC_RELAXED) ||
	     __atomic_load_n(&m->deferred_slabs, __ATOMIC_RELAXED)))
		machine_run_irq_work(m);
}

/* Such a call begins; on a native machine it has no lock and no CPU's name of whom it interrupted, and
 * waits for no lock. */
struct machine_any {
	uint32_t locks;
	int acts_for;
	unsigned int works_from, cpu; /* PERCPU_SIM's acts_for */
};
struct machine_any machine_any_begin(struct slab_machine *m);
void machine_any_end(struct slab_machine *m, struct machine_any before);
/* The current machine, if there is one: who may have interrupted its making
 * makes none. */
struct slab_machine *machine_made(void);

/* ---- events and points ---- */
/* Numbers it and hands it to the hook. */
void machine_tell(struct slab_machine *m, struct slab_event *event);
void machine_step_slow(struct slab_machine *m, enum slab_event_kind kind,
		       unsigned long a, unsigned long b);

/* A step of the machine's own; steps with names, and why this is a macro:
 * slab/slab.h. */
#define machine_step(m, kind, a, b)                                        \
	do {                                                               \
		struct slab_machine *m_ = (m);                             \
		const unsigned long a_ = (a), b_ = (b);                    \
                                                                           \
		machine_probe(kind, NULL, NULL, NULL, a_, b_);             \
		if (__builtin_expect(m_->event_fn != NULL, 0))             \
			machine_step_slow(m_, kind, a_, b_);               \
	} while (0)

static inline void machine_point(struct slab_machine *m,
				 enum slab_point_kind point)
{
	/* it may be taken off while other threads pass */
	slab_point_fn fn = __atomic_load_n(&m->point_fn, __ATOMIC_RELAXED);

	if (__builtin_expect(fn != NULL, 0))
		fn(__atomic_load_n(&m->point_arg, __ATOMIC_RELAXED), point);
}

/* A lock is held under which no virtual CPU is ever switched: only a signal can
 * come here. */
static inline void machine_point_held(struct slab_machine *m)
{
	if (machine_has_signals(m))
		machine_point(m, SLAB_POINT_HELD);
}

/* Interrupts are off under barn and list locks. */
static inline void irqs_off(struct slab_machine *m,
			    const struct slab_lock *lock)
{
	if (machine_has_signals(m))
		return;
	if (lock->rank == LOCK_RANK_BARN || lock->rank == LOCK_RANK_LIST)
		m->irqs_off[m->cpu]++;
}

static inline void irqs_on(struct slab_machine *m, const struct slab_lock *lock)
{
	if (machine_has_signals(m) || (lock->rank != LOCK_RANK_BARN &&
				       lock->rank != LOCK_RANK_LIST))
		return;
	if (!--m->irqs_off[m->cpu] && m->deferred[m->cpu])
		machine_run_irq_work(m);
}

/* On a native machine nobody asks who it is that holds a lock. */
static inline void lock_held_by(struct slab_machine *m, struct slab_lock *lock)
{
	if (m->is_native)
		return;
	lock->holder = (uint16_t)machine_cpu(m);
	irqs_off(m, lock);
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
	lock_held_by(m, lock);
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
	lock_held_by(m, lock);
	return true;
}

/* The first where this thread may wait, else the second. */
static inline bool machine_lock_or_try(struct slab_machine *m,
				       struct slab_lock *lock,
				       enum slab_point_kind point)
{
	if (!lock_may_wait())
		return machine_trylock(m, lock, point);
	machine_lock(m, lock, point);
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

/* slab_mutex, by who knows later that it has it: its hooks and sinks may ask
 * for a cache by name. */
static inline void machine_lock_caches(struct slab_machine *m)
{
	machine_lock(m, &m->slab_mutex, SLAB_POINT_MUTEX_LOCK);
	__atomic_store_n(&m->caches_locked_by, machine_pid(m),
			 __ATOMIC_RELAXED);
}

static inline void machine_unlock_caches(struct slab_machine *m)
{
	__atomic_store_n(&m->caches_locked_by, 0, __ATOMIC_RELAXED);
	machine_unlock(m, &m->slab_mutex, SLAB_POINT_MUTEX_UNLOCK);
}

static inline bool machine_has_locked_caches(const struct slab_machine *m)
{
	return __atomic_load_n(&m->caches_locked_by, __ATOMIC_RELAXED) ==
	       machine_pid(m);
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
/* Is it fresh from the system, and so reads zero? Of a block that was just given
 * out; where nobody knows it is no. */
bool pages_read_zero(const struct slab_machine *m, const struct slab *head);
/* machine/give_back.c: all free pages that the system still backs go back. */
void pages_trim(struct slab_machine *m);
/* In a child: whoever was giving back is not there any more. */
void pages_after_fork(struct slab_machine *m);
/* The order of a block that was given out; of a virtual machine, where order may
 * be damaged, from its tails' descriptors. */
unsigned int pages_order(const struct slab_machine *m, const struct slab *head);
void pages_init(struct slab_machine *m);
/* Bytes from the slot's start that some node has or had. */
size_t pages_taken(const struct slab_machine *m);
/* Frees everything; contents read zero again. */
void pages_reset(struct slab_machine *m);

static inline bool machine_owns(const struct slab_machine *m, uintptr_t address)
{
	return address - m->base <
	       __atomic_load_n(&m->pages_opened, __ATOMIC_RELAXED)
		       << PAGE_SHIFT;
}

/* ---- metadata: zeroed, aligned to its size up to 64; NULL without memory ---- */
void *meta_alloc(struct slab_machine *m, size_t size);
/* Native: near what else is that CPU's. */
void *meta_alloc_for(struct slab_machine *m, size_t size, unsigned int cpu);
void meta_free(struct slab_machine *m, void *p, size_t size);
char *meta_strdup(struct slab_machine *m, const char *s);
void meta_init(struct slab_machine *m);
void meta_reset(struct slab_machine *m);
static inline bool meta_owns(const struct slab_machine *m, uintptr_t address)
{
	return address >= m->meta.start &&
	       address < __atomic_load_n(&m->meta.next, __ATOMIC_RELAXED);
}

/* ---- RCU ---- */
void machine_call_rcu(struct slab_machine *m, struct rcu_head *head,
		      void (*func)(struct slab_machine *, struct rcu_head *));
/* The same without a word to who runs them: that follows, when a CPU's lock is
 * not held any more. */
void machine_queue_rcu(struct slab_machine *m, struct rcu_head *head,
		       void (*func)(struct slab_machine *, struct rcu_head *));
void machine_rcu_kick(struct slab_machine *m);
/* Runs one or two that may run, if there are any. No lock is held. */
void machine_rcu_help(struct slab_machine *m);
/* Somebody runs callbacks from now on. No lock is held: a thread is made. */
void machine_rcu_start(struct slab_machine *m);
void machine_rcu_stop(struct slab_machine *m);
/* May this thread wait for a grace period? Not from a callback, and not in a
 * read-side critical section, for whose end it would wait. */
bool machine_rcu_may_wait(const struct slab_machine *m);

/* Native: a CPU's batch is that of all threads that were there. */
void machine_krc_lock(struct slab_machine *m, unsigned int cpu);
void machine_krc_unlock(struct slab_machine *m, unsigned int cpu);
/* The CPU's batch of kfree_rcu stops growing and waits for a grace period. */
void machine_krc_drain(struct slab_machine *m, unsigned int cpu);
void machine_krc_drain_locked(struct slab_machine *m, unsigned int cpu);
/* Those that have grown for KRC_DRAIN_JIFFIES. In how many jiffies is the next
 * one as old? KRC_NONE: there is none. */
uint64_t machine_krc_drain_old(struct slab_machine *m);
#define KRC_NONE UINT64_MAX

/* Opens [start, start + bytes), whole 2 MiB pieces, for reading and writing. */
int machine_open_range(uintptr_t start, size_t bytes);

void sites_fini(struct slab_machine *m);

#endif

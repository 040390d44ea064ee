/* SPDX-License-Identifier: MIT */
/* slab/cpu.c - this CPU's sheaves are locked and let go */
#include "slab/cpu.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>

#include "base/futex.h"
#include "slab/percpu_sim.h"

/* Never NULL, which an analyser can not see. */
static __attribute__((returns_nonnull)) struct slub_percpu_sheaves *
record(const struct kmem_cache *s, unsigned int cpu)
{
	return &s->cpu_sheaves[cpu];
}

/* ---- the lock folded into `fast` ---- */

/* Work in another CPU's name takes that CPU's record, from here. 0, -EBUSY, or
 * why that CPU can not be reached. */
static int swap_in(struct kmem_cache *s, struct slub_percpu_sheaves **ret)
{
	struct slub_percpu_sheaves *pcs;
	unsigned int cpu;
	int err;

	if (!percpu_acts()) {
		*ret = pcs_swap_in(s);
		return *ret ? 0 : -EBUSY;
	}
	cpu = machine_cpu(s->machine);
	pcs = record(s, cpu);
	if (!lock_try(&pcs->lock))
		return -EBUSY;
	err = percpu_swap_there(pcs, cpu, locked_sheaf, drained_sheaf);
	if (err) {
		lock_release(&pcs->lock);
		return err;
	}
	SAY_TAKEN(pcs);
	pcs_collect(s, pcs);
	*ret = pcs;
	return 0;
}

/* ---- the calls ---- */
static struct slub_percpu_sheaves *try_record(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	struct slub_percpu_sheaves *pcs;

	switch (m->percpu) {
	case PERCPU_RSEQ:
		return swap_in(s, &pcs) ? NULL : pcs;
	case PERCPU_SIM:
		return percpu_sim_lock(m, s->cpu_sheaves);
	case PERCPU_LOCK:
		break;
	}
	pcs = record(s, machine_cpu(m));
	if (!lock_try(&pcs->lock))
		return NULL;
	pcs->lock.holder = (uint16_t)machine_cpu(m);
	return pcs;
}

struct slub_percpu_sheaves *pcs_trylock(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	struct slub_percpu_sheaves *pcs;

	machine_point(m, SLAB_POINT_PCS_TRYLOCK);
	pcs = try_record(s);
	if (!pcs) {
		machine_event(m, SLAB_EVENT_PCS_BUSY, s, NULL, NULL,
			      machine_cpu(m), 0);
		return NULL;
	}
	machine_point(m, SLAB_POINT_PCS_HELD);
	return pcs;
}

struct slub_percpu_sheaves *pcs_lock(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	struct slub_percpu_sheaves *pcs;
	unsigned int tries = 0;
	int err;

	machine_point(m, SLAB_POINT_PCS_LOCK);
	switch (m->percpu) {
	case PERCPU_RSEQ:
		/* its holder is a thread that runs, or will, if we let one of
		 * a lower priority */
		while ((err = swap_in(s, &pcs)) == -EBUSY)
			if (++tries % 64)
				sched_yield();
			else
				sleep_ns(50000);
		if (err) {
			__atomic_store_n(&m->unreached_cpu, machine_cpu(m) + 1,
					 __ATOMIC_RELAXED);
			return NULL;
		}
		break;
	case PERCPU_SIM:
		pcs = percpu_sim_lock_wait(m, s->cpu_sheaves);
		break;
	default:
		pcs = record(s, machine_cpu(m));
		machine_lock_now(m, &pcs->lock);
	}
	machine_point(m, SLAB_POINT_PCS_HELD);
	return pcs;
}

void pcs_unlock(struct kmem_cache *s, struct slub_percpu_sheaves *pcs)
{
	struct slab_machine *m = s->machine;

	machine_moved(m);
	switch (m->percpu) {
	case PERCPU_RSEQ:
		pcs_swap_out(s, pcs);
		if (percpu_acts())
			lock_release(&pcs->lock);
		break;
	case PERCPU_SIM:
		percpu_sim_unlock(m, pcs);
		machine_point(m, SLAB_POINT_PCS_UNLOCK);
		break;
	case PERCPU_LOCK:
		machine_unlock(m, &pcs->lock, SLAB_POINT_PCS_UNLOCK);
		break;
	}
}

/* ---- full sheaves of this CPU's own (DIVERGENCE: local) ---- */
static size_t sheaf_payload(const struct kmem_cache *s)
{
	return (size_t)s->sheaf_capacity * s->size;
}

static size_t *kept_by(const struct kmem_cache *s,
		       const struct slub_percpu_sheaves *pcs)
{
	return &s->machine->kept[pcs - s->cpu_sheaves].bytes;
}

/* Times what a CPU may keep: phases of programs that give back and ask again
 * are not worth a flush of all. */
#define SHRINKS_FROM 4

static size_t shrinks_from(const struct kmem_cache *s)
{
	size_t kept = s->machine->params.cpu_full_bytes;

	return sheaf_payload(s) <= kept ? SHRINKS_FROM * kept : SIZE_MAX;
}

bool cache_shrinks(const struct kmem_cache *s)
{
	return __atomic_load_n(&s->flushed_bytes, __ATOMIC_RELAXED) >=
	       shrinks_from(s);
}

bool cache_gave_back(struct kmem_cache *s, size_t bytes)
{
	size_t from = shrinks_from(s);
	size_t all = __atomic_add_fetch(&s->flushed_bytes, bytes,
					__ATOMIC_RELAXED);

	return all >= from && all - bytes < from;
}

bool cpu_may_keep(const struct kmem_cache *s,
		  const struct slub_percpu_sheaves *pcs)
{
	const struct machine_parameters *p = &s->machine->params;
	size_t bytes = sheaf_payload(s);

	return !cache_shrinks(s) &&
	       (pcs->nr_local + 1) * bytes <= p->cpu_full_bytes &&
	       __atomic_load_n(kept_by(s, pcs), __ATOMIC_RELAXED) + bytes <=
		       p->cpus_full_bytes;
}

void cpu_keep_main(struct kmem_cache *s, struct slub_percpu_sheaves *pcs,
		   struct slab_sheaf *empty)
{
	__atomic_fetch_add(kept_by(s, pcs), sheaf_payload(s), __ATOMIC_RELAXED);
	pcs->nr_local++;
	sheaf_set_next(pcs->main, pcs->local_full);
	pcs->local_full = pcs->main;
	pcs->main = empty;
}

struct slab_sheaf *cpu_take_local(struct kmem_cache *s,
				  struct slub_percpu_sheaves *pcs)
{
	struct slab_sheaf *full = pcs->local_full, *all = pcs->local_empty;

	__atomic_fetch_sub(kept_by(s, pcs), pcs->nr_local * sheaf_payload(s),
			   __ATOMIC_RELAXED);
	pcs->local_full = pcs->local_empty = NULL;
	pcs->nr_local = 0;
	while (full) {
		struct slab_sheaf *next = sheaf_next(full);

		sheaf_set_next(full, all);
		all = full;
		full = next;
	}
	return all;
}

/* ---- inline paths ---- */
void *cpu_fast_nothing(void)
{
	static struct slub_percpu_sheaves few[SLAB_MAX_CPUS], *known;
	struct slub_percpu_sheaves *none;
	unsigned int nr = percpu_possible(), cpu;

	none = __atomic_load_n(&known, __ATOMIC_ACQUIRE);
	if (none)
		return none;
	none = few;
	if (nr > SLAB_MAX_CPUS)
		none = mmap(NULL, nr * sizeof(*none), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (none == MAP_FAILED)
		return NULL;
	for (cpu = 0; cpu < nr; cpu++)
		none[cpu].fast = bootstrap_sheaf;
	__atomic_store_n(&known, none, __ATOMIC_RELEASE);
	return none;
}

void cpu_fast_init(struct kmem_cache *s, struct slub_percpu_sheaves *pcs)
{
	pcs->fast = s->machine->percpu == PERCPU_LOCK || s->fast_is_shut ?
			    bootstrap_sheaf :
			    pcs->main;
}

/* Each CPU is locked and let go once. */
static void visit_all(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	struct slub_percpu_sheaves *pcs;
	struct machine_cpu_work work;
	unsigned int cpu;

	if (m->percpu != PERCPU_RSEQ)
		return;
	work = machine_cpu_begin(m);
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		machine_act_for(m, cpu);
		pcs = pcs_lock(s);
		if (pcs)
			pcs_unlock(s, pcs);
	}
	machine_cpu_end(m, work);
}

void cpu_collect_counts(struct kmem_cache *s)
{
	if (s->stats)
		visit_all(s);
}

static void set_shut(struct kmem_cache *s, bool shut)
{
	if (s->fast_is_shut == shut)
		return;
	__atomic_store_n(&s->fast_is_shut, shut, __ATOMIC_RELAXED);
	/* who lets a CPU go from now on knows it */
	visit_all(s);
}

void cpu_fast_close(struct kmem_cache *s)
{
	set_shut(s, true);
}

void cpu_fast_open(struct kmem_cache *s)
{
	set_shut(s, false);
}

struct node_barn *get_barn(const struct kmem_cache *s)
{
	return s->node[machine_mem_node(s->machine)]->barn;
}

const char *pcs_check(const struct kmem_cache *s, unsigned int cpu)
{
	const struct slub_percpu_sheaves *pcs = record(s, cpu);
	const char *broken;

	if (!pcs->main)
		return "P1: main is never NULL";
	if (!s->sheaf_capacity)
		return pcs->main == bootstrap_sheaf && !pcs->spare &&
				       !pcs->rcu_free ?
			       NULL :
			       "P8: no sheaves but the bootstrap sheaf";
	broken = sheaf_check(s, pcs->main);
	if (!broken && pcs->spare)
		broken = sheaf_check(s, pcs->spare);
	if (!broken && pcs->rcu_free)
		broken = sheaf_check(s, pcs->rcu_free);
	if (!broken && pcs->rcu_free &&
	    pcs->rcu_free->size == s->sheaf_capacity)
		return "P3: a full rcu_free is submitted at once";
	return broken;
}

/* SPDX-License-Identifier: MIT */
/*
 * machine/virtual.c - a machine that exists in one process, at fixed addresses
 *
 * Everything that could differ from run to run comes from the configuration:
 * addresses from the slot, time from ticks, chance from the seed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/machine.h"

struct slab_machine *machine_slots[SLAB_NR_SLOTS];

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static int slot_reserve(unsigned int slot)
{
	void *want = (void *)(SLAB_SLOT_BASE + slot * SLAB_SLOT_SIZE);
	void *got = mmap(want, SLAB_SLOT_SIZE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				 MAP_FIXED_NOREPLACE,
			 -1, 0);

	if (got == MAP_FAILED)
		return errno == EEXIST ? -EBUSY : -ENOMEM;
	if (got != want) { /* a kernel that does not know the flag */
		munmap(got, SLAB_SLOT_SIZE);
		return -EBUSY;
	}
	madvise(got, SLAB_SLOT_SIZE, MADV_DONTDUMP);
	return 0;
}

static int slot_find(unsigned int wanted, unsigned int *ret)
{
	unsigned int slot;

	if (wanted != SLAB_ANY_SLOT) {
		if (wanted >= SLAB_NR_SLOTS)
			return -EINVAL;
		*ret = wanted;
		return machine_slots[wanted] ? -EBUSY : slot_reserve(wanted);
	}
	for (slot = 0; slot < SLAB_NR_SLOTS; slot++) {
		if (!machine_slots[slot] && !slot_reserve(slot)) {
			*ret = slot;
			return 0;
		}
	}
	return -EBUSY;
}

static int config_fill(struct slab_machine_config *c)
{
	if (!c->nr_cpus)
		c->nr_cpus = 1;
	if (!c->nr_cpu_ids)
		c->nr_cpu_ids = c->nr_cpus;
	if (!c->nr_nodes)
		c->nr_nodes = 1;
	if (c->nr_cpus > SLAB_VIRTUAL_CPUS ||
	    c->nr_cpu_ids > SLAB_VIRTUAL_CPUS || c->nr_cpu_ids < c->nr_cpus ||
	    c->nr_nodes > SLAB_MAX_NODES)
		return -EINVAL;
	/* some node must have memory */
	if (!(((1U << c->nr_nodes) - 1) & ~c->memoryless))
		return -EINVAL;
	return 0;
}

void machine_start(struct slab_machine *m)
{
	const struct slab_machine_config *c = &m->config;
	unsigned int cpu;

	m->cpu = 0;
	m->cpus_online = c->nr_cpus < 64 ? (1ULL << c->nr_cpus) - 1 : ~0ULL;
	m->nodes_memory = ((1U << c->nr_nodes) - 1) & ~c->memoryless;
	machine_moved(m);
	m->in_interrupt = 0;
	memset(m->irqs_off, 0, sizeof(m->irqs_off));
	memset(m->deferred, 0, sizeof(m->deferred));
	memset(m->nr_deferred, 0, sizeof(m->nr_deferred));
	memset(&m->policy, 0, sizeof(m->policy));
	m->memalloc = false;
	m->reserve_pages = 0;
	memset(m->krc, 0, sizeof(m->krc));
	memset(m->kept, 0, sizeof(m->kept));
	m->pid = 1;
	strcpy(m->comm, "slabctl");
	m->jiffies = 1; /* a track made at 0 is one that was never made */
	m->random.state = c->seed;
	m->page_limit = c->page_limit;
	m->rcu_first = NULL;
	m->rcu_last = &m->rcu_first;
	m->rcu_pending = 0;
	m->rcu_grace = m->rcu_ready = NULL;
	m->rcu_ready_last = &m->rcu_ready;
	list_init(&m->slab_caches);
	list_init(&m->leaked_caches);
	memset(m->kmalloc, 0, sizeof(m->kmalloc));
	m->nr_reports = m->nr_errors = m->taint = 0;
	m->lockdep_off_said = false;
	m->warned = 0;
	m->depot = NULL;
	m->event_seq = 0;
	m->site = 0;
	lock_init(&m->cpus_lock, LOCK_RANK_CPUS);
	lock_init(&m->flush_lock, LOCK_RANK_FLUSH);
	lock_init(&m->rcu_lock, LOCK_RANK_RCU);
	lock_init(&m->rcu_queue_lock, LOCK_RANK_QUEUE);
	for (cpu = 0; cpu < SLAB_MAX_CPUS; cpu++)
		lock_init(&m->krc_lock[cpu], LOCK_RANK_KRC);
	lock_init(&m->slab_mutex, LOCK_RANK_MUTEX);
	lock_init(&m->report_lock, LOCK_RANK_REPORT);
	m->reporter = 0;
	lock_init(&m->pages_lock, LOCK_RANK_PAGES);
	lock_init(&m->meta_lock, LOCK_RANK_META);
}

int machine_open(const struct slab_machine_config *config,
		 struct slab_machine **ret)
{
	struct slab_machine *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	if (config)
		m->config = *config;
	err = config_fill(&m->config);
	if (err)
		goto out_free;
	if (m->config.slab_debug) {
		m->config.slab_debug = strdup(m->config.slab_debug);
		if (!m->config.slab_debug) {
			err = -ENOMEM;
			goto out_free;
		}
	}
	err = slot_find(m->config.slot, &m->slot);
	if (err)
		goto out_debug;
	m->base = SLAB_SLOT_BASE + m->slot * SLAB_SLOT_SIZE;
	m->region_bytes = SLAB_SLOT_SIZE;
	m->nr_pages = SLOT_PAGES_BYTES >> PAGE_SHIFT;
	m->memmap = (struct slab *)(m->base + SLOT_MEMMAP);
	pages_init(m);
	meta_init(m);
	machine_start(m);
	machine_slots[m->slot] = m;
	*ret = m;
	return 0;

out_debug:
	free((char *)m->config.slab_debug);
out_free:
	free(m);
	return err;
}

void machine_close(struct slab_machine *m)
{
	if (machine_made() == m)
		slab_machine_use(NULL);
	munmap((void *)m->base, SLAB_SLOT_SIZE);
	machine_slots[m->slot] = NULL;
	sites_fini(m);
	free((char *)m->config.slab_debug);
	free(m);
}

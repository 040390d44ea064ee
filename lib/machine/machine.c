/* SPDX-License-Identifier: MIT */
/* machine/machine.c - which machine is current, who and when, its parameters */
#include "machine/machine.h"

#include <errno.h>
#include <string.h>

#include "machine/page.h"

/* NULL: the native one, as soon as somebody asks. */
static struct slab_machine *current_machine;

struct slab_machine *slab_machine_use(struct slab_machine *m)
{
	return __atomic_exchange_n(&current_machine, m, __ATOMIC_ACQ_REL);
}

struct slab_machine *machine_made(void)
{
	struct slab_machine *m = __atomic_load_n(&current_machine,
						 __ATOMIC_ACQUIRE);

	return m ? m : __atomic_load_n(&native_machine, __ATOMIC_ACQUIRE);
}

struct slab_machine *slab_machine_current(void)
{
	struct slab_machine *m = __atomic_load_n(&current_machine,
						 __ATOMIC_ACQUIRE);

	if (__builtin_expect(!m, 0))
		m = machine_make_native();
	return m;
}

const struct slab_machine_config *
slab_machine_config(const struct slab_machine *m)
{
	return &m->config;
}

int slab_machine_set_cpu(struct slab_machine *m, unsigned int cpu)
{
	/* threads of a native machine are where the kernel put them */
	if (m->is_native || !slab_machine_cpu_online(m, cpu))
		return -EINVAL;
	if (m->cpu != cpu) {
		m->cpu = cpu;
		machine_step(m, SLAB_EVENT_CPU_SWITCH, cpu, 0);
	}
	return 0;
}

unsigned int slab_machine_cpu(const struct slab_machine *m)
{
	return machine_cpu(m);
}

unsigned int slab_machine_cpu_node(const struct slab_machine *m,
				   unsigned int cpu)
{
	return m->is_native ? native_cpu_node(m, cpu) :
			      cpu % m->config.nr_nodes;
}

void slab_machine_set_task(struct slab_machine *m, int pid, const char *comm)
{
	m->pid = pid;
	strncpy(m->comm, comm ? comm : "", sizeof(m->comm) - 1);
	m->comm[sizeof(m->comm) - 1] = '\0';
}

uint64_t slab_machine_jiffies(const struct slab_machine *m)
{
	return machine_jiffies(m);
}

void slab_machine_tick(struct slab_machine *m, uint64_t jiffies)
{
	m->jiffies += jiffies;
	machine_krc_drain_old(m);
}

uintptr_t slab_machine_print_address(const struct slab_machine *m,
				     uintptr_t address)
{
	if (!m->is_native && address - m->base < SLAB_SLOT_SIZE)
		return address - m->base + SLAB_SLOT_BASE;
	return address;
}

uintptr_t slab_machine_parse_address(const struct slab_machine *m,
				     uintptr_t printed)
{
	if (!m->is_native && printed - SLAB_SLOT_BASE < SLAB_SLOT_SIZE)
		return printed - SLAB_SLOT_BASE + m->base;
	return printed;
}

void *slab_machine_alloc_pages(struct slab_machine *m, unsigned int order)
{
	struct slab *page = pages_alloc(m, GFP_KERNEL, order, NUMA_NO_NODE);

	if (!page) {
		errno = ENOMEM;
		return NULL;
	}
	page->type = PAGE_PAGES;
	return (void *)slab_base(m, page);
}

int slab_machine_free_pages(struct slab_machine *m, void *p)
{
	struct slab *page = virt_to_head(m, p);

	if (!page || page->type != PAGE_PAGES || slab_base(m, page) != (uintptr_t)p)
		return -EINVAL;
	pages_free(m, page);
	return 0;
}

unsigned long slab_machine_pages_used(const struct slab_machine *m)
{
	return __atomic_load_n(&m->pages_used, __ATOMIC_RELAXED);
}

void slab_machine_set_page_limit(struct slab_machine *m, unsigned long pages)
{
	__atomic_store_n(&m->page_limit, pages, __ATOMIC_RELAXED);
}

/* SPDX-License-Identifier: MIT */
/*
 * cache/create.c - a cache is made, or an old one takes one more name
 *
 * Rules: spec/allocator/geometry.md 2.8 (merging), alloc-free-paths.md 3.18.
 */
#include "cache/gone.h"
#include "cache/sheaf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debug/asan.h"
#include "debug/flags.h"
#include "debug/report.h"
#include "slab/geometry.h"

#define CREATE_FLAGS                                                        \
	(SLAB_DEBUG_FLAGS | SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA |           \
	 SLAB_CACHE_DMA32 | SLAB_PANIC | SLAB_TYPESAFE_BY_RCU |             \
	 SLAB_DEBUG_OBJECTS | SLAB_NOLEAKTRACE | SLAB_RECLAIM_ACCOUNT |     \
	 SLAB_ACCOUNT | SLAB_NO_USER_FLAGS | SLAB_KMALLOC | SLAB_NO_MERGE | \
	 SLAB_FAILSLAB)
#define NEVER_MERGE                                                         \
	(SLAB_DEBUG_FLAGS | SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE |       \
	 SLAB_FAILSLAB | SLAB_NO_MERGE)
#define NAME_MAX_BYTES 63
#define SAME_TO_MERGE                                                       \
	(SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 |         \
	 SLAB_ACCOUNT)

/* Which argument, and what would have been right. */
struct refusal {
	char why[160];
};

static __attribute__((format(printf, 2, 3))) int
refuse(struct refusal *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->why, sizeof(r->why), format, args);
	va_end(args);
	return -EINVAL;
}

static int check_freeptr(struct refusal *r, unsigned int object_size,
			 const struct kmem_cache_args *args, slab_flags_t flags)
{
	if (!(flags & SLAB_TYPESAFE_BY_RCU) && !args->ctor)
		return refuse(r, "use_freeptr_offset is for caches with SLAB_TYPESAFE_BY_RCU or a constructor");
	if (args->freeptr_offset >= object_size ||
	    args->freeptr_offset % sizeof(void *))
		return refuse(r, "freeptr_offset is %u: a multiple of %zu below the size, which is %u, would do",
			      args->freeptr_offset, sizeof(void *),
			      object_size);
	return 0;
}

static int check_args(struct refusal *r, const char *name,
		      unsigned int object_size,
		      const struct kmem_cache_args *args, slab_flags_t flags)
{
	slab_flags_t unknown = flags & ~(slab_flags_t)CREATE_FLAGS;

	if (!name || !*name || strlen(name) > NAME_MAX_BYTES)
		return refuse(r, "the name is %s: 1 to %d bytes would do",
			      !name ? "NULL" : *name ? "too long" : "empty",
			      NAME_MAX_BYTES);
	if (!object_size || object_size > KMALLOC_MAX_SIZE)
		return refuse(r, "the size is %u: 1 to %lu bytes would do",
			      object_size, (unsigned long)KMALLOC_MAX_SIZE);
	if (unknown)
		return refuse(r, "flags have %#x, which no creator may pass: %#x would do",
			      unknown, flags & ~unknown);
	if (args->align > KMALLOC_MAX_SIZE)
		return refuse(r, "align is %u: at most %lu would do",
			      args->align, (unsigned long)KMALLOC_MAX_SIZE);
	if (args->sheaf_capacity > SLAB_SHEAF_MAX)
		return refuse(r, "sheaf_capacity is %u: at most %u would do",
			      args->sheaf_capacity, SLAB_SHEAF_MAX);
	return args->use_freeptr_offset ?
		       check_freeptr(r, object_size, args, flags) :
		       0;
}

/* Before caches are compared: one without a window may share. */
static void check_window(struct slab_machine *m, const char *name,
			 unsigned int object_size, struct kmem_cache_args *args)
{
	unsigned long end = (unsigned long)args->useroffset + args->usersize;

	if ((args->usersize || !args->useroffset) && end <= object_size)
		return;
	report_warn(m, SLAB_REPORT_USERCOPY_WINDOW, false, NULL, NULL,
		    "cache %s: usercopy window %u+%u is not inside the object of %u bytes; there is none",
		    name, args->useroffset, args->usersize, object_size);
	args->useroffset = args->usersize = 0;
}

bool cache_is_unmergeable(const struct kmem_cache *s)
{
	return s->machine->params.nomerge || (s->flags & NEVER_MERGE) ||
	       s->ctor || s->usersize || s->refcount < 0;
}

static struct kmem_cache *find_mergeable(struct slab_machine *m,
					 const char *name,
					 unsigned int object_size,
					 const struct kmem_cache_args *args,
					 slab_flags_t flags)
{
	unsigned int align, size;
	struct list_head *at;

	flags = debug_flags_for(m, name, flags);
	if (m->params.nomerge || (flags & NEVER_MERGE) || args->ctor ||
	    args->usersize)
		return NULL;
	size = ALIGN_UP(object_size, (unsigned int)sizeof(void *));
	align = geometry_align(flags, args->align, size);
	size = ALIGN_UP(size, align);
	/* oldest first: the list is newest first */
	for (at = m->slab_caches.prev; at != &m->slab_caches; at = at->prev) {
		struct kmem_cache *s = container_of(at, struct kmem_cache,
						    list);

		if (cache_is_unmergeable(s) || size > s->size ||
		    ((flags ^ s->flags) & SAME_TO_MERGE) ||
		    (s->size & ~(align - 1)) != s->size ||
		    s->size - size >= sizeof(void *))
			continue;
		return s;
	}
	return NULL;
}

static int add_alias(struct kmem_cache *s, const char *name,
		     unsigned int object_size)
{
	struct slab_machine *m = s->machine;
	struct cache_name *alias = meta_alloc(m, sizeof(*alias));

	if (!alias)
		return -ENOMEM;
	alias->name = meta_strdup(m, name);
	if (!alias->name) {
		meta_free(m, alias, sizeof(*alias));
		return -ENOMEM;
	}
	list_add_tail(&alias->list, &s->names);
	s->refcount++;
	s->object_size = MAX(s->object_size, object_size);
	s->fast.object_size = s->object_size;
	s->inuse = MAX(s->inuse,
		       ALIGN_UP(object_size, (unsigned int)sizeof(void *)));
	machine_event(m, SLAB_EVENT_CACHE_ALIAS, s, NULL, NULL,
		      (unsigned long)s->refcount, 0);
	return 0;
}

static int create_nodes(struct kmem_cache *s)
{
	unsigned int nid;

	for (nid = 0; nid < s->machine->config.nr_nodes; nid++) {
		struct kmem_cache_node *n = meta_alloc(s->machine, sizeof(*n));

		if (!n)
			return -ENOMEM;
		lock_init(&n->list_lock, LOCK_RANK_LIST);
		if (s->debug_is_short)
			lock_make_ownable(&n->list_lock);
		list_init(&n->partial);
		list_init(&n->full);
		s->node[nid] = n;
	}
	return 0;
}

int cache_add_barn(struct kmem_cache *s, unsigned int nid)
{
	struct node_barn *barn = meta_alloc(s->machine, sizeof(*barn));

	if (!barn)
		return -ENOMEM;
	barn_init(barn, nid);
	s->node[nid]->barn = barn;
	return 0;
}

/* A main for every CPU that there may be, and barns where memory is. */
static int create_sheaves(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	unsigned int nr_cpus = m->config.nr_cpu_ids, cpu, nid;

	s->cpu_sheaves = meta_alloc(m, nr_cpus * sizeof(*s->cpu_sheaves));
	if (!s->cpu_sheaves)
		return -ENOMEM;
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		struct slub_percpu_sheaves *pcs = &s->cpu_sheaves[cpu];

		lock_init(&pcs->lock, LOCK_RANK_PCS);
		pcs->main = s->sheaf_capacity ?
				    sheaf_alloc_for(s, GFP_KERNEL, cpu) :
				    bootstrap_sheaf;
		if (!pcs->main)
			return -ENOMEM;
		cpu_fast_init(s, pcs);
	}
	s->fast.base = m->base;
	s->fast.bytes = REGION_PART(m, SLOT_PAGES_BYTES);
	s->fast.cpus = m->percpu == PERCPU_RSEQ ? s->cpu_sheaves :
						  cpu_fast_nothing();
	if (!s->fast.cpus)
		return -ENOMEM;
	for (nid = 0; s->sheaf_capacity && nid < m->config.nr_nodes; nid++)
		if (node_has_memory(m, nid) && cache_add_barn(s, nid))
			return -ENOMEM;
	return 0;
}

static void free_local_empty(struct kmem_cache *s,
			     struct slub_percpu_sheaves *pcs)
{
	while (pcs->local_empty) {
		struct slab_sheaf *sheaf = pcs->local_empty;

		pcs->local_empty = sheaf_next(sheaf);
		sheaf_free(s, sheaf);
	}
}

/* All of them are empty. */
static void release_sheaves(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	unsigned int nr_cpus = m->config.nr_cpu_ids, cpu, nid;

	for (cpu = 0; s->cpu_sheaves && cpu < nr_cpus; cpu++) {
		struct slab_sheaf *main = s->cpu_sheaves[cpu].main;

		free_local_empty(s, &s->cpu_sheaves[cpu]);
		if (main && main != bootstrap_sheaf)
			sheaf_free(s, main);
	}
	meta_free(m, s->cpu_sheaves, nr_cpus * sizeof(*s->cpu_sheaves));
	for (nid = 0; nid < SLAB_MAX_NODES; nid++)
		if (s->node[nid])
			meta_free(m, s->node[nid]->barn,
				  sizeof(struct node_barn));
}

void cache_release(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	struct cache_name *alias, *next;
	unsigned int nid;

	machine_moved(m);
	list_for_each_entry_safe(alias, next, &s->names, list) {
		meta_free(m, alias->name, strlen(alias->name) + 1);
		meta_free(m, alias, sizeof(*alias));
	}
	release_sheaves(s);
	for (nid = 0; nid < SLAB_MAX_NODES; nid++)
		meta_free(m, s->node[nid], sizeof(struct kmem_cache_node));
	meta_free(m, s->stats, m->config.nr_cpu_ids * sizeof(*s->stats));
	meta_free(m, s->random_seq, s->oo.objects * sizeof(unsigned int));
	if (s->name)
		meta_free(m, s->name, strlen(s->name) + 1);
	cache_leave_gone(s);
	meta_free(m, s, sizeof(*s));
}

static int set_geometry(struct kmem_cache *s, const struct kmem_cache_args *args)
{
	const struct slab_machine *m = s->machine;
	struct geometry_parameters params = {
		.min_order = m->params.min_order,
		.max_order = m->params.max_order,
		.min_objects = m->params.min_objects,
		.nr_cpus = m->config.nr_cpus,
		.nr_cpu_ids = m->config.nr_cpu_ids,
		.disable_higher_order = m->params.disable_higher_order,
	};
	struct geometry g = {
		.object_size = s->object_size,
		.align = s->align,
		.flags = s->flags,
		.has_ctor = s->ctor != NULL,
		.use_freeptr_offset = args->use_freeptr_offset,
		.freeptr_offset = args->freeptr_offset,
	};
	int err = geometry_calculate(&g, &params);

	if (err)
		return err;
	s->flags = g.flags;
	cache_set_size(s, g.size);
	s->inuse = g.inuse;
	s->offset = g.offset;
	s->red_left_pad = g.red_left_pad;
	s->oo = g.oo;
	s->min = g.min;
	return 0;
}

/* What hands objects out inline does none of this. */
bool cache_fast_lacks(const struct kmem_cache *s)
{
	const struct machine_parameters *p = &s->machine->params;

	return p->init_on_alloc || p->init_on_free || p->freelist_hardened ||
	       p->strict_numa || (s->flags & SLAB_FAILSLAB) ||
	       __atomic_load_n(&s->machine->faults.failslab.attr.probability,
			       __ATOMIC_RELAXED) ||
	       s->machine->faults.task.fail_nth ||
	       s->machine->event_fn || asan_watches(s->machine);
}

int cache_create(struct slab_machine *m, const char *name,
		 unsigned int object_size, const struct kmem_cache_args *args,
		 slab_flags_t flags, struct kmem_cache **ret)
{
	struct kmem_cache *s = meta_alloc(m, sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		return err;
	s->machine = m;
	s->self = s;
	list_init(&s->names);
	s->name = meta_strdup(m, name);
	if (!s->name)
		goto out_release;
	if (m->params.statistics) {
		s->stats = meta_alloc(m, m->config.nr_cpu_ids *
						 sizeof(*s->stats));
		if (!s->stats)
			goto out_release;
	}
	s->object_size = object_size;
	s->flags = debug_flags_for(m, name, flags);
	s->align = geometry_align(flags, args->align, object_size);
	s->ctor = args->ctor;
	s->useroffset = args->useroffset;
	s->usersize = args->usersize;
	err = set_geometry(s, args);
	if (err)
		goto out_release;
	if (m->params.freelist_hardened)
		s->random = random_next(&m->random) | 1;
	/* threads and handlers go by this flag: it must be true there */
	if ((HAVE_CMPXCHG_DOUBLE || !m->is_native) &&
	    !m->params.no_cmpxchg_double &&
	    !(s->flags & (SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER |
			  SLAB_TRACE)))
		s->flags |= SLAB_CMPXCHG_DOUBLE;
	if (s->flags & SLAB_CACHE_DMA)
		s->allocflags |= __GFP_DMA;
	if (s->flags & SLAB_CACHE_DMA32)
		s->allocflags |= __GFP_DMA32;
	if (s->flags & SLAB_RECLAIM_ACCOUNT)
		s->allocflags |= __GFP_RECLAIMABLE;
	s->allocflags |= __GFP_COMP;
	s->min_partial = geometry_min_partial(s->size);
	s->sheaf_capacity = geometry_sheaf_capacity(s->size, s->flags,
						    args->sheaf_capacity);
	s->remote_node_defrag_ratio = 1000;
	s->refcount = 1;
	/* writing to the failslab file does not rename the directory */
	s->has_id = !cache_is_unmergeable(s);
	s->fast.object_size = s->object_size;
	s->fast_is_shut = cache_fast_lacks(s);
	debug_short_init(s);
	lock_init(&s->lent_lock, LOCK_RANK_LENT);
	list_init(&s->lent);
	err = create_nodes(s);
	if (!err)
		err = create_sheaves(s);
	if (err)
		goto out_release;
	if (m->params.freelist_random)
		slab_init_random_seq(s);
	list_add(&s->list, &m->slab_caches);
	machine_event(m, SLAB_EVENT_CACHE_NEW, s, NULL, NULL, s->object_size,
		      s->size);
	*ret = s;
	return 0;

out_release:
	cache_release(s);
	return err;
}

struct kmem_cache *__kmem_cache_create_args(const char *name,
					    unsigned int object_size,
					    struct kmem_cache_args *args,
					    slab_flags_t flags)
{
	struct slab_machine *m = slab_machine_current();
	struct kmem_cache_args a = { 0 };
	struct kmem_cache *s = NULL;
	struct refusal refusal = { "" };
	int err;

	if (!m) {
		errno = ENOMEM;
		return NULL;
	}
	if (args)
		a = *args;
	if (a.sheaf_capacity)
		flags |= SLAB_NO_MERGE;
	err = check_args(&refusal, name, object_size, &a, flags);
	if (err)
		goto out;
	check_window(m, name, object_size, &a);
	if (flags & SLAB_TYPESAFE_BY_RCU)
		machine_rcu_start(m);
	machine_lock_caches(m);
	s = find_mergeable(m, name, object_size, &a, flags);
	if (s)
		err = add_alias(s, name, object_size);
	else
		err = cache_create(m, name, object_size, &a, flags, &s);
	machine_unlock_caches(m);
out:
	if (!err)
		return s;
	report_note(m, "__kmem_cache_create_args(%s) failed with error %d",
		    name ? name : "(null)", err);
	/* 7.0 leaves it at that, and so does a virtual machine */
	if (m->is_native && err == -EINVAL)
		report_note(m, "  %s",
			    refusal.why[0] ?
				    refusal.why :
				    "no slab is large enough for an object of this size, alignment and debugging");
	errno = -err;
	return NULL;
}

struct kmem_cache *kmem_cache_create_usercopy(const char *name,
					      unsigned int size,
					      unsigned int align,
					      slab_flags_t flags,
					      unsigned int useroffset,
					      unsigned int usersize,
					      void (*ctor)(void *))
{
	struct kmem_cache_args args = { .align = align,
					.ctor = ctor,
					.useroffset = useroffset,
					.usersize = usersize };

	return __kmem_cache_create_args(name, size, &args, flags);
}

unsigned int kmem_cache_size(const struct kmem_cache *s)
{
	return s->object_size;
}

const char *kmem_cache_name(const struct kmem_cache *s)
{
	return s->name;
}

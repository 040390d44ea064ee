/* SPDX-License-Identifier: MIT */
/* cache/buckets.c - private sets of kmalloc classes (geometry.md 2.7) */
#include "cache/cache.h"

#include <errno.h>
#include <string.h>

#include "slab/geometry.h"

struct kmem_buckets {
	struct slab_machine *machine;
	struct kmem_cache *class[KMALLOC_CLASSES]; /* NULL below index 1 */
};

/* The window as far as the class reaches; none where it begins behind it. */
static void cut_window(struct kmem_cache_args *args, unsigned int size)
{
	if (args->useroffset >= size) {
		args->useroffset = args->usersize = 0;
		return;
	}
	args->usersize = MIN(args->usersize, size - args->useroffset);
}

static struct kmem_cache *make(const char *set, unsigned int size,
			       slab_flags_t flags, unsigned int useroffset,
			       unsigned int usersize, void (*ctor)(void *))
{
	struct kmem_cache_args args = { .useroffset = useroffset,
					.usersize = usersize,
					.ctor = ctor };
	char name[64];

	cut_window(&args, size);
	kmalloc_class_name(name, sizeof(name), set, size);
	return __kmem_cache_create_args(name, size, &args,
					flags | SLAB_NO_MERGE | SLAB_KMALLOC);
}

struct kmem_buckets *kmem_buckets_create(const char *name, slab_flags_t flags,
					 unsigned int useroffset,
					 unsigned int usersize,
					 void (*ctor)(void *))
{
	struct slab_machine *m = slab_machine_current();
	struct kmem_buckets *b;
	unsigned int class;

	/* room for "-128" behind it */
	if (!m || !name || !*name || strlen(name) > 58) {
		errno = m ? EINVAL : ENOMEM;
		return NULL;
	}
	b = meta_alloc(m, sizeof(*b));
	if (!b) {
		errno = ENOMEM;
		return NULL;
	}
	b->machine = m;
	for (class = 1; class < KMALLOC_CLASSES; class++) {
		b->class[class] = make(name, kmalloc_class_size(class), flags,
				       useroffset, usersize, ctor);
		if (b->class[class])
			continue;
		class = (unsigned int)errno;
		slab_buckets_destroy(b);
		errno = (int)class;
		return NULL;
	}
	return b;
}

void *kmem_buckets_alloc(struct kmem_buckets *b, size_t size, gfp_t gfp)
{
	void *p;

	if (!b)
		return kmalloc(size, gfp);
	if (!size)
		return ZERO_SIZE_PTR;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return slab_alloc(b->class[kmalloc_class(size)], gfp,
				  NUMA_NO_NODE, CALLER, size);
	p = kmalloc_large(b->machine, size, gfp, NUMA_NO_NODE);
	if (!p)
		errno = ENOMEM;
	return p;
}

int slab_buckets_destroy(struct kmem_buckets *b)
{
	unsigned int class;
	int err = 0;

	if (!b)
		return 0;
	for (class = 1; class < KMALLOC_CLASSES; class++)
		if (kmem_cache_destroy(b->class[class]))
			err = -EBUSY;
	meta_free(b->machine, b, sizeof(*b));
	return err;
}

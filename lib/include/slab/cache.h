/*
 * slab/cache.h - the kernel's slab API: caches of equal objects
 *
 * Names, flags and meanings are Linux 7.0's (mm/slab.h, include/linux/slab.h),
 * so that kernel code compiled in user space links against this library. What
 * the kernel lacks begins with slab_.
 *
 * Machine:   a cache belongs to the machine that was current when it was
 *            created (slab/machine.h); alloc and free find it from the cache.
 * Sizes:     bytes, unless a name says pages or objects.
 * Errors:    functions that return a pointer return NULL and set errno;
 *            others return 0 or -errno. Nothing aborts: what panics or oopses
 *            in the kernel is reported (slab/report.h) and survived, see
 *            lib/DIVERGENCE.md.
 * Locking:   every call may be made from any thread that may use the machine.
 *            A virtual machine is for one thread at a time.
 */
#ifndef SLAB_CACHE_H
#define SLAB_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLAB_API __attribute__((visibility("default")))

typedef unsigned int gfp_t;
typedef unsigned int slab_flags_t;

struct kmem_cache;
struct slab_machine;

/* ---- creation flags (spec order of 7.0's enum of slab flag bits) ---- */
#define SLAB_CONSISTENCY_CHECKS (1U << 0)  /* F: verify on alloc and free */
#define SLAB_RED_ZONE		(1U << 1)  /* Z: guard bytes on both sides */
#define SLAB_POISON		(1U << 2)  /* P: fill free objects */
#define SLAB_KMALLOC		(1U << 3)  /* is a kmalloc cache */
#define SLAB_HWCACHE_ALIGN	(1U << 4)  /* align to cache lines */
#define SLAB_CACHE_DMA		(1U << 5)
#define SLAB_CACHE_DMA32	(1U << 6)
#define SLAB_STORE_USER		(1U << 7)  /* U: remember last alloc and free */
#define SLAB_PANIC		(1U << 8)  /* creation must not fail */
#define SLAB_TYPESAFE_BY_RCU	(1U << 9)  /* slabs are freed after a grace period */
#define SLAB_TRACE		(1U << 10) /* T: log every alloc and free */
#define SLAB_DEBUG_OBJECTS	(1U << 11)
#define SLAB_NOLEAKTRACE	(1U << 12) /* not traced; no sheaves */
#define SLAB_NO_MERGE		(1U << 13) /* never an alias */
#define SLAB_FAILSLAB		(1U << 14) /* A: fault injection */
#define SLAB_ACCOUNT		(1U << 15)
#define SLAB_KASAN		(1U << 16)
#define SLAB_NO_USER_FLAGS	(1U << 17) /* ignore slab_debug= */
#define SLAB_SKIP_KFENCE	(1U << 18)
#define SLAB_RECLAIM_ACCOUNT	(1U << 19)
#define SLAB_TEMPORARY		SLAB_RECLAIM_ACCOUNT

/* ---- allocation flags that mean something inside a slab allocator ----
 * Without any bit of __GFP_RECLAIM (0, say) a request never waits for a lock,
 * as kmalloc_nolock(), and may get NULL where there is memory: 7.0's rule. */
#define __GFP_DMA	     (1U << 0)
#define __GFP_HIGHMEM	     (1U << 1)
#define __GFP_DMA32	     (1U << 2)
#define __GFP_RECLAIMABLE    (1U << 4)
#define __GFP_HIGH	     (1U << 5)
#define __GFP_ZERO	     (1U << 8)
#define __GFP_DIRECT_RECLAIM (1U << 10)
#define __GFP_KSWAPD_RECLAIM (1U << 11)
#define __GFP_NOWARN	     (1U << 13)
#define __GFP_NOFAIL	     (1U << 15)
#define __GFP_NORETRY	     (1U << 16)
#define __GFP_MEMALLOC	     (1U << 17)
#define __GFP_COMP	     (1U << 18)
#define __GFP_NOMEMALLOC     (1U << 19)
#define __GFP_HARDWALL	     (1U << 20)
#define __GFP_THISNODE	     (1U << 21)
#define __GFP_ACCOUNT	     (1U << 22)
#define __GFP_NO_OBJ_EXT     (1U << 25)
#define __GFP_RECLAIM	     (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL	     (__GFP_RECLAIM | (1U << 6) | (1U << 7))
#define GFP_KERNEL_ACCOUNT   (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT	     (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_ATOMIC	     (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)

#define NUMA_NO_NODE (-1)

/* Arguments of kmem_cache_create() beyond name, size and flags; all optional. */
struct kmem_cache_args {
	unsigned int align;	 /* 0: the architecture's minimum, 8 */
	unsigned int useroffset; /* usercopy window: first byte, */
	unsigned int usersize;	 /* and length; 0: none */
	unsigned int freeptr_offset;
	bool use_freeptr_offset; /* freeptr_offset counts (RCU or ctor only) */
	void (*ctor)(void *);	 /* once per object when a slab is made */
	unsigned int sheaf_capacity; /* lower bound; non-zero forbids merging */
};

/*
 * Makes a cache of objects of object_size bytes, or raises the reference of a
 * mergeable one that fits. The name is copied.
 * NULL with errno: EINVAL (name NULL, empty or above 63 bytes, size 0 or above
 * 4 MiB, a flag no creator may pass, an impossible freeptr_offset, a layout no
 * slab order can hold), ENOMEM.
 */
SLAB_API struct kmem_cache *
__kmem_cache_create_args(const char *name, unsigned int object_size,
			 struct kmem_cache_args *args, slab_flags_t flags);

static inline struct kmem_cache *
__kmem_cache_default_args(const char *name, unsigned int object_size,
			  struct kmem_cache_args *args, slab_flags_t flags)
{
	(void)args;
	return __kmem_cache_create_args(name, object_size, NULL, flags);
}

static inline struct kmem_cache *
__kmem_cache_create(const char *name, unsigned int object_size,
		    unsigned int align, slab_flags_t flags,
		    void (*ctor)(void *))
{
	struct kmem_cache_args args;

	/* C++ has no designators, or warns of what they leave out */
	__builtin_memset(&args, 0, sizeof(args));
	args.align = align;
	args.ctor = ctor;
	return __kmem_cache_create_args(name, object_size, &args, flags);
}

/*
 * kmem_cache_create(name, size, args or NULL, flags)
 * kmem_cache_create(name, size, align, flags, ctor)	the older form
 */
#ifndef __cplusplus
#define kmem_cache_create(__name, __object_size, __args, ...)                 \
	_Generic((__args), struct kmem_cache_args *: __kmem_cache_create_args, \
		 void *: __kmem_cache_default_args,                            \
		 default: __kmem_cache_create)(__name, __object_size, __args,  \
					       __VA_ARGS__)
#endif

/*
 * The older form with a usercopy window: usersize bytes from useroffset on may
 * be copied to and from users, see slab_check_usercopy().
 */
SLAB_API struct kmem_cache *
kmem_cache_create_usercopy(const char *name, unsigned int size,
			   unsigned int align, slab_flags_t flags,
			   unsigned int useroffset, unsigned int usersize,
			   void (*ctor)(void *));

/*
 * Drops one reference; the last one tears the cache down. Objects still in use
 * are reported and the cache is leaked, as 7.0's kmem_cache_destroy() does.
 * NULL is fine. 0, or -EBUSY when objects were left (the kernel returns void).
 * -EINVAL: it is no cache, or was destroyed.
 *
 * As a courtesy, and only until its memory is used for something else: calls
 * with a cache that was destroyed do nothing, set errno EINVAL, and are reported
 * once (SLAB_REPORT_NO_CACHE).
 */
SLAB_API int kmem_cache_destroy(struct kmem_cache *s);

/*
 * The same for one of a cache's names, which it answers to no longer. (The
 * kernel forgets no alias; the first name stays until the last reference.)
 * -ENOENT: no cache has it.
 */
SLAB_API int slab_cache_destroy_name(struct slab_machine *m, const char *name);

/* Frees every empty slab. 1 when a slab is left anywhere, else 0. */
SLAB_API int kmem_cache_shrink(struct kmem_cache *s);

/* One object or NULL (errno ENOMEM). The payload is as slab/debug.h says;
 * __GFP_ZERO clears it. */
SLAB_API void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp);
SLAB_API void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node);

/* All of nr objects into p[] and nr, or none and 0. */
SLAB_API int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t nr,
				   void **p);

/*
 * Gives an object back. What is no object of s is reported and ignored
 * (the object, if it is one, is leaked: 7.0's rule for wrong caches).
 */
SLAB_API void kmem_cache_free(struct kmem_cache *s, void *object);

/* Frees p[0..nr-1], grouped by slab; s may be NULL for kmalloc objects. The
 * array is clobbered. */
SLAB_API void kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p);

/* What the cache was made with; merging may have raised the size. */
SLAB_API unsigned int kmem_cache_size(const struct kmem_cache *s);
SLAB_API const char *kmem_cache_name(const struct kmem_cache *s);

/*
 * The cache of that name (aliases count) on the machine, or NULL. From any
 * thread. What is found is the owner's to destroy: who is not the owner may
 * compare the pointer, or use it as long as the owner is known not to destroy
 * it meanwhile. From a sink or a hook: also where that interrupts a thread which
 * holds the list of caches; NULL with errno EBUSY when another thread holds it
 * for longer than 100 ms.
 */
SLAB_API struct kmem_cache *slab_cache_find(struct slab_machine *m,
					    const char *name);

#ifdef __cplusplus
}

/* What the macro is to C. */
static inline struct kmem_cache *
kmem_cache_create(const char *name, unsigned int object_size,
		  struct kmem_cache_args *args, slab_flags_t flags)
{
	return __kmem_cache_create_args(name, object_size, args, flags);
}

static inline struct kmem_cache *
kmem_cache_create(const char *name, unsigned int object_size,
		  unsigned int align, slab_flags_t flags, void (*ctor)(void *))
{
	return __kmem_cache_create(name, object_size, align, flags, ctor);
}
#endif

#include <slab/fast.h>

#endif

/* SPDX-License-Identifier: MIT */
/* slab/freelist.c - freelist and counters change together, or not at all */
#include "slab/freelist.h"

#include "base/futex.h"
#include "slab/node.h"

#if defined(__x86_64__)
static bool cmpxchg_double(struct slab *slab,
			   const struct freelist_counters *old,
			   const struct freelist_counters *new)
{
	void *old_list = old->freelist;
	unsigned long old_counters = old->counters;
	bool done;

	SLAB_SAY_GIVEN(slab);
	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(done), "+m"(slab->freelist),
			   "+m"(slab->counters), "+a"(old_list),
			   "+d"(old_counters)
			 : "b"(new->freelist), "c"(new->counters)
			 : "memory");
	SLAB_SAY_GOT(slab);
	return done;
}
#elif defined(__aarch64__)
/* Two words that were loaded in two halves do not match, or the store fails:
 * either way the caller looks again. */
static bool cmpxchg_double(struct slab *slab,
			   const struct freelist_counters *old,
			   const struct freelist_counters *new)
{
	void *list;
	unsigned long counters;
	uint32_t failed;

	SLAB_SAY_GIVEN(slab);
	__asm__ volatile("1:\tldaxp %[list], %[counters], [%[at]]\n\t"
			 "mov %w[failed], 1\n\t"
			 "cmp %[list], %[old_list]\n\t"
			 "ccmp %[counters], %[old_counters], 0, eq\n\t"
			 "b.ne 2f\n\t"
			 "stlxp %w[failed], %[new_list], %[new_counters], [%[at]]\n\t"
			 "cbnz %w[failed], 1b\n"
			 "2:"
			 : [list] "=&r"(list), [counters] "=&r"(counters),
			   [failed] "=&r"(failed)
			 : [at] "r"(&slab->freelist),
			   [old_list] "r"(old->freelist),
			   [old_counters] "r"(old->counters),
			   [new_list] "r"(new->freelist),
			   [new_counters] "r"(new->counters)
			 : "memory", "cc");
	SLAB_SAY_GOT(slab);
	return !failed;
}
#endif

/* Without it, or for caches that may not use it: the slab's own lock bit. */
static bool exchange_locked(struct slab *slab,
			    const struct freelist_counters *old,
			    const struct freelist_counters *new)
{
	unsigned int spins = 0;
	bool done = false;

	/* its holder may be another thread of this CPU */
	while (__atomic_fetch_or(&slab->flags, SL_LOCKED, __ATOMIC_ACQUIRE) &
	       SL_LOCKED)
		if (++spins % 100 == 0)
			sleep_ns(1000);
	if (slab->freelist == old->freelist &&
	    slab->counters == old->counters) {
		__atomic_store_n(&slab->freelist, new->freelist,
				 __ATOMIC_RELAXED);
		/* one store: readers without the lock must not see half */
		__atomic_store_n(&slab->counters, new->counters,
				 __ATOMIC_RELAXED);
		done = true;
	}
	__atomic_fetch_and(&slab->flags, ~SL_LOCKED, __ATOMIC_RELEASE);
	return done;
}

bool slab_update_freelist(struct kmem_cache *s, struct slab *slab,
			  const struct freelist_counters *old,
			  const struct freelist_counters *new)
{
	bool done;

	machine_point(s->machine, SLAB_POINT_FREELIST_CMPXCHG);
#if HAVE_CMPXCHG_DOUBLE
	if (s->flags & SLAB_CMPXCHG_DOUBLE)
		done = cmpxchg_double(slab, old, new);
	else
#endif
		done = exchange_locked(slab, old, new);
	if (!done)
		stat(s, SLAB_STAT_CMPXCHG_DOUBLE_FAIL);
	machine_point(s->machine, SLAB_POINT_FREELIST_DONE);
	return done;
}

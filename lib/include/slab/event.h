/*
 * slab/event.h - the steps an allocator takes, as they happen
 *
 * Locking: the hook runs inside the path, often under a lock: it may read, it
 *          must not call into the machine.
 */
#ifndef SLAB_EVENT_H
#define SLAB_EVENT_H

#include <slab/cache.h>

#ifdef __cplusplus
extern "C" {
#endif

enum slab_event_kind {
#define EVENT(id, name, sentence) SLAB_EVENT_##id,
#include <slab/events.def>
#undef EVENT
	SLAB_NR_EVENTS,
};

enum slab_point_kind {
#define POINT(id, name, sentence) SLAB_POINT_##id,
#include <slab/points.def>
#undef POINT
	SLAB_NR_POINTS,
};

struct slab_event {
	enum slab_event_kind kind;
	uint64_t seq;	/* from 1, on this machine */
	uint64_t when;	/* jiffies */
	unsigned int cpu;
	char cache[32];	/* name, cut; empty: none */
	unsigned int slab_nr; /* 0: none */
	uintptr_t object; /* 0: none */
	int index;	/* of object in its slab; -1: none */
	unsigned long a, b;
};

typedef void (*slab_event_fn)(void *arg, const struct slab_event *event);
typedef void (*slab_point_fn)(void *arg, enum slab_point_kind point);
/* The lock at this address is held; come back when that may have changed. */
typedef void (*slab_wait_fn)(void *arg, const void *lock);

/* Of a lock that a wait hook was given: "list_lock", and the CPU that has it. */
SLAB_API const char *slab_lock_name(const void *lock);
SLAB_API unsigned int slab_lock_holder(const void *lock);

/* One hook a machine; NULL takes it off. */
SLAB_API void slab_machine_set_event_hook(struct slab_machine *m,
					  slab_event_fn fn, void *arg);
SLAB_API void slab_machine_set_point_hook(struct slab_machine *m,
					  slab_point_fn fn, void *arg);
/* For who runs several virtual CPUs on one thread: without it a lock that is
 * held is spun on, for ever if its holder is such a CPU. */
SLAB_API void slab_machine_set_wait_hook(struct slab_machine *m,
					 slab_wait_fn fn, void *arg);

/* The name in events.def, and in points.def: "sheaf-refill", "list_lock". */
SLAB_API const char *slab_event_name(enum slab_event_kind kind);
SLAB_API const char *slab_point_name(enum slab_point_kind point);
/* The row's sentence with the event's names and numbers filled in. */
SLAB_API int slab_event_sentence(const struct slab_event *event, char *buf,
				 size_t size);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT */
/* debug/track.c - see track.h */
#include "debug/track.h"

#include <errno.h>
#include <string.h>

#include "debug/depot.h"

uint32_t track_prepare(struct slab_machine *m, uintptr_t caller,
		       uintptr_t *addr)
{
	uintptr_t frames[SLAB_TRACK_FRAMES];
	unsigned int nr;

	*addr = m->site ? m->site : caller;
	if (m->config.stack_depot_disable)
		return 0;
	nr = machine_stack(m, caller, frames, SLAB_TRACK_FRAMES);
	return depot_save(m, frames, nr);
}

static void *track_at(const struct kmem_cache *s, void *object,
		      enum track_item item)
{
	return (uint8_t *)object + layout_track(s, item);
}

void track_set(const struct kmem_cache *s, void *object, enum track_item item,
	       uintptr_t addr, uint32_t handle)
{
	const struct slab_machine *m = s->machine;
	struct track track = {
		.addr = addr,
		.handle = handle,
		.cpu = (int32_t)m->cpu,
		.pid = m->pid,
		.when = m->jiffies,
	};

	bytes_copy(track_at(s, object, item), &track, sizeof(track));
}

void track_init(const struct kmem_cache *s, void *object)
{
	bytes_fill(track_at(s, object, TRACK_ALLOC), 0,
		   2 * sizeof(struct track));
}

void track_get(const struct slab_view *v, uintptr_t object,
	       enum track_item item, struct slab_track *ret)
{
	uintptr_t at = object + layout_track(v->s, item);
	struct track track;

	memset(ret, 0, sizeof(*ret));
	if (!(v->s->flags & SLAB_STORE_USER) ||
	    !view_holds(v, at, sizeof(track)))
		return;
	bytes_copy(&track, view_at(v, at), sizeof(track));
	ret->addr = track.addr;
	ret->cpu = track.cpu;
	ret->pid = track.pid;
	ret->when = track.when;
	ret->handle = track.handle;
	ret->nr_frames = depot_fetch(v->s->machine, track.handle, ret->frames,
				     SLAB_TRACK_FRAMES);
}

int slab_object_tracks(struct slab_machine *m, const void *object,
		       struct slab_track *alloc, struct slab_track *free)
{
	struct slab *slab = virt_to_slab(m, object);
	struct slab_view v;

	if (!slab || !machine_has_cache(m, slab->slab_cache) ||
	    !(slab->slab_cache->flags & SLAB_STORE_USER))
		return -ENOENT;
	v = view_live(slab->slab_cache, slab);
	if (!view_is_valid_pointer(&v, object))
		return -ENOENT;
	if (alloc)
		track_get(&v, (uintptr_t)object, TRACK_ALLOC, alloc);
	if (free)
		track_get(&v, (uintptr_t)object, TRACK_FREE, free);
	return 0;
}

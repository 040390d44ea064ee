/* SPDX-License-Identifier: MIT */
/* debug/track.c - see track.h */
#include "debug/track.h"

#include <errno.h>
#include <string.h>

uint32_t track_walk(struct slab_machine *m, uintptr_t frame, uintptr_t caller)
{
	struct recent_stacks *recent = depot_recent(m);
	uintptr_t frames[SLAB_TRACK_FRAMES];
	struct stack_trail trail;
	unsigned int nr = 0;
	uint32_t handle;

	if (m->config.stack_depot_disable)
		return 0;
	trail.nr = 0;
	if (frame && recent)
		nr = stack_walk(m, frame, frames, SLAB_TRACK_FRAMES, &trail);
	if (!nr)
		nr = machine_stack(m, caller, frames, SLAB_TRACK_FRAMES);
	handle = depot_save(m, frames, nr);
	if (trail.nr)
		recent_keep(recent, frame, caller, &trail, handle);
	return handle;
}

uint32_t track_prepare(struct slab_machine *m, uintptr_t caller,
		       uintptr_t *addr)
{
	uintptr_t fp = (uintptr_t)__builtin_frame_address(0);

	*addr = m->site ? m->site : caller;
	if (!m->is_native || m->site || !caller)
		return track_walk(m, 0, caller);
	return track_prepare_at(m, stack_find(fp, caller), caller);
}

void track_set(const struct kmem_cache *s, void *object, enum track_item item,
	       uintptr_t addr, uint32_t handle)
{
	const struct slab_machine *m = s->machine;

	track_write((uint8_t *)object + layout_track(s, item), addr, handle,
		    machine_cpu(m), machine_pid(m), machine_jiffies(m));
}

void track_init(const struct kmem_cache *s, void *object)
{
	bytes_fill((uint8_t *)object + layout_track(s, TRACK_ALLOC), 0,
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
	/* counters change while threads run; a sink can not wait for them */
	if (m->is_native ? !is_object_of(v.s, v.base,
					 slab_max_objects(v.s, slab), object)
			 : !view_is_valid_pointer(&v, object))
		return -ENOENT;
	if (alloc)
		track_get(&v, (uintptr_t)object, TRACK_ALLOC, alloc);
	if (free)
		track_get(&v, (uintptr_t)object, TRACK_FREE, free);
	return 0;
}

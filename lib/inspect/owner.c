/* SPDX-License-Identifier: MIT */
/*
 * inspect/owner.c - where each object of a slab rests, in one pass
 *
 *	in a sheaf			main, spare, rcu, barn, prefilled
 *	on the free chain		freelist
 *	bit set in user_map		a user (debug caches)
 *	neither, in a debug cache	lost: refused by a free, or in a
 *					frozen slab, or behind a cut chain
 *	neither, in a plain cache	a user; unknown when the chain is cut
 */
#include "inspect/rest.h"

#include <errno.h>

#include "inspect/scratch.h"

void chain_free(struct chain *c)
{
	scratch_free(c->index);
	scratch_free(c->pos);
	c->index = NULL;
	c->pos = NULL;
}

int chain_walk(const struct kmem_cache *s, const struct slab *slab,
	       struct chain *ret)
{
	unsigned int fit = slab_fit(s, slab), i;
	uintptr_t base = slab_base(s->machine, slab);
	uintptr_t p = (uintptr_t)slab->freelist;

	*ret = (struct chain){ .end = SLAB_CHAIN_WHOLE,
			       .fit = fit,
			       .users = slab_user_map(s, slab) };
	ret->index = scratch_alloc((fit + 1) * sizeof(*ret->index));
	ret->pos = scratch_alloc((fit + 1) * sizeof(*ret->pos));
	if (!ret->index || !ret->pos) {
		chain_free(ret);
		return -ENOMEM;
	}
	for (i = 0; i < fit; i++)
		ret->pos[i] = -1;
	if (ret->users && !meta_owns(s->machine, (uintptr_t)ret->users +
							  BITMAP_BYTES(fit) - 1))
		ret->users = NULL;
	while (p) {
		if (!is_object_of(s, base, fit, (void *)p)) {
			ret->end = SLAB_CHAIN_WILD;
			ret->wild = p;
			return 0;
		}
		i = (unsigned int)((p - base) / s->size);
		if (ret->pos[i] >= 0) {
			ret->end = SLAB_CHAIN_CYCLE;
			return 0;
		}
		ret->pos[i] = (int)ret->nr;
		ret->index[ret->nr++] = i;
		p = (uintptr_t)get_freepointer(s, (void *)p);
	}
	if (ret->nr + slab->inuse < MIN(slab->objects, fit))
		ret->end = SLAB_CHAIN_SHORT;
	return 0;
}

const struct rests *target_rests(struct slab_target *t,
				 const struct kmem_cache *s)
{
	const struct slab_machine *m = t->machine;

	uint64_t seq = m->is_native ? rests_print(m, s) : m->rest_seq;

	if (t->rested == s && t->rest_seq == seq)
		return t->rests;
	rests_free(t->rests);
	t->rested = NULL;
	if (rests_collect(m, s, t->rests))
		return NULL;
	t->rested = s;
	t->rest_seq = seq;
	return t->rests;
}

enum slab_owner object_owner(const struct kmem_cache *s,
			     const struct chain *c, const struct rests *rests,
			     uintptr_t object, unsigned int i)
{
	enum slab_owner rest = rests_owner(rests, object);

	if (rest != SLAB_OWNER_USER)
		return rest;
	if (i >= c->fit)
		return SLAB_OWNER_UNKNOWN;
	if (c->users && bitmap_test(c->users, i))
		return SLAB_OWNER_USER;
	if (c->pos[i] >= 0)
		return SLAB_OWNER_FREELIST;
	if (cache_is_debug(s))
		return c->users ? SLAB_OWNER_LOST : SLAB_OWNER_UNKNOWN;
	return c->end == SLAB_CHAIN_WHOLE ? SLAB_OWNER_USER :
					    SLAB_OWNER_UNKNOWN;
}

unsigned int slab_users(const struct kmem_cache *s, const struct slab *slab)
{
	const unsigned long *users = slab_user_map(s, slab);
	unsigned int fit = slab_fit(s, slab), nr = 0, i;

	if (!users || !meta_owns(s->machine, (uintptr_t)users +
						     BITMAP_BYTES(fit) - 1))
		return MIN(slab->inuse, fit);
	for (i = 0; i < fit; i++)
		nr += bitmap_test(users, i);
	return nr;
}

int view_copy(struct kmem_cache *s, const struct slab *slab,
	      struct slab_view *ret, struct slab *copy)
{
	size_t size = slab_open_bytes(s->machine, slab);
	uint8_t *bytes = scratch_alloc(MAX(size, 1UL));

	if (!bytes)
		return -ENOMEM;
	bytes_copy(bytes, (void *)slab_base(s->machine, slab), size);
	*copy = *slab;
	copy->slab_cache = s;
	*ret = (struct slab_view){ .s = s, .slab = copy, .where = slab,
				   .bytes = bytes, .size = size,
				   .base = slab_base(s->machine, slab) };
	return 0;
}

void view_drop(struct slab_view *v)
{
	scratch_free(v->bytes);
	v->bytes = NULL;
}

/*
 * A lost object was refused at some point of its way: its red zones say which.
 * Without red zones it counts as in use, for which fewer bytes are fixed.
 */
uint8_t object_value(const struct slab_view *v, uintptr_t object,
		     enum slab_owner owner)
{
	const struct kmem_cache *s = v->s;
	const uint8_t *zone = view_at(v, object - s->red_left_pad);
	unsigned int i, active = 0, inactive = 0;

	if (owner == SLAB_OWNER_FREELIST)
		return SLUB_RED_INACTIVE;
	if (owner == SLAB_OWNER_USER || owner == SLAB_OWNER_PREFILLED)
		return SLUB_RED_ACTIVE;
	for (i = 0; i < s->red_left_pad; i++) {
		active += zone[i] == SLUB_RED_ACTIVE;
		inactive += zone[i] == SLUB_RED_INACTIVE;
	}
	return inactive > active ? SLUB_RED_INACTIVE : SLUB_RED_ACTIVE;
}

/* ---- the public calls ---- */
static int find(struct slab_target *t, uintptr_t cache, unsigned int slab_nr,
		struct kmem_cache **s, struct slab **slab)
{
	*s = target_cache(t, cache);
	*slab = *s ? walk_find(t, *s, slab_nr) : NULL;
	return *slab ? 0 : -ENOENT;
}

/* What is stored where a link stands: the object's next, or the user's data. */
static bool has_link(const struct kmem_cache *s, enum slab_owner owner)
{
	return freeptr_is_outside(s) || owner == SLAB_OWNER_FREELIST ||
	       owner == SLAB_OWNER_LOST || owner == SLAB_OWNER_UNKNOWN;
}

static void object_fill(struct slab_view *v, const struct chain *c,
			const struct rests *rests, unsigned int i, struct slab_object_info *ret)
{
	const struct kmem_cache *s = v->s;
	uintptr_t object = slab_object(s, v->base, i);
	unsigned int before = v->findings;

	ret->address = object;
	ret->index = i;
	ret->owner = object_owner(s, c, rests, object, i);
	ret->freelist_pos = i < c->fit ? c->pos[i] : -1;
	if (has_link(s, ret->owner))
		ret->next = (uintptr_t)view_freepointer(v, object);
	if (cache_has_orig_size(s))
		ret->orig_size = layout_get_orig_size(s, view_at(v, object));
	check_object(v, (void *)object, object_value(v, object, ret->owner));
	ret->is_damaged = v->findings != before;
}

int slab_objects(struct slab_target *t, struct kmem_cache *s,
		 const struct slab *slab, struct slab_object_info **ret,
		 size_t *nr)
{
	const struct rests *rests = target_rests(t, s);
	unsigned int fit, i;
	struct slab_view v;
	struct slab copy;
	struct chain c;
	int err;

	*ret = NULL;
	if (!rests)
		return -ENOMEM;
	err = chain_walk(s, slab, &c);
	if (err)
		return err;
	err = view_copy(s, slab, &v, &copy);
	if (err)
		goto out_chain;
	fit = MIN(view_fit(&v), c.fit);
	*ret = scratch_alloc((fit + 1) * sizeof(**ret));
	if (!*ret) {
		err = -ENOMEM;
		goto out_view;
	}
	/* an object is no worse for a damaged count of its slab */
	copy.objects = fit & MAX_OBJS_PER_SLAB;
	for (i = 0; i < fit; i++)
		object_fill(&v, &c, rests, i, &(*ret)[i]);
	*nr = fit;
out_view:
	view_drop(&v);
out_chain:
	chain_free(&c);
	return err;
}

int slab_target_objects(struct slab_target *t, uintptr_t cache,
			unsigned int slab_nr, struct slab_object_info **ret,
			size_t *nr)
{
	struct slab_object_info *objects;
	struct kmem_cache *s;
	struct slab *slab;
	int err;

	{
		LOOK(t->machine);
		err = find(t, cache, slab_nr, &s, &slab);
		if (!err)
			err = slab_objects(t, s, slab, &objects, nr);
	}
	return err ? err :
		     scratch_answer(objects, *nr * sizeof(*objects), ret);
}

int slab_target_freelist(struct slab_target *t, uintptr_t cache,
			 unsigned int slab_nr, struct slab_freelist_info *ret)
{
	struct kmem_cache *s;
	struct slab *slab;
	struct chain c;
	int err;

	{
		LOOK(t->machine);
		err = find(t, cache, slab_nr, &s, &slab);
		if (!err)
			err = chain_walk(s, slab, &c);
	}
	if (err)
		return err;
	*ret = (struct slab_freelist_info){ .nr = c.nr, .end = c.end,
					    .wild = c.wild };
	scratch_free(c.pos);
	return scratch_answer(c.index, c.nr * sizeof(*c.index), &ret->index);
}

const char *slab_owner_name(enum slab_owner owner)
{
	static const char *const names[] = {
		[SLAB_OWNER_USER] = "user",
		[SLAB_OWNER_FREELIST] = "freelist",
		[SLAB_OWNER_MAIN] = "main",
		[SLAB_OWNER_SPARE] = "spare",
		[SLAB_OWNER_LOCAL] = "local",
		[SLAB_OWNER_RCU] = "rcu",
		[SLAB_OWNER_BARN] = "barn",
		[SLAB_OWNER_PREFILLED] = "prefilled",
		[SLAB_OWNER_LOST] = "lost",
		[SLAB_OWNER_UNKNOWN] = "unknown",
	};

	return (unsigned int)owner < ARRAY_SIZE(names) ? names[owner] :
							 "unknown";
}

char slab_owner_letter(enum slab_owner owner)
{
	static const char letters[] = "#.mslrbpX?";

	if ((unsigned int)owner > SLAB_OWNER_UNKNOWN)
		return '?';
	return letters[owner];
}

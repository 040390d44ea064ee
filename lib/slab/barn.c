/* SPDX-License-Identifier: MIT */
/* slab/barn.c - whole sheaves come and go */
#include "slab/barn.h"

#include <errno.h>

void barn_init(struct node_barn *barn, unsigned int node)
{
	barn->node = node;
	lock_init(&barn->lock, LOCK_RANK_BARN);
	barn->nr_full = barn->nr_empty = 0;
	list_init(&barn->sheaves_full);
	list_init(&barn->sheaves_empty);
}

unsigned int barn_peek_full(struct kmem_cache *s, const struct node_barn *barn)
{
	machine_point(s->machine, SLAB_POINT_NR_FULL_PEEK);
	return __atomic_load_n(&barn->nr_full, __ATOMIC_RELAXED);
}

unsigned int barn_peek_empty(struct kmem_cache *s, const struct node_barn *barn)
{
	machine_point(s->machine, SLAB_POINT_NR_EMPTY_PEEK);
	return __atomic_load_n(&barn->nr_empty, __ATOMIC_RELAXED);
}

/* ---- under the lock ---- */
static void count(unsigned int *nr, unsigned int to)
{
	__atomic_store_n(nr, to, __ATOMIC_RELAXED);
}

#define barn_event(s, kind, barn, nr) \
	machine_event((s)->machine, kind, s, NULL, NULL, nr, (barn)->node)

/* ---- damage ---- */

/* Does the link behind `at` lead to a sheaf of s, or to the head, and back? */
static bool step_holds(const struct kmem_cache *s, const struct list_head *head,
		       const struct list_head *at)
{
	const struct list_head *next = at->next;
	const struct slab_sheaf *sheaf =
		container_of(next, struct slab_sheaf, list);

	if (next != head && (!sheaf_may_be(s, sheaf) || sheaf->cache != s))
		return false;
	return next->prev == at;
}

static bool list_holds(const struct kmem_cache *s, const struct list_head *list,
		       unsigned int nr)
{
	return step_holds(s, list, list) && list_empty(list) == !nr &&
	       (list_empty(list) || step_holds(s, list, list->next));
}

/* Keeps what can be reached from the front. */
static void mend(const struct kmem_cache *s, struct list_head *list,
		 unsigned int *nr)
{
	unsigned long bound = s->machine->meta.used / sizeof(struct slab_sheaf);
	struct list_head *at = list;
	unsigned int found = 0;

	while (step_holds(s, list, at) && at->next != list &&
	       found < bound) {
		at = at->next;
		found++;
	}
	at->next = list;
	list->prev = at;
	count(nr, found);
}

static void mend_both(struct kmem_cache *s, struct node_barn *barn)
{
	mend(s, &barn->sheaves_full, &barn->nr_full);
	mend(s, &barn->sheaves_empty, &barn->nr_empty);
	s->machine->damage_say(s, SLAB_REPORT_BAD_BARN, barn);
}

/* Under the lock, before anything is moved. */
static void judge(struct kmem_cache *s, struct node_barn *barn)
{
	if (__builtin_expect(list_holds(s, &barn->sheaves_full,
					barn->nr_full) &&
				     list_holds(s, &barn->sheaves_empty,
						barn->nr_empty),
			     1))
		return;
	mend_both(s, barn);
}

/* Forth, back, and as long as was counted? */
static bool whole_holds(const struct kmem_cache *s,
			const struct list_head *list, unsigned int nr)
{
	const struct list_head *at = list;

	while (step_holds(s, list, at)) {
		at = at->next;
		if (at == list)
			return !nr;
		if (!nr--)
			return false;
	}
	return false;
}

/* The same for who takes them all. */
static void judge_whole(struct kmem_cache *s, struct node_barn *barn)
{
	if (!whole_holds(s, &barn->sheaves_full, barn->nr_full) ||
	    !whole_holds(s, &barn->sheaves_empty, barn->nr_empty))
		mend_both(s, barn);
}

static struct slab_sheaf *take(struct list_head *from, unsigned int *nr)
{
	struct slab_sheaf *sheaf;

	if (!*nr)
		return NULL;
	sheaf = list_first_entry(from, struct slab_sheaf, list);
	list_del(&sheaf->list);
	count(nr, *nr - 1);
	return sheaf;
}

static struct slab_sheaf *take_full(struct kmem_cache *s,
				    struct node_barn *barn)
{
	struct slab_sheaf *sheaf = take(&barn->sheaves_full, &barn->nr_full);

	if (sheaf)
		barn_event(s, SLAB_EVENT_BARN_GET, barn, barn->nr_full);
	return sheaf;
}

static struct slab_sheaf *take_empty(struct kmem_cache *s,
				     struct node_barn *barn)
{
	struct slab_sheaf *sheaf = take(&barn->sheaves_empty, &barn->nr_empty);

	if (sheaf && sheaf->size) {
		/* whoever asks for an empty one counts on it */
		sheaf->size = 0;
		s->machine->damage_say(s, SLAB_REPORT_BAD_BARN, barn);
	}
	if (sheaf)
		barn_event(s, SLAB_EVENT_BARN_GET_EMPTY, barn, barn->nr_empty);
	return sheaf;
}

static void add_full(struct kmem_cache *s, struct node_barn *barn,
		     struct slab_sheaf *sheaf)
{
	list_add(&sheaf->list, &barn->sheaves_full);
	count(&barn->nr_full, barn->nr_full + 1);
	barn_event(s, SLAB_EVENT_BARN_PUT, barn, barn->nr_full);
}

static void add_empty(struct kmem_cache *s, struct node_barn *barn,
		      struct slab_sheaf *sheaf)
{
	list_add(&sheaf->list, &barn->sheaves_empty);
	count(&barn->nr_empty, barn->nr_empty + 1);
	barn_event(s, SLAB_EVENT_BARN_PUT_EMPTY, barn, barn->nr_empty);
}

/* ---- the calls ---- */
static bool barn_lock(struct kmem_cache *s, struct node_barn *barn, bool spin)
{
	if (spin)
		machine_lock(s->machine, &barn->lock, SLAB_POINT_BARN_LOCK);
	else if (!machine_trylock(s->machine, &barn->lock,
				  SLAB_POINT_BARN_LOCK))
		return false;
	machine_point_held(s->machine);
	judge(s, barn);
	return true;
}

static void barn_unlock(struct kmem_cache *s, struct node_barn *barn)
{
	machine_moved(s->machine);
	machine_unlock(s->machine, &barn->lock, SLAB_POINT_BARN_UNLOCK);
}

struct slab_sheaf *barn_get_empty(struct kmem_cache *s, struct node_barn *barn,
				  bool spin)
{
	struct slab_sheaf *sheaf;

	if (!barn_peek_empty(s, barn) || !barn_lock(s, barn, spin))
		return NULL;
	sheaf = take_empty(s, barn);
	barn_unlock(s, barn);
	return sheaf;
}

struct slab_sheaf *barn_get_full_or_empty(struct kmem_cache *s,
					  struct node_barn *barn)
{
	struct slab_sheaf *sheaf;

	if (!barn_peek_full(s, barn) && !barn_peek_empty(s, barn))
		return NULL;
	barn_lock(s, barn, true);
	sheaf = take_full(s, barn);
	if (!sheaf)
		sheaf = take_empty(s, barn);
	barn_unlock(s, barn);
	return sheaf;
}

struct slab_sheaf *barn_replace_empty(struct kmem_cache *s,
				      struct node_barn *barn,
				      struct slab_sheaf *empty, bool spin)
{
	struct slab_sheaf *full;

	if (!barn_peek_full(s, barn) || !barn_lock(s, barn, spin)) {
		barn_event(s, SLAB_EVENT_BARN_MISS, barn, 0);
		return NULL;
	}
	full = take_full(s, barn);
	/* as many sheaves as before, so no limit is looked at */
	if (full)
		add_empty(s, barn, empty);
	barn_unlock(s, barn);
	return full;
}

int barn_replace_full(struct kmem_cache *s, struct node_barn *barn,
		      struct slab_sheaf *full, bool spin,
		      struct slab_sheaf **ret)
{
	struct slab_sheaf *empty;

	/* the limit is not looked at again under the lock */
	if (barn_peek_full(s, barn) >= s->machine->params.max_full_sheaves) {
		barn_event(s, SLAB_EVENT_BARN_REFUSE, barn,
			   __atomic_load_n(&barn->nr_full, __ATOMIC_RELAXED));
		return -E2BIG;
	}
	if (!barn_peek_empty(s, barn))
		return -ENOMEM;
	if (!barn_lock(s, barn, spin))
		return -EBUSY;
	empty = take_empty(s, barn);
	if (empty)
		add_full(s, barn, full);
	barn_unlock(s, barn);
	*ret = empty;
	return empty ? 0 : -ENOMEM;
}

void barn_put_empty(struct kmem_cache *s, struct node_barn *barn,
		    struct slab_sheaf *sheaf)
{
	barn_lock(s, barn, true);
	add_empty(s, barn, sheaf);
	barn_unlock(s, barn);
}

void barn_put_full(struct kmem_cache *s, struct node_barn *barn,
		   struct slab_sheaf *sheaf)
{
	barn_lock(s, barn, true);
	add_full(s, barn, sheaf);
	barn_unlock(s, barn);
}

void barn_take_all(struct kmem_cache *s, struct node_barn *barn,
		   struct list_head *full, struct list_head *empty)
{
	list_init(full);
	list_init(empty);
	barn_lock(s, barn, true);
	judge_whole(s, barn);
	list_splice(&barn->sheaves_full, full);
	list_splice(&barn->sheaves_empty, empty);
	count(&barn->nr_full, 0);
	count(&barn->nr_empty, 0);
	barn_unlock(s, barn);
}

/* ---- what must hold ---- */
static const char *list_check(const struct kmem_cache *s,
			      const struct list_head *list, unsigned int nr,
			      bool full)
{
	const struct list_head *at = list->next;
	const char *broken;
	unsigned int i;

	for (i = 0; at != list; i++, at = at->next) {
		const struct slab_sheaf *sheaf =
			container_of(at, struct slab_sheaf, list);

		if (i == nr)
			return "P6: a barn's counts are its lists' lengths";
		broken = sheaf_check(s, sheaf);
		if (broken)
			return broken;
		if (full != (sheaf->size != 0))
			return "P6: empty sheaves are empty, full ones not";
	}
	return i == nr ? NULL : "P6: a barn's counts are its lists' lengths";
}

const char *barn_check(const struct kmem_cache *s,
		       const struct node_barn *barn)
{
	const char *broken = list_check(s, &barn->sheaves_full, barn->nr_full,
					true);

	return broken ? broken :
			list_check(s, &barn->sheaves_empty, barn->nr_empty,
				   false);
}

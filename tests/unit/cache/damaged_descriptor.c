/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/damaged_descriptor.c - each word of a slab's descriptor is
 * overwritten, then each path comes along
 *
 * Three partial slabs and a full one, every object known to the test. Nothing
 * is lost when all that was handed out can be freed and no page is left.
 */
#include "../ring.h"

#define MAX_OBJECTS 512
#define PARTIALS    3

static struct ring {
	struct kmem_cache *s;
	void *held[MAX_OBJECTS];
	unsigned int nr_held;
	struct slab *slab[PARTIALS + 1]; /* in list order; the last is full */
	uintptr_t base[PARTIALS + 1];
	size_t bytes;	/* of each */
	char what[160]; /* was done, and with whom */
} ring;

static void hold(void *p)
{
	assert_non_null(p);
	assert_true(ring.nr_held < MAX_OBJECTS);
	ring.held[ring.nr_held++] = p;
}

static void give_all(void)
{
	while (ring.nr_held)
		kmem_cache_free(ring.s, ring.held[--ring.nr_held]);
}

/* The first `keep` objects of each of the partial slabs are in use. */
static void set_up(slab_flags_t flags, unsigned int keep)
{
	unsigned int objects, nr, i;

	lab_reopen(&(struct slab_machine_config){ .seed = 1 });
	memset(&ring, 0, sizeof(ring));
	ring.s = cache(500, flags | SLAB_NO_MERGE);
	objects = ring.s->oo.objects;
	for (i = 0; i < (PARTIALS + 1) * objects; i++)
		hold(alloc(ring.s));
	nr = ring.nr_held;
	ring.nr_held = 0;
	for (i = 0; i < nr; i++) {
		void *p = ring.held[i];

		if (i % objects == 0) {
			ring.slab[i / objects] = slab_of(p);
			ring.base[i / objects] = slab_base(lab.m, slab_of(p));
			ring.bytes = slab_bytes(slab_of(p));
		}
		if (i >= PARTIALS * objects || i % objects < keep)
			ring.held[ring.nr_held++] = p;
		else
			kmem_cache_free(ring.s, p);
	}
	intact(ring.s);
	assert_int_equal(ring.s->node[0]->nr_partial, PARTIALS);
	lab_forget();
}

/* ---- paths ---- */
static void path_alloc(void)
{
	unsigned int nr = PARTIALS * ring.s->oo.objects + 1;

	while (nr--)
		hold(alloc(ring.s));
}

static void path_bulk_alloc(void)
{
	unsigned int nr = PARTIALS * ring.s->oo.objects;

	assert_int_equal(kmem_cache_alloc_bulk(ring.s, GFP_KERNEL, nr,
					       &ring.held[ring.nr_held]),
			 nr);
	ring.nr_held += nr;
}

static void path_free(void)
{
	slab_cache_set_min_partial(ring.s, 0);
	give_all();
}

static void path_bulk_free(void)
{
	slab_cache_set_min_partial(ring.s, 0);
	kmem_cache_free_bulk(ring.s, ring.nr_held, ring.held);
	ring.nr_held = 0;
}

static void path_validate(void)
{
	assert_true(validate_slab_cache(ring.s) >= 0);
}

static void path_shrink(void)
{
	kmem_cache_shrink(ring.s);
}

static void path_destroy(void)
{
	(void)kmem_cache_destroy(ring.s);
	ring.s = NULL;
}

static const struct path {
	const char *name;
	void (*walk)(void);
} paths[] = {
	{ "alloc", path_alloc },	   { "free", path_free },
	{ "bulk alloc", path_bulk_alloc }, { "bulk free", path_bulk_free },
	{ "validate", path_validate },	   { "shrink", path_shrink },
	{ "destroy", path_destroy },
};

static const struct {
	const char *name;
	slab_flags_t flags;
} sets[] = {
	/* objects go to their slabs at once */
	{ "-", NO_SHEAVES },
	{ "F", SLAB_CONSISTENCY_CHECKS },
	{ "U", SLAB_STORE_USER },
	{ "ZP", SLAB_RED_ZONE | SLAB_POISON },
	{ "FZPU", SLAB_DEBUG_DEFAULT_FLAGS },
};

static const char *const word_names[] = { "flags", "slab_cache", "next",
					  "prev",  "freelist",	 "counters",
					  "type",  "users" };
enum {
	WORD_FLAGS,
	WORD_CACHE,
	WORD_NEXT,
	WORD_PREV,
	WORD_FREELIST,
	WORD_COUNTERS,
	WORD_TYPE,
	WORD_USERS
};

static const char *const value_names[] = { "0", "0x41", "another's list",
					   "itself" };
#define NR_VALUES ARRAY_SIZE(value_names)

static uintptr_t value_of(unsigned int value, unsigned int target)
{
	switch (value) {
	case 0:
		return 0;
	case 1:
		return 0x41;
	case 2: /* two further on: no neighbour */
		return (uintptr_t)&ring.slab[(target + 2) % (PARTIALS + 1)]
			->slab_list;
	default:
		return (uintptr_t)&ring.slab[target]->slab_list;
	}
}

/* false: nothing would change */
static bool damage(unsigned int set, const struct path *path, unsigned int word,
		   unsigned int value, unsigned int target)
{
	uintptr_t *at = (uintptr_t *)ring.slab[target] + word;
	uintptr_t to = value_of(value, target);

	snprintf(ring.what, sizeof(ring.what),
		 "cache with %s, %s of slab %u overwritten with %s, then %s",
		 sets[set].name, word_names[word], target, value_names[value],
		 path->name);
	if (*at == to)
		return false;
	*at = to;
	return true;
}

static void said(const char *wanted)
{
	if (strcmp(lab_said(), wanted))
		fail_msg("%s: said \"%s\", wanted \"%s\"", ring.what,
			 lab_said(), wanted);
}

/* ---- claims ---- */
#define SAID_AND_MENDED "Slab list corrupt, link is 0x%p; FIX LISTS_REBUILT"

static void holds(void)
{
	const char *broken = cache_check(ring.s);

	if (broken)
		fail_msg("%s: broken: %s", ring.what, broken);
}

/* All goes back, and then there is nothing. */
static void nothing_is_lost(void)
{
	if (ring.s) {
		int err;

		give_all();
		err = kmem_cache_destroy(ring.s);
		if (err)
			fail_msg("%s: destroy gives %d, wanted 0", ring.what,
				 err);
	}
	if (slab_machine_pages_used(lab.m))
		fail_msg("%s: %lu pages are left, wanted 0", ring.what,
			 slab_machine_pages_used(lab.m));
}

/* false: nothing would change. */
static bool act(unsigned int set, const struct path *path, unsigned int word,
		unsigned int value, unsigned int target)
{
	set_up(sets[set].flags, 2);
	/* only what is kept is on a list then */
	if (path->walk == path_destroy)
		give_all();
	if (!damage(set, path, word, value, target))
		return false;
	path->walk();
	return true;
}

typedef void (*claim_fn)(unsigned int set, const struct path *path,
			 unsigned int word, unsigned int value,
			 unsigned int target);

static void each(claim_fn claim, unsigned int first_word,
		 unsigned int last_word, unsigned int nr_targets)
{
	unsigned int set, path, word, value, target;

	for (set = 0; set < ARRAY_SIZE(sets); set++)
		for (path = 0; path < ARRAY_SIZE(paths); path++)
			for (word = first_word; word <= last_word; word++)
				for (value = 0; value < NR_VALUES; value++)
					for (target = 0; target < nr_targets;
					     target++)
						claim(set, &paths[path], word,
						      value, target);
}

static void link_is_mended(unsigned int set, const struct path *path,
			   unsigned int word, unsigned int value,
			   unsigned int target)
{
	if (!act(set, path, word, value, target))
		return;
	said(SAID_AND_MENDED);
	if (ring.s)
		holds();
	nothing_is_lost();
	said(SAID_AND_MENDED);
}

static void an_overwritten_link_is_said_once_and_loses_nothing(void **state)
{
	(void)state;
	each(link_is_mended, WORD_NEXT, WORD_PREV, PARTIALS);
}

/* Allocation puts others in front of it and does not look at it. */
static void full_link_is_mended(unsigned int set, const struct path *path,
				unsigned int word, unsigned int value,
				unsigned int target)
{
	bool is_alloc =
		path->walk == path_alloc || path->walk == path_bulk_alloc;

	if (!(sets[set].flags & SLAB_STORE_USER) || target < PARTIALS ||
	    path->walk == path_destroy)
		return;
	if (!act(set, path, word, value, target))
		return;
	if (!is_alloc) {
		said(SAID_AND_MENDED);
		holds();
	}
	nothing_is_lost();
	said(SAID_AND_MENDED);
}

static void so_is_one_of_a_full_slab(void **state)
{
	(void)state;
	each(full_link_is_mended, WORD_NEXT, WORD_PREV, PARTIALS + 1);
}

/* Without debugging a free only looks at the mark when the slab was full or
 * becomes empty; the next who touches the list finds it. */
static void mark_is_mended(unsigned int set, const struct path *path,
			   unsigned int word, unsigned int value,
			   unsigned int target)
{
	const char *wanted;

	if (!act(set, path, word, value, target))
		return;
	wanted = value_of(value, target) & SL_PARTIAL ? "" : SAID_AND_MENDED;
	if (ring.s) {
		kmem_cache_shrink(ring.s);
		holds();
	}
	nothing_is_lost();
	said(wanted);
}

static void an_overwritten_mark_is_said_once_and_loses_nothing(void **state)
{
	(void)state;
	each(mark_is_mended, WORD_FLAGS, WORD_FLAGS, PARTIALS);
}

/* Is that what a record is about, or memory that was the damaged slab's? A
 * link is between two, and either may be named. */
static bool is_about(const struct slab_report *r, unsigned int target)
{
	return r->kind == SLAB_REPORT_SLAB_LIST || (!r->slab && !r->object) ||
	       r->slab == (uintptr_t)ring.slab[target] ||
	       r->object - ring.base[target] < ring.bytes;
}

/* Whoever damage drives to hand out nonsense is told of it, but objects of the
 * other slabs all come home, and no record accuses them. */
static void others_do_not_suffer(unsigned int set, const struct path *path,
				 unsigned int word, unsigned int value,
				 unsigned int target)
{
	unsigned int i, before;

	if (!act(set, path, word, value, target))
		return;
	for (i = 0; i < lab.nr_records; i++)
		if (!is_about(&lab.records[i], target))
			fail_msg("%s: \"%s\" is about S%u#%d, wanted slab %u "
				 "alone",
				 ring.what, lab.records[i].text,
				 lab.records[i].slab_nr, lab.records[i].index,
				 target);
	for (i = 0; i < ring.nr_held; i++) {
		void *p = ring.held[i];

		if ((uintptr_t)p - ring.base[target] < ring.bytes)
			continue;
		before = lab.nr_records;
		kmem_cache_free(ring.s, p);
		if (lab.nr_records != before)
			fail_msg("%s: %p of another slab is freed: \"%s\", "
				 "wanted no word",
				 ring.what, p, lab.records[before].text);
	}
	if (ring.s) {
		hold(alloc(ring.s));
		kmem_cache_destroy(ring.s);
	}
}

static void every_word_is_survived_and_no_other_slab_suffers(void **state)
{
	(void)state;
	each(others_do_not_suffer, WORD_FLAGS, WORD_USERS, PARTIALS + 1);
}

/* Who frees by address is the first to ask the slab for its cache. */
static void a_lost_cache_is_said_by_whoever_asks_for_it(void **state)
{
	unsigned int value;
	void *p;

	(void)state;
	for (value = 0; value < NR_VALUES; value++) {
		lab_reopen(&(struct slab_machine_config){ .seed = 1 });
		p = kmalloc(64, GFP_KERNEL);
		memset(&ring, 0, sizeof(ring));
		ring.slab[0] = slab_of(p);
		ring.slab[2] = slab_of(kmalloc(200, GFP_KERNEL));
		*((uintptr_t *)ring.slab[0] + WORD_CACHE) = value_of(value, 0);
		assert_int_equal(ksize(p), 0);
		assert_null(krealloc(p, 2000, GFP_KERNEL));
		kfree(p);
		kmem_cache_free_bulk(NULL, 1, &p);
		if (!lab.nr_records)
			fail_msg("slab_cache overwritten with %s: nothing is "
				 "said, wanted a report",
				 value_names[value]);
		validate_slab_cache(slab_cache_find(lab.m, "kmalloc-64"));
		kmem_cache_shrink(slab_cache_find(lab.m, "kmalloc-64"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(an_overwritten_link_is_said_once_and_loses_nothing),
		lab_test(so_is_one_of_a_full_slab),
		lab_test(an_overwritten_mark_is_said_once_and_loses_nothing),
		lab_test(every_word_is_survived_and_no_other_slab_suffers),
		lab_test(a_lost_cache_is_said_by_whoever_asks_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

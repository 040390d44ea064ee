/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * expect_sheaf.c - `expect sheaf`: how much lies in a sheaf, or in a barn
 *
 *	cpu0.main 2/4	cpu0.spare none	   node0.rcu 4/4   $h 3/4
 *	barn0.full 2/10	   (sheaves, not objects)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "borrowed.h"
#include "expect.h"
#include "names.h"
#include "owners.h"

#define NONE (-1L)

struct filling {
	long is, most; /* is NONE: there is no such sheaf */
};

/* The cache that is meant when none is named: the only one with sheaves. */
static int only_cache(struct slab_cache_info *ret)
{
	struct slab_cache_info *all;
	size_t nr = 0, i, found = 0;
	char names[256] = "";
	size_t used = 0;

	if (slab_target_caches(session.target, &all, &nr))
		return fail("cache", NULL, "the list of caches");
	for (i = 0; i < nr; i++) {
		/* kmalloc's are there from the beginning on a native machine */
		if (!all[i].sheaf_capacity ||
		    (session.opt.is_native && all[i].flags & SLAB_KMALLOC))
			continue;
		*ret = all[i];
		found++;
		if (used < sizeof(names))
			used += (size_t)snprintf(
				names + used, sizeof(names) - used,
				"%scache=%s", used ? ", " : "", all[i].name);
	}
	free(all);
	if (found == 1)
		return 0;
	return fail("usage", found ? names : "cache=NAME",
		    "expect sheaf: %s cache has sheaves: which is meant?",
		    found ? "more than one" : "no");
}

/* "cpu0.main" is word, number, word. */
static bool split_place(const char *place, char *front, unsigned int *number,
			const char **back)
{
	int used = 0;

	if (sscanf(place, "%7[a-z]%u.%n", front, number, &used) != 2 || !used)
		return false;
	*back = place + used;
	return true;
}

static int fail_place(const char *place)
{
	return fail("usage",
		    "cpu0.main cpu0.spare cpu0.rcu node0.rcu barn0.full "
		    "barn0.empty or $h",
		    "expect sheaf: no sheaf is called \"%.60s\"", place);
}

static int barn_filling(const struct slab_cache_info *cache, unsigned int node,
			bool is_full, struct filling *ret)
{
	struct slab_barn_info barn[SLAB_MAX_NODES];
	unsigned int nr = 0;

	slab_target_barns(session.target, cache->cache, barn, &nr);
	if (node >= nr)
		return fail("value", "--nodes N makes more",
			    "expect sheaf: there is no node %u", node);
	if (!barn[node].exists)
		return 0;
	ret->is = is_full ? barn[node].nr_full : barn[node].nr_empty;
	ret->most = is_full ? barn[node].max_full : barn[node].max_empty;
	return 0;
}

static int sheaf_filling(const struct slab_cache_info *cache, const char *place,
			 struct filling *ret)
{
	struct slab_sheaf_info *all;
	char name[PLACE_SIZE];
	size_t nr = 0, i;
	int err = slab_target_sheaves(session.target, cache->cache, &all, &nr);

	if (err)
		return fail("sheaf", NULL, "expect sheaf: %s", strerror(-err));
	for (i = 0; i < nr; i++) {
		if (all[i].is_bootstrap ||
		    strcmp(sheaf_place(&all[i], name), place) != 0)
			continue;
		/* several wait in RCU for one node: together */
		ret->is = ret->is == NONE ? (long)all[i].size
					  : ret->is + (long)all[i].size;
		ret->most = (ret->most == NONE ? 0 : ret->most) +
			    (long)all[i].capacity;
	}
	free(all);
	return 0;
}

static int find_filling(const struct slab_cache_info *cache, const char *place,
			struct filling *ret)
{
	char front[8];
	const char *back;
	unsigned int n;

	if (!split_place(place, front, &n, &back))
		return fail_place(place);
	if (!strcmp(front, "barn") &&
	    (!strcmp(back, "full") || !strcmp(back, "empty")))
		return barn_filling(cache, n, *back == 'f', ret);
	if (!strcmp(front, "cpu") &&
	    (!strcmp(back, "main") || !strcmp(back, "spare") ||
	     !strcmp(back, "local") ||
	     !strcmp(back, "rcu"))) {
		if (n >= session_nr_cpus())
			return session_use_cpu(n);
		return sheaf_filling(cache, place, ret);
	}
	if (!strcmp(front, "node") && !strcmp(back, "rcu"))
		return sheaf_filling(cache, place, ret);
	return fail_place(place);
}

/* "3/4", "3" or "none" */
static int parse_filling(const char *text, struct filling *ret)
{
	uint64_t is, most;
	char first[32];
	size_t n = strcspn(text, "/");

	*ret = (struct filling){ NONE, NONE };
	if (!strcmp(text, "none"))
		return 0;
	snprintf(first, sizeof(first), "%.*s", (int)n, text);
	if (number_parse("expect sheaf", first, 1U << 30, &is))
		return -EINVAL;
	ret->is = (long)is;
	if (text[n] != '/')
		return 0;
	if (number_parse("expect sheaf", text + n + 1, 1U << 30, &most))
		return -EINVAL;
	ret->most = (long)most;
	return 0;
}

static const char *filling_text(const struct filling *f, char *buf, size_t size)
{
	if (f->is == NONE)
		return "none";
	snprintf(buf, size, f->most == NONE ? "%ld" : "%ld/%ld", f->is,
		 f->most);
	return buf;
}

static bool fits(const struct filling *is, const struct filling *wanted)
{
	return is->is == wanted->is &&
	       (wanted->most == NONE || is->most == wanted->most);
}

int expect_sheaf(const struct invocation *inv, struct model *out)
{
	const char *place = arg_word(inv, "PLACE"), *name;
	struct filling wanted, is = { NONE, NONE };
	struct slab_cache_info cache = { 0 };
	char a[48], b[48];
	struct detail d;

	(void)out;
	name = arg_word(inv, "cache");
	if (parse_filling(arg_word(inv, "N/CAP"), &wanted))
		return -EINVAL;
	if (strstr(place, ":sheaf")) {
		const struct borrowed *h = borrowed_find(place);

		if (!h)
			return -EINVAL;
		name = h->cache_name;
	}
	if (name ? place_cache(name, &cache) : only_cache(&cache))
		return -EINVAL;
	if (strstr(place, ":sheaf") ? sheaf_filling(&cache, place, &is)
				    : find_filling(&cache, place, &is))
		return -EINVAL;
	if (fits(&is, &wanted))
		return 0;
	fail_expect("sheaf %s of %s %s: it is %s", place, cache.name,
		    filling_text(&wanted, a, sizeof(a)),
		    filling_text(&is, b, sizeof(b)));
	detail_open(&d);
	tell_map(d.f, cache.name);
	detail_close(&d);
	return -EINVAL;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * names.c - texts to addresses and back
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

static const struct region_word {
	const char *word; /* what follows the dot */
	enum slab_region region;
	const char *missing; /* why a cache may have none */
} region_words[] = {
	{ "left", SLAB_REGION_LEFT_REDZONE, "it needs the debug flag Z" },
	{ "redzone", SLAB_REGION_RIGHT_REDZONE, "it needs the debug flag Z" },
	{ "fp", SLAB_REGION_FREEPTR, "" },
	{ "track.alloc", SLAB_REGION_TRACK_ALLOC, "it needs the debug flag U" },
	{ "track.free", SLAB_REGION_TRACK_FREE, "it needs the debug flag U" },
	{ "orig", SLAB_REGION_ORIG_SIZE, "only kmalloc caches with U have it" },
	{ "pad", SLAB_REGION_PADDING, "the layout leaves no byte unused" },
};
#define NR_WORDS (sizeof(region_words) / sizeof(region_words[0]))
#define ALL_WORDS                                                  \
	".left .start .end .redzone .fp .track.alloc .track.free " \
	".orig .pad .slab"

uintptr_t to_print(uintptr_t address)
{
	return session.machine
		       ? slab_machine_print_address(session.machine, address)
		       : address;
}

const char *address_text(uintptr_t address)
{
	static char ring[16][24];
	static unsigned int next;
	char *buf = ring[next++ % 16];

	snprintf(buf, sizeof(ring[0]), "0x%lx",
		 (unsigned long)to_print(address));
	return buf;
}

struct kmem_cache *cache_handle(const struct slab_cache_info *info)
{
	return (struct kmem_cache *)info->cache;
}

static void hint_cache(const char *name)
{
	struct slab_cache_info *caches;
	const char *names[512];
	size_t nr = 0, i;

	if (slab_target_caches(session.target, &caches, &nr))
		return;
	for (i = 0; i < nr && i < 512; i++)
		names[i] = caches[i].name;
	hint_nearest(name, names, i);
	if (!nr)
		snprintf(session.error.hint, sizeof(session.error.hint), "%s",
			 session.is_oneshot ? "a command of its own meets an "
					      "empty machine: "
					      "slabctl -c 'cache create ring "
					      "size=192' map ring"
					    : "there is no cache yet: cache "
					      "create ring size=192");
	free(caches);
}

int place_cache(const char *name, struct slab_cache_info *ret)
{
	int err;

	if (!session_machine())
		return -EINVAL;
	err = slab_target_cache(session.target, name, ret);
	if (!err)
		return 0;
	if (err != -ENOENT)
		return fail("cache", NULL, "cache %s can not be read: %s", name,
			    strerror(-err));
	fail("no_cache", NULL, "no cache named %.64s%s", name,
	     strlen(name) > 64 ? "..." : "");
	hint_cache(name);
	return -EINVAL;
}

bool region_find(const struct slab_cache_info *cache, enum slab_region region,
		 struct slab_region_info *ret)
{
	struct slab_region_info all[12];
	size_t nr = slab_cache_layout(cache, all), i;

	for (i = 0; i < nr; i++) {
		if (all[i].region == region) {
			*ret = all[i];
			return true;
		}
	}
	return false;
}

/* "ring:S1#3.end" to ring, 1, 3 and the rest ".end"; index -1: the slab. */
static const char *split_name(const char *text, char *cache, size_t size,
			      unsigned int *slab_nr, long *index)
{
	const char *p = text, *at = NULL;
	char *end;

	while ((p = strstr(p, ":S"))) {
		if (isdigit((unsigned char)p[2]))
			at = p;
		p++;
	}
	if (!at || at == text || (size_t)(at - text) >= size)
		return NULL;
	memcpy(cache, text, (size_t)(at - text));
	cache[at - text] = '\0';
	errno = 0;
	*slab_nr = (unsigned int)strtoul(at + 2, &end, 10);
	*index = -1;
	if (*end == '#' && isdigit((unsigned char)end[1]))
		*index = strtol(end + 1, &end, 10);
	if (errno || (*end && !strchr("+-.", *end)))
		return NULL;
	return end;
}

bool name_split(const char *text, char *cache, size_t size,
		unsigned int *slab_nr, long *index)
{
	const char *rest = split_name(text, cache, size, slab_nr, index);

	return rest && !*rest;
}

static int fail_no_slab(const struct slab_cache_info *cache, unsigned int nr)
{
	struct slab_slab_info *slabs = NULL;
	size_t nr_slabs = 0, i, used = 0;
	char list[8 * NAME_SIZE] = "";

	if (slab_target_slabs(session.target, cache->cache, &slabs, &nr_slabs))
		nr_slabs = 0;
	for (i = 0; slabs && i < nr_slabs && i < 7; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s:S%u", used ? " " : "",
					 cache->name, slabs[i].nr);
	if (nr_slabs > i)
		snprintf(list + used, sizeof(list) - used, " and %zu more",
			 nr_slabs - i);
	free(slabs);
	return fail("no_slab", nr_slabs ? list : "the cache has no slab now",
		    "no slab %s:S%u (never made, or given back)", cache->name,
		    nr);
}

/* A place while its text is read. */
struct place {
	uintptr_t address;
	bool is_slab;	/* stands at a slab, not at bytes of an object */
	bool has_owner; /* cache and object are known */
	struct slab_cache_info cache;
	uintptr_t object;
	uintptr_t base; /* of the object's slab */
};

static int read_name(const char *text, struct place *p, const char **rest)
{
	struct slab_slab_info slab;
	unsigned int nr;
	char name[NAME_SIZE];
	long index;

	*rest = split_name(text, name, sizeof(name), &nr, &index);
	if (!*rest)
		return fail("no_place",
			    "objects are ring:S1#3, slabs ring:S1, addresses "
			    "0x550000002008",
			    "\"%.80s%s\" is no object, slab or address", text,
			    strlen(text) > 80 ? "..." : "");
	if (place_cache(name, &p->cache))
		return -EINVAL;
	if (slab_target_slab(session.target, p->cache.cache, nr, &slab))
		return fail_no_slab(&p->cache, nr);
	p->base = slab.base;
	if (index < 0) {
		p->is_slab = true;
		p->address = slab.base;
		return 0;
	}
	if ((unsigned long)index >= p->cache.objs_per_slab &&
	    (unsigned long)index >= slab.objects)
		return fail("no_object", NULL,
			    "%s:S%u has no object #%ld; it has #0 to #%u", name,
			    nr, index, slab.objects ? slab.objects - 1 : 0);
	p->object = slab.base + (size_t)index * p->cache.size +
		    p->cache.red_left_pad;
	p->address = p->object;
	p->has_owner = true;
	return 0;
}

static int read_number(const char *text, struct place *p, const char **rest)
{
	struct slab_address_info info;
	size_t n = strspn(text, "0123456789abcdefABCDEFxX");
	char word[64];
	uint64_t address;

	if (n >= sizeof(word))
		return fail("number", NULL, "address: %.30s... is too long",
			    text);
	memcpy(word, text, n);
	word[n] = '\0';
	if (number_parse("address", word, UINTPTR_MAX, &address))
		return -EINVAL;
	p->address = slab_machine_parse_address(session.machine, address);
	*rest = text + n;
	if (!slab_target_identify(session.target, p->address, &info) &&
	    info.is_slab) {
		p->cache = info.cache;
		p->base = info.slab.base;
		p->object = info.object.address;
		p->has_owner = info.object.address != 0;
	}
	return 0;
}

static int step_region(const char *text, struct place *p, const char **rest)
{
	struct slab_region_info found;
	const char *word = text + 1;
	size_t i;

	if (p->is_slab || !p->has_owner)
		return fail("region", NULL,
			    "\"%s\": only an object has regions", text);
	if (!strncmp(word, "slab", 4)) {
		p->address = p->base;
		p->is_slab = true;
		*rest = word + 4;
		return 0;
	}
	if (!strncmp(word, "start", 5)) {
		p->address = p->object;
		*rest = word + 5;
		return 0;
	}
	if (!strncmp(word, "end", 3)) {
		p->address = p->object + p->cache.object_size;
		*rest = word + 3;
		return 0;
	}
	for (i = 0; i < NR_WORDS; i++) {
		const struct region_word *w = &region_words[i];

		if (strncmp(word, w->word, strlen(w->word)))
			continue;
		if (w->region == SLAB_REGION_FREEPTR) {
			p->address = p->object + p->cache.offset;
		} else if (region_find(&p->cache, w->region, &found)) {
			p->address = p->object + (uintptr_t)found.offset;
		} else {
			return fail("region", w->missing,
				    "objects of %s have no .%s", p->cache.name,
				    w->word);
		}
		*rest = word + strlen(w->word);
		return 0;
	}
	return fail("region", ALL_WORDS, "no region \"%.40s\"", text);
}

static int step_number(const char *text, struct place *p, const char **rest)
{
	size_t n = strspn(text + 1, "0123456789abcdefABCDEFxXkKM");
	uint64_t number;
	char word[64];

	if (!n || n >= sizeof(word))
		return fail("number", NULL,
			    "\"%.60s\": a number belongs behind %c", text,
			    *text);
	memcpy(word, text + 1, n);
	word[n] = '\0';
	if (number_parse("offset", word, 1UL << 40, &number))
		return -EINVAL;
	p->address += *text == '+' ? number : -number;
	p->is_slab = false;
	*rest = text + 1 + n;
	return 0;
}

static int read_place(const char *text, struct place *p)
{
	const char *rest = "";
	int err;

	memset(p, 0, sizeof(*p));
	if (!session_machine())
		return -EINVAL;
	if (isdigit((unsigned char)*text) || *text == '-')
		err = read_number(text, p, &rest);
	else
		err = read_name(text, p, &rest);
	while (!err && *rest) {
		if (*rest == '.')
			err = step_region(rest, p, &rest);
		else if (*rest == '+' || *rest == '-')
			err = step_number(rest, p, &rest);
		else
			err = fail("no_place", ALL_WORDS " +N -N",
				   "\"%.80s\": what is \"%.40s\"?", text, rest);
	}
	return err;
}

/* ring:S1#3 and no more, as scripts hand thousands of them to free. */
static bool place_plain(const char *text, uintptr_t *ret)
{
	char cache[NAME_SIZE];
	unsigned int nr;
	long index;

	return session.target &&
	       name_split(text, cache, sizeof(cache), &nr, &index) &&
	       index >= 0 && index <= UINT32_MAX &&
	       !slab_target_place(session.target, cache, nr,
				  (unsigned int)index, ret);
}

int place_address(const char *text, uintptr_t *ret)
{
	struct place p;

	if (place_plain(text, ret))
		return 0;
	if (read_place(text, &p))
		return -EINVAL;
	*ret = p.address;
	return 0;
}

int place_identify(const char *text, struct slab_address_info *ret)
{
	struct place p;
	int err;

	if (read_place(text, &p))
		return -EINVAL;
	err = slab_target_identify(session.target, p.address, ret);
	if (err || !ret->is_slab)
		return fail("no_slab", NULL, "%s is in no slab: %s",
			    address_text(p.address),
			    err ? strerror(-err) : ret->why);
	return 0;
}

int place_object(const char *text, struct slab_address_info *ret)
{
	struct place p;
	char name[NAME_SIZE];

	if (read_place(text, &p) || place_identify(text, ret))
		return -EINVAL;
	if (p.is_slab || ret->object.address != p.address)
		return fail("no_object",
			    ret->object.address
				    ? object_name(ret->object.address, name)
				    : NULL,
			    "%s is not the start of an object", text);
	return 0;
}

int place_slab(const char *text, struct slab_cache_info *cache,
	       struct slab_slab_info *slab)
{
	struct slab_address_info info;

	if (place_identify(text, &info))
		return -EINVAL;
	*cache = info.cache;
	*slab = info.slab;
	return 0;
}

const char *slot_name(const char *cache, unsigned int slab_nr, long index,
		      char *buf)
{
	if (index >= 0)
		snprintf(buf, NAME_SIZE, "%s:S%u#%ld", cache, slab_nr, index);
	else
		snprintf(buf, NAME_SIZE, "%s:S%u", cache, slab_nr);
	return buf;
}

const char *object_name(uintptr_t address, char *buf)
{
	struct slab_slot_info slot;

	if (!slab_target_slot(session.target, address, &slot) &&
	    slot.object == address)
		return slot_name(slot.name, slot.slab_nr, slot.index, buf);
	snprintf(buf, NAME_SIZE, "%s", address_text(address));
	return buf;
}

const char *place_name(uintptr_t address, char *buf)
{
	struct slab_slot_info slot;

	if (slab_target_slot(session.target, address, &slot))
		snprintf(buf, NAME_SIZE, "%s", address_text(address));
	else if (!slot.object)
		snprintf(buf, NAME_SIZE, "%s:S%u+%lu", slot.name, slot.slab_nr,
			 address - slot.base);
	else if (slot.object == address)
		slot_name(slot.name, slot.slab_nr, slot.index, buf);
	else
		snprintf(buf, NAME_SIZE, "%s:S%u#%d%+ld", slot.name,
			 slot.slab_nr, slot.index,
			 (long)(address - slot.object));
	return buf;
}

/* ---- labels ---- */

struct label {
	char *variable;
	struct label *next;
};

struct labels {
	struct label *first;
};

struct labels *labels_create(void)
{
	return must_alloc(sizeof(struct labels));
}

void labels_destroy(struct labels *l)
{
	while (l && l->first) {
		struct label *next = l->first->next;

		free(l->first->variable);
		free(l->first);
		l->first = next;
	}
	free(l);
}

void labels_add(struct labels *l, const char *variable)
{
	struct label *k;

	for (k = l->first; k; k = k->next) {
		if (!strcmp(k->variable, variable))
			return;
	}
	k = must_alloc(sizeof(*k));
	k->variable = must_strdup(variable);
	k->next = l->first;
	l->first = k;
}

const char *labels_find(struct labels *l, const char *object)
{
	const struct label *k;

	for (k = l->first; k; k = k->next) {
		const char *value = Tcl_GetVar(session.interp, k->variable,
					       TCL_GLOBAL_ONLY);

		if (value && !strcmp(value, object))
			return k->variable;
	}
	return NULL;
}

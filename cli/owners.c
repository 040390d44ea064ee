/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * owners.c - who has how many objects, as a table, a line, a place
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "borrowed.h"
#include "names.h"
#include "owners.h"

#define DAMAGED '!'

const struct field owner_fields[] = {
	FIELD("owner", TEXT, "who has it"),
	FIELD("letter", TEXT, "in the map"),
	FIELD("count", COUNT, "how many objects"),
	{},
};

/* As people see them: near the user first. */
static const enum slab_owner order[] = {
	SLAB_OWNER_USER,      SLAB_OWNER_MAIN,	   SLAB_OWNER_SPARE,
	SLAB_OWNER_LOCAL,     SLAB_OWNER_BARN,	   SLAB_OWNER_RCU,
	SLAB_OWNER_PREFILLED, SLAB_OWNER_FREELIST, SLAB_OWNER_LOST,
	SLAB_OWNER_UNKNOWN,
};
#define NR_ORDER (sizeof(order) / sizeof(order[0]))

unsigned long owners_all(const struct owners *o)
{
	unsigned long sum = 0;
	size_t i;

	for (i = 0; i < SLAB_NR_OWNERS; i++)
		sum += o->nr[i];
	return sum;
}

unsigned long owners_sheaves(const struct owners *o)
{
	return o->nr[SLAB_OWNER_MAIN] + o->nr[SLAB_OWNER_SPARE] +
	       o->nr[SLAB_OWNER_LOCAL] + o->nr[SLAB_OWNER_RCU] +
	       o->nr[SLAB_OWNER_BARN] + o->nr[SLAB_OWNER_PREFILLED];
}

void owners_of_cache(const struct slab_cache_info *cache, struct owners *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->nr, cache->owned, sizeof(ret->nr));
}

int owners_of_slab(const struct slab_slab_info *slab, struct owners *ret,
		   char **ret_letters)
{
	struct slab_object_info *object;
	char *letters = NULL;
	size_t nr = 0, i;
	int err;

	memset(ret, 0, sizeof(*ret));
	err = slab_target_objects(session.target, slab->cache, slab->nr,
				  &object, &nr);
	if (err)
		nr = 0;
	if (ret_letters)
		letters = *ret_letters = must_alloc(nr + 1);
	if (err)
		return err;
	for (i = 0; i < nr; i++) {
		ret->nr[object[i].owner]++;
		ret->damaged += object[i].is_damaged;
		if (letters)
			letters[i] = slab_owner_letter(object[i].owner);
		if (letters && object[i].is_damaged)
			letters[i] = DAMAGED;
	}
	free(object);
	return 0;
}

/* CPUs of virtual machines keep nothing before the barn, as in 7.0. */
static bool is_possible(const struct owners *o, enum slab_owner owner)
{
	return owner != SLAB_OWNER_LOCAL || session.opt.is_native ||
	       o->nr[owner];
}

void owners_put(struct value *record, const char *name, const struct owners *o)
{
	struct value *table = put_table(record, name), *row;
	size_t i;

	for (i = 0; i < NR_ORDER; i++) {
		if (!is_possible(o, order[i]))
			continue;
		row = table_row(table);
		put_text(row, "owner", "%s", slab_owner_name(order[i]));
		put_text(row, "letter", "%c", slab_owner_letter(order[i]));
		put_count(row, "count", o->nr[order[i]]);
	}
}

static const char *owner_word(enum slab_owner owner)
{
	return owner == SLAB_OWNER_FREELIST ? "slab freelist"
					    : slab_owner_name(owner);
}

/* A place that nothing is in says something only where it can have some. */
static bool is_worth_a_word(const struct owners *o, enum slab_owner owner,
			    bool has_sheaves)
{
	return o->nr[owner] || owner == SLAB_OWNER_USER ||
	       owner == SLAB_OWNER_FREELIST ||
	       (has_sheaves && is_possible(o, owner));
}

/* # user 5   m main 2   . slab freelist 7   = 14 */
void owners_view(struct model *out, const struct owners *o, bool has_sheaves)
{
	struct block *line = view_line(out);
	size_t i;

	line->breaks_wide = true;
	for (i = 0; i < NR_ORDER; i++) {
		if (!is_worth_a_word(o, order[i], has_sheaves))
			continue;
		/* letter and number stay together where the line breaks */
		line_add(line, STYLE_PLAIN, "%s%c %s %lu", i ? "  " : "",
			 slab_owner_letter(order[i]), owner_word(order[i]),
			 o->nr[order[i]]);
	}
	line_add(line, STYLE_PLAIN, "  = %lu", owners_all(o));
	if (o->damaged)
		line_add(line, STYLE_BAD,
			 "  %c damaged %lu, counted with its owner", DAMAGED,
			 o->damaged);
	if (o->nr[SLAB_OWNER_UNKNOWN])
		view_text(out, "unknown: a free chain that is cut does not "
			       "tell them from users' objects");
}

void owners_text(struct value *record, const char *name, const struct owners *o)
{
	char text[256];
	size_t used = 0, i;

	for (i = 0; i < NR_ORDER; i++) {
		if (!is_worth_a_word(o, order[i], false))
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s %lu   ", owner_word(order[i]),
					 o->nr[order[i]]);
	}
	put_text(record, name, "%s= %lu", text, owners_all(o));
}

/* ---- places ---- */

const char *sheaf_place(const struct slab_sheaf_info *s, char buf[PLACE_SIZE])
{
	const char *handle;

	switch (s->place) {
	case SLAB_OWNER_BARN:
		snprintf(buf, PLACE_SIZE, "barn%d.%s", s->node,
			 s->is_full_list ? "full" : "empty");
		break;
	case SLAB_OWNER_PREFILLED:
		handle = borrowed_name(s->sheaf);
		snprintf(buf, PLACE_SIZE, "%s",
			 handle ? handle : "a borrowed sheaf");
		break;
	default:
		if (s->cpu < 0)
			snprintf(buf, PLACE_SIZE, "node%d.rcu", s->node);
		else
			snprintf(buf, PLACE_SIZE, "cpu%d.%s", s->cpu,
				 slab_owner_name(s->place));
	}
	return buf;
}

/* How many lie above it: they leave first. -1: it is not in there. */
static long depth_in(const struct slab_sheaf_info *sheaf, uintptr_t object)
{
	uintptr_t *in;
	size_t nr = 0, i;
	long depth = -1;

	if (slab_target_sheaf_objects(session.target, sheaf, &in, &nr))
		return -1;
	for (i = 0; i < nr && depth < 0; i++) {
		if (in[i] == object)
			depth = (long)(nr - 1 - i);
	}
	free(in);
	return depth;
}

bool owner_place(const struct slab_cache_info *cache, uintptr_t object,
		 char place[PLACE_SIZE], unsigned int *above)
{
	struct slab_sheaf_info *sheaf;
	size_t nr = 0, i;
	long depth = -1;

	if (slab_target_sheaves(session.target, cache->cache, &sheaf, &nr))
		return false;
	for (i = 0; i < nr && depth < 0; i++) {
		depth = depth_in(&sheaf[i], object);
		if (depth < 0)
			continue;
		sheaf_place(&sheaf[i], place);
		*above = (unsigned int)depth;
	}
	free(sheaf);
	return depth >= 0;
}

const char *owner_sentence(const struct slab_address_info *info,
			   char buf[2 * PLACE_SIZE], char rests[PLACE_SIZE])
{
	enum slab_owner owner = info->object.owner;
	unsigned int above = 0;

	*rests = '\0';
	switch (owner) {
	case SLAB_OWNER_USER:
		return "in use";
	case SLAB_OWNER_FREELIST:
		return "free, on the slab's chain";
	case SLAB_OWNER_LOST:
		return "lost for good";
	case SLAB_OWNER_UNKNOWN:
		return "unknown: the slab's free chain is cut";
	default:
		break;
	}
	if (!owner_place(&info->cache, info->object.address, rests, &above)) {
		snprintf(rests, PLACE_SIZE, "waiting");
		return "waits: for a grace period, or an interrupt's end";
	}
	snprintf(buf, (size_t)2 * PLACE_SIZE, "%s, in %s, %s%.0u%s",
		 owner == SLAB_OWNER_RCU	 ? "waits for a grace period"
		 : owner == SLAB_OWNER_PREFILLED ? "borrowed"
						 : "free",
		 rests, above ? "behind " : "the next to leave", above,
		 above ? (above == 1 ? " other" : " others") : "");
	return buf;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sheaf_row.c - see sheaf_row.h
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "names.h"
#include "sheaf_row.h"

/* S1#9..S1#4 for six in a row; the number of objects that it stands for. */
static size_t put_run(FILE *f, const uintptr_t *in, size_t nr)
{
	struct slab_slot_info a, b;
	size_t run = 1;
	int step = 0;

	if (slab_target_slot(session.target, in[nr - 1], &a) || a.index < 0) {
		fputs(address_text(in[nr - 1]), f);
		return 1;
	}
	fprintf(f, "S%u#%d", a.slab_nr, a.index);
	for (; run < nr; run++) {
		if (slab_target_slot(session.target, in[nr - 1 - run], &b) ||
		    b.slab_nr != a.slab_nr)
			break;
		if (run == 1)
			step = b.index - a.index;
		if ((step != 1 && step != -1) ||
		    b.index != a.index + step * (int)run)
			break;
	}
	if (run < 4)
		return 1;
	fprintf(f, "..#%d", a.index + step * (int)(run - 1));
	return run;
}

void sheaf_row_objects(struct value *row, const struct slab_sheaf_info *sheaf)
{
	struct value *list = put_list(row, "objects");
	char name[NAME_SIZE], *text = NULL;
	size_t nr = 0, i, size;
	uintptr_t *in;
	FILE *f;

	if (slab_target_sheaf_objects(session.target, sheaf, &in, &nr)) {
		put_unknown(row, "next", "no memory to look");
		return;
	}
	for (i = nr; i-- > 0;)
		list_text(list, "%s", object_name(in[i], name));
	f = open_memstream(&text, &size);
	if (!f)
		die_no_memory();
	for (i = nr; i; fputs(i ? " " : "", f))
		i -= put_run(f, in, i);
	fclose(f);
	put_text(row, "next", "%s%s", nr ? text : "-",
		 sheaf->is_damaged ? "  damaged" : "");
	free(text);
	free(in);
}

int sheaf_rows_find(const struct slab_cache_info *cache,
		    struct slab_sheaf_info **ret, size_t *nr)
{
	int err = slab_target_sheaves(session.target, cache->cache, ret, nr);

	return err ? fail("sheaf", NULL, "the sheaves of %s: %s", cache->name,
			  strerror(-err))
		   : 0;
}

void sheaf_rows_difference(struct model *out, const struct owners *o,
			   const struct slab_sheaf_info *sheaf, size_t nr)
{
	unsigned long in_sheaves = 0, waiting = 0, counted;
	size_t i;

	for (i = 0; i < nr; i++) {
		if (sheaf[i].place == SLAB_OWNER_RCU)
			waiting += sheaf[i].size;
		else
			in_sheaves += sheaf[i].size;
	}
	/* RCU has objects that wait in no sheaf, too */
	counted = owners_sheaves(o) - o->nr[SLAB_OWNER_RCU];
	if (in_sheaves != counted)
		view_text(out,
			  "the sheaves hold %lu, of which %lu are no objects "
			  "of the cache or stand there twice",
			  in_sheaves,
			  in_sheaves > counted ? in_sheaves - counted : 0);
	if (o->nr[SLAB_OWNER_RCU] > waiting)
		view_text(out,
			  "%lu wait in no sheaf: in batches of kfree_rcu, or "
			  "for the end of an interrupt",
			  o->nr[SLAB_OWNER_RCU] - waiting);
}

struct block *sheaf_rows_head(struct model *out,
			      const struct slab_cache_info *cache)
{
	struct block *line = view_line(out);

	put_text(out->root, "cache", "%s", cache->name);
	put_count(out->root, "sheaf_capacity", cache->sheaf_capacity);
	line_add(line, STYLE_STRONG, "%s", cache->name);
	line_add(line, STYLE_PLAIN, "  %u B, %u per slab, ", cache->object_size,
		 cache->objs_per_slab);
	if (cache->sheaf_capacity)
		line_add(line, STYLE_PLAIN, "sheaves of %u",
			 cache->sheaf_capacity);
	else
		line_add(line, STYLE_PLAIN, "without sheaves: %s",
			 cache->is_debug ? "it has debug flags"
					 : "it was created so");
	return line;
}

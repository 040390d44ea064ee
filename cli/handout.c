/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * handout.c - what commands that hand out objects share
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "handout.h"
#include "names.h"

#define FEW_OBJECTS 8 /* each is shown on a line of its own */

/* ---- gfp= ---- */

static const struct gfp_word {
	const char *word;
	gfp_t gfp;
} gfp_words[] = {
	{ "kernel", GFP_KERNEL },
	{ "nowait", GFP_NOWAIT },
	{ "atomic", GFP_ATOMIC },
	{ "nolock", 0 },
	{ "zero", __GFP_ZERO },
	{ "memalloc", __GFP_MEMALLOC },
	{ "nomemalloc", __GFP_NOMEMALLOC },
	{ "account", __GFP_ACCOUNT },
	{ "nofail", __GFP_NOFAIL },
	{ "nowarn", __GFP_NOWARN },
	{ "noretry", __GFP_NORETRY },
	{ "thisnode", __GFP_THISNODE },
	{ "reclaimable", __GFP_RECLAIMABLE },
	{ "dma", __GFP_DMA },
};
#define NOLOCK	 3 /* of these rows */
#define NR_BASES 4
#define NR_GFP	 (sizeof(gfp_words) / sizeof(gfp_words[0]))

int gfp_parse(const struct invocation *inv, gfp_t *ret, bool *nolock)
{
	const char *text = arg_word(inv, "gfp"), *names[NR_GFP];
	bool has_base = false;
	char word[32];
	size_t i, n;

	*ret = 0;
	*nolock = false;
	for (i = 0; i < NR_GFP; i++)
		names[i] = gfp_words[i].word;
	for (; text && *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		for (i = 0; i < NR_GFP && strcmp(names[i], word); i++)
			;
		if (i == NR_GFP) {
			fail("value", NULL,
			     "%s: no gfp flag \"%s\"; there are kernel nowait "
			     "atomic nolock zero account nofail nowarn noretry "
			     "thisnode memalloc nomemalloc reclaimable dma",
			     command_name(inv->command), word);
			hint_nearest(word, names, NR_GFP);
			return -EINVAL;
		}
		has_base |= i < NR_BASES;
		*nolock |= i == NOLOCK;
		*ret |= gfp_words[i].gfp;
	}
	if (*nolock && *ret & __GFP_RECLAIM)
		return fail("value", NULL,
			    "%s: gfp=nolock goes with none of kernel, nowait, "
			    "atomic",
			    command_name(inv->command));
	if (!has_base)
		*ret |= GFP_KERNEL;
	return 0;
}

/* ---- names behind `as` ---- */

int names_check(const struct invocation *inv, size_t nr)
{
	const struct bound *names = arg_bound(inv, "as");
	size_t i;

	if (!names)
		return 0;
	if (names->nr != nr)
		return fail("usage", NULL,
			    "%s: %zu name%s behind `as` for %zu object%s",
			    command_name(inv->command), names->nr,
			    names->nr == 1 ? "" : "s", nr, nr == 1 ? "" : "s");
	for (i = 0; i < nr; i++) {
		const char *p = names->words[i];

		if (!isalpha((unsigned char)*p) && *p != '_')
			return fail("name", "alloc ring as b; later: free $b",
				    "%s: \"%.40s\" is no name for a variable",
				    command_name(inv->command), p);
		while (isalnum((unsigned char)*p) || *p == '_')
			p++;
		if (*p)
			return fail("name", "letters, digits and _",
				    "%s: \"%.40s\" is no name for a variable",
				    command_name(inv->command),
				    names->words[i]);
	}
	return 0;
}

int object_put(const struct invocation *inv, struct model *out,
	       const void *object, size_t i, size_t nr)
{
	const struct bound *names = arg_bound(inv, "as");
	char name[NAME_SIZE];
	struct block *line;

	object_name((uintptr_t)object, name);
	if (names) {
		if (!Tcl_SetVar(session.interp, names->words[i], name, 0))
			return fail("name", NULL,
				    "the variable %s can not be set",
				    names->words[i]);
		labels_add(session.labels, names->words[i]);
	}
	if (out->root->kind == KIND_LIST)
		list_text(out->root, "%s", name);
	else
		root_text(out, "%s", name);
	if (nr > FEW_OBJECTS)
		return 0;
	line = view_line(out);
	line_add(line, STYLE_STRONG, "%s", name);
	line_add(line, STYLE_PLAIN, "  %s", address_text((uintptr_t)object));
	if (names)
		line_add(line, STYLE_NAME, "  $%s", names->words[i]);
	return 0;
}

const char *null_hint(void)
{
	return event_log_ends_with(session.events, SLAB_EVENT_FAIL_INJECTED)
		       ? "failslab made it fail; failslab show"
		       : NULL;
}

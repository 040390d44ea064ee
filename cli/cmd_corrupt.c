/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_corrupt.c - `corrupt`: break something on purpose, in one of the kinds
 * that corruptions.def lists
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/inject.h>

#include "commands.h"
#include "names.h"
#include "session.h"

#define MAX_KINDS 128

static const struct field corrupt_fields[] = {
	FIELD("kind", TEXT, "what was broken"),
	FIELD("target", TEXT, "where"),
	FIELD("first", ADDRESS, "first byte changed"),
	FIELD("last", ADDRESS, "last byte changed"),
	FIELD("before", BYTE, "the first byte before"),
	FIELD("after", BYTE, "the first byte after"),
	FIELD("text", TEXT, "what was done"),
	{},
};
static const struct field corrupt_returns =
	FIELD("corruption", RECORD, NULL, .of = corrupt_fields);

static int fail_order(const char *target, const char *kind)
{
	char hint[160];

	snprintf(hint, sizeof(hint), "corrupt %.60s %.60s", kind, target);
	return fail("usage", hint,
		    "corrupt: the object, slab or CPU stands first, and the "
		    "kind behind it");
}

static int fail_kind(const char *kind)
{
	const char *names[MAX_KINDS];
	size_t i;

	for (i = 0; i < slab_nr_corruptions() && i < MAX_KINDS; i++)
		names[i] = slab_corruption(i)->name;
	fail("no_kind", "corrupt list has them all",
	     "corrupt: no kind named \"%.60s\"", kind);
	hint_nearest(kind, names, i);
	return -EINVAL;
}

static bool has_key(const char *keys, const char *key)
{
	size_t n = strlen(key);
	const char *p = keys;

	while ((p = strstr(p, key))) {
		if ((p == keys || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
		p++;
	}
	return false;
}

/* Values that are places become the addresses that the library reads. */
static int read_values(const struct invocation *inv,
		       const struct slab_corruption *row,
		       struct slab_corrupt_value *value, char (*text)[24])
{
	size_t i;

	for (i = 0; i < inv->nr_any; i++) {
		const char *v = inv->any[i].value;
		uintptr_t address;

		if (!has_key(row->keys, inv->any[i].key))
			return fail("no_key", NULL,
				    "corrupt %s has no %s=; "
				    "it takes %s",
				    row->name, inv->any[i].key,
				    *row->keys ? row->keys : "no key");
		value[i].key = inv->any[i].key;
		value[i].value = v;
		if (!strstr(v, ":S"))
			continue;
		if (place_address(v, &address))
			return -EINVAL;
		snprintf(text[i], sizeof(text[i]), "0x%lx",
			 (unsigned long)to_print(address));
		value[i].value = text[i];
	}
	value[i].key = NULL;
	return 0;
}

/* ---- cpu0 and cpu0:ring ---- */
/* The number and what stands behind it, "" or ":ring"; NULL: no such target. */
static const char *split_cpu(const char *text, unsigned long *cpu)
{
	char cache[NAME_SIZE], *end;
	unsigned int slab_nr;
	long index;

	if (strncmp(text, "cpu", 3) || !isdigit((unsigned char)text[3]) ||
	    /* a slab of a cache that is called so */
	    name_split(text, cache, sizeof(cache), &slab_nr, &index))
		return NULL;
	*cpu = strtoul(text + 3, &end, 10);
	return !*end || (*end == ':' && end[1]) ? end : NULL;
}

/* Without a name it is the one that has sheaves. */
static int only_cache_with_sheaves(struct slab_cache_info *ret)
{
	struct slab_cache_info *caches;
	size_t nr, i, found = 0;

	if (slab_target_caches(session.target, &caches, &nr))
		return fail("cache", NULL, "the caches can not be read");
	for (i = 0; i < nr; i++)
		if (caches[i].sheaf_capacity && !found++)
			*ret = caches[i];
	free(caches);
	if (found == 1)
		return 0;
	return fail("no_cache", "cpu0:ring names the cache, too",
		    found ? "corrupt: %zu caches have sheaves"
			  : "corrupt: no cache has sheaves: those with debug "
			    "flags have none",
		    found);
}

static int corrupt_cpu(const struct invocation *inv, const char *kind,
		       unsigned long cpu, const char *cache,
		       const struct slab_corrupt_value *value,
		       struct slab_corrupt_result *did)
{
	struct slab_cache_info info;

	if (*cache && place_cache(cache + 1, &info))
		return 1;
	if (session.opt.is_native && (!*cache || info.sheaf_capacity)) {
		fail("virtual", "objects and slabs can be broken here",
		     "corrupt %s: only a virtual machine's sheaves hold still "
		     "for it",
		     kind);
		return 1;
	}
	if (!*cache && only_cache_with_sheaves(&info))
		return 1;
	return slab_corrupt_cpu(inv->machine, kind,
				cpu > UINT32_MAX ? UINT32_MAX
						 : (unsigned int)cpu,
				cache_handle(&info), value, did);
}

static int corrupt_place(const struct invocation *inv, const char *kind,
			 const char *target,
			 const struct slab_corrupt_value *value,
			 struct slab_corrupt_result *did)
{
	uintptr_t address;

	if (place_address(target, &address))
		return 1;
	return slab_corrupt(inv->machine, kind, address, value, did);
}

static const char *target_name(enum slab_corrupt_target target)
{
	switch (target) {
	case SLAB_TARGET_SLAB:
		return "slab";
	case SLAB_TARGET_CPU:
		return "cpu";
	case SLAB_TARGET_OBJECT:
		break;
	}
	return "object";
}

static int corrupt(const struct invocation *inv, struct model *out)
{
	const char *target = arg_word(inv, "OBJ|SLAB|CPU");
	const char *kind = arg_word(inv, "KIND");
	const struct slab_corruption *row = slab_corruption_find(kind);
	struct slab_corrupt_value value[MAX_ARGS + 1];
	struct slab_corrupt_result did = { 0 };
	char text[MAX_ARGS][24], hint[80];
	const char *cache;
	unsigned long cpu;
	int err;

	if (!row && (slab_corruption_find(target) || strchr(kind, ':') ||
		     !strncmp(kind, "0x", 2)))
		return fail_order(target, kind);
	if (!row)
		return fail_kind(kind);
	if (read_values(inv, row, value, text))
		return -EINVAL;
	cache = split_cpu(target, &cpu);
	err = cache ? corrupt_cpu(inv, kind, cpu, cache, value, &did)
		    : corrupt_place(inv, kind, target, value, &did);
	if (err > 0)
		return -EINVAL; /* it was said what is wrong */
	if (err) {
		snprintf(hint, sizeof(hint),
			 "corrupt list %s: what it needs, its keys", kind);
		return fail("refused", hint, "corrupt %s: %s", kind,
			    did.why[0] ? did.why : strerror(-err));
	}
	put_text(out->root, "kind", "%s", kind);
	put_text(out->root, "target", "%s", target);
	if (did.last) {
		put_count(out->root, "first", to_print(did.first));
		put_count(out->root, "last", to_print(did.last));
		put_count(out->root, "before", did.before);
		put_count(out->root, "after", did.after);
	}
	put_text(out->root, "text", "%s", did.text);
	view_text(out, "%s", did.text);
	return 0;
}

/* Z or P beside U adds nothing here: these columns go when there is no room. */
#define IS_EXTRA(set) \
	((set) == SLAB_SET_U || (set) == SLAB_SET_FU || (set) == SLAB_SET_ZU)
#define SET(id, text)                                   \
	FIELD(text, TEXT, "found by, with these flags", \
	      .how = IS_EXTRA(SLAB_SET_##id) ? FIELD_EXTRA : 0),
static const struct field kind_fields[] = {
	FIELD("kind", TEXT, "name"),
	FIELD("damages", TEXT, "what it does", .how = FIELD_QUIET),
	FIELD("target", TEXT, "object, slab or cpu", .how = FIELD_QUIET),
	FIELD("needs", TEXT, "what must be so", .how = FIELD_QUIET),
	FIELD("keys", TEXT, "keys it takes", .how = FIELD_QUIET),
	SLAB_MATRIX_SETS(SET){},
};
#undef SET
static const struct field list_fields[] = {
	FIELD("kinds", TABLE, "one row a kind", .of = kind_fields),
	{},
};
static const struct field list_returns =
	FIELD("list", RECORD, NULL, .of = list_fields);

static void describe(struct model *out, const struct slab_corruption *c)
{
	struct block *line = view_line(out);

	line_add(line, STYLE_STRONG, "%s", c->name);
	line_add(line, STYLE_PLAIN, "  %s", c->damages);
	line = view_line(out);
	line_add(line, STYLE_DIM, "  target  ");
	line_add(line, STYLE_PLAIN, "%s",
		 c->target == SLAB_TARGET_CPU	 ? "a CPU: cpu0, cpu0:ring"
		 : c->target == SLAB_TARGET_SLAB ? "a slab"
						 : "an object");
	line = view_line(out);
	line_add(line, STYLE_DIM, "  needs   ");
	line_add(line, STYLE_PLAIN, "%s", *c->needs ? c->needs : "nothing");
	line = view_line(out);
	line_add(line, STYLE_DIM, "  keys    ");
	line_add(line, STYLE_PLAIN, "%s", *c->keys ? c->keys : "none");
}

static int corrupt_list(const struct invocation *inv, struct model *out)
{
	struct value *table = put_table(out->root, "kinds");
	const char *kind = arg_word(inv, "KIND");
	size_t i, k;

	if (kind && !slab_corruption_find(kind))
		return fail_kind(kind);
	for (i = 0; i < slab_nr_corruptions(); i++) {
		const struct slab_corruption *c = slab_corruption(i);
		struct value *row;

		if (kind && strcmp(kind, c->name))
			continue;
		row = table_row(table);
		put_text(row, "kind", "%s", c->name);
		put_text(row, "damages", "%s", c->damages);
		put_text(row, "target", "%s", target_name(c->target));
		put_text(row, "needs", "%s", c->needs);
		put_text(row, "keys", "%s", c->keys);
		for (k = 0; k < SLAB_NR_SETS; k++)
			put_text(row, slab_matrix_set_text(k), "%s",
				 c->found_by[k]);
		if (kind)
			describe(out, c);
	}
	view_value(out, table, kind ? 2 : 0);
	view_text(out, "found at a alloc, f free, v validate, d destroy, y "
		       "verify, - never;");
	view_text(out, "h free when hardened, s AddressSanitizer; blank: can "
		       "not be done so.");
	view_text(out, "Columns are the cache's debug flags.");
	return 0;
}

static const struct arg corrupt_args[] = {
	ARG("OBJ|SLAB|CPU", WORD, "what to break; CPU: cpu0 or cpu0:CACHE",
	    .is_required = true, .complete = complete_object),
	ARG("KIND", WORD, "how", .is_required = true,
	    .complete = complete_kind),
	ARG("key", ANY_KEY, "as corrupt list KIND says", .value = "value"),
	{},
};
static const struct arg list_args[] = {
	ARG("KIND", WORD, "only this one, in words", .complete = complete_kind),
	{},
};

const struct command corrupt_commands[] = {
	{
		.group = "corrupt",
		.brief = "break an object, a slab or a sheaf in a known way",
		.example = "corrupt $b right-redzone found=0x12",
		.args = corrupt_args,
		.returns = &corrupt_returns,
		.run = corrupt,
	},
	{
		.group = "corrupt",
		.name = "list",
		.brief = "the kinds, and what finds each",
		.example = "corrupt list",
		.args = list_args,
		.returns = &list_returns,
		.run = corrupt_list,
		.needs_no_machine = true,
	},
	{},
};

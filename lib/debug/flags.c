/* SPDX-License-Identifier: MIT */
/*
 * debug/flags.c - see flags.h; grammar and quirks: spec/debugging/slab_debug.md
 *
 *	value := block { ";" block }	block := letters [ "," name { "," name } ]
 */
#include "debug/flags.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "debug/report.h"

static const struct {
	char letter;
	slab_flags_t flag;
} letters[] = {
	{ 'F', SLAB_CONSISTENCY_CHECKS },
	{ 'Z', SLAB_RED_ZONE },
	{ 'P', SLAB_POISON },
	{ 'U', SLAB_STORE_USER },
	{ 'T', SLAB_TRACE },
	{ 'A', SLAB_FAILSLAB },
};

/* 0: no such letter. */
static slab_flags_t flag_of(char letter)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].letter == toupper((unsigned char)letter))
			return letters[i].flag;
	return 0;
}

int slab_debug_letters(const char *text, slab_flags_t *ret, char *bad)
{
	slab_flags_t flags = 0;

	for (; *text; text++) {
		slab_flags_t flag = flag_of(*text);

		if (*text == '-') {
			flags = 0;
			continue;
		}
		if (!flag) {
			if (bad)
				*bad = *text;
			return -EINVAL;
		}
		flags |= flag;
	}
	*ret = flags;
	return 0;
}

char *slab_debug_text(slab_flags_t flags, char *buf)
{
	char *to = buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(letters); i++)
		if (flags & letters[i].flag)
			*to++ = letters[i].letter;
	if (to == buf)
		*to++ = '-';
	*to = '\0';
	return buf;
}

/* ---- slab_debug= ---- */
struct block {
	slab_flags_t flags;
	bool has_higher_order; /* letter O */
	const char *list;      /* of names; NULL: every cache */
	const char *list_end;
};

/* The block at text, and what follows it or NULL. complain_to hears of unknown
 * letters; may be NULL. */
static const char *parse_block(const char *text, struct block *ret,
			       struct slab_machine *complain_to)
{
	*ret = (struct block){ 0 };
	text += strspn(text, ";");
	if (*text == ',')
		ret->flags = SLAB_DEBUG_DEFAULT_FLAGS;
	for (; *text && *text != ',' && *text != ';'; text++) {
		slab_flags_t flag = flag_of(*text);

		if (*text == '-')
			ret->flags = 0;
		else if (*text == 'O' || *text == 'o')
			ret->has_higher_order = true;
		else if (flag)
			ret->flags |= flag;
		else if (complain_to)
			report_note(complain_to,
				    "slab_debug option '%c' unknown. skipped",
				    *text);
	}
	if (*text == ',')
		ret->list = text + 1;
	text += strcspn(text, ";");
	text += strspn(text, ";");
	/* Only the one semicolon before the next block is taken off: of ";;"
	 * the first sticks to the last name, and so does one at the very end.
	 * The kernel's names do not match then, neither do ours. */
	ret->list_end = *text ? text - 1 : text;
	return *text ? text : NULL;
}

int debug_parse(struct slab_machine *m, const char *value)
{
	struct machine_parameters *params = &m->params;
	slab_flags_t global = 0;
	bool has_list = false, has_higher_order = false;
	char *copy = NULL;
	struct block block;
	const char *next;

	if (!*value)
		global = SLAB_DEBUG_DEFAULT_FLAGS;
	for (next = *value ? value : NULL; next;) {
		next = parse_block(next, &block, m);
		has_higher_order |= block.has_higher_order;
		if (block.list)
			has_list = true;
		else
			global = block.flags;
	}
	if (has_list) {
		copy = meta_strdup(m, value);
		if (!copy)
			return -ENOMEM;
	}
	if (params->debug_string)
		meta_free(m, params->debug_string,
			  strlen(params->debug_string) + 1);
	params->debug_string = copy;
	params->debug_flags = global;
	params->disable_higher_order = has_higher_order;
	return 0;
}

/* Is name in the list? Text behind a '*' does not count. */
static bool list_names(const struct block *block, const char *name)
{
	const char *at = block->list;
	size_t length = strlen(name);

	while (at < block->list_end) {
		size_t n = MIN(strcspn(at, ","), (size_t)(block->list_end - at));
		const char *star = memchr(at, '*', n);

		if (star && !strncmp(name, at, (size_t)(star - at)))
			return true;
		if (!star && n == length && !memcmp(name, at, n))
			return true;
		at += n + 1;
	}
	return false;
}

slab_flags_t debug_flags_for(const struct slab_machine *m, const char *name,
			     slab_flags_t flags)
{
	slab_flags_t global = m->params.debug_flags;
	const char *next = m->params.debug_string;
	struct block block;

	if (flags & SLAB_NO_USER_FLAGS)
		return flags;
	/* whoever is not to be traced gets no tracks but by name */
	if (flags & SLAB_NOLEAKTRACE)
		global &= ~SLAB_STORE_USER;
	while (next) {
		next = parse_block(next, &block, NULL);
		if (block.list && list_names(&block, name))
			return flags | block.flags;
	}
	return flags | global;
}

/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - the kernel's report lines, without what the run itself chose
 *
 * Taint, ages, pids, frames, WARNING places and flag words go; ranges become
 * relative to their object; rows of a dump keep the bytes that the debug flags
 * determine. A line that is not printed as the grammar has it stays as it is,
 * behind "badly printed", so that it can agree with nothing.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "normalise.h"

/* The cache that a line before its banner belongs to: the next one named. */
static int cache_ahead(struct reader *r, const struct lines *l, size_t i)
{
	char name[64];

	for (; i < l->nr; i++) {
		if (text_between(l->at[i], "BUG ", " (", name, sizeof(name)) ||
		    text_between(l->at[i], "FIX ", ": ", name, sizeof(name)))
			return cache_find(r, name);
	}
	return NO_CACHE;
}

/* "FIX cache: Object at 0xP not freed" */
static bool add_not_freed(struct reader *r, struct lines *out, const char *line)
{
	const char *at = strstr(line, ": Object at 0x");
	char where[64];

	if (!at)
		return false;
	at += strlen(": Object at ");
	lines_addf(out, "%.*s%s not freed", (int)(at - line), line,
		   known_text(r, strtoull(at, NULL, 16), where));
	return true;
}

/* text with each 0xA-0xB replaced; offset >= 0 says where A is in its slab. */
static void add_range(struct reader *r, struct lines *out, const char *text,
		      int cache)
{
	const char *at = strstr(text, " 0x");
	const char *offset = strstr(text, "@offset=");
	uint64_t first, last, object;
	char *end, start[64], rest[80] = "";

	if (!at) {
		lines_add(out, text);
		return;
	}
	first = strtoull(at + 1, &end, 16);
	last = *end == '-' ? strtoull(end + 1, &end, 16) : first;
	if (offset) {
		slab_see(r, first - strtoull(offset + 8, NULL, 10), cache);
		end = strchr(offset, '.');
	}
	snprintf(rest, sizeof(rest), "%s", end ? end : "");
	address_text(r, first, start);
	object = object_of(r, first);
	if (object)
		lines_addf(out, "%.*s %s..%+ld%s", (int)(at - text), text,
			   start, (long)(last - object), rest);
	else
		lines_addf(out, "%.*s %s+%lu%s", (int)(at - text), text, start,
			   last - first, rest);
}

static void add_slab_line(struct reader *r, struct lines *out, const char *line)
{
	int cache = r->report_cache;
	unsigned long descriptor, fp, flags;
	const struct seen_slab *slab;
	unsigned int objects, used;
	uint64_t base;
	const char *class = "garbage";
	const char *listed, *head;

	if (sscanf(line, "Slab 0x%lx objects=%u used=%u fp=0x%lx flags=0x%lx",
		   &descriptor, &objects, &used, &fp, &flags) != 5) {
		lines_addf(out, "badly printed: %s", line);
		return;
	}
	base = slab_see_descriptor(r, descriptor, cache);
	slab = slab_find(r, fp);
	if (!fp)
		class = "NULL";
	else if (slab && slab->base == base && object_of(r, fp) == fp)
		class = "object";
	listed = strstr(line, "workingset") ? " workingset" : "";
	head = strstr(line, "head") ? " head" : "";
	/* a class's slabs hold the whole kernel's objects */
	if (is_kmalloc(r, cache))
		lines_addf(out, "Slab objects=%u%s", objects, head);
	else
		lines_addf(out, "Slab objects=%u used=%u fp=%s%s%s", objects,
			   used, class, listed, head);
}

/* Are all bytes of the address one and the same? Then damage wrote it. */
static bool is_filler(uint64_t address)
{
	return address == (address & 0xff) * 0x0101010101010101UL;
}

/* Allocated in FUNC age=N cpu=N pid=N: who did it is the run's own, unless
 * damage wrote it there; where that wrote a part, the rest is still its own. */
static void add_track(struct lines *out, const char *line)
{
	const char *what = line[0] == 'A' ? "Allocated in" : "Freed in";
	const char *cpu = strstr(line, " cpu="), *pid = strstr(line, " pid=");
	const char *where = line + strlen(what);
	char *end;
	uint64_t address = strtoull(where, &end, 16);

	if (!starts_with(where, " 0x") || *end != ' ') {
		lines_add(out, what);
	} else if (!is_filler(address)) {
		lines_addf(out, "%s damaged", what);
	} else {
		lines_addf(out, "%s 0x%lx cpu=%ld%s", what, address,
			   cpu ? strtol(cpu + 5, NULL, 10) : 0,
			   pid && strtol(pid + 5, NULL, 10) > 1 << 22
				   ? " pid=wild"
				   : "");
	}
}

/* A row of a dump, printed as it should be. */
static void row_format(char *buf, size_t size, const uint8_t *bytes, size_t nr)
{
	size_t n = 0;

	for (size_t i = 0; i < 16; i++)
		n += (size_t)snprintf(buf + n, size - n,
				      i < nr ? "%02x " : "   ",
				      i < nr ? bytes[i] : 0);
	n += (size_t)snprintf(buf + n, size - n, " ");
	for (size_t i = 0; i < nr; i++)
		n += (size_t)snprintf(buf + n, size - n, "%c",
				      isascii(bytes[i]) && isprint(bytes[i])
					      ? bytes[i]
					      : '.');
}

size_t row_bytes(const char *text, uint8_t *bytes)
{
	size_t nr = 0;
	unsigned int byte;
	int n;

	while (nr < 16 && text[0] != ' ' &&
	       sscanf(text, "%2x%n", &byte, &n) == 1 && n == 2) {
		bytes[nr++] = (uint8_t)byte;
		text += 2;
		if (*text == ' ')
			text++;
	}
	return nr;
}

/* "Redzone  ADDR: bytes": true when line is a row of a dump. */
static bool add_row(struct reader *r, struct lines *out, const char *line)
{
	static const char *const labels[] = { "Redzone  ", "Bytes b4 ",
					      "Object   ", "Padding  ",
					      "Object ",   "Padding " };
	const struct layout *l = NULL;
	char again[96], where[64], text[64] = "";
	uint64_t address, object;
	uint8_t bytes[16];
	bool is_known;
	size_t label, nr;
	char *end;

	for (label = 0; label < ARRAY_SIZE(labels); label++) {
		const char *at = line + strlen(labels[label]);

		if (!starts_with(line, labels[label]))
			continue;
		address = strtoull(at, &end, 16);
		if (end == at + 16 && starts_with(end, ": "))
			break;
	}
	if (label == ARRAY_SIZE(labels))
		return false;
	if (label == 1)
		return true; /* the neighbour's bytes */
	nr = row_bytes(end + 2, bytes);
	row_format(again, sizeof(again), bytes, nr);
	if (strcmp(again, end + 2)) {
		lines_addf(out, "badly printed: %s", line);
		return true;
	}
	if (r->report_cache != NO_CACHE)
		l = &r->caches[r->report_cache].layout;
	object = r->object;
	if (label == 5 || !object) /* the slab's tail */
		address_text(r, address, where);
	else
		sprintf(where, "O%zu%+ld", object_number(r, object),
			(long)(address - object));
	is_known = l && (label == 0 || label == 5 ||
			 (label == 3 && (l->flags & FLAG_P)) ||
			 ((label == 2 || label == 4) && l->is_poisoned));
	for (size_t i = 0; is_known && i < nr; i++)
		sprintf(text + 3 * i, " %02x", bytes[i]);
	if (is_known)
		lines_addf(out, "%s%s:%s", labels[label], where, text);
	else
		lines_addf(out, "%s%s: %zu bytes", labels[label], where, nr);
	return true;
}

/* "BUG cache (taint): title" */
static void add_banner(struct reader *r, const struct lines *l, size_t i,
		       struct lines *out)
{
	const char *line = l->at[i];
	char name[64];
	const char *title = strstr(line, "): ");
	uint64_t first, offset;

	if (!title || !text_between(line, "BUG ", " (", name, sizeof(name))) {
		lines_addf(out, "badly printed: %s", line);
		return;
	}
	title += 3;
	r->report_cache = cache_find(r, name);
	r->object = 0;
	r->is_remaining = starts_with(title, "Objects remaining");
	if (sscanf(title, "Padding overwritten. 0x%lx-%*s @offset=%lu", &first,
		   &offset) == 2)
		slab_see(r, first - offset, r->report_cache);
	if (starts_with(title, "Invalid object pointer 0x")) {
		char where[64];

		/* the line of its slab follows */
		while (++i < l->nr && !starts_with(l->at[i], "Slab 0x"))
			;
		if (i < l->nr)
			slab_see_descriptor(r, strtoull(l->at[i] + 5, NULL, 16),
					    r->report_cache);
		known_text(r, strtoull(title + 23, NULL, 16), where);
		lines_addf(out, "BUG %s: Invalid object pointer %s", name,
			   where);
		return;
	}
	if (starts_with(title, "Padding overwritten.")) {
		char text[256];

		snprintf(text, sizeof(text), "BUG %s: %s", name, title);
		if (strstr(text, " @offset="))
			*strstr(text, " @offset=") = 0;
		add_range(r, out, text, r->report_cache);
		return;
	}
	lines_addf(out, "BUG %s: %s", name, title);
}

/* Objects that destroy found, in the order of their text: by address is the
 * run's own. */
void flush_group(struct reader *r, struct lines *out)
{
	if (!r->group)
		return;
	lines_sort(r->group, 0, r->group->nr);
	for (size_t i = 0; i < r->group->nr; i++)
		lines_add(out, r->group->at[i]);
	lines_free(r->group);
	free(r->group);
	r->group = NULL;
}

static void add_object(struct reader *r, struct lines *out, const char *line)
{
	uint64_t address, offset;
	size_t nr;
	int cache = r->report_cache;

	if (sscanf(line, "Object 0x%lx @offset=%lu", &address, &offset) != 2) {
		lines_addf(out, "badly printed: %s", line);
		return;
	}
	slab_see(r, address - offset, cache);
	r->object = object_of(r, address);
	if (!r->is_remaining) {
		char where[64];

		lines_addf(out, "Object %s", address_text(r, address, where));
		return;
	}
	if (!r->group)
		r->group = must(calloc(1, sizeof(*r->group)));
	if (object_is_named(r, address, &nr))
		lines_addf(r->group, "Object O%zu", nr);
	else
		lines_add(r->group, "Object");
}

/* A track of an object that is left stands behind it. */
static void group_track(struct reader *r, const char *line)
{
	size_t last = r->group->nr - 1;
	struct lines one = { 0 };
	char text[512];

	add_track(&one, line);
	snprintf(text, sizeof(text), "%s, %s", r->group->at[last], one.at[0]);
	lines_replace(r->group, last, text);
	lines_free(&one);
}

/* Lines of the machine's console that are no answer of the allocator: what a
 * warning carries along, and how the kernel died. */
static bool is_console(const char *line)
{
	static const char *const prefixes[] = {
		"------------[ cut here",
		"---[ end trace",
		"Modules linked in",
		"CPU: ",
		"Hardware name:",
		"RIP: ",
		"Call Trace:",
		" <",
		"Code: ",
		"Disabling lock debugging",
		"pool index ",
		"corrupt handle or",
		"Oops: ",
		"kernel BUG at ",
		"BUG: kernel NULL pointer",
		"BUG: unable to handle",
		"general protection fault",
		"watchdog: BUG:",
		"__kmem_cache_create_args(",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (starts_with(line, prefixes[i]))
			return true;
	}
	return starts_with(line, "WARNING:") && strstr(line, "stackdepot");
}

/* ` slab NAME start ADDR data offset N pointer offset N size N allocated at` */
static void add_dumpobj(struct reader *r, struct lines *out, const char *line)
{
	char name[64], text[256], where[64];
	const char *start = strstr(line, " start ");
	char *end, *caller;
	uint64_t address;

	if (!start || !text_between(line, " slab ", " ", name, sizeof(name))) {
		lines_addf(out, "badly printed: %s", line);
		return;
	}
	address = strtoull(start + 7, &end, 16);
	address_text(r, address, where);
	snprintf(text, sizeof(text), "slab %s start %s%s", name, where, end);
	caller = strstr(text, " allocated at ");
	if (caller)
		caller[strlen(" allocated at")] = 0;
	lines_add(out, text);
}

/* Addresses of pointers that were freed by mistake are the run's own. */
static void add_message(struct lines *out, const char *line)
{
	char text[512];
	size_t n = 0;

	while (*line && n < sizeof(text) - 16) {
		if (starts_with(line, "0x") && isxdigit(line[2])) {
			n += (size_t)sprintf(text + n, "PTR");
			line += 2;
			while (isxdigit(*line))
				line++;
		} else if (starts_with(line, " when called from ")) {
			break;
		} else {
			text[n++] = *line++;
		}
	}
	text[n] = 0;
	lines_add(out, text);
}

static void add_trace(struct reader *r, struct lines *out, const char *line)
{
	char name[64], what[16], where[64], fp_text[64];
	unsigned long object, inuse, fp;

	if (sscanf(line, "TRACE %63s %15s 0x%lx inuse=%lu fp=0x%lx", name, what,
		   &object, &inuse, &fp) != 5) {
		lines_addf(out, "badly printed: %s", line);
		return;
	}
	r->report_cache = cache_find(r, name);
	slab_see_around(r, object, r->report_cache);
	r->object = object_of(r, object);
	lines_addf(out, "TRACE %s %s %s inuse=%lu fp=%s", name, what,
		   address_text(r, object, where), inuse,
		   !fp			    ? "NULL"
		   : object_of(r, fp) == fp ? "object"
					    : strcpy(fp_text, "garbage"));
}

/* WARNING: ... FUNCTION+0x...: where it stands the kernel's build decides, not
 * in which function. */
static void add_warning(struct lines *out, const char *line)
{
	const char *plus = strstr(line, "+0x"), *name = plus;

	while (name && name > line && name[-1] != ' ')
		name--;
	if (plus)
		lines_addf(out, "WARNING %.*s", (int)(plus - name), name);
	else
		lines_add(out, "WARNING");
}

void add_kernel_line(struct reader *r, const struct lines *l, size_t i,
		     struct lines *out)
{
	const char *line = l->at[i];

	if (r->group && starts_with(line, "Slab 0x"))
		flush_group(r, out);
	if (is_console(line))
		return;
	if (starts_with(line, "WARNING:"))
		add_warning(out, line);
	else if (starts_with(line, "BUG "))
		add_banner(r, l, i, out);
	else if (line[0] == '[')
		add_range(r, out, line, cache_ahead(r, l, i));
	else if (starts_with(line, "FIX ")) {
		if (!add_not_freed(r, out, line))
			add_range(r, out, line, cache_ahead(r, l, i));
	} else if (starts_with(line, "Slab 0x"))
		add_slab_line(r, out, line);
	else if (starts_with(line, "Object 0x"))
		add_object(r, out, line);
	else if (starts_with(line, "Allocated in ") ||
		 starts_with(line, "Freed in ")) {
		if (line[0] == 'F' && is_kmalloc(r, r->report_cache))
			return; /* others may have had it before */
		if (r->group)
			group_track(r, line);
		else
			add_track(out, line);
	} else if (starts_with(line, "Invalid pointer 0x")) {
		char where[64];

		lines_addf(out, "Invalid pointer %s",
			   known_text(r, strtoull(line + 18, NULL, 16), where));
	} else if (starts_with(line, "TRACE "))
		add_trace(r, out, line);
	else if (starts_with(line, " slab "))
		add_dumpobj(r, out, line);
	else if (starts_with(line, " Free path:"))
		lines_add(out, line);
	else if (line[0] == ' ' ||
		 !strcmp(line, "object allocation/free stack trace missing"))
		return; /* frames */
	else if (!add_row(r, out, line))
		add_message(out, line);
}

/* SPDX-License-Identifier: MIT */
/*
 * dumps.c - `slab-oracle layout`: object bytes, live and freed, by classes
 *
 * A row's bytes are runs of classes (CC BB 5A 6B A5 11, or data). Which bytes
 * the specification determines is slot.c's to say; those must be of the class
 * that the kernel showed, and ours of that byte. The others (free pointer,
 * tracks, old page contents) are chance and may be anything.
 */
#include <stdlib.h>
#include <string.h>

#include <slab/inject.h>
#include <slab/machine.h>

#include "replay.h"

#define MAX_BYTES 16384
#define NO_CLASS  (-1)

struct dump {
	long first;
	size_t nr;
	int class[MAX_BYTES]; /* a byte, or NO_CLASS */
};

/* [FIRST..LAST]=CLASS ... */
static bool dump_parse(const char *text, struct dump *ret)
{
	long expected = 0;

	ret->nr = 0;
	while (*text) {
		char class[8];
		long first, last;
		int n = 0;

		if (sscanf(text, "[%ld..%ld]=%7[0-9A-Za-z]%n", &first, &last,
			   class, &n) != 3 ||
		    last < first || (ret->nr && first != expected) ||
		    ret->nr + (size_t)(last - first) >= MAX_BYTES)
			return false;
		if (!ret->nr)
			ret->first = first;
		for (long i = first; i <= last; i++)
			ret->class[ret->nr++] =
				strcmp(class, "data")
					? (int)strtol(class, NULL, 16)
					: NO_CLASS;
		expected = last + 1;
		text += n;
		text += strspn(text, " ");
	}
	return ret->nr;
}

/* The byte that stands at offset; NO_CLASS where nothing determines it. */
static int known_byte(const struct layout *l, long offset, bool is_live)
{
	bool has_z = l->flags & FLAG_Z, has_p = l->flags & FLAG_P;
	int red = is_live ? 0xcc : 0xbb;

	switch (layout_region(l, offset)) {
	case IN_LEFT_REDZONE:
		return red;
	case IN_RIGHT_REDZONE:
		return has_z ? red : has_p ? 0x5a : NO_CLASS;
	case IN_PADDING:
		return has_p ? 0x5a : NO_CLASS;
	case IN_OBJECT:
		if (is_live || !l->is_poisoned)
			return 0x11; /* what was written */
		return offset == (long)l->object_size - 1 ? 0xa5 : 0x6b;
	case IN_FREEPTR:
		/* inside the object it is written by free alone */
		return is_live && offset < (long)l->object_size ? 0x11
								: NO_CLASS;
	default:
		return NO_CLASS;
	}
}

/* Is the byte shown as it must be? Of A5 alone a single byte shows its class. */
static bool class_shows(const struct dump *d, const struct layout *l, size_t i,
			int byte, bool is_live)
{
	long offset = d->first + (long)i;

	if (d->class[i] == byte)
		return true;
	return d->class[i] == NO_CLASS && byte != 0xa5 &&
	       known_byte(l, offset - 1, is_live) != byte &&
	       known_byte(l, offset + 1, is_live) != byte;
}

static bool dump_compare(const struct dump *d, const struct layout *l,
			 const uint8_t *ours, bool is_live, char *why,
			 size_t size)
{
	for (size_t i = 0; i < d->nr; i++) {
		long offset = d->first + (long)i;
		int byte = known_byte(l, offset, is_live);

		if (byte == NO_CLASS)
			continue;
		if (!class_shows(d, l, i, byte, is_live)) {
			snprintf(why, size,
				 "at %ld the kernel shows %02x, the "
				 "specification %02x",
				 offset, d->class[i] & 0xff, byte);
			return false;
		}
		if (ours[i] != byte) {
			snprintf(why, size,
				 "at %ld: the kernel's %02x, ours %02x", offset,
				 byte, ours[i]);
			return false;
		}
	}
	return true;
}

static void no_ctor(void *object)
{
	memcpy(object, &(uint64_t){ 0x1122334455667788 }, 1);
}

/* An object filled with 0x11, then freed when the row says so; its slot. */
static bool row_bytes_of_ours(const struct table *t, size_t row,
			      struct slab_target *target, const struct dump *d,
			      const struct layout *l, bool is_live,
			      uint8_t *ret, char *why, size_t size)
{
	struct kmem_cache_args args = { .align = l->align };
	struct slab_machine *m = slab_target_machine(target);
	slab_flags_t flags = create_flags(table_cell(t, row, "flags"));
	uint8_t fill[MAX_BYTES];
	struct kmem_cache *s;
	uint8_t *objects[3];

	if (l->flags & FLAG_CTOR)
		args.ctor = no_ctor;
	if (l->flags & FLAG_RCU)
		flags |= SLAB_TYPESAFE_BY_RCU;
	s = kmem_cache_create("measured", l->object_size, &args, flags);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = s ? kmem_cache_alloc(s, GFP_KERNEL) : NULL;
	if (!objects[0]) {
		snprintf(why, size, "the cache can not be made");
		return false;
	}
	memset(fill, 0x11, l->object_size);
	slab_poke(m, (uintptr_t)objects[0], fill, l->object_size);
	if (!is_live)
		kmem_cache_free(s, objects[0]);
	if (slab_target_read(target,
			     (uintptr_t)objects[0] + (uintptr_t)d->first, ret,
			     d->nr)) {
		snprintf(why, size, "our slot can not be read");
		return false;
	}
	return true;
}

static bool row_agrees(const struct table *t, size_t row, char *why,
		       size_t size)
{
	static struct dump d;
	static uint8_t ours[MAX_BYTES];
	bool is_live = !strcmp(table_cell(t, row, "state"), "live");
	unsigned int flags = flags_from_letters(table_cell(t, row, "flags"));
	const char *extra = table_cell(t, row, "extra");
	const char *align = strchr(extra, 'a');
	struct slab_machine *m;
	struct slab_target *target;
	struct layout l;
	bool agrees;

	if (!strcmp(table_cell(t, row, "flags"), "none"))
		flags = 0;
	if (strstr(extra, "ctor"))
		flags |= FLAG_CTOR;
	if (strstr(extra, "rcu"))
		flags |= FLAG_RCU;
	layout_compute(
		&l, (unsigned int)strtoul(table_cell(t, row, "size"), NULL, 10),
		align ? (unsigned int)strtoul(align + 1, NULL, 10) : 8, flags);
	if (l.size != strtoul(table_cell(t, row, "slab_size"), NULL, 10)) {
		snprintf(why, size, "slab_size: the kernel's %s, computed %u",
			 table_cell(t, row, "slab_size"), l.size);
		return false;
	}
	if (!dump_parse(table_cell(t, row,
				   "bytes(run-length; offsets from object)"),
			&d)) {
		snprintf(why, size, "the bytes can not be read");
		return false;
	}
	if (slab_machine_create_virtual(
		    &(struct slab_machine_config){ .freelist_hardened = true,
						   .freelist_random = true,
						   .asan_off = true },
		    &m) ||
	    slab_target_open_self(m, &target)) {
		snprintf(why, size, "no machine");
		return false;
	}
	slab_machine_use(m);
	agrees = row_bytes_of_ours(t, row, target, &d, &l, is_live, ours, why,
				   size) &&
		 dump_compare(&d, &l, ours, is_live, why, size);
	slab_target_close(target);
	slab_machine_destroy(m);
	return agrees;
}

int command_layout(const char *path, bool is_verbose)
{
	size_t agree = 0, differ = 0;
	struct table t;
	char why[200];

	if (table_read(path, &t))
		return 2;
	for (size_t i = 0; i < t.nr_rows; i++) {
		bool agrees = row_agrees(&t, i, why, sizeof(why));

		if (!agrees || is_verbose)
			printf("row %zu size=%s flags=%s %s %s: %s%s\n", i + 2,
			       table_cell(&t, i, "size"),
			       table_cell(&t, i, "flags"),
			       table_cell(&t, i, "extra"),
			       table_cell(&t, i, "state"),
			       agrees ? "agrees" : "differs: ",
			       agrees ? "" : why);
		agree += agrees;
		differ += !agrees;
	}
	table_free(&t);
	printf("%zu agree, 0 explained, %zu differ\n", agree, differ);
	return differ ? 1 : 0;
}

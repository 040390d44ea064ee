/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_map.c - `map` and `whatis`: where is everything, and what is this?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <slab/debug.h>

#include "commands.h"
#include "names.h"
#include "owners.h"
#include "picture.h"

static int map(const struct invocation *inv, struct model *out)
{
	const char *what = arg_word(inv, "CACHE|SLAB");
	struct slab_cache_info cache;
	struct slab_slab_info slab = { 0 };

	if (strstr(what, ":S") || !strncmp(what, "0x", 2)) {
		if (place_slab(what, &cache, &slab))
			return -EINVAL;
	} else if (place_cache(what, &cache)) {
		return -EINVAL;
	}
	return picture_map(out, &cache, slab.nr);
}

static const struct field whatis_fields[] = {
	FIELD("address", ADDRESS, "what was asked for"),
	FIELD("place", TEXT, "as other commands call it"),
	FIELD("region", TEXT, "the part of the slot it lies in"),
	FIELD("region_offset", NUMBER, "from the region's first byte"),
	FIELD("offset", NUMBER, "from the object's first byte"),
	FIELD("object", TEXT, "the object of that slot"),
	FIELD("owner", TEXT, "who has the object"),
	FIELD("rests", TEXT, "the sheaf it lies in: cpu0.main, barn0.full"),
	FIELD("cache", TEXT, "cache name"),
	FIELD("slab", TEXT, "the slab it lies in"),
	FIELD("state", TEXT, "the slab's"),
	FIELD("kernel", TEXT, "as the kernel's mem_dump_obj() says it"),
	{},
};
static const struct field whatis_returns =
	FIELD("whatis", RECORD, NULL, .of = whatis_fields);

static void keep_first(void *arg, const char *line)
{
	char *text = arg;

	if (!*text)
		snprintf(text, 256, "%s", line + strspn(line, " "));
}

static int whatis(const struct invocation *inv, struct model *out)
{
	struct slab_address_info info;
	struct value *r = out->root;
	char name[NAME_SIZE], text[256] = "";
	char sentence[2 * PLACE_SIZE], rests[PLACE_SIZE];
	uintptr_t address;

	if (place_address(arg_word(inv, "ADDR"), &address))
		return -EINVAL;
	memset(&info, 0, sizeof(info));
	put_count(r, "address", to_print(address));
	if (slab_target_identify(inv->target, address, &info) ||
	    !info.is_slab) {
		put_unknown(r, "place", info.why ? info.why : "not readable");
		view_text(out, "%s is in no slab: %s", address_text(address),
			  info.why ? info.why : "not readable");
		return 0;
	}
	put_text(r, "place", "%s", place_name(address, name));
	put_text(r, "region", "%s", slab_region_name(info.region));
	put_number(r, "region_offset", info.region_offset);
	if (info.object.address) {
		put_number(r, "offset", info.offset);
		put_text(r, "object", "%s",
			 object_name(info.object.address, name));
		put_text(r, "owner", "%s", slab_owner_name(info.object.owner));
		owner_sentence(&info, sentence, rests);
		if (*rests)
			put_text(r, "rests", "%s", rests);
	}
	put_text(r, "cache", "%s", info.cache.name);
	put_text(r, "slab", "%s",
		 slot_name(info.cache.name, info.slab.nr, -1, name));
	put_text(r, "state", "%s", slab_state_name(info.slab.state));
	if (kmem_dump_obj(inv->machine, (void *)address, keep_first, text))
		put_text(r, "kernel", "%s", text);
	return 0;
}

static const struct arg map_args[] = {
	ARG("CACHE|SLAB", WORD, "a cache, or one of its slabs",
	    .is_required = true, .complete = complete_cache_or_slab),
	{},
};
static const struct arg whatis_args[] = {
	ARG("ADDR", WORD, "an address or a name", .is_required = true,
	    .complete = complete_object),
	{},
};

const struct command map_commands[] = {
	{
		.name = "map",
		.brief = "who has which object of a cache",
		.example = "map ring",
		.args = map_args,
		.returns = &map_returns,
		.run = map,
	},
	{
		.name = "whatis",
		.brief = "what lies at an address",
		.example = "whatis $b.end",
		.args = whatis_args,
		.returns = &whatis_returns,
		.run = whatis,
	},
	{},
};

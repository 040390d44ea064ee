/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_memory.c - bytes at addresses: peek, poke, fill; load and store
 *
 * peek, poke and fill are ours and no sanitizer sees them. load8 to load64 and
 * store8 to store64 are ordinary accesses of this program: in a build with
 * AddressSanitizer they are judged like anybody's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/inject.h>

#include "commands.h"
#include "hexdump.h"
#include "names.h"

#define MAX_BYTES (1U << 20)

static int fail_outside(const char *what, uintptr_t address, uint64_t n)
{
	struct slab_address_info info;
	const char *why = "not of this machine";

	memset(&info, 0, sizeof(info));
	if (!slab_target_identify(session.target, address, &info) && info.why)
		why = info.why;
	return fail(
		"outside", NULL, "%s: %llu byte%s at %s: %s", what,
		(unsigned long long)n, n == 1 ? "" : "s", address_text(address),
		info.is_ours ? "they end outside the machine's pages" : why);
}

static int peek(const struct invocation *inv, struct model *out)
{
	uintptr_t address;
	uint64_t n = 16, i;
	uint8_t *bytes;
	int err;

	if (place_address(arg_word(inv, "ADDR"), &address) ||
	    arg_number(inv, "LEN", MAX_BYTES, &n))
		return -EINVAL;
	bytes = must_alloc(n);
	err = slab_target_read(inv->target, address, bytes, n);
	if (err) {
		free(bytes);
		return fail_outside("peek", address, n);
	}
	for (i = 0; i < n; i++)
		list_number(out->root, KIND_BYTE, bytes[i]);
	view_hexdump(out, "", STYLE_PLAIN, to_print(address), bytes, n);
	free(bytes);
	return 0;
}

static int write_bytes(const struct invocation *inv, uintptr_t address,
		       const uint8_t *bytes, size_t n)
{
	int err = slab_poke(inv->machine, address, bytes, n);

	if (!err)
		return 0;
	return fail_outside(command_name(inv->command), address, n);
}

static int poke(const struct invocation *inv, struct model *out)
{
	const struct bound *words = arg_bound(inv, "BYTE");
	uintptr_t address;
	uint8_t *bytes;
	size_t i;
	int err = 0;

	(void)out;
	if (place_address(arg_word(inv, "ADDR"), &address))
		return -EINVAL;
	bytes = must_alloc(words->nr);
	for (i = 0; !err && i < words->nr; i++) {
		uint64_t byte;

		err = number_parse("poke: a byte", words->words[i], 255, &byte);
		if (!err)
			bytes[i] = (uint8_t)byte;
	}
	if (!err)
		err = write_bytes(inv, address, bytes, words->nr);
	free(bytes);
	return err;
}

static int fill(const struct invocation *inv, struct model *out)
{
	uint64_t n = 0, byte = 0;
	uintptr_t address;
	uint8_t *bytes;
	int err;

	(void)out;
	if (place_address(arg_word(inv, "ADDR"), &address) ||
	    arg_number(inv, "LEN", MAX_BYTES, &n) ||
	    arg_number(inv, "BYTE", 255, &byte))
		return -EINVAL;
	bytes = must_alloc(n);
	memset(bytes, (int)byte, n);
	err = write_bytes(inv, address, bytes, n);
	free(bytes);
	return err;
}

/* ---- ordinary accesses ---- */

/* Bytes that are there at all: what the sanitizer says is its own matter. */
static int check_access(const struct invocation *inv, uintptr_t address,
			size_t n)
{
	uint8_t bytes[8];

	if (slab_target_read(inv->target, address, bytes, n))
		return fail_outside(command_name(inv->command), address, n);
	if (address % n)
		return fail("value", NULL, "%s: %s is no multiple of %zu",
			    command_name(inv->command), address_text(address),
			    n);
	return 0;
}

static size_t access_bytes(const struct invocation *inv)
{
	const char *name = inv->command->name;

	return (size_t)atoi(name + strcspn(name, "8136")) / 8;
}

static int load(const struct invocation *inv, struct model *out)
{
	size_t n = access_bytes(inv);
	uintptr_t address;
	uint64_t value = 0;

	if (place_address(arg_word(inv, "ADDR"), &address) ||
	    check_access(inv, address, n))
		return -EINVAL;
	switch (n) {
	case 1:
		value = *(volatile uint8_t *)address;
		break;
	case 2:
		value = *(volatile uint16_t *)address;
		break;
	case 4:
		value = *(volatile uint32_t *)address;
		break;
	case 8:
		value = *(volatile uint64_t *)address;
		break;
	}
	root_text(out, "0x%0*llx", (int)(2 * n), (unsigned long long)value);
	return 0;
}

static int store(const struct invocation *inv, struct model *out)
{
	size_t n = access_bytes(inv);
	uint64_t value = 0, max = n == 8 ? UINT64_MAX : (1ULL << 8 * n) - 1;
	uintptr_t address;

	(void)out;
	if (place_address(arg_word(inv, "ADDR"), &address) ||
	    arg_number(inv, "VALUE", max, &value) ||
	    check_access(inv, address, n))
		return -EINVAL;
	switch (n) {
	case 1:
		*(volatile uint8_t *)address = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)address = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)address = (uint32_t)value;
		break;
	case 8:
		*(volatile uint64_t *)address = value;
		break;
	}
	return 0;
}

/* What copy_to_user() and copy_from_user() ask before they copy. */
static int usercopy(const struct invocation *inv, struct model *out)
{
	bool to_user = !strcmp(arg_word(inv, "DIRECTION"), "to");
	uintptr_t address;
	uint64_t n = 0;

	(void)out;
	if (place_address(arg_word(inv, "ADDR"), &address) ||
	    arg_number(inv, "LEN", UINT64_MAX, &n))
		return -EINVAL;
	if (slab_check_usercopy(inv->machine, (void *)address, n, to_user))
		return 0;
	return fail_answer("usercopy",
			   "cache create ... usersize=OFF,LEN opens a window",
			   "usercopy: %" PRIu64 " bytes at %s may not be copied",
			   n, address_text(address));
}

/* ---- rows ---- */

static const struct field byte_field = FIELD(NULL, BYTE, NULL);
static const struct field peek_returns =
	FIELD("bytes", LIST, "0xNN each", .of = &byte_field);
static const struct field load_returns = FIELD("value", TEXT, "0x...");

#define ADDR_ARG                                           \
	ARG("ADDR", WORD, "an address, $b, $b.end, $b+50", \
	    .is_required = true, .complete = complete_object)

static const struct arg peek_args[] = {
	ADDR_ARG,
	ARG("LEN", WORD, "how many bytes; 16"),
	{},
};
static const struct arg poke_args[] = {
	ADDR_ARG,
	ARG("BYTE", WORD, "0 to 255", .is_required = true, .takes_rest = true),
	{},
};
static const struct arg fill_args[] = {
	ADDR_ARG,
	ARG("LEN", WORD, "how many bytes", .is_required = true),
	ARG("BYTE", WORD, "0 to 255", .is_required = true),
	{},
};
static const struct arg usercopy_args[] = {
	ARG("DIRECTION", WORD, "out to the user, or in from the user",
	    .is_required = true, .choices = "to|from"),
	ADDR_ARG,
	ARG("LEN", WORD, "how many bytes", .is_required = true),
	{},
};
static const struct arg load_args[] = { ADDR_ARG, {} };
static const struct arg store_args[] = {
	ADDR_ARG,
	ARG("VALUE", WORD, "what to write", .is_required = true),
	{},
};

#define LOAD(bits)                                                \
	{                                                         \
		.name = "load" #bits,                             \
		.brief = "an ordinary read of " #bits " bits",    \
		.example = "load" #bits " $b", .args = load_args, \
		.returns = &load_returns, .run = load,            \
	}
#define STORE(bits)                                                      \
	{                                                                \
		.name = "store" #bits,                                   \
		.brief = "an ordinary write of " #bits " bits",          \
		.example = "store" #bits " $b 0x12", .args = store_args, \
		.run = store,                                            \
	}

const struct command memory_commands[] = {
	{
		.name = "peek",
		.brief = "bytes at an address, unseen by sanitizers",
		.example = "peek $b.end 8",
		.args = peek_args,
		.returns = &peek_returns,
		.run = peek,
	},
	{
		.name = "poke",
		.brief = "write bytes by hand, unseen by sanitizers",
		.example = "poke $b.end 0x12",
		.args = poke_args,
		.run = poke,
	},
	{
		.name = "usercopy",
		.brief = "may these bytes be copied to or from the user?",
		.example = "usercopy to $b 8",
		.args = usercopy_args,
		.run = usercopy,
	},
	{
		.name = "fill",
		.brief = "write one byte many times",
		.example = "fill $b 192 0x41",
		.args = fill_args,
		.run = fill,
	},
	LOAD(8),
	LOAD(16),
	LOAD(32),
	LOAD(64),
	STORE(8),
	STORE(16),
	STORE(32),
	STORE(64),
	{},
};

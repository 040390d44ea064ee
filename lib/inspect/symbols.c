/* SPDX-License-Identifier: MIT */
/*
 * inspect/symbols.c - names for code addresses
 *
 * Found names are kept, one an address, in a table that forgets: reading a
 * file's symbols takes a while, and a report asks for dozens.
 *
 * Locking: none, for reports ask under all of them. Who finds a name's place
 *          taken, be it for ever by a thread that a fork() left behind, reads
 *          the file himself.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "inspect/code_name.h"
#include "machine/machine.h"
#include "machine/unwind.h"

#define NR_NAMES 512

static struct kept_name {
	uintptr_t address;
	bool is_taken;
	char text[119]; /* empty: nobody knows */
} names[NR_NAMES];

/* Damage makes numbers that are no code at all: they are told apart without
 * reading anything. */
static bool find_name(uintptr_t address, char *buf, size_t size)
{
	int cancel;
	bool is_known;

	if (!unwind_is_code(address))
		return false;
	/* a file would stay open */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	is_known = code_name(address, buf, size);
	pthread_setcancelstate(cancel, NULL);
	return is_known;
}

static void name_of(uintptr_t address, char *buf, size_t size)
{
	struct kept_name *kept = &names[(address ^ address >> 10) % NR_NAMES];
	bool is_mine =
		!__atomic_exchange_n(&kept->is_taken, true, __ATOMIC_ACQUIRE);

	if (is_mine && kept->address == address) {
		snprintf(buf, size, "%s", kept->text);
	} else {
		if (!find_name(address, buf, size))
			buf[0] = '\0';
		if (is_mine && strlen(buf) < sizeof(kept->text)) {
			kept->address = address;
			memcpy(kept->text, buf, strlen(buf) + 1);
		}
	}
	if (is_mine)
		__atomic_store_n(&kept->is_taken, false, __ATOMIC_RELEASE);
}

static int print_code(const struct slab_machine *m, uintptr_t address,
		      char *buf, size_t size)
{
	char name[512];

	name_of(address, name, sizeof(name));
	if (name[0])
		return snprintf(buf, size, "%s", name);
	if (m)
		address = slab_machine_print_address(m, address);
	return snprintf(buf, size, "0x%lx", address);
}

int slab_symbol(const struct slab_machine *m, uintptr_t address, char *buf,
		size_t size)
{
	int saved_errno = errno, n;
	const char *file;
	unsigned int line;

	if (m && slab_machine_site_lookup(m, address, &file, &line, NULL))
		return snprintf(buf, size, "%s:%u", file, line);
	n = print_code(m, address, buf, size);
	errno = saved_errno;
	return n;
}

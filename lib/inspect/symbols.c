/* SPDX-License-Identifier: MIT */
/*
 * inspect/symbols.c - names for code addresses, through libdwfl
 *
 * Found names are kept, one an address, in a table that forgets: reading a
 * program's symbols takes milliseconds, and a report asks for dozens.
 *
 * A question that is asked while one is answered in the same thread (libdwfl
 * allocates, and the allocator may be us) gets a bare number.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "machine/machine.h"

#define NR_NAMES 1024

static pthread_mutex_t names_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
	uintptr_t address;
	char *text;
} names[NR_NAMES];
static Dwfl *process; /* this one's modules; NULL: not read yet */
static _Thread_local bool is_busy
	__attribute__((tls_model("initial-exec")));

/* A child has one thread: the lock must not stay with one of the parent's. */
static void lock_names(void)
{
	pthread_mutex_lock(&names_mutex);
}

static void unlock_names(void)
{
	pthread_mutex_unlock(&names_mutex);
}

static void prepare_for_fork(void)
{
	pthread_atfork(lock_names, unlock_names, unlock_names);
}

static bool enter(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (is_busy)
		return false;
	is_busy = true;
	pthread_once(&once, prepare_for_fork);
	lock_names();
	return true;
}

static void leave(void)
{
	unlock_names();
	is_busy = false;
}

static Dwfl *process_read(void)
{
	/* By build id, from files alone: libdwfl's standard callback would go
	 * on to ask the servers of $DEBUGINFOD_URLS. A report must not reach
	 * for a network, and a library has no business in its program's
	 * environment. */
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = dwfl_build_id_find_debuginfo,
	};
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (!dwfl)
		return NULL;
	if (dwfl_linux_proc_report(dwfl, getpid()) ||
	    dwfl_report_end(dwfl, NULL, NULL)) {
		dwfl_end(dwfl);
		return NULL;
	}
	return dwfl;
}

/* Damage makes numbers that are no code at all: they are told apart without
 * reading anything. */
static bool is_loaded(uintptr_t address)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
	struct dl_find_object found;

	return !_dl_find_object((void *)address, &found);
#else
	return address >= 4096;
#endif
}

static Dwfl_Module *module_of(uintptr_t address)
{
	Dwfl_Module *module;

	if (!is_loaded(address))
		return NULL;
	if (!process)
		process = process_read();
	if (!process)
		return NULL;
	module = dwfl_addrmodule(process, address);
	if (module)
		return module;
	/* loaded since */
	dwfl_end(process);
	process = process_read();
	return process ? dwfl_addrmodule(process, address) : NULL;
}

/* " [module]", nothing for the program itself. */
static void module_text(Dwfl_Module *module, char *buf, size_t size)
{
	Dwarf_Addr start, end, entry = getauxval(AT_ENTRY);
	const char *name = dwfl_module_info(module, NULL, &start, &end, NULL,
					    NULL, NULL, NULL);
	const char *slash = name ? strrchr(name, '/') : NULL;

	buf[0] = '\0';
	if (name && (entry < start || entry >= end))
		snprintf(buf, size, " [%s]", slash ? slash + 1 : name);
}

/* malloc'ed; NULL when nobody knows. */
static char *name_find(uintptr_t address)
{
	Dwfl_Module *module = module_of(address);
	char module_name[128], *text;
	const char *function;
	GElf_Off offset;
	GElf_Sym symbol;

	if (!module)
		return NULL;
	function = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL,
					NULL, NULL);
	if (!function)
		return NULL;
	module_text(module, module_name, sizeof(module_name));
	if (asprintf(&text, "%s+0x%lx/0x%lx%s", function, (unsigned long)offset,
		     (unsigned long)symbol.st_size, module_name) < 0)
		return NULL;
	return text;
}

static int print_number(const struct slab_machine *m, uintptr_t address,
			char *buf, size_t size)
{
	if (m)
		address = slab_machine_print_address(m, address);
	return snprintf(buf, size, "0x%lx", address);
}

static int print_code(const struct slab_machine *m, uintptr_t address,
		      char *buf, size_t size)
{
	size_t i = (address ^ address >> 10) % NR_NAMES;
	int n;

	if (!enter())
		return print_number(m, address, buf, size);
	if (names[i].address != address) {
		free(names[i].text);
		names[i].text = name_find(address);
		names[i].address = address;
	}
	if (names[i].text)
		n = snprintf(buf, size, "%s", names[i].text);
	else
		n = print_number(m, address, buf, size);
	leave();
	return n;
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

/* clang makes no index of addresses: then each unit is asked. */
static Dwarf_Line *line_of(Dwfl_Module *module, uintptr_t address)
{
	Dwarf_Addr bias = 0;
	Dwarf_Die *unit = dwfl_module_addrdie(module, address, &bias);

	if (unit)
		return dwarf_getsrc_die(unit, address - bias);
	while ((unit = dwfl_module_nextcu(module, unit, &bias)))
		if (dwarf_haspc(unit, address - bias) > 0)
			return dwarf_getsrc_die(unit, address - bias);
	return NULL;
}

int slab_source_line(uintptr_t address, char *buf, size_t size)
{
	int saved_errno = errno, number = 0, n = 0;
	Dwfl_Module *module;
	const char *file;
	Dwarf_Line *line;

	if (!address || !enter())
		return 0;
	/* a call returns behind itself, to the next line as like as not */
	module = module_of(address - 1);
	line = module ? line_of(module, address - 1) : NULL;
	file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (file && !dwarf_lineno(line, &number))
		n = snprintf(buf, size, "%s:%d", file, number);
	leave();
	errno = saved_errno;
	return n;
}

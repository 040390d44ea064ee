/* SPDX-License-Identifier: MIT */
/*
 * inspect/source_line.c - lines of source for code addresses, through libdwfl
 *
 * libdwfl allocates: nobody asks who holds a lock. A question that is asked
 * while one is answered in the same thread (the allocator may be us) has no
 * answer.
 */
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "machine/machine.h"
#include "machine/unwind.h"

static pthread_mutex_t lines_mutex = PTHREAD_MUTEX_INITIALIZER;
static Dwfl *process; /* this one's modules; NULL: not read yet */
static _Thread_local bool is_busy __attribute__((tls_model("initial-exec")));

/* A child has one thread: the lock must not stay with one of the parent's. */
static void lock_lines(void)
{
	pthread_mutex_lock(&lines_mutex);
}

static void unlock_lines(void)
{
	pthread_mutex_unlock(&lines_mutex);
}

static void prepare_for_fork(void)
{
	pthread_atfork(lock_lines, unlock_lines, unlock_lines);
}

static bool enter(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (is_busy)
		return false;
	is_busy = true;
	pthread_once(&once, prepare_for_fork);
	lock_lines();
	return true;
}

static void leave(void)
{
	unlock_lines();
	is_busy = false;
}

static Dwfl *process_read(void)
{
	/* By build id, from files alone: libdwfl's standard callback would go
	 * on to ask the servers of $DEBUGINFOD_URLS. To look at a line must not
	 * reach for a network, and a library has no business in its program's
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

static Dwfl_Module *module_of(uintptr_t address)
{
	Dwfl_Module *module;

	if (!unwind_is_code(address))
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

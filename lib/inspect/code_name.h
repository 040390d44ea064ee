/* SPDX-License-Identifier: MIT */
/*
 * inspect/code_name.h - what a piece of code is called, out of its file
 *
 * libdw knows that too, and calls malloc, which may be made of this library.
 * Reports are told under locks of the path that found something, so here is
 * nothing but system calls, and memory of the caller's stack.
 *
 *	address -> /proc/self/maps -> a file, and where in it
 *		-> program headers -> the address as the file counts
 *		-> .symtab of the file, or of the debug information that is
 *		   installed for it, or .dynsym -> the function
 */
#ifndef SLAB_INSPECT_CODE_NAME_H
#define SLAB_INSPECT_CODE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "function+0xoff/0xlen [module]", without a module in the program itself, and
 * cut where buf ends. false when nobody knows; errno is lost. */
bool code_name(uintptr_t address, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * base/bytes.h - the only hands that touch user bytes
 *
 * Objects, red zones, padding and free pointers are read and written through
 * these and through nothing else: they are built without sanitizers and
 * without calls that a sanitizer watches, so a build with AddressSanitizer
 * may poison those bytes for everybody but us.
 */
#ifndef SLAB_BASE_BYTES_H
#define SLAB_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

void bytes_fill(void *p, uint8_t byte, size_t n);
void bytes_copy(void *to, const void *from, size_t n);

/* Index of the first, of the last byte that is not `byte`; n if there is none. */
size_t bytes_find_other(const void *p, uint8_t byte, size_t n);
size_t bytes_rfind_other(const void *p, uint8_t byte, size_t n);

uint8_t byte_read(const void *p);
/* Any alignment. */
uintptr_t word_read(const void *p);
void word_write(void *p, uintptr_t value);

#endif

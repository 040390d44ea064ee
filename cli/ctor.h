/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ctor.h - constructors for caches that a script makes
 *
 * A constructor gets the object and nothing else, so each pair of byte and
 * size has a function of its own.
 */
#ifndef CLI_CTOR_H
#define CLI_CTOR_H

#include <stdint.h>

#define NR_CTORS 32U

/* A function that fills size bytes with byte; NULL: all are given away. */
void (*ctor_filling(uint8_t byte, unsigned int size))(void *);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hexdump.h - bytes, sixteen a line, as the kernel's reports show them
 */
#ifndef CLI_HEXDUMP_H
#define CLI_HEXDUMP_H

#include "model.h"

/* label in front of each line; address: where the bytes are, as printed. */
void view_hexdump(struct model *out, const char *label, enum style style,
		  uintptr_t address, const uint8_t *bytes, size_t n);

#endif

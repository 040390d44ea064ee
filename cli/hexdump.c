/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hexdump.c - equal lines in a row are told once
 */
#include <stdio.h>
#include <string.h>

#include "hexdump.h"

static void one_line(struct model *out, const char *label, enum style style,
		     uintptr_t address, const uint8_t *bytes, size_t n)
{
	struct block *line = view_line(out);
	char hex[64] = "", text[17];
	size_t i;

	for (i = 0; i < n; i++) {
		sprintf(hex + 3 * i, "%02x ", bytes[i]);
		text[i] = '.';
		if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
			text[i] = (char)bytes[i];
	}
	text[n] = '\0';
	if (*label)
		line_add(line, style, "%-14s", label);
	line_add(line, STYLE_DIM, "%012lx: ", (unsigned long)address);
	line_add(line, STYLE_PLAIN, "%-48s ", hex);
	line_add(line, STYLE_DIM, "%s", text);
}

void view_hexdump(struct model *out, const char *label, enum style style,
		  uintptr_t address, const uint8_t *bytes, size_t n)
{
	size_t at = 0, same;

	while (at < n) {
		size_t here = n - at < 16 ? n - at : 16;

		one_line(out, label, style, address + at, bytes + at, here);
		for (same = 0;
		     at + 16 * (same + 2) <= n &&
		     !memcmp(bytes + at, bytes + at + 16 * (same + 1), 16);
		     same++)
			;
		if (same > 2) {
			struct block *line = view_line(out);

			line_add(line, STYLE_DIM, "%*s%zu lines more like it",
				 *label ? 14 : 0, "", same);
			at += 16 * same;
		}
		at += here;
	}
}

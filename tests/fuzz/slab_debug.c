/* SPDX-License-Identifier: MIT */
/* fuzz/slab_debug.c - any slab_debug= value, any name: parsed, never crashing */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "debug/flags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct slab_machine *m;
	const uint8_t *split = memchr(data, '\n', size);
	size_t n = split ? (size_t)(split - data) : size;
	char *value = strndup((const char *)data, n);
	char *name = strndup((const char *)data + n, size - n);

	if (!m)
		slab_machine_create_virtual(NULL, &m);
	if (!debug_parse(m, value))
		(void)debug_flags_for(m, name, 0);
	slab_machine_sysctl(m, name, value);
	free(value);
	free(name);
	return 0;
}

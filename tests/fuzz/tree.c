/* SPDX-License-Identifier: MIT */
/* fuzz/tree.c - any path below /sys, any write to it: an errno, never a crash */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "debugfs/tree.h"

#include <slab/machine.h>
#include <slab/report.h>

static const char *const folders[] = { "", "/sys/kernel/slab/",
				       "/sys/kernel/slab/ring/",
				       "/sys/kernel/debug/slab/ring/",
				       "/sys/kernel/debug/failslab/",
				       "/proc/" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct slab_machine *m;
	static struct slab_target *t;
	struct tree_node node, *entries = NULL;
	char path[600];
	const uint8_t *split;
	size_t n, nr;
	char *text = NULL;

	if (!m) {
		slab_machine_create_virtual(NULL, &m);
		slab_target_open_self(m, &t);
	}
	if (!size)
		return 0;
	slab_machine_reset(m);
	slab_machine_use(m);
	kmem_cache_alloc(kmem_cache_create("ring", 64, NULL,
					   SLAB_POISON | SLAB_STORE_USER),
			 GFP_KERNEL);
	strcpy(path, folders[data[0] % 6]);
	split = memchr(data, '\n', size);
	n = split ? (size_t)(split - data) : size;
	if (n > 500)
		n = 500;
	strncat(path, (const char *)data + 1, n ? n - 1 : 0);
	if (tree_lookup(t, path, data[0] & 64, &node))
		return 0;
	if (!tree_readdir(t, &node, &entries, &nr))
		free(entries);
	if (tree_read(t, &node, &text) >= 0)
		free(text);
	if (split)
		tree_write(t, &node, split + 1, size - n - 1);
	return 0;
}

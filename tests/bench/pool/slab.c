/* SPDX-License-Identifier: MIT */
/* pool/slab.c - caches of the process's native machine */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <slab/machine.h>

#include "program/workload.h"

static slab_flags_t flags_of(const char *letters)
{
	static const struct {
		char letter;
		slab_flags_t flag;
	} known[] = {
		{ 'F', SLAB_CONSISTENCY_CHECKS },
		{ 'Z', SLAB_RED_ZONE },
		{ 'P', SLAB_POISON },
		{ 'U', SLAB_STORE_USER },
	};
	slab_flags_t flags = 0;
	size_t i;

	for (; letters && *letters; letters++) {
		for (i = 0; i < 4 && known[i].letter != *letters; i++)
			;
		if (i == 4)
			die("--debug: '%c' is none of F, Z, P and U", *letters);
		flags |= known[i].flag;
	}
	return flags;
}

void pool_start(void)
{
}

/* Without a word the native machine makes itself, as for any program. */
static void create_machine(const char *with)
{
	struct slab_machine_config config = {
		.statistics = !strcmp(with, "statistics"),
		.no_rseq = !strcmp(with, "no_rseq"),
	};
	struct slab_machine *m;
	int err;

	if (!config.statistics && !config.no_rseq)
		die("--with: '%s' is neither statistics nor no_rseq", with);
	err = slab_machine_create_native(&config, &m);
	if (err)
		die("no machine with %s: %s", with, strerror(-err));
	slab_machine_use(m);
}

pool_t pool_open(const struct pool_request *request)
{
	static unsigned int nr_opened;
	slab_flags_t flags = flags_of(request->debug);
	char name[32] = "bench";
	struct kmem_cache *s;

	if (!nr_opened++ && request->with)
		create_machine(request->with);
	/* Equal caches would be one with many names. */
	if (request->nr_pools > 1) {
		snprintf(name, sizeof(name), "bench-%u", nr_opened);
		flags |= SLAB_NO_MERGE;
	}
	s = kmem_cache_create(name, (unsigned int)request->size, NULL, flags);
	if (!s)
		die("no cache %s: %s", name, strerror(errno));
	return s;
}

void pool_enter(void)
{
}

void pool_leave(void)
{
}

void pool_trim(void)
{
	slab_machine_trim(slab_machine_current());
}

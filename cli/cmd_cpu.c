/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_cpu.c - `cpu`: who works, and which sheaves are at hand
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/sheaf.h>

#include "commands.h"
#include "names.h"
#include "owners.h"
#include "sheaf_row.h"
#include "stop.h"

/* The CPU that is named, or the current one. */
static int parse_cpu(const struct invocation *inv, unsigned int *ret)
{
	uint64_t cpu = slab_machine_cpu(inv->machine);

	if (arg_number(inv, "N", UINT32_MAX, &cpu))
		return -EINVAL;
	if (cpu >= session_nr_cpus())
		return session_no_cpu((unsigned int)cpu);
	*ret = (unsigned int)cpu;
	return 0;
}

/* ---- view ---- */

#define CPU_FIELDS                                                        \
	FIELD("cpu", COUNT, "its number"),                                \
		FIELD("node", COUNT, "its memory node"),                  \
		FIELD("state", TEXT,                                      \
		      "online, offline, or what it is in the middle of"), \
		FIELD("current", FLAG, "commands run on it",              \
		      .how = FIELD_QUIET),                                \
		FIELD("main", COUNT, "objects in its main sheaves"),      \
		FIELD("spare", COUNT, "objects in its spare sheaves"),    \
		FIELD("rcu", COUNT, "objects in its rcu_free sheaves")

static const struct field virtual_cpu_fields[] = { CPU_FIELDS, {} };
static const struct field cpu_fields[] = {
	CPU_FIELDS,
	FIELD("local", COUNT,
	      "native: objects in full sheaves that it keeps before the barn"),
	{},
};
static const struct field sheaf_fields[] = {
	FIELD("cpu", COUNT, "of the sheaf", .how = FIELD_QUIET),
	FIELD("where", TEXT, "CPU, node and state", .header = "cpu",
	      .how = FIELD_PEOPLE),
	FIELD("sheaf", TEXT, "main, spare, rcu, or local: those it keeps"),
	FIELD("exists", FLAG, "there is one", .how = FIELD_QUIET),
	SHEAF_ROW_FIELDS,
	{},
};
static const struct field view_fields[] = {
	FIELD("cache", TEXT, "cache name; none: all caches"),
	FIELD("sheaf_capacity", COUNT, "objects a sheaf of it holds"),
	FIELD("cpus", TABLE, "one row a CPU", .of = cpu_fields),
	FIELD("sheaves", TABLE, "three rows a CPU; native: four",
	      .of = sheaf_fields),
	FIELD("owners", TABLE, "who has how many", .of = owner_fields),
	{},
};
static const struct field view_returns =
	FIELD("view", RECORD, NULL, .of = view_fields);

static const enum slab_owner cpu_places[] = { SLAB_OWNER_MAIN, SLAB_OWNER_SPARE,
					      SLAB_OWNER_RCU };
#define NR_PLACES 3U

static const char *cpu_state(const struct slab_machine *m, unsigned int cpu)
{
	static char text[80];
	const char *stopped = stop_state(cpu, text, sizeof(text));

	return stopped				 ? stopped
	       : slab_machine_cpu_online(m, cpu) ? "online"
						 : "offline";
}

static void put_sheaf(struct value *table, const struct slab_machine *m,
		      unsigned int cpu, enum slab_owner place,
		      const struct slab_sheaf_info *sheaf)
{
	struct value *row = table_row(table);

	put_count(row, "cpu", cpu);
	if (place == SLAB_OWNER_MAIN)
		put_text(row, "where", "%u, node %u%s%s", cpu,
			 slab_machine_cpu_node(m, cpu),
			 strcmp(cpu_state(m, cpu), "online") ? ", " : "",
			 strcmp(cpu_state(m, cpu), "online") ? cpu_state(m, cpu)
							     : "");
	else
		put_text(row, "where", "%s", "");
	put_text(row, "sheaf", "%s", slab_owner_name(place));
	put_flag(row, "exists", sheaf && !sheaf->is_bootstrap);
	if (!sheaf || sheaf->is_bootstrap) {
		put_text(row, "holds", "none");
		put_text(row, "next", "%s",
			 sheaf ? "the cache has no sheaves" : "");
		return;
	}
	put_count(row, "size", sheaf->size);
	put_count(row, "capacity", sheaf->capacity);
	put_text(row, "holds", "%3u/%u", sheaf->size, sheaf->capacity);
	sheaf_row_objects(row, sheaf);
}

/* Full sheaves that the CPU keeps before the barn, in one row. */
static unsigned long put_local(struct value *table, unsigned int cpu,
			       const struct slab_sheaf_info *all, size_t nr)
{
	unsigned long objects = 0, capacity = 0, full = 0, empty = 0;
	struct value *row = table_row(table), *list;
	char name[NAME_SIZE];
	size_t i, k, n;
	uintptr_t *in;

	put_count(row, "cpu", cpu);
	put_text(row, "where", "%s", "");
	put_text(row, "sheaf", "local");
	list = put_list(row, "objects");
	for (i = 0; i < nr; i++) {
		if (all[i].place != SLAB_OWNER_LOCAL || all[i].cpu != (int)cpu)
			continue;
		full += all[i].is_full_list;
		empty += !all[i].is_full_list;
		objects += all[i].size;
		capacity += all[i].is_full_list ? all[i].capacity : 0;
		if (slab_target_sheaf_objects(session.target, &all[i], &in, &n))
			continue;
		for (k = n; k-- > 0;)
			list_text(list, "%s", object_name(in[k], name));
		free(in);
	}
	put_flag(row, "exists", full || empty);
	put_count(row, "size", objects);
	put_count(row, "capacity", capacity);
	put_text(row, "holds", "%lu", objects);
	put_text(row, "next", "in %lu full sheaves; %lu empty ones", full,
		 empty);
	return objects;
}

static const struct slab_sheaf_info *
find_sheaf(const struct slab_sheaf_info *all, size_t nr, unsigned int cpu,
	   enum slab_owner place)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (all[i].place == place && all[i].cpu == (int)cpu)
			return &all[i];
	}
	return NULL;
}

/* A virtual machine's table has no column that is empty there always. */
static struct value *put_cpu_table(struct model *out)
{
	struct value *table = put_table(out->root, "cpus");

	if (!session.opt.is_native)
		table->of = virtual_cpu_fields;
	return table;
}

static void put_cpu(struct value *table, const struct slab_machine *m,
		    unsigned int cpu, const unsigned long *count)
{
	struct value *row = table_row(table);

	put_count(row, "cpu", cpu);
	put_count(row, "node", slab_machine_cpu_node(m, cpu));
	put_text(row, "state", "%s", cpu_state(m, cpu));
	put_flag(row, "current", cpu == slab_machine_cpu(m));
	put_count(row, "main", count[0]);
	put_count(row, "spare", count[1]);
	put_count(row, "rcu", count[2]);
	if (session.opt.is_native)
		put_count(row, "local", count[3]);
}

static int view_cache(const struct invocation *inv, struct model *out,
		      const struct slab_cache_info *cache)
{
	struct slab_sheaf_info *sheaf;
	struct value *cpus, *sheaves;
	struct owners owners;
	struct block *line;
	unsigned int cpu;
	size_t nr, i;

	if (sheaf_rows_find(cache, &sheaf, &nr))
		return -EINVAL;
	line = sheaf_rows_head(out, cache);
	if (!session.opt.is_native)
		line_add(line, STYLE_PLAIN, "; commands run on CPU %u",
			 slab_machine_cpu(inv->machine));
	cpus = put_cpu_table(out);
	sheaves = put_table(out->root, "sheaves");
	for (cpu = 0; cpu < session_nr_cpus(); cpu++) {
		unsigned long count[NR_PLACES + 1] = { 0 };

		for (i = 0; i < NR_PLACES; i++) {
			const struct slab_sheaf_info *at =
				find_sheaf(sheaf, nr, cpu, cpu_places[i]);

			count[i] = at ? at->size : 0;
			put_sheaf(sheaves, inv->machine, cpu, cpu_places[i],
				  at);
		}
		if (session.opt.is_native && cache->sheaf_capacity)
			count[NR_PLACES] = put_local(sheaves, cpu, sheaf, nr);
		put_cpu(cpus, inv->machine, cpu, count);
	}
	owners_of_cache(cache, &owners);
	owners_put(out->root, "owners", &owners);
	if (cache->sheaf_capacity)
		view_long_table(out, sheaves);
	owners_view(out, &owners, cache->sheaf_capacity != 0);
	sheaf_rows_difference(out, &owners, sheaf, nr);
	free(sheaf);
	return 0;
}

static void add_cache(unsigned long (*count)[NR_PLACES + 1],
		      unsigned int nr_cpu, const struct slab_cache_info *cache)
{
	struct slab_sheaf_info *sheaf;
	size_t nr = 0, i;

	if (slab_target_sheaves(session.target, cache->cache, &sheaf, &nr))
		return;
	for (i = 0; i < nr; i++) {
		size_t place = sheaf[i].place == SLAB_OWNER_MAIN    ? 0
			       : sheaf[i].place == SLAB_OWNER_SPARE ? 1
			       : sheaf[i].place == SLAB_OWNER_LOCAL ? 3
								    : 2;

		if (sheaf[i].cpu >= 0 && sheaf[i].cpu < (int)nr_cpu)
			count[sheaf[i].cpu][place] += sheaf[i].size;
	}
	free(sheaf);
}

static int view_all(const struct invocation *inv, struct model *out)
{
	unsigned long count[SLAB_MAX_CPUS][NR_PLACES + 1] = { 0 };
	unsigned int nr_cpu = session_nr_cpus(), cpu;
	struct slab_cache_info *cache;
	struct owners owners = { 0 };
	struct block *line;
	struct value *table;
	size_t nr = 0, i, k;
	int err = slab_target_caches(inv->target, &cache, &nr);

	if (err)
		return fail("cache", NULL, "the list of caches: %s",
			    strerror(-err));
	for (i = 0; i < nr; i++) {
		add_cache(count, nr_cpu, &cache[i]);
		for (k = 0; k < SLAB_NR_OWNERS; k++)
			owners.nr[k] += cache[i].owned[k];
	}
	free(cache);
	table = put_cpu_table(out);
	for (cpu = 0; cpu < nr_cpu; cpu++)
		put_cpu(table, inv->machine, cpu, count[cpu]);
	put_table(out->root, "sheaves");
	owners_put(out->root, "owners", &owners);
	line = view_line(out);
	line_add(line, STYLE_PLAIN, "%u CPU%s, %zu cache%s", nr_cpu,
		 nr_cpu == 1 ? "" : "s", nr, nr == 1 ? "" : "s");
	if (!session.opt.is_native)
		line_add(line, STYLE_PLAIN, "; commands run on CPU %u",
			 slab_machine_cpu(inv->machine));
	view_value(out, table, 0);
	if (nr)
		owners_view(out, &owners, true);
	return 0;
}

static int cpu_view(const struct invocation *inv, struct model *out)
{
	const char *name = arg_word(inv, "CACHE");
	struct slab_cache_info cache;

	if (!name)
		return view_all(inv, out);
	if (place_cache(name, &cache))
		return -EINVAL;
	return view_cache(inv, out, &cache);
}

/* ---- use, flush, offline, online ---- */

static int cpu_use(const struct invocation *inv, struct model *out)
{
	unsigned int cpu = 0;

	(void)out;
	if (parse_cpu(inv, &cpu))
		return -EINVAL;
	return session_use_cpu(cpu);
}

/* A first word that is no number, or is a cache's name, is the cache. */
static int flush_words(const struct invocation *inv, unsigned int *cpu,
		       const char **cache)
{
	const char *first = arg_word(inv, "N");

	*cpu = slab_machine_cpu(inv->machine);
	*cache = arg_word(inv, "CACHE");
	if (!first)
		return 0;
	if (*cache || (*first >= '0' && *first <= '9' &&
		       !slab_cache_find(inv->machine, first)))
		return parse_cpu(inv, cpu);
	*cache = first;
	return 0;
}

static const struct field flushed_returns =
	FIELD("text", TEXT, "what became of the objects");

static unsigned long in_sheaves(const struct slab_cache_info *c)
{
	return c->owned[SLAB_OWNER_MAIN] + c->owned[SLAB_OWNER_SPARE] +
	       c->owned[SLAB_OWNER_LOCAL];
}

static int count_resting(const char *name, unsigned long *ret,
			 unsigned long *rcu)
{
	struct slab_cache_info one, *all = &one;
	size_t nr = 1, i;

	*ret = *rcu = 0;
	if (name) {
		if (place_cache(name, &one))
			return -EINVAL;
	} else if (slab_target_caches(session.target, &all, &nr)) {
		return fail("cache", NULL, "the list of caches");
	}
	for (i = 0; i < nr; i++) {
		*ret += in_sheaves(&all[i]);
		*rcu += all[i].owned[SLAB_OWNER_RCU];
	}
	if (!name)
		free(all);
	return 0;
}

/* On that CPU, where a native thread has to go first. */
static int flush_on(struct slab_machine *m, unsigned int cpu,
		    struct kmem_cache *s)
{
	unsigned int here = slab_machine_cpu(m);
	cpu_set_t before, there;
	int err;

	if (!session.opt.is_native) {
		slab_machine_set_cpu(m, cpu);
		err = slab_cache_flush_cpu(m, s);
		slab_machine_set_cpu(m, here);
		return err;
	}
	CPU_ZERO(&there);
	CPU_SET(cpu, &there);
	if (sched_getaffinity(0, sizeof(before), &before) ||
	    sched_setaffinity(0, sizeof(there), &there))
		return -errno;
	err = slab_cache_flush_cpu(m, s);
	sched_setaffinity(0, sizeof(before), &before);
	return err;
}

static int cpu_flush(const struct invocation *inv, struct model *out)
{
	unsigned long before, after, rcu_before, rcu;
	unsigned int cpu = 0;
	struct kmem_cache *s = NULL;
	struct slab_cache_info cache;
	const char *name;
	int err;

	if (flush_words(inv, &cpu, &name))
		return -EINVAL;
	if (name) {
		if (place_cache(name, &cache))
			return -EINVAL;
		s = cache_handle(&cache);
	}
	if (!slab_machine_cpu_online(inv->machine, cpu))
		return fail_answer("offline", "its sheaves went when it did",
				   "cpu flush: CPU %u is offline", cpu);
	if (count_resting(name, &before, &rcu_before))
		return -EINVAL;
	err = flush_on(inv->machine, cpu, s);
	if (err)
		return fail("sheaf", NULL, "cpu flush: CPU %u: %s", cpu,
			    strerror(-err));
	if (count_resting(name, &after, &rcu))
		return -EINVAL;
	root_text(out, "%lu object%s of CPU %u went back to their slabs%s",
		  before - after, before - after == 1 ? "" : "s", cpu,
		  rcu ? "; what waits for a grace period gets there after it"
		      : "");
	return 0;
}

static int set_online(const struct invocation *inv, bool online)
{
	unsigned int cpu = 0;
	int err;

	if (parse_cpu(inv, &cpu) || (!online && stop_refuse_offline(cpu)))
		return -EINVAL;
	if (slab_machine_cpu_online(inv->machine, cpu) == online)
		return fail_answer("state", NULL, "CPU %u is %s already", cpu,
				   online ? "online" : "offline");
	err = slab_machine_set_cpu_online(inv->machine, cpu, online);
	if (err == -EBUSY)
		return fail_answer("busy", "cpu use N goes to another one",
				   "cpu offline: commands run on CPU %u", cpu);
	if (err)
		return fail_answer("state", NULL, "CPU %u: %s", cpu,
				   strerror(-err));
	return 0;
}

static int cpu_offline(const struct invocation *inv, struct model *out)
{
	(void)out;
	return set_online(inv, false);
}

static int cpu_online(const struct invocation *inv, struct model *out)
{
	(void)out;
	return set_online(inv, true);
}

/* ---- rows ---- */

static const struct arg view_args[] = {
	ARG("CACHE", WORD, "its sheaves, one by one; none: all caches' sums",
	    .complete = complete_cache),
	{},
};
static const struct arg use_args[] = {
	ARG("N", WORD, "number of a virtual CPU", .is_required = true),
	{},
};
static const struct arg flush_args[] = {
	ARG("N", WORD, "a virtual CPU; this one"),
	ARG("CACHE", WORD, "one cache alone", .complete = complete_cache),
	{},
};
#define INSTEAD                                                   \
	"threads run where the kernel puts them: run threads=N, " \
	"or taskset -c 0 slabctl --native ..."

const struct command cpu_commands[] = {
	{
		.group = "cpu",
		.name = "view",
		.brief = "the sheaves at each CPU's hand",
		.example = "cpu view plain",
		.args = view_args,
		.returns = &view_returns,
		.run = cpu_view,
	},
	{
		.group = "cpu",
		.name = "use",
		.brief = "run what follows on another virtual CPU",
		.example = "cpu use 0",
		.args = use_args,
		.run = cpu_use,
		.instead = INSTEAD,
	},
	{
		.group = "cpu",
		.name = "flush",
		.brief = "what a CPU's sheaves hold goes back to the slabs",
		.example = "cpu flush 0 plain",
		.args = flush_args,
		.returns = &flushed_returns,
		.run = cpu_flush,
		.operates = true,
	},
	{
		.group = "cpu",
		.name = "offline",
		.brief = "a virtual CPU goes; its sheaves are flushed",
		.example = "cpu offline 1",
		.args = use_args,
		.run = cpu_offline,
		.instead = INSTEAD,
		.operates = true,
	},
	{
		.group = "cpu",
		.name = "online",
		.brief = "a virtual CPU comes back",
		.example = "cpu offline 1; cpu online 1",
		.args = use_args,
		.run = cpu_online,
		.instead = INSTEAD,
		.operates = true,
	},
	{},
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_cpu.c - `cpu` and `barn`: who works, and which sheaves are at hand
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/sheaf.h>

#include "commands.h"
#include "names.h"
#include "owners.h"
#include "stop.h"

/* The CPU that is named, or the current one. */
static int parse_cpu(const struct invocation *inv, unsigned int *ret)
{
	uint64_t cpu = slab_machine_cpu(inv->machine);

	if (arg_number(inv, "N", UINT32_MAX, &cpu))
		return -EINVAL;
	if (cpu >= session_nr_cpus())
		return session_use_cpu((unsigned int)cpu);
	*ret = (unsigned int)cpu;
	return 0;
}

/* ---- view ---- */

static const struct field cpu_fields[] = {
	FIELD("cpu", COUNT, "its number"),
	FIELD("node", COUNT, "its memory node"),
	FIELD("state", TEXT, "online, offline, or what it is in the middle of"),
	FIELD("current", FLAG, "commands run on it", .how = FIELD_QUIET),
	FIELD("main", COUNT, "objects in its main sheaves"),
	FIELD("spare", COUNT, "objects in its spare sheaves"),
	FIELD("rcu", COUNT, "objects in its rcu_free sheaves"),
	{},
};
/* What a table says of a sheaf, whether a CPU or a barn has it. */
#define CONTENTS_FIELDS                                                   \
	FIELD("size", COUNT, "objects in it", .how = FIELD_QUIET),        \
	FIELD("capacity", COUNT, "that it holds", .how = FIELD_QUIET),    \
	FIELD("holds", TEXT, "size of capacity", .how = FIELD_PEOPLE),    \
	FIELD("objects", LIST, "in it, the next to leave first",          \
	      .how = FIELD_QUIET),                                        \
	FIELD("next", TEXT, "the next to leave first", .how = FIELD_PEOPLE, \
	      .header = "the next to leave first")

static const struct field sheaf_fields[] = {
	FIELD("cpu", COUNT, "of the sheaf", .how = FIELD_QUIET),
	FIELD("where", TEXT, "CPU, node and state", .header = "cpu",
	      .how = FIELD_PEOPLE),
	FIELD("sheaf", TEXT, "main, spare or rcu"),
	FIELD("exists", FLAG, "there is one", .how = FIELD_QUIET),
	CONTENTS_FIELDS,
	{},
};
static const struct field view_fields[] = {
	FIELD("cache", TEXT, "cache name; none: all caches"),
	FIELD("sheaf_capacity", COUNT, "objects a sheaf of it holds"),
	FIELD("cpus", TABLE, "one row a CPU", .of = cpu_fields),
	FIELD("sheaves", TABLE, "three rows a CPU", .of = sheaf_fields),
	FIELD("owners", TABLE, "who has how many", .of = owner_fields),
	{},
};
static const struct field view_returns =
	FIELD("view", RECORD, NULL, .of = view_fields);

static const enum slab_owner cpu_places[] = { SLAB_OWNER_MAIN, SLAB_OWNER_SPARE,
					      SLAB_OWNER_RCU };

static const char *cpu_state(const struct slab_machine *m, unsigned int cpu)
{
	static char text[80];
	const char *stopped = stop_state(cpu, text, sizeof(text));

	return stopped				 ? stopped
	       : slab_machine_cpu_online(m, cpu) ? "online"
						 : "offline";
}

/* S1#9..S1#4 for six in a row; the number of objects that it stands for. */
static size_t put_run(FILE *f, const uintptr_t *in, size_t nr)
{
	struct slab_slot_info a, b;
	size_t run = 1;
	int step = 0;

	if (slab_target_slot(session.target, in[nr - 1], &a) || a.index < 0) {
		fputs(address_text(in[nr - 1]), f);
		return 1;
	}
	fprintf(f, "S%u#%d", a.slab_nr, a.index);
	for (; run < nr; run++) {
		if (slab_target_slot(session.target, in[nr - 1 - run], &b) ||
		    b.slab_nr != a.slab_nr)
			break;
		if (run == 1)
			step = b.index - a.index;
		if ((step != 1 && step != -1) ||
		    b.index != a.index + step * (int)run)
			break;
	}
	if (run < 4)
		return 1;
	fprintf(f, "..#%d", a.index + step * (int)(run - 1));
	return run;
}

/* The objects of a sheaf, top first, for programs and for people. */
static void put_objects(struct value *row, const struct slab_sheaf_info *sheaf)
{
	struct value *list = put_list(row, "objects");
	char name[NAME_SIZE], *text = NULL;
	size_t nr = 0, i, size;
	uintptr_t *in;
	FILE *f;

	if (slab_target_sheaf_objects(session.target, sheaf, &in, &nr)) {
		put_unknown(row, "next", "no memory to look");
		return;
	}
	for (i = nr; i-- > 0;)
		list_text(list, "%s", object_name(in[i], name));
	f = open_memstream(&text, &size);
	if (!f)
		die_no_memory();
	for (i = nr; i; fputs(i ? " " : "", f))
		i -= put_run(f, in, i);
	fclose(f);
	put_text(row, "next", "%s%s", nr ? text : "-",
		 sheaf->is_damaged ? "  damaged" : "");
	free(text);
	free(in);
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
	put_objects(row, sheaf);
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

static int sheaves_of(const struct slab_cache_info *cache,
		      struct slab_sheaf_info **ret, size_t *nr)
{
	int err = slab_target_sheaves(session.target, cache->cache, ret, nr);

	return err ? fail("sheaf", NULL, "the sheaves of %s: %s", cache->name,
			  strerror(-err))
		   : 0;
}

/* An object that stands in two sheaves, or is none of the cache's, is counted
 * once or not at all; then sheaves and owners differ. */
static void tell_difference(struct model *out, const struct owners *o,
			    const struct slab_sheaf_info *sheaf, size_t nr)
{
	unsigned long in_sheaves = 0, waiting = 0, counted;
	size_t i;

	for (i = 0; i < nr; i++) {
		if (sheaf[i].place == SLAB_OWNER_RCU)
			waiting += sheaf[i].size;
		else
			in_sheaves += sheaf[i].size;
	}
	/* RCU has objects that wait in no sheaf, too */
	counted = owners_sheaves(o) - o->nr[SLAB_OWNER_RCU];
	if (in_sheaves != counted)
		view_text(out,
			  "the sheaves hold %lu, of which %lu are no objects "
			  "of the cache or stand there twice",
			  in_sheaves,
			  in_sheaves > counted ? in_sheaves - counted : 0);
	if (o->nr[SLAB_OWNER_RCU] > waiting)
		view_text(out,
			  "%lu wait in no sheaf: in batches of kfree_rcu, or "
			  "for the end of an interrupt",
			  o->nr[SLAB_OWNER_RCU] - waiting);
}

static struct block *put_cache_head(struct model *out,
				    const struct slab_cache_info *cache)
{
	struct block *line = view_line(out);

	put_text(out->root, "cache", "%s", cache->name);
	put_count(out->root, "sheaf_capacity", cache->sheaf_capacity);
	line_add(line, STYLE_STRONG, "%s", cache->name);
	line_add(line, STYLE_PLAIN, "  %u B, %u per slab, ", cache->object_size,
		 cache->objs_per_slab);
	if (cache->sheaf_capacity)
		line_add(line, STYLE_PLAIN, "sheaves of %u",
			 cache->sheaf_capacity);
	else
		line_add(line, STYLE_PLAIN, "without sheaves: %s",
			 cache->is_debug ? "it has debug flags"
					 : "it was created so");
	return line;
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
}

static int view_cache(const struct invocation *inv, struct model *out,
		      const struct slab_cache_info *cache)
{
	struct slab_sheaf_info *sheaf;
	struct value *cpus, *sheaves;
	struct owners owners;
	unsigned int cpu;
	size_t nr, i;

	if (sheaves_of(cache, &sheaf, &nr))
		return -EINVAL;
	line_add(put_cache_head(out, cache), STYLE_PLAIN,
		 "; commands run on CPU %u", slab_machine_cpu(inv->machine));
	cpus = put_table(out->root, "cpus");
	sheaves = put_table(out->root, "sheaves");
	for (cpu = 0; cpu < session_nr_cpus(); cpu++) {
		unsigned long count[3] = { 0 };

		for (i = 0; i < 3; i++) {
			const struct slab_sheaf_info *at =
				find_sheaf(sheaf, nr, cpu, cpu_places[i]);

			count[i] = at ? at->size : 0;
			put_sheaf(sheaves, inv->machine, cpu, cpu_places[i],
				  at);
		}
		put_cpu(cpus, inv->machine, cpu, count);
	}
	owners_of_cache(cache, &owners);
	owners_put(out->root, "owners", &owners);
	if (cache->sheaf_capacity)
		view_long_table(out, sheaves);
	owners_view(out, &owners, cache->sheaf_capacity != 0);
	tell_difference(out, &owners, sheaf, nr);
	free(sheaf);
	return 0;
}

static void add_cache(unsigned long (*count)[3], unsigned int nr_cpu,
		      const struct slab_cache_info *cache)
{
	struct slab_sheaf_info *sheaf;
	size_t nr = 0, i;

	if (slab_target_sheaves(session.target, cache->cache, &sheaf, &nr))
		return;
	for (i = 0; i < nr; i++) {
		size_t place = sheaf[i].place == SLAB_OWNER_MAIN    ? 0
			       : sheaf[i].place == SLAB_OWNER_SPARE ? 1
								    : 2;

		if (sheaf[i].cpu >= 0 && sheaf[i].cpu < (int)nr_cpu)
			count[sheaf[i].cpu][place] += sheaf[i].size;
	}
	free(sheaf);
}

static int view_all(const struct invocation *inv, struct model *out)
{
	unsigned long count[SLAB_MAX_CPUS][3] = { 0 };
	unsigned int nr_cpu = session_nr_cpus(), cpu;
	struct slab_cache_info *cache;
	struct owners owners = { 0 };
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
	table = put_table(out->root, "cpus");
	for (cpu = 0; cpu < nr_cpu; cpu++)
		put_cpu(table, inv->machine, cpu, count[cpu]);
	put_table(out->root, "sheaves");
	owners_put(out->root, "owners", &owners);
	view_text(out, "%u CPU%s, %zu cache%s; commands run on CPU %u", nr_cpu,
		  nr_cpu == 1 ? "" : "s", nr, nr == 1 ? "" : "s",
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
	return c->owned[SLAB_OWNER_MAIN] + c->owned[SLAB_OWNER_SPARE];
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

static int cpu_flush(const struct invocation *inv, struct model *out)
{
	unsigned int cpu = 0, here = slab_machine_cpu(inv->machine);
	unsigned long before, after, rcu_before, rcu;
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
	slab_machine_set_cpu(inv->machine, cpu);
	err = slab_cache_flush_cpu(inv->machine, s);
	slab_machine_set_cpu(inv->machine, here);
	if (err)
		return fail("sheaf", NULL, "cpu flush: %s", strerror(-err));
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

/* ---- barns ---- */

static const struct field node_fields[] = {
	FIELD("node", COUNT, "number of the node"),
	FIELD("memory", FLAG, "it has some"),
	FIELD("full", COUNT, "full sheaves", .how = FIELD_QUIET),
	FIELD("max_full", COUNT, "it takes no more", .how = FIELD_QUIET),
	FIELD("empty", COUNT, "empty sheaves", .how = FIELD_QUIET),
	FIELD("max_empty", COUNT, "it takes no more", .how = FIELD_QUIET),
	FIELD("full_of", TEXT, "full sheaves, and its limit",
	      .header = "full sheaves", .how = FIELD_PEOPLE),
	FIELD("empty_of", TEXT, "empty sheaves, and its limit",
	      .header = "empty sheaves", .how = FIELD_PEOPLE),
	{},
};
static const struct field stock_fields[] = {
	FIELD("node", COUNT, "of the barn"),
	FIELD("list", TEXT, "full or empty"),
	CONTENTS_FIELDS,
	{},
};
static const struct field barn_fields[] = {
	FIELD("cache", TEXT, "cache name"),
	FIELD("sheaf_capacity", COUNT, "objects a sheaf of it holds"),
	FIELD("nodes", TABLE, "one row a barn", .of = node_fields),
	FIELD("sheaves", TABLE, "in them, the next to leave first",
	      .of = stock_fields),
	FIELD("owners", TABLE, "who has how many", .of = owner_fields),
	{},
};
static const struct field barn_returns =
	FIELD("barn", RECORD, NULL, .of = barn_fields);

static void put_barn(struct value *table, unsigned int node,
		     const struct slab_barn_info *b)
{
	struct value *row = table_row(table);

	put_count(row, "node", node);
	put_flag(row, "memory", b->has_memory);
	if (!b->exists) {
		put_unknown(row, "full", "the node has no barn");
		put_unknown(row, "empty", "the node has no barn");
		put_text(row, "full_of", "no barn");
		put_text(row, "empty_of", "no barn");
		return;
	}
	put_count(row, "full", b->nr_full);
	put_count(row, "max_full", b->max_full);
	put_count(row, "empty", b->nr_empty);
	put_count(row, "max_empty", b->max_empty);
	put_text(row, "full_of", "%u/%u", b->nr_full, b->max_full);
	put_text(row, "empty_of", "%u/%u", b->nr_empty, b->max_empty);
}

static void put_stock(struct value *table, const struct slab_sheaf_info *s)
{
	struct value *row = table_row(table);

	put_count(row, "node", (uint64_t)s->node);
	put_text(row, "list", "%s", s->is_full_list ? "full" : "empty");
	put_count(row, "size", s->size);
	put_count(row, "capacity", s->capacity);
	put_text(row, "holds", "%3u/%u", s->size, s->capacity);
	put_objects(row, s);
}

static int barn_show(const struct invocation *inv, struct model *out)
{
	struct slab_barn_info barn[SLAB_MAX_NODES];
	struct slab_sheaf_info *sheaf;
	struct slab_cache_info cache;
	struct value *nodes, *sheaves;
	unsigned int nr_nodes = 0, i;
	struct owners owners;
	uint64_t node = UINT64_MAX;
	size_t nr, k;

	if (place_cache(arg_word(inv, "CACHE"), &cache) ||
	    arg_number(inv, "NODE", UINT32_MAX, &node))
		return -EINVAL;
	slab_target_barns(inv->target, cache.cache, barn, &nr_nodes);
	if (arg_given(inv, "NODE") && node >= nr_nodes)
		return fail("value", "--nodes N makes more",
			    "barn show: no node %llu: this machine has %s%u",
			    (unsigned long long)node,
			    nr_nodes == 1 ? "only node " : "0 to ",
			    nr_nodes - 1);
	if (sheaves_of(&cache, &sheaf, &nr))
		return -EINVAL;
	put_cache_head(out, &cache);
	nodes = put_table(out->root, "nodes");
	for (i = 0; i < nr_nodes; i++) {
		if (node == UINT64_MAX || node == i)
			put_barn(nodes, i, &barn[i]);
	}
	sheaves = put_table(out->root, "sheaves");
	for (k = 0; k < nr; k++) {
		if (sheaf[k].place == SLAB_OWNER_BARN &&
		    (node == UINT64_MAX || (int)node == sheaf[k].node))
			put_stock(sheaves, &sheaf[k]);
	}
	owners_of_cache(&cache, &owners);
	owners_put(out->root, "owners", &owners);
	if (cache.sheaf_capacity)
		view_value(out, nodes, 0);
	if (sheaves->child)
		view_long_table(out, sheaves);
	owners_view(out, &owners, cache.sheaf_capacity != 0);
	tell_difference(out, &owners, sheaf, nr);
	free(sheaf);
	return 0;
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
static const struct arg barn_args[] = {
	ARG("CACHE", WORD, "name of a cache", .is_required = true,
	    .complete = complete_cache),
	ARG("NODE", WORD, "one node's barn alone"),
	{},
};

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
		.operates = true,
	},
	{
		.group = "cpu",
		.name = "online",
		.brief = "a virtual CPU comes back",
		.example = "cpu offline 1; cpu online 1",
		.args = use_args,
		.run = cpu_online,
		.operates = true,
	},
	{
		.group = "barn",
		.name = "show",
		.brief = "the full and empty sheaves that a node keeps",
		.example = "barn show plain",
		.args = barn_args,
		.returns = &barn_returns,
		.run = barn_show,
	},
	{},
};

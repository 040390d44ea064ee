/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_machine.c - the machine under the caches: CPUs, clock, parameters, RCU,
 * failures on purpose
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/kmalloc.h>

#include "borrowed.h"
#include "commands.h"
#include "events.h"
#include "names.h"
#include "report_queue.h"
#include "stop.h"

/* ---- machine, cpu, sysctl ---- */

static const struct field number_items[] = { FIELD("number", COUNT, NULL), {} };
static const struct field show_fields[] = {
	FIELD("target", TEXT, "what is looked at: virtual or native"),
	FIELD("percpu", TEXT, "native: how a CPU's sheaves are held"),
	FIELD("region", BYTES, "native: address space that it has"),
	FIELD("statistics", FLAG, "native: new caches count what they do"),
	FIELD("cpus", COUNT, "CPUs that there can be"),
	FIELD("cpu", COUNT, "the one that commands run on"),
	FIELD("online", LIST, "the CPUs that are online", .of = number_items),
	FIELD("nodes", COUNT, "memory nodes"),
	FIELD("with_memory", LIST, "the nodes that have memory",
	      .of = number_items),
	FIELD("node", COUNT, "the CPU's node"),
	FIELD("seed", COUNT, "of everything random"),
	FIELD("jiffies", JIFFIES,
	      "the clock: ms; a virtual one ticks with each command"),
	FIELD("pages_used", COUNT, "pages that slabs and kmalloc have"),
	FIELD("page_limit", COUNT, "pages that can be had"),
	FIELD("rcu_pending", COUNT, "callbacks that wait for a grace period"),
	FIELD("reports", COUNT, "reports so far"),
	FIELD("errors", COUNT, "slub_kunit's counter"),
	{},
};
static const struct field show_returns =
	FIELD("machine", RECORD, NULL, .of = show_fields);

static void put_native(struct value *r, struct slab_target *t)
{
	struct slab_machine_about about;

	if (slab_target_about(t, &about))
		return;
	put_text(r, "percpu", "%s", about.percpu);
	put_count(r, "region", about.region_bytes);
	put_flag(r, "statistics", about.has_statistics);
}

static int machine_show(const struct invocation *inv, struct model *out)
{
	const struct slab_machine_config *c = slab_machine_config(inv->machine);
	struct slab_machine *m = inv->machine;
	unsigned int cpu = slab_machine_cpu(m), i;
	struct value *r = out->root, *list;

	put_text(r, "target", "%s", session_target_name());
	if (session.opt.is_native)
		put_native(r, inv->target);
	put_count(r, "cpus", c->nr_cpus ? c->nr_cpus : 1);
	put_count(r, "cpu", cpu);
	list = put_list(r, "online");
	for (i = 0; i < session_nr_cpus(); i++) {
		if (slab_machine_cpu_online(m, i))
			list_number(list, KIND_COUNT, i);
	}
	put_count(r, "nodes", c->nr_nodes ? c->nr_nodes : 1);
	list = put_list(r, "with_memory");
	for (i = 0; i < SLAB_MAX_NODES; i++) {
		if (slab_machine_node_memory(m, i))
			list_number(list, KIND_COUNT, i);
	}
	put_count(r, "node", slab_machine_cpu_node(m, cpu));
	put_count(r, "seed", c->seed);
	put_count(r, "jiffies", slab_machine_jiffies(m));
	put_count(r, "pages_used", slab_machine_pages_used(m));
	put_count(r, "page_limit", c->page_limit);
	put_count(r, "rcu_pending", slab_machine_rcu_pending(m));
	put_count(r, "reports", slab_machine_reports(m));
	put_count(r, "errors", slab_machine_errors(m));
	return 0;
}

static const struct field jiffies_returns =
	FIELD("jiffies", JIFFIES, "the clock after it");

static int machine_tick(const struct invocation *inv, struct model *out)
{
	uint64_t n = 1;

	if (arg_number(inv, "N", 1ULL << 40, &n))
		return -EINVAL;
	slab_machine_tick(inv->machine, n);
	root_number(out, slab_machine_jiffies(inv->machine));
	return 0;
}

static int machine_reset(const struct invocation *inv, struct model *out)
{
	(void)out;
	stop_forget_all();
	borrowed_forget();
	slab_machine_reset(inv->machine);
	report_queue_clear(session.reports);
	event_log_clear(session.events);
	return session_boot_parameters();
}

static int machine_pages(const struct invocation *inv, struct model *out)
{
	uint64_t n = 0;

	(void)out;
	if (arg_number(inv, "N", SLAB_SLOT_SIZE >> 12, &n))
		return -EINVAL;
	slab_machine_set_page_limit(inv->machine, (unsigned long)n);
	return 0;
}

/* ---- memory of nodes, policy, reserves ---- */

static int machine_node(const struct invocation *inv, struct model *out)
{
	bool on = !strcmp(arg_word(inv, "WHAT"), "on");
	const struct slab_machine_config *c = slab_machine_config(inv->machine);
	unsigned int nr = c->nr_nodes ? c->nr_nodes : 1;
	uint64_t node = 0;
	int err;

	(void)out;
	if (arg_number(inv, "N", UINT32_MAX, &node))
		return -EINVAL;
	if (node >= nr)
		return fail("value", "--nodes N makes more",
			    "machine node: no node %llu: this machine has %s%u",
			    (unsigned long long)node,
			    nr == 1 ? "only node " : "0 to ", nr - 1);
	if (slab_machine_node_memory(inv->machine, (unsigned int)node) == on)
		return fail_answer("state", NULL, "node %llu %s memory",
				   (unsigned long long)node,
				   on ? "has" : "has no");
	err = slab_machine_set_node_memory(inv->machine, (unsigned int)node,
					   on);
	if (err == -EBUSY)
		return fail_answer("busy", NULL,
				   "node %llu is the last with memory",
				   (unsigned long long)node);
	if (err)
		return fail_answer("no_memory", NULL, "node %llu: %s",
				   (unsigned long long)node, strerror(-err));
	return 0;
}

static const char *const policy_words[] = {
	[SLAB_MPOL_NONE] = "none",
	[SLAB_MPOL_PREFERRED] = "preferred",
	[SLAB_MPOL_INTERLEAVE] = "interleave",
	[SLAB_MPOL_WEIGHTED_INTERLEAVE] = "weighted-interleave",
	[SLAB_MPOL_BIND] = "bind",
	[SLAB_MPOL_PREFERRED_MANY] = "preferred-many",
	[SLAB_MPOL_LOCAL] = "local",
};

static int machine_policy(const struct invocation *inv, struct model *out)
{
	const char *word = arg_word(inv, "POLICY");
	const struct bound *nodes = arg_bound(inv, "NODE");
	unsigned int policy = 0;
	uint32_t set = 0;
	size_t i;

	(void)out;
	while (strcmp(policy_words[policy], word) != 0)
		policy++; /* the row lets no other word in */
	for (i = 0; nodes && i < nodes->nr; i++) {
		uint64_t node;

		if (number_parse("machine policy: NODE", nodes->words[i],
				 SLAB_MAX_NODES - 1, &node))
			return -EINVAL;
		set |= 1U << node;
	}
	if (!slab_machine_set_mempolicy(inv->machine,
					(enum slab_mempolicy)policy, set))
		return 0;
	return fail("value", "machine policy bind 0 1",
		    set ? "machine policy: a node that is not there"
			: "machine policy %s wants nodes",
		    word);
}

static int machine_reserve(const struct invocation *inv, struct model *out)
{
	uint64_t n = 0;

	(void)out;
	if (arg_number(inv, "N", SLAB_SLOT_SIZE >> 12, &n))
		return -EINVAL;
	slab_machine_set_reserve(inv->machine, (unsigned long)n);
	return 0;
}

static int machine_memalloc(const struct invocation *inv, struct model *out)
{
	(void)out;
	slab_machine_set_memalloc(inv->machine,
				  !strcmp(arg_word(inv, "WHAT"), "on"));
	return 0;
}

static int run_sysctl(const struct invocation *inv, struct model *out)
{
	const char *name = arg_word(inv, "NAME"), *value;
	char copy[64];

	(void)out;
	value = arg_word(inv, "VALUE");
	if (inv->nr_any == 1 && !name) {
		name = inv->any[0].key;
		value = inv->any[0].value;
	}
	if (!name || !value || inv->nr_any > 1 ||
	    (name && inv->nr_any && name != inv->any[0].key))
		return fail("usage", "sysctl slab_max_order=0",
			    "sysctl: a name and a value");
	snprintf(copy, sizeof(copy), "%s", name);
	return session_sysctl(inv->machine, copy, value);
}

/* ---- rcu ---- */

static const struct field count_returns =
	FIELD("callbacks", COUNT, "callbacks that ran");

static int rcu_tick(const struct invocation *inv, struct model *out)
{
	root_number(out, slab_machine_rcu_tick(inv->machine));
	return 0;
}

static unsigned long nr_waiting(struct slab_target *t)
{
	struct slab_cache_info *cache;
	unsigned long sum = 0;
	size_t nr = 0, i;

	if (slab_target_caches(t, &cache, &nr))
		return 0;
	for (i = 0; i < nr; i++)
		sum += cache[i].owned[SLAB_OWNER_RCU];
	free(cache);
	return sum;
}

static const struct field freed_returns =
	FIELD("objects", COUNT, "objects that waited and do no more");

static int rcu_barrier(const struct invocation *inv, struct model *out)
{
	unsigned long before = nr_waiting(inv->target);

	if (stop_refuse_barrier("rcu barrier"))
		return -EINVAL;
	kvfree_rcu_barrier();
	root_number(out, before - nr_waiting(inv->target));
	return 0;
}

/* ---- failslab ---- */

static const struct field failslab_fields[] = {
	FIELD("probability", COUNT, "percent of the questions that fail"),
	FIELD("interval", COUNT, "only every N-th may fail"),
	FIELD("times", NUMBER, "failures left; -1: without end"),
	FIELD("space", NUMBER, "bytes that pass first"),
	FIELD("verbose", COUNT, "0, 1 or 2"),
	FIELD("ignore_gfp_wait", FLAG, "requests that may sleep never fail"),
	FIELD("cache_filter", FLAG, "only caches marked with A fail"),
	FIELD("nth", COUNT, "the N-th question from now fails; 0: off"),
	FIELD("caches", LIST, "caches marked with A"),
	{},
};
static const struct field failslab_returns =
	FIELD("failslab", RECORD, NULL, .of = failslab_fields);

static int failslab_show(const struct invocation *inv, struct model *out)
{
	const struct slab_fault_attr *a;
	struct slab_faults f;
	struct slab_cache_info *cache;
	struct value *r = out->root, *list;
	size_t nr = 0, i;

	slab_faults_get(inv->machine, &f);
	a = &f.failslab.attr;
	put_count(r, "probability", a->probability);
	put_count(r, "interval", a->interval);
	put_number(r, "times", a->times);
	put_number(r, "space", a->space);
	put_count(r, "verbose", a->verbose);
	put_flag(r, "ignore_gfp_wait", f.failslab.ignore_gfp_wait);
	put_flag(r, "cache_filter", f.failslab.cache_filter);
	put_count(r, "nth", f.task.fail_nth);
	list = put_list(r, "caches");
	if (slab_target_caches(inv->target, &cache, &nr))
		return 0;
	for (i = 0; i < nr; i++) {
		if (cache[i].flags & SLAB_FAILSLAB)
			list_text(list, "%s", cache[i].name);
	}
	free(cache);
	return 0;
}

static int read_numbers(const struct invocation *inv, struct slab_faults *f)
{
	struct slab_fault_attr *a = &f->failslab.attr;
	uint64_t probability = a->probability, interval = a->interval;
	uint64_t verbose = a->verbose, nth = f->task.fail_nth;
	uint64_t times = 0, space = 0;
	const char *text = arg_word(inv, "times");

	if (arg_number(inv, "probability", 100, &probability) ||
	    arg_number(inv, "interval", UINT32_MAX, &interval) ||
	    arg_number(inv, "verbose", 2, &verbose) ||
	    arg_number(inv, "space", INT32_MAX, &space) ||
	    arg_number(inv, "nth", UINT32_MAX, &nth))
		return -EINVAL;
	if (text && !strcmp(text, "-1"))
		a->times = -1;
	else if (arg_number(inv, "times", INT32_MAX, &times))
		return -EINVAL;
	else if (text)
		a->times = (int)times;
	if (arg_given(inv, "space"))
		a->space = (int)space;
	a->probability = (unsigned long)probability;
	a->interval = (unsigned long)interval;
	a->verbose = (unsigned long)verbose;
	f->task.fail_nth = (unsigned int)nth;
	return 0;
}

static int failslab_set(const struct invocation *inv, struct model *out)
{
	const char *name = arg_word(inv, "cache");
	struct slab_cache_info cache;
	struct slab_faults f;
	int err;

	(void)out;
	slab_faults_get(inv->machine, &f);
	if (read_numbers(inv, &f) ||
	    arg_boolean(inv, "ignore-gfp-wait", &f.failslab.ignore_gfp_wait))
		return -EINVAL;
	if (name) {
		if (place_cache(name, &cache))
			return -EINVAL;
		err = slab_cache_set_failslab(cache_handle(&cache), true);
		if (err)
			return fail_answer(
				"refused", NULL, "failslab: %s: %s", name,
				cache.refcount > 1
					? "a cache with aliases can not be "
					  "marked"
					: strerror(-err));
		f.failslab.cache_filter = true;
	}
	slab_faults_set(inv->machine, &f);
	return 0;
}

static int failslab_off(const struct invocation *inv, struct model *out)
{
	struct slab_faults f;

	(void)out;
	slab_faults_get(inv->machine, &f);
	f.failslab.attr.probability = 0;
	f.task.fail_nth = 0;
	slab_faults_set(inv->machine, &f);
	return 0;
}

/* ---- rows ---- */

static const struct arg tick_args[] = {
	ARG("N", WORD, "jiffies; 1"),
	{},
};
static const struct arg pages_args[] = {
	ARG("N", WORD, "pages that can be had; 0: no limit",
	    .is_required = true),
	{},
};
static const struct arg node_args[] = {
	ARG("N", WORD, "number of a memory node", .is_required = true),
	ARG("WHAT", WORD, "it has memory or not", .is_required = true,
	    .choices = "on|off"),
	{},
};
static const struct arg policy_args[] = {
	ARG("POLICY", WORD, "as set_mempolicy(2) has it", .is_required = true,
	    .choices = "none|local|preferred|preferred-many|bind|interleave|"
		       "weighted-interleave"),
	ARG("NODE", WORD, "numbers of nodes", .takes_rest = true),
	{},
};
static const struct arg memalloc_args[] = {
	ARG("WHAT", WORD, "PF_MEMALLOC", .is_required = true,
	    .choices = "on|off"),
	{},
};
static const struct arg sysctl_args[] = {
	ARG("NAME", WORD, "slab_max_order, init_on_free, ...",
	    .complete = complete_sysctl),
	ARG("VALUE", WORD, "what it becomes, for caches made later"),
	ARG("name", ANY_KEY, "both in one word", .value = "value"),
	{},
};
static const struct arg failslab_args[] = {
	ARG("probability", KEY, "percent", .value = "N"),
	ARG("interval", KEY, "only every N-th", .value = "N"),
	ARG("times", KEY, "how many failures; -1: without end", .value = "N"),
	ARG("space", KEY, "bytes that pass first", .value = "N"),
	ARG("cache", KEY, "only this cache", .value = "NAME",
	    .complete = complete_cache),
	ARG("nth", KEY, "the N-th question from now", .value = "N"),
	ARG("ignore-gfp-wait", KEY, "requests that may sleep never fail",
	    .value = "1|0"),
	ARG("verbose", KEY, "0, 1 or 2", .value = "N"),
	{},
};

#define ROW(g, n, b, e, ...)                                             \
	{                                                                \
		.group = (g), .name = (n), .brief = (b), .example = (e), \
		__VA_ARGS__                                              \
	}

const struct command machine_commands[] = {
	ROW("machine", "show", "CPUs, nodes, seed, clock", "machine show",
	    .returns = &show_returns, .run = machine_show),
	ROW("machine", "tick", "moves the clock", "machine tick 100",
	    .args = tick_args, .returns = &jiffies_returns, .run = machine_tick,
	    .instead = "its clock goes by itself, in ms: machine show"),
	ROW("machine", "pages", "limits the memory that can be had",
	    "machine pages 1000", .args = pages_args, .run = machine_pages),
	ROW("machine", "reset", "a fresh machine: no cache, no report",
	    "machine reset", .run = machine_reset),
	ROW("machine", "node", "a node gets memory or loses it",
	    "machine node 1 off", .args = node_args, .run = machine_node,
	    .operates = true,
	    .instead = "numactl --membind=N slabctl --native ..."),
	ROW("machine", "policy", "which nodes' memory the task wants",
	    "machine policy bind 0", .args = policy_args, .run = machine_policy,
	    .instead = "numactl --membind=N slabctl --native ..."),
	ROW("machine", "reserve", "pages beyond the limit, for emergencies",
	    "machine reserve 16", .args = pages_args, .run = machine_reserve,
	    .instead = "machine pages N limits the memory that can be had"),
	ROW("machine", "memalloc", "the task frees memory: it may use reserves",
	    "machine memalloc on", .args = memalloc_args,
	    .run = machine_memalloc,
	    .instead = "machine pages N limits the memory that can be had"),
	ROW(NULL, "sysctl", "set a kernel parameter", "sysctl slab_max_order=0",
	    .args = sysctl_args, .run = run_sysctl),
	ROW("rcu", "tick", "a grace period ends: callbacks run", "rcu tick",
	    .returns = &count_returns, .run = rcu_tick, .operates = true,
	    .instead = "grace periods end by themselves; rcu barrier waits "
		       "for those that began"),
	ROW("rcu", "barrier",
	    "all that kfree_rcu got is freed: kvfree_rcu_barrier()",
	    "rcu barrier", .returns = &freed_returns, .run = rcu_barrier,
	    .operates = true),
	ROW("failslab", "show", "the settings of fault injection",
	    "failslab show", .returns = &failslab_returns,
	    .run = failslab_show),
	ROW("failslab", "set", "make allocations fail",
	    "failslab set probability=100 times=1 ignore-gfp-wait=0",
	    .args = failslab_args, .run = failslab_set),
	ROW("failslab", "off", "no more failures", "failslab off",
	    .run = failslab_off),
	{},
};

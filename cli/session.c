/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * session.c - the machine behind the commands, made when first asked for
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "asan.h"
#include "borrowed.h"
#include "command.h"
#include "events.h"
#include "names.h"
#include "output.h"
#include "report_queue.h"
#include "stop.h"

struct session session;
volatile sig_atomic_t interrupted;

/* Half of what a script's process may use, so that a script that allocates
 * without end meets a machine without memory and not a dead interpreter. */
#define DEFAULT_PAGES (256UL << 20 >> 12)

void die_no_memory(void)
{
	output_fatal("no_memory", "slabctl needs more memory than it may use",
		     "a script may use 1 GiB; --trusted lifts that");
	_exit(EXIT_USAGE);
}

void *must_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		die_no_memory();
	return p;
}

char *must_strdup(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(must_alloc(n), text, n);
}

void session_init(void)
{
	session.reports = report_queue_create();
	session.events = event_log_create();
	session.labels = labels_create();
}

void session_fini(void)
{
	session_drop_machine();
	report_queue_destroy(session.reports);
	event_log_destroy(session.events);
	labels_destroy(session.labels);
	free(session.error.detail);
}

/* The kernel skips an unknown letter with a line in its log; at a prompt it is
 * a slip of the finger. */
static int check_slab_debug(const char *text)
{
	const char *p = text;

	while (*p) {
		while (*p && *p != ',' && *p != ';') {
			if (!strchr("fzputao-", *p | 0x20) && !strchr("-", *p))
				return fail(
					"no_flag",
					"letters: F checks, Z red zones, P "
					"poison, U users, T trace, A "
					"failslab, O off where orders "
					"grow, - none",
					"slab-debug: no flag '%c' in \"%s\"",
					*p, text);
			p++;
		}
		while (*p && *p != ';')
			p++;
		if (*p)
			p++;
	}
	return 0;
}

static const char *const sysctl_names[] = {
	"slab_min_order",   "slab_max_order", "slab_min_objects",
	"slab_nomerge",	    "slab_merge",     "slab_debug",
	"init_on_alloc",    "init_on_free",   "freelist_hardened",
	"freelist_random",  "failslab",	      "fail_page_alloc",
	"slab_strict_numa", "random_kmalloc", "cmpxchg_double",
	"statistics",
};
#define NR_SYSCTL (sizeof(sysctl_names) / sizeof(sysctl_names[0]))

void complete_sysctl(struct words *to)
{
	size_t i;

	for (i = 0; i < NR_SYSCTL; i++)
		words_add(to, "%s", sysctl_names[i]);
}

int session_sysctl(struct slab_machine *m, const char *name, const char *value)
{
	int err;

	if (!strcmp(name, "slab_debug") && check_slab_debug(value))
		return -EINVAL;
	err = slab_machine_sysctl(m, name, value);
	if (!err)
		return 0;
	if (err == -ENOENT) {
		fail("no_parameter", NULL, "no kernel parameter named %s",
		     name);
		hint_nearest(name, sysctl_names, NR_SYSCTL);
		return -EINVAL;
	}
	return fail("value", NULL, "%s can not be \"%s\"%s", name, value,
		    err == -ERANGE ? ": out of range" : "");
}

int session_boot_parameters(void)
{
	const struct options *o = &session.opt;
	size_t i;

	for (i = 0; i < o->nr_sysctl; i++) {
		if (session_sysctl(session.machine, o->sysctl[i].name,
				   o->sysctl[i].value))
			return -EINVAL;
	}
	return 0;
}

const char *session_target_name(void)
{
	return session.opt.is_native ? "native" : "virtual";
}

int session_check_options(const struct options *o)
{
	if (o->is_native && (o->cpus || o->nodes))
		return fail("virtual",
			    "taskset -c 0,1 slabctl --native ... uses two",
			    "%s shapes a virtual machine: a native one has "
			    "the system's %s",
			    o->cpus ? "--cpus" : "--nodes",
			    o->cpus ? "CPUs" : "nodes");
	return 0;
}

static int check_numbers(const struct options *o)
{
	if (o->cpus > SLAB_VIRTUAL_CPUS)
		return fail("number", NULL, "cpus: %u is too many, at most %u",
			    o->cpus, SLAB_VIRTUAL_CPUS);
	if (o->nodes > SLAB_MAX_NODES)
		return fail("number", NULL, "nodes: %u is too many, at most %u",
			    o->nodes, SLAB_MAX_NODES);
	if (o->nodes > (o->cpus ? o->cpus : 1))
		return fail("number", NULL,
			    "nodes: %u nodes want at least as many CPUs: "
			    "cpus=%u",
			    o->nodes, o->nodes);
	return 0;
}

static bool is_yes(const char *value)
{
	static const char *const yes[] = { "1", "y", "yes", "on", "true", "" };
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!strcasecmp(value, yes[i]))
			return true;
	}
	return false;
}

/* A native machine makes its kmalloc caches at once: what counts for caches
 * made later comes too late for them. */
static void boot_early(const struct options *o, struct slab_machine_config *c)
{
	struct {
		const char *name;
		bool *value;
	} const early[] = {
		{ "init_on_alloc", &c->init_on_alloc },
		{ "init_on_free", &c->init_on_free },
		{ "freelist_hardened", &c->freelist_hardened },
		{ "freelist_random", &c->freelist_random },
		{ "random_kmalloc", &c->random_kmalloc },
		{ "statistics", &c->statistics },
	};
	size_t i, k;

	for (i = 0; i < o->nr_sysctl; i++) {
		const struct setting *s = &o->sysctl[i];

		for (k = 0; k < sizeof(early) / sizeof(early[0]); k++) {
			if (!strcmp(s->name, early[k].name))
				*early[k].value = is_yes(s->value);
		}
		if (!strcmp(s->name, "cmpxchg_double"))
			c->no_cmpxchg_double = !is_yes(s->value);
	}
}

/* The machine alone. */
static int create_machine(const struct options *o)
{
	struct slab_machine_config config = {
		.nr_cpus = o->cpus,
		.nr_nodes = o->nodes,
		.seed = o->seed,
		.page_limit = o->pages ? o->pages : DEFAULT_PAGES,
		.slab_debug = o->slab_debug,
		.asan_off = o->is_asan_off,
		.cpu_full_bytes = o->is_local_off, /* less than any sheaf has */
		.statistics = true, /* who asks for figures pays for them */
	};

	if (o->is_native) {
		boot_early(o, &config);
		return slab_machine_create_native(&config, &session.machine);
	}
	return slab_machine_create_virtual(&config, &session.machine);
}

static int make_machine(void)
{
	const struct options *o = &session.opt;
	struct slab_machine_about about;
	int err;

	if (session_check_options(o) || check_numbers(o))
		return -EINVAL;
	if (o->slab_debug && check_slab_debug(o->slab_debug))
		return -EINVAL;
	err = create_machine(o);
	if (err) {
		session.machine = NULL;
		if (err == -ENOSYS)
			return fail("unsupported", NULL,
				    "this slabctl was built without liburcu, "
				    "which a native machine needs");
		return fail("machine", NULL,
			    "the %s machine can not be made: %s",
			    session_target_name(), strerror(-err));
	}
	slab_machine_use(session.machine);
	slab_machine_set_task(session.machine, 1, "slabctl");
	if (session_boot_parameters())
		return -EINVAL;
	err = slab_target_open_self(session.machine, &session.target);
	if (!err)
		err = slab_machine_add_sink(session.machine, report_queue_sink,
					    session.reports);
	if (err)
		return fail("machine", NULL,
			    "the %s machine can not be opened: %s",
			    session_target_name(), strerror(-err));
	if (o->is_native && !slab_target_about(session.target, &about))
		asan_answers_for(about.base, about.region_bytes);
	/* who is told each step walks: inline paths would find nothing */
	if (!o->is_native || session.tells_steps)
		event_log_attach(session.events, session.machine);
	return 0;
}

struct slab_machine *session_machine(void)
{
	if (!session.machine && make_machine())
		session_drop_machine();
	return session.machine;
}

unsigned int session_nr_cpus(void)
{
	unsigned int nr = slab_machine_config(session.machine)->nr_cpus;

	return nr ? nr : 1;
}

int session_no_cpu(unsigned int cpu)
{
	unsigned int nr = session_nr_cpus();

	return fail("no_cpu",
		    session.opt.is_native ? NULL : "--cpus N makes more",
		    "no %sCPU %u: this machine has %s%u",
		    session.opt.is_native ? "" : "virtual ", cpu,
		    nr == 1 ? "only CPU " : "0 to ", nr - 1);
}

int session_use_cpu(unsigned int cpu)
{
	if (session.opt.is_native)
		return fail("virtual",
			    "run threads=N uses them all; taskset -c N slabctl "
			    "--native ... uses one",
			    "@%u: only a virtual machine's CPUs can be "
			    "chosen: threads run where the kernel puts them",
			    cpu);
	if (cpu >= session_nr_cpus())
		return session_no_cpu(cpu);
	if (!slab_machine_cpu_online(session.machine, cpu)) {
		fail_answer("offline", NULL, "virtual CPU %u is offline", cpu);
		snprintf(session.error.hint, sizeof(session.error.hint),
			 "cpu online %u", cpu);
		return -EINVAL;
	}
	slab_machine_set_cpu(session.machine, cpu);
	return 0;
}

void session_drop_machine(void)
{
	stop_forget_all();
	borrowed_forget();
	slab_target_close(session.target);
	session.target = NULL;
	if (session.machine)
		slab_machine_destroy(session.machine);
	session.machine = NULL;
}

static int set_number(const char *key, const char *value, uint64_t min,
		      uint64_t max, uint64_t *ret)
{
	if (number_parse(key, value, max, ret))
		return -EINVAL;
	if (*ret < min)
		return fail("number", NULL, "%s: %s is too few, at least %llu",
			    key, value, (unsigned long long)min);
	return 0;
}

static int set_off(const char *key, const char *value, bool *is_off)
{
	if (strcmp(value, "on") && strcmp(value, "off"))
		return fail("value", NULL, "%s=%.40s: it can be on or off", key,
			    value);
	*is_off = !strcmp(value, "off");
	return 0;
}

int session_set_machine_option(struct options *o, const char *key,
			       const char *value)
{
	uint64_t n = 0;
	size_t i;

	if (!strcmp(key, "cpus")) {
		if (set_number(key, value, 1, SLAB_VIRTUAL_CPUS, &n))
			return -EINVAL;
		o->cpus = (unsigned int)n;
		return 0;
	}
	if (!strcmp(key, "nodes")) {
		if (set_number(key, value, 1, SLAB_MAX_NODES, &n))
			return -EINVAL;
		o->nodes = (unsigned int)n;
		return 0;
	}
	if (!strcmp(key, "pages")) {
		if (set_number(key, value, 1, SLAB_SLOT_SIZE >> 12, &n))
			return -EINVAL;
		o->pages = (unsigned long)n;
		return 0;
	}
	if (!strcmp(key, "seed"))
		return number_parse(key, value, UINT64_MAX, &o->seed);
	if (!strcmp(key, "asan"))
		return set_off(key, value, &o->is_asan_off);
	if (!strcmp(key, "local"))
		return set_off(key, value, &o->is_local_off);
	if (!strcmp(key, "slab-debug") || !strcmp(key, "slab_debug")) {
		if (check_slab_debug(value))
			return -EINVAL;
		o->slab_debug = must_strdup(value);
		return 0;
	}
	for (i = 0; i < NR_SYSCTL; i++) {
		if (strcmp(key, sysctl_names[i]))
			continue;
		if (o->nr_sysctl == MAX_SETTINGS)
			return fail("usage", NULL, "too many parameters");
		o->sysctl[o->nr_sysctl].name = sysctl_names[i];
		o->sysctl[o->nr_sysctl++].value = must_strdup(value);
		return 0;
	}
	fail("no_key",
	     "cpus= nodes= seed= pages= slab-debug= asan=off local=off and "
	     "kernel "
	     "parameters such as slab_max_order=",
	     "a machine has no %s=", key);
	return -EINVAL;
}

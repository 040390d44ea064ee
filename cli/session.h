/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * session.h - one run of slabctl: its options, its machine, its state
 *
 * There is one session a process. A scenario is a child process, so it changes
 * a copy and nobody else sees it.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcl.h>

#include <slab/inspect.h>
#include <slab/machine.h>

/* What slabctl's exit codes mean (slabctl help exit). */
enum exit_code {
	EXIT_FINE = 0,
	EXIT_BAD_ANSWER = 1, /* the tool worked; the answer is bad */
	EXIT_USAGE = 2,
	EXIT_TARGET = 3,
	EXIT_INCOMPLETE = 4,
	EXIT_DIED = 5,
	EXIT_SKIPPED = 77,
};

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_PRETTY, FORMAT_NDJSON };
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct setting {
	const char *name, *value;
};

#define MAX_SETTINGS 32

struct options {
	enum format format;
	enum color color;
	bool is_ascii, is_quiet, is_trusted, keeps_going;
	bool is_native;	    /* the machine that this process runs on */
	bool is_asan_off;   /* the sanitizer watches no object of the machine */
	bool is_local_off;  /* native: full sheaves go to the barn at once */
	unsigned int width; /* 0: what the terminal has; a pipe has no limit */
	double limit_time;  /* seconds */
	const char *record;
	/* of the machine */
	unsigned int cpus, nodes;
	uint64_t seed;
	unsigned long pages;
	const char *slab_debug;
	struct setting sysctl[MAX_SETTINGS];
	size_t nr_sysctl;
};

/* Where a command stands. */
struct where {
	char file[128]; /* as reports print it; empty: unknown */
	unsigned int line;
	char text[512]; /* of the command, cut */
};

struct cli_error {
	char code[32]; /* empty: no error */
	char message[1024];
	char hint[512];
	char file[128];
	unsigned int line;
	enum exit_code exit;
	char *detail; /* more lines for people; malloc'ed or NULL */
};

struct session {
	struct options opt;
	Tcl_Interp *master, *interp;
	struct slab_machine *machine; /* made when first asked for */
	struct slab_target *target;
	struct report_queue *reports;
	struct event_log *events;
	struct statements *statements; /* of the unit that is evaluated */
	struct labels *labels;	       /* names that `as` gave */

	struct where where; /* of the command that runs */
	struct cli_error error;
	const char *unit;	 /* text that is evaluated, for hints */
	const char *folder;	 /* `source` may read below it; NULL: nowhere */
	unsigned int unit_line;	 /* of its first line, counted in its file */
	char unit_file[128];	 /* name for units that are no files */
	unsigned int body_depth; /* our own bodies around the command */
	unsigned int body_line[64];
	Tcl_Obj *shown; /* the result that was already shown */

	bool is_typing; /* lines come from a person: prefixes count */
	bool is_shell;
	bool shows_results; /* of plain Tcl too */
	bool is_oneshot;    /* the command stands on slabctl's own line */
	bool is_quiet_about_errors; /* somebody else tells session.error */
	bool has_watchdog; /* SIGALRM ends this process behind the limit */
	bool in_scenario;  /* nothing is shown but what is asked for */
	bool tells_steps;  /* native: the next machine does; slow paths alone */
	bool explains;
	bool wants_quit;
	bool has_bad_answer;
	enum exit_code worst;
	int quit_code;
};

extern struct session session;
/* Set by Ctrl-C; long commands look at it. */
extern volatile sig_atomic_t interrupted;

/* The machine of this session: made with the options when there is none. On
 * failure session.error says why. */
struct slab_machine *session_machine(void);
/* Drops the machine; the next question makes a new one. */
void session_drop_machine(void);
void session_init(void);
void session_fini(void);

/* Commands run on that CPU. -EINVAL with the error set: there is none, or it is
 * offline. */
int session_use_cpu(unsigned int cpu);
/* There is none of that number: -EINVAL with the error set. */
int session_no_cpu(unsigned int cpu);
unsigned int session_nr_cpus(void);

/* The machine of a scenario or a reset: options of its own. */
int session_set_machine_option(struct options *o, const char *key,
			       const char *value);

/* Options that do not go together: -EINVAL with the error set. */
int session_check_options(const struct options *o);
/* "native" or "virtual". */
const char *session_target_name(void);

/* Those that slabctl's options or a scenario's keys gave, on a fresh machine. */
int session_boot_parameters(void);
/* A kernel parameter; 0, or -EINVAL with the error set. */
int session_sysctl(struct slab_machine *m, const char *name, const char *value);

void die_no_memory(void) __attribute__((noreturn));
void *must_alloc(size_t size);
char *must_strdup(const char *text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * command.h - a command is a row
 *
 * Help, completion, usage errors, the man page, the JSON schema and the test of
 * every example derive from these rows; a command's function only fills its
 * model. To add a file of commands: write its rows, name them in command.c.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "model.h"
#include "session.h"

enum arg_kind {
	ARG_WORD,    /* by its place: CACHE */
	ARG_KEY,     /* size=N */
	ARG_ANY_KEY, /* key=value: the command judges the key */
	ARG_FLAG,    /* the word itself: bulk */
	ARG_AFTER,   /* the word, then what it introduces: as NAME... */
};

/* Collects candidates for completion. */
struct words;
void words_add(struct words *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
typedef void (*complete_fn)(struct words *to);

struct arg {
	const char *name;  /* CACHE; of a key, flag or after: the word typed */
	const char *value; /* KEY, ANY_KEY and AFTER: what follows, N, NAME */
	const char *brief;
	enum arg_kind kind;
	bool is_required;
	bool takes_rest;     /* WORD and AFTER: as many as there are */
	const char *choices; /* "partial|full": nothing else fits */
	complete_fn complete;
};

/* A row: ARG("size", KEY, "bytes of an object", .value = "N") */
#define ARG(n, k, b, ...)                                               \
	{                                                               \
		.name = (n), .kind = ARG_##k, .brief = (b), __VA_ARGS__ \
	}

struct invocation;

struct command {
	const char *group; /* noun; NULL: a verb of its own */
	const char *name;  /* NULL: what the noun does without a verb */
	const char *brief;
	const char *example;
	const struct arg *args;
	const struct field *returns;
	int (*run)(const struct invocation *inv, struct model *out);
	bool is_raw; /* takes its words as they are, without argument rows */
	bool needs_no_machine;
	bool operates; /* works on the machine: it can be stopped in the middle */
	bool is_script_only; /* has no place on slabctl's command line */
	/* only a virtual machine can do it; what to do on a native one */
	const char *instead;
};

#define MAX_ARGS 24

struct bound {
	const struct arg *arg;
	const char **words;
	Tcl_Obj *const *objects;
	size_t nr;
};

struct any_key {
	const char *key, *value;
};

struct invocation {
	const struct command *command;
	struct slab_machine *machine;
	struct slab_target *target;
	struct bound bound[MAX_ARGS];
	size_t nr_bound;
	struct any_key any[MAX_ARGS + 1]; /* ARG_ANY_KEY; ends with NULL */
	size_t nr_any;
	char *copies[MAX_ARGS]; /* of values; they go with the invocation */
	size_t nr_copies;
	/* all words behind the command's name */
	const char **words;
	Tcl_Obj *const *objects;
	size_t nr_words;
};

/* A file of commands, and what help calls them together. */
struct command_file {
	const char *title;
	const struct command *commands; /* ends with an empty row */
};
extern const struct command_file command_files[];

/* for (each_command(c)) walks every row. */
const struct command *command_next(const struct command *c);
#define each_command(c)                               \
	const struct command *c = command_next(NULL); \
	c;                                            \
	c = command_next(c)

const char *command_name(const struct command *c); /* "cache list" */
bool command_is_group(const char *word);
/* The row that "noun verb" or "verb" names in full; NULL: none. */
const struct command *command_find(const char *noun, const char *verb);
void command_usage(const struct command *c, char *buf, size_t size);

/* Runs the command that first and objects name. 0 with its row and answer, or
 * -errno with session.error set. */
int command_dispatch(const char *first, Tcl_Obj *const *objects, size_t nr,
		     const struct command **row, struct model **ret);

/* What an argument was given; NULL when it was not. */
const char *arg_word(const struct invocation *inv, const char *name);
bool arg_given(const struct invocation *inv, const char *name);
const struct bound *arg_bound(const struct invocation *inv, const char *name);
Tcl_Obj *arg_object(const struct invocation *inv, const char *name);

/* Numbers: 10, 0x10, 4k, 8M. A failure sets the error and names `what`. */
int number_parse(const char *what, const char *text, uint64_t max,
		 uint64_t *ret);
/* An optional argument: leaves *ret alone when it was not given. */
int arg_number(const struct invocation *inv, const char *name, uint64_t max,
	       uint64_t *ret);
int arg_boolean(const struct invocation *inv, const char *name, bool *ret);

/* Mistakes of the user: exit 2. Returns -EINVAL. hint NULL: none. */
int fail(const char *code, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The command worked and the answer is bad: exit 1. Returns -EINVAL. */
int fail_answer(const char *code, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Is the error that the interpreter holds the author's: unknown or wrong words,
 * Tcl's own grammar, or what this machine or build can not do? Not what an
 * operation answered, nor `error TEXT`. */
bool error_is_mistake(void);
/* Gives the error the closest of the candidates as its hint. */
void hint_nearest(const char *word, const char *const *candidates, size_t nr);
const char *nearest(const char *word, const char *const *candidates, size_t nr);

/* ---- completers ---- */
void complete_cache(struct words *to);
void complete_object(struct words *to);
void complete_slab(struct words *to);
void complete_cache_or_slab(struct words *to);
void complete_kind(struct words *to);
void complete_report(struct words *to);
void complete_title(struct words *to);
void complete_event(struct words *to);
void complete_point(struct words *to);
void complete_topic(struct words *to);
void complete_sysctl(struct words *to);

#endif

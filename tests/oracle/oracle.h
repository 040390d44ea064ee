/* SPDX-License-Identifier: MIT */
/*
 * oracle.h - a measured kernel's answers, and ours to the same commands
 *
 *	.log file --parse--> case --replay (a child)--> .log text --parse--> case
 *	                       |                                             |
 *	                   normalise                                     normalise
 *	                       |                                             |
 *	             rules: what 7.0 says --------- compare -----------------+
 *
 * The answers of the kernel (6.12) and ours travel in one grammar, through one
 * parser and one normaliser, which drops what a run does not choose: addresses
 * become object + offset, taint, ages, pids and frames go. What is left is
 * compared as text, step by step.
 *
 * A rule turns the kernel's answer into the one that 7.0 gives, or into the
 * one of an allocator that survives; it reads the case's text and commands
 * only. Where that needs to know which objects are free, model.c keeps count.
 *
 * Memory: a run of this program is short; what it reads it keeps, but for the
 *         cases of a file, which case_free() gives back.
 */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- lines of text ---- */
struct lines {
	char **at;
	size_t nr, room;
};
void lines_add(struct lines *l, const char *text);
void lines_addf(struct lines *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* nr lines from first, in the order of their text */
void lines_sort(struct lines *l, size_t first, size_t nr);
void lines_copy(struct lines *to, const struct lines *from);
/* line i goes, or comes before the one that is there */
void lines_drop(struct lines *l, size_t i);
void lines_insert(struct lines *l, size_t i, const char *text);
void lines_replace(struct lines *l, size_t i, const char *text);
bool lines_equal(const struct lines *a, const struct lines *b);
void lines_free(struct lines *l);

void *must(void *p); /* memory, or the end */
#define NAME_SIZE 64 /* of a name of an object, and an offset from it */
const char *name_copy(char *buf, const char *name);
bool starts_with(const char *text, const char *prefix);
/* Text between prefix and suffix, into buf; false when it is not like that. */
bool text_between(const char *text, const char *prefix, const char *suffix,
		  char *buf, size_t size);

/* ---- cases ---- */
struct step {
	bool is_phase; /* command is the phase's name */
	bool is_unrun; /* the kernel never came here */
	char *command;
	struct lines out; /* own lines and kernel lines, as they came */
};

enum stop { STOP_NONE, STOP_KILLED, STOP_HUNG, STOP_NOT_RUN };

struct oracle_case {
	char *name, *boot;
	struct lines notes;
	struct step *steps;
	size_t nr_steps;
	enum stop stop;	 /* after the last step that is not unrun */
	bool no_sheaves; /* replay it on caches without sheaves */

	/* from index.tsv, when there is one */
	bool is_indexed, is_order_dependent;
	char *index_rule; /* "-" or "wrong-cache+sheaves"; NULL */
};

struct cases {
	struct oracle_case *at;
	size_t nr, room;
};

/* Adds the cases of a file. 0; or -1 and the reason on stderr, file:line. */
int parse_file(const char *path, struct cases *ret);
int parse_stream(FILE *in, const char *path, struct cases *ret);
/* path is a .log file, or a directory with any number of them and perhaps
 * index.tsv, which is read too. */
int parse_path(const char *path, struct cases *ret);
void case_print(const struct oracle_case *c, FILE *out);
void cases_free(struct cases *cs);
/* The step at which the kernel stopped; nr_steps when it did not. */
size_t case_stop_step(const struct oracle_case *c);

/* A command's words. */
#define MAX_WORDS 128
struct words {
	char text[4096];
	char *at[MAX_WORDS];
	size_t nr;
};
void words_split(struct words *w, const char *command);
/* Word i as a C number; missing ones are 0. */
long long words_number(const struct words *w, size_t i);
/* SIZE or N of `uo=N us=N`; false when there is none. */
bool words_key(const struct words *w, const char *key, unsigned long *ret);
bool words_has(const struct words *w, const char *word);

/* A table with a heading, tab-separated. */
struct table {
	char **cells;
	size_t nr_rows, nr_columns;
	char **names;
};
int table_read(const char *path, struct table *ret);
/* The cell, "" when there is no such column. */
const char *table_cell(const struct table *t, size_t row, const char *column);
void table_free(struct table *t);

/* ---- what the geometry of a cache makes of an offset ---- */
enum {
	FLAG_F = 1,
	FLAG_Z = 2,
	FLAG_P = 4,
	FLAG_U = 8,
	FLAG_T = 16,
	FLAG_RCU = 32,
	FLAG_CTOR = 64,
	FLAG_KMALLOC = 128
};
#define FLAG_DEBUG (FLAG_F | FLAG_Z | FLAG_P | FLAG_U | FLAG_T)

/* From spec/debugging/object-layout.md, not from the library. */
struct layout {
	unsigned int flags, object_size, align;
	unsigned int inuse, fp, info_end, meta_end, left_pad, size, span;
	bool is_poisoned; /* the payload too */
	bool has_orig_size;
	bool fp_is_outside;
};
void layout_compute(struct layout *l, unsigned int object_size,
		    unsigned int align, unsigned int flags);
unsigned int flags_from_letters(const char *letters);

enum region {
	IN_LEFT_REDZONE,
	IN_OBJECT,
	IN_RIGHT_REDZONE,
	IN_FREEPTR,
	IN_TRACKS,
	IN_ORIG_SIZE,
	IN_PADDING,
	IN_NOTHING
};
/* Where offset from the object lies. */
enum region layout_region(const struct layout *l, long offset);

/* A row of a hex dump, 16 bytes from offset; ".." for what no flag and no
 * request determines. buf holds 96. */
const char *hex_text(const struct layout *l, unsigned long orig_size,
		     long offset, const int *bytes, size_t nr, char *buf);

/* ---- normal form ---- */
/* What a cache name stands for, as the case's own text says. */
struct case_cache {
	char name[64];
	struct layout layout;
	unsigned int order, objects;
	bool is_kmalloc;
};
/* The `@@ geo` line of a create. */
bool case_cache_read(const char *geo, struct case_cache *ret);
struct normal_step {
	struct lines out;
};
struct normal {
	struct normal_step *steps; /* as many as the case has */
	size_t nr_steps;
};
void normalise(const struct oracle_case *c, struct normal *ret);
/* Does the answer hang on the machine's secret? A write to a part of a free
 * pointer leads where chance will have it. */
bool case_depends_on_key(const struct oracle_case *c);
void normal_copy(struct normal *to, const struct normal *from);
void normal_free(struct normal *n);
/* The kmalloc class that serves size, and its flags in this case. */
unsigned int bytes_of_class(unsigned long size);
unsigned int case_kmalloc_flags(const struct oracle_case *c);

/* ---- replay ---- */
#define OTHERS 3 /* objects of others in a kmalloc class */
struct replay {
	struct oracle_case answer; /* parsed; name NULL when it gave none */
	char failure[160];	   /* "": it ran to the end */
};
/* In a child, within seconds. */
void replay_case(const struct oracle_case *c, uint64_t seed,
		 struct replay *ret);
void replay_free(struct replay *r);
/* The child's part: the answers to out, in the grammar of a .log file. */
int replay_print(const struct oracle_case *c, uint64_t seed, FILE *out);

/* ---- rules ---- */
#define MAX_RULES 16
struct rule {
	const char *name; /* a row of lib/DIVERGENCE.md, or of index.tsv */
	const char *says; /* one line for --rules */
	/* the same answer in the words of another version, nothing else: a
	 * case that needs no other rule agrees */
	bool is_wording;
};
extern const struct rule rules[];
extern const size_t nr_rules;

struct prediction {
	struct normal normal; /* what the library answers */
	/* a rule changed what the kernel answered */
	bool is_applied[MAX_RULES];
	/* a rule says how it goes on where the kernel stopped; -1 */
	int survival;
	/* Steps before nr_exact are compared word for word, those before
	 * nr_known by what they find, repair and return, the others by the
	 * form of their answer. */
	size_t nr_exact, nr_known;
	/* The step in which the kernel stopped, where nothing could be
	 * computed: what it had printed must come first. nr_steps: none. */
	size_t prefix_step;
	char problem[160]; /* a rule that claims a case and changes nothing */
};
/* The rules that change lines where they stand. */
void rules_apply(const struct oracle_case *c, struct prediction *p);
void predict(const struct oracle_case *c, const struct normal *kernel,
	     struct prediction *ret);
void prediction_free(struct prediction *p);
bool prediction_is_explained(const struct prediction *p);
/* Only titles, labels, repairs and results of a step. */
void lines_reduce(const struct lines *full, struct lines *ret);
/* Names of objects go from what is found at step i of n; results are numbered
 * in the order in which results first name them. */
void lines_unname(struct lines *l, const struct normal *n, size_t i);
/* Only the form of a command's result. */
void lines_form(const struct lines *full, struct lines *ret);

/* ---- the commands ---- */
struct run_options {
	bool is_verbose;
	const char *show;    /* one case, with its differences */
	bool show_differing; /* all that differ */
	bool list_rules;
	bool no_sheaves; /* of caches that cases make */
	uint64_t seed;
	unsigned int nr_seeds;
};
int command_run(const char *path, const struct run_options *options);
int command_print(const char *path);
int command_replay(const char *path, const char *name, uint64_t seed);
int command_normal(const char *path, const char *name);
int command_geometry(const char *path, bool is_verbose);
int command_layout(const char *path, bool is_verbose);
int command_caches(const char *path, bool is_verbose);

#endif

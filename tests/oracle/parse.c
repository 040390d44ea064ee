/* SPDX-License-Identifier: MIT */
/*
 * parse.c - .log files, index.tsv and other tables into memory, and back
 *
 * The grammar is that of fixtures/kernel/README.md. A file that does not keep
 * it is refused with file and line: a case that was not read must not pass.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "oracle.h"

void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "slab-oracle: out of memory\n");
		exit(2);
	}
	return p;
}

bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool text_between(const char *text, const char *prefix, const char *suffix,
		  char *buf, size_t size)
{
	const char *end;
	size_t n;

	if (!starts_with(text, prefix))
		return false;
	text += strlen(prefix);
	end = *suffix ? strstr(text, suffix) : text + strlen(text);
	if (!end)
		return false;
	n = (size_t)(end - text);
	if (n >= size)
		n = size - 1;
	memcpy(buf, text, n);
	buf[n] = 0;
	return true;
}

const char *name_copy(char *buf, const char *name)
{
	snprintf(buf, NAME_SIZE, "%s", name);
	return buf;
}

/* ---- lines ---- */
void lines_insert(struct lines *l, size_t i, const char *text)
{
	if (l->nr == l->room) {
		l->room = l->room ? 2 * l->room : 8;
		l->at = must(realloc(l->at, l->room * sizeof(*l->at)));
	}
	memmove(l->at + i + 1, l->at + i, (l->nr - i) * sizeof(*l->at));
	l->at[i] = must(strdup(text));
	l->nr++;
}

void lines_replace(struct lines *l, size_t i, const char *text)
{
	free(l->at[i]);
	l->at[i] = must(strdup(text));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void lines_sort(struct lines *l, size_t first, size_t nr)
{
	if (nr > 1)
		qsort(l->at + first, nr, sizeof(*l->at), by_text);
}

void lines_add(struct lines *l, const char *text)
{
	lines_insert(l, l->nr, text);
}

void lines_addf(struct lines *l, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		must(NULL);
	va_end(args);
	lines_add(l, text);
	free(text);
}

void lines_drop(struct lines *l, size_t i)
{
	free(l->at[i]);
	l->nr--;
	memmove(l->at + i, l->at + i + 1, (l->nr - i) * sizeof(*l->at));
}

void lines_copy(struct lines *to, const struct lines *from)
{
	*to = (struct lines){ 0 };
	for (size_t i = 0; i < from->nr; i++)
		lines_add(to, from->at[i]);
}

bool lines_equal(const struct lines *a, const struct lines *b)
{
	if (a->nr != b->nr)
		return false;
	for (size_t i = 0; i < a->nr; i++) {
		if (strcmp(a->at[i], b->at[i]))
			return false;
	}
	return true;
}

void lines_free(struct lines *l)
{
	for (size_t i = 0; i < l->nr; i++)
		free(l->at[i]);
	free(l->at);
	*l = (struct lines){ 0 };
}

/* ---- cases ---- */
static void case_fini(struct oracle_case *c)
{
	for (size_t i = 0; i < c->nr_steps; i++) {
		free(c->steps[i].command);
		lines_free(&c->steps[i].out);
	}
	free(c->steps);
	free(c->name);
	free(c->boot);
	free(c->index_rule);
	lines_free(&c->notes);
}

void cases_free(struct cases *cs)
{
	for (size_t i = 0; i < cs->nr; i++)
		case_fini(&cs->at[i]);
	free(cs->at);
	*cs = (struct cases){ 0 };
}

static struct oracle_case *cases_add(struct cases *cs)
{
	if (cs->nr == cs->room) {
		cs->room = cs->room ? 2 * cs->room : 64;
		cs->at = must(realloc(cs->at, cs->room * sizeof(*cs->at)));
	}
	cs->at[cs->nr] = (struct oracle_case){ 0 };
	return &cs->at[cs->nr++];
}

static struct step *case_add_step(struct oracle_case *c, const char *command)
{
	struct step *step;

	/* powers of two: room is what nr says */
	if (!(c->nr_steps & (c->nr_steps - 1))) {
		size_t room = c->nr_steps ? 2 * c->nr_steps : 1;

		c->steps = must(realloc(c->steps, room * sizeof(*c->steps)));
	}
	step = &c->steps[c->nr_steps++];
	*step = (struct step){ .command = must(strdup(command)) };
	return step;
}

size_t case_stop_step(const struct oracle_case *c)
{
	size_t last = c->nr_steps;

	if (c->stop == STOP_NONE)
		return c->nr_steps;
	for (size_t i = 0; i < c->nr_steps; i++) {
		if (!c->steps[i].is_unrun && !c->steps[i].is_phase)
			last = i;
	}
	return last;
}

static const char *const stop_names[] = { "", "killed", "hung", "not-run" };

/* One line. NULL, or what is wrong with it. */
static const char *case_take(struct oracle_case **c, struct cases *cs,
			     const char *line, bool *is_stopped)
{
	struct step *step;

	if (starts_with(line, "@@ BEGIN ")) {
		if (*c)
			return "a case begins inside another";
		*c = cases_add(cs);
		(*c)->name = must(strdup(line + 9));
		*is_stopped = false;
		return NULL;
	}
	if (!*c)
		return *line ? "text outside of any case" : NULL;
	step = (*c)->nr_steps ? &(*c)->steps[(*c)->nr_steps - 1] : NULL;
	if (starts_with(line, "@@ END ")) {
		if (strcmp(line + 7, (*c)->name))
			return "END names another case than BEGIN";
		*c = NULL;
	} else if (starts_with(line, "@@ boot ")) {
		if ((*c)->boot || step)
			return "boot stands once, before the first command";
		(*c)->boot = must(strdup(line + 8));
	} else if (starts_with(line, "@@ note ")) {
		lines_add(&(*c)->notes, line + 8);
	} else if (starts_with(line, "@@ STOP ")) {
		for (size_t i = 1; i < ARRAY_SIZE(stop_names); i++) {
			if (!strcmp(line + 8, stop_names[i]))
				(*c)->stop = (enum stop)i;
		}
		if ((*c)->stop == STOP_NONE)
			return "STOP is killed, hung or not-run";
		*is_stopped = true;
	} else if (starts_with(line, "@@ unrun ")) {
		if (!*is_stopped)
			return "unrun without STOP before it";
		step = case_add_step(*c, line + 9);
		step->is_unrun = true;
		if (starts_with(step->command, "phase "))
			step->is_phase = true;
	} else if (*is_stopped) {
		return "something runs after STOP";
	} else if (starts_with(line, "@@ PHASE ")) {
		case_add_step(*c, line + 9)->is_phase = true;
	} else if (starts_with(line, "@@ > ")) {
		case_add_step(*c, line + 5);
	} else if (!step) {
		return "an answer before the first command";
	} else {
		lines_add(&step->out, line);
	}
	return NULL;
}

int parse_stream(FILE *in, const char *path, struct cases *ret)
{
	struct oracle_case *c = NULL;
	bool is_stopped = false;
	const char *wrong = NULL;
	char *line = NULL;
	size_t room = 0, nr = 0;
	ssize_t n;

	while (!wrong && (n = getline(&line, &room, in)) >= 0) {
		nr++;
		if (n && line[n - 1] == '\n')
			line[--n] = 0;
		if (strlen(line) != (size_t)n)
			wrong = "a NUL byte";
		else
			wrong = case_take(&c, ret, line, &is_stopped);
	}
	if (!wrong && c)
		wrong = "the file ends inside a case";
	free(line);
	if (wrong) {
		fprintf(stderr, "%s:%zu: %s\n", path, nr, wrong);
		return -1;
	}
	return 0;
}

int parse_file(const char *path, struct cases *ret)
{
	FILE *in = fopen(path, "r");
	int err;

	if (!in) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	err = parse_stream(in, path, ret);
	fclose(in);
	return err;
}

void case_print(const struct oracle_case *c, FILE *out)
{
	bool is_stopped = false;

	fprintf(out, "@@ BEGIN %s\n", c->name);
	if (c->boot)
		fprintf(out, "@@ boot %s\n", c->boot);
	for (size_t i = 0; i < c->notes.nr; i++)
		fprintf(out, "@@ note %s\n", c->notes.at[i]);
	for (size_t i = 0; i < c->nr_steps; i++) {
		const struct step *step = &c->steps[i];

		if (step->is_unrun && !is_stopped)
			fprintf(out, "@@ STOP %s\n", stop_names[c->stop]);
		is_stopped |= step->is_unrun;
		fprintf(out, "@@ %s %s\n",
			step->is_unrun	 ? "unrun"
			: step->is_phase ? "PHASE"
					 : ">",
			step->command);
		for (size_t j = 0; j < step->out.nr; j++)
			fprintf(out, "%s\n", step->out.at[j]);
	}
	if (c->stop != STOP_NONE && !is_stopped)
		fprintf(out, "@@ STOP %s\n", stop_names[c->stop]);
	fprintf(out, "@@ END %s\n", c->name);
}

/* ---- a directory ---- */
static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct oracle_case *)a)->name,
		      ((const struct oracle_case *)b)->name);
}

static int index_read(const char *path, struct cases *cs)
{
	struct table t;

	if (table_read(path, &t))
		return -1;
	for (size_t i = 0; i < t.nr_rows; i++) {
		struct oracle_case key = { .name = (char *)table_cell(&t, i,
								      "case") };
		struct oracle_case *c =
			cs->nr ? bsearch(&key, cs->at, cs->nr, sizeof(*cs->at),
					 by_name)
			       : NULL;

		if (!c)
			continue; /* a row of a case that is not here */
		c->is_indexed = true;
		c->is_order_dependent =
			!strcmp(table_cell(&t, i, "order_dependent"), "yes");
		c->index_rule = must(strdup(table_cell(&t, i, "rule_7_0")));
	}
	table_free(&t);
	return 0;
}

static int only_logs(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 4 && !strcmp(entry->d_name + n - 4, ".log");
}

int parse_path(const char *path, struct cases *ret)
{
	struct dirent **entries;
	struct stat st;
	char file[4096];
	int nr, err = 0;

	if (stat(path, &st)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	if (!S_ISDIR(st.st_mode)) {
		err = parse_file(path, ret);
		if (!err && !ret->nr) {
			fprintf(stderr, "%s: no case in it\n", path);
			err = -1;
		}
		return err;
	}
	nr = scandir(path, &entries, only_logs, alphasort);
	if (nr < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	for (int i = 0; i < nr; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (!err)
			err = parse_file(file, ret);
		free(entries[i]);
	}
	free(entries);
	if (err)
		return err;
	if (!ret->nr) {
		fprintf(stderr, "%s: no case in any .log file\n", path);
		return -1;
	}
	qsort(ret->at, ret->nr, sizeof(*ret->at), by_name);
	snprintf(file, sizeof(file), "%s/index.tsv", path);
	return stat(file, &st) ? 0 : index_read(file, ret);
}

/* ---- words of a command ---- */
void words_split(struct words *w, const char *command)
{
	char *at;

	w->nr = 0;
	snprintf(w->text, sizeof(w->text), "%s", command);
	at = w->text;
	while (*at && w->nr < MAX_WORDS) {
		w->at[w->nr++] = at;
		at += strcspn(at, " ");
		if (*at)
			*at++ = 0;
	}
}

long long words_number(const struct words *w, size_t i)
{
	if (i >= w->nr)
		return 0;
	/* 64-bit stores are written unsigned, offsets signed */
	return w->at[i][0] == '-' ? strtoll(w->at[i], NULL, 0)
				  : (long long)strtoull(w->at[i], NULL, 0);
}

bool words_key(const struct words *w, const char *key, unsigned long *ret)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < w->nr; i++) {
		if (!strncmp(w->at[i], key, n) && w->at[i][n] == '=') {
			*ret = strtoul(w->at[i] + n + 1, NULL, 0);
			return true;
		}
	}
	return false;
}

bool words_has(const struct words *w, const char *word)
{
	for (size_t i = 0; i < w->nr; i++) {
		if (!strcmp(w->at[i], word))
			return true;
	}
	return false;
}

/* ---- tables ---- */
static size_t split_cells(char *line, char **cells, size_t max)
{
	size_t nr = 0;
	char *cell;

	while ((cell = strsep(&line, "\t"))) {
		if (nr < max)
			cells[nr] = must(strdup(cell));
		nr++;
	}
	return nr;
}

int table_read(const char *path, struct table *ret)
{
	FILE *in = fopen(path, "r");
	char *names[256], *line = NULL;
	size_t room = 0, nr_lines = 0;
	ssize_t n;
	int err = 0;

	*ret = (struct table){ 0 };
	if (!in) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	while (!err && (n = getline(&line, &room, in)) >= 0) {
		size_t nr = ret->nr_columns;

		nr_lines++;
		if (n && line[n - 1] == '\n')
			line[n - 1] = 0;
		if (!ret->names) {
			nr = split_cells(line, names, ARRAY_SIZE(names));
			if (nr > ARRAY_SIZE(names))
				nr = ARRAY_SIZE(names);
			ret->nr_columns = nr;
			ret->names = must(malloc(sizeof(names)));
			memcpy(ret->names, names, sizeof(names));
			continue;
		}
		ret->cells = must(reallocarray(ret->cells,
					       (ret->nr_rows + 1) * (nr + 1),
					       sizeof(*ret->cells)));
		if (split_cells(line, ret->cells + ret->nr_rows * nr, nr) !=
		    nr) {
			fprintf(stderr, "%s:%zu: %zu columns are wanted\n",
				path, nr_lines, nr);
			err = -1;
		} else {
			ret->nr_rows++;
		}
	}
	free(line);
	fclose(in);
	/* a table that says nothing must not pass for one that agrees */
	if (!err && !ret->nr_rows) {
		fprintf(stderr, "%s: no row\n", path);
		err = -1;
	}
	if (err)
		table_free(ret);
	return err;
}

const char *table_cell(const struct table *t, size_t row, const char *column)
{
	for (size_t i = 0; i < t->nr_columns; i++) {
		if (!strcmp(t->names[i], column))
			return t->cells[row * t->nr_columns + i];
	}
	return "";
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->nr_rows * t->nr_columns; i++)
		free(t->cells[i]);
	for (size_t i = 0; i < t->nr_columns; i++)
		free(t->names[i]);
	free(t->cells);
	free(t->names);
	*t = (struct table){ 0 };
}

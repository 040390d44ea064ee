/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_output.c - one result, four ways to say it
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "output.h"
#include "paint.h"
#include "test_output.h"

static const struct field result_fields[] = {
	FIELD("file", TEXT, "where the scenario stands"),
	FIELD("line", COUNT, "of what failed"),
	FIELD("title", TEXT, "of the scenario"),
	FIELD("outcome", TEXT, "ok, skipped, failed, mistake or died"),
	FIELD("message", TEXT, "what failed"),
	{},
};
static const struct field test_fields[] = {
	FIELD("ok", COUNT, "scenarios that came true"),
	FIELD("failed", COUNT, "expectations failed, reports left over"),
	FIELD("mistakes", COUNT, "mistakes in files"),
	FIELD("died", COUNT, "processes that died"),
	FIELD("skipped", COUNT,
	      "scenarios that this build or machine can not run"),
	FIELD("scenarios", TABLE, "one row each", .of = result_fields),
	{},
};
static const struct field test_returns =
	FIELD("test", RECORD, NULL, .of = test_fields);

static void print_lines(const char *prefix, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		printf("%s%.*s\n", prefix, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* slabctl test FILE --filter 'TITLE', quoted for a shell. */
static void print_again(const char *prefix, const struct test_file *f,
			const struct scenario_result *r)
{
	const char *p;

	printf("%sagain: slabctl %stest %s --filter '", prefix,
	       session.opt.is_native ? "--native " : "", f->path);
	for (p = r->title; *p; p++) {
		if (*p == '\'')
			fputs("'\\''", stdout);
		else if (strchr("*?[\\", *p))
			printf("\\%c", *p);
		else
			putchar(*p);
	}
	puts("'");
}

static void print_why(const char *prefix, const struct test_file *f,
		      const struct scenario_result *r)
{
	size_t n = strcspn(r->message, "\n");

	printf("%s", prefix);
	if (*r->file)
		printf("%s:%u: ", r->file, r->line);
	printf("%.*s\n", (int)n, r->message);
	print_lines(prefix, r->message + n + (r->message[n] == '\n'));
	if (*r->hint)
		printf("%s  hint: %s\n", prefix, r->hint);
	print_lines(prefix, r->detail);
	if (*r->output) {
		printf("%swhat it wrote:\n", prefix);
		print_lines(prefix, r->output);
	}
	if (strcmp(r->title, "outside any scenario") &&
	    strcmp(r->title, "transcript"))
		print_again(prefix, f, r);
}

static void tell_person(const struct test_file *f,
			const struct scenario_result *r)
{
	static const struct {
		const char *word;
		enum style style;
	} words[] = {
		[OUTCOME_SKIPPED] = { "skip", STYLE_WARN },
		[OUTCOME_OK] = { "ok", STYLE_GOOD },
		[OUTCOME_FAILED] = { "FAILED", STYLE_BAD },
		[OUTCOME_MISTAKE] = { "MISTAKE", STYLE_BAD },
		[OUTCOME_DIED] = { "DIED", STYLE_BAD },
	};
	struct look look = output_look(stdout);
	const char *word = words[r->outcome].word;
	int n = (int)strlen(word);

	fputs("  ", stdout);
	paint(stdout, &look, words[r->outcome].style, word, (size_t)n);
	printf("%*s%s\n", n > 4 ? 2 : 6 - n, "", r->title);
	if (r->outcome == OUTCOME_SKIPPED)
		printf("        %s\n", r->message);
	else if (r->outcome != OUTCOME_OK)
		print_why("    ", f, r);
}

static void tell_tap(struct test_output *to, const struct test_file *f,
		     const struct scenario_result *r)
{
	bool is_bad = r->outcome > OUTCOME_OK;

	printf("%sok %zu - %s: ", is_bad ? "not " : "", ++to->nr_told, f->path);
	if (r->outcome == OUTCOME_SKIPPED)
		printf("%s # SKIP %s\n", r->title, r->message);
	else
		print_lines("", *r->title ? r->title : "?");
	if (is_bad)
		print_why("# ", f, r);
}

void test_output_begin(struct test_output *to)
{
	if (to->is_tap)
		puts("TAP version 13");
}

void test_output_file(struct test_output *to, const struct test_file *f)
{
	size_t i;

	if (to->is_tap) {
		for (i = 0; i < f->nr; i++)
			tell_tap(to, f, f->result[i]);
	} else if (session.opt.format == FORMAT_TEXT &&
		   (f->nr || !to->filter)) {
		printf("%s\n", f->path);
		for (i = 0; i < f->nr; i++)
			tell_person(f, f->result[i]);
		if (!f->nr)
			puts("  no scenario");
	}
	output_flush();
}

/* ---- JUnit ---- */

static void xml(FILE *f, const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p; p++) {
		if (*p == '<')
			fputs("&lt;", f);
		else if (*p == '>')
			fputs("&gt;", f);
		else if (*p == '&')
			fputs("&amp;", f);
		else if (*p == '"')
			fputs("&quot;", f);
		else if (*p >= 0x20 || *p == '\n' || *p == '\t')
			fputc(*p, f);
	}
}

static void junit_case(FILE *f, const struct test_file *file,
		       const struct scenario_result *r)
{
	fputs("  <testcase classname=\"", f);
	xml(f, file->path);
	fputs("\" name=\"", f);
	xml(f, r->title);
	if (r->outcome == OUTCOME_OK) {
		fputs("\"/>\n", f);
		return;
	}
	if (r->outcome == OUTCOME_SKIPPED) {
		fputs("\">\n    <skipped message=\"", f);
		xml(f, r->message);
		fputs("\"/>\n  </testcase>\n", f);
		return;
	}
	fprintf(f, "\">\n    <%s type=\"%s\" message=\"",
		r->outcome == OUTCOME_FAILED ? "failure" : "error",
		outcome_name(r->outcome));
	xml(f, r->message);
	fputs("\">", f);
	fprintf(f, "%s:%u\n", r->file, r->line);
	xml(f, r->detail);
	fprintf(f, "</%s>\n  </testcase>\n",
		r->outcome == OUTCOME_FAILED ? "failure" : "error");
}

static int write_junit(const char *path, const struct test_file *file,
		       size_t nr, const size_t count[NR_OUTCOMES], size_t all)
{
	FILE *f = fopen(path, "we");
	size_t i, k;

	if (!f)
		return -errno;
	fprintf(f,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"slabctl\" tests=\"%zu\" failures=\"%zu\" "
		"errors=\"%zu\" skipped=\"%zu\">\n",
		all, count[OUTCOME_FAILED],
		count[OUTCOME_MISTAKE] + count[OUTCOME_DIED],
		count[OUTCOME_SKIPPED]);
	for (i = 0; i < nr; i++) {
		for (k = 0; k < file[i].nr; k++)
			junit_case(f, &file[i], file[i].result[k]);
	}
	fputs("</testsuite>\n", f);
	errno = 0;
	if (ferror(f) | fclose(f))
		return errno ? -errno : -EIO;
	return 0;
}

/* ---- the end ---- */

static void tell_json(const struct test_file *file, size_t nr,
		      const size_t count[NR_OUTCOMES])
{
	struct model *m = model_new(&test_returns);
	struct value *table, *row;
	size_t i, k;

	put_count(m->root, "ok", count[OUTCOME_OK]);
	put_count(m->root, "failed", count[OUTCOME_FAILED]);
	put_count(m->root, "mistakes", count[OUTCOME_MISTAKE]);
	put_count(m->root, "died", count[OUTCOME_DIED]);
	put_count(m->root, "skipped", count[OUTCOME_SKIPPED]);
	table = put_table(m->root, "scenarios");
	for (i = 0; i < nr; i++) {
		for (k = 0; k < file[i].nr; k++) {
			const struct scenario_result *r = file[i].result[k];

			row = table_row(table);
			put_text(row, "file", "%s", file[i].path);
			if (r->line)
				put_count(row, "line", r->line);
			put_text(row, "title", "%s", r->title);
			put_text(row, "outcome", "%s",
				 outcome_name(r->outcome));
			put_text(row, "message", "%s", r->message);
		}
	}
	output_model("test", m);
	model_put(m);
}

static void tell_sums(size_t nr, const size_t count[NR_OUTCOMES])
{
	printf("%zu scenario%s: %zu ok", nr, nr == 1 ? "" : "s",
	       count[OUTCOME_OK]);
	if (count[OUTCOME_FAILED])
		printf(", %zu failed", count[OUTCOME_FAILED]);
	if (count[OUTCOME_MISTAKE])
		printf(", %zu with a mistake", count[OUTCOME_MISTAKE]);
	if (count[OUTCOME_DIED])
		printf(", %zu died", count[OUTCOME_DIED]);
	if (count[OUTCOME_SKIPPED])
		printf(", %zu skipped", count[OUTCOME_SKIPPED]);
	putchar('\n');
}

enum exit_code test_output_end(struct test_output *to,
			       const struct test_file *file, size_t nr)
{
	size_t count[NR_OUTCOMES] = { 0 }, all = 0, i, k;
	enum exit_code exit = EXIT_FINE;
	int err;

	for (i = 0; i < nr; i++) {
		for (k = 0; k < file[i].nr; k++)
			count[file[i].result[k]->outcome]++;
	}
	for (i = 0; i < NR_OUTCOMES; i++) {
		all += count[i];
		if (count[i])
			exit = outcome_exit((enum outcome)i);
	}
	if (to->is_tap)
		printf("1..%zu\n", to->nr_told);
	else if (session.opt.format != FORMAT_TEXT)
		tell_json(file, nr, count);
	else if (!session.opt.is_quiet || exit)
		tell_sums(all, count);
	if (to->junit) {
		err = write_junit(to->junit, file, nr, count, all);
		if (err) {
			fail("no_file", NULL, "--junit %s: %s", to->junit,
			     strerror(-err));
			output_error();
			return EXIT_USAGE;
		}
	}
	if (!all) {
		fail("no_scenario",
		     to->filter ? "* matches anything: --filter "
				  "'*overflow*'"
				: NULL,
		     to->filter ? "no title matches --filter '%s'"
				: "the files have no scenario%.0s",
		     to->filter ? to->filter : "");
		output_error();
		return EXIT_USAGE;
	}
	return exit;
}

/* SPDX-License-Identifier: MIT */
/* driver/record.c - figures for programs: one JSON object, README.md says how
 * it is made up */
#define _GNU_SOURCE
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "output.h"

#define MAX_VERDICTS 64

/* json-c would write NaN, which no reader of JSON takes. */
static void add_number(json_object *o, const char *name, double value)
{
	json_object_object_add(o, name,
			       isfinite(value) ? json_object_new_double(value)
					       : NULL);
}

static void add_string(json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

/* What stands behind a key in /proc/cpuinfo, or the first line of a file. */
static void add_line(json_object *o, const char *name, const char *path,
		     const char *key)
{
	char *line = NULL, *value;
	size_t size = 0;
	FILE *f = fopen(path, "re");

	while (f && getline(&line, &size, f) > 0) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		value = *key ? strchr(line, ':') : line;
		if (!value)
			break;
		value += strspn(value, ": \t");
		value[strcspn(value, "\n")] = 0;
		add_string(o, name, value);
		break;
	}
	free(line);
	if (f)
		fclose(f);
}

static json_object *host(void)
{
	json_object *o = json_object_new_object();
	struct utsname u;
	double load;

	add_line(o, "cpu", "/proc/cpuinfo", "model name");
	json_object_object_add(
		o, "nr_cpus",
		json_object_new_int64(sysconf(_SC_NPROCESSORS_ONLN)));
	if (!uname(&u))
		add_string(o, "kernel", u.release);
	add_line(o, "huge_pages", "/sys/kernel/mm/transparent_hugepage/enabled",
		 "");
	if (getloadavg(&load, 1) == 1)
		add_number(o, "load_after", load);
	return o;
}

static json_object *build(void)
{
	json_object *o = json_object_new_object();

	add_string(o, "type", BENCH_BUILD_TYPE);
	add_string(o, "compiler", __VERSION__);
	return o;
}

static json_object *rows(const struct figures *f)
{
	json_object *a = json_object_new_array(), *o;

	for (size_t i = 0; i < f->nr_rows; i++) {
		o = json_object_new_object();
		add_string(o, "name", f->rows[i]->name);
		add_string(o, "what", f->rows[i]->what);
		json_object_array_add(a, o);
	}
	return a;
}

static json_object *times(const struct figures *f, size_t row, size_t column)
{
	const double *ns = figures_of(f, row, column);
	json_object *o = json_object_new_object(), *all;

	add_string(o, "row", f->rows[row]->name);
	add_string(o, "workload", f->columns[column]);
	add_number(o, "median", quantile(ns, f->nr_rounds, 0.5));
	add_number(o, "q1", quantile(ns, f->nr_rounds, 0.25));
	add_number(o, "q3", quantile(ns, f->nr_rounds, 0.75));
	all = json_object_new_array();
	for (size_t i = 0; i < f->nr_rounds; i++)
		json_object_array_add(
			all,
			isnan(ns[i]) ? NULL : json_object_new_double(ns[i]));
	json_object_object_add(o, "ns", all);
	return o;
}

static json_object *memory(const struct figures *f, size_t row, size_t column)
{
	json_object *o = json_object_new_object();

	add_string(o, "row", f->rows[row]->name);
	add_string(o, "workload", f->columns[column]);
	for (size_t i = 0; i < NR_MEMORY_ITEMS; i++)
		add_number(o, memory_names[i], f->memory[row][column][i]);
	return o;
}

static void add_samples(json_object *to, const struct figures *f)
{
	json_object *ns = json_object_new_array();
	json_object *bytes = json_object_new_array();
	size_t row, column;

	for (row = 0; row < f->nr_rows; row++)
		for (column = 0; column < f->nr_columns; column++)
			if (!row_can_run(f->rows[row], f->columns[column]))
				continue;
			else if (column_is_memory(f->columns[column]))
				json_object_array_add(bytes,
						      memory(f, row, column));
			else
				json_object_array_add(ns,
						      times(f, row, column));
	json_object_object_add(to, "times", ns);
	json_object_object_add(to, "memory", bytes);
}

static json_object *targets(const struct figures *f)
{
	struct verdict verdicts[MAX_VERDICTS], *v = verdicts;
	size_t nr = figures_judge(f, verdicts, MAX_VERDICTS);
	json_object *a = json_object_new_array(), *o;

	for (; nr--; v++) {
		o = json_object_new_object();
		add_string(o, "row", v->row);
		add_string(o, "workload", v->column);
		add_string(o, "against", v->against);
		add_number(o, "ratio", v->ratio);
		add_number(o, "limit", v->limit);
		add_number(o, "bound_ratio", v->bound_ratio);
		json_object_object_add(o, "holds",
				       json_object_new_boolean(v->holds));
		json_object_object_add(o, "vague",
				       json_object_new_boolean(v->is_vague));
		json_object_array_add(a, o);
	}
	return a;
}

int record_write(const struct figures *f, const char *path)
{
	json_object *o = json_object_new_object();
	int err;

	json_object_object_add(o, "host", host());
	json_object_object_add(o, "build", build());
	json_object_object_add(o, "rounds",
			       json_object_new_uint64(f->nr_rounds));
	json_object_object_add(o, "rows", rows(f));
	add_samples(o, f);
	json_object_object_add(o, "targets", targets(f));
	err = json_object_to_file_ext(path, o,
				      JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_SPACED)
		      ? -EIO
		      : 0;
	json_object_put(o);
	return err;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * record.c - --record FILE: every line that ran, in a file that -f runs again
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "shell.h"

static FILE *record;
static const char *record_path;

static void give_up(void)
{
	output_note("slabctl: --record %s: %s; nothing more is recorded",
		    record_path, strerror(errno ? errno : EIO));
	if (record)
		fclose(record);
	record = NULL;
}

void record_open(const char *path)
{
	record_path = path;
	errno = 0;
	record = fopen(path, "we");
	if (!record || fprintf(record, "#!/usr/bin/env -S slabctl -f\n") < 0 ||
	    fflush(record))
		give_up();
}

void record_line(const char *text)
{
	if (!record)
		return;
	errno = 0;
	if (fprintf(record, "%s%s", text,
		    *text && text[strlen(text) - 1] == '\n' ? "" : "\n") < 0 ||
	    fflush(record))
		give_up();
}

void record_close(void)
{
	FILE *f = record;

	record = NULL;
	errno = 0;
	if (f && fclose(f))
		output_note("slabctl: --record %s: %s", record_path,
			    strerror(errno));
}

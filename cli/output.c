/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * output.c - the only file that writes to stdout and stderr
 */
#define _GNU_SOURCE
#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"
#include "output.h"

#define ROWS_ON_A_TERMINAL 100

static int write_errno; /* what stdout failed with */

static struct winsize terminal_size(FILE *f)
{
	struct winsize size;

	if (ioctl(fileno(f), TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
		return (struct winsize){ .ws_col = 80, .ws_row = 24 };
	return size;
}

static bool wants_color(bool is_terminal)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (session.opt.color != COLOR_AUTO)
		return session.opt.color == COLOR_ALWAYS;
	return is_terminal && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

struct look output_look(FILE *f)
{
	bool is_terminal = isatty(fileno(f));
	struct look look = {
		.width = session.opt.width,
		.has_color = wants_color(is_terminal),
		.is_ascii = session.opt.is_ascii || !is_terminal ||
			    strcmp(nl_langinfo(CODESET), "UTF-8"),
	};

	if (is_terminal) {
		struct winsize size = terminal_size(f);

		if (look.width == 0)
			look.width = size.ws_col;
		look.height = size.ws_row;
		look.max_rows = ROWS_ON_A_TERMINAL;
	}
	if (look.width == UINT32_MAX) /* --width 0 */
		look.width = 0;
	return look;
}

int output_failed(void)
{
	return write_errno;
}

int output_flush(void)
{
	errno = 0;
	if ((fflush(stdout) || ferror(stdout)) && !write_errno)
		write_errno = errno ? errno : EIO;
	return write_errno;
}

static int after_write(void)
{
	if (isatty(STDOUT_FILENO) || ferror(stdout))
		output_flush();
	if (!write_errno)
		return 0;
	fail("output", NULL, "stdout takes no more: %s", strerror(write_errno));
	session.error.exit = EXIT_INCOMPLETE;
	return -write_errno;
}

/* A reader that went away, as head does, is told nothing. */
static void tell_write_error(void)
{
	if (write_errno != EPIPE)
		fprintf(stderr, "slabctl: stdout takes no more: %s\n",
			strerror(write_errno));
}

int output_end(int code)
{
	bool was_told = write_errno;

	if (session.opt.format != FORMAT_TEXT && !was_told)
		render_json_rest(stdout);
	output_flush();
	if (write_errno && !was_told)
		tell_write_error();
	return write_errno && code == EXIT_FINE ? EXIT_INCOMPLETE : code;
}

int output_model(const char *command, const struct model *m)
{
	struct look look;

	if (session.opt.format == FORMAT_TEXT) {
		look = output_look(stdout);
		render_text(m, stdout, &look);
	} else {
		render_json(command, m, stdout);
	}
	return after_write();
}

/* Tcl keeps NUL as two bytes. */
static void write_text(FILE *f, const char *text, size_t n)
{
	while (n) {
		const char *zero = memmem(text, n, "\xc0\x80", 2);
		size_t here = zero ? (size_t)(zero - text) : n;

		fwrite(text, 1, here, f);
		if (zero) {
			fputc('\0', f);
			here += 2;
		}
		text += here;
		n -= here;
	}
}

int output_text(const char *text, size_t n, bool to_stderr, bool newline)
{
	if (to_stderr) {
		output_flush();
		write_text(stderr, text, n);
		if (newline)
			fputc('\n', stderr);
		return 0;
	}
	if (session.opt.format != FORMAT_TEXT) {
		render_json_text("puts", text, stdout);
	} else {
		write_text(stdout, text, n);
		if (newline)
			fputc('\n', stdout);
	}
	return after_write();
}

/* Colours what a reader looks for; the words stay the kernel's. */
static const char *log_color(const char *line)
{
	if (!strncmp(line, "BUG ", 4) || line[0] == '[' ||
	    !strncmp(line, "WARNING", 7))
		return "\033[1;31m";
	if (!strncmp(line, "FIX ", 4))
		return "\033[33m";
	return NULL;
}

void output_log_line(const char *line)
{
	struct look look = output_look(stdout);
	const char *color = look.has_color ? log_color(line) : NULL;

	if (color)
		fprintf(stdout, "%s%s\033[0m\n", color, line);
	else
		fprintf(stdout, "%s\n", line);
}

void output_story(const char *format, ...)
{
	struct look look = output_look(stdout);
	va_list ap;

	if (session.opt.format != FORMAT_TEXT)
		return;
	fputs(look.has_color ? "\033[2m  " : "  ", stdout);
	va_start(ap, format);
	vfprintf(stdout, format, ap);
	va_end(ap);
	fputs(look.has_color ? "\033[0m\n" : "\n", stdout);
}

void output_note(const char *format, ...)
{
	va_list ap;

	output_flush();
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Control characters of a user's text do not reach the terminal. */
static void print_clean(FILE *f, const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p; p++) {
		if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)
			fprintf(f, "\\x%02x", *p);
		else if (p[0] == 0xc0 && p[1] == 0x80)
			fputs("\\x00", f), p++;
		else
			fputc(*p, f);
	}
}

void output_error(void)
{
	const struct cli_error *e = &session.error;
	struct look look = output_look(stderr);

	if (!strcmp(e->code, "output")) {
		tell_write_error();
		return;
	}
	if (session.opt.format != FORMAT_TEXT) {
		render_json_error(stdout);
		after_write();
		return;
	}
	output_flush();
	if (!session.is_shell)
		fputs("slabctl: ", stderr);
	else if (!strcmp(e->code, "interrupted"))
		fputc('\n', stderr); /* behind the terminal's ^C */
	/* the line of a typed command is above; its number helps nobody */
	if (e->file[0] && e->line && !session.is_typing && !session.is_oneshot)
		fprintf(stderr, "%s:%u: ", e->file, e->line);
	if (look.has_color)
		fputs("\033[1;31m", stderr);
	print_clean(stderr, e->message);
	if (look.has_color)
		fputs("\033[0m", stderr);
	fputc('\n', stderr);
	if (e->hint[0]) {
		fputs("  hint: ", stderr);
		print_clean(stderr, e->hint);
		fputc('\n', stderr);
	}
	if (e->detail)
		fputs(e->detail, stderr);
}

void output_fatal(const char *code, const char *message, const char *hint)
{
	struct cli_error *e = &session.error;

	memset(e, 0, sizeof(*e));
	snprintf(e->code, sizeof(e->code), "%s", code);
	snprintf(e->message, sizeof(e->message), "%s", message);
	snprintf(e->hint, sizeof(e->hint), "%s", hint);
	fflush(stdout);
	if (session.opt.format == FORMAT_TEXT) {
		fprintf(stderr, "slabctl: %s\n  hint: %s\n", message, hint);
	} else { /* json-c would allocate */
		printf("{\"v\":1,\"ok\":false,\"error\":{\"code\":\"%s\","
		       "\"message\":\"%s\",\"hint\":\"%s\"}}\n",
		       code, message, hint);
	}
	fflush(stdout);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shell.c - the prompt: readline around the interpreter
 *
 * Readline's callback form, so that Ctrl-C, a resized window and a terminal
 * that goes are met between characters and not inside a library call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "complete.h"
#include "hints.h"
#include "interp.h"
#include "lesson.h"
#include "output.h"
#include "shell.h"

#ifndef SLAB_VERSION
#define SLAB_VERSION "0"
#endif

#define HISTORY_LINES 10000

static char *typed;	      /* lines so far of one command */
static unsigned int nr_lines; /* typed in this session */
static bool is_over;
static enum exit_code last_exit;
static volatile sig_atomic_t got_interrupt, got_resize, got_end;
static int wake[2]; /* a pipe: a signal in front of poll() must end it too */

/* ---- history ---- */

static char history_path[4096];

/* $variable/slabctl/file, or below the home folder when it is not set. */
static bool find_path(char *buf, size_t size, const char *variable,
		      const char *below_home, const char *file)
{
	const char *base = getenv(variable), *home = getenv("HOME");

	if (base && *base == '/')
		return snprintf(buf, size, "%s/slabctl/%s", base, file) <
		       (int)size;
	if (!home || !*home)
		return false;
	return snprintf(buf, size, "%s/%s/slabctl/%s", home, below_home, file) <
	       (int)size;
}

static void make_folders(char *path)
{
	char *p;

	for (p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
}

static void history_give_up(int err)
{
	output_note("slabctl: the history is not kept: %s: %s", history_path,
		    strerror(err));
	*history_path = '\0';
}

static void history_open(void)
{
	int fd;

	using_history();
	stifle_history(HISTORY_LINES);
	if (!find_path(history_path, sizeof(history_path), "XDG_STATE_HOME",
		       ".local/state", "history")) {
		*history_path = '\0';
		return;
	}
	make_folders(history_path);
	fd = open(history_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		history_give_up(errno);
		return;
	}
	fchmod(fd, 0600);
	close(fd);
	read_history(history_path);
}

static void history_keep(const char *line)
{
	HIST_ENTRY *last =
		history_length ? history_get(history_base + history_length - 1)
			       : NULL;
	int err;

	if (!line[strspn(line, " \t")] || (last && !strcmp(last->line, line)))
		return;
	add_history(line);
	if (!*history_path)
		return;
	err = append_history(1, history_path);
	if (err)
		history_give_up(err > 0 ? err : EIO);
}

static void history_close(void)
{
	if (*history_path)
		history_truncate_file(history_path, HISTORY_LINES);
	clear_history();
}

/* ---- completion ---- */

static char **candidates;
static size_t next_candidate;

static char *next_match(const char *text, int state)
{
	(void)text;
	if (!state)
		next_candidate = 0;
	return candidates && candidates[next_candidate]
		       ? strdup(candidates[next_candidate++])
		       : NULL;
}

static char **complete(const char *text, int start, int end)
{
	char *line = must_strdup(rl_line_buffer), **matches, **c;
	size_t offset = typed ? strlen(typed) : 0, n;

	rl_attempted_completion_over = 1;
	line[end] = '\0';
	if (typed) { /* the command began lines ago */
		char *all;

		if (asprintf(&all, "%s%s", typed, line) < 0)
			die_no_memory();
		free(line);
		line = all;
	}
	candidates = complete_line(line, offset + (size_t)start);
	matches = rl_completion_matches(text, next_match);
	n = matches && matches[0] ? strlen(matches[0]) : 0;
	if (n && (matches[0][n - 1] == '=' || matches[0][n - 1] == '.'))
		rl_completion_append_character = '\0';
	for (c = candidates; c && *c; c++)
		free(*c);
	free(candidates);
	candidates = NULL;
	free(line);
	return matches;
}

/* ---- lines ---- */

static void forget_typed(void)
{
	free(typed);
	typed = NULL;
	rl_set_prompt(PROMPT);
}

/* A transcript pasted back in brings its prompts along. */
static const char *without_prompt(const char *line)
{
	if (!strncmp(line, PROMPT, strlen(PROMPT)))
		return line + strlen(PROMPT);
	if (!strncmp(line, CONTINUE, strlen(CONTINUE)))
		return line + strlen(CONTINUE);
	return line;
}

static void keep_typed(const char *line)
{
	char *all;

	if (asprintf(&all, "%s%s\n", typed ? typed : "", line) < 0)
		die_no_memory();
	free(typed);
	typed = all;
}

static unsigned int count_newlines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void run_typed(void)
{
	char *text = typed;
	const char *note;

	typed = NULL;
	text[strlen(text) - 1] = '\0';
	session.is_typing = true;
	last_exit = interp_text(text, "shell", nr_lines + 1);
	session.is_typing = false;
	session.has_bad_answer = false; /* the prompt goes on */
	if (last_exit == EXIT_FINE || last_exit == EXIT_BAD_ANSWER) {
		note = hint_after(text);
		if (note)
			output_note("%s", note);
		if (!session.wants_quit)
			record_line(text);
	}
	nr_lines += count_newlines(text) + 1;
	if (lesson_is_asked_for())
		lesson_play();
	output_flush();
	if (session.wants_quit || output_failed())
		is_over = true;
	free(text);
}

/* Readline 8.2 ends the line at Ctrl-D itself when it brackets pastes, and then
 * goes on doing so. */
static void end_line(void)
{
#if RL_READLINE_VERSION >= 0x0802
	const char *brackets = rl_variable_value("enable-bracketed-paste");

	rl_eof_found = 0;
	if (brackets && !strcmp(brackets, "on"))
		return;
#endif
	putchar('\n');
}

static void take_line(char *raw)
{
	const char *line;

	if (!raw) { /* Ctrl-D */
		end_line();
		if (typed) {
			output_note("the { or \" was never closed; what was "
				    "typed is forgotten");
			forget_typed();
			return;
		}
		is_over = true;
		return;
	}
	line = without_prompt(raw);
	history_keep(line);
	keep_typed(line);
	free(raw);
	if (!Tcl_CommandComplete(typed)) {
		rl_set_prompt(CONTINUE);
		return;
	}
	rl_set_prompt(PROMPT);
	run_typed();
}

/* ---- signals ---- */

static void on_signal(int signal)
{
	if (signal == SIGINT)
		got_interrupt = 1;
	else if (signal == SIGWINCH)
		got_resize = 1;
	else
		got_end = signal;
	if (write(wake[1], "", 1) < 0)
		return; /* full: poll() will end anyway */
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGWINCH, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	size_t i;

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		die_no_memory();
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static bool is_reading_one; /* shell_read() */

/* True: Ctrl-C, and the line is the caller's to give up. */
static bool meet_signals(void)
{
	char bytes[64];

	while (read(wake[0], bytes, sizeof(bytes)) > 0)
		;
	if (got_resize) {
		got_resize = 0;
		rl_resize_terminal();
	}
	if (!got_interrupt)
		return false;
	got_interrupt = 0;
	rl_free_line_state();
	rl_callback_sigcleanup();
	fputs("^C\n", stdout);
	if (is_reading_one)
		return true;
	forget_typed();
	rl_replace_line("", 0);
	rl_on_new_line();
	rl_redisplay();
	return false;
}

static void start_file(void)
{
	char path[4096];
	bool was_quiet = session.opt.is_quiet;

	if (!find_path(path, sizeof(path), "XDG_CONFIG_HOME", ".config",
		       "init.slab") ||
	    access(path, F_OK))
		return;
	session.opt.is_quiet = true;
	session.is_shell = session.shows_results = false;
	interp_file(path, NULL);
	session.is_shell = session.shows_results = true;
	session.opt.is_quiet = was_quiet;
}

static void start_readline(void)
{
	rl_readline_name = "slabctl";
	rl_attempted_completion_function = complete;
	rl_basic_word_break_characters = " \t\n;[{}]";
	rl_completer_word_break_characters = " \t\n;[{}]";
	rl_completer_quote_characters = "";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
}

enum feed {
	FEED_ON,
	FEED_INTERRUPT,
	FEED_END, /* nothing more will come */
};

/* Gives readline a character, or meets a signal. */
static enum feed feed_readline(void)
{
	struct pollfd in[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = wake[0], .events = POLLIN } };
	int n = poll(in, 2, -1);

	if (n < 0 && errno != EINTR)
		return FEED_END;
	if (meet_signals())
		return FEED_INTERRUPT;
	if (n < 0)
		return FEED_ON;
	if (in[0].revents & (POLLERR | POLLNVAL))
		return FEED_END;
	if (in[0].revents & POLLIN)
		rl_callback_read_char();
	else if (in[0].revents & POLLHUP)
		return FEED_END;
	return FEED_ON;
}

/* ---- one line, for a lesson ---- */

static char *line_read;
static bool has_read;

static void keep_line(char *line)
{
	line_read = line;
	has_read = true;
	rl_callback_handler_remove();
	if (!line)
		end_line();
	else if (line[strspn(line, " \t")])
		add_history(line);
}

void shell_read_start(void)
{
	is_reading_one = true;
	using_history();
	clear_history(); /* the shell's is not the lesson's */
	catch_signals();
	start_readline();
}

bool shell_read(const char *prompt, const char *before, char **ret)
{
	enum feed feed = FEED_ON;
	const char *line;

	*ret = NULL;
	free(typed);
	typed = before ? must_strdup(before) : NULL;
	if (typed)
		keep_typed("");
	has_read = false;
	rl_callback_handler_install(prompt, keep_line);
	while (!has_read && feed == FEED_ON && !got_end)
		feed = feed_readline();
	if (!has_read) {
		rl_callback_handler_remove();
		return feed == FEED_INTERRUPT;
	}
	if (!line_read)
		return false;
	line = without_prompt(line_read);
	*ret = must_strdup(line);
	free(line_read);
	return true;
}

/* ---- the shell ---- */

enum exit_code shell_run(void)
{
	session.is_shell = session.shows_results = lesson_can_play = true;
	start_file();
	history_open();
	printf("slabctl " SLAB_VERSION ": slab caches on %s; help tells more, "
	       "Ctrl-D leaves\n",
	       session.opt.is_native ? "a native machine"
				     : "a virtual machine");
	catch_signals();
	start_readline();
	rl_callback_handler_install(PROMPT, take_line);
	while (!is_over && !got_end && feed_readline() != FEED_END)
		;
	rl_callback_handler_remove();
	history_close();
	free(typed);
	if (got_end) {
		signal(got_end, SIG_DFL);
		raise(got_end);
	}
	if (session.wants_quit)
		return (enum exit_code)session.quit_code;
	return EXIT_FINE;
}

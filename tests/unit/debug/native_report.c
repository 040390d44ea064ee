/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/native_report.c - threads find damage at once: every report
 * is whole and counted once, and nobody waits for himself */
#define _GNU_SOURCE
#include "../native.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slab/debug.h>
#include <slab/event.h>

#define NR_THREADS 4U
#define ROUNDS	   200U

static void open_quietly(void)
{
	/* what is done here on purpose is not AddressSanitizer's to find */
	static const struct slab_machine_config config = { .asan_off = true };

	assert_int_equal(slab_machine_create_native(&config, &m), 0);
	slab_machine_use(NULL);
}

static int setup(void **state)
{
	(void)state;
	open_quietly();
	return 0;
}

#define NOINLINE __attribute__((noinline))
/* So that no call becomes a jump: reports have the names of callers. */
#define STAY __asm__ volatile("" ::: "memory")

/* One byte behind an object of 64, then its free. */
static NOINLINE void overflow(struct kmem_cache *s)
{
	volatile char *p = kmem_cache_alloc(s, GFP_KERNEL);

	p[64] = 0x11;
	kmem_cache_free(s, (void *)p);
	STAY;
}

static struct kmem_cache *new_cache(const char *name)
{
	return kmem_cache_create(name, 64, NULL, SLAB_DEBUG_DEFAULT_FLAGS);
}

/* ---- at once ---- */
static struct {
	unsigned int inside, most_inside;
	unsigned int reports, fixes, begun, ended, strange;
	bool seen[NR_THREADS * ROUNDS + 1];
	char last[512];
} told;

static void count_line(void *arg, const char *line)
{
	(void)arg;
	told.begun += !strncmp(line, "[Right Redzone overwritten]", 27);
	told.ended += !strncmp(line, "---[ end trace", 14);
}

static void strict_sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	told.inside++;
	if (told.inside > told.most_inside)
		told.most_inside = told.inside;
	if (r->record == SLAB_RECORD_FIX) {
		told.fixes++;
	} else if (r->number > NR_THREADS * ROUNDS || told.seen[r->number] ||
		   r->kind != SLAB_REPORT_RIGHT_REDZONE) {
		told.strange++;
	} else {
		told.seen[r->number] = true;
		told.reports++;
	}
	slab_report_print(r, count_line, NULL);
	told.inside--;
}

static NOINLINE void *overflows(void *arg)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		overflow(arg);
	STAY;
	return NULL;
}

static void each_report_is_whole_and_counted_once(void **state)
{
	unsigned int i, all = NR_THREADS * ROUNDS;

	(void)state;
	memset(&told, 0, sizeof(told));
	slab_machine_add_sink(m, strict_sink, NULL);
	for (i = 0; i < NR_THREADS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		team_add(&team, overflows, new_cache(name));
	}
	team_stop(&team);
	assert_int_equal(told.most_inside, 1);
	assert_int_equal(told.strange, 0);
	assert_int_equal(told.reports, all);
	assert_int_equal(told.fixes, 2 * all);
	assert_int_equal(told.begun, all);
	assert_int_equal(told.ended, all);
	assert_int_equal(slab_machine_reports(m), all);
	assert_int_equal(slab_machine_errors(m), 3 * all);
}

/* ---- from inside ---- */
static void careless_sink(void *arg, const struct slab_report *r)
{
	if (r->record != SLAB_RECORD_REPORT)
		return;
	told.inside++;
	told.reports++;
	if (told.inside > told.most_inside)
		told.most_inside = told.inside;
	/* what it does wrong is told to itself */
	if (told.inside == 1)
		kmem_cache_free(arg, &told);
	told.inside--;
}

static void a_sink_that_causes_a_report_gets_it_inside(void **state)
{
	struct kmem_cache *s = new_cache("s"), *other = new_cache("other");

	(void)state;
	memset(&told, 0, sizeof(told));
	slab_machine_add_sink(m, careless_sink, other);
	alarm(patience());
	overflow(s);
	alarm(0);
	assert_int_equal(told.reports, 2);
	assert_int_equal(told.most_inside, 2);
	assert_int_equal(slab_machine_reports(m), 2);
}

static void in_handler(int sig)
{
	(void)sig;
	kfree_nolock(&told); /* which nobody allocated */
}

static void interrupted_sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (r->record == SLAB_RECORD_NOTE)
		snprintf(told.last, sizeof(told.last), "%s", r->text);
	if (r->record != SLAB_RECORD_REPORT)
		return;
	told.inside++;
	told.reports++;
	if (told.inside > told.most_inside)
		told.most_inside = told.inside;
	if (told.reports == 1)
		raise(SIGUSR1);
	told.inside--;
}

static void a_handler_that_interrupts_a_sink_waits_for_nobody(void **state)
{
	struct kmem_cache *s = new_cache("s");

	(void)state;
	memset(&told, 0, sizeof(told));
	signal(SIGUSR1, in_handler);
	slab_machine_add_sink(m, interrupted_sink, NULL);
	alarm(patience());
	overflow(s);
	alarm(0);
	signal(SIGUSR1, SIG_DFL);
	/* counted, and said to whoever is told something next */
	assert_int_equal(told.reports, 1);
	assert_int_equal(told.most_inside, 1);
	assert_int_equal(slab_machine_reports(m), 2);
	assert_string_equal(told.last,
			    "SLUB: 1 records of signal handlers could not be told");
}

/* ---- policies, each in a process of its own ---- */
static char text[1 << 16];

/* What fn wrote to stderr is in text; its wait status. */
static int in_child(void (*fn)(void))
{
	size_t used = 0;
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		fn();
		_exit(0);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void overflow_somewhere(void)
{
	signal(SIGABRT, SIG_DFL);
	overflow(new_cache("child"));
}

static void without_a_sink_the_kernels_text_goes_to_stderr(void **state)
{
	(void)state;
	assert_int_equal(in_child(overflow_somewhere), 0);
	assert_non_null(strstr(text, "BUG child (Not tainted): Object corrupt"));
	assert_non_null(strstr(text, "FIX child: Object at"));
}

static void with_a_sink_nothing_is_printed(void **state)
{
	(void)state;
	slab_machine_add_sink(m, strict_sink, NULL);
	assert_int_equal(in_child(overflow_somewhere), 0);
	assert_string_equal(text, "");
}

static void abort_ends_the_process_when_it_was_told(void **state)
{
	int status;

	(void)state;
	slab_machine_set_report_policy(m, SLAB_POLICY_ABORT, NULL, NULL);
	status = in_child(overflow_somewhere);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(text, "BUG child (Not tainted): Object corrupt"));
	assert_non_null(strstr(text, "Kernel panic - not syncing"));
	assert_null(strstr(text, "FIX"));
}

static void callback(void *arg, const struct slab_report *r)
{
	if (r->record == SLAB_RECORD_REPORT)
		++*(unsigned int *)arg;
}

static void a_callback_stands_for_what_is_printed(void **state)
{
	unsigned int calls = 0;

	(void)state;
	slab_machine_set_report_policy(m, SLAB_POLICY_CALLBACK, callback,
				       &calls);
	assert_int_equal(in_child(overflow_somewhere), 0);
	assert_string_equal(text, "");
	overflow(new_cache("s"));
	assert_int_equal(calls, 1);
	slab_machine_set_report_policy(m, SLAB_POLICY_CONTINUE, NULL, NULL);
	assert_int_equal(in_child(overflow_somewhere), 0);
	assert_true(strlen(text) > 100);
	assert_int_equal(calls, 1);
}

/* ---- by several threads, without a sink ---- */
static void overflow_everywhere(void)
{
	unsigned int i;

	for (i = 0; i < NR_THREADS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		team_add(&team, overflows, new_cache(name));
	}
	team_stop(&team);
}

/* Reports of many threads are more than `text` holds. */
static FILE *in_child_to_file(void (*fn)(void))
{
	FILE *file = tmpfile();
	int status;
	pid_t pid;

	assert_non_null(file);
	pid = fork();
	if (!pid) {
		dup2(fileno(file), STDERR_FILENO);
		alarm(patience());
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	rewind(file);
	return file;
}

static bool begins(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* From its first line to its last nobody comes in between; then its two repairs
 * follow, before the same thread finds anything else. */
struct reader {
	unsigned int at; /* how far the report is */
	unsigned int reports, strange;
	unsigned int fixes[NR_THREADS]; /* that are to come */
};

static void read_line(struct reader *r, const char *line)
{
	static const char *const parts[] = {
		"[Right Redzone overwritten]",	"BUG c",
		"Allocated in overflow+0x",	" overflow+0x",
		" overflows+0x",		"Slab 0x",
		"Object 0x",			"Redzone ",
		"Object ",			"Redzone ",
		"------------[ cut here ]",	"Call Trace:",
		" overflow+0x",			" overflows+0x",
		"---[ end trace",
	};
	const unsigned int nr_parts = sizeof(parts) / sizeof(*parts);
	unsigned int thread = (unsigned int)(line[5] - '0') % NR_THREADS;

	if (begins(line, "FIX c")) {
		r->strange += r->at || !r->fixes[thread];
		r->fixes[thread]--;
		return;
	}
	if (!begins(line, parts[r->at])) {
		/* somebody else's first line or last one */
		r->strange += begins(line, parts[0]) ||
			      begins(line, parts[nr_parts - 1]);
		return;
	}
	if (begins(line, "BUG c")) {
		r->strange += r->fixes[thread];
		r->fixes[thread] = 2;
	}
	if (++r->at == nr_parts) {
		r->at = 0;
		r->reports++;
	}
}

static void stderr_is_whole_and_in_order(void **state)
{
	struct reader r = { 0 };
	unsigned int i;
	char line[512];
	FILE *file;

	(void)state;
	file = in_child_to_file(overflow_everywhere);
	while (fgets(line, sizeof(line), file))
		read_line(&r, line);
	fclose(file);
	assert_int_equal(r.strange, 0);
	assert_int_equal(r.at, 0);
	assert_int_equal(r.reports, NR_THREADS * ROUNDS);
	for (i = 0; i < NR_THREADS; i++)
		assert_int_equal(r.fixes[i], 0);
}

/* ---- cancelled ---- */
static void *overflow_cancelled(void *s)
{
	pthread_cancel(pthread_self());
	overflow(s);
	pthread_testcancel();
	return s;
}

/* Another one needs the locks that were held while it was told. */
static void overflow_in_a_thread_that_is_cancelled(void)
{
	struct kmem_cache *s = new_cache("cancelled");
	pthread_t thread;
	void *ret;

	alarm(patience());
	if (pthread_create(&thread, NULL, overflow_cancelled, s) ||
	    pthread_join(thread, &ret) || ret != PTHREAD_CANCELED)
		_exit(1);
	overflow(s);
	if (slab_machine_reports(m) != 2 || slab_machine_errors(m) != 6)
		_exit(2);
}

static void who_is_cancelled_has_told_it_all_first(void **state)
{
	const char *first;

	(void)state;
	assert_int_equal(in_child(overflow_in_a_thread_that_is_cancelled), 0);
	first = strstr(text, "---[ end trace");
	assert_non_null(first);
	assert_non_null(strstr(first + 1, "---[ end trace"));
}

/* ---- events ---- */
#define MAX_EVENTS 400000U
static uint8_t event_seen[MAX_EVENTS];
static unsigned int nr_events, events_twice;

static void count_event(void *arg, const struct slab_event *event)
{
	(void)arg;
	__atomic_fetch_add(&nr_events, 1, __ATOMIC_RELAXED);
	if (event->seq >= MAX_EVENTS ||
	    __atomic_exchange_n(&event_seen[event->seq], 1, __ATOMIC_RELAXED))
		__atomic_fetch_add(&events_twice, 1, __ATOMIC_RELAXED);
}

static void *allocates(void *arg)
{
	unsigned int i;

	for (i = 0; i < 5000; i++)
		kmem_cache_free(arg, kmem_cache_alloc(arg, GFP_KERNEL));
	return NULL;
}

static void each_event_has_a_number_of_its_own(void **state)
{
	struct kmem_cache *s = new_cache("s");
	unsigned int i;

	(void)state;
	slab_machine_set_event_hook(m, count_event, NULL);
	for (i = 0; i < NR_THREADS; i++)
		team_add(&team, allocates, s);
	team_stop(&team);
	slab_machine_set_event_hook(m, NULL, NULL);
	assert_true(nr_events >= NR_THREADS * 5000 * 2);
	assert_int_equal(events_twice, 0);
	assert_int_equal(event_seen[nr_events], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, native_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_report_is_whole_and_counted_once),
		TEST(a_sink_that_causes_a_report_gets_it_inside),
		TEST(a_handler_that_interrupts_a_sink_waits_for_nobody),
		TEST(without_a_sink_the_kernels_text_goes_to_stderr),
		TEST(with_a_sink_nothing_is_printed),
		TEST(abort_ends_the_process_when_it_was_told),
		TEST(a_callback_stands_for_what_is_printed),
		TEST(stderr_is_whole_and_in_order),
		TEST(who_is_cancelled_has_told_it_all_first),
		TEST(each_event_has_a_number_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

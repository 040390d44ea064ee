/* SPDX-License-Identifier: MIT */
/*
 * A schedule's script does in slabctl what the schedule did: it runs to its
 * end, finds nothing, and leaves the slabs that the schedule left. For one
 * preemption at each point of each pair of operations.
 */
#include "explore.h"

struct op {
	uint8_t op, arg;
};

#define STEP(name, n)                \
	{                            \
		INTERLEAVE_##name, n \
	}

static const struct op ops[] = {
	STEP(ALLOC, 0),	 STEP(FREE, 1),	  STEP(FREE_CHAIN, 1),
	STEP(REFILL, 2), STEP(SHRINK, 0),
};
#define NR_OPS (sizeof(ops) / sizeof(ops[0]))

static unsigned int nr_run, nr_not_whole;

/* "PAGE:INUSE ..." of the table that `slab list` prints. */
static void read_slabs(const char *path, char *buf, size_t size)
{
	int inuse[16], page, n;
	char line[256];
	unsigned long base;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	memset(inuse, -1, sizeof(inuse));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "interleave:S%*u %*s 0x%lx %d", &base, &n) ==
		    2)
			inuse[(base >> 12) & 15] = n;
	fclose(f);
	buf[0] = '\0';
	for (page = 0; page < 16; page++)
		if (inuse[page] >= 0)
			snprintf(buf + strlen(buf), size - strlen(buf),
				 "%s%d:%d", buf[0] ? " " : "", page,
				 inuse[page]);
}

static void show(const char *path)
{
	char line[256];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
	if (f)
		fclose(f);
}

/* false: that schedule has another choice there, or ends in between. */
static bool run(const struct interleave *in, const char *choices,
		const char *dir)
{
	char script[64], answer[64], command[400], slabs[96], text[4096] = "";
	struct interleave_result r, again;
	FILE *f;
	int err;

	snprintf(script, sizeof(script), "%s/script", dir);
	snprintf(answer, sizeof(answer), "%s/answer", dir);
	f = fmemopen(text, sizeof(text) - 1, "w");
	assert_non_null(f);
	err = interleave_script(lab.m, in, choices, f, &r);
	fclose(f);
	if (err == -ENOTSUP)
		skip(); /* ThreadSanitizer */
	assert_int_equal(err, 0);
	if (r.broken)
		return false;
	if (strstr(text, "# not in this script")) {
		nr_not_whole++;
		return true;
	}
	f = fopen(script, "w");
	assert_non_null(f);
	fprintf(f, "%sputs [slab list interleave]\n", text);
	fclose(f);
	snprintf(command, sizeof(command),
		 "'%s' --cpus 2 --sysctl slab_max_order=0 -q -f %s >%s 2>&1",
		 SLABCTL, script, answer);
	err = system(command);
	read_slabs(answer, slabs, sizeof(slabs));
	nr_run++;
	if (err || strcmp(slabs, r.slabs) != 0) {
		interleave_replay(lab.m, in, choices, stdout, &again);
		show(script);
		show(answer);
		fail_msg("the script ends with %d, slabs %s; the schedule with "
			 "slabs %s",
			 err, slabs, r.slabs);
	}
	return true;
}

static void scripts_do_what_schedules_do(void **state)
{
	struct interleave in = {
		.objects = 3,
		.flags = SLAB_NOLEAKTRACE,
		.used = { 2, 3, INTERLEAVE_ABSENT },
		.nr_threads = 2,
		.threads = { { .cpu = 0 }, { .cpu = 1 } },
		.preemptions = 1,
	};
	char dir[] = "/tmp/slab-script-XXXXXX", choices[32], command[64];
	unsigned int at;
	size_t a, b;

	(void)state;
	explore_begin();
	assert_non_null(mkdtemp(dir));
	for (a = 0; a < NR_OPS; a++)
		for (b = 0; b < NR_OPS; b++) {
			in.threads[0].steps[0].op = ops[a].op;
			in.threads[0].steps[0].arg = ops[a].arg;
			in.threads[1].steps[0].op = ops[b].op;
			in.threads[1].steps[0].arg = ops[b].arg;
			/* CPU 0 begins, and is left at its at-th point */
			for (at = 1; at < 16; at += 3) {
				snprintf(choices, sizeof(choices), "1:%0*u",
					 (int)at + 1, 1U);
				if (!run(&in, choices, dir))
					break;
			}
		}
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	printf("%u scripts run, %u say what they leave out\n", nr_run,
	       nr_not_whole);
	assert_true(nr_run > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		explore_test(scripts_do_what_schedules_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

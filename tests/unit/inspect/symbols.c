/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/symbols.c - names of code, from this process's own files */
#define _GNU_SOURCE
#include "../../patience.h"
#include "../lab.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static const char *symbol(uintptr_t address)
{
	static char text[256];
	int n = slab_symbol(lab.m, address, text, sizeof(text));

	assert_int_equal(n, strlen(text));
	return text;
}

NOINLINE int a_function_of_ours(int x);
NOINLINE int a_function_of_ours(int x)
{
	__asm__ volatile("" : "+r"(x));
	return x + 1;
}

static void own_functions_have_no_module(void **state)
{
	unsigned long off = 0, length = 0;
	char rest[64] = "";

	(void)state;
	assert_int_equal(
		sscanf(symbol((uintptr_t)a_function_of_ours + 2),
		       "a_function_of_ours+0x%lx/0x%lx%63s", &off, &length,
		       rest),
		2);
	assert_int_equal(off, 2);
	assert_true(length > 2 && length < 4096);
}

static void functions_of_libraries_name_their_module(void **state)
{
	const char *text;

	(void)state;
	text = symbol((uintptr_t)dlsym(RTLD_DEFAULT, "getopt_long"));
	if (!strstr(text, " [libc") || text[strlen(text) - 1] != ']') {
		print_error("wanted ... [libc...], got %s\n", text);
		fail();
	}
	assert_non_null(strstr(text, "+0x0/0x"));
}

static void what_is_no_code_is_a_number(void **state)
{
	int local;
	char wanted[32];

	(void)state;
	assert_string_equal(symbol(0x4141414141414141), "0x4141414141414141");
	assert_string_equal(symbol(0), "0x0");
	assert_string_equal(symbol(UINTPTR_MAX), "0xffffffffffffffff");
	snprintf(wanted, sizeof(wanted), "%p", (void *)&local);
	assert_string_equal(symbol((uintptr_t)&local), wanted);
	/* twice: a number is remembered too */
	assert_string_equal(symbol((uintptr_t)&local), wanted);
}

static void addresses_of_a_slot_are_slot_0s(void **state)
{
	(void)state;
	lab_reopen(&(struct slab_machine_config){ .slot = 1 });
	assert_string_equal(symbol(SLAB_SLOT_BASE + SLAB_SLOT_SIZE + 0x1008),
			    "0x550000001008");
}

static void sites_are_file_and_line(void **state)
{
	uintptr_t a = slab_machine_site(lab.m, "dir/x.slab", 12, "alloc");

	(void)state;
	assert_string_equal(symbol(a), "dir/x.slab:12");
	/* not another machine's, nor nobody's */
	assert_int_not_equal(slab_symbol(NULL, a, NULL, 0),
			     strlen("dir/x.slab:12"));
}

static void a_short_buffer_gets_what_fits(void **state)
{
	char text[8];
	size_t whole = strlen(symbol((uintptr_t)a_function_of_ours));

	(void)state;
	assert_int_equal(slab_symbol(lab.m, (uintptr_t)a_function_of_ours, text,
				     sizeof(text)),
			 whole);
	assert_string_equal(text, "a_funct");
}

static void names_that_were_forgotten_are_found_again(void **state)
{
	char first[256];
	unsigned int i;

	(void)state;
	snprintf(first, sizeof(first), "%s",
		 symbol((uintptr_t)a_function_of_ours + 1));
	/* and none of them is called what was there before */
	for (i = 0; i < 5000; i++)
		assert_null(strstr(
			symbol((uintptr_t)dlsym(RTLD_DEFAULT, "getopt_long") +
			       i),
			"a_function_of_ours"));
	assert_string_equal(symbol((uintptr_t)a_function_of_ours + 1), first);
}

static void errno_stays(void **state)
{
	(void)state;
	errno = EXDEV;
	symbol((uintptr_t)a_function_of_ours);
	slab_source_line((uintptr_t)a_function_of_ours + 1, NULL, 0);
	assert_int_equal(errno, EXDEV);
}

static void what_is_loaded_later_is_found(void **state)
{
	static const struct {
		const char *library, *function;
	} late[] = {
		{ "libm.so.6", "cbrt" },
		{ "libresolv.so.2", "__b64_ntop" },
	};
	void *library = NULL;
	char wanted[40];
	size_t i;

	(void)state;
	symbol((uintptr_t)a_function_of_ours);
	for (i = 0; i < sizeof(late) / sizeof(*late); i++) {
		if (dlopen(late[i].library, RTLD_NOW | RTLD_NOLOAD))
			continue;
		library = dlopen(late[i].library, RTLD_NOW);
		if (library)
			break;
	}
	if (!library) {
		print_message("nothing is left to be loaded here\n");
		skip();
	}
	snprintf(wanted, sizeof(wanted), " [%s]", late[i].library);
	assert_non_null(strstr(
		symbol((uintptr_t)dlsym(library, late[i].function)), wanted));
}

/* Was this program built with -g? Asked of its file, not of what is tested. */
static bool has_debug_information(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	Elf_Scn *section = NULL;
	bool found = false;
	size_t names;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_non_null(elf);
	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		found |= name && !strcmp(name, ".debug_line");
	}
	elf_end(elf);
	close(fd);
	return found;
}

static uintptr_t here;

static NOINLINE void remember_return(void)
{
	here = (uintptr_t)__builtin_return_address(0);
}

static void a_call_has_its_line_where_dwarf_says(void **state)
{
	char text[256], wanted[64];
	int n, line;

	(void)state;
	line = __LINE__ + 1;
	remember_return(); /* and what it returns to is the next line's */
	if (!has_debug_information()) {
		print_message("built without debug information\n");
		skip();
	}
	n = slab_source_line(here, text, sizeof(text));
	assert_int_equal(n, strlen(text));
	snprintf(wanted, sizeof(wanted), "symbols.c:%d", line);
	if (!strstr(text, wanted)) {
		print_error("wanted ...%s, got %s\n", wanted, text);
		fail();
	}
	text[0] = 'x';
	assert_int_equal(slab_source_line(0, text, sizeof(text)), 0);
	assert_int_equal(text[0], 'x');
	assert_int_equal(slab_source_line(0x4141414141414141, text,
					  sizeof(text)), 0);
}

static void a_child_finds_the_same(void **state)
{
	char first[256], other[256];
	int status, known;
	pid_t child;

	(void)state;
	snprintf(first, sizeof(first), "%s",
		 symbol((uintptr_t)a_function_of_ours + 3));
	/* one name that was asked for before the fork, and one that was not */
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		slab_symbol(lab.m, (uintptr_t)a_function_of_ours + 3, other,
			    sizeof(other));
		known = strcmp(first, other);
		slab_symbol(lab.m, (uintptr_t)a_function_of_ours + 1, other,
			    sizeof(other));
		_exit(known || strncmp(other, "a_function_of_ours+0x1/", 23));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void *ask_often(void *arg)
{
	uintptr_t i, wrong = 0;
	char text[256], wanted[64];

	for (i = 0; i < 300; i++) {
		snprintf(wanted, sizeof(wanted), "a_function_of_ours+0x%lx/",
			 i % 4);
		slab_symbol(lab.m, (uintptr_t)a_function_of_ours + i % 4, text,
			    sizeof(text));
		wrong += strncmp(text, wanted, strlen(wanted)) != 0;
		slab_symbol(lab.m, (uintptr_t)arg + i, text, sizeof(text));
	}
	return (void *)wrong;
}

static void threads_may_ask_at_once(void **state)
{
	uintptr_t libc_at = (uintptr_t)dlsym(RTLD_DEFAULT, "getopt_long");
	pthread_t thread[4];
	uintptr_t i;
	void *wrong;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, ask_often,
						(void *)(libc_at + i * 64)),
				 0);
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], &wrong);
		assert_null(wrong);
	}
}

/* What the child does that must not reach for a server: of these libraries
 * one or the other is stripped, and its debug information is not installed. */
static int ask_for_what_is_not_here(void)
{
	static const char *const functions[] = { "getopt_long", "elf_begin",
						 "dwfl_begin",
						 "_cmocka_run_group_tests" };
	char text[256];
	size_t i;

	alarm(patience()); /* who asks a server that is silent waits */
	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		uintptr_t at = (uintptr_t)dlsym(RTLD_DEFAULT, functions[i]);

		slab_symbol(NULL, at + 5, text, sizeof(text));
		slab_source_line(at + 5, text, sizeof(text));
	}
	return 0;
}

static void no_server_is_asked(void **state)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0), status;
	char url[80], cache[] = "/tmp/slab-no-server-XXXXXX";
	pid_t child;

	(void)state;
	assert_int_equal(bind(server, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(server, 4), 0);
	assert_non_null(mkdtemp(cache));
	getsockname(server, (struct sockaddr *)&address, &size);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d",
		 ntohs(address.sin_port));
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		/* a new program: libdw looks at the environment as it loads */
		setenv("DEBUGINFOD_URLS", url, 1);
		setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
		setenv("DEBUGINFOD_TIMEOUT", "2", 1);
		execl("/proc/self/exe", "symbols", "--ask", (char *)NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	fcntl(server, F_SETFL, O_NONBLOCK);
	/* nobody has knocked */
	assert_int_equal(accept(server, NULL, NULL), -1);
	assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
	close(server);
	assert_int_equal(rmdir(cache), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		lab_test(own_functions_have_no_module),
		lab_test(functions_of_libraries_name_their_module),
		lab_test(what_is_no_code_is_a_number),
		lab_test(addresses_of_a_slot_are_slot_0s),
		lab_test(sites_are_file_and_line),
		lab_test(a_short_buffer_gets_what_fits),
		lab_test(names_that_were_forgotten_are_found_again),
		lab_test(errno_stays),
		lab_test(what_is_loaded_later_is_found),
		lab_test(a_call_has_its_line_where_dwarf_says),
		lab_test(a_child_finds_the_same),
		lab_test(threads_may_ask_at_once),
		lab_test(no_server_is_asked),
	};

	if (argc == 2 && !strcmp(argv[1], "--ask"))
		return ask_for_what_is_not_here();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

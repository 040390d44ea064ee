/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/code_name.c - names out of files, and libdw's for the same
 * addresses */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "inspect/code_name.h"

static const char *name(uintptr_t address)
{
	static char buf[512];

	return code_name(address, buf, sizeof(buf)) ? buf : NULL;
}

/* ---- libdw's ---- */
static Dwfl *process_open(void)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = dwfl_build_id_find_debuginfo,
	};
	Dwfl *dwfl = dwfl_begin(&callbacks);

	assert_int_equal(dwfl_linux_proc_report(dwfl, getpid()), 0);
	assert_int_equal(dwfl_report_end(dwfl, NULL, NULL), 0);
	return dwfl;
}

static const char *module_file(Dwfl_Module *module)
{
	const char *path = dwfl_module_info(module, NULL, NULL, NULL, NULL,
					    NULL, NULL, NULL);

	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

static bool libdws_name(Dwfl_Module *module, bool is_program, GElf_Addr address,
			char *buf, size_t size)
{
	const char *file = module_file(module), *function;
	GElf_Off offset;
	GElf_Sym symbol;

	function = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL,
					NULL, NULL);
	if (!function)
		return false;
	snprintf(buf, size, "%s+0x%lx/0x%lx%s%s%s", function,
		 (unsigned long)offset, (unsigned long)symbol.st_size,
		 is_program ? "" : " [", is_program ? "" : file,
		 is_program ? "" : "]");
	return true;
}

/* The same for the first, the last and a byte between of every n-th function. */
static void assert_same_in(uintptr_t somewhere, bool is_program,
			   unsigned int wanted)
{
	Dwfl *dwfl = process_open();
	Dwfl_Module *module = dwfl_addrmodule(dwfl, somewhere);
	int nr = dwfl_module_getsymtab(module), i, step = 1 + nr / 500;
	unsigned int nr_same = 0, j;

	for (i = 1; i < nr; i += step) {
		GElf_Addr start;
		GElf_Sym symbol;

		dwfl_module_getsym_info(module, i, &symbol, &start, NULL, NULL,
					NULL);
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC ||
		    symbol.st_shndx == SHN_UNDEF)
			continue;
		for (j = 0; j < 3; j++) {
			GElf_Addr at = start + symbol.st_size * j / 2 -
				       (j == 2 && symbol.st_size);
			const char *ours = name(at);
			char theirs[512];

			if (!libdws_name(module, is_program, at, theirs,
					 sizeof(theirs)))
				theirs[0] = '\0';
			if (strcmp(ours ? ours : "", theirs))
				fail_msg("0x%lx is %s, and libdw's %s", at,
					 ours ? ours : "nothing", theirs);
			nr_same++;
		}
	}
	dwfl_end(dwfl);
	print_message("%u addresses of %d symbols\n", nr_same, nr);
	assert_true(nr_same >= wanted);
}

static void names_of_the_program_are_libdws(void **state)
{
	(void)state;
	assert_same_in((uintptr_t)names_of_the_program_are_libdws, true, 60);
}

static void names_of_libraries_are_libdws(void **state)
{
	static const char *const functions[] = { "getopt_long", "dwfl_begin",
						 "elf_begin" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		void *p = dlsym(RTLD_DEFAULT, functions[i]);

		assert_non_null(p);
		assert_same_in((uintptr_t)p, false, 30);
	}
}

/* ---- labels of assembly ---- */
void assembled(void);
void assembled_label(void);
void assembled_end(void);
__asm__(".text\n"
	".globl assembled, assembled_label, assembled_end\n"
	".type assembled, %function\n"
	"assembled:\n"
	"	.zero 16\n"
	".size assembled, 16\n"
	"	.zero 16\n"
	"assembled_label:\n"
	"	.zero 16\n"
	".type assembled_end, %function\n"
	"assembled_end:\n"
	"	.zero 16\n"
	".size assembled_end, 16\n");

static void what_has_no_size_reaches_up_to_what_is_next(void **state)
{
	(void)state;
	assert_string_equal(name((uintptr_t)assembled + 15),
			    "assembled+0xf/0x10");
	assert_string_equal(name((uintptr_t)assembled_label + 15),
			    "assembled_label+0xf/0x0");
	assert_string_equal(name((uintptr_t)assembled_end + 1),
			    "assembled_end+0x1/0x10");
	/* behind one that has a size */
	assert_null(name((uintptr_t)assembled + 16));
}

/* ---- what is no file ---- */
static void what_is_not_of_a_file_has_no_name(void **state)
{
	void *p =
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("zeroes", MFD_CLOEXEC), local;

	(void)state;
	assert_null(name(0));
	assert_null(name(UINTPTR_MAX));
	assert_null(name((uintptr_t)&local));
	assert_null(name((uintptr_t)p));
	munmap(p, 4096);
	assert_null(name((uintptr_t)p));
	/* of a file that is no program, and can not be opened by its name */
	assert_int_equal(ftruncate(fd, 4096), 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_null(name((uintptr_t)p));
	munmap(p, 4096);
	close(fd);
	fd = open("/etc/passwd", O_RDONLY);
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	assert_true(p != MAP_FAILED);
	assert_null(name((uintptr_t)p + 1));
	munmap(p, 4096);
}

static void nothing_stays_open(void **state)
{
	int fd = dup(0), i;

	(void)state;
	close(fd);
	for (i = 0; i < 10; i++) {
		name((uintptr_t)nothing_stays_open);
		name((uintptr_t)getpid);
		name((uintptr_t)&fd);
	}
	i = dup(0);
	close(i);
	assert_int_equal(i, fd);
}

static void without_a_descriptor_there_is_no_name(void **state)
{
	struct rlimit limit, less;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	less = limit;
	less.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	assert_null(name((uintptr_t)nothing_stays_open));
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_non_null(name((uintptr_t)nothing_stays_open));
}

/* ---- files that are damaged, or gone ---- */
static size_t copy_file(const char *from, const char *to, size_t max)
{
	static char buf[1 << 16];
	int in = open(from, O_RDONLY), out;
	size_t sum = 0;
	ssize_t n;

	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	assert_true(in >= 0 && out >= 0);
	while (sum < max && (n = read(in, buf, sizeof(buf))) > 0) {
		if ((size_t)n > max - sum)
			n = (ssize_t)(max - sum);
		assert_int_equal(write(out, buf, (size_t)n), n);
		sum += (size_t)n;
	}
	close(in);
	close(out);
	return sum;
}

static int run_copy(const char *path, const char *what)
{
	int status;
	pid_t child = fork();

	if (!child) {
		execl(path, "code_name", what, path, (char *)NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* As a compiler does it: away with the old, and another one in its place. */
static int replaced(const char *path)
{
	const char *found;

	if (unlink(path))
		return 3;
	found = name((uintptr_t)replaced + 1);
	if (!found || strncmp(found, "replaced+0x1/", 13))
		return 1;
	copy_file("/bin/sh", path, SIZE_MAX);
	found = name((uintptr_t)replaced + 1);
	return !found || strncmp(found, "replaced+0x1/", 13) ? 2 : 0;
}

static void a_program_that_was_replaced_is_still_read(void **state)
{
	char dir[] = "/tmp/slab-name-XXXXXX", path[64];
	int status;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/copy", dir);
	copy_file("/proc/self/exe", path, SIZE_MAX);
	status = run_copy(path, "--replaced");
	unlink(path);
	rmdir(dir);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 99) {
		print_message("an emulator's: it can not be executed\n");
		skip();
	}
	assert_int_equal(status, 0);
}

/* Each word of headers and tables in turn is not what it was: whatever comes
 * of it, it ends. */
static void damaged_files_do_no_harm(void **state)
{
	char path[] = "/tmp/slab-name-XXXXXX", buf[512];
	int fd = mkstemp(path), i;
	static const uint64_t wild[] = { 0, UINT64_MAX, 1, 0x4141414141414141 };
	size_t size, at, word;
	uintptr_t offset;
	uint64_t kept, shoff;
	void *p;

	(void)state;
	close(fd);
	size = copy_file("/proc/self/exe", path, SIZE_MAX);
	fd = open(path, O_RDWR);
	p = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_true(p != MAP_FAILED);
	/* the copy holds at a file offset what we have at an address */
	offset = (uintptr_t)p + 0x1000;
	assert_int_equal(pread(fd, &shoff, 8, 40), 8);
	for (word = 0; word < 64 / 8 + 1000 / 8 + 64 * 40 / 8; word++) {
		at = word < 133 ? word * 8 : shoff + (word - 133) * 8;
		if (at + 8 > size)
			break;
		assert_int_equal(pread(fd, &kept, 8, (off_t)at), 8);
		for (i = 0; i < 4; i++) {
			assert_int_equal(pwrite(fd, &wild[i], 8, (off_t)at), 8);
			code_name(offset, buf, sizeof(buf));
		}
		assert_int_equal(pwrite(fd, &kept, 8, (off_t)at), 8);
	}
	/* and cut short anywhere */
	for (at = size; at > 64; at -= at / 8) {
		assert_int_equal(ftruncate(fd, (off_t)at), 0);
		code_name(offset, buf, sizeof(buf));
	}
	munmap(p, size);
	close(fd);
	unlink(path);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_program_are_libdws),
		cmocka_unit_test(names_of_libraries_are_libdws),
		cmocka_unit_test(what_has_no_size_reaches_up_to_what_is_next),
		cmocka_unit_test(what_is_not_of_a_file_has_no_name),
		cmocka_unit_test(nothing_stays_open),
		cmocka_unit_test(without_a_descriptor_there_is_no_name),
		cmocka_unit_test(a_program_that_was_replaced_is_still_read),
		cmocka_unit_test(damaged_files_do_no_harm),
	};

	if (argc == 3 && !strcmp(argv[1], "--replaced"))
		return replaced(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

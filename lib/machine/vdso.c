/* SPDX-License-Identifier: MIT */
/* machine/vdso.c - see vdso.h; the vDSO is an ELF file that is mapped whole */
#define _GNU_SOURCE
#include "machine/vdso.h"

#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#if defined(__aarch64__)
#define CLOCK_NAME "__kernel_clock_gettime"
#else
#define CLOCK_NAME "__vdso_clock_gettime"
#endif

int (*vdso_clock)(clockid_t clock, struct timespec *ret) = clock_gettime;

/* What is to be added to addresses in the file. Its place as a rule; qemu's own
 * vDSO has them right already. */
static uintptr_t find_bias(uintptr_t image, const ElfW(Ehdr) * header)
{
	const ElfW(Phdr) *parts = (const void *)(image + header->e_phoff);
	unsigned int i;

	for (i = 0; i < header->e_phnum; i++)
		if (parts[i].p_type == PT_LOAD)
			return image + parts[i].p_offset - parts[i].p_vaddr;
	return image;
}

/* A function among the symbols of the table that a section holds. */
static uintptr_t find_in(uintptr_t image, const ElfW(Shdr) * sections,
			 const ElfW(Shdr) * table)
{
	const ElfW(Sym) *symbol = (const void *)(image + table->sh_offset);
	const char *names =
		(const char *)image + sections[table->sh_link].sh_offset;
	size_t nr = table->sh_size / sizeof(*symbol), i;

	for (i = 0; i < nr; i++)
		if (symbol[i].st_shndx &&
		    !strcmp(names + symbol[i].st_name, CLOCK_NAME))
			return symbol[i].st_value;
	return 0;
}

void vdso_init(void)
{
	uintptr_t image = getauxval(AT_SYSINFO_EHDR), found = 0;
	const ElfW(Ehdr) *header = (const void *)image;
	const ElfW(Shdr) * sections;
	unsigned int i;

	if (!image || !header->e_shoff ||
	    header->e_shentsize != sizeof(*sections))
		return;
	sections = (const void *)(image + header->e_shoff);
	for (i = 0; i < header->e_shnum && !found; i++)
		if (sections[i].sh_type == SHT_DYNSYM &&
		    sections[i].sh_link < header->e_shnum)
			found = find_in(image, sections, &sections[i]);
	if (!found)
		return;
	found += find_bias(image, header);
	vdso_clock = (int (*)(clockid_t, struct timespec *))found;
}

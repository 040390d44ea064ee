/* SPDX-License-Identifier: MIT */
/* inspect/code_name.c - see code_name.h */
#define _GNU_SOURCE
#include "inspect/code_name.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/bits.h"

/* ---- files ---- */
static int open_to_read(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* How much of it is there, up to size. */
static size_t read_at(int fd, void *buf, size_t size, uint64_t offset)
{
	size_t nr = 0;
	ssize_t n;

	while (nr < size) {
		n = pread(fd, (char *)buf + nr, size - nr,
			  (off_t)(offset + nr));
		if (n <= 0)
			break;
		nr += (size_t)n;
	}
	return nr;
}

static bool read_whole(int fd, void *buf, size_t size, uint64_t offset)
{
	return read_at(fd, buf, size, offset) == size;
}

/* ---- which file ---- */
struct mapping {
	uintptr_t start;
	uint64_t offset;
	char path[1024];
	bool is_program;
};

struct search {
	uintptr_t address;
	uintptr_t entry;	    /* of the program */
	char its[64], programs[64]; /* files: "device inode" */
	struct mapping *found;
	unsigned int nr_missing;
};

/* "start-end perms offset device inode   path" */
static void take_line(struct search *s, const char *line)
{
	char file[sizeof(s->its)], *at;
	uintptr_t start, end;
	uint64_t offset;
	const char *id;
	size_t n;

	start = strtoul(line, &at, 16);
	if (*at++ != '-')
		return;
	end = strtoul(at, &at, 16);
	if (*at++ != ' ' || !(at = strchr(at, ' ')))
		return;
	offset = strtoull(at, &at, 16);
	id = at + strspn(at, " ");
	n = strcspn(id, " ");
	n += strspn(id + n, " ");
	n += strcspn(id + n, " ");
	snprintf(file, sizeof(file), "%.*s", (int)n, id);
	if (s->entry - start < end - start) {
		memcpy(s->programs, file, sizeof(file));
		s->nr_missing--;
	}
	if (s->address - start < end - start) {
		id += n;
		id += strspn(id, " ");
		n = strlen(id);
		s->nr_missing--;
		/* neither "[stack]" nor one that does not fit */
		if (*id != '/' || n >= sizeof(s->found->path))
			return;
		memcpy(s->its, file, sizeof(file));
		memcpy(s->found->path, id, n + 1);
		s->found->start = start;
		s->found->offset = offset;
	}
}

/* A line that is longer than this is no line of ours: its path is too long. */
static void read_lines(struct search *s, int fd)
{
	char buf[sizeof(s->found->path) + 256], *end;
	size_t nr = 0;
	ssize_t n;

	while (s->nr_missing &&
	       (n = read(fd, buf + nr, sizeof(buf) - nr)) > 0) {
		nr += (size_t)n;
		while (s->nr_missing && (end = memchr(buf, '\n', nr))) {
			*end++ = '\0';
			take_line(s, buf);
			nr -= (size_t)(end - buf);
			memmove(buf, end, nr);
		}
		if (nr == sizeof(buf))
			nr = 0;
	}
}

static bool mapping_find(uintptr_t address, struct mapping *ret)
{
	struct search s = {
		.address = address,
		.entry = getauxval(AT_ENTRY),
		.found = ret,
		.nr_missing = 2,
	};
	int fd = open_to_read("/proc/self/maps");

	if (fd < 0)
		return false;
	ret->path[0] = '\0';
	read_lines(&s, fd);
	close(fd);
	ret->is_program = !strcmp(s.its, s.programs);
	return ret->path[0];
}

/* A program that was built anew since it was started is still there. */
static int mapping_open(const struct mapping *m)
{
	int fd = open_to_read(m->path);

	return fd < 0 && m->is_program ? open_to_read("/proc/self/exe") : fd;
}

/* ---- what is in it ---- */
struct elf_file {
	int fd;
	ElfW(Ehdr) header;
	unsigned int nr_sections;
};

static bool elf_begin_at(struct elf_file *f, int fd)
{
	const ElfW(Ehdr) *h = &f->header;
	ElfW(Shdr) first;

	f->fd = fd;
	if (!read_whole(fd, &f->header, sizeof(*h), 0) ||
	    memcmp(h->e_ident, ELFMAG, SELFMAG) ||
	    h->e_ident[EI_CLASS] !=
		    (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    h->e_phentsize != sizeof(ElfW(Phdr)))
		return false;
	f->nr_sections = h->e_shnum;
	/* there are more than fit */
	if (h->e_shoff && !h->e_shnum &&
	    read_whole(fd, &first, sizeof(first), h->e_shoff))
		f->nr_sections = (unsigned int)first.sh_size;
	return !f->nr_sections || h->e_shentsize == sizeof(first);
}

static bool part_of(const struct elf_file *f, unsigned int i, ElfW(Phdr) * ret)
{
	return i < f->header.e_phnum &&
	       read_whole(f->fd, ret, sizeof(*ret),
			  f->header.e_phoff + i * sizeof(*ret));
}

static bool section_of(const struct elf_file *f, unsigned int i,
		       ElfW(Shdr) * ret)
{
	return i < f->nr_sections &&
	       read_whole(f->fd, ret, sizeof(*ret),
			  f->header.e_shoff + i * sizeof(*ret));
}

/* As the file counts. */
static bool address_at(const struct elf_file *f, uint64_t offset,
		       uintptr_t *ret)
{
	ElfW(Phdr) part;
	unsigned int i;

	for (i = 0; part_of(f, i, &part); i++) {
		if (part.p_type != PT_LOAD ||
		    offset - part.p_offset >= part.p_filesz)
			continue;
		*ret = (uintptr_t)(part.p_vaddr + (offset - part.p_offset));
		return true;
	}
	return false;
}

/* ---- the function ---- */
struct symbols {
	const struct elf_file *file;
	uintptr_t address;
	uint64_t names; /* where in the file */
	ElfW(Sym) best; /* st_name 0: none yet */
	/* of assembly that says no sizes: the nearest label, unless something
	 * that has one lies in between */
	ElfW(Sym) label;
	uintptr_t sized_up_to;
};

static unsigned int binding(const ElfW(Sym) * symbol)
{
	switch (symbol->st_info >> 4) {
	case STB_LOCAL:
		return 0;
	case STB_WEAK:
		return 1;
	default:
		return 2;
	}
}

/* "$x" and its like, which say where code begins and data; no labels. */
static bool is_mark(const ElfW(Sym) * symbol)
{
#if defined(__aarch64__)
	return !symbol->st_info;
#else
	(void)symbol;
	return false;
#endif
}

/* Others than a file's own first; the nearest; the one that may not be
 * replaced; the smallest; the first. */
static bool is_better(const ElfW(Sym) * a, const ElfW(Sym) * b)
{
	if (!b->st_name || !binding(a) != !binding(b))
		return !b->st_name || binding(a);
	if (a->st_value != b->st_value)
		return a->st_value > b->st_value;
	if (binding(a) != binding(b))
		return binding(a) > binding(b);
	return a->st_size < b->st_size;
}

static void take_symbol(struct symbols *s, const ElfW(Sym) * symbol)
{
	unsigned int type = symbol->st_info & 0xf;

	if (!symbol->st_name || symbol->st_shndx == SHN_UNDEF ||
	    symbol->st_value > s->address || type == STT_SECTION ||
	    type == STT_FILE || type == STT_TLS)
		return;
	s->sized_up_to =
		MAX(s->sized_up_to, symbol->st_value + symbol->st_size);
	if (!symbol->st_size) {
		if (!is_mark(symbol) &&
		    (!s->label.st_name || symbol->st_value > s->label.st_value))
			s->label = *symbol;
	} else if (s->address - symbol->st_value < symbol->st_size &&
		   is_better(symbol, &s->best)) {
		s->best = *symbol;
	}
}

static void take_label(struct symbols *s)
{
	ElfW(Shdr) section;

	if (s->label.st_name && s->label.st_value >= s->sized_up_to &&
	    section_of(s->file, s->label.st_shndx, &section) &&
	    s->address - section.sh_addr < section.sh_size)
		s->best = s->label;
}

static void take_table(struct symbols *s, const ElfW(Shdr) * table)
{
	uint64_t offset = table->sh_offset, end = offset + table->sh_size;
	ElfW(Sym) some[64];
	ElfW(Shdr) names;
	size_t nr, i;

	if (!section_of(s->file, table->sh_link, &names))
		return;
	s->names = names.sh_offset;
	while (offset < end) {
		nr = read_at(s->file->fd, some, MIN(sizeof(some), end - offset),
			     offset) /
		     sizeof(*some);
		if (!nr)
			return;
		for (i = 0; i < nr; i++)
			take_symbol(s, &some[i]);
		offset += nr * sizeof(*some);
	}
	if (!s->best.st_name)
		take_label(s);
}

/* The table of that type, whatever it has to say: is there one? */
static bool symbols_search(struct symbols *s, const struct elf_file *f,
			   uintptr_t address, unsigned int type)
{
	ElfW(Shdr) table;
	unsigned int i;

	*s = (struct symbols){ .file = f, .address = address };
	for (i = 0; section_of(f, i, &table); i++) {
		if (table.sh_type != type ||
		    table.sh_entsize != sizeof(s->best))
			continue;
		take_table(s, &table);
		return true;
	}
	return false;
}

/* ---- debug information that is installed beside it ---- */
static size_t build_id_in(const struct elf_file *f, const ElfW(Phdr) * part,
			  uint8_t *id, size_t size)
{
	uint64_t at = part->p_offset, end = at + part->p_filesz;
	ElfW(Nhdr) note;
	char name[4];

	while (at + sizeof(note) <= end &&
	       read_whole(f->fd, &note, sizeof(note), at)) {
		at += sizeof(note);
		if (note.n_type == NT_GNU_BUILD_ID &&
		    note.n_namesz == sizeof(name) && note.n_descsz <= size &&
		    read_whole(f->fd, name, sizeof(name), at) &&
		    !memcmp(name, "GNU", sizeof(name)))
			return read_at(f->fd, id, note.n_descsz,
				       at + sizeof(name));
		at += ALIGN_UP((uint64_t)note.n_namesz, 4) +
		      ALIGN_UP((uint64_t)note.n_descsz, 4);
	}
	return 0;
}

static size_t build_id(const struct elf_file *f, uint8_t *id, size_t size)
{
	ElfW(Phdr) part;
	unsigned int i;
	size_t n = 0;

	for (i = 0; !n && part_of(f, i, &part); i++)
		if (part.p_type == PT_NOTE)
			n = build_id_in(f, &part, id, size);
	return n;
}

/* -1: there is none. */
static int open_debug_file(const struct elf_file *f)
{
	static const char start[] = "/usr/lib/debug/.build-id/";
	uint8_t id[32];
	char path[sizeof(start) + 2 * sizeof(id) + sizeof("/.debug")];
	size_t n = build_id(f, id, sizeof(id)), used = sizeof(start) - 1, i;

	if (n < 2)
		return -1;
	memcpy(path, start, used);
	for (i = 0; i < n; i++)
		used += (size_t)snprintf(path + used, sizeof(path) - used,
					 i == 1 ? "/%02x" : "%02x", id[i]);
	snprintf(path + used, sizeof(path) - used, ".debug");
	return open_to_read(path);
}

/* ---- together ---- */
static bool print_best(const struct symbols *s, const struct mapping *m,
		       char *buf, size_t size)
{
	const char *slash = strrchr(m->path, '/');
	char name[256];
	size_t n;

	if (!s->best.st_name)
		return false;
	n = read_at(s->file->fd, name, sizeof(name) - 1,
		    s->names + s->best.st_name);
	name[n] = '\0';
	snprintf(buf, size, "%s+0x%lx/0x%lx%s%s%s", name,
		 (unsigned long)(s->address - s->best.st_value),
		 (unsigned long)s->best.st_size, m->is_program ? "" : " [",
		 m->is_program ? "" : slash + 1, m->is_program ? "" : "]");
	return name[0];
}

/* Of a file that was stripped. */
static bool name_beside(const struct elf_file *f, const struct mapping *m,
			uintptr_t address, char *buf, size_t size)
{
	int fd = open_debug_file(f);
	struct elf_file debug;
	struct symbols s;
	bool is_known;

	if (fd < 0)
		return false;
	is_known = elf_begin_at(&debug, fd) &&
		   symbols_search(&s, &debug, address, SHT_SYMTAB) &&
		   print_best(&s, m, buf, size);
	close(fd);
	return is_known;
}

static bool name_in(int fd, const struct mapping *m, uint64_t offset, char *buf,
		    size_t size)
{
	uintptr_t address;
	struct elf_file f;
	struct symbols s;

	if (!elf_begin_at(&f, fd) || !address_at(&f, offset, &address))
		return false;
	if (symbols_search(&s, &f, address, SHT_SYMTAB))
		return print_best(&s, m, buf, size);
	return name_beside(&f, m, address, buf, size) ||
	       (symbols_search(&s, &f, address, SHT_DYNSYM) &&
		print_best(&s, m, buf, size));
}

bool code_name(uintptr_t address, char *buf, size_t size)
{
	struct mapping m;
	bool is_known;
	int fd;

	if (!mapping_find(address, &m))
		return false;
	fd = mapping_open(&m);
	if (fd < 0)
		return false;
	is_known = name_in(fd, &m, address - m.start + m.offset, buf, size);
	close(fd);
	return is_known;
}

/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/descriptor.c - libelf alone finds the machines, in the
 * shared library and in a program that has the static one inside */
#include "../lab.h"

#include <fcntl.h>
#include <unistd.h>

#include <gelf.h>
#include <libelf.h>

#include <slab/descriptor.h>

#include "machine/machine.h"
#include "slab/slab.h"

struct elf_file {
	int fd;
	Elf *elf;
};

static struct elf_file elf_open(const char *path)
{
	struct elf_file f = { .fd = open(path, O_RDONLY) };

	assert_true(f.fd >= 0);
	assert_int_not_equal(elf_version(EV_CURRENT), EV_NONE);
	f.elf = elf_begin(f.fd, ELF_C_READ, NULL);
	assert_non_null(f.elf);
	return f;
}

static void elf_close(struct elf_file *f)
{
	elf_end(f->elf);
	close(f->fd);
}

/* The note's contents, and the address it is linked at. */
static bool note_read(Elf *elf, struct slab_note *ret, GElf_Addr *at)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data = elf_getdata(section, NULL);
		size_t pos = 0, name, desc;
		GElf_Shdr head;
		GElf_Nhdr note;

		gelf_getshdr(section, &head);
		if (head.sh_type != SHT_NOTE)
			continue;
		while ((pos = gelf_getnote(data, pos, &note, &name, &desc))) {
			if (note.n_type != SLAB_NOTE_TYPE ||
			    strcmp((char *)data->d_buf + name,
				   SLAB_NOTE_NAME) != 0)
				continue;
			assert_int_equal(note.n_descsz, sizeof(*ret));
			memcpy(ret, (char *)data->d_buf + desc, sizeof(*ret));
			*at = head.sh_addr + desc;
			return true;
		}
	}
	return false;
}

/* The symbol's address, from the table of that type. */
static GElf_Addr symbol_read(Elf *elf, GElf_Word type)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data;
		GElf_Shdr head;
		GElf_Sym symbol;
		int i;

		gelf_getshdr(section, &head);
		if (head.sh_type != type)
			continue;
		data = elf_getdata(section, NULL);
		for (i = 0; gelf_getsym(data, i, &symbol); i++) {
			const char *name = elf_strptr(elf, head.sh_link,
						      symbol.st_name);

			if (name && !strcmp(name, "slab_descriptor"))
				return symbol.st_value;
		}
	}
	return 0;
}

/* n bytes of the file at a linked address. */
static void bytes_at(Elf *elf, GElf_Addr address, void *buf, size_t n)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data;
		GElf_Shdr head;

		gelf_getshdr(section, &head);
		if (!(head.sh_flags & SHF_ALLOC) ||
		    head.sh_type == SHT_NOBITS || address < head.sh_addr ||
		    address + n > head.sh_addr + head.sh_size)
			continue;
		data = elf_getdata(section, NULL);
		memcpy(buf, (char *)data->d_buf + (address - head.sh_addr), n);
		return;
	}
	fail_msg("no section holds 0x%lx", (unsigned long)address);
}

static void note_leads_to_descriptor(const char *path, GElf_Word table)
{
	struct elf_file f = elf_open(path);
	struct slab_descriptor there;
	struct slab_note note = { 0 };
	GElf_Addr at = 0, found;

	if (!note_read(f.elf, &note, &at))
		fail_msg("%s has no note", path);
	assert_memory_equal(note.magic, SLAB_DESCRIPTOR_MAGIC, 8);
	assert_int_equal(note.version, SLAB_DESCRIPTOR_VERSION);
	assert_int_equal(note.abi_hash, slab_descriptor.abi_hash);
	assert_int_equal(note.slot_base, SLAB_SLOT_BASE);
	assert_int_equal(note.slot_size, SLAB_SLOT_SIZE);
	assert_int_equal(note.nr_slots, SLAB_NR_SLOTS);
	found = at + offsetof(struct slab_note, descriptor) +
		(GElf_Addr)note.descriptor;
	assert_int_equal(found, symbol_read(f.elf, table));
	bytes_at(f.elf, found, &there, sizeof(there));
	assert_memory_equal(&there, &slab_descriptor,
			    offsetof(struct slab_descriptor, machines));
	elf_close(&f);
}

static void the_shared_librarys_note_leads_to_its_symbol(void **state)
{
	(void)state;
	note_leads_to_descriptor(LIBSLAB, SHT_DYNSYM);
}

static void a_program_with_the_static_library_has_both(void **state)
{
	(void)state;
	note_leads_to_descriptor("/proc/self/exe", SHT_SYMTAB);
}

static void the_descriptor_leads_to_the_machines(void **state)
{
	(void)state;
	assert_ptr_equal(slab_descriptor.machines[lab.m->slot], lab.m);
	slab_machine_destroy(lab.m);
	assert_null(slab_descriptor.machines[0]);
	lab_open(&(struct slab_machine_config){ 0 });
}

static void capacities_are_those_of_the_code(void **state)
{
	(void)state;
	assert_int_equal(slab_descriptor.size, sizeof(struct slab_descriptor));
	assert_int_equal(slab_descriptor.slab_size, sizeof(struct slab));
	assert_int_equal(slab_descriptor.cache_size, sizeof(struct kmem_cache));
	assert_int_equal(slab_descriptor.max_objects, MAX_OBJS_PER_SLAB);
	assert_ptr_equal((void *)(lab.m->base + slab_descriptor.memmap_offset),
			 lab.m->memmap);
	assert_int_equal(lab.m->base + slab_descriptor.meta_offset,
			 lab.m->meta.start);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(the_shared_librarys_note_leads_to_its_symbol),
		lab_test(a_program_with_the_static_library_has_both),
		lab_test(the_descriptor_leads_to_the_machines),
		lab_test(capacities_are_those_of_the_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

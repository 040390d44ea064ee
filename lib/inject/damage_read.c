/* SPDX-License-Identifier: MIT */
/*
 * inject/damage_read.c - reads that no correct program makes
 *
 * They leave every byte as it is, so only a sanitizer, which sees the access
 * itself, can find them. These are ordinary reads for it to see.
 */
#include "inject/corrupt.h"

static uint8_t ordinary_read(uintptr_t address)
{
	return *(const volatile uint8_t *)address;
}

static int read_there(struct damage *d, long offset, const char *is,
		      const char *which)
{
	uintptr_t address = d->object + (uintptr_t)offset;
	uint8_t byte = ordinary_read(address);
	char name[96];

	damage_text(d, "the byte at 0x%lx, %s %s%s, was read: it is 0x%02x",
		    slab_machine_print_address(d->m, address), is,
		    damage_name(d, name, sizeof(name)), which, byte);
	return 0;
}

int damage_read_out_of_bounds(struct damage *d)
{
	long size = (long)d->s->object_size, offset = size;
	int err = damage_need_in_use(d);

	if (!err)
		err = damage_number(d, "offset", (long)(d->base - d->object),
				    (long)(d->end - d->object) - 1, &offset);
	if (err)
		return err;
	if (offset >= 0 && offset < size)
		return damage_refuse(d, "offset=%ld is inside the object of %ld bytes; offset=%ld is the first behind it",
				     offset, size, size);
	return read_there(d, offset, "outside", "");
}

int damage_read_after_free(struct damage *d)
{
	long offset = 0;
	int err = damage_number(d, "offset", 0, (long)d->s->object_size - 1,
				&offset);

	if (err)
		return err;
	if (!damage_is_free(d))
		kmem_cache_free(d->s, (void *)d->object);
	return read_there(d, offset, "in the free", "");
}

int damage_uninitialised_read(struct damage *d)
{
	long offset = 0;
	int err = damage_need_in_use(d);

	if (!err)
		err = damage_number(d, "offset", 0,
				    (long)d->s->object_size - 1, &offset);
	if (err)
		return err;
	return read_there(d, offset, "in", " and perhaps never written");
}

/* SPDX-License-Identifier: MIT */
/*
 * machine/unwind_tables.c - what a module's tables say of a return address
 *
 * Their format: LSB, .eh_frame_hdr and .eh_frame, and DWARF's call frame
 * instructions. Nothing is allocated, and nothing read outside of the module.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "machine/unwind.h"
#include "machine/unwind_rule.h"

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
#define HAVE_FIND_OBJECT 1
#endif

#if defined(__x86_64__)
enum { REG_FP = 6, REG_SP = 7, REG_RA = 16 };
#elif defined(__aarch64__)
enum { REG_FP = 29, REG_SP = 31, REG_RA = 30 };
#else
enum { REG_FP = -1, REG_SP = -2, REG_RA = -3 };
#endif

/* ---- modules ---- */
#ifdef HAVE_FIND_OBJECT
/* What was found last: return addresses are of few modules. A module that went
 * stays here until then, and only makes a number look like code. */
static _Thread_local struct {
	uintptr_t start, bytes;
} near[4] __attribute__((tls_model("initial-exec")));

static bool find_module(uintptr_t address, struct dl_find_object *ret)
{
	static _Thread_local unsigned int turn
		__attribute__((tls_model("initial-exec")));

	if (_dl_find_object((void *)address, ret))
		return false;
	near[turn].start = (uintptr_t)ret->dlfo_map_start;
	near[turn].bytes = (uintptr_t)ret->dlfo_map_end - near[turn].start;
	turn = (turn + 1) % 4;
	return true;
}

bool unwind_is_code(uintptr_t address)
{
	struct dl_find_object found;
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (address - near[i].start < near[i].bytes)
			return true;
	return find_module(address, &found);
}

bool unwind_is_libc(uintptr_t pc)
{
	static const char name[] = "/libc.so.6";
	struct dl_find_object module;
	size_t n;

	if (!find_module(pc, &module) || !module.dlfo_link_map->l_name)
		return false;
	n = strlen(module.dlfo_link_map->l_name);
	return n >= sizeof(name) - 1 &&
	       !strcmp(module.dlfo_link_map->l_name + n - (sizeof(name) - 1),
		       name);
}
#else
bool unwind_is_code(uintptr_t address)
{
	return address >= 4096;
}

bool unwind_is_libc(uintptr_t pc)
{
	(void)pc;
	return false;
}
#endif

/* ---- reading tables ---- */
struct reader {
	const uint8_t *at, *end;
	bool failed;
};

static uint64_t read_bytes(struct reader *r, size_t n)
{
	uint64_t value = 0;

	if ((size_t)(r->end - r->at) < n) {
		r->failed = true;
		return 0;
	}
	memcpy(&value, r->at, n);
	r->at += n;
	return value;
}

static uint64_t read_uleb(struct reader *r)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)read_bytes(r, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !r->failed);
	return value;
}

static int64_t read_sleb(struct reader *r)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)read_bytes(r, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !r->failed);
	if (shift < 64 && byte & 0x40)
		value |= ~(uint64_t)0 << shift;
	return (int64_t)value;
}

static void skip(struct reader *r, uint64_t n)
{
	if ((uint64_t)(r->end - r->at) < n)
		r->failed = true;
	else
		r->at += n;
}

/* DW_EH_PE_: how a pointer is written. Relative ones are relative to where
 * they stand; others, and those through a pointer, do not occur here. */
static uintptr_t read_encoded(struct reader *r, uint8_t encoding)
{
	uintptr_t from = encoding & 0x70 ? (uintptr_t)r->at : 0;
	uint64_t value;

	if ((encoding & 0x70) > 0x10 || encoding & 0x80)
		r->failed = true;
	switch (encoding & 0x0f) {
	case 0x00:
	case 0x04:
	case 0x0c:
		value = read_bytes(r, 8);
		break;
	case 0x01:
		value = read_uleb(r);
		break;
	case 0x09:
		value = (uint64_t)read_sleb(r);
		break;
	case 0x02:
		value = read_bytes(r, 2);
		break;
	case 0x0a:
		value = (uint64_t)(int16_t)read_bytes(r, 2);
		break;
	case 0x03:
		value = read_bytes(r, 4);
		break;
	case 0x0b:
		value = (uint64_t)(int32_t)read_bytes(r, 4);
		break;
	default:
		r->failed = true;
		return 0;
	}
	return from + value;
}

/* ---- what a module says of an address ---- */

/* What CIE and FDE say of a function, and their instructions. */
struct frame_info {
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra_column;
	uint8_t encoding;
	bool has_augmentation, is_signal;
	uintptr_t begin, bytes;
	struct reader initial, own;
};

static bool read_cie(struct frame_info *info, struct reader r)
{
	const char *augmentation;
	uint64_t length = read_bytes(&r, 4);
	unsigned int version;

	if (length >= 0xfffffff0 || length > (uint64_t)(r.end - r.at))
		return false;
	r.end = r.at + length;
	if (read_bytes(&r, 4) != 0)
		return false;
	version = (unsigned int)read_bytes(&r, 1);
	augmentation = (const char *)r.at;
	while (read_bytes(&r, 1))
		;
	info->code_align = read_uleb(&r);
	info->data_align = read_sleb(&r);
	info->ra_column = version == 1 ? read_bytes(&r, 1) : read_uleb(&r);
	if (r.failed || (version != 1 && version != 3))
		return false;
	info->has_augmentation = *augmentation == 'z';
	if (info->has_augmentation) {
		struct reader data = r;
		uint64_t n = read_uleb(&data);

		r = data;
		skip(&r, n);
		while (*++augmentation && !data.failed) {
			uint8_t encoding;

			switch (*augmentation) {
			case 'R':
				info->encoding = (uint8_t)read_bytes(&data, 1);
				break;
			case 'P':
				encoding = (uint8_t)read_bytes(&data, 1);
				/* not asked for: how it is meant is no matter */
				read_encoded(&data, encoding & 0x0f);
				break;
			case 'L':
				read_bytes(&data, 1);
				break;
			case 'S':
				info->is_signal = true;
				break;
			case 'B':
				break;
			default:
				return false;
			}
		}
		if (data.failed)
			return false;
	} else if (*augmentation) {
		return false;
	}
	info->initial = r;
	return !r.failed;
}

static bool read_fde(struct frame_info *info, const uint8_t *at,
		     const uint8_t *low, const uint8_t *end)
{
	struct reader r = { at, end, false }, cie = { NULL, end, false };
	uint64_t length = read_bytes(&r, 4), back;

	if (!length || length >= 0xfffffff0 ||
	    length > (uint64_t)(r.end - r.at))
		return false;
	r.end = r.at + length;
	cie.at = r.at;
	back = read_bytes(&r, 4);
	if (!back || back > (uint64_t)(cie.at - low))
		return false;
	cie.at -= back;
	if (!read_cie(info, cie))
		return false;
	info->begin = read_encoded(&r, info->encoding);
	info->bytes = read_encoded(&r, info->encoding & 0x0f);
	if (info->has_augmentation)
		skip(&r, read_uleb(&r));
	info->own = r;
	return !r.failed;
}

#ifdef HAVE_FIND_OBJECT
/* .eh_frame_hdr: functions by address, each with where its FDE stands, both
 * relative to the table's start. */
static bool find_info(uintptr_t pc, struct frame_info *ret)
{
	struct dl_find_object module;
	const uint8_t *start, *low, *end;
	struct reader r;
	uint8_t count_encoding, table_encoding;
	uint64_t nr, from = 0;

	if (!find_module(pc, &module) || !module.dlfo_eh_frame)
		return false;
	start = module.dlfo_eh_frame;
	low = module.dlfo_map_start;
	end = module.dlfo_map_end;
	r = (struct reader){ start, end, false };
	if (read_bytes(&r, 1) != 1)
		return false;
	{
		uint8_t frame_encoding = (uint8_t)read_bytes(&r, 1);

		count_encoding = (uint8_t)read_bytes(&r, 1);
		table_encoding = (uint8_t)read_bytes(&r, 1);
		read_encoded(&r, frame_encoding);
	}
	nr = read_encoded(&r, count_encoding);
	if (r.failed || table_encoding != 0x3b || !nr ||
	    nr > (uint64_t)(end - r.at) / 8)
		return false;
	/* the last one that begins at or before pc */
	while (nr > 1) {
		uint64_t half = nr / 2;
		int32_t begins;

		memcpy(&begins, r.at + (from + half) * 8, 4);
		if ((uintptr_t)start + (uintptr_t)(intptr_t)begins <= pc)
			from += half;
		nr -= half;
	}
	{
		const uint8_t *fde;
		int32_t offset;

		memcpy(&offset, r.at + from * 8 + 4, 4);
		fde = start + offset;
		return fde >= low && fde < end &&
		       read_fde(ret, fde, low, end) &&
		       pc - ret->begin < ret->bytes;
	}
}
#else
static bool find_info(uintptr_t pc, struct frame_info *ret)
{
	(void)pc, (void)ret;
	return false;
}
#endif

/* ---- call frame instructions ---- */
enum saved { SAVED_NOT, SAVED_AT, SAVED_LOST, SAVED_NOWHERE };

/* A row of the table that the instructions stand for; what we want of it. */
struct row {
	uint64_t cfa_register;
	int64_t cfa_offset; /* bytes */
	bool cfa_is_strange;
	struct {
		enum saved how;
		int64_t offset;
	} fp, ra;
};

#define MAX_ROWS 8

struct machine_of_rows {
	const struct frame_info *info;
	struct row row, initial, kept[MAX_ROWS];
	unsigned int nr_kept;
};

static void set_register(struct machine_of_rows *m, uint64_t reg,
			 enum saved how, int64_t offset)
{
	if (reg == (uint64_t)REG_FP) {
		m->row.fp.how = how;
		m->row.fp.offset = offset;
	} else if (reg == m->info->ra_column) {
		m->row.ra.how = how;
		m->row.ra.offset = offset;
	}
}

static void restore_register(struct machine_of_rows *m, uint64_t reg)
{
	if (reg == (uint64_t)REG_FP)
		m->row.fp = m->initial.fp;
	else if (reg == m->info->ra_column)
		m->row.ra = m->initial.ra;
}

static void define_cfa(struct machine_of_rows *m, uint64_t reg, int64_t offset)
{
	m->row.cfa_register = reg;
	m->row.cfa_offset = offset;
	m->row.cfa_is_strange = false;
}

/* DW_CFA_: those that do not change the address. */
static bool take_instruction(struct machine_of_rows *m, struct reader *r,
			     uint8_t op)
{
	int64_t factor = m->info->data_align;
	uint64_t reg;

	if ((op & 0xc0) == 0x80) {
		set_register(m, op & 0x3f, SAVED_AT,
			     (int64_t)read_uleb(r) * factor);
		return true;
	}
	if ((op & 0xc0) == 0xc0) {
		restore_register(m, op & 0x3f);
		return true;
	}
	switch (op) {
	case 0x00: /* nop */
	case 0x2d: /* the sign of return addresses changes */
		return true;
	case 0x05: /* offset_extended */
		reg = read_uleb(r);
		set_register(m, reg, SAVED_AT, (int64_t)read_uleb(r) * factor);
		return true;
	case 0x06: /* restore_extended */
		restore_register(m, read_uleb(r));
		return true;
	case 0x07: /* undefined */
		set_register(m, read_uleb(r), SAVED_NOWHERE, 0);
		return true;
	case 0x08: /* same_value */
		set_register(m, read_uleb(r), SAVED_NOT, 0);
		return true;
	case 0x09: /* register */
		reg = read_uleb(r);
		read_uleb(r);
		set_register(m, reg, SAVED_LOST, 0);
		return true;
	case 0x0a: /* remember_state */
		if (m->nr_kept == MAX_ROWS)
			return false;
		m->kept[m->nr_kept++] = m->row;
		return true;
	case 0x0b: /* restore_state */
		if (!m->nr_kept)
			return false;
		m->row = m->kept[--m->nr_kept];
		return true;
	case 0x0c: /* def_cfa */
		reg = read_uleb(r);
		define_cfa(m, reg, (int64_t)read_uleb(r));
		return true;
	case 0x0d: /* def_cfa_register */
		define_cfa(m, read_uleb(r), m->row.cfa_offset);
		return true;
	case 0x0e: /* def_cfa_offset */
		define_cfa(m, m->row.cfa_register, (int64_t)read_uleb(r));
		return true;
	case 0x0f: /* def_cfa_expression */
		skip(r, read_uleb(r));
		m->row.cfa_is_strange = true;
		return true;
	case 0x10: /* expression */
	case 0x16: /* val_expression */
		reg = read_uleb(r);
		skip(r, read_uleb(r));
		set_register(m, reg, SAVED_LOST, 0);
		return true;
	case 0x11: /* offset_extended_sf */
		reg = read_uleb(r);
		set_register(m, reg, SAVED_AT, read_sleb(r) * factor);
		return true;
	case 0x12: /* def_cfa_sf */
		reg = read_uleb(r);
		define_cfa(m, reg, read_sleb(r) * factor);
		return true;
	case 0x13: /* def_cfa_offset_sf */
		define_cfa(m, m->row.cfa_register, read_sleb(r) * factor);
		return true;
	case 0x14: /* val_offset */
		reg = read_uleb(r);
		read_uleb(r);
		set_register(m, reg, SAVED_LOST, 0);
		return true;
	case 0x15: /* val_offset_sf */
		reg = read_uleb(r);
		read_sleb(r);
		set_register(m, reg, SAVED_LOST, 0);
		return true;
	case 0x2e: /* GNU_args_size */
		read_uleb(r);
		return true;
	default:
		return false;
	}
}

/* Up to the row that holds for pc. */
static bool run(struct machine_of_rows *m, struct reader r, uintptr_t pc)
{
	uintptr_t at = m->info->begin;

	while (r.at < r.end && !r.failed) {
		uint8_t op = (uint8_t)read_bytes(&r, 1);
		uint64_t delta;

		if ((op & 0xc0) == 0x40)
			delta = op & 0x3f;
		else if (op >= 0x02 && op <= 0x04) /* advance_loc1, 2, 4 */
			delta = read_bytes(&r, 1U << (op - 2));
		else if (op == 0x01) /* set_loc */
			delta = read_encoded(&r, m->info->encoding) - at;
		else if (take_instruction(m, &r, op))
			continue;
		else
			return false;
		if (op != 0x01)
			delta *= m->info->code_align;
		if (delta > pc - at)
			return true;
		at += delta;
	}
	return !r.failed;
}

/* ---- a rule for a return address ---- */
static bool in_words(int64_t bytes, int64_t min, int64_t max)
{
	const int64_t word = sizeof(uintptr_t);

	return bytes % word == 0 && bytes >= min * word && bytes <= max * word;
}

static struct rule rule_of_row(const struct row *row)
{
	const int64_t word = sizeof(uintptr_t);
	bool has_fp = row->fp.how == SAVED_AT;
	struct rule rule = { .kind = RULE_NONE };

	if (row->ra.how == SAVED_NOWHERE) {
		rule.kind = RULE_END;
		return rule;
	}
	if (row->cfa_is_strange || row->ra.how != SAVED_AT ||
	    row->fp.how == SAVED_LOST ||
	    (row->cfa_register != (uint64_t)REG_FP &&
	     row->cfa_register != (uint64_t)REG_SP) ||
	    !in_words(row->cfa_offset, 0, UINT16_MAX) ||
	    !in_words(row->ra.offset, INT8_MIN, -1) ||
	    (has_fp && !in_words(row->fp.offset, INT16_MIN, -1)))
		return rule;
	rule.kind = RULE_CFA;
	rule.cfa_is_fp = row->cfa_register == (uint64_t)REG_FP;
	rule.cfa_offset = (uint16_t)(row->cfa_offset / word);
	rule.ra_offset = (int8_t)(row->ra.offset / word);
	rule.has_fp = has_fp;
	rule.fp_offset = (int16_t)(has_fp ? row->fp.offset / word : 0);
	if (rule.cfa_is_fp && has_fp && rule.cfa_offset + rule.fp_offset == 0 &&
	    rule.cfa_offset + rule.ra_offset == 1)
		rule.kind = RULE_FP;
#if defined(__aarch64__)
	/* The record lies anywhere in the frame, and the frame pointer points
	 * at it, though the tables count from sp. */
	if (has_fp && rule.ra_offset == rule.fp_offset + 1) {
		rule.kind = RULE_FP;
		rule.cfa_offset = (uint16_t)-rule.fp_offset;
	}
#endif
	return rule;
}

/* The call itself is asked about: what it returns to may be the next function
 * already. */
struct rule unwind_rule(uintptr_t pc)
{
	struct rule rule = { .kind = RULE_NONE };
	struct frame_info info = { .encoding = 0 };
	struct machine_of_rows m = { .info = &info };

	if (find_info(pc - 1, &info) && !info.is_signal &&
	    run(&m, info.initial, UINTPTR_MAX)) {
		m.initial = m.row;
		if (run(&m, info.own, pc - 1))
			rule = rule_of_row(&m.row);
	}
	return rule;
}

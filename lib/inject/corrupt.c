/* SPDX-License-Identifier: MIT */
/* inject/corrupt.c - the rows, what they are aimed at, and their keys */
#include "inject/corrupt.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	struct slab_corruption row;
	int (*damage)(struct damage *d);
} kinds[] = {
#define CORRUPTION(id, name_, target_, damages_, needs_, keys_, ...)        \
	{ .row = { .name = name_,                                           \
		   .damages = damages_,                                     \
		   .target = SLAB_TARGET_##target_,                         \
		   .needs = needs_,                                         \
		   .keys = keys_,                                           \
		   .found_by = { __VA_ARGS__ } },                           \
	  .damage = damage_##id },
#include <slab/corruptions.def>
#undef CORRUPTION
};

size_t slab_nr_corruptions(void)
{
	return ARRAY_SIZE(kinds);
}

const struct slab_corruption *slab_corruption(size_t i)
{
	return i < ARRAY_SIZE(kinds) ? &kinds[i].row : NULL;
}

static size_t kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].row.name, name))
			break;
	return i;
}

const struct slab_corruption *slab_corruption_find(const char *name)
{
	return slab_corruption(kind_find(name));
}

const char *slab_matrix_set_text(enum slab_matrix_set set)
{
	static const char *const texts[] = {
#define SET(id, text) [SLAB_SET_##id] = text,
		SLAB_MATRIX_SETS(SET)
#undef SET
	};

	return (size_t)set < ARRAY_SIZE(texts) ? texts[set] : NULL;
}

/* ---- words ---- */
const char *damage_name(const struct damage *d, char *buf, size_t size)
{
	if (!d->slab)
		snprintf(buf, size, "cpu%u:%s", d->cpu, d->s->name);
	else if (d->object)
		snprintf(buf, size, "%s:S%u#%u", d->s->name, d->slab->nr,
			 d->index);
	else
		snprintf(buf, size, "%s:S%u", d->s->name, d->slab->nr);
	return buf;
}

int damage_refuse(struct damage *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(d->ret->why, sizeof(d->ret->why), format, args);
	va_end(args);
	return -EINVAL;
}

void damage_text(struct damage *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(d->ret->text, sizeof(d->ret->text), format, args);
	va_end(args);
}

/* ---- keys ---- */
const char *damage_key(const struct damage *d, const char *key)
{
	const struct slab_corrupt_value *v;

	for (v = d->values; v && v->key; v++)
		if (!strcmp(v->key, key))
			return v->value ? v->value : "";
	return NULL;
}

int damage_number(struct damage *d, const char *key, long min, long max,
		  long *ret)
{
	const char *text = damage_key(d, key);
	char *end;
	long n;

	if (!text)
		return 0;
	errno = 0;
	n = strtol(text, &end, 0);
	if (end == text || *end)
		return damage_refuse(d, "%s=%.20s is no number; %s=%ld, say",
				     key, text, key, min);
	if (errno || n < min || n > max)
		return damage_refuse(d, "%s=%.20s: it can be %ld to %ld here",
				     key, text, min, max);
	*ret = n;
	return 0;
}

int damage_address(struct damage *d, const char *key, uintptr_t *ret)
{
	const char *text = damage_key(d, key);
	unsigned long n;
	char *end;

	if (!text)
		return 0;
	errno = 0;
	n = strtoul(text, &end, 0);
	if (end == text || *end || errno || *text == '-')
		return damage_refuse(d,
				     "%s=%.20s is no address; %s=0x%lx, say",
				     key, text, key,
				     slab_machine_print_address(d->m, d->base));
	*ret = slab_machine_parse_address(d->m, n);
	return 0;
}

/* Is word one of the blank-separated words? */
static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	while (n && *words) {
		size_t len = strcspn(words, " ");

		if (len == n && !strncmp(words, word, n))
			return true;
		words += len;
		words += strspn(words, " ");
	}
	return false;
}

static int keys_check(struct damage *d)
{
	const struct slab_corrupt_value *v, *w;

	for (v = d->values; v && v->key; v++) {
		if (!has_word(d->kind->keys, v->key))
			return damage_refuse(
				d, "%s has no key \"%.20s\"; it takes %s",
				d->kind->name, v->key,
				*d->kind->keys ? d->kind->keys : "none");
		for (w = d->values; w != v; w++)
			if (!strcmp(w->key, v->key))
				return damage_refuse(d, "%s= is given twice",
						     v->key);
	}
	return 0;
}

/* ---- targets ---- */
static int object_of(struct damage *d, uintptr_t address)
{
	unsigned int fit = slab_fit(d->s, d->slab);
	uintptr_t off = address - d->base - d->s->red_left_pad;
	char name[96];

	if (off % d->s->size || off / d->s->size >= fit)
		return damage_refuse(
			d, "0x%lx is inside %s but not the start of an object; 0x%lx is, say",
			slab_machine_print_address(d->m, address),
			damage_name(d, name, sizeof(name)),
			slab_machine_print_address(
				d->m, slab_object(d->s, d->base, 0)));
	d->object = address;
	d->index = (unsigned int)(off / d->s->size);
	return 0;
}

static int target_find(struct damage *d, uintptr_t address)
{
	d->slab = virt_to_head(d->m, (void *)address);
	/* what damage made unrecognisable can be damaged again */
	if (!d->slab || !d->slab->slab_cache ||
	    !machine_has_cache(d->m, d->slab->slab_cache)) {
		damage_refuse(d, "0x%lx is in no slab; %s takes an object or slab of a cache",
			      slab_machine_print_address(d->m, address),
			      d->kind->name);
		return machine_owns(d->m, address) ? -EINVAL : -EFAULT;
	}
	d->s = d->slab->slab_cache;
	d->base = slab_base(d->m, d->slab);
	d->end = d->base + slab_true_bytes(d->m, d->slab);
	return d->kind->target == SLAB_TARGET_OBJECT ? object_of(d, address) :
						       0;
}

int damage_need_free(struct damage *d)
{
	char name[96];

	if (damage_is_free(d))
		return 0;
	return damage_refuse(d, "%s is not free; %s needs a free object: free it first",
			     damage_name(d, name, sizeof(name)), d->kind->name);
}

const char *damage_hint_flush(const struct damage *d)
{
	return d->s->sheaf_capacity ?
		       " (what rests in sheaves is on no chain: cpu flush)" :
		       "";
}

int damage_need_chained(struct damage *d)
{
	enum slab_owner owner = rests_owner(&d->rests, d->object);
	char name[96];

	if (d->chain.pos[d->index] >= 0)
		return 0;
	if (owner == SLAB_OWNER_USER)
		return damage_need_free(d);
	return damage_refuse(d, "%s is free but rests in a sheaf (%s), where links mean nothing: cpu flush brings it to its slab's chain",
			     damage_name(d, name, sizeof(name)),
			     slab_owner_name(owner));
}

int damage_need_in_use(struct damage *d)
{
	char name[96];

	if (!damage_is_free(d))
		return 0;
	return damage_refuse(d, "%s is free; %s needs an object in use: alloc one",
			     damage_name(d, name, sizeof(name)), d->kind->name);
}

/* ---- writing ---- */
int damage_write(struct damage *d, uintptr_t at, const void *bytes, size_t n,
		 const char *what)
{
	uintptr_t shown = slab_machine_print_address(d->m, at);
	uint8_t before = byte_read((void *)at);
	char name[96];
	int err;

	err = slab_poke(d->m, at, bytes, n);
	if (err)
		return err;
	d->ret->first = at;
	d->ret->last = at + n - 1;
	d->ret->before = before;
	d->ret->after = byte_read((void *)at);
	damage_name(d, name, sizeof(name));
	if (n == 1)
		damage_text(d, "%s of %s: byte 0x%lx was 0x%02x, is 0x%02x",
			    what, name, shown, before, d->ret->after);
	else
		damage_text(d, "%s of %s: %zu bytes from 0x%lx, the first was 0x%02x, is 0x%02x",
			    what, name, n, shown, before, d->ret->after);
	return 0;
}

int damage_fill(struct damage *d, uintptr_t at, size_t n, uint8_t byte,
		const char *what)
{
	bool is_same = bytes_find_other((void *)at, byte, n) == n;
	long found = is_same ? (uint8_t)~byte : byte;
	uint8_t *bytes;
	int err = damage_number(d, "found", 0, 0xff, &found);

	if (err)
		return err;
	if (bytes_find_other((void *)at, (uint8_t)found, n) == n)
		return damage_refuse(d, "found=0x%02lx is there already: nothing would change",
				     found);
	bytes = malloc(n);
	if (!bytes)
		return -ENOMEM;
	memset(bytes, (int)found, n);
	err = damage_write(d, at, bytes, n, what);
	free(bytes);
	return err;
}

static int begin(struct damage *d, const char *kind, size_t *ret)
{
	*ret = kind_find(kind);
	memset(d->ret, 0, sizeof(*d->ret));
	if (*ret == ARRAY_SIZE(kinds)) {
		damage_refuse(d, "no kind of damage is named %.40s; %s is one",
			      kind, kinds[0].row.name);
		return -ENOENT;
	}
	d->kind = &kinds[*ret].row;
	return 0;
}

static int damage_slab_or_object(struct damage *d, size_t kind)
{
	int err = rests_collect(d->m, d->s, &d->rests);

	if (!err)
		err = chain_walk(d->s, d->slab, &d->chain);
	if (!err)
		err = kinds[kind].damage(d);
	chain_free(&d->chain);
	rests_free(&d->rests);
	return err;
}

int slab_corrupt(struct slab_machine *m, const char *kind, uintptr_t address,
		 const struct slab_corrupt_value *values,
		 struct slab_corrupt_result *ret)
{
	struct slab_corrupt_result unwanted;
	struct damage d = { .m = m, .values = values,
			    .ret = ret ? ret : &unwanted };
	size_t i;
	int err = begin(&d, kind, &i);

	if (!err)
		err = target_find(&d, address);
	if (!err && d.kind->target == SLAB_TARGET_CPU)
		return slab_corrupt_cpu(m, kind, m->cpu, d.s, values, ret);
	if (!err)
		err = keys_check(&d);
	return err ? err : damage_slab_or_object(&d, i);
}

int slab_corrupt_cpu(struct slab_machine *m, const char *kind,
		     unsigned int cpu, struct kmem_cache *s,
		     const struct slab_corrupt_value *values,
		     struct slab_corrupt_result *ret)
{
	struct slab_corrupt_result unwanted;
	struct damage d = { .m = m, .values = values, .cpu = cpu,
			    .ret = ret ? ret : &unwanted };
	size_t i;
	int err = begin(&d, kind, &i);

	if (err)
		return err;
	if (d.kind->target != SLAB_TARGET_CPU)
		return damage_refuse(&d, "%s takes %s, no CPU", kind,
				     d.kind->target == SLAB_TARGET_SLAB ?
					     "a slab" :
					     "an object");
	if (cpu >= m->config.nr_cpu_ids)
		return damage_refuse(&d, "there is no CPU %u; cpu%u is the last one",
				     cpu, m->config.nr_cpu_ids - 1);
	if (!machine_has_live_cache(m, s))
		return damage_refuse(&d, "%s takes the sheaves of a cache: there is no such cache",
				     kind);
	d.s = s;
	err = keys_check(&d);
	if (!err && !s->sheaf_capacity)
		err = damage_refuse(&d, "%s has no sheaves: caches with debug flags are served from their slabs",
				    s->name);
	return err ? err : kinds[i].damage(&d);
}

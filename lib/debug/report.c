/* SPDX-License-Identifier: MIT */
/* debug/report.c - see report.h; the text is report_print.c's */
#include "debug/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debug/track.h"

#define HERE ((uintptr_t)__builtin_return_address(0))

static const struct slab_report_row rows[SLAB_NR_REPORTS] = {
#define REPORT(ID, SCOPE, COUNTS, TITLE, SENTENCE)                          \
	[SLAB_REPORT_##ID] = { .id = #ID, .title = TITLE,                   \
			       .sentence = SENTENCE,                        \
			       .scope = SLAB_SCOPE_##SCOPE,                 \
			       .counts = COUNTS },
#include <slab/reports.def>
#undef REPORT
};

static const struct {
	const char *text, *sentence;
} fixes[SLAB_NR_FIXES] = {
#define FIX(ID, TEXT, SENTENCE) [SLAB_FIX_##ID] = { TEXT, SENTENCE },
#include <slab/fixes.def>
#undef FIX
};

static_assert(SLAB_NR_REPORTS <= 64, "a bit each in slab_machine.warned");

const struct slab_report_row *slab_report_row(enum slab_report_kind kind)
{
	if (kind <= SLAB_REPORT_NONE || kind >= SLAB_NR_REPORTS)
		return NULL;
	return &rows[kind];
}

const char *slab_fix_sentence(enum slab_fix_kind fix)
{
	if (fix <= SLAB_FIX_NONE || fix >= SLAB_NR_FIXES)
		return NULL;
	return fixes[fix].sentence;
}

unsigned int slab_machine_errors(const struct slab_machine *m)
{
	return m->nr_errors;
}

void slab_machine_clear_errors(struct slab_machine *m)
{
	m->nr_errors = 0;
}

unsigned int slab_machine_reports(const struct slab_machine *m)
{
	return m->nr_reports;
}

/* ---- sinks ---- */
static unsigned int sink_find(const struct slab_machine *m, slab_sink_fn fn,
			      const void *arg)
{
	unsigned int i;

	for (i = 0; i < MAX_SINKS && m->sinks[i].fn; i++)
		if (m->sinks[i].fn == fn && m->sinks[i].arg == arg)
			break;
	return i < MAX_SINKS && m->sinks[i].fn ? i : MAX_SINKS;
}

int slab_machine_add_sink(struct slab_machine *m, slab_sink_fn fn, void *arg)
{
	unsigned int i;

	if (!fn)
		return -EINVAL;
	for (i = 0; i < MAX_SINKS; i++) {
		if (!m->sinks[i].fn) {
			m->sinks[i] = (struct machine_sink){ fn, arg };
			return 0;
		}
	}
	return -ENOSPC;
}

void slab_machine_remove_sink(struct slab_machine *m, slab_sink_fn fn,
			      void *arg)
{
	unsigned int i = sink_find(m, fn, arg);

	if (i == MAX_SINKS)
		return;
	memmove(&m->sinks[i], &m->sinks[i + 1],
		(MAX_SINKS - 1 - i) * sizeof(m->sinks[0]));
	m->sinks[MAX_SINKS - 1] = (struct machine_sink){ 0 };
}

/* A sink may remove itself or another: what is gone is not called. */
static void to_sinks(struct slab_machine *m, const struct slab_report *r)
{
	struct machine_sink sinks[MAX_SINKS];
	unsigned int i;

	memcpy(sinks, m->sinks, sizeof(sinks));
	for (i = 0; i < MAX_SINKS && sinks[i].fn; i++)
		if (sink_find(m, sinks[i].fn, sinks[i].arg) < MAX_SINKS)
			sinks[i].fn(sinks[i].arg, r);
}

/* ---- filling a record ---- */

/* Writes text with %d and %u from values, %p from pointers, %s and %x. */
struct fill_in {
	long values[2];
	uintptr_t pointers[2];
	const char *name;
	uint8_t byte;
};

static void expand(char *buf, size_t size, const char *text,
		   const struct fill_in *with)
{
	unsigned int nr_values = 0, nr_pointers = 0;
	size_t used = strlen(buf);

	for (; *text && used + 1 < size; text++) {
		int n;

		if (*text != '%') {
			buf[used++] = *text;
			buf[used] = '\0';
			continue;
		}
		switch (*++text) {
		case 'p':
			n = snprintf(buf + used, size - used, "%016lx",
				     with->pointers[nr_pointers++ & 1]);
			break;
		case 's':
			n = snprintf(buf + used, size - used, "%s", with->name);
			break;
		case 'x':
			n = snprintf(buf + used, size - used, "%x", with->byte);
			break;
		default:
			n = snprintf(buf + used, size - used, "%ld",
				     with->values[nr_values++ & 1]);
			break;
		}
		used += (size_t)n;
	}
}

static void fill_who(struct slab_report *r, struct slab_machine *m,
		     uintptr_t caller)
{
	r->machine = m;
	r->cpu = m->cpu;
	r->pid = m->pid;
	r->when = m->jiffies;
	r->index = -1;
	r->nr_frames = machine_stack(m, caller, r->frames, SLAB_TRACK_FRAMES);
}

static void fill_cache(struct slab_report *r, const struct kmem_cache *s)
{
	if (s && s->name)
		snprintf(r->cache, sizeof(r->cache), "%s", s->name);
}

static void fill_slab(struct slab_report *r, const struct slab_view *v)
{
	const struct slab *slab = v->slab;

	fill_cache(r, v->s);
	r->is_zap = !v->is_live;
	/* a list without a slab */
	if (!slab)
		return;
	r->view = v;
	r->slab = (uintptr_t)v->where;
	r->slab_nr = slab->nr;
	r->base = v->base;
	r->objects = slab->objects;
	r->inuse = slab->inuse;
	r->frozen = slab->frozen;
	r->is_partial = slab->flags & SL_PARTIAL;
	r->freelist = (uintptr_t)slab->freelist;
}

static void fill_object(struct slab_report *r, const struct slab_view *v,
			const void *object)
{
	uintptr_t p = (uintptr_t)object;

	r->object = p;
	if (!object || !v->slab || !view_is_valid_pointer(v, object))
		return;
	r->index = (int)((p - v->base - v->s->red_left_pad) / v->s->size);
	track_get(v, p, TRACK_ALLOC, &r->alloc);
	track_get(v, p, TRACK_FREE, &r->free);
}

static void fill_range(struct slab_report *r, const struct slab_view *v,
		       uintptr_t first, uintptr_t last, uint8_t wanted)
{
	r->first = first;
	r->last = last;
	r->wanted = wanted;
	if (view_holds(v, first, 1))
		r->found = byte_read(view_at(v, first));
}

/* ---- handing it over ---- */
static void taint(struct slab_machine *m, const struct slab_report *r)
{
	switch (rows[r->kind].scope) {
	case SLAB_SCOPE_LINE:
		break;
	case SLAB_SCOPE_WARN:
		m->taint |= TAINT_WARN;
		break;
	case SLAB_SCOPE_BYTES:
		if (!r->is_full)
			break;
		/* fall through */
	default:
		m->taint |= TAINT_BAD_PAGE | TAINT_WARN;
		m->lockdep_off_said = true;
	}
}

static void publish(struct slab_machine *m, struct slab_report *r,
		    const struct kmem_cache *s, const struct slab *slab)
{
	r->record = SLAB_RECORD_REPORT;
	r->number = ++m->nr_reports;
	m->nr_errors += rows[r->kind].counts;
	machine_event(m, SLAB_EVENT_REPORT, s, slab, (void *)r->object,
		      r->number, 0);
	to_sinks(m, r);
	taint(m, r);
}

static void publish_view(struct slab_report *r, struct slab_view *v)
{
	struct slab_machine *m = r->machine;

	v->findings++;
	if (!v->is_live) {
		r->record = SLAB_RECORD_REPORT;
		if (v->fn)
			v->fn(v->arg, r);
		return;
	}
	v->last_report = m->nr_reports + 1;
	v->last_kind = r->kind;
	machine_event(m, SLAB_EVENT_CHECK_FAIL, v->s, v->slab,
		      (void *)r->object, v->last_report, 0);
	publish(m, r, v->s, v->slab);
}

/* ---- findings on a view ---- */
static void fill_title(struct slab_report *r)
{
	struct fill_in with = {
		.values = { r->value, r->limit },
		.pointers = { slab_machine_print_address(r->machine,
							  r->object) },
	};

	expand(r->text, sizeof(r->text), rows[r->kind].title, &with);
}

void report_bytes(struct slab_view *v, enum slab_report_kind kind,
		  void *object, const char *label, uintptr_t first,
		  uintptr_t last, uint8_t wanted, bool is_full)
{
	struct slab_report r = { .kind = kind, .label = label,
				 .is_full = is_full };

	fill_who(&r, v->s->machine, HERE);
	fill_slab(&r, v);
	fill_object(&r, v, object);
	fill_range(&r, v, first, last, wanted);
	fill_title(&r);
	publish_view(&r, v);
}

void report_object(struct slab_view *v, enum slab_report_kind kind,
		   const void *object)
{
	struct slab_report r = { .kind = kind };

	fill_who(&r, v->s->machine, HERE);
	fill_slab(&r, v);
	fill_object(&r, v, object);
	fill_title(&r);
	publish_view(&r, v);
}

void report_slab(struct slab_view *v, enum slab_report_kind kind,
		 const void *object, long value, long limit)
{
	struct slab_report r = { .kind = kind, .value = value,
				 .limit = limit };

	fill_who(&r, v->s->machine, HERE);
	fill_slab(&r, v);
	fill_object(&r, v, object);
	/* the cache that freed it is not the slab's: nobody's is */
	if (kind == SLAB_REPORT_NO_SLAB_CACHE)
		r.cache[0] = '\0';
	fill_title(&r);
	publish_view(&r, v);
}

void report_tail(struct slab_view *v, uintptr_t first, uintptr_t last)
{
	struct slab_report r = { .kind = SLAB_REPORT_SLAB_PADDING,
				 .label = "Padding" };

	fill_who(&r, v->s->machine, HERE);
	fill_slab(&r, v);
	fill_range(&r, v, first, last, POISON_INUSE);
	fill_title(&r);
	publish_view(&r, v);
}

unsigned int view_nr_objects(const struct slab_view *v)
{
	return (unsigned int)MIN(v->slab->objects, v->size / v->s->size);
}

unsigned int view_map_free(const struct slab_view *v, unsigned long *map)
{
	unsigned int max = view_nr_objects(v), nr = 0;
	uintptr_t p = (uintptr_t)v->slab->freelist;

	memset(map, 0, BITMAP_BYTES(max));
	while (p && view_is_valid_pointer(v, (void *)p)) {
		unsigned int i = (unsigned int)((p - v->base) / v->s->size);

		if (i >= max || bitmap_test(map, i))
			break;
		bitmap_set(map, i);
		nr++;
		p = (uintptr_t)view_freepointer(v, p);
	}
	return nr;
}

void report_remaining(struct slab_view *v)
{
	struct slab_report r = { .kind = SLAB_REPORT_REMAINING };
	unsigned long map[BITMAP_BYTES(MAX_OBJS_PER_SLAB) / sizeof(long)];

	fill_who(&r, v->s->machine, HERE);
	fill_slab(&r, v);
	r.value = v->slab->objects - view_map_free(v, map);
	fill_title(&r);
	if (v->is_live)
		r.machine->nr_errors += (unsigned int)r.value;
	publish_view(&r, v);
}

/* ---- findings without one ---- */
void report_line(struct slab_machine *m, enum slab_report_kind kind,
		 struct kmem_cache *s, const char *format, ...)
{
	struct slab_report r = { .kind = kind };
	va_list args;

	fill_who(&r, m, HERE);
	fill_cache(&r, s);
	va_start(args, format);
	vsnprintf(r.text, sizeof(r.text), format, args);
	va_end(args);
	publish(m, &r, s, NULL);
}

/* What is known of an address that something was said about: the slab that
 * holds it, in the eyes of the slab's own cache. */
static bool view_of(struct slab_machine *m, const void *object,
		    struct slab_view *ret)
{
	struct slab *slab = virt_to_slab(m, object);

	if (!slab || !machine_has_cache(m, slab->slab_cache))
		return false;
	*ret = view_live(slab->slab_cache, slab);
	return true;
}

static void warn(struct slab_machine *m, struct slab_report *r,
		 struct kmem_cache *s, const void *object, const char *format,
		 va_list args)
{
	struct slab_view v;

	if (object && view_of(m, object, &v)) {
		fill_slab(r, &v);
		fill_object(r, &v, object);
		if (v.s != s)
			snprintf(r->other, sizeof(r->other), "%s", v.s->name);
	}
	r->object = (uintptr_t)object;
	r->cache[0] = '\0';
	fill_cache(r, s);
	vsnprintf(r->text, sizeof(r->text), format, args);
	/* indices of another cache's slab would be wrong in this one's name */
	publish(m, r, s, r->other[0] ? NULL : (struct slab *)r->slab);
}

void report_warn(struct slab_machine *m, enum slab_report_kind kind,
		 bool once, struct kmem_cache *s, const void *object,
		 const char *format, ...)
{
	struct slab_report r = { .kind = kind };
	va_list args;

	if (once && (m->warned >> kind & 1))
		return;
	if (once)
		m->warned |= 1ULL << kind;
	fill_who(&r, m, HERE);
	va_start(args, format);
	warn(m, &r, s, object, format, args);
	va_end(args);
}

void report_access(struct slab_machine *m, struct kmem_cache *s,
		   const void *object, uintptr_t touched, size_t n,
		   const char *format, ...)
{
	struct slab_report r = { .kind = SLAB_REPORT_ASAN,
				 .touched = touched,
				 .nr_touched = n };
	va_list args;

	fill_who(&r, m, HERE);
	va_start(args, format);
	warn(m, &r, s, object, format, args);
	va_end(args);
}

/* ---- repairs ---- */
static void hand_over_fix(struct slab_view *v, struct slab_report *r,
			  const struct fill_in *with, uintptr_t caller)
{
	struct slab_machine *m = v->s->machine;

	/* a copy is never repaired */
	if (!v->is_live)
		return;
	r->record = SLAB_RECORD_FIX;
	r->kind = v->last_kind;
	r->number = v->last_report;
	fill_who(r, m, caller);
	fill_slab(r, v);
	if (r->object)
		fill_object(r, v, (void *)r->object);
	snprintf(r->text, sizeof(r->text), "FIX %s: ", v->s->name);
	expand(r->text, sizeof(r->text), fixes[r->fix].text, with);
	m->nr_errors++;
	machine_event(m, SLAB_EVENT_FIX, v->s, v->slab, (void *)r->object,
		      r->number, 0);
	to_sinks(m, r);
}

void report_fix(struct slab_view *v, enum slab_fix_kind fix,
		const void *object)
{
	uintptr_t p = (uintptr_t)object;
	struct slab_report r = { .fix = fix, .object = p };
	struct fill_in with = {
		.pointers = { slab_machine_print_address(v->s->machine, p) },
	};

	hand_over_fix(v, &r, &with, HERE);
}

void report_fix_restoring(struct slab_view *v, const char *label,
			  uintptr_t first, uintptr_t last, uint8_t byte)
{
	const struct slab_machine *m = v->s->machine;
	struct slab_report r = { .fix = SLAB_FIX_RESTORING, .label = label };
	struct fill_in with = {
		.pointers = { slab_machine_print_address(m, first),
			      slab_machine_print_address(m, last) },
		.name = label,
		.byte = byte,
	};

	fill_range(&r, v, first, last, byte);
	hand_over_fix(v, &r, &with, HERE);
}

/* ---- what is no finding ---- */
void report_note(struct slab_machine *m, const char *format, ...)
{
	struct slab_report r = { .record = SLAB_RECORD_NOTE };
	va_list args;

	fill_who(&r, m, HERE);
	va_start(args, format);
	vsnprintf(r.text, sizeof(r.text), format, args);
	va_end(args);
	to_sinks(m, &r);
}

void report_trace(struct slab_view *v, const void *object, bool is_alloc)
{
	struct slab_machine *m = v->s->machine;
	struct slab_report r = { .record = SLAB_RECORD_TRACE,
				 .is_alloc = is_alloc };
	uintptr_t p = (uintptr_t)object;

	fill_who(&r, m, HERE);
	fill_slab(&r, v);
	fill_object(&r, v, object);
	snprintf(r.text, sizeof(r.text),
		 "TRACE %s %s 0x%016lx inuse=%u fp=0x%016lx", v->s->name,
		 is_alloc ? "alloc" : "free", slab_machine_print_address(m, p),
		 r.inuse, slab_machine_print_address(m, r.freelist));
	to_sinks(m, &r);
}

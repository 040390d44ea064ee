/* SPDX-License-Identifier: MIT */
/* debug/report.c - see report.h; the text is report_print.c's */
#include "debug/report.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debug/track.h"

#define HERE ((uintptr_t)__builtin_return_address(0))

static const struct slab_report_row rows[SLAB_NR_REPORTS] = {
#define REPORT(ID, SCOPE, COUNTS, TITLE, SENTENCE)          \
	[SLAB_REPORT_##ID] = { .id = #ID,                   \
			       .title = TITLE,              \
			       .sentence = SENTENCE,        \
			       .scope = SLAB_SCOPE_##SCOPE, \
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
	return __atomic_load_n(&m->nr_errors, __ATOMIC_RELAXED);
}

void slab_machine_clear_errors(struct slab_machine *m)
{
	__atomic_store_n(&m->nr_errors, 0, __ATOMIC_RELAXED);
}

unsigned int slab_machine_reports(const struct slab_machine *m)
{
	return __atomic_load_n(&m->nr_reports, __ATOMIC_RELAXED);
}

static void count_errors(struct slab_machine *m, unsigned int nr)
{
	__atomic_fetch_add(&m->nr_errors, nr, __ATOMIC_RELAXED);
}

/* ---- one at a time ---- */
enum telling {
	TELL_NOBODY, /* who is told runs, and we may have interrupted it */
	TELL_INSIDE, /* a sink of this thread makes a report of its own */
	TELL,
};

/*
 * Threads find things at once; sinks are called by one of them at a time. A
 * signal handler waits for nobody: what it can not tell is counted, and the
 * next one who tells anything says so.
 */
static enum telling tell_begin(struct slab_machine *m)
{
	if (!m->is_native)
		return TELL;
	if (__atomic_load_n(&m->reporter, __ATOMIC_RELAXED) == machine_pid(m))
		return lock_may_wait() ? TELL_INSIDE : TELL_NOBODY;
	if (!lock_take_or_try(&m->report_lock))
		return TELL_NOBODY;
	__atomic_store_n(&m->reporter, machine_pid(m), __ATOMIC_RELAXED);
	return TELL;
}

static void tell_end(struct slab_machine *m, enum telling telling)
{
	if (!m->is_native || telling != TELL)
		return;
	__atomic_store_n(&m->reporter, 0, __ATOMIC_RELAXED);
	lock_release(&m->report_lock);
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
	enum telling telling;
	unsigned int i = 0;

	if (!fn)
		return -EINVAL;
	telling = tell_begin(m);
	while (i < MAX_SINKS && m->sinks[i].fn)
		i++;
	if (i < MAX_SINKS)
		m->sinks[i] = (struct machine_sink){ fn, arg };
	tell_end(m, telling);
	return i < MAX_SINKS ? 0 : -ENOSPC;
}

void slab_machine_remove_sink(struct slab_machine *m, slab_sink_fn fn,
			      void *arg)
{
	enum telling telling = tell_begin(m);
	unsigned int i = sink_find(m, fn, arg);

	if (i < MAX_SINKS) {
		memmove(&m->sinks[i], &m->sinks[i + 1],
			(MAX_SINKS - 1 - i) * sizeof(m->sinks[0]));
		m->sinks[MAX_SINKS - 1] = (struct machine_sink){ 0 };
	}
	tell_end(m, telling);
}

void slab_machine_set_report_policy(struct slab_machine *m,
				    enum slab_report_policy policy,
				    slab_sink_fn callback, void *arg)
{
	enum telling telling = tell_begin(m);

	m->report_policy = policy;
	m->report_callback = (struct machine_sink){ callback, arg };
	tell_end(m, telling);
}

/*
 * A sink may remove itself or another: what is gone is not called. A thread does
 * not end in one, for there it holds locks: writing is where pthread_cancel()
 * would get it.
 */
static void call_sinks(struct slab_machine *m, const struct slab_report *r)
{
	struct machine_sink sinks[MAX_SINKS];
	unsigned int i;
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	memcpy(sinks, m->sinks, sizeof(sinks));
	for (i = 0; i < MAX_SINKS && sinks[i].fn; i++)
		if (sink_find(m, sinks[i].fn, sinks[i].arg) < MAX_SINKS)
			sinks[i].fn(sinks[i].arg, r);
	if (m->report_policy == SLAB_POLICY_CALLBACK && m->report_callback.fn)
		m->report_callback.fn(m->report_callback.arg, r);
	else if (m->is_native && !sinks[0].fn)
		slab_sink_stderr(NULL, r);
	if (m->report_policy == SLAB_POLICY_ABORT)
		slab_sink_panic(NULL, r);
	pthread_setcancelstate(cancel, NULL);
}

static void tell_untold(struct slab_machine *m)
{
	unsigned int nr =
		__atomic_exchange_n(&m->nr_untold, 0, __ATOMIC_RELAXED);
	struct slab_report r = { .record = SLAB_RECORD_NOTE,
				 .machine = m,
				 .index = -1 };

	if (!nr)
		return;
	snprintf(r.text, sizeof(r.text),
		 "SLUB: %u records of signal handlers could not be told", nr);
	call_sinks(m, &r);
}

static void to_sinks(struct slab_machine *m, const struct slab_report *r,
		     enum telling telling)
{
	if (telling == TELL_NOBODY) {
		__atomic_fetch_add(&m->nr_untold, 1, __ATOMIC_RELAXED);
		return;
	}
	if (__atomic_load_n(&m->nr_untold, __ATOMIC_RELAXED))
		tell_untold(m);
	call_sinks(m, r);
}

/* What is not numbered. */
static void tell(struct slab_machine *m, const struct slab_report *r)
{
	enum telling telling = tell_begin(m);

	to_sinks(m, r, telling);
	tell_end(m, telling);
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
	r->cpu = machine_cpu(m);
	r->pid = machine_pid(m);
	r->when = machine_jiffies(m);
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
		__atomic_fetch_or(&m->taint, TAINT_WARN, __ATOMIC_RELAXED);
		break;
	case SLAB_SCOPE_BYTES:
		if (!r->is_full)
			break;
		/* fall through */
	default:
		__atomic_fetch_or(&m->taint, TAINT_BAD_PAGE | TAINT_WARN,
				  __ATOMIC_RELAXED);
		__atomic_store_n(&m->lockdep_off_said, true, __ATOMIC_RELAXED);
	}
}

/* v: NULL, or the live view on which it was found. */
static void publish(struct slab_machine *m, struct slab_report *r,
		    const struct kmem_cache *s, const struct slab *slab,
		    struct slab_view *v)
{
	enum telling telling = tell_begin(m);

	r->record = SLAB_RECORD_REPORT;
	r->number = __atomic_add_fetch(&m->nr_reports, 1, __ATOMIC_RELAXED);
	count_errors(m, rows[r->kind].counts);
	if (v) {
		v->last_report = r->number;
		v->last_kind = r->kind;
		machine_event(m, SLAB_EVENT_CHECK_FAIL, s, slab,
			      (void *)r->object, r->number, 0);
	}
	machine_event(m, SLAB_EVENT_REPORT, s, slab, (void *)r->object,
		      r->number, 0);
	to_sinks(m, r, telling);
	taint(m, r);
	tell_end(m, telling);
}

static void publish_view(struct slab_report *r, struct slab_view *v)
{
	v->findings++;
	if (v->is_live) {
		publish(r->machine, r, v->s, v->slab, v);
		return;
	}
	r->record = SLAB_RECORD_REPORT;
	if (v->fn)
		v->fn(v->arg, r);
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

void report_bytes(struct slab_view *v, enum slab_report_kind kind, void *object,
		  const char *label, uintptr_t first, uintptr_t last,
		  uint8_t wanted, bool is_full)
{
	struct slab_report r = { .kind = kind,
				 .label = label,
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
	struct slab_report r = { .kind = kind, .value = value, .limit = limit };

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
		count_errors(r.machine, (unsigned int)r.value);
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
	publish(m, &r, s, NULL, NULL);
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
	publish(m, r, s, r->other[0] ? NULL : (struct slab *)r->slab, NULL);
}

static bool was_warned(struct slab_machine *m, enum slab_report_kind kind)
{
	uint64_t bit = 1ULL << kind;

	return __atomic_fetch_or(&m->warned, bit, __ATOMIC_RELAXED) & bit;
}

void report_warn(struct slab_machine *m, enum slab_report_kind kind, bool once,
		 struct kmem_cache *s, const void *object, const char *format,
		 ...)
{
	struct slab_report r = { .kind = kind };
	va_list args;

	if (once && was_warned(m, kind))
		return;
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
	count_errors(m, 1);
	machine_event(m, SLAB_EVENT_FIX, v->s, v->slab, (void *)r->object,
		      r->number, 0);
	tell(m, r);
}

void report_fix(struct slab_view *v, enum slab_fix_kind fix, const void *object)
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
	tell(m, &r);
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
	tell(m, &r);
}

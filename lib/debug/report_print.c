/* SPDX-License-Identifier: MIT */
/*
 * debug/report_print.c - a record as the 7.0 kernel's log would show it
 *
 *	[bytes line]  banner  body  taint, WARNING and trace
 *
 * Line by line as spec/debugging/reports.md 3.2 to 3.11. Bytes come from the
 * record's view, addresses are printed as the machine prints them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "debug/report.h"
#include "debug/track.h"

#define BYTES_A_ROW 16
#define PG_HEAD	    (1UL << 6)

struct printer {
	const struct slab_report *r;
	slab_line_fn line;
	void *arg;
};

__attribute__((format(printf, 2, 3)))
static void say(const struct printer *p, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	p->line(p->arg, line);
}

static uintptr_t shown(const struct printer *p, uintptr_t address)
{
	return slab_machine_print_address(p->r->machine, address);
}

/* ---- stacks and tracks ---- */

/* A signal handler reads no files: its stack may be short. */
static void name_code(const struct printer *p, uintptr_t address, char *buf,
		      size_t size)
{
	if (lock_may_wait())
		slab_symbol(p->r->machine, address, buf, size);
	else
		snprintf(buf, size, "0x%lx", shown(p, address));
}

static void print_frames(const struct printer *p, const uintptr_t *frames,
			 unsigned int nr)
{
	char symbol[256];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		name_code(p, frames[i], symbol, sizeof(symbol));
		say(p, " %s", symbol);
	}
}

static void print_call_trace(const struct printer *p)
{
	say(p, "Call Trace:");
	say(p, " <TASK>");
	print_frames(p, p->r->frames, p->r->nr_frames);
	say(p, " </TASK>");
}

static void print_cut_here(const struct printer *p)
{
	say(p, "------------[ cut here ]------------");
}

static void print_warning(const struct printer *p, const char *place)
{
	const struct slab_machine *m = p->r->machine;

	say(p, "WARNING: %s, CPU#%u: %s/%d", place, p->r->cpu, m->comm,
	    p->r->pid);
}

static void print_end_trace(const struct printer *p)
{
	say(p, "---[ end trace 0000000000000000 ]---");
}

static void print_track(const struct printer *p, const char *what,
			const struct slab_track *track)
{
	char symbol[256];

	if (!track->addr)
		return;
	name_code(p, track->addr, symbol, sizeof(symbol));
	say(p, "%s in %s age=%lu cpu=%u pid=%d", what, symbol,
	    (unsigned long)(p->r->when - track->when),
	    (unsigned int)track->cpu, track->pid);
	if (track->nr_frames) {
		print_frames(p, track->frames, track->nr_frames);
	} else if (!track->handle) {
		say(p, "object allocation/free stack trace missing");
	} else {
		print_cut_here(p);
		say(p, "corrupt handle or use after stack_depot_put()");
		print_warning(p, "lib/stackdepot.c:719 at "
				 "stack_depot_print+0x3e/0x50");
		print_end_trace(p);
	}
}

static void print_tracks(const struct printer *p,
			 const struct slab_track *alloc,
			 const struct slab_track *free)
{
	print_track(p, "Allocated", alloc);
	print_track(p, "Freed", free);
}

/* ---- the banner ---- */
static const char *taint_text(unsigned int taint, char *buf, size_t size)
{
	/* one place a bit; P's shows G while it is clear */
	static const char letters[] = "GFSRMBUDAWCIOELKXTNJ";
	char *to;
	unsigned int i;

	if (!taint) {
		snprintf(buf, size, "Not tainted");
		return buf;
	}
	to = buf + snprintf(buf, size, "Tainted: ");
	for (i = 0; letters[i]; i++)
		*to++ = (char)(!i || taint >> i & 1 ? letters[i] : ' ');
	*to = '\0';
	return buf;
}

__attribute__((format(printf, 2, 3)))
static void print_banner(const struct printer *p, const char *format, ...)
{
	static const char rule[] =
		"=============================================================="
		"===============";
	static const char line[] =
		"--------------------------------------------------------------"
		"---------------";
	const struct slab_report *r = p->r;
	char reason[320], taint[40];
	va_list args;

	static_assert(sizeof(rule) - 1 == 77 && sizeof(line) - 1 == 77,
		      "as long as the kernel's");
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	say(p, "%s", rule);
	say(p, "BUG %s (%s): %s", r->cache[0] ? r->cache : "<unknown>",
	    taint_text(r->machine->taint, taint, sizeof(taint)), reason);
	/* these two titles end in a newline of their own */
	if (r->kind == SLAB_REPORT_BULK_INUSE ||
	    r->kind == SLAB_REPORT_BULK_COUNT)
		say(p, "%s", "");
	say(p, "%s", line);
	say(p, "%s", "");
}

/* ---- bytes ---- */
static void print_row(const struct printer *p, const char *label,
		      uintptr_t address, size_t n)
{
	char text[3 * BYTES_A_ROW + 2 + BYTES_A_ROW + 1];
	char *ascii = &text[3 * BYTES_A_ROW + 1];
	const uint8_t *from = view_at(p->r->view, address);
	size_t i;

	memset(text, ' ', sizeof(text));
	for (i = 0; i < n; i++) {
		uint8_t byte = byte_read(from + i);

		text[3 * i] = "0123456789abcdef"[byte >> 4];
		text[3 * i + 1] = "0123456789abcdef"[byte & 15];
		ascii[i] = (char)(byte >= ' ' && byte <= '~' ? byte : '.');
	}
	ascii[n] = '\0';
	say(p, "%s%016lx: %s", label, shown(p, address), text);
}

static void print_dump(const struct printer *p, const char *label,
		       uintptr_t address, size_t n)
{
	const struct slab_view *v = p->r->view;

	/* a damaged count may place an object across the slab's end */
	if (!view_holds(v, address, 1))
		return;
	n = MIN(n, v->base + v->size - address);
	for (; n > BYTES_A_ROW; n -= BYTES_A_ROW, address += BYTES_A_ROW)
		print_row(p, label, address, BYTES_A_ROW);
	if (n)
		print_row(p, label, address, n);
}

/* ---- bodies ---- */
static void print_slab_line(const struct printer *p)
{
	const struct slab_report *r = p->r;
	const struct slab *slab;
	unsigned long flags;

	if (!r->view)
		return; /* a slab whose cache is gone */
	slab = r->view->slab;
	flags = slab->flags;
	/* pages of one block have a head; the bit is the page's, not ours */
	if (r->view->size > PAGE_SIZE)
		flags |= PG_HEAD;
	say(p,
	    "Slab 0x%016lx objects=%u used=%u fp=0x%016lx flags=0x%lx(%s%s%s%snode=%u)",
	    shown(p, r->slab), r->objects, r->inuse, shown(p, r->freelist),
	    flags, flags & SL_LOCKED ? "locked|" : "",
	    flags & SL_PFMEMALLOC ? "active|" : "",
	    flags & SL_PARTIAL ? "workingset|" : "",
	    flags & PG_HEAD ? "head|" : "", slab->node);
}

static void print_object(const struct printer *p)
{
	const struct slab_report *r = p->r;
	const struct slab_view *v = r->view;
	const struct kmem_cache *s = v->s;
	uintptr_t object = r->object;
	unsigned int meta_end = layout_meta_end(s), span = layout_span(s);

	if (r->index < 0) {
		print_slab_line(p);
		say(p, "Invalid pointer 0x%016lx", shown(p, object));
		return;
	}
	print_tracks(p, &r->alloc, &r->free);
	print_slab_line(p);
	say(p, "Object 0x%016lx @offset=%lu fp=0x%016lx", shown(p, object),
	    object - r->base,
	    shown(p, (uintptr_t)view_freepointer(v, object)));
	say(p, "%s", "");
	if (s->flags & SLAB_RED_ZONE)
		print_dump(p, "Redzone  ", object - s->red_left_pad,
			   s->red_left_pad);
	else if (object > r->base + BYTES_A_ROW)
		print_dump(p, "Bytes b4 ", object - BYTES_A_ROW, BYTES_A_ROW);
	print_dump(p, "Object   ", object, MIN(s->object_size, PAGE_SIZE));
	if (s->flags & SLAB_RED_ZONE)
		print_dump(p, "Redzone  ", object + s->object_size,
			   s->inuse - s->object_size);
	if (meta_end != span)
		print_dump(p, "Padding  ", object + meta_end, span - meta_end);
}

static void print_tail(const struct printer *p)
{
	const struct slab_view *v = p->r->view;
	size_t bytes = MIN(slab_bytes(v->slab), v->size);
	size_t rest = bytes % v->s->size;

	print_dump(p, "Padding ", v->base + bytes - rest, rest);
	print_slab_line(p);
}

static void print_remaining(const struct printer *p)
{
	unsigned long map[BITMAP_BYTES(MAX_OBJS_PER_SLAB) / sizeof(long)];
	const struct slab_view *v = p->r->view;
	struct slab_track alloc, free;
	unsigned int i;

	view_map_free(v, map);
	/* a count that is too high promises objects behind the last one, and
	 * the kernel lists them; nothing of them is read */
	for (i = 0; i < v->slab->objects; i++) {
		uintptr_t object = slab_object(v->s, v->base, i);

		if (i < view_nr_objects(v) && bitmap_test(map, i))
			continue;
		say(p, "Object 0x%016lx @offset=%lu", shown(p, object),
		    object - v->base);
		track_get(v, object, TRACK_ALLOC, &alloc);
		track_get(v, object, TRACK_FREE, &free);
		print_tracks(p, &alloc, &free);
	}
	print_slab_line(p);
}

/* ---- the end of a report ---- */

/* Where 7.0's warnings stand, about: lines and lengths differ from build to
 * build, the functions do not. */
static const char *warning_place(enum slab_report_kind kind)
{
	switch (kind) {
	case SLAB_REPORT_NOT_IN_SLAB:
		return "mm/slub.c:6815 at kmem_cache_free+0x1e5/0x450";
	case SLAB_REPORT_DIFFERENT_CACHE:
		return "mm/slub.c:6821 at kmem_cache_free+0x2ca/0x450";
	case SLAB_REPORT_NOT_KMALLOC:
		return "mm/slub.c:6880 at free_large_kmalloc+0x3f/0x70";
	case SLAB_REPORT_STILL_OBJECTS:
		return "mm/slab_common.c:532 at kmem_cache_destroy+0x142/0x160";
	case SLAB_REPORT_CTOR_ZERO:
		return "mm/slub.c:3402 at new_slab+0x58/0x80";
	case SLAB_REPORT_USERCOPY_WINDOW:
		return "mm/slab_common.c:337 at "
		       "__kmem_cache_create_args+0x19c/0x2f0";
	case SLAB_REPORT_USERCOPY_EXPOSE:
	case SLAB_REPORT_USERCOPY_OVERWRITE:
		return "mm/usercopy.c:102 at usercopy_abort+0x6c/0x80";
	case SLAB_REPORT_SLAB_PADDING:
		return "mm/slub.c:1251 at slab_pad_check+0x147/0x1b0";
	case SLAB_REPORT_REMAINING:
		return "mm/slub.c:1251 at __kmem_cache_shutdown+0x379/0x3f0";
	default:
		break;
	}
	if (slab_report_row(kind)->scope == SLAB_SCOPE_SLAB)
		return "mm/slub.c:1251 at slab_err+0x90/0xc0";
	return "mm/slub.c:1190 at object_err+0x62/0x90";
}

static void print_bug_end(const struct printer *p)
{
	const struct slab_report *r = p->r;

	if (r->is_zap)
		return;
	if (!r->machine->lockdep_off_said)
		say(p, "Disabling lock debugging due to kernel taint");
	print_cut_here(p);
	print_warning(p, warning_place(r->kind));
	print_call_trace(p);
	print_end_trace(p);
}

static void print_warn(const struct printer *p)
{
	const struct slab_report *r = p->r;
	/* 7.0 dumps the page behind this one, and says why there */
	bool is_page = r->kind == SLAB_REPORT_NOT_KMALLOC;

	print_cut_here(p);
	if (!is_page)
		say(p, "%s", r->text);
	print_warning(p, warning_place(r->kind));
	print_call_trace(p);
	print_end_trace(p);
	if (is_page)
		say(p, "page dumped because: %s",
		    slab_report_row(r->kind)->title);
	if (r->kind == SLAB_REPORT_DIFFERENT_CACHE)
		print_tracks(p, &r->alloc, &r->free);
}

/* The sanitizer has said its own; this is what it could not know. */
static void print_asan(const struct printer *p)
{
	say(p, "%s", p->r->text);
	if (!p->r->view)
		return;
	if (p->r->index >= 0) {
		print_object(p);
		return;
	}
	print_slab_line(p);
}

/* ---- records ---- */
static void print_report(const struct printer *p)
{
	const struct slab_report *r = p->r;

	switch (slab_report_row(r->kind)->scope) {
	case SLAB_SCOPE_BYTES:
		say(p, "[%s overwritten] 0x%016lx-0x%016lx @offset=%lu. First byte 0x%x instead of 0x%x",
		    r->label, shown(p, r->first), shown(p, r->last),
		    r->first - r->base, r->found, r->wanted);
		if (!r->is_full)
			return;
		print_banner(p, "Object corrupt");
		print_object(p);
		break;
	case SLAB_SCOPE_TAIL:
		print_banner(p, "%s. 0x%016lx-0x%016lx @offset=%lu", r->text,
			     shown(p, r->first), shown(p, r->last),
			     r->first - r->base);
		print_tail(p);
		break;
	case SLAB_SCOPE_OBJECT:
		print_banner(p, "%s", r->text);
		print_object(p);
		break;
	case SLAB_SCOPE_SLAB:
		print_banner(p, "%s", r->text);
		print_slab_line(p);
		break;
	case SLAB_SCOPE_LEFT:
		print_banner(p, "%s", r->text);
		print_remaining(p);
		break;
	case SLAB_SCOPE_LINE:
		say(p, "%s", r->text);
		return;
	case SLAB_SCOPE_WARN:
		if (r->kind == SLAB_REPORT_ASAN)
			print_asan(p);
		else
			print_warn(p);
		return;
	}
	print_bug_end(p);
}

static void print_trace(const struct printer *p)
{
	const struct slab_report *r = p->r;

	say(p, "%s", r->text);
	if (!r->is_alloc)
		print_dump(p, "Object ", r->object, r->view->s->object_size);
	print_call_trace(p);
}

void slab_report_print(const struct slab_report *report, slab_line_fn line,
		       void *arg)
{
	struct printer p = { report, line, arg };

	switch (report->record) {
	case SLAB_RECORD_REPORT:
		print_report(&p);
		break;
	case SLAB_RECORD_TRACE:
		print_trace(&p);
		break;
	case SLAB_RECORD_FIX:
	case SLAB_RECORD_NOTE:
		say(&p, "%s", report->text);
		break;
	}
}

/* ---- ready-made sinks ---- */
static void print_to_file(void *file, const char *line)
{
	fprintf(file, "%s\n", line);
}

void slab_sink_print(void *file, const struct slab_report *report)
{
	slab_report_print(report, print_to_file, file);
}

/* One call a line: others who write there come between lines, not into them. */
static void print_to_stderr(void *unused, const char *line)
{
	struct iovec parts[] = {
		{ (void *)line, strlen(line) },
		{ (void *)"\n", 1 },
	};
	int saved = errno;
	ssize_t n;

	(void)unused;
	do
		n = writev(STDERR_FILENO, parts, 2);
	while (n < 0 && errno == EINTR);
	errno = saved;
}

void slab_sink_stderr(void *unused, const struct slab_report *report)
{
	slab_report_print(report, print_to_stderr, unused);
}

/* Where 7.0 has a WARN, and panic_on_warn its end. */
static bool has_warning(const struct slab_report *r)
{
	if (r->record != SLAB_RECORD_REPORT || r->is_zap)
		return false;
	switch (slab_report_row(r->kind)->scope) {
	case SLAB_SCOPE_BYTES:
		return r->is_full;
	case SLAB_SCOPE_LINE:
		return false;
	default:
		return true;
	}
}

void slab_sink_panic(void *unused, const struct slab_report *report)
{
	(void)unused;
	if (!has_warning(report))
		return;
	print_to_stderr(NULL, "Kernel panic - not syncing: kernel: "
			      "panic_on_warn set ...");
	abort();
}

/* SPDX-License-Identifier: MIT */
/*
 * debug/report.h - fill a record and hand it to the sinks; decide nothing
 */
#ifndef SLAB_DEBUG_REPORT_H
#define SLAB_DEBUG_REPORT_H

#include "debug/check.h"

/* Which of them are on the free chain, as far as it can be followed; map holds
 * MAX_OBJS_PER_SLAB bits. Returns how many. */
unsigned int view_map_free(const struct slab_view *v, unsigned long *map);

/* A byte check failed: [first, last] should be `wanted`. is_full: with the
 * object, as the first bad area of it. */
void report_bytes(struct slab_view *v, enum slab_report_kind kind, void *object,
		  const char *label, uintptr_t first, uintptr_t last,
		  uint8_t wanted, bool is_full);
/* One object; kind's title takes value and limit. */
void report_object(struct slab_view *v, enum slab_report_kind kind,
		   const void *object);
/* The slab; object is what %p names. */
void report_slab(struct slab_view *v, enum slab_report_kind kind,
		 const void *object, long value, long limit);
void report_tail(struct slab_view *v, uintptr_t first, uintptr_t last);
/* Objects left at destroy: one record; the sink prints the objects from the
 * view (those not on the free chain). Counts 1 + their number. */
void report_remaining(struct slab_view *v);
/* A line of its own, and a WARN (once a machine when `once`). s may be NULL. */
void report_line(struct slab_machine *m, enum slab_report_kind kind,
		 struct kmem_cache *s, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void report_warn(struct slab_machine *m, enum slab_report_kind kind, bool once,
		 struct kmem_cache *s, const void *object, const char *format,
		 ...) __attribute__((format(printf, 6, 7)));
/* A sanitizer's: n bytes from touched on. */
void report_access(struct slab_machine *m, struct kmem_cache *s,
		   const void *object, uintptr_t touched, size_t n,
		   const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Repairs: the FIX lines, belonging to v's last report. */
void report_fix(struct slab_view *v, enum slab_fix_kind fix,
		const void *object);
void report_fix_restoring(struct slab_view *v, const char *label,
			  uintptr_t first, uintptr_t last, uint8_t byte);

/* No finding: a line to log; and SLAB_TRACE's. */
void report_note(struct slab_machine *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void report_trace(struct slab_view *v, const void *object, bool is_alloc);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * machine/probe.h - each step as a trace point that other programs can watch
 *
 *	SLAB_EVENT_SHEAF_REFILL  -->  probe slab:sheaf_refill
 *
 * A probe is a nop and a note in the file that says where its five arguments
 * are just then: cache name, slab, object, a, b. Nothing is computed for it
 * alone, so that it costs the nop: what a step does not have at hand is 0.
 * lib/TRACING.md says how to watch; probe_names.h is made of events.def.
 */
#ifndef SLAB_MACHINE_PROBE_H
#define SLAB_MACHINE_PROBE_H

#include <slab/event.h>

#include <assert.h>

/* It would be the name of a variable otherwise. */
#define machine_probe_name(kind)                              \
	static_assert((kind) >= 0 && (kind) < SLAB_NR_EVENTS, \
		      "a probe has the name of one event")

#ifdef SLAB_USDT

/* clang, told that memory would do, stores registers for nobody. */
#ifdef __clang__
#define STAP_SDT_ARG_CONSTRAINT nr
#endif
#include <sys/sdt.h>

#include "machine/probe_names.h"

#define machine_probe(kind, cache, in, object, a, b)                      \
	do {                                                              \
		machine_probe_name(kind);                                 \
		STAP_PROBE5(slab, PROBE_##kind, cache, in, object, a, b); \
	} while (0)

#else

#define machine_probe(kind, cache, in, object, a, b) \
	do {                                         \
		machine_probe_name(kind);            \
		(void)(cache), (void)(in);           \
	} while (0)

#endif
#endif

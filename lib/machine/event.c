/* SPDX-License-Identifier: MIT */
/* machine/event.c - steps and points, by name and as a sentence */
#include "machine/machine.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"

static const struct {
	const char *name, *sentence;
} events[] = {
#define EVENT(id, name, sentence) { name, sentence },
#include <slab/events.def>
#undef EVENT
};

static const char *const points[] = {
#define POINT(id, name, sentence) name,
#include <slab/points.def>
#undef POINT
};

void slab_machine_set_event_hook(struct slab_machine *m, slab_event_fn fn,
				 void *arg)
{
	/* other threads look at any time: no function gets another's argument */
	__atomic_store_n(&m->event_fn, NULL, __ATOMIC_SEQ_CST);
	__atomic_store_n(&m->event_arg, arg, __ATOMIC_SEQ_CST);
	__atomic_store_n(&m->event_fn, fn, __ATOMIC_SEQ_CST);
	if (m->fast_changed)
		m->fast_changed(m);
}

void slab_machine_set_point_hook(struct slab_machine *m, slab_point_fn fn,
				 void *arg)
{
	__atomic_store_n(&m->point_arg, arg, __ATOMIC_RELAXED);
	__atomic_store_n(&m->point_fn, fn, __ATOMIC_RELAXED);
}

void slab_machine_set_wait_hook(struct slab_machine *m, slab_wait_fn fn,
				void *arg)
{
	m->wait_fn = fn;
	m->wait_arg = arg;
}

const char *slab_lock_name(const void *lock)
{
	static const char *const names[NR_LOCK_RANKS] = {
		[LOCK_RANK_MAKING] = "the making of the machine",
		[LOCK_RANK_CPUS] = "the CPU hotplug lock",
		[LOCK_RANK_MUTEX] = "slab_mutex",
		[LOCK_RANK_FLUSH] = "flush_lock",
		[LOCK_RANK_RCU] = "a grace period",
		[LOCK_RANK_PCS] = "a CPU's sheaves",
		[LOCK_RANK_BARN] = "a barn's lock",
		[LOCK_RANK_LIST] = "list_lock",
		[LOCK_RANK_SLAB] = "slab_lock",
		[LOCK_RANK_LENT] = "the list of borrowed sheaves",
		[LOCK_RANK_KRC] = "a batch of kfree_rcu",
		[LOCK_RANK_QUEUE] = "the queue of callbacks",
		[LOCK_RANK_PAGES] = "the page allocator's lock",
		[LOCK_RANK_REPORT] = "the lock of reports",
		[LOCK_RANK_DEPOT] = "the lock of the stack depot",
		[LOCK_RANK_META] = "the lock of the metadata",
	};

	return names[((const struct slab_lock *)lock)->rank];
}

unsigned int slab_lock_holder(const void *lock)
{
	return ((const struct slab_lock *)lock)->holder;
}

const char *slab_event_name(enum slab_event_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(events) ? events[kind].name : "unknown";
}

const char *slab_point_name(enum slab_point_kind point)
{
	return (size_t)point < ARRAY_SIZE(points) ? points[point] : "unknown";
}

void machine_tell(struct slab_machine *m, struct slab_event *event)
{
	slab_event_fn fn, again;
	void *arg;

	do {
		fn = __atomic_load_n(&m->event_fn, __ATOMIC_SEQ_CST);
		arg = __atomic_load_n(&m->event_arg, __ATOMIC_SEQ_CST);
		again = __atomic_load_n(&m->event_fn, __ATOMIC_SEQ_CST);
	} while (fn != again);
	if (!fn)
		return;
	event->seq = __atomic_add_fetch(&m->event_seq, 1, __ATOMIC_RELAXED);
	fn(arg, event);
}

void machine_step_slow(struct slab_machine *m, enum slab_event_kind kind,
		       unsigned long a, unsigned long b)
{
	struct slab_event event = {
		.kind = kind,
		.when = machine_jiffies(m),
		.cpu = machine_cpu(m),
		.index = -1,
		.a = a,
		.b = b,
	};

	machine_tell(m, &event);
}

/* ---- sentences ---- */

/* As slab_machine_print_address(); an event does not know its machine. */
static uintptr_t first_slot_address(uintptr_t address)
{
	uintptr_t off = address - SLAB_SLOT_BASE;

	if (off < SLAB_NR_SLOTS * SLAB_SLOT_SIZE)
		return SLAB_SLOT_BASE + off % SLAB_SLOT_SIZE;
	return address;
}

static void name_slab(const struct slab_event *event, char *buf, size_t size)
{
	const char *cache = event->cache[0] ? event->cache : "?";

	if (event->slab_nr)
		snprintf(buf, size, "%s:S%u", cache, event->slab_nr);
	else
		snprintf(buf, size, "a slab of %s", cache);
}

static void name_object(const struct slab_event *event, char *buf, size_t size)
{
	if (event->index >= 0 && event->slab_nr)
		snprintf(buf, size, "%s:S%u#%d", event->cache, event->slab_nr,
			 event->index);
	else if (!event->object)
		snprintf(buf, size, "the slab");
	else
		snprintf(buf, size, "0x%016lx",
			 (unsigned long)first_slot_address(event->object));
}

/* The word at *from, which is put behind it; NULL: no word of ours. */
static const char *fill_in(const struct slab_event *event, const char **from,
			   char *buf, size_t size)
{
	static const char *const words[] = { "%cache", "%slab", "%object", "%a",
					     "%b",     "%s",	"%end",
					     "%more" };
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		n = strlen(words[i]);
		if (!strncmp(*from, words[i], n))
			break;
	}
	switch (i) {
	case 0:
		snprintf(buf, size, "%s", event->cache);
		break;
	case 1:
		name_slab(event, buf, size);
		break;
	case 2:
		name_object(event, buf, size);
		break;
	case 3:
		snprintf(buf, size, "%lu", event->a);
		break;
	case 4:
		snprintf(buf, size, "%lu", event->b);
		break;
	case 5:
		snprintf(buf, size, "%s", event->a == 1 ? "" : "s");
		break;
	case 6:
		snprintf(buf, size, "%s", event->b ? "tail" : "head");
		break;
	case 7:
		*buf = '\0';
		if (event->b)
			snprintf(buf, size, " and %lu more", event->b);
		break;
	default:
		return NULL;
	}
	*from += n;
	return buf;
}

int slab_event_sentence(const struct slab_event *event, char *buf, size_t size)
{
	char word[80];
	const char *from, *text;
	size_t used = 0;

	if ((size_t)event->kind >= ARRAY_SIZE(events))
		return snprintf(buf, size, "an unknown step");
	for (from = events[event->kind].sentence; *from;) {
		text = fill_in(event, &from, word, sizeof(word));
		if (!text) {
			word[0] = *from++;
			word[1] = '\0';
			text = word;
		}
		for (; *text; text++, used++)
			if (used + 1 < size)
				buf[used] = *text;
	}
	if (size)
		buf[MIN(used, size - 1)] = '\0';
	return (int)used;
}

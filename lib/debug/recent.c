/* SPDX-License-Identifier: MIT */
/* debug/recent.c - see recent.h */
#include "debug/recent.h"

#include "base/bits.h"

#define PUT(x, y) __atomic_store_n(&(x), (y), __ATOMIC_RELEASE)

uint32_t recent_check_words(const struct recent_stack *e, uintptr_t fp,
			    uintptr_t left)
{
	uint32_t nr = RECENT_GET(e->nr_words), handle, i;

	for (i = 0; i < nr; i++) {
		uintptr_t offset = RECENT_GET(e->word[i].offset);

		if (offset > left || word_read((const char *)fp + offset) !=
					     word_read(&e->word[i].value))
			return 0;
	}
	handle = RECENT_GET(e->handle);
	recent_barrier();
	return RECENT_GET(e->fp) == fp ? handle : 0;
}

struct found {
	struct recent_pair pair[RECENT_PAIRS];
	struct recent_word word[RECENT_WORDS];
	uint32_t nr_pairs, nr_words;
};

/* A trail begins with our own frame's two words, which have a place of their
 * own. false: it is no trail of this stack, or too long a one. */
static bool sort_words(const struct stack_trail *trail, uintptr_t fp,
		       struct found *ret)
{
	uintptr_t left = stack_bounds.high - fp - 2 * sizeof(uintptr_t);
	unsigned int i;

	ret->nr_pairs = ret->nr_words = 0;
	if (trail->nr < 2 || trail->nr > STACK_TRAIL_WORDS ||
	    (trail->word[0].at && trail->word[0].at != fp))
		return false;
	for (i = 2; i < trail->nr; i++) {
		uintptr_t at = trail->word[i].at;
		bool is_pair = i + 1 < trail->nr &&
			       trail->word[i + 1].at - at == sizeof(at);

		if (!at)
			continue;
		if (at - fp > left || (is_pair ? ret->nr_pairs == RECENT_PAIRS
					       : ret->nr_words == RECENT_WORDS))
			return false;
		if (is_pair) {
			ret->pair[ret->nr_pairs++] = (struct recent_pair){
				at - fp,
				{ trail->word[i].value,
				  trail->word[i + 1].value }
			};
			i++;
		} else {
			ret->word[ret->nr_words++] =
				(struct recent_word){ at - fp,
						      trail->word[i].value };
		}
	}
	return true;
}

static void write_entry(struct recent_stack *e, const struct found *found)
{
	uintptr_t end = 0;
	unsigned int i;

	for (i = 0; i < found->nr_pairs; i++) {
		PUT(e->pair[i].offset, found->pair[i].offset);
		PUT(e->pair[i].value[0], found->pair[i].value[0]);
		PUT(e->pair[i].value[1], found->pair[i].value[1]);
		end = MAX(end, found->pair[i].offset);
	}
	PUT(e->pair[i].offset, found->nr_words ? RECENT_GO_ON : RECENT_END);
	PUT(e->pair[RECENT_PAIRS].offset, RECENT_END);
	for (i = 0; i < found->nr_words; i++) {
		PUT(e->word[i].offset, found->word[i].offset);
		PUT(e->word[i].value, found->word[i].value);
		end = MAX(end, found->word[i].offset);
	}
	PUT(e->nr_words, found->nr_words);
	PUT(e->end, end);
}

/* Its own, or an empty one, or that of another stack. */
static struct recent_stack *place_for(struct recent_stacks *recent,
				      uintptr_t fp, uintptr_t caller,
				      uint32_t handle)
{
	size_t slot = recent_slot(fp, caller);
	struct recent_stack *e = &recent->entry[slot];
	struct recent_stack *beside = &recent->entry[slot ^ 1];

	if (recent_is_of(beside, fp, caller))
		return beside;
	if (recent_is_of(e, fp, caller) || !RECENT_GET(e->fp))
		return e;
	return !RECENT_GET(beside->fp) || handle & 1 ? beside : e;
}

void recent_keep(struct recent_stacks *recent, uintptr_t fp, uintptr_t caller,
		 const struct stack_trail *trail, uint32_t handle)
{
	struct recent_stack *e = place_for(recent, fp, caller, handle);
	uintptr_t was = RECENT_GET(e->fp);
	struct found found;

	if (!handle || !sort_words(trail, fp, &found) || was == RECENT_BUSY ||
	    !__atomic_compare_exchange_n(&e->fp, &was, RECENT_BUSY, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	PUT(e->caller, caller);
	PUT(e->up, trail->word[0].value);
	PUT(e->up_counts, trail->word[0].at ? UINTPTR_MAX : 0);
	PUT(e->handle, handle);
	write_entry(e, &found);
	PUT(e->fp, fp);
}

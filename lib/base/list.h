/* SPDX-License-Identifier: MIT */
/*
 * base/list.h - a circular doubly linked list with its head in it
 *
 * An entry on no list points at itself, so that list_del() may be called
 * twice and "is it on a list" has an answer.
 */
#ifndef SLAB_BASE_LIST_H
#define SLAB_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_head {
	struct list_head *next, *prev;
};

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

static inline void list_init(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_insert(struct list_head *entry, struct list_head *prev,
			       struct list_head *next)
{
	entry->prev = prev;
	entry->next = next;
	prev->next = entry;
	next->prev = entry;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	list_insert(entry, head, head->next);
}

static inline void list_add_tail(struct list_head *entry,
				 struct list_head *head)
{
	list_insert(entry, head->prev, head);
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	list_init(entry);
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	list_del(entry);
	list_add(entry, head);
}

/* Puts all of list in front of what head holds; list is empty afterwards. */
static inline void list_splice(struct list_head *list, struct list_head *head)
{
	if (list_empty(list))
		return;
	list->next->prev = head;
	list->prev->next = head->next;
	head->next->prev = list->prev;
	head->next = list->next;
	list_init(list);
}

/* The list must not be empty. */
#define list_first_entry(head, type, member) \
	container_of((head)->next, type, member)

/* The entry of that link, or NULL when it is the head: what the head stands in
 * is no entry, nor aligned as one. */
#define list_entry_or_end(link, head, type, member) \
	((link) == (head) ? NULL : container_of(link, type, member))

/* pos is NULL behind the last one. */
#define list_for_each_entry(pos, head, member)                             \
	for (pos = list_entry_or_end((head)->next, head, __typeof__(*pos), \
				     member);                              \
	     pos; pos = list_entry_or_end(pos->member.next, head,          \
					  __typeof__(*pos), member))

/* The body may take pos off the list. */
#define list_for_each_entry_safe(pos, n, head, member)                       \
	for (pos = list_entry_or_end((head)->next, head, __typeof__(*pos),   \
				     member);                                \
	     pos && (n = list_entry_or_end(pos->member.next, head,           \
					   __typeof__(*pos), member),        \
		     true);                                                  \
	     pos = n)

#endif

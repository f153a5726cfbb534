/* list.h - circular doubly linked lists whose links are members of their elements. */
#ifndef SENTRY_BASE_LIST_H
#define SENTRY_BASE_LIST_H

#include "sentry/base/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)                                                                                                \
	{                                                                                                              \
		&(name), &(name)                                                                                       \
	}

static inline void list_init(struct list *list)
{
	list->next = list->prev = list;
}

static inline bool list_empty(const struct list *list)
{
	return list->next == list;
}

static inline void list_insert_between(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_push_back(struct list *list, struct list *node)
{
	list_insert_between(node, list->prev, list);
}

static inline void list_push_front(struct list *list, struct list *node)
{
	list_insert_between(node, list, list->next);
}

/* Leaves the node empty, so that removing twice is harmless. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_entry(pointer, type, member) container_of(pointer, type, member)
#define list_first(list, type, member)    list_entry((list)->next, type, member)

#define list_for_each(item, list, member)                                                                              \
	for (item = list_entry((list)->next, __typeof__(*item), member); &item->member != (list);                      \
	     item = list_entry(item->member.next, __typeof__(*item), member))

/* The body may remove item. */
#define list_for_each_safe(item, after, list, member)                                                                  \
	for (item = list_entry((list)->next, __typeof__(*item), member),                                               \
	    after = list_entry(item->member.next, __typeof__(*item), member);                                          \
	     &item->member != (list); item = after, after = list_entry(item->member.next, __typeof__(*item), member))

#endif

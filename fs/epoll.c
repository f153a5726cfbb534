/* epoll.c - epoll(7): level and edge triggered, one-shot, exclusive, nested.
 *
 * An item is one (file, descriptor) in one epoll. It leaves a hook (a waiter of kind WAITER_EPOLL) in every wait queue
 * that the file's poll operation names. When a queue is woken, the item goes into its epoll's ready list, and whoever
 * waits for the epoll is woken. What is in the ready list may have happened or not: epoll_wait asks each file again,
 * reports what holds, and puts level triggered items back at the end. An item that is not ready any more drops out
 * silently.
 *
 * An item holds no reference to its file: it dies with the open file description (epoll(7), questions and answers), by
 * file_unwatch_register. Epolls may be nested EPOLL_DEPTH deep and never in a circle; as an epoll wakes those who watch
 * it once, and again only after one of them has asked, one event visits each item at most once.
 *
 * Copying events out may PARK. Meanwhile the items being looked at are in the call's own list, where they can be
 * removed as anywhere. When a copy fails its items become ready again.
 *
 * Limits: EPOLL_WATCH_LIMIT items in a sandbox (ENOSPC). EPOLLWAKEUP is accepted: nothing here sleeps. No busy polling.
 */
#include "fs/epoll.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/tree.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define PRIVATE_BITS (ABI_EPOLLWAKEUP | ABI_EPOLLONESHOT | ABI_EPOLLET | ABI_EPOLLEXCLUSIVE)
#define EXCLUSIVE_OK (POLLIN | POLLOUT | POLLERR | POLLHUP | ABI_EPOLLWAKEUP | ABI_EPOLLET | ABI_EPOLLEXCLUSIVE)
#define CHUNK_EVENTS 16
#define EPOLL_DEPTH  4 /* EP_MAX_NESTS */

struct epoll_item {
	RB_ENTRY(epoll_item) node;
	struct epoll *epoll;
	struct file *file; /* borrowed: it removes us when it goes */
	int fd;
	uint32_t events; /* wanted, with EPOLL* flags; only PRIVATE_BITS after a one-shot has fired */
	uint64_t data;
	struct list ready_node;
	struct list file_node; /* in file->epolls */
	struct poll_hooks hooks;
};

RB_HEAD(epoll_tree, epoll_item);

struct epoll {
	struct epoll_tree items;
	struct list ready;      /* items that may have something to report */
	struct waitq wait;      /* epoll_wait */
	struct waitq poll_wait; /* those who poll or watch this epoll */
	struct file *file;      /* borrowed: our own */
	bool announced;         /* poll_wait was woken, and nobody has asked us since */
	uint32_t visit;         /* of the last search through nested epolls, and what it found */
	int depth;
};

static struct slab epoll_slab = SLAB(epoll), item_slab = SLAB(epoll_item);
static uint32_t item_total, visit_count;

static int item_compare(const struct epoll_item *a, const struct epoll_item *b)
{
	if (a->file != b->file)
		return (uintptr_t)a->file < (uintptr_t)b->file ? -1 : 1;
	return a->fd < b->fd ? -1 : a->fd > b->fd;
}
TREE_GENERATE(epoll_tree, epoll_item, node, item_compare)

static struct epoll *epoll_of(const struct file *file)
{
	return file->kind == FILE_EPOLL ? file->data : NULL;
}

/* ------------------------------------------------------------------------------------------------- ready lists */

/* Does somebody wait for this epoll? */
static bool item_ready(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;
	bool awaited = !waitq_empty(&epoll->wait) || !waitq_empty(&epoll->poll_wait);

	if (list_empty(&item->ready_node))
		list_push_back(&epoll->ready, &item->ready_node);
	waitq_wake(&epoll->wait, POLLIN);
	if (!epoll->announced) {
		epoll->announced = true;
		waitq_wake(&epoll->poll_wait, POLLIN | POLLRDNORM);
	}
	return awaited;
}

/* A queue that an item's file listens to was woken. In the waker's context. */
static bool hook_fired(struct waiter *waiter, uint32_t events)
{
	struct epoll_item *item = poll_hook_fired(waiter);

	if (!(item->events & ~PRIVATE_BITS) || (events && !(events & item->events)))
		return false;
	return item_ready(item);
}

static uint32_t item_poll(struct epoll_item *item)
{
	return file_poll(item->file, NULL) & item->events & ~PRIVATE_BITS;
}

/* ------------------------------------------------------------------------------------------------- items */

static void item_free(struct epoll_item *item)
{
	poll_hooks_drop(&item->hooks);
	list_remove(&item->ready_node);
	list_remove(&item->file_node);
	RB_REMOVE(epoll_tree, &item->epoll->items, item);
	slab_free(&item_slab, item);
	item_total--;
}

static struct epoll_item *item_find(struct epoll *epoll, struct file *file, int fd)
{
	struct epoll_item key = {.file = file, .fd = fd};

	return RB_FIND(epoll_tree, &epoll->items, &key);
}

static int item_add(struct epoll *epoll, struct file *file, int fd, const struct abi_epoll_event *event)
{
	if (item_total >= EPOLL_WATCH_LIMIT)
		return -ENOSPC;
	struct epoll_item *item = slab_new(&item_slab);
	if (!item)
		return -ENOMEM;
	*item = (struct epoll_item){.epoll = epoll, .file = file, .fd = fd, .data = event->data};
	item->events = event->events | POLLERR | POLLHUP;
	item->hooks = (struct poll_hooks){
		.owner = item, .kind = WAITER_EPOLL, .exclusive = item->events & ABI_EPOLLEXCLUSIVE};
	list_init(&item->ready_node);
	list_push_back(&file->epolls, &item->file_node);
	RB_INSERT(epoll_tree, &epoll->items, item);
	item_total++;
	uint32_t now;
	int error = poll_hooks_arm(&item->hooks, file, item->events, &now);
	if (error)
		item_free(item);
	else if (now & item->events & ~PRIVATE_BITS)
		(void)item_ready(item);
	return error;
}

static int item_change(struct epoll_item *item, const struct abi_epoll_event *event)
{
	if (item->events & ABI_EPOLLEXCLUSIVE)
		return -EINVAL;
	item->events = event->events | POLLERR | POLLHUP;
	item->data = event->data;
	if (item_poll(item))
		(void)item_ready(item);
	return 0;
}

/* The file's last reference is gone: before its release, so that its wait queues are still there. */
static void unwatch(struct file *file)
{
	while (!list_empty(&file->epolls))
		item_free(list_first(&file->epolls, struct epoll_item, file_node));
}

/* ------------------------------------------------------------------------------------------------- nesting */

/* How many epolls deep it goes below this one; more than EPOLL_DEPTH when it leads back to source. Each is visited
 * once. */
static int depth_below(struct epoll *epoll, const struct epoll *source)
{
	struct epoll_item *item;

	if (epoll == source)
		return EPOLL_DEPTH + 1;
	if (epoll->visit == visit_count)
		return epoll->depth;
	epoll->visit = visit_count;
	epoll->depth = 0; /* what there is so far has no circle, so nobody asks before we are done */
	RB_FOREACH (item, epoll_tree, &epoll->items) {
		struct epoll *inner = epoll_of(item->file);
		if (inner)
			epoll->depth = MAX(epoll->depth, depth_below(inner, source) + 1);
	}
	return epoll->depth;
}

static int depth_above(struct epoll *epoll)
{
	struct epoll_item *item;

	if (epoll->visit == visit_count)
		return epoll->depth;
	epoll->visit = visit_count;
	epoll->depth = 0;
	list_for_each (item, &epoll->file->epolls, file_node)
		epoll->depth = MAX(epoll->depth, depth_above(item->epoll) + 1);
	return epoll->depth;
}

/* May outer watch inner? */
static int check_nesting(struct epoll *outer, struct epoll *inner)
{
	visit_count++;
	int below = depth_below(inner, outer);
	visit_count++;
	return below > EPOLL_DEPTH || below + 1 + depth_above(outer) > EPOLL_DEPTH ? -ELOOP : 0;
}

static int check_request(struct epoll *epoll, int operation, struct file *file, uint32_t events)
{
	struct epoll *inner = epoll_of(file);

	if (operation != ABI_EPOLL_CTL_DEL && events & ABI_EPOLLEXCLUSIVE) {
		if (operation == ABI_EPOLL_CTL_MOD)
			return -EINVAL;
		if (operation == ABI_EPOLL_CTL_ADD && (inner || events & ~EXCLUSIVE_OK))
			return -EINVAL;
	}
	return operation == ABI_EPOLL_CTL_ADD && inner ? check_nesting(epoll, inner) : 0;
}

int epoll_control(struct file *epoll_file, int operation, int fd, struct file *file,
		  const struct abi_epoll_event *event)
{
	struct epoll *epoll = epoll_of(epoll_file);

	if (!file_ops(file)->poll)
		return -EPERM;
	if (!epoll || file == epoll_file)
		return -EINVAL;
	int error = check_request(epoll, operation, file, operation == ABI_EPOLL_CTL_DEL ? 0 : event->events);
	if (error)
		return error;
	struct epoll_item *item = item_find(epoll, file, fd);
	switch (operation) {
	case ABI_EPOLL_CTL_ADD:
		return item ? -EEXIST : item_add(epoll, file, fd, event);
	case ABI_EPOLL_CTL_MOD:
		return item ? item_change(item, event) : -ENOENT;
	case ABI_EPOLL_CTL_DEL:
		if (!item)
			return -ENOENT;
		item_free(item);
		return 0;
	}
	return -EINVAL;
}

/* ------------------------------------------------------------------------------------------------- waiting */

/* Events for one copy, and what to undo when it fails. */
struct chunk {
	struct abi_epoll_event events[CHUNK_EVENTS];
	struct {
		struct file *file; /* for comparing only */
		int fd;
		uint32_t events;
	} items[CHUNK_EVENTS];
	int count;
};

/* Fills the chunk from the list of items that may be ready. Never parks. */
static void chunk_fill(struct epoll *epoll, struct list *candidates, struct chunk *chunk, int most)
{
	chunk->count = 0;
	while (!list_empty(candidates) && chunk->count < most) {
		struct epoll_item *item = list_first(candidates, struct epoll_item, ready_node);
		list_remove(&item->ready_node);
		uint32_t now = item_poll(item);
		if (!now)
			continue;
		int at = chunk->count++;
		chunk->events[at] = (struct abi_epoll_event){.events = now, .data = item->data};
		chunk->items[at].file = item->file;
		chunk->items[at].fd = item->fd;
		chunk->items[at].events = item->events;
		if (item->events & ABI_EPOLLONESHOT)
			item->events &= PRIVATE_BITS;
		else if (!(item->events & ABI_EPOLLET))
			list_push_back(&epoll->ready, &item->ready_node);
	}
}

static void chunk_undo(struct epoll *epoll, const struct chunk *chunk)
{
	for (int i = 0; i < chunk->count; i++) {
		struct epoll_item *item = item_find(epoll, chunk->items[i].file, chunk->items[i].fd);
		if (!item)
			continue;
		item->events = chunk->items[i].events;
		(void)item_ready(item);
	}
}

/* PARKS. Reports what is ready now. */
static long report(struct epoll *epoll, struct uio *out, int most)
{
	struct list candidates = LIST_INIT(candidates);
	struct chunk chunk;
	long done = 0;

	/* Items put back while we work are for the next call: an item is reported once. */
	if (!list_empty(&epoll->ready)) {
		candidates = epoll->ready;
		candidates.next->prev = candidates.prev->next = &candidates;
		list_init(&epoll->ready);
	}
	while (done < most && !list_empty(&candidates)) {
		chunk_fill(epoll, &candidates, &chunk, MIN(most - done, CHUNK_EVENTS));
		size_t bytes = chunk.count * sizeof chunk.events[0];
		if (bytes && uio_put(out, chunk.events, bytes) != (ssize_t)bytes) {
			chunk_undo(epoll, &chunk);
			done = done ? done : -EFAULT;
			break;
		}
		done += chunk.count;
	}
	/* What we did not come to was first, and stays so. */
	while (!list_empty(&candidates)) {
		struct list *last = candidates.prev;
		list_remove(last);
		list_push_front(&epoll->ready, last);
	}
	/* Somebody else may report the rest. */
	if (!list_empty(&epoll->ready))
		waitq_wake(&epoll->wait, POLLIN);
	return done;
}

long epoll_wait_events(struct file *epoll_file, struct uio *out, int most, uint64_t deadline_ns)
{
	struct epoll *epoll = epoll_of(epoll_file);

	if (!epoll)
		return -EINVAL;
	for (;;) {
		long count = report(epoll, out, most);
		if (count || !deadline_ns)
			return count;
		int error = WAIT_EVENT(&epoll->wait, !list_empty(&epoll->ready), deadline_ns);
		if (error == -ETIMEDOUT)
			return 0;
		if (error)
			return -EINTR;
	}
}

/* ------------------------------------------------------------------------------------------------- the epoll as a file
 */

static uint32_t epoll_poll(struct file *file, struct poll_wait *wait)
{
	struct epoll *epoll = epoll_of(file);
	struct epoll_item *item, *after;

	epoll->announced = false;
	poll_listen(wait, &epoll->poll_wait);
	list_for_each_safe (item, after, &epoll->ready, ready_node) {
		if (item_poll(item))
			return POLLIN | POLLRDNORM;
		list_remove(&item->ready_node);
	}
	return 0;
}

static void epoll_release(struct file *file)
{
	struct epoll *epoll = epoll_of(file);
	struct epoll_item *item;

	if (!epoll)
		return;
	while ((item = RB_ROOT(&epoll->items)))
		item_free(item);
	assert(list_empty(&epoll->ready) && waitq_empty(&epoll->wait) && waitq_empty(&epoll->poll_wait));
	slab_free(&epoll_slab, epoll);
}

static int epoll_fdinfo(struct file *file, char *text, size_t size)
{
	struct epoll *epoll = epoll_of(file);
	struct epoll_item *item;
	size_t used = 0;

	RB_FOREACH (item, epoll_tree, &epoll->items) {
		int n = snprintf(text + used, size - used, "tfd: %8d events: %8x data: %16llx\n", item->fd,
				 item->events, (unsigned long long)item->data);
		if (n < 0 || (size_t)n >= size - used)
			break;
		used += n;
	}
	return used;
}

/* ep_eventpoll_ioctl knows but the parameters of busy polling, and nothing where there is none. */
static long epoll_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	(void)file, (void)user, (void)command, (void)argument;
	return -EINVAL;
}

static const struct file_ops epoll_ops = {.seek = file_seek_nowhere,
					  .poll = epoll_poll,
					  .ioctl = epoll_ioctl,
					  .release = epoll_release,
					  .fdinfo = epoll_fdinfo};

void epoll_init(void)
{
	file_kind_register(FILE_EPOLL, &epoll_ops);
	waiter_kind_register(WAITER_EPOLL, hook_fired);
	file_unwatch_register(unwatch);
}

int epoll_new(struct cred *cred, struct file **out)
{
	struct file *file;
	struct epoll *epoll = slab_new(&epoll_slab);

	if (!epoll)
		return -ENOMEM;
	RB_INIT(&epoll->items);
	list_init(&epoll->ready);
	waitq_init(&epoll->wait);
	waitq_init(&epoll->poll_wait);
	int error = file_new_anonymous(FILE_EPOLL, O_RDWR, 0600, "eventpoll", cred, &file);
	if (error) {
		slab_free(&epoll_slab, epoll);
		return error;
	}
	file->data = epoll;
	epoll->file = file;
	*out = file;
	return 0;
}

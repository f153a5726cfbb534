/* uring_wait.c - what a request of io_uring waits for when no fiber does: its file, or a time.
 *
 * A request that listens has a hook on each wait queue that its file names (fs/poll.h), as an item of epoll has. A hook
 * that fires only puts the request on a list: the waker may be anybody, deep inside a file, and a completion wakes
 * others in turn. One fiber of ours goes through that list: it completes polls, and gives everything else a worker to
 * try again on. A poll that is to be told more than once is told once where the file is a ring or an epoll: these could
 * wake each other for ever.
 *
 * Times are the sentry's timers. A timeout may also wait for a number of completions: these are kept in the order in
 * which they are due.
 */
#include "sentry/base/arena.h"
#include "sentry/clock.h"
#include "syscalls/uring.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>

static struct list woken = LIST_INIT(woken); /* POLLING: state_node */
static struct fiber *poller;

/* ------------------------------------------------------------------------------------------------ files */

void uring_poll_disarm(struct uring_request *request)
{
	poll_hooks_drop(&request->hooks);
}

int uring_poll_arm(struct uring_request *request, uint32_t events, bool keep, uint32_t *now)
{
	assert(!request->hooks.first);
	request->at_once = false;
	request->poll_events = events;
	request->hooks = (struct poll_hooks){.owner = request, .kind = WAITER_URING};
	int error = poll_hooks_arm(&request->hooks, request->file, events, now);
	if (error)
		return error;
	*now &= events | POLLERR | POLLHUP;
	if (*now && !keep) {
		uring_poll_disarm(request);
		return 0;
	}
	request->state = URING_POLLING;
	uring_limit_arm(request);
	return 0;
}

/* A queue was woken, in the waker's context. */
static bool hook_fired(struct waiter *waiter, uint32_t events)
{
	struct uring_request *request = poll_hook_fired(waiter);

	if (events && !(events & (request->poll_events | POLLERR | POLLHUP)))
		return false;
	if (list_empty(&request->state_node)) {
		list_push_back(&woken, &request->state_node);
		fiber_wake(poller);
	}
	return true;
}

bool uring_polls_again(const struct uring_request *request)
{
	enum file_kind kind = request->file->kind;

	return request->sqe.len & IORING_POLL_ADD_MULTI && kind != FILE_URING && kind != FILE_EPOLL &&
	       !uring_full(request->ring);
}

/* The file of a poll may be ready. The question is the submitter's: some files answer by who asks. */
static void poll_look(struct uring_request *request)
{
	fiber_owner_set(poller, request->owner);
	uint32_t now = file_poll(request->file, NULL) & (request->poll_events | POLLERR | POLLHUP);
	fiber_owner_set(poller, NULL);

	if (!now)
		return;
	if (uring_polls_again(request)) {
		uring_post_more(request, now);
		return;
	}
	uring_poll_disarm(request);
	uring_complete(request, now);
}

static void poller_main(void *unused)
{
	(void)unused;
	for (;;) {
		while (!list_empty(&woken)) {
			struct uring_request *request = list_first(&woken, struct uring_request, state_node);
			list_remove(&request->state_node);
			if (uring_op_is(request, IORING_OP_POLL_ADD)) {
				poll_look(request);
				continue;
			}
			uring_poll_disarm(request);
			uring_hand_over(request);
		}
		fiber_park();
	}
}

/* ------------------------------------------------------------------------------------------------ times */

static int timeout_clock(uint32_t flags, int *clock)
{
	switch (flags & IORING_TIMEOUT_CLOCK_MASK) {
	case 0:
		*clock = ABI_CLOCK_MONOTONIC;
		return 0;
	case IORING_TIMEOUT_BOOTTIME:
		*clock = ABI_CLOCK_BOOTTIME;
		return 0;
	case IORING_TIMEOUT_REALTIME:
		*clock = ABI_CLOCK_REALTIME;
		return 0;
	}
	return -EINVAL;
}

static int deadline_read(struct task *task, struct uaddr at, uint32_t flags, uint64_t *deadline_ns)
{
	struct abi_timespec time;
	uint64_t ns;
	int clock, error = timeout_clock(flags, &clock);

	if (!error)
		error = user_read(task_user(task), &time, at, sizeof time);
	if (!error)
		error = timespec_ns(&time, &ns);
	return error ? error : clock_deadline(clock, flags & IORING_TIMEOUT_ABS, ns, deadline_ns);
}

int uring_timeout_read(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	uint32_t known = IORING_TIMEOUT_ABS | IORING_TIMEOUT_CLOCK_MASK | IORING_TIMEOUT_ETIME_SUCCESS;

	if (sqe->ioprio || sqe->buf_index || sqe->len != 1 || sqe->splice_fd_in || sqe->timeout_flags & ~known)
		return -EINVAL;
	if (uring_op_is(request, IORING_OP_LINK_TIMEOUT) && sqe->off)
		return -EINVAL;
	return deadline_read(task, UADDR(sqe->addr), sqe->timeout_flags, &request->deadline_ns);
}

/* Among those that count completions, by when they are due. */
static void counted_add(struct uring_request *request)
{
	struct uring *ring = request->ring;
	struct list *node = ring->counted.prev;

	request->target = ring->posted + request->sqe.off;
	while (node != &ring->counted &&
	       list_entry(node, struct uring_request, timeout_node)->target > request->target) {
		node = node->prev;
		ring->work++;
	}
	list_push_front(node, &request->timeout_node);
}

void uring_timeout_arm(struct uring_request *request)
{
	request->state = URING_TIMED;
	request->at_once = false;
	if (request->sqe.off && uring_op_is(request, IORING_OP_TIMEOUT))
		counted_add(request);
	timer_arm(&request->timer, request->deadline_ns);
}

void uring_timeout_disarm(struct uring_request *request)
{
	timer_disarm(&request->timer);
	list_remove(&request->timeout_node);
}

void uring_timeouts_count(struct uring *ring)
{
	if (ring->counting) /* further up in this very stack */
		return;
	ring->counting = true;
	while (!list_empty(&ring->counted)) {
		struct uring_request *first = list_first(&ring->counted, struct uring_request, timeout_node);
		if (first->target > ring->posted)
			break;
		uring_timeout_disarm(first);
		uring_complete(first, 0);
	}
	ring->counting = false;
}

void uring_limit_arm(struct uring_request *request)
{
	struct uring_request *limit = request->next;

	if (!limit || !uring_op_is(limit, IORING_OP_LINK_TIMEOUT))
		return;
	request->next = limit->next;
	limit->next = NULL;
	limit->began = true;
	limit->ring->begun++;
	limit->timed = request;
	request->timed = limit;
	uring_timeout_arm(limit);
}

/* On the fiber of timers. */
static void timeout_fired(struct timer *timer)
{
	struct uring_request *request = container_of(timer, struct uring_request, timer);
	struct uring_request *limited = request->timed;
	long result = -ETIME;

	list_remove(&request->timeout_node);
	if (uring_op_is(request, IORING_OP_LINK_TIMEOUT)) {
		int error = -ENOENT;
		request->timed = NULL;
		if (limited) {
			limited->timed = NULL;
			error = uring_cancel(limited);
		}
		result = error ? error : -ETIME;
	}
	uring_complete(request, result);
}

int uring_timeout_update(struct task *task, struct uring *ring, const struct io_uring_sqe *sqe)
{
	bool linked = sqe->timeout_flags & IORING_LINK_TIMEOUT_UPDATE;
	uint64_t deadline_ns;
	int error = deadline_read(task, UADDR(sqe->addr2), sqe->timeout_flags, &deadline_ns);

	if (error)
		return error;
	struct uring_request *request = uring_find(ring, sqe->addr);
	if (!request || request->state != URING_TIMED ||
	    !uring_op_is(request, linked ? IORING_OP_LINK_TIMEOUT : IORING_OP_TIMEOUT))
		return -ENOENT;
	request->deadline_ns = deadline_ns;
	timer_arm(&request->timer, deadline_ns);
	return 0;
}

int uring_wait_init(void)
{
	if (poller)
		return 0;
	waiter_kind_register(WAITER_URING, hook_fired);
	timer_kind_register(TIMER_URING, timeout_fired);
	return fiber_new(poller_main, NULL, &poller);
}

/* hostio.c - host I/O that may block: what both backends share.
 *
 * Theory: the quick way is always tried first, a call that must not wait (RWF_NOWAIT). Only when the host says EAGAIN
 * does an operation take a slot, and its fiber parks until the backend reports it done. Pipes, terminals and sockets
 * wait by poll and then try again; regular files, whose pages may have to come from a disk, are read by the ring where
 * there is one. Terminals do not know RWF_NOWAIT: the jail opens them anew for us with O_NONBLOCK of our own (the
 * person's shell shares the old description and must not see the flag); where that was not possible a ready terminal
 * gets small writes.
 *
 * A watch holds a reference to its file until it fires or is taken back, so a descriptor's number cannot be given to
 * another file meanwhile.
 *
 * Limits: HOSTIO_LIMIT operations at one time. Writes to regular files are done at once: they go to the host's page
 * cache, and wait for a disk only when the host throttles writers. Without io_uring cold reads and fsync block the
 * sentry too.
 */
#include "platform/hostio.h"

#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/hostio_backend.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include "sentry/base/list.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#define HANDLE_BITS       14 /* of the index; the generation has the rest of a positive int */
#define GENERATION_MASK   (INT32_MAX >> HANDLE_BITS)
#define SMALL_WRITE_BYTES 256 /* a ready terminal takes this much without waiting: n_tty's WAKEUP_CHARS */
#define ALWAYS_EVENTS     (POLLERR | POLLHUP | POLLNVAL)

static_assert(HOSTIO_LIMIT <= 1 << HANDLE_BITS, "an index fits its bits");

struct slot {
	struct list node; /* of busy polls, or of free slots */
	bool busy, polling;
	int generation, host_fd;
	uint32_t file;
	short events;
	void (*notify)(void *cookie, short events); /* polls */
	void *cookie;
	struct waiting *waiting; /* reads and syncs */
};

/* A fiber that waits, on its own stack. */
struct waiting {
	struct fiber *fiber;
	bool done;
	int result;
};

static struct slot slots[HOSTIO_LIMIT];
static struct list free_slots = LIST_INIT(free_slots), polls = LIST_INIT(polls);
static const struct hostio_ops *backend;
static enum hostio_backend chosen, preferred = HOSTIO_AUTO;

static int try_backend(const struct hostio_ops *ops, enum hostio_backend name)
{
	int error = ops->start();

	if (!error) {
		backend = ops;
		chosen = name;
	}
	return error;
}

void hostio_prefer(enum hostio_backend wanted)
{
	preferred = wanted;
}

int hostio_start(enum hostio_backend wanted)
{
	int error = -EINVAL;

	assert(!backend);
	if (wanted == HOSTIO_AUTO)
		wanted = preferred;
	for (int i = 0; i < HOSTIO_LIMIT; i++)
		list_push_back(&free_slots, &slots[i].node);
	if (wanted != HOSTIO_EPOLL) {
		error = try_backend(&hostio_uring, HOSTIO_URING);
		if (error)
			log_debug("io_uring is not to be had (%s): epoll instead", strerror(-error));
	}
	if (wanted == HOSTIO_EPOLL || (wanted == HOSTIO_AUTO && error))
		error = try_backend(&hostio_epoll, HOSTIO_EPOLL);
	return error;
}

enum hostio_backend hostio_backend(void)
{
	return chosen;
}

void hostio_collect(bool may_sleep, uint32_t *doorbell, uint32_t expected, uint64_t deadline_ns)
{
	backend->collect(may_sleep, doorbell, expected, deadline_ns);
}

/* ------------------------------------------------------------------------------------------------ slots */

static int slot_handle(const struct slot *slot)
{
	return slot->generation << HANDLE_BITS | (int)(slot - slots);
}

/* NULL: that operation is over. */
static struct slot *slot_of(int handle)
{
	struct slot *slot = &slots[handle & ((1 << HANDLE_BITS) - 1)];

	return handle >= 0 && slot->busy && slot->generation == handle >> HANDLE_BITS ? slot : NULL;
}

/* Oldest first, so that a number comes again as late as possible. */
static struct slot *slot_new(uint32_t file)
{
	if (list_empty(&free_slots))
		return NULL;
	struct slot *slot = list_first(&free_slots, struct slot, node);
	list_remove(&slot->node);
	slot->busy = true;
	slot->polling = false;
	slot->generation = (slot->generation + 1) & GENERATION_MASK;
	slot->file = file;
	slot->host_fd = hostfile_fd(file);
	slot->waiting = NULL;
	hostfile_get(file);
	return slot;
}

static void slot_free(struct slot *slot)
{
	slot->busy = false;
	hostfile_put(slot->file);
	list_remove(&slot->node);
	list_push_back(&free_slots, &slot->node);
}

void hostio_done(int handle, int result)
{
	struct slot *slot = slot_of(handle);

	if (!slot)
		return;
	if (slot->polling) {
		void (*notify)(void *, short) = slot->notify;
		void *cookie = slot->cookie;
		slot_free(slot);
		notify(cookie, (short)(result < 0 ? POLLERR : result));
		return;
	}
	slot->waiting->result = result;
	slot->waiting->done = true;
	fiber_wake(slot->waiting->fiber);
	slot_free(slot);
}

short hostio_wanted(int host_fd)
{
	struct slot *slot;
	short events = 0;

	list_for_each (slot, &polls, node)
		if (slot->host_fd == host_fd)
			events |= slot->events;
	return events;
}

void hostio_fire(int host_fd, short events)
{
	struct slot *slot, *after;

	/* notify must not park, and may watch and unwatch: start over after each. */
again:
	list_for_each_safe (slot, after, &polls, node) {
		short got = events & (slot->events | ALWAYS_EVENTS);
		if (slot->host_fd == host_fd && got) {
			hostio_done(slot_handle(slot), got);
			goto again;
		}
	}
}

int hostio_watch(uint32_t file, short events, void (*notify)(void *cookie, short events), void *cookie)
{
	struct slot *slot = slot_new(file);

	if (!slot)
		return -EMFILE;
	slot->polling = true;
	slot->events = events;
	slot->notify = notify;
	slot->cookie = cookie;
	list_push_back(&polls, &slot->node);
	backend->poll_add(slot_handle(slot), slot->host_fd, events);
	return slot_handle(slot);
}

void hostio_unwatch(int handle)
{
	struct slot *slot = slot_of(handle);
	int host_fd;

	if (!slot || !slot->polling)
		return;
	/* The file must stay open until the backend has let go of the number. */
	host_fd = slot->host_fd;
	uint32_t file = slot->file;
	hostfile_get(file);
	slot_free(slot);
	backend->poll_cancel(handle, host_fd);
	hostfile_put(file);
}

/* ------------------------------------------------------------------------------------------------ waiting */

static void poll_done(void *cookie, short events)
{
	struct waiting *waiting = cookie;

	waiting->result = events;
	waiting->done = true;
	fiber_wake(waiting->fiber);
}

int hostio_poll(uint32_t file, short events, uint64_t deadline_ns)
{
	struct waiting waiting = {.fiber = fiber_current()};
	int handle = hostio_watch(file, events, poll_done, &waiting);

	assert(waiting.fiber);
	if (handle < 0)
		return handle;
	while (!waiting.done) {
		if (fiber_interrupted()) {
			hostio_unwatch(handle);
			return waiting.done ? waiting.result : -EINTR;
		}
		if (!fiber_park_until(deadline_ns) && !waiting.done) {
			hostio_unwatch(handle);
			return -ETIMEDOUT;
		}
	}
	return waiting.result;
}

short hostio_poll_now(uint32_t file, short events)
{
	struct pollfd poll = {.fd = hostfile_fd(file), .events = events};

	return host_poll(&poll, 1, &(struct timespec){0, 0}) > 0 ? poll.revents : 0;
}

/* Until the ring has done it, interrupted or not: the kernel writes to the caller's buffer until then. */
static ssize_t wait_for_ring(struct waiting *waiting, int handle)
{
	bool cancelled = false;

	while (!waiting->done) {
		if (fiber_interrupted() && !cancelled) {
			cancelled = true;
			backend->cancel(handle);
		}
		fiber_park();
	}
	return waiting->result == -ECANCELED ? -EINTR : waiting->result;
}

static ssize_t ring_read(uint32_t file, void *dst, size_t n, int64_t offset)
{
	struct waiting waiting = {.fiber = fiber_current()};
	struct slot *slot;

	if (!backend || !backend->read || !waiting.fiber)
		return host_pread(hostfile_fd(file), dst, n, offset);
	slot = slot_new(file);
	if (!slot)
		return -EMFILE;
	slot->waiting = &waiting;
	backend->read(slot_handle(slot), slot->host_fd, dst, MIN(n, IO_LIMIT_BYTES), offset);
	return wait_for_ring(&waiting, slot_handle(slot));
}

int hostio_sync(uint32_t file)
{
	struct waiting waiting = {.fiber = fiber_current()};
	struct slot *slot;

	if (!backend || !backend->sync || !waiting.fiber)
		return host_fsync(hostfile_fd(file));
	slot = slot_new(file);
	if (!slot)
		return -EMFILE;
	slot->waiting = &waiting;
	backend->sync(slot_handle(slot), slot->host_fd);
	return (int)wait_for_ring(&waiting, slot_handle(slot));
}

/* ------------------------------------------------------------------------------------------------ reading and writing
 */

/* For a file without RWF_NOWAIT (terminals, some file systems): poll tells whether the plain call would wait. */
static bool is_ready(int fd, short events)
{
	struct pollfd poll = {.fd = fd, .events = events};

	return host_poll(&poll, 1, &(struct timespec){0, 0}) > 0;
}

static bool is_regular(int fd)
{
	struct statx attributes;

	return host_statx(fd, "", STATX_TYPE, &attributes) == 0 && S_ISREG(attributes.stx_mode);
}

ssize_t hostio_try_read(uint32_t file, void *dst, size_t n, int64_t offset)
{
	int fd = hostfile_fd(file);
	ssize_t got = host_preadv2(fd, &(struct iovec){dst, n}, 1, offset, RWF_NOWAIT);

	if (got != -EAGAIN && got != -EOPNOTSUPP)
		return got;
	/* EAGAIN of a regular file: its pages are on the disk. */
	if (is_regular(fd) || (got == -EOPNOTSUPP && is_ready(fd, POLLIN)))
		return host_pread(fd, dst, n, offset);
	return -EAGAIN;
}

ssize_t hostio_try_write(uint32_t file, const void *src, size_t n, int64_t offset)
{
	int fd = hostfile_fd(file);
	ssize_t done = host_pwritev2(fd, &(struct iovec){(void *)src, n}, 1, offset, RWF_NOWAIT);

	if (done != -EAGAIN && done != -EOPNOTSUPP)
		return done;
	if (is_regular(fd))
		return host_pwrite(fd, src, n, offset);
	if (done == -EAGAIN || !is_ready(fd, POLLOUT))
		return -EAGAIN;
	int flags = host_fcntl(fd, F_GETFL, 0);
	if (flags < 0 || !(flags & O_NONBLOCK))
		n = MIN(n, (size_t)SMALL_WRITE_BYTES);
	return host_pwrite(fd, src, n, offset);
}

ssize_t hostio_try_send(uint32_t file, const struct iovec *parts, int count)
{
	int fd = hostfile_fd(file);
	ssize_t done = host_pwritev2(fd, parts, count, -1, RWF_NOWAIT);

	if (done != -EOPNOTSUPP)
		return done;
	return is_ready(fd, POLLOUT) ? host_pwritev2(fd, parts, count, -1, 0) : -EAGAIN;
}

ssize_t hostio_read(uint32_t file, void *dst, size_t n, int64_t offset)
{
	/* A page that is not in the host's memory ends the quick read at its border: no end of the file. */
	for (size_t done = 0; offset >= 0;) {
		struct iovec left = {(char *)dst + done, n - done};
		ssize_t got = host_preadv2(hostfile_fd(file), &left, 1, offset, RWF_NOWAIT);
		if (got == -EAGAIN || got == -EOPNOTSUPP)
			got = ring_read(file, left.iov_base, left.iov_len, offset);
		if (got <= 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
		offset += got;
		if (done == n || offset & (PAGE_SIZE - 1))
			return (ssize_t)done;
	}
	for (;;) {
		ssize_t got = hostio_try_read(file, dst, n, offset);
		if (got != -EAGAIN)
			return got;
		int events = hostio_poll(file, POLLIN, DEADLINE_NONE);
		if (events < 0)
			return events;
	}
}

ssize_t hostio_write(uint32_t file, const void *src, size_t n, int64_t offset)
{
	size_t total = 0;

	for (;;) {
		ssize_t done = hostio_try_write(file, (const char *)src + total, n - total,
						offset < 0 ? offset : offset + (int64_t)total);
		if (done >= 0) {
			total += (size_t)done;
			if (total == n || done == 0)
				return (ssize_t)total;
			continue;
		}
		if (done == -EAGAIN)
			done = hostio_poll(file, POLLOUT, DEADLINE_NONE);
		if (done < 0)
			return total ? (ssize_t)total : done;
	}
}

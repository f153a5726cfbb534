/* hostio.h - host I/O that may block, without blocking the sentry (design D4).
 *
 * Behind these functions is a restricted io_uring where the host allows one, else epoll, a bell thread and plain calls;
 * the choice is made once, by hostio_start. All PARK the calling fiber until the host has answered, and return -EINTR
 * (with nothing transferred) when the fiber was interrupted meanwhile (fiber_interrupt) - unless data was already
 * moved. Buffers are the sentry's own memory. Files are host file indices.
 */
#ifndef PLATFORM_HOSTIO_H
#define PLATFORM_HOSTIO_H

#include "sentry/base/types.h"

enum hostio_backend { HOSTIO_AUTO, HOSTIO_URING, HOSTIO_EPOLL };

/* What AUTO means from now on; for --debug. Before hostio_start. */
void hostio_prefer(enum hostio_backend wanted);

/* Called by platform_start. -errno when the demanded backend is not to be had; AUTO never fails for lack of io_uring.
 */
must_check int hostio_start(enum hostio_backend wanted);
enum hostio_backend hostio_backend(void);

/* As pread and pwrite; offset -1: at and moving the file's own position (pipes, terminals, sockets). */
must_check ssize_t hostio_read(uint32_t file, void *dst, size_t n, int64_t offset);
must_check ssize_t hostio_write(uint32_t file, const void *src, size_t n, int64_t offset);

/* The same without waiting and without parking: -EAGAIN when it would have to. Regular files never say so: their data
 * is read and written at once. */
must_check ssize_t hostio_try_read(uint32_t file, void *dst, size_t n, int64_t offset);
must_check ssize_t hostio_try_write(uint32_t file, const void *src, size_t n, int64_t offset);

/* One packet in parts to a device or socket that keeps packets apart: whole or not at all. */
struct iovec;
must_check ssize_t hostio_try_send(uint32_t file, const struct iovec *parts, int count);

/* As fsync(2). */
must_check int hostio_sync(uint32_t file);

/* Waits until one of these POLL* events holds. Returns the events, -EINTR, or -ETIMEDOUT at deadline_ns
 * (CLOCK_MONOTONIC). */
must_check int hostio_poll(uint32_t file, short events, uint64_t deadline_ns);

/* Which POLL* events hold now; does not park. */
short hostio_poll_now(uint32_t file, short events);

/* Arms one watch: when one of the events holds, notify(cookie) is called once from platform_poll. Returns a handle >=
 * 0. */
/* -EMFILE at HOSTIO_LIMIT. After notify the handle is dead; unwatching a dead handle is harmless. */
must_check int hostio_watch(uint32_t file, short events, void (*notify)(void *cookie, short events), void *cookie);
void hostio_unwatch(int handle);

/* For the platform's own loop: submit what is queued, collect what is done; with may_sleep sleep until a completion,
 * the doorbell futex word (or NULL) differs from expected, or the deadline. */
void hostio_collect(bool may_sleep, uint32_t *doorbell, uint32_t expected, uint64_t deadline_ns);

#endif

/* hostio_backend.h - what hostio.c asks of its two backends, hostio_uring.c and hostio_epoll.c. Not for anybody else.
 *
 * An operation is a slot of hostio.c's table, named by a handle that no later operation has again soon (index and
 * generation). A backend reports its end with hostio_done, from collect only.
 */
#ifndef PLATFORM_HOSTIO_BACKEND_H
#define PLATFORM_HOSTIO_BACKEND_H

#include "platform/hostio.h"

struct hostio_ops {
	/* -errno when the host does not have what the backend needs. */
	int (*start)(void);
	/* Poll once; nothing is done yet on return. The descriptor stays open until the operation is done or cancelled.
	 */
	void (*poll_add)(int handle, int host_fd, short events);
	void (*poll_cancel)(int handle, int host_fd);
	/* Read at an offset, without blocking the sentry. NULL: this backend cannot. dst stays valid until done. */
	void (*read)(int handle, int host_fd, void *dst, size_t n, int64_t offset);
	/* As fsync. NULL: cannot. */
	void (*sync)(int handle, int host_fd);
	/* Asks for the end of a read or sync; it still ends by hostio_done (-ECANCELED, or its result). */
	void (*cancel)(int handle);
	void (*collect)(bool may_sleep, uint32_t *doorbell, uint32_t expected, uint64_t deadline_ns);
};

extern const struct hostio_ops hostio_uring, hostio_epoll;

/* result: events of a poll, bytes, 0, or -errno. A handle that is not in use any more is ignored. */
void hostio_done(int handle, int result);

/* The epoll backend's look at the table: every poll of this descriptor, and the events they want together. */
short hostio_wanted(int host_fd);
void hostio_fire(int host_fd, short events);

#endif

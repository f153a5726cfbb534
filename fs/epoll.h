/* epoll.h - epoll(7). */
#ifndef FS_EPOLL_H
#define FS_EPOLL_H

#include "fs/file.h"
#include "sentry/abi/poll.h"

/* Registers the kind; called once by fs_init. */
void epoll_init(void);

/* Gives. -ENOMEM. */
must_check int epoll_new(struct cred *cred, struct file **out);

/* epoll_ctl(2): operation ABI_EPOLL_CTL_*, on descriptor fd, which is file. event is not looked at for DEL. Errors as
 * there. */
must_check int epoll_control(struct file *epoll_file, int operation, int fd, struct file *file,
			     const struct abi_epoll_event *event);

/* PARKS. epoll_wait(2): at most most events to out (struct abi_epoll_event, packed). Returns how many, 0 at the
 * deadline (CLOCK_MONOTONIC; 0: does not wait), -EINTR, -EFAULT, -EINVAL (no epoll file). */
must_check long epoll_wait_events(struct file *epoll_file, struct uio *out, int most, uint64_t deadline_ns);

#endif

/* timerfd.h - timerfd_create(2): a timer as a file. */
#ifndef SENTRY_TIMERFD_H
#define SENTRY_TIMERFD_H

#include "fs/file.h"
#include "sentry/abi/time.h"

/* Registers the kind. Once. */
void timerfd_init(void);
/* flags: O_NONBLOCK or 0. -EINVAL for a clock that has no timers. */
must_check int timerfd_new(int clock, uint32_t flags, struct cred *cred, struct file **out);
/* On a file of this kind, else -EINVAL. old may be NULL. */
must_check int timerfd_set(struct file *file, int flags, const struct abi_itimerspec *new, struct abi_itimerspec *old);
must_check int timerfd_get(struct file *file, struct abi_itimerspec *out);

#endif

/* io_lock.h - the part of fcntl(2) about locks. */
#ifndef SYSCALLS_IO_LOCK_H
#define SYSCALLS_IO_LOCK_H

#include "sentry/task.h"

/* PARKS. F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ kin; flock: a struct flock of the guest. */
must_check long lock_fcntl(struct task *task, int fd, struct file *file, int command, struct uaddr flock);

#endif

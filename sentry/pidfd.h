/* pidfd.h - pidfd_open(2): a process as a file. */
#ifndef SENTRY_PIDFD_H
#define SENTRY_PIDFD_H

#include "fs/file.h"

struct process;

void pidfd_init(void); /* registers the kind; once */
/* flags: O_NONBLOCK or 0. */
must_check int pidfd_new(struct process *process, uint32_t flags, struct cred *cred, struct file **out);
/* Borrowed; NULL when file is of another kind. The process may have been reaped. */
struct process *pidfd_process(const struct file *file);

#endif

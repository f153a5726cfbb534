/* procfs.h - /proc as far as it tells of tasks, and what /sys adds to it: see sentry/procfs.c. */
#ifndef SENTRY_PROCFS_H
#define SENTRY_PROCFS_H

#include "sentry/base/types.h"

struct file;
struct process;

/* Once at start, after fs_init. */
void procfs_init(void);

/* The process whose directory /proc/PID an open file is, borrowed. -EBADF: it is no such directory; -ESRCH: it is gone.
 */
must_check int procfs_process(const struct file *file, struct process **out);

#endif

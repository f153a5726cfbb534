/* procfs.h - /proc as far as it tells of tasks, and what /sys adds to it: see sentry/procfs.c. */
#ifndef SENTRY_PROCFS_H
#define SENTRY_PROCFS_H

/* Once at start, after fs_init. */
void procfs_init(void);

#endif

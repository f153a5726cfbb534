/* async.h - O_ASYNC (fcntl(2), F_SETFL, F_SETOWN, F_SETSIG): a file's owner is told by signals what can be done with
 * it. */
#ifndef FS_ASYNC_H
#define FS_ASYNC_H

#include "fs/file.h"

void async_init(void);

/* The flag is set or cleared, for a file that can send signals (file_ops.async), by way of descriptor fd, which they
 * will name. 0, or -ENOMEM. */
must_check int async_set(struct file *file, int fd, bool on);

/* The calling process becomes the file's owner if it has none, as with leases and directory notes. */
void async_owner_default(struct file *file);
/* Tells the owner that something has happened for which there are no events: POLL_MSG. */
void async_message(const struct file *file, int fd);

/* The file goes away: before its release, so that its wait queues are still there. */
void async_forget(struct file *file);

#endif

/* eventfd.h - a counter as a file: eventfd(2). */
#ifndef FS_EVENTFD_H
#define FS_EVENTFD_H

#include "fs/file.h"

/* Registers the kind; called once by fs_init. */
void eventfd_init(void);

/* flags: O_NONBLOCK. semaphore: each read takes one (EFD_SEMAPHORE). Gives. -ENOMEM. */
must_check int eventfd_new(uint32_t count, bool semaphore, uint32_t flags, struct cred *cred, struct file **out);

/* Adds one, as io_uring(7) and io_submit(2) tell of what is done; nothing at the limit. Never parks. */
void eventfd_signal(struct file *file);

#endif

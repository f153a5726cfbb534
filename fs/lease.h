/* lease.h - leases on files (fcntl(2), F_SETLEASE). */
#ifndef FS_LEASE_H
#define FS_LEASE_H

#include "fs/file.h"

void lease_init(void);

/* F_SETLEASE and F_GETLEASE; type F_RDLCK, F_WRLCK, F_UNLCK; fd: what the holder's signals tell. -EAGAIN: others have
 * the file open; -EINVAL, -EACCES, -ENOLCK. */
must_check int lease_set(struct file *file, int fd, int type);
int lease_get(const struct file *file);
/* PARKS. Somebody opens the file, to write it or not: the holders are told, and have LEASE_BREAK_S to give way.
 * -EWOULDBLOCK with nonblock, -ERESTARTSYS. */
must_check int lease_break(struct inode *inode, bool writes, bool nonblock);

#endif

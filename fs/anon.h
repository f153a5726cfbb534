/* anon.h - the file system of what has no name in any tree: pipes, sockets, epoll and the like. See fs/file.h for
 * file_new_anonymous. */
#ifndef FS_ANON_H
#define FS_ANON_H

#include "fs/inode.h"

/* Called once by fs_init. */
must_check int anon_init(void);
/* The name an anonymous inode was made with. Borrowed. */
const char *anon_name(const struct inode *inode);

#endif

/* handle.h - handles of files (open_by_handle_at(2)): what names a file for as long as it is there, apart from its
 * names. */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include "fs/inode.h"

/* The inode's handle, given out when first asked for; no two inodes of a sandbox ever have the same. */
uint64_t handle_of(struct inode *inode);
/* The inode with this handle, of this file system; gives. NULL: it is gone. */
must_check struct inode *handle_find(const struct superblock *sb, uint64_t handle);
/* The inode goes. */
void handle_forget(struct inode *inode);

#endif

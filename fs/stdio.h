/* stdio.h - the descriptors 0, 1 and 2 that the sandbox was started with (stdio_open is in fs/mount.h). */
#ifndef FS_STDIO_H
#define FS_STDIO_H

#include "fs/inode.h"

/* Called once by fs_init. */
void stdio_init(void);

#endif

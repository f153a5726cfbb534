/* sys.h - sysfs(5), as much of it as programs ask for. */
#ifndef FS_SYS_H
#define FS_SYS_H

#include "fs/nodefs.h"

/* Once by fs_init: the file system and its mount type. */
void sys_init(void);
/* The root's number, for nodefs_find and nodefs_register. */
uint32_t sys_root(void);

#endif

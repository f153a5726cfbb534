/* proc.h - the proc file system: its root, and the files that tell of the machine (fs/procmachine.c). What tells of
 * tasks is registered by sentry/procfs.c, which makes the root.
 */
#ifndef FS_PROC_H
#define FS_PROC_H

#include "fs/nodefs.h"

/* Once by fs_init: the file system's kind and its mount type. */
void proc_init(void);

/* Once at start, after fs_init: the root, with what is in it. Everything that needs no task is added to it here. */
void proc_root_set(const struct node_desc *root);
/* The root's number, for nodefs_find and nodefs_register; NODE_ROOT before proc_root_set. */
uint32_t proc_root(void);

/* fs/procmachine.c: the files of the root that need no task. */
extern const struct node_desc proc_machine_files[];
extern const unsigned proc_machine_count;
/* fs/procsys.c: the directory sys/. */
extern const struct node_desc proc_sys_dir;

#endif

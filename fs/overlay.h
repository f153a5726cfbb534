/* overlay.h - a host directory whose changes stay in the sandbox's memory (copy on write). */
#ifndef FS_OVERLAY_H
#define FS_OVERLAY_H

#include "fs/inode.h"

#define OVERLAY_BUCKETS 4096u /* of mem_fs.index */

/* Called once by fs_init. */
void overlay_init(void);
/* lower: host file index of a directory or file. size_bytes: how much the changes may take; 0: a default. Takes a
 * reference. */
must_check int overlay_new(uint32_t lower, uint64_t size_bytes, struct superblock **out);

#endif

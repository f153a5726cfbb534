/* dir.h - open directories (FILE_DIR): positions, "." and "..", the file systems' own listing. */
#ifndef FS_DIR_H
#define FS_DIR_H

#include "fs/inode.h"

typedef bool dir_emit(void *context, const char *name, size_t length, uint64_t ino, uint8_t type, int64_t next_pos);

/* Called once by fs_init. */
void dir_init(void);

/* How a kind of inode lists itself: entries from file->pos on, which it moves on. Registered once at start. release may
 * be NULL. */
void dir_kind_register(enum inode_kind kind, int (*readdir)(struct file *file, dir_emit *emit, void *context),
		       void (*release)(struct file *file));

/* Emits "." and ".." for positions 0 and 1; false: the buffer is full. */
must_check bool dir_emit_dots(struct file *file, dir_emit *emit, void *context);

/* DT_* of a mode. */
static inline uint8_t dir_type(uint32_t mode)
{
	return mode >> 12 & 15;
}

#endif

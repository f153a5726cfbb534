/* dir.c - open directories: the operations they share whatever file system they are of. */
#include "fs/dir.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include <errno.h>
#include <unistd.h>

static struct {
	int (*readdir)(struct file *file, dir_emit *emit, void *context);
	void (*release)(struct file *file);
} kinds[INODE_KINDS];

void dir_kind_register(enum inode_kind kind, int (*readdir)(struct file *file, dir_emit *emit, void *context),
		       void (*release)(struct file *file))
{
	assert(kind > INODE_NONE && kind < INODE_KINDS && readdir);
	kinds[kind].readdir = readdir;
	kinds[kind].release = release;
}

/* The inode number of "..": across a mount point it is the one above. */
static uint64_t parent_ino(const struct file *file)
{
	const struct dentry *dentry = file->path.dentry;
	const struct mount *mount = file->path.mount;

	while (dentry == mount->root && mount->parent) {
		dentry = mount->mountpoint;
		mount = mount->parent;
	}
	return dentry->parent ? dentry->parent->inode->ino : dentry->inode->ino;
}

bool dir_emit_dots(struct file *file, dir_emit *emit, void *context)
{
	if (file->pos == 0) {
		if (!emit(context, ".", 1, file->inode->ino, 4, 1))
			return false;
		file->pos = 1;
	}
	if (file->pos == 1) {
		if (!emit(context, "..", 2, parent_ino(file), 4, 2))
			return false;
		file->pos = 2;
	}
	return true;
}

static int dir_readdir(struct file *file, dir_emit *emit, void *context)
{
	if (!kinds[file->inode->kind].readdir)
		return -ENOTDIR;
	if (!file->inode->nlink)
		return -ENOENT;
	return kinds[file->inode->kind].readdir(file, emit, context);
}

static int64_t dir_seek(struct file *file, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset = file->pos + offset;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	file->pos = offset;
	return offset;
}

static int dir_sync(struct file *file, bool data_only)
{
	(void)file;
	(void)data_only;
	return 0;
}

static void dir_release(struct file *file)
{
	if (kinds[file->inode->kind].release)
		kinds[file->inode->kind].release(file);
}

static const struct file_ops dir_ops = {
	.seek = dir_seek, .readdir = dir_readdir, .sync = dir_sync, .release = dir_release};

/* An O_PATH descriptor is only a place: every operation on it is refused before it gets here. */
static const struct file_ops path_ops = {.seek = NULL};

void dir_init(void)
{
	file_kind_register(FILE_DIR, &dir_ops);
	file_kind_register(FILE_PATH, &path_ops);
}

/* tmpfs.c - the file system in memory (tmpfs(5)): its directory operations and its open files.
 *
 * Everything is in the nodes of fs/memnode.c and in struct filedata; nothing here parks but copies from and to guests.
 * The operations on open files serve overlay files too, once their data has been copied up.
 *
 * Limits: no swap, no huge pages, no quota but the size given at start; FALLOC_FL_COLLAPSE_RANGE and INSERT_RANGE are
 * not there.
 */
#include "fs/tmpfs.h"
#include "fs/dir.h"
#include "platform/hostfile.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int tmpfs_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct mem_entry *entry = mem_find(dir, name);

	if (!entry)
		return -ENOENT;
	inode_get(entry->inode);
	*out = entry->inode;
	return 0;
}

/* Gives the new inode its first name. Takes inode when it fails. */
static int enter(struct inode *dir, const char *name, struct inode *inode, struct inode **out)
{
	int error = mem_find(dir, name) ? -EEXIST : !dir->nlink ? -ENOENT : mem_put(dir, name, inode);

	if (error) {
		inode_put(inode);
		return error;
	}
	if (S_ISDIR(inode->mode))
		dir->nlink++;
	mem_linked(dir, inode);
	*out = inode;
	return 0;
}

static int tmpfs_create(struct inode *dir, const char *name, uint32_t mode, uint64_t rdev, struct cred *cred,
			struct inode **out)
{
	struct inode *inode;
	int error = mem_inode_new(dir->sb, INODE_TMPFS, dir, mode, rdev, cred, &inode);

	return error ? error : enter(dir, name, inode, out);
}

static int tmpfs_symlink(struct inode *dir, const char *name, const char *target, struct cred *cred, struct inode **out)
{
	struct inode *inode;
	int error = mem_inode_new(dir->sb, INODE_TMPFS, dir, S_IFLNK | 0777, 0, cred, &inode);

	if (error)
		return error;
	error = mem_set_target(inode, target);
	if (error) {
		inode_put(inode);
		return error;
	}
	return enter(dir, name, inode, out);
}

static int tmpfs_link(struct inode *dir, const char *name, struct inode *inode)
{
	int error = mem_find(dir, name) ? -EEXIST : !dir->nlink ? -ENOENT : mem_put(dir, name, inode);

	if (error)
		return error;
	inode->nlink++;
	mem_linked(dir, inode);
	return 0;
}

static int tmpfs_unlink(struct inode *dir, const char *name, struct inode *inode)
{
	struct mem_entry *entry = mem_find(dir, name);

	if (!entry || entry->inode != inode)
		return -ENOENT;
	inode->nlink--;
	mem_linked(dir, inode);
	mem_remove(dir, name);
	return 0;
}

static int tmpfs_rmdir(struct inode *dir, const char *name, struct inode *inode)
{
	struct mem_entry *entry = mem_find(dir, name);

	if (!entry || entry->inode != inode)
		return -ENOENT;
	if (!mem_is_empty(inode))
		return -ENOTEMPTY;
	inode->nlink = 0;
	dir->nlink--;
	mem_linked(dir, inode);
	mem_remove(dir, name);
	return 0;
}

static int tmpfs_exchange(struct inode *old_dir, const char *old_name, struct inode *new_dir, const char *new_name)
{
	struct inode *a = mem_find(old_dir, old_name)->inode, *b = mem_find(new_dir, new_name)->inode;

	inode_get(a);
	inode_get(b);
	/* Both names are there: putting replaces in place and cannot fail. */
	int error = mem_put(old_dir, old_name, b);
	assert(!error);
	error = mem_put(new_dir, new_name, a);
	assert(!error);
	(void)error;
	if (S_ISDIR(a->mode) != S_ISDIR(b->mode) && old_dir != new_dir) {
		old_dir->nlink += S_ISDIR(b->mode) ? 1 : -1u;
		new_dir->nlink += S_ISDIR(a->mode) ? 1 : -1u;
	}
	mem_linked(old_dir, a);
	mem_linked(new_dir, b);
	inode_put(a);
	inode_put(b);
	return 0;
}

static int tmpfs_rename(struct inode *old_dir, const char *old_name, struct inode *new_dir, const char *new_name,
			uint32_t flags)
{
	struct mem_entry *from = mem_find(old_dir, old_name), *to = mem_find(new_dir, new_name);

	if (!from || !new_dir->nlink)
		return -ENOENT;
	struct inode *inode = from->inode, *replaced = to ? to->inode : NULL;
	if (flags & RENAME_EXCHANGE)
		return to ? tmpfs_exchange(old_dir, old_name, new_dir, new_name) : -ENOENT;
	if (to && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (replaced && S_ISDIR(replaced->mode) && !mem_is_empty(replaced))
		return -ENOTEMPTY;
	if (replaced)
		inode_get(replaced);
	inode_get(inode);
	int error = mem_put(new_dir, new_name, inode);
	if (!error) {
		mem_remove(old_dir, old_name);
		if (replaced) {
			replaced->nlink = S_ISDIR(replaced->mode) ? 0 : replaced->nlink - 1;
			mem_linked(new_dir, replaced);
		}
		if (S_ISDIR(inode->mode)) {
			old_dir->nlink--;
			new_dir->nlink += !replaced;
		}
		mem_linked(old_dir, inode);
		mem_linked(new_dir, inode);
	}
	inode_put(inode);
	if (replaced)
		inode_put(replaced);
	return error;
}

static int tmpfs_tmpfile(struct inode *dir, uint32_t mode, struct cred *cred, struct inode **out)
{
	int error = mem_inode_new(dir->sb, INODE_TMPFS, dir, mode, 0, cred, out);

	if (!error)
		(*out)->nlink = 0;
	return error;
}

static int tmpfs_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
		      struct file **out)
{
	*out = file_new(S_ISDIR(inode->mode) ? FILE_DIR : FILE_TMPFS, flags, inode, path, cred);
	return *out ? 0 : file_refusal();
}

int tmpfs_readdir(struct file *file, dir_emit *emit, void *context)
{
	struct mem_entry *entry;

	if (!dir_emit_dots(file, emit, context))
		return 0;
	mem_file_accessed(file);
	while ((entry = mem_next(file->inode, (uint64_t)file->pos))) {
		int64_t next = (int64_t)entry->place + 1;
		if (entry->inode &&
		    !emit(context, entry->name, entry->length, entry->inode->ino, dir_type(entry->inode->mode), next))
			return 0;
		file->pos = next;
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------ open files */

ssize_t mem_file_read(struct file *file, struct uio *to, int64_t *pos)
{
	struct inode *inode = file->inode;
	ssize_t done = filedata_read(&mem_node(inode)->data, to, (uint64_t)*pos, inode->size);

	if (done > 0) {
		*pos += done;
		mem_file_accessed(file);
	}
	return done;
}

static ssize_t write_locked(struct file *file, struct uio *from, int64_t *pos)
{
	struct inode *inode = file->inode;

	if (file->flags & O_APPEND)
		*pos = (int64_t)inode->size;
	if (from->left > (uint64_t)INT64_MAX - (uint64_t)*pos)
		return -EFBIG;
	uint32_t seals = mem_node(inode)->seals;
	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (seals & F_SEAL_GROW && (uint64_t)*pos + from->left > inode->size)
		return -EPERM;
	ssize_t done = filedata_write(&mem_node(inode)->data, from, (uint64_t)*pos, &mem_fs(inode->sb)->budget);
	if (done > 0) {
		*pos += done;
		inode->size = MAX(inode->size, (uint64_t)*pos);
		inode_touch(inode, ATTR_MTIME);
	}
	return done;
}

/* Writes are whole with regard to each other, also where a copy from the guest parks: O_APPEND depends on it. */
ssize_t mem_file_write(struct file *file, struct uio *from, int64_t *pos)
{
	struct mutex *writing = &mem_node(file->inode)->writing;

	if (!from->left)
		return 0;
	int error = mutex_lock(writing);
	if (error)
		return error;
	ssize_t done = write_locked(file, from, pos);
	mutex_unlock(writing);
	return done;
}

/* As generic_file_llseek in Linux, for a file whose only hole is behind its end. */
int64_t seek_plain(struct file *file, int64_t offset, int whence, uint64_t size)
{
	int64_t base = whence == SEEK_CUR ? file->pos : whence == SEEK_END ? (int64_t)size : 0, pos;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		if (offset < 0 || (uint64_t)offset >= size)
			return -ENXIO;
		pos = whence == SEEK_DATA ? offset : (int64_t)size;
	} else if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) {
		return -EINVAL;
	} else if (__builtin_add_overflow(base, offset, &pos)) {
		return -EOVERFLOW;
	}
	if (pos < 0)
		return -EINVAL;
	file->pos = pos;
	return pos;
}

int64_t mem_file_seek(struct file *file, int64_t offset, int whence)
{
	struct inode *inode = file->inode;

	if ((whence != SEEK_DATA && whence != SEEK_HOLE) || offset < 0 || (uint64_t)offset >= inode->size)
		return seek_plain(file, offset, whence, inode->size);
	uint64_t at = filedata_next(&mem_node(inode)->data, (uint64_t)offset, inode->size, whence == SEEK_HOLE);
	if (whence == SEEK_DATA && at >= inode->size)
		return -ENXIO;
	file->pos = (int64_t)at;
	return file->pos;
}

int mem_file_map(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags, struct file_map *out)
{
	struct mem_node *node = mem_node(file->inode);
	bool sealed = node->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) && (flags & MAP_TYPE) != MAP_PRIVATE;

	(void)size;
	if (sealed && prot & PROT_WRITE)
		return -EPERM;
	int error = filedata_promote(&node->data, file->inode->size, 0);
	if (error)
		return error;
	hostfile_get(node->data.host_file);
	*out = (struct file_map){.host_file = node->data.host_file, .offset = offset, .never_writable = sealed};
	return 0;
}

int mem_file_truncate(struct file *file, int64_t size)
{
	struct setattr change = {.valid = ATTR_SIZE, .size = (uint64_t)size};

	return mem_setattr(file->inode, &change);
}

int mem_file_fallocate(struct file *file, int mode, int64_t offset, int64_t size)
{
	struct inode *inode = file->inode;
	struct mem_fs *fs = mem_fs(inode->sb);
	struct filedata *data = &mem_node(inode)->data;
	uint64_t end = (uint64_t)offset + (uint64_t)size;
	int error = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE && mem_node(inode)->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) ||
	    (end > inode->size && mem_node(inode)->seals & F_SEAL_GROW))
		return -EPERM;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		error = filedata_punch(data, (uint64_t)offset, MIN(end, inode->size), &fs->budget);
	/* Space is not set aside, but what could never be had is refused now. */
	else if (end > inode->size && end - inode->size > fs->budget.limit_bytes - fs->budget.used_bytes)
		return -ENOSPC;
	if (!error && !(mode & (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) && end > inode->size) {
		error = filedata_resize(data, inode->size, end, &fs->budget);
		if (!error)
			inode->size = end;
	}
	if (!error)
		inode_touch(inode, ATTR_MTIME);
	return error;
}

int mem_file_sync(struct file *file, bool data_only)
{
	(void)file;
	(void)data_only;
	return 0;
}

static const struct inode_ops tmpfs_inode_ops = {.lookup = tmpfs_lookup,
						 .create = tmpfs_create,
						 .symlink = tmpfs_symlink,
						 .link = tmpfs_link,
						 .unlink = tmpfs_unlink,
						 .rmdir = tmpfs_rmdir,
						 .rename = tmpfs_rename,
						 .tmpfile = tmpfs_tmpfile,
						 .readlink = mem_readlink,
						 .getattr = mem_getattr,
						 .setattr = mem_setattr,
						 .open = tmpfs_open,
						 .getxattr = mem_getxattr,
						 .setxattr = mem_setxattr,
						 .listxattr = mem_listxattr,
						 .removexattr = mem_removexattr,
						 .release = mem_inode_release,
						 .free_super = mem_fs_free};

static const struct file_ops tmpfs_file_ops = {.read = mem_file_read,
					       .write = mem_file_write,
					       .seek = mem_file_seek,
					       .map = mem_file_map,
					       .sync = mem_file_sync,
					       .truncate = mem_file_truncate,
					       .fallocate = mem_file_fallocate};

void tmpfs_init(void)
{
	inode_kind_register(INODE_TMPFS, &tmpfs_inode_ops, mem_statfs);
	file_kind_register(FILE_TMPFS, &tmpfs_file_ops);
	dir_kind_register(INODE_TMPFS, tmpfs_readdir, NULL);
}

int tmpfs_new(uint32_t root_mode, uint64_t size_bytes, struct superblock **out)
{
	struct superblock *sb = superblock_new(INODE_TMPFS, "tmpfs");

	if (!sb)
		return -ENOMEM;
	sb->data = mem_fs_new(size_bytes);
	int error = sb->data ? mem_inode_new(sb, INODE_TMPFS, NULL, S_IFDIR | (root_mode & 07777), 0, NULL, &sb->root)
			     : -ENOMEM;
	if (error)
		superblock_put(sb);
	else
		*out = sb;
	return error;
}

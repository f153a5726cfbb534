/* path_stat.c - what files are: stat(2) and its kin, statx(2), access(2), readlink(2), statfs(2). */
#include "fs/fdtable.h"
#include "fs/mount.h"
#include "sentry/abi/stat.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "syscalls/at.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* ------------------------------------------------------------------------------------------------ stat */

static struct abi_timespec timespec_of(struct fs_time time)
{
	return (struct abi_timespec){time.s, time.ns};
}

static int inode_stat(struct inode *inode, struct abi_stat *out)
{
	struct attr attr;
	int error = inode_getattr(inode, &attr);

	if (error)
		return error;
	out->dev = attr.dev;
	out->ino = attr.ino;
	out->nlink = attr.nlink;
	out->mode = attr.mode;
	out->uid = attr.uid;
	out->gid = attr.gid;
	out->rdev = attr.rdev;
	out->size = (int64_t)attr.size;
	out->blksize = attr.block_size;
	out->blocks = (int64_t)attr.blocks;
	out->atime = timespec_of(attr.atime);
	out->mtime = timespec_of(attr.mtime);
	out->ctime = timespec_of(attr.ctime);
	return 0;
}

/* The inode that a path leads to, or with AT_EMPTY_PATH a descriptor. Gives. mount_id and is_root may be NULL. */
static int find_inode(struct task *task, int dirfd, const char *path, uint32_t flags, struct inode **out,
		      uint64_t *mount_id, bool *is_root)
{
	struct path place;
	struct file *file;

	if (!*path && flags & AT_EMPTY_PATH && dirfd != AT_FDCWD) {
		int error = fd_get(task->files, dirfd, &file);
		if (error)
			return error;
		if (file->path.dentry) {
			*mount_id = (uint64_t)file->path.mount->id;
			*is_root = file->path.dentry == file->path.mount->root;
		}
		*out = file->inode;
		inode_get(*out);
		file_put(file);
		return 0;
	}
	uint32_t walk_flags =
		(flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	int error = at_walk(task, dirfd, path, walk_flags, &place);
	if (error)
		return error;
	*mount_id = (uint64_t)place.mount->id;
	*is_root = place.dentry == place.mount->root;
	*out = place.dentry->inode;
	inode_get(*out);
	path_put(&place);
	return 0;
}

static long stat_at(struct task *task, int dirfd, const char *path, struct abi_stat *st, uint32_t flags)
{
	struct inode *inode;
	uint64_t mount_id;
	bool is_root;
	int error = find_inode(task, dirfd, path, flags, &inode, &mount_id, &is_root);

	if (error)
		return error;
	error = inode_stat(inode, st);
	inode_put(inode);
	return error;
}

long sys_stat(struct task *task, const char *path, struct abi_stat *st)
{
	return stat_at(task, AT_FDCWD, path, st, 0);
}

long sys_lstat(struct task *task, const char *path, struct abi_stat *st)
{
	return stat_at(task, AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(struct task *task, struct file *file, struct abi_stat *st)
{
	(void)task;
	return inode_stat(file->inode, st);
}

long sys_newfstatat(struct task *task, int dirfd, const char *path, struct abi_stat *st, uint32_t flags)
{
	/* fstatat takes statx's hints about remote file systems, too. */
	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if (!path && !(flags & AT_EMPTY_PATH))
		return -EFAULT;
	return stat_at(task, dirfd, path ? path : "", st, flags); /* NULL is an empty path since Linux 6.11 */
}

static struct abi_statx_timestamp stamp_of(struct fs_time time)
{
	return (struct abi_statx_timestamp){.s = time.s, .ns = time.ns};
}

static void fill_statx(const struct attr *attr, struct abi_statx *st)
{
	st->mask = ABI_STATX_BASIC_STATS | ABI_STATX_BTIME | ABI_STATX_MNT_ID;
	st->blksize = attr->block_size;
	st->nlink = attr->nlink;
	st->uid = attr->uid;
	st->gid = attr->gid;
	st->mode = (uint16_t)attr->mode;
	st->ino = attr->ino;
	st->size = attr->size;
	st->blocks = attr->blocks;
	st->atime = stamp_of(attr->atime);
	st->btime = stamp_of(attr->btime);
	st->ctime = stamp_of(attr->ctime);
	st->mtime = stamp_of(attr->mtime);
	st->rdev_major = major(attr->rdev);
	st->rdev_minor = minor(attr->rdev);
	st->dev_major = major(attr->dev);
	st->dev_minor = minor(attr->dev);
}

long sys_statx(struct task *task, int dirfd, const char *path, uint32_t flags, uint32_t mask, struct abi_statx *st)
{
	struct inode *inode;
	struct attr attr;
	bool is_root = false;
	uint64_t mount_id = 0;

	if (mask & ABI_STATX_RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if (!path && !(flags & AT_EMPTY_PATH))
		return -EFAULT;
	int error = find_inode(task, dirfd, path ? path : "", flags, &inode, &mount_id, &is_root);
	if (error)
		return error;
	error = inode_getattr(inode, &attr);
	inode_put(inode);
	if (error)
		return error;
	fill_statx(&attr, st);
	st->mount_id = mount_id;
	st->attributes_mask = ABI_STATX_ATTR_MOUNT_ROOT;
	if (is_root)
		st->attributes |= ABI_STATX_ATTR_MOUNT_ROOT;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ access */

/* access(2) asks for the real identity (access_override_creds in Linux). Gives. */
static struct cred *real_cred(struct cred *cred)
{
	bool root = cred->uid == 0 && !(cred->securebits & SECBIT_NO_SETUID_FIXUP);
	uint64_t capable = cred->securebits & SECBIT_NO_SETUID_FIXUP ? cred->cap_effective
			   : root                                    ? cred->cap_permitted
								     : 0;

	if (cred->fsuid == cred->uid && cred->fsgid == cred->gid && cred->cap_effective == capable) {
		cred_get(cred);
		return cred;
	}
	struct cred *real = cred_copy(cred);
	if (real) {
		real->fsuid = cred->uid;
		real->fsgid = cred->gid;
		real->cap_effective = capable;
	}
	return real;
}

static int may_access(const struct path *place, const struct cred *cred, uint32_t mode)
{
	struct inode *inode = place->dentry->inode;
	bool device = S_ISCHR(inode->mode) || S_ISBLK(inode->mode) || S_ISFIFO(inode->mode) || S_ISSOCK(inode->mode);
	int error = mode ? inode_permission(inode, cred, (int)mode) : 0;

	if (!error && mode & 1 && S_ISREG(inode->mode) && place->mount->flags & MS_NOEXEC)
		error = -EACCES;
	if (!error && mode & 2 && !device && mount_is_read_only(place->mount))
		error = -EROFS;
	return error;
}

static long access_at(struct task *task, int dirfd, const char *path, uint32_t mode, uint32_t flags)
{
	struct at at;
	struct path place;

	if (mode & ~7u || flags & ~(uint32_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	int error = at_begin(task, dirfd, path, &at);
	if (error)
		return error;
	struct cred *cred = task->cred;
	if (flags & AT_EACCESS)
		cred_get(cred);
	else
		cred = real_cred(cred);
	if (cred) {
		at.walker.cred = cred;
		error = walk(&at.walker, path,
			     (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0),
			     &place);
		if (!error) {
			error = may_access(&place, cred, mode);
			path_put(&place);
		}
		cred_put(cred);
	} else {
		error = -ENOMEM;
	}
	at_end(&at);
	return error;
}

long sys_access(struct task *task, const char *path, uint32_t mode)
{
	return access_at(task, AT_FDCWD, path, mode, 0);
}

long sys_faccessat(struct task *task, int dirfd, const char *path, uint32_t mode)
{
	return access_at(task, dirfd, path, mode, 0);
}

long sys_faccessat2(struct task *task, int dirfd, const char *path, uint32_t mode, uint32_t flags)
{
	return access_at(task, dirfd, path, mode, flags);
}

/* ------------------------------------------------------------------------------------------------ links, file systems
 */

static long readlink_inode(struct task *task, struct inode *inode, bool empty_path, struct uaddr buffer, uint64_t size)
{
	if (!S_ISLNK(inode->mode) || !inode_ops(inode)->readlink)
		return empty_path ? -ENOENT : -EINVAL;
	char *text = arena_alloc(PATH_LIMIT);
	if (!text)
		return -ENOMEM;
	ssize_t length = inode_ops(inode)->readlink(inode, text, MIN(size, (uint64_t)PATH_LIMIT));
	if (length > 0) {
		int error = user_write(task_user(task), buffer, text, (size_t)length);
		if (error)
			length = error;
	}
	arena_free(text, PATH_LIMIT);
	return length;
}

long sys_readlinkat(struct task *task, int dirfd, const char *path, struct uaddr buffer, uint64_t size)
{
	struct path place;

	if ((int32_t)size <= 0)
		return -EINVAL;
	int error = at_walk(task, dirfd, path, WALK_EMPTY, &place);
	if (error)
		return error;
	long result =
		!*path && dirfd == AT_FDCWD ? -ENOENT : readlink_inode(task, place.dentry->inode, !*path, buffer, size);
	path_put(&place);
	return result;
}

long sys_readlink(struct task *task, const char *path, struct uaddr buffer, uint64_t size)
{
	return sys_readlinkat(task, AT_FDCWD, path, buffer, size);
}

static uint64_t magic_of(const struct inode *inode, const struct statfs_info *info)
{
	if (inode->kind != INODE_ANON && inode->kind != INODE_STDIO)
		return info->type;
	return S_ISFIFO(inode->mode) ? PIPEFS_MAGIC : S_ISSOCK(inode->mode) ? SOCKFS_MAGIC : ANON_INODE_FS_MAGIC;
}

/* ST_* of statvfs(3) for the MS_* of a mount: the same numbers but for these two. */
static uint64_t statfs_flags(uint32_t flags)
{
	return (flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME)) |
	       (flags & MS_RELATIME ? ABI_ST_RELATIME : 0) | (flags & MS_NOSYMFOLLOW ? ABI_ST_NOSYMFOLLOW : 0);
}

static long fill_statfs(struct inode *inode, const struct mount *mount, struct abi_statfs *out)
{
	struct statfs_info info;
	int error = superblock_statfs(inode->sb, &info);

	if (error && error != -ENOSYS)
		return error;
	out->type = (int64_t)magic_of(inode, &info);
	out->bsize = out->frsize = (int64_t)info.block_size;
	out->blocks = info.blocks;
	out->bfree = info.blocks_free;
	out->bavail = info.blocks_available;
	out->files = info.files;
	out->ffree = info.files_free;
	out->fsid[0] = (int32_t)info.fsid;
	out->namelen = info.name_max;
	out->flags = ABI_ST_VALID | info.flags;
	if (inode->sb->read_only)
		out->flags |= ABI_ST_RDONLY;
	if (mount)
		out->flags |= statfs_flags(mount->flags);
	return 0;
}

long sys_statfs(struct task *task, const char *path, struct abi_statfs *out)
{
	struct path place;
	long error = at_walk(task, AT_FDCWD, path, WALK_FOLLOW, &place);

	if (error)
		return error;
	error = fill_statfs(place.dentry->inode, place.mount, out);
	path_put(&place);
	return error;
}

long sys_fstatfs(struct task *task, struct file *file, struct abi_statfs *out)
{
	(void)task;
	return fill_statfs(file->inode, file->path.mount, out);
}

struct ustat {
	int32_t free_blocks;
	uint64_t free_inodes;
	char name[6], pack[6];
};
static_assert(sizeof(struct ustat) == 32, "struct ustat");

long sys_ustat(struct task *task, uint32_t device, struct uaddr out)
{
	struct ustat st = {0};
	struct statfs_info info;
	struct list *all = mount_all();
	struct mount *mount;

	list_for_each (mount, all, node) {
		if ((uint32_t)mount->sb->dev != device)
			continue;
		int error = superblock_statfs(mount->sb, &info);
		if (error)
			return error;
		st.free_blocks = (int32_t)info.blocks_free;
		st.free_inodes = info.files_free;
		return user_write(task_user(task), out, &st, sizeof st);
	}
	return -EINVAL;
}

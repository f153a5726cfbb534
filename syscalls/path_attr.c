/* path_attr.c - changing what files are: chmod(2), chown(2), utimensat(2) and its elders, truncate(2). */
#include "fs/hooks.h"
#include "fs/lease.h"
#include "fs/notify.h"
#include "sentry/abi/stat.h"
#include "syscalls/at.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>

static long setattr_at(struct task *task, int dirfd, const char *path, uint32_t flags, const struct setattr *change)
{
	struct path place;
	uint32_t walk_flags =
		(flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	struct file *file;

	if (!*path && flags & AT_EMPTY_PATH && dirfd != AT_FDCWD) { /* also files without a place */
		int error = fd_get(task->files, dirfd, &file);
		if (error)
			return error;
		error = file_setattr(file, task->cred, change);
		file_put(file);
		return error;
	}
	int error = at_walk(task, dirfd, path, walk_flags, &place);
	if (error)
		return error;
	/* The mode of a symbolic link is nobody's business: Linux says so since 6.6 (notify_change). */
	if (change->valid & ATTR_MODE && S_ISLNK(place.dentry->inode->mode))
		error = -EOPNOTSUPP;
	else
		error = path_setattr(&place, task->cred, change);
	path_put(&place);
	return error;
}

/* ------------------------------------------------------------------------------------------------ mode and owner */

long sys_fchmodat2(struct task *task, int dirfd, const char *path, uint32_t mode, uint32_t flags)
{
	struct setattr change = {.valid = ATTR_MODE, .mode = mode & 07777};

	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return setattr_at(task, dirfd, path, flags, &change);
}

long sys_fchmodat(struct task *task, int dirfd, const char *path, uint32_t mode)
{
	return sys_fchmodat2(task, dirfd, path, mode, 0);
}

long sys_chmod(struct task *task, const char *path, uint32_t mode)
{
	return sys_fchmodat2(task, AT_FDCWD, path, mode, 0);
}

long sys_fchmod(struct task *task, struct file *file, uint32_t mode)
{
	struct setattr change = {.valid = ATTR_MODE, .mode = mode & 07777};

	return file_setattr(file, task->cred, &change);
}

static struct setattr owner_change(uint32_t uid, uint32_t gid)
{
	return (struct setattr){.valid = (uid != UINT32_MAX ? ATTR_UID : 0) | (gid != UINT32_MAX ? ATTR_GID : 0),
				.uid = uid,
				.gid = gid};
}

long sys_fchownat(struct task *task, int dirfd, const char *path, uint32_t uid, uint32_t gid, uint32_t flags)
{
	struct setattr change = owner_change(uid, gid);

	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return setattr_at(task, dirfd, path, flags, &change);
}

long sys_chown(struct task *task, const char *path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(task, AT_FDCWD, path, uid, gid, 0);
}

long sys_lchown(struct task *task, const char *path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(task, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(struct task *task, struct file *file, uint32_t uid, uint32_t gid)
{
	struct setattr change = owner_change(uid, gid);

	return file_setattr(file, task->cred, &change);
}

/* ------------------------------------------------------------------------------------------------ times */

/* times[0] and [1] as utimensat(2) has them, NULL: both now. -EINVAL, or 1 when there is nothing to change. */
static int times_change(const struct abi_timespec *times, struct setattr *out)
{
	struct fs_time now = fs_time_now();
	static const uint32_t bits[2] = {ATTR_ATIME, ATTR_MTIME};
	struct fs_time *fields[2] = {&out->atime, &out->mtime};

	*out = (struct setattr){.valid = ATTR_ATIME | ATTR_MTIME | ATTR_NOW, .atime = now, .mtime = now};
	if (!times)
		return 0;
	for (int i = 0; i < 2; i++)
		if (times[i].tv_nsec != UTIME_NOW && times[i].tv_nsec != UTIME_OMIT &&
		    (times[i].tv_nsec < 0 || times[i].tv_nsec > 999999999))
			return -EINVAL;
	if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
		return 1;
	if (times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW)
		return 0;
	out->valid = 0;
	for (int i = 0; i < 2; i++) {
		if (times[i].tv_nsec == UTIME_OMIT)
			continue;
		out->valid |= bits[i];
		if (times[i].tv_nsec != UTIME_NOW)
			*fields[i] = (struct fs_time){times[i].tv_sec, (uint32_t)times[i].tv_nsec};
	}
	return 0;
}

static long utimens_at(struct task *task, int dirfd, const char *path, const struct abi_timespec *times, uint32_t flags)
{
	struct setattr change;
	int nothing = times_change(times, &change);

	if (nothing)
		return nothing < 0 ? nothing : 0;
	return setattr_at(task, dirfd, path, flags, &change);
}

/* Without a path it is the descriptor itself that is meant: how libc makes futimens and futimes. */
static long utimens_or_fd(struct task *task, int dirfd, const char *path, const struct abi_timespec *times,
			  uint32_t flags)
{
	struct file *file;

	if (path)
		return utimens_at(task, dirfd, path, times, flags);
	if (dirfd == AT_FDCWD)
		return -EFAULT;
	if (flags)
		return -EINVAL;
	int error = fd_get(task->files, dirfd, &file);
	if (error)
		return error;
	bool place = file->kind == FILE_PATH;
	file_put(file);
	return place ? -EBADF : utimens_at(task, dirfd, "", times, AT_EMPTY_PATH);
}

long sys_utimensat(struct task *task, int dirfd, const char *path, const struct abi_timespec_pair *times,
		   uint32_t flags)
{
	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return utimens_or_fd(task, dirfd, path, times ? times->v : NULL, flags);
}

static long utimes_at(struct task *task, int dirfd, const char *path, const struct abi_timeval_pair *times)
{
	struct abi_timespec exact[2];

	if (!times)
		return utimens_or_fd(task, dirfd, path, NULL, 0);
	for (int i = 0; i < 2; i++) {
		if (times->v[i].tv_usec < 0 || times->v[i].tv_usec >= 1000000)
			return -EINVAL;
		exact[i] = (struct abi_timespec){times->v[i].tv_sec, times->v[i].tv_usec * 1000};
	}
	return utimens_or_fd(task, dirfd, path, exact, 0);
}

long sys_utimes(struct task *task, const char *path, const struct abi_timeval_pair *times)
{
	return utimes_at(task, AT_FDCWD, path, times);
}

long sys_futimesat(struct task *task, int dirfd, const char *path, const struct abi_timeval_pair *times)
{
	return utimes_at(task, dirfd, path, times);
}

long sys_utime(struct task *task, const char *path, const struct abi_utimbuf *times)
{
	struct abi_timespec exact[2] = {{0}};

	if (times) {
		exact[0].tv_sec = times->actime;
		exact[1].tv_sec = times->modtime;
	}
	return utimens_at(task, AT_FDCWD, path, times ? exact : NULL, 0);
}

/* ------------------------------------------------------------------------------------------------ size */

/* RLIMIT_FSIZE bounds growth, with a signal (setrlimit(2)). */
static int check_size(const struct task *task, const struct inode *inode, int64_t size)
{
	uint64_t limit = task->process->limits[RLIMIT_FSIZE].soft;

	if (size < 0)
		return -EINVAL;
	if ((uint64_t)size <= limit || (uint64_t)size <= inode->size || !S_ISREG(inode->mode))
		return 0;
	hook_signal_caller(SIGXFSZ);
	return -EFBIG;
}

long sys_truncate(struct task *task, const char *path, int64_t size)
{
	struct setattr change = {.valid = ATTR_SIZE, .size = (uint64_t)size};
	struct path place;

	if (size < 0)
		return -EINVAL;
	int error = at_walk(task, AT_FDCWD, path, WALK_FOLLOW, &place);
	if (error)
		return error;
	/* What it is comes before whether it may be written to, on a read-only mount too. */
	uint32_t mode = place.dentry->inode->mode;
	error = S_ISDIR(mode) ? -EISDIR : !S_ISREG(mode) ? -EINVAL : check_size(task, place.dentry->inode, size);
	if (!error)
		error = lease_break(place.dentry->inode, true, false);
	if (!error)
		error = path_setattr(&place, task->cred, &change);
	path_put(&place);
	return error;
}

long sys_ftruncate(struct task *task, struct file *file, int64_t size)
{
	if (size < 0 || !S_ISREG(file->inode->mode) || !file_writable(file) || !file_ops(file)->truncate)
		return -EINVAL;
	int error = check_size(task, file->inode, size);
	if (error)
		return error;
	inode_drop_setid(file->inode, task->cred);
	error = file_ops(file)->truncate(file, size);
	if (!error)
		notify_file(file, IN_MODIFY);
	return error;
}

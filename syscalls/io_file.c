/* io_file.c - positions, sizes, directories as files, and what makes data last: lseek(2), getdents64(2), fallocate(2),
 * fsync(2), the advice calls.
 */
#include "fs/bounce.h"
#include "fs/hooks.h"
#include "fs/notify.h"
#include "sentry/abi/stat.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

long sys_lseek(struct task *task, struct file *file, int64_t offset, int whence)
{
	(void)task;
	if (whence < SEEK_SET || whence > SEEK_HOLE)
		return -EINVAL;
	return file_ops(file)->seek ? file_ops(file)->seek(file, offset, whence) : -ESPIPE;
}

/* ------------------------------------------------------------------------------------------------ directories */

/* Entries as they will be copied to the guest. */
struct listing {
	char *buffer;
	size_t size, used;
	bool old_form, full;
};

static bool add_entry(void *context, const char *name, size_t length, uint64_t ino, uint8_t type, int64_t next_pos)
{
	struct listing *listing = context;
	size_t head = listing->old_form ? sizeof(struct abi_dirent) : sizeof(struct abi_dirent64);
	/* The old form has the type behind the name. */
	size_t bytes = (head + length + 1 + listing->old_form + 7) & ~7ul;

	if (bytes > listing->size - listing->used) {
		listing->full = true;
		return false;
	}
	char *at = listing->buffer + listing->used;
	memset(at, 0, bytes);
	if (listing->old_form) {
		struct abi_dirent *entry = (struct abi_dirent *)at;
		*entry = (struct abi_dirent){.ino = ino, .off = next_pos, .reclen = (uint16_t)bytes};
		memcpy(entry->name, name, length);
		at[bytes - 1] = (char)type;
	} else {
		struct abi_dirent64 *entry = (struct abi_dirent64 *)at;
		*entry = (struct abi_dirent64){.ino = ino, .off = next_pos, .reclen = (uint16_t)bytes, .type = type};
		memcpy(entry->name, name, length);
	}
	listing->used += bytes;
	return true;
}

static long list(struct task *task, struct file *file, struct uaddr buffer, uint64_t size, bool old_form)
{
	struct listing listing = {.size = size < BOUNCE_BYTES ? size : BOUNCE_BYTES, .old_form = old_form};

	if (!file_ops(file)->readdir)
		return -ENOTDIR;
	listing.buffer = bounce_get();
	if (!listing.buffer)
		return -ENOMEM;
	int64_t before = file->pos;
	long result = file_ops(file)->readdir(file, add_entry, &listing);
	notify_file(file, IN_ACCESS);
	if (!result && !listing.used && listing.full)
		result = -EINVAL; /* not even one fits */
	if (!result && listing.used) {
		result = user_write(task_user(task), buffer, listing.buffer, listing.used);
		if (result)
			file->pos = before;
	}
	bounce_put(listing.buffer);
	return result ? result : (long)listing.used;
}

long sys_getdents64(struct task *task, struct file *file, struct uaddr buffer, uint64_t size)
{
	return list(task, file, buffer, (uint32_t)size, false);
}

long sys_getdents(struct task *task, struct file *file, struct uaddr buffer, uint64_t size)
{
	return list(task, file, buffer, (uint32_t)size, true);
}

/* ------------------------------------------------------------------------------------------------ space, sync, advice
 */

/* vfs_fallocate in Linux. */
static int check_fallocate(const struct file *file, int mode, int64_t offset, int64_t size)
{
	if (offset < 0 || size <= 0)
		return -EINVAL;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE |
		     FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE))
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_PUNCH_HOLE && mode & FALLOC_FL_ZERO_RANGE)
		return -EOPNOTSUPP;
	if (!file_writable(file))
		return -EBADF;
	if (S_ISFIFO(file->inode->mode))
		return -ESPIPE;
	if (S_ISDIR(file->inode->mode))
		return -EISDIR;
	if (!S_ISREG(file->inode->mode) && !S_ISBLK(file->inode->mode))
		return -ENODEV;
	return __builtin_add_overflow_p(offset, size, (int64_t)0) ? -EFBIG : 0;
}

long sys_fallocate(struct task *task, struct file *file, int mode, int64_t offset, int64_t size)
{
	int error = check_fallocate(file, mode, offset, size);

	if (error)
		return error;
	if (!file_ops(file)->fallocate)
		return -EOPNOTSUPP;
	uint64_t limit = task->process->limits[RLIMIT_FSIZE].soft;
	if (!(mode & FALLOC_FL_KEEP_SIZE) && (uint64_t)(offset + size) > limit) {
		hook_signal_caller(SIGXFSZ);
		return -EFBIG;
	}
	inode_drop_setid(file->inode, task->cred);
	error = file_ops(file)->fallocate(file, mode, offset, size);
	if (!error)
		notify_file(file, IN_MODIFY);
	return error;
}

long sys_fsync(struct task *task, struct file *file)
{
	(void)task;
	return file_ops(file)->sync ? file_ops(file)->sync(file, false) : -EINVAL;
}

long sys_fdatasync(struct task *task, struct file *file)
{
	(void)task;
	return file_ops(file)->sync ? file_ops(file)->sync(file, true) : -EINVAL;
}

/* Data in memory is as safe as it gets; that of --rw mounts is written when files are synced one by one. */
long sys_sync(struct task *task)
{
	(void)task;
	return 0;
}

long sys_syncfs(struct task *task, struct file *file)
{
	(void)task;
	if (file_ops(file)->sync && (S_ISREG(file->inode->mode) || S_ISDIR(file->inode->mode)))
		return file_ops(file)->sync(file, false);
	return 0;
}

#define SYNC_RANGE_KNOWN (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)

long sys_sync_file_range(struct task *task, struct file *file, int64_t offset, int64_t size, uint32_t flags)
{
	(void)task;
	if (flags & ~(uint32_t)SYNC_RANGE_KNOWN || offset < 0 || size < 0 ||
	    __builtin_add_overflow_p(offset, size, (int64_t)0))
		return -EINVAL;
	uint32_t mode = file->inode->mode;
	if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
		return -ESPIPE;
	if (S_ISREG(mode) && flags && file_ops(file)->sync)
		return file_ops(file)->sync(file, true);
	return 0;
}

long sys_fadvise64(struct task *task, struct file *file, int64_t offset, int64_t size, int advice)
{
	(void)task, (void)offset;
	if (S_ISFIFO(file->inode->mode) || S_ISSOCK(file->inode->mode))
		return -ESPIPE;
	return size < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

long sys_readahead(struct task *task, struct file *file, int64_t offset, uint64_t size)
{
	(void)task, (void)offset, (void)size;
	if (!file_readable(file))
		return -EBADF;
	return S_ISREG(file->inode->mode) ? 0 : -EINVAL;
}

/* io_fd.c - descriptors: close(2), dup(2), fcntl(2) but for locks, ioctl(2), close_range(2), memfd_create(2). */
#include "fs/async.h"
#include "fs/lease.h"
#include "fs/memfd.h"
#include "fs/notify.h"
#include "fs/pipe.h"
#include "sentry/abi/fcntl.h"
#include "sentry/base/limits.h"
#include "syscalls/at.h"
#include "syscalls/handlers.h"
#include "syscalls/io_lock.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

long sys_close(struct task *task, int fd)
{
	return fd_close(task->files, fd);
}

long sys_dup(struct task *task, struct file *file)
{
	file_get(file);
	return fd_give(task, file, false);
}

static long dup_at(struct task *task, int old_fd, int new_fd, bool cloexec)
{
	struct file *file;
	int error = fd_get(task->files, old_fd, &file);

	if (error)
		return error;
	int fd = fd_install_at(task->files, new_fd, file, cloexec, nofile_limit(task));
	if (fd < 0)
		file_put(file);
	return fd;
}

long sys_dup2(struct task *task, int old_fd, int new_fd)
{
	if (old_fd == new_fd)
		return fd_cloexec_get(task->files, old_fd) < 0 ? -EBADF : new_fd;
	return dup_at(task, old_fd, new_fd, false);
}

long sys_dup3(struct task *task, int old_fd, int new_fd, uint32_t flags)
{
	if (flags & ~(uint32_t)O_CLOEXEC || old_fd == new_fd)
		return -EINVAL;
	return dup_at(task, old_fd, new_fd, flags & O_CLOEXEC);
}

/* A table of one's own before the range is closed (close_range(2), CLOSE_RANGE_UNSHARE). */
static int unshare_files(struct task *task)
{
	if (task->files->ref.count == 1)
		return 0;
	struct fdtable *own = fdtable_copy(task->files);
	if (!own)
		return -ENOMEM;
	struct fdtable *shared = task->files;
	task->files = own;
	fdtable_put(shared);
	return 0;
}

long sys_close_range(struct task *task, uint32_t first, uint32_t last, uint32_t flags)
{
	if (first > last || flags & ~(ABI_CLOSE_RANGE_UNSHARE | ABI_CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	int error = flags & ABI_CLOSE_RANGE_UNSHARE ? unshare_files(task) : 0;
	if (error || first >= FD_LIMIT)
		return error;
	for (int fd = fd_next(task->files, (int)first); fd >= 0 && (uint32_t)fd <= last;
	     fd = fd_next(task->files, fd + 1)) {
		if (flags & ABI_CLOSE_RANGE_CLOEXEC)
			(void)fd_cloexec_set(task->files, fd, true);
		else
			(void)!fd_close(task->files, fd);
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------ fcntl */

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC)

static long set_flags(struct task *task, int fd, struct file *file, uint32_t flags)
{
	uint32_t changed = (file->flags & ~(uint32_t)SETFL_MASK) | (flags & SETFL_MASK);

	if (!file_ops(file)->async)
		changed = (changed & ~(uint32_t)O_ASYNC) | (file->flags & O_ASYNC);
	if (flags & O_NOATIME && !(file->flags & O_NOATIME) && task->cred->fsuid != file->inode->uid &&
	    !cred_capable(task->cred, CAP_FOWNER))
		return -EPERM;
	if (file_ops(file)->fcntl_flags) {
		int error = file_ops(file)->fcntl_flags(file, changed);
		if (error)
			return error;
	}
	if ((file->flags ^ changed) & O_ASYNC) {
		int error = async_set(file, fd, changed & O_ASYNC);
		if (error)
			return error;
	}
	file->flags = changed;
	return 0;
}

static long dup_from(struct task *task, struct file *file, uint64_t from, bool cloexec)
{
	uint64_t limit = nofile_limit(task);

	if (from >= limit)
		return -EINVAL;
	int fd = fd_install(task->files, file, cloexec, (int)from, limit);
	if (fd >= 0)
		file_get(file);
	return fd;
}

static void owner_is(const struct task *task, struct file *file, int32_t type, int32_t pid)
{
	file->owner_type = type;
	file->owner_pid = pid;
	file->owner_uid = task->cred->uid;
	file->owner_euid = task->cred->euid;
}

static long owner_ex(struct task *task, struct file *file, int command, struct uaddr at)
{
	struct abi_f_owner_ex owner = {.type = file->owner_type, .pid = file->owner_pid};

	if (command == F_GETOWN_EX) {
		if (owner.pid < 0) {
			owner.type = ABI_F_OWNER_PGRP;
			owner.pid = -owner.pid;
		}
		return user_write(task_user(task), at, &owner, sizeof owner);
	}
	int error = user_read(task_user(task), &owner, at, sizeof owner);
	if (error)
		return error;
	if (owner.type < ABI_F_OWNER_TID || owner.type > ABI_F_OWNER_PGRP)
		return -EINVAL;
	if (owner.pid && owner.type == ABI_F_OWNER_PGRP ? !pgroup_find(owner.pid) : owner.pid && !task_find(owner.pid))
		return -ESRCH;
	owner_is(task, file, owner.type, owner.type == ABI_F_OWNER_PGRP ? -owner.pid : owner.pid);
	return 0;
}

static long set_owner(const struct task *task, struct file *file, int32_t pid)
{
	if (pid == INT32_MIN)
		return -EINVAL;
	if (pid > 0 ? !process_find(pid) : pid < 0 && !pgroup_find(-pid))
		return -ESRCH;
	owner_is(task, file, pid < 0 ? ABI_F_OWNER_PGRP : ABI_F_OWNER_PID, pid);
	return 0;
}

/* Who shall get signals about the file; they are sent by the kinds of files that have any. */
static long owner_fcntl(struct task *task, struct file *file, int command, uint64_t argument)
{
	switch (command) {
	case F_SETOWN:
		return set_owner(task, file, (int32_t)argument);
	case F_GETOWN:
		return file->owner_pid;
	case F_SETOWN_EX:
	case F_GETOWN_EX:
		return owner_ex(task, file, command, UADDR(argument));
	case F_SETSIG:
		if (argument > SIGNAL_COUNT)
			return -EINVAL;
		file->owner_signal = (int32_t)argument;
		return 0;
	case F_GETSIG:
		return file->owner_signal;
	default:
		return -EINVAL;
	}
}

/* Commands that look at the open file. */
static long file_fcntl(struct task *task, int fd, struct file *file, int command, uint64_t argument)
{
	switch (command) {
	case F_SETFL:
		return set_flags(task, fd, file, (uint32_t)argument);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_fcntl(task, fd, file, command, UADDR(argument));
	case F_GETLEASE:
		return lease_get(file);
	case F_SETLEASE:
		return lease_set(file, fd, (int)argument);
	case F_NOTIFY:
		return notify_directory(file, fd, task->files, (uint32_t)argument);
	case F_SETPIPE_SZ:
		return pipe_size_set(file, (uint32_t)argument);
	case F_GETPIPE_SZ:
		return pipe_size_get(file);
	case F_ADD_SEALS:
		return memfd_add_seals(file, (uint32_t)argument);
	case F_GET_SEALS:
		return memfd_get_seals(file);
	default:
		return owner_fcntl(task, file, command, argument);
	}
}

/* Commands that look at the descriptor, and F_GETFL: also for O_PATH. */
static long fd_fcntl(struct task *task, int fd, struct file *file, int command, uint64_t argument)
{
	struct file *other;

	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup_from(task, file, (uint32_t)argument, command == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_cloexec_get(task->files, fd) > 0 ? FD_CLOEXEC : 0;
	case F_SETFD:
		return fd_cloexec_set(task->files, fd, argument & FD_CLOEXEC);
	case F_GETFL:
		return file->flags;
	case ABI_F_CREATED_QUERY:
		return file->created;
	case ABI_F_DUPFD_QUERY: {
		int error = fd_get(task->files, (int)argument, &other);
		if (error)
			return error;
		file_put(other); /* only compared */
		return other == file;
	}
	default:
		return file->kind == FILE_PATH ? -EBADF : file_fcntl(task, fd, file, command, argument);
	}
}

long sys_fcntl(struct task *task, int fd, int command, uint64_t argument)
{
	struct file *file;
	int error = fd_get(task->files, fd, &file);

	if (error)
		return error;
	long result = fd_fcntl(task, fd, file, command, argument);
	file_put(file);
	return result;
}

/* ------------------------------------------------------------------------------------------------ ioctl */

static long set_flag_by_int(struct task *task, int fd, struct file *file, uint32_t flag, struct uaddr at)
{
	int32_t on;
	int error = user_read(task_user(task), &on, at, sizeof on);

	if (error)
		return error;
	if (flag == O_ASYNC && !file_ops(file)->async && (!on != !(file->flags & O_ASYNC)))
		return -ENOTTY;
	return set_flags(task, fd, file, on ? file->flags | flag : file->flags & ~flag);
}

static bool is_socket(const struct file *file)
{
	return S_ISSOCK(file->inode->mode);
}

static long owner_by_int(struct task *task, struct file *file, uint32_t request, struct uaddr at)
{
	int32_t pid = file->owner_pid;

	if (request == FIOGETOWN || request == SIOCGPGRP)
		return user_write(task_user(task), at, &pid, sizeof pid);
	int error = user_read(task_user(task), &pid, at, sizeof pid);
	return error ? error : set_owner(task, file, pid);
}

/* Requests that every file knows; -ENOTTY: ask the file. */
static long common_ioctl(struct task *task, int fd, struct file *file, uint32_t request, struct uaddr at)
{
	struct attr attr;

	switch (request) {
	case FIOCLEX:
	case FIONCLEX:
		return fd_cloexec_set(task->files, fd, request == FIOCLEX);
	case FIONBIO:
		return set_flag_by_int(task, fd, file, O_NONBLOCK, at);
	case FIOASYNC:
		return set_flag_by_int(task, fd, file, O_ASYNC, at);
	case FIOSETOWN:
	case SIOCSPGRP:
	case FIOGETOWN:
	case SIOCGPGRP:
		return is_socket(file) ? owner_by_int(task, file, request, at) : -ENOTTY;
	case FIONREAD: {
		if (!S_ISREG(file->inode->mode) || inode_getattr(file->inode, &attr))
			return -ENOTTY;
		int64_t left = (int64_t)attr.size - file_position(file);
		int32_t shown = (int32_t)MIN(left, (int64_t)INT32_MAX);
		return user_write(task_user(task), at, &shown, sizeof shown);
	}
	default:
		return -ENOTTY;
	}
}

long sys_ioctl(struct task *task, int fd, uint32_t request, uint64_t argument)
{
	struct file *file;
	int error = fd_get(task->files, fd, &file);

	if (error)
		return error;
	long result = -EBADF;
	if (file->kind != FILE_PATH) {
		result = common_ioctl(task, fd, file, request, UADDR(argument));
		if (result == -ENOTTY && file_ops(file)->ioctl)
			result = file_ops(file)->ioctl(file, task_user(task), request, argument);
	}
	file_put(file);
	return result;
}

/* ------------------------------------------------------------------------------------------------ memfd */

#define MEMFD_NAME_LIMIT  249 /* NAME_MAX without "memfd:" */
#define MEMFD_NOEXEC_SEAL 8u
#define MEMFD_EXEC        16u

long sys_memfd_create(struct task *task, const char *name, uint32_t flags)
{
	struct file *file;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MEMFD_NOEXEC_SEAL | MEMFD_EXEC))
		return -EINVAL; /* huge pages too: a machine without them */
	if ((flags & (MEMFD_NOEXEC_SEAL | MEMFD_EXEC)) == (MEMFD_NOEXEC_SEAL | MEMFD_EXEC))
		return -EINVAL;
	if (strlen(name) > MEMFD_NAME_LIMIT)
		return -EINVAL;
	int error = memfd_new(name, flags, task->cred, &file);
	if (error)
		return error;
	file->flags |= ABI_O_LARGEFILE;
	return fd_give(task, file, flags & MFD_CLOEXEC);
}

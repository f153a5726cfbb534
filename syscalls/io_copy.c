/* io_copy.c - from file to file without the guest's memory: sendfile(2), copy_file_range(2).
 *
 * Data goes through a buffer of the sentry, a piece at a time, and other fibers get their turn between pieces. A short
 * or failed write gives back to the source's position what was read too much.
 */
#include "fs/bounce.h"
#include "fs/hooks.h"
#include "fs/pipe.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Copies up to n bytes, moving both positions. */
static ssize_t copy(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t n)
{
	char *bounce = bounce_get();
	size_t done = 0;
	ssize_t result = bounce ? 0 : -ENOMEM;

	while (bounce && done < n) {
		struct uio uio;
		uio_init_kernel(&uio, bounce, MIN(n - done, BOUNCE_BYTES));
		ssize_t got = result = file_read(in, &uio, in_pos);
		if (got <= 0)
			break;
		uio_init_kernel(&uio, bounce, (size_t)got);
		result = file_write(out, &uio, out_pos);
		if (result < got)
			file_unread(in, in_pos, (size_t)(got - MAX(result, (ssize_t)0)));
		if (result <= 0)
			break;
		done += (size_t)result;
		if (result < got || fiber_interrupted())
			break;
		fiber_yield();
	}
	if (bounce)
		bounce_put(bounce);
	return done ? (ssize_t)done : result;
}

/* RLIMIT_FSIZE as for write(2). */
static int limit_size(struct task *task, const struct file *out, int64_t pos, uint64_t *n)
{
	uint64_t limit = task->process->limits[RLIMIT_FSIZE].soft;

	if (limit > INT64_MAX || !S_ISREG(out->inode->mode) || !*n)
		return 0;
	if ((uint64_t)pos >= limit) {
		hook_signal_caller(SIGXFSZ);
		return -EFBIG;
	}
	*n = MIN(*n, limit - (uint64_t)pos);
	return 0;
}

static int check_sendfile(const struct file *out, const struct file *in, bool with_offset, int64_t pos)
{
	if (!file_readable(in))
		return -EBADF;
	if (with_offset && !file_seekable(in))
		return -ESPIPE;
	if (!file_writable(out))
		return -EBADF;
	if (pos < 0 || !file_seekable(in) || S_ISDIR(in->inode->mode) || out->flags & O_APPEND)
		return -EINVAL;
	return 0;
}

long sys_sendfile(struct task *task, struct file *out, struct file *in, struct uaddr offset_at, uint64_t size)
{
	int64_t pos = 0;
	bool with_offset = offset_at.v;
	int error = with_offset ? user_read(task_user(task), &pos, offset_at, sizeof pos) : 0;

	if (error)
		return error;
	error = check_sendfile(out, in, with_offset, pos);
	size = MIN(size, IO_LIMIT_BYTES);
	if (!error)
		error = limit_size(task, out, file_position(out), &size);
	if (error)
		return error;
	ssize_t done = copy(in, with_offset ? &pos : &in->pos, out, &out->pos, size);
	if (with_offset) {
		error = user_write(task_user(task), offset_at, &pos, sizeof pos);
		if (error)
			return error;
	}
	return done;
}

/* generic_copy_file_checks in Linux. */
static int check_copy(const struct file *in, int64_t in_pos, const struct file *out, int64_t out_pos, uint64_t size,
		      uint32_t flags)
{
	if (flags)
		return -EINVAL;
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!file_readable(in) || !file_writable(out) || out->flags & O_APPEND)
		return -EBADF;
	/* As unsigned numbers, so that -1 counts as near the end. */
	if ((uint64_t)in_pos + size < size || (uint64_t)out_pos + size < size)
		return -EOVERFLOW;
	return in_pos < 0 || out_pos < 0 ? -EINVAL : 0;
}

static int read_offset(struct task *task, struct uaddr at, struct file *file, int64_t *out)
{
	*out = file_position(file);
	return at.v ? user_read(task_user(task), out, at, sizeof *out) : 0;
}

static int store_offset(struct task *task, struct uaddr at, int64_t pos)
{
	return at.v ? user_write(task_user(task), at, &pos, sizeof pos) : 0;
}

long sys_copy_file_range(struct task *task, struct file *in, struct uaddr in_at, struct file *out, struct uaddr out_at,
			 uint64_t size, uint32_t flags)
{
	int64_t in_pos, out_pos;
	int error = read_offset(task, in_at, in, &in_pos);
	struct attr attr;

	if (!error)
		error = read_offset(task, out_at, out, &out_pos);
	if (!error)
		error = check_copy(in, in_pos, out, out_pos, size, flags);
	size = MIN(size, IO_LIMIT_BYTES);
	if (!error)
		error = inode_getattr(in->inode, &attr);
	if (error)
		return error;
	size = (uint64_t)in_pos >= attr.size ? 0 : MIN(size, attr.size - (uint64_t)in_pos);
	if (in->inode == out->inode && out_pos < in_pos + (int64_t)size && in_pos < out_pos + (int64_t)size)
		return -EINVAL;
	error = limit_size(task, out, out_pos, &size);
	if (error || !size)
		return error;
	ssize_t done = copy(in, in_at.v ? &in_pos : &in->pos, out, out_at.v ? &out_pos : &out->pos, size);
	if (done <= 0)
		return done;
	error = store_offset(task, in_at, in_pos);
	if (!error)
		error = store_offset(task, out_at, out_pos);
	return error ? error : done;
}

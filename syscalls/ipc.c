/* ipc.c - pipes and moving data between descriptors: pipe(2), splice(2), tee(2), vmsplice(2).
 *
 * Limits: POSIX message queues are not there (see the table); System V IPC is in syscalls/sysv.c.
 */
#include "fs/pipe.h"
#include "fs/socket.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "syscalls/give.h"
#include "syscalls/handlers.h"
#include "syscalls/io_transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#define SPLICE_FLAGS    15u /* SPLICE_F_MOVE, NONBLOCK, MORE, GIFT */
#define SPLICE_NONBLOCK 2u

long sys_pipe2(struct task *task, struct uaddr fds, uint32_t flags)
{
	struct file *reader, *writer;

	if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	int error = pipe_new(flags & (O_NONBLOCK | O_DIRECT), task->cred, &reader, &writer);
	return error ? error : file_give_pair(task, reader, writer, flags & O_CLOEXEC, fds);
}

long sys_pipe(struct task *task, struct uaddr fds)
{
	return sys_pipe2(task, fds, 0);
}

/* An offset argument of splice: only for files with positions. *pos is used when *given. */
static int splice_offset(struct task *task, const struct file *file, struct uaddr at, int64_t *pos)
{
	if (!at.v)
		return 0;
	if (file_is_pipe(file))
		return -ESPIPE;
	if (!file_seekable(file))
		return -EINVAL;
	int error = user_read(task_user(task), pos, at, sizeof *pos);
	return !error && *pos < 0 ? -EINVAL : error;
}

/* Files whose reads and writes are messages of their own cannot be spliced: that is said before anything is waited for.
 */
static bool can_splice(const struct file *file)
{
	switch (file->kind) {
	case FILE_EPOLL:
	case FILE_EVENTFD:
	case FILE_TIMERFD:
	case FILE_SIGNALFD:
	case FILE_PIDFD:
	case FILE_INOTIFY:
	case FILE_MQUEUE:
	case FILE_URING:
		return false;
	default:
		return true;
	}
}

static long splice_move(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t size,
			bool nonblock)
{
	if (!can_splice(in) || !can_splice(out))
		return -EINVAL;
	if (file_is_pipe(in) && file_is_pipe(out))
		return pipe_splice_pipe(in, out, size, nonblock);
	if (file_is_pipe(in)) {
		if (out->flags & O_APPEND)
			return -EINVAL;
		return pipe_splice_out(in, out, out_pos, size, nonblock);
	}
	if (!file_is_pipe(out) || S_ISDIR(in->inode->mode))
		return -EINVAL;
	/* Of what is neither pipe nor socket, SPLICE_F_NONBLOCK says nothing. */
	if (nonblock && S_ISSOCK(in->inode->mode) && !(file_poll(in, NULL) & (POLLIN | POLLHUP | POLLERR)))
		return -EAGAIN;
	return pipe_splice_in(in, in_pos, out, size, nonblock);
}

/* What is checked before the offsets: 1 to go on, 0 when there is nothing to do. */
static int splice_begin(const struct file *in, const struct file *out, uint64_t size, uint32_t flags)
{
	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!size)
		return 0;
	return file_readable(in) && file_writable(out) ? 1 : -EBADF;
}

long splice_files(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, uint64_t size, uint32_t flags)
{
	int go_on = splice_begin(in, out, size, flags);

	if (go_on <= 0)
		return go_on;
	if ((in_pos && file_is_pipe(in)) || (out_pos && file_is_pipe(out)))
		return -ESPIPE;
	if ((in_pos && (!file_seekable(in) || *in_pos < 0)) || (out_pos && (!file_seekable(out) || *out_pos < 0)))
		return -EINVAL;
	return splice_move(in, in_pos, out, out_pos, MIN(size, IO_LIMIT_BYTES), flags & SPLICE_NONBLOCK);
}

long sys_splice(struct task *task, struct file *in, struct uaddr in_offset, struct file *out, struct uaddr out_offset,
		uint64_t size, uint32_t flags)
{
	int64_t in_pos, out_pos;
	int go_on = splice_begin(in, out, size, flags);

	if (go_on <= 0)
		return go_on;
	int error = splice_offset(task, in, in_offset, &in_pos);
	if (!error)
		error = splice_offset(task, out, out_offset, &out_pos);
	if (error)
		return error;
	long result = splice_move(in, in_offset.v ? &in_pos : NULL, out, out_offset.v ? &out_pos : NULL,
				  MIN(size, IO_LIMIT_BYTES), flags & SPLICE_NONBLOCK);
	if (result > 0 && in_offset.v)
		error = user_write(task_user(task), in_offset, &in_pos, sizeof in_pos);
	if (result > 0 && !error && out_offset.v)
		error = user_write(task_user(task), out_offset, &out_pos, sizeof out_pos);
	return error ? error : result;
}

long sys_tee(struct task *task, struct file *in, struct file *out, uint64_t size, uint32_t flags)
{
	int go_on = splice_begin(in, out, size, flags);

	(void)task;
	if (go_on <= 0)
		return go_on;
	if (!file_is_pipe(in) || !file_is_pipe(out))
		return -EINVAL;
	return pipe_tee(in, out, MIN(size, IO_LIMIT_BYTES), flags & SPLICE_NONBLOCK);
}

long sys_vmsplice(struct task *task, struct file *file, struct uaddr parts_at, uint64_t count, uint32_t flags)
{
	struct uio uio;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!file_is_pipe(file))
		return -EBADF;
	if (count > IOV_LIMIT)
		return -EINVAL;
	size_t bytes = count * sizeof(struct uio_part);
	struct uio_part *parts = count ? arena_alloc(bytes) : NULL;
	if (count && !parts)
		return -ENOMEM;
	long result = count ? user_read(task_user(task), parts, parts_at, bytes) : 0;
	uint64_t total = 0;
	for (uint64_t i = 0; i < count && !result; i++) {
		if (parts[i].size > IO_LIMIT_BYTES - total)
			parts[i].size = IO_LIMIT_BYTES - total;
		total += parts[i].size;
	}
	if (!result && total) {
		uio_init_user_parts(&uio, task_user(task), parts, count);
		result = pipe_vmsplice(file, &uio, flags & SPLICE_NONBLOCK);
	}
	arena_free(parts, bytes);
	return result;
}

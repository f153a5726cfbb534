/* io.c - read(2), write(2) and their kin with offsets and vectors.
 *
 * Each makes a uio over the guest's memory and hands over to fs/file.h. Checks are made in Linux's order: descriptor
 * and access mode, then the address range, then sizes and offsets. A single call moves at most IO_LIMIT_BYTES.
 *
 * Limits: two threads that read through one open file at the same time may see the same bytes where a read has to wait
 * for the host's disk (Linux serializes them by a lock on the position).
 */
#include "fs/hooks.h"
#include "sentry/abi/fcntl.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include "syscalls/io_transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define FEW_PARTS 8 /* vectors of so many pieces need no memory of their own */

/* A transfer between a file and the guest. */
struct transfer {
	struct task *task;
	struct file *file;
	struct uio uio;
	int64_t offset; /* of pread and the like; -1: the file's position */
	bool append;    /* RWF_APPEND */
	struct uio_part few[FEW_PARTS];
	struct uio_part *parts; /* few, or arena_alloc */
	unsigned count;
};

/* The guest's half of the address space: what access_ok() in Linux lets through. */
static bool address_ok(uint64_t base, uint64_t size)
{
	return size <= 1ull << 47 && base <= (1ull << 47) - size;
}

static int begin_single(struct transfer *t, struct uaddr base, uint64_t size)
{
	if (!address_ok(base.v, size <= INT64_MAX ? size : 0))
		return -EFAULT;
	if (size > INT64_MAX)
		return -EINVAL;
	uio_init_user(&t->uio, task_user(t->task), base, MIN(size, IO_LIMIT_BYTES));
	t->parts = NULL;
	return 0;
}

int io_parts_check(struct uio_part *parts, unsigned count)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < count; i++) {
		if (parts[i].size > INT64_MAX)
			return -EINVAL;
		if (!address_ok(parts[i].base, parts[i].size))
			return -EFAULT;
		parts[i].size = MIN(parts[i].size, IO_LIMIT_BYTES - total);
		total += parts[i].size;
	}
	return 0;
}

_Static_assert(sizeof(struct uio_part) == sizeof(struct abi_iovec), "read in place");

int io_parts_read(struct task *task, struct uaddr iov, uint64_t count, struct uio_part **out)
{
	*out = NULL;
	if (count > IOV_LIMIT)
		return -EINVAL;
	if (!count)
		return 0;
	struct uio_part *parts = arena_alloc(count * sizeof *parts);
	if (!parts)
		return -ENOMEM;
	int error = user_read(task_user(task), parts, iov, count * sizeof *parts);
	if (!error)
		error = io_parts_check(parts, (unsigned)count);
	if (error)
		arena_free(parts, count * sizeof *parts);
	else
		*out = parts;
	return error;
}

static int begin_vector(struct transfer *t, struct uaddr iov, uint64_t count)
{
	if (count > IOV_LIMIT)
		return -EINVAL;
	t->count = (unsigned)count;
	t->parts = count <= FEW_PARTS ? t->few : arena_alloc(count * sizeof *t->parts);
	if (!t->parts)
		return -ENOMEM;
	int error = user_read(task_user(t->task), t->parts, iov, count * sizeof *t->parts);
	if (!error)
		error = io_parts_check(t->parts, t->count);
	if (!error) {
		uio_init_user_parts(&t->uio, task_user(t->task), t->parts, t->count);
	} else if (t->parts != t->few) {
		arena_free(t->parts, count * sizeof *t->parts);
	}
	return error;
}

static void end(struct transfer *t)
{
	if (t->parts && t->parts != t->few)
		arena_free(t->parts, t->count * sizeof *t->parts);
}

/* rw_verify_area in Linux. */
static int check_area(const struct transfer *t, int64_t pos)
{
	return pos < 0 || __builtin_add_overflow_p(pos, t->uio.left, (int64_t)0) ? -EINVAL : 0;
}

static ssize_t do_read(struct transfer *t)
{
	int64_t pos = t->offset, *at = t->offset == -1 ? &t->file->pos : &pos;
	int error = t->offset == -1 ? 0 : check_area(t, pos);
	ssize_t done = error ? error : file_read(t->file, &t->uio, at);

	t->task->io.read_calls++;
	t->task->io.read_chars += done > 0 ? (uint64_t)done : 0;
	return done;
}

/* RLIMIT_FSIZE: a write that begins below it is cut short, one beyond it fails with a signal. */
static int limit_write(struct transfer *t, int64_t pos)
{
	uint64_t limit = t->task->process->limits[RLIMIT_FSIZE].soft;

	if (likely(limit > INT64_MAX) || !S_ISREG(t->file->inode->mode) || !t->uio.left)
		return 0;
	if (t->file->flags & O_APPEND || t->append)
		pos = (int64_t)t->file->inode->size;
	else if (t->offset == -1)
		pos = file_position(t->file);
	if ((uint64_t)pos >= limit) {
		hook_signal_caller(SIGXFSZ);
		return -EFBIG;
	}
	t->uio.left = MIN(t->uio.left, limit - (uint64_t)pos);
	return 0;
}

static ssize_t do_write(struct transfer *t)
{
	int64_t pos = t->append ? (int64_t)t->file->inode->size : t->offset;
	int64_t *at = t->offset == -1 ? &t->file->pos : &pos;
	int error = t->offset == -1 ? 0 : check_area(t, t->offset);

	if (!error && file_writable(t->file))
		error = limit_write(t, *at);
	if (error)
		return error;
	if (t->append && t->offset == -1)
		t->file->pos = (int64_t)t->file->inode->size;
	ssize_t done = file_write(t->file, &t->uio, at);
	t->task->io.write_calls++;
	t->task->io.write_chars += done > 0 ? (uint64_t)done : 0;
	return done;
}

/* ------------------------------------------------------------------------------------------------ one piece */

long sys_read(struct task *task, struct file *file, struct uaddr buffer, uint64_t size)
{
	struct transfer t = {.task = task, .file = file, .offset = -1};
	int error = file_readable(file) ? begin_single(&t, buffer, size) : -EBADF;

	return error ? error : do_read(&t);
}

long sys_write(struct task *task, struct file *file, struct uaddr buffer, uint64_t size)
{
	struct transfer t = {.task = task, .file = file, .offset = -1};
	int error = file_writable(file) ? begin_single(&t, buffer, size) : -EBADF;

	return error ? error : do_write(&t);
}

static int check_offset(const struct file *file, int64_t offset)
{
	return offset < 0 ? -EINVAL : file_seekable(file) ? 0 : -ESPIPE;
}

long sys_pread64(struct task *task, struct file *file, struct uaddr buffer, uint64_t size, int64_t offset)
{
	struct transfer t = {.task = task, .file = file, .offset = offset};
	int error = check_offset(file, offset);

	if (!error && !file_readable(file))
		error = -EBADF;
	if (!error)
		error = begin_single(&t, buffer, size);
	return error ? error : do_read(&t);
}

long sys_pwrite64(struct task *task, struct file *file, struct uaddr buffer, uint64_t size, int64_t offset)
{
	struct transfer t = {.task = task, .file = file, .offset = offset};
	int error = check_offset(file, offset);

	if (!error && !file_writable(file))
		error = -EBADF;
	if (!error)
		error = begin_single(&t, buffer, size);
	return error ? error : do_write(&t);
}

/* ------------------------------------------------------------------------------------------------ vectors */

static long vector_read(struct task *task, struct file *file, struct uaddr iov, uint64_t count, int64_t offset)
{
	struct transfer t = {.task = task, .file = file, .offset = offset};
	int error = file_readable(file) ? begin_vector(&t, iov, count) : -EBADF;

	if (error)
		return error;
	/* Nothing asked for is nothing done, whatever the file. */
	ssize_t done = t.uio.left ? do_read(&t) : 0;
	end(&t);
	return done;
}

static long vector_write(struct task *task, struct file *file, struct uaddr iov, uint64_t count, int64_t offset,
			 bool append)
{
	struct transfer t = {.task = task, .file = file, .offset = offset, .append = append};
	int error = file_writable(file) ? begin_vector(&t, iov, count) : -EBADF;

	if (error)
		return error;
	ssize_t done = t.uio.left ? do_write(&t) : 0;
	end(&t);
	return done;
}

long sys_readv(struct task *task, struct file *file, struct uaddr iov, uint64_t count)
{
	return vector_read(task, file, iov, count, -1);
}

long sys_writev(struct task *task, struct file *file, struct uaddr iov, uint64_t count)
{
	return vector_write(task, file, iov, count, -1, false);
}

long sys_preadv(struct task *task, struct file *file, struct uaddr iov, uint64_t count, int64_t offset)
{
	int error = check_offset(file, offset);

	return error ? error : vector_read(task, file, iov, count, offset);
}

long sys_pwritev(struct task *task, struct file *file, struct uaddr iov, uint64_t count, int64_t offset)
{
	int error = check_offset(file, offset);

	return error ? error : vector_write(task, file, iov, count, offset, false);
}

#define RWF_READ_KNOWN  (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT)
#define RWF_WRITE_KNOWN (RWF_READ_KNOWN | RWF_APPEND)

/* RWF_NOWAIT on what is not a regular file means O_NONBLOCK for this call. A read is let through only when it need not
 * wait; a write might find room for a part, and we have no way to tell the file to stop there. */
static int check_rwf(struct file *file, int flags, int known)
{
	if (flags & ~known)
		return -EOPNOTSUPP;
	if (!(flags & RWF_NOWAIT) || S_ISREG(file->inode->mode) || file->flags & O_NONBLOCK)
		return 0;
	if (known & RWF_APPEND)
		return -EOPNOTSUPP;
	return file_poll(file, NULL) & (POLLIN | POLLHUP | POLLERR) ? 0 : -EAGAIN;
}

/* The offset comes in two halves of which the second is 0 on 64-bit machines. */
long sys_preadv2(struct task *task, struct file *file, struct uaddr iov, uint64_t count, int64_t offset,
		 uint64_t offset_high, int flags)
{
	(void)offset_high;
	int error = offset == -1 ? 0 : check_offset(file, offset);

	if (!error)
		error = check_rwf(file, flags, RWF_READ_KNOWN);
	return error ? error : vector_read(task, file, iov, count, offset);
}

long sys_pwritev2(struct task *task, struct file *file, struct uaddr iov, uint64_t count, int64_t offset,
		  uint64_t offset_high, int flags)
{
	(void)offset_high;
	int error = offset == -1 ? 0 : check_offset(file, offset);

	if (!error)
		error = check_rwf(file, flags, RWF_WRITE_KNOWN);
	if (error)
		return error;
	ssize_t done = vector_write(task, file, iov, count, offset, flags & RWF_APPEND);
	if (done > 0 && flags & (RWF_DSYNC | RWF_SYNC) && file_ops(file)->sync)
		error = file_ops(file)->sync(file, flags & RWF_DSYNC);
	return error ? error : done;
}

/* ------------------------------------------------------------------------------------------------ for others */

long io_move(struct task *task, const struct io_move *move)
{
	struct file *file = move->file;
	struct transfer t = {.task = task, .file = file, .offset = move->offset, .append = move->flags & RWF_APPEND};
	int error = check_rwf(file, move->flags, move->write ? RWF_WRITE_KNOWN : RWF_READ_KNOWN);

	if (!file_seekable(file))
		t.offset = -1;
	else if (t.offset < -1)
		error = -EINVAL;
	if (!error && !(move->write ? file_writable(file) : file_readable(file)))
		error = -EBADF;
	if (error)
		return error;
	uio_init_user_parts(&t.uio, task_user(task), move->parts, move->count);
	ssize_t done = !t.uio.left && move->count > 1 ? 0 : move->write ? do_write(&t) : do_read(&t);
	if (done > 0 && move->write && move->flags & (RWF_DSYNC | RWF_SYNC) && file_ops(file)->sync)
		error = file_ops(file)->sync(file, move->flags & RWF_DSYNC);
	return error ? error : done;
}

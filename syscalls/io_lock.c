/* io_lock.c - locks on files: fcntl(2), flock(2). What locks are is in fs/lock.c. */
#include "syscalls/io_lock.h"
#include "fs/lock.h"
#include "sentry/abi/fcntl.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static int type_of(int16_t type, enum lock_type *out)
{
	switch (type) {
	case F_RDLCK:
		*out = LOCK_TYPE_READ;
		return 0;
	case F_WRLCK:
		*out = LOCK_TYPE_WRITE;
		return 0;
	case F_UNLCK:
		*out = LOCK_TYPE_NONE;
		return 0;
	default:
		return -EINVAL;
	}
}

/* start and length of a struct flock as an inclusive range (flock64_to_posix_lock in Linux). */
static int range_of(const struct abi_flock *flock, struct file *file, struct lock_range *out)
{
	int64_t start = flock->whence == SEEK_CUR   ? file_position(file)
			: flock->whence == SEEK_END ? (int64_t)file->inode->size
						    : 0;

	if (flock->whence != SEEK_SET && flock->whence != SEEK_CUR && flock->whence != SEEK_END)
		return -EINVAL;
	if (__builtin_add_overflow(start, flock->start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	out->start = start;
	out->end = INT64_MAX;
	if (flock->length > 0) {
		if (__builtin_add_overflow(start, flock->length - 1, &out->end))
			return -EOVERFLOW;
	} else if (flock->length < 0) {
		if (start + flock->length < 0)
			return -EINVAL;
		out->start = start + flock->length;
		out->end = start - 1;
	}
	return 0;
}

static void to_flock(const struct lock_request *lock, struct abi_flock *flock)
{
	static const int16_t types[] = {
		[LOCK_TYPE_READ] = F_RDLCK, [LOCK_TYPE_WRITE] = F_WRLCK, [LOCK_TYPE_NONE] = F_UNLCK};

	flock->type = types[lock->range.type];
	if (lock->range.type == LOCK_TYPE_NONE)
		return; /* the rest stays as it was */
	flock->whence = SEEK_SET;
	flock->start = lock->range.start;
	flock->length = lock->range.end == INT64_MAX ? 0 : lock->range.end - lock->range.start + 1;
	flock->pid = lock->class == LOCK_OFD ? -1 : lock->pid;
}

static int make_request(struct task *task, struct file *file, bool ofd, const struct abi_flock *flock,
			struct lock_request *out)
{
	*out = (struct lock_request){.class = ofd ? LOCK_OFD : LOCK_POSIX,
				     .owner = ofd ? (void *)file : (void *)task->files,
				     .pid = task->process->pid};
	if (ofd && flock->pid)
		return -EINVAL;
	int error = type_of(flock->type, &out->range.type);
	return error ? error : range_of(flock, file, &out->range);
}

static long test(struct task *task, struct file *file, const struct lock_request *request, struct uaddr at,
		 struct abi_flock *flock)
{
	struct lock_request found;

	if (request->range.type == LOCK_TYPE_NONE)
		return -EINVAL;
	lock_test(file->inode, request, &found);
	to_flock(&found, flock);
	return user_write(task_user(task), at, flock, sizeof *flock);
}

/* A close drops its process's locks of the file. One that came while we waited has dropped too little: what we have got
 * since goes too, as in fcntl_setlk of Linux. */
static long undo_if_closed(struct task *task, int fd, struct file *file, struct lock_request *request)
{
	struct file *now;
	int error = fd_get(task->files, fd, &now);

	if (!error)
		file_put(now);
	if (!error && now == file)
		return 0;
	request->range.type = LOCK_TYPE_NONE;
	(void)!lock_set(file->inode, request);
	return -EBADF;
}

long lock_fcntl(struct task *task, int fd, struct file *file, int command, struct uaddr at)
{
	bool ofd = command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
	struct abi_flock flock;
	struct lock_request request;
	int error = user_read(task_user(task), &flock, at, sizeof flock);

	if (!error)
		error = make_request(task, file, ofd, &flock, &request);
	if (error)
		return error;
	if (command == F_GETLK || command == F_OFD_GETLK)
		return test(task, file, &request, at, &flock);
	if ((request.range.type == LOCK_TYPE_READ && !file_readable(file)) ||
	    (request.range.type == LOCK_TYPE_WRITE && !file_writable(file)))
		return -EBADF;
	request.wait = command == F_SETLKW || command == F_OFD_SETLKW;
	long result = lock_set(file->inode, &request);
	if (result || ofd || request.range.type == LOCK_TYPE_NONE)
		return result;
	return undo_if_closed(task, fd, file, &request);
}

long sys_flock(struct task *task, struct file *file, int operation)
{
	struct lock_request request = {.class = LOCK_FLOCK,
				       .range = {.end = INT64_MAX},
				       .owner = file,
				       .pid = task->process->pid,
				       .wait = !(operation & LOCK_NB)};

	switch (operation & ~LOCK_NB) {
	case LOCK_SH:
		request.range.type = LOCK_TYPE_READ;
		break;
	case LOCK_EX:
		request.range.type = LOCK_TYPE_WRITE;
		break;
	case LOCK_UN:
		request.range.type = LOCK_TYPE_NONE;
		break;
	default:
		return -EINVAL;
	}
	return lock_set(file->inode, &request);
}

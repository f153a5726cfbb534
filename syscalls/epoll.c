/* epoll.c - epoll_create(2), epoll_ctl(2), epoll_wait(2) and relatives, eventfd(2). The work is done in fs/epoll.c and
 * fs/eventfd.c.
 */
#include "fs/epoll.h"
#include "fs/eventfd.h"
#include "sentry/abi/time.h"
#include "syscalls/give.h"
#include "syscalls/handlers.h"
#include "syscalls/poll.h"
#include <errno.h>
#include <fcntl.h>

#define EVENTS_LIMIT  (INT32_MAX / (int)sizeof(struct abi_epoll_event))
#define EFD_SEMAPHORE 1u

long sys_epoll_create1(struct task *task, uint32_t flags)
{
	struct file *file;

	if (flags & ~O_CLOEXEC)
		return -EINVAL;
	int error = epoll_new(task->cred, &file);
	return error ? error : file_give(task, file, flags & O_CLOEXEC);
}

long sys_epoll_create(struct task *task, int size)
{
	return size > 0 ? sys_epoll_create1(task, 0) : -EINVAL;
}

/* A descriptor that may be polled. Gives. */
static int pollable_get(struct task *task, int fd, struct file **out)
{
	struct file *file;
	int error = fd_get(task->files, fd, &file);

	if (error)
		return error;
	if (file->kind == FILE_PATH) {
		file_put(file);
		return -EBADF;
	}
	*out = file;
	return 0;
}

long sys_epoll_ctl(struct task *task, int epoll_fd, int operation, int fd, struct uaddr event_at)
{
	struct abi_epoll_event event = {0};
	struct file *epoll, *file;
	int error = 0;

	if (operation != ABI_EPOLL_CTL_DEL)
		error = user_read(task_user(task), &event, event_at, sizeof event);
	if (!error)
		error = pollable_get(task, epoll_fd, &epoll);
	if (error)
		return error;
	error = pollable_get(task, fd, &file);
	if (!error) {
		error = epoll_control(epoll, operation, fd, file, &event);
		file_put(file);
	}
	file_put(epoll);
	return error;
}

static long wait_until(struct task *task, struct file *epoll, struct uaddr events, int most, uint64_t deadline_ns)
{
	struct uio out;

	if (most <= 0 || most > EVENTS_LIMIT)
		return -EINVAL;
	uio_init_user(&out, task_user(task), events, (size_t)most * sizeof(struct abi_epoll_event));
	return epoll_wait_events(epoll, &out, most, deadline_ns);
}

static long wait_ms(struct task *task, struct file *epoll, struct uaddr events, int most, int timeout_ms)
{
	uint64_t deadline_ns = DEADLINE_NONE;

	if (timeout_ms >= 0)
		(void)!poll_deadline(timeout_ms / 1000, timeout_ms % 1000 * 1000000ll, &deadline_ns);
	return wait_until(task, epoll, events, most, deadline_ns);
}

long sys_epoll_wait(struct task *task, struct file *epoll, struct uaddr events, int most, int timeout_ms)
{
	return wait_ms(task, epoll, events, most, timeout_ms);
}

long sys_epoll_pwait(struct task *task, struct file *epoll, struct uaddr events, int most, int timeout_ms,
		     struct uaddr mask, uint64_t mask_size)
{
	int error = poll_mask_push(task, mask, mask_size);

	if (error)
		return error;
	long result = wait_ms(task, epoll, events, most, timeout_ms);
	return poll_mask_pop(task, result, result == -EINTR);
}

long sys_epoll_pwait2(struct task *task, struct file *epoll, struct uaddr events, int most, struct uaddr timeout,
		      struct uaddr mask, uint64_t mask_size)
{
	uint64_t deadline_ns = DEADLINE_NONE;
	struct abi_timespec time;
	int error = 0;

	if (timeout.v) {
		error = user_read(task_user(task), &time, timeout, sizeof time);
		if (!error)
			error = poll_deadline(time.tv_sec, time.tv_nsec, &deadline_ns);
	}
	if (!error)
		error = poll_mask_push(task, mask, mask_size);
	if (error)
		return error;
	long result = wait_until(task, epoll, events, most, deadline_ns);
	return poll_mask_pop(task, result, result == -EINTR);
}

long sys_eventfd2(struct task *task, uint32_t count, uint32_t flags)
{
	struct file *file;

	if (flags & ~(uint32_t)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int error = eventfd_new(count, flags & EFD_SEMAPHORE, flags & O_NONBLOCK, task->cred, &file);
	return error ? error : file_give(task, file, flags & O_CLOEXEC);
}

long sys_eventfd(struct task *task, uint32_t count)
{
	return sys_eventfd2(task, count, 0);
}

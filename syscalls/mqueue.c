/* mqueue.c - POSIX message queues: mq_open(2) and its kin. The work is done in sentry/mqueue.c. */
#include "sentry/mqueue.h"
#include "sentry/base/limits.h"
#include "sentry/clock.h"
#include "syscalls/give.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>

long sys_mq_open(struct task *task, const char *name, uint32_t flags, uint32_t mode, struct uaddr at)
{
	struct abi_mq_attr attributes;
	struct file *file;
	int error = at.v ? user_read(task_user(task), &attributes, at, sizeof attributes) : 0;

	if (!error)
		error = mqueue_open(task, name, (int)flags, mode, at.v ? &attributes : NULL, &file);
	return error ? error : file_give(task, file, true); /* always closed on exec (mq_open(3)) */
}

long sys_mq_unlink(struct task *task, const char *name)
{
	return mqueue_unlink(task, name);
}

/* Times are of CLOCK_REALTIME, absolute. */
static int read_deadline(const struct abi_timespec *timeout, uint64_t *deadline_ns)
{
	uint64_t time_ns;

	*deadline_ns = DEADLINE_NONE;
	if (!timeout)
		return 0;
	if (timespec_ns(timeout, &time_ns))
		return -EINVAL;
	return clock_deadline(ABI_CLOCK_REALTIME, true, time_ns, deadline_ns);
}

long sys_mq_timedsend(struct task *task, struct file *file, struct uaddr message, uint64_t size, uint32_t priority,
		      const struct abi_timespec *timeout)
{
	uint64_t deadline_ns;

	if (priority >= MQUEUE_PRIORITY_LIMIT)
		return -EINVAL;
	int error = read_deadline(timeout, &deadline_ns);
	return error ? error : mqueue_send(file, task_user(task), message, size, priority, deadline_ns);
}

long sys_mq_timedreceive(struct task *task, struct file *file, struct uaddr buffer, uint64_t size, uint32_t *priority,
			 const struct abi_timespec *timeout)
{
	uint64_t deadline_ns;
	uint32_t found;
	int error = read_deadline(timeout, &deadline_ns);

	if (error)
		return error;
	long result = mqueue_receive(file, task_user(task), buffer, size, &found, deadline_ns);
	if (result >= 0 && priority)
		*priority = found;
	return result;
}

long sys_mq_notify(struct task *task, struct file *file, const struct abi_sigevent *event)
{
	return mqueue_notify(task, file, event);
}

long sys_mq_getsetattr(struct task *task, struct file *file, struct uaddr new_at, struct uaddr old_at)
{
	struct abi_mq_attr wanted, old;
	int error = new_at.v ? user_read(task_user(task), &wanted, new_at, sizeof wanted) : 0;

	if (!error)
		error = mqueue_attributes(file, new_at.v ? &wanted : NULL, &old);
	if (!error && old_at.v)
		error = user_write(task_user(task), old_at, &old, sizeof old);
	return error;
}

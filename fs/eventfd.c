/* eventfd.c - eventfd(2): a 64-bit counter; write adds, read takes all of it, or one with EFD_SEMAPHORE.
 *
 * A reader and a writer never both wait on one counter: one needs it zero, the other nearly full. They share a queue.
 * A copy may PARK, so the guest's number is copied before the counter is looked at, and a read settles the counter
 * before it copies out, as Linux does: a bad address loses what was read.
 */
#include "fs/eventfd.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

struct eventfd {
	uint64_t count; /* at most UINT64_MAX - 1 by write(2), one more by eventfd_signal */
	bool semaphore;
	struct waitq wait;
};

static struct slab eventfd_slab = SLAB(eventfd);

static ssize_t eventfd_read(struct file *file, struct uio *to, int64_t *pos)
{
	struct eventfd *event = file->data;

	(void)pos;
	if (to->left < sizeof event->count)
		return -EINVAL;
	if (!event->count && file->flags & O_NONBLOCK)
		return -EAGAIN;
	int error = WAIT_EVENT(&event->wait, event->count, DEADLINE_NONE);
	if (error)
		return error;
	uint64_t value = event->semaphore ? 1 : event->count;
	event->count -= value;
	waitq_wake(&event->wait, POLLOUT | POLLWRNORM);
	ssize_t moved = uio_put(to, &value, sizeof value);
	return moved == sizeof value ? moved : -EFAULT;
}

static ssize_t eventfd_write(struct file *file, struct uio *from, int64_t *pos)
{
	struct eventfd *event = file->data;
	uint64_t value;

	(void)pos;
	if (from->left != sizeof value) /* since Linux 6.9 */
		return -EINVAL;
	if (uio_take(from, &value, sizeof value) != sizeof value)
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	if (UINT64_MAX - event->count <= value && file->flags & O_NONBLOCK)
		return -EAGAIN;
	int error = WAIT_EVENT(&event->wait, UINT64_MAX - event->count > value, DEADLINE_NONE);
	if (error)
		return error;
	event->count += value;
	waitq_wake(&event->wait, POLLIN | POLLRDNORM);
	return sizeof value;
}

void eventfd_signal(struct file *file)
{
	struct eventfd *event = file->data;

	assert(file->kind == FILE_EVENTFD);
	if (event->count < UINT64_MAX)
		event->count++;
	waitq_wake(&event->wait, POLLIN | POLLRDNORM);
}

static uint32_t eventfd_poll(struct file *file, struct poll_wait *wait)
{
	struct eventfd *event = file->data;
	uint32_t events = 0;

	poll_listen(wait, &event->wait);
	if (event->count)
		events |= POLLIN | POLLRDNORM;
	if (event->count == UINT64_MAX) /* more than write(2) can make it: a signal too many */
		events |= POLLERR;
	if (event->count < UINT64_MAX - 1)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static void eventfd_release(struct file *file)
{
	if (file->data)
		slab_free(&eventfd_slab, file->data);
}

static int eventfd_fdinfo(struct file *file, char *text, size_t size)
{
	struct eventfd *event = file->data;

	return snprintf(text, size, "eventfd-count: %16llx\neventfd-semaphore: %d\n", (unsigned long long)event->count,
			event->semaphore);
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.seek = file_seek_nowhere,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.fdinfo = eventfd_fdinfo,
};

void eventfd_init(void)
{
	file_kind_register(FILE_EVENTFD, &eventfd_ops);
}

int eventfd_new(uint32_t count, bool semaphore, uint32_t flags, struct cred *cred, struct file **out)
{
	struct file *file;
	struct eventfd *event = slab_new(&eventfd_slab);

	if (!event)
		return -ENOMEM;
	event->count = count;
	event->semaphore = semaphore;
	waitq_init(&event->wait);
	int error = file_new_anonymous(FILE_EVENTFD, O_RDWR | (flags & O_NONBLOCK), 0600, "eventfd", cred, &file);
	if (error) {
		slab_free(&eventfd_slab, event);
		return error;
	}
	file->data = event;
	*out = file;
	return 0;
}

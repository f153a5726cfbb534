/* mqueue.c - POSIX message queues (mq_overview(7)).
 *
 * A queue lives as long as it has a name or is open. Messages lie in the order in which they will be received: by
 * priority, then by age. Who waits looks again when something was put in or taken out. A process that asked to be told
 * (mq_notify) is told once, when a message comes into an empty queue for which nobody waits: by a signal, or, for
 * SIGEV_THREAD, by the 32 bytes of its choice that come out of a netlink socket, from which the C library's thread
 * reads. Their last byte says what happened.
 *
 * A message is copied from its sender before the queue is looked at, and out of the queue before it is copied to the
 * receiver: both copies may PARK.
 *
 * Limits: MQUEUE_LIMIT queues; RLIMIT_MSGQUEUE bytes, counted over the whole sandbox and not for each user; no
 * mqueue file system to list the names.
 */
#include "sentry/mqueue.h"
#include "netstack/netlink.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_MESSAGES   10 /* without CAP_SYS_RESOURCE also the most */
#define DEFAULT_BYTES      8192
#define MOST_MESSAGES      65536
#define MOST_BYTES         (16 << 20)
#define MESSAGE_COST_BYTES 96 /* what Linux adds for each possible message to the account of RLIMIT_MSGQUEUE */
#define FILE_BYTES         80 /* what fstat shows */

/* NOTIFY_COOKIE_LEN, NOTIFY_WOKENUP and NOTIFY_REMOVED in Linux. */
#define COOKIE_BYTES   32
#define COOKIE_WOKEN   1
#define COOKIE_REMOVED 2

#define READ_EVENTS  (POLLIN | POLLRDNORM)
#define WRITE_EVENTS (POLLOUT | POLLWRNORM)

struct mq_message {
	struct list node;
	uint32_t priority;
	size_t size;
	char data[];
};

struct mqueue {
	struct ref ref; /* its name and its open files */
	struct list node;
	char *name; /* NULL: unlinked */
	uint32_t uid, gid, mode;
	uint32_t limit, message_bytes, count;
	uint64_t bytes; /* in messages now */
	struct list messages;
	struct waitq wait;
	unsigned receivers; /* that wait now */
	int32_t notify_pid; /* 0: nobody */
	struct abi_sigevent notify;
	struct file *notify_socket; /* counted; of SIGEV_THREAD, else NULL */
	uint8_t notify_cookie[COOKIE_BYTES];
};

static struct slab mqueue_slab = SLAB(mqueue);
static struct list queues = LIST_INIT(queues);
static unsigned queue_count;
static uint64_t account_bytes;

static struct mqueue *queue_of(const struct file *file)
{
	return file->kind == FILE_MQUEUE ? file->data : NULL;
}

/* ------------------------------------------------------------------------------------------------ life */

static uint64_t cost_of(uint64_t limit, uint64_t message_bytes)
{
	return limit * (message_bytes + MESSAGE_COST_BYTES);
}

static void message_free(struct mq_message *message)
{
	arena_free(message, sizeof *message + message->size);
}

/* Nobody is to be told any more; the one that was hears of it (COOKIE_*) if it has a thread that listens. */
static void notify_end(struct mqueue *queue, uint8_t why)
{
	struct file *socket = queue->notify_socket;

	queue->notify_pid = 0;
	queue->notify_socket = NULL;
	if (!socket)
		return;
	queue->notify_cookie[COOKIE_BYTES - 1] = why;
	netlink_deliver(socket, queue->notify_cookie, COOKIE_BYTES);
	file_put(socket);
}

static void mqueue_put(struct mqueue *queue)
{
	if (!ref_put(&queue->ref))
		return;
	assert(!queue->name);
	notify_end(queue, COOKIE_REMOVED);
	while (!list_empty(&queue->messages)) {
		struct mq_message *message = list_first(&queue->messages, struct mq_message, node);
		list_remove(&message->node);
		message_free(message);
	}
	account_bytes -= cost_of(queue->limit, queue->message_bytes);
	slab_free(&mqueue_slab, queue);
	queue_count--;
}

static struct mqueue *find(const char *name)
{
	struct mqueue *queue;

	list_for_each (queue, &queues, node)
		if (!strcmp(queue->name, name))
			return queue;
	return NULL;
}

static int attributes_check(const struct task *task, const struct abi_mq_attr *attributes)
{
	bool privileged = cred_capable(task->cred, CAP_SYS_RESOURCE);

	if (attributes->message_limit <= 0 || attributes->message_bytes <= 0)
		return -EINVAL;
	if (attributes->message_limit > (privileged ? MOST_MESSAGES : DEFAULT_MESSAGES) ||
	    attributes->message_bytes > (privileged ? MOST_BYTES : DEFAULT_BYTES))
		return -EINVAL;
	return 0;
}

static int make(struct task *task, const char *name, uint32_t mode, const struct abi_mq_attr *attributes,
		struct mqueue **out)
{
	static const struct abi_mq_attr usual = {.message_limit = DEFAULT_MESSAGES, .message_bytes = DEFAULT_BYTES};
	const struct abi_mq_attr *wanted = attributes ? attributes : &usual;
	int error = attributes_check(task, wanted);

	if (error)
		return error;
	if (queue_count >= MQUEUE_LIMIT)
		return -ENOSPC;
	uint64_t cost = cost_of((uint64_t)wanted->message_limit, (uint64_t)wanted->message_bytes);
	if (account_bytes + cost > process_limit(task->process, ABI_RLIMIT_MSGQUEUE))
		return -EMFILE;
	struct mqueue *queue = slab_new(&mqueue_slab);
	if (!queue)
		return -ENOMEM;
	queue->name = arena_string(name);
	if (!queue->name) {
		slab_free(&mqueue_slab, queue);
		return -ENOMEM;
	}
	ref_init(&queue->ref);
	queue->uid = task->cred->fsuid;
	queue->gid = task->cred->fsgid;
	queue->mode = mode & 0777 & ~task->fs->umask;
	queue->limit = (uint32_t)wanted->message_limit;
	queue->message_bytes = (uint32_t)wanted->message_bytes;
	list_init(&queue->messages);
	waitq_init(&queue->wait);
	list_push_back(&queues, &queue->node);
	queue_count++;
	account_bytes += cost;
	*out = queue;
	return 0;
}

/* may: 4 to receive, 2 to send. */
static int permission(const struct task *task, const struct mqueue *queue, uint32_t may)
{
	uint32_t mode = queue->mode;

	if (queue->uid == task->cred->fsuid)
		mode >>= 6;
	else if (cred_in_group(task->cred, queue->gid))
		mode >>= 3;
	return !(may & ~mode) || cred_capable(task->cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

static int open_file(struct mqueue *queue, int flags, struct cred *cred, struct file **out)
{
	struct file *file;
	int error = file_new_anonymous(FILE_MQUEUE, (uint32_t)flags & (O_ACCMODE | O_NONBLOCK), S_IFREG | queue->mode,
				       "mqueue", cred, &file);

	if (error)
		return error;
	file->inode->uid = queue->uid;
	file->inode->gid = queue->gid;
	file->inode->size = FILE_BYTES;
	file->data = queue;
	ref_get(&queue->ref);
	*out = file;
	return 0;
}

static int name_check(const char *name)
{
	size_t length = strlen(name);

	if (length > NAME_LIMIT)
		return -ENAMETOOLONG;
	if (!length)
		return -ENOENT;
	return strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") ? -EACCES : 0;
}

static void unname(struct mqueue *queue)
{
	arena_string_free(queue->name);
	queue->name = NULL;
	list_remove(&queue->node);
	mqueue_put(queue);
}

int mqueue_open(struct task *task, const char *name, int flags, uint32_t mode, const struct abi_mq_attr *attributes,
		struct file **out)
{
	static const uint8_t wanted[] = {[O_RDONLY] = 4, [O_WRONLY] = 2, [O_RDWR] = 6};
	int error = name_check(name);

	if (error)
		return error;
	struct mqueue *queue = find(name);
	bool made = !queue;
	if (queue && flags & O_CREAT && flags & O_EXCL)
		return -EEXIST;
	if (!queue && !(flags & O_CREAT))
		return -ENOENT;
	if (queue && (flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	error = made ? make(task, name, mode, attributes, &queue) : permission(task, queue, wanted[flags & O_ACCMODE]);
	if (!error)
		error = open_file(queue, flags, task->cred, out);
	if (error && made && queue)
		unname(queue);
	return error;
}

int mqueue_unlink(const struct task *task, const char *name)
{
	int error = name_check(name);

	if (error)
		return error;
	struct mqueue *queue = find(name);
	if (!queue)
		return -ENOENT;
	if (queue->uid != task->cred->fsuid && !cred_capable(task->cred, CAP_FOWNER))
		return -EPERM; /* the directory of queues is sticky */
	unname(queue);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ messages */

static void notify(struct mqueue *queue)
{
	struct process *target = process_find(queue->notify_pid), *sender = task_current()->process;
	struct abi_siginfo info = {.si_code = ABI_SI_MESGQ};

	notify_end(queue, COOKIE_WOKEN);
	if (!target || queue->notify.notify != ABI_SIGEV_SIGNAL || !queue->notify.signo)
		return;
	info.si_signo = queue->notify.signo;
	info.rt.pid = sender->pid;
	info.rt.uid = task_current()->cred->uid;
	info.rt.value = queue->notify.value;
	signal_send_process(target, queue->notify.signo, &info);
}

static void insert(struct mqueue *queue, struct mq_message *message)
{
	struct mq_message *other;

	list_for_each (other, &queue->messages, node)
		if (other->priority < message->priority)
			break;
	/* Before the first one of lower priority; the head, when there is none. */
	list_push_back(&other->node, &message->node);
	queue->bytes += message->size;
	queue->count++;
	waitq_wake(&queue->wait, READ_EVENTS);
	if (queue->count == 1 && queue->notify_pid && !queue->receivers)
		notify(queue);
}

static int message_copy(struct user user, struct uaddr at, uint64_t size, uint32_t priority, struct mq_message **out)
{
	struct mq_message *message = arena_alloc(sizeof *message + size);

	if (!message)
		return -ENOMEM;
	message->size = size;
	message->priority = priority;
	int error = size ? user_read(user, message->data, at, size) : 0;
	if (error)
		message_free(message);
	else
		*out = message;
	return error;
}

long mqueue_send(struct file *file, struct user user, struct uaddr at, uint64_t size, uint32_t priority,
		 uint64_t deadline_ns)
{
	struct mqueue *queue = queue_of(file);
	struct mq_message *message;

	if (!queue || !file_writable(file))
		return -EBADF;
	if (size > queue->message_bytes)
		return -EMSGSIZE;
	int error = message_copy(user, at, size, priority, &message);
	if (error)
		return error;
	if (queue->count >= queue->limit)
		error = file->flags & O_NONBLOCK ? -EAGAIN
						 : WAIT_EVENT(&queue->wait, queue->count < queue->limit, deadline_ns);
	if (error) {
		message_free(message);
		return error;
	}
	insert(queue, message);
	return 0;
}

long mqueue_receive(struct file *file, struct user user, struct uaddr buffer, uint64_t size, uint32_t *priority,
		    uint64_t deadline_ns)
{
	struct mqueue *queue = queue_of(file);
	int error = 0;

	if (!queue || !file_readable(file))
		return -EBADF;
	if (size < queue->message_bytes)
		return -EMSGSIZE;
	if (!queue->count && file->flags & O_NONBLOCK)
		return -EAGAIN;
	if (!queue->count) {
		queue->receivers++;
		error = WAIT_EVENT(&queue->wait, queue->count, deadline_ns);
		queue->receivers--;
	}
	if (error)
		return error;
	struct mq_message *message = list_first(&queue->messages, struct mq_message, node);
	list_remove(&message->node);
	queue->count--;
	queue->bytes -= message->size;
	waitq_wake(&queue->wait, WRITE_EVENTS);
	long result = (long)message->size;
	*priority = message->priority;
	if (result && user_write(user, buffer, message->data, message->size))
		result = -EFAULT;
	message_free(message);
	return result;
}

/* ------------------------------------------------------------------------------------------------ the rest */

/* What a thread of the guest is told by: gives a reference to the socket. */
static int cookie_take(struct task *task, const struct abi_sigevent *event, uint8_t cookie[COOKIE_BYTES],
		       struct file **socket)
{
	int error = user_read(task_user(task), cookie, UADDR(event->value.sival_ptr), COOKIE_BYTES);

	if (!error)
		error = fd_get(task->files, event->signo, socket);
	if (error)
		return error;
	error = netlink_check(*socket);
	if (error)
		file_put(*socket);
	return error;
}

static int event_check(const struct abi_sigevent *event)
{
	if (event->notify == ABI_SIGEV_SIGNAL)
		return event->signo < 0 || event->signo > SIGNAL_COUNT ? -EINVAL : 0;
	return event->notify == ABI_SIGEV_NONE || event->notify == ABI_SIGEV_THREAD ? 0 : -EINVAL;
}

static int notify_begin(struct mqueue *queue, int32_t pid, const struct abi_sigevent *event)
{
	if (!queue)
		return -EBADF;
	if (queue->notify_pid)
		return -EBUSY;
	queue->notify_pid = pid;
	queue->notify = *event;
	return 0;
}

int mqueue_notify(struct task *task, struct file *file, const struct abi_sigevent *event)
{
	struct mqueue *queue = queue_of(file);
	uint8_t cookie[COOKIE_BYTES];
	struct file *socket = NULL;

	if (!event) {
		if (queue && queue->notify_pid == task->process->pid)
			notify_end(queue, COOKIE_REMOVED);
		return queue ? 0 : -EBADF;
	}
	int error = event_check(event);
	if (!error && event->notify == ABI_SIGEV_THREAD)
		error = cookie_take(task, event, cookie, &socket);
	if (error)
		return error;
	error = notify_begin(queue, task->process->pid, event);
	if (!socket)
		return error;
	if (error) {
		file_put(socket);
		return error;
	}
	memcpy(queue->notify_cookie, cookie, COOKIE_BYTES);
	queue->notify_socket = socket;
	return 0;
}

int mqueue_attributes(struct file *file, const struct abi_mq_attr *wanted, struct abi_mq_attr *old)
{
	const struct mqueue *queue = queue_of(file);

	if (wanted && wanted->flags & ~(int64_t)O_NONBLOCK)
		return -EINVAL;
	if (!queue)
		return -EBADF;
	*old = (struct abi_mq_attr){.flags = file->flags & O_NONBLOCK,
				    .message_limit = queue->limit,
				    .message_bytes = queue->message_bytes,
				    .messages = queue->count};
	if (wanted)
		file->flags = (file->flags & ~(uint32_t)O_NONBLOCK) | ((uint32_t)wanted->flags & O_NONBLOCK);
	return 0;
}

static ssize_t mqueue_read(struct file *file, struct uio *to, int64_t *pos)
{
	const struct mqueue *queue = queue_of(file);
	char text[128];
	int n = snprintf(text, sizeof text, "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", queue->bytes,
			 queue->notify_pid ? queue->notify.notify : 0,
			 queue->notify_pid && queue->notify.notify == ABI_SIGEV_SIGNAL ? queue->notify.signo : 0,
			 queue->notify_pid);

	if (*pos < 0 || *pos >= n)
		return 0;
	ssize_t moved = uio_put(to, text + *pos, MIN(to->left, (size_t)(n - *pos)));
	*pos += MAX(moved, (ssize_t)0);
	return moved;
}

static int64_t mqueue_seek(struct file *file, int64_t offset, int whence)
{
	int64_t place = whence == SEEK_CUR ? file->pos + offset : whence == SEEK_END ? FILE_BYTES + offset : offset;

	if (place < 0 || whence < SEEK_SET || whence > SEEK_END)
		return -EINVAL;
	return file->pos = place;
}

static uint32_t mqueue_poll(struct file *file, struct poll_wait *wait)
{
	struct mqueue *queue = queue_of(file);

	poll_listen(wait, &queue->wait);
	return (queue->count ? READ_EVENTS : 0) | (queue->count < queue->limit ? WRITE_EVENTS : 0);
}

/* Whoever asked to be told and closes the queue is no longer told. */
static void mqueue_flush(struct file *file, void *owner)
{
	struct mqueue *queue = queue_of(file);
	struct task *task = task_current();

	(void)owner;
	if (task && task->process->pid == queue->notify_pid)
		notify_end(queue, COOKIE_REMOVED);
}

static void mqueue_release(struct file *file)
{
	if (file->data)
		mqueue_put(file->data);
}

static const struct file_ops mqueue_ops = {.read = mqueue_read,
					   .seek = mqueue_seek,
					   .poll = mqueue_poll,
					   .flush = mqueue_flush,
					   .release = mqueue_release};

void mqueue_init(void)
{
	file_kind_register(FILE_MQUEUE, &mqueue_ops);
}

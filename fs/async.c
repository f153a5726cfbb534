/* async.c - O_ASYNC: the owner of a file hears by a signal that it can be read or written, or has been hung up.
 *
 * As an epoll item does, a file with the flag leaves a hook (a waiter of kind WAITER_ASYNC) in every wait queue that
 * its poll operation names. Whoever wakes such a queue sends the signal in passing, so it is sent when something
 * happens and not because something is the case: who reads too little after one signal gets no other. Signals below the
 * real-time ones merge as always.
 *
 * Who the owner is, and whether whoever made him that may send him signals, is sentry/fshooks.c's affair.
 *
 * Limits: pipes, sockets and inotify instances; terminals send nothing, and nobody is a terminal's owner unasked. The
 * writing end of a pipe is told only when the pipe had been full.
 */
#include "fs/async.h"
#include "fs/cred.h"
#include "fs/hooks.h"
#include "fs/poll.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#define HEARS_READ  (POLLIN | POLLRDNORM)
#define HEARS_WRITE (POLLOUT | POLLWRNORM)

struct async {
	struct file *file; /* borrowed: it forgets us when it goes */
	int fd;
	struct poll_hooks hooks;
};

static struct slab async_slab = SLAB(async);

/* What a signal says has happened: si_code, and in si_band the events that it stands for. */
struct reason {
	int code;
	uint32_t band;
};

/* Of a wake with these events. Both ends of a pipe take a hang-up for what they wait for; sockets say that it is one.
 */
static struct reason reason_of(const struct file *file, uint32_t events)
{
	bool pipe = file->kind == FILE_PIPE || file->kind == FILE_FIFO;

	if (events & POLLHUP && !pipe)
		return (struct reason){POLL_HUP, POLLHUP | POLLERR};
	if (events & POLLPRI)
		return (struct reason){POLL_PRI, POLLPRI | POLLRDBAND};
	if (events & HEARS_READ && file_readable(file))
		return (struct reason){POLL_IN, HEARS_READ};
	if (events & HEARS_WRITE && file_writable(file))
		return (struct reason){POLL_OUT, HEARS_WRITE | POLLWRBAND};
	if (events & POLLERR)
		return (struct reason){POLL_ERR, POLLERR};
	return (struct reason){0};
}

/* A queue of the file was woken. In the waker's context. */
static bool hook_fired(struct waiter *waiter, uint32_t events)
{
	struct async *async = poll_hook_fired(waiter);
	struct reason reason = reason_of(async->file, events ? events : file_poll(async->file, NULL));
	if (reason.code)
		hook_signal_owner(async->file, async->fd, reason.code, reason.band);
	return false;
}

void async_forget(struct file *file)
{
	struct async *async = file->async;

	if (!async)
		return;
	poll_hooks_drop(&async->hooks);
	file->async = NULL;
	slab_free(&async_slab, async);
}

int async_set(struct file *file, int fd, bool on)
{
	uint32_t now;

	if (!on)
		async_forget(file);
	if (!on)
		return 0;
	assert(file_ops(file)->async);
	if (file->async) {
		file->async->fd = fd;
		return 0;
	}
	file->async = slab_new(&async_slab);
	if (!file->async)
		return -ENOMEM;
	*file->async = (struct async){.file = file, .fd = fd, .hooks = {.owner = file->async, .kind = WAITER_ASYNC}};
	int error = poll_hooks_arm(&file->async->hooks, file, ~0u, &now);
	if (error)
		async_forget(file);
	return error;
}

void async_owner_default(struct file *file)
{
	struct cred *cred;
	int32_t pid;

	if (file->owner_pid || !hook_caller(&pid, &cred))
		return;
	file->owner_pid = pid;
	file->owner_type = F_OWNER_PID;
	file->owner_uid = cred->uid;
	file->owner_euid = cred->euid;
}

void async_message(const struct file *file, int fd)
{
	if (file->owner_pid)
		hook_signal_owner(file, fd, POLL_MSG, POLLIN | POLLRDNORM | POLLMSG);
}

void async_init(void)
{
	waiter_kind_register(WAITER_ASYNC, hook_fired);
}

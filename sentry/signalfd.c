/* signalfd.c - signals taken by read(2). Whoever reads takes from its own queues, whoever made the file; so its only
 * state is the set, kept in the file's cookie. Pollers listen on the dispositions' queue (sighand.signalfd_wait) of the
 * task that polls.
 */
#include "sentry/signalfd.h"
#include "sentry/task.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

static void convert(const struct abi_siginfo *in, struct abi_signalfd_siginfo *out)
{
	*out = (struct abi_signalfd_siginfo){
		.ssi_signo = (uint32_t)in->si_signo, .ssi_errno = in->si_errno, .ssi_code = in->si_code};
	if (in->si_code == ABI_SI_TIMER) {
		out->ssi_tid = (uint32_t)in->timer.id;
		out->ssi_overrun = (uint32_t)in->timer.overrun;
		out->ssi_ptr = in->timer.value.sival_ptr;
		out->ssi_int = in->timer.value.sival_int;
		return;
	}
	if (in->si_code > 0 && in->si_code != ABI_SI_KERNEL) {
		if (in->si_signo == SIGCHLD) {
			out->ssi_pid = (uint32_t)in->child.pid;
			out->ssi_uid = in->child.uid;
			out->ssi_status = in->child.status;
			out->ssi_utime = (uint64_t)in->child.utime;
			out->ssi_stime = (uint64_t)in->child.stime;
			return;
		}
		if (in->si_signo == SIGPOLL) {
			out->ssi_band = (uint32_t)in->poll.band;
			out->ssi_fd = in->poll.fd;
			return;
		}
		out->ssi_addr = in->fault.addr;
		return;
	}
	out->ssi_pid = (uint32_t)in->rt.pid;
	out->ssi_uid = in->rt.uid;
	if (in->si_code < 0) {
		out->ssi_ptr = in->rt.value.sival_ptr;
		out->ssi_int = in->rt.value.sival_int;
	}
}

static ssize_t put_one(struct task *task, uint64_t set, struct uio *to)
{
	struct abi_signalfd_siginfo out;
	struct abi_siginfo info;

	if (!signal_dequeue(task, set, &info))
		return 0;
	convert(&info, &out);
	return uio_put(to, &out, sizeof out);
}

static ssize_t signalfd_read(struct file *file, struct uio *to, int64_t *pos)
{
	struct task *task = task_current();
	ssize_t done = 0;

	(void)pos;
	if (to->left < sizeof(struct abi_signalfd_siginfo))
		return -EINVAL;
	if (!task)
		return -EAGAIN;
	if (!(signal_pending_set(task) & file->cookie)) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		int error = WAIT_EVENT(&task->sighand->signalfd_wait, signal_pending_set(task) & file->cookie,
				       DEADLINE_NONE);
		if (error)
			return error;
	}
	while (to->left >= sizeof(struct abi_signalfd_siginfo)) {
		ssize_t n = put_one(task, file->cookie, to);
		if (n <= 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

static uint32_t signalfd_poll(struct file *file, struct poll_wait *wait)
{
	struct task *task = task_current();

	/* Asked anew by epoll on no task's fiber: the answer is that of the process that waits, when it looks. */
	if (!task || !task->sighand)
		return POLLIN;
	poll_listen(wait, &task->sighand->signalfd_wait);
	return signal_pending_set(task) & file->cookie ? POLLIN | POLLRDNORM : 0;
}

static int signalfd_fdinfo(struct file *file, char *text, size_t size)
{
	return snprintf(text, size, "sigmask:\t%016llx\n", (unsigned long long)file->cookie);
}

static const struct file_ops signalfd_ops = {
	.seek = file_seek_nowhere,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.fdinfo = signalfd_fdinfo,
};

void signalfd_init(void)
{
	file_kind_register(FILE_SIGNALFD, &signalfd_ops);
}

int signalfd_new(abi_sigset set, uint32_t flags, struct cred *cred, struct file **out)
{
	int error = file_new_anonymous(FILE_SIGNALFD, O_RDWR | flags, 0600, "signalfd", cred, out);

	if (!error)
		(*out)->cookie = set & ~SIGNAL_UNSTOPPABLE;
	return error;
}

int signalfd_change(struct file *file, abi_sigset set)
{
	struct task *task = task_current();

	if (file->kind != FILE_SIGNALFD)
		return -EINVAL;
	file->cookie = set & ~SIGNAL_UNSTOPPABLE;
	if (task)
		waitq_wake(&task->sighand->signalfd_wait, 0);
	return 0;
}

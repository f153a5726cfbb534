/* pidfd.c - processes as files: readable when the process has ended. The file holds a reference to the process object,
 * not to its existence: a reaped one answers ESRCH everywhere.
 */
#include "sentry/pidfd.h"
#include "sentry/task.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

static uint32_t pidfd_poll(struct file *file, struct poll_wait *wait)
{
	struct process *process = file->data;

	poll_listen(wait, &process->exit_wait);
	if (process->reaped)
		return POLLIN | POLLRDNORM | POLLHUP;
	return process->zombie ? POLLIN | POLLRDNORM : 0;
}

static void pidfd_release(struct file *file)
{
	process_put(file->data);
}

static int pidfd_fdinfo(struct file *file, char *text, size_t size)
{
	struct process *process = file->data;
	int pid = process->reaped ? -1 : process->pid;

	return snprintf(text, size, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll,
	.release = pidfd_release,
	.fdinfo = pidfd_fdinfo,
};

void pidfd_init(void)
{
	file_kind_register(FILE_PIDFD, &pidfd_ops);
}

int pidfd_new(struct process *process, uint32_t flags, struct cred *cred, struct file **out)
{
	int error = file_new_anonymous(FILE_PIDFD, O_RDWR | flags, 0600, "pidfd", cred, out);

	if (error)
		return error;
	process_get(process);
	(*out)->data = process;
	return 0;
}

struct process *pidfd_process(const struct file *file)
{
	return file->kind == FILE_PIDFD ? file->data : NULL;
}

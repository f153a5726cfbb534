/* pidfd.c - processes as files: readable when the process has ended. The file holds a reference to the process object,
 * not to its existence: a reaped one answers ESRCH everywhere.
 */
#include "sentry/pidfd.h"
#include "sentry/abi/proc.h"
#include "sentry/task.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>

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

/* PIDFD_GET_INFO. What is known of a process that has been reaped is how it ended, and only who asks for that hears it.
 */
static long pidfd_info(struct process *process, struct user user, struct uaddr at, size_t size)
{
	struct abi_pidfd_info info = {0};
	uint64_t wanted;

	if (!at.v)
		return -EINVAL;
	if (user_read(user, &wanted, at, sizeof wanted))
		return -EFAULT;
	if (process->reaped) {
		if (!(wanted & ABI_PIDFD_INFO_EXIT))
			return -ESRCH;
		info.mask = ABI_PIDFD_INFO_EXIT;
		info.exit_code = process->exit_status;
	} else {
		const struct cred *cred = process->leader->cred;
		info = (struct abi_pidfd_info){
			.mask = ABI_PIDFD_INFO_PID | ABI_PIDFD_INFO_CREDS,
			.pid = (uint32_t)process->pid,
			.tgid = (uint32_t)process->pid,
			.ppid = (uint32_t)process_ppid(process),
			.ruid = cred->uid,
			.euid = cred->euid,
			.suid = cred->suid,
			.fsuid = cred->fsuid,
			.rgid = cred->gid,
			.egid = cred->egid,
			.sgid = cred->sgid,
			.fsgid = cred->fsgid,
		};
	}
	return user_write(user, at, &info, MIN(size, sizeof info));
}

/* The size in the number is the caller's; what it has beyond ours stays as it is. */
static long pidfd_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	size_t size = _IOC_SIZE(command);

	if (_IOC_TYPE(command) != ABI_PIDFS_MAGIC || _IOC_NR(command) != ABI_PIDFD_GET_INFO_NR ||
	    _IOC_DIR(command) != (_IOC_READ | _IOC_WRITE) || size < ABI_PIDFD_INFO_SIZE_VER0)
		return -ENOTTY;
	return pidfd_info(file->data, user, UADDR(argument), size);
}

static const struct file_ops pidfd_ops = {
	.ioctl = pidfd_ioctl,
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

/* give.h - how handlers hand new open files to the guest. */
#ifndef SYSCALLS_GIVE_H
#define SYSCALLS_GIVE_H

#include "sentry/task.h"
#include <sys/resource.h>

/* Installs the file at the lowest free descriptor. Takes the reference in any case. The descriptor, -EMFILE, -ENOMEM.
 */
must_check static inline long file_give(struct task *task, struct file *file, bool cloexec)
{
	int fd = fd_install(task->files, file, cloexec, 0, process_limit(task->process, RLIMIT_NOFILE));

	if (fd < 0)
		file_put(file);
	return fd;
}

/* Two files, whose descriptors go to out (two ints). Takes both references. 0, -EMFILE, -EFAULT with nothing installed.
 */
must_check static inline long file_give_pair(struct task *task, struct file *first, struct file *second, bool cloexec,
					     struct uaddr out)
{
	int32_t fds[2];
	long fd = file_give(task, first, cloexec);

	if (fd < 0) {
		file_put(second);
		return fd;
	}
	fds[0] = fd;
	fd = file_give(task, second, cloexec);
	if (fd < 0) {
		(void)!fd_close(task->files, fds[0]);
		return fd;
	}
	fds[1] = fd;
	int error = user_write(task_user(task), out, fds, sizeof fds);
	if (error) {
		(void)!fd_close(task->files, fds[0]);
		(void)!fd_close(task->files, fds[1]);
	}
	return error;
}

#endif

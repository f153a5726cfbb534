/* notify.c - inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2). The work is done in fs/notify.c. */
#include "fs/notify.h"
#include "syscalls/at.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>

#define WATCH_FLAGS (IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT)

long sys_inotify_init1(struct task *task, uint32_t flags)
{
	struct file *file;

	if (flags & ~(uint32_t)(IN_NONBLOCK | IN_CLOEXEC))
		return -EINVAL;
	int error = notify_new(flags, task->cred, &file);
	return error ? error : fd_give(task, file, flags & IN_CLOEXEC);
}

long sys_inotify_init(struct task *task)
{
	return sys_inotify_init1(task, 0);
}

long sys_inotify_add_watch(struct task *task, struct file *file, const char *path, uint32_t mask)
{
	struct path place;
	uint32_t flags = (mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) | (mask & IN_ONLYDIR ? WALK_DIRECTORY : 0);

	/* As do_inotify_add_watch: at least one event or flag, and nothing that it does not know. */
	if (!(mask & (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ISDIR | WATCH_FLAGS)))
		return -EINVAL;
	if ((mask & IN_MASK_ADD && mask & IN_MASK_CREATE) || !notify_is(file))
		return -EINVAL;
	int error = at_walk(task, AT_FDCWD, path, flags, &place);
	if (error)
		return error;
	error = inode_permission(place.dentry->inode, task->cred, 4);
	long result = error ? error : notify_watch(file, &place, mask);
	path_put(&place);
	return result;
}

long sys_inotify_rm_watch(struct task *task, struct file *file, int wd)
{
	(void)task;
	return notify_is(file) ? notify_unwatch(file, wd) : -EINVAL;
}

/* at.c - where a path begins (openat(2), "Rationale for openat()"), and descriptors for what was opened. */
#include "syscalls/at.h"
#include "fs/fdtable.h"
#include "sentry/abi/fcntl.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

int at_begin(struct task *task, int dirfd, const char *path, struct at *at)
{
	at->walker = (struct walker){.context = task->fs, .cred = task->cred, .start = task->fs->cwd};
	at->dir = NULL;
	if (*path == '/' || dirfd == AT_FDCWD)
		return 0;
	int error = fd_get(task->files, dirfd, &at->dir);
	if (error)
		return error;
	at->walker.start = at->dir->path;
	if (!at->dir->path.dentry || (*path && !S_ISDIR(at->dir->inode->mode))) {
		file_put(at->dir);
		return -ENOTDIR;
	}
	return 0;
}

void at_end(struct at *at)
{
	if (at->dir)
		file_put(at->dir);
}

int at_walk(struct task *task, int dirfd, const char *path, uint32_t walk_flags, struct path *out)
{
	struct at at;
	int error = at_begin(task, dirfd, path, &at);

	if (error)
		return error;
	error = walk(&at.walker, path, walk_flags, out);
	at_end(&at);
	return error;
}

uint64_t nofile_limit(const struct task *task)
{
	return task->process->limits[RLIMIT_NOFILE].soft;
}

long fd_give(struct task *task, struct file *file, bool cloexec)
{
	int fd = fd_install(task->files, file, cloexec, 0, nofile_limit(task));

	if (fd < 0)
		file_put(file);
	return fd;
}

long fd_give_opened(struct task *task, struct file *file, uint32_t flags)
{
	if (!(flags & O_PATH))
		file->flags |= ABI_O_LARGEFILE;
	return fd_give(task, file, flags & O_CLOEXEC);
}

/* at.h - what the handlers of names share: where a path begins, and the small conversions. */
#ifndef SYSCALLS_AT_H
#define SYSCALLS_AT_H

#include "fs/dentry.h"
#include "fs/namei.h"
#include "sentry/task.h"

/* A place to walk from, for the time of one call. */
struct at {
	struct walker walker;
	struct file *dir; /* counted: the file of dirfd; NULL: the working directory */
};

/* dirfd as the *at calls know it. -EBADF, -ENOTDIR (a relative path from a file that has no place). at_end must follow.
 */
must_check int at_begin(struct task *task, int dirfd, const char *path, struct at *at);
void at_end(struct at *at);

/* at_begin and walk. Gives the place. */
must_check int at_walk(struct task *task, int dirfd, const char *path, uint32_t walk_flags, struct path *out);

/* The soft limit on descriptors. */
uint64_t nofile_limit(const struct task *task);
/* Installs the file at the lowest free number; gives the reference back when it fails. The number or -errno. */
must_check long fd_give(struct task *task, struct file *file, bool cloexec);
/* The same for what open(2) and its kin have opened with these flags. */
must_check long fd_give_opened(struct task *task, struct file *file, uint32_t flags);

#endif

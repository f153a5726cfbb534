/* path.c - opening files, and the calls that make and change names (open(2), openat2(2), mkdir(2), rename(2) ...).
 *
 * Each call finds where its paths begin (syscalls/at.c) and hands over to fs/namei.h. What stat and its kin tell is in
 * syscalls/path_stat.c, attributes are changed in syscalls/path_attr.c.
 */
#include "fs/fdtable.h"
#include "sentry/abi/fcntl.h"
#include "sentry/base/limits.h"
#include "syscalls/at.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------------------------------------ open */

static long open_at(struct task *task, int dirfd, const char *path, uint32_t flags, uint32_t mode, uint32_t walk_flags)
{
	struct at at;
	struct file *file;
	/* With RESOLVE_IN_ROOT an absolute path begins at dirfd, too. */
	const char *begin = walk_flags & WALK_IN_ROOT && *path == '/' ? "." : path;
	int error = at_begin(task, dirfd, begin, &at);

	if (error)
		return error;
	error = fd_room(task->files, nofile_limit(task)); /* nothing is made when there is no number for it */
	if (!error)
		error = walk_open(&at.walker, path, flags, mode, walk_flags, &file);
	at_end(&at);
	return error ? error : fd_give_opened(task, file, flags);
}

static long open_checked(struct task *task, int dirfd, const char *path, uint32_t flags, uint32_t mode)
{
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if (flags & O_CREAT && flags & O_DIRECTORY)
		return -EINVAL; /* since Linux 6.4; before, directories were opened and files made */
	return open_at(task, dirfd, path, flags, mode, 0);
}

long sys_open(struct task *task, const char *path, uint32_t flags, uint32_t mode)
{
	return open_checked(task, AT_FDCWD, path, flags, mode);
}

long sys_openat(struct task *task, int dirfd, const char *path, uint32_t flags, uint32_t mode)
{
	return open_checked(task, dirfd, path, flags, mode);
}

long sys_creat(struct task *task, const char *path, uint32_t mode)
{
	return open_checked(task, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* RESOLVE_* as WALK_*; RESOLVE_CACHED is only a hint that may fail, which -EAGAIN is for: we can always go on. */
static int resolve_flags(uint64_t resolve, uint32_t *out)
{
	static const struct {
		uint32_t resolve, walk;
	} pairs[] = {{ABI_RESOLVE_NO_XDEV, WALK_NO_XDEV},
		     {ABI_RESOLVE_NO_MAGICLINKS, WALK_NO_MAGICLINKS},
		     {ABI_RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINKS | WALK_NO_MAGICLINKS},
		     {ABI_RESOLVE_BENEATH, WALK_BENEATH},
		     {ABI_RESOLVE_IN_ROOT, WALK_IN_ROOT},
		     {ABI_RESOLVE_CACHED, 0}};

	*out = 0;
	for (unsigned i = 0; i < COUNT(pairs); i++) {
		if (resolve & pairs[i].resolve)
			*out |= pairs[i].walk;
		resolve &= ~(uint64_t)pairs[i].resolve;
	}
	if (resolve || (*out & WALK_BENEATH && *out & WALK_IN_ROOT))
		return -EINVAL;
	return 0;
}

#define OPEN_FLAGS_KNOWN                                                                                               \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_ASYNC |      \
	 O_DIRECT | ABI_O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE)

/* build_open_flags in Linux: openat2 refuses what open ignores. */
static int check_how(const struct abi_open_how *how)
{
	bool creates = how->flags & O_CREAT || (how->flags & O_TMPFILE) == O_TMPFILE;

	if (how->flags & ~(uint64_t)OPEN_FLAGS_KNOWN || how->mode & ~07777ull || (how->mode && !creates))
		return -EINVAL;
	if (how->flags & O_CREAT && how->flags & O_DIRECTORY)
		return -EINVAL;
	if (how->flags & O_PATH && how->flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
		return -EINVAL;
	return 0;
}

/* The structure may grow: what we do not know must be zero. */
static int read_how(struct task *task, struct uaddr from, uint64_t size, struct abi_open_how *how)
{
	char more[256];

	if (size < ABI_OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	int error = user_read(task_user(task), how, from, sizeof *how);
	for (uint64_t at = sizeof *how; at < size && !error;) {
		size_t n = MIN(size - at, sizeof more);
		error = user_read(task_user(task), more, uaddr_add(from, at), n);
		for (size_t i = 0; i < n && !error; i++)
			if (more[i])
				return -E2BIG;
		at += n;
	}
	return error;
}

long sys_openat2(struct task *task, int dirfd, const char *path, struct uaddr how_at, uint64_t size)
{
	struct abi_open_how how;
	uint32_t walk_flags;
	int error = read_how(task, how_at, size, &how);

	if (!error)
		error = check_how(&how);
	if (!error)
		error = resolve_flags(how.resolve, &walk_flags);
	if (error)
		return error;
	return open_at(task, dirfd, path, (uint32_t)how.flags, (uint32_t)how.mode, walk_flags);
}

/* ------------------------------------------------------------------------------------------------ names */

static long mknod_at(struct task *task, int dirfd, const char *path, uint32_t mode, uint64_t rdev)
{
	struct at at;
	long error = at_begin(task, dirfd, path, &at);

	if (error)
		return error;
	error = walk_mknod(&at.walker, path, mode, rdev);
	at_end(&at);
	return error;
}

long sys_mkdirat(struct task *task, int dirfd, const char *path, uint32_t mode)
{
	return mknod_at(task, dirfd, path, S_IFDIR | (mode & (0777 | S_ISVTX)), 0);
}

long sys_mkdir(struct task *task, const char *path, uint32_t mode)
{
	return sys_mkdirat(task, AT_FDCWD, path, mode);
}

long sys_mknodat(struct task *task, int dirfd, const char *path, uint32_t mode, uint32_t dev)
{
	uint32_t type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;

	if (S_ISDIR(type))
		return -EPERM;
	if (!S_ISREG(type) && !S_ISFIFO(type) && !S_ISSOCK(type) && !S_ISCHR(type) && !S_ISBLK(type))
		return -EINVAL;
	return mknod_at(task, dirfd, path, type | (mode & 07777), S_ISCHR(type) || S_ISBLK(type) ? dev : 0);
}

long sys_mknod(struct task *task, const char *path, uint32_t mode, uint32_t dev)
{
	return sys_mknodat(task, AT_FDCWD, path, mode, dev);
}

long sys_symlinkat(struct task *task, const char *target, int dirfd, const char *path)
{
	struct at at;
	long error = at_begin(task, dirfd, path, &at);

	if (error)
		return error;
	error = walk_symlink(&at.walker, target, path);
	at_end(&at);
	return error;
}

long sys_symlink(struct task *task, const char *target, const char *path)
{
	return sys_symlinkat(task, target, AT_FDCWD, path);
}

long sys_linkat(struct task *task, int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
		uint32_t flags)
{
	struct at from, to;
	uint32_t walk_flags = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;

	if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		if (!*old_path && !cred_capable(task->cred, CAP_DAC_READ_SEARCH))
			return -ENOENT;
		walk_flags |= WALK_EMPTY;
	}
	long error = at_begin(task, old_dirfd, old_path, &from);
	if (error == -ENOTDIR && !*old_path && flags & AT_EMPTY_PATH)
		error = -EXDEV; /* a pipe or the like: of no file system that has names */
	if (error)
		return error;
	error = at_begin(task, new_dirfd, new_path, &to);
	if (!error) {
		error = walk_link(&from.walker, old_path, &to.walker, new_path, walk_flags);
		at_end(&to);
	}
	at_end(&from);
	return error;
}

long sys_link(struct task *task, const char *old_path, const char *new_path)
{
	return sys_linkat(task, AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

long sys_unlinkat(struct task *task, int dirfd, const char *path, uint32_t flags)
{
	struct at at;

	if (flags & ~(uint32_t)AT_REMOVEDIR)
		return -EINVAL;
	long error = at_begin(task, dirfd, path, &at);
	if (error)
		return error;
	error = walk_unlink(&at.walker, path, flags & AT_REMOVEDIR);
	at_end(&at);
	return error;
}

long sys_unlink(struct task *task, const char *path)
{
	return sys_unlinkat(task, AT_FDCWD, path, 0);
}

long sys_rmdir(struct task *task, const char *path)
{
	return sys_unlinkat(task, AT_FDCWD, path, AT_REMOVEDIR);
}

long sys_renameat2(struct task *task, int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
		   uint32_t flags)
{
	struct at from, to;
	long error = at_begin(task, old_dirfd, old_path, &from);

	if (error)
		return error;
	error = at_begin(task, new_dirfd, new_path, &to);
	if (!error) {
		error = walk_rename(&from.walker, old_path, &to.walker, new_path, flags);
		at_end(&to);
	}
	at_end(&from);
	return error;
}

long sys_renameat(struct task *task, int old_dirfd, const char *old_path, int new_dirfd, const char *new_path)
{
	return sys_renameat2(task, old_dirfd, old_path, new_dirfd, new_path, 0);
}

long sys_rename(struct task *task, const char *old_path, const char *new_path)
{
	return sys_renameat2(task, AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

/* ------------------------------------------------------------------------------------------------ where a task is */

long sys_getcwd(struct task *task, struct uaddr buffer, uint64_t size)
{
	char text[PATH_LIMIT];

	if (path_is_unlinked(&task->fs->cwd))
		return -ENOENT;
	ssize_t length = path_name(&task->fs->cwd, &task->fs->root, text, sizeof text);
	if (length < 0)
		return length;
	if ((uint64_t)length + 1 > size)
		return -ERANGE;
	int error = user_write(task_user(task), buffer, text, (size_t)length + 1);
	return error ? error : length + 1;
}

/* The place becomes the working directory or the root. Takes it, whatever comes of it. */
static long enter_place(struct task *task, struct path *member, struct path *place)
{
	int error =
		S_ISDIR(place->dentry->inode->mode) ? inode_permission(place->dentry->inode, task->cred, 1) : -ENOTDIR;

	if (!error && member == &task->fs->root && !cred_capable(task->cred, CAP_SYS_CHROOT))
		error = -EPERM;
	if (error) {
		path_put(place);
		return error;
	}
	struct path before = *member;
	*member = *place;
	path_put(&before);
	return 0;
}

long sys_chdir(struct task *task, const char *path)
{
	struct path place;
	int error = at_walk(task, AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &place);

	return error ? error : enter_place(task, &task->fs->cwd, &place);
}

long sys_fchdir(struct task *task, struct file *file)
{
	struct path place = file->path;

	if (!place.dentry)
		return -ENOTDIR;
	path_get(&place);
	return enter_place(task, &task->fs->cwd, &place);
}

long sys_chroot(struct task *task, const char *path)
{
	struct path place;
	int error = at_walk(task, AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &place);

	return error ? error : enter_place(task, &task->fs->root, &place);
}

long sys_umask(struct task *task, uint32_t mask)
{
	uint32_t before = task->fs->umask;

	task->fs->umask = mask & 0777;
	return before;
}

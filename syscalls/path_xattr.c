/* path_xattr.c - extended attributes (xattr(7)).
 *
 * Limits: no access control lists (system.posix_acl_*: EOPNOTSUPP); on host directories there are none.
 */
#include "fs/bounce.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "sentry/base/limits.h"
#include "syscalls/at.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/xattr.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

_Static_assert(XATTR_SIZE_LIMIT <= BOUNCE_BYTES, "a value fits into a buffer");

static int check_name(const char *name)
{
	size_t length = strlen(name);

	return length == 0 || length > XATTR_NAME_MAX ? -ERANGE : 0;
}

/* xattr_permission in Linux. */
static int may_xattr(struct inode *inode, const struct cred *cred, const char *name, bool write)
{
	if (!strncmp(name, XATTR_TRUSTED_PREFIX, XATTR_TRUSTED_PREFIX_LEN))
		return cred_capable(cred, CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
	if (!strncmp(name, XATTR_SECURITY_PREFIX, XATTR_SECURITY_PREFIX_LEN))
		return !write || cred_capable(cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
	if (strncmp(name, XATTR_USER_PREFIX, XATTR_USER_PREFIX_LEN))
		return 0;
	if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
		return write ? -EPERM : -ENODATA;
	if (write && inode->mode & S_ISVTX && S_ISDIR(inode->mode) && inode->uid != cred->fsuid &&
	    !cred_capable(cred, CAP_FOWNER))
		return -EPERM;
	return inode_permission(inode, cred, write ? 2 : 4);
}

/* ------------------------------------------------------------------------------------------------ on inodes */

static long set_value(struct task *task, struct inode *inode, const char *name, struct uaddr value, uint64_t size,
		      int flags)
{
	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	int error = check_name(name);
	if (error)
		return error;
	if (size > XATTR_SIZE_LIMIT)
		return -E2BIG;
	char *bounce = bounce_get();
	if (!bounce)
		return -ENOMEM;
	error = user_read(task_user(task), bounce, value, size);
	if (!error)
		error = may_xattr(inode, task->cred, name, true);
	if (!error)
		error = inode_ops(inode)->setxattr ? inode_ops(inode)->setxattr(inode, name, bounce, size, flags)
						   : -EOPNOTSUPP;
	bounce_put(bounce);
	if (!error)
		notify_inode(inode, IN_ATTRIB);
	return error;
}

static long get_value(struct task *task, struct inode *inode, const char *name, struct uaddr value, uint64_t size)
{
	int error = check_name(name);

	if (!error)
		error = may_xattr(inode, task->cred, name, false);
	if (error)
		return error;
	if (!inode_ops(inode)->getxattr)
		return -EOPNOTSUPP;
	char *bounce = bounce_get();
	if (!bounce)
		return -ENOMEM;
	ssize_t length = inode_ops(inode)->getxattr(inode, name, bounce, MIN(size, (uint64_t)XATTR_SIZE_LIMIT));
	if (length > 0 && size) {
		error = user_write(task_user(task), value, bounce, (size_t)length);
		if (error)
			length = error;
	}
	bounce_put(bounce);
	return length;
}

/* Names that only the administrator may know of are left out for others. Returns the bytes that stay. */
static size_t hide_trusted(const struct cred *cred, char *names, size_t bytes)
{
	size_t kept = 0;

	if (cred_capable(cred, CAP_SYS_ADMIN))
		return bytes;
	for (size_t at = 0, length; at < bytes; at += length) {
		length = strlen(names + at) + 1;
		if (!strncmp(names + at, XATTR_TRUSTED_PREFIX, XATTR_TRUSTED_PREFIX_LEN))
			continue;
		memmove(names + kept, names + at, length);
		kept += length;
	}
	return kept;
}

static long list_names(struct task *task, struct inode *inode, struct uaddr names, uint64_t size)
{
	if (!inode_ops(inode)->listxattr)
		return 0;
	char *bounce = bounce_get();
	if (!bounce)
		return -ENOMEM;
	ssize_t length = inode_ops(inode)->listxattr(inode, bounce, XATTR_SIZE_LIMIT);
	if (length == -ERANGE)
		length = -E2BIG;
	if (length > 0)
		length = (ssize_t)hide_trusted(task->cred, bounce, (size_t)length);
	if (length > 0 && size && (uint64_t)length > size)
		length = -ERANGE;
	if (length > 0 && size) {
		int error = user_write(task_user(task), names, bounce, (size_t)length);
		if (error)
			length = error;
	}
	bounce_put(bounce);
	return length;
}

static long remove_name(struct task *task, struct inode *inode, const char *name)
{
	int error = check_name(name);

	if (!error)
		error = may_xattr(inode, task->cred, name, true);
	if (error)
		return error;
	error = inode_ops(inode)->removexattr ? inode_ops(inode)->removexattr(inode, name) : -EOPNOTSUPP;
	if (!error)
		notify_inode(inode, IN_ATTRIB);
	return error;
}

/* ------------------------------------------------------------------------------------------------ by path and
 * descriptor */

static bool is_read_only(const struct path *place)
{
	return place->mount && mount_is_read_only(place->mount);
}

/* Which of the four, and with what. */
struct request {
	enum { SET, GET, LIST, REMOVE } what;
	const char *name;
	struct uaddr data;
	uint64_t size;
	int flags;
};

static long act(struct task *task, struct inode *inode, const struct path *place, const struct request *request)
{
	if ((request->what == SET || request->what == REMOVE) && is_read_only(place))
		return -EROFS;
	switch (request->what) {
	case SET:
		return set_value(task, inode, request->name, request->data, request->size, request->flags);
	case GET:
		return get_value(task, inode, request->name, request->data, request->size);
	case LIST:
		return list_names(task, inode, request->data, request->size);
	default:
		return remove_name(task, inode, request->name);
	}
}

static long by_path(struct task *task, const char *path, uint32_t walk_flags, const struct request *request)
{
	struct path place;
	long result = at_walk(task, AT_FDCWD, path, walk_flags, &place);

	if (result)
		return result;
	result = act(task, place.dentry->inode, &place, request);
	path_put(&place);
	return result;
}

long sys_setxattr(struct task *task, const char *path, const char *name, struct uaddr value, uint64_t size, int flags)
{
	struct request request = {SET, name, value, size, flags};

	return by_path(task, path, WALK_FOLLOW, &request);
}

long sys_lsetxattr(struct task *task, const char *path, const char *name, struct uaddr value, uint64_t size, int flags)
{
	struct request request = {SET, name, value, size, flags};

	return by_path(task, path, 0, &request);
}

long sys_fsetxattr(struct task *task, struct file *file, const char *name, struct uaddr value, uint64_t size, int flags)
{
	struct request request = {SET, name, value, size, flags};

	return act(task, file->inode, &file->path, &request);
}

long sys_getxattr(struct task *task, const char *path, const char *name, struct uaddr value, uint64_t size)
{
	struct request request = {GET, name, value, size, 0};

	return by_path(task, path, WALK_FOLLOW, &request);
}

long sys_lgetxattr(struct task *task, const char *path, const char *name, struct uaddr value, uint64_t size)
{
	struct request request = {GET, name, value, size, 0};

	return by_path(task, path, 0, &request);
}

long sys_fgetxattr(struct task *task, struct file *file, const char *name, struct uaddr value, uint64_t size)
{
	struct request request = {GET, name, value, size, 0};

	return act(task, file->inode, &file->path, &request);
}

long sys_listxattr(struct task *task, const char *path, struct uaddr names, uint64_t size)
{
	struct request request = {LIST, NULL, names, size, 0};

	return by_path(task, path, WALK_FOLLOW, &request);
}

long sys_llistxattr(struct task *task, const char *path, struct uaddr names, uint64_t size)
{
	struct request request = {LIST, NULL, names, size, 0};

	return by_path(task, path, 0, &request);
}

long sys_flistxattr(struct task *task, struct file *file, struct uaddr names, uint64_t size)
{
	struct request request = {LIST, NULL, names, size, 0};

	return act(task, file->inode, &file->path, &request);
}

long sys_removexattr(struct task *task, const char *path, const char *name)
{
	struct request request = {REMOVE, name, UADDR_NULL, 0, 0};

	return by_path(task, path, WALK_FOLLOW, &request);
}

long sys_lremovexattr(struct task *task, const char *path, const char *name)
{
	struct request request = {REMOVE, name, UADDR_NULL, 0, 0};

	return by_path(task, path, 0, &request);
}

long sys_fremovexattr(struct task *task, struct file *file, const char *name)
{
	struct request request = {REMOVE, name, UADDR_NULL, 0, 0};

	return act(task, file->inode, &file->path, &request);
}

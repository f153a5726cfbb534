/* hostnames.c - what changes a writable host directory (--rw): each operation is one host call on names in directories
 * that were opened beneath the mount, so nothing outside can be reached. The host's errors (ENOSPC, EACCES, EROFS ...)
 * pass through.
 *
 * What guests make belongs to the sentry's own host user, who shows as the sandbox's user (fs/host.c). Read-only trees
 * never get here: their mounts refuse first; the operations refuse again.
 *
 * Limits: no FIFOs, sockets or devices (EPERM); no change of owner but to what it is already (EPERM); no extended
 * attributes.
 */
#include "fs/host.h"
#include "platform/host.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>

static int writable_dir_fd(struct inode *dir)
{
	return host_fs(dir->sb)->writable ? host_dir_fd(dir) : -EROFS;
}

static void changed(struct inode *inode)
{
	host_node(inode)->checked_ns = 0;
	if (!S_ISDIR(inode->mode))
		return;
	host_node(inode)->listed_ns = 0;
	(void)!host_refresh(inode);
}

/* The host's umask may have taken bits away; a new file shall have those that the guest's call decided on. */
static int give_mode(struct inode *inode, uint32_t mode)
{
	if ((inode->mode & 07777) == (mode & 07777))
		return 0;
	struct setattr change = {.valid = ATTR_MODE, .mode = mode};
	return host_setattr(inode, &change);
}

int host_create(struct inode *dir, const char *name, uint32_t mode, uint64_t rdev, struct cred *cred,
		struct inode **out)
{
	int dir_fd = writable_dir_fd(dir), error;
	struct inode *inode;

	(void)rdev;
	(void)cred;
	if (dir_fd < 0)
		return dir_fd;
	if (S_ISDIR(mode)) {
		error = host_mkdirat(dir_fd, name, mode & 07777);
	} else if (S_ISREG(mode)) {
		error = host_open_beneath(dir_fd, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, mode & 07777);
		if (error >= 0)
			error = host_close(error) ? -EIO : 0;
	} else {
		return -EPERM;
	}
	if (!error)
		error = host_lookup(dir, name, &inode);
	if (error)
		return error;
	(void)!give_mode(inode, mode); /* it exists: the mode is second */
	changed(dir);
	*out = inode;
	return 0;
}

int host_symlink(struct inode *dir, const char *name, const char *target, struct cred *cred, struct inode **out)
{
	int dir_fd = writable_dir_fd(dir);

	(void)cred;
	if (dir_fd < 0)
		return dir_fd;
	int error = host_symlinkat(target, dir_fd, name);
	if (!error)
		error = host_lookup(dir, name, out);
	changed(dir);
	return error;
}

/* A descriptor by which the inode can be named, whatever it is open for. */
static int handle(struct inode *inode, bool *close)
{
	const struct host_node *node = host_node(inode);

	*close = node->file == HOSTFILE_NONE;
	return *close ? host_open_node(inode, O_PATH) : hostfile_fd(node->file);
}

int host_link_inode(struct inode *dir, const char *name, struct inode *inode)
{
	bool close;
	int dir_fd = writable_dir_fd(dir);

	if (dir_fd < 0)
		return dir_fd;
	int fd = handle(inode, &close);
	if (fd < 0)
		return fd;
	/* Opening the inode may have closed the directory again. */
	dir_fd = host_dir_fd(dir);
	int error = dir_fd < 0 ? dir_fd : host_link(fd, dir_fd, name);
	if (close)
		host_close(fd);
	if (!error && host_refresh(inode))
		inode->nlink++; /* it is done, whatever the host says now */
	changed(dir);
	return error;
}

static int remove_name(struct inode *dir, const char *name, struct inode *inode, int flags)
{
	int dir_fd = writable_dir_fd(dir);

	if (dir_fd < 0)
		return dir_fd;
	int error = host_unlinkat(dir_fd, name, flags);
	if (error)
		return error;
	changed(dir);
	/* Whoever has it open still sees it through that descriptor; a link elsewhere will be looked up by its own
	 * name. */
	if (host_node(inode)->file == HOSTFILE_NONE || host_refresh(inode))
		inode->nlink = flags & AT_REMOVEDIR ? 0 : inode->nlink - (inode->nlink > 0);
	return 0;
}

int host_unlink(struct inode *dir, const char *name, struct inode *inode)
{
	return remove_name(dir, name, inode, 0);
}

int host_rmdir(struct inode *dir, const char *name, struct inode *inode)
{
	int error = remove_name(dir, name, inode, AT_REMOVEDIR);

	if (!error)
		inode->nlink = 0;
	return error;
}

int host_rename(struct inode *old_dir, const char *old_name, struct inode *new_dir, const char *new_name,
		uint32_t flags)
{
	struct inode *moved = NULL, *other = NULL;
	int old_fd = writable_dir_fd(old_dir), new_fd = writable_dir_fd(new_dir);

	if (old_fd < 0 || new_fd < 0)
		return old_fd < 0 ? old_fd : new_fd;
	old_fd = host_dir_fd(old_dir); /* opening the second may have closed the first */
	int error = old_fd < 0 ? old_fd : host_lookup(old_dir, old_name, &moved);
	if (error)
		return error;
	if (host_lookup(new_dir, new_name, &other))
		other = NULL;
	/* Looking up has moved what each inode believes of its place; the rename moves it again. */
	error = host_renameat2(old_fd, old_name, new_fd, new_name, flags);
	if (!error) {
		/* It is done. Without memory for the new place the next look at the name puts it right. */
		(void)!host_place_set(moved, new_dir, new_name);
		if (other && flags & RENAME_EXCHANGE)
			(void)!host_place_set(other, old_dir, old_name);
		changed(old_dir);
		changed(new_dir);
		host_node(moved)->checked_ns = 0;
	}
	inode_put(moved);
	if (other) {
		if (!error && !(flags & RENAME_EXCHANGE))
			other->nlink = S_ISDIR(other->mode) ? 0 : other->nlink - (other->nlink > 0);
		inode_put(other);
	}
	return error;
}

/* ------------------------------------------------------------------------------------------------ attributes */

static struct timespec when(const struct setattr *change, uint32_t which, const struct fs_time *time)
{
	if (!(change->valid & which))
		return (struct timespec){.tv_nsec = UTIME_OMIT};
	return (struct timespec){time->s, time->ns};
}

static int set_times(int fd, const struct setattr *change)
{
	struct timespec times[2] = {when(change, ATTR_ATIME, &change->atime), when(change, ATTR_MTIME, &change->mtime)};

	return host_utimens(fd, times);
}

static int set_size(struct inode *inode, uint64_t size)
{
	int fd = host_open_node(inode, O_WRONLY | O_NONBLOCK);

	if (fd < 0)
		return fd;
	int error = host_ftruncate(fd, (int64_t)size);
	host_close(fd);
	return error;
}

int host_setattr(struct inode *inode, const struct setattr *change)
{
	bool close;

	if (!host_fs(inode->sb)->writable)
		return -EROFS;
	if ((change->valid & ATTR_UID && change->uid != inode->uid) ||
	    (change->valid & ATTR_GID && change->gid != inode->gid))
		return -EPERM;
	if (change->valid & ATTR_SIZE) {
		int error = change->size > INT64_MAX ? -EFBIG : set_size(inode, change->size);
		if (error)
			return error;
	}
	if (change->valid & (ATTR_MODE | ATTR_ATIME | ATTR_MTIME)) {
		int fd = handle(inode, &close), error = fd < 0 ? fd : 0;
		if (!error && change->valid & ATTR_MODE)
			error = host_chmod(fd, change->mode & 07777);
		if (!error && change->valid & (ATTR_ATIME | ATTR_MTIME))
			error = set_times(fd, change);
		if (fd >= 0 && close)
			host_close(fd);
		if (error)
			return error;
	}
	return host_refresh(inode);
}

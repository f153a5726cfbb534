/* open.c - open(2): the walk's last component found or made, the checks of may_open in Linux, the open file.
 *
 * A new file is created in one step between two PARKS points of the file system, so O_EXCL holds. What kind of open
 * file it becomes is the file system's choice (inode_ops.open), but for FIFOs and devices, which are the same
 * everywhere.
 *
 * Limits: O_NOATIME is checked and otherwise only kept; O_DIRECT is kept.
 */
#include "fs/lease.h"
#include "fs/notify.h"
#include "fs/walk.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

typedef int special_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
			 struct file **out);
static special_open *open_fifo, *open_device;

void special_open_register(uint32_t type, special_open *open)
{
	if (type == S_IFIFO)
		open_fifo = open;
	else
		open_device = open;
}

/* What the caller wants of the open. */
struct wish {
	uint32_t flags, mode;
	bool created;
};

static int access_of(uint32_t flags)
{
	static const int may[] = {4, 2, 6, 6};

	return may[flags & O_ACCMODE] | (flags & O_TRUNC ? 2 : 0);
}

/* may_create_in_sticky in Linux: protected_fifos and protected_regular. */
static int may_reuse(const struct dentry *parent, const struct inode *inode, const struct cred *cred)
{
	int level = S_ISFIFO(inode->mode) ? fs_protection.fifos : S_ISREG(inode->mode) ? fs_protection.regular : 0;
	const struct inode *dir = parent ? parent->inode : NULL;

	if (!level || !dir || !(dir->mode & S_ISVTX) || inode->uid == dir->uid || inode->uid == cred->fsuid)
		return 0;
	return dir->mode & S_IWOTH || (level >= 2 && dir->mode & S_IWGRP) ? -EACCES : 0;
}

/* The rights to an existing file: may_open in Linux. */
static int may_open(const struct path *path, const struct wish *wish, const struct cred *cred)
{
	struct inode *inode = path->dentry->inode;
	uint32_t flags = wish->flags;

	if (flags & O_DIRECTORY && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (S_ISLNK(inode->mode))
		return -ELOOP;
	if (S_ISDIR(inode->mode) && (flags & O_CREAT || access_of(flags) & 2))
		return -EISDIR;
	if ((S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) && path->mount->flags & MS_NODEV)
		return -EACCES;
	if (flags & O_CREAT) {
		int error = may_reuse(path->dentry->parent, inode, cred);
		if (error)
			return error;
	}
	int error = inode_permission(inode, cred, access_of(flags));
	if (!error && flags & O_NOATIME && cred->fsuid != inode->uid && !cred_capable(cred, CAP_FOWNER))
		error = -EPERM;
	if (!error && access_of(flags) & 2 && (S_ISREG(inode->mode) || S_ISDIR(inode->mode)))
		error = mount_want_write(path->mount);
	if (!error && access_of(flags) & 2 && inode->deny_writers)
		error = -ETXTBSY;
	return error;
}

static int open_by_type(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
			struct file **out)
{
	special_open *special = NULL;

	if (S_ISSOCK(inode->mode))
		return -ENXIO;
	/* What the sandbox was started with is opened again by its own means, be it a pipe or a terminal. */
	if (inode->kind == INODE_STDIO)
		special = inode_ops(inode)->open;
	else if (S_ISFIFO(inode->mode))
		special = open_fifo;
	else if ((S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) && inode->kind != INODE_DEV &&
		 inode->kind != INODE_DEVPTS)
		special = open_device;
	else
		special = inode_ops(inode)->open;
	return special ? special(inode, path, flags, cred, out) : -ENXIO;
}

/* Opens what path leads to. The permission checks have been made, or do not apply to a file that was just created. */
static int open_place(const struct path *path, const struct wish *wish, struct cred *cred, struct file **out)
{
	struct inode *inode = path->dentry->inode;
	uint32_t flags = wish->flags;

	if (flags & O_PATH) {
		*out = file_new(FILE_PATH, flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW), inode, path, cred);
		return *out ? 0 : file_refusal();
	}
	bool truncate = flags & O_TRUNC && S_ISREG(inode->mode) && !wish->created;
	struct file *file;
	int error = S_ISREG(inode->mode) && inode->leases
			    ? lease_break(inode, access_of(flags) & 2 || truncate, flags & O_NONBLOCK)
			    : 0;
	if (error)
		return error;
	error = open_by_type(inode, path, flags & ~(uint32_t)(O_CREAT | O_EXCL), cred, &file);
	if (error)
		return error;
	file->created = wish->created;
	notify_dentry(path->dentry, IN_OPEN);
	if (truncate) {
		struct setattr change = {.valid = ATTR_SIZE};
		inode_drop_setid(inode, cred);
		error = inode_ops(inode)->setattr ? inode_ops(inode)->setattr(inode, &change) : -EINVAL;
		if (!error)
			notify_dentry(path->dentry, IN_MODIFY);
	}
	if (error)
		file_put(file);
	else
		*out = file;
	return error;
}

/* Makes the file that the negative dentry names. */
static int create_last(struct nd *nd, struct dentry *child, struct wish *wish)
{
	struct inode *dir = nd->at.dentry->inode, *inode;
	uint32_t mode = S_IFREG | (wish->mode & 07777 & ~nd->walker->context->umask);
	int error = mount_want_write(nd->at.mount);

	if (!error)
		error = may_create(nd->at.dentry, nd->walker->cred);
	if (!error && !inode_ops(dir)->create)
		error = -EACCES;
	if (!error)
		error = inode_ops(dir)->create(dir, child->name, mode, 0, nd->walker->cred, &inode);
	if (error)
		return error;
	if (child->inode) { /* entered by another look-up while the creation was parked */
		inode_put(inode);
		return 0;
	}
	dentry_become(child, inode);
	inode_put(inode);
	notify_child(dir, child->name, inode, IN_CREATE, 0);
	wish->created = true;
	return 0;
}

/* The last component of an open: opens it, or finds that a link leads further (*more). */
static int open_last(struct nd *nd, struct wish *wish, struct dentry *child, bool *more)
{
	bool arrived = false, follow = nd->flags & WALK_FOLLOW || nd->slash || nd->must_be_directory;
	int error;

	if (!child->inode) {
		if (!(wish->flags & O_CREAT)) {
			dentry_put(child);
			return -ENOENT;
		}
		error = create_last(nd, child, wish);
		if (error) {
			dentry_put(child);
			return error;
		}
	} else if (wish->flags & O_CREAT && wish->flags & O_EXCL) {
		dentry_put(child);
		return -EEXIST;
	}
	if (!S_ISLNK(child->inode->mode) || !follow)
		return walk_step(nd, child);
	error = walk_follow(nd, child, true, &arrived);
	dentry_put(child);
	*more = !error && !arrived;
	return error;
}

static int open_step(struct nd *nd, struct wish *wish, bool *more)
{
	struct dentry *child;
	int error = walk_parent(nd);

	*more = false;
	if (error)
		return error;
	if (nd->type != LAST_NORMAL)
		return wish->flags & O_CREAT ? -EISDIR : walk_dots(nd);
	if (nd->slash && wish->flags & O_CREAT)
		return -EISDIR;
	error = walk_child(nd, &child);
	return error ? error : open_last(nd, wish, child, more);
}

/* O_TMPFILE: the path is a directory in which the file has no name. */
static int open_unnamed(const struct walker *walker, const char *path, const struct wish *wish, uint32_t walk_flags,
			struct file **out)
{
	struct path dir;
	struct inode *inode = NULL;
	int error = walk(walker, path, walk_flags | WALK_FOLLOW | WALK_DIRECTORY, &dir);

	if (error)
		return error;
	struct inode *parent = dir.dentry->inode;
	error = mount_want_write(dir.mount);
	if (!error)
		error = inode_permission(parent, walker->cred, 3);
	if (!error && !inode_ops(parent)->tmpfile)
		error = -EOPNOTSUPP;
	if (!error)
		error = inode_ops(parent)->tmpfile(parent, S_IFREG | (wish->mode & 07777 & ~walker->context->umask),
						   walker->cred, &inode);
	if (!error) {
		char name[24];
		struct path place = {.mount = dir.mount};
		int length = snprintf(name, sizeof name, "#%lu", inode->ino);
		inode->linkable = !(wish->flags & O_EXCL);
		place.dentry = dentry_add(dir.dentry, name, (size_t)length, inode);
		inode_put(inode);
		if (place.dentry) {
			struct wish open = {.flags = wish->flags & ~(uint32_t)O_EXCL, .created = true};
			dentry_drop(place.dentry);
			error = open_place(&place, &open, walker->cred, out);
			dentry_put(place.dentry);
		} else {
			error = -ENOMEM;
		}
	}
	path_put(&dir);
	return error;
}

/* An empty path with AT_EMPTY_PATH is the file that the descriptor names (the table gives its place as start). */
int walk_open(const struct walker *walker, const char *path, uint32_t flags, uint32_t mode, uint32_t walk_flags,
	      struct file **out)
{
	struct wish wish = {.flags = flags, .mode = mode};
	struct nd nd;
	bool more = *path;

	if (flags & O_PATH)
		wish.flags = flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return access_of(flags) & 2 ? open_unnamed(walker, path, &wish, walk_flags, out) : -EINVAL;
	if (!(flags & O_NOFOLLOW) && !(flags & O_CREAT && flags & O_EXCL))
		walk_flags |= WALK_FOLLOW;
	int error = walk_begin(&nd, walker, path, walk_flags);
	if (error)
		return error;
	while (!error && more)
		error = open_step(&nd, &wish, &more);
	if (!error && nd.must_be_directory && !S_ISDIR(nd.at.dentry->inode->mode))
		error = -ENOTDIR;
	if (!error && !wish.created)
		error = may_open(&nd.at, &wish, walker->cred);
	if (!error)
		error = open_place(&nd.at, &wish, walker->cred, out);
	walk_end(&nd);
	return error;
}

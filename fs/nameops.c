/* nameops.c - what changes names: mknod, mkdir, symlink, link, unlink, rmdir, rename; and path_setattr.
 *
 * The order of checks is Linux's (fs/namei.c, fs/attr.c there), because programs see which error comes first. The file
 * system's operation is called last; after it the dentry cache is brought up to date. The calls of one guest run to a
 * PARKS point of a file system, so two of them may interleave there: file systems check again what they depend on (that
 * a name is still free, that a directory is still empty).
 */
#include "fs/notify.h"
#include "fs/walk.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int mount_want_write(const struct mount *mount)
{
	return mount_is_read_only(mount) ? -EROFS : 0;
}

int may_create(struct dentry *dir, const struct cred *cred)
{
	if (!dir->inode->nlink)
		return -ENOENT; /* removed while somebody is in it */
	return inode_permission(dir->inode, cred, 3);
}

int may_delete(struct dentry *dir, struct dentry *victim, const struct cred *cred, bool want_directory)
{
	const struct inode *inode = victim->inode, *parent = dir->inode;
	int error = inode_permission(dir->inode, cred, 3);

	if (error)
		return error;
	if (parent->mode & S_ISVTX && inode->uid != cred->fsuid && parent->uid != cred->fsuid &&
	    !cred_capable(cred, CAP_FOWNER))
		return -EPERM;
	if (want_directory != S_ISDIR(inode->mode))
		return want_directory ? -ENOTDIR : -EISDIR;
	return victim->mounts ? -EBUSY : 0;
}

/* Walks to where something new is to be made, and says whether it may: the parent in nd->at, the free name in child.
 * On success the caller puts child and ends the walk. filename_create in Linux. */
static int begin_create(struct nd *nd, const struct walker *walker, const char *path, uint32_t flags, bool directory,
			struct dentry **child)
{
	int error = walk_begin(nd, walker, path, flags);

	if (error)
		return error;
	error = walk_parent(nd);
	if (!error && nd->type != LAST_NORMAL)
		error = -EEXIST;
	if (!error)
		error = walk_child(nd, child);
	if (!error) {
		if ((*child)->inode)
			error = -EEXIST;
		else if (nd->slash && !directory)
			error = -ENOENT;
		else
			error = mount_want_write(nd->at.mount);
		if (!error)
			error = may_create(nd->at.dentry, walker->cred);
		if (error)
			dentry_put(*child);
	}
	if (error)
		walk_end(nd);
	return error;
}

/* The file system has made inode under child's name. Takes inode. */
static void end_create(struct nd *nd, struct dentry *child, struct inode *inode)
{
	if (inode) {
		if (!child->inode)
			dentry_become(child, inode);
		notify_child(nd->at.dentry->inode, child->name, inode, IN_CREATE, 0);
		inode_put(inode);
	}
	dentry_put(child);
	walk_end(nd);
}

int walk_mknod(const struct walker *walker, const char *path, uint32_t mode, uint64_t rdev)
{
	struct nd nd;
	struct dentry *child;
	struct inode *inode = NULL;
	int error = begin_create(&nd, walker, path, 0, S_ISDIR(mode), &child);

	if (error)
		return error;
	struct inode *dir = nd.at.dentry->inode;
	bool whiteout = S_ISCHR(mode) && !rdev;
	mode &= ~walker->context->umask;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !whiteout && !cred_capable(walker->cred, CAP_MKNOD))
		error = -EPERM;
	else if (!inode_ops(dir)->create)
		error = -EPERM;
	else
		error = inode_ops(dir)->create(dir, child->name, mode, rdev, walker->cred, &inode);
	end_create(&nd, child, inode);
	return error;
}

int walk_symlink(const struct walker *walker, const char *target, const char *path)
{
	struct nd nd;
	struct dentry *child;
	struct inode *inode = NULL;
	int error = *target ? begin_create(&nd, walker, path, 0, false, &child) : -ENOENT;

	if (error)
		return error;
	struct inode *dir = nd.at.dentry->inode;
	error = inode_ops(dir)->symlink ? inode_ops(dir)->symlink(dir, child->name, target, walker->cred, &inode)
					: -EPERM;
	end_create(&nd, child, inode);
	return error;
}

/* may_linkat in Linux: with protected_hardlinks one links only what one owns, or could read and write and is harmless.
 */
static int may_link(struct inode *inode, const struct cred *cred)
{
	if (!fs_protection.hardlinks || inode->uid == cred->fsuid || cred_capable(cred, CAP_FOWNER))
		return 0;
	if (!S_ISREG(inode->mode) || inode->mode & S_ISUID ||
	    (inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return -EPERM;
	return inode_permission(inode, cred, 6) ? -EPERM : 0;
}

int walk_link(const struct walker *from, const char *old_path, const struct walker *to, const char *new_path,
	      uint32_t walk_flags)
{
	struct path old;
	struct nd nd;
	struct dentry *child;
	int error = walk(from, old_path, walk_flags, &old);

	if (error)
		return error;
	error = begin_create(&nd, to, new_path, 0, false, &child);
	if (error) {
		path_put(&old);
		return error;
	}
	struct inode *dir = nd.at.dentry->inode, *inode = old.dentry->inode;
	if (old.mount != nd.at.mount)
		error = -EXDEV;
	if (!error)
		error = may_link(inode, to->cred);
	if (!error && (S_ISDIR(inode->mode) || !inode_ops(dir)->link))
		error = -EPERM;
	if (!error && !inode->nlink && !inode->linkable)
		error = -ENOENT;
	if (!error)
		error = inode_ops(dir)->link(dir, child->name, inode);
	if (!error) {
		inode->linkable = false;
		inode_get(inode);
		notify_inode(inode, IN_ATTRIB);
	}
	end_create(&nd, child, error ? NULL : inode);
	path_put(&old);
	return error;
}

/* What unlink or rmdir of a path like "." or "/" says. */
static int unlink_dots(const struct nd *nd, bool directory)
{
	if (!directory)
		return -EISDIR;
	return nd->type == LAST_DOT ? -EINVAL : nd->type == LAST_DOTDOT ? -ENOTEMPTY : -EBUSY;
}

static int unlink_child(struct nd *nd, struct dentry *child, bool directory)
{
	struct inode *dir = nd->at.dentry->inode, *inode = child->inode;
	const struct inode_ops *ops = inode_ops(dir);

	if (!inode)
		return -ENOENT;
	if (!directory && nd->slash)
		return S_ISDIR(inode->mode) ? -EISDIR : -ENOTDIR;
	int error = may_delete(nd->at.dentry, child, nd->walker->cred, directory);
	if (!error && !(directory ? ops->rmdir : ops->unlink))
		error = -EPERM;
	if (error)
		return error;
	inode_get(inode);
	error = (directory ? ops->rmdir : ops->unlink)(dir, child->name, inode);
	if (!error) {
		if (directory)
			dentry_drop_children(child);
		else
			notify_inode(inode, IN_ATTRIB);
		dentry_drop(child);
		notify_last_link(inode); /* Linux drops the inode first, if nobody has it open */
		notify_child(dir, child->name, inode, IN_DELETE, 0);
	}
	inode_put(inode);
	return error;
}

int walk_unlink(const struct walker *walker, const char *path, bool directory)
{
	struct nd nd;
	struct dentry *child;
	int error = walk_begin(&nd, walker, path, 0);

	if (error)
		return error;
	error = walk_parent(&nd);
	if (!error && nd.type != LAST_NORMAL)
		error = unlink_dots(&nd, directory);
	if (!error)
		error = mount_want_write(nd.at.mount);
	if (!error)
		error = walk_child(&nd, &child);
	if (!error) {
		error = unlink_child(&nd, child, directory);
		dentry_put(child);
	}
	walk_end(&nd);
	return error;
}

/* ------------------------------------------------------------------------------------------------ rename */

struct rename {
	struct nd old, new;
	struct dentry *from, *to; /* counted */
	uint32_t flags;
};

static int rename_check_names(const struct rename *r)
{
	const struct inode *from = r->from->inode, *to = r->to->inode;

	if (r->flags & RENAME_NOREPLACE && to)
		return -EEXIST;
	if (r->flags & RENAME_EXCHANGE) {
		if (!to)
			return -ENOENT;
		if (!S_ISDIR(to->mode) && r->new.slash)
			return -ENOTDIR;
	}
	if (!S_ISDIR(from->mode)) {
		if (r->old.slash)
			return -ENOTDIR;
		if (!(r->flags & RENAME_EXCHANGE) && r->new.slash)
			return -ENOTDIR;
	}
	if (dentry_is_beneath(r->new.at.dentry, r->from))
		return -EINVAL;
	if (dentry_is_beneath(r->old.at.dentry, r->to))
		return r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int rename_check_rights(const struct rename *r)
{
	struct inode *from = r->from->inode, *to = r->to->inode;
	const struct cred *cred = r->old.walker->cred;
	bool directory = S_ISDIR(from->mode), exchange = r->flags & RENAME_EXCHANGE;
	int error = may_delete(r->old.at.dentry, r->from, cred, directory);

	if (!error && !to)
		error = may_create(r->new.at.dentry, cred);
	else if (!error)
		error = may_delete(r->new.at.dentry, r->to, cred, exchange ? S_ISDIR(to->mode) : directory);
	if (error || r->old.at.dentry == r->new.at.dentry)
		return error;
	/* A directory that changes its parent has its ".." rewritten. */
	if (directory)
		error = inode_permission(from, cred, 2);
	if (!error && exchange && S_ISDIR(to->mode))
		error = inode_permission(to, cred, 2);
	return error;
}

static void rename_notify_one(struct inode *old_dir, const char *old_name, struct inode *new_dir, const char *new_name,
			      struct inode *moved, struct inode *replaced)
{
	uint32_t cookie = notify_cookie();

	notify_child(old_dir, old_name, moved, IN_MOVED_FROM, cookie);
	notify_child(new_dir, new_name, moved, IN_MOVED_TO, cookie);
	if (old_dir == new_dir)
		notify_child(new_dir, new_name, moved, RENAMED_HERE, 0);
	if (replaced)
		notify_inode(replaced, IN_ATTRIB);
	notify_inode(moved, IN_MOVE_SELF);
	if (replaced)
		notify_last_link(replaced);
}

/* After the file system's rename, before the cache's: the names are still the old ones. */
static void rename_notify(const struct rename *r)
{
	struct inode *old_dir = r->old.at.dentry->inode, *new_dir = r->new.at.dentry->inode;
	struct inode *from = r->from->inode, *to = r->to->inode;
	bool exchange = r->flags & RENAME_EXCHANGE;

	rename_notify_one(old_dir, r->from->name, new_dir, r->to->name, from, exchange ? NULL : to);
	if (exchange)
		rename_notify_one(new_dir, r->to->name, old_dir, r->from->name, to, NULL);
}

static int rename_do(struct rename *r)
{
	struct inode *old_dir = r->old.at.dentry->inode, *new_dir = r->new.at.dentry->inode, *to = r->to->inode;
	int error = rename_check_names(r);

	if (error || r->from->inode == to)
		return error; /* two names of one file: nothing happens */
	error = rename_check_rights(r);
	if (error)
		return error;
	if (!inode_ops(old_dir)->rename)
		return -EPERM;
	if (to)
		inode_get(to);
	error = inode_ops(old_dir)->rename(old_dir, r->from->name, new_dir, r->to->name, r->flags);
	if (!error) {
		rename_notify(r);
		if (r->flags & RENAME_EXCHANGE) {
			dentry_exchange(r->from, r->to);
		} else {
			if (to && S_ISDIR(to->mode))
				dentry_drop_children(r->to);
			dentry_move(r->from, r->to);
		}
	}
	if (to)
		inode_put(to);
	return error;
}

static int rename_walked(struct rename *r)
{
	int error = walk_parent(&r->old);

	if (!error)
		error = walk_parent(&r->new);
	if (!error && r->old.at.mount != r->new.at.mount)
		error = -EXDEV;
	if (!error && r->old.type != LAST_NORMAL)
		error = -EBUSY;
	if (!error && r->new.type != LAST_NORMAL)
		error = r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (!error)
		error = mount_want_write(r->old.at.mount);
	if (!error)
		error = walk_child(&r->old, &r->from);
	if (error)
		return error;
	error = r->from->inode ? walk_child(&r->new, &r->to) : -ENOENT;
	if (!error) {
		error = rename_do(r);
		dentry_put(r->to);
	}
	dentry_put(r->from);
	return error;
}

int walk_rename(const struct walker *from, const char *old_path, const struct walker *to, const char *new_path,
		uint32_t flags)
{
	struct rename r = {.flags = flags};

	if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	int error = walk_begin(&r.old, from, old_path, 0);
	if (error)
		return error;
	error = walk_begin(&r.new, to, new_path, 0);
	if (!error) {
		error = rename_walked(&r);
		walk_end(&r.new);
	}
	walk_end(&r.old);
	return error;
}

/* ------------------------------------------------------------------------------------------------ attributes */

static bool is_owner(const struct inode *inode, const struct cred *cred)
{
	return inode->uid == cred->fsuid || cred_capable(cred, CAP_FOWNER);
}

/* setattr_prepare in Linux. */
static int may_setattr(struct inode *inode, const struct cred *cred, struct setattr *change)
{
	bool chown = cred_capable(cred, CAP_CHOWN);

	if (change->valid & ATTR_UID && !chown && (inode->uid != cred->fsuid || change->uid != inode->uid))
		return -EPERM;
	if (change->valid & ATTR_GID && !chown &&
	    (inode->uid != cred->fsuid || (change->gid != inode->gid && !cred_in_group(cred, change->gid))))
		return -EPERM;
	if (change->valid & ATTR_MODE) {
		uint32_t gid = change->valid & ATTR_GID ? change->gid : inode->gid;
		if (!is_owner(inode, cred))
			return -EPERM;
		if (!cred_in_group(cred, gid) && !cred_capable(cred, CAP_FSETID))
			change->mode &= ~(uint32_t)S_ISGID;
	}
	if (change->valid & (ATTR_ATIME | ATTR_MTIME) && !is_owner(inode, cred)) {
		if (!(change->valid & ATTR_NOW))
			return -EPERM;
		return inode_permission(inode, cred, 2);
	}
	return 0;
}

/* chown takes set-id bits away from everything but directories, whoever calls it. */
static void chown_drop_setid(const struct inode *inode, const struct cred *cred, struct setattr *change)
{
	uint32_t drop = inode->mode & S_ISUID;

	if (inode->mode & S_ISGID) {
		if (inode->mode & S_IXGRP || !(cred_in_group(cred, inode->gid) || cred_capable(cred, CAP_FSETID)))
			drop |= S_ISGID;
	}
	if (S_ISDIR(inode->mode) || !drop)
		return;
	change->mode = (change->valid & ATTR_MODE ? change->mode : inode->mode) & ~drop;
	change->valid |= ATTR_MODE;
}

static int inode_setattr(struct inode *inode, const struct cred *cred, const struct setattr *wanted)
{
	struct setattr change = *wanted;
	int error;

	if (change.valid & ATTR_SIZE) {
		if (S_ISDIR(inode->mode))
			return -EISDIR;
		if (!S_ISREG(inode->mode))
			return -EINVAL;
		error = inode_permission(inode, cred, 2);
		if (!error && inode->deny_writers)
			error = -ETXTBSY;
		if (error)
			return error;
		inode_drop_setid(inode, cred);
	}
	error = may_setattr(inode, cred, &change);
	if (error)
		return error;
	if (change.valid & (ATTR_UID | ATTR_GID) || !change.valid) /* nothing: chown of -1 and -1 */
		chown_drop_setid(inode, cred, &change);
	return inode_ops(inode)->setattr ? inode_ops(inode)->setattr(inode, &change) : -EPERM;
}

/* fsnotify_change in Linux. */
static uint32_t event_of(const struct setattr *change)
{
	uint32_t event = change->valid & (ATTR_UID | ATTR_GID | ATTR_MODE) ? IN_ATTRIB : 0;

	if (change->valid & ATTR_SIZE)
		event |= IN_MODIFY;
	if ((change->valid & (ATTR_ATIME | ATTR_MTIME)) == (ATTR_ATIME | ATTR_MTIME))
		event |= IN_ATTRIB;
	else if (change->valid & ATTR_ATIME)
		event |= IN_ACCESS;
	else if (change->valid & ATTR_MTIME)
		event |= IN_MODIFY;
	return event;
}

int path_setattr(const struct path *path, const struct cred *cred, const struct setattr *change)
{
	int error = mount_want_write(path->mount);

	if (!error)
		error = inode_setattr(path->dentry->inode, cred, change);
	if (!error)
		notify_dentry(path->dentry, event_of(change));
	return error;
}

int file_setattr(struct file *file, const struct cred *cred, const struct setattr *change)
{
	return file->path.dentry ? path_setattr(&file->path, cred, change) : inode_setattr(file->inode, cred, change);
}

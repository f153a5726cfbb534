/* mountops.c - what guests do to the tree: mount(2) and umount2(2).
 *
 * A new tmpfs is a file system of its own; proc, sysfs and mqueue are there once and are only shown again, as Linux
 * does within one set of namespaces. Bind mounts show a place a second time. The file systems that the command line
 * asked for keep what it said: a directory shown read-only stays so whatever its mounts are changed to, and unmounting
 * one only hides it.
 *
 * What is unmounted while in use (MNT_DETACH) lives on outside of the tree until its last user goes.
 *
 * Limits: no shared mounts (MS_SHARED is EINVAL), one tree for all processes; file systems are tmpfs, proc, sysfs and
 * mqueue; MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME and MS_MANDLOCK have no effect.
 */
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/tmpfs.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define TAKEN_FLAGS (MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)

static bool is_attached(const struct mount *mount)
{
	return !list_empty(&mount->node);
}

static bool is_mount_root(const struct path *place)
{
	return place->dentry == place->mount->root;
}

/* Does mount hang somewhere below the other one, or is it the same? */
static bool mount_is_beneath(const struct mount *mount, const struct mount *above)
{
	for (; mount; mount = mount->parent)
		if (mount == above)
			return true;
	return false;
}

/* May something be mounted here that is (directory) or is not one? */
static int check_mountpoint(const struct path *at, bool directory)
{
	if (!is_attached(at->mount))
		return -EINVAL;
	if (path_is_unlinked(at))
		return -ENOENT;
	return S_ISDIR(at->dentry->inode->mode) == directory ? 0 : -ENOTDIR;
}

/* Which names lead to mounts, and may therefore not be given up, is found again from all mounts that are left. */
static void unhook(struct mount *mount)
{
	struct path at = {mount->parent, mount->mountpoint};
	struct mount *other;

	mount->parent = NULL;
	mount->mountpoint = NULL;
	at.dentry->mounts--;
	for (struct dentry *dentry = at.dentry; dentry; dentry = dentry->parent)
		dentry->pinned = false;
	list_for_each (other, mount_all(), node)
		for (struct dentry *dentry = other->mountpoint; dentry; dentry = dentry->parent)
			dentry->pinned = true;
	path_put(&at);
}

/* Takes a mount and all below it out of the tree, which held each of them once. */
static void detach(struct mount *top)
{
	struct list gone = LIST_INIT(gone);
	struct mount *mount, *after;

	list_for_each_safe (mount, after, mount_all(), node)
		if (mount_is_beneath(mount, top)) {
			list_remove(&mount->node);
			list_push_back(&gone, &mount->node);
		}
	list_for_each (mount, &gone, node)
		unhook(mount);
	list_for_each_safe (mount, after, &gone, node) {
		list_remove(&mount->node);
		notify_unmount(mount);
		mount_put(mount);
	}
}

static int set_source(struct mount *mount, const char *source)
{
	size_t bytes = strlen(source) + 1;

	mount->source = arena_alloc(bytes);
	if (!mount->source)
		return -ENOMEM;
	mount->source_bytes = bytes;
	memcpy(mount->source, source, bytes);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ new mounts */

/* Linux's order in /proc/filesystems is that of registration. */
const char *const mount_file_systems[] = {"sysfs",  "tmpfs",   "proc",   "devpts", "pipefs",
					  "sockfs", "overlay", "mqueue", NULL};

/* A counted superblock. */
static int find_superblock(const struct mount_request *request, struct cred *cred, struct superblock **out)
{
	static const struct {
		const char *name;
		enum mount_type type;
	} shown_again[] = {{"proc", MOUNT_PROC}, {"sysfs", MOUNT_SYS}, {"mqueue", MOUNT_MQUEUE}};

	if (!strcmp(request->type, "tmpfs"))
		return tmpfs_mount_new(request->data, cred, out);
	for (unsigned i = 0; i < COUNT(shown_again); i++)
		if (!strcmp(request->type, shown_again[i].name) && mount_made(shown_again[i].type)) {
			*out = mount_made(shown_again[i].type);
			superblock_get(*out);
			return 0;
		}
	return -ENODEV;
}

/* What of the flags belongs to the mount: relatime unless something else is said. */
static uint32_t own_flags(uint32_t flags)
{
	uint32_t own = flags & MOUNT_FLAGS & ~(uint32_t)(MS_RELATIME | MS_UNBINDABLE);

	if (!(flags & MS_NOATIME))
		own |= MS_RELATIME;
	return flags & MS_STRICTATIME ? own & ~(uint32_t)(MS_RELATIME | MS_NOATIME) : own;
}

static int add_superblock(const struct mount_request *request, struct superblock *sb, const struct path *at)
{
	struct mount *mount;

	/* Each mount of a proc counts as a file system of its own. */
	if (at->mount->sb == sb && is_mount_root(at) && sb != mount_made(MOUNT_PROC))
		return -EBUSY;
	struct dentry *top = superblock_top(sb);
	int error = top ? mount_add(sb, top, at, own_flags(request->flags), &mount) : -ENOMEM;
	if (error)
		return error;
	error = set_source(mount, request->source ? request->source : "none");
	if (error)
		detach(mount);
	return error;
}

int mount_new(const struct mount_request *request, const struct path *at, struct cred *cred)
{
	struct superblock *sb;
	int error = find_superblock(request, cred, &sb);

	if (error)
		return error;
	error = check_mountpoint(at, true);
	if (!error)
		error = add_superblock(request, sb, at);
	if (error && !sb->mounts)
		superblock_shut(sb);
	superblock_put(sb);
	return error;
}

static int copy_one(const struct mount *mount, struct dentry *root, const struct path *at, struct mount **out)
{
	int error = mount_add(mount->sb, root, at, mount->flags, out);

	if (!error && mount->source) {
		error = set_source(*out, mount->source);
		if (error)
			detach(*out);
	}
	return error;
}

/* MS_REC: the mounts below the source, too, each once its parent has its copy. */
static int copy_below(const struct path *from, struct mount *top)
{
	struct mount *mount, *copy;
	bool found = true;
	int error = 0;

	list_for_each (mount, mount_all(), node)
		mount->copy = NULL;
	from->mount->copy = top;
	while (found && !error) {
		found = false;
		list_for_each (mount, mount_all(), node) {
			if (mount->id >= top->id || mount->copy || !mount->parent || !mount->parent->copy ||
			    mount->flags & MS_UNBINDABLE)
				continue;
			if (mount->parent == from->mount && !dentry_is_beneath(mount->mountpoint, from->dentry))
				continue;
			const struct path at = {mount->parent->copy, mount->mountpoint};
			error = copy_one(mount, mount->root, &at, &copy);
			if (error)
				break;
			mount->copy = copy;
			found = true;
		}
	}
	return error;
}

int mount_bind(const struct path *from, const struct path *at, uint32_t flags)
{
	struct mount *mount;
	int error = check_mountpoint(at, S_ISDIR(from->dentry->inode->mode));

	if (!error && (!is_attached(from->mount) || from->mount->flags & MS_UNBINDABLE))
		error = -EINVAL;
	if (!error)
		error = copy_one(from->mount, from->dentry, at, &mount);
	if (!error && flags & MS_REC) {
		error = copy_below(from, mount);
		if (error)
			detach(mount);
	}
	return error;
}

/* ------------------------------------------------------------------------------------------------ changes */

/* A file system of the start-up configuration keeps its options, and stays read-only if it was made so. */
static int remount_superblock(struct superblock *sb, const struct mount_request *request)
{
	bool read_only = request->flags & MS_RDONLY;

	if (read_only && sb->writers)
		return -EBUSY;
	if (sb->fixed)
		return sb->read_only && !read_only ? -EROFS : 0;
	int error = tmpfs_remount(sb, request->data);
	if (!error)
		sb->read_only = read_only;
	return error;
}

/* With MS_BIND only this mount changes, else its file system as well. */
int mount_remount(const struct mount_request *request, const struct path *at)
{
	struct mount *mount = at->mount;
	uint32_t kept = MS_UNBINDABLE;

	if (!is_mount_root(at) || !is_attached(mount))
		return -EINVAL;
	if (!(request->flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)))
		kept |= MS_NOATIME | MS_NODIRATIME | MS_RELATIME;
	int error = request->flags & MS_BIND ? 0 : remount_superblock(mount->sb, request);
	if (!error)
		mount->flags = (mount->flags & kept) | (own_flags(request->flags) & ~kept);
	return error;
}

int mount_move(const struct path *from, const struct path *at)
{
	struct mount *mount = from->mount;

	if (!is_mount_root(from) || !mount->parent || !is_attached(mount))
		return -EINVAL;
	int error = check_mountpoint(at, S_ISDIR(mount->root->inode->mode));
	if (error)
		return error == -ENOTDIR ? -EINVAL : error;
	if (mount_is_beneath(at->mount, mount))
		return -ELOOP;
	unhook(mount);
	mount_hook(mount, at);
	return 0;
}

int mount_change_type(const struct path *at, uint32_t flags)
{
	uint32_t type = flags & PROPAGATION;
	struct mount *mount;

	if (flags & ~(uint32_t)(PROPAGATION | MS_REC | MS_SILENT) || type & (type - 1) || type == MS_SHARED)
		return -EINVAL;
	if (!is_mount_root(at) || !is_attached(at->mount))
		return -EINVAL;
	list_for_each (mount, mount_all(), node)
		if (mount == at->mount || (flags & MS_REC && mount_is_beneath(mount, at->mount)))
			mount->flags = (mount->flags & ~(uint32_t)MS_UNBINDABLE) | (type & MS_UNBINDABLE);
	return 0;
}

/* Does anybody use it but the tree, whoever asks, and watches of inotify, which do not keep a mount? */
static bool is_busy(const struct mount *mount)
{
	return mount->ref.count > 2 + notify_watches_on(mount);
}

static int may_take_away(struct mount *mount, uint32_t flags)
{
	if (!mount->parent)
		return -EBUSY; /* the root */
	if (flags & MNT_EXPIRE) {
		if (flags & (MNT_FORCE | MNT_DETACH))
			return -EINVAL;
		if (is_busy(mount))
			return -EBUSY;
		if (!mount->expired)
			return -EAGAIN;
	}
	return flags & MNT_DETACH || !is_busy(mount) ? 0 : -EBUSY;
}

int mount_take_away(struct path *place, uint32_t flags)
{
	struct mount *mount = place->mount;
	bool is_root = is_mount_root(place);
	int error = flags & ~(uint32_t)TAKEN_FLAGS || !is_root || !is_attached(mount) ? -EINVAL : 0;

	if (!error)
		error = may_take_away(mount, flags);
	if (!error)
		detach(mount);
	path_put(place);
	if (error == -EAGAIN) /* it is still there; and asking is no use that makes it young again */
		mount->expired = true;
	return error;
}

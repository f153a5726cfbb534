/* mount.c - mounts, how the tree is put together at start, and the start of fs/ itself.
 *
 * Mounts of the configuration are made before the first guest instruction; what guests may do to the tree later is in
 * fs/mountops.c. One that is mounted over another hides it. The tree's root is a tmpfs unless the configuration mounts
 * something at "/"; mount points that are missing are made.
 *
 * A mount in the tree has one reference for that; a child holds its parent and its mount point. File systems of the
 * configuration stay to the end, wherever they are still seen; those that guests mounted go with their last mount.
 *
 * Limits: MOUNT_LIMIT mounts.
 */
#include "fs/anon.h"
#include "fs/async.h"
#include "fs/dev.h"
#include "fs/dir.h"
#include "fs/epoll.h"
#include "fs/eventfd.h"
#include "fs/host.h"
#include "fs/lease.h"
#include "fs/memfd.h"
#include "fs/notify.h"
#include "fs/overlay.h"
#include "fs/pipe.h"
#include "fs/proc.h"
#include "fs/socket.h"
#include "fs/stdio.h"
#include "fs/sys.h"
#include "fs/tmpfs.h"
#include "fs/tty.h"
#include "fs/walk.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOUNT_TYPES (MOUNT_MQUEUE + 1)

static struct slab mount_slab = SLAB(mount);
static struct list mounts = LIST_INIT(mounts);
static unsigned mount_count; /* of this slab: in the tree, or taken away and still in use */
static int last_id = 20;
static int (*makers[MOUNT_TYPES])(const struct mount_spec *spec, struct superblock **out);
static struct superblock *made[MOUNT_TYPES]; /* the last of each type: they stay */

struct list *mount_all(void)
{
	return &mounts;
}

void mount_type_register(enum mount_type type, int (*make)(const struct mount_spec *spec, struct superblock **out))
{
	assert((unsigned)type < MOUNT_TYPES);
	makers[type] = make;
}

struct mount *mount_at(const struct mount *parent, const struct dentry *dentry)
{
	struct mount *mount, *found = NULL;

	list_for_each (mount, &mounts, node)
		if (mount->parent == parent && mount->mountpoint == dentry)
			found = mount;
	return found;
}

void mount_hook(struct mount *mount, const struct path *at)
{
	mount->parent = at->mount;
	mount->mountpoint = at->dentry;
	path_get(at);
	at->dentry->mounts++;
	for (struct dentry *dentry = at->dentry; dentry; dentry = dentry->parent)
		dentry->pinned = true;
}

bool mount_is_read_only(const struct mount *mount)
{
	return mount->flags & MS_RDONLY || mount->sb->read_only;
}

void mount_put(struct mount *mount)
{
	mount->expired = false;
	if (!ref_put(&mount->ref))
		return;
	assert(list_empty(&mount->node) && !mount->parent && !mount->internal);
	struct superblock *sb = mount->sb;
	dentry_put(mount->root);
	if (!--sb->mounts)
		superblock_shut(sb);
	superblock_put(sb);
	arena_free(mount->source, mount->source_bytes);
	slab_free(&mount_slab, mount);
	mount_count--;
}

int mount_add(struct superblock *sb, struct dentry *root, const struct path *at, uint32_t flags, struct mount **out)
{
	struct mount *mount = mount_count < MOUNT_LIMIT ? slab_new(&mount_slab) : NULL;

	if (!mount)
		return -ENOSPC;
	mount_count++;
	ref_init(&mount->ref);
	mount->id = ++last_id;
	mount->sb = sb;
	superblock_get(sb);
	sb->mounts++;
	mount->root = root;
	dentry_get(root);
	mount->flags = flags & MOUNT_FLAGS;
	if (at)
		mount_hook(mount, at);
	list_push_back(&mounts, &mount->node);
	*out = mount;
	return 0;
}

struct superblock *mount_made(enum mount_type type)
{
	return made[type];
}

/* ------------------------------------------------------------------------------------------------ the tree at start */

/* The credentials of whoever builds the tree: all of root's. */
static struct walker builder(struct fs_context *context, struct cred *cred)
{
	return (struct walker){.context = context, .cred = cred, .start = context->root};
}

/* Makes the directories of path, all of them or (parents) all but the last. */
static int make_dirs(const struct walker *walker, const char *path, bool parents, uint32_t mode)
{
	char part[PATH_LIMIT];
	size_t length = strlen(path);

	if (length >= sizeof part)
		return -ENAMETOOLONG;
	for (size_t at = 1; at <= length; at++) {
		struct path place;
		if (path[at] != '/' && path[at])
			continue;
		if (!path[at] && parents)
			return 0;
		memcpy(part, path, at);
		part[at] = 0;
		if (!walk(walker, part, WALK_FOLLOW, &place)) {
			path_put(&place);
			continue;
		}
		int error = walk_mknod(walker, part, S_IFDIR | mode, 0);
		if (error && error != -EEXIST)
			return error;
	}
	return 0;
}

int mounts_make_dir(const struct path *root, const char *path, uint32_t mode)
{
	struct fs_context *context = fs_context_new(root, root);
	struct cred *cred = cred_new(0, 0);
	int error = -ENOMEM;

	if (context && cred) {
		context->umask = 0;
		struct walker walker = builder(context, cred);
		error = make_dirs(&walker, path, false, mode);
	}
	if (context)
		fs_context_put(context);
	if (cred)
		cred_put(cred);
	return error;
}

static int make_superblock(const struct mount_spec *spec, struct superblock **out)
{
	switch (spec->type) {
	case MOUNT_TMPFS:
		return tmpfs_new(spec->mode, spec->size_bytes, out);
	case MOUNT_HOST_RO:
	case MOUNT_HOST_RW:
		return host_new(spec->host_dir, spec->type == MOUNT_HOST_RW, out);
	case MOUNT_OVERLAY:
		return overlay_new(spec->host_dir, spec->size_bytes, out);
	default:
		return makers[spec->type] ? makers[spec->type](spec, out) : -ENODEV;
	}
}

static int mount_spec(const struct mount_spec *spec, const struct path *at)
{
	struct superblock *sb;
	struct mount *mount;
	int error = make_superblock(spec, &sb);

	if (error)
		return error;
	struct dentry *top = superblock_top(sb);
	error = top ? mount_add(sb, top, at, MS_RELATIME | (spec->type == MOUNT_HOST_RO ? MS_RDONLY : 0), &mount)
		    : -ENOMEM;
	if (!error) {
		sb->fixed = true;
		sb->mounts++; /* never the last */
		made[spec->type] = sb;
	}
	superblock_put(sb);
	return error;
}

/* The mount point: a directory, or a file for a single file; made where there is none. */
static int find_mountpoint(const struct walker *walker, const struct mount_spec *spec, struct path *out)
{
	int error = walk(walker, spec->target, WALK_FOLLOW, out);

	if (error != -ENOENT)
		return error;
	error = make_dirs(walker, spec->target, spec->is_file, 0755);
	if (!error && spec->is_file)
		error = walk_mknod(walker, spec->target, S_IFREG | 0644, 0);
	return error ? error : walk(walker, spec->target, WALK_FOLLOW, out);
}

/* A file of the sandbox's own, in the file system that is at its place by then. */
static int build_text(const struct walker *walker, const struct mount_spec *spec)
{
	struct file *file;
	struct uio uio;
	int64_t pos = 0;
	int error = make_dirs(walker, spec->target, true, 0755);

	if (!error)
		error = walk_open(walker, spec->target, O_WRONLY | O_CREAT | O_TRUNC, spec->mode, 0, &file);
	if (error)
		return error;
	uio_init_kernel(&uio, (void *)spec->text, strlen(spec->text));
	ssize_t n = file_write(file, &uio, &pos);
	file_put(file);
	return n < 0 ? (int)n : 0;
}

static int build_one(const struct walker *walker, const struct mount_spec *spec)
{
	struct path at;

	if (spec->target[0] != '/')
		return -EINVAL;
	if (spec->symlink) {
		int error = make_dirs(walker, spec->target, true, 0755);
		return error ? error : walk_symlink(walker, spec->symlink, spec->target);
	}
	if (spec->text)
		return build_text(walker, spec);
	int error = find_mountpoint(walker, spec, &at);
	if (error)
		return error;
	if (S_ISDIR(at.dentry->inode->mode) == spec->is_file)
		error = spec->is_file ? -EISDIR : -ENOTDIR;
	else
		error = mount_spec(spec, &at);
	path_put(&at);
	if (error == -ENODEV) { /* a file system that this build does not have leaves an empty directory */
		log_warn("there is no file system for %s", spec->target);
		error = 0;
	}
	return error;
}

static bool is_root(const struct mount_spec *spec)
{
	return !spec->symlink && !strcmp(spec->target, "/");
}

static int build_root(const struct mount_spec *specs, unsigned count, struct path *root, unsigned *failed)
{
	static const struct mount_spec plain = {.type = MOUNT_TMPFS, .target = "/", .mode = 0755};
	const struct mount_spec *spec = &plain;

	for (unsigned i = 0; i < count && spec == &plain; i++)
		if (is_root(&specs[i]))
			spec = &specs[ *failed = i];
	int error = mount_spec(spec, NULL);
	if (error)
		return error;
	struct mount *mount = list_entry(mounts.prev, struct mount, node);
	*root = (struct path){mount, mount->root};
	path_get(root);
	return 0;
}

int mounts_build(const struct mount_spec *specs, unsigned count, struct path *root, unsigned *failed)
{
	*failed = 0;
	int error = build_root(specs, count, root, failed);
	if (error)
		return error;
	struct fs_context *context = fs_context_new(root, root);
	struct cred *cred = cred_new(0, 0);
	if (!context || !cred)
		error = -ENOMEM;
	for (unsigned i = 0; i < count && !error; i++) {
		struct walker walker = builder(context, cred);
		context->umask = 0;
		*failed = i;
		if (!is_root(&specs[i]))
			error = build_one(&walker, &specs[i]);
	}
	if (context)
		fs_context_put(context);
	if (cred)
		cred_put(cred);
	if (error)
		path_put(root);
	return error;
}

/* ------------------------------------------------------------------------------------------------ start */

void fs_init(void)
{
	if (dentry_init() || anon_init()) {
		log_error("no memory for the file system's tables");
		abort();
	}
	dir_init();
	tmpfs_init();
	host_init();
	overlay_init();
	stdio_init();
	memfd_init();
	pipe_init();
	socket_init();
	epoll_init();
	async_init();
	lease_init();
	eventfd_init();
	notify_init();
	dev_init();
	tty_init();
	proc_init();
	sys_init();
}

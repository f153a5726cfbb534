/* host.c - inodes of a host directory: identity, attributes, look-up.
 *
 * An inode is known by the host's (device, inode number), so hard links are one inode. It remembers where it was last
 * seen, as (parent inode, name); its path beneath the root is made from these when it has to be opened. Directories
 * stay open (O_PATH) while they are in use often: at most HOST_DIR_CACHE of them; a look-up is then one statx of one
 * name.
 *
 * What was learned is trusted for host_fs.trust_ns: a moment for a read-only tree, so that programs that look at
 * the same library hundreds of times cost nothing; not at all for a writable one, where the host's own programs work
 * too.
 *
 * The host may change everything under our hands: whoever opens by name compares what was opened with what was meant.
 *
 * Limits: extended attributes of the host are not shown. Devices and sockets of the host are not opened. FIFOs are the
 * sandbox's own.
 */
#include "fs/host.h"
#include "platform/host.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>

#define BUCKETS_FIRST  32u
#define BUCKETS_MOST   65536u
#define TRUST_RO_NS    NS_PER_S
#define TRUST_DIR_NS   (20 * NS_PER_MS) /* directories of a writable tree */
#define OVERFLOW_ID    65534u
#define HOST_STAT_MASK (STATX_BASIC_STATS | STATX_BTIME)

static struct slab node_slab = SLAB(host_node);
static struct slab fs_slab = SLAB(host_fs);

static struct {
	bool set;
	uint32_t host_uid, host_gid, guest_uid, guest_gid;
} identity;

/* Our own ids are those of whatever we make. */
void host_identity_set(uint32_t guest_uid, uint32_t guest_gid)
{
	struct statx own;
	int fd = host_memfd_create("identity", MFD_CLOEXEC);

	if (fd < 0)
		return;
	if (!host_statx(fd, "", STATX_UID | STATX_GID, &own)) {
		identity.set = true;
		identity.host_uid = own.stx_uid;
		identity.host_gid = own.stx_gid;
		identity.guest_uid = guest_uid;
		identity.guest_gid = guest_gid;
	}
	host_close(fd);
}

/* Ids that our user namespace does not have show as the overflow id: on an ordinary machine that is root, whose files
 * the system directories are. */
static uint32_t map_id(uint32_t id, uint32_t host, uint32_t guest)
{
	if (!identity.set)
		return id;
	if (id == host)
		return guest;
	return id == OVERFLOW_ID && host != 0 ? 0 : id;
}

static uint64_t statx_dev(const struct statx *from)
{
	return (uint64_t)from->stx_dev_major << 32 | from->stx_dev_minor;
}

static struct fs_time time_of(const struct statx_timestamp *from)
{
	return (struct fs_time){from->tv_sec, from->tv_nsec};
}

void host_attributes(struct inode *inode, const struct statx *from)
{
	struct host_node *node = host_node(inode);

	inode->size = from->stx_size;
	inode->mode = from->stx_mode;
	inode->nlink = from->stx_nlink;
	inode->uid = map_id(from->stx_uid, identity.host_uid, identity.guest_uid);
	inode->gid = map_id(from->stx_gid, identity.host_gid, identity.guest_gid);
	inode->atime = time_of(&from->stx_atime);
	inode->mtime = time_of(&from->stx_mtime);
	inode->ctime = time_of(&from->stx_ctime);
	inode->btime = time_of(&from->stx_btime);
	node->blocks = from->stx_blocks;
	node->block_size = from->stx_blksize;
	node->checked_ns = clock_now_ns();
}

/* The type belongs to the identity: a number that is used again for something else must not change what holders have.
 */
bool host_is_same(const struct inode *inode, const struct statx *from)
{
	const struct host_node *node = host_node(inode);

	return node->host_ino == from->stx_ino && node->host_dev == statx_dev(from) &&
	       ((inode->mode ^ from->stx_mode) & S_IFMT) == 0 && inode->btime.s == from->stx_btime.tv_sec &&
	       inode->btime.ns == from->stx_btime.tv_nsec;
}

static struct list *bucket_of(struct host_fs *fs, uint64_t dev, uint64_t ino)
{
	return &fs->buckets[(ino * 0x9e3779b97f4a7c15ull ^ dev) >> 32 & (fs->bucket_count - 1)];
}

static struct list *buckets_new(unsigned count)
{
	struct list *buckets = arena_alloc(count * sizeof *buckets);

	for (unsigned i = 0; buckets && i < count; i++)
		list_init(&buckets[i]);
	return buckets;
}

/* A sandbox has a file system of the host for each file of /etc that it shows: tables begin small. Without memory for
 * a larger one chains get longer. */
static void buckets_grow(struct host_fs *fs)
{
	unsigned old_count = fs->bucket_count;
	struct list *old = fs->buckets, *buckets;
	struct host_node *node, *after;

	if (fs->node_count < 2 * old_count || old_count >= BUCKETS_MOST)
		return;
	buckets = buckets_new(4 * old_count);
	if (!buckets)
		return;
	fs->buckets = buckets;
	fs->bucket_count = 4 * old_count;
	for (unsigned i = 0; i < old_count; i++)
		list_for_each_safe (node, after, &old[i], hash) {
			list_remove(&node->hash);
			list_push_front(bucket_of(fs, node->host_dev, node->host_ino), &node->hash);
		}
	arena_free(old, old_count * sizeof *old);
}

int host_place_set(struct inode *inode, struct inode *parent, const char *name)
{
	struct host_node *node = host_node(inode);

	if (node->parent == parent && node->name && !strcmp(node->name, name))
		return 0;
	char *copy = arena_string(name);
	if (!copy)
		return -ENOMEM;
	if (node->name)
		arena_string_free(node->name);
	node->name = copy;
	if (node->parent != parent) {
		struct inode *before = node->parent;
		inode_get(parent);
		node->parent = parent;
		if (before)
			inode_put(before);
	}
	return 0;
}

static int inode_make(struct superblock *sb, const struct statx *from, struct inode **out)
{
	struct host_fs *fs = host_fs(sb);
	struct inode *inode = inode_new(sb, INODE_HOST, from->stx_mode, NULL);
	struct host_node *node = inode ? slab_new(&node_slab) : NULL;

	if (!node) {
		if (inode)
			inode_put(inode);
		return -ENOMEM;
	}
	inode->data = node;
	node->inode = inode;
	node->file = HOSTFILE_NONE;
	node->host_ino = from->stx_ino;
	node->host_dev = statx_dev(from);
	/* Inside one sandbox file system, numbers of another host device must not collide with those of the root's. */
	inode->ino = from->stx_ino ^ (node->host_dev == fs->dev ? 0 : node->host_dev << 40);
	inode->rdev = (uint64_t)from->stx_rdev_major << 8 | from->stx_rdev_minor;
	host_attributes(inode, from);
	list_init(&node->lru);
	buckets_grow(fs);
	list_push_front(bucket_of(fs, node->host_dev, node->host_ino), &node->hash);
	fs->node_count++;
	*out = inode;
	return 0;
}

int host_inode_for(struct superblock *sb, const struct statx *from, struct inode *parent, const char *name,
		   struct inode **out)
{
	struct list *bucket = bucket_of(host_fs(sb), statx_dev(from), from->stx_ino);
	struct host_node *node;
	struct inode *inode = NULL;
	int error = 0;

	list_for_each (node, bucket, hash) {
		if (host_is_same(node->inode, from)) {
			inode = node->inode;
			inode_get(inode);
			host_attributes(inode, from);
			break;
		}
	}
	if (!inode)
		error = inode_make(sb, from, &inode);
	if (!error && parent)
		error = host_place_set(inode, parent, name);
	if (error && inode)
		inode_put(inode);
	if (!error)
		*out = inode;
	return error;
}

static void host_release(struct inode *inode)
{
	struct host_node *node = inode->data;
	struct host_fs *fs = host_fs(inode->sb);

	if (!node)
		return;
	if (!list_empty(&node->lru)) {
		list_remove(&node->lru);
		(*(S_ISDIR(inode->mode) ? &fs->dir_count : &fs->file_count))--;
	}
	if (node->file != HOSTFILE_NONE)
		hostfile_put(node->file);
	if (node->snapshot)
		host_snapshot_put(node->snapshot);
	list_remove(&node->hash);
	fs->node_count--;
	if (node->name)
		arena_string_free(node->name);
	if (node->parent)
		inode_put(node->parent);
	slab_free(&node_slab, node);
}

/* ------------------------------------------------------------------------------------------------ opening by name */

/* Writes the path from an ancestor with an open descriptor down to inode into the end of buffer. When the way is longer
 * than the buffer, *next is the ancestor that has to be opened first. */
static int path_from_open(struct inode *inode, char buffer[PATH_LIMIT], char **path, int *fd, struct inode **next)
{
	size_t start = PATH_LIMIT - 1;
	struct inode *at = inode;

	buffer[start] = 0;
	*next = NULL;
	for (;;) {
		struct host_node *node = host_node(at);
		if (!node->parent)
			break;
		size_t length = strlen(node->name);
		if (length + 1 > start) {
			*next = at;
			return 0;
		}
		if (buffer[start])
			buffer[--start] = '/';
		start -= length;
		memcpy(buffer + start, node->name, length);
		at = node->parent;
		if (host_node(at)->file != HOSTFILE_NONE)
			break;
	}
	*fd = hostfile_fd(host_node(at)->file);
	*path = buffer[start] ? buffer + start : (char *)".";
	return 0;
}

/* Opens the inode by its path; longer ways in stages, the ancestors' descriptors being kept. */
static int open_by_path(struct inode *inode, int flags, int *out)
{
	char buffer[PATH_LIMIT], *path;
	struct inode *next;
	int dir_fd, error = path_from_open(inode, buffer, &path, &dir_fd, &next);

	if (error)
		return error;
	if (next)
		return -ENAMETOOLONG;
	/* A single file that was handed over has no directory to look it up in. */
	int fd = host_fs(inode->sb)->is_file ? host_reopen(dir_fd, flags)
					     : host_open_beneath(dir_fd, path, flags | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd == -EXDEV || fd == -ELOOP ? -ENOENT : fd;
	*out = fd;
	return 0;
}

/* Makes sure that the way down to inode is short enough: opens ancestors from the top where it is not. Each round opens
 * one directory that is at least 15 levels below an open one, so the number of rounds is bounded by the depth. */
static int open_ancestors(struct inode *inode)
{
	char buffer[PATH_LIMIT], *path;
	struct inode *next, *target;
	int fd;

	for (;;) {
		target = inode;
		int error = path_from_open(target, buffer, &path, &fd, &next);
		if (error || !next)
			return error;
		while (next) {
			target = next;
			error = path_from_open(target, buffer, &path, &fd, &next);
			if (error)
				return error;
		}
		error = host_dir_fd(target);
		if (error < 0)
			return error;
	}
}

int host_open_node(struct inode *inode, int flags)
{
	struct statx now;
	int fd, error = open_ancestors(inode);

	if (!error)
		error = open_by_path(inode, flags, &fd);
	if (error)
		return error;
	error = host_statx(fd, "", HOST_STAT_MASK, &now);
	if (!error && !host_is_same(inode, &now))
		error = -ENOENT;
	if (error) {
		host_close(fd);
		return error;
	}
	host_attributes(inode, &now);
	return fd;
}

int host_node_keep(struct inode *inode, int flags)
{
	struct host_node *node = host_node(inode);
	int fd = host_open_node(inode, flags);

	if (fd < 0)
		return fd;
	int error = hostfile_add(fd, &node->file);
	if (!error)
		return fd;
	host_close(fd);
	node->file = HOSTFILE_NONE;
	return error;
}

/* Keeps the newly opened directory, and lets go of the one that was used longest ago. */
static void keep_dir(struct inode *inode)
{
	struct host_fs *fs = host_fs(inode->sb);

	list_push_back(&fs->dirs, &host_node(inode)->lru);
	if (++fs->dir_count <= HOST_DIR_CACHE)
		return;
	struct host_node *oldest = list_first(&fs->dirs, struct host_node, lru);
	list_remove(&oldest->lru);
	fs->dir_count--;
	hostfile_put(oldest->file);
	oldest->file = HOSTFILE_NONE;
}

int host_dir_fd(struct inode *dir)
{
	struct host_node *node = host_node(dir);
	struct host_fs *fs = host_fs(dir->sb);

	if (node->file != HOSTFILE_NONE) {
		if (!list_empty(&node->lru)) {
			list_remove(&node->lru);
			list_push_back(&fs->dirs, &node->lru);
		}
		return hostfile_fd(node->file);
	}
	int fd = host_node_keep(dir, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	keep_dir(dir);
	return fd;
}

/* ------------------------------------------------------------------------------------------------ names */

int host_stat_name(struct inode *dir, const char *name, struct statx *out)
{
	int fd = host_dir_fd(dir);

	return fd < 0 ? fd : host_statx(fd, name, HOST_STAT_MASK, out);
}

int host_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct statx found;
	int error = host_stat_name(dir, name, &found);

	return error ? error : host_inode_for(dir->sb, &found, dir, name, out);
}

bool host_check(struct inode *dir, const char *name, struct inode *inode, uint64_t *checked_ns)
{
	const struct host_fs *fs = host_fs(dir->sb);
	uint64_t now_ns = clock_now_ns(), trust_ns = fs->trust_ns;
	struct statx now;

	if (!trust_ns && inode && S_ISDIR(inode->mode))
		trust_ns = TRUST_DIR_NS;
	if (now_ns - *checked_ns < trust_ns)
		return true;
	int error = host_stat_name(dir, name, &now);
	if (inode ? error || !host_is_same(inode, &now) : error != -ENOENT)
		return false;
	/* Of several links this is the one that is known to be there: whoever opens the inode goes by it. */
	if (inode && host_place_set(inode, dir, name))
		return false;
	if (inode)
		host_attributes(inode, &now);
	*checked_ns = now_ns;
	return true;
}

int host_refresh(struct inode *inode)
{
	struct host_node *node = host_node(inode);
	struct statx now;
	int error;

	if (node->file != HOSTFILE_NONE)
		error = host_statx(hostfile_fd(node->file), "", HOST_STAT_MASK, &now);
	else
		error = host_stat_name(node->parent, node->name, &now);
	if (!error && !host_is_same(inode, &now))
		error = -ENOENT;
	if (!error)
		host_attributes(inode, &now);
	return error;
}

static int host_getattr(struct inode *inode, struct attr *out)
{
	const struct host_node *node = host_node(inode);

	/* What is gone from the host shows as it was last seen. */
	if (clock_now_ns() - node->checked_ns >= host_fs(inode->sb)->trust_ns && !host_refresh(inode)) {
		out->size = inode->size;
		out->mode = inode->mode;
		out->nlink = inode->nlink;
		out->uid = inode->uid;
		out->gid = inode->gid;
		out->atime = inode->atime;
		out->mtime = inode->mtime;
		out->ctime = inode->ctime;
	}
	out->blocks = node->blocks;
	out->block_size = node->block_size;
	return 0;
}

ssize_t host_readlink(struct inode *inode, char *target, size_t size)
{
	struct host_node *node = host_node(inode);

	if (!S_ISLNK(inode->mode) || !node->parent)
		return -EINVAL;
	int fd = host_dir_fd(node->parent);
	return fd < 0 ? fd : host_readlinkat(fd, node->name, target, size);
}

/* Attributes of the host are not the sandbox's; that there are none is what programs bear best. */
static ssize_t host_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	(void)inode;
	(void)value;
	(void)size;
	return strncmp(name, "user.", 5) && strncmp(name, "security.", 9) && strncmp(name, "trusted.", 8) ? -EOPNOTSUPP
													  : -ENODATA;
}

static ssize_t host_listxattr(struct inode *inode, char *names, size_t size)
{
	(void)inode;
	(void)names;
	(void)size;
	return 0;
}

int host_statfs(struct superblock *sb, struct statfs_info *out)
{
	struct statfs from;
	int error = host_fstatfs(hostfile_fd(host_fs(sb)->file), &from);

	if (error)
		return error;
	out->type = (uint64_t)from.f_type;
	out->block_size = (uint64_t)from.f_bsize;
	out->blocks = from.f_blocks;
	out->blocks_free = from.f_bfree;
	out->blocks_available = from.f_bavail;
	out->files = from.f_files;
	out->files_free = from.f_ffree;
	out->name_max = (uint32_t)from.f_namelen;
	return 0;
}

const struct inode_ops host_inode_ops = {.lookup = host_lookup,
					 .create = host_create,
					 .symlink = host_symlink,
					 .link = host_link_inode,
					 .unlink = host_unlink,
					 .rmdir = host_rmdir,
					 .rename = host_rename,
					 .readlink = host_readlink,
					 .getattr = host_getattr,
					 .setattr = host_setattr,
					 .open = host_open,
					 .getxattr = host_getxattr,
					 .listxattr = host_listxattr,
					 .check = host_check,
					 .release = host_release};

void host_init(void)
{
	inode_kind_register(INODE_HOST, &host_inode_ops, host_statfs);
	host_file_init();
}

static int make_root(struct superblock *sb, uint32_t host_dir)
{
	struct host_fs *fs = host_fs(sb);
	struct statx root;
	int error = host_statx(hostfile_fd(host_dir), "", HOST_STAT_MASK, &root);

	if (error)
		return error;
	fs->dev = statx_dev(&root);
	fs->is_file = !S_ISDIR(root.stx_mode);
	if (fs->is_file) { /* what was handed over is a place (O_PATH) */
		int fd = host_reopen(hostfile_fd(host_dir), (fs->writable ? O_RDWR : O_RDONLY) | O_NONBLOCK);
		if (fd < 0)
			return fd;
		hostfile_put(fs->file);
		error = hostfile_add(fd, &fs->file);
		if (error)
			return error;
	}
	error = host_inode_for(sb, &root, NULL, NULL, &sb->root);
	if (error)
		return error;
	hostfile_get(fs->file);
	host_node(sb->root)->file = fs->file; /* never in a cache: it stays */
	return 0;
}

int host_new(uint32_t host_dir, bool writable, struct superblock **out)
{
	struct superblock *sb = superblock_new(INODE_HOST, "host");
	struct host_fs *fs = sb ? slab_new(&fs_slab) : NULL;

	if (!fs) {
		if (sb)
			superblock_put(sb);
		return -ENOMEM;
	}
	sb->data = fs;
	sb->read_only = !writable;
	fs->writable = writable;
	fs->trust_ns = writable ? 0 : TRUST_RO_NS;
	list_init(&fs->dirs);
	list_init(&fs->files);
	fs->bucket_count = BUCKETS_FIRST;
	fs->buckets = buckets_new(fs->bucket_count);
	int error = fs->buckets ? 0 : -ENOMEM;
	hostfile_get(host_dir);
	fs->file = host_dir;
	if (!error)
		error = make_root(sb, host_dir);
	if (error)
		superblock_put(sb); /* the table stays: failing here ends the start anyway */
	else
		*out = sb;
	return error;
}

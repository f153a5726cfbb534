/* overlay.c - a host directory whose changes stay in the sandbox's memory.
 *
 * An overlay inode is a memory node (fs/tmpfs.h) that may have a *lower* inode, one of a read-only host file system.
 * There are two kinds:
 *
 *  - clean: everything is read from below; the inode may be forgotten and made again at any time;
 *  - changed (node->pinned): attributes, and data unless data_is_lower, are the node's own. The index keeps it, by the
 *    lower inode, so that every lower name of it leads to the changed one.
 *
 * A directory's memory entries come first: a real one hides the lower name, and so does a whiteout. A name without an
 * entry is looked for in the directory's lower inode. A directory that was made here has no lower one, so nothing shows
 * through it. Renaming moves entries; a moved lower directory keeps its lower inode, so its content comes along without
 * being copied. Data is copied up as a whole when a file is first opened for writing, truncated or mapped shared.
 *
 * The lower tree may change while we run (it is somebody's working directory). Clean inodes follow it, changed ones do
 * not.
 *
 * Limits: extended attributes of the lower file are not shown; a name that the host removes under a changed file hides
 * that file.
 */
#include "fs/overlay.h"
#include "fs/bounce.h"
#include "fs/host.h"
#include "fs/tmpfs.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_INO_FIRST (1ull << 40) /* inodes without a lower one: above what host file systems number in practice */

static struct list *bucket_of(struct superblock *sb, const struct inode *lower)
{
	return &mem_fs(sb)->index[((uintptr_t)lower * 0x9e3779b97f4a7c15ull) >> 40 & (OVERLAY_BUCKETS - 1)];
}

/* What a clean inode shows is what is below. */
static void follow_lower(struct inode *inode)
{
	const struct inode *lower = mem_node(inode)->lower;

	inode->size = lower->size;
	inode->mode = lower->mode;
	inode->nlink = lower->nlink;
	inode->uid = lower->uid;
	inode->gid = lower->gid;
	inode->atime = lower->atime;
	inode->mtime = lower->mtime;
	inode->ctime = lower->ctime;
	inode->btime = lower->btime;
	inode->rdev = lower->rdev;
}

static int inode_make(struct superblock *sb, struct inode *lower, struct inode **out)
{
	struct inode *inode;
	int error = mem_inode_new(sb, INODE_OVERLAY, NULL, lower->mode, 0, NULL, &inode);

	if (error)
		return error;
	struct mem_node *node = mem_node(inode);
	inode_get(lower);
	node->lower = lower;
	node->data_is_lower = S_ISREG(lower->mode);
	inode->ino = lower->ino;
	follow_lower(inode);
	list_push_front(bucket_of(sb, lower), &node->index);
	*out = inode;
	return 0;
}

/* The overlay inode over a lower one. Takes lower; gives. */
static int inode_over(struct superblock *sb, struct inode *lower, struct inode **out)
{
	struct mem_node *node;
	int error = 0;

	list_for_each (node, bucket_of(sb, lower), index) {
		if (node->lower == lower) {
			inode_get(node->inode);
			*out = node->inode;
			inode_put(lower);
			return 0;
		}
	}
	error = inode_make(sb, lower, out);
	inode_put(lower);
	return error;
}

static bool is_changed(const struct mem_node *node)
{
	return node->pinned || node->orphan;
}

/* From now on the inode is changed. */
static void pin(struct inode *inode)
{
	struct mem_node *node = mem_node(inode);

	if (!node->lower || node->pinned || node->orphan)
		return;
	node->pinned = true;
	inode_get(inode);
}

/* Nothing leads to the inode any more: the index lets go of it. */
static void unpin(struct inode *inode)
{
	struct mem_node *node = mem_node(inode);

	if (!node->pinned || inode->nlink)
		return;
	node->pinned = false;
	node->orphan = true;
	list_remove(&node->index); /* a lower name that comes back means the lower file again */
	inode_put(inode);
}

/* ------------------------------------------------------------------------------------------------ names */

/* Does the directory's lower side have the name, whatever is above? Gives the lower inode when out is not NULL. */
static int lower_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct inode *lower = mem_node(dir)->lower, *found;
	int error = lower ? host_lookup(lower, name, &found) : -ENOENT;

	if (error)
		return error == -ENOTDIR || error == -ENAMETOOLONG ? -ENOENT : error;
	if (out)
		*out = found;
	else
		inode_put(found);
	return 0;
}

static int overlay_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct mem_entry *entry = mem_find(dir, name);
	struct inode *lower;

	if (entry && !entry->inode)
		return -ENOENT;
	if (entry) {
		inode_get(entry->inode);
		*out = entry->inode;
		return 0;
	}
	int error = lower_lookup(dir, name, &lower);
	return error ? error : inode_over(dir->sb, lower, out);
}

/* Names in memory are right; names below are as good as the host file system says. */
static bool overlay_check(struct inode *dir, const char *name, struct inode *inode, uint64_t *checked_ns)
{
	struct inode *lower_dir = mem_node(dir)->lower;

	if (mem_find(dir, name) || !lower_dir)
		return true;
	bool right = host_check(lower_dir, name, inode ? mem_node(inode)->lower : NULL, checked_ns);
	if (right && inode && !mem_node(inode)->pinned)
		follow_lower(inode);
	return right;
}

/* Takes the name away: what is below must be hidden. A whiteout is put where needed. */
static int hide(struct inode *dir, const char *name)
{
	int error = lower_lookup(dir, name, NULL);

	if (!error)
		return mem_put(dir, name, NULL);
	mem_remove(dir, name);
	return 0;
}

/* Is there anything in the directory, above or below? 0, -ENOTEMPTY or an error. */
static int check_empty(struct inode *dir)
{
	struct host_snapshot *snapshot;

	if (!mem_is_empty(dir))
		return -ENOTEMPTY;
	if (!mem_node(dir)->lower)
		return 0;
	int error = host_list(mem_node(dir)->lower, &snapshot);
	if (error)
		return error == -ENOENT ? 0 : error;
	for (uint32_t i = 0; i < snapshot->count && !error; i++)
		if (!mem_find(dir, host_entry(snapshot, i)->name))
			error = -ENOTEMPTY;
	host_snapshot_put(snapshot);
	return error;
}

/* Nothing there, or nothing but a whiteout. */
static bool is_free(struct inode *dir, const char *name)
{
	struct mem_entry *entry = mem_find(dir, name);

	return entry ? !entry->inode : lower_lookup(dir, name, NULL) != 0;
}

/* Gives the new inode its first name. Takes inode when it fails. */
static int enter(struct inode *dir, const char *name, struct inode *inode, struct inode **out)
{
	int error = !dir->nlink ? -ENOENT : is_free(dir, name) ? mem_put(dir, name, inode) : -EEXIST;

	if (error) {
		inode_put(inode);
		return error;
	}
	pin(dir);
	if (S_ISDIR(inode->mode))
		dir->nlink++;
	mem_linked(dir, inode);
	*out = inode;
	return 0;
}

static int overlay_create(struct inode *dir, const char *name, uint32_t mode, uint64_t rdev, struct cred *cred,
			  struct inode **out)
{
	struct inode *inode;
	int error = mem_inode_new(dir->sb, INODE_OVERLAY, dir, mode, rdev, cred, &inode);

	return error ? error : enter(dir, name, inode, out);
}

static int overlay_symlink(struct inode *dir, const char *name, const char *target, struct cred *cred,
			   struct inode **out)
{
	struct inode *inode;
	int error = mem_inode_new(dir->sb, INODE_OVERLAY, dir, S_IFLNK | 0777, 0, cred, &inode);

	if (error)
		return error;
	error = mem_set_target(inode, target);
	if (error) {
		inode_put(inode);
		return error;
	}
	return enter(dir, name, inode, out);
}

static int overlay_link(struct inode *dir, const char *name, struct inode *inode)
{
	int error = !dir->nlink ? -ENOENT : is_free(dir, name) ? mem_put(dir, name, inode) : -EEXIST;

	if (error)
		return error;
	pin(dir);
	pin(inode);
	inode->nlink++;
	mem_linked(dir, inode);
	return 0;
}

static int overlay_unlink(struct inode *dir, const char *name, struct inode *inode)
{
	inode_get(inode);
	int error = hide(dir, name);
	if (!error) {
		pin(dir);
		pin(inode);
		inode->nlink -= inode->nlink > 0;
		mem_linked(dir, inode);
		unpin(inode);
	}
	inode_put(inode);
	return error;
}

static int overlay_rmdir(struct inode *dir, const char *name, struct inode *inode)
{
	int error = check_empty(inode);

	if (error)
		return error;
	inode_get(inode);
	error = hide(dir, name);
	if (!error) {
		pin(dir);
		pin(inode);
		inode->nlink = 0;
		dir->nlink -= dir->nlink > 2;
		mem_linked(dir, inode);
		unpin(inode);
	}
	inode_put(inode);
	return error;
}

static int exchange(struct inode *old_dir, const char *old_name, struct inode *a, struct inode *new_dir,
		    const char *new_name, struct inode *b)
{
	int error = mem_put(old_dir, old_name, b);

	if (!error) {
		error = mem_put(new_dir, new_name, a);
		if (error) {
			int back = mem_put(old_dir, old_name, a); /* replaces in place: cannot fail */
			assert(!back);
			(void)back;
		}
	}
	if (!error) {
		if (S_ISDIR(a->mode) != S_ISDIR(b->mode) && old_dir != new_dir) {
			old_dir->nlink += S_ISDIR(b->mode) ? 1 : -1u;
			new_dir->nlink += S_ISDIR(a->mode) ? 1 : -1u;
		}
		mem_linked(old_dir, a);
		mem_linked(new_dir, b);
	}
	return error;
}

/* Puts inode under the new name and takes the old one away. */
static int move(struct inode *old_dir, const char *old_name, struct inode *inode, struct inode *new_dir,
		const char *new_name, struct inode *replaced)
{
	int error = mem_put(new_dir, new_name, inode);

	if (!error) {
		error = hide(old_dir, old_name);
		if (error && hide(new_dir, new_name))
			return error; /* no memory for either: both names lead to it */
	}
	if (error)
		return error;
	if (replaced) {
		replaced->nlink = S_ISDIR(replaced->mode) ? 0 : replaced->nlink - (replaced->nlink > 0);
		mem_linked(new_dir, replaced);
	}
	if (S_ISDIR(inode->mode)) {
		old_dir->nlink -= old_dir->nlink > 2;
		new_dir->nlink += !replaced;
	}
	mem_linked(old_dir, inode);
	mem_linked(new_dir, inode);
	return 0;
}

static int rename_found(struct inode *old_dir, const char *old_name, struct inode *inode, struct inode *new_dir,
			const char *new_name, struct inode *replaced, uint32_t flags)
{
	int error = 0;

	if (!new_dir->nlink || (flags & RENAME_EXCHANGE && !replaced))
		return -ENOENT;
	if (replaced && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (replaced && !(flags & RENAME_EXCHANGE) && S_ISDIR(replaced->mode))
		error = check_empty(replaced);
	if (error)
		return error;
	pin(old_dir);
	pin(new_dir);
	pin(inode);
	if (replaced)
		pin(replaced);
	if (flags & RENAME_EXCHANGE)
		return exchange(old_dir, old_name, inode, new_dir, new_name, replaced);
	return move(old_dir, old_name, inode, new_dir, new_name, replaced);
}

static int overlay_rename(struct inode *old_dir, const char *old_name, struct inode *new_dir, const char *new_name,
			  uint32_t flags)
{
	struct inode *inode, *replaced = NULL;
	int error = overlay_lookup(old_dir, old_name, &inode);

	if (error)
		return error;
	error = overlay_lookup(new_dir, new_name, &replaced);
	if (!error || error == -ENOENT)
		error = rename_found(old_dir, old_name, inode, new_dir, new_name, replaced, flags);
	if (replaced) {
		unpin(replaced);
		inode_put(replaced);
	}
	inode_put(inode);
	return error;
}

static int overlay_tmpfile(struct inode *dir, uint32_t mode, struct cred *cred, struct inode **out)
{
	int error = mem_inode_new(dir->sb, INODE_OVERLAY, dir, mode, 0, cred, out);

	if (!error)
		(*out)->nlink = 0;
	return error;
}

/* ------------------------------------------------------------------------------------------------ copy-up */

static int copy_data(struct inode *inode, uint64_t size)
{
	struct mem_node *node = mem_node(inode);
	char *bounce = bounce_get();
	uint64_t pos = 0;
	int error = bounce ? 0 : -ENOMEM;

	while (!error && pos < size) {
		struct uio uio;
		uio_init_kernel(&uio, bounce, MIN(BOUNCE_BYTES, size - pos));
		ssize_t got = host_read_inode(node->lower, &uio, (int64_t)pos);
		if (got <= 0) {
			error = (int)got;
			break;
		}
		uio_init_kernel(&uio, bounce, (size_t)got);
		ssize_t put = filedata_write(&node->data, &uio, pos, &mem_fs(inode->sb)->budget);
		if (put < got)
			error = put < 0 ? (int)put : -ENOSPC;
		pos += (uint64_t)MAX(put, (ssize_t)0);
	}
	if (bounce)
		bounce_put(bounce);
	if (error)
		(void)!filedata_resize(&node->data, pos, 0, &mem_fs(inode->sb)->budget);
	return error;
}

/* PARKS. Makes the data the node's own, as far as size bytes of it are wanted. Called with node->writing held. */
static int copy_up_locked(struct inode *inode, uint64_t size)
{
	struct mem_node *node = mem_node(inode);

	if (!node->data_is_lower)
		return 0;
	int error = copy_data(inode, MIN(size, inode->size));
	if (error)
		return error;
	node->data_is_lower = false;
	inode->size = MIN(size, inode->size);
	pin(inode);
	return 0;
}

static int copy_up(struct inode *inode, uint64_t size)
{
	struct mem_node *node = mem_node(inode);

	if (!node->data_is_lower)
		return 0;
	int error = mutex_lock(&node->writing);
	if (error)
		return error;
	error = copy_up_locked(inode, size);
	mutex_unlock(&node->writing);
	return error;
}

static int overlay_setattr(struct inode *inode, const struct setattr *change)
{
	if (change->valid & ATTR_SIZE && S_ISREG(inode->mode)) {
		int error = copy_up(inode, change->size);
		if (error)
			return error;
	}
	pin(inode);
	return mem_setattr(inode, change);
}

static int overlay_getattr(struct inode *inode, struct attr *out)
{
	struct mem_node *node = mem_node(inode);
	struct attr below;

	if (node->lower && (!is_changed(node) || node->data_is_lower) && !inode_getattr(node->lower, &below)) {
		uint64_t ino = out->ino, dev = out->dev;
		if (!is_changed(node)) {
			*out = below;
			out->ino = ino;
			out->dev = dev;
			follow_lower(inode);
		}
		out->blocks = below.blocks;
		out->block_size = PAGE_SIZE;
		return 0;
	}
	return mem_getattr(inode, out);
}

static ssize_t overlay_readlink(struct inode *inode, char *target, size_t size)
{
	struct mem_node *node = mem_node(inode);

	return node->target || !node->lower ? mem_readlink(inode, target, size)
					    : host_readlink(node->lower, target, size);
}

static int overlay_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	pin(inode);
	return mem_setxattr(inode, name, value, size, flags);
}

static int overlay_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
			struct file **out)
{
	uint32_t lower_file = HOSTFILE_NONE;
	int error = 0;

	if (S_ISREG(inode->mode)) {
		if ((flags & O_ACCMODE) != O_RDONLY)
			error = copy_up(inode, flags & O_TRUNC ? 0 : UINT64_MAX);
		else if (mem_node(inode)->data_is_lower)
			error = host_open_inode(mem_node(inode)->lower, &lower_file); /* the host may refuse */
	}
	if (error)
		return error;
	*out = file_new(S_ISDIR(inode->mode) ? FILE_DIR : FILE_OVERLAY, flags, inode, path, cred);
	if (*out)
		(*out)->cookie = S_ISDIR(inode->mode) ? 0 : (uint64_t)lower_file + 1;
	else if (lower_file != HOSTFILE_NONE)
		hostfile_put(lower_file);
	return *out ? 0 : file_refusal();
}

/* ------------------------------------------------------------------------------------------------ open files */

/* The lower file as it was opened; HOSTFILE_NONE for a file that was opened with its data above. */
static uint32_t lower_file(const struct file *file)
{
	return (uint32_t)(file->cookie - 1);
}

static bool reads_lower(const struct file *file)
{
	return mem_node(file->inode)->data_is_lower && lower_file(file) != HOSTFILE_NONE;
}

static ssize_t overlay_read(struct file *file, struct uio *to, int64_t *pos)
{
	if (!reads_lower(file))
		return mem_file_read(file, to, pos);
	ssize_t done = to->left ? host_read_file(lower_file(file), to, *pos, file->inode->size) : 0;
	if (done > 0)
		*pos += done;
	return done;
}

static int overlay_map(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags,
		       struct file_map *out)
{
	/* A file that only reads keeps its lower pages even if somebody else writes to it later, as on Linux's
	 * overlayfs. */
	if (!reads_lower(file))
		return mem_file_map(file, offset, size, prot, flags, out);
	hostfile_get(lower_file(file));
	*out = (struct file_map){.host_file = lower_file(file), .offset = offset};
	return 0;
}

static int64_t overlay_seek(struct file *file, int64_t offset, int whence)
{
	if (reads_lower(file))
		return seek_plain(file, offset, whence, file->inode->size);
	return mem_file_seek(file, offset, whence);
}

static void overlay_release(struct file *file)
{
	if (lower_file(file) != HOSTFILE_NONE)
		hostfile_put(lower_file(file));
}

static void overlay_dir_release(struct file *file)
{
	if (file->data)
		host_snapshot_put(file->data);
}

/* Positions: "." and "..", the lower listing (2 + index), then the memory entries from UPPER_PLACES on. */
#define UPPER_PLACES (1ll << 40)

static bool emit_lower(struct file *file, dir_emit *emit, void *context)
{
	const struct host_snapshot *snapshot = file->data;

	while ((uint64_t)file->pos - 2 < snapshot->count) {
		const struct host_entry *entry = host_entry(snapshot, (uint32_t)(file->pos - 2));
		if (!mem_find(file->inode, entry->name) &&
		    !emit(context, entry->name, entry->length, entry->ino, entry->type, file->pos + 1))
			return false;
		file->pos++;
	}
	return true;
}

static int overlay_readdir(struct file *file, dir_emit *emit, void *context)
{
	struct inode *lower = mem_node(file->inode)->lower;
	struct mem_entry *entry;

	if (file->pos == 0 && file->data) {
		host_snapshot_put(file->data);
		file->data = NULL;
	}
	if (!file->data && lower) {
		struct host_snapshot *snapshot;
		int error = host_list(lower, &snapshot);
		if (error)
			return error;
		file->data = snapshot;
	}
	if (!dir_emit_dots(file, emit, context))
		return 0;
	if (!lower || is_changed(mem_node(file->inode)))
		mem_file_accessed(file);
	if (file->pos < UPPER_PLACES) {
		if (file->data && !emit_lower(file, emit, context))
			return 0;
		file->pos = UPPER_PLACES;
	}
	while ((entry = mem_next(file->inode, (uint64_t)(file->pos - UPPER_PLACES)))) {
		int64_t next = UPPER_PLACES + (int64_t)entry->place + 1;
		if (entry->inode &&
		    !emit(context, entry->name, entry->length, entry->inode->ino, dir_type(entry->inode->mode), next))
			return 0;
		file->pos = next;
	}
	return 0;
}

static const struct inode_ops overlay_inode_ops = {.lookup = overlay_lookup,
						   .create = overlay_create,
						   .symlink = overlay_symlink,
						   .link = overlay_link,
						   .unlink = overlay_unlink,
						   .rmdir = overlay_rmdir,
						   .rename = overlay_rename,
						   .tmpfile = overlay_tmpfile,
						   .readlink = overlay_readlink,
						   .getattr = overlay_getattr,
						   .setattr = overlay_setattr,
						   .open = overlay_open,
						   .getxattr = mem_getxattr,
						   .setxattr = overlay_setxattr,
						   .listxattr = mem_listxattr,
						   .removexattr = mem_removexattr,
						   .check = overlay_check,
						   .release = mem_inode_release};

static const struct file_ops overlay_file_ops = {.read = overlay_read,
						 .write = mem_file_write,
						 .seek = overlay_seek,
						 .map = overlay_map,
						 .sync = mem_file_sync,
						 .truncate = mem_file_truncate,
						 .fallocate = mem_file_fallocate,
						 .release = overlay_release};

void overlay_init(void)
{
	inode_kind_register(INODE_OVERLAY, &overlay_inode_ops, mem_statfs);
	file_kind_register(FILE_OVERLAY, &overlay_file_ops);
	dir_kind_register(INODE_OVERLAY, overlay_readdir, overlay_dir_release);
}

int overlay_new(uint32_t lower, uint64_t size_bytes, struct superblock **out)
{
	struct superblock *below, *sb = superblock_new(INODE_OVERLAY, "overlay");
	struct mem_fs *fs = sb ? mem_fs_new(size_bytes) : NULL;

	if (!fs)
		return -ENOMEM; /* the start ends here */
	sb->data = fs;
	sb->next_ino = OWN_INO_FIRST;
	fs->index = arena_alloc(OVERLAY_BUCKETS * sizeof *fs->index);
	if (!fs->index)
		return -ENOMEM;
	for (unsigned i = 0; i < OVERLAY_BUCKETS; i++)
		list_init(&fs->index[i]);
	int error = host_new(lower, false, &below); /* stays as long as the sandbox */
	if (error)
		return error;
	inode_get(below->root);
	error = inode_over(sb, below->root, &sb->root);
	if (!error)
		*out = sb;
	return error;
}

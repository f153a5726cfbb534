/* memnode.c - nodes of the file systems in memory: entries of directories, link targets, extended attributes,
 * attributes.
 *
 * A directory keeps its entries in two trees: by name, for look-ups, and by place, a number that only grows, so that a
 * reader who comes back with a position misses and repeats nothing that stayed. Entries hold their inodes; "." and ".."
 * are not entries.
 *
 * Limits: mem_fs.inode_limit inodes a file system, for those that are made, not for those that show what is below an
 * overlay; XATTR_TOTAL_LIMIT bytes of attributes an inode.
 */
#include "fs/facts.h"
#include "fs/mount.h"
#include "fs/tmpfs.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/xattr.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static struct slab node_slab = SLAB(mem_node);
static struct slab fs_slab = SLAB(mem_fs);

#define FIRST_PLACE    2  /* behind "." and ".." */
#define DIR_SIZE_STEP  20 /* what an entry adds to a directory's size, as tmpfs counts */
#define ACCESS_STALE_S 86400
#define INODE_LIMIT    (4ull << 20)

static int by_name(const struct mem_entry *a, const struct mem_entry *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->name, b->name, a->length);
}

static int by_place(const struct mem_entry *a, const struct mem_entry *b)
{
	return a->place < b->place ? -1 : a->place > b->place;
}

RB_GENERATE_INTERNAL(mem_names, mem_entry, by_name, by_name, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(mem_places, mem_entry, by_place, by_place, __attribute__((unused)) static)

/* Room for a key that is compared like an entry. */
union key {
	struct mem_entry entry;
	char room[sizeof(struct mem_entry) + NAME_LIMIT + 1];
};

static uint32_t hash_of(const char *name, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)name[i]) * 16777619u;
	return hash;
}

static size_t entry_bytes(size_t length)
{
	return sizeof(struct mem_entry) + length + 1;
}

struct mem_fs *mem_fs_new(uint64_t size_bytes)
{
	struct mem_fs *fs = slab_new(&fs_slab);

	if (!fs)
		return NULL;
	/* As Linux: half of the memory, and an inode for each of its pages. */
	fs->budget.limit_bytes = size_bytes ? size_bytes : facts.memory_bytes / 2;
	fs->budget.on_disk = true;
	fs->inode_limit = MIN(fs->budget.limit_bytes / PAGE_SIZE, INODE_LIMIT);
	return fs;
}

void mem_fs_free(struct superblock *sb)
{
	if (sb->data)
		slab_free(&fs_slab, sb->data);
}

int mem_inode_new(struct superblock *sb, enum inode_kind kind, const struct inode *dir, uint32_t mode, uint64_t rdev,
		  struct cred *cred, struct inode **out)
{
	struct mem_fs *fs = mem_fs(sb);

	if (dir && fs->inodes >= fs->inode_limit)
		return -ENOSPC;
	struct inode *inode = inode_new(sb, kind, mode, cred);
	if (!inode)
		return -ENOMEM;
	struct mem_node *node = inode->data = slab_new(&node_slab);
	if (!node) {
		inode_put(inode); /* the release operation copes with a missing node */
		return -ENOMEM;
	}
	if (dir && cred)
		inode_init_owner(inode, dir, cred, mode);
	inode->rdev = rdev;
	inode->nlink = S_ISDIR(mode) ? 2 : 1;
	node->inode = inode;
	node->seals = F_SEAL_SEAL;
	filedata_init(&node->data);
	list_init(&node->xattrs);
	list_init(&node->index);
	mutex_init(&node->writing);
	RB_INIT(&node->names);
	RB_INIT(&node->places);
	node->next_place = FIRST_PLACE;
	fs->inodes++;
	*out = inode;
	return 0;
}

int mem_set_target(struct inode *inode, const char *target)
{
	size_t length = strlen(target);
	struct mem_node *node = mem_node(inode);

	assert(!node->target);
	int error = budget_charge(&mem_fs(inode->sb)->budget, length + 1, true);
	if (error)
		return error;
	node->target = arena_alloc(length + 1);
	if (!node->target) {
		budget_uncharge(&mem_fs(inode->sb)->budget, length + 1);
		return -ENOMEM;
	}
	memcpy(node->target, target, length + 1);
	inode->size = length;
	return 0;
}

static void xattr_free(struct inode *inode, struct mem_xattr *xattr)
{
	budget_uncharge(&mem_fs(inode->sb)->budget, xattr->name_bytes + xattr->size);
	list_remove(&xattr->node);
	arena_free(xattr->name, xattr->name_bytes + xattr->size);
	arena_free(xattr, sizeof *xattr);
}

void mem_inode_release(struct inode *inode)
{
	struct mem_node *node = mem_node(inode);
	struct mem_fs *fs = mem_fs(inode->sb);
	struct mem_entry *entry;
	struct mem_xattr *xattr, *after;

	if (!node)
		return;
	while ((entry = RB_ROOT(&node->places))) {
		RB_REMOVE(mem_places, &node->places, entry);
		if (entry->inode)
			inode_put(entry->inode);
		arena_free(entry, entry_bytes(entry->length));
	}
	list_for_each_safe (xattr, after, &node->xattrs, node)
		xattr_free(inode, xattr);
	filedata_free(&node->data, &fs->budget);
	if (node->target) {
		budget_uncharge(&fs->budget, inode->size + 1);
		arena_free(node->target, inode->size + 1);
	}
	list_remove(&node->index);
	if (node->lower)
		inode_put(node->lower);
	fs->inodes--;
	slab_free(&node_slab, node);
}

/* ------------------------------------------------------------------------------------------------ entries */

struct mem_entry *mem_find(const struct inode *dir, const char *name)
{
	union key key;
	size_t length = strlen(name);

	assert(length > 0 && length <= NAME_LIMIT);
	key.entry.hash = hash_of(name, length);
	key.entry.length = (uint8_t)length;
	memcpy(key.entry.name, name, length);
	return RB_FIND(mem_names, &mem_node(dir)->names, &key.entry);
}

int mem_put(struct inode *dir, const char *name, struct inode *inode)
{
	struct mem_node *node = mem_node(dir);
	struct mem_entry *entry = mem_find(dir, name);
	size_t length = strlen(name);

	if (inode)
		inode_get(inode);
	if (entry) {
		struct inode *before = entry->inode;
		entry->inode = inode;
		if (before)
			inode_put(before);
		return 0;
	}
	entry = arena_alloc(entry_bytes(length));
	if (!entry) {
		if (inode)
			inode_put(inode);
		return -ENOMEM;
	}
	entry->hash = hash_of(name, length);
	entry->length = (uint8_t)length;
	memcpy(entry->name, name, length + 1);
	entry->inode = inode;
	entry->place = node->next_place++;
	RB_INSERT(mem_names, &node->names, entry);
	RB_INSERT(mem_places, &node->places, entry);
	dir->size += DIR_SIZE_STEP;
	return 0;
}

void mem_remove(struct inode *dir, const char *name)
{
	struct mem_node *node = mem_node(dir);
	struct mem_entry *entry = mem_find(dir, name);

	if (!entry)
		return;
	RB_REMOVE(mem_names, &node->names, entry);
	RB_REMOVE(mem_places, &node->places, entry);
	dir->size -= MIN((uint64_t)DIR_SIZE_STEP, dir->size);
	if (entry->inode)
		inode_put(entry->inode);
	arena_free(entry, entry_bytes(entry->length));
}

struct mem_entry *mem_next(const struct inode *dir, uint64_t place)
{
	struct mem_entry key = {.place = place};

	return RB_NFIND(mem_places, &mem_node(dir)->places, &key);
}

bool mem_is_empty(const struct inode *dir)
{
	struct mem_entry *entry;

	for (entry = mem_next(dir, 0); entry; entry = RB_NEXT(mem_places, &mem_node(dir)->places, entry))
		if (entry->inode)
			return false;
	return true;
}

static bool is_later(const struct fs_time *a, const struct fs_time *b)
{
	return a->s != b->s ? a->s > b->s : a->ns > b->ns;
}

/* relatime (mount(8)): reading moves the access time when it is not yet later than the last changes, or a day old. */
void mem_accessed(struct inode *inode)
{
	struct fs_time now = fs_time_now();

	if (!is_later(&inode->atime, &inode->mtime) || !is_later(&inode->atime, &inode->ctime) ||
	    now.s - inode->atime.s >= ACCESS_STALE_S)
		inode->atime = now;
}

void mem_file_accessed(const struct file *file)
{
	struct inode *inode = file->inode;
	const struct mount *mount = file->path.mount;
	uint32_t flags = mount ? mount->flags : MS_RELATIME;

	if (file->flags & O_NOATIME || flags & MS_NOATIME || (flags & MS_NODIRATIME && S_ISDIR(inode->mode)) ||
	    (mount && mount_is_read_only(mount)))
		return;
	if (flags & MS_RELATIME)
		mem_accessed(inode);
	else
		inode->atime = fs_time_now();
}

void mem_linked(struct inode *dir, struct inode *inode)
{
	inode_touch(dir, ATTR_MTIME);
	inode->ctime = dir->ctime;
}

/* ------------------------------------------------------------------------------------------------ attributes */

int mem_setattr(struct inode *inode, const struct setattr *change)
{
	struct mem_node *node = mem_node(inode);

	if (change->valid & ATTR_SIZE) {
		if (change->size > INT64_MAX)
			return -EFBIG;
		if ((change->size < inode->size && node->seals & F_SEAL_SHRINK) ||
		    (change->size > inode->size && node->seals & F_SEAL_GROW))
			return -EPERM;
		int error = filedata_resize(&node->data, inode->size, change->size, &mem_fs(inode->sb)->budget);
		if (error)
			return error;
		inode->size = change->size;
		inode_touch(inode, ATTR_MTIME);
	}
	inode_attributes_set(inode, change);
	return 0;
}

ssize_t mem_readlink(struct inode *inode, char *target, size_t size)
{
	const struct mem_node *node = mem_node(inode);

	if (!node->target)
		return -EINVAL;
	size = MIN(size, inode->size);
	memcpy(target, node->target, size);
	mem_accessed(inode);
	return (ssize_t)size;
}

int mem_getattr(struct inode *inode, struct attr *out)
{
	const struct mem_node *node = mem_node(inode);

	if (S_ISREG(inode->mode))
		out->blocks = (node->data.used_bytes + 511) / 512;
	else
		out->blocks = 0;
	return 0;
}

int mem_statfs(struct superblock *sb, struct statfs_info *out)
{
	const struct mem_fs *fs = mem_fs(sb);
	uint64_t size, left;

	budget_space(&fs->budget, &size, &left);
	out->type = sb->kind == INODE_OVERLAY ? OVERLAYFS_SUPER_MAGIC : TMPFS_MAGIC;
	out->blocks = size / PAGE_SIZE;
	out->blocks_free = left / PAGE_SIZE;
	out->blocks_available = out->blocks_free;
	out->files = fs->inode_limit;
	out->files_free = fs->inode_limit - MIN(fs->inodes, fs->inode_limit);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ extended attributes
 */

/* Which names exist on this kind of file: user.* on files and directories, trusted.* and security.* as they come. */
static int xattr_check(const struct inode *inode, const char *name)
{
	bool plain = S_ISREG(inode->mode) || S_ISDIR(inode->mode);

	if (!strncmp(name, XATTR_USER_PREFIX, XATTR_USER_PREFIX_LEN))
		return !name[XATTR_USER_PREFIX_LEN] ? -EINVAL : plain ? 0 : -EPERM;
	if (!strncmp(name, XATTR_TRUSTED_PREFIX, XATTR_TRUSTED_PREFIX_LEN))
		return name[XATTR_TRUSTED_PREFIX_LEN] ? 0 : -EINVAL;
	if (!strncmp(name, XATTR_SECURITY_PREFIX, XATTR_SECURITY_PREFIX_LEN))
		return name[XATTR_SECURITY_PREFIX_LEN] ? 0 : -EINVAL;
	return -EOPNOTSUPP;
}

static struct mem_xattr *xattr_find(const struct inode *inode, const char *name)
{
	struct mem_xattr *xattr;

	list_for_each (xattr, &mem_node(inode)->xattrs, node)
		if (!strcmp(xattr->name, name))
			return xattr;
	return NULL;
}

ssize_t mem_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	int error = xattr_check(inode, name);
	const struct mem_xattr *xattr = error ? NULL : xattr_find(inode, name);

	if (!xattr)
		return error && error != -EPERM ? error : -ENODATA;
	if (!size)
		return xattr->size;
	if (size < xattr->size)
		return -ERANGE;
	memcpy(value, xattr->name + xattr->name_bytes, xattr->size);
	return xattr->size;
}

int mem_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct mem_node *node = mem_node(inode);
	int error = xattr_check(inode, name);
	struct mem_xattr *before = error ? NULL : xattr_find(inode, name);
	uint32_t name_bytes = (uint32_t)strlen(name) + 1;

	if (error)
		return error;
	if (before ? flags & XATTR_CREATE : flags & XATTR_REPLACE)
		return before ? -EEXIST : -ENODATA;
	uint32_t old = before ? before->name_bytes + before->size : 0;
	if (size > XATTR_SIZE_LIMIT || node->xattr_bytes - old + name_bytes + size > XATTR_TOTAL_LIMIT)
		return -ENOSPC;
	error = budget_charge(&mem_fs(inode->sb)->budget, name_bytes + size, true);
	if (error)
		return error;
	struct mem_xattr *xattr = arena_alloc(sizeof *xattr);
	char *text = arena_alloc(name_bytes + size);
	if (!xattr || !text) {
		budget_uncharge(&mem_fs(inode->sb)->budget, name_bytes + size);
		arena_free(xattr, sizeof *xattr);
		arena_free(text, name_bytes + size);
		return -ENOMEM;
	}
	memcpy(text, name, name_bytes);
	memcpy(text + name_bytes, value, size);
	*xattr = (struct mem_xattr){.name_bytes = name_bytes, .size = (uint32_t)size, .name = text};
	if (before)
		xattr_free(inode, before);
	list_push_back(&node->xattrs, &xattr->node);
	node->xattr_bytes += name_bytes + (uint32_t)size - old;
	inode->ctime = fs_time_now();
	return 0;
}

ssize_t mem_listxattr(struct inode *inode, char *names, size_t size)
{
	struct mem_xattr *xattr;
	size_t total = 0;

	list_for_each (xattr, &mem_node(inode)->xattrs, node) {
		if (size) {
			if (total + xattr->name_bytes > size)
				return -ERANGE;
			memcpy(names + total, xattr->name, xattr->name_bytes);
		}
		total += xattr->name_bytes;
	}
	return (ssize_t)total;
}

int mem_removexattr(struct inode *inode, const char *name)
{
	int error = xattr_check(inode, name);
	struct mem_xattr *xattr = error ? NULL : xattr_find(inode, name);

	if (!xattr)
		return error ? error : -ENODATA;
	mem_node(inode)->xattr_bytes -= xattr->name_bytes + xattr->size;
	xattr_free(inode, xattr);
	inode->ctime = fs_time_now();
	return 0;
}

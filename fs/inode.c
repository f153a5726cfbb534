/* inode.c - what all inodes share: life, identity, permission by mode bits and capabilities, times.
 *
 * An inode lives as long as somebody holds a reference: dentries, open files, and the file system itself for what has a
 * name in it. Kinds and their operations are in a static table, filled once at start (design D5: none in the arena).
 *
 * Limits: no access control lists beyond the mode; no user namespaces.
 */
#include "fs/dentry.h"
#include "fs/handle.h"
#include "platform/host.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <time.h>

static struct slab inode_slab = SLAB(inode);
static struct slab superblock_slab = SLAB(superblock);

static struct {
	const struct inode_ops *ops;
	int (*statfs)(struct superblock *sb, struct statfs_info *out);
} kinds[INODE_KINDS];

/* Anonymous device numbers 0:N, as Linux gives them out. */
static uint64_t next_dev = 21;

void inode_kind_register(enum inode_kind kind, const struct inode_ops *ops,
			 int (*statfs)(struct superblock *, struct statfs_info *))
{
	assert(kind > INODE_NONE && kind < INODE_KINDS && ops);
	kinds[kind].ops = ops;
	kinds[kind].statfs = statfs;
}

const struct inode_ops *inode_ops(const struct inode *inode)
{
	assert(inode->kind < INODE_KINDS && kinds[inode->kind].ops);
	return kinds[inode->kind].ops;
}

struct superblock *superblock_new(enum inode_kind kind, const char *type)
{
	struct superblock *sb = slab_new(&superblock_slab);

	if (!sb)
		return NULL;
	ref_init(&sb->ref);
	sb->kind = kind;
	sb->type = type;
	sb->dev = next_dev++;
	list_init(&sb->watches);
	return sb;
}

void superblock_get(struct superblock *sb)
{
	ref_get(&sb->ref);
}

void superblock_put(struct superblock *sb)
{
	if (!ref_put(&sb->ref))
		return;
	assert(!sb->root && list_empty(&sb->watches));
	if (kinds[sb->kind].ops && kinds[sb->kind].ops->free_super)
		kinds[sb->kind].ops->free_super(sb);
	slab_free(&superblock_slab, sb);
}

struct dentry *superblock_top(struct superblock *sb)
{
	if (!sb->top)
		sb->top = dentry_new_root(sb->root);
	return sb->top;
}

void superblock_shut(struct superblock *sb)
{
	struct inode *root = sb->root;

	sb->root = NULL;
	if (sb->top)
		dentry_put(sb->top);
	sb->top = NULL;
	dentry_forget(sb);
	if (root)
		inode_put(root);
}

int superblock_statfs(struct superblock *sb, struct statfs_info *out)
{
	*out = (struct statfs_info){.block_size = PAGE_SIZE, .name_max = 255, .fsid = sb->dev};
	return kinds[sb->kind].statfs ? kinds[sb->kind].statfs(sb, out) : -ENOSYS;
}

struct inode *inode_new(struct superblock *sb, enum inode_kind kind, uint32_t mode, struct cred *cred)
{
	struct inode *inode = slab_new(&inode_slab);

	if (!inode)
		return NULL;
	ref_init(&inode->ref);
	inode->kind = kind;
	inode->sb = sb;
	superblock_get(sb);
	inode->ino = ++sb->next_ino;
	inode->mode = mode;
	inode->nlink = 1;
	inode->uid = cred ? cred->fsuid : 0;
	inode->gid = cred ? cred->fsgid : 0;
	inode->atime = inode->mtime = inode->ctime = inode->btime = fs_time_now();
	list_init(&inode->locks);
	list_init(&inode->watches);
	waitq_init(&inode->lock_wait);
	return inode;
}

void inode_get(struct inode *inode)
{
	ref_get(&inode->ref);
}

/* Releasing an inode may give back others (a directory's entries, a parent): they queue here and are released in a
 * loop, because a guest chooses how deep directories go. */
static struct inode *dying;

void inode_put(struct inode *inode)
{
	static bool draining;

	if (!ref_put(&inode->ref))
		return;
	assert(waitq_empty(&inode->lock_wait) && list_empty(&inode->locks));
	if (inode->handle)
		handle_forget(inode);
	inode->dying = dying;
	dying = inode;
	if (draining)
		return;
	draining = true;
	while ((inode = dying)) {
		dying = inode->dying;
		if (inode_ops(inode)->release)
			inode_ops(inode)->release(inode);
		struct superblock *sb = inode->sb;
		slab_free(&inode_slab, inode);
		superblock_put(sb);
	}
	draining = false;
}

void inode_init_owner(struct inode *inode, const struct inode *dir, const struct cred *cred, uint32_t mode)
{
	inode->uid = cred->fsuid;
	inode->gid = cred->fsgid;
	if (dir->mode & S_ISGID) {
		inode->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !cred_in_group(cred, inode->gid) &&
			 !cred_capable(cred, CAP_FSETID))
			mode &= ~(uint32_t)S_ISGID;
	}
	inode->mode = mode;
}

int inode_getattr(struct inode *inode, struct attr *out)
{
	*out = (struct attr){.ino = inode->ino,
			     .size = inode->size,
			     .blocks = (inode->size + 511) / 512,
			     .mode = inode->mode,
			     .nlink = inode->nlink,
			     .uid = inode->uid,
			     .gid = inode->gid,
			     .block_size = PAGE_SIZE,
			     .dev = inode->sb->dev,
			     .rdev = inode->rdev,
			     .atime = inode->atime,
			     .mtime = inode->mtime,
			     .ctime = inode->ctime,
			     .btime = inode->btime};
	return inode_ops(inode)->getattr ? inode_ops(inode)->getattr(inode, out) : 0;
}

/* As generic_permission and capable_wrt_inode in Linux, fs/namei.c. */
int inode_permission(struct inode *inode, const struct cred *cred, int may)
{
	uint32_t mode = inode->mode;

	if (inode->uid == cred->fsuid)
		mode >>= 6;
	else if ((mode >> 3 & 7) != (mode & 7) && cred_in_group(cred, inode->gid))
		mode >>= 3; /* asked only where it makes a difference */
	if (!(may & ~mode & 7))
		return 0;
	if (S_ISDIR(inode->mode)) {
		if (!(may & 2) && cred_capable(cred, CAP_DAC_READ_SEARCH))
			return 0;
		return cred_capable(cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (may == 4 && cred_capable(cred, CAP_DAC_READ_SEARCH))
		return 0;
	/* To run a file, somebody must be allowed to. */
	if ((!(may & 1) || (inode->mode & 0111)) && cred_capable(cred, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

void inode_drop_setid(struct inode *inode, const struct cred *cred)
{
	uint32_t drop = inode->mode & S_ISUID;

	/* Set-group-ID without group execution once meant mandatory locking: it stays (should_remove_suid in Linux). */
	if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		drop |= S_ISGID;
	if (!drop || !S_ISREG(inode->mode) || cred_capable(cred, CAP_FSETID))
		return;
	struct setattr change = {.valid = ATTR_MODE, .mode = inode->mode & ~drop};
	if (inode_ops(inode)->setattr)
		(void)!inode_ops(inode)->setattr(inode, &change); /* best effort: the write itself goes on */
}

void inode_owner_set(struct inode *inode, const struct setattr *change)
{
	if (change->valid & ATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (change->mode & 07777);
	if (change->valid & ATTR_UID)
		inode->uid = change->uid;
	if (change->valid & ATTR_GID)
		inode->gid = change->gid;
}

void inode_attributes_set(struct inode *inode, const struct setattr *change)
{
	inode_owner_set(inode, change);
	if (change->valid & ATTR_ATIME)
		inode->atime = change->atime;
	if (change->valid & ATTR_MTIME)
		inode->mtime = change->mtime;
	inode->ctime = fs_time_now();
}

void inode_touch(struct inode *inode, uint32_t times)
{
	struct fs_time now = fs_time_now();

	if (times & ATTR_ATIME)
		inode->atime = now;
	if (times & ATTR_MTIME)
		inode->mtime = now;
	if (times & ~ATTR_ATIME || !times)
		inode->ctime = now;
}

struct fs_time fs_time_now(void)
{
	struct timespec now;

	/* The coarse clock is what Linux stamps files with; it does not fail. */
	if (host_clock_gettime(CLOCK_REALTIME_COARSE, &now))
		return (struct fs_time){0};
	return (struct fs_time){now.tv_sec, (uint32_t)now.tv_nsec};
}

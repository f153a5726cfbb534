/* devpts.c - the file system of /dev/pts: a node for each terminal, and ptmx, which makes them (pts(4)).
 *
 * Names come and go with the masters, so nothing is created or removed by name. A number is the lowest that is free.
 * Nodes belong to whoever opened the master, in group tty, as distributions mount it.
 *
 * An inode's data is its terminal, borrowed: it is taken away when the master closes, whoever still holds the inode.
 *
 * Limits: PTY_LIMIT terminals, over all instances; one instance serves device nodes of ptmx that lie elsewhere.
 */
#include "fs/dentry.h"
#include "fs/dev.h"
#include "fs/dir.h"
#include "fs/mount.h"
#include "fs/tty_impl.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEVPTS_MAGIC 0x1cd1
#define PTMX_INO     2u
#define FIRST_INO    3u /* of number 0 */
#define NODE_MODE    0620
#define PTMX_MODE    0666
#define TTY_GROUP    5
#define SLAVE_MAJOR  136

/* The superblock's data. */
struct devpts {
	struct inode *ptmx; /* counted */
	struct tty *ttys[PTY_LIMIT];
};

static struct superblock *first;

static struct devpts *devpts_of(const struct superblock *sb)
{
	return sb->data;
}

struct superblock *devpts_default(void)
{
	return first;
}

/* ------------------------------------------------------------------------------------------------ names */

/* Decimal, no leading zeros. */
static struct tty *tty_by_name(const struct superblock *sb, const char *name)
{
	uint32_t index = 0;

	if (!*name || (*name == '0' && name[1]) || strlen(name) > 5)
		return NULL;
	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return NULL;
		index = index * 10 + (uint32_t)(*name - '0');
	}
	return index < PTY_LIMIT ? devpts_of(sb)->ttys[index] : NULL;
}

static struct inode *inode_by_name(const struct inode *dir, const char *name)
{
	if (!strcmp(name, "ptmx"))
		return devpts_of(dir->sb)->ptmx;
	struct tty *tty = tty_by_name(dir->sb, name);
	return tty ? tty->inode : NULL;
}

static int devpts_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct inode *inode = inode_by_name(dir, name);

	if (!inode)
		return -ENOENT;
	inode_get(inode);
	*out = inode;
	return 0;
}

static bool devpts_check(struct inode *dir, const char *name, struct inode *inode, uint64_t *checked_ns)
{
	(void)checked_ns;
	return inode_by_name(dir, name) == inode;
}

static int devpts_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
		       struct file **out)
{
	if (S_ISDIR(inode->mode)) {
		*out = file_new(FILE_DIR, flags, inode, path, cred);
		return *out ? 0 : file_refusal();
	}
	if (inode->ino == PTMX_INO)
		return pty_master_open(inode, path, flags, cred, out);
	return inode->data ? pty_slave_open(inode->data, inode, path, flags, cred, out) : -EIO;
}

static int devpts_setattr(struct inode *inode, const struct setattr *change)
{
	inode_attributes_set(inode, change);
	return 0;
}

static int devpts_getattr(struct inode *inode, struct attr *out)
{
	(void)inode;
	out->block_size = 1024;
	out->blocks = 0;
	return 0;
}

static int devpts_statfs(struct superblock *sb, struct statfs_info *out)
{
	(void)sb;
	out->type = DEVPTS_MAGIC;
	return 0;
}

/* Positions: "." and ".." 0 and 1, ptmx 2, number N at N + FIRST_INO. */
static int devpts_readdir(struct file *file, dir_emit *emit, void *context)
{
	struct devpts *devpts = devpts_of(file->inode->sb);
	char name[16];

	if (!dir_emit_dots(file, emit, context))
		return 0;
	for (; file->pos < FIRST_INO + PTY_LIMIT; file->pos++) {
		int n = snprintf(name, sizeof name, "ptmx");
		if (file->pos >= FIRST_INO) {
			uint32_t index = (uint32_t)file->pos - FIRST_INO;
			if (!devpts->ttys[index])
				continue;
			n = snprintf(name, sizeof name, "%u", index);
		}
		if (!emit(context, name, (size_t)n, (uint64_t)file->pos, dir_type(S_IFCHR), file->pos + 1))
			return 0;
	}
	return 0;
}

static const struct inode_ops devpts_ops = {.lookup = devpts_lookup,
					    .check = devpts_check,
					    .open = devpts_open,
					    .setattr = devpts_setattr,
					    .getattr = devpts_getattr};

/* ------------------------------------------------------------------------------------------------ coming and going */

int devpts_add(struct superblock *sb, struct cred *cred, struct tty **out)
{
	struct devpts *devpts = devpts_of(sb);
	struct tty *tty;
	uint32_t index = 0;

	while (index < PTY_LIMIT && devpts->ttys[index])
		index++;
	if (index == PTY_LIMIT)
		return -ENOSPC;
	int error = tty_new(sb, index, &tty);
	if (error)
		return error;
	tty->inode = inode_new(sb, INODE_DEVPTS, S_IFCHR | NODE_MODE, cred);
	if (!tty->inode) {
		tty_put(tty);
		return -ENOMEM;
	}
	tty->inode->gid = TTY_GROUP;
	tty->inode->ino = index + FIRST_INO;
	tty->inode->rdev = tty_device(tty);
	tty->inode->data = tty;
	devpts->ttys[index] = tty;
	*out = tty;
	return 0;
}

void devpts_remove(struct tty *tty)
{
	struct inode *inode = tty->inode;

	assert(inode && inode->data == tty && devpts_of(tty->sb)->ttys[tty->index] == tty);
	devpts_of(tty->sb)->ttys[tty->index] = NULL;
	inode->data = NULL;
	inode->nlink = 0;
	tty->inode = NULL;
	inode_put(inode);
}

/* The mount through which hint was reached, or the first one of the file system. */
static struct mount *mount_of(const struct tty *tty, const struct path *hint)
{
	struct mount *mount;

	if (hint->mount && hint->mount->sb == tty->sb)
		return hint->mount;
	list_for_each (mount, mount_all(), node)
		if (mount->sb == tty->sb)
			return mount;
	return NULL;
}

int devpts_place(const struct tty *tty, const struct path *hint, struct path *out)
{
	struct mount *mount = mount_of(tty, hint);
	char name[16];

	if (!mount || !tty->inode)
		return -EIO;
	size_t n = (size_t)snprintf(name, sizeof name, "%u", tty->index);
	struct dentry *dentry = dentry_find(mount->root, name, n);
	if (dentry && dentry->inode != tty->inode) {
		dentry_drop(dentry);
		dentry_put(dentry);
		dentry = NULL;
	}
	if (!dentry)
		dentry = dentry_add(mount->root, name, n, tty->inode);
	if (!dentry)
		return -ENOMEM;
	*out = (struct path){mount, dentry};
	path_get(out);
	dentry_put(dentry);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ mounting */

static int fill(struct superblock *sb, struct cred *cred)
{
	struct devpts *devpts = arena_alloc(sizeof *devpts);

	if (!devpts)
		return -ENOMEM;
	sb->data = devpts;
	sb->root = inode_new(sb, INODE_DEVPTS, S_IFDIR | 0755, cred);
	devpts->ptmx = inode_new(sb, INODE_DEVPTS, S_IFCHR | PTMX_MODE, cred);
	if (!sb->root || !devpts->ptmx)
		return -ENOMEM;
	sb->root->nlink = 2;
	assert(devpts->ptmx->ino == PTMX_INO);
	devpts->ptmx->rdev = DEV_MAKE(5, 2);
	return 0;
}

/* Mounts are only taken away at the sandbox's end, so nothing gives the superblock's data back but a failure here. */
static int devpts_make(const struct mount_spec *spec, struct superblock **out)
{
	struct superblock *sb = superblock_new(INODE_DEVPTS, "devpts");
	struct cred *cred = cred_new(0, 0);
	int error = sb && cred ? fill(sb, cred) : -ENOMEM;

	(void)spec;
	if (cred)
		cred_put(cred);
	if (error && sb) {
		struct devpts *devpts = sb->data;
		if (devpts && devpts->ptmx)
			inode_put(devpts->ptmx);
		arena_free(devpts, sizeof *devpts);
		superblock_put(sb);
	}
	if (error)
		return error;
	if (!first)
		first = sb;
	*out = sb;
	return 0;
}

void devpts_init(void)
{
	inode_kind_register(INODE_DEVPTS, &devpts_ops, devpts_statfs);
	dir_kind_register(INODE_DEVPTS, devpts_readdir, NULL);
	mount_type_register(MOUNT_DEVPTS, devpts_make);
}

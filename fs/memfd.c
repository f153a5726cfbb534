/* memfd.c - anonymous files in memory: files of a tmpfs that is mounted nowhere, each with the name "memfd:NAME
 * (deleted)".
 *
 * Seals are a property of the memory node and are checked where its data changes (fs/tmpfs.c).
 *
 * Limits: huge pages are refused.
 */
#include "fs/memfd.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/tmpfs.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS_KNOWN       (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | MEMFD_SEAL_EXEC)
#define MEMFD_SEAL_EXEC   0x20u /* F_SEAL_EXEC, Linux 6.3 */
#define MEMFD_NOEXEC_SEAL 8u    /* MFD_NOEXEC_SEAL */

static struct superblock *memfd_sb;
static struct mount *memfd_mount; /* not in the tree */

static const struct file_ops memfd_ops = {.read = mem_file_read,
					  .write = mem_file_write,
					  .seek = mem_file_seek,
					  .map = mem_file_map,
					  .sync = mem_file_sync,
					  .truncate = mem_file_truncate,
					  .fallocate = mem_file_fallocate};

/* Segments of System V shared memory are memfds that nobody has a descriptor of. */
static void (*shm_gone)(struct file *file);

static void shm_release(struct file *file)
{
	if (shm_gone)
		shm_gone(file);
}

static const struct file_ops shm_ops = {.map = mem_file_map, .sync = mem_file_sync, .release = shm_release};

void memfd_init(void)
{
	file_kind_register(FILE_MEMFD, &memfd_ops);
	file_kind_register(FILE_SHM, &shm_ops);
}

void memfd_shm_register(void (*gone)(struct file *file))
{
	shm_gone = gone;
}

/* The hidden file system is made with the first memfd: fs_init must not fail. */
static int make_home(void)
{
	int error = memfd_sb ? 0 : tmpfs_new(01777, 0, &memfd_sb);

	if (error || memfd_mount)
		return error;
	mem_fs(memfd_sb)->seals_allowed = true;
	mem_fs(memfd_sb)->budget.on_disk = false;
	struct mount *mount = arena_alloc(sizeof *mount);
	struct dentry *root = dentry_new_root(memfd_sb->root);
	if (!mount || !root) {
		arena_free(mount, sizeof *mount);
		if (root)
			dentry_put(root);
		return -ENOMEM;
	}
	*mount = (struct mount){.sb = memfd_sb, .root = root, .flags = MS_RELATIME, .internal = true};
	ref_init(&mount->ref);
	list_init(&mount->node);
	memfd_mount = mount;
	return 0;
}

/* An unlinked name that only this file holds. */
static int make_place(const char *prefix, const char *name, struct inode *inode, struct path *out)
{
	char text[NAME_LIMIT + 1];
	int length = snprintf(text, sizeof text, "%s%s", prefix, name);

	if (length >= (int)sizeof text)
		return -EINVAL;
	out->mount = memfd_mount;
	/* Two memfds may have one name: neither stays in the cache. */
	out->dentry = dentry_add(memfd_mount->root, text, (size_t)length, inode);
	if (!out->dentry)
		return -ENOMEM;
	dentry_drop(out->dentry);
	return 0;
}

int memfd_new(const char *name, uint32_t flags, struct cred *cred, struct file **out)
{
	struct inode *inode;
	struct path place;
	bool noexec = flags & MEMFD_NOEXEC_SEAL;
	int error = make_home();

	if (!error)
		error = mem_inode_new(memfd_sb, INODE_TMPFS, NULL, S_IFREG | (noexec ? 0666 : 0777), 0, cred, &inode);
	if (error)
		return error;
	inode->nlink = 0;
	mem_node(inode)->seals = noexec ? MEMFD_SEAL_EXEC : flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;
	error = make_place("memfd:", name, inode, &place);
	if (!error) {
		*out = file_new(FILE_MEMFD, O_RDWR, inode, &place, cred);
		error = *out ? 0 : file_refusal();
		dentry_put(place.dentry); /* the file holds it now */
	}
	inode_put(inode);
	return error;
}

int memfd_new_shm(const char *name, int64_t size, struct cred *cred, struct file **out)
{
	struct inode *inode;
	struct path place;
	struct file *file;
	int error = make_home();

	if (!error)
		error = mem_inode_new(memfd_sb, INODE_TMPFS, NULL, S_IFREG | 0777, 0, cred, &inode);
	if (error)
		return error;
	inode->nlink = 0;
	mem_node(inode)->seals = F_SEAL_SEAL;
	error = make_place("", name, inode, &place);
	if (!error) {
		file = file_new(FILE_SHM, O_RDWR, inode, &place, cred);
		error = file ? 0 : file_refusal();
		dentry_put(place.dentry); /* the file holds it now */
	}
	inode_put(inode);
	if (error)
		return error;
	error = mem_file_truncate(file, size);
	if (error)
		file_put(file);
	else
		*out = file;
	return error;
}

static struct mem_node *sealable(const struct file *file)
{
	bool memory = file->inode->kind == INODE_TMPFS && S_ISREG(file->inode->mode);

	return memory ? mem_node(file->inode) : NULL;
}

long memfd_add_seals(struct file *file, uint32_t seals)
{
	struct mem_node *node = sealable(file);

	if (!file_writable(file))
		return -EPERM;
	if (!node || seals & ~SEALS_KNOWN)
		return -EINVAL;
	if (node->seals & F_SEAL_SEAL)
		return -EPERM;
	if (seals & F_SEAL_WRITE && file->inode->writable_maps)
		return -EBUSY;
	if (seals & MEMFD_SEAL_EXEC && file->inode->mode & 0111)
		seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	node->seals |= seals;
	return 0;
}

long memfd_get_seals(const struct file *file)
{
	const struct mem_node *node = sealable(file);

	return node ? (long)node->seals : -EINVAL;
}

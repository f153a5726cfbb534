/* dev.c - the memory devices, and the tree that /dev starts with.
 *
 * /dev is a tmpfs with nodes, links and directories in it, as containers have it: guests may add names of their own. A
 * device node leads to its driver by its number, in whatever file system it is; each driver registers its open
 * (dev_register).
 *
 * Random bytes come from the host's generator, RANDOM_CHUNK at a time. What is written to random and urandom is
 * dropped: the host's pool is not the guest's to stir.
 *
 * Limits: DEV_LIMIT drivers; no block devices.
 */
#include "fs/dev.h"
#include "fs/mount.h"
#include "fs/tmpfs.h"
#include "platform/host.h"
#include <errno.h>
#include <linux/random.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define DEV_LIMIT    32
#define RANDOM_CHUNK 256
#define TURN_BYTES   (256 * 1024)

#define MEM_MAJOR 1
enum { DEV_NULL = 3, DEV_ZERO = 5, DEV_FULL = 7, DEV_RANDOM = 8, DEV_URANDOM = 9 };

static struct {
	uint64_t rdev;
	dev_open *open;
} drivers[DEV_LIMIT];
static unsigned driver_count;

void dev_register(uint64_t rdev, dev_open *open)
{
	unsigned i = 0;

	while (i < driver_count && drivers[i].rdev != rdev)
		i++;
	assert(i < DEV_LIMIT && open);
	drivers[i].rdev = rdev;
	drivers[i].open = open;
	driver_count = MAX(driver_count, i + 1);
}

static int open_device(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
		       struct file **out)
{
	for (unsigned i = 0; S_ISCHR(inode->mode) && i < driver_count; i++)
		if (drivers[i].rdev == inode->rdev)
			return drivers[i].open(inode, path, flags, cred, out);
	return -ENXIO;
}

/* ------------------------------------------------------------------ the memory devices; file->cookie is the minor
 * number */

static int mem_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred, struct file **out)
{
	*out = file_new(FILE_DEV, flags, inode, path, cred);
	if (!*out)
		return file_refusal();
	(*out)->cookie = inode->rdev & 0xff;
	return 0;
}

/* One piece of an endless file. */
static ssize_t put_random(struct uio *to)
{
	unsigned char bytes[RANDOM_CHUNK];
	size_t want = MIN(to->left, sizeof bytes);

	host_random(bytes, want);
	ssize_t n = uio_put(to, bytes, want);
	memset(bytes, 0, sizeof bytes);
	return n;
}

/* A guest may ask for gigabytes: others get their turn in between, and a signal ends it early. */
static ssize_t read_endless(struct file *file, struct uio *to)
{
	bool random = file->cookie == DEV_RANDOM || file->cookie == DEV_URANDOM;
	ssize_t done = 0, turn = 0;

	while (to->left) {
		ssize_t n = random ? put_random(to) : uio_put_zeros(to, MIN(to->left, (size_t)TURN_BYTES));
		if (n <= 0)
			return done ? done : n;
		done += n;
		turn += n;
		if (turn < TURN_BYTES || !to->left || !fiber_current())
			continue;
		turn = 0;
		fiber_yield();
		if (fiber_interrupted())
			break;
	}
	return done;
}

static ssize_t dev_read(struct file *file, struct uio *to, int64_t *pos)
{
	(void)pos;
	switch (file->cookie) {
	case DEV_NULL:
		return 0;
	default:
		return read_endless(file, to);
	}
}

static ssize_t dev_write(struct file *file, struct uio *from, int64_t *pos)
{
	(void)pos;
	if (file->cookie == DEV_FULL)
		return -ENOSPC;
	return (ssize_t)from->left; /* all of it is taken, none of it is looked at */
}

/* null_lseek in Linux: succeeds and stays at 0. */
static int64_t dev_seek(struct file *file, int64_t offset, int whence)
{
	(void)offset;
	(void)whence;
	return file->pos = 0;
}

static int dev_map(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags,
		   struct file_map *out)
{
	(void)size;
	(void)prot;
	if (file->cookie != DEV_ZERO)
		return -ENODEV;
	*out = (struct file_map){.host_file = MEM_NO_FILE, .offset = offset, .shared_anonymous = flags & MAP_SHARED};
	return 0;
}

/* random_ioctl in Linux: who asks how much randomness there is hears that it is enough; nothing can be added. */
static long dev_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	const int entropy_bits = 256;

	if (file->cookie != DEV_RANDOM && file->cookie != DEV_URANDOM)
		return -ENOTTY;
	if (command != RNDGETENTCNT)
		return -EINVAL;
	return user_write(user, UADDR(argument), &entropy_bits, sizeof entropy_bits);
}

static const struct file_ops mem_ops = {
	.read = dev_read, .write = dev_write, .seek = dev_seek, .map = dev_map, .ioctl = dev_ioctl};

/* ------------------------------------------------------------------ /dev */

static const struct {
	const char *name;
	uint32_t mode;
	uint64_t rdev;
	const char *target;
} entries[] = {
	{"null", S_IFCHR | 0666, DEV_MAKE(MEM_MAJOR, DEV_NULL), NULL},
	{"zero", S_IFCHR | 0666, DEV_MAKE(MEM_MAJOR, DEV_ZERO), NULL},
	{"full", S_IFCHR | 0666, DEV_MAKE(MEM_MAJOR, DEV_FULL), NULL},
	{"random", S_IFCHR | 0666, DEV_MAKE(MEM_MAJOR, DEV_RANDOM), NULL},
	{"urandom", S_IFCHR | 0666, DEV_MAKE(MEM_MAJOR, DEV_URANDOM), NULL},
	{"tty", S_IFCHR | 0666, DEV_MAKE(5, 0), NULL},
	{"ptmx", S_IFLNK, 0, "pts/ptmx"},
	{"fd", S_IFLNK, 0, "/proc/self/fd"},
	{"stdin", S_IFLNK, 0, "/proc/self/fd/0"},
	{"stdout", S_IFLNK, 0, "/proc/self/fd/1"},
	{"stderr", S_IFLNK, 0, "/proc/self/fd/2"},
	{"core", S_IFLNK, 0, "/proc/kcore"},
	{"shm", S_IFDIR | S_ISVTX | 0777, 0, NULL},
	{"pts", S_IFDIR | 0755, 0, NULL},
	{"mqueue", S_IFDIR | S_ISVTX | 0777, 0, NULL},
};

static int add_entry(struct inode *root, unsigned i, struct cred *cred)
{
	const struct inode_ops *ops = inode_ops(root);
	struct inode *inode;
	int error;

	if (S_ISLNK(entries[i].mode))
		error = ops->symlink(root, entries[i].name, entries[i].target, cred, &inode);
	else
		error = ops->create(root, entries[i].name, entries[i].mode, entries[i].rdev, cred, &inode);
	if (!error)
		inode_put(inode);
	return error;
}

static int make_dev(const struct mount_spec *spec, struct superblock **out)
{
	struct superblock *sb;
	struct cred *cred = cred_new(0, 0);
	int error = cred ? tmpfs_new(0755, spec->size_bytes, &sb) : -ENOMEM;

	if (!error) {
		for (unsigned i = 0; i < COUNT(entries) && !error; i++)
			error = add_entry(sb->root, i, cred);
		if (error)
			superblock_put(sb);
		else
			*out = sb;
	}
	if (cred)
		cred_put(cred);
	return error;
}

void dev_init(void)
{
	static const unsigned minors[] = {DEV_NULL, DEV_ZERO, DEV_FULL, DEV_RANDOM, DEV_URANDOM};

	for (unsigned i = 0; i < COUNT(minors); i++)
		dev_register(DEV_MAKE(MEM_MAJOR, minors[i]), mem_open);
	file_kind_register(FILE_DEV, &mem_ops);
	special_open_register(S_IFCHR, open_device);
	mount_type_register(MOUNT_DEV, make_dev);
}

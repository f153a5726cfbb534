/* host.c - the simulated host: files, directories, pipes and clocks behind platform/host.h, hostdep.h and
 * hostio_backend.h.
 *
 * The tree is in this process's memory; the data of a regular file is in a memfd of the real host, because the sentry
 * maps some of them. A descriptor here is an index from FIRST_FD on. hostfile.c and hostio.c of the product work on
 * top, with the backend below: what it is asked for is done after a random time.
 *
 * Failures: any call that a disk, a full file system or short memory can make fail may fail (sim.config.host_fault),
 * reads and writes may be short (host_short), and RWF_NOWAIT may say EAGAIN. EINTR comes only from what really gives
 * it.
 *
 * Limits: one user, root, and no permissions: those are the sentry's own work.
 */
#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/hostio_backend.h"
#include "sentry/base/hostdep.h"
#include "tests/sim/sim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NODE_LIMIT  4096
#define FD_ROOM     4096
#define FIRST_FD    1000
#define ENTRY_LIMIT 512
#define DISK_BYTES  (64 << 20) /* no file is longer */
#define EPOCH_S     1700000000

struct entry {
	char name[256];
	int node;
	uint64_t cookie;
};

struct node {
	bool used, memory; /* memory: a memfd of the sentry, in no directory */
	uint32_t mode, nlink, refs;
	uint64_t ino;
	int memfd; /* regular files */
	struct entry *entries;
	unsigned count;
	uint64_t cookies;
	char *target; /* symbolic links */
	struct timespec atime, mtime, ctime, btime;
};

struct description {
	bool used;
	int node, flags;
	uint64_t pos;
};

static struct node nodes[NODE_LIMIT];
static struct description fds[FD_ROOM];
static uint64_t next_ino = 100;

/* ------------------------------------------------------------------------------------------------ nodes */

static struct timespec now(void)
{
	return (struct timespec){EPOCH_S + (time_t)(sim.now_ns / NS_PER_S), (long)(sim.now_ns % NS_PER_S)};
}

static int node_new(uint32_t mode)
{
	for (int i = 0; i < NODE_LIMIT; i++) {
		if (nodes[i].used)
			continue;
		nodes[i] = (struct node){.used = true, .mode = mode, .ino = next_ino++, .memfd = -1};
		nodes[i].atime = nodes[i].mtime = nodes[i].ctime = nodes[i].btime = now();
		if (S_ISREG(mode))
			nodes[i].memfd = memfd_create("sim", MFD_CLOEXEC);
		if (S_ISDIR(mode)) {
			nodes[i].nlink = 2;
			nodes[i].entries = calloc(ENTRY_LIMIT, sizeof *nodes[i].entries);
		}
		return i;
	}
	return -ENFILE;
}

static void node_check(int n)
{
	struct node *node = &nodes[n];

	if (node->refs || (node->nlink && !node->memory))
		return;
	if (node->memfd >= 0)
		close(node->memfd);
	free(node->entries);
	free(node->target);
	node->used = false;
}

void sim_host_get(int n)
{
	nodes[n].refs++;
}

void sim_host_put(int n)
{
	if (!nodes[n].refs)
		sim_fail("host file %d is given back once too often", n);
	else
		nodes[n].refs--;
	node_check(n);
}

static struct entry *entry_find(int dir, const char *name)
{
	for (unsigned i = 0; i < nodes[dir].count; i++)
		if (!strcmp(nodes[dir].entries[i].name, name))
			return &nodes[dir].entries[i];
	return NULL;
}

static int entry_add(int dir, const char *name, int n)
{
	struct node *d = &nodes[dir];

	if (d->count == ENTRY_LIMIT)
		return -ENOSPC;
	struct entry *entry = &d->entries[d->count++];
	snprintf(entry->name, sizeof entry->name, "%s", name);
	entry->node = n;
	entry->cookie = ++d->cookies;
	if (S_ISDIR(nodes[n].mode))
		d->nlink++;
	else
		nodes[n].nlink++;
	d->mtime = d->ctime = nodes[n].ctime = now();
	return 0;
}

static void entry_remove(int dir, struct entry *entry)
{
	struct node *d = &nodes[dir];
	int n = entry->node;

	memmove(entry, entry + 1, (size_t)(&d->entries[d->count] - (entry + 1)) * sizeof *entry);
	d->count--;
	if (S_ISDIR(nodes[n].mode)) {
		d->nlink--;
		nodes[n].nlink = 0;
	} else {
		nodes[n].nlink--;
	}
	d->mtime = d->ctime = nodes[n].ctime = now();
	node_check(n);
}

/* ------------------------------------------------------------------------------------------------ descriptors */

static int fd_new(int n, int flags)
{
	for (int i = 0; i < FD_ROOM; i++)
		if (!fds[i].used) {
			fds[i] = (struct description){.used = true, .node = n, .flags = flags};
			sim_host_get(n);
			return FIRST_FD + i;
		}
	return -EMFILE;
}

static struct description *description(int fd)
{
	if (fd < FIRST_FD || fd >= FIRST_FD + FD_ROOM || !fds[fd - FIRST_FD].used) {
		sim_fail("a host call on descriptor %d, which is not open", fd);
		return NULL;
	}
	return &fds[fd - FIRST_FD];
}

static struct node *node_of(int fd)
{
	struct description *d = description(fd);

	return d ? &nodes[d->node] : NULL;
}

int sim_host_inode(int fd)
{
	struct description *d = description(fd);

	return d ? d->node : 0;
}

unsigned sim_host_open_count(void)
{
	unsigned count = 0;

	for (int i = 0; i < FD_ROOM; i++)
		count += fds[i].used;
	return count;
}

/* An injected failure: one of these errors, or 0. */
static int trouble(int first, int second)
{
	if (!sim_inject(sim.config.host_fault))
		return 0;
	return sim_chance(500) ? first : second;
}

/* ------------------------------------------------------------------------------------------------ building the tree */

void sim_host_start(void)
{
	node_new(S_IFDIR | 0755);
	sim_host_get(0);
}

int sim_host_dir(int parent, const char *name)
{
	int n = node_new(S_IFDIR | 0755);

	return entry_add(parent, name, n) ? -1 : n;
}

int sim_host_file(int parent, const char *name, const void *data, size_t size)
{
	int n = node_new(S_IFREG | 0755);

	if (pwrite(nodes[n].memfd, data, size, 0) != (ssize_t)size)
		abort();
	return entry_add(parent, name, n) ? -1 : n;
}

void sim_host_write_end(int n, uint64_t size)
{
	if (ftruncate(nodes[n].memfd, (off_t)size))
		abort();
}

int sim_host_link(int parent, const char *name, const char *target)
{
	int n = node_new(S_IFLNK | 0777);

	nodes[n].target = strdup(target);
	return entry_add(parent, name, n) ? -1 : n;
}

int sim_host_open_dir(int n)
{
	return fd_new(n, O_PATH);
}

int sim_host_pipe(int flags)
{
	int n = node_new(S_IFIFO | 0600);

	return fd_new(n, flags);
}

size_t sim_host_read(int n, void *dst, size_t size, uint64_t offset)
{
	ssize_t got = pread(nodes[n].memfd, dst, size, (off_t)offset);

	return got < 0 ? 0 : (size_t)got;
}

size_t sim_host_write(int n, const void *src, size_t size, uint64_t offset)
{
	/* A mapping reaches to the end of the file's last page, but does not make it longer. */
	uint64_t end = sim_host_size(n);
	ssize_t put = offset < end ? pwrite(nodes[n].memfd, src, MIN(size, end - offset), (off_t)offset) : 0;

	return put < 0 ? 0 : (size_t)put;
}

uint64_t sim_host_size(int n)
{
	struct stat st;

	return nodes[n].memfd < 0 || fstat(nodes[n].memfd, &st) ? 0 : (uint64_t)st.st_size;
}

/* ------------------------------------------------------------------------------------------------ opening */

void host_proc_set(int proc_fd)
{
	(void)proc_fd;
}

int host_proc_open(const char *path, int flags)
{
	(void)path;
	(void)flags;
	return -ENOENT;
}

int host_reopen(int fd, int flags)
{
	struct description *d = description(fd);
	int error = trouble(-EMFILE, -EIO);

	if (!d || error)
		return error ? error : -EBADF;
	if (S_ISLNK(nodes[d->node].mode))
		return -ELOOP;
	if (S_ISDIR(nodes[d->node].mode) && (flags & O_ACCMODE) != O_RDONLY)
		return -EISDIR;
	return fd_new(d->node, flags);
}

/* Follows path beneath dir but for its last name, which is left in last. */
static int walk(int dir, const char *path, char last[256])
{
	if (*path == '/' || !*path)
		return *path ? -EXDEV : -ENOENT;
	for (;;) {
		size_t length = strcspn(path, "/");
		if (length > 255)
			return -ENAMETOOLONG;
		memcpy(last, path, length);
		last[length] = 0;
		if (!strcmp(last, ".."))
			return -EXDEV;
		path += length;
		if (!*path)
			return dir;
		struct entry *entry = entry_find(dir, last);
		if (!entry)
			return -ENOENT;
		dir = entry->node;
		if (!S_ISDIR(nodes[dir].mode))
			return S_ISLNK(nodes[dir].mode) ? -ELOOP : -ENOTDIR;
		path += strspn(path, "/");
	}
}

static int open_found(int n, int flags)
{
	const struct node *node = &nodes[n];

	if (S_ISLNK(node->mode) && !(flags & O_PATH))
		return -ELOOP;
	if (flags & O_DIRECTORY && !S_ISDIR(node->mode))
		return -ENOTDIR;
	if (S_ISDIR(node->mode) && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY)
		return -EISDIR;
	if (flags & O_TRUNC && S_ISREG(node->mode) && ftruncate(node->memfd, 0))
		return -EIO;
	return fd_new(n, flags);
}

int host_open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
	char name[256];
	struct description *d = description(dir_fd);
	int error = trouble(-EIO, flags & O_CREAT ? -ENOSPC : -EMFILE);

	if (!d || error)
		return error ? error : -EBADF;
	int dir = walk(d->node, path, name);
	if (dir < 0)
		return dir;
	if (!strcmp(name, "."))
		return open_found(dir, flags);
	struct entry *entry = entry_find(dir, name);
	if (entry)
		return (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ? -EEXIST : open_found(entry->node, flags);
	if (!(flags & O_CREAT))
		return -ENOENT;
	if (!nodes[dir].nlink)
		return -ENOENT;
	int n = node_new(S_IFREG | (mode & 07777));
	error = n < 0 ? n : entry_add(dir, name, n);
	return error ? error : fd_new(n, flags);
}

int host_close(int fd)
{
	struct description *d = description(fd);

	if (!d)
		return -EBADF;
	d->used = false;
	sim_host_put(d->node);
	return 0;
}

int host_memfd_create(const char *name, unsigned flags)
{
	int error = trouble(-ENOMEM, -EMFILE);

	(void)name;
	(void)flags;
	if (error)
		return error;
	int n = node_new(S_IFREG | 0600);
	if (n < 0)
		return n;
	nodes[n].memory = true;
	return fd_new(n, O_RDWR);
}

int host_memory_file(const char *name)
{
	return host_memfd_create(name, 0);
}

/* ------------------------------------------------------------------------------------------------ data */

static size_t shortened(size_t n)
{
	return n > 1 && sim_inject(sim.config.host_short) ? 1 + sim_random(n - 1) : n;
}

/* The control pipe of the command line, the only one opened for both ways, never has anything; the other's writers have
 * gone. */
static ssize_t read_pipe(const struct description *d)
{
	return (d->flags & O_ACCMODE) == O_RDWR || sim_inject(200) ? -EAGAIN : 0;
}

static ssize_t read_node(struct description *d, void *dst, size_t n, int64_t offset)
{
	struct node *node = &nodes[d->node];

	if (S_ISDIR(node->mode))
		return -EISDIR;
	if (d->flags & O_PATH || (d->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (S_ISFIFO(node->mode))
		return offset >= 0 ? -ESPIPE : read_pipe(d);
	int error = node->memory ? 0 : trouble(-EIO, -EIO);
	if (error)
		return error;
	uint64_t at = offset < 0 ? d->pos : (uint64_t)offset;
	ssize_t got = pread(node->memfd, dst, node->memory ? n : shortened(n), (off_t)at);
	if (got < 0)
		return -EINVAL;
	if (offset < 0)
		d->pos += (uint64_t)got;
	return got;
}

static ssize_t write_node(struct description *d, const void *src, size_t n, int64_t offset, bool append)
{
	struct node *node = &nodes[d->node];

	if (d->flags & O_PATH || (d->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (S_ISFIFO(node->mode)) {
		if (offset >= 0)
			return -ESPIPE;
		return sim_inject(200) ? -EAGAIN : (ssize_t)shortened(n);
	}
	int error = trouble(-ENOSPC, node->memory ? -ENOMEM : -EIO);
	if (error)
		return error;
	uint64_t at = append || (d->flags & O_APPEND) ? sim_host_size(d->node) : offset < 0 ? d->pos : (uint64_t)offset;
	if (at > DISK_BYTES)
		return -EFBIG;
	ssize_t put = pwrite(node->memfd, src, shortened(n), (off_t)at);
	if (put < 0)
		return -EFBIG;
	if (offset < 0)
		d->pos = at + (uint64_t)put;
	node->mtime = node->ctime = now();
	return put;
}

ssize_t host_preadv2(int fd, const struct iovec *iov, int count, int64_t offset, int rwf)
{
	struct description *d = description(fd);

	assert(count == 1);
	if (!d)
		return -EBADF;
	if (rwf & RWF_NOWAIT && sim_inject(sim.config.delay))
		return -EAGAIN;
	return read_node(d, iov->iov_base, iov->iov_len, offset);
}

ssize_t host_pwritev2(int fd, const struct iovec *iov, int count, int64_t offset, int rwf)
{
	struct description *d = description(fd);

	assert(count == 1);
	if (!d)
		return -EBADF;
	return write_node(d, iov->iov_base, iov->iov_len, offset, rwf & RWF_APPEND);
}

ssize_t host_read(int fd, void *dst, size_t n)
{
	return host_preadv2(fd, &(struct iovec){dst, n}, 1, -1, 0);
}

ssize_t host_write(int fd, const void *src, size_t n)
{
	return host_pwritev2(fd, &(struct iovec){(void *)src, n}, 1, -1, 0);
}

ssize_t host_pread(int fd, void *dst, size_t n, int64_t offset)
{
	return host_preadv2(fd, &(struct iovec){dst, n}, 1, offset, 0);
}

ssize_t host_pwrite(int fd, const void *src, size_t n, int64_t offset)
{
	return host_pwritev2(fd, &(struct iovec){(void *)src, n}, 1, offset, 0);
}

int64_t host_lseek(int fd, int64_t offset, int whence)
{
	struct description *d = description(fd);

	if (!d)
		return -EBADF;
	if (!S_ISREG(nodes[d->node].mode))
		return -ESPIPE;
	if (whence == SEEK_CUR)
		offset += (int64_t)d->pos;
	else if (whence == SEEK_END)
		offset += (int64_t)sim_host_size(d->node);
	else if (whence != SEEK_SET) {
		off_t at = lseek(nodes[d->node].memfd, offset, whence);
		return at < 0 ? -ENXIO : at;
	}
	if (offset < 0)
		return -EINVAL;
	d->pos = (uint64_t)offset;
	return offset;
}

int host_ftruncate(int fd, int64_t size)
{
	struct description *d = description(fd);
	int error = trouble(-ENOSPC, -EIO);

	if (!d || error)
		return error ? error : -EBADF;
	if (!S_ISREG(nodes[d->node].mode) || (d->flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	nodes[d->node].mtime = nodes[d->node].ctime = now();
	return ftruncate(nodes[d->node].memfd, size) ? -EINVAL : 0;
}

int host_fallocate(int fd, int mode, int64_t offset, int64_t size)
{
	struct description *d = description(fd);
	int error = trouble(-ENOSPC, -EIO);

	if (!d || error)
		return error ? error : -EBADF;
	if (!S_ISREG(nodes[d->node].mode))
		return -ENODEV;
	if (!(mode & FALLOC_FL_PUNCH_HOLE) && (size > DISK_BYTES || offset > DISK_BYTES))
		return -ENOSPC;
	return fallocate(nodes[d->node].memfd, mode, offset, size) ? -EOPNOTSUPP : 0;
}

int host_fsync(int fd)
{
	int error = trouble(-EIO, -ENOSPC);

	return error ? error : description(fd) ? 0 : -EBADF;
}

/* ------------------------------------------------------------------------------------------------ attributes */

static struct statx_timestamp stamp(struct timespec from)
{
	return (struct statx_timestamp){.tv_sec = from.tv_sec, .tv_nsec = (uint32_t)from.tv_nsec};
}

static void fill(int n, struct statx *out)
{
	const struct node *node = &nodes[n];

	*out = (struct statx){.stx_mask = STATX_BASIC_STATS | STATX_BTIME,
			      .stx_blksize = 4096,
			      .stx_nlink = node->nlink,
			      .stx_mode = (uint16_t)node->mode,
			      .stx_ino = node->ino,
			      .stx_size = node->target ? strlen(node->target) : sim_host_size(n),
			      .stx_dev_major = 8};
	out->stx_blocks = (out->stx_size + 511) / 512;
	out->stx_atime = stamp(node->atime);
	out->stx_mtime = stamp(node->mtime);
	out->stx_ctime = stamp(node->ctime);
	out->stx_btime = stamp(node->btime);
}

int host_statx(int dir_fd, const char *path, unsigned mask, struct statx *out)
{
	struct description *d = description(dir_fd);

	(void)mask;
	if (!d)
		return -EBADF;
	if (!*path) {
		fill(d->node, out);
		return 0;
	}
	int error = trouble(-EIO, -ENOMEM);
	if (error)
		return error;
	if (!S_ISDIR(nodes[d->node].mode))
		return -ENOTDIR;
	struct entry *entry = entry_find(d->node, path);
	if (!entry)
		return -ENOENT;
	fill(entry->node, out);
	return 0;
}

int host_fstatfs(int fd, struct statfs *out)
{
	if (!description(fd))
		return -EBADF;
	*out = (struct statfs){.f_type = 0xef53,
			       .f_bsize = 4096,
			       .f_blocks = 1 << 20,
			       .f_bfree = 1 << 19,
			       .f_bavail = 1 << 19,
			       .f_files = 1 << 20,
			       .f_ffree = 1 << 19,
			       .f_namelen = 255};
	return 0;
}

int host_chmod(int fd, mode_t mode)
{
	struct node *node = node_of(fd);
	int error = trouble(-EIO, -EROFS);

	if (!node || error)
		return error ? error : -EBADF;
	node->mode = (node->mode & S_IFMT) | (mode & 07777);
	node->ctime = now();
	return 0;
}

int host_utimens(int fd, const struct timespec times[2])
{
	struct node *node = node_of(fd);
	int error = trouble(-EIO, -EROFS);

	if (!node || error)
		return error ? error : -EBADF;
	if (times[0].tv_nsec != UTIME_OMIT)
		node->atime = times[0].tv_nsec == UTIME_NOW ? now() : times[0];
	if (times[1].tv_nsec != UTIME_OMIT)
		node->mtime = times[1].tv_nsec == UTIME_NOW ? now() : times[1];
	node->ctime = now();
	return 0;
}

int host_fcntl(int fd, int command, uint64_t argument)
{
	struct description *d = description(fd);

	(void)argument;
	if (!d)
		return -EBADF;
	return command == F_GETFL ? d->flags : 0;
}

int host_ioctl(int fd, unsigned long request, void *argument)
{
	(void)fd;
	(void)request;
	(void)argument;
	return -ENOTTY;
}

/* ------------------------------------------------------------------------------------------------ names */

ssize_t host_getdents64(int fd, void *dst, size_t n)
{
	struct description *d = description(fd);
	size_t done = 0;
	int error = trouble(-EIO, -ENOMEM);

	if (!d || error)
		return error ? error : -EBADF;
	const struct node *dir = &nodes[d->node];
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	for (unsigned i = 0; i < dir->count; i++) {
		const struct entry *entry = &dir->entries[i];
		struct dirent64 *record = (void *)((char *)dst + done);
		size_t bytes = (offsetof(struct dirent64, d_name) + strlen(entry->name) + 1 + 7) & ~7ul;
		if (entry->cookie <= d->pos)
			continue;
		if (done + bytes > n || (done && sim_inject(sim.config.host_short)))
			break;
		record->d_ino = nodes[entry->node].ino;
		record->d_off = (int64_t)entry->cookie;
		record->d_reclen = (uint16_t)bytes;
		record->d_type = (uint8_t)IFTODT(nodes[entry->node].mode);
		strcpy(record->d_name, entry->name);
		done += bytes;
		d->pos = entry->cookie;
	}
	return (ssize_t)done;
}

ssize_t host_readlinkat(int dir_fd, const char *path, char *dst, size_t n)
{
	struct description *d = description(dir_fd);
	int error = trouble(-EIO, -EIO);

	if (!d || error)
		return error ? error : -EBADF;
	int at = d->node;
	if (*path) {
		struct entry *entry = S_ISDIR(nodes[at].mode) ? entry_find(at, path) : NULL;
		if (!entry)
			return -ENOENT;
		at = entry->node;
	}
	if (!nodes[at].target)
		return -EINVAL;
	n = MIN(n, strlen(nodes[at].target));
	memcpy(dst, nodes[at].target, n);
	return (ssize_t)n;
}

/* The directory behind a descriptor, for a change of its names. */
static int dir_of(int fd)
{
	struct description *d = description(fd);
	int error = trouble(-ENOSPC, -EIO);

	if (!d || error)
		return error ? error : -EBADF;
	return S_ISDIR(nodes[d->node].mode) ? d->node : -ENOTDIR;
}

int host_unlinkat(int dir_fd, const char *name, int flags)
{
	int dir = dir_of(dir_fd);

	if (dir < 0)
		return dir;
	struct entry *entry = entry_find(dir, name);
	if (!entry)
		return -ENOENT;
	if (flags & AT_REMOVEDIR) {
		if (!S_ISDIR(nodes[entry->node].mode))
			return -ENOTDIR;
		if (nodes[entry->node].count)
			return -ENOTEMPTY;
	} else if (S_ISDIR(nodes[entry->node].mode)) {
		return -EISDIR;
	}
	entry_remove(dir, entry);
	return 0;
}

/* A new name in a directory, or the reason why not. */
static int new_name(int dir_fd, const char *name)
{
	int dir = dir_of(dir_fd);

	if (dir < 0)
		return dir;
	if (!nodes[dir].nlink)
		return -ENOENT;
	return entry_find(dir, name) ? -EEXIST : dir;
}

int host_mkdirat(int dir_fd, const char *name, mode_t mode)
{
	int dir = new_name(dir_fd, name), n = dir < 0 ? dir : node_new(S_IFDIR | (mode & 07777));

	return n < 0 ? n : entry_add(dir, name, n);
}

int host_symlinkat(const char *target, int dir_fd, const char *name)
{
	int dir = new_name(dir_fd, name), n = dir < 0 ? dir : node_new(S_IFLNK | 0777);

	if (n < 0)
		return n;
	nodes[n].target = strdup(target);
	return entry_add(dir, name, n);
}

int host_link(int fd, int new_dir_fd, const char *name)
{
	int dir = new_name(new_dir_fd, name);
	struct description *d = description(fd);

	if (dir < 0 || !d)
		return dir < 0 ? dir : -EBADF;
	if (S_ISDIR(nodes[d->node].mode))
		return -EPERM;
	return nodes[d->node].nlink ? entry_add(dir, name, d->node) : -ENOENT;
}

static bool is_inside(int n, int ancestor)
{
	if (n == ancestor)
		return true;
	for (unsigned i = 0; i < nodes[ancestor].count; i++) {
		int child = nodes[ancestor].entries[i].node;
		if (S_ISDIR(nodes[child].mode) && is_inside(n, child))
			return true;
	}
	return false;
}

static int rename_over(int new_dir, struct entry *to, bool moving_dir)
{
	bool is_dir = S_ISDIR(nodes[to->node].mode);

	if (is_dir && !moving_dir)
		return -EISDIR;
	if (!is_dir && moving_dir)
		return -ENOTDIR;
	if (is_dir && nodes[to->node].count)
		return -ENOTEMPTY;
	entry_remove(new_dir, to);
	return 0;
}

static int rename_exchange(int old_dir, struct entry *from, int new_dir, struct entry *to)
{
	int a = from->node, b = to->node;

	if (S_ISDIR(nodes[a].mode) != S_ISDIR(nodes[b].mode)) {
		nodes[old_dir].nlink += S_ISDIR(nodes[b].mode) ? 1 : -1;
		nodes[new_dir].nlink += S_ISDIR(nodes[a].mode) ? 1 : -1;
	}
	from->node = b;
	to->node = a;
	return 0;
}

int host_renameat2(int old_dir_fd, const char *old_name, int new_dir_fd, const char *new_name, unsigned flags)
{
	int old_dir = dir_of(old_dir_fd), new_dir = old_dir < 0 ? old_dir : dir_of(new_dir_fd), error;

	if (new_dir < 0)
		return new_dir;
	struct entry *from = entry_find(old_dir, old_name), *to = entry_find(new_dir, new_name);
	if (!from || (!to && flags & RENAME_EXCHANGE))
		return -ENOENT;
	if (to && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (to && to->node == from->node)
		return 0;
	bool moving_dir = S_ISDIR(nodes[from->node].mode);
	if (moving_dir && is_inside(new_dir, from->node))
		return -EINVAL;
	if (to && S_ISDIR(nodes[to->node].mode) && is_inside(old_dir, to->node))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (!nodes[new_dir].nlink)
		return -ENOENT;
	if (flags & RENAME_EXCHANGE)
		return rename_exchange(old_dir, from, new_dir, to);
	error = to ? rename_over(new_dir, to, moving_dir) : 0;
	if (error)
		return error;
	from = entry_find(old_dir, old_name);
	int n = from->node;
	sim_host_get(n);
	error = entry_add(new_dir, new_name, n);
	if (!error) {
		entry_remove(old_dir, entry_find(old_dir, old_name));
		if (moving_dir)
			nodes[n].nlink = 2;
	}
	sim_host_put(n);
	return error;
}

/* ------------------------------------------------------------------------------------------------ memory, time, chance
 */

void *host_mmap(void *at, size_t size, int prot, int flags, int fd, int64_t offset, int *error)
{
	int real = fd < 0 ? -1 : node_of(fd)->memfd, injected = fd < 0 ? 0 : trouble(-ENOMEM, -ENOMEM);
	void *memory = injected ? MAP_FAILED : mmap(at, size, prot, flags, real, offset);

	if (memory == MAP_FAILED && error)
		*error = -ENOMEM;
	return memory == MAP_FAILED ? NULL : memory;
}

int host_munmap(void *at, size_t size)
{
	return munmap(at, size) ? -EINVAL : 0;
}

void *hostdep_reserve(uint64_t addr, size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (addr ? MAP_FIXED_NOREPLACE : 0);
	void *memory = mmap((void *)addr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void hostdep_populate(void *memory, size_t bytes)
{
	(void)memory;
	(void)bytes;
}

void hostdep_discard(void *memory, size_t bytes)
{
	madvise(memory, bytes, MADV_DONTNEED);
}

void hostdep_guard(void *memory, size_t bytes)
{
	mprotect(memory, bytes, PROT_NONE);
}

uint64_t hostdep_monotonic_ns(void)
{
	return sim.now_ns;
}

uint64_t host_monotonic_ns(void)
{
	return sim.now_ns;
}

void hostdep_stderr(const char *text, size_t bytes)
{
	host_stderr(text, bytes);
}

void host_stderr(const char *text, size_t n)
{
	if (sim.verbose)
		printf("%.*s", (int)n, text);
}

int host_clock_gettime(clockid_t clock, struct timespec *out)
{
	*out = now();
	if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
	    clock == CLOCK_BOOTTIME)
		out->tv_sec -= EPOCH_S;
	return clock > CLOCK_TAI ? -EINVAL : 0;
}

void host_random(void *dst, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)dst)[i] = (uint8_t)sim_random(256);
}

int host_poll(struct pollfd *polls, unsigned count, const struct timespec *timeout)
{
	(void)timeout;
	for (unsigned i = 0; i < count; i++) {
		const struct node *node = node_of(polls[i].fd);
		bool reading = fds[polls[i].fd - FIRST_FD].flags == O_RDONLY;
		polls[i].revents = polls[i].events;
		if (node && S_ISFIFO(node->mode))
			polls[i].revents &= reading ? POLLIN : POLLOUT;
	}
	return (int)count;
}

/* ------------------------------------------------------------------------------------------------ completions */

#define PENDING_LIMIT 1024

struct pending {
	bool used, cancelled, poll, sync;
	int handle, fd;
	short events;
	void *dst;
	size_t n;
	int64_t offset;
	uint64_t at_ns;
};
static struct pending pending[PENDING_LIMIT];

static void pend(const struct pending *what, bool never)
{
	for (int i = 0; i < PENDING_LIMIT; i++)
		if (!pending[i].used) {
			pending[i] = *what;
			pending[i].used = true;
			pending[i].at_ns = never ? DEADLINE_NONE : sim.now_ns + sim_random(2 * NS_PER_MS);
			return;
		}
	sim_fail("more than %d operations of the host", PENDING_LIMIT);
}

static int backend_start(void)
{
	return 0;
}

static int no_backend(void)
{
	return -ENOSYS;
}

static void poll_add(int handle, int fd, short events)
{
	bool never = S_ISFIFO(node_of(fd)->mode) && fds[fd - FIRST_FD].flags == O_RDWR;

	pend(&(struct pending){.poll = true, .handle = handle, .fd = fd, .events = events}, never);
}

static void poll_cancel(int handle, int fd)
{
	(void)fd;
	for (int i = 0; i < PENDING_LIMIT; i++)
		if (pending[i].used && pending[i].handle == handle)
			pending[i].used = false;
}

static void start_read(int handle, int fd, void *dst, size_t n, int64_t offset)
{
	pend(&(struct pending){.handle = handle, .fd = fd, .dst = dst, .n = n, .offset = offset}, false);
}

static void start_sync(int handle, int fd)
{
	pend(&(struct pending){.sync = true, .handle = handle, .fd = fd}, false);
}

static void cancel(int handle)
{
	for (int i = 0; i < PENDING_LIMIT; i++)
		if (pending[i].used && pending[i].handle == handle && sim_chance(500)) {
			pending[i].cancelled = true;
			pending[i].at_ns = sim.now_ns;
		}
}

static void backend_collect(bool may_sleep, uint32_t *doorbell, uint32_t expected, uint64_t deadline_ns)
{
	(void)may_sleep;
	(void)doorbell;
	(void)expected;
	(void)deadline_ns;
}

const struct hostio_ops hostio_epoll = {.start = backend_start,
					.poll_add = poll_add,
					.poll_cancel = poll_cancel,
					.read = start_read,
					.sync = start_sync,
					.cancel = cancel,
					.collect = backend_collect};
const struct hostio_ops hostio_uring = {.start = no_backend};

static int complete(const struct pending *p)
{
	if (p->cancelled)
		return -ECANCELED;
	if (p->poll)
		return p->events;
	if (p->sync)
		return host_fsync(p->fd);
	ssize_t got = read_node(description(p->fd), p->dst, p->n, p->offset);
	return (int)got;
}

void sim_host_collect(void)
{
	for (int i = 0; i < PENDING_LIMIT; i++) {
		struct pending done = pending[i];
		if (!done.used || done.at_ns > sim.now_ns)
			continue;
		pending[i].used = false;
		hostio_done(done.handle, complete(&done));
	}
}

uint64_t sim_host_next_ns(void)
{
	uint64_t next = DEADLINE_NONE;

	for (int i = 0; i < PENDING_LIMIT; i++)
		if (pending[i].used)
			next = MIN(next, pending[i].at_ns);
	return next;
}

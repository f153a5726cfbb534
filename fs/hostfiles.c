/* hostfiles.c - open files and listings of host directories (fs/host.h).
 *
 * Read-only trees: all open files of an inode share one host descriptor, kept for a while after the last close (at most
 * HOST_OPEN_CACHE of them unused), so that opening a library again costs no host call. Writable trees: each open file
 * has a descriptor of its own with just the access it asked for, so that the host decides and its errors pass through.
 *
 * Reading is preadv2 with RWF_NOWAIT where data is in the host's page cache, and asynchronous where it is not. Nothing
 * of a host file is mapped into the sentry: one that shrinks under us would be a SIGBUS.
 *
 * Limits: a listing is taken as a whole when a reader begins; DIR_SNAPSHOT_BYTES.
 */
#include "fs/bounce.h"
#include "fs/host.h"
#include "fs/tmpfs.h"
#include "platform/host.h"
#include "platform/hostio.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------ data */

/* Into the sentry's memory. */
static ssize_t read_some(uint32_t file, void *dst, size_t n, int64_t offset)
{
	struct iovec iov = {dst, n};
	ssize_t got = host_preadv2(hostfile_fd(file), &iov, 1, offset, RWF_NOWAIT);

	if (got == -EAGAIN && fiber_current())
		got = hostio_read(file, dst, n, offset);
	/* Reading a file does not stop for a signal. */
	return got == -EAGAIN || got == -EINTR || got == -EOPNOTSUPP ? host_pread(hostfile_fd(file), dst, n, offset)
								     : got;
}

ssize_t host_read_file(uint32_t file, struct uio *to, int64_t pos, uint64_t size_bytes)
{
	size_t done = 0;
	char *bounce = bounce_get();
	ssize_t result = 0;

	if (!bounce)
		return -ENOMEM;
	hostfile_get(file); /* we may park */
	while (to->left) {
		size_t step = MIN(to->left, BOUNCE_BYTES);
		result = read_some(file, bounce, step, pos + (int64_t)done);
		if (result <= 0)
			break;
		ssize_t put = uio_put(to, bounce, (size_t)result);
		if (put > 0)
			done += (size_t)put;
		if (put < result) {
			result = put < 0 ? put : 0;
			break;
		}
		/* Short: the end, or the rest was not in the host's memory. A read of a file is short at the end alone
		 * (tar takes anything else for a file that shrinks), so look again unless the end is known. */
		if ((size_t)put < step && (uint64_t)pos + done == size_bytes)
			break;
	}
	hostfile_put(file);
	bounce_put(bounce);
	return done ? (ssize_t)done : result;
}

/* The cached descriptor of a file of a read-only tree, opened if need be. */
static int cached_file(struct inode *inode)
{
	struct host_node *node = host_node(inode);
	struct host_fs *fs = host_fs(inode->sb);

	if (node->file != HOSTFILE_NONE)
		return 0;
	int fd = host_node_keep(inode, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	list_push_back(&fs->files, &node->lru);
	if (++fs->file_count <= HOST_OPEN_CACHE)
		return 0;
	struct host_node *oldest = list_first(&fs->files, struct host_node, lru);
	list_remove(&oldest->lru);
	fs->file_count--;
	hostfile_put(oldest->file); /* open files have references of their own */
	oldest->file = HOSTFILE_NONE;
	return 0;
}

int host_open_inode(struct inode *inode, uint32_t *out)
{
	struct host_node *node = host_node(inode);
	int error = cached_file(inode);

	if (error)
		return error;
	if (!list_empty(&node->lru)) { /* used last */
		list_remove(&node->lru);
		list_push_back(&host_fs(inode->sb)->files, &node->lru);
	}
	hostfile_get(node->file);
	*out = node->file;
	return 0;
}

ssize_t host_read_inode(struct inode *inode, struct uio *to, int64_t pos)
{
	uint32_t file;
	int error = host_open_inode(inode, &file);

	if (error)
		return error;
	ssize_t done = host_read_file(file, to, pos, inode->size);
	hostfile_put(file);
	return done;
}

/* ------------------------------------------------------------------------------------------------ open files */

static uint32_t file_index(const struct file *file)
{
	return (uint32_t)file->cookie;
}

static int open_own(struct inode *inode, uint32_t flags, uint32_t *out)
{
	/* Writing at an offset that is in the middle of a page needs no reading rights: the host's page cache does it.
	 */
	int fd = host_open_node(inode, (int)(flags & (O_ACCMODE | O_NOATIME)) | O_NONBLOCK);
	int error = fd < 0 ? fd : hostfile_add(fd, out);

	if (fd >= 0 && error)
		host_close(fd);
	return error;
}

int host_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred, struct file **out)
{
	struct host_fs *fs = host_fs(inode->sb);
	bool directory = S_ISDIR(inode->mode);
	uint32_t index = HOSTFILE_NONE;
	int error = 0;

	if (!directory && !S_ISREG(inode->mode))
		return -EACCES; /* as on a mount without devices */
	if (fs->is_file) {
		hostfile_get(fs->file);
		index = fs->file;
	} else if (!directory) {
		error = fs->writable ? open_own(inode, flags, &index) : host_open_inode(inode, &index);
	}
	if (error)
		return error;
	struct file *file = file_new(directory ? FILE_DIR : FILE_HOST, flags, inode, path, cred);
	if (!file) {
		if (index != HOSTFILE_NONE)
			hostfile_put(index);
		return file_refusal();
	}
	file->cookie = index;
	/* An unlinked file of a writable tree is found again only through a descriptor. */
	if (fs->writable && index != HOSTFILE_NONE && host_node(inode)->file == HOSTFILE_NONE) {
		hostfile_get(index);
		host_node(inode)->file = index;
	}
	*out = file;
	return 0;
}

static void host_file_release(struct file *file)
{
	struct host_node *node = host_node(file->inode);

	hostfile_put(file_index(file));
	if (file->inode->open_count > 1 || !host_fs(file->inode->sb)->writable || host_fs(file->inode->sb)->is_file)
		return;
	if (node->file != HOSTFILE_NONE)
		hostfile_put(node->file);
	node->file = HOSTFILE_NONE;
}

static ssize_t host_file_read(struct file *file, struct uio *to, int64_t *pos)
{
	ssize_t done = to->left ? host_read_file(file_index(file), to, *pos, file->inode->size) : 0;

	if (done > 0)
		*pos += done;
	return done;
}

static ssize_t write_chunks(struct file *file, struct uio *from, int64_t *pos, char *bounce)
{
	int rwf = file->flags & O_APPEND ? RWF_APPEND : 0;
	size_t done = 0;

	while (from->left) {
		ssize_t n = uio_take(from, bounce, MIN(from->left, BOUNCE_BYTES));
		if (n <= 0)
			return done ? (ssize_t)done : n;
		struct iovec iov = {bounce, (size_t)n};
		ssize_t put = host_pwritev2(hostfile_fd(file_index(file)), &iov, 1, *pos, rwf);
		if (put < n)
			uio_rewind(from, (size_t)(n - MAX(put, (ssize_t)0)));
		if (put <= 0)
			return done ? (ssize_t)done : put;
		done += (size_t)put;
		*pos += put;
		if (put < n)
			break;
	}
	return (ssize_t)done;
}

static ssize_t host_file_write(struct file *file, struct uio *from, int64_t *pos)
{
	struct inode *inode = file->inode;
	char *bounce = from->left ? bounce_get() : NULL;

	if (!bounce)
		return from->left ? -ENOMEM : 0;
	ssize_t done = write_chunks(file, from, pos, bounce);
	bounce_put(bounce);
	host_node(inode)->checked_ns = 0;
	if (done > 0 && file->flags & O_APPEND && !host_refresh(inode))
		*pos = (int64_t)inode->size;
	else
		inode->size = MAX(inode->size, (uint64_t)*pos);
	return done;
}

static int64_t host_file_seek(struct file *file, int64_t offset, int whence)
{
	struct inode *inode = file->inode;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		int64_t at = host_lseek(hostfile_fd(file_index(file)), offset, whence);
		if (at >= 0)
			file->pos = at;
		return at;
	}
	if (whence == SEEK_END && host_fs(inode->sb)->writable)
		(void)!host_refresh(inode);
	return seek_plain(file, offset, whence, inode->size);
}

static int host_file_map(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags,
			 struct file_map *out)
{
	(void)size;
	/* Only a mapping that is shared can write to the file, and that needs a file open for writing (mmap(2),
	 * EACCES). */
	if ((flags & MAP_TYPE) != MAP_PRIVATE && prot & PROT_WRITE && !file_writable(file))
		return -EACCES;
	hostfile_get(file_index(file));
	*out = (struct file_map){.host_file = file_index(file), .offset = offset};
	return 0;
}

static int host_file_sync(struct file *file, bool data_only)
{
	(void)data_only;
	if (!host_fs(file->inode->sb)->writable)
		return 0;
	return fiber_current() ? hostio_sync(file_index(file)) : host_fsync(hostfile_fd(file_index(file)));
}

static int host_file_truncate(struct file *file, int64_t size)
{
	int error = host_ftruncate(hostfile_fd(file_index(file)), size);

	host_node(file->inode)->checked_ns = 0;
	if (!error)
		file->inode->size = (uint64_t)size;
	return error;
}

static int host_file_fallocate(struct file *file, int mode, int64_t offset, int64_t size)
{
	host_node(file->inode)->checked_ns = 0;
	if (!host_fs(file->inode->sb)->writable)
		return -EROFS;
	int error = host_fallocate(hostfile_fd(file_index(file)), mode, offset, size);
	if (!error)
		(void)!host_refresh(file->inode);
	return error;
}

static const struct file_ops host_file_ops = {.read = host_file_read,
					      .write = host_file_write,
					      .seek = host_file_seek,
					      .map = host_file_map,
					      .sync = host_file_sync,
					      .truncate = host_file_truncate,
					      .fallocate = host_file_fallocate,
					      .release = host_file_release};

/* ------------------------------------------------------------------------------------------------ listings */

void host_snapshot_put(struct host_snapshot *snapshot)
{
	if (!ref_put(&snapshot->ref))
		return;
	arena_free(snapshot->offsets, snapshot->room * sizeof *snapshot->offsets);
	arena_free(snapshot->text, snapshot->bytes_room);
	arena_free(snapshot, sizeof *snapshot);
}

static int snapshot_room(struct host_snapshot *snapshot, size_t bytes)
{
	if (snapshot->bytes + bytes > DIR_SNAPSHOT_BYTES)
		return -ENOMEM;
	if (snapshot->bytes + bytes > snapshot->bytes_room) {
		size_t room = MAX(snapshot->bytes_room * 2, (size_t)2048);
		char *text = arena_realloc(snapshot->text, snapshot->bytes_room, room);
		if (!text)
			return -ENOMEM;
		snapshot->text = text;
		snapshot->bytes_room = room;
	}
	if (snapshot->count == snapshot->room) {
		uint32_t room = MAX(snapshot->room * 2, 32u);
		uint32_t *offsets =
			arena_realloc(snapshot->offsets, snapshot->room * sizeof *offsets, room * sizeof *offsets);
		if (!offsets)
			return -ENOMEM;
		snapshot->offsets = offsets;
		snapshot->room = room;
	}
	return 0;
}

static int snapshot_add(struct host_snapshot *snapshot, uint64_t ino, uint8_t type, const char *name)
{
	size_t length = strlen(name);
	size_t bytes = (sizeof(struct host_entry) + length + 1 + 7) & ~7ul;

	if (!strcmp(name, ".") || !strcmp(name, "..") || !length || length > NAME_LIMIT)
		return 0;
	int error = snapshot_room(snapshot, bytes);
	if (error)
		return error;
	struct host_entry *entry = (struct host_entry *)(snapshot->text + snapshot->bytes);
	entry->ino = ino;
	entry->type = type;
	entry->length = (uint8_t)length;
	memcpy(entry->name, name, length + 1);
	snapshot->offsets[snapshot->count++] = (uint32_t)snapshot->bytes;
	snapshot->bytes += bytes;
	return 0;
}

static int snapshot_fill(struct host_snapshot *snapshot, int fd, char *bounce)
{
	for (;;) {
		ssize_t got = host_getdents64(fd, bounce, BOUNCE_BYTES);
		if (got <= 0)
			return (int)got;
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *entry = (const struct dirent64 *)(bounce + at);
			int error = snapshot_add(snapshot, entry->d_ino, entry->d_type, entry->d_name);
			if (error)
				return error;
			at += entry->d_reclen;
		}
	}
}

static int snapshot_make(struct inode *dir, struct host_snapshot **out)
{
	struct host_snapshot *snapshot = arena_alloc(sizeof *snapshot);
	char *bounce = bounce_get();
	int fd = -ENOMEM, error;

	if (snapshot && bounce) {
		ref_init(&snapshot->ref);
		/* Not through the O_PATH descriptor: reading is a right of its own. */
		fd = host_dir_fd(dir);
		if (fd >= 0)
			fd = host_open_beneath(fd, ".", O_RDONLY | O_DIRECTORY, 0);
	}
	error = fd < 0 ? fd : snapshot_fill(snapshot, fd, bounce);
	if (fd >= 0)
		host_close(fd);
	if (bounce)
		bounce_put(bounce);
	if (!error)
		*out = snapshot;
	else if (snapshot && bounce)
		host_snapshot_put(snapshot);
	else
		arena_free(snapshot, sizeof *snapshot);
	return error;
}

int host_list(struct inode *dir, struct host_snapshot **out)
{
	struct host_node *node = host_node(dir);

	if (!node->snapshot || clock_now_ns() - node->listed_ns >= host_fs(dir->sb)->trust_ns) {
		struct host_snapshot *snapshot;
		int error = snapshot_make(dir, &snapshot);
		if (error)
			return error;
		if (node->snapshot)
			host_snapshot_put(node->snapshot);
		node->snapshot = snapshot;
		node->listed_ns = clock_now_ns();
	}
	ref_get(&node->snapshot->ref);
	*out = node->snapshot;
	return 0;
}

static void host_dir_release(struct file *file)
{
	if (file->data)
		host_snapshot_put(file->data);
}

static int host_readdir(struct file *file, dir_emit *emit, void *context)
{
	if (file->pos == 0 && file->data) { /* rewinddir(3) sees what is new */
		host_snapshot_put(file->data);
		file->data = NULL;
	}
	if (!file->data) {
		struct host_snapshot *snapshot;
		int error = host_list(file->inode, &snapshot);
		if (error)
			return error;
		file->data = snapshot;
	}
	if (!dir_emit_dots(file, emit, context))
		return 0;
	const struct host_snapshot *snapshot = file->data;
	while ((uint64_t)file->pos - 2 < snapshot->count) {
		const struct host_entry *entry = host_entry(snapshot, (uint32_t)(file->pos - 2));
		if (!emit(context, entry->name, entry->length, entry->ino, entry->type, file->pos + 1))
			return 0;
		file->pos++;
	}
	return 0;
}

void host_file_init(void)
{
	file_kind_register(FILE_HOST, &host_file_ops);
	dir_kind_register(INODE_HOST, host_readdir, host_dir_release);
}

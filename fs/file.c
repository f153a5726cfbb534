/* file.c - open file descriptions: life, access checks, and the dispatch to what each kind does.
 *
 * Operations are found by the file's kind in a static table filled at start (design D5). A file holds its place, its
 * inode and the credentials of who opened it.
 */
#include "fs/file.h"
#include "fs/anon.h"
#include "fs/async.h"
#include "fs/facts.h"
#include "fs/inode.h"
#include "fs/lease.h"
#include "fs/lock.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static struct slab file_slab = SLAB(file);
static const struct file_ops *kinds[FILE_KINDS];
static unsigned open_count[FILE_KINDS];
static void (*unwatch)(struct file *file);

void file_kind_register(enum file_kind kind, const struct file_ops *ops)
{
	assert(kind > FILE_NONE && kind < FILE_KINDS && ops);
	kinds[kind] = ops;
}

const struct file_ops *file_ops(const struct file *file)
{
	assert(file->kind < FILE_KINDS && kinds[file->kind]);
	return kinds[file->kind];
}

void file_unwatch_register(void (*function)(struct file *file))
{
	unwatch = function;
}

/* As Linux, memfd_create(2) hands out its file without counting it: a program in memory may be run by the descriptor
 * that wrote it. */
static bool counts_as_writer(const struct file *file)
{
	return file_writable(file) && file->kind != FILE_PATH && file->kind != FILE_MEMFD;
}

/* A tenth of the memory at a kibibyte each, as Linux reckons fs.file-max. */
static bool too_many_files(void)
{
	return slab_count(&file_slab) >= MAX(facts.memory_bytes / 10240, (uint64_t)FILES_LEAST);
}

int file_refusal(void)
{
	return too_many_files() ? -ENFILE : -ENOMEM;
}

unsigned file_count(enum file_kind kind)
{
	assert(kind < FILE_KINDS);
	return open_count[kind];
}

struct file *file_new(enum file_kind kind, uint32_t flags, struct inode *inode, const struct path *path,
		      struct cred *cred)
{
	struct file *file = too_many_files() ? NULL : slab_new(&file_slab);

	assert(kind > FILE_NONE && kind < FILE_KINDS);
	if (!file)
		return NULL;
	ref_init(&file->ref);
	file->kind = kind;
	open_count[kind]++;
	file->flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	file->inode = inode;
	inode_get(inode);
	inode->open_count++;
	if (path && path->dentry) {
		file->path = *path;
		path_get(path);
	}
	file->cred = cred;
	cred_get(cred);
	list_init(&file->epolls);
	if (counts_as_writer(file)) {
		inode->writers++;
		inode->sb->writers++;
	}
	return file;
}

void file_get(struct file *file)
{
	ref_get(&file->ref);
}

/* Nobody looks at it any more. */
static void watchers_drop(struct file *file)
{
	if (!list_empty(&file->epolls)) {
		assert(unwatch);
		unwatch(file);
	}
	async_forget(file);
}

void file_close(struct file *file)
{
	if (file->ref.count == 1 && file_ops(file)->linger) {
		watchers_drop(file);
		file_ops(file)->linger(file);
	}
	file_put(file);
}

void file_put(struct file *file)
{
	if (!ref_put(&file->ref))
		return;
	struct inode *inode = file->inode;
	watchers_drop(file);
	if (inode->leases)
		(void)!lease_set(file, -1, F_UNLCK);
	if (!list_empty(&inode->locks)) {
		lock_drop(inode, LOCK_OFD, file);
		lock_drop(inode, LOCK_FLOCK, file);
	}
	notify_file(file, file_writable(file) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	if (file_ops(file)->release)
		file_ops(file)->release(file);
	if (counts_as_writer(file)) {
		inode->writers--;
		inode->sb->writers--;
	}
	if (!--inode->open_count)
		notify_last_link(inode);
	if (file->path.dentry)
		path_put(&file->path);
	inode_put(inode);
	cred_put(file->cred);
	open_count[file->kind]--;
	slab_free(&file_slab, file);
}

void file_flush(struct file *file, void *owner)
{
	if (!list_empty(&file->inode->locks) && file->kind != FILE_PATH)
		lock_drop(file->inode, LOCK_POSIX, owner);
	if (file->directory_notes)
		notify_directory_drop(file, owner);
	if (file_ops(file)->flush)
		file_ops(file)->flush(file, owner);
}

bool file_readable(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY && !(file->flags & O_PATH) && (file->flags & O_ACCMODE) != 3;
}

bool file_writable(const struct file *file)
{
	uint32_t access = file->flags & O_ACCMODE;

	return (access == O_WRONLY || access == O_RDWR) && !(file->flags & O_PATH);
}

int64_t file_position(struct file *file)
{
	int64_t pos = file->kind == FILE_STDIO ? file_ops(file)->seek(file, 0, SEEK_CUR) : file->pos;

	return MAX(pos, (int64_t)0);
}

void file_unread(struct file *file, int64_t *pos, size_t n)
{
	if (n && file->kind == FILE_STDIO && pos == &file->pos)
		file_ops(file)->seek(file, -(int64_t)n, SEEK_CUR);
	else
		*pos -= (int64_t)n;
}

bool file_seekable(const struct file *file)
{
	/* What the sandbox was started with may be a pipe or a terminal: its own operation knows. */
	if (file->kind == FILE_STDIO)
		return file_ops(file)->seek((struct file *)file, 0, SEEK_CUR) >= 0;
	return file_ops(file)->seek && file_ops(file)->seek != file_seek_nowhere;
}

int64_t file_seek_nowhere(struct file *file, int64_t offset, int whence)
{
	(void)offset, (void)whence;
	return file->pos;
}

ssize_t file_read(struct file *file, struct uio *to, int64_t *pos)
{
	if (!file_readable(file))
		return -EBADF;
	if (!file_ops(file)->read)
		return S_ISDIR(file->inode->mode) ? -EISDIR : -EINVAL;
	ssize_t done = file_ops(file)->read(file, to, pos);
	if (done > 0)
		notify_file(file, IN_ACCESS);
	return done;
}

ssize_t file_write(struct file *file, struct uio *from, int64_t *pos)
{
	if (!file_writable(file))
		return -EBADF;
	if (!file_ops(file)->write)
		return -EINVAL;
	if (from->left && file->inode->mode & (S_ISUID | S_ISGID))
		inode_drop_setid(file->inode, file->cred);
	ssize_t done = file_ops(file)->write(file, from, pos);
	if (done > 0)
		notify_file(file, IN_MODIFY);
	return done;
}

ssize_t file_read_kernel(struct file *file, void *dst, size_t n, int64_t offset)
{
	size_t done = 0;

	if (!file_ops(file)->read)
		return S_ISDIR(file->inode->mode) ? -EISDIR : -EINVAL;
	while (done < n) {
		struct uio uio;
		int64_t pos = offset + (int64_t)done;
		uio_init_kernel(&uio, (char *)dst + done, n - done);
		ssize_t got = file_ops(file)->read(file, &uio, &pos);
		if (got < 0)
			return got;
		if (!got)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

uint32_t file_poll(struct file *file, struct poll_wait *wait)
{
	if (!file_ops(file)->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return file_ops(file)->poll(file, wait);
}

ssize_t file_name(const struct file *file, const struct path *root, char *text, size_t size)
{
	const struct inode *inode = file->inode;
	int length;

	if (file->path.dentry)
		return path_name(&file->path, root, text, size);
	if (S_ISFIFO(inode->mode))
		length = snprintf(text, size, "pipe:[%lu]", inode->ino);
	else if (S_ISSOCK(inode->mode))
		length = snprintf(text, size, "socket:[%lu]", inode->ino);
	else if (inode->kind == INODE_ANON)
		length = snprintf(text, size, "anon_inode:[%s]", anon_name(inode));
	else
		length = snprintf(text, size, "/dev/%s", S_ISCHR(inode->mode) ? "console" : "stdio");
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : length;
}

/* stdio.c - the sandbox's standard input, output and error: host descriptors handed over at start.
 *
 * Data goes straight to the host and may wait there, so reading and writing park the guest's fiber only. Positions are
 * the host's, shared with whoever else has the descriptor, but for pread and pwrite. fstat tells the host's type and,
 * for a file, its size. A terminal stays the host's: settings and window size pass through. Its job control is the
 * outer shell's, so within the sandbox whoever asks is told to be in the foreground.
 *
 * Readiness: a poll with a listener arms one watch in the host I/O layer, which wakes the queue and is armed again by
 * the next poll.
 *
 * Limits: no TIOCSTI, no TIOCSCTTY; a background process of the sandbox is not stopped when it reads.
 */
#include "fs/stdio.h"
#include "fs/bounce.h"
#include "fs/hooks.h"
#include "fs/mount.h"
#include "fs/output.h"
#include "fs/tmpfs.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/hostio.h"
#include "sentry/abi/termios.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The inode's data: one for each host descriptor. */
struct stdio {
	uint32_t host_file; /* counted */
	bool seekable;
	bool terminal;
	uint64_t end_at_start; /* of a regular file: what comes behind is this sandbox's */
	int watch;             /* handle, -1: none armed */
	uint32_t watched;      /* its events */
	int32_t foreground;    /* what TIOCSPGRP set; 0: whoever asks */
	struct waitq ready;
};

static struct slab stdio_slab = SLAB(stdio);
static struct superblock *stdio_sb;

static struct stdio *stdio_of(const struct inode *inode)
{
	assert(inode->kind == INODE_STDIO);
	return inode->data;
}

/* ------------------------------------------------------------------------------------------------ inodes */

static void stdio_inode_release(struct inode *inode)
{
	struct stdio *stdio = inode->data;

	if (!stdio)
		return;
	if (stdio->watch >= 0)
		hostio_unwatch(stdio->watch);
	hostfile_put(stdio->host_file);
	slab_free(&stdio_slab, stdio);
}

static int stdio_getattr(struct inode *inode, struct attr *out)
{
	struct statx now;

	if (host_statx(hostfile_fd(stdio_of(inode)->host_file), "", STATX_BASIC_STATS, &now))
		return 0;
	inode->size = out->size = now.stx_size;
	out->blocks = now.stx_blocks;
	out->block_size = now.stx_blksize;
	out->nlink = now.stx_nlink;
	out->atime = (struct fs_time){now.stx_atime.tv_sec, now.stx_atime.tv_nsec};
	out->mtime = (struct fs_time){now.stx_mtime.tv_sec, now.stx_mtime.tv_nsec};
	out->ctime = (struct fs_time){now.stx_ctime.tv_sec, now.stx_ctime.tv_nsec};
	return 0;
}

/* May the file's end come to lie here (--max-output)? */
static bool may_end_at(const struct stdio *stdio, uint64_t end)
{
	return end <= stdio->end_at_start || output_may_grow(end - stdio->end_at_start);
}

static int resize(const struct stdio *stdio, int64_t size)
{
	return size > 0 && !may_end_at(stdio, (uint64_t)size) ? -EFBIG
							      : host_ftruncate(hostfile_fd(stdio->host_file), size);
}

/* chmod and the like change what the sandbox sees, not the host's file. */
static int stdio_setattr(struct inode *inode, const struct setattr *change)
{
	if (change->valid & ATTR_SIZE)
		return resize(stdio_of(inode), (int64_t)change->size);
	inode_owner_set(inode, change);
	return 0;
}

/* /proc/self/fd/1 and /dev/stdout opened again: the same host descriptor. */
static int stdio_reopen(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
			struct file **out)
{
	*out = file_new(FILE_STDIO, flags, inode, path, cred);
	return *out ? 0 : file_refusal();
}

static const struct inode_ops stdio_inode_ops = {
	.getattr = stdio_getattr, .setattr = stdio_setattr, .open = stdio_reopen, .release = stdio_inode_release};

/* ------------------------------------------------------------------------------------------------ data */

/* Where the host shall read or write: its own position, or the caller's for pread and pwrite. */
static int64_t place_of(const struct file *file, const int64_t *pos)
{
	return pos == &file->pos ? -1 : *pos;
}

static int result_of(const struct file *file, ssize_t result)
{
	if (result == -EINTR)
		return -ERESTARTSYS;
	if (result == -EPIPE && (file->flags & O_ACCMODE) != O_RDONLY)
		hook_signal_caller(SIGPIPE);
	return (int)result;
}

static ssize_t read_piece(struct file *file, struct uio *to, int64_t place, char *bounce)
{
	uint32_t host_file = stdio_of(file->inode)->host_file;
	size_t n = MIN(to->left, BOUNCE_BYTES);
	ssize_t got = file->flags & O_NONBLOCK ? hostio_try_read(host_file, bounce, n, place)
					       : hostio_read(host_file, bounce, n, place);

	return got > 0 ? uio_put(to, bounce, (size_t)got) : got < 0 ? result_of(file, got) : 0;
}

/* What a pipe or terminal has is given at once; a regular file reads short at its end only. */
static ssize_t stdio_read(struct file *file, struct uio *to, int64_t *pos)
{
	int64_t place = place_of(file, pos);
	char *bounce = to->left ? bounce_get() : NULL;
	ssize_t done = 0, got;

	if (!bounce)
		return to->left ? -ENOMEM : 0;
	do {
		got = read_piece(file, to, place < 0 ? -1 : place + done, bounce);
		done += MAX(got, (ssize_t)0);
	} while (got > 0 && to->left && S_ISREG(file->inode->mode));
	if (place >= 0)
		*pos += done;
	bounce_put(bounce);
	return done ? done : got;
}

/* Is a piece at this place (-1: the position) too far out? What is appended is counted by its bytes. */
static bool too_far(const struct file *file, int64_t place, size_t n)
{
	const struct stdio *stdio = stdio_of(file->inode);

	if (!output_is_limited() || !S_ISREG(file->inode->mode) || file->flags & O_APPEND)
		return false;
	int64_t at = place < 0 ? host_lseek(hostfile_fd(stdio->host_file), 0, SEEK_CUR) : place;
	return at < 0 || !may_end_at(stdio, (uint64_t)at + n);
}

static ssize_t write_bounced(struct file *file, struct uio *from, int64_t place, char *bounce)
{
	const struct stdio *stdio = stdio_of(file->inode);
	size_t done = 0;

	while (from->left) {
		size_t room = output_take(MIN(from->left, BOUNCE_BYTES));
		int64_t at = place < 0 ? -1 : place + (int64_t)done;
		if (room && too_far(file, at, room)) {
			output_give_back(room);
			room = 0;
		}
		if (!room)
			return done ? (ssize_t)done : -EIO;
		ssize_t n = uio_take(from, bounce, room);
		if (n < 0) {
			output_give_back(room);
			return done ? (ssize_t)done : n;
		}
		ssize_t put = file->flags & O_NONBLOCK ? hostio_try_write(stdio->host_file, bounce, (size_t)n, at)
						       : hostio_write(stdio->host_file, bounce, (size_t)n, at);
		output_give_back(room - (size_t)MAX(put, (ssize_t)0));
		if (put < n)
			uio_rewind(from, (size_t)(n - MAX(put, (ssize_t)0)));
		if (put <= 0)
			return done ? (ssize_t)done : put < 0 ? result_of(file, put) : 0;
		done += (size_t)put;
		/* A pipe that took a part would make the next piece wait: blocking writes go on, others say so. */
		if (put < n && file->flags & O_NONBLOCK)
			break;
	}
	return (ssize_t)done;
}

static ssize_t stdio_write(struct file *file, struct uio *from, int64_t *pos)
{
	int64_t place = place_of(file, pos);
	char *bounce = from->left ? bounce_get() : NULL;

	if (!bounce)
		return from->left ? -ENOMEM : 0;
	ssize_t done = write_bounced(file, from, place, bounce);
	bounce_put(bounce);
	if (done > 0 && place >= 0)
		*pos += done;
	return done;
}

static int64_t stdio_seek(struct file *file, int64_t offset, int whence)
{
	const struct stdio *stdio = stdio_of(file->inode);

	return stdio->seekable ? host_lseek(hostfile_fd(stdio->host_file), offset, whence) : -ESPIPE;
}

/* ------------------------------------------------------------------------------------------------ readiness */

static void stdio_ready(void *cookie, short events)
{
	struct stdio *stdio = cookie;

	stdio->watch = -1;
	waitq_wake(&stdio->ready, (uint32_t)events);
}

static void arm(struct stdio *stdio, uint32_t events)
{
	if (stdio->watch >= 0) {
		if ((stdio->watched & events) == events)
			return;
		hostio_unwatch(stdio->watch);
		events |= stdio->watched;
	}
	stdio->watched = events;
	stdio->watch = hostio_watch(stdio->host_file, (short)events, stdio_ready, stdio);
}

static uint32_t stdio_poll(struct file *file, struct poll_wait *wait)
{
	struct stdio *stdio = stdio_of(file->inode);
	uint32_t wanted = wait ? wait->events & (POLLIN | POLLOUT | POLLPRI) : 0;
	short now = hostio_poll_now(stdio->host_file, POLLIN | POLLOUT | POLLPRI | POLLRDHUP);
	uint32_t events = (uint16_t)now;

	if (events & POLLIN)
		events |= POLLRDNORM;
	if (events & POLLOUT)
		events |= POLLWRNORM;
	poll_listen(wait, &stdio->ready);
	if (wanted & ~events)
		arm(stdio, wanted & ~events);
	return events;
}

/* ------------------------------------------------------------------------------------------------ the rest */

/* Requests that move a structure, and in which direction. */
static long terminal_ioctl(const struct stdio *stdio, struct user user, uint32_t command, uint64_t argument)
{
	static const struct {
		uint32_t command;
		uint8_t bytes;
		bool in;
	} moves[] = {{TCGETS, sizeof(struct abi_termios), false},
		     {TCSETS, sizeof(struct abi_termios), true},
		     {TCSETSW, sizeof(struct abi_termios), true},
		     {TCSETSF, sizeof(struct abi_termios), true},
		     {TIOCGWINSZ, sizeof(struct abi_winsize), false},
		     {TIOCSWINSZ, sizeof(struct abi_winsize), true},
		     {TIOCOUTQ, sizeof(int), false},
		     {FIONREAD, sizeof(int), false}};
	char text[sizeof(struct abi_termios)] = {0};

	for (unsigned i = 0; i < COUNT(moves); i++) {
		if (moves[i].command != command)
			continue;
		int error = moves[i].in ? user_read(user, text, UADDR(argument), moves[i].bytes) : 0;
		if (!error)
			error = host_ioctl(hostfile_fd(stdio->host_file), command, text);
		if (!error && !moves[i].in)
			error = user_write(user, UADDR(argument), text, moves[i].bytes);
		return error;
	}
	if (command == TCFLSH)
		return host_ioctl(hostfile_fd(stdio->host_file), command, (void *)(uintptr_t)argument);
	return -ENOTTY;
}

/* Job control within the sandbox; the host's terminal knows nothing of our process groups. */
static long job_ioctl(struct stdio *stdio, struct user user, uint32_t command, uint64_t argument)
{
	struct fs_job job;
	int32_t value;

	if (!hook_job(&job))
		return -ENOTTY;
	switch (command) {
	case TIOCGPGRP:
		value = stdio->foreground ? stdio->foreground : job.pgid;
		return user_write(user, UADDR(argument), &value, sizeof value);
	case TIOCSPGRP: {
		int error = user_read(user, &value, UADDR(argument), sizeof value);
		if (error)
			return error;
		if (value < 0)
			return -EINVAL;
		int32_t sid = hook_group_session(value);
		if (sid < 0)
			return sid;
		if (sid != job.sid)
			return -EPERM;
		stdio->foreground = value;
		return 0;
	}
	case TIOCGSID:
		value = job.sid;
		return user_write(user, UADDR(argument), &value, sizeof value);
	default:
		return -ENOTTY;
	}
}

static long stdio_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	struct stdio *stdio = stdio_of(file->inode);

	if (!stdio->terminal)
		return command == FIONREAD ? terminal_ioctl(stdio, user, command, argument) : -ENOTTY;
	long result = terminal_ioctl(stdio, user, command, argument);
	return result == -ENOTTY ? job_ioctl(stdio, user, command, argument) : result;
}

static int stdio_map(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags,
		     struct file_map *out)
{
	const struct stdio *stdio = stdio_of(file->inode);

	(void)size;
	if (!S_ISREG(file->inode->mode))
		return -ENODEV;
	if ((flags & MAP_TYPE) != MAP_PRIVATE && prot & PROT_WRITE && !file_writable(file))
		return -EACCES;
	if ((flags & MAP_TYPE) != MAP_PRIVATE && file_writable(file) && output_is_limited())
		return -ENODEV; /* what is written there would not be counted */
	hostfile_get(stdio->host_file);
	*out = (struct file_map){.host_file = stdio->host_file, .offset = offset};
	return 0;
}

static int stdio_sync(struct file *file, bool data_only)
{
	(void)data_only;
	if (!S_ISREG(file->inode->mode))
		return -EINVAL;
	return fiber_current() ? hostio_sync(stdio_of(file->inode)->host_file)
			       : host_fsync(hostfile_fd(stdio_of(file->inode)->host_file));
}

static int stdio_truncate(struct file *file, int64_t size)
{
	if (!S_ISREG(file->inode->mode))
		return -EINVAL;
	return resize(stdio_of(file->inode), size);
}

static const struct file_ops stdio_ops = {.read = stdio_read,
					  .write = stdio_write,
					  .seek = stdio_seek,
					  .poll = stdio_poll,
					  .ioctl = stdio_ioctl,
					  .map = stdio_map,
					  .sync = stdio_sync,
					  .truncate = stdio_truncate};

void stdio_init(void)
{
	file_kind_register(FILE_STDIO, &stdio_ops);
	inode_kind_register(INODE_STDIO, &stdio_inode_ops, NULL);
}

static struct inode *make_inode(uint32_t host_file, const struct statx *what, struct cred *cred)
{
	struct abi_termios settings;
	struct inode *inode = inode_new(stdio_sb, INODE_STDIO, what->stx_mode, cred);
	struct stdio *stdio = inode ? slab_new(&stdio_slab) : NULL;

	if (!stdio) {
		if (inode)
			inode_put(inode);
		return NULL;
	}
	hostfile_get(host_file);
	int fd = hostfile_fd(host_file);
	*stdio = (struct stdio){.host_file = host_file, .watch = -1};
	stdio->seekable = host_lseek(fd, 0, SEEK_CUR) >= 0;
	stdio->end_at_start = MAX(what->stx_size, (uint64_t)MAX(host_lseek(fd, 0, SEEK_CUR), (int64_t)0));
	stdio->terminal = S_ISCHR(what->stx_mode) && !host_ioctl(fd, TCGETS, &settings);
	waitq_init(&stdio->ready);
	inode->data = stdio;
	inode->ino = what->stx_ino;
	inode->rdev = (uint64_t)what->stx_rdev_major << 8 | what->stx_rdev_minor;
	return inode;
}

int stdio_open(uint32_t host_file, uint32_t flags, struct cred *cred, struct file **out)
{
	struct statx what;
	int error = host_statx(hostfile_fd(host_file), "", STATX_BASIC_STATS, &what);

	if (error)
		return error;
	if (!stdio_sb)
		stdio_sb = superblock_new(INODE_STDIO, "stdio");
	struct inode *inode = stdio_sb ? make_inode(host_file, &what, cred) : NULL;
	if (!inode)
		return -ENOMEM;
	*out = file_new(FILE_STDIO, flags, inode, NULL, cred);
	inode_put(inode);
	return *out ? 0 : file_refusal();
}

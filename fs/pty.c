/* pty.c - the two ends of a terminal as open files, and /dev/tty (pty(7), pts(4), tty(4)).
 *
 * A file's data is the terminal, counted. A slave's file remembers in its cookie how often the terminal had been hung
 * up when it was opened: with another number it is cut off.
 *
 * Copies from and to a guest PARK, so each end has one reader and one writer at a time, as in Linux; bytes are taken
 * from the queues before they are copied out, so that a flush in between changes nothing.
 */
#include "fs/dentry.h"
#include "fs/dev.h"
#include "fs/hooks.h"
#include "fs/namei.h"
#include "fs/tty_impl.h"
#include "sentry/abi/fcntl.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>

#define READ_EVENTS  (POLLIN | POLLRDNORM)
#define WRITE_EVENTS (POLLOUT | POLLWRNORM)
#define PIECE_BYTES  512u
#define TURN_BYTES   4096u /* of a master's write, until others get their turn */
#define TENTH_NS     (NS_PER_S / 10)

static struct tty *tty_of(const struct file *file)
{
	assert(file->kind == FILE_PTY_MASTER || file->kind == FILE_PTY_SLAVE);
	return file->data;
}

struct tty *tty_of_file(const struct file *file)
{
	return file->kind == FILE_PTY_MASTER || file->kind == FILE_PTY_SLAVE ? file->data : NULL;
}

bool pty_hung_up(const struct file *slave)
{
	return slave->cookie != tty_of(slave)->hangups;
}

static int lock(struct mutex *mutex, const struct file *file)
{
	if (mutex->held && file->flags & O_NONBLOCK)
		return -EAGAIN;
	return mutex_lock(mutex);
}

/* ------------------------------------------------------------------------------------------------ the slave reads */

/* The wait of one read: how many bytes it wants, and the deadline by VMIN and VTIME (termios(3)). */
struct patience {
	size_t least;
	uint64_t gap_ns;      /* between bytes; 0: any */
	uint64_t deadline_ns; /* until the first byte; 0: no wait at all */
};

static struct patience patience_of(const struct tty *tty)
{
	const uint8_t *cc = tty->termios.cc;
	struct patience patience = {.least = 1, .deadline_ns = DEADLINE_NONE};
	uint64_t time_ns = cc[ABI_VTIME] * TENTH_NS;

	if (tty->termios.lflag & ICANON)
		return patience;
	if (cc[ABI_VMIN]) {
		patience.least = cc[ABI_VMIN];
		patience.gap_ns = time_ns;
	} else {
		patience.deadline_ns = time_ns ? clock_now_ns() + time_ns : 0;
	}
	return patience;
}

/* 0: there is input. 1: there will be none, the read ends. */
static int wait_input(struct file *file, struct tty *tty, const struct patience *patience)
{
	if (tty_input_ready(tty, false))
		return 0;
	if (!tty->inode)
		return -EIO; /* the master was closed while we waited */
	if (pty_hung_up(file) || !patience->deadline_ns)
		return 1;
	if (file->flags & O_NONBLOCK)
		return -EAGAIN;
	int error =
		WAIT_EVENT(&tty->read_wait, tty_input_ready(tty, false) || pty_hung_up(file), patience->deadline_ns);
	if (error == -ETIMEDOUT)
		return 1;
	if (error || tty_input_ready(tty, false))
		return error;
	return tty->inode ? 1 : -EIO;
}

static ssize_t read_input(struct file *file, struct tty *tty, struct uio *to)
{
	struct patience patience = patience_of(tty);
	uint8_t bytes[TTY_INPUT_BYTES];
	size_t done = 0;

	while (to->left) {
		int error = wait_input(file, tty, &patience);
		if (error)
			return done ? (ssize_t)done : MIN(error, 0);
		bool line = tty->termios.lflag & ICANON;
		size_t n = tty_take(tty, bytes, MIN(to->left, sizeof bytes));
		tty_feed(tty);
		ssize_t moved = n ? uio_put(to, bytes, n) : 0;
		if (moved < (ssize_t)n)
			return done ? (ssize_t)done : -EFAULT;
		done += n;
		if (line || done >= patience.least)
			break;
		if (patience.gap_ns) {
			clock_refresh();
			patience.deadline_ns = clock_now_ns() + patience.gap_ns;
		}
	}
	return (ssize_t)done;
}

static ssize_t slave_read(struct file *file, struct uio *to, int64_t *pos)
{
	struct tty *tty = tty_of(file);

	(void)pos;
	if (pty_hung_up(file))
		return 0;
	int error = tty_job_check(tty, SIGTTIN);
	if (!error)
		error = lock(&tty->read_mutex, file);
	if (error)
		return error;
	ssize_t result = read_input(file, tty, to);
	mutex_unlock(&tty->read_mutex);
	if (result > 0 && tty->inode)
		inode_touch(tty->inode, ATTR_ATIME);
	return result;
}

/* ------------------------------------------------------------------------------------------------ the slave writes */

static ssize_t write_output(struct file *file, struct tty *tty, struct uio *from)
{
	uint8_t bytes[PIECE_BYTES];
	size_t done = 0;

	while (from->left) {
		ssize_t n = uio_take(from, bytes, MIN(from->left, sizeof bytes));
		if (n <= 0)
			return done ? (ssize_t)done : n;
		size_t put = pty_hung_up(file) ? 0 : tty_output(tty, bytes, (size_t)n);
		uio_rewind(from, (size_t)n - put);
		done += put;
		if (!from->left)
			break;
		if (pty_hung_up(file))
			return done ? (ssize_t)done : -EIO;
		if (put == (size_t)n)
			continue;
		if (file->flags & O_NONBLOCK)
			return done ? (ssize_t)done : -EAGAIN;
		int error = WAIT_EVENT(&tty->write_wait, tty_output_room(tty) || pty_hung_up(file), DEADLINE_NONE);
		if (error)
			return done ? (ssize_t)done : error;
	}
	return (ssize_t)done;
}

static ssize_t slave_write(struct file *file, struct uio *from, int64_t *pos)
{
	struct tty *tty = tty_of(file);
	int error = 0;

	(void)pos;
	if (pty_hung_up(file))
		return -EIO;
	if (tty->termios.lflag & TOSTOP)
		error = tty_job_check(tty, SIGTTOU);
	if (!error)
		error = lock(&tty->write_mutex, file);
	if (error)
		return error;
	ssize_t result = write_output(file, tty, from);
	mutex_unlock(&tty->write_mutex);
	if (result > 0 && tty->inode)
		inode_touch(tty->inode, ATTR_MTIME);
	return result;
}

static uint32_t slave_poll(struct file *file, struct poll_wait *wait)
{
	struct tty *tty = tty_of(file);
	uint32_t events = 0;

	poll_listen(wait, &tty->read_wait);
	poll_listen(wait, &tty->write_wait);
	if (pty_hung_up(file))
		return READ_EVENTS | WRITE_EVENTS | POLLERR | POLLHUP;
	if (tty_input_ready(tty, true))
		events |= READ_EVENTS;
	if (tty_output_room(tty) && !tty->write_mutex.held)
		events |= WRITE_EVENTS;
	return events;
}

static void slave_release(struct file *file)
{
	struct tty *tty = file->data;

	if (!tty)
		return;
	assert(tty->slave_files > 0);
	if (!--tty->slave_files) {
		tty->slave_closed = true;
		tty_wake_master(tty);
	}
	tty_put(tty);
}

/* ------------------------------------------------------------------------------------------------ the master */

static bool master_has_data(const struct tty *tty)
{
	return ring_used(&tty->output) || (tty->packet && tty->packet_status) || tty->slave_closed;
}

/* With something to read, or the slave gone. */
static ssize_t master_take(struct tty *tty, struct uio *to)
{
	uint8_t bytes[TTY_MASTER_READ + 1];
	size_t n = 0, limit = MIN(to->left, sizeof bytes);

	if (tty->packet && tty->packet_status) {
		bytes[n++] = tty->packet_status;
		tty->packet_status = 0;
	} else if (!ring_used(&tty->output)) {
		return -EIO;
	} else {
		if (tty->packet)
			bytes[n++] = TIOCPKT_DATA;
		while (n < limit && ring_used(&tty->output))
			bytes[n++] = tty->buffers->output[tty->output.tail++ % TTY_OUTPUT_BYTES];
		tty_echo_flush(tty);
		if (tty_output_room(tty))
			waitq_wake(&tty->write_wait, WRITE_EVENTS);
	}
	return uio_put(to, bytes, n) == (ssize_t)n ? (ssize_t)n : -EFAULT;
}

static ssize_t master_read(struct file *file, struct uio *to, int64_t *pos)
{
	struct tty *tty = tty_of(file);

	(void)pos;
	if (!to->left)
		return 0;
	int error = lock(&tty->master_read_mutex, file);
	if (error)
		return error;
	if (!master_has_data(tty) && file->flags & O_NONBLOCK)
		error = -EAGAIN;
	else
		error = WAIT_EVENT(&tty->master_read_wait, master_has_data(tty), DEADLINE_NONE);
	ssize_t result = error ? error : master_take(tty, to);
	mutex_unlock(&tty->master_read_mutex);
	return result;
}

static uint32_t feed_room(const struct tty *tty)
{
	return TTY_FEED_BYTES - ring_used(&tty->feed);
}

static ssize_t write_feed(struct file *file, struct tty *tty, struct uio *from)
{
	uint8_t bytes[PIECE_BYTES];
	size_t done = 0;

	while (from->left) {
		ssize_t n = uio_take(from, bytes, MIN(from->left, sizeof bytes));
		if (n <= 0)
			return done ? (ssize_t)done : n;
		size_t put = MIN((size_t)n, (size_t)feed_room(tty));
		for (size_t i = 0; i < put; i++)
			tty->buffers->feed[tty->feed.head++ % TTY_FEED_BYTES] = bytes[i];
		uio_rewind(from, (size_t)n - put);
		done += put;
		tty_feed(tty);
		/* A line that is too long swallows all that is written: such a write could go on for seconds. */
		if (from->left && done % TURN_BYTES < put && fiber_current()) {
			fiber_yield();
			if (fiber_interrupted())
				return (ssize_t)done;
		}
		if (!from->left || feed_room(tty))
			continue;
		if (file->flags & O_NONBLOCK)
			return done ? (ssize_t)done : -EAGAIN;
		int error = WAIT_EVENT(&tty->master_write_wait, feed_room(tty), DEADLINE_NONE);
		if (error)
			return done ? (ssize_t)done : error;
	}
	return (ssize_t)done;
}

static ssize_t master_write(struct file *file, struct uio *from, int64_t *pos)
{
	struct tty *tty = tty_of(file);

	(void)pos;
	int error = lock(&tty->master_write_mutex, file);
	if (error)
		return error;
	ssize_t result = write_feed(file, tty, from);
	mutex_unlock(&tty->master_write_mutex);
	return result;
}

static uint32_t master_poll(struct file *file, struct poll_wait *wait)
{
	struct tty *tty = tty_of(file);
	uint32_t events = 0;

	poll_listen(wait, &tty->master_read_wait);
	poll_listen(wait, &tty->master_write_wait);
	if (ring_used(&tty->output))
		events |= READ_EVENTS;
	if (tty->packet && tty->packet_status)
		events |= READ_EVENTS | POLLPRI;
	if (tty->slave_closed)
		events |= POLLHUP;
	if (feed_room(tty) && !tty->master_write_mutex.held)
		events |= WRITE_EVENTS;
	return events;
}

static int master_fdinfo(struct file *file, char *text, size_t size)
{
	return snprintf(text, size, "tty-index:\t%u\n", tty_of(file)->index);
}

static void master_release(struct file *file)
{
	struct tty *tty = file->data;

	if (!tty)
		return;
	devpts_remove(tty);
	tty_hangup(tty);
	tty_put(tty);
}

static const struct file_ops slave_ops = {
	.read = slave_read, .write = slave_write, .poll = slave_poll, .ioctl = tty_ioctl, .release = slave_release};
static const struct file_ops master_ops = {.read = master_read,
					   .write = master_write,
					   .poll = master_poll,
					   .ioctl = tty_ioctl,
					   .fdinfo = master_fdinfo,
					   .release = master_release};

/* ------------------------------------------------------------------------------------------------ opening */

/* A session's leader without a terminal gets the first one that it opens (open(2), O_NOCTTY). */
static void control_by_open(struct tty *tty, const struct file *file, uint32_t flags)
{
	struct fs_job job;

	if (flags & O_NOCTTY || !file_readable(file) || tty->sid || !hook_job(&job))
		return;
	if (job.leads_session && !job.tty)
		tty_control(tty, &job);
}

int pty_slave_open(struct tty *tty, struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
		   struct file **out)
{
	if (!tty->inode || tty->locked)
		return -EIO;
	if (tty->exclusive && !cred_capable(cred, CAP_SYS_ADMIN))
		return -EBUSY;
	struct file *file = file_new(FILE_PTY_SLAVE, flags & ~(uint32_t)O_NOCTTY, inode, path, cred);
	if (!file)
		return file_refusal();
	file->data = tty;
	file->cookie = tty->hangups;
	tty_get(tty);
	tty->slave_files++;
	tty->slave_closed = false;
	control_by_open(tty, file, flags);
	*out = file;
	return 0;
}

int pty_master_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred, struct file **out)
{
	struct superblock *sb = inode->kind == INODE_DEVPTS ? inode->sb : devpts_default();
	struct tty *tty;

	if (!sb)
		return -ENODEV;
	struct file *file = file_new(FILE_PTY_MASTER, flags & ~(uint32_t)O_NOCTTY, inode, path, cred);
	if (!file)
		return file_refusal();
	int error = devpts_add(sb, cred, &tty);
	if (error) {
		file_put(file);
		return error;
	}
	file->data = tty;
	*out = file;
	return 0;
}

/* /dev/tty: the caller's controlling terminal. */
static int current_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
			struct file **out)
{
	struct fs_job job;

	if (!hook_job(&job) || !job.tty)
		return -ENXIO;
	return pty_slave_open(job.tty, inode, path, flags | O_NOCTTY, cred, out);
}

long pty_peer_open(struct file *master, uint32_t flags)
{
	struct tty *tty = tty_of(master);
	struct file *file;
	struct path place;
	int error = devpts_place(tty, &master->path, &place);

	if (error)
		return error;
	/* Permissions do not count: only whoever has the master can ask. */
	flags &= ~(uint32_t)(O_CREAT | O_EXCL | O_TRUNC);
	error = pty_slave_open(tty, place.dentry->inode, &place, (flags & ~(uint32_t)O_CLOEXEC) | ABI_O_LARGEFILE,
			       master->cred, &file);
	path_put(&place);
	return error ? error : hook_give_file(file, flags & O_CLOEXEC);
}

void pty_init(void)
{
	file_kind_register(FILE_PTY_SLAVE, &slave_ops);
	file_kind_register(FILE_PTY_MASTER, &master_ops);
	dev_register(DEV_MAKE(5, 0), current_open);
	dev_register(DEV_MAKE(5, 2), pty_master_open);
}

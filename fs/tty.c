/* tty.c - terminals: their life, job control, flow control, hang-up.
 *
 *     master  --feed-->  line discipline  --input-->  slave        (tty_line.c)
 *     master  <--output--  line discipline and echo  <--  slave
 *
 * A terminal lives as long as one end is open or a session has it. When the master is closed, the slave is hung up:
 * its open files read end-of-file and fail to write, its name in /dev/pts is gone. When the slave's last file is
 * closed, the master reads EIO until somebody opens the slave again; settings and input stay.
 *
 * Job control (credentials(7), tty_ioctl(4)): a terminal that controls a session knows its number and that of its
 * foreground group, as numbers, because groups belong to the upper part of the sentry (fs/hooks.h). A group's number
 * could be given out again after the group is gone; the sentry hands numbers out in turn, so that takes a while.
 *
 * Limits: PTY_LIMIT terminals; one line discipline (N_TTY); O_ASYNC sends nothing; PENDIN only is remembered.
 */
#include "fs/dev.h"
#include "fs/hooks.h"
#include "fs/tty_impl.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define SLAVE_MAJOR 136
#define ALL_EVENTS  (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP | POLLPRI)

static struct slab tty_slab = SLAB(tty);
static unsigned tty_count;

/* ------------------------------------------------------------------------------------------------ life */

/* As tty_std_termios and the slave's driver in Linux have them. */
void tty_defaults(struct tty *tty)
{
	static const struct abi_termios2 usual = {
		.iflag = ICRNL | IXON,
		.oflag = OPOST | ONLCR,
		.cflag = B38400 | CS8 | CREAD,
		.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		.cc = {[ABI_VINTR] = 3,
		       [ABI_VQUIT] = 28,
		       [ABI_VERASE] = 127,
		       [ABI_VKILL] = 21,
		       [ABI_VEOF] = 4,
		       [ABI_VMIN] = 1,
		       [ABI_VSTART] = 17,
		       [ABI_VSTOP] = 19,
		       [ABI_VSUSP] = 26,
		       [ABI_VREPRINT] = 18,
		       [ABI_VDISCARD] = 15,
		       [ABI_VWERASE] = 23,
		       [ABI_VLNEXT] = 22},
		.ispeed = 38400,
		.ospeed = 38400,
	};

	tty_termios_set(tty, &usual);
}

int tty_new(struct superblock *sb, uint32_t index, struct tty **out)
{
	if (tty_count >= PTY_LIMIT)
		return -ENOSPC;
	struct tty *tty = slab_new(&tty_slab);
	if (!tty)
		return -ENOMEM;
	tty->buffers = arena_alloc(sizeof *tty->buffers);
	if (!tty->buffers) {
		slab_free(&tty_slab, tty);
		return -ENOMEM;
	}
	ref_init(&tty->ref);
	tty->sb = sb;
	tty->index = index;
	tty->locked = true;
	mutex_init(&tty->read_mutex);
	mutex_init(&tty->write_mutex);
	mutex_init(&tty->master_read_mutex);
	mutex_init(&tty->master_write_mutex);
	waitq_init(&tty->read_wait);
	waitq_init(&tty->write_wait);
	waitq_init(&tty->master_read_wait);
	waitq_init(&tty->master_write_wait);
	tty_defaults(tty);
	tty_count++;
	*out = tty;
	return 0;
}

void tty_get(struct tty *tty)
{
	ref_get(&tty->ref);
}

void tty_put(struct tty *tty)
{
	if (!ref_put(&tty->ref))
		return;
	assert(!tty->inode && !tty->slave_files && !tty->sid);
	arena_free(tty->buffers, sizeof *tty->buffers);
	slab_free(&tty_slab, tty);
	tty_count--;
}

/* ------------------------------------------------------------------------------------------------ waking */

void tty_wake_slave(struct tty *tty)
{
	waitq_wake(&tty->read_wait, ALL_EVENTS);
	waitq_wake(&tty->write_wait, ALL_EVENTS);
}

void tty_wake_master(struct tty *tty)
{
	waitq_wake(&tty->master_read_wait, ALL_EVENTS);
	waitq_wake(&tty->master_write_wait, ALL_EVENTS);
}

void tty_packet_note(struct tty *tty, uint8_t set, uint8_t clear)
{
	if (!tty->packet)
		return;
	tty->packet_status = (tty->packet_status & ~clear) | set;
	waitq_wake(&tty->master_read_wait, POLLIN | POLLRDNORM | POLLPRI);
}

void tty_stop(struct tty *tty)
{
	if (tty->stopped)
		return;
	tty->stopped = true;
	tty_packet_note(tty, TIOCPKT_STOP, TIOCPKT_START);
}

void tty_start(struct tty *tty)
{
	if (!tty->stopped || tty->stopped_by_call)
		return;
	tty->stopped = false;
	tty_packet_note(tty, TIOCPKT_START, TIOCPKT_STOP);
	tty_echo_flush(tty);
	waitq_wake(&tty->write_wait, POLLOUT | POLLWRNORM);
}

/* ------------------------------------------------------------------------------------------------ job control */

int tty_job_check(struct tty *tty, int sig)
{
	struct fs_job job;

	if (!hook_job(&job) || job.tty != tty || !tty->pgid || tty->pgid == job.pgid)
		return 0;
	if (hook_caller_ignores(sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (hook_group_orphaned(job.pgid))
		return -EIO;
	hook_signal_group(job.pgid, sig);
	return -ERESTARTSYS;
}

void tty_control(struct tty *tty, const struct fs_job *job)
{
	assert(!tty->sid && !job->tty);
	tty_get(tty);
	tty->sid = job->sid;
	tty->pgid = job->pgid;
	hook_session_tty_set(job->sid, tty);
}

void tty_uncontrol(struct tty *tty)
{
	int32_t sid = tty->sid;

	if (!sid)
		return;
	tty->sid = tty->pgid = 0;
	hook_session_tty_set(sid, NULL);
	tty_put(tty);
}

void tty_leader_gone(struct tty *tty)
{
	int32_t group = tty->pgid;

	tty_uncontrol(tty);
	if (group)
		hook_signal_group(group, SIGHUP);
}

/* The leader hears of it, and its session remembers who was in the foreground: they hear when it ends in turn. */
void tty_hangup(struct tty *tty)
{
	int32_t sid = tty->sid, group = tty->pgid;

	tty_get(tty);
	tty->hangups++;
	tty->stopped = tty->stopped_by_call = false;
	tty_uncontrol(tty);
	if (sid) {
		hook_session_orphan(sid, group);
		hook_signal_leader(sid, SIGHUP);
		hook_signal_leader(sid, SIGCONT);
	}
	tty_input_flush(tty);
	tty_defaults(tty);
	tty_wake_slave(tty);
	tty_wake_master(tty);
	tty_put(tty);
}

uint32_t tty_device(const struct tty *tty)
{
	return (uint32_t)DEV_MAKE(SLAVE_MAJOR + tty->index / 256, tty->index % 256);
}

int32_t tty_foreground(const struct tty *tty)
{
	return tty->pgid ? tty->pgid : -1;
}

void tty_resize(struct tty *tty, const struct abi_winsize *size)
{
	if (!memcmp(&tty->size, size, sizeof *size))
		return;
	tty->size = *size;
	if (tty->pgid)
		hook_signal_group(tty->pgid, SIGWINCH);
}

void tty_init(void)
{
	pty_init();
	devpts_init();
}

/* tty_ioctl.c - ioctl(2) on both ends of a terminal (tty_ioctl(4), ioctl_tty(2)).
 *
 * Settings, size and job control are the slave's, whichever end is asked. What concerns queues is told apart: the
 * master's input is the slave's output.
 *
 * Limits: no line discipline but N_TTY; no modem lines; TIOCSTI only for CAP_SYS_ADMIN, as Linux is usually built;
 * TIOCCONS and the locked settings are missing.
 */
#include "fs/hooks.h"
#include "fs/tty_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

/* From asm-generic/termbits.h and ioctls.h, which cannot be included beside termios.h. */
#define ABI_TCGETS2 0x802c542a
#define ABI_TCSETS2 0x402c542b
#define ABI_BOTHER  0010000u
#define ABI_IBSHIFT 16
#define LAST_SIGNAL 64

/* struct termio of System V. */
struct abi_termio {
	uint16_t iflag, oflag, cflag, lflag;
	uint8_t line, cc[8];
};

/* What a request is about. */
struct request {
	struct file *file;
	struct tty *tty;
	struct user user;
	uint64_t argument;
	bool master;
	struct fs_job job; /* of the caller */
	bool admin;        /* the caller has CAP_SYS_ADMIN */
};

static long give(const struct request *request, const void *value, size_t bytes)
{
	return user_write(request->user, UADDR(request->argument), value, bytes);
}

static int take(const struct request *request, void *value, size_t bytes)
{
	return user_read(request->user, value, UADDR(request->argument), bytes);
}

static long give_int(const struct request *request, int32_t value)
{
	return give(request, &value, sizeof value);
}

/* ------------------------------------------------------------------------------------------------ settings */

/* The rate that a flag word names; other, when it says that the rate is in a field of its own. */
static uint32_t baud_rate(uint32_t code, uint32_t other)
{
	static const uint32_t low[] = {0,   50,   75,   110,  134,  150,  200,   300,
				       600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
	static const uint32_t high[] = {57600,   115200,  230400,  460800,  500000,  576000,  921600, 1000000,
					1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};

	code &= CBAUD;
	if (code < COUNT(low))
		return low[code];
	if (code == ABI_BOTHER)
		return other;
	code -= ABI_BOTHER + 1;
	return code < COUNT(high) ? high[code] : 38400;
}

static void set_rates(struct abi_termios2 *termios)
{
	uint32_t input = termios->cflag >> ABI_IBSHIFT & CBAUD;

	termios->ospeed = baud_rate(termios->cflag, termios->ospeed);
	termios->ispeed = input ? baud_rate(input, termios->ispeed) : termios->ospeed;
}

/* Where the new settings' low half comes from struct termio, the rest stays. */
static int take_old(const struct request *request, struct abi_termios2 *termios)
{
	struct abi_termio old;
	int error = take(request, &old, sizeof old);

	if (error)
		return error;
	termios->iflag = (termios->iflag & ~0xffffu) | old.iflag;
	termios->oflag = (termios->oflag & ~0xffffu) | old.oflag;
	termios->cflag = (termios->cflag & ~0xffffu) | old.cflag;
	termios->lflag = (termios->lflag & ~0xffffu) | old.lflag;
	termios->line = old.line;
	memcpy(termios->cc, old.cc, sizeof old.cc);
	return 0;
}

static long get_settings(const struct request *request, uint32_t command)
{
	const struct abi_termios2 *now = &request->tty->termios;

	if (command == TCGETA) {
		struct abi_termio old = {.iflag = (uint16_t)now->iflag,
					 .oflag = (uint16_t)now->oflag,
					 .cflag = (uint16_t)now->cflag,
					 .lflag = (uint16_t)now->lflag,
					 .line = now->line};
		memcpy(old.cc, now->cc, sizeof old.cc);
		return give(request, &old, sizeof old);
	}
	/* struct termios2 begins with struct termios. */
	return give(request, now, command == TCGETS ? sizeof(struct abi_termios) : sizeof *now);
}

/* Output needs no draining: what the slave has written is with the master as soon as it is written. */
static long set_settings(const struct request *request, uint32_t command, bool flush)
{
	struct tty *tty = request->tty;
	struct abi_termios2 fresh = tty->termios;
	int error = tty_job_check(tty, SIGTTOU);

	if (error)
		return error;
	switch (command) {
	case TCSETA:
		error = take_old(request, &fresh);
		break;
	case TCSETS:
		error = take(request, &fresh, sizeof(struct abi_termios));
		break;
	default:
		error = take(request, &fresh, sizeof fresh);
	}
	if (error)
		return error;
	set_rates(&fresh);
	if (flush)
		tty_input_flush(tty);
	tty_termios_set(tty, &fresh);
	return 0;
}

static long settings_ioctl(const struct request *request, uint32_t command)
{
	switch (command) {
	case TCGETS:
	case TCGETA:
	case ABI_TCGETS2:
		return get_settings(request, command);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_settings(request, TCSETS, command == TCSETSF);
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return set_settings(request, TCSETA, command == TCSETAF);
	case ABI_TCSETS2:
	case ABI_TCSETS2 + 1:
	case ABI_TCSETS2 + 2:
		return set_settings(request, ABI_TCSETS2, command == ABI_TCSETS2 + 2);
	default:
		return -ENOTTY;
	}
}

/* ------------------------------------------------------------------------------------------------ job control */

static long set_foreground(const struct request *request)
{
	struct tty *tty = request->tty;
	int32_t group;
	int error = tty_job_check(tty, SIGTTOU);

	if (error)
		return error == -EIO ? -ENOTTY : error;
	error = take(request, &group, sizeof group);
	if (error)
		return error;
	if (group < 0)
		return -EINVAL;
	if (request->job.tty != tty || tty->sid != request->job.sid)
		return -ENOTTY;
	int32_t sid = hook_group_session(group);
	if (sid < 0)
		return sid;
	if (sid != request->job.sid)
		return -EPERM;
	tty->pgid = group;
	return 0;
}

static long control(const struct request *request)
{
	struct tty *tty = request->tty;
	const struct fs_job *job = &request->job;

	if (job->leads_session && tty->sid == job->sid)
		return 0;
	if (!job->leads_session || job->tty)
		return -EPERM;
	if (tty->sid && (request->argument != 1 || !request->admin))
		return -EPERM;
	if (!file_readable(request->file) && !request->admin)
		return -EPERM;
	tty_uncontrol(tty);
	tty_control(tty, job);
	return 0;
}

/* A leader gives up the terminal for its whole session, as at its end, but its own group goes on. */
static long leave(const struct request *request)
{
	struct tty *tty = request->tty;
	int32_t group = tty->pgid;

	if (request->job.tty != tty)
		return -ENOTTY;
	if (!request->job.leads_session) {
		hook_leave_tty();
		return 0;
	}
	tty_uncontrol(tty);
	if (group) {
		hook_signal_group(group, SIGHUP);
		hook_signal_group(group, SIGCONT);
	}
	return 0;
}

static long job_ioctl(const struct request *request, uint32_t command)
{
	const struct tty *tty = request->tty;
	bool mine = request->master || request->job.tty == tty;

	switch (command) {
	case TIOCGPGRP:
		return mine ? give_int(request, tty->pgid) : -ENOTTY;
	case TIOCSPGRP:
		return set_foreground(request);
	case TIOCGSID:
		return mine && tty->sid ? give_int(request, tty->sid) : -ENOTTY;
	case TIOCSCTTY:
		return control(request);
	case TIOCNOTTY:
		return leave(request);
	default:
		return -ENOTTY;
	}
}

/* ------------------------------------------------------------------------------------------------ queues */

static void feed_one(struct tty *tty, uint8_t c)
{
	if (ring_used(&tty->feed) < TTY_FEED_BYTES)
		tty->buffers->feed[tty->feed.head++ % TTY_FEED_BYTES] = c;
	tty_feed(tty);
}

/* The stop or start character, to the other end. */
static void send_flow(const struct request *request, unsigned key)
{
	struct tty *tty = request->tty;
	uint8_t c = tty->termios.cc[key];

	if (!c)
		return;
	if (request->master)
		feed_one(tty, c);
	else if (ring_used(&tty->output) < TTY_OUTPUT_BYTES)
		tty->buffers->output[tty->output.head++ % TTY_OUTPUT_BYTES] = c;
	tty_wake_master(tty);
}

static long flow(const struct request *request)
{
	struct tty *tty = request->tty;
	int error = tty_job_check(tty, SIGTTOU);

	if (error)
		return error;
	switch (request->argument) {
	case TCOOFF:
		tty->stopped_by_call = true;
		tty_stop(tty);
		return 0;
	case TCOON:
		if (tty->stopped_by_call) {
			tty->stopped_by_call = false;
			tty_start(tty);
		}
		return 0;
	case TCIOFF:
		send_flow(request, ABI_VSTOP);
		return 0;
	case TCION:
		send_flow(request, ABI_VSTART);
		return 0;
	default:
		return -EINVAL;
	}
}

static long flush(const struct request *request)
{
	struct tty *tty = request->tty;
	uint64_t what = request->argument;
	int error = tty_job_check(tty, SIGTTOU);

	if (error)
		return error;
	if (what != TCIFLUSH && what != TCOFLUSH && what != TCIOFLUSH)
		return -EINVAL;
	bool input = what != TCOFLUSH, output = what != TCIFLUSH;
	if (request->master ? output : input)
		tty->feed.tail = tty->feed.head;
	if (request->master && input)
		tty->output.tail = tty->output.head;
	if (!request->master && input)
		tty_input_flush(tty);
	if (!request->master && output)
		tty_output_flush(tty);
	tty_wake_slave(tty);
	tty_wake_master(tty);
	return 0;
}

/* What was typed is simulated: only for whoever could do anything anyway. */
static long type_in(const struct request *request)
{
	uint8_t c;
	int error = request->admin ? 0 : -EIO;

	if (!error)
		error = take(request, &c, sizeof c);
	if (!error)
		feed_one(request->tty, c);
	return error;
}

static long queue_ioctl(const struct request *request, uint32_t command)
{
	const struct tty *tty = request->tty;

	switch (command) {
	case FIONREAD:
		return give_int(request, (int32_t)(request->master ? MIN(ring_used(&tty->output), TTY_MASTER_READ)
								   : tty_input_count(tty)));
	case TIOCOUTQ:
		return give_int(request, 0);
	case TCXONC:
		return flow(request);
	case TCFLSH:
		return flush(request);
	case TCSBRK:
	case TCSBRKP:
		return tty_job_check(request->tty, SIGTTOU);
	case TIOCSBRK:
	case TIOCCBRK:
		return 0;
	case TIOCSTI:
		return type_in(request);
	default:
		return -ENOTTY;
	}
}

/* ------------------------------------------------------------------------------------------------ the rest */

static long set_size(const struct request *request)
{
	struct abi_winsize size;
	int error = take(request, &size, sizeof size);

	if (!error)
		tty_resize(request->tty, &size);
	return error;
}

static long set_carrier(const struct request *request)
{
	int32_t on;
	int error = take(request, &on, sizeof on);

	if (error)
		return error;
	request->tty->termios.cflag = (request->tty->termios.cflag & ~(uint32_t)CLOCAL) | (on ? CLOCAL : 0);
	return 0;
}

static long set_discipline(const struct request *request)
{
	int32_t number;
	int error = take(request, &number, sizeof number);

	return error ? error : number == 0 ? 0 : -EINVAL;
}

static long hang_up(const struct request *request)
{
	if (!request->admin)
		return -EPERM;
	tty_hangup(request->tty);
	return 0;
}

static long common_ioctl(const struct request *request, uint32_t command)
{
	struct tty *tty = request->tty;

	switch (command) {
	case TIOCGWINSZ:
		return give(request, &tty->size, sizeof tty->size);
	case TIOCSWINSZ:
		return set_size(request);
	case TIOCEXCL:
	case TIOCNXCL:
		tty->exclusive = command == TIOCEXCL;
		return 0;
	case TIOCGEXCL:
		return give_int(request, tty->exclusive);
	case TIOCGETD:
		return give_int(request, 0);
	case TIOCSETD:
		return set_discipline(request);
	case TIOCGDEV:
		return give_int(request, (int32_t)tty_device(tty));
	case TIOCGSOFTCAR:
		return give_int(request, !!(tty->termios.cflag & CLOCAL));
	case TIOCSSOFTCAR:
		return set_carrier(request);
	case TIOCVHANGUP:
		return hang_up(request);
	case TIOCGPTPEER:
		return request->master ? pty_peer_open(request->file, (uint32_t)request->argument) : -EIO;
	default:
		return -ENOTTY;
	}
}

static long set_packet(const struct request *request)
{
	struct tty *tty = request->tty;
	int32_t on;
	int error = take(request, &on, sizeof on);

	if (error)
		return error;
	if (on && !tty->packet)
		tty->packet_status = 0;
	tty->packet = on;
	return 0;
}

static long set_lock(const struct request *request)
{
	int32_t on;
	int error = take(request, &on, sizeof on);

	if (!error)
		request->tty->locked = on;
	return error;
}

static long master_ioctl(const struct request *request, uint32_t command)
{
	const struct tty *tty = request->tty;

	switch (command) {
	case TIOCPKT:
		return set_packet(request);
	case TIOCGPKT:
		return give_int(request, tty->packet);
	case TIOCGPTN:
		return give_int(request, (int32_t)tty->index);
	case TIOCSPTLCK:
		return set_lock(request);
	case TIOCGPTLCK:
		return give_int(request, tty->locked);
	case TIOCSIG:
		if (request->argument < 1 || request->argument > LAST_SIGNAL)
			return -EINVAL;
		if (tty->pgid)
			hook_signal_group(tty->pgid, (int)request->argument);
		return 0;
	default:
		return -ENOTTY;
	}
}

long tty_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	static long (*const families[])(const struct request *request, uint32_t command) = {settings_ioctl, job_ioctl,
											    queue_ioctl, common_ioctl};
	struct request request = {
		.file = file,
		.tty = file->data,
		.user = user,
		.argument = argument,
		.master = file->kind == FILE_PTY_MASTER,
	};
	long result = -ENOTTY;
	struct cred *cred;
	int32_t pid;

	if (!request.master && pty_hung_up(file))
		return command == TIOCSPGRP ? -ENOTTY : -EIO;
	(void)!hook_job(&request.job);
	request.admin = hook_caller(&pid, &cred) && cred_capable(cred, CAP_SYS_ADMIN);
	for (unsigned i = 0; i < COUNT(families) && result == -ENOTTY; i++)
		result = families[i](&request, command);
	if (result == -ENOTTY && request.master)
		result = master_ioctl(&request, command);
	return result;
}

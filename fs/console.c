/* console.c - carries bytes between the person's terminal and a terminal of the sandbox.
 *
 *     host input  --carry_in-->  master | slave  -- the program
 *     host output <--carry_out-- master | slave  <- the program
 *
 * The command line has put the person's terminal into raw mode, so keys reach our line discipline as they are typed,
 * and job control, signals and echo are the sandbox's own. Each direction is a fiber. The console keeps a file of the
 * slave open itself: programs come and go without the master being told that nobody is there.
 *
 * An input that is no terminal (usbx run -t in a pipeline) ends with the end-of-file key. When the host's terminal goes
 * away, the sandbox's is hung up.
 *
 * Limits: one console; at the end DRAIN_NS for a host that does not take what was written.
 */
#include "fs/console.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/hooks.h"
#include "fs/namei.h"
#include "fs/output.h"
#include "fs/tty_impl.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/hostio.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define CARRY_BYTES 4096
#define DRAIN_NS    (5 * NS_PER_S)

/* Not in the arena: a restored sandbox gets a console of its own. */
static struct {
	struct file *master, *slave; /* counted; NULL: there is no console */
	uint32_t input, output;
	bool terminal; /* input is one */
	bool busy;     /* bytes are on their way to the host */
	struct waitq idle;
} console;

bool console_active(void)
{
	return console.master;
}

static struct tty *tty(void)
{
	return tty_of_file(console.master);
}

/* ------------------------------------------------------------------------------------------------ carrying */

static void put_in(char *bytes, size_t n)
{
	struct uio uio;

	uio_init_kernel(&uio, bytes, n);
	(void)!file_write(console.master, &uio, &console.master->pos); /* waits until all is taken */
}

static void carry_in(void *unused)
{
	static char bytes[CARRY_BYTES];
	ssize_t n;

	(void)unused;
	do {
		n = hostio_read(console.input, bytes, sizeof bytes, -1);
		if (n > 0)
			put_in(bytes, (size_t)n);
	} while (n > 0 || n == -EINTR || n == -EAGAIN);
	if (console.terminal) {
		tty_hangup(tty());
	} else {
		bytes[0] = (char)tty()->termios.cc[ABI_VEOF];
		if (tty()->termios.lflag & ICANON)
			put_in(bytes, 1);
	}
}

static bool put_out(const char *bytes, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t put = console.output == HOSTFILE_NONE
				      ? (ssize_t)n
				      : hostio_write(console.output, bytes + done, n - done, -1);
		if (put < 0 && put != -EINTR && put != -EAGAIN)
			return false;
		done += put > 0 ? (size_t)put : 0;
	}
	return true;
}

static void carry_out(void *unused)
{
	static char bytes[CARRY_BYTES];
	bool alive = true;

	(void)unused;
	for (;;) {
		struct uio uio;
		uio_init_kernel(&uio, bytes, sizeof bytes);
		ssize_t n = file_read(console.master, &uio, &console.master->pos);
		if (n < 0)
			return;
		console.busy = true;
		if (alive && !put_out(bytes, output_take((size_t)n))) {
			alive = false; /* from here on it is thrown away: nobody waits for a reader that is gone */
			tty_hangup(tty());
		}
		console.busy = false;
		waitq_wake(&console.idle, 0);
	}
}

void console_drain(void)
{
	uint64_t deadline_ns = clock_now_ns() + DRAIN_NS;

	if (console_active())
		(void)!WAIT_EVENT(&console.idle, !console.busy && !ring_used(&tty()->output), deadline_ns);
}

/* ------------------------------------------------------------------------------------------------ making it */

void console_resize(void)
{
	struct abi_winsize size;
	uint32_t host_file = console.terminal ? console.input : console.output;

	if (host_file != HOSTFILE_NONE && !host_ioctl(hostfile_fd(host_file), TIOCGWINSZ, &size))
		tty_resize(tty(), &size);
}

static void copy_settings(const struct abi_termios *settings)
{
	struct abi_termios2 fresh = tty()->termios;

	fresh.iflag = settings->iflag;
	fresh.oflag = settings->oflag;
	fresh.lflag = settings->lflag;
	memcpy(fresh.cc, settings->cc, sizeof fresh.cc);
	tty_termios_set(tty(), &fresh);
}

/* A file of the master without a name: nobody but us has it. */
static int open_ends(struct cred *cred)
{
	struct superblock *sb = devpts_default();
	struct tty *made;

	if (!sb)
		return -ENODEV;
	console.master = file_new(FILE_PTY_MASTER, O_RDWR, sb->root, NULL, cred);
	if (!console.master)
		return -ENOMEM;
	int error = devpts_add(sb, cred, &made);
	if (!error) {
		console.master->data = made;
		made->locked = false;
		error = console_open(cred, &console.slave);
	}
	if (error) {
		file_put(console.master);
		console.master = NULL;
	}
	return error;
}

int console_start(const struct console_config *config, struct cred *cred)
{
	struct fiber *fiber;

	assert(!console_active());
	waitq_init(&console.idle);
	console.input = config->input;
	console.output = config->output;
	console.terminal = config->settings;
	int error = open_ends(cred);
	if (error)
		return error;
	if (config->settings)
		copy_settings(config->settings);
	console_resize();
	error = fiber_new(carry_out, NULL, &fiber);
	if (!error && config->input != HOSTFILE_NONE)
		error = fiber_new(carry_in, NULL, &fiber);
	return error;
}

int console_open(struct cred *cred, struct file **out)
{
	const struct path nowhere = {0};
	struct path place;
	int error = devpts_place(tty(), &nowhere, &place);

	if (error)
		return error;
	error = pty_slave_open(tty(), place.dentry->inode, &place, O_RDWR | O_NOCTTY, cred, out);
	path_put(&place);
	return error;
}

void console_control(int32_t sid)
{
	const struct fs_job job = {.sid = sid, .pgid = sid};

	tty_control(tty(), &job);
}

/* terminal.c - the person's terminal while a sandbox has it.
 *
 * Where standard input and output are terminals, and we are in the foreground, the command gets a terminal of its own
 * (fs/console.c) and ours is put into raw mode, so that every key reaches the sandbox as it was typed: Ctrl-C is a
 * byte to us. This process outlives the sentry whatever happens to that, and puts the settings back.
 *
 * Only what was a terminal is replaced: a pipe stays a pipe. With -t all three are the terminal. In the background, or
 * where only one end is a terminal (usbx run ... | less), the terminal is somebody else's to set: it passes through
 * as it is, as with -T.
 *
 * Limits: SIGKILL of this process itself leaves the terminal raw: reset(1).
 */
#include "runtime/terminal.h"

#include "runtime/fail.h"
#include "runtime/options.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct {
	bool mine;        /* standard input is ours to set */
	bool taken;       /* it is in raw mode */
	bool keep_output; /* our own messages go there too: lines must begin at the left */
	pid_t owner;
	struct abi_termios settings;
} terminal;

static bool in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void restore_at_exit(void)
{
	if (getpid() == terminal.owner)
		terminal_restore();
}

void terminal_plan(struct sandbox *sandbox)
{
	const struct options *options = sandbox->options;
	bool is_terminal[3];

	for (int fd = 0; fd < 3; fd++)
		is_terminal[fd] = sandbox->stdio_open[fd] && isatty(fd);
	sandbox->console_output = -1;
	if (options->tty == TTY_NEVER)
		return;
	if (options->tty == TTY_AUTO && !(is_terminal[0] && is_terminal[1] && in_foreground()))
		return;
	for (int fd = 0; fd < 3; fd++)
		if (is_terminal[fd] || options->tty == TTY_FORCE)
			sandbox->console_fds |= 1u << fd;
	for (int fd = 2; fd >= 0; fd--)
		if (fd && sandbox->stdio_open[fd])
			sandbox->console_output = fd;
	if (!is_terminal[0] || ioctl(STDIN_FILENO, TCGETS, &terminal.settings))
		return;
	sandbox->has_settings = true;
	sandbox->settings = terminal.settings;
	terminal.mine = true;
	terminal.owner = getpid();
	terminal.keep_output =
		options->debug.log || options->stats || options->diff || (options->strace && !options->strace_path);
	atexit(restore_at_exit);
}

void terminal_raw(void)
{
	struct abi_termios raw = terminal.settings;

	if (!terminal.mine || !in_foreground())
		return;
	raw.iflag &= ~(uint32_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
	raw.lflag &= ~(uint32_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.cflag = (raw.cflag & ~(uint32_t)(CSIZE | PARENB)) | CS8;
	if (!terminal.keep_output)
		raw.oflag &= ~(uint32_t)OPOST;
	raw.cc[ABI_VMIN] = 1;
	raw.cc[ABI_VTIME] = 0;
	if (!ioctl(STDIN_FILENO, TCSETSW, &raw))
		terminal.taken = true;
}

void terminal_restore(void)
{
	if (!terminal.taken)
		return;
	terminal.taken = false;
	(void)!ioctl(STDIN_FILENO, TCSETSW, &terminal.settings);
}

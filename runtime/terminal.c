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
 * SIGKILL of this process itself leaves the work to a guardian: a child in a session of its own, which holds nothing
 * but the terminal and waits for our death. It touches only settings that are still the ones that we made, so that it
 * never takes the terminal from a shell that was quicker.
 *
 * Limits: while we are stopped by SIGSTOP, which nobody can catch, the terminal stays raw; what kills the guardian as
 * well (kill -9 of everything) leaves it so: reset(1).
 */
#include "runtime/terminal.h"

#include "runtime/fail.h"
#include "runtime/options.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static struct {
	bool mine;        /* standard input is ours to set */
	bool keep_output; /* our own messages go there too: lines must begin at the left */
	pid_t owner, guardian;
	struct abi_termios settings, raw;
	bool *taken; /* it is in raw mode; shared with the guardian */
} terminal;

static bool in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* The guardian's life. pidfd is its parent's. */
no_return static void guard(int pidfd)
{
	struct pollfd death = {.fd = pidfd, .events = POLLIN};
	struct abi_termios now;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "usbx-terminal");
	for (int fd = 1; fd < pidfd; fd++)
		close(fd); /* nobody waits for the end of a pipe because of us */
	syscall(SYS_close_range, pidfd + 1, ~0u, 0);
	while (poll(&death, 1, -1) < 0 && errno == EINTR)
		continue;
	if (*terminal.taken && !ioctl(STDIN_FILENO, TCGETS, &now) && !memcmp(&now, &terminal.raw, sizeof now))
		(void)!ioctl(STDIN_FILENO, TCSETS, &terminal.settings);
	_exit(0);
}

/* Without one we get by: only SIGKILL would leave the terminal raw. */
static void start_guardian(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (pidfd < 0)
		return;
	terminal.guardian = fork();
	if (!terminal.guardian)
		guard(pidfd);
	close(pidfd);
}

static void restore_at_exit(void)
{
	if (getpid() != terminal.owner)
		return;
	terminal_restore();
	if (terminal.guardian > 0) {
		kill(terminal.guardian, SIGKILL);
		while (waitpid(terminal.guardian, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
}

/* Every key as it was typed; what is shown, too, unless we speak as well. */
static struct abi_termios raw_of(struct abi_termios settings)
{
	settings.iflag &= ~(uint32_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
	settings.lflag &= ~(uint32_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	settings.cflag = (settings.cflag & ~(uint32_t)(CSIZE | PARENB)) | CS8;
	if (!terminal.keep_output)
		settings.oflag &= ~(uint32_t)OPOST;
	settings.cc[ABI_VMIN] = 1;
	settings.cc[ABI_VTIME] = 0;
	return settings;
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
	terminal.taken = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (terminal.taken == MAP_FAILED)
		fail("no memory");
	terminal.mine = true;
	terminal.owner = getpid();
	terminal.keep_output = options->debug.log || options->stats || options->diff || options->crash_report ||
			       (options->strace && !options->strace_path);
	terminal.raw = raw_of(terminal.settings);
	start_guardian();
	atexit(restore_at_exit);
}

void terminal_raw(void)
{
	if (!terminal.mine || !in_foreground())
		return;
	*terminal.taken = true; /* before it is so: the guardian looks at the settings as well */
	if (ioctl(STDIN_FILENO, TCSETSW, &terminal.raw))
		*terminal.taken = false;
}

void terminal_restore(void)
{
	if (!terminal.mine || !*terminal.taken)
		return;
	(void)!ioctl(STDIN_FILENO, TCSETSW, &terminal.settings);
	*terminal.taken = false;
}

/* The window's size, and the signal when it changes. */
#include "tty.h"

static volatile sig_atomic_t count;

static void note(int sig)
{
	(void)sig;
	count++;
}

static void set(int fd, int rows, int columns)
{
	struct winsize size = {.ws_row = rows, .ws_col = columns, .ws_xpixel = 7, .ws_ypixel = 8};
	MUST(ioctl(fd, TIOCSWINSZ, &size));
	nap_ms(5);
	memset(&size, 0, sizeof size);
	MUST(ioctl(slave, TIOCGWINSZ, &size));
	say("%d x %d (%d x %d), signals: %d\n", size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel, count);
	count = 0;
}

int main(void)
{
	struct winsize size = {1, 1, 1, 1};
	open_pair();
	SHOW(ioctl(slave, TIOCGWINSZ, &size));
	say("%d x %d\n", size.ws_row, size.ws_col);
	set(slave, 24, 80);
	pid_t pid = fork_leader();
	if (!pid) {
		handle(SIGWINCH, note, 0);
		set(slave, 25, 80);
		set(slave, 25, 80);
		set(master, 50, 132);
		MUST(ioctl(master, TIOCGWINSZ, &size));
		say("%d x %d\n", size.ws_row, size.ws_col);
		pid_t child = fork_child();
		if (!child) {
			setpgid(0, 0);
			struct winsize other = {1, 2, 3, 4};
			MUST(ioctl(slave, TIOCSWINSZ, &other));
			_exit(0);
		}
		waitpid(child, NULL, 0);
		nap_ms(5);
		say("signals: %d\n", count);
		SHOW(ioctl(slave, TIOCSWINSZ, NULL));
		SHOW(ioctl(slave, TIOCGWINSZ, NULL));
		_exit(0);
	}
	reap("leader", pid);
	SHOW(ioctl(MUST(open("/dev/null", O_RDWR)), TIOCGWINSZ, &size));
	return 0;
}

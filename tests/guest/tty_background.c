/* What the background may do: SIGTTIN, SIGTTOU, TOSTOP, ignored, blocked, orphaned. */
#include "tty.h"

static void do_read(void)
{
	char bytes[16];
	SHOW(read(slave, bytes, sizeof bytes));
}

static void do_write(void)
{
	SHOW(write(slave, "w", 1));
}

static void do_set(void)
{
	struct termios now;
	SHOW(tcgetattr(slave, &now));
	SHOW(tcsetattr(slave, TCSANOW, &now));
}

static void do_flush(void)
{
	SHOW(tcflush(slave, TCIFLUSH));
}

static void do_foreground(void)
{
	SHOW(tcsetpgrp(slave, getpgrp()));
	SHOW(tcsetpgrp(slave, getppid()));
}

static void do_size(void)
{
	struct winsize size = {0};
	SHOW(ioctl(slave, TIOCSWINSZ, &size));
}

static void do_master(void)
{
	struct termios now;
	tcgetattr(master, &now);
	SHOW(tcsetattr(master, TCSANOW, &now));
}

/* In a background group of its own; where it stops it is continued in the foreground. */
static void background(const char *name, void (*action)(void), int ignored, int blocked)
{
	section(name);
	pid_t pid = fork_child();
	if (!pid) {
		setpgid(0, 0);
		handle(SIGTTOU, SIG_DFL, 0);
		if (ignored)
			signal(ignored, SIG_IGN);
		if (blocked)
			block(blocked);
		action();
		_exit(0);
	}
	setpgid(pid, pid);
	int status;
	MUST(waitpid(pid, &status, WUNTRACED));
	show_status(name, status);
	if (!WIFSTOPPED(status)) {
		tcsetpgrp(slave, getpgrp());
		return;
	}
	tcsetpgrp(slave, pid);
	type("line\n");
	kill(pid, SIGCONT);
	reap(name, pid);
	tcsetpgrp(slave, getpgrp());
	tcflush(slave, TCIFLUSH);
}

static void orphans(void)
{
	int ends[2];
	section("orphaned");
	MUST(pipe(ends));
	pid_t middle = fork_child();
	if (!middle) {
		pid_t parent = getpid();
		if (!fork()) {
			setpgid(0, 0);
			close(ends[0]);
			while (getppid() == parent)
				nap_ms(1);
			nap_ms(20);
			handle(SIGTTOU, SIG_DFL, 0);
			do_read();
			do_set();
			do_foreground();
			_exit(0);
		}
		nap_ms(20);
		_exit(0);
	}
	close(ends[1]);
	waitpid(middle, NULL, 0);
	await(ends[0]);
}

static void leader(void)
{
	signal(SIGTTOU, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	pid_t shell = fork_child();
	if (!shell) {
		/* The leader is the parent in another group: nobody here is orphaned. */
		setpgid(0, 0);
		tcsetpgrp(slave, getpgrp());
		background("read", do_read, 0, 0);
		background("read, ignored", do_read, SIGTTIN, 0);
		background("read, blocked", do_read, 0, SIGTTIN);
		background("write", do_write, 0, 0);
		background("settings", do_set, 0, 0);
		background("settings, ignored", do_set, SIGTTOU, 0);
		background("settings, blocked", do_set, 0, SIGTTOU);
		background("flush", do_flush, 0, 0);
		background("foreground", do_foreground, 0, 0);
		background("foreground, ignored", do_foreground, SIGTTOU, 0);
		background("size", do_size, 0, 0);
		background("through the master", do_master, 0, 0);
		LOCAL(TOSTOP, 0);
		background("write with TOSTOP", do_write, 0, 0);
		background("write with TOSTOP, ignored", do_write, SIGTTOU, 0);
		LOCAL(0, TOSTOP);
		orphans();
		_exit(0);
	}
	reap("shell", shell);
}

int main(void)
{
	open_pair();
	LOCAL(0, ECHO);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t pid = fork_leader();
	if (!pid) {
		leader();
		_exit(0);
	}
	reap("leader", pid);
	return 0;
}

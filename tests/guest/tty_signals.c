/* The keys that send signals, and what they flush. */
#include "tty.h"

static volatile sig_atomic_t last;

static void note(int sig)
{
	last = sig;
}

static void shown(const char *what)
{
	settle();
	for (int i = 0; i < 100 && !last; i++)
		nap_ms(2);
	say("%s: %s\n", what, last ? signal_name(last) : "no signal");
	last = 0;
}

static void leader(void)
{
	handle(SIGINT, note, 0);
	handle(SIGQUIT, note, 0);
	handle(SIGTSTP, note, 0);
	type("abc\x03");
	shown("intr");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("def\n\x1c");
	shown("quit");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("\x1aghi\n");
	shown("susp");
	SHOW_SLAVE();
	SHOW_MASTER();

	section("NOFLSH");
	LOCAL(NOFLSH, 0);
	type("abc\x03"
	     "def\n");
	shown("intr");
	SHOW_SLAVE();
	SHOW_MASTER();
	LOCAL(0, NOFLSH);

	section("literally");
	type("\x16\x03\n");
	shown("intr");
	SHOW_SLAVE();
	SHOW_MASTER();

	section("without ISIG");
	LOCAL(0, ISIG);
	type("\x03\x1c\x1a\n");
	shown("all three");
	SHOW_SLAVE();
	SHOW_MASTER();
	LOCAL(ISIG, 0);

	section("raw mode, another key");
	LOCAL(0, ICANON | ECHO);
	set_key(VINTR, 'x');
	type("abx");
	shown("x");
	SHOW_SLAVE();
	type("\x03");
	shown("ctrl-c");
	SHOW_SLAVE();

	section("a read is interrupted");
	alarm(10);
	pid_t typist = fork_child();
	if (!typist) {
		nap_ms(60);
		MUST(write(master, "x", 1));
		_exit(0);
	}
	char byte;
	SHOW(read(slave, &byte, 1));
	shown("x");
	waitpid(typist, NULL, 0);
	SHOW(ioctl(master, TIOCSIG, SIGQUIT));
	shown("TIOCSIG");
	SHOW(ioctl(master, TIOCSIG, 0));
	SHOW(ioctl(master, TIOCSIG, 65));
	SHOW(ioctl(slave, TIOCSIG, SIGQUIT));
}

int main(void)
{
	open_pair();
	section("nobody's terminal");
	type("a\x03"
	     "b\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	section("the foreground");
	pid_t pid = fork_leader();
	if (!pid) {
		leader();
		_exit(0);
	}
	reap("leader", pid);
	return 0;
}

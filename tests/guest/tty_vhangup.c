/* vhangup: the caller's terminal is cut off from everybody who has it open, and may be opened anew. */
#include "tty.h"

static void user(void)
{
	become_user(1000);
	SHOW(syscall(SYS_vhangup));
}

static void without(void)
{
	setsid();
	SHOW(syscall(SYS_vhangup));
}

int main(void)
{
	char byte;
	in_child("user", user);
	in_child("without a terminal", without);
	open_pair();
	pid_t pid = fork_leader();
	if (!pid) {
		signal(SIGHUP, SIG_IGN);
		LOCAL(0, ECHO);
		SHOW(syscall(SYS_vhangup));
		SHOW(read(slave, &byte, 1));
		SHOW(write(slave, "x", 1));
		SHOW(open("/dev/tty", O_RDWR));
		close(slave);
		slave = open(ptsname(master), O_RDWR);
		CHECK(slave >= 0);
		CHECK(tcgetsid(slave) == getpid());
		_exit(0);
	}
	reap("leader", pid);
	SHOW(read(slave, &byte, 1));
	close(slave);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
	type("again\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	return 0;
}

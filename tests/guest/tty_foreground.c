/* The foreground process group: who may set it to what. */
#include "tty.h"

static pid_t sleeper(void)
{
	pid_t pid = fork_child();
	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

static void leader(void)
{
	pid_t group = -1;
	CHECK(tcgetpgrp(slave) == getpid());
	SHOW(ioctl(master, TIOCGPGRP, &group));
	CHECK(group == getpid());
	pid_t child = sleeper(), other = sleeper();
	setpgid(child, child);
	SHOW(tcsetpgrp(slave, child));
	CHECK(tcgetpgrp(slave) == child);
	signal(SIGTTOU, SIG_IGN);
	SHOW(tcsetpgrp(slave, other));
	SHOW(tcsetpgrp(slave, 1 << 22));
	SHOW(tcsetpgrp(slave, -1));
	SHOW(tcsetpgrp(slave, 0));
	SHOW(tcsetpgrp(slave, getppid()));
	SHOW(ioctl(slave, TIOCSPGRP, NULL));
	SHOW(tcsetpgrp(slave, getpid()));
	SHOW(tcsetpgrp(master, getpid()));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	SHOW(tcsetpgrp(slave, child));

	section("somebody else's");
	int stranger = slave, stranger_master = master;
	open_pair();
	SHOW(tcgetpgrp(slave));
	SHOW(tcsetpgrp(slave, getpid()));
	SHOW(ioctl(master, TIOCGPGRP, &group));
	SHOW(group);
	SHOW(ioctl(master, TIOCGSID, &group));
	close_pair();
	slave = stranger;
	master = stranger_master;
	SHOW(tcgetpgrp(STDOUT_FILENO));

	section("the foreground is gone");
	child = sleeper();
	setpgid(child, child);
	SHOW(tcsetpgrp(slave, child));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK(tcgetpgrp(slave) == child);
	type("nobody\x03 reads\n");
	signal(SIGTTIN, SIG_IGN);
	SHOW_SLAVE();
	SHOW(tcsetpgrp(slave, getpid()));
	SHOW_SLAVE();
	kill(other, SIGKILL);
}

int main(void)
{
	open_pair();
	pid_t pid = fork_leader();
	if (!pid) {
		leader();
		_exit(0);
	}
	reap("leader", pid);
	return 0;
}

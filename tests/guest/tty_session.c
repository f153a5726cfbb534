/* Controlling terminals: who gets one, who may have it, how it is given up. */
#include "tty.h"

static void no_leader(void)
{
	SHOW(ioctl(slave, TIOCSCTTY, 0));
	SHOW(ioctl(slave, TIOCGSID, &(pid_t){0}));
	SHOW(tcgetsid(slave));
}

static void by_open(void)
{
	MUST(setsid());
	SHOW(open("/dev/tty", O_RDWR));
	int fd = open(ptsname(master), O_RDWR | O_NOCTTY);
	SHOW(open("/dev/tty", O_RDWR));
	close(fd);
	fd = open(ptsname(master), O_WRONLY);
	SHOW(open("/dev/tty", O_RDWR));
	close(fd);
	fd = open(ptsname(master), O_RDWR);
	CHECK(tcgetsid(fd) == getpid());
	CHECK(tcgetpgrp(fd) == getpid());
	int tty = open("/dev/tty", O_RDWR);
	CHECK(tty >= 0);
	CHECK(isatty(tty));
	struct stat a, b;
	fstat(tty, &a);
	fstat(fd, &b);
	CHECK(a.st_rdev == 0x500 && b.st_rdev != a.st_rdev);
	unsigned dev = 0;
	SHOW(ioctl(tty, TIOCGDEV, &dev));
	CHECK(dev == b.st_rdev);
	CHECK(tcgetsid(tty) == getpid());
	MUST(write(tty, "through /dev/tty", 16));
	SHOW_MASTER();
	CHECK(!strcmp(ttyname(tty), "/dev/tty"));
}

static void by_ioctl(void)
{
	SHOW(ioctl(slave, TIOCGPGRP, &(pid_t){0}));
	SHOW(setsid() == getpid());
	SHOW(ioctl(slave, TIOCSCTTY, 0));
	SHOW(ioctl(slave, TIOCSCTTY, 0));
	CHECK(tcgetsid(slave) == getpid());
	CHECK(tcgetsid(master) == getpid());
	pid_t child = fork_child();
	if (!child) {
		CHECK(tcgetsid(slave) == getppid());
		SHOW(ioctl(slave, TIOCSCTTY, 0));
		SHOW(ioctl(slave, TIOCNOTTY));
		SHOW(open("/dev/tty", O_RDWR));
		SHOW(tcgetsid(slave));
		SHOW(ioctl(slave, TIOCNOTTY));
		_exit(0);
	}
	reap("child", child);
	CHECK(tcgetsid(slave) == getpid());

	section("two at once");
	int first = slave, first_master = master;
	open_pair();
	SHOW(ioctl(slave, TIOCSCTTY, 0));
	SHOW(ioctl(slave, TIOCNOTTY));
	SHOW(tcgetsid(slave));
	close_pair();
	slave = first;
	master = first_master;
	signal(SIGHUP, SIG_IGN);
	SHOW(ioctl(slave, TIOCNOTTY));
	SHOW(open("/dev/tty", O_RDWR));
	SHOW(ioctl(slave, TIOCSCTTY, 0));

	section("stealing");
	child = fork_child();
	if (!child) {
		setsid();
		SHOW(ioctl(slave, TIOCSCTTY, 0));
		SHOW(ioctl(slave, TIOCSCTTY, 1));
		CHECK(tcgetsid(slave) == getpid());
		_exit(0);
	}
	reap("thief", child);
	SHOW(open("/dev/tty", O_RDWR));
	SHOW(tcgetsid(slave));
	child = fork_child();
	if (!child) {
		setsid();
		become_user(1000);
		SHOW(ioctl(slave, TIOCSCTTY, 1));
		CHECK(tcgetsid(slave) == getpid());
		int writer = open(ptsname(master), O_WRONLY);
		say("%s\n", writer < 0 ? error_name(errno) : "opened");
		_exit(0);
	}
	reap("user", child);
	SHOW(tcgetsid(slave));
	SHOW(tcgetsid(master));
}

int main(void)
{
	open_pair();
	in_child("no leader", no_leader);
	section("by open");
	in_child("by open", by_open);
	section("by ioctl");
	in_child("by ioctl", by_ioctl);
	section("through the master");
	pid_t pid = fork_child();
	if (!pid) {
		setsid();
		SHOW(ioctl(master, TIOCSCTTY, 0));
		CHECK(tcgetsid(slave) == getpid());
		SHOW(setsid());
		_exit(0);
	}
	reap("by master", pid);
	return 0;
}

/* The smaller requests: exclusive use, simulated input, disciplines, what other files say to all of them. */
#include "tty.h"

static void user(void)
{
	become_user(1000);
	SHOW(open(ptsname(master), O_RDWR | O_NOCTTY));
	SHOW(ioctl(slave, TIOCVHANGUP));
}

static void no_terminal(void)
{
	section("what is no terminal");
	int pipes[2], null = MUST(open("/dev/null", O_RDWR));
	struct termios now;
	MUST(pipe(pipes));
	SHOW(tcgetattr(pipes[0], &now));
	SHOW(tcgetattr(null, &now));
	SHOW(tcgetpgrp(pipes[0]));
	SHOW(ioctl(null, TIOCSCTTY, 0));
	SHOW(ioctl(pipes[1], TIOCNOTTY));
	SHOW(tcflush(null, TCIFLUSH));
	SHOW(isatty(-1));
}

int main(void)
{
	int value = -1;
	open_pair();
	SHOW(ioctl(slave, TIOCGEXCL, &value));
	SHOW(value);
	SHOW(ioctl(slave, TIOCEXCL));
	SHOW(ioctl(slave, TIOCGEXCL, &value));
	SHOW(value);
	MUST(chmod(ptsname(master), 0666));
	in_child("user", user);
	int again = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(again >= 0);
	SHOW(ioctl(slave, TIOCNXCL));

	section("disciplines");
	SHOW(ioctl(slave, TIOCGETD, &value));
	SHOW(value);
	value = 0;
	SHOW(ioctl(slave, TIOCSETD, &value));
	value = 1000;
	SHOW(ioctl(slave, TIOCSETD, &value));

	section("modem lines");
	SHOW(ioctl(slave, TIOCMGET, &value));
	value = 0;
	SHOW(ioctl(slave, TIOCMSET, &value));
	SHOW(ioctl(slave, TIOCGSOFTCAR, &value));
	SHOW(value);
	value = 1;
	SHOW(ioctl(slave, TIOCSSOFTCAR, &value));
	SHOW(ioctl(slave, TIOCGSOFTCAR, &value));
	SHOW(value);
	SHOW(ioctl(slave, TIOCSBRK));
	SHOW(ioctl(slave, TIOCCBRK));
	SHOW(ioctl(slave, TIOCOUTQ, &value));
	SHOW(value);

	section("nonsense");
	SHOW(ioctl(slave, 0x5499, &value));
	SHOW(ioctl(master, 0x5499, &value));
	SHOW(ioctl(slave, TCGETS, NULL));
	SHOW(ioctl(slave, TCSETS, NULL));
	SHOW(ioctl(slave, FIONREAD, NULL));
	SHOW(ioctl(slave, TIOCGPGRP, NULL));

	section("vhangup by ioctl");
	SHOW(ioctl(slave, TIOCVHANGUP));
	char byte;
	SHOW(read(slave, &byte, 1));
	SHOW(write(slave, "x", 1));
	close(slave);
	close(again);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
	type("alive\n");
	SHOW_SLAVE();

	no_terminal();
	return 0;
}

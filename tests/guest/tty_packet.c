/* Packet mode: the master sees what happens on the slave. */
#include "tty.h"

int main(void)
{
	int on = 1, off = 0, value = -1;
	open_pair();
	SHOW(ioctl(slave, TIOCPKT, &on));
	SHOW(ioctl(master, TIOCGPKT, &value));
	SHOW(value);
	MUST(write(slave, "before", 6));
	SHOW(ioctl(master, TIOCPKT, &on));
	SHOW(ioctl(master, TIOCGPKT, &value));
	SHOW(value);
	SHOW_MASTER();
	MUST(write(slave, "data", 4));
	SHOW_MASTER();
	show_read("master", master, 1);

	section("flushes");
	tcflush(slave, TCIFLUSH);
	say("poll: %x\n", poll_events(master, POLLIN | POLLPRI, 0));
	show_read("master", master, 64);
	tcflush(slave, TCOFLUSH);
	show_read("master", master, 64);
	tcflush(slave, TCIOFLUSH);
	MUST(write(slave, "x", 1));
	show_read("master", master, 64);
	show_read("master", master, 64);

	section("flow control");
	type("\x13");
	show_read("master", master, 64);
	type("\x11");
	show_read("master", master, 64);
	tcflow(slave, TCOOFF);
	tcflow(slave, TCOON);
	show_read("master", master, 64);
	INPUT(0, IXON);
	show_read("master", master, 64);
	INPUT(IXON, 0);
	show_read("master", master, 64);
	set_key(VSTOP, 'x');
	show_read("master", master, 64);
	set_key(VSTOP, 023);
	show_read("master", master, 64);
	LOCAL(EXTPROC, 0);
	show_read("master", master, 64);
	type("a\x7f"
	     "b\r");
	show_read("slave", slave, 64);
	show_read("master", master, 64);
	LOCAL(0, EXTPROC);
	show_read("master", master, 64);

	section("off");
	SHOW(ioctl(master, TIOCPKT, &off));
	MUST(write(slave, "plain", 5));
	tcflush(slave, TCIFLUSH);
	show_read("master", master, 64);
	SHOW(ioctl(master, TIOCPKT, NULL));
	return 0;
}

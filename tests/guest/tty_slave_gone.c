/* What the master sees when nobody has the slave open. */
#include "tty.h"

int main(void)
{
	char bytes[16];
	master = MUST(posix_openpt(O_RDWR | O_NOCTTY));
	MUST(unlockpt(master));
	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	section("never opened");
	say("poll: %x\n", poll_events(master, POLLIN | POLLOUT, 0));
	SHOW(read(master, bytes, 1));
	SHOW(write(master, "early\n", 6));
	slave = MUST(open(ptsname(master), O_RDWR | O_NOCTTY));
	SHOW_SLAVE();

	section("closed");
	MUST(write(slave, "last words", 10));
	int second = dup(slave), third = MUST(open(ptsname(master), O_RDWR | O_NOCTTY));
	close(slave);
	close(second);
	say("poll: %x\n", poll_events(master, POLLIN | POLLOUT, 0));
	close(third);
	nap_ms(10);
	say("poll: %x\n", poll_events(master, POLLIN | POLLOUT, 0));
	SHOW(read(master, bytes, 5));
	say("poll: %x\n", poll_events(master, POLLIN | POLLOUT, 0));
	SHOW(read(master, bytes, 16) > 0);
	SHOW(read(master, bytes, 16) > 0 || errno == EIO);
	SHOW(read(master, bytes, 16));
	say("poll: %x\n", poll_events(master, POLLIN | POLLOUT, 0));
	SHOW(write(master, "kept\n", 5));
	struct termios now;
	SHOW(tcgetattr(master, &now));

	section("opened again");
	slave = MUST(open(ptsname(master), O_RDWR | O_NOCTTY));
	say("poll: %x\n", poll_events(master, POLLIN | POLLHUP, 0) & POLLHUP);
	SHOW_SLAVE();
	LOCAL(0, ECHO | ICANON);
	close(slave);
	slave = MUST(open(ptsname(master), O_RDWR | O_NOCTTY));
	MUST(tcgetattr(slave, &now));
	CHECK(!(now.c_lflag & (ECHO | ICANON)));

	section("a reader waits");
	fcntl(master, F_SETFL, O_RDWR);
	while (poll_events(master, POLLIN, 0) & POLLIN)
		MUST(read(master, bytes, sizeof bytes));
	pid_t pid = fork_child();
	if (!pid) {
		close(slave);
		SHOW(read(master, bytes, sizeof bytes));
		_exit(0);
	}
	nap_ms(30);
	close(slave);
	reap("reader", pid);
	return 0;
}

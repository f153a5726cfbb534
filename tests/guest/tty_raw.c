/* Non-canonical mode: VMIN and VTIME in all four combinations, and changes of mode with input pending. */
#include "tty.h"

static void minimum(int min, int time)
{
	set_key(VMIN, min);
	set_key(VTIME, time);
}

static void timed(const char *what, size_t size, long least_ms)
{
	char bytes[64];
	long long before = now_ns(CLOCK_MONOTONIC);
	ssize_t n = read(slave, bytes, size);
	long long ms = (now_ns(CLOCK_MONOTONIC) - before) / 1000000;
	say("%s: %zd, %s\n", what, n, ms >= least_ms - 15 ? "not early" : "early");
	if (n > 0)
		show_bytes("bytes", bytes, n);
}

static void type_later(const char *text, int pieces)
{
	if (fork_child())
		return;
	for (int i = 0; i < pieces; i++) {
		nap_ms(60);
		MUST(write(master, text, strlen(text)));
	}
	_exit(0);
}

static void modes(void)
{
	section("canonical to raw and back");
	type("one\ntwo");
	LOCAL(0, ICANON);
	int n;
	SHOW(ioctl(slave, FIONREAD, &n));
	SHOW(n);
	show_read("slave", slave, 2);
	LOCAL(ICANON, 0);
	SHOW(ioctl(slave, FIONREAD, &n));
	SHOW(n);
	type("more\n");
	SHOW_SLAVE();
	SHOW_SLAVE();
	SHOW_SLAVE();
	type("left");
	SHOW_SLAVE();
	LOCAL(0, ICANON);
	SHOW_SLAVE();
	LOCAL(ICANON, 0);
	SHOW_SLAVE();
}

int main(void)
{
	char bytes[16];
	open_pair();
	LOCAL(0, ECHO);
	modes();
	LOCAL(0, ICANON);

	section("MIN 1, TIME 0");
	minimum(1, 0);
	type("xyz");
	timed("three", 64, 0);
	type_later("a", 1);
	timed("later", 64, 60);
	wait(NULL);

	section("MIN 3, TIME 0");
	minimum(3, 0);
	type("ab");
	say("poll: %x\n", poll_events(slave, POLLIN, 0));
	type("c");
	say("poll: %x\n", poll_events(slave, POLLIN, 0));
	timed("all", 64, 0);
	type_later("d", 4);
	timed("three of them", 64, 180);
	wait(NULL);
	timed("asks for one", 1, 0);
	type("qw");
	timed("asks for two", 2, 0);

	section("MIN 0, TIME 2");
	minimum(0, 2);
	timed("nothing", 64, 200);
	type_later("e", 1);
	timed("one", 64, 60);
	wait(NULL);

	section("MIN 3, TIME 2");
	minimum(3, 2);
	type_later("f", 2);
	timed("two, then silence", 64, 320);
	wait(NULL);
	say("poll: %x\n", poll_events(slave, POLLIN, 0));

	section("MIN 0, TIME 0");
	minimum(0, 0);
	timed("nothing", 64, 0);
	type("gh");
	timed("two", 64, 0);

	section("O_NONBLOCK");
	fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
	SHOW(read(slave, bytes, 4));
	minimum(1, 0);
	SHOW(read(slave, bytes, 4));
	minimum(0, 2);
	SHOW(read(slave, bytes, 4));
	minimum(3, 0);
	type("a");
	SHOW(read(slave, bytes, 4));
	SHOW(read(slave, bytes, 0));
	return 0;
}

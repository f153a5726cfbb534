/* Output that is stopped and started: by keys, by tcflow(3), with IXANY; input that nobody reads. */
#include "tty.h"

static void put(const char *text)
{
	ssize_t n = write(slave, text, strlen(text));
	if (n < 0)
		say("write: %s\n", error_name(errno));
	else
		say("write: %zd\n", n);
}

static void full(void)
{
	static char much[200000];
	section("a full terminal");
	ssize_t n = 0;
	for (ssize_t more; (more = write(slave, much, sizeof much)) > 0; n += more)
		settle(); /* what moves on towards the master makes room once more */
	CHECK(n >= 4095 && n < (ssize_t)sizeof much);
	SHOW(write(slave, much, 1));
	say("writable: %x\n", poll_events(slave, POLLOUT, 0));
	char bytes[4096];
	ssize_t got, sum = 0;
	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	while (sum < n && (poll_events(master, POLLIN, 100) & POLLIN) && (got = read(master, bytes, sizeof bytes)) > 0)
		sum += got;
	CHECK(sum == n);
	say("writable: %x\n", poll_events(slave, POLLOUT, 100));
	SHOW(read(master, bytes, 1));

	section("a reader that does not");
	LOCAL(0, ICANON | ECHO);
	sum = 0;
	for (int i = 0; i < 50; i++) {
		got = write(master, much, 1000);
		sum += got > 0 ? got : 0;
		nap_ms(1);
	}
	CHECK(sum >= 4095 && sum < 50000);
	ssize_t all = sum;
	sum = 0;
	while (sum < all && (poll_events(slave, POLLIN, 100) & POLLIN) && (got = read(slave, bytes, sizeof bytes)) > 0)
		sum += got;
	CHECK(sum == all);
	say("writable: %x\n", poll_events(master, POLLOUT, 100));
}

int main(void)
{
	open_pair();
	fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);

	section("keys");
	type("\x13");
	say("writable: %x\n", poll_events(slave, POLLOUT, 0));
	put("held");
	type("typed\n");
	SHOW_MASTER();
	SHOW_SLAVE();
	type("\x11");
	say("writable: %x\n", poll_events(slave, POLLOUT, 100));
	put("free");
	SHOW_MASTER();

	section("IXANY");
	INPUT(IXANY, 0);
	type("\x13");
	put("held");
	type("a");
	put("free");
	SHOW_MASTER();
	INPUT(0, IXANY);
	type("\n");
	SHOW_SLAVE();
	SHOW_MASTER();

	section("a signal key starts it");
	type("\x13");
	put("held");
	type("\x03");
	put("free");
	SHOW_MASTER();

	section("without IXON");
	INPUT(0, IXON);
	type("\x13\n");
	put("free");
	SHOW_SLAVE();
	SHOW_MASTER();
	INPUT(IXON, 0);
	type("\x13");
	put("held");
	INPUT(0, IXON);
	put("free again");
	SHOW_MASTER();
	INPUT(IXON, 0);

	section("tcflow");
	SHOW(tcflow(slave, TCOOFF));
	put("held");
	type("\x11");
	put("held");
	SHOW(tcflow(slave, TCOON));
	put("free");
	SHOW_MASTER();
	SHOW(tcflow(slave, TCIOFF));
	SHOW_MASTER();
	SHOW(tcflow(slave, TCION));
	SHOW_MASTER();
	SHOW(tcflow(slave, 4));
	SHOW(tcflush(slave, 3));
	SHOW(tcsendbreak(slave, 0));
	SHOW(tcdrain(slave));

	full();
	return 0;
}

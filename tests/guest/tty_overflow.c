/* Lines that are too long, and more lines than there is room for. */
#include "tty.h"

static char much[20000];

static ssize_t drain(int fd)
{
	char bytes[8192];
	ssize_t sum = 0, n;
	while ((poll_events(fd, POLLIN, 50) & POLLIN) && (n = read(fd, bytes, sizeof bytes)) > 0)
		sum += n;
	return sum;
}

static void long_line(int length)
{
	char bytes[8192];
	memset(much, 'a', sizeof much);
	memcpy(much + length - 3, "xyz", 3);
	for (int done = 0; done < length; done += 1000) {
		type_bytes(much + done, length - done < 1000 ? length - done : 1000);
		drain(master);
	}
	say("poll: %x\n", poll_events(slave, POLLIN, 20));
	type("\n");
	ssize_t n = read(slave, bytes, sizeof bytes);
	say("%d typed, %zd read\n", length, n);
	if (n > 4)
		show_bytes("its end", bytes + n - 4, 4);
	drain(master);
}

int main(void)
{
	int n;
	open_pair();
	long_line(4000);
	long_line(4094);
	long_line(4095);
	long_line(4096);
	long_line(4100);
	long_line(9000);
	LOCAL(0, ECHO);
	section("many lines");
	for (int i = 0; i < 1000; i++)
		memcpy(much + 10 * i, "123456789\n", 10);
	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	ssize_t put = 0;
	for (int i = 0; i < 10; i++) {
		ssize_t step = write(master, much + put, 1000);
		put += step > 0 ? step : 0;
		settle();
	}
	CHECK(put >= 4090);
	SHOW(ioctl(slave, FIONREAD, &n));
	CHECK(n >= 4080 && n <= 4096);
	ssize_t got = drain(slave);
	CHECK(got == put / 10 * 10);
	section("a key in the middle of too much");
	memset(much, 'b', sizeof much);
	type_bytes(much, 3000);
	type_bytes(much, 3000);
	type("\x15kept\n");
	SHOW_SLAVE();
	return 0;
}

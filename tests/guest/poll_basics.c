/* poll: events, bad descriptors, timeouts, many files. */
#include "guest.h"
#include <poll.h>
#include <sys/resource.h>

static void *volatile nowhere = (void *)8;

int main(void)
{
	int ends[2];
	MUST(pipe(ends));
	make_file("file", "");
	int file = MUST(open("file", O_RDWR)), null = MUST(open("/dev/null", O_RDWR));
	struct pollfd fds[] = {{ends[0], POLLIN, 9},
			       {ends[1], POLLOUT, 9},
			       {-1, POLLIN, 9},
			       {9999, POLLIN, 9},
			       {file, POLLIN | POLLOUT | POLLPRI, 9},
			       {null, POLLIN | POLLOUT, 9},
			       {ends[0], 0, 9}};
	SHOW(poll(fds, COUNT(fds), 0));
	for (unsigned i = 0; i < COUNT(fds); i++)
		say("%u: %x\n", i, fds[i].revents);
	MUST(write(ends[1], "x", 1));
	SHOW(poll(fds, 1, -1));
	say("%x\n", fds[0].revents);
	fds[0].events = POLLIN | POLLRDNORM | POLLRDBAND | POLLPRI;
	SHOW(poll(fds, 1, -1));
	say("%x\n", fds[0].revents);
	fds[1].events = POLLOUT | POLLWRNORM | POLLWRBAND;
	SHOW(poll(fds + 1, 1, -1));
	say("%x\n", fds[1].revents);
	close(ends[1]);
	fds[0].events = 0;
	SHOW(poll(fds, 1, -1));
	say("%x\n", fds[0].revents);

	section("time");
	long long before = now_ns(CLOCK_MONOTONIC);
	SHOW(poll(NULL, 0, 40));
	CHECK(now_ns(CLOCK_MONOTONIC) - before >= 39000000);
	SHOW(poll(fds + 2, 1, 10));
	SHOW(poll(nowhere, 1, 0));
	struct rlimit limit = {20, 20};
	MUST(setrlimit(RLIMIT_NOFILE, &limit));
	static struct pollfd many[30];
	for (int i = 0; i < 30; i++)
		many[i].fd = -1;
	SHOW(poll(many, 20, 0));
	SHOW(poll(many, 21, 0));
	SHOW(syscall(SYS_poll, many, 1u << 31, 0));
	return 0;
}

/* SO_RCVTIMEO and SO_SNDTIMEO, on receive, send, accept and connect. */
#include "unix.h"
#include <sys/time.h>

static long long start;

static void begin(void)
{
	start = now_ns(CLOCK_MONOTONIC);
}

static void end(long ms)
{
	long long took = (now_ns(CLOCK_MONOTONIC) - start) / 1000000;
	say("%s\n", took >= ms - 10 ? "not early" : "early");
}

static void set(int fd, int option, long ms)
{
	struct timeval time = {ms / 1000, ms % 1000 * 1000};
	MUST(setsockopt(fd, SOL_SOCKET, option, &time, sizeof time));
}

static void alarmed(int sig)
{
	(void)sig;
}

int main(void)
{
	int pair[2];
	static char block_of[1 << 20];
	struct timeval time = {1, 2};
	socklen_t size = sizeof time;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	SHOW(getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, &size));
	say("%ld.%06ld\n", time.tv_sec, time.tv_usec);
	set(pair[0], SO_RCVTIMEO, 60);
	MUST(getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, &size));
	say("%ld.%06ld\n", time.tv_sec, time.tv_usec);
	begin();
	SHOW(recv(pair[0], block_of, 1, 0));
	end(60);
	begin();
	SHOW(read(pair[0], block_of, 1));
	end(60);
	set(pair[0], SO_SNDTIMEO, 60);
	begin();
	ssize_t n = send(pair[0], block_of, sizeof block_of, 0);
	CHECK(n > 0 && n < (ssize_t)sizeof block_of);
	end(60);
	begin();
	SHOW(send(pair[0], block_of, 1, 0));
	end(60);
	time = (struct timeval){0, 1000000};
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
	time = (struct timeval){-1, 0};
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, 4));
	time = (struct timeval){0, 0};
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));

	section("listening");
	int listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0)), client = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind_to(listener, "@slow"));
	MUST(listen(listener, 0));
	set(listener, SO_RCVTIMEO, 60);
	begin();
	SHOW(accept(listener, NULL, NULL));
	end(60);
	SHOW(connect_to(client, "@slow"));
	int second = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	set(second, SO_SNDTIMEO, 60);
	begin();
	SHOW(connect_to(second, "@slow"));
	end(60);
	fcntl(second, F_SETFL, O_NONBLOCK);
	SHOW(connect_to(second, "@slow"));

	section("signals: not restarted when there is a limit");
	handle(SIGALRM, alarmed, SA_RESTART);
	struct itimerval alarm_in = {.it_value.tv_usec = 30000};
	set(pair[1], SO_RCVTIMEO, 5000);
	while (recv(pair[1], block_of, sizeof block_of, MSG_DONTWAIT) > 0)
		;
	setitimer(ITIMER_REAL, &alarm_in, NULL);
	SHOW(recv(pair[1], block_of, 1, 0));
	return 0;
}

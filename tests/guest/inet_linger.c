/* SO_LINGER: who waits in close(2) for the peer to have everything, how long, and who does not. */
#include "inet.h"
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define LONG_S 60 /* nobody may need that long */

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A connection whose first end has more to send than the second, which reads nothing, has room for. */
static void stuffed(int ends[2], int seconds)
{
	static const char bytes[65536];
	struct linger linger = {.l_onoff = 1, .l_linger = seconds};

	connection4(ends);
	while (send(ends[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	MUST(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

/* Reads until the end. 0: it was much, and the end a proper one. */
static int drain_quietly(int fd)
{
	static char bytes[65536];
	ssize_t got, all = 0;

	while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0)
		all += got;
	close(fd);
	return got || all < 100000;
}

static void drain(int fd)
{
	say("what came: %s\n", drain_quietly(fd) ? "not all of it" : "all");
}

static void time_over(void)
{
	int ends[2];

	section("the time is over: what was sent still arrives");
	stuffed(ends, 1);
	double start = now();
	SHOW(close(ends[0]));
	double took = now() - start;
	CHECK(took >= 0.9 && took < LONG_S / 2.0);
	drain(ends[1]);

	section("dup2 over it");
	stuffed(ends, 1);
	start = now();
	CHECK(dup2(ends[1], ends[0]) == ends[0]);
	took = now() - start;
	CHECK(took >= 0.9 && took < LONG_S / 2.0);
	close(ends[0]);
	drain(ends[1]);

	section("close_range, and a socket that does not block");
	stuffed(ends, 1);
	MUST(fcntl(ends[0], F_SETFL, O_NONBLOCK));
	start = now();
	SHOW(close_range((unsigned)ends[0], (unsigned)ends[0], 0));
	took = now() - start;
	CHECK(took >= 0.9 && took < LONG_S / 2.0);
	drain(ends[1]);
}

static void read_in_time(void)
{
	int ends[2], closed[2], status;
	char byte;

	section("until the peer has read");
	stuffed(ends, LONG_S);
	MUST(pipe(closed));
	pid_t child = MUST(fork());
	if (!child) {
		close(ends[0]); /* not the last descriptor of it: nothing to wait for */
		close(closed[1]);
		usleep(200000);
		_exit(drain_quietly(ends[1]));
	}
	close(closed[1]);
	MUST(read(closed[0], &byte, 1)); /* the end: the child's other descriptor is closed, too */
	close(ends[1]);
	double start = now();
	SHOW(close(ends[0]));
	CHECK(now() - start < LONG_S / 2.0);
	MUST(waitpid(child, &status, 0));
	CHECK(!status);
	close(closed[0]);
}

static volatile sig_atomic_t rung;

static void ring(int number)
{
	rung += number == SIGALRM;
}

static void nobody_waits(void)
{
	int ends[2], closed[2], status;
	char byte;

	section("another descriptor of it");
	stuffed(ends, LONG_S);
	int copy = MUST(dup(ends[0]));
	double start = now();
	SHOW(close(copy));
	CHECK(now() - start < LONG_S / 2.0);

	section("a signal");
	struct itimerval soon = {.it_value = {.tv_usec = 200000}};
	MUST(sigaction(SIGALRM, &(struct sigaction){.sa_handler = ring}, NULL));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	start = now();
	SHOW(close(ends[0]));
	CHECK(now() - start < LONG_S / 2.0);
	say("signals: %d\n", (int)rung);
	drain(ends[1]);

	section("a process that ends");
	stuffed(ends, LONG_S);
	MUST(pipe(closed));
	pid_t child = MUST(fork());
	if (!child) {
		close(ends[1]);
		close(closed[1]);
		(void)!read(closed[0], &byte, 1); /* until the parent's descriptor is closed */
		_exit(7);
	}
	close(ends[0]);
	close(closed[0]);
	close(closed[1]);
	start = now();
	MUST(waitpid(child, &status, 0));
	CHECK(now() - start < LONG_S / 2.0 && WEXITSTATUS(status) == 7);
	drain(ends[1]);

	section("nothing is left to send, and unread bytes");
	connection4(ends);
	struct linger linger = {.l_onoff = 1, .l_linger = LONG_S};
	MUST(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
	MUST(send(ends[0], "last", 4, 0));
	start = now();
	SHOW(close(ends[0]));
	CHECK(now() - start < LONG_S / 2.0);
	close(ends[1]);
	stuffed(ends, LONG_S);
	MUST(send(ends[1], "unread", 6, 0));
	start = now();
	SHOW(close(ends[0]));
	CHECK(now() - start < LONG_S / 2.0);
	SHOW(option_of(ends[1], SOL_SOCKET, SO_ERROR));
	close(ends[1]);
}

int main(void)
{
	time_over();
	read_in_time();
	nobody_waits();
	return 0;
}

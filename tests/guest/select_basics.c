/* select and pselect: sets, limits, errors, the time that is left. */
#include "guest.h"
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

static int ends[2];

static void show_sets(const fd_set *in, const fd_set *out, const fd_set *special)
{
	say("in %d %d, out %d %d, special %d\n", !!FD_ISSET(ends[0], in), !!FD_ISSET(ends[1], in),
	    !!FD_ISSET(ends[0], out), !!FD_ISSET(ends[1], out), !!FD_ISSET(ends[0], special));
}

static void try(struct timeval *time)
{
	fd_set in, out, special;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&special);
	FD_SET(ends[0], &in);
	FD_SET(ends[1], &out);
	FD_SET(ends[0], &special);
	SHOW(select(ends[1] + 1, &in, &out, &special, time));
	show_sets(&in, &out, &special);
}

int main(void)
{
	struct timeval zero = {0, 0}, some = {0, 30000};
	fd_set in;
	MUST(pipe(ends));
	try(&zero);
	MUST(write(ends[1], "x", 1));
	try(&zero);
	try(NULL);
	close(ends[1]);
	char byte;
	MUST(read(ends[0], &byte, 1));
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	SHOW(select(ends[0] + 1, &in, NULL, NULL, NULL));

	section("time");
	long long before = now_ns(CLOCK_MONOTONIC);
	SHOW(select(0, NULL, NULL, NULL, &some));
	CHECK(now_ns(CLOCK_MONOTONIC) - before >= 29000000);
	say("left %ld.%06ld\n", some.tv_sec, some.tv_usec);
	some = (struct timeval){0, 5000000};
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	SHOW(select(ends[0] + 1, &in, NULL, NULL, &some));
	CHECK(some.tv_sec >= 4);
	some.tv_usec = -1;
	SHOW(select(0, NULL, NULL, NULL, &some));

	section("errors");
	FD_ZERO(&in);
	FD_SET(900, &in);
	SHOW(select(901, &in, NULL, NULL, &zero));
	SHOW(select(900, &in, NULL, NULL, &zero));
	SHOW(select(-1, &in, NULL, NULL, &zero));
	SHOW(select(10, (void *)8, NULL, NULL, &zero));
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	SHOW(select(ends[0], &in, NULL, NULL, &zero));
	SHOW(FD_ISSET(ends[0], &in) != 0);
	SHOW(select(1000000, &in, NULL, NULL, &zero));

	section("pselect");
	struct timespec time = {0, 20000000};
	sigset_t none;
	sigemptyset(&none);
	FD_ZERO(&in);
	SHOW(pselect(0, NULL, NULL, NULL, &time, &none));
	block(SIGTERM);
	handle(SIGTERM, SIG_IGN, 0);
	raise(SIGTERM);
	SHOW(pselect(0, NULL, NULL, NULL, &time, &none));
	struct {
		sigset_t *set;
		size_t size;
	} wrong = {&none, 4};
	SHOW(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &time, &wrong));
	time.tv_nsec = 1000000000;
	SHOW(pselect(0, NULL, NULL, NULL, &time, &none));
	return 0;
}

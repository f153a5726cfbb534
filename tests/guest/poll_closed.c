/* poll, select and epoll over descriptors that are closed, reused or ended in other ways while somebody waits. */
#include "epoll.h"
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/select.h>

static int ends[2], ready[2];

static void *polls(void *arg)
{
	struct pollfd set[2] = {{ends[0], POLLIN, 0}, {ready[0], 0, 0}};
	tell(*(int *)arg);
	int n = poll(set, 1, 10000);
	say("poll gave %d, %x\n", n, set[0].revents);
	return NULL;
}

/* A waiter keeps the file: closing its descriptor does not wake it, what happens at the other end does. */
static void closed_under(void)
{
	int up[2];
	pthread_t thread;
	MUST(pipe(up));
	MUST(pipe(ends));
	MUST(pthread_create(&thread, NULL, polls, &up[1]));
	await(up[0]);
	nap_ms(50);
	close(ends[0]);
	nap_ms(20);
	MUST(write(ends[1], "x", 1));
	pthread_join(thread, NULL);
	handle(SIGPIPE, SIG_IGN, 0);
	SHOW(write(ends[1], "x", 1));
	close(ends[1]);
}

static void sets(void)
{
	fd_set in;
	struct timeval zero = {0, 0};
	MUST(pipe(ends));
	struct pollfd set[4] = {{-1, POLLIN, 77}, {ends[0], POLLIN, 77}, {900, POLLIN, 77}, {ends[1], POLLOUT, 77}};
	SHOW(poll(set, 4, -1));
	for (int i = 0; i < 4; i++)
		say("%d: %x\n", i, set[i].revents);
	close(ends[0]);
	SHOW(poll(set, 4, -1));
	for (int i = 0; i < 4; i++)
		say("%d: %x\n", i, set[i].revents);
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	SHOW(select(ends[0] + 1, &in, NULL, NULL, &zero));
	SHOW(select(ends[0], &in, NULL, NULL, &zero));
	FD_ZERO(&in);
	FD_SET(ends[1], &in);
	SHOW(select(ends[1] + 1, NULL, &in, NULL, &zero));
	SHOW(select(ends[1] + 1, NULL, NULL, &in, &zero));
	FD_ZERO(&in);
	fd_set out = in, special = in;
	SHOW(select(FD_SETSIZE, &in, &out, &special, &zero));
	close(ends[1]);
	struct timeval bad = {0, -1};
	SHOW(select(0, NULL, NULL, NULL, &bad));
	bad = (struct timeval){0, 2000000};
	SHOW(select(1, &in, NULL, NULL, &(struct timeval){0, 0}));
	bad.tv_sec = -1;
	SHOW(select(0, NULL, NULL, NULL, &bad));
	struct timespec wrong = {0, 1000000000};
	SHOW(ppoll(NULL, 0, &wrong, NULL));
}

static void in_epoll(void)
{
	int epoll = MUST(epoll_create1(0)), event = MUST(eventfd(1, 0)), copy = MUST(dup(event));
	MUST(add(epoll, event, EPOLLIN, 1));
	show_ready(epoll, 0);
	close(event);
	show_ready(epoll, 0); /* a copy lives: so does the entry, and none can remove it */
	SHOW(control(epoll, EPOLL_CTL_DEL, event, 0, 0));
	SHOW(control(epoll, EPOLL_CTL_DEL, copy, 0, 0));
	int other = MUST(eventfd(0, 0));
	CHECK(other == event);
	SHOW(control(epoll, EPOLL_CTL_MOD, other, EPOLLOUT, 2));
	SHOW(add(epoll, other, EPOLLOUT, 2));
	show_ready(epoll, 0);
	MUST(dup2(copy, other));
	SHOW(control(epoll, EPOLL_CTL_MOD, other, EPOLLOUT, 3));
	show_ready(epoll, 0);
	close(copy);
	show_ready(epoll, 0);
	close(other);
	show_ready(epoll, 0);
}

int main(void)
{
	MUST(pipe(ready));
	section("closed while polled");
	closed_under();
	section("closed before");
	sets();
	section("epoll");
	in_epoll();
	return 0;
}

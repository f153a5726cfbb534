/* epoll_wait with a timeout, epoll_pwait's mask, epoll_pwait2, waking by another thread's control. */
#include "epoll.h"
#include <pthread.h>

static volatile sig_atomic_t signals;
static int epoll, ends[2];

static void note(int sig)
{
	(void)sig;
	signals++;
}

static void *adder(void *unused)
{
	(void)unused;
	nap_ms(40);
	MUST(add(epoll, ends[0], EPOLLIN, 7));
	return NULL;
}

int main(void)
{
	struct epoll_event event;
	epoll = MUST(epoll_create1(0));
	MUST(pipe(ends));
	long long before = now_ns(CLOCK_MONOTONIC);
	SHOW(epoll_wait(epoll, &event, 1, 50));
	CHECK(now_ns(CLOCK_MONOTONIC) - before >= 49000000);

	section("a mask");
	handle(SIGUSR1, note, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	SHOW(signals);
	sigset_t none;
	sigemptyset(&none);
	SHOW(epoll_pwait(epoll, &event, 1, 1000, &none));
	SHOW(signals);
	raise(SIGUSR1);
	SHOW(epoll_pwait(epoll, &event, 1, 30, NULL));
	SHOW(signals);
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	SHOW(sigismember(&now, SIGUSR1));
	SHOW(syscall(SYS_epoll_pwait, epoll, &event, 1, 0, &none, 4));
	unblock(SIGUSR1);
	SHOW(signals);

	section("nanoseconds");
	struct timespec time = {0, 20000000};
	SHOW(syscall(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8));
	time.tv_nsec = 1000000000;
	SHOW(syscall(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8));
	time.tv_nsec = 0;
	SHOW(syscall(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8));
	SHOW(syscall(SYS_epoll_pwait2, epoll, &event, 1, (void *)8, NULL, 8));

	section("added while somebody waits");
	MUST(write(ends[1], "x", 1));
	pthread_t thread;
	pthread_create(&thread, NULL, adder, NULL);
	show_ready(epoll, 5000);
	pthread_join(thread, NULL);

	section("interrupted, even with SA_RESTART");
	char byte;
	MUST(read(ends[0], &byte, 1));
	handle(SIGALRM, note, SA_RESTART);
	ualarm(30000, 0);
	SHOW(epoll_wait(epoll, &event, 1, -1));
	return 0;
}

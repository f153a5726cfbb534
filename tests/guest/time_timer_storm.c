/* Many timers at once: hundreds of POSIX timers, timerfds and sleeping threads, all expire, in order of their times. */
#include "guest.h"
#include <poll.h>
#include <pthread.h>
#include <sys/timerfd.h>

#define TIMERS 200

static volatile int fired;

static void on_timer(int sig)
{
	(void)sig;
	__atomic_add_fetch(&fired, 1, __ATOMIC_RELAXED);
}

static void *sleeper(void *ms)
{
	nap_ms((long)ms);
	return NULL;
}

int main(void)
{
	timer_t timers[TIMERS];
	pthread_t threads[100];
	int fds[TIMERS], bad = 0;
	handle(SIGUSR1, on_timer, SA_RESTART);
	for (int i = 0; i < TIMERS; i++) {
		/* Each has a signal of its own number or shares one: real-time ones are never merged. */
		struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + i % 4};
		handle(SIGRTMIN + i % 4, on_timer, SA_RESTART);
		MUST(timer_create(CLOCK_MONOTONIC, &event, &timers[i]));
		MUST(timer_settime(timers[i], 0, &(struct itimerspec){.it_value = {0, 10000000 + i * 100000}}, NULL));
		fds[i] = MUST(timerfd_create(CLOCK_MONOTONIC, 0));
		MUST(timerfd_settime(fds[i], 0, &(struct itimerspec){.it_value = {0, 10000000 + (TIMERS - i) * 100000}},
				     NULL));
	}
	for (long i = 0; i < 100; i++)
		pthread_create(&threads[i], NULL, sleeper, (void *)(i % 50));
	for (int i = 0; i < TIMERS; i++) {
		uint64_t count;
		ssize_t n;
		while ((n = read(fds[i], &count, sizeof count)) < 0 && errno == EINTR)
			;
		bad += n != 8 || count != 1;
	}
	for (int i = 0; i < 100; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 500 && fired < TIMERS; i++)
		nap_ms(10);
	SHOW(fired);
	SHOW(bad);
	for (int i = 0; i < TIMERS; i++)
		MUST(timer_delete(timers[i]));
	section("periodic");
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	fired = 0;
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timers[0]));
	MUST(timer_settime(timers[0], 0, &(struct itimerspec){{0, 200000}, {0, 200000}}, NULL));
	for (long long begin = now_ns(CLOCK_MONOTONIC); now_ns(CLOCK_MONOTONIC) - begin < 300000000;)
		;
	MUST(timer_delete(timers[0]));
	CHECK(fired > 10);
	return 0;
}

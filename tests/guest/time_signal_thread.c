/* Timers that signal one thread (SIGEV_THREAD_ID), that carry values, and what timers tell after they ran over. */
#include "guest.h"
#include <pthread.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static _Thread_local int mine;
static _Atomic int caught_by, caught_value, caught_code, caught_timer, tid;
static int ready[2];

static void caught(int sig, siginfo_t *info, void *context)
{
	caught_value = info->si_value.sival_int;
	caught_code = info->si_code;
	caught_timer = info->si_timerid;
	caught_by = mine;
}

static void *waits(void *arg)
{
	mine = 2;
	tid = syscall(SYS_gettid);
	tell(ready[1]);
	while (!caught_by)
		nap_ms(1);
	return NULL;
}

static timer_t make(clockid_t clock, int notify, int sig, int value, pid_t thread)
{
	struct sigevent event = {.sigev_notify = notify, .sigev_signo = sig, .sigev_value.sival_int = value};
	event.sigev_notify_thread_id = thread;
	timer_t timer = NULL;
	if (timer_create(clock, &event, &timer))
		say("timer_create: %s\n", error_name(errno));
	return timer;
}

static void arm(timer_t timer, long first_ns, long every_ns)
{
	struct itimerspec spec = {{0, every_ns}, {0, first_ns}};
	MUST(timer_settime(timer, 0, &spec, NULL));
}

static void to_thread(void)
{
	pthread_t thread;
	MUST(pipe(ready));
	MUST(pthread_create(&thread, NULL, waits, NULL));
	await(ready[0]);
	timer_t timer = make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN + 3, 4711, tid);
	arm(timer, 1000000, 0);
	pthread_join(thread, NULL);
	SHOW(caught_by);
	SHOW(caught_value);
	CHECK(caught_code == SI_TIMER);
	SHOW(timer_delete(timer));
	make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN, 0, tid);
	make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN, 0, 1);
	make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, 0, 0, getpid());
	make(CLOCK_MONOTONIC, SIGEV_SIGNAL, 65, 0, 0);
	make(CLOCK_MONOTONIC, 77, SIGUSR1, 0, 0);
	make(99, SIGEV_SIGNAL, SIGUSR1, 0, 0);
}

static void waited(void)
{
	siginfo_t info;
	sigset_t set = set_of(SIGUSR2);
	struct itimerspec left;
	block(SIGUSR2);
	timer_t timer = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR2, -5, 0);
	arm(timer, 1, 1000000);
	nap_ms(50);
	SHOW(sigwaitinfo(&set, &info) == SIGUSR2);
	SHOW(info.si_value.sival_int);
	CHECK(info.si_overrun > 10);
	CHECK(timer_getoverrun(timer) == info.si_overrun);
	arm(timer, 0, 0);
	struct timespec none = {0};
	(void)sigtimedwait(&set, &info, &none); /* one may have come in between */
	SHOW(sigtimedwait(&set, &info, &none));
	MUST(timer_gettime(timer, &left));
	SHOW(left.it_value.tv_nsec);
	struct itimerspec past = {{0, 0}, {1, 0}};
	SHOW(timer_settime(timer, TIMER_ABSTIME, &past, NULL));
	SHOW(sigwaitinfo(&set, &info) == SIGUSR2);
	SHOW(info.si_overrun);

	section("deleted while its signal waits");
	arm(timer, 1, 0);
	nap_ms(20);
	SHOW(timer_delete(timer));
	int got = sigtimedwait(&set, &info, &none);
	CHECK(got == SIGUSR2 || got == -1); /* kernels differ */
	SHOW(timer_delete(timer));
	SHOW(timer_gettime(timer, &left));
	SHOW(timer_getoverrun(timer));
}

int main(void)
{
	mine = 1;
	handle_info(SIGRTMIN + 3, caught, 0);
	to_thread();
	section("values and overruns");
	waited();
	section("without a signal");
	timer_t timer = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	arm(timer, 1, 0);
	nap_ms(5);
	struct itimerspec left;
	MUST(timer_gettime(timer, &left));
	SHOW(left.it_value.tv_nsec);
	struct itimerspec bad = {{0, 0}, {0, 1000000000}};
	SHOW(timer_settime(timer, 0, &bad, NULL));
	bad.it_value = (struct timespec){-1, 0};
	SHOW(timer_settime(timer, 0, &bad, NULL));
	return 0;
}

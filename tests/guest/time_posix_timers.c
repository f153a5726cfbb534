/* timer_create(2) and its kin: notification, periods, overruns, what is left, numbers, errors. */
#include "guest.h"
#include <pthread.h>

static volatile int count, value_seen, code_seen, overrun_seen;
static volatile pid_t thread_seen;

static void on_timer(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	value_seen = info->si_value.sival_int;
	code_seen = info->si_code;
	overrun_seen = info->si_overrun;
	thread_seen = gettid();
}

static void wait_count(int wanted)
{
	for (int i = 0; i < 500 && count < wanted; i++)
		nap_ms(5);
}

static void signals(void)
{
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 42};
	struct itimerspec once = {.it_value = {0, 20000000}}, left;
	handle_info(SIGRTMIN, on_timer, 0);
	SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
	SHOW(timer_gettime(timer, &left));
	say("unarmed: %ld.%09ld\n", left.it_value.tv_sec, left.it_value.tv_nsec);
	SHOW(timer_settime(timer, 0, &once, NULL));
	SHOW(timer_gettime(timer, &left));
	CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 20000000);
	wait_count(1);
	say("%d signals, value %d, SI_TIMER %d, overrun %d\n", count, value_seen, code_seen == SI_TIMER, overrun_seen);
	SHOW(timer_gettime(timer, &left));
	say("expired: %ld.%09ld\n", left.it_value.tv_sec, left.it_value.tv_nsec);
	struct itimerspec periodic = {.it_value = {0, 10000000}, .it_interval = {0, 10000000}}, old;
	count = 0;
	SHOW(timer_settime(timer, 0, &periodic, NULL));
	wait_count(5);
	CHECK(count >= 5);
	SHOW(timer_settime(timer, 0, &(struct itimerspec){0}, &old));
	CHECK(old.it_interval.tv_nsec == 10000000 && old.it_value.tv_nsec > 0);
	count = 0;
	nap_ms(50);
	SHOW(count);
	SHOW(timer_delete(timer));
	SHOW(timer_delete(timer));
	SHOW(timer_gettime(timer, &left));
}

static void overruns(void)
{
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1};
	struct itimerspec periodic = {.it_value = {0, 5000000}, .it_interval = {0, 5000000}};
	siginfo_t info;
	sigset_t set = set_of(SIGRTMIN + 1);
	block(SIGRTMIN + 1);
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
	MUST(timer_settime(timer, 0, &periodic, NULL));
	nap_ms(100);
	MUST(timer_settime(timer, 0, &(struct itimerspec){.it_value = {100, 0}}, NULL));
	int sig = sigtimedwait(&set, &info, &(struct timespec){0, 0});
	say("one signal: %d\n", sig == SIGRTMIN + 1 || sig == -1);
	SHOW(sigtimedwait(&set, &info, &(struct timespec){0, 0}));
	MUST(timer_settime(timer, 0, &periodic, NULL));
	nap_ms(100);
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 1 && info.si_overrun >= 10 && info.si_overrun < 1000);
	CHECK(timer_getoverrun(timer) >= 10);
	MUST(timer_delete(timer));
}

static void *other_thread(void *tid)
{
	*(volatile pid_t *)tid = gettid();
	nap_ms(300);
	return NULL;
}

static void to_a_thread(void)
{
	timer_t timer;
	volatile pid_t tid = 0;
	pthread_t thread;
	pthread_create(&thread, NULL, other_thread, (void *)&tid);
	while (!tid)
		nap_ms(1);
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
	event._sigev_un._tid = tid;
	count = 0;
	SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
	MUST(timer_settime(timer, 0, &(struct itimerspec){.it_value = {0, 1000000}}, NULL));
	wait_count(1);
	CHECK(thread_seen == tid);
	pthread_join(thread, NULL);
	MUST(timer_delete(timer));
	event._sigev_un._tid = 1;
	SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
}

static void in_a_thread(union sigval value)
{
	*(volatile int *)value.sival_ptr = 1;
}

static void absolute_and_thread(void)
{
	timer_t timer;
	volatile int called = 0;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD,
				 .sigev_notify_function = in_a_thread,
				 .sigev_value.sival_ptr = (void *)&called};
	struct itimerspec when = {0};
	SHOW(timer_create(CLOCK_REALTIME, &event, &timer));
	clock_gettime(CLOCK_REALTIME, &when.it_value);
	SHOW(timer_settime(timer, TIMER_ABSTIME, &when, NULL)); /* now, which is past already */
	for (int i = 0; i < 500 && !called; i++)
		nap_ms(5);
	SHOW(called);
	SHOW(timer_delete(timer));
}

static void errors(void)
{
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
	struct itimerspec wrong = {.it_value = {0, 1000000000}};
	SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
	event.sigev_signo = SIGUSR1;
	event.sigev_notify = 77;
	SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
	SHOW(timer_create(99, NULL, &timer));
	event.sigev_notify = SIGEV_NONE;
	SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
	SHOW(timer_settime(timer, 0, &wrong, NULL));
	wrong.it_value.tv_nsec = -1;
	SHOW(timer_settime(timer, 0, &wrong, NULL));
	SHOW(syscall(SYS_timer_settime, 12345, 0, &wrong, NULL));
	SHOW(syscall(SYS_timer_getoverrun, 12345));
	struct itimerspec soon = {.it_value = {0, 1000000}}, left;
	MUST(timer_settime(timer, 0, &soon, NULL));
	nap_ms(10);
	MUST(timer_gettime(timer, &left));
	say("nobody is told: %ld\n", left.it_value.tv_nsec);
}

/* One that should have fired since 1970, a billion times a second: the count stops at its most. */
static void long_ago(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct itimerspec since = {.it_value = {1, 0}, .it_interval = {0, 1}}, off = {0};
	timer_t timer;
	siginfo_t info;
	block(SIGUSR2);
	sigset_t set = set_of(SIGUSR2);
	MUST(timer_create(CLOCK_REALTIME, &event, &timer));
	MUST(timer_settime(timer, TIMER_ABSTIME, &since, NULL));
	SHOW(sigwaitinfo(&set, &info) == SIGUSR2);
	SHOW(info.si_overrun);
	SHOW(timer_getoverrun(timer));
	MUST(timer_settime(timer, 0, &off, NULL));
	MUST(timer_delete(timer));
}

int main(void)
{
	signals();
	section("long ago");
	long_ago();
	section("overruns");
	overruns();
	section("a thread's");
	to_a_thread();
	absolute_and_thread();
	section("errors");
	errors();
	return 0;
}

/* rt_sigtimedwait(2): polling, time limits, which of several, signals outside of the set, threads. */
#include "guest.h"
#include <pthread.h>

static volatile int handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static void *sender(void *target)
{
	nap_ms(100);
	pthread_kill(*(pthread_t *)target, SIGUSR2);
	return NULL;
}

int main(void)
{
	sigset_t set, one = set_of(SIGUSR1);
	siginfo_t info;
	struct timespec none = {0, 0}, short_time = {0, 50000000}, wrong = {0, 1000000000}, long_time = {30, 0};
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	SHOW(sigtimedwait(&set, &info, &none));
	long long before = now_ns(CLOCK_MONOTONIC);
	SHOW(sigtimedwait(&set, &info, &short_time));
	CHECK(now_ns(CLOCK_MONOTONIC) - before >= 50000000);
	SHOW(sigtimedwait(&set, &info, &wrong));
	section("order");
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 1});
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 2});
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 3});
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	for (int sig; (sig = sigtimedwait(&set, &info, &none)) > 0;)
		say("%s value %d code %d\n", signal_name(sig), sig >= SIGRTMIN ? info.si_value.sival_int : 0,
		    info.si_code);
	section("another signal meanwhile");
	pthread_t self = pthread_self(), thread;
	handle(SIGUSR2, on_signal, SA_RESTART);
	pthread_create(&thread, NULL, sender, &self);
	SHOW(sigtimedwait(&set, &info, &long_time));
	pthread_join(thread, NULL);
	SHOW(handled);
	section("an ignored one is taken all the same when it is blocked");
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	SHOW(sigtimedwait(&one, NULL, &none));
	signal(SIGUSR1, SIG_DFL);
	section("pending sets");
	raise(SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, (union sigval){0});
	sigset_t pending;
	MUST(sigpending(&pending));
	say("%d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGRTMIN),
	    sigismember(&pending, SIGTERM));
	int taken;
	SHOW_ERR(sigwait(&one, &taken));
	say("%s\n", signal_name(taken));
	sigset_t empty;
	sigemptyset(&empty);
	SHOW(sigtimedwait(&empty, NULL, &none));
	SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, &none, 4));
	SHOW(syscall(SYS_rt_sigtimedwait, NULL, NULL, &none, 8));
	return 0;
}

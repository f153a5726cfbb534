/* sigwaitinfo, sigtimedwait, sigwait: taking signals without a handler. */
#include "guest.h"

static void show_info(const char *what, const siginfo_t *info)
{
	say("%s: %s code %s value %d %s\n", what, signal_name(info->si_signo),
	    info->si_code == SI_USER    ? "SI_USER"
	    : info->si_code == SI_QUEUE ? "SI_QUEUE"
	    : info->si_code == SI_TKILL ? "SI_TKILL"
					: "other",
	    info->si_code == SI_QUEUE ? info->si_value.sival_int : 0,
	    info->si_pid == getpid() && info->si_uid == getuid() ? "from myself" : "from another");
}

static void none(int sig) {}

int main(void)
{
	siginfo_t info;
	sigset_t set, pending;
	int sig;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 1});
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 2});
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 3});
	kill(getpid(), SIGUSR1);
	for (int i = 0; i < 4; i++) {
		CHECK(sigwaitinfo(&set, &info) == info.si_signo);
		show_info("got", &info);
	}
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGRTMIN));

	section("time runs out");
	SHOW(sigtimedwait(&set, &info, &(struct timespec){0, 0}));
	long long start = now_ns(CLOCK_MONOTONIC);
	SHOW(sigtimedwait(&set, &info, &(struct timespec){0, 60000000}));
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 60000000);
	SHOW(sigtimedwait(&set, &info, &(struct timespec){0, 1000000000}));

	section("another signal's handler interrupts");
	handle(SIGALRM, none, SA_RESTART);
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(50);
		kill(getppid(), SIGALRM);
		_exit(0);
	}
	SHOW(sigwaitinfo(&set, &info));
	reap("child", pid);

	section("from another process");
	pid = fork_child();
	if (!pid) {
		nap_ms(30);
		sigqueue(getppid(), SIGUSR1, (union sigval){.sival_int = 77});
		_exit(0);
	}
	SHOW(sigtimedwait(&set, &info, &(struct timespec){3, 0}) == SIGUSR1);
	CHECK(info.si_pid == pid);
	SHOW(info.si_value.sival_int);
	reap("child", pid);
	raise(SIGUSR1);
	SHOW_ERR(sigwait(&set, &sig));
	SHOW(sig == SIGUSR1);
	SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 4));
	return 0;
}

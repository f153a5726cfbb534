/* What SA_SIGINFO tells, for each source of a signal. */
#include "guest.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>

static volatile siginfo_t seen;
static volatile int count;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	memcpy((void *)&seen, info, sizeof *info);
	count++;
}

static const char *code_name(int code)
{
	switch (code) {
	case SI_USER:
		return "SI_USER";
	case SI_QUEUE:
		return "SI_QUEUE";
	case SI_TKILL:
		return "SI_TKILL";
	case SI_TIMER:
		return "SI_TIMER";
	case SI_KERNEL:
		return "SI_KERNEL";
	}
	return "another";
}

static void show(const char *what, int expected)
{
	for (int i = 0; i < 500 && !count; i++)
		nap_ms(5);
	siginfo_t info;
	memcpy(&info, (void *)&seen, sizeof info);
	say("%s: %d signal(s), number right %d, %s, errno %d, from %s, uid %s\n", what, count,
	    info.si_signo == expected, code_name(info.si_code), info.si_errno,
	    info.si_pid == getpid() ? "oneself"
	    : info.si_pid           ? "another"
				    : "nobody",
	    info.si_uid == getuid() ? "own" : "other");
	count = 0;
	memset((void *)&seen, 0, sizeof seen);
}

static void child_codes(void)
{
	static const int ways[] = {0, SIGTERM, SIGABRT, SIGSTOP};
	handle_info(SIGCHLD, on_signal, 0);
	for (unsigned i = 0; i < COUNT(ways); i++) {
		pid_t pid = fork_child();
		if (!pid) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			if (ways[i])
				raise(ways[i]);
			while (ways[i] == SIGSTOP)
				pause(); /* its end must not hide that it went on */
			_exit(ways[i] ? 0 : 77);
		}
		for (int k = 0; k < 500 && !count; k++)
			nap_ms(5);
		say("child code %d status %d, its pid %d\n", seen.si_code, seen.si_status, seen.si_pid == pid);
		if (ways[i] == SIGSTOP) {
			count = 0;
			kill(pid, SIGCONT);
			for (int k = 0; k < 500 && !count; k++)
				nap_ms(5);
			say("child code %d status %d\n", seen.si_code, seen.si_status);
			kill(pid, SIGKILL);
		}
		MUST(waitpid(pid, NULL, 0));
		count = 0;
	}
	nap_ms(20);
	count = 0;
	handle(SIGCHLD, SIG_DFL, 0);
}

int main(void)
{
	int ends[2];
	timer_t timer;
	handle_info(SIGUSR1, on_signal, 0);
	handle_info(SIGALRM, on_signal, 0);
	handle_info(SIGPIPE, on_signal, 0);
	handle_info(SIGRTMIN + 3, on_signal, 0);
	kill(getpid(), SIGUSR1);
	show("kill", SIGUSR1);
	raise(SIGUSR1);
	show("raise", SIGUSR1);
	pthread_kill(pthread_self(), SIGUSR1);
	show("pthread_kill", SIGUSR1);
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 7});
	say("value %d\n", seen.si_value.sival_int);
	show("sigqueue", SIGUSR1);
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_ptr = (void *)0x123456789abcl});
	say("value %p\n", seen.si_value.sival_ptr);
	show("sigqueue, real-time", SIGRTMIN + 3);
	pid_t parent = getpid(), pid = fork_child();
	if (!pid) {
		kill(parent, SIGUSR1);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	CHECK(seen.si_pid == pid);
	show("a child's kill", SIGUSR1);
	setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0, 1000}}, NULL);
	show("setitimer", SIGALRM);
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 9};
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
	MUST(timer_settime(timer, 0, &(struct itimerspec){.it_value = {0, 1000}}, NULL));
	for (int i = 0; i < 500 && !count; i++)
		nap_ms(5);
	say("timer: %s value %d overrun %d\n", code_name(seen.si_code), seen.si_value.sival_int, seen.si_overrun);
	count = 0;
	MUST(pipe(ends));
	close(ends[0]);
	SHOW(write(ends[1], "x", 1));
	show("a broken pipe", SIGPIPE);
	section("children");
	child_codes();
	section("forged");
	siginfo_t forged = {.si_code = SI_QUEUE, .si_pid = 12345, .si_uid = 54321};
	SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &forged));
	say("pid %d uid %d\n", seen.si_pid, seen.si_uid);
	forged.si_code = SI_USER;
	SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &forged));
	SHOW(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &forged));
	forged.si_code = SI_TKILL;
	SHOW(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &forged));
	SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &forged));
	return 0;
}

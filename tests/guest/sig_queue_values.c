/* sigqueue: values arrive in order per number, lower numbers first; what the receiver is told of the sender. */
#include "guest.h"
#include <pthread.h>
#include <sys/signalfd.h>

static volatile int order[64], values[64], count;
static pid_t sender;

static void caught(int sig, siginfo_t *info, void *context)
{
	order[count] = sig - SIGRTMIN;
	values[count++] = info->si_value.sival_int;
	if (info->si_code != SI_QUEUE || info->si_pid != sender || info->si_uid != getuid())
		say("NO: code %d\n", info->si_code);
}

static void queue(pid_t pid, int sig, int value)
{
	MUST(sigqueue(pid, sig, (union sigval){.sival_int = value}));
}

static void show(const char *what)
{
	say("%s:", what);
	for (int i = 0; i < count; i++)
		say(" %d/%d", order[i], values[i]);
	say("\n");
	count = 0;
}

static void raw(void)
{
	siginfo_t info = {.si_code = SI_QUEUE, .si_value.sival_ptr = (void *)0x123456789abc}, got;
	sigset_t set = set_of(SIGRTMIN);
	info.si_pid = 12345;
	info.si_uid = 54321;
	SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &info));
	SHOW(sigwaitinfo(&set, &got) == SIGRTMIN);
	SHOW(got.si_pid);
	SHOW(got.si_uid);
	SHOW(got.si_value.sival_ptr == info.si_value.sival_ptr);
	for (int code = -7; code < 2; code++) {
		info.si_code = code;
		SHOW(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
		SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGRTMIN, &info));
		if (sigtimedwait(&set, &got, &(struct timespec){0}) > 0)
			SHOW(got.si_code);
	}
	SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), 1, SIGRTMIN, &info));
	SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info));
	SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, 8));
}

static void by_descriptor(void)
{
	struct signalfd_siginfo infos[4];
	sigset_t set = set_of(SIGRTMIN + 1);
	block(SIGRTMIN + 1);
	int fd = MUST(signalfd(-1, &set, SFD_NONBLOCK));
	for (int i = 1; i <= 5; i++)
		queue(getpid(), SIGRTMIN + 1, -i);
	for (int i = 0; i < 3; i++) {
		ssize_t n = read(fd, infos, sizeof infos);
		say("%zd\n", n < 0 ? -1 : n / (ssize_t)sizeof infos[0]);
		for (ssize_t k = 0; k < n / (ssize_t)sizeof infos[0]; k++)
			say("  %d, code %d, mine %d\n", infos[k].ssi_int, infos[k].ssi_code,
			    infos[k].ssi_pid == (uint32_t)getpid());
	}
}

int main(void)
{
	sigset_t all, old;
	sigemptyset(&all);
	for (int i = 0; i < 6; i++) {
		sigaddset(&all, SIGRTMIN + i);
		struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
		for (int k = 0; k < 6; k++)
			sigaddset(&action.sa_mask, SIGRTMIN + k);
		MUST(sigaction(SIGRTMIN + i, &action, NULL));
	}
	sender = getpid();
	section("from itself");
	MUST(sigprocmask(SIG_BLOCK, &all, &old));
	for (int i = 0; i < 12; i++)
		queue(getpid(), SIGRTMIN + (i * 5) % 6, i);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
	show("order");
	section("from a child");
	MUST(sigprocmask(SIG_BLOCK, &all, &old));
	int turn[2];
	MUST(pipe(turn));
	sender = fork_child();
	if (!sender) {
		for (int i = 0; i < 8; i++)
			queue(getppid(), SIGRTMIN + 3 - i % 4, 100 + i);
		_exit(0);
	}
	reap("child", sender);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
	show("order");
	section("an ordinary signal keeps the first value only");
	block(SIGUSR1);
	for (int i = 1; i < 4; i++)
		queue(getpid(), SIGUSR1, i);
	siginfo_t got;
	sigset_t set = set_of(SIGUSR1);
	SHOW(sigwaitinfo(&set, &got) == SIGUSR1);
	SHOW(got.si_value.sival_int);
	SHOW(sigtimedwait(&set, &got, &(struct timespec){0}));
	section("raw");
	block(SIGRTMIN);
	raw();
	section("by a descriptor");
	by_descriptor();
	return 0;
}

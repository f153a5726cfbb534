/* signalfd: signals as a file. */
#include "guest.h"
#include <poll.h>
#include <sys/signalfd.h>

int main(void)
{
	struct signalfd_siginfo info[4];
	sigset_t set = set_of(SIGUSR1), more, pending;
	sigaddset(&set, SIGRTMIN);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = MUST(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	SHOW(fcntl(fd, F_GETFD));
	struct pollfd poller = {fd, POLLIN};
	SHOW(read(fd, info, sizeof info));
	SHOW(poll(&poller, 1, 0));
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 5});
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 6});
	SHOW(poll(&poller, 1, 0));
	SHOW(read(fd, info, sizeof info[0] - 1));
	long size = read(fd, info, sizeof info);
	SHOW(size / (long)sizeof info[0]);
	for (int i = 0; i < 3; i++)
		say("%s code %s value %d %s\n", signal_name(info[i].ssi_signo),
		    info[i].ssi_code == SI_USER    ? "SI_USER"
		    : info[i].ssi_code == SI_QUEUE ? "SI_QUEUE"
						   : "other",
		    info[i].ssi_code == SI_QUEUE ? info[i].ssi_int : 0,
		    (pid_t)info[i].ssi_pid == getpid() ? "from myself" : "from another");
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));

	section("another set");
	more = set_of(SIGUSR2);
	MUST(sigprocmask(SIG_BLOCK, &more, NULL));
	SHOW(signalfd(fd, &more, 0) == fd);
	kill(getpid(), SIGUSR1);
	SHOW(read(fd, info, sizeof info));
	kill(getpid(), SIGUSR2);
	SHOW(read(fd, info, sizeof info) == sizeof info[0] && info[0].ssi_signo == SIGUSR2);

	section("a child's death");
	set = set_of(SIGCHLD);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	int deaths = MUST(signalfd(-1, &set, 0));
	pid_t pid = fork_child();
	if (!pid)
		_exit(9);
	SHOW(read(deaths, info, sizeof info) / (long)sizeof info[0]);
	CHECK((pid_t)info[0].ssi_pid == pid);
	SHOW(info[0].ssi_status);
	SHOW(info[0].ssi_code == CLD_EXITED);
	reap("child", pid);

	section("errors");
	SHOW(signalfd(-1, &set, 0x10));
	SHOW(signalfd(STDOUT_FILENO, &set, 0));
	SHOW(signalfd(99, &set, 0));
	SHOW(syscall(SYS_signalfd4, -1, &set, 4, 0));
	SHOW(write(fd, info, sizeof info[0]));
	return 0;
}

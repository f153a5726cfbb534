/* pidfd_send_signal(2), pidfd_open(2) and pidfd_getfd(2) in detail. */
#include "guest.h"
#include <poll.h>

static int pidfd_open_(pid_t pid, unsigned flags)
{
	return syscall(SYS_pidfd_open, pid, flags);
}

static int pidfd_signal(int fd, int sig, siginfo_t *info, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

int main(void)
{
	int ends[2], status;
	MUST(pipe(ends));
	pid_t pid = fork_child();
	if (!pid) {
		sigset_t set = set_of(SIGUSR1);
		siginfo_t info;
		block(SIGUSR1);
		tell(ends[1]);
		sigwaitinfo(&set, &info);
		say("code %d, from the parent %d\n", info.si_code, info.si_pid == getppid());
		tell(ends[1]);
		sigwaitinfo(&set, &info);
		say("code %d value %d\n", info.si_code, info.si_value.sival_int);
		tell(ends[1]);
		pause();
	}
	await(ends[0]);
	int fd = pidfd_open_(pid, 0);
	CHECK(fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(pidfd_signal(fd, 0, NULL, 0));
	MUST(pidfd_signal(fd, SIGUSR1, NULL, 0));
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE, .si_value.sival_int = 5};
	await(ends[0]); /* it has said what it got */
	MUST(pidfd_signal(fd, SIGUSR1, &info, 0));
	await(ends[0]);
	info.si_signo = SIGUSR2;
	SHOW(pidfd_signal(fd, SIGUSR1, &info, 0));
	info = (siginfo_t){.si_signo = SIGUSR1, .si_code = SI_USER};
	SHOW(pidfd_signal(fd, SIGUSR1, &info, 0));
	SHOW(pidfd_signal(fd, 99, NULL, 0));
	SHOW(pidfd_signal(fd, 0, NULL, 0x100));
	SHOW(pidfd_signal(0, 0, NULL, 0));
	SHOW(pidfd_signal(99, 0, NULL, 0));
	struct pollfd wait = {fd, POLLIN, 0};
	SHOW(poll(&wait, 1, 0));

	section("descriptors of another process");
	int other = syscall(SYS_pidfd_getfd, fd, ends[0], 0);
	struct stat a, b;
	MUST(fstat(ends[0], &a));
	CHECK(other >= 0 && !fstat(other, &b) && a.st_ino == b.st_ino);
	SHOW(fcntl(other, F_GETFD));
	SHOW(syscall(SYS_pidfd_getfd, fd, 99, 0));
	SHOW(syscall(SYS_pidfd_getfd, fd, 0, 1));
	SHOW(syscall(SYS_pidfd_getfd, 0, 0, 0));

	section("the end");
	SHOW(pidfd_signal(fd, SIGKILL, NULL, 0));
	SHOW(poll(&wait, 1, 5000));
	say("revents %x\n", wait.revents);
	siginfo_t result = {0};
	SHOW(waitid(P_PIDFD, fd, &result, WEXITED));
	say("code %d status %d\n", result.si_code, result.si_status);
	SHOW(pidfd_signal(fd, 0, NULL, 0));
	SHOW(waitid(P_PIDFD, fd, &result, WEXITED));
	SHOW(syscall(SYS_pidfd_getfd, fd, 0, 0));
	SHOW(waitpid(pid, &status, 0));
	SHOW(pidfd_open_(pid, 0));
	SHOW(pidfd_open_(0, 0));
	SHOW(pidfd_open_(-1, 0));
	SHOW(pidfd_open_(getpid(), 1));
	char byte;
	SHOW(read(fd, &byte, 1));
	return 0;
}

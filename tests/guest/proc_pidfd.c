/* pidfd: a process as a descriptor. */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>

static pid_t sleeper(void)
{
	pid_t pid = fork_child();
	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

int main(void)
{
	pid_t pid = sleeper();
	int fd = MUST(pidfd_open(pid, 0));
	SHOW(fcntl(fd, F_GETFD));
	struct pollfd poller = {fd, POLLIN};
	SHOW(poll(&poller, 1, 0));
	SHOW(pidfd_send_signal(fd, 0, NULL, 0));
	SHOW(pidfd_send_signal(fd, SIGTERM, NULL, 0));
	SHOW(poll(&poller, 1, 3000));
	SHOW(poller.revents);
	siginfo_t info;
	SHOW(waitid(P_PIDFD, fd, &info, WEXITED));
	SHOW(info.si_status == SIGTERM && info.si_code == CLD_KILLED && info.si_pid == pid);
	SHOW(pidfd_send_signal(fd, 0, NULL, 0));
	SHOW(waitid(P_PIDFD, fd, &info, WEXITED));

	section("in epoll");
	pid = sleeper();
	fd = MUST(pidfd_open(pid, 0));
	int epoll = MUST(epoll_create1(0));
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 7};
	SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	SHOW(epoll_wait(epoll, &event, 1, 0));
	MUST(kill(pid, SIGKILL));
	SHOW(epoll_wait(epoll, &event, 1, 3000));
	SHOW(event.data.u32);
	reap("child", pid);

	section("a directory of /proc");
	char name[40];
	pid = sleeper();
	snprintf(name, sizeof name, "/proc/%d", pid);
	fd = MUST(open(name, O_RDONLY | O_DIRECTORY));
	SHOW(pidfd_send_signal(fd, 0, NULL, 0));
	SHOW(pidfd_send_signal(fd, SIGKILL, NULL, 0));
	SHOW(waitid(P_PIDFD, fd, &info, WEXITED));
	SHOW(syscall(SYS_pidfd_getfd, fd, 1, 0));
	reap("child", pid);
	SHOW(pidfd_send_signal(fd, 0, NULL, 0));
	SHOW(pidfd_send_signal(MUST(open("/proc/self/task", O_RDONLY)), 0, NULL, 0));
	SHOW(pidfd_send_signal(MUST(open("/proc", O_RDONLY)), 0, NULL, 0));
	SHOW(pidfd_send_signal(MUST(open(".", O_RDONLY)), 0, NULL, 0));
	SHOW(pidfd_send_signal(MUST(open("/proc/self", O_PATH)), 0, NULL, 0));

	section("errors");
	SHOW(pidfd_open(1 << 22, 0));
	SHOW(pidfd_open(-1, 0));
	SHOW(pidfd_open(getpid(), 0x10000));
	SHOW(pidfd_send_signal(STDOUT_FILENO, 0, NULL, 0));
	SHOW(pidfd_send_signal(-1, 0, NULL, 0));
	char byte;
	SHOW(read(fd, &byte, 1));
	return 0;
}

/* signalfd: masks, several signals, threads and forks, poll and epoll, what is in a record. */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static void show_all(int from)
{
	struct signalfd_siginfo info[8];
	ssize_t n = read(from, info, sizeof info);
	if (n < 0) {
		say("read: %s\n", error_name(errno));
		return;
	}
	for (size_t i = 0; i < n / sizeof info[0]; i++)
		say("%s code %d pid %s uid %u int %d status %d\n", signal_name(info[i].ssi_signo), info[i].ssi_code,
		    info[i].ssi_pid == (uint32_t)getpid()    ? "ours"
		    : info[i].ssi_pid == (uint32_t)getppid() ? "the parent's"
		    : info[i].ssi_pid                        ? "another"
							     : "0",
		    info[i].ssi_uid, info[i].ssi_int, info[i].ssi_status);
}

static int events(int of)
{
	struct pollfd poll_fd = {of, POLLIN | POLLOUT, 0};
	MUST(poll(&poll_fd, 1, 0));
	return poll_fd.revents;
}

static int fd;

static void rest(void)
{
	section("epoll");
	int epoll = MUST(epoll_create1(0));
	struct epoll_event event = {.events = EPOLLIN};
	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	SHOW(epoll_wait(epoll, &event, 1, 0));
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(30);
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	SHOW(epoll_wait(epoll, &event, 1, 5000));
	reap("child", pid);
	fcntl(fd, F_SETFL, 0);
	show_all(fd);

	section("errors");
	struct signalfd_siginfo info;
	sigset_t set = set_of(SIGUSR2);
	SHOW(read(fd, &info, 100));
	SHOW(signalfd(0, &set, 0));
	SHOW(signalfd(-2, &set, 0));
	SHOW(signalfd(-1, &set, 0x100));
	SHOW(syscall(SYS_signalfd4, -1, &set, 4, 0));
	SHOW(write(fd, &info, sizeof info));
}

int main(void)
{
	sigset_t set = set_of(SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGKILL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = MUST(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	say("%x\n", events(fd));
	show_all(fd);
	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	union sigval value = {.sival_int = 42};
	sigqueue(getpid(), SIGRTMIN, value);
	sigqueue(getpid(), SIGRTMIN, value);
	say("%x\n", events(fd));
	show_all(fd);
	pid_t pid = fork_child();
	if (!pid)
		_exit(3);
	waitpid(pid, NULL, 0);
	show_all(fd);

	section("another mask");
	set = set_of(SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SHOW(signalfd(fd, &set, 0) == fd);
	raise(SIGUSR1);
	say("%x\n", events(fd));
	raise(SIGUSR2);
	say("%x\n", events(fd));
	show_all(fd);
	sigset_t pending;
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));
	SHOW(sigismember(&pending, SIGUSR2));

	section("a child reads its own");
	pid = fork_child();
	if (!pid) {
		show_all(fd);
		kill(getpid(), SIGUSR2);
		show_all(fd);
		_exit(0);
	}
	reap("child", pid);

	rest();
	return 0;
}

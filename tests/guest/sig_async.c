/* O_ASYNC: who owns a pipe, a socket or an inotify instance is told by signals what can be done with it. */
#include "guest.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static sigset_t heard;

static const char *code_name(int code)
{
	static const char *const names[] = {"?", "POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"};
	return code == SI_KERNEL       ? "SI_KERNEL"
	       : code == SI_SIGIO      ? "SI_SIGIO"
	       : code > 0 && code <= 6 ? names[code]
				       : names[0];
}

/* All signals that are pending now; they are blocked. fd: whose numbers they should bear. */
static void told(const char *what, int fd)
{
	siginfo_t info;
	struct timespec no_time = {0};
	int sig;
	for (bool none = true;; none = false) {
		memset(&info, 0, sizeof info);
		if ((sig = sigtimedwait(&heard, &info, &no_time)) < 0) {
			if (none)
				say("%s: nothing\n", what);
			return;
		}
		if (info.si_code == SI_KERNEL || info.si_code == SI_SIGIO)
			say("%s: %s %s\n", what, signal_name(sig), code_name(info.si_code));
		else
			say("%s: %s %s band %#lx, our descriptor: %s\n", what, signal_name(sig),
			    code_name(info.si_code), info.si_band, info.si_fd == fd ? "yes" : "no");
	}
}

static void set_async(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);
	MUST(fcntl(fd, F_SETFL, on ? flags | O_ASYNC : flags & ~O_ASYNC));
}

static void pipes(void)
{
	int ends[2];
	char byte[4096];
	section("a pipe");
	MUST(pipe(ends));
	set_async(ends[0], true);
	CHECK(fcntl(ends[0], F_GETFL) & O_ASYNC);
	MUST(write(ends[1], "a", 1));
	told("without an owner", ends[0]);
	SHOW(fcntl(ends[0], F_SETOWN, getpid()));
	CHECK(fcntl(ends[0], F_GETOWN) == getpid());
	MUST(write(ends[1], "b", 1));
	told("with an owner", ends[0]);
	MUST(write(ends[1], "c", 1));
	MUST(write(ends[1], "d", 1));
	told("two merge", ends[0]);
	SHOW(fcntl(ends[0], F_SETSIG, SIGRTMIN + 1));
	MUST(write(ends[1], "e", 1));
	MUST(write(ends[1], "f", 1));
	told("two that queue", ends[0]);
	SHOW(fcntl(ends[0], F_SETSIG, SIGCHLD));
	MUST(write(ends[1], "g", 1));
	told("a signal with codes of its own", ends[0]);
	SHOW(fcntl(ends[0], F_SETSIG, SIGRTMIN + 1));
	MUST(read(ends[0], byte, sizeof byte));
	told("reading", ends[0]);
	set_async(ends[0], false);
	MUST(write(ends[1], "h", 1));
	told("switched off", ends[0]);
	set_async(ends[0], true);
	MUST(close(ends[1]));
	told("hung up", ends[0]);
	MUST(close(ends[0]));
}

static void writing_end(void)
{
	int ends[2];
	char page[4096] = {0};
	section("a pipe's writing end");
	MUST(pipe2(ends, O_NONBLOCK));
	MUST(fcntl(ends[1], F_SETOWN, getpid()));
	MUST(fcntl(ends[1], F_SETSIG, SIGRTMIN + 2));
	set_async(ends[1], true);
	while (write(ends[1], page, sizeof page) > 0)
		;
	told("full", ends[1]);
	MUST(read(ends[0], page, sizeof page));
	told("room again", ends[1]);
	MUST(close(ends[0]));
	told("no reader", ends[1]);
	MUST(close(ends[1]));
}

static void sockets(void)
{
	int ends[2], yes = 1, owner = getpid(), got = 0;
	char byte;
	section("sockets");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	SHOW(ioctl(ends[0], FIOASYNC, &yes));
	CHECK(fcntl(ends[0], F_GETFL) & O_ASYNC);
	SHOW(ioctl(ends[0], SIOCSPGRP, &owner));
	SHOW(ioctl(ends[0], FIOGETOWN, &got));
	CHECK(got == owner);
	MUST(fcntl(ends[0], F_SETSIG, SIGRTMIN + 3));
	MUST(write(ends[1], "a", 1));
	told("data", ends[0]);
	MUST(read(ends[0], &byte, 1));
	told("read", ends[0]);
	MUST(close(ends[1]));
	told("hung up", ends[0]);
	MUST(close(ends[0]));
}

static void watching(void)
{
	section("inotify");
	int fd = MUST(inotify_init1(IN_NONBLOCK));
	MUST(inotify_add_watch(fd, ".", IN_CREATE));
	MUST(fcntl(fd, F_SETOWN, getpid()));
	MUST(fcntl(fd, F_SETSIG, SIGRTMIN + 4));
	set_async(fd, true);
	MUST(close(MUST(open("made", O_CREAT | O_WRONLY, 0600))));
	told("a file", fd);
	MUST(unlink("made"));
	MUST(close(fd));
}

static void owners(void)
{
	int ends[2];
	struct f_owner_ex owner = {F_OWNER_TID, (int)gettid()};
	section("owners");
	MUST(pipe(ends));
	set_async(ends[0], true);
	SHOW(fcntl(ends[0], F_SETOWN_EX, &owner));
	MUST(write(ends[1], "a", 1));
	told("a thread", ends[0]);
	SHOW(fcntl(ends[0], F_SETOWN, -getpgrp()));
	MUST(write(ends[1], "b", 1));
	told("a group", ends[0]);
	SHOW(fcntl(ends[0], F_SETOWN, 0));
	MUST(write(ends[1], "c", 1));
	told("nobody", ends[0]);
	SHOW(fcntl(ends[0], F_SETOWN, 999999));
	int copy = MUST(dup(ends[0]));
	SHOW(fcntl(ends[0], F_SETOWN, getpid()));
	SHOW(fcntl(ends[0], F_SETSIG, SIGRTMIN + 1));
	MUST(write(ends[1], "d", 1));
	told("with a second descriptor", ends[0]);
	MUST(close(ends[0]));
	MUST(write(ends[1], "e", 1));
	told("the second descriptor alone", ends[0]);
	MUST(close(copy));
}

/* An ordinary process names another as the owner that it may not send signals to. */
static void strangers(void)
{
	int ends[2], status;
	section("somebody else's");
	MUST(pipe(ends));
	set_async(ends[0], true);
	pid_t child = MUST(fork());
	if (!child) {
		MUST(setresuid(65534, 65534, 65534));
		_exit(fcntl(ends[0], F_SETOWN, getppid()) ? 1 : 0);
	}
	MUST(waitpid(child, &status, 0));
	say("set: %d\n", WEXITSTATUS(status));
	siginfo_t info;
	struct timespec no_time = {0};
	(void)!sigtimedwait(&(sigset_t){{1ul << (SIGCHLD - 1)}}, &info, &no_time);
	MUST(write(ends[1], "a", 1));
	told("root's from nobody", ends[0]);
}

static void others(void)
{
	int yes = 1, fd = MUST(open("plain", O_CREAT | O_RDWR | O_ASYNC, 0600));
	section("what cannot");
	CHECK(fcntl(fd, F_GETFL) & O_ASYNC);
	MUST(fcntl(fd, F_SETFL, 0));
	CHECK(fcntl(fd, F_GETFL) & O_ASYNC);
	SHOW(ioctl(fd, FIOASYNC, &yes));
	int other = MUST(open("plain", O_RDWR));
	SHOW(fcntl(other, F_SETFL, O_ASYNC));
	CHECK(!(fcntl(other, F_GETFL) & O_ASYNC));
	SHOW(ioctl(other, FIOASYNC, &yes));
	SHOW(ioctl(fd, SIOCSPGRP, &yes));
	SHOW(fcntl(fd, F_SETSIG, 65));
	MUST(unlink("plain"));
}

int main(void)
{
	sigfillset(&heard);
	MUST(sigprocmask(SIG_BLOCK, &heard, NULL));
	pipes();
	writing_end();
	sockets();
	watching();
	owners();
	if (geteuid() == 0)
		strangers();
	others();
	return 0;
}

/* Signals about files: O_ASYNC on pipes and sockets, F_NOTIFY on directories, leases, F_CREATED_QUERY. */
#include "guest.h"
#include <sys/socket.h>

#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY 1028
#endif

static sigset_t waited;
static int fds[2];

/* The next of the signals, or none within this time. Ours are sent before the call that causes them returns. */
static void show_signal(void)
{
	struct timespec moment = {0, 0};
	siginfo_t info;
	int sig = sigtimedwait(&waited, &info, &moment);

	if (sig < 0)
		say("no signal\n");
	else if (sig == SIGIO)
		say("SIGIO\n");
	else
		say("signal %d: code %d, band %lx, %s descriptor\n", sig - SIGRTMIN, info.si_code, (long)info.si_band,
		    info.si_fd == fds[0]   ? "first"
		    : info.si_fd == fds[1] ? "second"
					   : "another");
}

static void pipes(void)
{
	char c;

	section("a pipe");
	MUST(pipe(fds));
	SHOW(fcntl(fds[0], F_SETFL, O_ASYNC));
	MUST(write(fds[1], "x", 1));
	show_signal();
	SHOW(fcntl(fds[0], F_SETOWN, getpid()));
	MUST(read(fds[0], &c, 1));
	MUST(write(fds[1], "x", 1));
	show_signal();
	SHOW(fcntl(fds[0], F_SETSIG, SIGRTMIN + 1));
	MUST(read(fds[0], &c, 1));
	MUST(write(fds[1], "x", 1));
	show_signal();
	SHOW(fcntl(fds[0], F_SETFL, 0));
	MUST(read(fds[0], &c, 1));
	MUST(write(fds[1], "x", 1));
	show_signal();
	SHOW(fcntl(fds[0], F_SETFL, O_ASYNC));
	close(fds[1]);
	close(fds[0]);
	while (sigtimedwait(&waited, NULL, &(struct timespec){0, 0}) > 0)
		;

	section("a socket, its group");
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
	SHOW(fcntl(fds[0], F_SETFL, O_ASYNC));
	SHOW(fcntl(fds[0], F_SETOWN, -getpgrp()));
	SHOW(fcntl(fds[0], F_SETSIG, SIGRTMIN + 2));
	MUST(write(fds[1], "x", 1));
	show_signal();
	SHOW(fcntl(fds[0], F_SETOWN, 0));
	MUST(write(fds[1], "x", 1));
	show_signal();
	close(fds[0]);
	close(fds[1]);
}

static void directories(void)
{
	section("a directory");
	MUST(mkdir("d", 0755));
	MUST(mkdir("e", 0755));
	fds[0] = MUST(open("d", O_RDONLY));
	fds[1] = -1;
	SHOW(fcntl(fds[0], F_SETSIG, SIGRTMIN + 3));
	SHOW(fcntl(fds[0], F_NOTIFY, DN_CREATE | DN_DELETE));
	make_file("d/a", "text");
	show_signal();
	make_file("d/b", "text");
	show_signal();
	SHOW(fcntl(fds[0], F_NOTIFY, DN_RENAME | DN_ATTRIB | DN_MULTISHOT));
	MUST(rename("d/a", "d/c"));
	show_signal();
	MUST(rename("d/c", "e/c"));
	show_signal();
	MUST(chmod("d/b", 0600));
	show_signal();
	MUST(chmod("d", 0700));
	show_signal();
	MUST(chmod("d/b", 0644));
	show_signal();
	SHOW(fcntl(fds[0], F_NOTIFY, 0));
	MUST(chmod("d/b", 0600));
	show_signal();
	SHOW(fcntl(fds[0], F_NOTIFY, DN_ATTRIB | DN_MULTISHOT));
	int copy = MUST(dup(fds[0]));
	close(fds[0]);
	MUST(chmod("d/b", 0644));
	show_signal();
	close(copy);
	fds[0] = MUST(open("d/b", O_RDONLY));
	SHOW(fcntl(fds[0], F_NOTIFY, DN_ATTRIB));
	close(fds[0]);
}

static void leases(void)
{
	section("leases");
	make_file("f", "text");
	fds[0] = MUST(open("f", O_RDWR));
	fds[1] = -1;
	SHOW(fcntl(fds[0], F_GETLEASE) == F_UNLCK);
	SHOW(fcntl(fds[0], F_SETLEASE, F_RDLCK));
	SHOW(fcntl(fds[0], F_SETLEASE, F_UNLCK));
	SHOW(fcntl(fds[0], F_SETLEASE, 17));
	SHOW(fcntl(fds[0], F_SETSIG, SIGRTMIN + 4));
	SHOW(fcntl(fds[0], F_SETLEASE, F_WRLCK));
	SHOW(fcntl(fds[0], F_GETLEASE) == F_WRLCK);
	SHOW(open("f", O_RDONLY | O_NONBLOCK));
	show_signal();
	SHOW(fcntl(fds[0], F_GETLEASE) == F_RDLCK);
	SHOW(open("f", O_RDONLY | O_NONBLOCK));
	show_signal();
	SHOW(open("f", O_WRONLY | O_NONBLOCK));
	SHOW(fcntl(fds[0], F_GETLEASE) == F_UNLCK);
	show_signal();
	SHOW(fcntl(fds[0], F_SETLEASE, F_UNLCK));
	int second = MUST(open("f", O_RDONLY));
	SHOW(fcntl(fds[0], F_SETLEASE, F_WRLCK));
	close(fds[0]);
	SHOW(fcntl(second, F_SETLEASE, F_RDLCK));
	SHOW(open("f", O_RDONLY | O_NONBLOCK) >= 0);
	SHOW(fcntl(second, F_SETLEASE, F_WRLCK));
	show_signal();
	pid_t child = MUST(fork());
	if (!child) {
		SHOW(open("f", O_WRONLY) >= 0);
		_exit(0);
	}
	siginfo_t info;
	SHOW(sigwaitinfo(&waited, &info));
	say("the child waits\n");
	MUST(fcntl(second, F_SETLEASE, F_UNLCK));
	MUST(waitpid(child, NULL, 0));
	SHOW(fcntl(second, F_SETLEASE, F_RDLCK));
	close(second);
	SHOW(open("f", O_WRONLY | O_NONBLOCK) >= 0);
}

static void created(void)
{
	section("made by this open");
	int fd = MUST(open("new", O_RDWR | O_CREAT, 0600));
	SHOW(fcntl(fd, F_CREATED_QUERY));
	fd = MUST(open("new", O_RDWR | O_CREAT, 0600));
	SHOW(fcntl(fd, F_CREATED_QUERY));
}

int main(void)
{
	sigemptyset(&waited);
	sigaddset(&waited, SIGIO);
	for (int i = 1; i < 6; i++)
		sigaddset(&waited, SIGRTMIN + i);
	MUST(sigprocmask(SIG_BLOCK, &waited, NULL));
	pipes();
	directories();
	leases();
	created();
	return 0;
}

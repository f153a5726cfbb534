/* Positions of files that have none: lseek(2), pread(2), pwrite(2) on the descriptors of the kernel's own objects. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static void try(const char *what, int fd)
{
	char buffer[200];
	errno = 0;
	long seek = lseek(fd, 5, SEEK_SET);
	int seek_error = errno;
	errno = 0;
	long got = pread(fd, buffer, sizeof buffer, 0);
	int got_error = errno;
	errno = 0;
	long put = pwrite(fd, buffer, 8, 0);
	say("%s: lseek %ld %s, pread %ld %s, pwrite %ld %s\n", what, seek, error_name(seek_error), got,
	    error_name(got_error), put, error_name(errno));
}

int main(void)
{
	sigset_t set = set_of(SIGUSR1);
	int ends[2], pair[2];
	try("eventfd", MUST(eventfd(1, EFD_NONBLOCK)));
	try("epoll", MUST(epoll_create1(0)));
	try("signalfd", MUST(signalfd(-1, &set, SFD_NONBLOCK)));
	try("timerfd", MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)));
	try("inotify", MUST(inotify_init1(IN_NONBLOCK)));
	MUST(pipe2(ends, O_NONBLOCK));
	try("pipe", ends[0]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	try("socket", pair[0]);
	return 0;
}

/* lseek on files without a position: some stay at 0, some refuse. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static void seek(const char *name, int fd)
{
	section(name);
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(lseek(fd, 10, SEEK_SET));
	SHOW(lseek(fd, 10, SEEK_CUR));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(lseek(fd, 0, 99));
	SHOW(lseek(fd, -5, SEEK_SET));
	char byte;
	SHOW(pread(fd, &byte, 1, 0) < 0 ? errno : 0);
	SHOW(pwrite(fd, &byte, 1, 0) < 0 ? errno : 0);
	close(fd);
}

int main(void)
{
	sigset_t set = set_of(SIGUSR1);
	int pair[2];
	seek("eventfd", MUST(eventfd(0, EFD_NONBLOCK)));
	seek("timerfd", MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)));
	seek("signalfd", MUST(signalfd(-1, &set, SFD_NONBLOCK)));
	seek("epoll", MUST(epoll_create1(0)));
	seek("inotify", MUST(inotify_init1(IN_NONBLOCK)));
	seek("null", MUST(open("/dev/null", O_RDWR)));
	MUST(pipe2(pair, O_NONBLOCK));
	seek("pipe", pair[0]);
	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
	seek("socket", pair[0]);
	return 0;
}

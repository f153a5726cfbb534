/* Requests that a file does not know, and those that every file knows, on each kind of file. */
#include "guest.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static void try(int fd, const char *name, unsigned long request, void *argument)
{
	long result = ioctl(fd, request, argument);
	say("  %s: %ld %s\n", name, result, result ? strerrorname_np(errno) : "");
}

static void try_all(const char *title, int fd)
{
	char room[256];
	int value = 7;
	section(title);
	MUST(fd);
	try(fd, "FIONREAD", FIONREAD, &value);
	say("  says %d\n", value);
	try(fd, "FIONREAD to nowhere", FIONREAD, (void *)8);
	try(fd, "unknown", 0x1234, room);
	try(fd, "TCGETS", TCGETS, room);
	value = 0;
	try(fd, "FIONBIO", FIONBIO, &value);
	try(fd, "FIOASYNC off", FIOASYNC, &value);
	try(fd, "FIOCLEX", FIOCLEX, NULL);
	say("  close on exec: %d\n", fcntl(fd, F_GETFD));
	try(fd, "FIONCLEX", FIONCLEX, NULL);
	close(fd);
}

int main(void)
{
	int ends[2];
	sigset_t none;
	sigemptyset(&none);
	try_all("epoll", epoll_create1(0));
	try_all("eventfd", eventfd(3, 0));
	try_all("signalfd", signalfd(-1, &none, 0));
	try_all("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
	try_all("inotify", inotify_init());
	try_all("memfd", memfd_create("x", 0));
	try_all("pidfd", syscall(SYS_pidfd_open, getpid(), 0));
	try_all("directory", open(".", O_RDONLY));
	try_all("O_PATH", open(".", O_PATH));
	try_all("null", open("/dev/null", O_RDWR));
	try_all("zero", open("/dev/zero", O_RDWR));
	try_all("full", open("/dev/full", O_RDWR));
	try_all("a file of /proc", open("/proc/self/status", O_RDONLY));
	try_all("a directory of /proc", open("/proc/self", O_RDONLY));
	MUST(pipe(ends));
	MUST(write(ends[1], "abc", 3));
	try_all("a pipe's reading end", ends[0]);
	try_all("a pipe's writing end", ends[1]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	MUST(write(ends[1], "abcd", 4));
	try_all("a socket", ends[0]);
	close(ends[1]);
	try_all("a message queue", mq_open("/io_ioctl_kinds", O_CREAT | O_RDWR, 0600, NULL));
	mq_unlink("/io_ioctl_kinds");
	int file = MUST(open("file", O_RDWR | O_CREAT, 0600));
	MUST(write(file, "abcdef", 6));
	MUST(lseek(file, 2, SEEK_SET));
	try_all("a file", file);
	return 0;
}

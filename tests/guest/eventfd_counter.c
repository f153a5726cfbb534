/* eventfd: counting, semaphores, limits, poll. */
#include "guest.h"
#include <poll.h>
#include <sys/eventfd.h>

static void show_poll(int fd)
{
	struct pollfd poll_fd = {fd, POLLIN | POLLOUT, 0};
	MUST(poll(&poll_fd, 1, 0));
	say("poll: %x\n", poll_fd.revents);
}

static void put(int fd, uint64_t value)
{
	ssize_t n = write(fd, &value, sizeof value);
	say("write %llx: %s\n", (unsigned long long)value, n == 8 ? "8" : error_name(errno));
}

static void get(int fd)
{
	uint64_t value = 0;
	ssize_t n = read(fd, &value, sizeof value);
	if (n == 8)
		say("read %llx\n", (unsigned long long)value);
	else
		say("read: %s\n", error_name(errno));
}

static void *volatile nowhere = (void *)8;

static void rest(void)
{
	section("semaphore");
	int fd = MUST(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
	get(fd);
	get(fd);
	get(fd);

	section("waiting");
	fd = MUST(eventfd(0, 0));
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(30);
		put(fd, 7);
		_exit(0);
	}
	uint64_t value = 0;
	MUST(read(fd, &value, 8));
	reap("writer", pid);
	SHOW(value);
	put(fd, UINT64_MAX - 1);
	pid = fork_child();
	if (!pid) {
		uint64_t ten = 10;
		_exit(write(fd, &ten, 8) == 8 ? 0 : 1);
	}
	nap_ms(30);
	get(fd);
	reap("writer", pid);
	get(fd);
	struct stat st;
	SHOW(fstat(fd, &st));
	SHOW(st.st_mode);
	char link[64] = "", path[64];
	sprintf(path, "/proc/self/fd/%d", fd);
	MUST(readlink(path, link, sizeof link));
	SHOW_TEXT(link);
}

/* The first number for it, without flags. */
static void by_the_old_number(void)
{
	section("eventfd without flags");
	uint64_t value = 0;
	int fd = MUST(syscall(SYS_eventfd, 3));
	SHOW(read(fd, &value, sizeof value));
	say("value %lu, flags %x, descriptor flags %d\n", value, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
}

int main(void)
{
	by_the_old_number();
	char bytes[16] = {1};
	int fd = MUST(eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(fcntl(fd, F_GETFL));
	show_poll(fd);
	get(fd);
	get(fd);
	show_poll(fd);
	put(fd, 1);
	put(fd, 2);
	put(fd, 0);
	get(fd);
	put(fd, 0);
	show_poll(fd);
	put(fd, UINT64_MAX);
	put(fd, UINT64_MAX - 1);
	show_poll(fd);
	put(fd, 1);
	put(fd, 0);
	get(fd);

	section("sizes");
	SHOW(write(fd, bytes, 7));
	SHOW(write(fd, bytes, 16));
	SHOW(read(fd, bytes, 7));
	SHOW(read(fd, bytes, 16));
	SHOW(write(fd, nowhere, 8));
	put(fd, 5);
	SHOW(read(fd, nowhere, 8));
	get(fd);
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pread(fd, bytes, 8, 0));
	SHOW(eventfd(0, 0x100));

	rest();
	return 0;
}

/* /proc/self/fdinfo: position and flags of every kind of descriptor, and how they follow what is done to it. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* pos and flags only: mnt_id, ino and what kinds add differ between kernels. */
static void info(const char *what, int fd)
{
	char path[40], text[512] = "";
	long pos = -1;
	unsigned flags = 0;
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int file = open(path, O_RDONLY);
	if (file < 0) {
		say("%s: %s\n", what, error_name(errno));
		return;
	}
	MUST(read(file, text, sizeof text - 1));
	close(file);
	int fields = sscanf(text, "pos:\t%ld\nflags:\t%o\nmnt_id:", &pos, &flags);
	say("%s: %d fields, pos %ld, flags %o, F_GETFL %o\n", what, fields, pos, flags,
	    (unsigned)MUST(fcntl(fd, F_GETFL)));
}

int main(void)
{
	int ends[2];
	make_file("file", "0123456789");
	int fd = MUST(open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
	info("file", fd);
	MUST(write(fd, "0123", 4));
	info("written", fd);
	int copy = MUST(dup(fd));
	info("a copy is not closed on exec", copy);
	MUST(lseek(copy, 100, SEEK_SET));
	info("sought by the copy", fd);
	MUST(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	info("appending", copy);
	MUST(fcntl(fd, F_SETFD, 0));
	info("kept on exec", fd);
	info("directory", MUST(open(".", O_RDONLY | O_DIRECTORY)));
	info("only a place", MUST(open("file", O_PATH | O_NOFOLLOW)));
	info("not followed", MUST(open("file", O_RDONLY | O_NOFOLLOW | O_SYNC)));
	info("unnamed", MUST(open(".", O_TMPFILE | O_WRONLY, 0600)));
	MUST(pipe2(ends, O_NONBLOCK));
	info("reader", ends[0]);
	info("writer", ends[1]);
	info("socket", MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
	info("eventfd", MUST(eventfd(0, EFD_CLOEXEC)));
	info("epoll", MUST(epoll_create1(0)));
	info("memfd", MUST(memfd_create("m", 0)));
	info("/dev/null", MUST(open("/dev/null", O_WRONLY)));
	info("closed", 900);

	section("of another process");
	int turn[2], back[2];
	MUST(pipe(turn));
	MUST(pipe(back));
	pid_t child = fork_child();
	if (!child) {
		MUST(lseek(fd, 7, SEEK_SET));
		close(copy);
		tell(back[1]);
		await(turn[0]);
		_exit(0);
	}
	await(back[0]);
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", child, fd);
	CHECK(!access(path, R_OK));
	info("sought by the child", copy);
	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", child, copy);
	SHOW(access(path, F_OK));
	int kept = MUST(open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY));
	SHOW(openat(kept, "900", O_RDONLY));
	SHOW(openat(kept, "0x1", O_RDONLY));
	SHOW(openat(kept, "00", O_RDONLY));
	tell(turn[1]);
	reap("child", child);
	return 0;
}

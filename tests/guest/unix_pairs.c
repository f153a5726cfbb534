/* socketpair: types, errors, what the two ends are. */
#include "unix.h"
#include <sys/ioctl.h>

int main(void)
{
	int pair[2], n;
	char bytes[16];
	SHOW(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	SHOW(fcntl(pair[0], F_GETFD));
	SHOW(fcntl(pair[1], F_GETFL));
	show_name(pair[0], false);
	show_name(pair[0], true);
	struct stat st;
	SHOW(fstat(pair[0], &st));
	CHECK(S_ISSOCK(st.st_mode));
	SHOW(st.st_mode & 07777);
	SHOW(st.st_size);
	SHOW(lseek(pair[0], 0, SEEK_CUR));
	SHOW(write(pair[0], "abc", 3));
	SHOW(ioctl(pair[1], FIONREAD, &n));
	SHOW(n);
	SHOW(ioctl(pair[0], TIOCOUTQ, &n) == 0 && n > 0);
	SHOW(pread(pair[1], bytes, 1, 0));
	SHOW(read(pair[1], bytes, 16));
	SHOW(read(pair[1], bytes, 16));
	SHOW(read(pair[1], bytes, 0));
	SHOW(connect_to(pair[0], "@x"));
	SHOW(listen(pair[0], 1));
	SHOW(bind_to(pair[0], "@x"));
	show_name(pair[1], true);
	SHOW(accept(pair[0], NULL, NULL));
	char link[64], path[64];
	sprintf(path, "/proc/self/fd/%d", pair[0]);
	n = readlink(path, link, sizeof link);
	CHECK(n > 8 && !memcmp(link, "socket:[", 8));
	SHOW(open(path, O_RDWR));

	section("errors");
	SHOW(socketpair(AF_UNIX, SOCK_RAW, 0, pair));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 1, pair));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 5, pair));
	SHOW(socketpair(AF_UNIX, 77, 0, pair));
	SHOW(socketpair(999, SOCK_STREAM, 0, pair));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM | 0x100, 0, pair));
	int lowest = lowest_fd();
	SHOW(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8));
	CHECK(lowest == lowest_fd());
	SHOW(socket(AF_UNIX, SOCK_STREAM, 6));
	SHOW(socket(AF_UNIX, SOCK_RDM, 0));

	section("raw is datagram");
	MUST(socketpair(AF_UNIX, SOCK_RAW, 0, pair));
	socklen_t size = sizeof n;
	SHOW(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &n, &size));
	SHOW(n);
	return 0;
}

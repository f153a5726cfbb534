/* FIFOs: who waits for whom at open, and what poll says of one without writers. */
#include "guest.h"
#include <poll.h>

static int events(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLOUT};
	MUST(poll(&poll_fd, 1, 0));
	return poll_fd.revents;
}

int main(void)
{
	char bytes[16];
	SHOW(mkfifo("fifo", 0600));
	SHOW(mkfifo("fifo", 0600));
	SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
	int reader = MUST(open("fifo", O_RDONLY | O_NONBLOCK));
	SHOW(read(reader, bytes, 1));
	say("no writer yet: %x\n", events(reader));
	int writer = MUST(open("fifo", O_WRONLY | O_NONBLOCK));
	say("writer: %x %x\n", events(reader), events(writer));
	SHOW(read(reader, bytes, 1));
	SHOW(write(writer, "hello", 5));
	say("data: %x\n", events(reader));
	close(writer);
	say("data, no writer: %x\n", events(reader));
	SHOW(read(reader, bytes, sizeof bytes));
	say("no writer: %x\n", events(reader));
	SHOW(read(reader, bytes, sizeof bytes));
	writer = MUST(open("fifo", O_WRONLY));
	say("another writer: %x\n", events(reader));
	close(reader);
	say("no reader: %x\n", events(writer));
	close(writer);

	section("both ways");
	int both = MUST(open("fifo", O_RDWR));
	SHOW(write(both, "self", 4));
	SHOW(read(both, bytes, 4));
	SHOW(fcntl(both, F_GETFL) & O_ACCMODE);
	close(both);

	section("waiting");
	pid_t pid = fork_child();
	if (!pid) {
		int fd = MUST(open("fifo", O_WRONLY));
		MUST(write(fd, "from the child", 14));
		_exit(0);
	}
	nap_ms(20);
	reader = MUST(open("fifo", O_RDONLY));
	for (int n; (n = read(reader, bytes, sizeof bytes)) > 0;)
		show_bytes("read", bytes, n);
	reap("child", pid);
	close(reader);
	pid = fork_child();
	if (!pid) {
		int fd = MUST(open("fifo", O_RDONLY));
		SHOW(read(fd, bytes, 3));
		_exit(0);
	}
	writer = MUST(open("fifo", O_WRONLY));
	MUST(write(writer, "abc", 3));
	reap("child", pid);
	close(writer);

	struct stat st;
	SHOW(stat("fifo", &st));
	CHECK(S_ISFIFO(st.st_mode));
	SHOW(unlink("fifo"));
	return 0;
}

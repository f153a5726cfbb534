/* Descriptors in messages that arrive in pieces, in great numbers, or carry the socket itself. */
#include "unix.h"

static int pair[2];

/* Sends bytes with count copies of a file; returns what sendmsg does. */
static long send_files(int fd, const char *bytes, size_t size, int file, int count)
{
	char control[CMSG_SPACE(253 * sizeof(int))] = "";
	struct iovec piece = {(void *)bytes, size};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	message.msg_control = control;
	message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	for (int i = 0; i < count; i++)
		memcpy(CMSG_DATA(header) + i * sizeof(int), &file, sizeof(int));
	return sendmsg(fd, &message, 0);
}

/* Receives up to size bytes in two pieces of memory; closes what came along and says how much it was. */
static void take(size_t size)
{
	char control[CMSG_SPACE(253 * sizeof(int))], bytes[64] = "";
	struct iovec pieces[2] = {{bytes, size / 2}, {bytes + size / 2, size - size / 2}};
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
	message.msg_control = control;
	message.msg_controllen = sizeof control;
	ssize_t n = recvmsg(pair[1], &message, MSG_DONTWAIT);
	if (n < 0) {
		say("recvmsg: %s\n", error_name(errno));
		return;
	}
	int count = 0;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header) {
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (int i = 0; i < count; i++)
			close(((int *)CMSG_DATA(header))[i]);
	}
	say("%zd bytes \"%.*s\" with %d files, flags %x\n", n, (int)n, bytes, count, message.msg_flags);
}

static void itself(void)
{
	section("a socket sent over itself");
	int two[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, two));
	SHOW(send_files(two[0], "me", 2, two[1], 1));
	SHOW(send_files(two[0], "you", 3, two[0], 1));
	close(two[0]);
	char bytes[16], control[64];
	struct iovec piece = {bytes, sizeof bytes};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control};
	message.msg_controllen = sizeof control;
	SHOW(recvmsg(two[1], &message, 0));
	int me = *(int *)CMSG_DATA(CMSG_FIRSTHDR(&message));
	close(two[1]);
	message.msg_controllen = sizeof control;
	SHOW(recvmsg(me, &message, 0));
	int you = *(int *)CMSG_DATA(CMSG_FIRSTHDR(&message));
	SHOW(write(you, "alive", 5));
	SHOW(read(me, bytes, sizeof bytes));
	close(you);
	SHOW(read(me, bytes, sizeof bytes));
	close(me);
}

int main(void)
{
	int lowest, ends[2];
	char byte;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(pipe2(ends, O_NONBLOCK));
	lowest = lowest_fd();

	section("read in pieces: the files come with the first");
	SHOW(send_files(pair[0], "0123456789", 10, ends[1], 7));
	take(4);
	take(4);
	take(4);
	section("two messages with files do not meet");
	SHOW(send_files(pair[0], "abc", 3, ends[1], 2));
	SHOW(send_files(pair[0], "defg", 4, ends[1], 3));
	SHOW(send(pair[0], "hij", 3, 0));
	take(2);
	take(20);
	take(20);
	take(20);
	section("as many as there may be, several times");
	for (int i = 0; i < 3; i++)
		SHOW(send_files(pair[0], "m", 1, ends[1], 253));
	for (int i = 0; i < 3; i++)
		take(10);
	SHOW(send_files(pair[0], "n", 1, ends[1], 0));
	take(10);
	section("read without a place for files: they are dropped");
	SHOW(send_files(pair[0], "drop", 4, ends[1], 5));
	close(ends[1]);
	SHOW(read(ends[0], &byte, 1));
	SHOW(read(pair[1], &byte, 1));
	SHOW(read(ends[0], &byte, 1));
	take(10);
	CHECK(lowest_fd() == ends[1]);
	MUST(dup(0));
	CHECK(lowest_fd() == lowest);
	itself();
	CHECK(lowest_fd() == lowest);
	return 0;
}

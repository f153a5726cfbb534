/* io_uring: what has to wait: pipes, sockets, polls, timeouts, chains, cancelling. */
#include "uring.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static struct ring ring;
typedef struct __kernel_timespec span;

static void pipes(void)
{
	static char big[200000], small[16];
	int ends[2];
	MUST(pipe(ends));
	prepare(&ring, IORING_OP_READ, ends[0], small, sizeof small, 0, 1);
	SHOW(submit(&ring, 0));
	CHECK(!ready(&ring));
	MUST(write(ends[1], "hello", 5));
	show_completions(&ring, 1);
	prepare(&ring, IORING_OP_READ, ends[0], small, 2, -1, 2);
	prepare(&ring, IORING_OP_WRITE, ends[1], "ABCD", 4, -1, 3);
	run(&ring, "reader and writer at once", 2);
	MUST(read(ends[0], small, 2));
	prepare(&ring, IORING_OP_WRITE, ends[1], "x", 1, -1, 4);
	prepare(&ring, IORING_OP_READ, ends[0], small, 1, -1, 5);
	run(&ring, "write then read", 2);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	prepare(&ring, IORING_OP_READ, ends[0], small, 1, -1, 6);
	SHOW(submit(&ring, 0)); /* O_NONBLOCK does not matter */
	CHECK(!ready(&ring));
	MUST(write(ends[1], "y", 1));
	show_completions(&ring, 1);
	prepare(&ring, IORING_OP_READ, ends[0], small, 1, -1, 6)->rw_flags = 8 /* RWF_NOWAIT */;
	run(&ring, "no wait, and empty", 1);
	close(ends[1]);
	prepare(&ring, IORING_OP_READ, ends[0], small, 1, -1, 7);
	run(&ring, "end of file", 1);
	close(ends[0]);
	(void)big;
}

static void sockets(void)
{
	char buffer[16] = {0};
	int pair[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	prepare(&ring, IORING_OP_RECV, pair[0], buffer, sizeof buffer, 0, 1);
	prepare(&ring, IORING_OP_SEND, pair[1], "ping", 4, 0, 2);
	run(&ring, "recv and send", 2);
	SHOW_TEXT(buffer);
	struct iovec part = {"message", 7}, into = {buffer, sizeof buffer};
	struct msghdr out = {.msg_iov = &part, .msg_iovlen = 1}, in = {.msg_iov = &into, .msg_iovlen = 1};
	prepare(&ring, IORING_OP_RECVMSG, pair[0], &in, 1, 0, 3);
	prepare(&ring, IORING_OP_SENDMSG, pair[1], &out, 1, 0, 4);
	run(&ring, "messages", 2);
	show_bytes("buffer", buffer, 7);
	prepare(&ring, IORING_OP_RECV, pair[0], buffer, 4, 0, 5)->msg_flags = MSG_WAITALL;
	prepare(&ring, IORING_OP_SEND, pair[1], "ab", 2, 0, 6);
	prepare(&ring, IORING_OP_SEND, pair[1], "cd", 2, 0, 7);
	run(&ring, "wait for all", 3);
	prepare(&ring, IORING_OP_RECV, pair[0], buffer, 4, 0, 8)->msg_flags = MSG_DONTWAIT;
	run(&ring, "do not wait", 1);
	prepare(&ring, IORING_OP_SHUTDOWN, pair[1], NULL, SHUT_WR, 0, 9);
	prepare(&ring, IORING_OP_RECV, pair[0], buffer, 4, 0, 10);
	run(&ring, "shutdown", 2);
	prepare(&ring, IORING_OP_SEND, pair[1], "x", 1, 0, 11);
	run(&ring, "no signal comes with EPIPE", 1);
	prepare(&ring, IORING_OP_RECV, 0, buffer, 4, 0, 12);
	run(&ring, "no socket", 1);
	close(pair[0]), close(pair[1]);
}

static void connections(void)
{
	struct sockaddr name = {.sa_family = AF_UNIX, .sa_data = "\0uring case"};
	int listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0)), client = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(listener, &name, sizeof name));
	MUST(listen(listener, 8));
	int next = lowest_fd();
	prepare(&ring, IORING_OP_ACCEPT, listener, NULL, 0, 0, 1);
	prepare(&ring, IORING_OP_CONNECT, client, &name, 0, sizeof name, 2);
	submit(&ring, 2);
	struct io_uring_cqe cqe;
	for (int i = 0; i < 2; i++) {
		CHECK(reap_one(&ring, &cqe));
		if (cqe.user_data == 1)
			CHECK(cqe.res == next);
		else
			CHECK(!cqe.res);
	}
	close(next);
	prepare(&ring, IORING_OP_ACCEPT, listener, NULL, 0, 0, 3)->ioprio = IORING_ACCEPT_MULTISHOT;
	submit(&ring, 0);
	for (int i = 0; i < 3; i++) {
		int other = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
		MUST(connect(other, &name, sizeof name));
		while (!reap_one(&ring, &cqe))
			ring_enter(&ring, 0, 1, IORING_ENTER_GETEVENTS);
		CHECK(cqe.res > 0 && cqe.user_data == 3 && cqe.flags == IORING_CQE_F_MORE);
	}
	prepare(&ring, IORING_OP_ASYNC_CANCEL, -1, (void *)3, 0, 0, 4);
	run(&ring, "cancel", 2);
}

static void polls(void)
{
	int event = MUST(eventfd(0, 0));
	uint64_t one = 1;
	prepare(&ring, IORING_OP_POLL_ADD, event, NULL, 0, 0, 1)->poll32_events = POLLIN;
	prepare(&ring, IORING_OP_POLL_ADD, event, NULL, 0, 0, 2)->poll32_events = POLLOUT;
	run(&ring, "poll for writing", 1);
	MUST(write(event, &one, 8));
	show_completions(&ring, 1);
	MUST(read(event, &one, 8));
	prepare(&ring, IORING_OP_POLL_ADD, event, NULL, IORING_POLL_ADD_MULTI, 0, 3)->poll32_events = POLLIN;
	SHOW(submit(&ring, 0));
	for (int i = 0; i < 3; i++) {
		MUST(write(event, &one, 8));
		show_completions(&ring, 1);
		MUST(read(event, &one, 8));
	}
	prepare(&ring, IORING_OP_POLL_REMOVE, -1, (void *)3, 0, 0, 4);
	run(&ring, "remove", 2);
	prepare(&ring, IORING_OP_POLL_REMOVE, -1, (void *)3, 0, 0, 5);
	run(&ring, "remove again", 1);
	prepare(&ring, IORING_OP_POLL_ADD, event, NULL, 0, 0, 6)->poll32_events = POLLIN;
	prepare(&ring, IORING_OP_POLL_REMOVE, -1, (void *)6, IORING_POLL_UPDATE_EVENTS, 0, 7)->poll32_events = POLLOUT;
	run(&ring, "update", 2);
	close(event);
}

static void timeouts(void)
{
	span soon = {0, 20000000}, late = {100, 0}, now = {0, 0};
	prepare(&ring, IORING_OP_TIMEOUT, -1, &soon, 1, 0, 1);
	run(&ring, "timeout", 1);
	prepare(&ring, IORING_OP_TIMEOUT, -1, &soon, 1, 0, 2)->timeout_flags = IORING_TIMEOUT_ETIME_SUCCESS;
	run(&ring, "timeout that is no failure", 1);
	prepare(&ring, IORING_OP_TIMEOUT, -1, &late, 1, 2, 3);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 4);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 5);
	run(&ring, "timeout that counts", 3);
	prepare(&ring, IORING_OP_TIMEOUT, -1, &late, 1, 0, 6);
	prepare(&ring, IORING_OP_TIMEOUT_REMOVE, -1, (void *)6, 0, 0, 7);
	run(&ring, "remove", 2);
	prepare(&ring, IORING_OP_TIMEOUT_REMOVE, -1, (void *)6, 0, 0, 8);
	run(&ring, "remove again", 1);
	prepare(&ring, IORING_OP_TIMEOUT, -1, &late, 1, 0, 9);
	prepare(&ring, IORING_OP_TIMEOUT_REMOVE, -1, (void *)9, 0, (uintptr_t)&soon, 10)->timeout_flags =
		IORING_TIMEOUT_UPDATE;
	run(&ring, "update", 2);
	prepare(&ring, IORING_OP_TIMEOUT, -1, &now, 1, 0, 11)->timeout_flags = IORING_TIMEOUT_ABS;
	run(&ring, "long ago", 1);
	prepare(&ring, IORING_OP_TIMEOUT, -1, (void *)8, 1, 0, 12);
	run(&ring, "bad address", 1);
	prepare(&ring, IORING_OP_TIMEOUT, -1, &soon, 2, 0, 13);
	run(&ring, "two times", 1);
}

static void chains(void)
{
	int ends[2];
	char buffer[8];
	span soon = {0, 20000000}, late = {100, 0};
	MUST(pipe(ends));
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 1)->flags = IOSQE_IO_LINK;
	prepare(&ring, IORING_OP_READ, 999, buffer, 1, 0, 2)->flags = IOSQE_IO_LINK;
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 3)->flags = IOSQE_IO_LINK;
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 4);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 5);
	run(&ring, "a chain that breaks", 5);
	prepare(&ring, IORING_OP_READ, 999, buffer, 1, 0, 1)->flags = IOSQE_IO_HARDLINK;
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 2);
	run(&ring, "a hard link", 2);
	prepare(&ring, IORING_OP_READ, ends[0], buffer, 4, 0, 1)->flags = IOSQE_IO_LINK;
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 2);
	SHOW(submit(&ring, 0));
	CHECK(!ready(&ring));
	MUST(write(ends[1], "full", 4));
	show_completions(&ring, 2);
	prepare(&ring, IORING_OP_READ, ends[0], buffer, 4, 0, 1)->flags = IOSQE_IO_LINK;
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 2);
	SHOW(submit(&ring, 0));
	MUST(write(ends[1], "ab", 2));
	show_completions(&ring, 2);
	section("linked timeouts");
	prepare(&ring, IORING_OP_READ, ends[0], buffer, 4, 0, 1)->flags = IOSQE_IO_LINK;
	prepare(&ring, IORING_OP_LINK_TIMEOUT, -1, &soon, 1, 0, 2);
	run(&ring, "it fires", 2);
	prepare(&ring, IORING_OP_READ, ends[0], buffer, 4, 0, 1)->flags = IOSQE_IO_LINK;
	prepare(&ring, IORING_OP_LINK_TIMEOUT, -1, &late, 1, 0, 2);
	SHOW(submit(&ring, 0));
	MUST(write(ends[1], "ab", 2));
	show_completions(&ring, 2);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 1)->flags = IOSQE_IO_LINK;
	prepare(&ring, IORING_OP_LINK_TIMEOUT, -1, &late, 1, 0, 2);
	run(&ring, "nothing to wait for", 2);
	prepare(&ring, IORING_OP_LINK_TIMEOUT, -1, &late, 1, 0, 2);
	run(&ring, "linked to nothing", 1);
	section("drain");
	prepare(&ring, IORING_OP_READ, ends[0], buffer, 2, 0, 1);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 2)->flags = IOSQE_IO_DRAIN;
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 3);
	SHOW(submit(&ring, 0));
	CHECK(!ready(&ring));
	MUST(write(ends[1], "ab", 2));
	show_completions(&ring, 3);
	section("silence");
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 1)->flags = IOSQE_CQE_SKIP_SUCCESS;
	prepare(&ring, IORING_OP_READ, 999, buffer, 1, 0, 2)->flags = IOSQE_CQE_SKIP_SUCCESS;
	run(&ring, "success is not told", 1);
	close(ends[0]), close(ends[1]);
}

static void cancelling(void)
{
	int ends[2], more[2];
	char buffer[8];
	MUST(pipe(ends));
	MUST(pipe(more));
	prepare(&ring, IORING_OP_READ, ends[0], buffer, 1, 0, 21);
	prepare(&ring, IORING_OP_ASYNC_CANCEL, -1, (void *)21, 0, 0, 22);
	run(&ring, "by number", 2);
	prepare(&ring, IORING_OP_ASYNC_CANCEL, -1, (void *)77, 0, 0, 3);
	run(&ring, "of what never was", 1);
	for (int i = 0; i < 3; i++)
		prepare(&ring, IORING_OP_READ, ends[0], buffer, 1, 0, 31);
	prepare(&ring, IORING_OP_ASYNC_CANCEL, -1, (void *)31, 0, 0, 32)->cancel_flags = IORING_ASYNC_CANCEL_ALL;
	run(&ring, "all of a number", 4);
	prepare(&ring, IORING_OP_READ, ends[0], buffer, 1, 0, 1);
	prepare(&ring, IORING_OP_READ, more[0], buffer, 1, 0, 2);
	prepare(&ring, IORING_OP_READ, more[0], buffer, 1, 0, 3);
	prepare(&ring, IORING_OP_ASYNC_CANCEL, more[0], NULL, 0, 0, 4)->cancel_flags =
		IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
	run(&ring, "by file", 3);
	prepare(&ring, IORING_OP_ASYNC_CANCEL, -1, NULL, 0, 0, 5)->cancel_flags = IORING_ASYNC_CANCEL_ANY;
	run(&ring, "any", 2);
	/* A file that is closed while a request reads from it. */
	prepare(&ring, IORING_OP_READ, ends[0], buffer, 1, 0, 6);
	SHOW(submit(&ring, 0));
	close(ends[0]);
	MUST(write(ends[1], "!", 1));
	show_completions(&ring, 1);
}

int main(void)
{
	ring_open(&ring, 32, 0, 0);
	section("pipes");
	pipes();
	section("sockets");
	sockets();
	section("connections");
	connections();
	section("polls");
	polls();
	section("timeouts");
	timeouts();
	section("chains");
	chains();
	section("cancelling");
	ring_close(&ring);
	ring_open(&ring, 32, 0, 0);
	cancelling();
	return 0;
}

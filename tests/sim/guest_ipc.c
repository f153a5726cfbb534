/* guest_ipc.c - guests that talk to one another: pipes, sockets, epoll, eventfd. What was sent must arrive, in order
 * and once; whoever waits must be woken.
 */
#include "tests/sim/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define RECORDS 40
#define WRITERS 2

enum { W_IN = W_FIRST, W_OUT, W_ID, W_SEQ, W_HAVE, W_PART, W_NEXT, W_LAST = W_NEXT + WRITERS, W_TOTAL, W_EPOLL, W_PID };

static bool try_again(int64_t result)
{
	return result == -EINTR || result == -EAGAIN ||
	       (!sim.config.strict && (result == -ENOMEM || result == -ENOBUFS));
}

/* Puts the 8-byte records together that came in pieces, and looks at each: id in the high half, number in the low one.
 */
static void take_records(struct cpu *c, int64_t bytes)
{
	for (int64_t i = 0; i < bytes; i++) {
		uint8_t byte = 0;
		guest_read(c, &byte, BUF + (uint64_t)i, 1);
		SET(W_PART, (uint64_t)GET(W_PART) >> 8 | (uint64_t)byte << 56);
		SET(W_HAVE, GET(W_HAVE) + 1);
		if (GET(W_HAVE) < 8)
			continue;
		uint64_t record = (uint64_t)GET(W_PART), id = record >> 32, seq = record & UINT32_MAX;
		EXPECT(id < WRITERS, "a record that nobody wrote: %lx", record);
		if (id >= WRITERS)
			return;
		EXPECT((int64_t)seq == GET(W_NEXT + id), "record %lu of writer %lu, %ld is next", seq, id,
		       GET(W_NEXT + id));
		SET(W_NEXT + id, seq + 1);
		SET(W_HAVE, 0);
	}
}

void guest_pipe_writer(struct cpu *c)
{
	BEGIN;
	SYS(SYS_close, GET(W_IN));
	for (SET(W_SEQ, 0); GET(W_SEQ) < RECORDS;) {
		guest_store(c, BUF, (uint64_t)GET(W_ID) << 32 | (uint64_t)GET(W_SEQ));
		SYS(SYS_write, GET(W_OUT), BUF, 8);
		if (RESULT == 8)
			SET(W_SEQ, GET(W_SEQ) + 1);
		else if (RESULT == -EPIPE)
			break;
		else
			EXPECT(try_again(RESULT), "write %ld", RESULT);
	}
	EXIT(0);
	END;
}

/* Several writers, one pipe or stream socket: the records of each come in their order. */
void guest_pipe(struct cpu *c)
{
	BEGIN;
	for (SET(W_ID, 0); GET(W_ID) < W_LAST - W_HAVE; SET(W_ID, GET(W_ID) + 1))
		SET(W_HAVE + GET(W_ID), 0);
	if (RANDOM(2))
		SYS(SYS_pipe2, BUF, 0);
	else
		SYS(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, BUF);
	EXPECT(!sim.config.strict || RESULT == 0, "pipe %ld", RESULT);
	if (RESULT)
		EXIT(0);
	SET(W_IN, guest_load32(c, BUF));
	SET(W_OUT, guest_load32(c, BUF + 4));
	for (SET(W_ID, 0); GET(W_ID) < WRITERS; SET(W_ID, GET(W_ID) + 1)) {
		SYS(SYS_fork);
		if (RESULT == 0) {
			c->r.rip = guest_address(guest_pipe_writer);
			return;
		}
	}
	SYS(SYS_close, GET(W_OUT));
	for (;;) {
		SYS(SYS_read, GET(W_IN), BUF, 1 + RANDOM(600));
		if (RESULT == 0)
			break;
		EXPECT(RESULT > 0 || try_again(RESULT) || RESULT == -ECONNRESET, "read %ld", RESULT);
		if (RESULT == -ECONNRESET)
			break;
		take_records(c, RESULT);
	}
	for (SET(W_ID, 0); sim.config.strict && GET(W_ID) < WRITERS; SET(W_ID, GET(W_ID) + 1))
		EXPECT(GET(W_NEXT + GET(W_ID)) == RECORDS, "%ld records have come", GET(W_NEXT + GET(W_ID)));
	do {
		SYS(SYS_wait4, -1, BUF, 0, 0);
	} while (RESULT > 0 || RESULT == -EINTR);
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ descriptors that
 * travel */

/* A message of one byte with the descriptor in it; the header is at the end of the buffer. */
static uint64_t rights_message(struct cpu *c, int fd, bool sending)
{
	struct iovec iov = {(void *)BUF, 1};
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct msghdr header = {.msg_iov = (void *)(BUF + 64),
				.msg_iovlen = 1,
				.msg_control = (void *)(BUF + 128),
				.msg_controllen = sizeof control};
	struct cmsghdr *cmsg = (void *)control;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
	guest_write(c, BUF + 64, &iov, sizeof iov);
	if (sending)
		guest_write(c, BUF + 128, control, sizeof control);
	guest_write(c, BUF + 256, &header, sizeof header);
	return BUF + 256;
}

void guest_rights_child(struct cpu *c)
{
	BEGIN;
	SYS(SYS_close, GET(W_IN));
	for (;;) {
		SYS(SYS_recvmsg, GET(W_OUT), rights_message(c, -1, false), 0);
		if (try_again(RESULT))
			continue;
		if (RESULT <= 0)
			break;
		SET(W_ID, guest_load32(c, BUF + 128 + CMSG_LEN(0)));
		EXPECT(!sim.config.strict || guest_load32(c, BUF + 128) == CMSG_LEN(sizeof(int)), "no descriptor came");
		guest_store(c, BUF, 0x61);
		SYS(SYS_write, GET(W_ID), BUF, 1);
		EXPECT(!sim.config.strict || RESULT == 1, "write to what came: %ld", RESULT);
		SYS(SYS_close, GET(W_ID));
	}
	EXIT(0);
	END;
}

/* The writing end of a pipe travels to a child; when that has closed it, nobody has it, and the reader sees the end. */
void guest_rights(struct cpu *c)
{
	BEGIN;
	SYS(SYS_socketpair, AF_UNIX, RANDOM(2) ? SOCK_STREAM : SOCK_SEQPACKET, 0, BUF);
	if (RESULT)
		EXIT(0);
	SET(W_IN, guest_load32(c, BUF));
	SET(W_OUT, guest_load32(c, BUF + 4));
	SYS(SYS_fork);
	if (RESULT == 0) {
		c->r.rip = guest_address(guest_rights_child);
		return;
	}
	SYS(SYS_close, GET(W_OUT));
	for (SET(W_SEQ, 0); GET(W_SEQ) < 10; SET(W_SEQ, GET(W_SEQ) + 1)) {
		SYS(SYS_pipe2, BUF, O_CLOEXEC);
		if (RESULT)
			continue;
		SET(W_NEXT, guest_load32(c, BUF));
		SET(W_OUT, guest_load32(c, BUF + 4));
		SYS(SYS_sendmsg, GET(W_IN), rights_message(c, (int)GET(W_OUT), true), MSG_NOSIGNAL);
		EXPECT(!sim.config.strict || RESULT == 1, "sendmsg %ld", RESULT);
		SYS(SYS_close, GET(W_OUT));
		do {
			SYS(SYS_read, GET(W_NEXT), BUF, 4);
		} while (RESULT > 0 || RESULT == -EINTR);
		EXPECT(!sim.config.strict || RESULT == 0, "read %ld", RESULT);
		SYS(SYS_close, GET(W_NEXT));
	}
	SYS(SYS_close, GET(W_IN));
	SYS(SYS_wait4, -1, BUF, 0, 0);
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ epoll */

void guest_epoll_child(struct cpu *c)
{
	BEGIN;
	SYS(SYS_close, GET(W_IN));
	for (SET(W_SEQ, 0); GET(W_SEQ) < 20; SET(W_SEQ, GET(W_SEQ) + 1)) {
		SYS(SYS_write, GET(W_OUT), BUF, 1 + RANDOM(300));
		if (!RANDOM(3)) {
			guest_store(c, BUF + 1024, 0);
			guest_store(c, BUF + 1032, RANDOM(100000));
			SYS(SYS_nanosleep, BUF + 1024, 0);
		}
	}
	EXIT(0);
	END;
}

/* Edge-triggered or not: every byte and the end come to light. In a strict world a lost wake-up is for ever. */
void guest_epoll(struct cpu *c)
{
	struct epoll_event event = {EPOLLIN | (RANDOM(2) ? EPOLLET : 0), {.u64 = 77}};

	BEGIN;
	SYS(SYS_epoll_create1, 0);
	SET(W_EPOLL, RESULT);
	SYS(SYS_pipe2, BUF, O_NONBLOCK);
	if (RESULT || GET(W_EPOLL) < 0)
		EXIT(0);
	SET(W_IN, guest_load32(c, BUF));
	SET(W_OUT, guest_load32(c, BUF + 4));
	guest_write(c, BUF, &event, sizeof event);
	SYS(SYS_epoll_ctl, GET(W_EPOLL), EPOLL_CTL_ADD, GET(W_IN), BUF);
	if (RESULT)
		EXIT(0);
	SYS(SYS_fork);
	if (RESULT == 0) {
		c->r.rip = guest_address(guest_epoll_child);
		return;
	}
	SYS(SYS_close, GET(W_OUT));
	for (;;) {
		SYS(SYS_epoll_wait, GET(W_EPOLL), BUF, 4, -1);
		EXPECT(RESULT == 1 || try_again(RESULT), "epoll_wait %ld", RESULT);
		if (RESULT == 1)
			EXPECT(guest_load(c, BUF + 4) == 77, "an event with cookie %lu", guest_load(c, BUF + 4));
		do {
			SYS(SYS_read, GET(W_IN), BUF, 100);
		} while (RESULT > 0);
		if (RESULT == 0)
			break;
		EXPECT(try_again(RESULT), "read %ld", RESULT);
	}
	SYS(SYS_wait4, -1, BUF, 0, 0);
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ eventfd */

/* Two processes hand a token to and fro. */
void guest_eventfd(struct cpu *c)
{
	BEGIN;
	SYS(SYS_eventfd2, 0, EFD_SEMAPHORE);
	SET(W_IN, RESULT);
	SYS(SYS_eventfd2, 0, 0);
	SET(W_OUT, RESULT);
	if (RESULT < 0 || GET(W_IN) < 0)
		EXIT(0);
	SYS(SYS_fork);
	SET(W_PID, RESULT);
	if (RESULT < 0)
		EXIT(0);
	if (RESULT == 0) {
		SET(W_ID, GET(W_IN));
		SET(W_IN, GET(W_OUT));
		SET(W_OUT, GET(W_ID));
	}
	for (SET(W_SEQ, 0); GET(W_SEQ) < 30;) {
		if (GET(W_PID)) {
			guest_store(c, BUF, 1);
			SYS(SYS_write, GET(W_OUT), BUF, 8);
			EXPECT(!sim.config.strict || RESULT == 8, "write %ld", RESULT);
		}
		do {
			SYS(SYS_read, GET(W_IN), BUF, 8);
		} while (RESULT == -EINTR);
		EXPECT(!sim.config.strict || (RESULT == 8 && guest_load(c, BUF) == 1), "read %ld", RESULT);
		if (!GET(W_PID)) {
			guest_store(c, BUF, 1);
			SYS(SYS_write, GET(W_OUT), BUF, 8);
		}
		SET(W_SEQ, GET(W_SEQ) + 1);
	}
	if (GET(W_PID))
		SYS(SYS_wait4, -1, BUF, 0, 0);
	EXIT(0);
	END;
}

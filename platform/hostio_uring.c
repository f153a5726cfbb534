/* hostio_uring.c - the io_uring backend of hostio.c.
 *
 * Theory: one ring, made before the jail closes and restricted for good (IORING_REGISTER_RESTRICTIONS) to the seven
 * operations below: a ring is a second way into the kernel that seccomp does not see, so a taken-over sentry must find
 * nothing there. Submissions are collected and go down with the next collect; its one io_uring_enter also waits. The
 * doorbell is a FUTEX_WAIT operation, armed before a sleep and left armed until it completes: a guest's FUTEX_WAKE
 * completes it whether we sleep or not. With DEFER_TASKRUN completions are posted by our own enter only, so a collect
 * that must not sleep costs two loads when nothing has happened.
 *
 * liburing sets the ring up and fills entries; entering the kernel afterwards is ours (host_io_uring_enter).
 *
 * Limits: Linux 6.7 for FUTEX_WAIT; below, the epoll backend serves.
 */
#include "platform/host.h"
#include "platform/hostio_backend.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <liburing.h>
#include <linux/futex.h>

#define SQ_ENTRIES 512
#define CQ_ENTRIES 8192

/* Debian 12's headers are older than these. Linux, include/uapi/linux/io_uring.h and futex.h. */
#define OP_FUTEX_WAIT 51
#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 0x02
#endif

/* user_data: a handle, or one of these. */
#define DATA_NOTHING  UINT64_MAX
#define DATA_DOORBELL (UINT64_MAX - 1)

static struct io_uring ring;
static unsigned enter_flags;
static unsigned in_flight; /* operations that will complete, the doorbell not counted */
static struct {
	uint32_t *word;
	uint32_t expected;
	bool armed, cancelling;
} bell;

/* Gives everything queued to the kernel; with wait, sleeps for one completion. */
static int enter(unsigned wait, const struct io_uring_getevents_arg *argument)
{
	struct io_uring_sq *sq = &ring.sq;
	unsigned flags = enter_flags | IORING_ENTER_GETEVENTS | (argument ? IORING_ENTER_EXT_ARG : 0);

	/* As liburing's own flush: the index array was made one to one at set-up. */
	sq->sqe_head = sq->sqe_tail;
	io_uring_smp_store_release(sq->ktail, sq->sqe_tail);
	unsigned count = sq->sqe_tail - io_uring_smp_load_acquire(sq->khead);
	return host_io_uring_enter(ring.enter_ring_fd, count, wait, flags, argument, argument ? sizeof *argument : 0);
}

static struct io_uring_sqe *next_sqe(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe) {
		enter(0, NULL);
		sqe = io_uring_get_sqe(&ring);
	}
	assert(sqe); /* the kernel takes all of a full queue, or posts what is wrong with an entry */
	return sqe;
}

static bool anything_queued(void)
{
	return ring.sq.sqe_tail != io_uring_smp_load_acquire(ring.sq.khead);
}

static void queue(struct io_uring_sqe *sqe, uint64_t data)
{
	sqe->user_data = data;
	if (data != DATA_DOORBELL)
		in_flight++;
}

static int restrict_ring(void)
{
	static const uint8_t allowed[] = {
		IORING_OP_READ,  IORING_OP_POLL_ADD, IORING_OP_POLL_REMOVE, IORING_OP_ASYNC_CANCEL,
		IORING_OP_FSYNC, IORING_OP_NOP,      OP_FUTEX_WAIT,
	};
	struct io_uring_restriction rules[COUNT(allowed) + 1] = {0};

	for (unsigned i = 0; i < COUNT(allowed); i++) {
		rules[i].opcode = IORING_RESTRICTION_SQE_OP;
		rules[i].sqe_op = allowed[i];
	}
	/* No flag of an entry: no fixed files, no links, no buffer selection. No registration ever again. */
	rules[COUNT(allowed)].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	return io_uring_register_restrictions(&ring, rules, COUNT(rules));
}

/* FUTEX_WAIT on a word that differs completes at once with EAGAIN where the operation exists, and with EINVAL where
 * not. */
static int probe_futex(void)
{
	static uint32_t word = 1;
	struct io_uring_sqe *sqe = next_sqe();
	struct io_uring_cqe *cqe;
	int result = -EOPNOTSUPP;
	unsigned head, seen = 0;

	io_uring_prep_rw(OP_FUTEX_WAIT, sqe, FUTEX2_SIZE_U32, &word, 0, 0);
	sqe->addr3 = FUTEX_BITSET_MATCH_ANY;
	queue(sqe, DATA_NOTHING);
	if (enter(1, NULL) < 0)
		return -EOPNOTSUPP;
	io_uring_for_each_cqe(&ring, head, cqe)
	{
		result = cqe->res == -EAGAIN ? 0 : -EOPNOTSUPP;
		seen++;
		in_flight--;
	}
	io_uring_cq_advance(&ring, seen);
	return result;
}

static int start_with(unsigned flags)
{
	struct io_uring_params params = {.flags = flags | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE |
						  IORING_SETUP_CLAMP,
					 .cq_entries = CQ_ENTRIES};
	int error = io_uring_queue_init_params(SQ_ENTRIES, &ring, &params);

	if (error)
		return error;
	if (!(params.features & IORING_FEAT_EXT_ARG) || !(params.features & IORING_FEAT_NODROP))
		error = -EOPNOTSUPP;
	enter_flags = 0;
	if (!error && io_uring_register_ring_fd(&ring) == 1)
		enter_flags = IORING_ENTER_REGISTERED_RING;
	if (!error)
		error = restrict_ring();
	if (!error)
		error = io_uring_enable_rings(&ring);
	if (!error)
		error = probe_futex();
	if (error)
		io_uring_queue_exit(&ring);
	return error;
}

static int uring_start(void)
{
	/* Linux 6.1 knows all of these flags; anything older lacks FUTEX_WAIT too. */
	return start_with(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
			  IORING_SETUP_TASKRUN_FLAG);
}

static void uring_poll_add(int handle, int host_fd, short events)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_poll_add(sqe, host_fd, (unsigned)(unsigned short)events);
	queue(sqe, (uint64_t)handle);
}

static void uring_poll_cancel(int handle, int host_fd)
{
	struct io_uring_sqe *sqe = next_sqe();

	(void)host_fd;
	io_uring_prep_poll_remove(sqe, (uint64_t)handle);
	queue(sqe, DATA_NOTHING);
	/* Now, because the poll itself may still be queued under a number that its owner is about to close. */
	enter(0, NULL);
}

static void uring_read(int handle, int host_fd, void *dst, size_t n, int64_t offset)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_read(sqe, host_fd, dst, (unsigned)n, (uint64_t)offset);
	queue(sqe, (uint64_t)handle);
}

static void uring_sync(int handle, int host_fd)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_fsync(sqe, host_fd, 0);
	queue(sqe, (uint64_t)handle);
}

static void cancel_data(uint64_t data)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_cancel64(sqe, data, 0);
	queue(sqe, DATA_NOTHING);
}

static void uring_cancel(int handle)
{
	cancel_data((uint64_t)handle);
}

static void arm_bell(uint32_t *word, uint32_t expected)
{
	struct io_uring_sqe *sqe;

	if (bell.armed && bell.word == word && bell.expected == expected)
		return;
	if (bell.armed && !bell.cancelling) { /* another word: the old one ends first, which also ends the sleep */
		cancel_data(DATA_DOORBELL);
		bell.cancelling = true;
	}
	if (bell.armed)
		return;
	sqe = next_sqe();
	io_uring_prep_rw(OP_FUTEX_WAIT, sqe, FUTEX2_SIZE_U32, word, 0, expected);
	sqe->addr3 = FUTEX_BITSET_MATCH_ANY;
	queue(sqe, DATA_DOORBELL);
	bell.word = word;
	bell.expected = expected;
	bell.armed = true;
	bell.cancelling = false;
}

static unsigned reap(void)
{
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0;

	/* One at a time: what is notified may queue more, and enter the kernel. */
	for (;;) {
		bool found = false;
		uint64_t data = 0;
		int result = 0;
		io_uring_for_each_cqe(&ring, head, cqe)
		{
			found = true;
			data = cqe->user_data;
			result = cqe->res;
			break;
		}
		if (!found)
			return seen;
		io_uring_cq_advance(&ring, 1);
		seen++;
		if (data == DATA_DOORBELL) {
			bell.armed = false;
			continue;
		}
		assert(in_flight);
		in_flight--;
		if (data != DATA_NOTHING)
			hostio_done((int)data, result);
	}
}

static void uring_collect(bool may_sleep, uint32_t *doorbell, uint32_t expected, uint64_t deadline_ns)
{
	unsigned seen = reap();
	unsigned waiting = IO_URING_READ_ONCE(*ring.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);

	if (!may_sleep || seen) {
		if (anything_queued() || waiting) {
			enter(0, NULL);
			reap();
		}
		return;
	}
	if (doorbell)
		arm_bell(doorbell, expected);
	if (doorbell && READ_ONCE(*doorbell) != expected && !anything_queued())
		return;
	uint64_t now = host_monotonic_ns();
	uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
	struct __kernel_timespec timeout = {(int64_t)(left / NS_PER_S), (long long)(left % NS_PER_S)};
	struct io_uring_getevents_arg argument = {.sigmask_sz = 8,
						  .ts = deadline_ns == DEADLINE_NONE ? 0 : (uint64_t)&timeout};
	enter(left || deadline_ns == DEADLINE_NONE ? 1 : 0, &argument);
	reap();
}

const struct hostio_ops hostio_uring = {
	.start = uring_start,
	.poll_add = uring_poll_add,
	.poll_cancel = uring_poll_cancel,
	.read = uring_read,
	.sync = uring_sync,
	.cancel = uring_cancel,
	.collect = uring_collect,
};

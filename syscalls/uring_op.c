/* uring_op.c - the operations of io_uring: how each is checked, where it may run, what it does.
 *
 * Most are system calls that exist already, with arguments from the submission. What the submission points to is copied
 * when it is taken, so that the guest may reuse it at once: pieces of vectors, names, times. (Not so message headers,
 * socket addresses and what is written to: they have to stay until the completion.)
 *
 * An operation on a file that is not ready never waits inside io_uring_enter: it asks the file (file_poll), and answers
 * URING_AGAIN to be tried when the file says so. No other fiber runs between the question and the transfer, so a second
 * reader cannot come between. Where readiness is no promise (large writes to a pipe, MSG_WAITALL) and for what may wait
 * for something else (opening a FIFO, splice) the operation goes to a worker, which may wait.
 *
 * Limits: no buffer selection, no direct descriptors, no multishot receive, no zero-copy, no commands, no extended
 * attributes; IORING_OP_FILES_UPDATE without allocation.
 */
#include "fs/socket.h"
#include "sentry/abi/stat.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "syscalls/handlers.h"
#include "syscalls/io_transfer.h"
#include "syscalls/uring.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#define SPLICE_FD_IN_FIXED   (1u << 31)  /* SPLICE_F_FD_IN_FIXED */
#define RWF_NOWAIT_FLAG      8u          /* RWF_NOWAIT */
#define MSG_CMSG_COMPAT_FLAG 0x80000000u /* of 32-bit programs */

struct op {
	int (*prepare)(struct task *task, struct uring_request *request);
	long (*run)(struct task *task, struct uring_request *request);
	bool (*waits)(const struct uring_request *request); /* needs a worker; NULL: never */
	bool file;                                          /* sqe.fd is an open file */
};

static bool always(const struct uring_request *request)
{
	(void)request;
	return true;
}

/* Fields that the operation does not know must be zero: bits of what is looked at. */
#define NO_OFF   1u
#define NO_ADDR  2u
#define NO_LEN   4u
#define NO_FLAGS 8u
#define NO_BUF   16u
#define NO_INDEX 32u
#define NO_PRIO  64u

static int zero(const struct uring_request *request, uint32_t fields)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	bool bad = (fields & NO_OFF && sqe->off) || (fields & NO_ADDR && sqe->addr) || (fields & NO_LEN && sqe->len) ||
		   (fields & NO_FLAGS && sqe->rw_flags) || (fields & NO_BUF && sqe->buf_index) ||
		   (fields & NO_INDEX && sqe->splice_fd_in) || (fields & NO_PRIO && sqe->ioprio);

	return bad ? -EINVAL : 0;
}

static int path_take(struct task *task, struct uring_request *request, unsigned which, uint64_t at)
{
	char text[PATH_LIMIT];
	struct user user = task_user(task);
	ssize_t length = aspace_read_string(user.as, user.thread, text, UADDR(at), sizeof text);

	if (length < 0)
		return (int)length;
	request->paths[which] = arena_string(text);
	return request->paths[which] ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------------------------------------ reading, writing */

static bool is_write(const struct uring_request *request)
{
	unsigned op = request->sqe.opcode;

	return op == IORING_OP_WRITE || op == IORING_OP_WRITEV || op == IORING_OP_WRITE_FIXED;
}

static bool is_fixed(const struct uring_request *request)
{
	return uring_op_is(request, IORING_OP_READ_FIXED) || uring_op_is(request, IORING_OP_WRITE_FIXED);
}

static int prepare_rw(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	bool vector = sqe->opcode == IORING_OP_READV || sqe->opcode == IORING_OP_WRITEV;
	int error = zero(request, NO_PRIO);

	if (error)
		return error;
	if (vector) {
		error = io_parts_read(task, UADDR(sqe->addr), sqe->len, &request->parts);
		request->part_count = request->parts ? sqe->len : 0;
		return error;
	}
	request->part = (struct uio_part){sqe->addr, sqe->len};
	request->parts = &request->part;
	request->part_count = 1;
	return io_parts_check(&request->part, 1);
}

/* A registered buffer holds all of it? */
static int check_fixed(const struct uring_request *request)
{
	const struct uring *ring = request->ring;
	uint32_t index = request->sqe.buf_index;

	if (index >= ring->buffer_count)
		return -EFAULT;
	const struct uio_part *buffer = &ring->buffers[index];
	uint64_t offset = request->part.base - buffer->base;
	bool inside = request->part.base >= buffer->base && offset <= buffer->size &&
		      request->part.size <= buffer->size - offset;
	return inside ? 0 : -EFAULT;
}

static uint64_t parts_total(const struct uring_request *request)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < request->part_count; i++)
		total += request->parts[i].size;
	return total;
}

/* O_NONBLOCK does not matter: a request waits as long as its file can be polled. */
static bool never_waits(const struct file *file)
{
	return !file_ops(file)->poll || S_ISREG(file->inode->mode);
}

/* POLLOUT of a pipe is room for PIPE_BUF; of others it says less. */
static bool write_waits(const struct uring_request *request)
{
	const struct file *file = request->file;
	bool small = (file->kind == FILE_PIPE || file->kind == FILE_FIFO || file->kind == FILE_EVENTFD) &&
		     parts_total(request) <= PIPE_BUF;

	return is_write(request) && !never_waits(file) && !small;
}

static long run_rw(struct task *task, struct uring_request *request)
{
	struct io_move move = {.file = request->file,
			       .parts = request->parts,
			       .count = request->part_count,
			       .offset = (int64_t)request->sqe.off,
			       .write = is_write(request),
			       .flags = (int)request->sqe.rw_flags};
	uint32_t events = move.write ? POLLOUT : POLLIN;
	int error = is_fixed(request) ? check_fixed(request) : 0;

	if (error)
		return error;
	if (!request->may_wait && !never_waits(move.file) &&
	    !(file_poll(move.file, NULL) & (events | POLLHUP | POLLERR))) {
		request->poll_events = events;
		return move.flags & RWF_NOWAIT_FLAG ? -EAGAIN : URING_AGAIN;
	}
	uint64_t wanted = parts_total(request);
	long done = io_move(task, &move);
	if (done == -EAGAIN && !never_waits(move.file) && !(move.flags & RWF_NOWAIT_FLAG)) {
		request->poll_events = events;
		return URING_AGAIN;
	}
	request->short_transfer = done >= 0 && (uint64_t)done < wanted;
	return done;
}

/* ------------------------------------------------------------------------------------------------ files */

static int prepare_sync(struct task *task, struct uring_request *request)
{
	(void)task;
	if (request->sqe.fsync_flags & ~IORING_FSYNC_DATASYNC)
		return -EINVAL;
	return zero(request, NO_ADDR | NO_BUF | NO_INDEX | NO_PRIO);
}

static long run_sync(struct task *task, struct uring_request *request)
{
	if (request->sqe.fsync_flags & IORING_FSYNC_DATASYNC)
		return sys_fdatasync(task, request->file);
	return sys_fsync(task, request->file);
}

static int prepare_sync_range(struct task *task, struct uring_request *request)
{
	(void)task;
	return zero(request, NO_ADDR | NO_BUF | NO_INDEX | NO_PRIO);
}

static long run_sync_range(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_sync_file_range(task, request->file, (int64_t)sqe->off, sqe->len, sqe->sync_range_flags);
}

static int prepare_fallocate(struct task *task, struct uring_request *request)
{
	(void)task;
	return zero(request, NO_FLAGS | NO_BUF | NO_INDEX | NO_PRIO);
}

static long run_fallocate(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_fallocate(task, request->file, (int)sqe->len, (int64_t)sqe->off, (int64_t)sqe->addr);
}

static int prepare_fadvise(struct task *task, struct uring_request *request)
{
	(void)task;
	return zero(request, NO_ADDR | NO_BUF | NO_INDEX | NO_PRIO);
}

static long run_fadvise(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_fadvise64(task, request->file, (int64_t)sqe->off, sqe->len, (int)sqe->fadvise_advice);
}

static int prepare_madvise(struct task *task, struct uring_request *request)
{
	(void)task;
	return zero(request, NO_OFF | NO_BUF | NO_INDEX | NO_PRIO);
}

static long run_madvise(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_madvise(task, sqe->addr, sqe->len, (int)sqe->fadvise_advice);
}

static int prepare_close(struct task *task, struct uring_request *request)
{
	(void)task;
	if (request->sqe.flags & IOSQE_FIXED_FILE)
		return -EBADF;
	return zero(request, NO_OFF | NO_ADDR | NO_LEN | NO_FLAGS | NO_BUF | NO_INDEX | NO_PRIO);
}

static long run_close(struct task *task, struct uring_request *request)
{
	struct file *file;
	int error = fd_get(task->files, request->sqe.fd, &file);

	if (error)
		return error;
	bool ring = file->kind == FILE_URING;
	file_put(file);
	return ring ? -EBADF : fd_close(task->files, request->sqe.fd);
}

static int prepare_splice(struct task *task, struct uring_request *request)
{
	(void)task;
	return zero(request, NO_BUF | NO_PRIO);
}

static int splice_source(struct task *task, struct uring_request *request, struct file **out)
{
	bool fixed = request->sqe.splice_flags & SPLICE_FD_IN_FIXED;

	return uring_file_get(task, request->ring, fixed, request->sqe.splice_fd_in, out);
}

static long run_splice(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	int64_t in_pos = (int64_t)sqe->splice_off_in, out_pos = (int64_t)sqe->off;
	struct file *in;
	long result = splice_source(task, request, &in);

	if (result)
		return result;
	result = splice_files(in, in_pos == -1 ? NULL : &in_pos, request->file, out_pos == -1 ? NULL : &out_pos,
			      sqe->len, sqe->splice_flags & ~SPLICE_FD_IN_FIXED);
	file_put(in);
	request->short_transfer = result >= 0 && result < sqe->len;
	return result;
}

static long run_tee(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	struct file *in;

	if (sqe->splice_off_in || sqe->off)
		return -EINVAL;
	long result = splice_source(task, request, &in);
	if (result)
		return result;
	result = sys_tee(task, in, request->file, sqe->len, sqe->splice_flags & ~SPLICE_FD_IN_FIXED);
	file_put(in);
	request->short_transfer = result >= 0 && result < sqe->len;
	return result;
}

static long run_epoll_ctl(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_epoll_ctl(task, sqe->fd, (int)sqe->len, (int)sqe->off, UADDR(sqe->addr));
}

static int prepare_epoll_ctl(struct task *task, struct uring_request *request)
{
	(void)task;
	return zero(request, NO_BUF | NO_INDEX | NO_PRIO);
}

static int prepare_files_update(struct task *task, struct uring_request *request)
{
	(void)task;
	if (request->sqe.flags & IOSQE_FIXED_FILE || !request->sqe.len)
		return -EINVAL;
	return zero(request, NO_FLAGS | NO_INDEX | NO_PRIO);
}

static long run_files_update(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	if (sqe->off > UINT32_MAX)
		return -EINVAL;
	return uring_files_update(task, request->ring, UADDR(sqe->addr), sqe->len, (uint32_t)sqe->off);
}

/* ------------------------------------------------------------------------------------------------ names */

static int prepare_open(struct task *task, struct uring_request *request)
{
	int error = zero(request, NO_BUF | NO_INDEX | NO_PRIO);

	if (request->sqe.flags & IOSQE_FIXED_FILE)
		return -EBADF;
	return error ? error : path_take(task, request, 0, request->sqe.addr);
}

static long run_openat(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_openat(task, sqe->fd, request->paths[0], sqe->open_flags, sqe->len);
}

static long run_openat2(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_openat2(task, sqe->fd, request->paths[0], UADDR(sqe->addr2), sqe->len);
}

static int prepare_statx(struct task *task, struct uring_request *request)
{
	int error = zero(request, NO_BUF | NO_INDEX | NO_PRIO);

	if (request->sqe.flags & IOSQE_FIXED_FILE)
		return -EBADF;
	return error ? error : path_take(task, request, 0, request->sqe.addr);
}

static long run_statx(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	struct abi_statx st = {0};
	long result = sys_statx(task, sqe->fd, request->paths[0], sqe->statx_flags, sqe->len, &st);

	return result ? result : user_write(task_user(task), UADDR(sqe->addr2), &st, sizeof st);
}

static int prepare_one_name(struct task *task, struct uring_request *request)
{
	uint32_t fields = uring_op_is(request, IORING_OP_UNLINKAT) ? NO_OFF | NO_LEN : NO_OFF | NO_FLAGS;
	int error = zero(request, fields | NO_BUF | NO_INDEX | NO_PRIO);

	if (request->sqe.flags & IOSQE_FIXED_FILE)
		return -EBADF;
	return error ? error : path_take(task, request, 0, request->sqe.addr);
}

static long run_unlinkat(struct task *task, struct uring_request *request)
{
	if (request->sqe.unlink_flags & ~(uint32_t)AT_REMOVEDIR)
		return -EINVAL;
	return sys_unlinkat(task, request->sqe.fd, request->paths[0], request->sqe.unlink_flags);
}

static long run_mkdirat(struct task *task, struct uring_request *request)
{
	return sys_mkdirat(task, request->sqe.fd, request->paths[0], request->sqe.len);
}

static int prepare_two_names(struct task *task, struct uring_request *request)
{
	int error = zero(request, NO_BUF | NO_INDEX | NO_PRIO);

	if (request->sqe.flags & IOSQE_FIXED_FILE)
		return -EBADF;
	if (!error)
		error = path_take(task, request, 0, request->sqe.addr);
	return error ? error : path_take(task, request, 1, request->sqe.addr2);
}

static long run_renameat(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_renameat2(task, sqe->fd, request->paths[0], (int)sqe->len, request->paths[1], sqe->rename_flags);
}

static long run_linkat(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_linkat(task, sqe->fd, request->paths[0], (int)sqe->len, request->paths[1], sqe->hardlink_flags);
}

static long run_symlinkat(struct task *task, struct uring_request *request)
{
	if (request->sqe.len || request->sqe.rw_flags)
		return -EINVAL;
	return sys_symlinkat(task, request->paths[0], request->sqe.fd, request->paths[1]);
}

/* ------------------------------------------------------------------------------------------------ sockets */

static bool is_socket(const struct file *file)
{
	return !socket_of((struct file *)file, NULL, NULL);
}

static int prepare_message(struct task *task, struct uring_request *request)
{
	(void)task;
	if (request->sqe.ioprio & ~IORING_RECVSEND_POLL_FIRST || request->sqe.msg_flags & MSG_CMSG_COMPAT_FLAG)
		return -EINVAL;
	return 0;
}

/* A receive that wants everything keeps what it has while it waits for more. */
static bool message_waits(const struct uring_request *request)
{
	return request->sqe.msg_flags & ABI_MSG_WAITALL && is_socket(request->file);
}

static long send_or_receive(struct task *task, struct uring_request *request, uint32_t flags)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	struct uaddr at = UADDR(sqe->addr);

	switch (sqe->opcode) {
	case IORING_OP_SEND:
		return sys_sendto(task, request->file, at, sqe->len, flags | ABI_MSG_NOSIGNAL, UADDR(sqe->addr2),
				  sqe->addr_len);
	case IORING_OP_RECV:
		return sys_recvfrom(task, request->file, at, sqe->len, flags, UADDR_NULL, UADDR_NULL);
	case IORING_OP_SENDMSG:
		return sys_sendmsg(task, request->file, at, flags | ABI_MSG_NOSIGNAL);
	default:
		return sys_recvmsg(task, request->file, at, flags);
	}
}

static long run_message(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	bool sends = sqe->opcode == IORING_OP_SEND || sqe->opcode == IORING_OP_SENDMSG;
	uint32_t tries = request->may_wait ? 0 : ABI_MSG_DONTWAIT;
	long result = send_or_receive(task, request, sqe->msg_flags | tries);

	if (result == -EAGAIN && !(sqe->msg_flags & ABI_MSG_DONTWAIT)) {
		request->poll_events = sends ? POLLOUT : POLLIN;
		return URING_AGAIN;
	}
	bool whole = sqe->opcode == IORING_OP_SEND || (sqe->opcode == IORING_OP_RECV && message_waits(request));
	request->short_transfer = whole && result >= 0 && (uint64_t)result < sqe->len;
	return result;
}

static int prepare_accept(struct task *task, struct uring_request *request)
{
	(void)task;
	if (request->sqe.ioprio & ~IORING_ACCEPT_MULTISHOT)
		return -EINVAL;
	if (request->sqe.ioprio && request->sqe.flags & IOSQE_CQE_SKIP_SUCCESS)
		return -EINVAL;
	return zero(request, NO_LEN | NO_BUF | NO_INDEX);
}

static long run_accept(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	if (!is_socket(request->file))
		return -ENOTSOCK;
	for (;;) {
		if (!never_waits(request->file) && !(file_poll(request->file, NULL) & (POLLIN | POLLHUP | POLLERR))) {
			request->poll_events = POLLIN;
			return URING_AGAIN;
		}
		long fd = sys_accept4(task, request->file, UADDR(sqe->addr), UADDR(sqe->addr2), sqe->accept_flags);
		if (fd == -EAGAIN) {
			request->poll_events = POLLIN;
			return URING_AGAIN;
		}
		if (fd < 0 || !(sqe->ioprio & IORING_ACCEPT_MULTISHOT) || uring_full(request->ring) ||
		    request->cancelled)
			return fd;
		uring_post_more(request, fd);
	}
}

static int prepare_connect(struct task *task, struct uring_request *request)
{
	(void)task;
	return zero(request, NO_LEN | NO_FLAGS | NO_BUF | NO_INDEX | NO_PRIO);
}

static bool connect_waits(const struct uring_request *request)
{
	return is_socket(request->file);
}

static long run_connect(struct task *task, struct uring_request *request)
{
	long result = sys_connect(task, request->file, UADDR(request->sqe.addr), (int)request->sqe.addr2);

	if (result == -EINPROGRESS || result == -EALREADY || (result == -EAGAIN && !request->connecting)) {
		request->connecting = true;
		request->poll_events = POLLOUT;
		return URING_AGAIN;
	}
	return result == -EISCONN && request->connecting ? 0 : result;
}

static int prepare_shutdown(struct task *task, struct uring_request *request)
{
	(void)task;
	return zero(request, NO_OFF | NO_ADDR | NO_FLAGS | NO_BUF | NO_INDEX | NO_PRIO);
}

static long run_shutdown(struct task *task, struct uring_request *request)
{
	return sys_shutdown(task, request->file, (int)request->sqe.len);
}

static int prepare_socket(struct task *task, struct uring_request *request)
{
	(void)task;
	return zero(request, NO_ADDR | NO_FLAGS | NO_BUF | NO_INDEX | NO_PRIO);
}

static long run_socket(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	return sys_socket(task, sqe->fd, (int)sqe->off, (int)sqe->len);
}

/* ------------------------------------------------------------------------------------------------ polls */

static int prepare_poll_add(struct task *task, struct uring_request *request)
{
	(void)task;
	if (request->sqe.len & ~IORING_POLL_ADD_MULTI)
		return -EINVAL;
	if (request->sqe.len && request->sqe.flags & IOSQE_CQE_SKIP_SUCCESS)
		return -EINVAL;
	return zero(request, NO_OFF | NO_ADDR | NO_BUF | NO_PRIO);
}

static long run_poll_add(struct task *task, struct uring_request *request)
{
	bool again = uring_polls_again(request);
	uint32_t now, wanted = request->sqe.poll32_events & 0xffff;

	(void)task;
	int error = uring_poll_arm(request, wanted | POLLERR | POLLHUP, again, &now);
	if (error)
		return error;
	if (!now)
		return URING_PENDING;
	if (!again) {
		request->at_once = true;
		return now;
	}
	uring_post_more(request, now);
	return URING_PENDING;
}

/* The first with this user_data that has begun and is one of these operations (IORING_OP_LAST: any). */
static struct uring_request *target_find(struct uring_request *request, uint64_t user_data, unsigned opcode)
{
	struct uring *ring = request->ring;
	struct uring_request *found = uring_find(ring, user_data);

	for (; found && found->sqe.user_data == user_data; found = uring_next(found)) {
		ring->work++;
		if (found != request && found->began && (opcode == IORING_OP_LAST || uring_op_is(found, opcode)))
			return found;
	}
	return NULL;
}

#define POLL_UPDATE (IORING_POLL_UPDATE_EVENTS | IORING_POLL_UPDATE_USER_DATA)

static int prepare_poll_remove(struct task *task, struct uring_request *request)
{
	uint32_t flags = request->sqe.len;

	(void)task;
	if (flags & ~(POLL_UPDATE | IORING_POLL_ADD_MULTI) || flags == IORING_POLL_ADD_MULTI)
		return -EINVAL;
	if (!(flags & IORING_POLL_UPDATE_USER_DATA) && request->sqe.off)
		return -EINVAL;
	if (!(flags & IORING_POLL_UPDATE_EVENTS) && request->sqe.poll32_events)
		return -EINVAL;
	return zero(request, NO_BUF | NO_INDEX | NO_PRIO);
}

/* The poll begins anew, as it is wanted now. */
static void poll_update(struct uring_request *poll, const struct io_uring_sqe *with)
{
	uring_poll_disarm(poll);
	list_remove(&poll->state_node);
	if (with->len & IORING_POLL_UPDATE_EVENTS) {
		poll->sqe.poll32_events = with->poll32_events;
		poll->sqe.len = with->len & IORING_POLL_ADD_MULTI;
	}
	if (with->len & IORING_POLL_UPDATE_USER_DATA)
		uring_rekey(poll, with->off);
	long result = run_poll_add(NULL, poll);
	if (result != URING_PENDING)
		uring_complete(poll, result);
}

static long run_poll_remove(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	struct uring_request *poll = target_find(request, sqe->addr, IORING_OP_POLL_ADD);

	(void)task;
	if (!poll)
		return -ENOENT;
	if (!(sqe->len & POLL_UPDATE))
		return uring_cancel(poll);
	if (poll->state != URING_POLLING)
		return -EALREADY;
	poll_update(poll, sqe);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ times, cancelling */

static long run_timeout(struct task *task, struct uring_request *request)
{
	(void)task;
	uring_timeout_arm(request);
	return URING_PENDING;
}

/* One that nothing precedes any more. */
static long run_link_timeout(struct task *task, struct uring_request *request)
{
	(void)task, (void)request;
	return -ECANCELED;
}

static int prepare_timeout_remove(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	uint32_t known = IORING_TIMEOUT_UPDATE_MASK | IORING_TIMEOUT_ABS | IORING_TIMEOUT_CLOCK_MASK;

	(void)task;
	if (!(sqe->timeout_flags & IORING_TIMEOUT_UPDATE_MASK) ? sqe->timeout_flags : sqe->timeout_flags & ~known)
		return -EINVAL;
	if (sqe->flags & IOSQE_FIXED_FILE)
		return -EINVAL;
	return zero(request, NO_LEN | NO_BUF | NO_INDEX | NO_PRIO);
}

static long run_timeout_remove(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;

	if (sqe->timeout_flags & IORING_TIMEOUT_UPDATE_MASK)
		return uring_timeout_update(task, request->ring, sqe);
	struct uring_request *timeout = target_find(request, sqe->addr, IORING_OP_TIMEOUT);
	return timeout ? uring_cancel(timeout) : -ENOENT;
}

#define CANCEL_KNOWN                                                                                                   \
	(IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_FD_FIXED)

static int prepare_cancel(struct task *task, struct uring_request *request)
{
	uint32_t flags = request->sqe.cancel_flags;

	(void)task;
	if (flags & ~CANCEL_KNOWN || (flags & IORING_ASYNC_CANCEL_FD && flags & IORING_ASYNC_CANCEL_ANY))
		return -EINVAL;
	if (request->sqe.flags & IOSQE_FIXED_FILE)
		return -EINVAL;
	return zero(request, NO_OFF | NO_LEN | NO_INDEX | NO_PRIO);
}

/* Many may match: each of the ring is looked at once, wherever the end of one takes others along. */
static long cancel_matching(struct uring_request *request, const struct file *file, bool one)
{
	struct uring *ring = request->ring;
	bool any = request->sqe.cancel_flags & IORING_ASYNC_CANCEL_ANY;
	unsigned left = 0, count = 0;
	struct uring_request *each;

	list_for_each (each, &ring->requests, ring_node)
		left++;
	ring->work += left;
	for (; left && !list_empty(&ring->requests); left--) {
		each = list_first(&ring->requests, struct uring_request, ring_node);
		list_remove(&each->ring_node);
		list_push_back(&ring->requests, &each->ring_node);
		bool match = any || (file ? each->file == file : each->sqe.user_data == request->sqe.addr);
		if (each == request || !each->began || !match)
			continue;
		int error = uring_cancel(each);
		if (one)
			return error;
		count += !error;
	}
	return one ? -ENOENT : (long)count;
}

static long run_cancel(struct task *task, struct uring_request *request)
{
	const struct io_uring_sqe *sqe = &request->sqe;
	uint32_t flags = sqe->cancel_flags;
	struct file *file;

	if (!(flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY))) {
		struct uring_request *target = target_find(request, sqe->addr, IORING_OP_LAST);
		return target ? uring_cancel(target) : -ENOENT;
	}
	bool one = !(flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY));
	if (!(flags & IORING_ASYNC_CANCEL_FD))
		return cancel_matching(request, NULL, one);
	int error = uring_file_get(task, request->ring, flags & IORING_ASYNC_CANCEL_FD_FIXED, sqe->fd, &file);
	if (error)
		return error;
	long result = cancel_matching(request, file, one);
	file_put(file);
	return result;
}

/* ------------------------------------------------------------------------------------------------ the table */

static int prepare_nothing(struct task *task, struct uring_request *request)
{
	(void)task, (void)request;
	return 0;
}

static long run_nothing(struct task *task, struct uring_request *request)
{
	(void)task, (void)request;
	return 0;
}

static const struct op ops[IORING_OP_LAST] = {
	[IORING_OP_NOP] = {prepare_nothing, run_nothing, NULL, false},
	[IORING_OP_READV] = {prepare_rw, run_rw, NULL, true},
	[IORING_OP_WRITEV] = {prepare_rw, run_rw, write_waits, true},
	[IORING_OP_FSYNC] = {prepare_sync, run_sync, NULL, true},
	[IORING_OP_READ_FIXED] = {prepare_rw, run_rw, NULL, true},
	[IORING_OP_WRITE_FIXED] = {prepare_rw, run_rw, write_waits, true},
	[IORING_OP_POLL_ADD] = {prepare_poll_add, run_poll_add, NULL, true},
	[IORING_OP_POLL_REMOVE] = {prepare_poll_remove, run_poll_remove, NULL, false},
	[IORING_OP_SYNC_FILE_RANGE] = {prepare_sync_range, run_sync_range, NULL, true},
	[IORING_OP_SENDMSG] = {prepare_message, run_message, message_waits, true},
	[IORING_OP_RECVMSG] = {prepare_message, run_message, message_waits, true},
	[IORING_OP_TIMEOUT] = {uring_timeout_read, run_timeout, NULL, false},
	[IORING_OP_TIMEOUT_REMOVE] = {prepare_timeout_remove, run_timeout_remove, NULL, false},
	[IORING_OP_ACCEPT] = {prepare_accept, run_accept, NULL, true},
	[IORING_OP_ASYNC_CANCEL] = {prepare_cancel, run_cancel, NULL, false},
	[IORING_OP_LINK_TIMEOUT] = {uring_timeout_read, run_link_timeout, NULL, false},
	[IORING_OP_CONNECT] = {prepare_connect, run_connect, connect_waits, true},
	[IORING_OP_FALLOCATE] = {prepare_fallocate, run_fallocate, NULL, true},
	[IORING_OP_OPENAT] = {prepare_open, run_openat, always, false},
	[IORING_OP_CLOSE] = {prepare_close, run_close, NULL, false},
	[IORING_OP_FILES_UPDATE] = {prepare_files_update, run_files_update, NULL, false},
	[IORING_OP_STATX] = {prepare_statx, run_statx, NULL, false},
	[IORING_OP_READ] = {prepare_rw, run_rw, NULL, true},
	[IORING_OP_WRITE] = {prepare_rw, run_rw, write_waits, true},
	[IORING_OP_FADVISE] = {prepare_fadvise, run_fadvise, NULL, true},
	[IORING_OP_MADVISE] = {prepare_madvise, run_madvise, NULL, false},
	[IORING_OP_SEND] = {prepare_message, run_message, message_waits, true},
	[IORING_OP_RECV] = {prepare_message, run_message, message_waits, true},
	[IORING_OP_OPENAT2] = {prepare_open, run_openat2, always, false},
	[IORING_OP_EPOLL_CTL] = {prepare_epoll_ctl, run_epoll_ctl, NULL, false},
	[IORING_OP_SPLICE] = {prepare_splice, run_splice, always, true},
	[IORING_OP_TEE] = {prepare_splice, run_tee, always, true},
	[IORING_OP_SHUTDOWN] = {prepare_shutdown, run_shutdown, NULL, true},
	[IORING_OP_RENAMEAT] = {prepare_two_names, run_renameat, NULL, false},
	[IORING_OP_UNLINKAT] = {prepare_one_name, run_unlinkat, NULL, false},
	[IORING_OP_MKDIRAT] = {prepare_one_name, run_mkdirat, NULL, false},
	[IORING_OP_SYMLINKAT] = {prepare_two_names, run_symlinkat, NULL, false},
	[IORING_OP_LINKAT] = {prepare_two_names, run_linkat, NULL, false},
	[IORING_OP_SOCKET] = {prepare_socket, run_socket, NULL, false},
};

bool uring_op_known(unsigned opcode)
{
	return opcode < COUNT(ops) && ops[opcode].run;
}

int uring_op_prepare(struct task *task, struct uring_request *request)
{
	return ops[request->sqe.opcode].prepare(task, request);
}

long uring_op_run(struct task *task, struct uring_request *request)
{
	return ops[request->sqe.opcode].run(task, request);
}

/* Another identity is a worker's: the submitter's own stays as it is. A wait by hooks alone needs nobody. */
bool uring_op_wants_worker(const struct uring_request *request)
{
	const struct op *op = &ops[request->sqe.opcode];

	if (op->run == run_timeout || op->run == run_poll_add || op->run == run_link_timeout)
		return false;
	return request->cred || request->sqe.flags & IOSQE_ASYNC || (op->waits && op->waits(request));
}

bool uring_op_is(const struct uring_request *request, unsigned opcode)
{
	return request->sqe.opcode == opcode;
}

bool uring_op_has_file(const struct uring_request *request)
{
	return ops[request->sqe.opcode].file;
}

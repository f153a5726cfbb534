/* uring.c - io_uring_setup(2), io_uring_enter(2), io_uring_register(2). What is behind them: uring.h.
 *
 * Limits: no thread that polls the submission queue (IORING_SETUP_SQPOLL), no polled devices, no larger entries; at
 * most SQ_LIMIT submissions and twice as many completions in a ring, as in Linux.
 */
#include "syscalls/uring.h"
#include "sentry/base/limits.h"
#include "sentry/clock.h"
#include "syscalls/give.h"
#include "syscalls/handlers.h"
#include "syscalls/poll.h"
#include <errno.h>
#include <string.h>

#define SQ_LIMIT 32768u
#define CQ_LIMIT (2 * SQ_LIMIT)

#define SETUP_KNOWN                                                                                                    \
	(IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL |                \
	 IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SINGLE_ISSUER |                          \
	 IORING_SETUP_DEFER_TASKRUN)
#define ENTER_KNOWN (IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT | IORING_ENTER_EXT_ARG)
#define FEATURES                                                                                                       \
	(IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS | IORING_FEAT_CUR_PERSONALITY |         \
	 IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG | IORING_FEAT_NATIVE_WORKERS | IORING_FEAT_CQE_SKIP |             \
	 IORING_FEAT_LINKED_FILE)

/* ------------------------------------------------------------------------------------------------ setup */

static uint32_t power_of_two(uint32_t value)
{
	return value <= 1 ? 1 : 1u << (32 - __builtin_clz(value - 1));
}

static int sizes_choose(uint32_t entries, struct io_uring_params *params)
{
	bool clamp = params->flags & IORING_SETUP_CLAMP;

	if (!entries || (entries > SQ_LIMIT && !clamp))
		return -EINVAL;
	params->sq_entries = power_of_two(MIN(entries, SQ_LIMIT));
	if (!(params->flags & IORING_SETUP_CQSIZE)) {
		params->cq_entries = 2 * params->sq_entries;
		return 0;
	}
	if (!params->cq_entries || (params->cq_entries > CQ_LIMIT && !clamp))
		return -EINVAL;
	params->cq_entries = power_of_two(MIN(params->cq_entries, CQ_LIMIT));
	return params->cq_entries < params->sq_entries ? -EINVAL : 0;
}

static int flags_check(const struct io_uring_params *params)
{
	uint32_t flags = params->flags;

	for (unsigned i = 0; i < COUNT(params->resv); i++)
		if (params->resv[i])
			return -EINVAL;
	if (flags & ~SETUP_KNOWN)
		return -EINVAL;
	if (flags & IORING_SETUP_TASKRUN_FLAG && !(flags & (IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN)))
		return -EINVAL;
	return flags & IORING_SETUP_DEFER_TASKRUN && !(flags & IORING_SETUP_SINGLE_ISSUER) ? -EINVAL : 0;
}

static void layout_tell(const struct uring *ring, struct io_uring_params *params)
{
	params->features = FEATURES;
	params->sq_off = (struct io_sqring_offsets){
		.head = offsetof(struct uring_words, sq_head),
		.tail = offsetof(struct uring_words, sq_tail),
		.ring_mask = offsetof(struct uring_words, sq_mask),
		.ring_entries = offsetof(struct uring_words, sq_entries),
		.flags = offsetof(struct uring_words, sq_flags),
		.dropped = offsetof(struct uring_words, sq_dropped),
		.array = (uint32_t)ring->array_at,
	};
	params->cq_off = (struct io_cqring_offsets){
		.head = offsetof(struct uring_words, cq_head),
		.tail = offsetof(struct uring_words, cq_tail),
		.ring_mask = offsetof(struct uring_words, cq_mask),
		.ring_entries = offsetof(struct uring_words, cq_entries),
		.overflow = offsetof(struct uring_words, cq_overflow),
		.cqes = offsetof(struct uring_words, cqes),
		.flags = offsetof(struct uring_words, cq_flags),
	};
}

long sys_io_uring_setup(struct task *task, uint32_t entries, struct uaddr params_at)
{
	struct io_uring_params params;
	struct uring *ring;
	struct file *file;
	int error = user_read(task_user(task), &params, params_at, sizeof params);

	if (!error)
		error = flags_check(&params);
	if (!error)
		error = sizes_choose(entries, &params);
	if (!error)
		error = uring_wait_init();
	if (!error)
		error = uring_new(params.sq_entries, params.cq_entries, params.flags, &ring);
	if (error)
		return error;
	if (params.flags & IORING_SETUP_SINGLE_ISSUER && !ring->disabled)
		ring->issuer = task->tid;
	layout_tell(ring, &params);
	error = uring_file_new(ring, task->cred, &file);
	if (error)
		return error;
	error = user_write(task_user(task), params_at, &params, sizeof params);
	if (error) {
		file_put(file);
		return error;
	}
	return file_give(task, file, true);
}

/* ------------------------------------------------------------------------------------------------ enter */

/* What the last two arguments of io_uring_enter say: a mask of signals, and with IORING_ENTER_EXT_ARG a time. */
struct enter_argument {
	struct uaddr mask;
	uint64_t mask_bytes;
	uint64_t deadline_ns;
};

static int argument_read(struct task *task, uint32_t flags, struct uaddr at, uint64_t size, struct enter_argument *out)
{
	struct io_uring_getevents_arg given;
	struct abi_timespec time;
	uint64_t ns;

	*out = (struct enter_argument){at, size, DEADLINE_NONE};
	if (!(flags & IORING_ENTER_EXT_ARG))
		return 0;
	if (size != sizeof given)
		return -EINVAL;
	int error = user_read(task_user(task), &given, at, sizeof given);
	if (error || given.pad)
		return error ? error : -EINVAL;
	out->mask = UADDR(given.sigmask);
	out->mask_bytes = given.sigmask_sz;
	if (!given.ts)
		return 0;
	error = user_read(task_user(task), &time, UADDR(given.ts), sizeof time);
	if (!error)
		error = timespec_ns(&time, &ns);
	if (!error)
		out->deadline_ns = deadline_after(clock_fresh_ns(), ns);
	return error;
}

/* Moves what found no place, as long as the guest makes some. */
static bool enough(struct uring *ring, uint32_t wanted)
{
	uring_flush(ring);
	return uring_completions(ring) >= wanted;
}

/* PARKS. Until so many completions wait for the guest: 0, -EINTR, -ETIME. */
static long completions_wait(struct task *task, struct uring *ring, uint32_t wanted, const struct enter_argument *with)
{
	wanted = MIN(wanted, ring->cq_entries);
	if (enough(ring, wanted))
		return 0;
	long result = poll_mask_push(task, with->mask, with->mask_bytes);
	if (result)
		return result;
	result = WAIT_EVENT(&ring->wait, enough(ring, wanted), with->deadline_ns);
	poll_mask_pop(task, 0, result == -ERESTARTSYS);
	return result == -ERESTARTSYS ? -EINTR : result == -ETIMEDOUT ? -ETIME : result;
}

static int issuer_check(struct task *task, struct uring *ring)
{
	if (!(ring->flags & IORING_SETUP_SINGLE_ISSUER))
		return 0;
	if (!ring->issuer)
		ring->issuer = task->tid;
	return ring->issuer == task->tid ? 0 : -EEXIST;
}

long sys_io_uring_enter(struct task *task, struct file *file, uint32_t submit, uint32_t wanted, uint32_t flags,
			struct uaddr argument, uint64_t argument_bytes)
{
	struct uring *ring = uring_of(file);
	struct enter_argument with;
	long submitted = 0;

	if (flags & ~ENTER_KNOWN)
		return -EINVAL;
	if (!ring)
		return -EOPNOTSUPP;
	if (ring->disabled)
		return -EBADFD;
	if (submit) {
		submitted = issuer_check(task, ring);
		if (!submitted)
			submitted = uring_submit(task, ring, submit);
		if (submitted != submit)
			return submitted;
	}
	if (!(flags & IORING_ENTER_GETEVENTS))
		return submitted;
	long result = argument_read(task, flags, argument, argument_bytes, &with);
	if (!result)
		result = completions_wait(task, ring, wanted, &with);
	return submitted ? submitted : result;
}

/* ------------------------------------------------------------------------------------------------ register */

long sys_io_uring_register(struct task *task, struct file *file, uint32_t opcode, struct uaddr at, uint32_t count)
{
	struct uring *ring = uring_of(file);

	if (!ring)
		return -EOPNOTSUPP;
	int error = issuer_check(task, ring);
	return error ? error : uring_register(task, ring, opcode, at, count);
}

/* agent.c - the sentry's end of the agents' command rings.
 *
 * Theory. An agent reads commands from a page that guests map read-only and reports on a page that guests can write, so
 * every report is a hint. What may depend on hints, and why that is enough:
 *  - that a batch is done: when the report fails to come, a lane (below) is moved as proof. A guest that forges it
 * early gets its own address space changed a little later than it claimed. A slot may then be written while the agent
 * reads it: the agent compares the slot's number before and after, and dies of a difference.
 *  - results of memory calls: its own address space again.
 *  - what a clone returned is no hint: the agent puts it into the position of an open file (a *lane*) that only agents
 *    and the sentry can reach, registers in, nothing through memory. A lane is held for one clone at a time.
 *  - while no guest thread of an address space exists nobody can write its reply page, and reports are true: scrubs
 *    and key installation rest on that.
 *
 * One fiber at a time talks to an agent. Limits: AGENT_LIMIT_NS for a batch, then the address space is ended.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/systrap/filter.h"
#include "sentry/base/fiber.h"

struct agent_wait {
	struct list node;
	struct aspace *as;
	struct fiber *fiber;
};
static struct list waits = LIST_INIT(waits);

static bool agent_done(const struct aspace *as)
{
	return __atomic_load_n(&as->reply->done, __ATOMIC_ACQUIRE) == as->head;
}

void agents_check(void)
{
	struct agent_wait *wait;

	list_for_each (wait, &waits, node)
		if (wait->as->broken || agent_done(wait->as))
			fiber_wake(wait->fiber);
}

void agents_wake_all(struct aspace *as)
{
	struct agent_wait *wait;

	list_for_each (wait, &waits, node)
		if (wait->as == as)
			fiber_wake(wait->fiber);
	waitq_wake(&as->agent_free, 0);
}

static int agent_lock(struct aspace *as)
{
	while (as->agent_busy && !as->broken)
		if (WAIT_EVENT_DEAF(&as->agent_free, !as->agent_busy || as->broken))
			break;
	if (as->broken)
		return -EIO;
	as->agent_busy = true;
	return 0;
}

static void agent_unlock(struct aspace *as)
{
	as->agent_busy = false;
	waitq_wake(&as->agent_free, 0);
}

static void put(struct aspace *as, const struct agent_call *call, uint64_t extra, uint64_t lane)
{
	struct cmd *cmd = &as->cmd->slot[as->head % CMD_SLOTS];

	__atomic_store_n(&cmd->seq, 0, __ATOMIC_SEQ_CST);
	cmd->nr = call->nr;
	for (int i = 0; i < 6; i++)
		cmd->arg[i] = call->arg[i];
	cmd->extra = extra;
	cmd->lane = lane;
	as->head++;
	__atomic_store_n(&cmd->seq, (uint64_t)as->head, __ATOMIC_SEQ_CST);
}

static unsigned lanes_free(void)
{
	unsigned count = 0;

	for (int i = 0; i < LANES; i++)
		count += !systrap.lane_busy[i];
	return count;
}

/* PARKS. All that are wanted at once, and by somebody who has the agents' locks already: whoever holds a lane waits
 * neither for a lock nor for another lane, so it will be given back. */
static void lanes_take(unsigned count, int lane[])
{
	while (lanes_free() < count)
		(void)!WAIT_EVENT_DEAF(&systrap.lane_free, lanes_free() >= count);
	for (int i = 0; i < LANES && count; i++) {
		if (systrap.lane_busy[i])
			continue;
		systrap.lane_busy[i] = true;
		if (host_lseek(systrap.lane_fd[i], 0, SEEK_SET))
			assert(!"a lane can be rewound");
		lane[--count] = i;
	}
	assert(!count);
}

static void lane_give(int lane)
{
	systrap.lane_busy[lane] = false;
	waitq_wake(&systrap.lane_free, 0);
}

static void publish(struct aspace *as)
{
	/* One command follows the other while a program is loaded: then the agent had better not sleep in between. */
	WRITE_ONCE(as->cmd->spin, list_empty(&as->threads) || as->agent_hot ? poll_agent_spin() : 0);
	__atomic_store_n(&as->cmd->head, as->head, __ATOMIC_SEQ_CST);
	/* Unconditional: an agent that reads only cannot tell us that it sleeps without being forgeable. */
	host_futex_wake(&as->cmd->head, 1);
}

static int64_t lane_position(int lane)
{
	return host_lseek(systrap.lane_fd[lane], 0, SEEK_CUR);
}

/* The report does not come: slow work, or a guest writes over it. A clone's lane tells in any case; for other
 * commands the agent is asked to move one, which it does when it has done all else. */
static bool proven(struct aspace *as, int *lane)
{
	if (*lane < 0) {
		lanes_take(1, lane);
		put(as, &(struct agent_call){SYS_lseek, {FD_LANE0 + (uint64_t)*lane, 1, SEEK_SET}}, 0, 0);
		publish(as);
	}
	return lane_position(*lane) > 0;
}

/* Starts what was put, and waits until all of it is done. lane: of a clone among it, or -1. */
static int go(struct aspace *as, int clone_lane)
{
	struct agent_wait wait = {.as = as, .fiber = fiber_current()};
	uint64_t now = host_monotonic_ns(), deadline = now + AGENT_LIMIT_NS, patience = AGENT_PATIENCE_NS;
	int lane = clone_lane;

	assert(wait.fiber);
	publish(as);
	systrap.stats.agent_batches++;
	list_push_back(&waits, &wait.node);
	while (!as->broken && !agent_done(as)) {
		if (fiber_park_until(now + patience))
			continue;
		now = host_monotonic_ns();
		patience = MIN(2 * patience, 16 * AGENT_PATIENCE_NS);
		if (proven(as, &lane))
			break;
		if (now >= deadline)
			aspace_kill(as, "its agent does not answer");
	}
	list_remove(&wait.node);
	if (lane != clone_lane)
		lane_give(lane);
	return as->broken ? -EIO : 0;
}

int agent_run(struct aspace *as, const struct agent_call *calls, unsigned n)
{
	int error = agent_lock(as);
	uint32_t first;

	assert(n < CMD_SLOTS); /* one is kept for the proof */
	if (error)
		return error;
	first = as->head;
	for (unsigned i = 0; i < n; i++)
		put(as, &calls[i], 0, 0);
	error = go(as, -1);
	for (unsigned i = 0; i < n && !error; i++) {
		int64_t result = READ_ONCE(as->reply->ret[(first + i) % CMD_SLOTS]);
		if (result < 0 && result >= -4095)
			error = (int)result;
	}
	agent_unlock(as);
	return error;
}

/* ------------------------------------------------------------------------------------------------ clones */

/* What the agent put there: its result + 1, as 32 bits. */
static pid_t lane_read(struct aspace *as, int lane)
{
	uint64_t deadline = host_monotonic_ns() + AGENT_LIMIT_NS;
	int64_t position;
	bool again;

	do {
		again = !as->broken && host_monotonic_ns() < deadline;
		position = host_lseek(systrap.lane_fd[lane], 0, SEEK_CUR);
		if (position <= 0 && again)
			(void)!fiber_park_until(host_monotonic_ns() + NS_PER_MS);
	} while (position <= 0 && again);
	lane_give(lane);
	return position > 0 ? (pid_t)(uint32_t)(position - 1) : -EIO;
}

static const struct agent_call clone_thread = {SYS_clone, {FILTER_CLONE_THREAD}};

/* The agent is locked. */
static pid_t clone_locked(struct aspace *as, const struct agent_call *call, uint64_t block, int lane)
{
	put(as, call, block, FD_LANE0 + (uint64_t)lane);
	(void)!go(as, lane); /* the lane tells */
	agent_unlock(as);
	return lane_read(as, lane);
}

pid_t agent_clone(struct aspace *as, uint64_t block, uint64_t file_off)
{
	struct agent_call fork = {SYS_clone, {FILTER_CLONE_FORK, 0, 0, 0, 0, file_off}};
	int lane, error = agent_lock(as);

	if (error)
		return error;
	lanes_take(1, &lane);
	return clone_locked(as, block ? &clone_thread : &fork, block, lane);
}

int agent_fork_begin(struct aspace *parent, struct aspace *child, uint64_t block, struct agent_fork *out)
{
	int lanes[2], error = agent_lock(parent);

	if (error)
		return error;
	lanes_take(COUNT(lanes), lanes);
	*out = (struct agent_fork){.parent_lane = lanes[0], .child_lane = lanes[1]};
	assert(child->head == 0 && !child->agent_busy);
	child->agent_busy = true;
	put(child, &clone_thread, block, FD_LANE0 + (uint64_t)out->child_lane);
	__atomic_store_n(&child->cmd->head, child->head, __ATOMIC_SEQ_CST);
	return 0;
}

pid_t agent_fork_agent(struct aspace *parent, struct aspace *child, uint64_t file_off, struct agent_fork *fork)
{
	struct agent_call call = {SYS_clone, {FILTER_CLONE_FORK, 0, 0, 0, 0, file_off}};
	pid_t pid = clone_locked(parent, &call, 0, fork->parent_lane);

	if (pid > 0)
		return pid;
	/* Nobody has seen the child's command. */
	agent_unlock(child);
	lane_give(fork->child_lane);
	return pid;
}

pid_t agent_fork_thread(struct aspace *child, struct agent_fork *fork)
{
	(void)!go(child, fork->child_lane); /* the lane tells */
	agent_unlock(child);
	return lane_read(child, fork->child_lane);
}

/* Made by the agent, whose filter leaves it this one command. Every stub has been registered for it: the template was
 * (factory.c), and a fork inherits it. */
int aspace_barrier(struct aspace *as)
{
	const struct agent_call barrier = {SYS_membarrier, {MEMBARRIER_CMD_GLOBAL_EXPEDITED}};

	return agent_run(as, &barrier, 1);
}

/* uthread.c - user threads: their channel seen from the sentry.
 *
 * Theory. A thread is AT_STOP (the sentry has the word: its host task waits in the gate) or RUNNING (the guest has it).
 * Its owner's fiber hands the word over in uthread_wait and takes it back when the channel shows a request; poll.c sees
 * that first. What an answer shall do (ANSWER_*) is collected in thread->answer while at the stop.
 *
 *     AT_STOP --resume--> RUNNING --post, take--> AT_STOP        any --reaped--> DEAD
 *
 * A stop comes with its state in one of two places: on the gate's stack (`frame` false: a patched site; general
 * registers only) or in a signal frame (`frame` true: everything). context.c reads and writes both.
 *
 * Some posts are dealt with here and never shown: arch_prctl of the FS base, faults that a finished memory call
 * explains, failures of queued calls (which become the result of the call).
 *
 * Everything read from a channel is the guest's word, read once.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "gate_symbols.h"
#include "platform/host.h"
#include "sentry/base/fiber.h"
#include "sentry/base/log.h"

#define GUEST_SPIN_FIRST 200
#define ARCH_SET_GS      0x1001
#define ARCH_SET_FS      0x1002
#define ARCH_GET_FS      0x1003
#define ARCH_GET_GS      0x1004
#define NR_URETPROBE     335
#define SI_KERNEL_CODE   0x80

static struct uthread *by_slot[BELL_SLOTS];
static uint64_t first_kick_deadline = DEADLINE_NONE; /* no kick is due before; perhaps of one that has been answered */

struct uthread *uthread_of_slot(unsigned slot)
{
	return by_slot[slot];
}

/* ------------------------------------------------------------------------------------------------ objects */

static int slot_alloc(struct uthread *thread)
{
	static unsigned cursor;

	for (unsigned i = 0; i < BELL_SLOTS; i++) {
		unsigned slot = (cursor + i) % BELL_SLOTS;
		if (by_slot[slot])
			continue;
		by_slot[slot] = thread;
		cursor = slot + 1;
		return (int)slot;
	}
	return -EAGAIN;
}

int uthread_alloc(struct aspace *as, struct uthread **out)
{
	struct uthread *thread = calloc(1, sizeof *thread);
	int block = thread ? block_alloc(as) : -ENOMEM;
	int slot = block >= 0 ? slot_alloc(thread) : block;

	if (slot < 0) {
		if (block >= 0)
			block_free(as, (unsigned)block);
		free(thread);
		return slot;
	}
	thread->as = as;
	thread->block = (unsigned)block;
	thread->slot = (unsigned)slot;
	thread->ch = (struct channel *)(as->blocks + (size_t)block * BLOCK_BYTES);
	thread->fresh = thread->frame = true;
	thread->answer = ANSWER_NO_RET;
	thread->kick_deadline_ns = DEADLINE_NONE;
	*thread->ch = (struct channel){
		.state = CHANNEL_REQUEST,
		.spin = GUEST_SPIN_FIRST,
		.slot = thread->slot,
		.s_stack = GATE_BLOCK0 + (uint64_t)block * BLOCK_BYTES + BLOCK_STACK_TOP,
		.s_entry = GATE_SYM_gate_entry,
	};
	list_init(&thread->pending_node);
	list_push_back(&as->threads, &thread->node);
	list_push_back(&systrap.threads, &thread->all_node);
	*out = thread;
	return 0;
}

/* Its task is gone or never was. */
static void uthread_detach(struct uthread *thread)
{
	bell_unwatch(thread);
	mem_done(thread);
	by_slot[thread->slot] = NULL;
	block_free(thread->as, thread->block);
	list_remove(&thread->all_node);
	thread->pid = 0;
	company_leave(thread);
	thread->state = UTHREAD_DEAD;
	thread->kick_deadline_ns = DEADLINE_NONE;
}

static void uthread_release(struct uthread *thread)
{
	assert(thread->state == UTHREAD_DEAD && !thread->waiter);
	free(thread);
}

void uthread_drop(struct uthread *thread)
{
	uthread_detach(thread);
	list_remove(&thread->node);
	uthread_release(thread);
}

void uthread_died(struct uthread *thread, int signal)
{
	if (signal == SIGSYS && !thread->killed && !thread->as->broken)
		systrap.fatal = "a guest thread made a memory call with a wrong signature";
	thread->death_signal = signal;
	thread->as->host_tasks--;
	uthread_detach(thread);
	if (thread->waiter)
		fiber_wake(thread->waiter);
	if (thread->freed)
		uthread_release(thread);
}

int uthread_new(struct aspace *as, struct uthread *from, const struct uregs *regs, struct uthread **out)
{
	struct uthread *thread;
	int error;

	if (as->broken || (from && !context_full(from)))
		return -EAGAIN;
	error = uthread_alloc(as, &thread);
	if (error)
		return error;
	context_build(thread, from, regs);
	if (from)
		copy_flush(from);
	pid_t pid = agent_clone(as, GATE_BLOCK0 + (uint64_t)thread->block * BLOCK_BYTES, 0);
	if (pid <= 0) {
		as->lost_task |= pid == -EIO;
		uthread_drop(thread);
		return -EAGAIN;
	}
	thread->pid = pid;
	as->host_tasks++;
	if (as->broken) /* ended while the agent worked */
		uthread_kill(thread);
	*out = thread;
	return 0;
}

void uthread_kill(struct uthread *thread)
{
	copy_flush(thread);
	thread->killed = true;
	if (thread->state != UTHREAD_DEAD)
		host_kill(thread->pid, SIGKILL);
	if (thread->waiter)
		fiber_wake(thread->waiter);
}

void uthread_free(struct uthread *thread)
{
	assert(!thread->freed && !thread->waiter);
	thread->freed = true;
	list_remove(&thread->node);
	if (thread->state == UTHREAD_DEAD) {
		uthread_release(thread);
		return;
	}
	if (!thread->killed)
		uthread_kill(thread);
}

/* ------------------------------------------------------------------------------------------------ the word to and fro
 */

void uthread_check(struct uthread *thread)
{
	uint32_t state;

	if (!list_empty(&thread->pending_node) && READ_ONCE(thread->ch->op_done) == thread->op_seq && !thread->queued)
		mem_done(thread);
	if (thread->state != UTHREAD_RUNNING || thread->posted)
		return;
	state = __atomic_load_n(&thread->ch->state, __ATOMIC_ACQUIRE);
	if (state != CHANNEL_REQUEST && state != CHANNEL_REQUEST_ASLEEP)
		return;
	thread->posted = true;
	context_prefetch(thread);
	if (thread->waiter)
		fiber_wake(thread->waiter);
}

static void resume(struct uthread *thread, uint32_t answer)
{
	struct channel *ch = thread->ch;

	if (thread->queued) {
		answer |= ANSWER_OPS;
		mem_sent(thread);
	}
	if (thread->out_bytes) {
		answer |= ANSWER_OUT;
		WRITE_ONCE(ch->out_bytes, thread->out_bytes);
		thread->out_bytes = 0;
	}
	thread->window = thread->wrote = false;
	if (answer & ANSWER_SET_FS)
		WRITE_ONCE(ch->fs_base, thread->fs_base);
	WRITE_ONCE(ch->ret, thread->ret);
	WRITE_ONCE(ch->kind, answer);
	bell_watch(thread);
	thread->posted = false;
	thread->state = UTHREAD_RUNNING;
	if (__atomic_exchange_n(&ch->state, CHANNEL_DONE, __ATOMIC_SEQ_CST) == CHANNEL_REQUEST_ASLEEP)
		host_futex_wake(&ch->state, 1);
}

/* Until the next post; false: it died or is to die. */
static bool await_post(struct uthread *thread)
{
	assert(!thread->waiter);
	thread->waiter = fiber_current();
	assert(thread->waiter);
	while (thread->state == UTHREAD_RUNNING && !thread->posted && !thread->killed)
		fiber_park();
	thread->waiter = NULL;
	if (thread->state == UTHREAD_DEAD || thread->killed)
		return false;
	thread->state = UTHREAD_AT_STOP;
	thread->kick_deadline_ns = DEADLINE_NONE;
	if (unlikely(++thread->calls % COMPANY_CALLS == 0))
		company_offer(thread);
	bell_taken(thread);
	mem_done(thread);
	return true;
}

/* A queued call failed: remembered for aspace_settle, and the result of the call that queued it. */
static void note_failure(struct uthread *thread)
{
	int64_t error = (int64_t)READ_ONCE(thread->ch->arg[1]);

	if (error >= 0 || error < -4095)
		error = -ENOMEM;
	if (!thread->op_error)
		thread->op_error = (int)error;
	log_debug("systrap: a memory call of a guest failed: %s", strerror((int)-error));
}

static uint32_t post_kind(const struct uthread *thread)
{
	return READ_ONCE(thread->ch->kind);
}

bool uthread_round_trip(struct uthread *thread, uint32_t extra_answer)
{
	if (thread->state != UTHREAD_AT_STOP || thread->killed)
		return false;
	assert(!thread->fresh);
	resume(thread, extra_answer | ANSWER_NO_RET);
	for (;;) {
		if (!await_post(thread))
			return false;
		if ((post_kind(thread) & POST_KIND_MASK) != POST_OP_FAILED)
			return true;
		note_failure(thread);
		resume(thread, extra_answer | ANSWER_NO_RET);
	}
}

/* ------------------------------------------------------------------------------------------------ stops */

static void read_call(struct uthread *thread, uint32_t kind, struct stop *out)
{
	const struct channel *ch = thread->ch;

	out->kind = STOP_SYSCALL;
	out->nr = READ_ONCE(ch->nr);
	for (int i = 0; i < 6; i++)
		out->args[i] = READ_ONCE(ch->arg[i]);
	out->foreign = kind & POST_FOREIGN;
	thread->answer &= ~(uint32_t)ANSWER_NO_RET;
}

/* arch_prctl of the segment bases never reaches the sentry's table; true: dealt with. */
static bool segment_call(struct uthread *thread, const struct stop *stop)
{
	uint64_t value = stop->args[1];

	if (stop->nr != SYS_arch_prctl || stop->foreign)
		return false;
	switch ((uint32_t)stop->args[0]) {
	case ARCH_SET_FS:
		thread->ret = value < HOST_END ? 0 : -EPERM;
		if (value < HOST_END) {
			thread->fs_base = value;
			thread->fs_unread = false;
			thread->answer |= ANSWER_SET_FS;
		}
		return true;
	case ARCH_GET_FS: {
		struct uregs regs;
		uthread_context_get(thread, &regs);
		thread->ret = aspace_write(thread->as, thread, UADDR(value), &regs.fs_base, sizeof regs.fs_base);
		return true;
	}
	case ARCH_SET_GS:
	case ARCH_GET_GS:
		thread->ret = -EPERM;
		return true;
	default:
		return false;
	}
}

/* uretprobe and uprobe bypass seccomp on recent kernels; outside of their trampolines they raise SIGILL. To a guest
 * they are calls that do not exist. */
static bool probe_call(struct uthread *thread, const struct stop *stop)
{
	unsigned char insn[2];

	if (stop->sig != SIGILL || stop->code != SI_KERNEL_CODE || stop->rip < PLATFORM_MIN_ADDR + 2)
		return false;
	if (aspace_read(thread->as, thread, insn, UADDR(stop->rip - 2), 2) || insn[0] != 0x0f || insn[1] != 0x05)
		return false;
	*context_frame_reg(thread, FRAME_RAX) = (uint64_t)-ENOSYS;
	return true;
}

/* A fault in a range that a queued call of another thread is changing may be gone once that call is done. */
static bool fault_settled(struct uthread *thread, const struct stop *stop)
{
	uint64_t page = page_down(stop->addr.v);

	if (stop->sig != SIGSEGV || list_empty(&thread->as->pending) || page >= PLATFORM_MAX_ADDR)
		return false;
	if (!mem_is_pending(thread->as, page, page + PAGE_SIZE, thread))
		return false;
	if (thread->retry_addr == page && ++thread->retries > FAULT_RETRIES)
		return false;
	if (thread->retry_addr != page)
		thread->retries = 0;
	thread->retry_addr = page;
	mem_settle_range(thread->as, page, page + PAGE_SIZE, thread);
	return true;
}

static void read_fault(struct uthread *thread, struct stop *out)
{
	const struct channel *ch = thread->ch;
	uint64_t what = READ_ONCE(ch->arg[0]);

	out->kind = STOP_FAULT;
	out->sig = (int)(what & 63);
	out->code = (int)(what >> 32);
	out->addr = UADDR(READ_ONCE(ch->arg[1]));
	out->trapno = READ_ONCE(ch->arg[2]);
	out->error = READ_ONCE(ch->arg[3]);
	if (out->sig != SIGSEGV && out->sig != SIGBUS && out->sig != SIGFPE && out->sig != SIGILL &&
	    out->sig != SIGTRAP)
		out->sig = SIGSEGV; /* forged */
}

static bool take_call(struct uthread *thread, uint32_t kind, struct stop *out)
{
	read_call(thread, kind, out);
	if (!thread->frame) {
		thread->window = kind & POST_WINDOW;
		systrap.stats.calls_patched++;
		return !segment_call(thread, out);
	}
	systrap.stats.calls_trapped++;
	if (!out->foreign)
		patch_site(thread, out->rip - 2);
	return !segment_call(thread, out);
}

/* Makes a stop of the post; false: dealt with here, the thread may go on. */
static bool take_post(struct uthread *thread, struct stop *out)
{
	const struct channel *ch = thread->ch;
	uint32_t kind = post_kind(thread);

	*out = (struct stop){.kind = STOP_KICK};
	thread->frame = kind & POST_FRAME;
	thread->answer = ANSWER_NO_RET;
	thread->ret = 0;
	if ((kind & POST_KIND_MASK) == POST_OP_FAILED) {
		note_failure(thread);
		thread->answer = 0;
		thread->ret = thread->op_error;
		thread->op_error = 0;
		return false;
	}
	if (thread->frame)
		context_note_frame(thread, READ_ONCE(ch->uc));
	thread->fs_unread = systrap.fsgsbase; /* its cache line is fetched only when somebody asks */
	out->rip = context_rip(thread);
	switch (kind & POST_KIND_MASK) {
	case POST_CALL:
		return take_call(thread, kind, out);
	case POST_FAULT:
		systrap.stats.faults++;
		read_fault(thread, out);
		return !(thread->frame && probe_call(thread, out)) && !fault_settled(thread, out);
	case POST_KICK:
		systrap.stats.kicks++;
		return true;
	default:
		return true; /* nothing asked for it: a kick for no reason */
	}
}

/* A kick came while the thread was at a stop that its owner never saw: the owner must look now. What the platform has
 * answered becomes part of the state. */
static void show_kick(struct uthread *thread, struct stop *out)
{
	*out = (struct stop){.kind = STOP_KICK, .rip = context_rip(thread)};
	if (!(thread->answer & ANSWER_NO_RET))
		context_result_set(thread, thread->ret);
	thread->answer |= ANSWER_NO_RET;
	systrap.stats.kicks++;
}

void uthread_wait(struct uthread *thread, struct stop *out)
{
	thread->kick_wanted = false;
	for (;;) {
		if (thread->kick_wanted && thread->state == UTHREAD_AT_STOP && !thread->killed) {
			show_kick(thread, out);
			return;
		}
		if (thread->state == UTHREAD_AT_STOP && !thread->killed) {
			thread->fresh = false;
			resume(thread, thread->answer);
		}
		if (!await_post(thread)) {
			*out = (struct stop){.kind = STOP_DEAD,
					     .host_signal = thread->killed ? 0 : thread->death_signal};
			return;
		}
		if (take_post(thread, out))
			return;
	}
}

void uthread_answer(struct uthread *thread, long result)
{
	if (thread->answer & ANSWER_NO_RET)
		return; /* the context was set, or this is no call */
	thread->ret = result;
}

/* ------------------------------------------------------------------------------------------------ kicks */

void uthread_kick(struct uthread *thread)
{
	thread->kick_wanted = true;
	if (thread->state != UTHREAD_RUNNING || thread->posted || thread->killed)
		return;
	host_kill(thread->pid, KICK_SIGNAL);
	if (thread->kick_deadline_ns == DEADLINE_NONE)
		thread->kick_deadline_ns = host_monotonic_ns() + KICK_LIMIT_NS;
	first_kick_deadline = MIN(first_kick_deadline, thread->kick_deadline_ns);
}

uint64_t uthread_kicks_deadline(void)
{
	return first_kick_deadline;
}

/* A guest can block every signal that can be caught: then only SIGKILL is left. */
void uthread_kicks_check(uint64_t now_ns)
{
	struct uthread *thread;

	if (now_ns < first_kick_deadline)
		return;
	first_kick_deadline = DEADLINE_NONE;
	list_for_each (thread, &systrap.threads, all_node) {
		if (thread->kick_deadline_ns > now_ns) {
			first_kick_deadline = MIN(first_kick_deadline, thread->kick_deadline_ns);
			continue;
		}
		uthread_check(thread);
		if (thread->posted)
			thread->kick_deadline_ns = DEADLINE_NONE;
		else if (!list_empty(&thread->pending_node))
			first_kick_deadline = thread->kick_deadline_ns = now_ns + KICK_LIMIT_NS;
		else
			aspace_kill(thread->as, "a thread does not react to interruption");
	}
}

/* ------------------------------------------------------------------------------------------------ the rest */

uint64_t uthread_cpu_ns(struct uthread *thread)
{
	struct timespec time;
	/* The CPU clock of another process, as clock_getcpuclockid(3) makes it: ~pid << 3 | CPUCLOCK_SCHED. */
	clockid_t clock = (clockid_t)(~(unsigned)thread->pid << 3 | 2);

	if (!thread->pid || host_clock_gettime(clock, &time))
		return thread->cpu_ns;
	thread->cpu_ns = (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
	return thread->cpu_ns;
}

void uthread_identity_set(struct uthread *thread, const struct uthread_identity *identity)
{
	struct channel *ch = thread->ch;

	if (thread->state == UTHREAD_DEAD)
		return;
	WRITE_ONCE(ch->identity_valid, 0);
	WRITE_ONCE(ch->pid, identity->pid);
	WRITE_ONCE(ch->tid, identity->tid);
	WRITE_ONCE(ch->ppid, identity->ppid);
	WRITE_ONCE(ch->uid, identity->uid);
	WRITE_ONCE(ch->euid, identity->euid);
	WRITE_ONCE(ch->gid, identity->gid);
	WRITE_ONCE(ch->egid, identity->egid);
	__atomic_store_n(&ch->identity_valid, 1, __ATOMIC_RELEASE);
}

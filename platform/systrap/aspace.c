/* aspace.c - address spaces: making, forking, giving back; the pool; deaths.
 *
 * Theory. Address space 0 is the template, whose agent forks all others (factory.c). A new one gets its key installed
 * by its own agent while nobody else runs in it; then it is *blank* and waits in the pool. One given back is *dirty*
 * until all its guest tasks are reaped; then its agent unmaps the guest's range and it is blank again, or it is ended
 * when the pool is full. A *janitor* fiber does this, so that exit is quick and exec finds a blank one.
 *
 * Guest threads are killed, never parked, when their address space changes hands: a parked one could be looping in the
 * gate's code with registers of its choice. Each is a task of its own thread group, so it can be killed alone.
 *
 * A fork shares its parent's key: filters cannot be taken off, and a signed call of the parent is one that the child's
 * copy could have been granted. Only exec, which takes a blank address space, gets a fresh one.
 *
 * Deaths come as SIGCHLD on a descriptor, and are reaped with waitid. A guest task killed by SIGSYS has made a memory
 * call with a wrong tag (or has blocked SIGSYS by a forged signal frame): the sandbox ends.
 *
 * Limits: ASPACES address spaces, BLOCKS threads in each, BELL_SLOTS threads in all.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/hostio.h"
#include "platform/systrap/filter.h"
#include "sentry/base/fiber.h"
#include "sentry/base/log.h"

static struct aspace *by_id[ASPACES];
static struct list pool = LIST_INIT(pool), dirty = LIST_INIT(dirty), others = LIST_INIT(others);
static unsigned pool_count;
static struct fiber *janitor;
static bool janitor_failed, deaths_watched;
static struct waitq pool_filled = {LIST_INIT(pool_filled.waiters)};

static void aspace_move(struct aspace *as, enum aspace_state state)
{
	pool_count -= as->state == ASPACE_POOL;
	list_remove(&as->node);
	as->state = state;
	pool_count += state == ASPACE_POOL;
	struct list *list = state == ASPACE_POOL ? &pool : state == ASPACE_DIRTY ? &dirty : &others;
	list_push_back(list, &as->node);
}

/* ------------------------------------------------------------------------------------------------ making one */

static int aspace_alloc(struct aspace **out)
{
	static unsigned cursor;

	for (unsigned i = 0; i < ASPACES; i++) {
		unsigned id = (cursor + i) % ASPACES;
		if (by_id[id])
			continue;
		struct aspace *as = calloc(1, sizeof *as);
		if (!as)
			return -ENOMEM;
		char *file = systrap.file + STUB_FILE_OFF(id);
		as->id = id;
		as->mem_fd = -1;
		as->cmd = (struct cmd_page *)(file + STUB_FILE_CMD);
		as->key_pages = (unsigned char *)file + STUB_FILE_CMD + PAGE_SIZE;
		as->reply = (struct reply_page *)(file + STUB_FILE_REPLY);
		as->blocks = file + STUB_FILE_BLOCK0;
		as->state = ASPACE_MAKING;
		list_init(&as->node);
		list_init(&as->threads);
		list_init(&as->pending);
		waitq_init(&as->agent_free);
		by_id[id] = as;
		cursor = id + 1;
		aspace_move(as, ASPACE_MAKING);
		*out = as;
		return 0;
	}
	return -EAGAIN;
}

/* The object goes; its pages of the memfd become zeros for the next. */
static void aspace_release(struct aspace *as)
{
	uint64_t used = STUB_FILE_BLOCK0 + (uint64_t)as->blocks_high * BLOCK_BYTES;

	assert(!as->agent_pid && !as->host_tasks && list_empty(&as->threads));
	if (as->lost_task) /* somebody may still sit in these pages: never again */
		return;
	if (as->mem_fd >= 0)
		host_close(as->mem_fd);
	if (host_fallocate(systrap.gate_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (int64_t)STUB_FILE_OFF(as->id),
			   (int64_t)used))
		memset(systrap.file + STUB_FILE_OFF(as->id), 0, used);
	patch_forget(as);
	list_remove(&as->node);
	by_id[as->id] = NULL;
	explicit_bzero(&as->key, sizeof as->key);
	free(as);
}

static void agent_attach(struct aspace *as, pid_t agent_pid)
{
	char path[32];

	as->agent_pid = agent_pid;
	snprintf(path, sizeof path, "%d/mem", (int)agent_pid);
	as->mem_fd = host_proc_open(path, O_RDWR);
	if (as->mem_fd < 0) {
		static bool said;
		if (!said)
			log_info("systrap: no /proc/PID/mem (%s): call sites stay unpatched", strerror(-as->mem_fd));
		said = true;
	}
}

int aspace_setup(unsigned id, pid_t agent_pid, struct aspace **out)
{
	int error = aspace_alloc(out);

	if (error)
		return error;
	assert((*out)->id == id);
	agent_attach(*out, agent_pid);
	return 0;
}

/* The agent installs the program that knows the key; then its bytes are wiped. Nobody else runs in there yet. */
static int key_install(struct aspace *as)
{
	static struct filter filter; /* too long for a stack */
	struct filter_layout layout = systrap_layout();
	const struct agent_call install = {SYS_seccomp, {1 /* SECCOMP_SET_MODE_FILTER */, 0, GATE_KEY}};
	uint64_t *prog = (uint64_t *)as->key_pages;
	uint8_t random[16];
	int error;

	host_random(random, sizeof random);
	as->key = sign_key_from(random);
	as->key_birth = ++systrap.keys;
	filter_signed(&filter, &layout, &as->key, 0);
	size_t bytes = filter.len * sizeof filter.insn[0];
	assert(bytes + 16 <= GATE_KEY_BYTES);
	prog[0] = filter.len;
	prog[1] = GATE_KEY + 16;
	memcpy(prog + 2, filter.insn, bytes);
	explicit_bzero(&filter, sizeof filter);
	explicit_bzero(random, sizeof random);
	error = agent_run(as, &install, 1);
	explicit_bzero(as->key_pages, bytes + 16);
	return error;
}

static void aspace_end(struct aspace *as)
{
	aspace_move(as, ASPACE_ENDING);
	as->broken = true;
	if (as->agent_pid)
		host_kill(as->agent_pid, SIGKILL);
	else if (!as->host_tasks && list_empty(&as->threads))
		aspace_release(as);
}

static int aspace_make(struct aspace **out)
{
	struct aspace *as;
	int error = aspace_alloc(&as);

	if (error)
		return error;
	pid_t pid = agent_clone(systrap.template, 0, STUB_FILE_OFF(as->id));
	if (pid <= 0) {
		aspace_end(as);
		return pid == -ENOMEM ? -ENOMEM : -EAGAIN;
	}
	agent_attach(as, pid);
	error = key_install(as);
	if (error) {
		aspace_end(as);
		return error;
	}
	*out = as;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ the pool */

/* A dirty one whose tasks are all gone: blank again, or ended. */
static void scrub(struct aspace *as)
{
	const struct agent_call unmap = {SYS_munmap, {PLATFORM_MIN_ADDR, PLATFORM_MAX_ADDR - PLATFORM_MIN_ADDR}};

	aspace_move(as, ASPACE_SCRUBBING);
	if (as->broken || pool_count >= POOL_MOST || agent_run(as, &unmap, 1)) {
		aspace_end(as);
		return;
	}
	if (host_fallocate(systrap.gate_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			   (int64_t)(STUB_FILE_OFF(as->id) + STUB_FILE_BLOCK0),
			   (int64_t)as->blocks_high * BLOCK_BYTES)) {
		aspace_end(as);
		return;
	}
	as->blocks_high = 0;
	as->doomed_bytes = 0;
	usage_peak_reset(as);
	patch_forget(as);
	aspace_move(as, ASPACE_POOL);
}

static struct aspace *dirty_one(void)
{
	struct aspace *as;

	list_for_each (as, &dirty, node)
		if (!as->host_tasks && list_empty(&as->threads))
			return as;
	return NULL;
}

static bool pool_is_short(void)
{
	return pool_count < POOL_LEAST && !janitor_failed;
}

/* Who execs gives its old address space back, so most often there will be a blank one without making one. */
static void janitor_main(void *argument)
{
	uint64_t make_ns = 0; /* when to */

	(void)argument;
	for (;;) {
		struct aspace *used = dirty_one(), *made;
		if (!used && pool_is_short() && clock_now_ns() < make_ns) {
			(void)!fiber_park_until(make_ns);
			continue;
		}
		if (!used && !pool_is_short()) {
			fiber_park();
			make_ns = clock_now_ns() + POOL_DELAY_NS;
			continue;
		}
		if (used) {
			scrub(used);
		} else {
			janitor_failed = aspace_make(&made) != 0;
			if (!janitor_failed)
				aspace_move(made, ASPACE_POOL);
		}
		waitq_wake(&pool_filled, 0); /* only for a change: who waits looks again and wakes us */
	}
}

static void janitor_wake(void)
{
	if (janitor)
		fiber_wake(janitor);
}

/* Runs the loop by itself until the first blank one is there: so start-up fails early where the host forbids something.
 */
int pool_start(void)
{
	uint64_t deadline = host_monotonic_ns() + 10 * NS_PER_S;
	int error = fiber_new(janitor_main, NULL, &janitor);

	while (!error && !pool_count && !janitor_failed && host_monotonic_ns() < deadline) {
		fiber_run_ready();
		if (!pool_count && !janitor_failed)
			platform_poll(MIN(deadline, fiber_next_deadline_ns()));
	}
	if (!error && !pool_count)
		error = -EPERM;
	return error;
}

int aspace_new(struct aspace **out)
{
	struct aspace *as;

	for (;;) {
		if (pool_count) {
			as = list_first(&pool, struct aspace, node);
			break;
		}
		/* A dirty one on its way is as good as a new one, and sooner there. */
		if (!list_empty(&dirty)) {
			struct waiter waiter;
			waiter_init(&waiter);
			waitq_add(&pool_filled, &waiter);
			janitor_wake();
			int woken = waiter_wait_deaf(&waiter, host_monotonic_ns() + 10 * NS_PER_MS);
			waitq_remove(&waiter);
			if (!woken)
				continue;
		}
		int error = aspace_make(&as);
		if (error)
			return error;
		break;
	}
	aspace_move(as, ASPACE_USED);
	janitor_failed = false;
	janitor_wake();
	*out = as;
	return 0;
}

void aspace_free(struct aspace *as)
{
	assert(list_empty(&as->threads));
	if (as->broken)
		aspace_end(as);
	else
		aspace_move(as, ASPACE_DIRTY);
	janitor_wake();
}

void aspace_kill(struct aspace *as, const char *why)
{
	struct uthread *thread;

	if (as->broken || systrap.stopping)
		return;
	log_info("systrap: a guest process is ended: %s", why);
	as->broken = true;
	if (as->agent_pid)
		host_kill(as->agent_pid, SIGKILL);
	list_for_each (thread, &as->threads, node)
		if (thread->state != UTHREAD_DEAD && thread->pid)
			host_kill(thread->pid, SIGKILL);
	agents_wake_all(as);
	if (as == systrap.template)
		systrap.fatal = "the stub template has ended";
}

/* ------------------------------------------------------------------------------------------------ fork */

static void settle_all(struct aspace *as, struct uthread *caller)
{
	copy_flush(caller);
	mem_flush_own(caller, 0, PLATFORM_MAX_ADDR);
	mem_settle_range(as, 0, PLATFORM_MAX_ADDR, caller);
}

/* The child's agent, and as the child's first command its thread. */
static int fork_tasks(struct aspace *parent, struct aspace *child, struct uthread *thread)
{
	struct agent_fork fork;
	int error = agent_fork_begin(parent, child, GATE_BLOCK0 + (uint64_t)thread->block * BLOCK_BYTES, &fork);
	pid_t pid = error ? error : agent_fork_agent(parent, child, STUB_FILE_OFF(child->id), &fork);

	if (pid <= 0) {
		child->lost_task = !error && pid == -EIO;
		return pid == -ENOMEM ? -ENOMEM : -EAGAIN;
	}
	agent_attach(child, pid);
	pid = agent_fork_thread(child, &fork);
	if (pid <= 0)
		return pid == -ENOMEM ? -ENOMEM : -EAGAIN;
	thread->pid = pid;
	child->host_tasks++;
	return 0;
}

int aspace_fork(struct aspace *parent, struct uthread *caller, struct aspace **out, struct uthread **thread)
{
	struct aspace *child;
	struct uthread *first; /* not *thread: written only on success, or its holder would end a freed one */
	struct uregs regs;
	int error;

	if (!context_full(caller))
		return -EAGAIN;
	settle_all(parent, caller);
	error = aspace_alloc(&child);
	if (error)
		return error;
	child->key = parent->key;
	child->key_birth = parent->key_birth;
	patch_freeze(parent);
	error = patch_copy(child, parent);
	if (!error)
		error = uthread_alloc(child, &first);
	if (error) {
		patch_thaw(parent);
		aspace_end(child);
		return error;
	}
	uthread_context_get(caller, &regs);
	context_build(first, caller, &regs);
	error = parent->broken ? -EAGAIN : fork_tasks(parent, child, first);
	patch_thaw(parent);
	if (error) {
		uthread_drop(first);
		aspace_end(child);
		return error;
	}
	aspace_move(child, ASPACE_USED);
	*out = child;
	*thread = first;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ blocks */

int block_alloc(struct aspace *as)
{
	for (unsigned word = 0; word < COUNT(as->block_used); word++) {
		uint64_t free = ~as->block_used[word];
		if (!free)
			continue;
		unsigned block = word * 64 + (unsigned)__builtin_ctzll(free);
		as->block_used[word] |= 1ull << block % 64;
		as->blocks_high = MAX(as->blocks_high, block + 1);
		return (int)block;
	}
	return -EAGAIN;
}

void block_free(struct aspace *as, unsigned block)
{
	assert(as->block_used[block / 64] >> block % 64 & 1);
	as->block_used[block / 64] &= ~(1ull << block % 64);
}

/* ------------------------------------------------------------------------------------------------ deaths */

uint64_t aspace_oldest_key(void)
{
	uint64_t oldest = UINT64_MAX;

	for (unsigned id = 0; id < ASPACES; id++)
		if (by_id[id] && by_id[id]->key_birth)
			oldest = MIN(oldest, by_id[id]->key_birth);
	return oldest;
}

struct aspace *aspace_by_id(unsigned id)
{
	return by_id[id];
}

static void agent_died(struct aspace *as)
{
	as->agent_pid = 0;
	if (as->state != ASPACE_ENDING) {
		aspace_kill(as, "its agent has died");
		as->broken = true;
		if (as->state == ASPACE_POOL)
			aspace_end(as);
		return;
	}
	if (!as->host_tasks && list_empty(&as->threads))
		aspace_release(as);
}

static void task_died(pid_t pid, int signal)
{
	struct uthread *thread;

	list_for_each (thread, &systrap.threads, all_node)
		if (thread->pid == pid) {
			struct aspace *as = thread->as;
			uthread_died(thread, signal);
			if (as->state == ASPACE_ENDING && !as->agent_pid && !as->host_tasks && list_empty(&as->threads))
				aspace_release(as);
			janitor_wake();
			return;
		}
	for (unsigned id = 0; id < ASPACES; id++)
		if (by_id[id] && by_id[id]->agent_pid == pid) {
			agent_died(by_id[id]);
			return;
		}
	if (pid == systrap.factory_pid) {
		systrap.factory_pid = 0;
		systrap.fatal = "the stub factory has ended";
	}
	if (pid == systrap.tracer.pid) {
		systrap.tracer.pid = 0;
		systrap.fatal = "the tracer has ended";
	}
}

/* What ended it. A tracer cannot kill by SIGSYS as seccomp does: it makes who breaks a rule exit with that status, and
 * nothing else in a stub exits at all. */
static int death_signal(const siginfo_t *info)
{
	bool by_tracer = info->si_code == CLD_EXITED && info->si_status == SIGSYS;

	return info->si_code != CLD_EXITED || by_tracer ? info->si_status : 0;
}

static void deaths_collect(void)
{
	struct rusage usage;
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (host_waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL, &usage) || !info.si_pid)
			return;
		usage_of_ended(&usage);
		task_died(info.si_pid, death_signal(&info));
	}
}

static void sigchld_came(void *cookie, short events)
{
	char drain[128 * 4]; /* struct signalfd_siginfo */
	int fd = hostfile_fd(systrap.sigchld_file);

	(void)cookie;
	(void)events;
	while (host_read(fd, drain, sizeof drain) > 0)
		;
	deaths_collect();
	deaths_watched =
		false; /* armed anew by the next poll: a watch of the same file must not be made inside a notify */
}

void deaths_watch(void)
{
	if (deaths_watched)
		return;
	deaths_watched = true;
	if (hostio_watch(systrap.sigchld_file, POLLIN, sigchld_came, NULL) < 0)
		systrap.fatal = "no room to watch for the deaths of stubs";
}

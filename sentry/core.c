/* core.c - who is dumped, and where to: core(5).
 *
 * The thread that takes the signal stops the others first: they notice process->core on their way to guest code, leave
 * their registers and park until they are killed (core_park). One that does not come in time is dumped with what is
 * known of it. Then the file is opened with the process's own rights, in its own working directory, and written by
 * core_elf.c. A SIGKILL ends the dump.
 *
 * Limits: core_pattern names files, never programs.
 */
#include "sentry/core.h"
#include "fs/facts.h"
#include "fs/namei.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define STOP_NS (500 * NS_PER_MS) /* for the other threads to stop */

/* ------------------------------------------------------------------------------------------------ threads */

static struct core_thread *thread_record(struct task *task, bool from_call, long result)
{
	struct core_thread *thread = arena_alloc(sizeof *thread);

	if (!thread)
		return NULL;
	list_init(&thread->node);
	thread->tid = task->tid;
	thread->pending = task->pending.set;
	thread->blocked = task->blocked;
	thread->call_nr = task->stop.kind == STOP_SYSCALL ? task->stop.nr : UINT64_MAX;
	if (!task->uthread)
		return thread;
	uthread_context_get(task->uthread, &thread->regs);
	if (from_call)
		thread->regs.rax = (uint64_t)result;
	return thread;
}

/* PARKS. Only the thread's own fiber may ask for its vector state. */
static void thread_add_vector(struct task *task, struct core_thread *thread)
{
	thread->fpstate = task->uthread ? arena_alloc(uthread_fpstate_size()) : NULL;
	if (thread->fpstate)
		uthread_fpstate_get(task->uthread, thread->fpstate);
}

static void thread_free(struct core_thread *thread)
{
	list_remove(&thread->node);
	arena_free(thread->fpstate, uthread_fpstate_size());
	arena_free(thread, sizeof *thread);
}

static struct core_thread *thread_find(const struct core *core, int32_t tid)
{
	struct core_thread *thread;

	list_for_each (thread, &core->threads, node)
		if (thread->tid == tid)
			return thread;
	return NULL;
}

static void thread_enter(struct core *core, struct core_thread *thread)
{
	list_push_back(&core->threads, &thread->node);
	core->thread_count++;
}

void core_park(struct task *task, bool from_call, long result)
{
	struct core_thread *thread = thread_record(task, from_call, result);

	if (thread)
		thread_add_vector(task, thread);
	struct core *core = task->process->core; /* may have gone meanwhile */
	if (core && thread && !thread_find(core, task->tid)) {
		thread_enter(core, thread);
		waitq_wake(&core->arrived, 0);
	} else if (thread) {
		thread_free(thread);
	}
	task->state = TASK_STOPPED;
	while (!task->killed && task->process->core)
		fiber_park();
	task->state = TASK_RUNNING;
}

static bool all_arrived(const struct core *core)
{
	struct task *task;

	if (core->task->killed)
		return true;
	list_for_each (task, &core->task->process->threads, thread_node)
		if (!task->killed && task->fiber && !thread_find(core, task->tid))
			return false;
	return true;
}

/* PARKS. */
static bool gather_threads(struct core *core, bool from_call, long result)
{
	struct core_thread *own = thread_record(core->task, from_call, result);
	struct task *task;

	if (!own)
		return false;
	thread_enter(core, own);
	thread_add_vector(core->task, own);
	list_for_each (task, &core->task->process->threads, thread_node)
		if (task != core->task && !task->killed)
			task_kick(task);
	struct waiter waiter;
	int error = 0;
	uint64_t deadline_ns = clock_now_ns() + STOP_NS;
	waiter_init(&waiter);
	waitq_add(&core->arrived, &waiter);
	while (!all_arrived(core) && !error)
		error = waiter_wait_deaf(&waiter, deadline_ns);
	waitq_remove(&waiter);
	/* Those in a wait that signals do not end: what the platform has of them. */
	list_for_each (task, &core->task->process->threads, thread_node)
		if (!task->killed && task->fiber && !thread_find(core, task->tid)) {
			struct core_thread *late = thread_record(task, false, 0);
			if (late)
				thread_enter(core, late);
		}
	return !core->task->killed;
}

/* ------------------------------------------------------------------------------------------------ the file */

static void add_without_slashes(struct text *text, const char *name)
{
	for (; *name; name++)
		text_add_char(text, *name == '/' ? '!' : *name);
}

static void add_exe(struct text *text, const struct task *task)
{
	char name[PATH_LIMIT];
	ssize_t length = task->mm->exe ? file_name(task->mm->exe, &task->fs->root, name, sizeof name) : -ENOENT;

	add_without_slashes(text, length > 0 ? name : task->comm);
}

static void add_specifier(struct text *text, const struct core *core, char letter)
{
	const struct task *task = core->task;
	const struct process *process = task->process;
	char comm[COMM_BYTES + 1] = "";

	switch (letter) {
	case '%':
		text_add_char(text, '%');
		break;
	case 'p':
	case 'P':
		text_printf(text, "%d", process->pid);
		break;
	case 'i':
	case 'I':
		text_printf(text, "%d", task->tid);
		break;
	case 'u':
		text_printf(text, "%u", task->cred->uid);
		break;
	case 'g':
		text_printf(text, "%u", task->cred->gid);
		break;
	case 'd':
		text_printf(text, "%d", task->mm->dumpable);
		break;
	case 's':
		text_printf(text, "%d", core->info.si_signo);
		break;
	case 't':
		text_printf(text, "%" PRId64, fs_time_now().s);
		break;
	case 'h':
		add_without_slashes(text, facts.hostname);
		break;
	case 'e':
	case 'f':
		memcpy(comm, task->comm, COMM_BYTES);
		add_without_slashes(text, comm);
		break;
	case 'E':
		add_exe(text, task);
		break;
	case 'c':
		text_printf(text, "%" PRIu64, process->limits[ABI_RLIMIT_CORE].soft);
		break;
	default:
		break; /* left out, as Linux does */
	}
}

/* format_corename in Linux. */
static bool make_name(const struct core *core, char name[PATH_LIMIT])
{
	const char *at = facts.core_pattern;
	bool has_pid = false;
	struct text text;

	text_init(&text, name, PATH_LIMIT);
	for (; *at; at++) {
		if (*at != '%') {
			text_add_char(&text, *at);
			continue;
		}
		if (!*++at)
			break;
		has_pid |= *at == 'p';
		add_specifier(&text, core, *at);
	}
	if (!has_pid && facts.core_uses_pid)
		text_printf(&text, ".%d", core->task->process->pid);
	return text.length && !text.truncated;
}

static int open_file(const struct core *core, struct file **out)
{
	struct task *task = core->task;
	struct walker walker = {.context = task->fs, .cred = task->cred, .start = task->fs->cwd};
	char name[PATH_LIMIT];

	if (!make_name(core, name))
		return -ENAMETOOLONG;
	/* As Linux: whatever has the name makes room, and the dump is a new file. */
	(void)!walk_unlink(&walker, name, false);
	return walk_open(&walker, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600, 0, out);
}

bool core_dump(struct task *task, const struct abi_siginfo *info, bool from_call, long result)
{
	struct process *process = task->process;
	uint64_t limit = process->limits[ABI_RLIMIT_CORE].soft;
	struct core core = {.task = task, .info = *info};
	struct core_thread *thread, *after;
	struct file *file;
	bool dumped = false;

	if (!task->uthread || !task->mm || process->core)
		return false;
	if (crash_report_wanted()) {
		struct uregs regs;
		uthread_context_get(task->uthread, &regs);
		crash_report(task, info, &regs);
	}
	if (limit < PAGE_SIZE || !task->mm->dumpable || task->killed || process->core)
		return false;
	list_init(&core.threads);
	waitq_init(&core.arrived);
	process->core = &core;
	if (gather_threads(&core, from_call, result) && !open_file(&core, &file)) {
		dumped = !core_write(&core, file, limit);
		file_put(file);
	}
	process->core = NULL;
	list_for_each_safe (thread, after, &core.threads, node)
		thread_free(thread);
	return dumped;
}

/* process.c - the first two processes, limits at birth, and starting a task's fiber.
 *
 * Pid 1 is the sentry itself in the shape of a process (docs/decisions/0003-init.md): it has credentials, a directory
 * and a place in the tree, but no program, no memory and no fiber. It ignores SIGCHLD, so whoever becomes its child is
 * reaped at its end, and takes no signal. The program of the command line is its child, pid 2 (process.is_main).
 *
 * Limits: those of limits.h; a process's own begin with what a login on Debian gives.
 */
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define STACK_SOFT_BYTES (8ull << 20)
#define MEMLOCK_BYTES    (8ull << 20)
#define MSGQUEUE_BYTES   819200ull
#define COREDUMP_FILTER  0x33u /* as Linux begins: anonymous memory, ELF headers, private huge pages */
#define ALL_AFFINITY     (~0ull)

static void limits_init(struct process *process)
{
	struct rlimit64_pair *limits = process->limits;

	for (unsigned i = 0; i < RLIMIT_COUNT; i++)
		limits[i] = (struct rlimit64_pair){ABI_RLIM_INFINITY, ABI_RLIM_INFINITY};
	limits[ABI_RLIMIT_STACK].soft = STACK_SOFT_BYTES;
	limits[ABI_RLIMIT_CORE].soft = 0;
	limits[ABI_RLIMIT_NPROC] = (struct rlimit64_pair){TASK_LIMIT, TASK_LIMIT};
	limits[ABI_RLIMIT_NOFILE] = (struct rlimit64_pair){FD_SOFT_DEFAULT, FD_HARD_DEFAULT};
	limits[ABI_RLIMIT_MEMLOCK] = (struct rlimit64_pair){MEMLOCK_BYTES, MEMLOCK_BYTES};
	limits[ABI_RLIMIT_SIGPENDING] = (struct rlimit64_pair){SIGQUEUE_LIMIT, SIGQUEUE_LIMIT};
	limits[ABI_RLIMIT_MSGQUEUE] = (struct rlimit64_pair){MSGQUEUE_BYTES, MSGQUEUE_BYTES};
	limits[ABI_RLIMIT_NICE] = limits[ABI_RLIMIT_RTPRIO] = (struct rlimit64_pair){0, 0};
}

static int join(struct process *process, struct task *task, struct fs_context *fs, struct cred *cred)
{
	struct pgroup *group;
	int error = pgroup_new(task->tid, NULL, &group);

	if (error)
		return error;
	task->sighand = sighand_new();
	if (!task->sighand) {
		pgroup_put(group);
		return -ENOMEM;
	}
	process->pid = task->tid;
	process->leader = task;
	process->exit_signal = SIGCHLD;
	limits_init(process);
	process->coredump_filter = COREDUMP_FILTER;
	pgroup_join(process, group);
	pgroup_put(group);
	fs_context_get(task->fs = fs);
	cred_get(task->cred = cred);
	task->sched.affinity[0] = ALL_AFFINITY;
	process_add_thread(process, task);
	task_hash(task);
	return 0;
}

/* A process with one task, in groups of its own and in nobody's family. */
static int process_make(struct fs_context *fs, struct cred *cred, struct task **out)
{
	struct process *process;
	struct task *task;
	int error = task_alloc(&task);

	if (error)
		return error;
	error = process_alloc(&process);
	if (error) {
		task_put(task);
		return error;
	}
	error = join(process, task, fs, cred);
	if (error) {
		process_put(process);
		task_put(task);
		return error;
	}
	*out = task;
	return 0;
}

static int init_make(const struct task_main_config *config)
{
	struct cred *root = cred_new(0, 0);
	struct fs_context *fs = fs_context_new(&config->fs->root, &config->fs->root);
	struct task *task;
	int error = root && fs ? process_make(fs, root, &task) : -ENOMEM;

	if (fs)
		fs_context_put(fs);
	if (root)
		cred_put(root);
	if (error)
		return error;
	assert(task->tid == INIT_PID);
	task->state = TASK_SLEEPING;
	memcpy(task->comm, "init", sizeof "init");
	task->process->is_init = true;
	task->process->exit_signal = 0;
	task->sighand->action[SIGCHLD - 1].handler = ABI_SIG_IGN;
	return 0;
}

int task_new_main(const struct task_main_config *config, struct task **out)
{
	struct task *task;
	int error = init_make(config);

	if (!error)
		error = process_make(config->fs, config->cred, &task);
	if (error)
		return error;
	struct process *process = task->process, *init = process_init();
	process->is_main = true;
	process->parent = init;
	process->parent_task = init->leader;
	list_push_back(&init->children, &process->sibling_node);
	fdtable_get(task->files = config->files);
	*out = task;
	return 0;
}

int task_start(struct task *task)
{
	assert(!task->fiber && task->process);
	task->stop_counted = task->process->group_stop;
	int error = fiber_new(task_run_main, task, &task->fiber);
	if (!error)
		fiber_owner_set(task->fiber, task);
	return error;
}

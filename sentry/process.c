/* process.c - the first process, limits at birth, and starting a task's fiber.
 *
 * Limits: those of limits.h; a process's own begin with what a login on Debian gives.
 */
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include <errno.h>

#define STACK_SOFT_BYTES (8ull << 20)
#define MEMLOCK_BYTES    (8ull << 20)
#define MSGQUEUE_BYTES   819200ull
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

static int init_join(struct process *process, struct task *task, const struct task_init_config *config)
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
	process->is_init = true;
	process->exit_signal = 0;
	limits_init(process);
	pgroup_join(process, group);
	pgroup_put(group);
	fs_context_get(task->fs = config->fs);
	cred_get(task->cred = config->cred);
	fdtable_get(task->files = config->files);
	task->sched.affinity[0] = ALL_AFFINITY;
	process_add_thread(process, task);
	task_hash(task);
	return 0;
}

int task_new_init(const struct task_init_config *config, struct task **out)
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
	error = init_join(process, task, config);
	if (error) {
		process_put(process);
		task_put(task);
		return error;
	}
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

/* boot.c - the sandbox's life: tree, first process, loop, end.
 *
 * Everything that may park (looking up the program, reading it) runs on a fiber of its own, the boot fiber; the control
 * fiber listens to the command-line process. The sandbox ends when its first process has ended (boot_main_exited), when
 * the command-line process goes away, or when the platform finds that it must not go on (platform_fatal).
 */
#include "sentry/boot.h"
#include "fs/changes.h"
#include "fs/console.h"
#include "fs/facts.h"
#include "fs/fdtable.h"
#include "fs/filedata.h"
#include "fs/output.h"
#include "netstack/autoconf.h"
#include "netstack/net.h"
#include "platform/hostfile.h"
#include "platform/hostio.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"
#include "sentry/boot_program.h"
#include "sentry/core.h"
#include "sentry/exec.h"
#include "sentry/governor.h"
#include "sentry/loop.h"
#include "sentry/procfs.h"
#include "sentry/task.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STDIO_COUNT  3
#define GUESTS_GO_NS (5 * NS_PER_S) /* killed ones have gone by then */

/* What boot needs while it runs; the sandbox has one. Not in the arena: a restored sandbox does not boot. */
static struct {
	const struct boot_config *config;
	struct boot_status *status;
	struct task *main;
	struct path root;
	bool finishing;
} boot;

int sentry_init(void)
{
	int error = arena_init();

	if (error)
		return error;
	fs_init();
	procfs_init();
	error = net_init();
	return error ? error : task_system_init();
}

printf_like(2, 3) static void boot_fail(int exec_error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(boot.status->message, sizeof boot.status->message, format, args);
	va_end(args);
	boot.status->result = BOOT_FAILED;
	boot.status->exec_error = exec_error;
	loop_stop();
}

static struct process *any_guest(void)
{
	struct process *process;
	struct list *all = process_all();

	list_for_each (process, all, all_node)
		if (!process->is_init && !process->zombie)
			return process;
	return NULL;
}

/* PARKS. Whoever looks at what guests have left must not see one at work. */
static void wait_for_guests(void)
{
	uint64_t deadline_ns = clock_now_ns() + GUESTS_GO_NS;
	struct process *process;
	int error = 0;

	while (!error && (process = any_guest())) {
		process_get(process);
		error = WAIT_EVENT(&process->exit_wait, process->zombie, deadline_ns);
		process_put(process);
	}
}

static void finish_main(void *unused)
{
	(void)unused;
	if (boot.status->result != BOOT_LIMIT)
		console_drain();
	if (boot.config->finish) {
		wait_for_guests();
		boot.config->finish();
	}
	loop_stop();
}

/* The end, with what is to be done before it on a fiber. */
static void finish(void)
{
	struct fiber *fiber;

	if (boot.finishing)
		return;
	boot.finishing = true;
	if ((!console_active() && !boot.config->finish) || fiber_new(finish_main, NULL, &fiber))
		loop_stop();
}

/* Not because the first program has ended: whoever still runs is killed, and what there is to say is said. */
static void finish_by_force(void)
{
	struct process *process;
	struct list *all = process_all();

	finish();
	list_for_each (process, all, all_node)
		if (!process->is_init)
			process_exit(process, SIGKILL);
}

void boot_limit_reached(const char *format, ...)
{
	va_list args;

	if (!boot.status || boot.status->result == BOOT_LIMIT)
		return;
	va_start(args, format);
	vsnprintf(boot.status->message, sizeof boot.status->message, format, args);
	va_end(args);
	boot.status->result = BOOT_LIMIT;
	boot.main = NULL;
	if (boot.config->finish)
		finish_by_force();
	else
		loop_stop();
}

void boot_main_exited(int wait_status)
{
	if (boot.status->result == BOOT_LIMIT)
		return;
	boot.status->result = BOOT_EXITED;
	boot.status->wait_status = wait_status;
	boot.main = NULL;
	finish();
}

static int open_standard(int fd, struct cred *cred, struct file **out)
{
	const struct boot_config *config = boot.config;

	if (config->console_fds & 1u << fd)
		return console_open(cred, out);
	return stdio_open(config->stdio[fd], config->stdio_flags[fd], cred, out);
}

static int open_stdio(struct fdtable *files, struct cred *cred)
{
	const struct boot_config *config = boot.config;
	const struct console_config console = {
		.input = config->stdio[0], .output = config->console_output, .settings = config->console_settings};
	int error = config->console_fds ? console_start(&console, cred) : 0;

	if (error)
		return error;
	for (int fd = 0; fd < STDIO_COUNT; fd++) {
		struct file *file;
		if (config->stdio[fd] == HOSTFILE_NONE && !(config->console_fds & 1u << fd))
			continue;
		error = open_standard(fd, cred, &file);
		if (error)
			return error;
		error = fd_install_at(files, fd, file, false, FD_SOFT_DEFAULT);
		if (error < 0) {
			file_put(file);
			return error;
		}
	}
	return 0;
}

/* The place of --workdir. */
static int open_workdir(struct cred *cred, struct path *out)
{
	struct fs_context *context = fs_context_new(&boot.root, &boot.root);

	if (!context)
		return -ENOMEM;
	struct walker walker = {.context = context, .cred = cred, .start = boot.root};
	int error = walk(&walker, boot.config->workdir, WALK_FOLLOW | WALK_DIRECTORY, out);
	fs_context_put(context);
	return error;
}

static int make_main(struct task **out)
{
	const struct boot_config *config = boot.config;
	struct path cwd;
	struct cred *cred = cred_new(config->uid, config->gid);
	struct fdtable *files = fdtable_new();
	int error = cred && files ? open_stdio(files, cred) : -ENOMEM;

	if (!error)
		error = open_workdir(cred, &cwd);
	if (!error) {
		struct fs_context *fs = fs_context_new(&boot.root, &cwd);
		path_put(&cwd);
		error = fs ? task_new_main(&(struct task_main_config){.fs = fs, .cred = cred, .files = files}, out)
			   : -ENOMEM;
		if (fs)
			fs_context_put(fs);
	}
	if (files)
		fdtable_put(files);
	if (cred)
		cred_put(cred);
	return error;
}

/* What guests make the sentry remember (names, files and their content, attributes, messages) comes out of a share of
 * what the sandbox, or the machine, has. */
static void limit_arena(void)
{
	uint64_t bytes = boot.config->memory_limit_bytes;

	if (!bytes)
		bytes = boot.config->machine_bytes;
	if (bytes)
		arena_limit_set(bytes / ARENA_SHARE);
}

static void limit_process(struct process *process)
{
	for (unsigned i = 0; i < RLIMIT_COUNT; i++)
		if (boot.config->limits_set & 1u << i)
			process->limits[i] = boot.config->limits[i];
}

static void ignore_signals(struct task *task)
{
	const struct abi_sigaction ignore = {.handler = ABI_SIG_IGN};

	for (int sig = 1; sig <= SIGNAL_COUNT; sig++)
		if (boot.config->ignored_signals & SIGNAL_BIT(sig))
			signal_action_set(task, sig, &ignore);
}

static void start_program(struct task *task)
{
	const struct boot_config *config = boot.config;
	const char *name = config->argv[0];
	struct file *file = NULL;
	char *path = arena_alloc(PATH_LIMIT), why[BOOT_MESSAGE_BYTES];
	int error = path ? boot_program_open(task, name, config->envp, path, &file) : -ENOMEM;

	if (!error)
		error = task_exec(task, file, path, config->argv, config->envp);
	if (!error)
		error = task_start(task);
	if (error) {
		boot_program_explain(task, name, path ? path : name, file, error, why);
		boot_fail(-error, "%s", why);
	}
	if (file)
		file_put(file);
	if (path)
		arena_free(path, PATH_LIMIT);
}

/* What can be done about a place that cannot be made. */
static const char *place_remedy(int error)
{
	switch (error) {
	case -EROFS:
		return "; choose a place that is there, or one outside of what is read-only";
	case -EISDIR:
		return ", and a file can only take the place of a file; choose another with --mount";
	case -ENOTDIR:
		return ", and a directory can only take the place of a directory; choose another with --mount";
	case -ENOMEM:
	case -ENOSPC:
		return "; see --memory and --disk";
	default:
		return "; choose another place with --mount";
	}
}

static void boot_main(void *unused)
{
	unsigned failed = 0;
	int error = mounts_build(boot.config->mounts, boot.config->mount_count, &boot.root, &failed);

	(void)unused;
	if (error) {
		boot_fail(0, "cannot make %.500s in the sandbox: %s%s", boot.config->mounts[failed].target,
			  strerror(-error), place_remedy(error));
		return;
	}
	error = changes_begin(&boot.root);
	if (error) {
		boot_fail(0, "no memory for the sandbox's tree");
		return;
	}
	error = make_main(&boot.main);
	if (error) {
		boot_fail(0, "working directory %.500s: %s; choose another with --workdir", boot.config->workdir,
			  strerror(-error));
		return;
	}
	if (console_active())
		console_control(boot.main->process->pid);
	limit_process(boot.main->process);
	ignore_signals(boot.main);
	boot.main->sched.nice = boot.config->nice;
	autoconf_wait();
	start_program(boot.main);
}

/* Signals that reach the command line are for the whole process group of the first process, as a terminal would send
 * them. */
static void forward_signal(int sig)
{
	struct process *process;
	struct list *all = process_all();

	if (sig < 1 || sig > SIGNAL_COUNT || !boot.main)
		return;
	if (sig == SIGWINCH && console_active()) {
		console_resize();
		return;
	}
	struct pgroup *group = boot.main->process->pgroup;
	list_for_each (process, all, all_node)
		if (process->pgroup == group && !process->zombie)
			signal_send_process(process, sig, NULL);
}

/* The command-line process wants no more, or is no more. A report that has been begun is brought to its end: the
 * command-line process says how long it waits for that. */
static void end_by_order(void)
{
	if (boot.finishing && boot.config->finish)
		return;
	if (!boot.config->finish || !boot.main)
		boot_fail(0, "the command line went away");
	else
		finish_by_force();
}

static void control_main(void *unused)
{
	(void)unused;
	for (;;) {
		unsigned char byte;
		ssize_t n = hostio_read(boot.config->control_file, &byte, 1, -1);
		if (n == 1) {
			forward_signal(byte);
			continue;
		}
		if (n == -EINTR || n == -EAGAIN)
			continue;
		end_by_order();
		return;
	}
}

void sentry_boot(const struct boot_config *config, struct boot_status *status)
{
	struct fiber *fiber;

	*status = (struct boot_status){.result = BOOT_FAILED};
	boot.config = config;
	boot.status = status;
	limit_arena();
	if (config->crash_report)
		crash_report_enable();
	facts_init(config->hostname, config->cpu_count, config->memory_limit_bytes, config->machine_bytes);
	if (config->task_limit)
		task_limit_set(config->task_limit);
	disk_limit_set(config->disk_limit_bytes);
	output_limit_set(config->output_limit_bytes);
	if (governor_start(facts.memory_limited ? facts.memory_bytes : 0, &config->cpu) ||
	    fiber_new(boot_main, NULL, &fiber) ||
	    (config->control_file != HOSTFILE_NONE && fiber_new(control_main, NULL, &fiber))) {
		boot_fail(0, "no memory for the first fibers");
		return;
	}
	loop_run();
	if (platform_fatal()) {
		status->result = BOOT_FAILED;
		snprintf(status->message, sizeof status->message, "%s", platform_fatal());
	}
	platform_stop();
}

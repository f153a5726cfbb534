/* sandbox.c - starts the sentry inside the jail.
 *
 * Order matters: terminals are opened anew while the host's proc is still there; then the jail goes up but for its
 * filter; the platform starts its processes and the sentry its arena; then the filter closes and the first guest
 * instruction may run. From jail_close on this process makes no call that host.def does not list, so nothing here uses
 * stdio.
 */
#include "runtime/sandbox.h"

#include "netstack/dns.h"
#include "netstack/policy_audit.h"
#include "netstack/policy_change.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/hostio.h"
#include "platform/platform.h"
#include "runtime/report.h"
#include "runtime/start.h"
#include "runtime/stats.h"
#include "sentry/base/log.h"
#include "syscalls/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* The host's limit of a process's private writable memory, behind the sandbox's limit: wide, because threads' stacks
 * and the like are mapped and hardly used. What the host counts and the sentry does not (stacks, the gate) is the
 * slack: a guest is to meet the sentry's own first. (docs/decisions/0007-limits.md) */
#define BACKSTOP_BYTES(limit) (4 * (limit) + (16ull << 30))
#define BACKSTOP_SLACK_BYTES  (64ull << 20)

static struct outcome *outcome;

no_return static void give_up(const char *message)
{
	outcome->status.result = BOOT_FAILED;
	snprintf(outcome->status.message, sizeof outcome->status.message, "%s", message);
	outcome->complete = true;
	host_exit(1);
}

/* The host's doing. */
no_return static void give_up_on_host(const char *what)
{
	char message[JAIL_MESSAGE_BYTES + 32];

	snprintf(message, sizeof message, "%s; see usbx doctor", what);
	give_up(message);
}

/* While the sandbox starts, an error is the reason of a failure and goes into the one line about it. */
static bool starting = true;
static char start_error[JAIL_MESSAGE_BYTES];

static void log_to_stderr(enum log_level level, const char *line)
{
	char text[1024];

	if (starting && level == LOG_ERROR) {
		snprintf(start_error, sizeof start_error, "%s", line);
		return;
	}
	int n = snprintf(text, sizeof text, "usbx: %s%s\n", level == LOG_ERROR ? "" : "debug: ", line);

	host_stderr(text, MIN((size_t)MAX(n, 0), sizeof text - 1));
}

/* A terminal is shared with the person's shell, O_NONBLOCK of its file description included. So we make a description
 * of our own for the same terminal. Where it cannot be opened (it belongs to somebody else) hostio.c gets by. */
static void open_terminal_anew(int fd)
{
	char path[32];
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || !isatty(fd))
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int own = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return;
	dup3(own, fd, O_CLOEXEC);
	close(own);
}

static uint32_t add_file(int fd)
{
	uint32_t file;

	if (hostfile_add(fd, &file))
		give_up("more host files than a sandbox can have; show the directories around some of them instead");
	return file;
}

/* A directory stays the O_PATH descriptor that it is; a writable file is opened, because its name is not reached again
 * (one that is only read is open already). */
static uint32_t add_view(const struct mount_spec *spec, const struct jail_view *view)
{
	char message[JAIL_MESSAGE_BYTES];
	int fd = view->fd;

	if (!spec->is_file || !view->writable)
		return add_file(fd);
	int opened = host_reopen(fd, O_RDWR);
	if (opened < 0)
		opened = host_reopen(fd, O_RDONLY);
	if (opened < 0) {
		snprintf(message, sizeof message, "cannot read %.150s: %s", view->source, strerror(-opened));
		give_up(message);
	}
	host_close(fd);
	return add_file(opened);
}

static void add_stdio(struct boot_config *config, const struct sandbox *sandbox, const int flags[3])
{
	for (int fd = 0; fd < 3; fd++) {
		config->stdio[fd] = HOSTFILE_NONE;
		config->stdio_flags[fd] = (uint32_t)flags[fd] & (O_ACCMODE | O_APPEND);
		/* A duplicate: our own 2 stays for what we have to say. */
		int copy = sandbox->stdio_open[fd] ? fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD) : -1;
		if (copy >= 0)
			config->stdio[fd] = add_file(copy);
	}
	config->console_fds = sandbox->console_fds;
	config->console_output = sandbox->console_output < 0 ? HOSTFILE_NONE : config->stdio[sandbox->console_output];
	config->console_settings = sandbox->has_settings ? &sandbox->settings : NULL;
}

/* Before the first link. */
static void install_policy(const struct options *options)
{
	static struct policy_config config;

	config = options->policy;
	config.audit_file = options->audit_path ? add_file(AUDIT_FD) : HOSTFILE_NONE;
	policy_install(&config);
}

static void attach_network(const struct network *network)
{
	uint32_t files[NETWORK_LINKS];
	char message[JAIL_MESSAGE_BYTES];

	for (unsigned i = 0; i < network->link_count; i++)
		files[i] = add_file(UPLINK_FD + (int)i);
	int error = network_attach(network, files);
	if (error) {
		snprintf(message, sizeof message, "--net: the network stack does not take its setup: %s",
			 strerror(-error));
		give_up(message);
	}
}

static unsigned usable_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)MAX(CPU_COUNT(&set), 1);
}

/* The next whole number of --cpus, or what there is. */
static unsigned shown_cpus(const struct options *options)
{
	uint64_t wanted = (options->cpu_milli + 999) / 1000;

	return wanted ? (unsigned)MIN(wanted, (uint64_t)usable_cpus()) : usable_cpus();
}

static uint64_t machine_bytes(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);

	return pages > 0 ? (uint64_t)pages * PAGE_SIZE : 0;
}

static void start_platform(const struct options *options)
{
	const struct platform_config config = {
		.kind = options->platform,
		.memory_limit_bytes = options->memory_bytes ? BACKSTOP_BYTES(options->memory_bytes) : 0,
		.no_patch = options->debug.no_patch,
		.no_spin = options->debug.no_spin || shown_cpus(options) < 2,
	};

	if (options->memory_bytes)
		mm_data_limit_set(BACKSTOP_BYTES(options->memory_bytes) - BACKSTOP_SLACK_BYTES);

	if (options->debug.epoll || options->debug.uring)
		hostio_prefer(options->debug.epoll ? HOSTIO_EPOLL : HOSTIO_URING);
	if (platform_start(&config))
		give_up_on_host(*start_error ? start_error : "the platform cannot start on this host");
}

static void run(const struct sandbox *sandbox, const struct boot_config *config, const struct trace_config *trace)
{
	uint64_t started_ns = host_monotonic_ns();
	struct boot_status status;
	char message[JAIL_MESSAGE_BYTES];

	if (jail_close(message))
		give_up_on_host(message);
	start_probe();
	starting = false;
	trace_start(trace);
	sentry_boot(config, &status);
	trace_finish();
	audit_finish();
	if (sandbox->options->stats)
		stats_print(sandbox->options->stats, host_monotonic_ns() - started_ns);
	outcome->status = status;
	outcome->report_failed = report_failed();
	outcome->complete = true;
}

void sandbox_main(void *argument)
{
	const struct sandbox *sandbox = argument;
	const struct options *options = sandbox->options;
	struct view *view = sandbox->view;
	char message[JAIL_MESSAGE_BYTES];
	int flags[3];

	outcome = sandbox->outcome;
	madvise(outcome, PAGE_SIZE, MADV_DONTFORK); /* no stub may ever write our verdict */
	log_init(options->debug.log ? LOG_DEBUG : LOG_ERROR, log_to_stderr);
	for (int fd = 0; fd < 3; fd++) {
		flags[fd] = sandbox->stdio_open[fd] ? fcntl(fd, F_GETFL) : 0;
		open_terminal_anew(fd);
	}
	if (jail_enter(view->host, view->host_count, FIRST_FREE_FD, message))
		give_up_on_host(message);
	start_platform(options);
	if (sentry_init() || start_upper_parts())
		give_up(*start_error ? start_error : "no memory for the sentry's own tables");
	install_policy(options);
	attach_network(sandbox->network);
	if (sandbox->changeable && policy_change_start(add_file(CHANGE_FD)))
		give_up("the policy cannot be changed: no memory");
	if (sandbox->network->link_count && dns_start())
		give_up("the forwarder for names cannot start");
	struct boot_config config = {
		.mounts = view->specs,
		.mount_count = view->count,
		.argv = options->argv,
		.envp = options->env,
		.workdir = view->workdir,
		.hostname = options->hostname,
		.uid = options->uid,
		.gid = options->gid,
		.ignored_signals = sandbox->ignored_signals,
		.nice = getpriority(PRIO_PROCESS, 0),
		.memory_limit_bytes = options->memory_bytes,
		.machine_bytes = machine_bytes(),
		.cpu_count = shown_cpus(options),
		.cpu = {.host_cpus = usable_cpus(), .milli = options->cpu_milli, .total_ns = options->cpu_time_ns},
		.task_limit = options->pids,
		.disk_limit_bytes = options->disk_bytes,
		.output_limit_bytes = options->output_bytes,
		.limits_set = options->ulimits_set,
		.crash_report = options->crash_report,
		.control_file = add_file(CONTROL_FD),
	};
	memcpy(config.limits, options->ulimits, sizeof config.limits);
	for (unsigned i = 0; i < view->count; i++)
		if (view->shown[i] >= 0)
			view->specs[i].host_dir = add_view(&view->specs[i], &view->host[view->shown[i]]);
	add_stdio(&config, sandbox, flags);
	const struct trace_config trace = {
		.lines = options->strace,
		.line_file = options->strace_path ? add_file(STRACE_FD) : HOSTFILE_NONE,
		.json_file = options->trace_path ? add_file(TRACE_FD) : HOSTFILE_NONE,
		.line_path = options->strace_path,
		.json_path = options->trace_path,
	};
	report_init(options->diff, options->save_path ? add_file(SAVE_FD) : HOSTFILE_NONE, options->save_path);
	if (report_wanted())
		config.finish = report_changes;
	run(sandbox, &config, &trace);
	host_exit(0);
}

/* supervise.c - starts the jail and waits for its end.
 *
 * Signals that a terminal or a parent sends to usbx are meant for the command: they go to the sentry as bytes of a
 * pipe, and the sentry raises them for the guest's foreground. usbx itself ends only when the sandbox has. When usbx is
 * killed, the kernel kills the sentry (PR_SET_PDEATHSIG), and with it everything in its pid namespace.
 */
#include "runtime/supervise.h"

#include "platform/host.h"
#include "runtime/control.h"
#include "runtime/fail.h"
#include "runtime/terminal.h"
#include "sentry/signal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDERLY_END_NS  (500 * NS_PER_MS)
#define TRACE_END_NS    (10 * NS_PER_S) /* with --trace or --strace: the last lines may wait for a reader */
#define REPORT_END_NS   (60 * NS_PER_S) /* with --diff or --save */
#define DESCRIPTORS_MIN 200             /* besides what is shown of the host */

/* What reaches the guest. SIGTSTP stops us too, SIGCONT continues both. */
static const int forwarded[] = {SIGINT,  SIGTERM,  SIGHUP,  SIGQUIT, SIGUSR1,
				SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT, SIGALRM};

/* What our parent made us ignore (nohup): the command inherits it, as it would without us. */
static uint64_t ignored_signals(void)
{
	struct abi_sigaction now;
	uint64_t found = 0;

	/* The C library's sigaction keeps two numbers to itself. */
	for (int sig = 1; sig <= SIGNAL_COUNT; sig++)
		if (!syscall(SYS_rt_sigaction, sig, NULL, &now, sizeof now.mask) && now.handler == ABI_SIG_IGN)
			found |= SIGNAL_BIT(sig);
	return found;
}

static int open_signals(uint64_t ignored)
{
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < COUNT(forwarded); i++)
		if (!(ignored & SIGNAL_BIT(forwarded[i])))
			sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		fail("cannot receive signals: %s", strerror(errno));
	return fd;
}

/* Puts fd to the number that the child expects; the number may be taken by a descriptor that the caller left us. */
static void place(int fd, int wanted)
{
	if (fd != wanted && dup2(fd, wanted) < 0)
		fail("too few descriptors: %s; raise ulimit -n", strerror(errno));
}

/* 0, 1 and 2 are always something, so that nothing else gets these numbers; which of them were open is remembered. */
static void fill_stdio(bool was_open[3])
{
	for (int fd = 0; fd < 3; fd++) {
		was_open[fd] = fcntl(fd, F_GETFD) >= 0;
		if (!was_open[fd] && open("/dev/null", O_RDWR) != fd)
			fail("standard descriptor %d is closed and /dev/null cannot take its place", fd);
	}
}

/* A file that the sentry writes for the person, under the number that it expects; path NULL: that number is free.
 * how: O_TRUNC or O_APPEND. */
static void open_output(const char *option, const char *path, int how, int wanted)
{
	if (!path) {
		close(wanted);
		return;
	}
	int fd = open(path, O_WRONLY | O_CREAT | how | O_CLOEXEC | O_NOCTTY, 0666);
	if (fd < 0)
		fail_to_write(option, path, errno);
	place(fd, wanted);
	if (fd != wanted)
		close(fd);
}

/* The caller may have left us anything at the numbers that the child expects something at; what we open before they are
 * filled must not get one of these. */
static void reserve_channels(void)
{
	for (int fd = CONTROL_FD; fd < FIRST_FREE_FD; fd++)
		place(STDIN_FILENO, fd);
}

/* The links to the outside, at the numbers that the child expects them at. */
static void open_links(struct network *network, const struct network_options *options)
{
	int fds[NETWORK_LINKS];

	network_prepare(network, options, fds);
	for (int i = 0; i < NETWORK_LINKS; i++) {
		if (i >= (int)network->link_count) {
			close(UPLINK_FD + i);
			continue;
		}
		place(fds[i], UPLINK_FD + i);
		if (fds[i] != UPLINK_FD + i)
			close(fds[i]);
	}
}

static void close_links(const struct network *network)
{
	for (unsigned i = 0; i < network->link_count; i++)
		close(UPLINK_FD + (int)i);
}

/* Descriptors of struct sandbox; returns the writing end of the control pipe. */
static int open_channels(const struct options *options)
{
	int control[2];

	reserve_channels();
	if (pipe2(control, O_CLOEXEC | O_NONBLOCK))
		fail("cannot make a pipe: %s", strerror(errno));
	place(control[0], CONTROL_FD);
	close(control[0]);
	open_output("--strace", options->strace_path, O_TRUNC, STRACE_FD);
	open_output("--trace", options->trace_path, O_TRUNC, TRACE_FD);
	open_output("--save", options->save_path, O_TRUNC, SAVE_FD);
	open_output("--audit", options->audit_path, O_APPEND, AUDIT_FD);
	control_open(options, CHANGE_FD);
	return control[1];
}

static void forward(int signals, int control)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
		unsigned char byte = (unsigned char)info.ssi_signo;
		(void)!write(control, &byte, 1); /* a full pipe: the sentry has thousands to do already */
		if (info.ssi_signo == SIGTSTP) {
			terminal_restore();
			raise(SIGSTOP);
		}
		if (info.ssi_signo == SIGTSTP || info.ssi_signo == SIGCONT)
			terminal_raw();
	}
}

/* Until the child has ended, or the deadline has passed: then false. */
static bool wait_for_end(int pidfd, int signals, int control, uint64_t deadline_ns)
{
	struct pollfd polls[] = {{.fd = pidfd, .events = POLLIN},
				 {.fd = signals, .events = POLLIN},
				 {.fd = control_fd(), .events = POLLIN}};

	for (;;) {
		uint64_t now = host_monotonic_ns();
		struct timespec left = {0, 0};
		if (deadline_ns > now) {
			left.tv_sec = (time_t)((deadline_ns - now) / NS_PER_S);
			left.tv_nsec = (long)((deadline_ns - now) % NS_PER_S);
		}
		int n = ppoll(polls, COUNT(polls), deadline_ns == DEADLINE_NONE ? NULL : &left, NULL);
		if (polls[1].revents & POLLIN)
			forward(signals, control);
		if (n > 0 && polls[2].revents)
			control_serve();
		if (n > 0 && polls[0].revents)
			return true;
		if (n == 0 && host_monotonic_ns() >= deadline_ns)
			return false;
	}
}

/* How long the sentry may take to put down what it has still to say, once it was told to stop. */
static uint64_t end_patience_ns(const struct options *options)
{
	if (options->diff || options->save_path)
		return REPORT_END_NS;
	return options->trace_path || options->strace ? TRACE_END_NS : ORDERLY_END_NS;
}

static int status_of_command(int wait_status)
{
	return WIFSIGNALED(wait_status) ? EXIT_SIGNAL + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* The child ended without a word. */
static int explain_death(int wait_status)
{
	if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL) {
		complain("the sandbox was killed (by somebody, or for lack of memory on the host)");
		return EXIT_SIGNAL + SIGKILL;
	}
	if (WIFSIGNALED(wait_status))
		complain("the sandbox's kernel died of signal %d (%s): this is a bug in usbx", WTERMSIG(wait_status),
			 strsignal(WTERMSIG(wait_status)));
	else
		complain("the sandbox's kernel ended with status %d: this is a bug in usbx", WEXITSTATUS(wait_status));
	return EXIT_USBX;
}

static int judge(const struct outcome *outcome, int wait_status)
{
	const struct boot_status *status = &outcome->status;

	if (!outcome->complete)
		return explain_death(wait_status);
	if (status->result == BOOT_EXITED)
		return outcome->report_failed ? EXIT_USBX : status_of_command(status->wait_status);
	complain("%.*s", (int)sizeof status->message, status->message);
	if (status->result == BOOT_LIMIT)
		return outcome->report_failed ? EXIT_USBX : EXIT_TIMEOUT;
	if (!status->exec_error)
		return EXIT_USBX;
	return status->exec_error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* What --timeout ends: was everything said that was asked for? late: the sentry was killed over it. */
static int report_status(const struct options *options, const struct outcome *outcome, bool late)
{
	if (late && options->save_path)
		complain(
			"--save %s: not complete, after %llu s more than --timeout; give it more time, or less to save",
			options->save_path, REPORT_END_NS / NS_PER_S);
	else if (late && options->diff)
		complain("--diff: not complete, after %llu s more than --timeout", REPORT_END_NS / NS_PER_S);
	bool wanted = options->save_path || options->diff;
	return wanted && (late || outcome->report_failed) ? EXIT_USBX : EXIT_TIMEOUT;
}

/* With less than this a program would soon be told of missing files. What the sandbox is handed over has fixed numbers
 * (sandbox.h), which a low soft limit may not allow: it is raised as far as we may. */
static void take_descriptors(const struct view *view)
{
	rlim_t needed = DESCRIPTORS_MIN + view->host_count;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	if (limit.rlim_max < needed)
		fail("only %lu descriptors are allowed, a sandbox needs %lu: raise ulimit -Hn",
		     (unsigned long)limit.rlim_max, (unsigned long)needed);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int supervise(const struct options *options, struct view *view)
{
	struct sandbox sandbox = {.options = options, .view = view, .ignored_signals = ignored_signals()};
	static struct network network;
	char message[JAIL_MESSAGE_BYTES];
	int pidfd, wait_status = 0;
	bool late = false;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN); /* when nobody reads what we say, the status says it */
	take_descriptors(view);
	fill_stdio(sandbox.stdio_open);
	int control = open_channels(options);
	open_links(&network, &options->network);
	sandbox.network = &network;
	sandbox.changeable = control_fd() >= 0;
	int signals = open_signals(sandbox.ignored_signals);
	sandbox.outcome = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sandbox.outcome == MAP_FAILED)
		fail("no memory");
	uint64_t deadline_ns = options->timeout_ns ? host_monotonic_ns() + options->timeout_ns : DEADLINE_NONE;
	terminal_plan(&sandbox);
	terminal_raw();
	if (jail_spawn(sandbox_main, &sandbox, &pid, &pidfd, message))
		fail("%s; see usbx doctor", message);
	close(CONTROL_FD);
	close_links(&network);
	if (control_fd() >= 0)
		close(CHANGE_FD);
	bool ended = wait_for_end(pidfd, signals, control, deadline_ns);
	if (!ended) {
		/* The end of the pipe is the sentry's order to stop: it still shows what --strace and --debug have to
		 * say. */
		close(control);
		if (!wait_for_end(pidfd, signals, -1, host_monotonic_ns() + end_patience_ns(options))) {
			kill(pid, SIGKILL);
			late = true;
		}
	}
	while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
		continue;
	network_end();
	control_close();
	terminal_restore();
	if (ended)
		return judge(sandbox.outcome, wait_status);
	complain("stopped after --timeout %g s", (double)options->timeout_ns / (double)NS_PER_S);
	return report_status(options, sandbox.outcome, late);
}

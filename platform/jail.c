/* jail.c - namespaces, mounts, capabilities and the seccomp filter around the sentry.
 *
 * Theory. The sentry is the child of a clone with every namespace of its own, so it is pid 1 of a pid namespace whose
 * other members are the stubs: when it dies, for whatever reason, the kernel kills them all. It dies when its parent
 * dies (PR_SET_PDEATHSIG). Mounts live in a mount namespace that goes away with it. So nothing can be left on the host.
 *
 * What the sandbox may see of the host becomes a *detached* mount each (open_tree with OPEN_TREE_CLONE): a tree of its
 * own, with no parent. ".." at its root stays there, and for everything not meant to be written the mount itself is
 * read-only, so that even a taken-over sentry that is root on the host cannot write to it. Single files that are only
 * read are opened through such a mount of their directory, which is then closed. Then the root becomes an
 * empty, read-only tmpfs and the host's tree is detached: an absolute path leads nowhere. A proc of the new pid
 * namespace, not mounted anywhere either, is kept as a descriptor: the platform writes stubs' memory through it.
 *
 * User namespace: the sentry stays the user who called. Root maps every id it has to itself (files keep their owners),
 * an ordinary user just his own. All capabilities are then dropped, in the bounding set too, and cannot come back.
 *
 * Limits: open_tree, mount_setattr, fsmount: Linux 5.12. A host that forbids user namespaces cannot run usbx.
 */
#include "platform/jail.h"

#include "platform/host.h"
#include "platform/rawcall.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/mount.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* <sys/mount.h> and <linux/mount.h> of this C library cannot be included together. */
#define MS_REC_FLAG       16384
#define MS_PRIVATE_FLAG   (1 << 18)
#define MNT_DETACH_FLAG   2
#define CLOSE_RANGE_LAST  ~0u
#define MAP_TEXT_BYTES    4096
#define MEMORY_MOUNT_SIZE "64T"
#define NAMESPACES                                                                                                     \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static bool closed;

printf_like(3, 4) static int explain(char message[JAIL_MESSAGE_BYTES], int error, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(message, JAIL_MESSAGE_BYTES, format, args);
	va_end(args);
	if (n >= 0 && n < JAIL_MESSAGE_BYTES - 1)
		snprintf(message + n, (size_t)(JAIL_MESSAGE_BYTES - n), ": %s", strerror(-error));
	return error;
}

/* ------------------------------------------------------------------------------------------------ outside */

static int write_proc(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd = (int)CALL4(openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	long result = CALL3(write, fd, text, strlen(text));
	host_close(fd);
	return result < 0 ? (int)result : 0;
}

/* Every id that we have ourselves, mapped to itself. /proc/self/uid_map has lines "inside outside count". */
static int identity_map(const char *name, char text[MAP_TEXT_BYTES])
{
	unsigned long inside, outside, count;
	size_t used = 0;
	FILE *file = fopen(name, "re");

	if (!file)
		return -ENOENT;
	while (fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3 && used < MAP_TEXT_BYTES - 64)
		used += (size_t)snprintf(text + used, MAP_TEXT_BYTES - used, "%lu %lu %lu\n", inside, inside, count);
	fclose(file);
	return used ? 0 : -EINVAL;
}

/* The whole range where we may, else our own id alone; for that a group map needs setgroups(2) to be given up. */
static int write_maps(pid_t pid)
{
	char text[MAP_TEXT_BYTES];
	int error = identity_map("/proc/self/uid_map", text);

	if (!error)
		error = write_proc(pid, "uid_map", text);
	if (!error) {
		error = identity_map("/proc/self/gid_map", text);
		return error ? error : write_proc(pid, "gid_map", text);
	}
	snprintf(text, sizeof text, "%u %u 1\n", geteuid(), geteuid());
	error = write_proc(pid, "uid_map", text);
	if (!error)
		error = write_proc(pid, "setgroups", "deny");
	snprintf(text, sizeof text, "%u %u 1\n", getegid(), getegid());
	return error ? error : write_proc(pid, "gid_map", text);
}

int jail_spawn(void (*child)(void *argument), void *argument, pid_t *pid, int *pidfd, char message[JAIL_MESSAGE_BYTES])
{
	int go[2];

	if (pipe2(go, O_CLOEXEC))
		return explain(message, -EMFILE, "cannot make a pipe");
	/* No C library function makes namespaces and a child in one step; the child has one thread and never uses its
	 * id. */
	long result = CALL(clone, NAMESPACES | CLONE_PIDFD | SIGCHLD, 0, pidfd, 0, 0, 0);
	if (result == 0) {
		char byte;
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a parent that is dead already has closed the pipe */
		host_close(go[1]);
		/* End of file: the parent has gone, or could not write the maps and has said so. */
		if (host_read(go[0], &byte, 1) == 1)
			child(argument);
		host_exit(1);
	}
	host_close(go[0]);
	if (result < 0) {
		host_close(go[1]);
		return explain(message, (int)result,
			       "this host forbids new namespaces (run as root, or allow them: sysctl "
			       "user.max_user_namespaces, kernel.unprivileged_userns_clone)");
	}
	*pid = (pid_t)result;
	int error = write_maps(*pid);
	if (!error && host_write(go[1], "", 1) != 1)
		error = -EPIPE;
	host_close(go[1]);
	if (!error)
		return 0;
	host_close(*pidfd);
	kill(*pid, SIGKILL);
	siginfo_t unused;
	(void)!host_waitid(P_PID, (id_t)*pid, &unused, WEXITED, NULL);
	return explain(message, error, "this host forbids the user map of a namespace");
}

/* ------------------------------------------------------------------------------------------------ inside: mounts */

/* A detached mount of what is there: its descriptor, or -errno. */
static int tree_open(const char *source, bool writable)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	long fd = CALL3(open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0)
		return (int)fd;
	if (!writable)
		attributes.attr_set |= MOUNT_ATTR_RDONLY;
	long error = CALL(mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes, 0);
	if (error) {
		host_close((int)fd);
		return (int)error;
	}
	return (int)fd;
}

/* The directory whose files are being opened, as a read-only tree. Closing a tree waits for all CPUs, so a tree for
 * each of thirty files of /etc would be half of a sandbox's start. */
struct file_tree {
	char path[PATH_MAX];
	int fd; /* -1: none */
};

static void file_tree_close(struct file_tree *tree)
{
	if (tree->fd >= 0)
		host_close(tree->fd);
	tree->fd = -1;
}

/* The file of a view, open for reading, through a mount that is read-only. */
static int file_open(const char *source, struct file_tree *tree)
{
	const char *name = strrchr(source, '/') + 1;
	size_t length = MAX((size_t)(name - source) - 1, (size_t)1);

	if (length >= sizeof tree->path)
		return -ENAMETOOLONG;
	if (tree->fd < 0 || tree->path[length] || strncmp(tree->path, source, length)) {
		file_tree_close(tree);
		memcpy(tree->path, source, length);
		tree->path[length] = 0;
		tree->fd = tree_open(tree->path, false);
	}
	return tree->fd < 0 ? tree->fd : host_open_beneath(tree->fd, name, O_RDONLY, 0);
}

static int view_open(struct jail_view *view, struct file_tree *tree)
{
	int fd = view->is_file && !view->writable ? file_open(view->source, tree)
						  : tree_open(view->source, view->writable);

	if (fd < 0)
		return fd;
	view->fd = fd;
	return 0;
}

/* A new file system that is mounted nowhere; option: NULL, or a string option with its value. Its root, or -errno. */
static int detached_mount(const char *type, const char *option, const char *value, unsigned attributes)
{
	long fs = CALL3(fsopen, type, FSOPEN_CLOEXEC, 0);
	long result;

	if (fs < 0)
		return (int)fs;
	result = option ? CALL(fsconfig, fs, FSCONFIG_SET_STRING, option, value, 0, 0) : 0;
	if (result == 0)
		result = CALL(fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0, 0);
	if (result == 0)
		result = CALL3(fsmount, fs, FSMOUNT_CLOEXEC, attributes);
	host_close((int)fs);
	return (int)result;
}

#define NOTHING_SPECIAL (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int open_own_proc(void)
{
	int fd = detached_mount("proc", "subset", "pid", NOTHING_SPECIAL);

	if (fd == -EINVAL) /* a kernel without subset= */
		fd = detached_mount("proc", NULL, NULL, NOTHING_SPECIAL);
	return fd;
}

/* The root becomes an empty tmpfs, the host's tree goes. */
static int empty_root(void)
{
	int root = detached_mount("tmpfs", "size", "4096", NOTHING_SPECIAL);
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	long error;

	if (root < 0)
		return root;
	error = CALL(move_mount, root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH, 0);
	if (!error)
		error = CALL3(fchdir, root, 0, 0);
	if (!error)
		error = CALL3(pivot_root, ".", ".", 0);
	if (!error)
		error = CALL3(umount2, ".", MNT_DETACH_FLAG, 0);
	if (!error)
		error = CALL3(chdir, "/", 0, 0);
	if (!error)
		error = CALL(mount_setattr, root, "", AT_EMPTY_PATH, &read_only, sizeof read_only, 0);
	host_close(root);
	return (int)error;
}

static int enter_mounts(struct jail_view *views, unsigned count, char message[JAIL_MESSAGE_BYTES])
{
	struct file_tree tree = {.fd = -1};
	long error = CALL(mount, "none", "/", NULL, MS_REC_FLAG | MS_PRIVATE_FLAG, NULL, 0);

	if (error)
		return explain(message, (int)error,
			       "this host gives a user namespace no rights (on Ubuntu: sysctl "
			       "kernel.apparmor_restrict_unprivileged_userns=0)");
	for (unsigned i = 0; i < count; i++) {
		error = view_open(&views[i], &tree);
		if (error)
			return explain(message, (int)error, "cannot show %.120s to the sandbox", views[i].source);
	}
	file_tree_close(&tree);
	int proc = open_own_proc();
	if (proc < 0)
		return explain(message, proc, "this host forbids a proc file system in a new namespace");
	host_proc_set(proc);
	/* Guests map programs from it: it is not NOEXEC. Never full, see host_memory_set: --memory is kept elsewhere.
	 */
	int memory = detached_mount("tmpfs", "size", MEMORY_MOUNT_SIZE, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (memory < 0)
		return explain(message, memory, "this host forbids a tmpfs file system in a new namespace");
	host_memory_set(memory);
	error = empty_root();
	return error ? explain(message, (int)error, "cannot make an empty root") : 0;
}

/* ------------------------------------------------------------------------------------------------ inside: rights */

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
				   SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
				   SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	long error = CALL3(prctl, PR_SET_SECUREBITS, bits, 0);

	for (int cap = 0; !error && cap <= 63; cap++) {
		error = CALL3(prctl, PR_CAPBSET_DROP, cap, 0);
		if (error == -EINVAL && cap) /* behind the last one that this kernel knows */
			break;
	}
	if (error == -EINVAL)
		error = 0;
	if (!error)
		error = CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0);
	if (!error)
		error = CALL3(capset, &header, none, 0);
	if (!error)
		error = CALL(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	return (int)error;
}

static void set_limits(void)
{
	struct rlimit limit;

	/* The descriptors are the sentry's own; a guest's RLIMIT_NOFILE is counted by the sentry. */
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	limit = (struct rlimit){0, 0};
	setrlimit(RLIMIT_CORE, &limit); /* a core file would hold the guest's data */
}

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, sig == SIGPIPE ? SIG_IGN : SIG_DFL); /* a closed pipe is the guest's signal, not ours */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int jail_enter(struct jail_view *views, unsigned count, int keep_below, char message[JAIL_MESSAGE_BYTES])
{
	CALL3(close_range, keep_below, CLOSE_RANGE_LAST, 0);
	reset_signals();
	setsid(); /* the terminal's signals go to the command line, which tells us */
	umask(0);
	set_limits();
	int error = enter_mounts(views, count, message);
	if (error)
		return error;
	error = drop_capabilities();
	if (error)
		return explain(message, error, "cannot drop capabilities");
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* again: a change of credentials may clear it */
	return 0;
}

/* ------------------------------------------------------------------------------------------------ inside: the filter
 */

/* What a host call's arguments must look like: one of the rules of a call must hold. Calls without a rule are free. */
static const struct {
	int nr;
	unsigned argument;
	uint64_t mask, value;
} rules[] = {
	/* No new code in the sentry. */
	{SYS_mmap, 2, PROT_EXEC, 0},
	{SYS_mprotect, 2, PROT_EXEC, 0},
	/* One process, never a group, never everybody. */
	{SYS_kill, 0, 0x80000000, 0},
	{SYS_futex, 1, ~(uint32_t)FUTEX_PRIVATE_FLAG, FUTEX_WAIT},
	{SYS_futex, 1, ~(uint32_t)FUTEX_PRIVATE_FLAG, FUTEX_WAKE},
	{SYS_futex, 1, ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), FUTEX_WAIT_BITSET},
	{SYS_fcntl, 1, UINT32_MAX, F_GETFL},
	{SYS_fcntl, 1, UINT32_MAX, F_SETFD},
	{SYS_fcntl, 1, UINT32_MAX, F_DUPFD_CLOEXEC},
	{SYS_fcntl, 1, UINT32_MAX, F_ADD_SEALS},
	{SYS_fcntl, 1, UINT32_MAX, F_GET_SEALS},
	/* Settings of a terminal; nothing that puts words into its input (TIOCSTI) or takes it (TIOCSCTTY). */
	{SYS_ioctl, 1, UINT32_MAX, TCGETS},
	{SYS_ioctl, 1, UINT32_MAX, TCSETS},
	{SYS_ioctl, 1, UINT32_MAX, TCSETSW},
	{SYS_ioctl, 1, UINT32_MAX, TCSETSF},
	{SYS_ioctl, 1, UINT32_MAX, TCFLSH},
	{SYS_ioctl, 1, UINT32_MAX, TIOCGWINSZ},
	{SYS_ioctl, 1, UINT32_MAX, TIOCSWINSZ},
	{SYS_ioctl, 1, UINT32_MAX, TIOCOUTQ},
	{SYS_ioctl, 1, UINT32_MAX, FIONREAD},
};

static int allow(scmp_filter_ctx filter, int nr)
{
	bool any = false;
	int error = 0;

	for (unsigned i = 0; i < COUNT(rules) && !error; i++) {
		if (rules[i].nr != nr)
			continue;
		any = true;
		error = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, nr, 1,
			SCMP_CMP(rules[i].argument, SCMP_CMP_MASKED_EQ, rules[i].mask, rules[i].value));
	}
	return any || error ? error : seccomp_rule_add(filter, SCMP_ACT_ALLOW, nr, 0);
}

#ifdef __SANITIZE_ADDRESS__
#define OTHERWISE                                                                                                      \
	SCMP_ACT_ALLOW /* the sanitizer's run-time library makes calls of its own; such a build is for tests only */
#else
#define OTHERWISE SCMP_ACT_KILL_PROCESS
#endif

static int install_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(OTHERWISE);
	int error = filter ? 0 : -ENOMEM;

	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (const struct host_call *call = host_calls; call->name && !error && OTHERWISE != SCMP_ACT_ALLOW; call++)
		error = allow(filter, call->nr);
	if (!error)
		error = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return error;
}

int jail_close(char message[JAIL_MESSAGE_BYTES])
{
	/* Others of the same user must not look into a sentry. The stubs were forked before and stay readable for us.
	 */
	prctl(PR_SET_DUMPABLE, 0);
	int error = install_filter();
	if (error)
		return explain(message, error, "this host forbids a seccomp filter");
	closed = true;
	return 0;
}

bool jail_closed(void)
{
	return closed;
}

/* The C library's own would go on to abort(3), whose calls the filter does not allow: the message would be lost. */
void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
	char text[512];
	int n = snprintf(text, sizeof text, "usbx: %s:%u: %s: this must hold: %s\n", file, line, function, assertion);

	host_stderr(text, MIN((size_t)MAX(n, 0), sizeof text - 1));
	if (closed)
		host_exit(1);
	abort();
}

/* doctor.c - see doctor.h. Nothing is guessed from versions: each thing is tried, in a process of its own that ends
 * before the answer is given, and last of all a sandbox is run.
 *
 * Limits: it tries what usbx uses now or will use; what a check needs but usbx does not is marked as optional.
 */
#include "runtime/doctor.h"

#include "platform/platform.h"
#include "runtime/fail.h"
#include "sentry/base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DETAIL_BYTES 512
#define JSON_BYTES   8192
#define RUN_LIMIT_S  "20"
#define PASST_PATHS  "/usr/bin/passt", "/usr/local/bin/passt", "/bin/passt"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

struct check {
	const char *name, *what;
	enum { NEEDED, ONE_OF, OPTIONAL } weight; /* ONE_OF: a platform */
	/* 0, or -errno; detail says more where there is more to say. */
	int (*try)(char detail[DETAIL_BYTES]);
	const char *remedy;
};

/* What function says of itself in a child, whose namespaces and filters go with it. 0 or -errno. */
static int in_child(int (*function)(void))
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-function());
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static int unshare_all(void)
{
	int flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

	return unshare(flags) ? -errno : 0;
}

static int try_namespaces(char detail[DETAIL_BYTES])
{
	(void)detail;
	return in_child(unshare_all);
}

/* The descriptor that was asked for is all that counts. */
static int opened(long fd)
{
	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

static int try_memfd(char detail[DETAIL_BYTES])
{
	(void)detail;
	return opened(memfd_create("usbx-doctor", MFD_CLOEXEC));
}

static int try_systrap(char detail[DETAIL_BYTES])
{
	return platform_probe(PLATFORM_SYSTRAP, detail);
}

static int try_ptrace(char detail[DETAIL_BYTES])
{
	return platform_probe(PLATFORM_PTRACE, detail);
}

static int try_io_uring(char detail[DETAIL_BYTES])
{
	unsigned char parameters[120] = {0}; /* struct io_uring_params */

	(void)detail;
	return opened(syscall(SYS_io_uring_setup, 2, parameters));
}

static int try_landlock(char detail[DETAIL_BYTES])
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	if (version < 0)
		return -errno;
	snprintf(detail, DETAIL_BYTES, "version %ld", version);
	return 0;
}

static int try_tun(char detail[DETAIL_BYTES])
{
	(void)detail;
	return opened(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
}

static int packet_socket(void)
{
	return opened(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

/* What --net=netns does in the namespace that it is given: here in one of our own. */
static int try_netns(char detail[DETAIL_BYTES])
{
	(void)detail;
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int error = fd < 0 || setns(fd, CLONE_NEWNET) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return error ? error : in_child(packet_socket);
}

static int try_kvm(char detail[DETAIL_BYTES])
{
	(void)detail;
	return opened(open("/dev/kvm", O_RDWR | O_CLOEXEC));
}

static int try_passt(char detail[DETAIL_BYTES])
{
	static const char *const paths[] = {PASST_PATHS};

	for (unsigned i = 0; i < COUNT(paths); i++)
		if (!access(paths[i], X_OK)) {
			snprintf(detail, DETAIL_BYTES, "%s", paths[i]);
			return 0;
		}
	return -ENOENT;
}

/* May we make a group below our own? */
static int try_cgroup(char detail[DETAIL_BYTES])
{
	char line[PATH_MAX], path[PATH_MAX + 64];
	FILE *file = fopen("/proc/self/cgroup", "re");
	bool unified = false;

	while (file && !unified && fgets(line, sizeof line, file))
		unified = !strncmp(line, "0::", 3);
	if (file)
		fclose(file);
	if (!unified)
		return -ENOSYS;
	line[strcspn(line, "\n")] = 0;
	snprintf(path, sizeof path, "/sys/fs/cgroup%s/usbx-doctor-%d", line + 3, (int)getpid());
	if (mkdir(path, 0755))
		return -errno;
	rmdir(path);
	snprintf(detail, DETAIL_BYTES, "%.500s", line + 3);
	return 0;
}

/* `usbx run -- true` by this very binary, and the line with which it fails. */
static int try_sandbox(char detail[DETAIL_BYTES])
{
	int end[2], status;

	if (pipe2(end, O_CLOEXEC))
		return -errno;
	pid_t pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (chdir("/") || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(end[1], 2) < 0)
			_exit(EXIT_USBX);
		execl("/proc/self/exe", "usbx", "run", "--timeout", RUN_LIMIT_S, "--", "true", NULL);
		_exit(EXIT_USBX);
	}
	close(end[1]);
	size_t used = 0;
	for (ssize_t n; pid > 0 && used < DETAIL_BYTES - 1; used += (size_t)n)
		if ((n = read(end[0], detail + used, DETAIL_BYTES - 1 - used)) <= 0)
			break;
	detail[used] = 0;
	detail[strcspn(detail, "\n")] = 0;
	close(end[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static const struct check checks[] = {
	{"namespaces", "namespaces of one's own", NEEDED, try_namespaces,
	 "as root: sysctl user.max_user_namespaces=10000; where they exist also kernel.unprivileged_userns_clone=1 and "
	 "kernel.apparmor_restrict_unprivileged_userns=0; in a container: a profile that allows unshare(2)"},
	{"memfd", "files in memory", NEEDED, try_memfd,
	 "in a container: a seccomp profile that allows memfd_create(2)"},
	{"systrap", "calls caught by seccomp", ONE_OF, try_systrap,
	 "a kernel with CONFIG_SECCOMP_FILTER; in a container: a profile that allows seccomp(2)"},
	{"ptrace", "calls caught by a tracer (slower)", ONE_OF, try_ptrace,
	 "as root: sysctl kernel.yama.ptrace_scope=1; in a container: a profile that allows ptrace(2)"},
	{"io_uring", "waiting by io_uring, else by epoll", OPTIONAL, try_io_uring,
	 "as root: sysctl kernel.io_uring_disabled=0"},
	{"passt", "uplink by passt, without privilege", OPTIONAL, try_passt, "apt-get install passt"},
	{"tun", "uplink by a TAP device", OPTIONAL, try_tun,
	 "as root: modprobe tun, and let the user open /dev/net/tun"},
	{"netns", "uplink by a network namespace", OPTIONAL, try_netns,
	 "run usbx as root (CAP_SYS_ADMIN and CAP_NET_RAW), or as root of the user namespace that owns the other one"},
	{"cgroup", "a control group of one's own", OPTIONAL, try_cgroup,
	 "a cgroup v2 that is delegated, such as: systemd-run --user --scope -p Delegate=yes usbx ..."},
	{"landlock", "Landlock", OPTIONAL, try_landlock,
	 "a kernel with CONFIG_SECURITY_LANDLOCK, and lsm=...,landlock"},
	{"kvm", "virtual machines", OPTIONAL, try_kvm, "let the user open /dev/kvm (group kvm)"},
	{"sandbox", "a sandbox, run just now", NEEDED, try_sandbox, "see what it said, and the lines above"},
};

struct answer {
	int error;
	char detail[DETAIL_BYTES];
};

static void print_text(const struct answer *answers)
{
	static const char *const words[] = {[NEEDED] = "MISSING", [ONE_OF] = "no", [OPTIONAL] = "no"};

	for (unsigned i = 0; i < COUNT(checks); i++) {
		const struct check *check = &checks[i];
		const struct answer *answer = &answers[i];
		const char *detail = *answer->detail ? answer->detail : answer->error ? strerror(-answer->error) : "";
		printf("%-8s %-11s %s%s%s\n", answer->error ? words[check->weight] : "ok", check->name, check->what,
		       *detail ? ": " : "", detail);
		if (answer->error)
			printf("%20s to have it: %s\n", "", check->remedy);
	}
}

static void print_json(const struct answer *answers, bool runs, const char *platform)
{
	static const char *const weights[] = {[NEEDED] = "needed", [ONE_OF] = "platform", [OPTIONAL] = "optional"};
	static char space[JSON_BYTES];
	struct text text;
	struct json json;

	text_init(&text, space, sizeof space);
	json_init(&json, &text);
	json_open(&json, NULL, '{');
	json_bool(&json, "runs", runs);
	if (platform)
		json_string(&json, "platform", platform);
	else
		json_null(&json, "platform");
	json_open(&json, "checks", '{');
	for (unsigned i = 0; i < COUNT(checks); i++) {
		json_open(&json, checks[i].name, '{');
		json_string(&json, "weight", weights[checks[i].weight]);
		json_bool(&json, "ok", !answers[i].error);
		if (answers[i].error)
			json_int(&json, "errno", -answers[i].error);
		if (*answers[i].detail)
			json_string(&json, "detail", answers[i].detail);
		if (answers[i].error)
			json_string(&json, "remedy", checks[i].remedy);
		json_close(&json, '}');
	}
	json_close(&json, '}');
	json_close(&json, '}');
	printf("%s\n", space);
}

int doctor_main(int argc, char **argv)
{
	static struct answer answers[COUNT(checks)];
	const char *platform = NULL;
	bool as_json = argc == 2 && !strcmp(argv[1], "--json"), runs = true;

	if (argc > 1 && !as_json)
		fail("doctor %s: use usbx doctor or usbx doctor --json", argv[1]);
	for (unsigned i = 0; i < COUNT(checks); i++) {
		fflush(stdout);
		answers[i].error = checks[i].try(answers[i].detail);
		if (!answers[i].error && checks[i].weight == ONE_OF && !platform)
			platform = checks[i].name;
		runs = runs && (!answers[i].error || checks[i].weight != NEEDED);
	}
	runs = runs && platform;
	if (as_json) {
		print_json(answers, runs, platform);
	} else {
		print_text(answers);
		if (runs)
			printf("usbx runs here, on the platform %s\n", platform);
		else
			printf("usbx does not run here\n");
	}
	finish_output();
	return runs ? 0 : 1;
}

/* host_jail.c - the jail: what is left of the host inside; the filter kills on everything that host.def does not list.
 */
#include "platform/host.h"
#include "platform/jail.h"
#include "platform/rawcall.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child saw, in memory shared with the test. */
static struct shared {
	char message[JAIL_MESSAGE_BYTES];
	int error;
	long result[16];
} * shared;

static struct jail_view view;
static char directory[64];
static int probe_nr;

static void init(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(directory, "/var/tmp/usbx-jail-XXXXXX");
	cr_assert(mkdtemp(directory));
	chmod(directory, 0777);
	view = (struct jail_view){.source = directory};
}

static void fini(void)
{
	char path[80];

	snprintf(path, sizeof path, "%s/new", directory);
	rmdir(path);
	rmdir(directory);
}

TestSuite(jail, .init = init, .fini = fini, .timeout = 20);

/* Ends with the child's wait status. */
static int run(void (*child)(void *))
{
	pid_t pid;
	int pidfd, status;
	char message[JAIL_MESSAGE_BYTES];

	cr_assert_eq(jail_spawn(child, NULL, &pid, &pidfd, message), 0, "%s", message);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	close(pidfd);
	cr_assert_eq(shared->error, 0, "%s", shared->message);
	return status;
}

static void enter(void)
{
	shared->error = jail_enter(&view, 1, 3, shared->message);
	if (!shared->error)
		shared->error = jail_close(shared->message);
	if (shared->error)
		host_exit(1);
}

static void look_around(void *unused)
{
	(void)unused;
	enter();
	long *result = shared->result;
	result[0] = host_open_beneath(view.fd, ".", O_RDONLY | O_DIRECTORY, 0) >= 0;
	result[1] = host_open_beneath(view.fd, "..", O_RDONLY, 0);
	result[2] = CALL4(openat2, AT_FDCWD, "/usr/bin/true", (&(uint64_t[3]){0}), 24);
	/* As a taken-over sentry would try: no RESOLVE flag. ".." stays at the root of the detached mount. */
	result[3] = CALL4(openat2, view.fd, "../../../usr/bin/true", (&(uint64_t[3]){0}), 24);
	result[4] = host_mkdirat(view.fd, "new", 0700);
	int mem = host_proc_open("1/mem", O_RDWR);
	result[5] = mem;
	result[6] = host_proc_open("1/root/usr", O_RDONLY);
	result[7] = host_proc_open("2/mem", O_RDWR);
	host_exit(0);
}

Test(jail, nothing_of_the_host_but_the_views)
{
	int status = run(look_around);

	cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "status %#x", status);
	cr_expect_eq(shared->result[0], 1);
	cr_expect_eq(shared->result[1], -EXDEV);
	cr_expect_eq(shared->result[2], -ENOENT);
	cr_expect_eq(shared->result[3], -ENOENT);
	cr_expect_eq(shared->result[4], -EROFS);
	/* There, but not dumpable: only root may open it. */
	cr_expect_neq(shared->result[5], -ENOENT);
	cr_expect_lt(shared->result[6], 0);
	cr_expect_eq(shared->result[7], -ENOENT);
}

static void make_directory(void *unused)
{
	(void)unused;
	enter();
	shared->result[0] = host_mkdirat(view.fd, "new", 0700);
	int fd = host_open_beneath(view.fd, "new", O_PATH | O_DIRECTORY, 0);
	shared->result[1] = host_chmod(fd, 0751);
	shared->result[2] = host_utimens(fd, (struct timespec[2]){{1, 2}, {3, 4}});
	host_exit(0);
}

Test(jail, a_writable_view_writes_through)
{
	struct stat attributes;
	char path[80];

	view.writable = true;
	run(make_directory);
	snprintf(path, sizeof path, "%s/new", directory);
	cr_assert_eq(shared->result[0], 0);
	cr_assert_eq(shared->result[1], 0, "%ld", shared->result[1]);
	cr_assert_eq(shared->result[2], 0, "%ld", shared->result[2]);
	cr_assert_eq(stat(path, &attributes), 0);
	cr_expect_eq(attributes.st_mode & 07777, 0751);
	cr_expect_eq(attributes.st_mtim.tv_sec, 3);
}

/* A sanitizer's run-time library makes calls of its own, so the filter of such a build lets everything pass (jail.c).
 */
static void need_filter(void)
{
#ifdef __SANITIZE_ADDRESS__
	cr_skip_test("no filter in a sanitizer's build");
#endif
}

static void try_call(void *unused)
{
	(void)unused;
	enter();
	call6(probe_nr, -1, -1, -1, -1, -1, -1);
	host_exit(0);
}

static bool is_listed(int nr)
{
	for (const struct host_call *call = host_calls; call->name; call++)
		if (call->nr == nr)
			return true;
	return false;
}

Test(jail, every_other_call_kills, .timeout = 300)
{
	/* Each child costs some 10 ms: every third number, and the dangerous ones. */
	static const int dangerous[] = {SYS_execve,          SYS_execveat,
					SYS_ptrace,          SYS_socket,
					SYS_openat,          SYS_open,
					SYS_clone,           SYS_fork,
					SYS_mount,           SYS_setns,
					SYS_unshare,         SYS_bpf,
					SYS_io_uring_setup,  SYS_io_uring_register,
					SYS_userfaultfd,     SYS_keyctl,
					SYS_perf_event_open, SYS_init_module};

	need_filter();
	for (unsigned i = 0; i < COUNT(dangerous); i++) {
		probe_nr = dangerous[i];
		int status = run(try_call);
		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "call %d: status %#x", probe_nr, status);
	}
	for (probe_nr = 0; probe_nr < 470; probe_nr += 5) {
		if (is_listed(probe_nr) || probe_nr == 335) /* uretprobe: the kernel runs it unfiltered, into SIGILL */
			continue;
		int status = run(try_call);
		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "call %d: status %#x", probe_nr, status);
	}
}

static void map_code(void *unused)
{
	(void)unused;
	enter();
	(void)!host_mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, NULL);
	host_exit(0);
}

Test(jail, no_new_code)
{
	need_filter();
	int status = run(map_code);

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %#x", status);
}

static void sleep_long(void *unused)
{
	(void)unused;
	enter();
	host_poll(NULL, 0, NULL);
	host_exit(0);
}

/* The parent is killed: the jail goes with it. */
Test(jail, dies_with_its_parent)
{
	int report[2];
	pid_t child = 0;

	cr_assert_eq(pipe(report), 0);
	pid_t parent = fork();
	if (parent == 0) {
		char message[JAIL_MESSAGE_BYTES];
		int pidfd;
		if (jail_spawn(sleep_long, NULL, &child, &pidfd, message))
			_exit(1);
		usleep(100000);
		(void)!write(report[1], &child, sizeof child);
		pause();
	}
	cr_assert_eq(read(report[0], &child, sizeof child), (ssize_t)sizeof child);
	cr_assert_eq(kill(child, 0), 0);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	for (int i = 0; i < 100 && !kill(child, 0); i++) {
		char path[64], state[256] = "";
		snprintf(path, sizeof path, "/proc/%d/stat", child);
		int fd = open(path, O_RDONLY);
		if (fd >= 0 && read(fd, state, sizeof state - 1) > 0 && strstr(state, ") Z"))
			break; /* dead, and waiting for whoever adopts orphans here */
		if (fd >= 0)
			close(fd);
		usleep(20000);
		cr_assert_lt(i, 99, "still there: %s", state);
	}
}

Test(jail, a_missing_view_is_named)
{
	pid_t pid;
	int pidfd, status;
	char message[JAIL_MESSAGE_BYTES];

	view.source = "/nowhere/at/all";
	cr_assert_eq(jail_spawn(look_around, NULL, &pid, &pidfd, message), 0, "%s", message);
	waitpid(pid, &status, 0);
	cr_assert_eq(shared->error, -ENOENT);
	cr_assert(strstr(shared->message, "/nowhere/at/all"), "%s", shared->message);
}

/* clone by flags: what is shared, where the ids are stored, which combinations make no sense. */
#include "guest.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>

static char *stack_top;
static volatile int shared;
static pid_t tid_parent, tid_child;
static int fd;

static int runs(void *arg)
{
	shared = 7;
	return (int)(long)arg;
}

static int changes_files(void *arg)
{
	close(fd);
	chdir("/");
	umask(0);
	return 0;
}

static pid_t start(int (*function)(void *), int flags, void *arg)
{
	return clone(function, stack_top, flags | SIGCHLD, arg, &tid_parent, NULL, &tid_child);
}

static long raw(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, __WALL);
	return pid > 0 ? 0 : pid;
}

int main(void)
{
	stack_top = (char *)mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 65536;
	pid_t pid = start(runs, 0, (void *)3);
	reap("alone", pid);
	SHOW(shared);
	pid = start(runs, CLONE_VM, (void *)4);
	reap("with CLONE_VM", pid);
	SHOW(shared);

	section("ids");
	pid = start(runs, CLONE_PARENT_SETTID | CLONE_VM | CLONE_VFORK | CLONE_CHILD_SETTID, NULL);
	CHECK(tid_parent == pid && tid_child == pid);
	reap("child", pid);
	tid_child = 1;
	pid = start(runs, CLONE_VM | CLONE_VFORK | CLONE_CHILD_CLEARTID, NULL);
	reap("child", pid);
	SHOW(tid_child);

	section("files and directory");
	char path[4096];
	fd = MUST(dup(STDOUT_FILENO));
	umask(022);
	reap("copied", start(changes_files, CLONE_VM, NULL));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(strcmp(getcwd(path, sizeof path), "/") != 0);
	reap("shared", start(changes_files, CLONE_VM | CLONE_FILES | CLONE_FS, NULL));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(strcmp(getcwd(path, sizeof path), "/") != 0);
	say("umask %o\n", umask(022));

	section("no signal at exit");
	pid = clone(runs, stack_top, CLONE_VM, NULL);
	SHOW(waitpid(pid, NULL, WNOHANG));
	SHOW(waitpid(pid, NULL, __WCLONE) == pid);

	section("combinations");
	SHOW(raw(SIGCHLD));
	SHOW(raw(CLONE_THREAD | SIGCHLD));
	SHOW(raw(CLONE_SIGHAND | SIGCHLD));
	SHOW(raw(CLONE_THREAD | CLONE_SIGHAND | SIGCHLD));
	SHOW(raw(CLONE_FS | CLONE_NEWNS | SIGCHLD));
	return 0;
}

/* clone3: its structure, pidfd, signal, what it refuses. */
#include "guest.h"
#include <linux/sched.h>
#include <poll.h>

static long clone3(struct clone_args *args, size_t size)
{
	long pid = syscall(SYS_clone3, args, size);
	if (!pid)
		_exit(9);
	return pid;
}

static long fails(struct clone_args args, size_t size)
{
	long pid = clone3(&args, size);
	if (pid > 0)
		waitpid(pid, NULL, __WALL);
	return pid > 0 ? 0 : pid;
}

int main(void)
{
	int pidfd = -1;
	pid_t tid = 0;
	struct clone_args args = {.exit_signal = SIGCHLD};
	reap("plain", clone3(&args, sizeof args));
	args = (struct clone_args){.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
				   .pidfd = (uintptr_t)&pidfd,
				   .parent_tid = (uintptr_t)&tid,
				   .exit_signal = SIGCHLD};
	long pid = clone3(&args, sizeof args);
	CHECK(tid == pid);
	SHOW(fcntl(pidfd, F_GETFD));
	struct pollfd poller = {pidfd, POLLIN};
	SHOW(poll(&poller, 1, 3000));
	SHOW(poller.revents);
	reap("with pidfd", pid);

	section("refused");
	SHOW(fails((struct clone_args){.exit_signal = SIGCHLD}, CLONE_ARGS_SIZE_VER0));
	SHOW(fails((struct clone_args){.exit_signal = SIGCHLD}, CLONE_ARGS_SIZE_VER0 - 1));
	SHOW(fails((struct clone_args){.exit_signal = 65}, sizeof args));
	SHOW(fails((struct clone_args){.flags = SIGCHLD}, sizeof args));
	SHOW(fails((struct clone_args){.exit_signal = SIGCHLD, .stack = 4096}, sizeof args));
	SHOW(fails((struct clone_args){.exit_signal = SIGCHLD, .stack_size = 4096}, sizeof args));
	SHOW(fails((struct clone_args){.flags = CLONE_THREAD, .exit_signal = 0}, sizeof args));
	SHOW(fails((struct clone_args){.flags = CLONE_SIGHAND, .exit_signal = SIGCHLD}, sizeof args));
	SHOW(fails((struct clone_args){.flags = 1ull << 60, .exit_signal = SIGCHLD}, sizeof args));
	SHOW(syscall(SYS_clone3, NULL, sizeof args));
	struct {
		struct clone_args args;
		uint64_t more;
	} large = {{.exit_signal = SIGCHLD}, 1};
	SHOW(syscall(SYS_clone3, &large, sizeof large));
	SHOW(syscall(SYS_clone3, &large, 8192));
	return 0;
}

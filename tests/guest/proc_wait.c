/* wait4: which child, WNOHANG, nothing to wait for. */
#include "guest.h"
#include <sys/resource.h>

static pid_t sleeper(void)
{
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(10000);
		_exit(0);
	}
	return pid;
}

int main(void)
{
	int status;
	struct rusage usage;
	SHOW(waitpid(-1, &status, 0));
	SHOW(waitpid(-1, &status, WNOHANG));
	SHOW(waitpid(1 << 22, &status, 0));
	SHOW(waitpid(getpid(), &status, 0));
	SHOW(wait4(-1, &status, 0x100, NULL));

	section("one that runs");
	pid_t pid = sleeper();
	SHOW(waitpid(pid, &status, WNOHANG));
	SHOW(waitpid(-1, &status, WNOHANG));
	MUST(kill(pid, SIGTERM));
	SHOW(waitpid(pid, &status, 0) == pid);
	show_status("sleeper", status);
	SHOW(waitpid(pid, &status, 0));

	section("each by its number, last first");
	pid_t pids[4];
	for (int i = 0; i < 4; i++) {
		pids[i] = fork_child();
		if (!pids[i])
			_exit(i + 10);
	}
	for (int i = 3; i >= 0; i--)
		reap("child", pids[i]);

	section("by process group");
	pid_t in_group = sleeper(), other = sleeper();
	MUST(setpgid(in_group, in_group));
	SHOW(waitpid(-in_group, &status, WNOHANG));
	SHOW(waitpid(-other, &status, WNOHANG));
	SHOW(waitpid(0, &status, WNOHANG));
	MUST(kill(other, SIGKILL));
	SHOW(waitpid(0, &status, 0) == other);
	SHOW(waitpid(0, &status, 0));
	MUST(kill(-in_group, SIGKILL));
	SHOW(waitpid(-in_group, &status, 0) == in_group);

	section("usage and no status");
	memset(&usage, 0xff, sizeof usage);
	pid = fork_child();
	if (!pid)
		_exit(0);
	SHOW(wait4(pid, NULL, 0, &usage) == pid);
	CHECK(usage.ru_maxrss > 0 && usage.ru_utime.tv_sec < 5);
	SHOW(wait4(-1, NULL, 0, &usage));
	pid = fork_child();
	if (!pid)
		_exit(0);
	SHOW(syscall(SYS_wait4, pid, 8, 0, NULL));
	SHOW(waitpid(pid, &status, 0));
	return 0;
}

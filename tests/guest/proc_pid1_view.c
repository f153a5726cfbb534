/* What a program sees of pid 1 and of its own place in the tree: orphans get a parent that reaps them. */
#include "guest.h"

static bool gone(pid_t pid)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/%d", pid);
	return access(path, F_OK) && errno == ENOENT;
}

int main(void)
{
	int ends[2];
	pid_t orphan;
	SHOW(kill(1, 0));
	SHOW(getpgid(1) >= 0 && getsid(1) >= 0);
	CHECK(!access("/proc/1/stat", R_OK));
	CHECK(getpid() > 1);
	MUST(pipe(ends));
	pid_t pid = fork_child();
	if (!pid) {
		pid = fork();
		if (!pid) {
			setsid();
			nap_ms(100);
			_exit(0);
		}
		MUST(write(ends[1], &pid, sizeof pid));
		_exit(0);
	}
	reap("first", pid);
	MUST(read(ends[0], &orphan, sizeof orphan));
	int status;
	SHOW(waitpid(orphan, &status, 0));
	SHOW(kill(orphan, 0));
	for (int i = 0; i < 500 && !gone(orphan); i++)
		nap_ms(10);
	CHECK(gone(orphan));
	become_user(1000);
	SHOW(kill(1, 0));
	SHOW(kill(1, SIGKILL));
	return 0;
}

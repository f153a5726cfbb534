/* waitid(2) and wait4(2): kinds of ids, options, order, WNOWAIT, results that are asked for twice; errors. */
#include "guest.h"
#include <sys/resource.h>

static pid_t child(int code, pid_t group)
{
	pid_t pid = fork_child();
	if (!pid) {
		if (group >= 0)
			setpgid(0, group);
		_exit(code);
	}
	if (group >= 0)
		setpgid(pid, group);
	return pid;
}

int main(void)
{
	siginfo_t info;
	struct rusage usage;
	int status;
	pid_t first = child(1, 0), second = child(2, first), third = child(3, -1);
	memset(&info, 9, sizeof info);
	MUST(waitid(P_PID, third, &info, WEXITED | WNOWAIT));
	say("signo %d code %d status %d pid %d uid %d errno %d\n", info.si_signo, info.si_code, info.si_status,
	    info.si_pid == third, info.si_uid == getuid(), info.si_errno);
	MUST(waitid(P_PGID, 0, &info, WEXITED));
	CHECK(info.si_pid == third);
	memset(&info, 9, sizeof info);
	int sum = 0;
	for (int i = 0; i < 2; i++) {
		MUST(waitid(P_PGID, first, &info, WEXITED));
		sum += info.si_status;
	}
	SHOW(sum);
	CHECK(second > 0);
	SHOW(waitid(P_ALL, 0, &info, WEXITED));
	section("nothing yet");
	int ends[2];
	MUST(pipe(ends));
	pid_t pid = fork_child();
	if (!pid) {
		await(ends[0]);
		_exit(5);
	}
	memset(&info, 9, sizeof info);
	SHOW(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
	say("pid %d signo %d\n", info.si_pid, info.si_signo);
	SHOW(waitpid(-1, &status, WNOHANG));
	SHOW(waitpid(0, &status, WNOHANG));
	SHOW(waitpid(-getpgrp(), &status, WNOHANG));
	SHOW(waitpid(1 << 21, &status, WNOHANG));
	SHOW(waitpid(-(1 << 21), &status, WNOHANG));
	tell(ends[1]);
	SHOW(syscall(SYS_waitid, P_PID, pid, NULL, WEXITED | WNOWAIT, NULL));
	SHOW(syscall(SYS_waitid, P_PID, pid, &info, WEXITED, &usage) == 0 && usage.ru_maxrss > 0);
	section("errors");
	SHOW(waitid(P_ALL, 0, &info, 0));
	SHOW(waitid(P_ALL, 0, &info, WNOHANG));
	SHOW(waitid(P_ALL, 0, &info, WEXITED | 0x100));
	SHOW(waitid(77, 0, &info, WEXITED));
	SHOW(waitid(P_PID, -5, &info, WEXITED));
	SHOW(waitid(P_PID, 0, &info, WEXITED));
	SHOW(waitid(P_PIDFD, 99, &info, WEXITED));
	SHOW(waitid(P_PIDFD, 0, &info, WEXITED));
	SHOW(waitpid(-1, &status, 0x100));
	SHOW(waitpid(INT32_MIN, &status, 0));
	pid = child(6, -1);
	nap_ms(30);
	SHOW(waitpid(pid, (int *)8, 0));
	SHOW(waitpid(pid, &status, 0));
	return 0;
}

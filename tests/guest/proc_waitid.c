/* waitid: the siginfo it fills, WNOWAIT, its arguments. */
#include "guest.h"

static void show_info(const char *what, const siginfo_t *info, pid_t pid)
{
	static const char *const codes[] = {"none",        "CLD_EXITED",  "CLD_KILLED",   "CLD_DUMPED",
					    "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};
	say("%s: signo %d code %s status %d %s\n", what, info->si_signo, codes[info->si_code], info->si_status,
	    info->si_pid == pid ? "right pid"
	    : info->si_pid      ? "another pid"
				: "no pid");
}

static pid_t child(int code)
{
	pid_t pid = fork_child();
	if (!pid) {
		if (code < 0)
			pause();
		_exit(code);
	}
	return pid;
}

int main(void)
{
	siginfo_t info = {0};
	SHOW(waitid(P_ALL, 0, &info, WEXITED));
	SHOW(waitid(P_ALL, 0, &info, 0));
	SHOW(waitid(P_ALL, 0, &info, WNOHANG));
	SHOW(waitid(77, 0, &info, WEXITED));
	SHOW(waitid(P_PID, -1, &info, WEXITED));
	SHOW(waitid(P_PID, 0, &info, WEXITED));
	SHOW(waitid(P_ALL, 0, &info, WEXITED | 0x100));

	section("an exit, looked at first");
	pid_t pid = child(300);
	SHOW(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	show_info("looked at", &info, pid);
	CHECK(info.si_uid == getuid());
	SHOW(waitid(P_PID, pid, &info, WEXITED | WNOWAIT | WNOHANG));
	SHOW(waitid(P_ALL, 0, &info, WEXITED));
	show_info("taken", &info, pid);
	SHOW(waitid(P_PID, pid, &info, WEXITED));

	section("a signal, a stop, a continuation");
	pid = child(-1);
	memset(&info, 0xff, sizeof info);
	SHOW(waitid(P_PID, pid, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG));
	show_info("nothing yet", &info, pid);
	MUST(kill(pid, SIGSTOP));
	SHOW(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT));
	SHOW(waitid(P_PID, pid, &info, WSTOPPED));
	show_info("stopped", &info, pid);
	SHOW(waitid(P_PID, pid, &info, WSTOPPED | WNOHANG));
	MUST(kill(pid, SIGCONT));
	SHOW(waitid(P_PID, pid, &info, WCONTINUED));
	show_info("continued", &info, pid);
	MUST(kill(pid, SIGKILL));
	SHOW(waitid(P_PID, pid, &info, WEXITED));
	show_info("killed", &info, pid);

	section("by group, without info");
	pid = child(0);
	setpgid(pid, pid);
	SHOW(waitid(P_PGID, pid, NULL, WEXITED));
	pid = child(0);
	SHOW(waitid(P_PGID, 0, &info, WEXITED));
	show_info("own group", &info, pid);
	return 0;
}

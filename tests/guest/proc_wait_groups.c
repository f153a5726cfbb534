/* Who is waited for: process groups, WNOWAIT looks that take nothing, changes of a group between fork and wait. */
#include "guest.h"

static int gate[2];
static pid_t kids[4];

/* What a look gives: which child, how it ended. The look leaves it if flags say so. */
static void look(const char *what, idtype_t type, id_t id, int flags)
{
	siginfo_t info = {0};
	if (waitid(type, id, &info, flags)) {
		say("%s: %s\n", what, error_name(errno));
		return;
	}
	int which = -1;
	for (int i = 0; i < 4; i++)
		if (info.si_pid == kids[i])
			which = i;
	if (!info.si_pid)
		say("%s: nobody yet\n", what);
	else
		say("%s: child %d, code %d, status %d\n", what, which, info.si_code, info.si_status);
}

static void start(int i, pid_t group)
{
	kids[i] = fork_child();
	if (!kids[i]) {
		char byte;
		close(gate[1]);
		(void)!read(gate[0], &byte, 1); /* until the parent closes its end */
		_exit(10 + i);
	}
	MUST(setpgid(kids[i], group ? group : kids[i]));
}

int main(void)
{
	MUST(pipe(gate));
	start(0, 0);
	start(1, kids[0]);
	start(2, 0);
	start(3, getpgrp());
	CHECK(getpgid(kids[1]) == kids[0]);
	section("nobody has ended");
	look("any", P_ALL, 0, WEXITED | WNOHANG);
	look("group 0", P_PGID, kids[0], WEXITED | WNOHANG);
	look("no such group", P_PGID, kids[1], WEXITED | WNOHANG);
	SHOW(waitpid(-kids[2], NULL, WNOHANG));
	SHOW(waitpid(-kids[3], NULL, WNOHANG));
	SHOW(waitpid(INT32_MIN, NULL, WNOHANG));

	section("stopped and continued, looked at twice");
	kill(kids[1], SIGSTOP);
	look("stopped", P_PGID, kids[0], WSTOPPED | WNOWAIT);
	look("stopped again", P_PID, kids[1], WSTOPPED | WNOWAIT);
	look("taken", P_ALL, 0, WSTOPPED);
	look("no longer", P_PID, kids[1], WSTOPPED | WNOHANG);
	kill(kids[1], SIGCONT);
	look("continued", P_PID, kids[1], WCONTINUED | WNOWAIT);
	look("taken", P_PID, kids[1], WCONTINUED);
	look("no longer", P_PID, kids[1], WCONTINUED | WNOHANG);

	section("ended");
	kill(kids[0], SIGKILL);
	look("killed", P_PID, kids[0], WEXITED | WNOWAIT);
	look("as a group", P_PGID, kids[0], WEXITED | WNOWAIT);
	SHOW(kill(kids[0], 0));
	SHOW(getpgid(kids[0]) == kids[0]);
	SHOW(setpgid(kids[2], kids[0]));
	SHOW(getpgid(kids[2]) == kids[0]);
	look("the old group", P_PGID, kids[2], WEXITED | WNOHANG);
	look("taken", P_PGID, kids[0], WEXITED);
	SHOW(kill(kids[0], 0));
	SHOW(kill(-kids[0], 0));
	SHOW(setpgid(kids[3], kids[0]));
	close(gate[1]);
	for (int i = 1; i < 4; i++)
		look("the others, in order", P_PID, kids[i], WEXITED | WNOWAIT);
	SHOW(kill(-kids[0], 0));
	for (int i = 3; i > 0; i--)
		look("taken", P_PID, kids[i], WEXITED);
	SHOW(kill(-kids[0], 0));
	look("none left", P_ALL, 0, WEXITED | WNOHANG);
	look("group 0", P_PGID, 0, WEXITED | WNOHANG);
	look("no flag", P_ALL, 0, WNOHANG);
	look("a wrong type", 17, 0, WEXITED);
	look("a negative id", P_PID, -1, WEXITED);
	return 0;
}

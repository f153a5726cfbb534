/* SIGCHLD: SA_NOCLDSTOP, SA_NOCLDWAIT, SIG_IGN, and what wait(2) says then. */
#include "guest.h"

static volatile int count;

static void on_child(int sig)
{
	(void)sig;
	count++;
}

static pid_t child(int code)
{
	pid_t pid = fork_child();
	if (!pid)
		_exit(code);
	return pid;
}

static void settle(pid_t pid)
{
	for (int i = 0; i < 500 && !kill(pid, 0); i++)
		nap_ms(2);
}

int main(void)
{
	int status;
	handle(SIGCHLD, on_child, SA_NOCLDSTOP | SA_RESTART);
	pid_t pid = fork_child();
	if (!pid) {
		for (;;)
			pause();
	}
	MUST(kill(pid, SIGSTOP));
	MUST(waitpid(pid, &status, WUNTRACED));
	nap_ms(30);
	SHOW(count);
	MUST(kill(pid, SIGCONT));
	MUST(waitpid(pid, &status, WCONTINUED));
	SHOW(count);
	MUST(kill(pid, SIGTERM));
	reap("child", pid);
	SHOW(count);

	section("SA_NOCLDWAIT");
	count = 0;
	handle(SIGCHLD, on_child, SA_NOCLDWAIT | SA_RESTART);
	pid = child(1);
	settle(pid);
	SHOW(kill(pid, 0));
	SHOW(waitpid(pid, &status, 0));
	SHOW(count);

	section("ignored");
	handle(SIGCHLD, SIG_IGN, 0);
	pid = child(2);
	SHOW(waitpid(pid, &status, 0)); /* until it is gone, and then there is none */
	SHOW(kill(pid, 0));
	pid_t first = child(1), second = child(2);
	SHOW(wait(&status));
	say("%d %d\n", kill(first, 0), kill(second, 0));

	section("default");
	handle(SIGCHLD, SIG_DFL, 0);
	pid = child(3);
	reap("child", pid);

	section("ignored later: one that is a zombie already stays");
	pid = child(4);
	nap_ms(50);
	siginfo_t info;
	MUST(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	handle(SIGCHLD, SIG_IGN, 0);
	reap("zombie", pid);
	return 0;
}

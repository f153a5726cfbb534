/* SIGCHLD: what its siginfo says, when it comes, SA_NOCLDSTOP. */
#include "guest.h"

static volatile sig_atomic_t count, code, status, right_pid, number;
static volatile pid_t expected;

static void note(int sig, siginfo_t *info, void *context)
{
	count++;
	number = sig;
	code = info->si_code;
	status = info->si_status;
	right_pid = info->si_pid == expected && info->si_uid == getuid();
}

static void wait_for(int wanted)
{
	for (int i = 0; i < 300 && count < wanted; i++)
		nap_ms(10);
}

static void show(const char *what)
{
	static const char *const codes[] = {"none",        "CLD_EXITED",  "CLD_KILLED",   "CLD_DUMPED",
					    "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};
	say("%s: %s, code %s, status %d, pid %s, %d so far\n", what, signal_name(number), codes[code], status,
	    right_pid ? "right" : "wrong", count);
}

static pid_t start(void (*function)(void))
{
	block(SIGCHLD);
	pid_t pid = fork_child();
	if (!pid) {
		unblock(SIGCHLD);
		function();
		_exit(6);
	}
	expected = pid;
	unblock(SIGCHLD);
	return pid;
}

static void nothing(void) {}
static void waits(void)
{
	pause();
}

int main(void)
{
	handle_info(SIGCHLD, note, SA_RESTART);
	pid_t pid = start(nothing);
	wait_for(1);
	show("exit");
	reap("child", pid);
	pid = start(waits);
	MUST(kill(pid, SIGSTOP));
	wait_for(2);
	show("stop");
	MUST(kill(pid, SIGCONT));
	wait_for(3);
	show("continue");
	MUST(kill(pid, SIGKILL));
	wait_for(4);
	show("kill");
	reap("child", pid);

	section("SA_NOCLDSTOP");
	handle_info(SIGCHLD, note, SA_RESTART | SA_NOCLDSTOP);
	pid = start(waits);
	MUST(kill(pid, SIGSTOP));
	int now;
	MUST(waitpid(pid, &now, WUNTRACED));
	show_status("child", now);
	MUST(kill(pid, SIGCONT));
	MUST(waitpid(pid, &now, WCONTINUED));
	show_status("child", now);
	SHOW(count);
	MUST(kill(pid, SIGKILL));
	wait_for(5);
	show("kill");
	reap("child", pid);
	return 0;
}

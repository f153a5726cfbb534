/* Stopping and continuing; what a stopped process still does. */
#include "guest.h"

static int up[2];
static volatile sig_atomic_t continued;

static void on_continue(int sig)
{
	continued++;
}

static pid_t counting_child(void)
{
	pid_t pid = fork_child();
	if (!pid) {
		handle(SIGCONT, on_continue, 0);
		tell(up[1]);
		while (!continued)
			pause();
		tell(up[1]);
		for (;;)
			pause();
	}
	await(up[0]);
	return pid;
}

static void next(const char *what, pid_t pid, int options)
{
	int status = 0;
	if (MUST(waitpid(pid, &status, options)))
		show_status(what, status);
	else
		say("%s: nothing new\n", what);
}

int main(void)
{
	MUST(pipe(up));
	pid_t pid = counting_child();
	next("before", pid, WUNTRACED | WCONTINUED | WNOHANG);
	MUST(kill(pid, SIGSTOP));
	next("stopped", pid, WUNTRACED);
	next("told once only", pid, WUNTRACED | WNOHANG);
	MUST(kill(pid, SIGCONT));
	next("continued", pid, WCONTINUED);
	await(up[0]);
	say("the handler for SIGCONT ran\n");

	section("signals wait while stopped, SIGKILL does not");
	MUST(kill(pid, SIGTSTP));
	next("stopped", pid, WUNTRACED);
	MUST(kill(pid, SIGTERM));
	nap_ms(30);
	next("after SIGTERM", pid, WUNTRACED | WNOHANG);
	MUST(kill(pid, SIGCONT));
	reap("after SIGCONT", pid);

	pid = counting_child();
	MUST(kill(pid, SIGTTIN));
	next("stopped", pid, WUNTRACED);
	MUST(kill(pid, SIGKILL));
	reap("killed while stopped", pid);

	section("SIGCONT takes back a pending stop, SIGSTOP a pending SIGCONT");
	pid = fork_child();
	if (!pid) {
		block(SIGTSTP);
		block(SIGCONT);
		sigset_t pending;
		raise(SIGTSTP);
		raise(SIGCONT);
		sigpending(&pending);
		say("pending: TSTP %d, CONT %d\n", sigismember(&pending, SIGTSTP), sigismember(&pending, SIGCONT));
		raise(SIGTSTP);
		sigpending(&pending);
		say("pending: TSTP %d, CONT %d\n", sigismember(&pending, SIGTSTP), sigismember(&pending, SIGCONT));
		_exit(0);
	}
	reap("child", pid);
	return 0;
}

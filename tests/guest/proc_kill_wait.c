/* kill(2) followed at once by wait4(2). When the child dies is nobody's promise (it may be a zombie when kill returns,
 * or some time later; bash's `kill %1; wait` reports the job or not accordingly). What is promised in either order:
 * whoever is told of an end by wait has had its SIGCHLD, and whoever has its SIGCHLD can wait; neither comes twice, and
 * a wait that has a child to give is not interrupted by that child's signal. */
#include "guest.h"
#include <sched.h>

#define ROUNDS 60

static volatile sig_atomic_t signals, found_by_handler;
static volatile pid_t told;
static int options;

static void note(int sig, siginfo_t *info, void *context)
{
	signals++;
	told = info->si_pid;
}

static void collect(int sig, siginfo_t *info, void *context)
{
	int status, saved = errno;
	signals++;
	while (waitpid(-1, &status, options | WNOHANG) > 0)
		found_by_handler += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
	errno = saved;
}

static pid_t sleeper(void)
{
	pid_t pid = fork_child();
	if (!pid) {
		for (;;)
			pause();
	}
	return pid;
}

/* Even rounds ask at once, again and again; odd ones wait. */
static pid_t ask(int round, int *status)
{
	pid_t pid;
	if (round & 1)
		return waitpid(-1, status, options);
	while (!(pid = waitpid(-1, status, options | WNOHANG)))
		sched_yield();
	return pid;
}

static void told_by_both(int flags)
{
	int status, ended = 0, signalled = 0;
	handle_info(SIGCHLD, note, flags);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = sleeper();
		signals = 0;
		told = 0;
		MUST(kill(pid, SIGTERM));
		ended += ask(i, &status) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
		signalled += signals == 1 && told == pid;
		if (waitpid(-1, &status, options | WNOHANG) != -1 || errno != ECHILD || signals != 1)
			say("round %d: something is left\n", i);
	}
	SHOW(ended);
	SHOW(signalled);
}

static void pending_when_blocked(void)
{
	int status, pending_then = 0, handled = 0, none_left = 0;
	sigset_t pending;
	handle_info(SIGCHLD, note, SA_RESTART);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = sleeper();
		signals = 0;
		block(SIGCHLD);
		MUST(kill(pid, SIGTERM));
		if (ask(i, &status) != pid)
			say("round %d: another child\n", i);
		MUST(sigpending(&pending));
		pending_then += sigismember(&pending, SIGCHLD) && !signals;
		unblock(SIGCHLD);
		handled += signals == 1 && told == pid;
		MUST(sigpending(&pending));
		none_left += !sigismember(&pending, SIGCHLD);
	}
	SHOW(pending_then);
	SHOW(handled);
	SHOW(none_left);
}

static void handler_waits(void)
{
	sigset_t none;
	sigemptyset(&none);
	handle_info(SIGCHLD, collect, SA_RESTART);
	found_by_handler = signals = 0;
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = sleeper();
		block(SIGCHLD);
		MUST(kill(pid, SIGTERM));
		while (found_by_handler == i)
			sigsuspend(&none);
		unblock(SIGCHLD);
	}
	SHOW(found_by_handler);
	SHOW(signals);
}

/* The handler may have taken the child already, but then there is none to wait for: no third answer. */
static void handler_and_wait_race(void)
{
	int status, odd = 0, by_wait = 0;
	handle_info(SIGCHLD, collect, SA_RESTART);
	found_by_handler = 0;
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = sleeper();
		MUST(kill(pid, SIGTERM));
		pid_t result = ask(i, &status);
		if (result == pid)
			by_wait++;
		else if (result != -1 || errno != ECHILD)
			odd++;
	}
	SHOW(by_wait + found_by_handler);
	SHOW(odd);
}

int main(void)
{
	static const struct {
		const char *name;
		int options;
	} waits[] = {{"no option", 0}, {"WUNTRACED | WCONTINUED", WUNTRACED | WCONTINUED}};
	for (size_t i = 0; i < COUNT(waits); i++) {
		options = waits[i].options;
		section(waits[i].name);
		told_by_both(SA_RESTART);
		told_by_both(0);
		pending_when_blocked();
		handler_waits();
		handler_and_wait_race();
	}
	return 0;
}

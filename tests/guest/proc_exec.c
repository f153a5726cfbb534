/* execve: what the new program gets, and every reason to refuse. */
#include "guest.h"

static void handler(int sig) {}

static int report(int argc, char **argv, char **envp)
{
	sigset_t set;
	struct sigaction action;
	for (int i = 0; i < argc; i++)
		say("argv[%d] = %s\n", i, argv[i]);
	for (int i = 0; envp[i]; i++)
		say("envp[%d] = %s\n", i, envp[i]);
	MUST(sigaction(SIGUSR1, NULL, &action));
	SHOW(action.sa_handler == SIG_DFL);
	MUST(sigaction(SIGUSR2, NULL, &action));
	SHOW(action.sa_handler == SIG_IGN);
	MUST(sigprocmask(SIG_BLOCK, NULL, &set));
	SHOW(sigismember(&set, SIGHUP));
	SHOW(sigismember(&set, SIGTERM));
	MUST(sigpending(&set));
	SHOW(sigismember(&set, SIGHUP));
	CHECK(getpid() == atoi(argv[2]));
	stack_t stack;
	MUST(sigaltstack(NULL, &stack));
	SHOW(stack.ss_flags == SS_DISABLE);
	char name[17] = "";
	MUST(prctl(PR_GET_NAME, name));
	SHOW_TEXT(name);
	say("umask %o\n", umask(0));
	return 17;
}

static char program[256];

static void run(void)
{
	static char stack[65536], own_pid[16];
	handle(SIGUSR1, handler, 0);
	handle(SIGUSR2, SIG_IGN, 0);
	block(SIGHUP);
	kill(getpid(), SIGHUP);
	MUST(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL));
	MUST(prctl(PR_SET_NAME, "old name"));
	umask(027);
	snprintf(own_pid, sizeof own_pid, "%d", getpid());
	/* The pid is for comparing, not for showing: report() prints the first two arguments only. */
	char *const args[] = {"made up", "child", own_pid, NULL}, *const env[] = {"A=1", "EMPTY=", "odd", NULL};
	execve(program, args, env);
}

int main(int argc, char **argv, char **envp)
{
	if (argc > 2)
		return report(2, argv, envp);
	snprintf(program, sizeof program, "%s", argv[0]);
	in_child("program", run);

	section("refused");
	char *const args[] = {"x", NULL};
	make_file("text", "not a program");
	make_file("plain", "x");
	make_file("broken", "\177ELF");
	make_file("empty", "");
	MUST(chmod("text", 0755));
	MUST(chmod("broken", 0755));
	MUST(chmod("empty", 0755));
	MUST(symlink("loop", "loop"));
	SHOW(execve("absent", args, NULL));
	SHOW(execve("", args, NULL));
	SHOW(execve(".", args, NULL));
	SHOW(execve("plain", args, NULL));
	SHOW(execve("text", args, NULL));
	SHOW(execve("broken", args, NULL));
	SHOW(execve("empty", args, NULL));
	SHOW(execve("text/x", args, NULL));
	SHOW(execve("loop", args, NULL));
	SHOW(execve("/dev/null", args, NULL));
	SHOW(syscall(SYS_execve, NULL, args, NULL));
	SHOW(syscall(SYS_execve, "/bin/true", 8, NULL));
	char *const bad[] = {"x", (char *)8, NULL};
	SHOW(execve("/bin/true", bad, NULL));
	return 0;
}

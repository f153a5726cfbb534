/* What resource limits do: descriptors, processes, file size, stack, CPU time, signals in queues. */
#include "guest.h"
#include <sys/resource.h>

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	MUST(setrlimit(resource, &(struct rlimit){soft, hard}));
}

static void descriptors(void)
{
	limit(RLIMIT_NOFILE, 10, 20);
	int fd, last = -1;
	while ((fd = dup(1)) >= 0)
		last = fd;
	say("last %d, then %s\n", last, error_name(errno));
	SHOW(dup2(1, 10));
	SHOW(fcntl(1, F_DUPFD, 10));
	SHOW(open("/dev/null", O_RDONLY));
	int ends[2];
	SHOW(pipe(ends));
	limit(RLIMIT_NOFILE, 12, 20);
	SHOW(dup(1));
	SHOW(setrlimit(RLIMIT_NOFILE, &(struct rlimit){21, 20}));
}

static void processes(void)
{
	become_user(4322);
	limit(RLIMIT_NPROC, 4, 4);
	pid_t pids[10];
	int made = 0;
	for (pid_t pid; made < 10 && (pid = fork()) >= 0; made++) {
		if (!pid) {
			pause();
			_exit(0);
		}
		pids[made] = pid;
	}
	say("%d more, then %s\n", made, error_name(errno));
	for (int i = 0; i < made; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static void cpu_time(void)
{
	limit(RLIMIT_CPU, 1, 2);
	for (;;)
		;
}

static volatile int warned;

static void on_warning(int sig)
{
	(void)sig;
	warned = 1;
}

static void cpu_time_caught(void)
{
	limit(RLIMIT_CPU, 1, 30);
	handle(SIGXCPU, on_warning, 0);
	while (!warned)
		;
	say("warned\n");
}

static int deeper(int n)
{
	volatile char frame[4096];
	frame[0] = n;
	return n ? deeper(n - 1) + frame[0] : 0;
}

static void stack(void)
{
	limit(RLIMIT_STACK, 256 * 1024, 256 * 1024);
	execl("./proc_rlimits", "x", "deep", NULL); /* a stack is limited as it was at exec */
}

static void go_deep(void)
{
	limit(RLIMIT_CORE, 0, 0);
	deeper(20);
	say("not so deep\n");
	deeper(1000);
	say("NO\n");
}

static void queues(void)
{
	int sent = 0;
	become_user(4323);
	limit(RLIMIT_SIGPENDING, 5, 5);
	block(SIGRTMIN);
	while (sent < 100 && !sigqueue(getpid(), SIGRTMIN, (union sigval){0}))
		sent++;
	say("%d queued, then %s\n", sent, error_name(errno));
	SHOW(kill(getpid(), SIGRTMIN));
	block(SIGUSR1);
	SHOW(kill(getpid(), SIGUSR1));
}

static void as_user(void)
{
	struct rlimit old;
	become_user(1000);
	MUST(getrlimit(RLIMIT_CORE, &old));
	limit(RLIMIT_CORE, 0, 0);
	SHOW(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 1}));
	SHOW(setrlimit(99, &old));
	SHOW(getrlimit(-1, &old));
	SHOW(setrlimit(RLIMIT_CORE, (void *)8));
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "deep"))
		go_deep();
	in_child("descriptors", descriptors);
	in_child("counted", processes);
	limit(RLIMIT_CORE, 0, 0);
	in_child("CPU time", cpu_time);
	in_child("CPU time, caught", cpu_time_caught);
	in_child("stack", stack);
	in_child("queues", queues);
	in_child("user", as_user);
	return 0;
}

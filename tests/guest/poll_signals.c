/* ppoll and poll with signals: masks, EINTR, stopping and continuing. */
#include "guest.h"
#include <poll.h>
#include <sys/time.h>

static volatile sig_atomic_t signals;

static void note(int sig)
{
	(void)sig;
	signals++;
}

int main(void)
{
	int ends[2];
	MUST(pipe(ends));
	struct pollfd fd = {ends[0], POLLIN, 0};
	struct timespec time = {5, 0};
	sigset_t none;
	sigemptyset(&none);
	handle(SIGALRM, note, SA_RESTART);
	ualarm(30000, 0);
	SHOW(poll(&fd, 1, 5000));
	SHOW(signals);
	block(SIGALRM);
	ualarm(30000, 0);
	SHOW(ppoll(&fd, 1, &time, &none));
	SHOW(signals);
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	SHOW(sigismember(&now, SIGALRM));
	time = (struct timespec){0, 20000000};
	SHOW(ppoll(&fd, 1, &time, &now));
	SHOW(syscall(SYS_ppoll, &fd, 1, &time, &now, 4));
	time.tv_nsec = -1;
	SHOW(ppoll(&fd, 1, &time, NULL));
	time = (struct timespec){5, 0};
	raise(SIGALRM);
	MUST(write(ends[1], "x", 1));
	SHOW(ppoll(&fd, 1, &time, &none));
	SHOW(signals);

	section("the time that is left");
	char byte;
	MUST(read(ends[0], &byte, 1));
	time = (struct timespec){0, 30000000};
	SHOW(syscall(SYS_ppoll, &fd, 1, &time, NULL, 8));
	say("%ld.%09ld\n", time.tv_sec, time.tv_nsec);
	time = (struct timespec){50, 0};
	MUST(write(ends[1], "x", 1));
	SHOW(syscall(SYS_ppoll, &fd, 1, &time, NULL, 8));
	CHECK(time.tv_sec == 49 || (time.tv_sec == 50 && !time.tv_nsec));
	MUST(read(ends[0], &byte, 1));

	section("stopped");
	unblock(SIGALRM);
	pid_t pid = fork_child();
	if (!pid) {
		SHOW(poll(&fd, 1, 5000));
		_exit(0);
	}
	nap_ms(30);
	kill(pid, SIGSTOP);
	int status;
	waitpid(pid, &status, WUNTRACED);
	show_status("child", status);
	kill(pid, SIGCONT);
	nap_ms(30);
	MUST(write(ends[1], "x", 1));
	reap("child", pid);
	return 0;
}

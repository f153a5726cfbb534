/* Signals during waits on pipes and FIFOs: EINTR, restarts, short counts. */
#include "guest.h"
#include <sys/time.h>

static void nothing(int sig)
{
	(void)sig;
}

static void later(int ms)
{
	struct itimerval time = {.it_value.tv_usec = ms * 1000};
	MUST(setitimer(ITIMER_REAL, &time, NULL));
}

int main(void)
{
	static char block[100000];
	int ends[2];
	MUST(pipe(ends));
	handle(SIGALRM, nothing, 0);
	later(30);
	SHOW(read(ends[0], block, 10));
	later(30);
	SHOW(write(ends[1], block, sizeof block));
	later(30);
	SHOW(write(ends[1], block, 1));
	MUST(mkfifo("fifo", 0600));
	later(30);
	SHOW(open("fifo", O_RDONLY));
	later(30);
	SHOW(open("fifo", O_WRONLY));

	section("restarted");
	handle(SIGALRM, nothing, SA_RESTART);
	while (read(ends[0], block, 65536) == 65536)
		if (fcntl(ends[0], F_SETFL, O_NONBLOCK))
			break;
	fcntl(ends[0], F_SETFL, 0);
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(80);
		MUST(write(ends[1], "late", 4));
		_exit(0);
	}
	later(30);
	SHOW(read(ends[0], block, 10));
	reap("writer", pid);
	pid = fork_child();
	if (!pid) {
		nap_ms(80);
		(void)!open("fifo", O_WRONLY);
		_exit(0);
	}
	later(30);
	CHECK(open("fifo", O_RDONLY) >= 0);
	reap("opener", pid);

	section("a large write, restarted");
	pid = fork_child();
	if (!pid) {
		size_t sum = 0;
		close(ends[1]);
		nap_ms(80);
		for (ssize_t n; (n = read(ends[0], block, sizeof block)) > 0;)
			sum += n;
		SHOW(sum);
		_exit(0);
	}
	later(30);
	SHOW(write(ends[1], block, sizeof block));
	close(ends[1]);
	reap("reader", pid);
	return 0;
}

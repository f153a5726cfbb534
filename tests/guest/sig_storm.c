/* Signals at every moment of a loop of system calls: each call is done once and answers rightly. */
#include "guest.h"
#include <sys/time.h>

static volatile int hits;

static void hit(int sig)
{
	hits++;
	getppid();
}

int main(void)
{
	int ends[2], saved;
	pid_t self = getpid();
	long wrong = 0, sent = 0, received = 0;
	char byte;
	MUST(pipe(ends));
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	handle(SIGALRM, hit, SA_RESTART);
	struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
	MUST(setitimer(ITIMER_REAL, &often, NULL));
	while (hits < 300) {
		wrong += getpid() != self;
		byte = sent++;
		wrong += write(ends[1], &byte, 1) != 1;
		wrong += pwrite(fd, &byte, 1, sent) != 1;
		saved = byte;
		wrong += read(ends[0], &byte, 1) != 1 || byte != (char)saved;
		received++;
		wrong += pread(fd, &byte, 1, sent) != 1 || byte != (char)saved;
		wrong += close(-1) != -1 || errno != EBADF;
		wrong += lseek(fd, 0, SEEK_END) != sent + 1;
		wrong += access("file", F_OK) != 0;
	}
	MUST(setitimer(ITIMER_REAL, &never, NULL));
	SHOW(wrong);
	SHOW(sent == received);

	section("and of fork and wait");
	MUST(setitimer(ITIMER_REAL, &often, NULL));
	for (int i = 0; i < 20; i++) {
		int status = -1;
		pid_t pid = fork_child();
		if (!pid)
			_exit(i);
		wrong += waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != i;
	}
	MUST(setitimer(ITIMER_REAL, &never, NULL));
	SHOW(wrong);
	return 0;
}

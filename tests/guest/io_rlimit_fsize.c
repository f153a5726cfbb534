/* RLIMIT_FSIZE: a write up to it is short, one beyond it gets SIGXFSZ and EFBIG. */
#include "guest.h"
#include <sys/resource.h>

static volatile sig_atomic_t signals;

static void count(int sig)
{
	signals++;
}

static void killed(void)
{
	handle(SIGXFSZ, SIG_DFL, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	int fd = MUST(open("file", O_WRONLY));
	SHOW(pwrite(fd, "x", 1, 10));
}

int main(void)
{
	char data[100] = "";
	handle(SIGXFSZ, count, 0);
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	MUST(setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, RLIM_INFINITY}));
	SHOW(write(fd, data, 4));
	SHOW(write(fd, data, 100));
	SHOW(signals);
	SHOW(write(fd, data, 1));
	SHOW(signals);
	SHOW(pwrite(fd, data, 1, 50));
	SHOW(signals);
	SHOW(pwrite(fd, data, 5, 2));
	SHOW(ftruncate(fd, 11));
	SHOW(signals);
	SHOW(ftruncate(fd, 8));
	SHOW(signals);
	MUST(setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}));
	SHOW(pwrite(fd, data, 100, 0));
	MUST(setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, RLIM_INFINITY}));
	int ends[2];
	MUST(pipe(ends));
	SHOW(write(ends[1], data, 100));
	say("the rest is the child's\n");
	in_child("child", killed);
	return 0;
}

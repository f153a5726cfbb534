/* vfork: the parent waits until the child has exited or executed; memory is one. */
#include "guest.h"

int main(int argc, char **argv)
{
	if (argc > 1)
		return atoi(argv[1]);
	volatile int shared = 1;
	pid_t pid = vfork();
	if (!pid) {
		shared = 2;
		_exit(5);
	}
	SHOW(shared);
	reap("exiting child", pid);

	pid = vfork();
	if (!pid) {
		execl(argv[0], argv[0], "6", NULL);
		_exit(1);
	}
	reap("executing child", pid);

	pid = vfork();
	if (!pid) {
		execl("./absent", "absent", NULL);
		shared = errno;
		_exit(7);
	}
	SHOW(shared == ENOENT);
	reap("failing child", pid);

	section("the parent was not running meanwhile");
	long long start = now_ns(CLOCK_MONOTONIC);
	pid = vfork();
	if (!pid) {
		struct timespec pause = {0, 50000000};
		nanosleep(&pause, NULL);
		_exit(0);
	}
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 50000000);
	reap("sleeping child", pid);

	section("descriptors are the child's own");
	pid = vfork();
	if (!pid) {
		close(STDIN_FILENO);
		_exit(0);
	}
	reap("closing child", pid);
	SHOW(fcntl(STDIN_FILENO, F_GETFD));
	return 0;
}

/* Interrupted system calls: SA_RESTART starts those again that can be, others fail by EINTR. */
#include "guest.h"
#include <poll.h>
#include <sys/socket.h>

static int ends[2];
static volatile sig_atomic_t hits;

static void hit(int sig)
{
	hits++;
}

/* Sends a signal in 40 ms, something to read 40 ms later. */
static pid_t disturb(void)
{
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(40);
		kill(getppid(), SIGUSR1);
		nap_ms(40);
		tell(ends[1]);
		_exit(0);
	}
	return pid;
}

static void settle(pid_t pid)
{
	int flags = fcntl(ends[0], F_GETFL);
	char byte;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	fcntl(ends[0], F_SETFL, flags | O_NONBLOCK);
	while (read(ends[0], &byte, 1) > 0)
		;
	fcntl(ends[0], F_SETFL, flags);
	say("%d signals\n", hits);
	hits = 0;
}

static void try_all(void)
{
	char byte;
	pid_t pid = disturb();
	SHOW(read(ends[0], &byte, 1));
	settle(pid);
	pid = disturb();
	SHOW(waitpid(pid, NULL, 0) > 0 ? 1 : -1);
	settle(-1);
	pid = disturb();
	struct pollfd poller = {ends[0], POLLIN};
	SHOW(poll(&poller, 1, 3000));
	settle(pid);
	pid = disturb();
	struct timespec pause = {0, 150000000}, left = {0, 0};
	SHOW(nanosleep(&pause, &left));
	CHECK(left.tv_nsec < 150000000);
	settle(pid);
	pid = disturb();
	SHOW(recv(ends[0], &byte, 1, MSG_PEEK));
	settle(pid);
}

int main(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	section("without SA_RESTART");
	handle(SIGUSR1, hit, 0);
	try_all();
	section("with SA_RESTART");
	handle(SIGUSR1, hit, SA_RESTART);
	try_all();
	section("ignored signals disturb nothing");
	handle(SIGUSR1, SIG_IGN, 0);
	try_all();
	return 0;
}

/* flock: by open file, shared and exclusive, conversions, waiting, inheritance. */
#include "guest.h"
#include <sys/file.h>

static int other(int operation)
{
	pid_t child = fork_child();
	int status;
	if (!child) {
		int fd = MUST(open("file", O_RDONLY));
		_exit(flock(fd, operation | LOCK_NB) ? errno == EWOULDBLOCK ? 1 : 2 : 0);
	}
	MUST(waitpid(child, &status, 0));
	return WEXITSTATUS(status);
}

static void on_signal(int sig)
{
	(void)sig;
}

int main(void)
{
	int a = MUST(open("file", O_RDWR | O_CREAT, 0644)), b = MUST(open("file", O_RDONLY));
	SHOW(flock(a, LOCK_SH));
	SHOW(flock(b, LOCK_SH));
	SHOW(flock(b, LOCK_EX | LOCK_NB));
	SHOW(other(LOCK_SH));
	SHOW(other(LOCK_EX));
	SHOW(flock(a, LOCK_UN));
	SHOW(other(LOCK_EX)); /* b lost its own when the conversion failed */
	SHOW(flock(a, LOCK_SH));
	SHOW(flock(b, LOCK_UN));
	SHOW(flock(a, LOCK_EX));
	SHOW(other(LOCK_SH));
	SHOW(flock(b, LOCK_SH | LOCK_NB));
	pid_t child = fork_child();
	if (!child) {
		SHOW(flock(a, LOCK_EX | LOCK_NB)); /* the same open file */
		close(a);
		_exit(0);
	}
	reap("heir", child);
	SHOW(other(LOCK_SH));
	child = fork_child();
	if (!child) {
		close(a);
		_exit(flock(MUST(open("file", O_RDONLY)), LOCK_EX) ? 1 : 5);
	}
	nap_ms(100);
	SHOW(flock(a, LOCK_UN));
	reap("waiter", child);
	SHOW(flock(a, LOCK_EX | LOCK_NB)); /* the waiter's lock is b's, and so ours too */
	SHOW(flock(b, LOCK_UN));
	SHOW(flock(a, LOCK_EX));
	child = fork_child();
	if (!child) {
		close(a);
		handle(SIGALRM, on_signal, 0);
		ualarm(50000, 50000);
		b = MUST(open("file", O_RDONLY));
		SHOW(flock(b, LOCK_EX));
		_exit(0);
	}
	reap("interrupted", child);
	int copy = MUST(dup(a));
	close(a);
	SHOW(other(LOCK_SH));
	close(copy);
	SHOW(other(LOCK_EX));
	SHOW(flock(-1, LOCK_EX));
	SHOW(flock(b, 0));
	SHOW(flock(MUST(open("file", O_PATH)), LOCK_EX));
	int pipes[2];
	MUST(pipe(pipes));
	SHOW(flock(pipes[0], LOCK_EX));
	return 0;
}

/* A chain of 100 generations, a tree of 127 processes, and 2,000 short lives: each ends as it should and leaves
 * nothing. */
#include "guest.h"

static int chain(int depth)
{
	if (!depth)
		return 7;
	pid_t pid = fork_child();
	if (!pid)
		_exit(chain(depth - 1));
	int status;
	MUST(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int tree(int depth)
{
	int sum = 1;
	if (!depth)
		return 1;
	pid_t pids[2];
	for (int i = 0; i < 2; i++) {
		pids[i] = fork_child();
		if (!pids[i])
			_exit(tree(depth - 1));
	}
	for (int i = 0; i < 2; i++) {
		int status;
		MUST(waitpid(pids[i], &status, 0));
		sum += WEXITSTATUS(status);
	}
	return sum;
}

int main(void)
{
	SHOW(chain(100));
	SHOW(tree(6));
	int sum = 0;
	for (int i = 0; i < 2000; i++) {
		pid_t pid = MUST(vfork());
		if (!pid)
			_exit(i & 3);
		int status;
		MUST(waitpid(pid, &status, 0));
		sum += WEXITSTATUS(status);
	}
	SHOW(sum);
	SHOW(waitpid(-1, NULL, 0));
	return 0;
}

/* Many children, one after the other and at once. */
#include "guest.h"

int main(void)
{
	int status;
	long sum = 0;
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork_child();
		if (!pid)
			_exit(i);
		MUST(waitpid(pid, &status, 0));
		sum += WEXITSTATUS(status);
	}
	SHOW(sum);

	section("at once");
	int gate[2];
	MUST(pipe(gate));
	for (int i = 0; i < 60; i++) {
		if (!fork_child()) {
			char byte;
			close(gate[1]);
			MUST(read(gate[0], &byte, 1));
			_exit(i);
		}
	}
	SHOW(waitpid(-1, &status, WNOHANG));
	close(gate[1]);
	sum = 0;
	int count = 0;
	while (waitpid(-1, &status, 0) > 0) {
		sum += WEXITSTATUS(status);
		count++;
	}
	SHOW(count);
	SHOW(sum);

	section("a line of descendants");
	int depth = 0;
	pid_t pid;
	while (depth < 25 && !(pid = fork_child()))
		depth++;
	if (depth == 25)
		_exit(0);
	MUST(waitpid(pid, &status, 0));
	if (depth)
		_exit(WEXITSTATUS(status) + 1);
	SHOW(WEXITSTATUS(status));
	return 0;
}

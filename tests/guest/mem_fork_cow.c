/* After fork, private memory is two, shared memory is one. */
#include "fault.h"

static char *private, *shared;
static int global = 1, down[2], up[2];

static void child(void)
{
	private[0] = 'c';
	shared[0] = 'c';
	global = 2;
	tell(up[1]);
	await(down[0]);
	say("child: private %c%c shared %c%c global %d\n", private[0], private[PAGE], shared[0], shared[PAGE], global);
}

int main(void)
{
	int local = 1;
	MUST(pipe(down));
	MUST(pipe(up));
	private = map_anonymous(2 * PAGE);
	shared = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	memset(private, 'p', 2 * PAGE);
	memset(shared, 's', 2 * PAGE);
	pid_t pid = fork_child();
	if (!pid) {
		local = 2;
		child();
		_exit(local);
	}
	await(up[0]);
	say("parent: private %c%c shared %c%c global %d local %d\n", private[0], private[PAGE], shared[0], shared[PAGE],
	    global, local);
	private[PAGE] = 'P';
	shared[PAGE] = 'P';
	tell(down[1]);
	reap("child", pid);

	section("many generations");
	for (int i = 0; i < 5; i++) {
		pid = fork_child();
		if (pid) {
			int status;
			MUST(waitpid(pid, &status, 0));
			if (i)
				_exit(WEXITSTATUS(status) + 1);
			SHOW(WEXITSTATUS(status));
			break;
		}
		private[0]++;
		__atomic_add_fetch((int *)(shared + 8), 1, __ATOMIC_SEQ_CST);
		if (i == 4)
			_exit(0);
	}
	SHOW(private[0]);
	SHOW(*(int *)(shared + 8) - 0x73737373);
	return 0;
}

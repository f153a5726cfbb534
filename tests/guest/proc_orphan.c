/* A process whose parent dies gets another: the nearest subreaper. */
#include "guest.h"

static int up[2], down[2];

static void grandchild(pid_t first_parent)
{
	char answer;
	await(down[0]); /* until the parent is gone */
	for (int i = 0; i < 300 && getppid() == first_parent; i++)
		nap_ms(10);
	answer = getppid() != first_parent ? 'y' : 'n';
	MUST(write(up[1], &answer, 1));
	_exit(33);
}

int main(void)
{
	char answer = 0;
	int on = -1, status;
	MUST(pipe(up));
	MUST(pipe(down));
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0));
	SHOW(on);
	pid_t pid = fork_child();
	if (!pid) {
		pid_t parent = getpid();
		if (!fork())
			grandchild(parent);
		_exit(11);
	}
	reap("child", pid);
	tell(down[1]);
	MUST(read(up[0], &answer, 1));
	say("the orphan has a new parent: %c\n", answer);
	pid_t orphan = waitpid(-1, &status, 0);
	CHECK(orphan > 0 && orphan != pid);
	show_status("orphan", status);

	section("the setting is not inherited");
	pid = fork_child();
	if (!pid) {
		MUST(prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0));
		_exit(on);
	}
	reap("child", pid);
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
	return 0;
}

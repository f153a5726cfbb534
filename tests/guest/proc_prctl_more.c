/* prctl(2): names, dumpable, death signals, keep capabilities, timer slack, no new privileges, securebits; errors. */
#include "guest.h"
#include <linux/capability.h>
#include <linux/securebits.h>

int main(void)
{
	char name[20] = "";
	int value = -1;
	SHOW(prctl(PR_SET_NAME, "a rather long name of a thread"));
	SHOW(prctl(PR_GET_NAME, name));
	SHOW_TEXT(name);
	SHOW(prctl(PR_SET_NAME, 8));
	SHOW(prctl(PR_GET_DUMPABLE));
	SHOW(prctl(PR_SET_DUMPABLE, 0));
	SHOW(prctl(PR_GET_DUMPABLE));
	SHOW(prctl(PR_SET_DUMPABLE, 2));
	SHOW(prctl(PR_SET_DUMPABLE, 1));
	SHOW(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	SHOW(prctl(PR_GET_PDEATHSIG, &value));
	SHOW(value);
	SHOW(prctl(PR_SET_PDEATHSIG, 65));
	SHOW(prctl(PR_SET_PDEATHSIG, 0));
	SHOW(prctl(PR_GET_KEEPCAPS));
	SHOW(prctl(PR_SET_KEEPCAPS, 1));
	SHOW(prctl(PR_GET_KEEPCAPS));
	SHOW(prctl(PR_SET_KEEPCAPS, 2));
	SHOW(prctl(PR_SET_KEEPCAPS, 0));
	SHOW(prctl(PR_GET_TIMERSLACK));
	SHOW(prctl(PR_SET_TIMERSLACK, 1000));
	SHOW(prctl(PR_GET_TIMERSLACK));
	SHOW(prctl(PR_SET_TIMERSLACK, 0));
	SHOW(prctl(PR_GET_TIMERSLACK));
	SHOW(prctl(PR_GET_SECUREBITS));
	SHOW(prctl(PR_CAPBSET_READ, CAP_CHOWN));
	SHOW(prctl(PR_CAPBSET_READ, 99));
	SHOW(prctl(PR_CAPBSET_DROP, 99));
	SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	SHOW(prctl(PR_CAP_AMBIENT, 99, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	pid_t pid = fork_child();
	if (!pid)
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	reap("inherited", pid);
	SHOW(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
	SHOW(prctl(PR_GET_CHILD_SUBREAPER, &value));
	SHOW(value);
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 0));
	SHOW(prctl(PR_GET_TID_ADDRESS, &(void *){0}) == 0 || errno == EINVAL);
	SHOW(prctl(PR_GET_TSC, &value));
	SHOW(value);
	SHOW(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	SHOW(prctl(99999));
	SHOW(prctl(-1));
	return 0;
}

/* Eight processes count in one shared page: nothing is lost. */
#include "fault.h"

int main(void)
{
	pid_t pids[8];
	int *counter = (int *)map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	for (int i = 0; i < 8; i++) {
		pids[i] = fork_child();
		if (!pids[i]) {
			for (int j = 0; j < 100000; j++)
				__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
			counter[1 + i] = i * i;
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++)
		MUST(waitpid(pids[i], NULL, 0));
	SHOW(*counter);
	for (int i = 0; i < 8; i++)
		SHOW(counter[1 + i]);
	return 0;
}

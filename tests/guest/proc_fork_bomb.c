/* A fork bomb of a user with a limit on processes: it is held back, and everybody can be killed afterwards. */
#include "guest.h"
#include <sys/mman.h>
#include <sys/resource.h>

static volatile int *refused;

static void bomb(void)
{
	for (;;)
		if (fork() < 0) {
			if (errno == EAGAIN)
				__atomic_add_fetch(refused, 1, __ATOMIC_RELAXED);
			nap_ms(5);
		}
}

int main(void)
{
	refused = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork_child();
	if (!pid) {
		setsid();
		become_user(4567);
		MUST(setrlimit(RLIMIT_NPROC, &(struct rlimit){50, 50}));
		bomb();
	}
	for (int i = 0; i < 1000 && *refused < 50; i++)
		nap_ms(10);
	CHECK(*refused >= 50);
	/* All at once, until nobody is left: a new one may appear between the signal and its parent's death. */
	for (int i = 0; i < 1000 && !kill(-pid, SIGKILL); i++) {
		waitpid(pid, NULL, WNOHANG);
		nap_ms(2);
	}
	SHOW(kill(-pid, 0));
	CHECK(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);
	return 0;
}

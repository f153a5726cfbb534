/* Shared futexes work between processes, by anonymous memory and by a file mapped at different addresses;
 * private ones do not leave their address space. */
#include "futex.h"

static uint32_t *word;

static pid_t sleeper(int op)
{
	pid_t pid = fork_child();
	if (!pid) {
		struct timespec limit = {0, 400000000};
		long result = futex(word, op, 0, &limit, NULL, 0);
		_exit(result ? errno == ETIMEDOUT ? 2 : 3 : 1);
	}
	return pid;
}

int main(void)
{
	word = shared_page();
	pid_t pid = sleeper(FUTEX_WAIT);
	SHOW(futex_wake_all(word, 1));
	reap("shared memory", pid);

	pid = sleeper(FUTEX_WAIT_PRIVATE);
	nap_ms(50);
	SHOW(futex(word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	reap("private futex", pid);

	static uint32_t own;
	word = &own;
	pid = sleeper(FUTEX_WAIT);
	nap_ms(50);
	SHOW(futex_wake(&own, 1));
	reap("private memory", pid);

	section("a file");
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	MUST(ftruncate(fd, 8192));
	char *here = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	char *there = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	word = (uint32_t *)(here + 40);
	pid = sleeper(FUTEX_WAIT);
	SHOW(futex_wake_all(there + 4096 + 40, 1));
	reap("file", pid);

	section("ping-pong of two processes");
	word = shared_page();
	pid = fork_child();
	for (uint32_t turn = 0; turn < 400; turn++) {
		uint32_t now;
		if ((turn & 1) == !pid) {
			__atomic_store_n(word, turn + 1, __ATOMIC_SEQ_CST);
			futex_wake(word, 1);
			continue;
		}
		while ((now = __atomic_load_n(word, __ATOMIC_SEQ_CST)) <= turn)
			futex(word, FUTEX_WAIT, now, NULL, NULL, 0);
	}
	if (!pid)
		_exit(4);
	SHOW(*word);
	reap("partner", pid);
	return 0;
}

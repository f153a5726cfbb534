/* The word that a dying thread clears and wakes: how pthread_join knows. */
#include "futex.h"
#include <sched.h>

static uint32_t tid_word = 1;

static int body(void *arg)
{
	nap_ms(50);
	return 0;
}

int main(void)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	int tid = MUST(clone(body, stack + 65536, flags | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID, NULL, &tid_word,
			     NULL, &tid_word));
	uint32_t seen;
	int waits = 0;
	CHECK(tid > 0);
	while ((seen = __atomic_load_n(&tid_word, __ATOMIC_SEQ_CST))) {
		futex(&tid_word, FUTEX_WAIT, seen, NULL, NULL, 0);
		waits++;
	}
	CHECK(waits >= 1 && waits < 4);
	SHOW(tid_word);
	SHOW(syscall(SYS_set_tid_address, &tid_word) == getpid());
	return 0;
}

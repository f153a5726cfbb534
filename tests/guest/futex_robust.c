/* Robust lists: the death of an owner, thread or process, is written into its futexes, and one waiter is woken. */
#include "futex.h"
#include <stddef.h>

struct lock {
	struct robust_list list;
	uint32_t word;
};

static struct robust_list_head head;
static struct lock *locks;

static void own(struct lock *first, struct lock *second)
{
	uint32_t tid = syscall(SYS_gettid);
	head = (struct robust_list_head){{&first->list}, offsetof(struct lock, word), NULL};
	first->list.next = &second->list;
	second->list.next = (struct robust_list *)&head;
	first->word = tid | FUTEX_WAITERS;
	second->word = tid;
	MUST(syscall(SYS_set_robust_list, &head, sizeof head));
}

static void *dying_thread(void *arg)
{
	own(&locks[0], &locks[1]);
	return NULL;
}

static void show(void)
{
	for (int i = 0; i < 3; i++)
		say("lock %d: owner %s%s%s\n", i, locks[i].word & FUTEX_TID_MASK ? "somebody" : "nobody",
		    locks[i].word & FUTEX_OWNER_DIED ? ", died" : "", locks[i].word & FUTEX_WAITERS ? ", waiters" : "");
}

static pthread_mutex_t *mutex;

static void dying_owner(void)
{
	SHOW_ERR(pthread_mutex_lock(mutex));
}

int main(void)
{
	pthread_t thread;
	struct robust_list_head *got;
	size_t size;
	locks = shared_page();
	MUST(pthread_create(&thread, NULL, dying_thread, NULL));
	pthread_join(thread, NULL);
	show();

	section("a process");
	memset(locks, 0, 4096);
	pid_t pid = fork_child();
	if (!pid) {
		own(&locks[1], &locks[2]);
		nap_ms(80);
		_exit(0);
	}
	while (!__atomic_load_n(&locks[1].word, __ATOMIC_SEQ_CST))
		nap_ms(5);
	SHOW(futex(&locks[1].word, FUTEX_WAIT, pid | FUTEX_WAITERS, NULL, NULL, 0));
	reap("owner", pid);
	show();

	section("as the C library uses it");
	pthread_mutexattr_t attr;
	mutex = (pthread_mutex_t *)(locks + 10);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attr);
	in_child("owner", dying_owner);
	SHOW_ERR(pthread_mutex_lock(mutex));
	SHOW_ERR(pthread_mutex_consistent(mutex));
	SHOW_ERR(pthread_mutex_unlock(mutex));
	in_child("owner", dying_owner);
	SHOW_ERR(pthread_mutex_lock(mutex));
	SHOW_ERR(pthread_mutex_unlock(mutex));
	SHOW_ERR(pthread_mutex_lock(mutex));

	section("the calls");
	SHOW(syscall(SYS_set_robust_list, &head, 8));
	SHOW(syscall(SYS_get_robust_list, 0, &got, &size));
	SHOW(size);
	SHOW(syscall(SYS_get_robust_list, 1 << 22, &got, &size));
	return 0;
}

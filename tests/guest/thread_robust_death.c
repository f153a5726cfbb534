/* Robust mutexes whose owner dies: by exit, by a signal, in exec; across processes, and a second death in between. */
#include "guest.h"
#include <pthread.h>
#include <sys/mman.h>

struct shared {
	pthread_mutex_t mutex[3];
	pthread_cond_t condition;
	int value, ready;
};

static struct shared *shared;

static void init(void)
{
	pthread_mutexattr_t attributes;
	pthread_condattr_t conditions;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
		SHOW_ERR(pthread_mutex_init(&shared->mutex[i], &attributes));
	}
	pthread_condattr_init(&conditions);
	pthread_condattr_setpshared(&conditions, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&shared->condition, &conditions);
}

static void lock_all(void)
{
	for (int i = 0; i < 3; i++)
		if (pthread_mutex_lock(&shared->mutex[i]) == EOWNERDEAD)
			pthread_mutex_consistent(&shared->mutex[i]);
}

static void exits(void)
{
	lock_all();
	_exit(3);
}

static void killed(void)
{
	lock_all();
	kill(getpid(), SIGKILL);
}

static void execs(void)
{
	lock_all();
	execl("/bin/true", "true", NULL);
}

static void crashes(void)
{
	lock_all();
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void *dies(void *arg)
{
	lock_all();
	return NULL;
}

static void thread_dies(void)
{
	pthread_t thread;
	MUST(pthread_create(&thread, NULL, dies, NULL));
	pthread_join(thread, NULL);
	_exit(pthread_mutex_trylock(&shared->mutex[0]) == EOWNERDEAD ? 4 : 5);
}

static void recover(const char *who, void (*function)(void))
{
	section(who);
	in_child(who, function);
	for (int i = 0; i < 3; i++) {
		SHOW_ERR(pthread_mutex_trylock(&shared->mutex[i]));
		SHOW_ERR(pthread_mutex_consistent(&shared->mutex[i]));
		SHOW_ERR(pthread_mutex_unlock(&shared->mutex[i]));
		SHOW_ERR(pthread_mutex_lock(&shared->mutex[i]));
		SHOW_ERR(pthread_mutex_unlock(&shared->mutex[i]));
	}
}

/* The owner dies while several wait: each in turn is told, for each dies as well. */
static void chain(void)
{
	int turn[2], up[2], told = 0;
	pid_t kids[6];
	MUST(pipe(turn));
	MUST(pipe(up));
	kids[0] = fork_child();
	if (!kids[0]) {
		pthread_mutex_lock(&shared->mutex[0]);
		tell(up[1]);
		await(turn[0]);
		_exit(0);
	}
	await(up[0]);
	for (int i = 1; i < 6; i++) {
		kids[i] = fork_child();
		if (!kids[i]) {
			tell(up[1]);
			int error = pthread_mutex_lock(&shared->mutex[0]);
			if (error == EOWNERDEAD)
				pthread_mutex_consistent(&shared->mutex[0]);
			_exit(error == EOWNERDEAD ? 1 : 2);
		}
		await(up[0]);
	}
	nap_ms(50);
	tell(turn[1]);
	for (int i = 0; i < 6; i++) {
		int status;
		MUST(waitpid(kids[i], &status, 0));
		told += WEXITSTATUS(status);
	}
	SHOW(told);
	SHOW_ERR(pthread_mutex_lock(&shared->mutex[0]));
	SHOW_ERR(pthread_mutex_unlock(&shared->mutex[0]));
	section("not made consistent: never again");
	SHOW_ERR(pthread_mutex_lock(&shared->mutex[0]));
	SHOW_ERR(pthread_mutex_trylock(&shared->mutex[0]));
	SHOW_ERR(pthread_mutex_consistent(&shared->mutex[0]));
}

int main(void)
{
	init();
	recover("exited", exits);
	recover("killed", killed);
	recover("exec", execs);
	recover("aborted", crashes);
	recover("a thread", thread_dies);
	section("a chain of deaths");
	chain();
	return 0;
}

/* fork while other threads hold and take locks: pthread_atfork as the C library of a real program uses it. */
#include "guest.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, order = PTHREAD_MUTEX_INITIALIZER;
static char trace[64];
static int used;
static long shared;
static _Atomic bool stop;

static void note(char letter)
{
	if (used < (int)sizeof trace - 1)
		trace[used++] = letter;
}

static void prepare_lock(void)
{
	note('p');
	pthread_mutex_lock(&lock);
}
static void parent_lock(void)
{
	pthread_mutex_unlock(&lock);
	note('q');
}
static void child_lock(void)
{
	pthread_mutex_unlock(&lock);
	note('c');
}
static void prepare_order(void)
{
	note('P');
	pthread_mutex_lock(&order);
}
static void parent_order(void)
{
	pthread_mutex_unlock(&order);
	note('Q');
}
static void child_order(void)
{
	pthread_mutex_unlock(&order);
	note('C');
}

/* Two counters that are equal whenever the lock is free. */
static long first, second;

static void *works(void *arg)
{
	while (!stop) {
		pthread_mutex_lock(&lock);
		first++;
		free(malloc(100 + first % 5000)); /* malloc has locks of its own over a fork */
		second++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static int in_the_child(void)
{
	if (pthread_mutex_trylock(&lock))
		return 1;
	if (first != second)
		return 2;
	for (int i = 0; i < 100; i++)
		free(malloc(i * 100));
	pthread_mutex_unlock(&lock);
	if (pthread_mutex_trylock(&order))
		return 3;
	if (memcmp(trace + used - 4, "PpcC", 4) && memcmp(trace + used - 4, "PpCc", 4))
		return 4;
	return 0;
}

int main(void)
{
	pthread_t threads[4];
	SHOW_ERR(pthread_atfork(prepare_lock, parent_lock, child_lock));
	SHOW_ERR(pthread_atfork(prepare_order, parent_order, child_order));
	pid_t pid = fork_child();
	if (!pid) {
		SHOW_TEXT(trace);
		_exit(0);
	}
	reap("child", pid);
	SHOW_TEXT(trace);
	for (int i = 0; i < 4; i++)
		MUST(pthread_create(&threads[i], NULL, works, NULL));
	int good = 0;
	for (int i = 0; i < 40; i++) {
		int status;
		used = 0;
		pid = fork_child();
		if (!pid)
			_exit(in_the_child());
		MUST(waitpid(pid, &status, 0));
		if (status)
			show_status("child", status);
		good += !status;
		shared++;
	}
	stop = true;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	SHOW(good);
	CHECK(first == second);
	return 0;
}

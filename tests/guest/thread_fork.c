/* fork from a thread: the child has that thread only; atfork handlers run. */
#include "guest.h"
#include <dirent.h>
#include <pthread.h>

static int tasks(void)
{
	DIR *dir = opendir("/proc/self/task");
	int count = 0;
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

static void before(void)
{
	say("prepare\n");
}
static void parent(void)
{
	say("parent\n");
}
static void child(void)
{
	say("child\n");
}

static int up[2];

static void *forks(void *arg)
{
	say("threads: %d\n", tasks());
	pid_t pid = fork();
	if (!pid) {
		say("threads of the child: %d\n", tasks());
		CHECK(syscall(SYS_gettid) == getpid());
		tell(up[1]);
		_exit(3);
	}
	await(up[0]);
	reap("child", pid);
	return NULL;
}

static void *sleeps(void *arg)
{
	pause();
	return NULL;
}

static void both(void)
{
	pthread_t thread;
	MUST(pthread_create(&thread, NULL, sleeps, NULL));
	MUST(pthread_create(&thread, NULL, forks, NULL));
	pthread_join(thread, NULL);
}

int main(void)
{
	MUST(pipe(up));
	in_child("both", both);
	pthread_atfork(before, parent, NULL);
	int turn[2];
	MUST(pipe(turn));
	pid_t pid = fork();
	if (!pid) {
		await(turn[0]);
		child();
		_exit(0);
	}
	tell(turn[1]);
	reap("child", pid);
	return 0;
}

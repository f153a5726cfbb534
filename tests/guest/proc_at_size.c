/* Many at one time: 1,000 processes, 300 generations, a tree that forks from every node, 500 orphans, 1,000 threads. */
#include "guest.h"
#include <pthread.h>

#define MANY        1000
#define GENERATIONS 300
#define TREE_DEPTH  8
#define ORPHANS     500

static pthread_barrier_t barrier;

static void *meet(void *arg)
{
	pthread_barrier_wait(&barrier);
	return arg;
}

static void threads(void)
{
	static pthread_t thread[MANY];
	pthread_attr_t attr;
	long sum = 0, tasks = 0;
	void *result;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	pthread_barrier_init(&barrier, NULL, MANY + 1);
	for (long i = 0; i < MANY; i++)
		if (pthread_create(&thread[i], &attr, meet, (void *)i))
			say("no thread %ld\n", i);
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	while (fgets(line, sizeof line, status))
		if (sscanf(line, "Threads: %ld", &tasks) == 1)
			break;
	fclose(status);
	say("%ld threads at one time\n", tasks);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < MANY; i++) {
		pthread_join(thread[i], &result);
		sum += (long)result;
	}
	say("sum of their results: %ld\n", sum);
}

/* All live until the last one has been made. */
static void processes(void)
{
	int ready[2], go[2], status, good = 0;
	char byte;

	MUST(pipe(ready));
	MUST(pipe(go));
	for (int i = 0; i < MANY; i++) {
		pid_t pid = MUST(fork());
		if (!pid) {
			close(go[1]);
			MUST(write(ready[1], "x", 1));
			MUST(read(go[0], &byte, 1));
			_exit(i % 100);
		}
	}
	for (int i = 0; i < MANY; i++)
		MUST(read(ready[0], &byte, 1));
	close(go[1]);
	long sum = 0;
	for (; wait(&status) > 0; good++)
		sum += WEXITSTATUS(status);
	say("%d processes, sum of their statuses %ld\n", good, sum);
}

static int descend(int generations)
{
	int status;
	pid_t pid = generations ? fork() : -1;

	if (pid < 0)
		return generations ? 1 : 7;
	if (!pid)
		_exit(descend(generations - 1));
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* How many nodes, by a pipe. */
static void tree(int depth, int out)
{
	MUST(write(out, "n", 1));
	for (int i = 0; i < 2 && depth; i++)
		if (!MUST(fork())) {
			tree(depth - 1, out);
			_exit(0);
		}
	while (wait(NULL) > 0)
		continue;
}

static void count_tree(void)
{
	int ends[2], nodes = 0;
	char bytes[4096];
	ssize_t n;

	MUST(pipe(ends));
	if (!MUST(fork())) {
		tree(TREE_DEPTH, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], bytes, sizeof bytes)) > 0)
		nodes += (int)n;
	wait(NULL);
	say("%d nodes of a tree\n", nodes);
}

/* Children whose parent ends first: whoever has asked for them gets them. */
static void orphans(void)
{
	int got = 0;

	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
	if (!MUST(fork())) {
		for (int i = 0; i < ORPHANS; i++)
			if (!MUST(fork()))
				_exit(0);
		_exit(0);
	}
	while (wait(NULL) > 0)
		got++;
	say("%d reaped\n", got);
}

int main(void)
{
	processes();
	say("%d generations: status %d\n", GENERATIONS, descend(GENERATIONS));
	count_tree();
	orphans();
	threads(); /* last: their stacks would make every fork slow */
	return 0;
}

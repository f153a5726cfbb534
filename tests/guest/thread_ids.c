/* Threads as /proc and the id calls show them. */
#include "guest.h"
#include <dirent.h>
#include <pthread.h>

static int ready[2], go[2];
static pid_t tids[3];

static void *body(void *arg)
{
	tids[(long)arg] = syscall(SYS_gettid);
	char name[16];
	snprintf(name, sizeof name, "worker %ld", (long)arg);
	pthread_setname_np(pthread_self(), name);
	tell(ready[1]);
	await(go[0]);
	return NULL;
}

int main(void)
{
	pthread_t threads[3];
	char path[64], text[64];
	MUST(pipe(ready));
	MUST(pipe(go));
	for (long i = 0; i < 3; i++) {
		MUST(pthread_create(&threads[i], NULL, body, (void *)i));
		await(ready[0]);
	}
	CHECK(tids[0] != tids[1] && tids[1] != tids[2] && tids[0] != getpid());
	int count = 0, known = 0;
	DIR *dir = opendir("/proc/self/task");
	for (struct dirent *entry; (entry = readdir(dir));) {
		int tid = atoi(entry->d_name);
		count += tid > 0;
		known += tid == getpid() || tid == tids[0] || tid == tids[1] || tid == tids[2];
	}
	SHOW(count);
	SHOW(known);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "/proc/self/task/%d/comm", tids[i]);
		int fd = MUST(open(path, O_RDONLY));
		ssize_t size = MUST(read(fd, text, sizeof text));
		show_bytes("name", text, size);
		close(fd);
	}
	SHOW_ERR(pthread_getname_np(threads[1], text, sizeof text));
	SHOW_TEXT(text);
	/* A thread's id is no process's: kill reaches the process, wait does not know it. */
	SHOW(kill(tids[0], 0));
	SHOW(waitpid(tids[0], NULL, 0));
	SHOW(getpgid(tids[0]) == getpgrp());
	SHOW(getsid(tids[0]) == getsid(0));
	for (int i = 0; i < 3; i++)
		tell(go[1]);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

/* /proc/self/task: one directory a thread, each with its own name, numbers and state. */
#include "guest.h"
#include <dirent.h>
#include <pthread.h>

#define THREADS 3

static pthread_barrier_t ready, leave;

static long field_of(pid_t tid, const char *name)
{
	char path[64], text[4096], label[40];
	snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	snprintf(label, sizeof label, "\n%s:\t", name);
	char *at = strstr(text, label);
	return at ? strtol(at + strlen(label), NULL, 10) : -1;
}

static void *thread(void *number)
{
	char name[16], path[64], text[32] = "";
	snprintf(name, sizeof name, "worker %ld", (long)number);
	pthread_setname_np(pthread_self(), name);
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&leave);
	for (long turn = 0; turn < THREADS; turn++) {
		pthread_barrier_wait(&leave);
		if (turn != (long)number)
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%d/comm", gettid());
		int fd = MUST(open(path, O_RDONLY));
		MUST(read(fd, text, sizeof text - 1));
		close(fd);
		say("%s is %s", name, text);
		CHECK(field_of(gettid(), "Tgid") == getpid() && field_of(gettid(), "Pid") == gettid());
	}
	pthread_barrier_wait(&leave);
	return NULL;
}

static int count(void)
{
	DIR *list = opendir("/proc/self/task");
	int threads = 0;
	for (struct dirent *entry; (entry = readdir(list));)
		threads += entry->d_name[0] != '.';
	closedir(list);
	return threads;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&ready, NULL, THREADS + 1);
	pthread_barrier_init(&leave, NULL, THREADS + 1);
	SHOW(count());
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread, (void *)i);
	pthread_barrier_wait(&ready);
	SHOW(count());
	SHOW(field_of(getpid(), "Threads"));
	SHOW(field_of(1 << 21, "Threads"));
	struct stat st;
	MUST(stat("/proc/self/task", &st));
	SHOW(st.st_mode);
	pthread_barrier_wait(&leave);
	for (int i = 0; i < THREADS; i++)
		pthread_barrier_wait(&leave);
	pthread_barrier_wait(&leave);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 100 && count() > 1; i++)
		nap_ms(10); /* a joined thread may take a moment to go */
	SHOW(count());
	return 0;
}

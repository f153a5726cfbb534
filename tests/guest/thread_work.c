/* Threads that work in the kernel at the same time: files, pipes, memory. Every one finds its own data right. */
#include "guest.h"
#include <pthread.h>
#include <sys/mman.h>

static void *work(void *arg)
{
	long me = (long)arg, good = 0;
	char name[32], buffer[64];
	int ends[2];
	snprintf(name, sizeof name, "file%ld", me);
	MUST(pipe(ends));
	for (int i = 0; i < 100; i++) {
		int size = snprintf(buffer, sizeof buffer, "thread %ld round %d", me, i);
		int fd = MUST(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
		MUST(write(fd, buffer, size));
		char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		good += map != MAP_FAILED && !memcmp(map, buffer, size);
		munmap(map, 4096);
		close(fd);
		MUST(write(ends[1], buffer, size));
		memset(buffer, 0, sizeof buffer);
		MUST(read(ends[0], buffer, sizeof buffer));
		good += atoi(buffer + 7) == me;
	}
	MUST(unlink(name));
	close(ends[0]);
	close(ends[1]);
	return (void *)good;
}

int main(void)
{
	pthread_t threads[6];
	void *result;
	int free_fd = lowest_fd();
	for (long i = 0; i < 6; i++)
		MUST(pthread_create(&threads[i], NULL, work, (void *)i));
	for (int i = 0; i < 6; i++) {
		pthread_join(threads[i], &result);
		SHOW((long)result);
	}
	CHECK(lowest_fd() == free_fd);
	return 0;
}

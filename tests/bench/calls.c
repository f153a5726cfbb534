/* calls.c - nanoseconds of single operations, as a guest sees them: "name minimum median" a line.
 *
 * Each operation is timed in batches; the least and the median of the batches are printed. The driver (scripts/bench)
 * runs it natively and in the sandbox by turns and compares.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 31

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void measure(const char *name, void (*operation)(void), int times, int batches)
{
	uint64_t ns[BATCHES];
	operation();
	for (int b = 0; b < batches; b++) {
		uint64_t start = now_ns();
		for (int i = 0; i < times; i++)
			operation();
		ns[b] = (now_ns() - start) / times;
	}
	qsort(ns, batches, sizeof *ns, compare);
	printf("%s %lu %lu\n", name, ns[0], ns[batches / 2]);
	fflush(stdout);
}

static int data_fd, zero_fd;
static char data[4096];

static void op_getppid(void)
{
	syscall(SYS_getppid);
}
static void op_umask(void)
{
	syscall(SYS_umask, 022);
}
static void op_clock(void)
{
	now_ns();
}
static void op_pread(void)
{
	(void)!pread(data_fd, data, 64, 0);
}
static void op_read_4k(void)
{
	(void)!pread(data_fd, data, 4096, 0);
}
static void op_stat(void)
{
	struct stat *st = (void *)data;
	(void)!syscall(SYS_newfstatat, AT_FDCWD, "/usr/bin/env", st, 0);
}
static void op_open_close(void)
{
	close(open("/usr/bin/env", O_RDONLY));
}
static void op_map(void)
{
	munmap(mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 65536);
}
static void op_write_null(void)
{
	(void)!write(zero_fd, data, 64);
}

static void op_fork(void)
{
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void op_spawn(void)
{
	extern char **environ;
	char *const argv[] = {"true", NULL};
	pid_t pid;
	if (!posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ))
		waitpid(pid, NULL, 0);
}

static int ends[2][2];
static void op_pipe_self(void)
{
	(void)!write(ends[0][1], data, 1);
	(void)!read(ends[0][0], data, 1);
}

static void bulk(const char *name, int writing)
{
	static char chunk[1 << 20];
	uint64_t best = ~0ull;
	for (int round = 0; round < 3; round++) {
		int fd = open("/tmp/bulk", O_RDWR | O_CREAT | (writing ? O_TRUNC : 0), 0600);
		uint64_t start = now_ns();
		for (int i = 0; i < 64; i++)
			if ((writing ? write(fd, chunk, sizeof chunk) : read(fd, chunk, sizeof chunk)) != sizeof chunk)
				exit(1);
		uint64_t ns = now_ns() - start;
		best = ns < best ? ns : best;
		close(fd);
	}
	printf("%s %lu %lu\n", name, best, best);
}

/* --quick: only the cheap ones, for runs in which every call traps. */
int main(int argc, char **argv)
{
	int quick = argc > 1 && !strcmp(argv[1], "--quick");

	data_fd = open("/usr/bin/env", O_RDONLY);
	zero_fd = open("/dev/null", O_WRONLY);
	if (data_fd < 0 || zero_fd < 0 || pipe(ends[0]))
		return 1;
	measure("clock_gettime", op_clock, 2000, BATCHES);
	measure("getppid", op_getppid, 2000, BATCHES);
	measure("umask", op_umask, 2000, BATCHES);
	measure("pread_64", op_pread, 1000, BATCHES);
	measure("pread_4096", op_read_4k, 1000, BATCHES);
	measure("write_null", op_write_null, 1000, BATCHES);
	measure("pipe_self", op_pipe_self, 500, BATCHES);
	measure("stat", op_stat, 500, BATCHES);
	measure("open_close", op_open_close, 300, BATCHES);
	measure("mmap_munmap", op_map, 300, BATCHES);
	if (quick)
		return 0;
	measure("fork_wait", op_fork, 5, 11);
	measure("spawn_true", op_spawn, 3, 11);
	bulk("write_64MiB", 1);
	bulk("read_64MiB", 0);
	unlink("/tmp/bulk");
	return 0;
}

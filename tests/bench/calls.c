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

/* A byte there and back between two processes. */
static int there[2], back[2];
static void op_ping_pong(void)
{
	(void)!write(there[1], data, 1);
	(void)!read(back[0], data, 1);
}

static void ping_pong(void)
{
	if (pipe(there) || pipe(back))
		exit(1);
	pid_t pid = fork();
	if (!pid) {
		char byte;
		close(there[1]);
		while (read(there[0], &byte, 1) == 1)
			(void)!write(back[1], &byte, 1);
		_exit(0);
	}
	measure("pipe_ping_pong", op_ping_pong, 300, 11);
	close(there[1]);
	waitpid(pid, NULL, 0);
}

/* 64 MiB to or from a tmpfs file, in pieces. */
static void bulk(const char *name, int writing, size_t piece)
{
	static char chunk[1 << 20];
	uint64_t ns[5];
	for (int round = 0; round < 5; round++) {
		int fd = open("/dev/shm/usbx-bench", O_RDWR | O_CREAT | (writing ? O_TRUNC : 0), 0600);
		uint64_t start = now_ns();
		for (size_t done = 0; done < 64 << 20; done += piece)
			if ((writing ? write(fd, chunk, piece) : read(fd, chunk, piece)) != (ssize_t)piece)
				exit(1);
		ns[round] = now_ns() - start;
		close(fd);
	}
	qsort(ns, 5, sizeof *ns, compare);
	printf("%s %lu %lu\n", name, ns[0], ns[2]);
	fflush(stdout);
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
	ping_pong();
	bulk("write_64MiB_64K", 1, 64 << 10);
	bulk("read_64MiB_64K", 0, 64 << 10);
	bulk("write_64MiB_4K", 1, 4 << 10);
	bulk("read_64MiB_4K", 0, 4 << 10);
	unlink("/dev/shm/usbx-bench");
	return 0;
}

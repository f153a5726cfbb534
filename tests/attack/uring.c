/* uring.c - hostile guests of io_uring (design, rules W2 and W4).
 *
 *   uring SEED SECONDS
 *
 * Rounds of a few processes, each with rings that know themselves, each other, epolls, pipes and sockets. One thread
 * writes random words all over the rings and submissions while the other enters, registers, maps, forks and closes;
 * then the process is killed wherever it is, or executes another program. Afterwards the supervisor, which had no part
 * in it, asks for ordinary service, of io_uring as well.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/attack/attack.h"

#define WORKERS  4
#define ROUND_MS 700
#define RINGS    3
#define FILES    16
#define ENTRIES  64

static uint64_t state;

static uint32_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static uint32_t below(uint32_t limit)
{
	return any() % limit;
}

static int fds[FILES], ring_fds[RINGS];
static struct io_uring_params params[RINGS];
static char *rings[RINGS], *sqes[RINGS];
static char scratch[65536];

static void ring_make(int i)
{
	memset(&params[i], 0, sizeof params[i]);
	params[i].flags = below(2) ? 0 : IORING_SETUP_SUBMIT_ALL;
	ring_fds[i] = (int)syscall(SYS_io_uring_setup, ENTRIES, &params[i]);
	if (ring_fds[i] < 0)
		return;
	rings[i] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fds[i], IORING_OFF_SQ_RING);
	sqes[i] = mmap(NULL, ENTRIES * 64, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fds[i], IORING_OFF_SQES);
	if (rings[i] == MAP_FAILED || sqes[i] == MAP_FAILED)
		_exit(3);
}

static void files_make(void)
{
	struct epoll_event watch = {.events = EPOLLIN | EPOLLOUT};
	int at = 0;

	for (int i = 0; i < RINGS; i++)
		fds[at++] = ring_fds[i];
	for (; at < 9; at += 2)
		if (at < 7 ? pipe2(fds + at, below(2) ? O_NONBLOCK : 0)
			   : socketpair(AF_UNIX, below(2) ? SOCK_STREAM : SOCK_DGRAM, 0, fds + at))
			_exit(4);
	fds[at++] = eventfd(0, 0);
	fds[at++] = open("/tmp/uring-file", O_RDWR | O_CREAT, 0600);
	fds[at++] = open("/dev/zero", O_RDWR);
	fds[at++] = epoll_create1(0);
	for (int i = 0; i < RINGS; i++)
		epoll_ctl(fds[at - 1], EPOLL_CTL_ADD, ring_fds[i], &watch);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	fds[at] = socket(AF_UNIX, SOCK_STREAM, 0);
	if (!bind(fds[at], (struct sockaddr *)&name, 2))
		listen(fds[at], 5);
	for (at++; at < FILES; at++)
		fds[at] = -1;
}

static uint64_t address(void)
{
	switch (below(6)) {
	case 0:
		return 0;
	case 1:
		return any();
	case 2:
		return (uintptr_t)rings[below(RINGS)] + below(4096);
	default:
		return (uintptr_t)scratch + (below(sizeof scratch) & ~7u);
	}
}

static void submission(struct io_uring_sqe *sqe)
{
	memset(sqe, 0, sizeof *sqe);
	sqe->opcode = (uint8_t)below(below(20) ? IORING_OP_SOCKET + 1 : 256);
	sqe->flags = below(3) ? 0 : (uint8_t)(below(2) ? IOSQE_IO_LINK : below(128));
	sqe->fd = below(12) ? fds[below(FILES)] : (int)below(20);
	sqe->off = below(2) ? 0 : below(2) ? (uint64_t)-1 : below(2) ? below(8192) : address();
	sqe->addr = below(8) ? address() : below(40);
	sqe->len = below(3) ? below(4) : below(2) ? below(4096) : any();
	sqe->rw_flags = below(3) ? 0 : below(3) ? 1u << below(8) : any();
	sqe->user_data = below(40);
	sqe->ioprio = below(10) ? 0 : below(4);
	sqe->personality = below(20) ? 0 : below(3);
	sqe->splice_fd_in = below(4) ? 0 : fds[below(FILES)];
	if (sqe->opcode == IORING_OP_TIMEOUT || sqe->opcode == IORING_OP_LINK_TIMEOUT)
		sqe->len = 1, sqe->rw_flags = 0;
	if (sqe->opcode == IORING_OP_CLOSE && below(4))
		sqe->fd = 900;
}

static void *scribbler(void *unused)
{
	(void)unused;
	for (;;) {
		int i = (int)below(RINGS);
		if (ring_fds[i] < 0)
			continue;
		if (!below(4))
			((volatile uint32_t *)rings[i])[below(16)] = any();
		else if (below(2))
			((volatile uint32_t *)(rings[i] + 0))[below(1024)] = any();
		else
			((volatile uint32_t *)sqes[i])[below(ENTRIES * 16)] = any();
		if (!below(64))
			usleep(below(50));
	}
	return NULL;
}

static void batch(int i, bool honest)
{
	unsigned *tail = (unsigned *)(rings[i] + params[i].sq_off.tail);
	unsigned *array = (unsigned *)(rings[i] + params[i].sq_off.array), count = 1 + below(ENTRIES);

	if (params[i].sq_off.array + ENTRIES * 4 > 4096)
		return;
	for (unsigned n = 0; n < count; n++) {
		unsigned index = (*tail + n) % ENTRIES;
		submission((struct io_uring_sqe *)sqes[i] + index);
		array[index] = index;
	}
	*tail += count;
	if (honest) /* completions are taken */
		*(unsigned *)(rings[i] + params[i].cq_off.head) = *(unsigned *)(rings[i] + params[i].cq_off.tail);
	struct {
		uint64_t mask;
		uint32_t size, pad;
		uint64_t time;
	} with = {0, 8, 0, 0};
	static struct timespec short_time = {0, 100000};
	with.time = (uintptr_t)&short_time;
	syscall(SYS_io_uring_enter, ring_fds[i], count, below(4), below(3) ? 0 : 9, &with, sizeof with);
}

static void step(bool honest)
{
	int i = (int)below(RINGS);
	struct iovec parts[4];

	switch (below(40)) {
	case 0:
		syscall(SYS_io_uring_register, ring_fds[i], below(28), address(), below(20));
		return;
	case 1:
		for (int n = 0; n < 4; n++)
			parts[n] = (struct iovec){scratch + n * 1000, 1000};
		syscall(SYS_io_uring_register, ring_fds[i], IORING_REGISTER_BUFFERS, parts, 4);
		return;
	case 2:
		syscall(SYS_io_uring_register, ring_fds[i], IORING_REGISTER_FILES, fds + 3, 10);
		return;
	case 3:
		syscall(SYS_io_uring_register, ring_fds[i], IORING_REGISTER_EVENTFD, &fds[9], 1);
		return;
	case 4: {
		int old = ring_fds[i];
		munmap(rings[i], 4096);
		ring_make(i);
		fds[i] = ring_fds[i];
		close(old);
		return;
	}
	case 5:
		if (!fork())
			_exit(0);
		return;
	case 6:
		munmap(scratch + 4096 * below(15), 4096);
		mmap(scratch + 4096 * below(15), 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		     -1, 0);
		return;
	case 7:
		(void)!write(fds[4], scratch, 100);
		(void)!write(fds[9], "\1\0\0\0\0\0\0\0", 8);
		return;
	default:
		batch(i, honest);
	}
}

static void worker(uint64_t seed)
{
	pthread_t thread;
	bool scribbles = seed & 1;

	state = seed * 0x9e3779b97f4a7c15ull + 1;
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++) /* our output is not theirs */
		dup2(null, fd);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){256, 256});
	for (int n = 0; n < 8; n++) /* times */
		((struct timespec *)scratch)[n] = (struct timespec){0, below(1000000)};
	for (int i = 0; i < RINGS; i++)
		ring_make(i);
	files_make();
	if (scribbles && pthread_create(&thread, NULL, scribbler, NULL))
		_exit(5);
	for (int n = 0; n < 400 || seed & 2; n++)
		step(!scribbles);
	execl("/bin/true", "true", NULL);
	_exit(6);
}

/* Ordinary service. */
static bool serves(void)
{
	struct io_uring_params plain = {0};
	int fd = (int)syscall(SYS_io_uring_setup, 4, &plain), ends[2];

	if (fd < 0 || pipe(ends))
		return false;
	char *ring = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct io_uring_sqe *sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	if (ring == MAP_FAILED || (void *)sqe == MAP_FAILED)
		return false;
	static char byte;
	sqe[0] = (struct io_uring_sqe){.opcode = IORING_OP_READ, .fd = ends[0], .addr = (uintptr_t)&byte, .len = 1};
	*(unsigned *)(ring + plain.sq_off.tail) = 1;
	if (syscall(SYS_io_uring_enter, fd, 1, 0, 0, NULL, 0) != 1 || write(ends[1], "k", 1) != 1)
		return false;
	if (syscall(SYS_io_uring_enter, fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0))
		return false;
	bool good = byte == 'k' && *(unsigned *)(ring + plain.cq_off.tail) == 1;
	munmap(ring, 4096), munmap(sqe, 4096);
	close(fd), close(ends[0]), close(ends[1]);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, rounds = 0;
	long seconds = argc > 2 ? atol(argv[2]) : 5;
	time_t end = time(NULL) + seconds;

	while (time(NULL) < end) {
		pid_t pids[WORKERS];
		for (int i = 0; i < WORKERS; i++)
			if (!(pids[i] = fork()))
				worker(seed * 1000 + rounds * WORKERS + (uint64_t)i);
		usleep(ROUND_MS * 1000);
		for (int i = 0; i < WORKERS; i++) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
		}
		rounds++;
		if (!serves()) {
			printf("no service after round %llu\n", (unsigned long long)rounds);
			return 1;
		}
	}
	printf("%llu rounds, io_uring still serves\n", (unsigned long long)rounds);
	return 0;
}

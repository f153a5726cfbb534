/* io_uring: the ring itself: setup, what is told of it, overflow, signals, eventfds, forks, exec, its end. */
#include "uring.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int setup(unsigned entries, unsigned flags, unsigned cq_entries)
{
	struct io_uring_params params = {.flags = flags, .cq_entries = cq_entries};
	int fd = ring_setup(entries, &params);
	if (fd < 0)
		return -1;
	say("  sq %u cq %u\n", params.sq_entries, params.cq_entries);
	close(fd);
	return 0;
}

static void setups(void)
{
	struct io_uring_params params = {.resv = {1}};
	SHOW(setup(0, 0, 0));
	SHOW(setup(1, 0, 0));
	SHOW(setup(5, 0, 0));
	SHOW(setup(32769, 0, 0));
	SHOW(setup(32769, IORING_SETUP_CLAMP, 0));
	SHOW(setup(8, IORING_SETUP_CQSIZE, 0));
	SHOW(setup(8, IORING_SETUP_CQSIZE, 4));
	SHOW(setup(8, IORING_SETUP_CQSIZE, 100));
	SHOW(setup(8, 1u << 30, 0));
	SHOW(setup(8, IORING_SETUP_DEFER_TASKRUN, 0));
	SHOW(ring_setup(8, &params));
	SHOW(ring_setup(8, (void *)8));
	struct ring not_one = {.fd = 0};
	SHOW(ring_enter(&not_one, 0, 0, 0));
	not_one.fd = 999;
	SHOW(ring_enter(&not_one, 0, 0, 0));
}

static void maps(void)
{
	struct ring ring;
	ring_open(&ring, 8, 0, 0);
	SHOW(fcntl(ring.fd, F_GETFD));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, ring.fd, 0x20000000) == MAP_FAILED);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING) != MAP_FAILED);
	char link[64] = {0}, name[32];
	snprintf(name, sizeof name, "/proc/self/fd/%d", ring.fd);
	MUST(readlink(name, link, sizeof link - 1));
	SHOW_TEXT(link);
	SHOW(ring_enter(&ring, 0, 0, 1u << 31));
	ring.sq_array[0] = 1000; /* no such entry */
	*ring.sq_tail += 1;
	SHOW(ring_enter(&ring, 1, 0, 0));
	SHOW(*ring.sq_dropped);
	SHOW(*ring.sq_head);
	ring_close(&ring);
}

static void stops(void)
{
	struct ring ring;
	ring_open(&ring, 8, 0, 0);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 1);
	prepare(&ring, 200, -1, NULL, 0, 0, 2);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 3);
	SHOW(submit(&ring, 0));
	show_completions(&ring, 2);
	SHOW(ring_enter(&ring, 1, 0, 0));
	show_completions(&ring, 1);
	ring_close(&ring);
	ring_open(&ring, 8, IORING_SETUP_SUBMIT_ALL, 0);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 1);
	prepare(&ring, 200, -1, NULL, 0, 0, 2);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 3);
	SHOW(submit(&ring, 0));
	show_completions(&ring, 3);
	ring_close(&ring);
	ring_open(&ring, 8, IORING_SETUP_R_DISABLED, 0);
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 1);
	SHOW(submit(&ring, 0));
	SHOW(ring_register(&ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	SHOW(ring_register(&ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	SHOW(ring_enter(&ring, 1, 1, IORING_ENTER_GETEVENTS));
	show_completions(&ring, 1);
	ring_close(&ring);
}

static void overflow(void)
{
	struct ring ring;
	struct io_uring_cqe cqe;
	ring_open(&ring, 4, 0, 0);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 4; i++)
			prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, round * 4 + i);
		SHOW(submit(&ring, 0));
	}
	SHOW(ready(&ring));
	CHECK(*ring.sq_flags & IORING_SQ_CQ_OVERFLOW);
	unsigned long long sum = 0;
	for (int i = 0; i < 20; i++) {
		if (!ready(&ring))
			ring_enter(&ring, 0, 1, IORING_ENTER_GETEVENTS);
		CHECK(reap_one(&ring, &cqe));
		sum += cqe.user_data;
	}
	SHOW(sum);
	SHOW(ready(&ring));
	SHOW(*ring.cq_overflow);
	ring_close(&ring);
}

static int events_of(int fd)
{
	struct pollfd poll_fd = {fd, POLLIN | POLLOUT, 0};
	MUST(poll(&poll_fd, 1, 0));
	return poll_fd.revents;
}

static void polled(void)
{
	struct ring ring;
	ring_open(&ring, 4, 0, 0);
	SHOW(events_of(ring.fd));
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 1);
	SHOW(submit(&ring, 0));
	SHOW(events_of(ring.fd));
	show_completions(&ring, 1);
	int epoll = MUST(epoll_create1(0)), event = MUST(eventfd(0, EFD_NONBLOCK));
	struct epoll_event watch = {.events = EPOLLIN, .data.u32 = 7};
	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, ring.fd, &watch));
	SHOW(ring_register(&ring, IORING_REGISTER_EVENTFD, &event, 1));
	SHOW(ring_register(&ring, IORING_REGISTER_EVENTFD, &event, 1));
	SHOW(epoll_wait(epoll, &watch, 1, 0));
	struct __kernel_timespec soon = {0, 20000000};
	prepare(&ring, IORING_OP_TIMEOUT, -1, &soon, 1, 0, 2);
	SHOW(submit(&ring, 0));
	int got; /* Linux interrupts the wait for its own work */
	while ((got = epoll_wait(epoll, &watch, 1, 10000)) < 0 && errno == EINTR)
		;
	SHOW(got);
	show_completions(&ring, 1);
	uint64_t count = 0;
	MUST(read(event, &count, 8));
	SHOW(count);
	/* The ring polls itself. */
	prepare(&ring, IORING_OP_POLL_ADD, ring.fd, NULL, 0, 0, 3)->poll32_events = POLLIN;
	prepare(&ring, IORING_OP_NOP, -1, NULL, 0, 0, 4);
	run(&ring, "itself", 2);
	prepare(&ring, IORING_OP_POLL_ADD, ring.fd, NULL, 0, 0, 5)->poll32_events = POLLIN;
	submit(&ring, 0);
	close(event);
	close(epoll);
	ring_close(&ring);
}

static volatile int alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static void interrupted(void)
{
	struct ring ring;
	ring_open(&ring, 4, 0, 0);
	handle(SIGALRM, on_alarm, SA_RESTART);
	alarm(1);
	SHOW(ring_enter(&ring, 0, 1, IORING_ENTER_GETEVENTS));
	SHOW(alarms);
	struct __kernel_timespec soon = {0, 20000000};
	struct io_uring_getevents_arg with = {.ts = (uintptr_t)&soon};
	SHOW(syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &with,
		     sizeof with));
	SHOW(syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &with, 8));
	ring_close(&ring);
}

static void processes(void)
{
	struct ring ring;
	int ends[2];
	static char buffer[8];
	MUST(pipe(ends));
	ring_open(&ring, 8, 0, 0);
	/* A child uses the ring of its parent: its own memory, its own descriptors. */
	pid_t pid = fork_child();
	if (!pid) {
		close(ends[1]);
		prepare(&ring, IORING_OP_READ, ends[0], buffer, 8, 0, 1);
		submit(&ring, 1);
		struct io_uring_cqe cqe;
		_exit(reap_one(&ring, &cqe) && cqe.res == 5 && !strcmp(buffer, "child") ? 0 : 1);
	}
	MUST(write(ends[1], "child", 5));
	reap("child", pid);
	SHOW_TEXT(buffer);
	/* What a child has begun ends with it. */
	pid = fork_child();
	if (!pid) {
		prepare(&ring, IORING_OP_READ, ends[0], buffer, 8, 0, 2);
		submit(&ring, 0);
		_exit(0);
	}
	reap("child", pid);
	/* exec: the ring closes, and takes along what waits. */
	pid = fork_child();
	if (!pid) {
		struct ring own;
		ring_open(&own, 4, 0, 0);
		prepare(&own, IORING_OP_READ, ends[0], buffer, 8, 0, 3);
		prepare(&own, IORING_OP_POLL_ADD, own.fd, NULL, 0, 0, 4)->poll32_events = POLLIN;
		submit(&own, 0);
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	reap("exec", pid);
	/* A ring does not travel. */
	int pair[2];
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	struct {
		struct cmsghdr head;
		int fd;
	} control = {{CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}, ring.fd};
	struct iovec part = {"x", 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	SHOW(sendmsg(pair[0], &message, 0));
	ring_close(&ring);
}

static void probed(void)
{
	struct ring ring;
	struct {
		struct io_uring_probe head;
		struct io_uring_probe_op ops[64];
	} probe;
	ring_open(&ring, 4, 0, 0);
	memset(&probe, 0, sizeof probe);
	SHOW(ring_register(&ring, IORING_REGISTER_PROBE, &probe, 16));
	SHOW(probe.head.ops_len);
	CHECK(probe.ops[IORING_OP_READV].flags & IO_URING_OP_SUPPORTED);
	SHOW(ring_register(&ring, IORING_REGISTER_PROBE, &probe, 16));
	SHOW(ring_register(&ring, IORING_REGISTER_PROBE, &probe, 257));
	SHOW(ring_register(&ring, 1000, NULL, 0));
	SHOW(ring_register(&ring, IORING_REGISTER_PERSONALITY, NULL, 0));
	int fd = MUST(open("/dev/null", O_WRONLY));
	prepare(&ring, IORING_OP_WRITE, fd, "x", 1, 0, 1)->personality = 1;
	run(&ring, "with a personality", 1);
	SHOW(ring_register(&ring, IORING_UNREGISTER_PERSONALITY, NULL, 1));
	SHOW(ring_register(&ring, IORING_UNREGISTER_PERSONALITY, NULL, 1));
	ring_close(&ring);
}

int main(void)
{
	setups();
	section("maps");
	maps();
	section("stops");
	stops();
	section("overflow");
	overflow();
	section("polled");
	polled();
	section("interrupted");
	interrupted();
	section("processes");
	processes();
	section("probe");
	probed();
	return 0;
}

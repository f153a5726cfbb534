/* host_io.c - host I/O on both backends: reading, writing, waiting, interrupting, the doorbell. */
#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/hostio.h"
#include "sentry/base/fiber.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static enum hostio_backend backends[] = {HOSTIO_URING, HOSTIO_EPOLL};
static uint32_t reader, writer;
static int write_fd;
static int finished;
static long result;
static char buffer[1 << 20];

static uint32_t add(int fd)
{
	uint32_t file;

	cr_assert_geq(fd, 0);
	cr_assert_eq(hostfile_add(fd, &file), 0);
	return file;
}

static void start(enum hostio_backend backend)
{
	int ends[2];

	cr_assert_eq(hostio_start(backend), 0, "backend %d", backend);
	cr_assert_eq(hostio_backend(), backend);
	cr_assert_eq(pipe(ends), 0);
	write_fd = ends[1];
	reader = add(ends[0]);
	writer = add(ends[1]);
}

static struct fiber *spawn(void (*main)(void *))
{
	struct fiber *fiber;

	cr_assert_eq(fiber_new(main, NULL, &fiber), 0);
	return fiber;
}

/* The loop of the sentry in small, at most for two seconds. */
static void loop_until(int count)
{
	uint64_t end = host_monotonic_ns() + 2 * NS_PER_S;

	while (finished < count) {
		fiber_run_ready();
		if (finished < count)
			hostio_collect(!fiber_any_ready(), NULL, 0, MIN(fiber_next_deadline_ns(), end));
		cr_assert_lt(host_monotonic_ns(), end, "it hangs");
	}
}

static void read_pipe(void *unused)
{
	(void)unused;
	result = hostio_read(reader, buffer, sizeof buffer, -1);
	finished++;
}

#define BACKENDS(name)                                                                                                 \
	ParameterizedTestParameters(hostio, name)                                                                      \
	{                                                                                                              \
		return cr_make_param_array(enum hostio_backend, backends, sizeof backends / sizeof *backends);         \
	}                                                                                                              \
	ParameterizedTest(enum hostio_backend *backend, hostio, name, .timeout = 20)

static void *write_later(void *unused)
{
	usleep(50000);
	return unused + write(write_fd, "later", 5);
}

BACKENDS(a_read_waits_for_the_writer)
{
	pthread_t thread;

	start(*backend);
	spawn(read_pipe);
	pthread_create(&thread, NULL, write_later, NULL);
	loop_until(1);
	cr_assert_eq(result, 5);
	pthread_join(thread, NULL);
}

BACKENDS(a_read_ends_at_the_end_of_file)
{
	start(*backend);
	cr_assert_eq(write(write_fd, "x", 1), 1);
	spawn(read_pipe);
	loop_until(1);
	cr_assert_eq(result, 1);
	close(write_fd);
	spawn(read_pipe);
	loop_until(2);
	cr_assert_eq(result, 0);
}

BACKENDS(an_interrupt_ends_a_read)
{
	start(*backend);
	struct fiber *fiber = spawn(read_pipe);
	fiber_run_ready();
	cr_assert_eq(finished, 0);
	fiber_interrupt(fiber);
	loop_until(1);
	cr_assert_eq(result, -EINTR);
	/* And nothing was taken from the pipe afterwards. */
	cr_assert_eq(write(write_fd, "abc", 3), 3);
	for (int i = 0; i < 5; i++)
		hostio_collect(true, NULL, 0, host_monotonic_ns() + NS_PER_MS);
	cr_assert_eq(hostio_try_read(reader, buffer, 10, -1), 3);
}

static void write_much(void *unused)
{
	(void)unused;
	result = hostio_write(writer, buffer, sizeof buffer, -1);
	finished++;
}

static void read_all(void *unused)
{
	static char part[7000];
	size_t total = 0;

	(void)unused;
	while (total < sizeof buffer) {
		ssize_t n = hostio_read(reader, part, sizeof part, -1);
		cr_assert_gt(n, 0);
		cr_assert(!memcmp(part, buffer + total, (size_t)n), "at %zu", total);
		total += (size_t)n;
	}
	finished++;
}

BACKENDS(writer_and_reader_take_turns)
{
	start(*backend);
	for (size_t i = 0; i < sizeof buffer; i++)
		buffer[i] = (char)(i * 31 >> 3);
	spawn(write_much);
	spawn(read_all);
	loop_until(2);
	cr_assert_eq(result, (long)sizeof buffer);
}

BACKENDS(a_closed_pipe)
{
	start(*backend);
	signal(SIGPIPE, SIG_IGN);
	close(hostfile_fd(reader));
	spawn(write_much);
	loop_until(1);
	cr_assert_eq(result, -EPIPE);
}

static void poll_pipe(void *unused)
{
	(void)unused;
	result = hostio_poll(reader, POLLIN, host_monotonic_ns() + 30 * NS_PER_MS);
	finished++;
}

BACKENDS(a_poll_has_a_deadline)
{
	start(*backend);
	uint64_t before = host_monotonic_ns();
	spawn(poll_pipe);
	loop_until(1);
	cr_assert_eq(result, -ETIMEDOUT);
	cr_assert_geq(host_monotonic_ns() - before, 30 * NS_PER_MS);
	cr_assert_lt(host_monotonic_ns() - before, 300 * NS_PER_MS);
	cr_assert_eq(write(write_fd, "x", 1), 1);
	spawn(poll_pipe);
	loop_until(2);
	cr_assert_eq(result, POLLIN);
}

static int told;
static short told_events;

static void tell(void *cookie, short events)
{
	cr_assert_eq(cookie, &told);
	told++;
	told_events = events;
}

BACKENDS(watches_fire_once_each_and_can_be_taken_back)
{
	start(*backend);
	int a = hostio_watch(reader, POLLIN, tell, &told), b = hostio_watch(reader, POLLIN, tell, &told);
	int c = hostio_watch(writer, POLLOUT, tell, &told), d = hostio_watch(reader, POLLIN, tell, &told);
	cr_assert(a >= 0 && b >= 0 && c >= 0 && d >= 0);
	hostio_unwatch(d);
	hostio_unwatch(d);
	for (int i = 0; i < 10 && told < 1; i++)
		hostio_collect(true, NULL, 0, host_monotonic_ns() + 20 * NS_PER_MS);
	cr_assert_eq(told, 1);
	cr_assert(told_events & POLLOUT);
	cr_assert_eq(write(write_fd, "x", 1), 1);
	for (int i = 0; i < 10; i++)
		hostio_collect(true, NULL, 0, host_monotonic_ns() + 5 * NS_PER_MS);
	cr_assert_eq(told, 3);
	hostio_unwatch(a);
	hostio_unwatch(c);
}

BACKENDS(as_many_operations_as_the_limit)
{
	static int handles[20000];
	int n = 0;

	start(*backend);
	while (n < 20000 && (handles[n] = hostio_watch(reader, POLLIN, tell, &told)) >= 0)
		n++;
	cr_assert_eq(n, 16384);
	cr_assert_eq(handles[n], -EMFILE);
	while (n)
		hostio_unwatch(handles[--n]);
	cr_assert_eq(write(write_fd, "x", 1), 1);
	hostio_collect(true, NULL, 0, host_monotonic_ns() + 5 * NS_PER_MS);
	cr_assert_eq(told, 0);
	cr_assert_geq(hostio_watch(reader, POLLIN, tell, &told), 0);
}

static uint32_t file;

static void read_file(void *unused)
{
	(void)unused;
	result = hostio_read(file, buffer, 100, 5);
	finished++;
}

BACKENDS(a_cold_file_is_read_at_its_offset)
{
	char path[] = "/var/tmp/usbx-io-XXXXXX";
	int fd = mkstemp(path);

	start(*backend);
	cr_assert_eq(write(fd, "0123456789", 10), 10);
	cr_assert_eq(fsync(fd), 0);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	file = add(fd);
	spawn(read_file);
	loop_until(1);
	unlink(path);
	cr_assert_eq(result, 5);
	cr_assert(!memcmp(buffer, "56789", 5));
}

static uint32_t *word;

static void *ring_later(void *unused)
{
	usleep(30000);
	__atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
	host_futex_wake(word, 1);
	return unused;
}

BACKENDS(the_doorbell_ends_a_sleep)
{
	pthread_t thread;

	start(*backend);
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int round = 0; round < 5; round++) {
		*word = 1;
		pthread_create(&thread, NULL, ring_later, NULL);
		uint64_t before = host_monotonic_ns(), end = before + 5 * NS_PER_S;
		while (__atomic_load_n(word, __ATOMIC_SEQ_CST) && host_monotonic_ns() < end)
			hostio_collect(true, word, 1, end);
		cr_assert_lt(host_monotonic_ns() - before, NS_PER_S, "round %d", round);
		pthread_join(thread, NULL);
	}
	/* Rung before the sleep: no sleep. */
	uint64_t before = host_monotonic_ns();
	for (int i = 0; i < 3; i++)
		hostio_collect(true, word, 1, before + 2 * NS_PER_S);
	cr_assert_lt(host_monotonic_ns() - before, NS_PER_S);
}

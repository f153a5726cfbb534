/* hostio_epoll.c - the epoll backend of hostio.c, for hosts that forbid io_uring or lack its FUTEX_WAIT.
 *
 * Theory: an epoll set knows a descriptor once, but several fibers may wait for it: what is armed is always the union
 * (hostio_wanted), one shot; when it fires, everybody concerned is told and the rest is armed again. Files that epoll
 * does not take (regular ones) are always ready.
 *
 * One thread cannot sleep on the doorbell's futex and on descriptors at once. So a small second thread, the bell, does
 * nothing but FUTEX_WAIT on the doorbell when asked and then writes to an eventfd. The two share struct bell; who may
 * write which field is said there. It touches nothing else of the sentry's state.
 */
#include "platform/host.h"
#include "platform/hostio_backend.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define BATCH         32
#define BELL_STACK    (64 * 1024)
#define LOOK_PAUSE_NS 20000 /* collects that may not sleep look at the descriptors no more often than this */

static int epoll_fd = -1, event_fd = -1;
static int ready_handles[HOSTIO_LIMIT]; /* polls of files that are always ready */
static unsigned ready_count;
static uint64_t looked_ns;

static struct {
	uint32_t order;    /* written by the sentry: a new wait is wanted; the bell sleeps on it */
	uint32_t waiting;  /* set by the sentry with an order, cleared by the bell when that wait is over */
	uint32_t *word;    /* written by the sentry before order */
	uint32_t expected; /* written by the sentry before order */
	uint32_t running;  /* set once by the bell: the C library's own calls at a thread's start are behind it */
} bell;

static void *bell_main(void *unused)
{
	uint32_t served = 0;

	(void)unused;
	__atomic_store_n(&bell.running, 1, __ATOMIC_RELEASE);
	host_futex_wake(&bell.running, 1);
	for (;;) {
		uint32_t order = __atomic_load_n(&bell.order, __ATOMIC_ACQUIRE);
		if (order == served) {
			host_futex_wait(&bell.order, served, DEADLINE_NONE);
			continue;
		}
		served = order;
		host_futex_wait(bell.word, bell.expected, DEADLINE_NONE);
		__atomic_store_n(&bell.waiting, 0, __ATOMIC_RELEASE);
		uint64_t one = 1;
		(void)!host_write(event_fd, &one, sizeof one);
	}
	return NULL;
}

static int bell_start(void)
{
	pthread_t thread;
	pthread_attr_t attributes;
	sigset_t all, before;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, BELL_STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the one thread that knows about them */
	int error = pthread_create(&thread, &attributes, bell_main, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	/* They are not in host.def: the jail must not close before. */
	while (!error && !__atomic_load_n(&bell.running, __ATOMIC_ACQUIRE))
		host_futex_wait(&bell.running, 0, DEADLINE_NONE);
	return -error;
}

static int epoll_start(void)
{
	struct epoll_event event = {.events = EPOLLIN};

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (epoll_fd < 0 || event_fd < 0)
		return -EMFILE;
	event.data.fd = event_fd;
	int error = host_epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event);
	return error ? error : bell_start();
}

/* POLL* and EPOLL* have the same values for everything a poll can ask for. */
static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLHUP == POLLHUP && EPOLLERR == POLLERR, "the same bits");

/* Arms what the polls of this descriptor want together, or forgets it. */
static int rearm(int host_fd)
{
	short events = hostio_wanted(host_fd);
	struct epoll_event event = {.events = (uint32_t)(unsigned short)events | EPOLLONESHOT, .data.fd = host_fd};

	if (!events)
		return host_epoll_ctl(epoll_fd, EPOLL_CTL_DEL, host_fd, &event);
	int error = host_epoll_ctl(epoll_fd, EPOLL_CTL_MOD, host_fd, &event);
	return error == -ENOENT ? host_epoll_ctl(epoll_fd, EPOLL_CTL_ADD, host_fd, &event) : error;
}

static void epoll_poll_add(int handle, int host_fd, short events)
{
	(void)events; /* in the table already */
	if (rearm(host_fd) && ready_count < HOSTIO_LIMIT)
		ready_handles[ready_count++] = handle;
}

static void epoll_poll_cancel(int handle, int host_fd)
{
	(void)handle;
	(void)rearm(host_fd);
}

static void fire_ready(void)
{
	unsigned count = ready_count;
	int handles[BATCH];

	if (count > BATCH)
		count = BATCH;
	ready_count -= count;
	for (unsigned i = 0; i < count; i++)
		handles[i] = ready_handles[ready_count + i];
	for (unsigned i = 0; i < count; i++)
		hostio_done(handles[i], POLLIN | POLLOUT);
}

static void look(void)
{
	struct epoll_event events[BATCH];
	int count = host_epoll_wait(epoll_fd, events, BATCH, &(struct timespec){0, 0});

	looked_ns = host_monotonic_ns();
	for (int i = 0; i < count; i++) {
		int fd = events[i].data.fd;
		if (fd == event_fd) {
			uint64_t value;
			(void)!host_read(event_fd, &value, sizeof value);
			continue;
		}
		hostio_fire(fd, (short)events[i].events);
		(void)rearm(fd);
	}
}

static void arm_bell(uint32_t *word, uint32_t expected)
{
	if (__atomic_load_n(&bell.waiting, __ATOMIC_ACQUIRE)) {
		if (bell.word != word || bell.expected != expected)
			host_futex_wake(bell.word, INT32_MAX); /* ends the old wait; the eventfd then ends our sleep */
		return;
	}
	bell.word = word;
	bell.expected = expected;
	__atomic_store_n(&bell.waiting, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&bell.order, 1, __ATOMIC_RELEASE);
	host_futex_wake(&bell.order, 1);
}

static void epoll_collect(bool may_sleep, uint32_t *doorbell, uint32_t expected, uint64_t deadline_ns)
{
	uint64_t now = host_monotonic_ns();

	if (ready_count) {
		fire_ready();
		may_sleep = false;
	}
	if (!may_sleep) {
		if (now - looked_ns >= LOOK_PAUSE_NS)
			look();
		return;
	}
	if (doorbell)
		arm_bell(doorbell, expected);
	if (!doorbell || READ_ONCE(*doorbell) == expected) {
		uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
		struct timespec timeout = {(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)};
		struct pollfd poll = {.fd = epoll_fd, .events = POLLIN};
		/* epoll_pwait knows milliseconds only. */
		host_poll(&poll, 1, deadline_ns == DEADLINE_NONE ? NULL : &timeout);
	}
	look();
}

const struct hostio_ops hostio_epoll = {
	.start = epoll_start,
	.poll_add = epoll_poll_add,
	.poll_cancel = epoll_poll_cancel,
	.collect = epoll_collect,
};

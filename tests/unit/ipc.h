/* ipc.h - a world without guests for the tests of pipes, sockets, epoll and terminals: an arena, the kinds of files,
 * fibers whose loop is run by hand, the sentry's own memory as the other side of reads and writes. */
#ifndef TESTS_UNIT_IPC_H
#define TESTS_UNIT_IPC_H

#include "fs/fdtable.h"
#include "fs/mount.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

static struct cred *cred;

static void world_init(void)
{
	cr_assert_eq(arena_init(), 0);
	fs_init();
	cred = cred_new(0, 0);
	cr_assert(cred);
}

static inline struct fiber *start(void (*main)(void *), void *argument)
{
	struct fiber *fiber;
	cr_assert_eq(fiber_new(main, argument, &fiber), 0);
	return fiber;
}

/* The loop without a platform: sleeps by looking at the clock. */
static inline void run(void)
{
	do {
		fiber_run_ready();
		clock_refresh();
	} while (fiber_next_deadline_ns() != DEADLINE_NONE);
}

/* Runs the whole test on a fiber, so that it may park. */
static void (*test_body)(void);
static bool test_done;

static void test_fiber(void *unused)
{
	(void)unused;
	test_body();
	test_done = true;
}

static inline void on_fiber(void (*body)(void))
{
	test_body = body;
	test_done = false;
	start(test_fiber, NULL);
	run();
	cr_assert(test_done, "the test waits for something that does not come");
}

static inline ssize_t put(struct file *file, const char *data, size_t n)
{
	struct uio uio;
	uio_init_kernel(&uio, (void *)(uintptr_t)data, n);
	return file_write(file, &uio, &file->pos);
}

static inline ssize_t take(struct file *file, char *data, size_t n)
{
	struct uio uio;
	uio_init_kernel(&uio, data, n);
	return file_read(file, &uio, &file->pos);
}

#define assert_reads(file, expected)                                                                                   \
	do {                                                                                                           \
		char got_[256] = "";                                                                                   \
		ssize_t n_ = take(file, got_, sizeof got_ - 1);                                                        \
		cr_assert_eq(n_, (ssize_t)strlen(expected), "%zd bytes", n_);                                          \
		cr_assert_str_eq(got_, expected);                                                                      \
	} while (0)

#endif

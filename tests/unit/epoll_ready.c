/* epoll_ready.c - epoll without a guest: triggers, one-shot, nesting, files that go away. */
#include "fs/epoll.h"
#include "fs/eventfd.h"
#include "fs/pipe.h"
#include "tests/unit/ipc.h"

static struct file *epoll, *reader, *writer;
static struct abi_epoll_event events[64];

static void init(void)
{
	world_init();
	cr_assert_eq(epoll_new(cred, &epoll), 0);
	cr_assert_eq(pipe_new(O_NONBLOCK, cred, &reader, &writer), 0);
}

TestSuite(epoll, .init = init, .timeout = 10);

static int control(struct file *file, int operation, int fd, uint32_t bits)
{
	struct abi_epoll_event event = {bits, fd};
	return epoll_control(epoll, operation, fd, file, &event);
}

static long look(struct file *file, int most, uint64_t deadline_ns)
{
	struct uio uio;
	memset(events, 0, sizeof events);
	uio_init_kernel(&uio, events, most * sizeof events[0]);
	return epoll_wait_events(file, &uio, most, deadline_ns);
}

Test(epoll, level_tells_as_long_as_it_holds)
{
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 3, POLLIN), 0);
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 3, POLLIN), -EEXIST);
	cr_assert_eq(look(epoll, 8, 0), 0);
	put(writer, "x", 1);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(look(epoll, 8, 0), 1);
		cr_assert(events[0].events == POLLIN && events[0].data == 3);
	}
	assert_reads(reader, "x");
	cr_assert_eq(look(epoll, 8, 0), 0);
	put(writer, "y", 1);
	cr_assert_eq(look(epoll, 8, 0), 1);
}

Test(epoll, edge_tells_once)
{
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 3, POLLIN | ABI_EPOLLET), 0);
	put(writer, "x", 1);
	cr_assert_eq(look(epoll, 8, 0), 1);
	cr_assert_eq(look(epoll, 8, 0), 0);
	put(writer, "y", 1);
	cr_assert_eq(look(epoll, 8, 0), 1);
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_MOD, 3, POLLIN | ABI_EPOLLET), 0);
	cr_assert_eq(look(epoll, 8, 0), 1);
}

Test(epoll, a_one_shot_must_be_armed_again)
{
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 3, POLLIN | ABI_EPOLLONESHOT), 0);
	put(writer, "x", 1);
	cr_assert_eq(look(epoll, 8, 0), 1);
	put(writer, "x", 1);
	cr_assert_eq(look(epoll, 8, 0), 0);
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_MOD, 3, POLLIN | ABI_EPOLLONESHOT), 0);
	cr_assert_eq(look(epoll, 8, 0), 1);
}

Test(epoll, more_than_asked_for_takes_turns)
{
	struct file *event[40];
	for (int i = 0; i < 40; i++) {
		cr_assert_eq(eventfd_new(1, false, 0, cred, &event[i]), 0);
		cr_assert_eq(control(event[i], ABI_EPOLL_CTL_ADD, i, POLLIN), 0);
	}
	cr_assert_eq(look(epoll, 64, 0), 40);
	cr_assert_eq(look(epoll, 30, 0), 30);
	cr_assert_eq(events[0].data, 0);
	cr_assert_eq(look(epoll, 30, 0), 30);
	cr_assert_eq(events[0].data, 30);
	cr_assert_eq(events[10].data, 0);
	for (int i = 0; i < 40; i++)
		file_put(event[i]);
	cr_assert_eq(look(epoll, 64, 0), 0);
}

Test(epoll, a_closed_file_is_forgotten)
{
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 3, POLLIN), 0);
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 4, POLLIN), 0);
	put(writer, "x", 1);
	cr_assert_eq(look(epoll, 8, 0), 2);
	file_put(reader);
	cr_assert_eq(look(epoll, 8, 0), 0);
	cr_assert_eq(control(writer, ABI_EPOLL_CTL_DEL, 4, 0), -ENOENT);
}

Test(epoll, it_refuses_circles_and_depth)
{
	struct file *chain[6];
	struct abi_epoll_event event = {POLLIN, 0};
	chain[0] = epoll;
	for (int i = 1; i < 6; i++)
		cr_assert_eq(epoll_new(cred, &chain[i]), 0);
	for (int i = 1; i < 5; i++)
		cr_assert_eq(epoll_control(chain[i - 1], ABI_EPOLL_CTL_ADD, i, chain[i], &event), 0);
	cr_assert_eq(epoll_control(chain[4], ABI_EPOLL_CTL_ADD, 5, chain[5], &event), -ELOOP);
	cr_assert_eq(epoll_control(chain[5], ABI_EPOLL_CTL_ADD, 5, chain[0], &event), -ELOOP);
	cr_assert_eq(epoll_control(chain[3], ABI_EPOLL_CTL_ADD, 5, chain[1], &event), -ELOOP);
	cr_assert_eq(epoll_control(epoll, ABI_EPOLL_CTL_ADD, 5, epoll, &event), -EINVAL);
	cr_assert_eq(epoll_control(chain[4], ABI_EPOLL_CTL_ADD, 9, reader, &event), 0);
	put(writer, "x", 1);
	cr_assert_eq(look(epoll, 8, 0), 1);
	assert_reads(reader, "x");
	cr_assert_eq(look(epoll, 8, 0), 0);
}

Test(epoll, an_edge_passes_through_an_inner_one_each_time)
{
	struct file *outer;
	struct abi_epoll_event event = {POLLIN | ABI_EPOLLET, 1};
	cr_assert_eq(epoll_new(cred, &outer), 0);
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 3, POLLIN), 0);
	cr_assert_eq(epoll_control(outer, ABI_EPOLL_CTL_ADD, 5, epoll, &event), 0);
	for (int i = 0; i < 3; i++) {
		put(writer, "x", 1);
		cr_assert_eq(look(outer, 8, 0), 1);
		cr_assert_eq(look(outer, 8, 0), 0);
		cr_assert_eq(look(epoll, 8, 0), 1);
		assert_reads(reader, "x");
	}
}

static long result;

static void wait_long(void *file)
{
	result = look(file, 8, DEADLINE_NONE);
}

Test(epoll, it_wakes_sleepers)
{
	result = -1;
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 3, POLLIN), 0);
	struct fiber *fiber = start(wait_long, epoll);
	run();
	cr_assert_eq(result, -1);
	put(writer, "x", 1);
	run();
	cr_assert_eq(result, 1);
	assert_reads(reader, "x");
	fiber = start(wait_long, epoll);
	run();
	fiber_interrupt(fiber);
	run();
	cr_assert_eq(result, -EINTR);
	start(wait_long, epoll);
	run();
	file_put(writer);
	run();
	cr_assert_eq(result, 1);
	cr_assert_eq(events[0].events, POLLHUP);
}

Test(epoll, odd_requests)
{
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_MOD, 3, POLLIN), -ENOENT);
	cr_assert_eq(control(reader, 9, 3, POLLIN), -EINVAL);
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 3, POLLIN | ABI_EPOLLEXCLUSIVE | ABI_EPOLLONESHOT), -EINVAL);
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_ADD, 3, POLLIN | ABI_EPOLLEXCLUSIVE), 0);
	cr_assert_eq(control(reader, ABI_EPOLL_CTL_MOD, 3, POLLIN), -EINVAL);
	struct abi_epoll_event event = {POLLIN, 0};
	cr_assert_eq(epoll_control(reader, ABI_EPOLL_CTL_ADD, 4, writer, &event), -EINVAL);
	file_put(epoll);
	put(writer, "x", 1);
}

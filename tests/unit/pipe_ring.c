/* pipe_ring.c - pipes and FIFOs without a guest: slots, packets, blocking, capacity, splicing. */
#include "fs/pipe.h"
#include "tests/unit/ipc.h"
#include <sys/stat.h>

static struct file *reader, *writer;
static char block[1 << 20];

static void init(void)
{
	world_init();
	cr_assert_eq(pipe_new(O_NONBLOCK, cred, &reader, &writer), 0);
}

TestSuite(pipe, .init = init, .timeout = 10);

static void set_blocking(struct file *file)
{
	file->flags &= ~O_NONBLOCK;
}

Test(pipe, bytes_come_out_in_order)
{
	cr_assert_eq(put(writer, "abc", 3), 3);
	cr_assert_eq(put(writer, "def", 3), 3);
	assert_reads(reader, "abcdef");
	cr_assert_eq(take(reader, block, 1), -EAGAIN);
	cr_assert_eq(file_poll(reader, NULL), 0);
}

Test(pipe, it_is_full_at_its_capacity)
{
	cr_assert_eq(put(writer, block, 65536), 65536);
	cr_assert_eq(put(writer, block, 1), -EAGAIN);
	cr_assert_eq(file_poll(writer, NULL), 0);
	cr_assert_eq(take(reader, block, 4095), 4095);
	cr_assert_eq(put(writer, block, 1), -EAGAIN); /* a slot is free when all of it was read */
	cr_assert_eq(take(reader, block, 1), 1);
	cr_assert_eq(put(writer, block, 5000), 4096);
	cr_assert_eq(take(reader, block, sizeof block), 65536);
}

Test(pipe, small_writes_stay_whole)
{
	int writes = 0;
	while (put(writer, block, 3000) > 0)
		writes++;
	cr_assert_eq(writes, 16);
}

Test(pipe, content_survives_wrapping)
{
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = i * 7 % 251;
	size_t in = 0, out = 0;
	static char got[70000];
	for (int round = 0; out < 900000; round++) {
		ssize_t n = put(writer, block + in, 1 + round * 977 % 30000);
		in += n > 0 ? n : 0;
		n = take(reader, got, 1 + round * 1913 % 41000);
		if (n > 0) {
			cr_assert_eq(memcmp(got, block + out, n), 0);
			out += n;
		}
		cr_assert(in < 950000);
	}
}

Test(pipe, ends_say_goodbye)
{
	cr_assert_eq(put(writer, "x", 1), 1);
	file_put(writer);
	cr_assert_eq(file_poll(reader, NULL), POLLIN | POLLRDNORM | POLLHUP);
	assert_reads(reader, "x");
	cr_assert_eq(take(reader, block, 1), 0);
	cr_assert_eq(file_poll(reader, NULL), POLLHUP);
	file_put(reader);
	cr_assert_eq(pipe_new(0, cred, &reader, &writer), 0);
	file_put(reader);
	cr_assert_eq(file_poll(writer, NULL), POLLOUT | POLLWRNORM | POLLERR);
	cr_assert_eq(put(writer, "x", 1), -EPIPE);
	file_put(writer);
}

Test(pipe, packets_are_read_one_by_one)
{
	struct file *in, *out;
	cr_assert_eq(pipe_new(O_DIRECT | O_NONBLOCK, cred, &in, &out), 0);
	cr_assert_eq(put(out, "one", 3), 3);
	cr_assert_eq(put(out, "two!", 4), 4);
	assert_reads(in, "one");
	cr_assert_eq(take(in, block, 2), 2);
	cr_assert_eq(take(in, block, 2), -EAGAIN); /* the packet's rest is lost */
}

static ssize_t written;

static void write_much(void *unused)
{
	(void)unused;
	written = put(writer, block, 200000);
	file_put(writer);
}

static void read_all(void)
{
	size_t sum = 0;
	ssize_t n;
	while ((n = take(reader, block + 300000, 7001)) > 0)
		sum += n;
	cr_assert_eq(n, 0);
	cr_assert_eq(sum, 200000);
}

Test(pipe, a_writer_waits_for_room)
{
	set_blocking(reader);
	set_blocking(writer);
	start(write_much, NULL);
	on_fiber(read_all);
	cr_assert_eq(written, 200000);
}

static void interrupted_write(void *unused)
{
	(void)unused;
	written = put(writer, block, 70000);
}

Test(pipe, an_interrupted_write_tells_what_went)
{
	set_blocking(writer);
	struct fiber *fiber = start(interrupted_write, NULL);
	run();
	fiber_interrupt(fiber);
	run();
	cr_assert_eq(written, 65536);
	fiber = start(interrupted_write, NULL);
	fiber_interrupt(fiber);
	run();
	cr_assert_eq(written, -ERESTARTSYS);
}

Test(pipe, capacity_changes_keep_content)
{
	cr_assert_eq(pipe_size_get(reader), 65536);
	cr_assert_eq(put(writer, "hello", 5), 5);
	cr_assert_eq(pipe_size_set(writer, 1), 4096);
	cr_assert_eq(put(writer, block, 5000), 904); /* the odd end joins what the one slot holds */
	cr_assert_eq(put(writer, block, 4096), -EAGAIN);
	cr_assert_eq(take(reader, block, sizeof block), 909);
	cr_assert_eq(pipe_size_set(writer, 100000), 131072);
	cr_assert_eq(put(writer, block, 131072), 131072);
	cr_assert_eq(pipe_size_set(writer, 65536), -EBUSY);
	cr_assert_eq(pipe_size_set(writer, 1ul << 32), -EINVAL);
	cr_assert_eq(pipe_size_set(writer, 1ul << 31), -EPERM);
}

Test(pipe, splice_and_tee_move_and_copy)
{
	struct file *in, *out;
	cr_assert_eq(pipe_new(O_NONBLOCK, cred, &in, &out), 0);
	cr_assert_eq(pipe_tee(reader, out, 10, false), -EAGAIN);
	cr_assert_eq(put(writer, "abcdef", 6), 6);
	cr_assert_eq(pipe_tee(reader, out, 4, false), 4);
	assert_reads(in, "abcd");
	cr_assert_eq(pipe_splice_pipe(reader, out, 2, false), 2);
	assert_reads(in, "ab");
	assert_reads(reader, "cdef");
	cr_assert_eq(pipe_splice_pipe(reader, writer, 2, false), -EINVAL);
	file_put(writer);
	cr_assert_eq(pipe_splice_pipe(reader, out, 2, false), 0);
}

/* The first round takes what slabs keep. */
Test(pipe, all_memory_comes_back)
{
	size_t used_before = 0;

	for (int round = 0; round < 2; round++) {
		cr_assert_eq(put(writer, block, 60000), 60000);
		file_put(reader);
		file_put(writer);
		if (round)
			cr_assert_eq(arena_used_bytes(), used_before);
		used_before = arena_used_bytes();
		cr_assert_eq(pipe_new(O_NONBLOCK, cred, &reader, &writer), 0);
	}
}

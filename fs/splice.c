/* splice.c - moving bytes between pipes and other files without the guest's memory in between: splice(2), tee(2),
 * vmsplice(2).
 *
 * Pages are copied, never shared: a pipe's buffer is its own, so gifts (SPLICE_F_GIFT) and moves are hints that we do
 * not take. Out of a pipe we write straight from its buffer with its mutex held, as Linux does, so that what the other
 * file did not take stays in the pipe. Into a pipe we read through a buffer of our own and with nothing locked,
 * because the other file may make us wait for long.
 *
 * Limits: SPLICE_BYTES at a time; a call may move less than it was asked for, as splice(2) says.
 */
#include "fs/pipe_ring.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <fcntl.h>
#include <string.h>

static bool pipe_nonblock(const struct file *file, bool nonblock)
{
	return nonblock || (file->flags & O_NONBLOCK);
}

/* PARKS. Takes the mutex when there is data: 1. 0: empty and nobody writes. Else -EAGAIN, -ERESTARTSYS; mutex free. */
static int lock_with_data(struct file *file, bool nonblock)
{
	struct pipe *pipe = pipe_of(file);

	for (;;) {
		int error = mutex_lock(&pipe->mutex);
		if (error)
			return error;
		if (pipe_used(pipe))
			return 1;
		mutex_unlock(&pipe->mutex);
		if (!pipe->writers)
			return 0;
		if (pipe_nonblock(file, nonblock))
			return -EAGAIN;
		error = pipe_wait_data(pipe);
		if (error)
			return error;
	}
}

/* PARKS. Takes the mutex when a slot is free: 0. Else -EPIPE with SIGPIPE, -EAGAIN, -ERESTARTSYS; mutex free. */
static int lock_with_room(struct file *file, bool nonblock)
{
	struct pipe *pipe = pipe_of(file);

	for (;;) {
		int error = mutex_lock(&pipe->mutex);
		if (error)
			return error;
		error = pipe->readers ? pipe_buffer(pipe) : (int)pipe_broken();
		if (!error && !pipe_full(pipe))
			return 0;
		mutex_unlock(&pipe->mutex);
		if (error)
			return error;
		if (pipe_nonblock(file, nonblock))
			return -EAGAIN;
		error = pipe_wait_room(pipe);
		if (error)
			return error;
	}
}

ssize_t pipe_splice_out(struct file *file, struct file *out, int64_t *pos, size_t n, bool nonblock)
{
	struct pipe *pipe = pipe_of(file);
	ssize_t done = 0, moved = 0;
	int ready = lock_with_data(file, nonblock);

	if (ready <= 0)
		return ready;
	while ((size_t)done < n && pipe_used(pipe)) {
		struct uio uio;
		size_t piece = pipe_piece(pipe, n - done);
		uio_init_kernel(&uio, pipe_tail_data(pipe), piece);
		moved = file_write(out, &uio, pos ? pos : &out->pos);
		if (moved <= 0)
			break;
		pipe_consume(pipe, moved);
		done += moved;
		if ((size_t)moved < piece)
			break;
	}
	mutex_unlock(&pipe->mutex);
	if (done)
		pipe_wake_writers(pipe);
	return done ? done : moved;
}

/* With the mutex held: as much of the data as there is room for. */
static size_t push(struct pipe *pipe, const char *data, size_t n)
{
	size_t done = 0;

	while (done < n && !pipe_full(pipe)) {
		size_t step = MIN(n - done, pipe_free_run(pipe) * PAGE_SIZE);
		memcpy(pipe_page(pipe, pipe->head), data + done, step);
		pipe_produce(pipe, step, false);
		done += step;
	}
	return done;
}

/* PARKS until all of it is in the pipe, or nobody reads any more. There was room for all before the bytes were read
 * from their file: only a second writer can make us wait here, and then an interrupt loses what is not yet in the pipe.
 */
static ssize_t push_all(struct file *file, const char *data, size_t n)
{
	struct pipe *pipe = pipe_of(file);
	size_t done = 0;

	while (done < n) {
		int error = lock_with_room(file, false);
		if (error)
			return done ? (ssize_t)done : error;
		done += push(pipe, data + done, n - done);
		mutex_unlock(&pipe->mutex);
		pipe_wake_readers(pipe);
	}
	return done;
}

ssize_t pipe_splice_in(struct file *in, int64_t *pos, struct file *file, size_t n, bool nonblock)
{
	struct pipe *pipe = pipe_of(file);
	struct uio uio;
	int error = lock_with_room(file, nonblock);

	if (error)
		return error;
	size_t room = (pipe->slot_count - pipe_used(pipe)) * PAGE_SIZE;
	mutex_unlock(&pipe->mutex);
	n = MIN(MIN(n, room), (size_t)SPLICE_BYTES);
	char *buffer = arena_alloc(n);
	if (!buffer)
		return -ENOMEM;
	uio_init_kernel(&uio, buffer, n);
	ssize_t moved = file_read(in, &uio, pos ? pos : &in->pos);
	if (moved > 0)
		moved = push_all(file, buffer, moved);
	arena_free(buffer, n);
	return moved;
}

/* With both mutexes held. Copies from slot `at` of one pipe on, at most n bytes, as far as the other has room. */
static size_t copy_slots(struct pipe *from, struct pipe *to, size_t n)
{
	size_t done = 0;

	for (uint32_t at = from->tail; at != from->head && done < n && !pipe_full(to); at++) {
		const struct pipe_slot *slot = pipe_slot(from, at);
		size_t step = MIN(n - done, (size_t)slot->size);
		memcpy(pipe_page(to, to->head), pipe_page(from, at) + slot->offset, step);
		pipe_produce(to, step, slot->packet);
		done += step;
	}
	return done;
}

/* Both splice and tee: wait for data here and for room there, then copy without parking. */
static ssize_t pipe_to_pipe(struct file *from_file, struct file *to_file, size_t n, bool nonblock, bool consume)
{
	struct pipe *from = pipe_of(from_file), *to = pipe_of(to_file);
	size_t done;

	if (from == to)
		return -EINVAL;
	for (;;) {
		int ready = lock_with_data(from_file, nonblock);
		if (ready <= 0)
			return ready;
		mutex_unlock(&from->mutex);
		int error = lock_with_room(to_file, nonblock);
		if (error)
			return error;
		/* The first pipe again: whoever holds its mutex may wait for this one's, so we only look, and begin
		 * anew. */
		if (!from->mutex.held && pipe_used(from))
			break;
		mutex_unlock(&to->mutex);
	}
	done = copy_slots(from, to, n);
	for (size_t left = consume ? done : 0; left;) {
		size_t step = pipe_piece(from, left);
		pipe_consume(from, step);
		left -= step;
	}
	mutex_unlock(&to->mutex);
	pipe_wake_readers(to);
	if (consume)
		pipe_wake_writers(from);
	return done;
}

ssize_t pipe_splice_pipe(struct file *from, struct file *to, size_t n, bool nonblock)
{
	return n ? pipe_to_pipe(from, to, n, nonblock, true) : 0;
}

ssize_t pipe_tee(struct file *from, struct file *to, size_t n, bool nonblock)
{
	return n ? pipe_to_pipe(from, to, n, nonblock, false) : 0;
}

/* Into a pipe: waits for some room, but not for all that is wanted. */
static ssize_t vmsplice_in(struct file *file, struct uio *uio, bool nonblock)
{
	struct pipe *pipe = pipe_of(file);
	int64_t none = 0;

	if (pipe->readers && pipe_full(pipe)) {
		int error = nonblock ? -EAGAIN : pipe_wait_room(pipe);
		if (error)
			return error;
	}
	if (pipe->readers)
		uio->left = MIN(uio->left, (pipe->slot_count - pipe_used(pipe)) * PAGE_SIZE);
	return file_write(file, uio, &none);
}

ssize_t pipe_vmsplice(struct file *file, struct uio *uio, bool nonblock)
{
	struct pipe *pipe = pipe_of(file);
	int64_t none = 0;

	if (nonblock && pipe->mutex.held)
		return -EAGAIN;
	if (file_writable(file))
		return vmsplice_in(file, uio, nonblock);
	if (nonblock && pipe->writers && !pipe_used(pipe))
		return -EAGAIN;
	return file_read(file, uio, &none);
}

/* pipe.c - pipes and FIFOs.
 *
 * A pipe is a ring of slots, each a page of one contiguous buffer with the part of it that holds unread bytes, as in
 * Linux (fs/pipe.c there), because guests can see the slots: a write of up to PIPE_BUF bytes goes into one slot whole,
 * and a pipe is full when no slot is free, however little each one holds. Slots that follow each other in the buffer
 * are filled and drained with one copy. Slot i lies at page i modulo the number of slots.
 *
 * Copies from and to a guest may PARK, so readers, writers and splices hold the pipe's mutex; head moves only after
 * the bytes are there, tail only after they were taken, so that poll may look at any time. Opening and closing only
 * count and wake.
 *
 * Limits: PIPE_LIMIT_BYTES a pipe, also with CAP_SYS_RESOURCE; when all pipes together have PIPE_TOTAL_BYTES, a new one
 * gets two pages, and at twice as much none. Times of the inode are those of its making.
 */
#include "fs/hooks.h"
#include "fs/pipe_ring.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define READ_EVENTS   (POLLIN | POLLRDNORM)
#define WRITE_EVENTS  (POLLOUT | POLLWRNORM)
#define ALL_EVENTS    (READ_EVENTS | WRITE_EVENTS | POLLERR | POLLHUP)
#define DEFAULT_SLOTS (PIPE_DEFAULT_BYTES / PAGE_SIZE)
#define SMALL_SLOTS   2u

static struct slab pipe_slab = SLAB(pipe);
static uint64_t total_bytes; /* capacity of all pipes */

struct pipe *pipe_of(const struct file *file)
{
	assert(file_is_pipe(file) && file->data);
	return file->data;
}

bool file_is_pipe(const struct file *file)
{
	return file->kind == FILE_PIPE || file->kind == FILE_FIFO;
}

static void pipe_free(struct pipe *pipe)
{
	assert(waitq_empty(&pipe->read_wait) && waitq_empty(&pipe->write_wait) && !pipe->mutex.held);
	total_bytes -= pipe->slot_count * PAGE_SIZE;
	arena_free(pipe->buffer, pipe->slot_count * PAGE_SIZE);
	arena_free(pipe->slots, pipe->slot_count * sizeof *pipe->slots);
	slab_free(&pipe_slab, pipe);
}

static int pipe_make(struct pipe **out)
{
	uint32_t slots = total_bytes < PIPE_TOTAL_BYTES ? DEFAULT_SLOTS : SMALL_SLOTS;

	if (total_bytes >= 2 * PIPE_TOTAL_BYTES)
		return -ENFILE;
	struct pipe *pipe = slab_new(&pipe_slab);
	if (!pipe)
		return -ENOMEM;
	pipe->slots = arena_alloc(slots * sizeof *pipe->slots);
	if (!pipe->slots) {
		slab_free(&pipe_slab, pipe);
		return -ENOMEM;
	}
	pipe->slot_count = slots;
	total_bytes += slots * PAGE_SIZE;
	mutex_init(&pipe->mutex);
	waitq_init(&pipe->read_wait);
	waitq_init(&pipe->write_wait);
	*out = pipe;
	return 0;
}

/* The buffer comes with the first byte: most of a program's pipes carry little, some nothing. */
int pipe_buffer(struct pipe *pipe)
{
	if (!pipe->buffer)
		pipe->buffer = arena_alloc_bulk(pipe->slot_count * PAGE_SIZE);
	return pipe->buffer ? 0 : -ENOMEM;
}

void pipe_wake_readers(struct pipe *pipe)
{
	waitq_wake(&pipe->read_wait, READ_EVENTS);
}

void pipe_wake_writers(struct pipe *pipe)
{
	waitq_wake(&pipe->write_wait, WRITE_EVENTS);
}

int pipe_wait_data(struct pipe *pipe)
{
	return WAIT_EVENT(&pipe->read_wait, pipe_used(pipe) || !pipe->writers, DEADLINE_NONE);
}

int pipe_wait_room(struct pipe *pipe)
{
	return WAIT_EVENT(&pipe->write_wait, !pipe_full(pipe) || !pipe->readers, DEADLINE_NONE);
}

long pipe_broken(void)
{
	hook_signal_caller(SIGPIPE);
	return -EPIPE;
}

/* ------------------------------------------------------------------------------------------------- reading */

/* How many bytes lie in one piece from the tail on, at most n. A packet is a piece of its own. */
size_t pipe_piece(const struct pipe *pipe, size_t n)
{
	const struct pipe_slot *slot = pipe_slot(pipe, pipe->tail);
	size_t bytes = slot->size;

	if (slot->packet)
		return MIN(bytes, n);
	for (uint32_t at = pipe->tail + 1; at != pipe->head && bytes < n; at++) {
		const struct pipe_slot *next = pipe_slot(pipe, at);
		if (next->packet || next->offset || slot->offset + slot->size != PAGE_SIZE ||
		    !(at & (pipe->slot_count - 1)))
			break;
		bytes += next->size;
		slot = next;
	}
	return MIN(bytes, n);
}

char *pipe_tail_data(const struct pipe *pipe)
{
	return pipe_page(pipe, pipe->tail) + pipe_slot(pipe, pipe->tail)->offset;
}

/* n bytes of the piece have been taken. */
void pipe_consume(struct pipe *pipe, size_t n)
{
	while (n) {
		struct pipe_slot *slot = pipe_slot(pipe, pipe->tail);
		size_t step = MIN(n, (size_t)slot->size);
		assert(pipe_used(pipe));
		slot->offset += step;
		slot->size -= step;
		n -= step;
		if (!slot->size)
			pipe->tail++;
	}
}

/* A copy stopped at a bad address after moved bytes: only whole slots have been read, the rest stays (pipe_read in
 * Linux). */
static size_t whole_slots(const struct pipe *pipe, size_t moved)
{
	size_t whole = 0;

	for (uint32_t at = pipe->tail; at != pipe->head && whole + pipe_slot(pipe, at)->size <= moved; at++)
		whole += pipe_slot(pipe, at)->size;
	return whole;
}

/* Takes what is there. Returns the bytes, 0 with an empty pipe, -EFAULT when none could be copied out; *packet when
 * a packet ended the read. */
static ssize_t read_available(struct pipe *pipe, struct uio *to, bool *packet)
{
	ssize_t done = 0;

	while (pipe_used(pipe) && to->left && !*packet) {
		struct pipe_slot *slot = pipe_slot(pipe, pipe->tail);
		size_t n = pipe_piece(pipe, to->left);
		bool is_packet = slot->packet;
		ssize_t moved = uio_put(to, pipe_tail_data(pipe), n);
		if (moved > 0 && (size_t)moved < n) {
			size_t whole = whole_slots(pipe, moved);
			uio_rewind(to, moved - whole);
			moved = whole ? (ssize_t)whole : -EFAULT;
		}
		if (moved <= 0)
			return done ? done : moved;
		/* A packet's bytes that the reader has no room for are lost (pipe(2), O_DIRECT). */
		pipe_consume(pipe, is_packet ? slot->size : (size_t)moved);
		*packet = is_packet;
		done += moved;
		if ((size_t)moved < n)
			break;
	}
	return done;
}

static ssize_t pipe_read(struct file *file, struct uio *to, int64_t *pos)
{
	struct pipe *pipe = pipe_of(file);
	ssize_t result;

	(void)pos;
	if (!to->left)
		return 0;
	for (;;) {
		int error = mutex_lock(&pipe->mutex);
		if (error)
			return error;
		bool was_full = pipe_full(pipe), packet = false;
		result = read_available(pipe, to, &packet);
		bool more = pipe_used(pipe);
		mutex_unlock(&pipe->mutex);
		if (was_full && !pipe_full(pipe))
			pipe_wake_writers(pipe);
		if (result || (!pipe->writers && !more))
			return result;
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		error = pipe_wait_data(pipe);
		if (error)
			return error;
	}
}

/* ------------------------------------------------------------------------------------------------- writing */

/* A write's odd end may go behind what the last slot holds, but only whole (pipe_write in Linux). */
static ssize_t write_merge(struct pipe *pipe, struct uio *from)
{
	size_t n = from->left & (PAGE_SIZE - 1);

	if (!pipe_used(pipe) || !n)
		return 0;
	struct pipe_slot *slot = pipe_slot(pipe, pipe->head - 1);
	if (slot->packet || slot->offset + slot->size + n > PAGE_SIZE)
		return 0;
	ssize_t moved = uio_take(from, pipe_page(pipe, pipe->head - 1) + slot->offset + slot->size, n);
	if (moved > 0 && (size_t)moved < n) {
		uio_rewind(from, moved);
		return -EFAULT;
	}
	if (moved > 0)
		slot->size += moved;
	return moved;
}

/* The number of free slots that follow each other in the buffer. */
uint32_t pipe_free_run(const struct pipe *pipe)
{
	uint32_t at = pipe->head & (pipe->slot_count - 1);

	return MIN(pipe->slot_count - pipe_used(pipe), pipe->slot_count - at);
}

/* n bytes lie in the buffer from the head's page on: they become readable. */
void pipe_produce(struct pipe *pipe, size_t n, bool packet)
{
	while (n) {
		size_t step = MIN(n, PAGE_SIZE);
		assert(!pipe_full(pipe));
		*pipe_slot(pipe, pipe->head) = (struct pipe_slot){.size = step, .packet = packet};
		pipe->head++;
		n -= step;
	}
}

/* Fills free slots. Returns the bytes; fewer than asked for when the pipe is full or at a bad address; -EFAULT. */
static ssize_t write_slots(struct pipe *pipe, struct uio *from, bool packet)
{
	ssize_t done = 0;

	while (from->left && !pipe_full(pipe)) {
		size_t n = MIN(from->left, pipe_free_run(pipe) * PAGE_SIZE);
		ssize_t moved = uio_take(from, pipe_page(pipe, pipe->head), n);
		if (moved > 0 && (size_t)moved < n) {
			/* Slots are whole: what the bad address left of one does not count. */
			size_t rest = moved & (PAGE_SIZE - 1);
			uio_rewind(from, rest);
			moved = moved - rest ? moved - (ssize_t)rest : -EFAULT;
		}
		if (moved <= 0)
			return done ? done : moved;
		pipe_produce(pipe, moved, packet);
		done += moved;
		if ((size_t)moved < n)
			break;
	}
	return done;
}

/* One turn with the mutex. *full tells whether there is reason to wait. */
static ssize_t write_turn(struct pipe *pipe, struct uio *from, bool first, bool packet, bool *full)
{
	int error = pipe_buffer(pipe);
	ssize_t merged = 0, moved = 0;

	*full = false;
	if (error)
		return error;
	bool was_empty = !pipe_used(pipe);
	if (first && !was_empty) /* also a packet: it is the slot that says whether more may join */
		merged = write_merge(pipe, from);
	if (merged >= 0 && from->left)
		moved = write_slots(pipe, from, packet);
	*full = from->left && merged >= 0 && moved >= 0 && pipe_full(pipe);
	if (merged < 0)
		return merged;
	return merged || moved > 0 ? merged + MAX(moved, (ssize_t)0) : moved;
}

static ssize_t pipe_write(struct file *file, struct uio *from, int64_t *pos)
{
	struct pipe *pipe = pipe_of(file);
	ssize_t done = 0;
	bool full;

	(void)pos;
	if (!from->left)
		return 0;
	for (bool first = true;; first = false) {
		int error = mutex_lock(&pipe->mutex);
		if (error)
			return done ? done : error;
		if (!pipe->readers) {
			mutex_unlock(&pipe->mutex);
			long broken = pipe_broken();
			return done ? done : broken;
		}
		ssize_t moved = write_turn(pipe, from, first, file->flags & O_DIRECT, &full);
		mutex_unlock(&pipe->mutex);
		if (moved > 0)
			pipe_wake_readers(pipe);
		if (moved < 0)
			return done ? done : moved;
		done += moved;
		if (!full)
			return done;
		if (file->flags & O_NONBLOCK)
			return done ? done : -EAGAIN;
		error = pipe_wait_room(pipe);
		if (error)
			return done ? done : error;
	}
}

/* ------------------------------------------------------------------------------------------------- the rest of a file
 */

static uint32_t pipe_poll(struct file *file, struct poll_wait *wait)
{
	struct pipe *pipe = pipe_of(file);
	uint32_t events = 0;

	if (file_readable(file)) {
		poll_listen(wait, &pipe->read_wait);
		if (pipe_used(pipe))
			events |= READ_EVENTS;
		/* A FIFO opened without a writer has not been hung up before it had one. */
		if (!pipe->writers && file->cookie != pipe->writer_count)
			events |= POLLHUP;
	}
	if (file_writable(file)) {
		poll_listen(wait, &pipe->write_wait);
		if (!pipe_full(pipe))
			events |= WRITE_EVENTS;
		if (!pipe->readers)
			events |= POLLERR;
	}
	return events;
}

static long pipe_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	struct pipe *pipe = pipe_of(file);
	int bytes = 0;

	if (command != FIONREAD)
		return -ENOTTY;
	for (uint32_t at = pipe->tail; at != pipe->head; at++)
		bytes += pipe_slot(pipe, at)->size;
	return user_write(user, UADDR(argument), &bytes, sizeof bytes);
}

static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->data;
	struct inode *inode = file->inode;

	if (!pipe)
		return;
	assert(inode->pipe == pipe && pipe->files > 0);
	pipe->readers -= file_readable(file);
	pipe->writers -= file_writable(file);
	if (!pipe->readers != !pipe->writers) {
		waitq_wake(&pipe->read_wait, ALL_EVENTS);
		waitq_wake(&pipe->write_wait, ALL_EVENTS);
	}
	if (--pipe->files)
		return;
	inode->pipe = NULL;
	pipe_free(pipe);
}

static const struct file_ops pipe_ops = {
	.async = true,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};

void pipe_init(void)
{
	file_kind_register(FILE_PIPE, &pipe_ops);
	file_kind_register(FILE_FIFO, &pipe_ops);
	special_open_register(S_IFIFO, fifo_open);
}

/* ------------------------------------------------------------------------------------------------- opening */

/* The file is on the pipe from here on: release undoes it. */
static void pipe_attach(struct pipe *pipe, struct file *file)
{
	file->data = pipe;
	file->cookie = UINT64_MAX;
	pipe->files++;
	if (file_readable(file)) {
		pipe->readers++;
		pipe->reader_count++;
	}
	if (file_writable(file)) {
		pipe->writers++;
		pipe->writer_count++;
	}
	waitq_wake(&pipe->read_wait, 0);
	waitq_wake(&pipe->write_wait, 0);
}

int pipe_new(uint32_t flags, struct cred *cred, struct file **read_end, struct file **write_end)
{
	struct pipe *pipe;
	struct file *reader, *writer;
	uint32_t mode = flags & (O_NONBLOCK | O_DIRECT);
	int error = pipe_make(&pipe);

	if (error)
		return error;
	error = file_new_anonymous(FILE_PIPE, O_RDONLY | (mode & ~O_DIRECT), S_IFIFO | 0600, "pipe", cred, &reader);
	if (error) {
		pipe_free(pipe);
		return error;
	}
	writer = file_new(FILE_PIPE, O_WRONLY | mode, reader->inode, NULL, cred);
	if (!writer) {
		error = file_refusal();
		file_put(reader);
		pipe_free(pipe);
		return error;
	}
	reader->inode->pipe = pipe;
	pipe_attach(pipe, reader);
	pipe_attach(pipe, writer);
	*read_end = reader;
	*write_end = writer;
	return 0;
}

/* Waits for the other side to open, even if it has closed again by the time we look. */
static int fifo_wait_partner(struct pipe *pipe, const uint64_t *count)
{
	uint64_t before = *count;

	return WAIT_EVENT(count == &pipe->writer_count ? &pipe->read_wait : &pipe->write_wait, *count != before,
			  DEADLINE_NONE);
}

int fifo_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred, struct file **out)
{
	uint32_t access = flags & O_ACCMODE;
	bool anonymous = inode->kind == INODE_ANON;
	int error = 0;

	if (access == O_ACCMODE)
		return -EINVAL;
	struct pipe *pipe = inode->pipe;
	if (!anonymous && access == O_WRONLY && (flags & O_NONBLOCK) && !(pipe && pipe->readers))
		return -ENXIO;
	if (!pipe)
		error = pipe_make(&pipe);
	if (error)
		return error;
	struct file *file = file_new(anonymous ? FILE_PIPE : FILE_FIFO, flags, inode, path, cred);
	if (!file) {
		if (!inode->pipe)
			pipe_free(pipe);
		return file_refusal();
	}
	inode->pipe = pipe;
	pipe_attach(pipe, file);
	if (!anonymous && access == O_RDONLY && !pipe->writers) {
		if (flags & O_NONBLOCK)
			file->cookie = pipe->writer_count;
		else
			error = fifo_wait_partner(pipe, &pipe->writer_count);
	} else if (!anonymous && access == O_WRONLY && !pipe->readers) {
		error = fifo_wait_partner(pipe, &pipe->reader_count);
	}
	if (error) {
		file_put(file);
		return error;
	}
	*out = file;
	return 0;
}

/* ------------------------------------------------------------------------------------------------- capacity */

long pipe_size_get(struct file *file)
{
	return file_is_pipe(file) ? (long)(pipe_of(file)->slot_count * PAGE_SIZE) : -EBADF;
}

static int pipe_resize(struct pipe *pipe, uint32_t slots)
{
	uint32_t used = pipe_used(pipe);
	char *buffer = pipe->buffer ? arena_alloc_bulk(slots * PAGE_SIZE) : NULL;
	struct pipe_slot *table = arena_alloc(slots * sizeof *table);

	if (!table || (pipe->buffer && !buffer)) {
		arena_free(table, slots * sizeof *table);
		arena_free(buffer, slots * PAGE_SIZE);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < used; i++) {
		table[i] = *pipe_slot(pipe, pipe->tail + i);
		memcpy(buffer + i * PAGE_SIZE, pipe_page(pipe, pipe->tail + i), PAGE_SIZE);
	}
	arena_free(pipe->buffer, pipe->slot_count * PAGE_SIZE);
	arena_free(pipe->slots, pipe->slot_count * sizeof *pipe->slots);
	total_bytes += (int64_t)slots * PAGE_SIZE - pipe->slot_count * PAGE_SIZE;
	pipe->buffer = buffer;
	pipe->slots = table;
	pipe->slot_count = slots;
	pipe->tail = 0;
	pipe->head = used;
	return 0;
}

long pipe_size_set(struct file *file, uint64_t bytes)
{
	uint64_t size = PAGE_SIZE;

	if (!file_is_pipe(file))
		return -EBADF;
	if (bytes > 1ul << 31)
		return -EINVAL;
	while (size < bytes)
		size *= 2;
	struct pipe *pipe = pipe_of(file);
	uint64_t old = pipe->slot_count * PAGE_SIZE;
	if (size > old && (size > PIPE_LIMIT_BYTES || total_bytes + size - old > 2 * PIPE_TOTAL_BYTES))
		return -EPERM;
	int error = mutex_lock(&pipe->mutex);
	if (error)
		return error;
	bool was_full = pipe_full(pipe);
	error = size / PAGE_SIZE < pipe_used(pipe) ? -EBUSY : pipe_resize(pipe, size / PAGE_SIZE);
	mutex_unlock(&pipe->mutex);
	if (error)
		return error;
	if (was_full && !pipe_full(pipe))
		pipe_wake_writers(pipe);
	return (long)size;
}

/* uring_register.c - io_uring_register(2): what a ring keeps so that each request need not bring it along.
 *
 * Buffers are remembered as addresses and sizes, not as pages: a request that uses one reads the guest's memory as it
 * is then (Linux pins the pages: a buffer that was unmapped meanwhile is EFAULT here). A ring cannot be registered in a
 * ring.
 *
 * Limits: no restrictions, tags, rings of provided buffers, direct descriptors; URING_BUFFER_LIMIT buffers,
 * URING_FILE_LIMIT files, URING_PERSONALITIES personalities.
 */
#include "fs/eventfd.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "syscalls/io_transfer.h"
#include "syscalls/uring.h"
#include <errno.h>
#include <string.h>

#define CHUNK_FDS 64 /* numbers of descriptors that are copied at a time */

/* ------------------------------------------------------------------------------------------------ files */

int uring_file_get(struct task *task, struct uring *ring, bool fixed, int32_t fd, struct file **out)
{
	if (!fixed) {
		int error = fd_get(task->files, fd, out);
		if (!error && (*out)->kind == FILE_PATH) {
			file_put(*out);
			*out = NULL;
			error = -EBADF;
		}
		return error;
	}
	if (fd < 0 || (uint32_t)fd >= ring->file_count || !ring->files[fd])
		return -EBADF;
	*out = ring->files[fd];
	file_get(*out);
	return 0;
}

static void files_free(struct uring *ring)
{
	struct file **files = ring->files;
	uint32_t count = ring->file_count;

	ring->files = NULL;
	ring->file_count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (files[i])
			file_put(files[i]);
	arena_free(files, count * sizeof *files);
}

/* Puts the file of a descriptor in a place; -1: none; what was there goes. */
static int file_place(struct task *task, struct uring *ring, uint32_t at, int32_t fd)
{
	struct file *file = NULL, *old = ring->files[at];

	if (fd == IORING_REGISTER_FILES_SKIP)
		return 0;
	if (fd != -1) {
		int error = uring_file_get(task, ring, false, fd, &file);
		if (!error && file->kind == FILE_URING) {
			file_put(file);
			error = -EBADF;
		}
		if (error)
			return error;
	}
	ring->files[at] = file;
	if (old)
		file_put(old);
	return 0;
}

long uring_files_update(struct task *task, struct uring *ring, struct uaddr fds, uint32_t count, uint32_t at)
{
	int32_t few[CHUNK_FDS];
	uint32_t done = 0;
	int error = ring->files ? 0 : -ENXIO;

	if (!error && (uint64_t)at + count > ring->file_count)
		error = -EINVAL;
	while (!error && done < count) {
		uint32_t some = MIN(count - done, (uint32_t)CHUNK_FDS);
		error = user_read(task_user(task), few, uaddr_add(fds, done * sizeof few[0]), some * sizeof few[0]);
		/* Copying may have let others run. */
		if (!error && (uint64_t)at + count > ring->file_count)
			error = -EINVAL;
		for (uint32_t i = 0; i < some && !error; i++) {
			error = file_place(task, ring, at + done, few[i]);
			done += !error;
		}
	}
	return done ? (long)done : error;
}

static long files_register(struct task *task, struct uring *ring, struct uaddr fds, uint32_t count)
{
	if (ring->files)
		return -EBUSY;
	if (!count)
		return -EINVAL;
	if (count > URING_FILE_LIMIT || count > process_limit(task->process, ABI_RLIMIT_NOFILE))
		return -EMFILE;
	ring->files = arena_alloc(count * sizeof *ring->files);
	if (!ring->files)
		return -ENOMEM;
	ring->file_count = count;
	long done = fds.v ? uring_files_update(task, ring, fds, count, 0) : count;
	if (done == count)
		return 0;
	files_free(ring);
	return done < 0 ? done : -EBADF;
}

static long files2_register(struct task *task, struct uring *ring, struct uaddr at, uint32_t size)
{
	struct io_uring_rsrc_register with;

	if (size != sizeof with)
		return -EINVAL;
	int error = user_read(task_user(task), &with, at, sizeof with);
	if (error)
		return error;
	bool sparse = with.flags & IORING_RSRC_REGISTER_SPARSE;
	if (!with.nr || with.resv2 || with.flags & ~IORING_RSRC_REGISTER_SPARSE || with.tags || (sparse && with.data))
		return -EINVAL;
	return files_register(task, ring, UADDR(with.data), with.nr);
}

static long files_update(struct task *task, struct uring *ring, struct uaddr at, uint32_t count)
{
	struct io_uring_files_update with;
	int error = user_read(task_user(task), &with, at, sizeof with);

	if (!error && with.resv)
		error = -EINVAL;
	return error ? error : uring_files_update(task, ring, UADDR(with.fds), count, with.offset);
}

/* ------------------------------------------------------------------------------------------------ buffers */

static void buffers_free(struct uring *ring)
{
	arena_free(ring->buffers, ring->buffer_count * sizeof *ring->buffers);
	ring->buffers = NULL;
	ring->buffer_count = 0;
}

#define BUFFER_BYTES (1ull << 30) /* of one, as in Linux */

static long buffers_register(struct task *task, struct uring *ring, struct uaddr at, uint32_t count)
{
	if (ring->buffers)
		return -EBUSY;
	if (!count || count > URING_BUFFER_LIMIT)
		return -EINVAL;
	size_t bytes = count * sizeof(struct uio_part);
	struct uio_part *buffers = arena_alloc(bytes);
	if (!buffers)
		return -ENOMEM;
	int error = user_read(task_user(task), buffers, at, bytes);
	for (uint32_t i = 0; i < count && !error; i++) {
		if (!buffers[i].base && buffers[i].size)
			error = -EFAULT;
		else if (buffers[i].base && (!buffers[i].size || buffers[i].size > BUFFER_BYTES))
			error = -EFAULT;
		else if (buffers[i].base + buffers[i].size < buffers[i].base)
			error = -EOVERFLOW;
	}
	if (!error && ring->buffers)
		error = -EBUSY;
	if (error) {
		arena_free(buffers, bytes);
		return error;
	}
	ring->buffers = buffers;
	ring->buffer_count = count;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ the rest */

static long event_register(struct task *task, struct uring *ring, struct uaddr at, uint32_t count, bool async)
{
	struct file *file;
	int32_t fd;

	if (count != 1)
		return -EINVAL;
	if (ring->event)
		return -EBUSY;
	int error = user_read(task_user(task), &fd, at, sizeof fd);
	if (!error)
		error = fd_get(task->files, fd, &file);
	if (error)
		return error;
	if (file->kind != FILE_EVENTFD || ring->event) {
		file_put(file);
		return ring->event ? -EBUSY : -EINVAL;
	}
	ring->event = file;
	ring->event_async = async;
	return 0;
}

static long event_unregister(struct uring *ring)
{
	struct file *file = ring->event;

	if (!file)
		return -ENXIO;
	ring->event = NULL;
	file_put(file);
	return 0;
}

static long probe(struct task *task, struct uaddr at, uint32_t count)
{
	struct {
		struct io_uring_probe head;
		struct io_uring_probe_op ops[IORING_OP_LAST];
	} answer;
	size_t bytes;

	count = MIN(count, (uint32_t)IORING_OP_LAST);
	bytes = sizeof answer.head + count * sizeof answer.ops[0];
	int error = user_read(task_user(task), &answer, at, bytes);
	if (error)
		return error;
	for (size_t i = 0; i < bytes; i++)
		if (((const char *)&answer)[i])
			return -EINVAL;
	answer.head.last_op = IORING_OP_LAST - 1;
	answer.head.ops_len = (uint8_t)count;
	for (uint32_t i = 0; i < count; i++) {
		answer.ops[i].op = (uint8_t)i;
		answer.ops[i].flags = uring_op_known(i) ? IO_URING_OP_SUPPORTED : 0;
	}
	return user_write(task_user(task), at, &answer, bytes);
}

static long personality_register(const struct task *task, struct uring *ring)
{
	for (unsigned i = 0; i < URING_PERSONALITIES; i++) {
		if (ring->personalities[i])
			continue;
		cred_get(task->cred);
		ring->personalities[i] = task->cred;
		return i + 1;
	}
	return -ENOSPC;
}

static long personality_unregister(struct uring *ring, uint32_t id)
{
	if (!id || id > URING_PERSONALITIES || !ring->personalities[id - 1])
		return -EINVAL;
	cred_put(ring->personalities[id - 1]);
	ring->personalities[id - 1] = NULL;
	return 0;
}

/* Nothing is bounded by it: workers are the sandbox's. Tells what Linux would: the numbers that held before. */
static long workers_set(struct task *task, struct uaddr at, uint32_t count)
{
	uint32_t numbers[2] = {URING_WORKER_LIMIT, URING_WORKER_LIMIT}, wanted[2];

	if (count != 2)
		return -EINVAL;
	int error = user_read(task_user(task), wanted, at, sizeof wanted);
	return error ? error : user_write(task_user(task), at, numbers, sizeof numbers);
}

static long unregister(struct uring *ring, uint32_t opcode)
{
	switch (opcode) {
	case IORING_UNREGISTER_BUFFERS:
		if (!ring->buffers)
			return -ENXIO;
		buffers_free(ring);
		return 0;
	case IORING_UNREGISTER_FILES:
		if (!ring->files)
			return -ENXIO;
		files_free(ring);
		return 0;
	case IORING_UNREGISTER_EVENTFD:
		return event_unregister(ring);
	default:
		if (!ring->disabled)
			return -EBADFD;
		ring->disabled = false;
		return 0;
	}
}

long uring_register(struct task *task, struct uring *ring, uint32_t opcode, struct uaddr at, uint32_t count)
{
	switch (opcode) {
	case IORING_REGISTER_BUFFERS:
		return at.v ? buffers_register(task, ring, at, count) : -EFAULT;
	case IORING_REGISTER_FILES:
		return at.v ? files_register(task, ring, at, count) : -EFAULT;
	case IORING_REGISTER_FILES2:
		return files2_register(task, ring, at, count);
	case IORING_REGISTER_FILES_UPDATE:
		return files_update(task, ring, at, count);
	case IORING_REGISTER_EVENTFD:
	case IORING_REGISTER_EVENTFD_ASYNC:
		return event_register(task, ring, at, count, opcode == IORING_REGISTER_EVENTFD_ASYNC);
	case IORING_REGISTER_PROBE:
		return at.v && count <= 256 ? probe(task, at, count) : -EINVAL;
	case IORING_REGISTER_PERSONALITY:
		return at.v || count ? -EINVAL : personality_register(task, ring);
	case IORING_UNREGISTER_PERSONALITY:
		return at.v ? -EINVAL : personality_unregister(ring, count);
	case IORING_REGISTER_IOWQ_MAX_WORKERS:
		return workers_set(task, at, count);
	case IORING_UNREGISTER_BUFFERS:
	case IORING_UNREGISTER_FILES:
	case IORING_UNREGISTER_EVENTFD:
	case IORING_REGISTER_ENABLE_RINGS:
		return at.v || count ? -EINVAL : unregister(ring, opcode);
	}
	return -EINVAL;
}

void uring_unregister_all(struct uring *ring)
{
	files_free(ring);
	buffers_free(ring);
	(void)event_unregister(ring);
	for (uint32_t id = 1; id <= URING_PERSONALITIES; id++)
		(void)personality_unregister(ring, id);
}

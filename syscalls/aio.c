/* aio.c - io_setup(2) and its fellows: what libaio is made of.
 *
 * As in Linux with files that go through a page cache, io_submit itself moves the data, and the event is there when it
 * returns. A context's number is the address of a page in the guest, as there, but the page stays empty: libaio finds
 * no ring in it (its magic number lacks) and asks us for events. A context belongs to an address space and goes with
 * it.
 *
 * Limits: no IOCB_CMD_POLL; nothing is ever under way, so io_cancel has nothing to cancel. AIO_EVENT_LIMIT events of
 * all contexts together.
 */
#include "syscalls/aio.h"
#include "fs/eventfd.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/clock.h"
#include "syscalls/handlers.h"
#include "syscalls/io_transfer.h"
#include "syscalls/poll.h"
#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/mman.h>

#define SETUP_MOST  0x10000000u
#define GIVE_EVENTS 32 /* copied at a time */

struct aio {
	struct ref ref;
	struct list node;
	const struct mm *mm; /* for comparing only; the hook of its end takes us along */
	uint64_t id;
	uint32_t limit, first, count; /* events: a ring */
	bool gone;
	struct waitq wait;
	struct io_event *events;
};

static struct slab aio_slab = SLAB(aio);
static struct list contexts = LIST_INIT(contexts);
static uint32_t event_total;

static void aio_put(struct aio *aio)
{
	if (!ref_put(&aio->ref))
		return;
	event_total -= aio->limit;
	arena_free(aio->events, aio->limit * sizeof *aio->events);
	slab_free(&aio_slab, aio);
}

/* Nobody finds it any more; who waits for its events is told. */
static void aio_end(struct aio *aio)
{
	list_remove(&aio->node);
	aio->gone = true;
	waitq_wake(&aio->wait, 0);
	aio_put(aio);
}

static void mm_gone(const struct mm *mm)
{
	struct aio *aio, *after;

	list_for_each_safe (aio, after, &contexts, node)
		if (aio->mm == mm)
			aio_end(aio);
}

/* Gives. */
static int aio_get(const struct task *task, uint64_t id, struct aio **out)
{
	struct aio *aio;

	list_for_each (aio, &contexts, node)
		if (aio->mm == task->mm && aio->id == id) {
			ref_get(&aio->ref);
			*out = aio;
			return 0;
		}
	return -EINVAL;
}

/* ------------------------------------------------------------------------------------------------ contexts */

static int aio_new(struct task *task, uint32_t limit, struct aio **out)
{
	struct mm_map_request request = {
		.size = PAGE_SIZE, .prot = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE | MAP_ANONYMOUS};

	if (limit > AIO_EVENT_LIMIT - event_total)
		return -EAGAIN;
	struct io_event *events = arena_alloc(limit * sizeof *events);
	struct aio *aio = events ? slab_new(&aio_slab) : NULL;
	if (!aio) {
		arena_free(events, limit * sizeof *events);
		return -ENOMEM;
	}
	*aio = (struct aio){.mm = task->mm, .limit = limit, .events = events};
	ref_init(&aio->ref);
	list_init(&aio->node);
	waitq_init(&aio->wait);
	event_total += limit;
	long at = mm_map(task->mm, task->uthread, &request);
	if (at < 0) {
		aio_put(aio);
		return (int)at;
	}
	aio->id = (uint64_t)at;
	list_push_back(&contexts, &aio->node);
	*out = aio;
	return 0;
}

long sys_io_setup(struct task *task, uint32_t limit, struct uaddr id_at)
{
	uint64_t id;
	struct aio *aio = NULL;
	int error = user_read(task_user(task), &id, id_at, sizeof id);

	if (!error && (id || !limit || limit > SETUP_MOST))
		error = -EINVAL;
	if (!error)
		error = aio_new(task, limit, &aio);
	if (error)
		return error;
	id = aio->id;
	ref_get(&aio->ref);
	error = user_write(task_user(task), id_at, &id, sizeof id);
	if (error && !aio->gone) {
		aio_end(aio);
		(void)!mm_unmap(task->mm, task->uthread, id, PAGE_SIZE);
	}
	aio_put(aio);
	return error;
}

long sys_io_destroy(struct task *task, uint64_t id)
{
	struct aio *aio;
	int error = aio_get(task, id, &aio);

	if (error)
		return error;
	aio_end(aio);
	aio_put(aio);
	(void)!mm_unmap(task->mm, task->uthread, id, PAGE_SIZE);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ submitting */

static long run_transfer(struct task *task, const struct iocb *request, struct file *file, long *result)
{
	bool vector = request->aio_lio_opcode == IOCB_CMD_PREADV || request->aio_lio_opcode == IOCB_CMD_PWRITEV;
	struct uio_part one = {request->aio_buf, request->aio_nbytes}, *parts = &one;
	struct io_move move = {.file = file,
			       .parts = &one,
			       .count = 1,
			       .offset = request->aio_offset,
			       .write = request->aio_lio_opcode == IOCB_CMD_PWRITE ||
					request->aio_lio_opcode == IOCB_CMD_PWRITEV,
			       .flags = (int)request->aio_rw_flags};

	if (!(move.write ? file_writable(file) : file_readable(file)))
		return -EBADF;
	if (!(move.write ? (bool)file_ops(file)->write : (bool)file_ops(file)->read))
		return -EINVAL;
	int error = vector ? io_parts_read(task, UADDR(request->aio_buf), request->aio_nbytes, &parts)
			   : io_parts_check(&one, 1);
	if (error)
		return error;
	if (vector) {
		move.parts = parts;
		move.count = parts ? (unsigned)request->aio_nbytes : 0;
	}
	error = move.offset < 0 && file_seekable(file) ? -EINVAL : 0;
	if (!error)
		*result = io_move(task, &move);
	if (vector && parts)
		arena_free(parts, move.count * sizeof *parts);
	return error;
}

/* What the request asks for: an error of the request itself, or 0 and its result. */
static long run_request(struct task *task, const struct iocb *request, struct file *file, long *result)
{
	switch (request->aio_lio_opcode) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PWRITE:
	case IOCB_CMD_PREADV:
	case IOCB_CMD_PWRITEV:
		return run_transfer(task, request, file, result);
	case IOCB_CMD_FSYNC:
	case IOCB_CMD_FDSYNC:
		if (request->aio_buf || request->aio_offset || request->aio_nbytes || request->aio_rw_flags ||
		    !file_ops(file)->sync)
			return -EINVAL;
		*result = file_ops(file)->sync(file, request->aio_lio_opcode == IOCB_CMD_FDSYNC);
		return 0;
	}
	return -EINVAL;
}

static void event_add(struct aio *aio, const struct iocb *request, struct uaddr at, long result)
{
	if (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK)
		result = -EINTR;
	aio->events[(aio->first + aio->count) % aio->limit] =
		(struct io_event){.data = request->aio_data, .obj = at.v, .res = result};
	aio->count++;
	waitq_wake(&aio->wait, 0);
}

static int event_file(struct task *task, const struct iocb *request, struct file **out)
{
	*out = NULL;
	if (!(request->aio_flags & IOCB_FLAG_RESFD))
		return 0;
	int error = fd_get(task->files, (int)request->aio_resfd, out);
	if (!error && (*out)->kind != FILE_EVENTFD) {
		file_put(*out);
		*out = NULL;
		error = -EINVAL;
	}
	return error;
}

static long submit_one(struct task *task, struct aio *aio, struct uaddr at)
{
	struct iocb request;
	struct file *file, *event;
	const uint32_t key = 0;
	long result = 0;
	int error = user_read(task_user(task), &request, at, sizeof request);

	if (!error && (request.aio_reserved2 || (int64_t)request.aio_nbytes < 0))
		error = -EINVAL;
	if (!error && aio->count >= aio->limit)
		error = -EAGAIN;
	if (!error)
		error = fd_get(task->files, (int)request.aio_fildes, &file);
	if (error)
		return error;
	if (file->kind == FILE_PATH) {
		file_put(file);
		return -EBADF;
	}
	error = event_file(task, &request, &event);
	if (!error)
		error = user_write(task_user(task), uaddr_add(at, offsetof(struct iocb, aio_key)), &key, sizeof key);
	if (!error)
		error = (int)run_request(task, &request, file, &result);
	file_put(file);
	/* Others may have filled the context while data moved. */
	if (!error && !aio->gone && aio->count < aio->limit) {
		event_add(aio, &request, at, result);
		if (event)
			eventfd_signal(event);
	}
	if (event)
		file_put(event);
	return error;
}

long sys_io_submit(struct task *task, uint64_t id, int64_t count, struct uaddr list)
{
	struct aio *aio;
	long done = 0, result = count < 0 ? -EINVAL : aio_get(task, id, &aio);

	if (result)
		return result;
	for (count = MIN(count, (int64_t)aio->limit); done < count; done++) {
		uint64_t at;
		result = user_read(task_user(task), &at, uaddr_add(list, done * sizeof at), sizeof at);
		if (!result)
			result = submit_one(task, aio, UADDR(at));
		if (result || fiber_interrupted())
			break;
	}
	done += !result && done < count; /* an interrupt came after it */
	aio_put(aio);
	return done ? done : result;
}

/* Nothing is under way: what was submitted has an event, or waits in another thread's call. */
long sys_io_cancel(struct task *task, uint64_t id, struct uaddr at, struct uaddr result)
{
	struct aio *aio;
	uint32_t key;
	int error = user_read(task_user(task), &key, uaddr_add(at, offsetof(struct iocb, aio_key)), sizeof key);

	(void)result;
	if (!error)
		error = key ? -EINVAL : aio_get(task, id, &aio);
	if (error)
		return error;
	aio_put(aio);
	return -EINVAL;
}

/* ------------------------------------------------------------------------------------------------ events */

/* PARKS. As many as there are, most at most. They are taken before they are copied: a bad address loses them. */
static long events_give(struct task *task, struct aio *aio, int64_t most, struct uaddr to)
{
	struct io_event some[GIVE_EVENTS];
	long done = 0;

	while (done < most && aio->count && !aio->gone) {
		uint32_t count = MIN((uint32_t)MIN(most - done, (int64_t)GIVE_EVENTS), aio->count);
		for (uint32_t i = 0; i < count; i++)
			some[i] = aio->events[(aio->first + i) % aio->limit];
		aio->first = (aio->first + count) % aio->limit;
		aio->count -= count;
		int error =
			user_write(task_user(task), uaddr_add(to, done * sizeof some[0]), some, count * sizeof some[0]);
		if (error)
			return done ? done : error;
		done += count;
	}
	return done;
}

static long events_wait(struct task *task, struct aio *aio, int64_t least, int64_t most, struct uaddr to,
			uint64_t deadline_ns)
{
	long done = 0;

	for (;;) {
		long given = events_give(task, aio, most - done, uaddr_add(to, done * sizeof(struct io_event)));
		if (given < 0)
			return done ? done : given;
		done += given;
		if (done >= least || aio->gone)
			return !done && aio->gone ? -EINVAL : done;
		int error = WAIT_EVENT(&aio->wait, aio->count || aio->gone, deadline_ns);
		if (error == -ETIMEDOUT)
			return done;
		if (error)
			return done ? done : -EINTR;
	}
}

static int deadline_read(struct task *task, struct uaddr at, uint64_t *deadline_ns)
{
	struct abi_timespec time;

	*deadline_ns = DEADLINE_NONE;
	if (!at.v)
		return 0;
	int error = user_read(task_user(task), &time, at, sizeof time);
	return error ? error : poll_deadline(time.tv_sec, time.tv_nsec, deadline_ns);
}

static long getevents(struct task *task, uint64_t id, int64_t least, int64_t most, struct uaddr to,
		      uint64_t deadline_ns)
{
	struct aio *aio;
	int error = aio_get(task, id, &aio);

	if (error)
		return error;
	long result = least < 0 || least > most ? -EINVAL : events_wait(task, aio, least, most, to, deadline_ns);
	aio_put(aio);
	return result;
}

long sys_io_getevents(struct task *task, uint64_t id, int64_t least, int64_t most, struct uaddr to,
		      struct uaddr timeout)
{
	uint64_t deadline_ns;
	int error = deadline_read(task, timeout, &deadline_ns);

	return error ? error : getevents(task, id, least, most, to, deadline_ns);
}

long sys_io_pgetevents(struct task *task, uint64_t id, int64_t least, int64_t most, struct uaddr to,
		       struct uaddr timeout, struct uaddr mask_at)
{
	struct {
		uint64_t set, size;
	} mask = {0};
	uint64_t deadline_ns;
	int error = deadline_read(task, timeout, &deadline_ns);

	if (!error && mask_at.v)
		error = user_read(task_user(task), &mask, mask_at, sizeof mask);
	if (!error)
		error = poll_mask_push(task, UADDR(mask.set), mask.size);
	if (error)
		return error;
	long result = getevents(task, id, least, most, to, deadline_ns);
	return poll_mask_pop(task, result, result == -EINTR);
}

void aio_init(void)
{
	mm_set_gone(mm_gone);
}

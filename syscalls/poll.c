/* poll.c - waiting for one of many descriptors: poll(2), ppoll(2), select(2), pselect6(2).
 *
 * Both families become an array of entries. The first look at them leaves waiters in the wait queues of the files,
 * until one file is ready or the call does not wait at all; later looks only ask. A file is held for the length of the
 * call, so its wait queues outlive our waiters; but a later look is at what the descriptor says then, as in Linux: one
 * that was closed meanwhile is POLLNVAL, which wakes nobody by itself.
 *
 * Interrupted, poll restarts by restart_syscall with its old deadline; ppoll and the selects restart only when no
 * handler ran, with the time that is left (signal(7), poll_select_finish in Linux).
 *
 * Limits: RLIMIT_NOFILE entries for poll, the size of the descriptor table for select. The answer of poll is written
 * from the first revents to the last in one piece, so a guest that changes its array meanwhile finds its old contents.
 */
#include "syscalls/poll.h"
#include "sentry/abi/poll.h"
#include "sentry/abi/time.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>

#define FEW_ENTRIES     16 /* on the fiber's stack */
#define FEW_WAITERS     8
#define BLOCK_WAITERS   64
#define STICKY_TIMEOUTS 0x4000000u /* personality(2) */
#define SELECT_IN       (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL)
#define SELECT_OUT      (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL)
#define SELECT_EXCEPT   (POLLPRI | POLLNVAL)
#define TIMEOUT_LIMIT_S (1ll << 33) /* beyond that: for ever */

struct poll_entry {
	struct file *file;      /* counted; NULL: not open, or not asked for */
	int32_t fd;             /* negative: not asked for */
	uint32_t events, found; /* POLL* bits asked for, with those that nobody asks for; what holds of them */
};

struct waiter_block {
	struct waiter_block *next;
	struct waiter waiters[BLOCK_WAITERS];
};

/* Our waiters in the files' queues. */
struct poll_table {
	struct poll_wait wait;
	unsigned used;
	bool failed;
	struct waiter few[FEW_WAITERS];
	struct waiter_block *blocks;
	unsigned block_used;
};

/* ------------------------------------------------------------------------------------------------- waiters */

static struct waiter *waiter_take(struct poll_table *table)
{
	if (table->used < FEW_WAITERS)
		return &table->few[table->used++];
	if (!table->blocks || table->block_used == BLOCK_WAITERS) {
		struct waiter_block *block = arena_alloc(sizeof *block);
		if (!block)
			return NULL;
		block->next = table->blocks;
		table->blocks = block;
		table->block_used = 0;
	}
	return &table->blocks->waiters[table->block_used++];
}

static void table_listen(struct poll_wait *wait, struct waitq *queue)
{
	struct poll_table *table = container_of(wait, struct poll_table, wait);
	struct waiter *waiter = waiter_take(table);

	if (!waiter) {
		table->failed = true;
		return;
	}
	waiter_init(waiter);
	waiter->events = wait->events;
	waitq_add(queue, waiter);
}

static void table_end(struct poll_table *table)
{
	struct waiter_block *block;

	for (unsigned i = 0; i < table->used; i++)
		waitq_remove(&table->few[i]);
	while ((block = table->blocks)) {
		for (unsigned i = 0; i < table->block_used; i++)
			waitq_remove(&block->waiters[i]);
		table->blocks = block->next;
		table->block_used = BLOCK_WAITERS;
		arena_free(block, sizeof *block);
	}
}

/* ------------------------------------------------------------------------------------------------- looking */

static uint32_t entry_poll(const struct poll_entry *entry, struct poll_table *table)
{
	if (table)
		table->wait.events = entry->events;
	return file_poll(entry->file, table ? &table->wait : NULL) & entry->events;
}

/* What an entry's descriptor says by now. */
static uint32_t entry_poll_again(const struct task *task, const struct poll_entry *entry)
{
	struct file *file;
	uint32_t found = POLLNVAL;

	if (fd_get(task->files, entry->fd, &file))
		return found;
	if (file->kind != FILE_PATH)
		found = file_poll(file, NULL) & entry->events;
	file_put(file);
	return found;
}

/* How many entries have something. With a table, waiters are left until one has. */
static long entries_look(struct poll_entry *entries, size_t count, struct poll_table *table)
{
	long found = 0;

	for (size_t i = 0; i < count; i++) {
		struct poll_entry *entry = &entries[i];
		if (entry->fd < 0)
			continue;
		entry->found = entry->file ? entry_poll(entry, table) : POLLNVAL;
		if (!entry->found)
			continue;
		found++;
		table = NULL;
	}
	return found;
}

/* The same later on, when waiters are in place. */
static long entries_look_again(const struct task *task, struct poll_entry *entries, size_t count)
{
	long found = 0;

	for (size_t i = 0; i < count; i++) {
		if (entries[i].fd < 0)
			continue;
		entries[i].found = entry_poll_again(task, &entries[i]);
		found += entries[i].found != 0;
	}
	return found;
}

/* PARKS. How many entries have something, 0 at the deadline (0: does not wait), -ENOMEM, -ERESTARTSYS. */
static long entries_wait(const struct task *task, struct poll_entry *entries, size_t count, uint64_t deadline_ns)
{
	struct poll_table table = {.wait = {.listen = table_listen}};
	long found = entries_look(entries, count, deadline_ns ? &table : NULL);

	while (!found && deadline_ns) {
		if (table.failed)
			found = -ENOMEM;
		else if (fiber_interrupted())
			found = -ERESTARTSYS;
		else if (!fiber_park_until(deadline_ns))
			deadline_ns = 0; /* one last look */
		if (!found)
			found = entries_look_again(task, entries, count);
	}
	table_end(&table);
	return found;
}

static void entry_open(struct task *task, struct poll_entry *entry)
{
	struct file *file;

	if (entry->fd < 0 || fd_get(task->files, entry->fd, &file))
		return;
	if (file->kind == FILE_PATH)
		file_put(file); /* no operation but those on the place: as if not open */
	else
		entry->file = file;
}

static void entries_close(struct poll_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (entries[i].file)
			file_put(entries[i].file);
	}
}

/* ------------------------------------------------------------------------------------------------- time and masks */

int poll_deadline(int64_t seconds, int64_t nanoseconds, uint64_t *deadline_ns)
{
	if (seconds < 0 || nanoseconds < 0 || nanoseconds >= (int64_t)NS_PER_S)
		return -EINVAL;
	if (!seconds && !nanoseconds) {
		*deadline_ns = 0;
		return 0;
	}
	clock_refresh();
	*deadline_ns = seconds >= TIMEOUT_LIMIT_S ? DEADLINE_NONE
						  : clock_now_ns() + (uint64_t)seconds * NS_PER_S + nanoseconds;
	return 0;
}

static uint64_t deadline_of_ms(int timeout_ms)
{
	uint64_t deadline_ns = DEADLINE_NONE;

	if (timeout_ms >= 0)
		(void)!poll_deadline(timeout_ms / 1000, timeout_ms % 1000 * 1000000ll, &deadline_ns);
	return deadline_ns;
}

int poll_mask_push(struct task *task, struct uaddr set, uint64_t size)
{
	uint64_t mask;

	if (!set.v)
		return 0;
	if (size != sizeof mask)
		return -EINVAL;
	int error = user_read(task_user(task), &mask, set, sizeof mask);
	if (!error)
		signal_mask_push(task, mask);
	return error;
}

long poll_mask_pop(struct task *task, long result, bool interrupted)
{
	if (task->restore_mask && !interrupted) {
		task->restore_mask = false;
		signal_mask_set(task, task->saved_mask);
	}
	return result;
}

/* Writes what is left of a timeout of the selects and of ppoll. at is where the guest's timespec (timeval) is; 0:
 * nowhere. */
static long finish_timeout(struct task *task, struct uaddr at, bool micro, uint64_t deadline_ns, long result)
{
	if (!at.v)
		return result;
	if (!(task->personality & STICKY_TIMEOUTS)) {
		if (!deadline_ns)
			return result;
		clock_refresh();
		uint64_t left = deadline_ns > clock_now_ns() ? deadline_ns - clock_now_ns() : 0;
		struct abi_timespec time = {left / NS_PER_S, left % NS_PER_S / (micro ? NS_PER_US : 1)};
		/* A timeout in read-only memory stays as it is. */
		if (deadline_ns == DEADLINE_NONE || !user_write(task_user(task), at, &time, sizeof time))
			return result;
	}
	/* The time that has passed would be waited for twice. */
	return result == -ERESTARTNOHAND ? -EINTR : result;
}

/* Reads a timespec that may be missing. */
static int read_timeout(struct task *task, struct uaddr at, uint64_t *deadline_ns)
{
	struct abi_timespec time;

	*deadline_ns = DEADLINE_NONE;
	if (!at.v)
		return 0;
	int error = user_read(task_user(task), &time, at, sizeof time);
	return error ? error : poll_deadline(time.tv_sec, time.tv_nsec, deadline_ns);
}

/* ------------------------------------------------------------------------------------------------- poll */

static int poll_read(struct task *task, struct uaddr fds, struct abi_pollfd *list, struct poll_entry *entries,
		     size_t count)
{
	int error = count ? user_read(task_user(task), list, fds, count * sizeof *list) : 0;

	if (error)
		return error;
	for (size_t i = 0; i < count; i++) {
		entries[i] =
			(struct poll_entry){.fd = list[i].fd, .events = (uint16_t)list[i].events | POLLERR | POLLHUP};
		entry_open(task, &entries[i]);
	}
	return 0;
}

static int poll_write(struct task *task, struct uaddr fds, struct abi_pollfd *list, const struct poll_entry *entries,
		      size_t count)
{
	size_t first = offsetof(struct abi_pollfd, revents);

	for (size_t i = 0; i < count; i++)
		list[i].revents = entries[i].fd < 0 ? 0 : entries[i].found;
	return count ? user_write(task_user(task), uaddr_add(fds, first), (char *)list + first,
				  count * sizeof *list - first)
		     : 0;
}

/* PARKS. The count, -ERESTARTSYS when interrupted, or another error. */
static long poll_with(struct task *task, struct uaddr fds, size_t count, uint64_t deadline_ns)
{
	struct abi_pollfd few_list[FEW_ENTRIES], *list = few_list;
	struct poll_entry few[FEW_ENTRIES], *entries = few;
	long result = -ENOMEM;

	if (count > FEW_ENTRIES) {
		list = arena_alloc(count * sizeof *list);
		entries = arena_alloc(count * sizeof *entries);
	}
	if (list && entries)
		result = poll_read(task, fds, list, entries, count);
	if (!result) {
		result = entries_wait(task, entries, count, deadline_ns);
		entries_close(entries, count);
		int error = result >= 0 ? poll_write(task, fds, list, entries, count) : 0;
		result = error ? error : result;
	}
	if (count > FEW_ENTRIES) {
		arena_free(list, count * sizeof *list);
		arena_free(entries, count * sizeof *entries);
	}
	return result;
}

static bool too_many(const struct task *task, uint64_t count)
{
	return count > process_limit(task->process, RLIMIT_NOFILE) || count > FD_LIMIT;
}

static long poll_until(struct task *task, struct uaddr fds, uint32_t count, uint64_t deadline_ns)
{
	long result = too_many(task, count) ? -EINVAL : poll_with(task, fds, count, deadline_ns);

	if (result != -ERESTARTSYS)
		return result;
	task->restart.kind = RESTART_POLL;
	task->restart.deadline_ns = deadline_ns;
	task->restart.args[0] = fds.v;
	task->restart.args[1] = count;
	return -ERESTART_RESTARTBLOCK;
}

long poll_restart(struct task *task)
{
	return poll_until(task, UADDR(task->restart.args[0]), task->restart.args[1], task->restart.deadline_ns);
}

long sys_poll(struct task *task, struct uaddr fds, uint32_t count, int timeout_ms)
{
	return poll_until(task, fds, count, deadline_of_ms(timeout_ms));
}

long sys_ppoll(struct task *task, struct uaddr fds, uint32_t count, struct uaddr timeout, struct uaddr mask,
	       uint64_t mask_size)
{
	uint64_t deadline_ns;
	int error = read_timeout(task, timeout, &deadline_ns);

	if (!error)
		error = poll_mask_push(task, mask, mask_size);
	if (error)
		return error;
	long result = too_many(task, count) ? -EINVAL : poll_with(task, fds, count, deadline_ns);
	if (result == -ERESTARTSYS)
		result = -ERESTARTNOHAND;
	result = poll_mask_pop(task, result, result == -ERESTARTNOHAND);
	return finish_timeout(task, timeout, false, deadline_ns, result);
}

/* ------------------------------------------------------------------------------------------------- select */

/* The three sets: in, out, except. */
struct sets {
	struct uaddr at[3];
	uint64_t *bits[3]; /* arena_alloc(bytes) each; NULL: the guest gave none */
	size_t bytes;
	uint32_t limit; /* one more than the highest descriptor that is looked at */
};

static const uint32_t set_events[3] = {SELECT_IN, SELECT_OUT, SELECT_EXCEPT};

static void sets_free(struct sets *sets)
{
	for (int i = 0; i < 3; i++)
		arena_free(sets->bits[i], sets->bits[i] ? sets->bytes : 0);
}

static int sets_read(struct task *task, struct sets *sets)
{
	int error = 0;

	for (int i = 0; i < 3 && !error && sets->bytes; i++) {
		if (!sets->at[i].v)
			continue;
		sets->bits[i] = arena_alloc(sets->bytes);
		error = sets->bits[i] ? user_read(task_user(task), sets->bits[i], sets->at[i], sets->bytes) : -ENOMEM;
	}
	return error;
}

static int sets_write(struct task *task, const struct sets *sets)
{
	int error = 0;

	for (int i = 0; i < 3 && !error; i++) {
		if (sets->bits[i])
			error = user_write(task_user(task), sets->at[i], sets->bits[i], sets->bytes);
	}
	return error;
}

static bool set_has(const struct sets *sets, int which, uint32_t fd)
{
	return sets->bits[which] && sets->bits[which][fd / 64] >> fd % 64 & 1;
}

/* An entry for each descriptor that is in a set. Returns how many, or -EBADF. */
static long sets_to_entries(struct task *task, const struct sets *sets, uint32_t limit, struct poll_entry *entries)
{
	long count = 0;

	for (uint32_t fd = 0; fd < limit; fd++) {
		uint32_t events = 0;
		for (int i = 0; i < 3; i++)
			events |= set_has(sets, i, fd) ? set_events[i] : 0;
		if (!events)
			continue;
		struct poll_entry *entry = &entries[count];
		*entry = (struct poll_entry){.fd = fd, .events = events};
		entry_open(task, entry);
		if (!entry->file) {
			entries_close(entries, count);
			return -EBADF;
		}
		count++;
	}
	return count;
}

/* The sets become the answer. Returns how many bits are set in all three. */
static long entries_to_sets(const struct poll_entry *entries, size_t count, struct sets *sets)
{
	long bits = 0;

	for (size_t at = 0; at < count; at++) {
		uint32_t fd = entries[at].fd;
		for (int i = 0; i < 3; i++) {
			if (!set_has(sets, i, fd))
				continue;
			if (entries[at].found & set_events[i])
				bits++;
			else
				sets->bits[i][fd / 64] &= ~(1ull << fd % 64);
		}
	}
	/* Sets are whole words: what lies behind the last descriptor in its word is not in the answer either. */
	for (int i = 0; i < 3 && sets->limit % 64; i++)
		if (sets->bits[i])
			sets->bits[i][sets->limit / 64] &= (1ull << sets->limit % 64) - 1;
	return bits;
}

/* PARKS. limit: one more than the highest descriptor. The count, -ERESTARTSYS, or another error. */
static long select_with(struct task *task, struct sets *sets, uint32_t limit, uint64_t deadline_ns)
{
	size_t bytes = limit * sizeof(struct poll_entry);
	struct poll_entry few[FEW_ENTRIES], *entries = few;
	long count, result = sets_read(task, sets);

	if (result)
		return result;
	if (limit > FEW_ENTRIES)
		entries = arena_alloc(bytes);
	if (!entries)
		return -ENOMEM;
	result = count = sets_to_entries(task, sets, limit, entries);
	if (count >= 0) {
		result = entries_wait(task, entries, count, deadline_ns);
		entries_close(entries, count);
		if (result >= 0)
			result = entries_to_sets(entries, count, sets);
		int error = result >= 0 ? sets_write(task, sets) : 0;
		result = error ? error : result;
	}
	if (limit > FEW_ENTRIES)
		arena_free(entries, bytes);
	return result;
}

/* select's own part: descriptors beyond the table are not looked at, as in Linux. */
static long select_until(struct task *task, int count, const struct uaddr at[3], uint64_t deadline_ns)
{
	struct sets sets = {.at = {at[0], at[1], at[2]}};

	if (count < 0)
		return -EINVAL;
	uint32_t limit = MIN((uint32_t)count, task->files->size);
	sets.bytes = (limit + 63) / 64 * 8;
	sets.limit = limit;
	long result = select_with(task, &sets, limit, deadline_ns);
	sets_free(&sets);
	return result == -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

long sys_select(struct task *task, int count, struct uaddr in, struct uaddr out, struct uaddr except,
		struct uaddr timeout)
{
	uint64_t deadline_ns = DEADLINE_NONE;
	struct abi_timeval time;
	int error = 0;

	if (timeout.v) {
		error = user_read(task_user(task), &time, timeout, sizeof time);
		/* More than a second of microseconds is allowed here. */
		if (!error && (time.tv_sec < 0 || time.tv_usec < 0))
			error = -EINVAL;
		if (!error && time.tv_sec < TIMEOUT_LIMIT_S)
			error = poll_deadline(time.tv_sec + time.tv_usec / 1000000, time.tv_usec % 1000000 * 1000,
					      &deadline_ns);
		if (error)
			return error;
	}
	long result = select_until(task, count, (struct uaddr[]){in, out, except}, deadline_ns);
	return finish_timeout(task, timeout, true, deadline_ns, result);
}

/* The sixth argument of pselect6 points to the mask's address and size. */
struct mask_argument {
	uint64_t set, size;
};

long sys_pselect6(struct task *task, int count, struct uaddr in, struct uaddr out, struct uaddr except,
		  struct uaddr timeout, struct uaddr mask)
{
	struct mask_argument argument = {0};
	uint64_t deadline_ns;
	int error = mask.v ? user_read(task_user(task), &argument, mask, sizeof argument) : 0;

	if (!error)
		error = read_timeout(task, timeout, &deadline_ns);
	if (!error)
		error = poll_mask_push(task, UADDR(argument.set), argument.size);
	if (error)
		return error;
	long result = select_until(task, count, (struct uaddr[]){in, out, except}, deadline_ns);
	result = poll_mask_pop(task, result, result == -ERESTARTNOHAND);
	return finish_timeout(task, timeout, false, deadline_ns, result);
}

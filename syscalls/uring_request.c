/* uring_request.c - how a request of io_uring begins, runs, ends, and is cancelled.
 *
 * Most operations run on the submitter's own fiber, inside io_uring_enter(2), as Linux does. One whose file is not
 * ready listens to the file (POLLING) and tries again later; one that may wait for something else, or that tries again,
 * runs on a worker: a fiber with a task of its own that has everything in common with the submitter but its thread of
 * guest code (as PF_IO_WORKER threads of Linux). Its task has a number, but nobody finds it. A submitter waits for its
 * workers before its files and memory go (run_leave): so they borrow it.
 *
 * Chains: the requests behind IOSQE_IO_LINK begin when the one before has succeeded; a failure cancels the rest.
 * IOSQE_IO_DRAIN: the request waits in ring->held until everything before it has ended, and what comes after waits
 * behind it.
 *
 * Files are put by a loop, not by recursion: the end of a file may end another ring's requests.
 *
 * Limits: URING_REQUEST_LIMIT requests and URING_WORKER_LIMIT workers in a sandbox. A request that needs a worker waits
 * for one; so 512 operations that wait for each other's successors wait for ever, or until they are cancelled.
 */
#include "fs/eventfd.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "syscalls/uring.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

#define SQE_FLAGS_KNOWN                                                                                                \
	(IOSQE_FIXED_FILE | IOSQE_IO_DRAIN | IOSQE_IO_LINK | IOSQE_IO_HARDLINK | IOSQE_ASYNC | IOSQE_CQE_SKIP_SUCCESS)

static struct slab request_slab = SLAB(uring_request);
static uint32_t request_total, worker_total;
static struct list worker_queue = LIST_INIT(worker_queue); /* QUEUED: state_node */

static int data_compare(const struct uring_request *a, const struct uring_request *b)
{
	if (a->sqe.user_data != b->sqe.user_data)
		return a->sqe.user_data < b->sqe.user_data ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}
TREE_GENERATE(uring_tree, uring_request, data_node, data_compare)

struct uring_request *uring_find(struct uring *ring, uint64_t user_data)
{
	struct uring_request key = {.sqe.user_data = user_data};
	struct uring_request *found = RB_NFIND(uring_tree, &ring->by_data, &key);

	return found && found->sqe.user_data == user_data ? found : NULL;
}

struct uring_request *uring_next(struct uring_request *request)
{
	return RB_NEXT(uring_tree, &request->ring->by_data, request);
}

void uring_rekey(struct uring_request *request, uint64_t user_data)
{
	RB_REMOVE(uring_tree, &request->ring->by_data, request);
	request->sqe.user_data = user_data;
	RB_INSERT(uring_tree, &request->ring->by_data, request);
}

/* ------------------------------------------------------------------------------------------------ making, freeing */

static struct uring_request *request_new(struct uring *ring, struct task *owner)
{
	struct uring_request *request = request_total < URING_REQUEST_LIMIT ? slab_new(&request_slab) : NULL;

	if (!request)
		return NULL;
	request_total++;
	ring->refs++;
	request->ring = ring;
	request->owner = owner;
	request->sequence = ++ring->sequence;
	list_init(&request->state_node);
	list_init(&request->timeout_node);
	list_push_back(&ring->requests, &request->ring_node);
	list_push_back(&owner->async.requests, &request->owner_node);
	RB_INSERT(uring_tree, &ring->by_data, request); /* user_data is 0 so far */
	timer_setup(&request->timer, TIMER_URING);
	return request;
}

/* The end of a file may end other requests, whose files are put in turn: one after the other. */
static void file_put_later(struct file *file)
{
	static struct file *waiting[URING_REQUEST_LIMIT];
	static uint32_t count;
	static bool busy;

	assert(count < COUNT(waiting));
	waiting[count++] = file;
	if (busy)
		return;
	busy = true;
	while (count)
		file_put(waiting[--count]);
	busy = false;
}

static void request_free(struct uring_request *request)
{
	struct uring *ring = request->ring;
	struct task *owner = request->owner;

	uring_poll_disarm(request);
	timer_disarm(&request->timer);
	if (request->timed)
		request->timed->timed = NULL;
	list_remove(&request->timeout_node);
	list_remove(&request->state_node);
	list_remove(&request->ring_node);
	list_remove(&request->owner_node);
	RB_REMOVE(uring_tree, &ring->by_data, request);
	for (unsigned i = 0; i < COUNT(request->paths); i++)
		if (request->paths[i])
			arena_string_free(request->paths[i]);
	if (request->parts && request->parts != &request->part)
		arena_free(request->parts, request->part_count * sizeof *request->parts);
	if (request->cred)
		cred_put(request->cred);
	struct file *file = request->file;
	slab_free(&request_slab, request);
	waitq_wake(&owner->async.wait, 0);
	if (file)
		file_put_later(file);
	request_total--;
	uring_put(ring);
}

/* ------------------------------------------------------------------------------------------------ ending */

static void count_begun(struct uring_request *request)
{
	if (!request->began)
		request->ring->begun++;
	request->began = true;
}

static bool has_failed(const struct uring_request *request, long result)
{
	if (result == -ETIME && uring_op_is(request, IORING_OP_TIMEOUT) &&
	    request->sqe.timeout_flags & IORING_TIMEOUT_ETIME_SUCCESS)
		return false;
	return result < 0 || request->short_transfer;
}

static void post_last(struct uring_request *request, long result)
{
	bool timeout = uring_op_is(request, IORING_OP_TIMEOUT);

	if (result >= 0 && !request->short_transfer && request->sqe.flags & IOSQE_CQE_SKIP_SUCCESS)
		return;
	uring_post(request->ring, request->sqe.user_data, result, 0, request->at_once);
	if (!timeout)
		request->ring->posted++;
}

void uring_post_more(struct uring_request *request, long result)
{
	uring_post(request->ring, request->sqe.user_data, result, IORING_CQE_F_MORE, false);
	request->ring->posted++;
	uring_timeouts_count(request->ring);
}

/* What has not begun never will. */
static void cancel_rest(struct uring_request *request)
{
	while (request) {
		struct uring_request *next = request->next;
		post_last(request, -ECANCELED);
		request_free(request);
		request = next;
	}
}

/* The timeout that limited it, armed or still in the chain, has nothing to limit any more. */
static void end_limit(struct uring_request *request)
{
	struct uring_request *limit = request->timed, *next = request->next;

	if (limit) {
		request->timed = limit->timed = NULL;
		if (!uring_op_is(request, IORING_OP_LINK_TIMEOUT)) {
			uring_timeout_disarm(limit);
			uring_complete(limit, -ECANCELED);
		}
	}
	if (next && uring_op_is(next, IORING_OP_LINK_TIMEOUT)) {
		request->next = next->next;
		post_last(next, -ECANCELED);
		request_free(next);
	}
}

static int hand_over(struct uring_request *request);

/* What IOSQE_IO_DRAIN has held back. */
static void held_begin(struct uring *ring)
{
	if (ring->releasing) /* further up in this very stack */
		return;
	ring->releasing = true;
	while (!list_empty(&ring->held) && !ring->draining) {
		struct uring_request *request = list_first(&ring->held, struct uring_request, state_node);
		bool drains = request->sqe.flags & IOSQE_IO_DRAIN;
		if (drains && ring->begun)
			break;
		list_remove(&request->state_node);
		ring->draining = drains;
		count_begun(request);
		uring_hand_over(request);
	}
	ring->releasing = false;
}

/* The next of the chain, which is to begin now. */
static struct uring_request *finish(struct uring_request *request, long result)
{
	struct uring *ring = request->ring;
	bool drained = request->sqe.flags & IOSQE_IO_DRAIN && request->began;
	bool began = request->began;

	ring->refs++;
	end_limit(request);
	struct uring_request *next = request->next;
	bool stop = has_failed(request, result) && !(request->sqe.flags & IOSQE_IO_HARDLINK);
	post_last(request, result);
	request->next = NULL;
	request_free(request);
	if (next && stop) {
		cancel_rest(next);
		next = NULL;
	}
	if (next)
		count_begun(next);
	if (began)
		ring->begun--;
	if (drained)
		ring->draining = false;
	uring_timeouts_count(ring);
	held_begin(ring);
	uring_put(ring);
	return next;
}

/* A chain may be long, and each may fail for want of a worker: a loop, no recursion. */
void uring_complete(struct uring_request *request, long result)
{
	while (request) {
		request = finish(request, result);
		result = request ? hand_over(request) : 0;
		if (!result)
			break;
	}
}

/* ------------------------------------------------------------------------------------------------ running */

/* Interrupted calls do not restart here: the submitter may submit again. */
static long plain_result(const struct uring_request *request, long result)
{
	if (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK)
		return request->cancelled ? -ECANCELED : -EINTR;
	return result;
}

/* One try: a result, or URING_PENDING. */
static long attempt(struct task *task, struct uring_request *request, bool worker)
{
	uint32_t ready = 0;
	long result;

	count_begun(request);
	request->state = URING_RUNNING;
	request->worker = worker ? fiber_current() : NULL;
	if (request->cancelled)
		return -ECANCELED;
	if (uring_op_has_file(request) && !request->file) {
		result = uring_file_get(task, request->ring, request->sqe.flags & IOSQE_FIXED_FILE, request->sqe.fd,
					&request->file);
		if (result)
			return result;
	}
	if (!worker && uring_op_wants_worker(request)) {
		uring_hand_over(request);
		return URING_PENDING;
	}
	request->may_wait = worker && uring_op_wants_worker(request);
	for (unsigned tries = 0; tries < 2; tries++) {
		result = plain_result(request, uring_op_run(task, request));
		if (result != URING_AGAIN)
			return result;
		int error = uring_poll_arm(request, request->poll_events, false, &ready);
		if (error)
			return error;
		if (!ready)
			return URING_PENDING;
		if (request->cancelled)
			return -ECANCELED;
	}
	/* The file says that it is ready and then is not: a worker may wait for it. */
	if (request->may_wait)
		return -EAGAIN;
	request->sqe.flags |= IOSQE_ASYNC;
	uring_hand_over(request);
	return URING_PENDING;
}

void uring_run(struct task *task, struct uring_request *request)
{
	bool worker = !task->uthread;

	while (request) {
		request->at_once = !worker;
		long result = attempt(task, request, worker);
		if (result == URING_PENDING)
			return;
		request = finish(request, result);
	}
}

static void worker_free(struct task *task)
{
	struct mm *mm = task->mm;

	task->mm = NULL;
	task_put(task);
	mm_put(mm);
}

static void worker_main(void *argument)
{
	struct uring_request *request = argument;
	struct task *task = request->runner, *owner = request->owner;

	request->runner = NULL;
	task->fiber = fiber_current();
	fiber_owner_set(fiber_current(), task);
	uring_run(task, request);
	fiber_owner_set(fiber_current(), NULL);
	worker_free(task);
	worker_total--;
	owner->async.workers--;
	waitq_wake(&owner->async.wait, 0);
	if (!list_empty(&worker_queue)) {
		request = list_first(&worker_queue, struct uring_request, state_node);
		list_remove(&request->state_node);
		uring_hand_over(request);
	}
}

/* A task that has everything of the owner's but a thread of guest code. */
static int worker_new(struct uring_request *request, struct task **out)
{
	const struct task *owner = request->owner;
	struct task *task;
	int error = task_alloc(&task);

	if (error)
		return error;
	process_get(owner->process);
	task->process = owner->process;
	mm_get(owner->mm);
	task->mm = owner->mm;
	fdtable_get(owner->files);
	task->files = owner->files;
	fs_context_get(owner->fs);
	task->fs = owner->fs;
	sighand_get(owner->sighand);
	task->sighand = owner->sighand;
	task->cred = request->cred ? request->cred : owner->cred;
	cred_get(task->cred);
	task->blocked = ~0ull;
	task->no_new_privs = owner->no_new_privs;
	memcpy(task->comm, owner->comm, sizeof task->comm);
	*out = task;
	return 0;
}

static int worker_start(struct uring_request *request)
{
	struct fiber *fiber;
	struct task *task;
	int error = worker_new(request, &task);

	if (error)
		return error;
	error = fiber_new(worker_main, request, &fiber);
	if (error) {
		worker_free(task);
		return error;
	}
	request->runner = task;
	request->worker = fiber;
	request->owner->async.workers++;
	worker_total++;
	return 0;
}

static int hand_over(struct uring_request *request)
{
	int error = 0;

	request->at_once = false;
	count_begun(request);
	if (worker_total >= URING_WORKER_LIMIT) {
		request->state = URING_QUEUED;
		list_push_back(&worker_queue, &request->state_node);
	} else {
		request->state = URING_RUNNING;
		error = worker_start(request);
	}
	if (!error)
		uring_limit_arm(request);
	return error;
}

void uring_hand_over(struct uring_request *request)
{
	int error = hand_over(request);

	if (error)
		uring_complete(request, error);
}

/* ------------------------------------------------------------------------------------------------ cancelling */

int uring_cancel(struct uring_request *request)
{
	request->cancelled = true;
	switch (request->state) {
	case URING_LINKED:
		if (list_empty(&request->state_node))
			return -ENOENT;
		break;
	case URING_RUNNING:
		if (request->worker)
			fiber_interrupt(request->worker);
		return -EALREADY;
	case URING_QUEUED:
		break;
	case URING_POLLING:
		uring_poll_disarm(request);
		break;
	case URING_TIMED:
		uring_timeout_disarm(request);
		break;
	}
	list_remove(&request->state_node);
	uring_complete(request, -ECANCELED);
	return 0;
}

static unsigned list_length(const struct list *list)
{
	unsigned length = 0;

	for (const struct list *node = list->next; node != list; node = node->next)
		length++;
	return length;
}

/* Each is visited once, wherever the end of one may take others along. */
void uring_cancel_all(struct uring *ring)
{
	for (unsigned left = list_length(&ring->requests); left && !list_empty(&ring->requests); left--) {
		struct uring_request *request = list_first(&ring->requests, struct uring_request, ring_node);
		list_remove(&request->ring_node);
		list_push_back(&ring->requests, &request->ring_node);
		(void)uring_cancel(request);
	}
}

static void leave(struct task *task)
{
	struct list *all = &task->async.requests;

	if (list_empty(all) && !task->async.workers)
		return;
	for (unsigned left = list_length(all); left && !list_empty(all); left--) {
		struct uring_request *request = list_first(all, struct uring_request, owner_node);
		list_remove(&request->owner_node);
		list_push_back(all, &request->owner_node);
		(void)uring_cancel(request);
	}
	(void)!WAIT_EVENT_DEAF(&task->async.wait, list_empty(all) && !task->async.workers);
}

/* ------------------------------------------------------------------------------------------------ submitting */

static int personality_take(struct uring_request *request)
{
	uint32_t id = request->sqe.personality;

	if (!id)
		return 0;
	if (id > URING_PERSONALITIES || !request->ring->personalities[id - 1])
		return -EINVAL;
	request->cred = request->ring->personalities[id - 1];
	cred_get(request->cred);
	return 0;
}

static int request_prepare(struct task *task, struct uring_request *request)
{
	if (!uring_op_known(request->sqe.opcode) || request->sqe.flags & ~SQE_FLAGS_KNOWN)
		return -EINVAL;
	int error = personality_take(request);
	return error ? error : uring_op_prepare(task, request);
}

/* A chain that is being put together. */
struct chain {
	struct uring_request *head, *tail;
	bool broken; /* one of it could not be prepared: none begins */
};

static void chain_fail(struct chain *chain)
{
	struct uring_request *request = chain->head;

	while (request) {
		struct uring_request *next = request->next;
		post_last(request, request->error ? request->error : -ECANCELED);
		request_free(request);
		request = next;
	}
}

static void chain_begin(struct task *task, struct uring *ring, struct chain *chain)
{
	struct uring_request *head = chain->head;

	if (!head)
		return;
	bool drains = head->sqe.flags & IOSQE_IO_DRAIN;
	if (chain->broken) {
		chain_fail(chain);
	} else if (ring->draining || !list_empty(&ring->held) || (drains && ring->begun)) {
		list_push_back(&ring->held, &head->state_node);
	} else {
		ring->draining = drains;
		uring_run(task, head);
	}
	*chain = (struct chain){0};
}

static void chain_add(struct chain *chain, struct uring_request *request)
{
	if (chain->tail) {
		chain->tail->next = request;
		chain->head->sqe.flags |= request->sqe.flags & IOSQE_IO_DRAIN;
	} else {
		chain->head = request;
	}
	chain->tail = request;
}

long uring_submit(struct task *task, struct uring *ring, uint32_t count)
{
	struct chain chain = {0};
	long done = 0;
	bool stop = false;

	ring->work = 0;
	count = MIN(count, uring_submissions(ring));
	while (done < count && !stop && ring->work < URING_WORK_LIMIT) {
		struct io_uring_sqe sqe;
		struct uring_request *request = request_new(ring, task);
		if (!request) {
			done = done ? done : -EAGAIN;
			break;
		}
		if (!uring_take(ring, &sqe)) {
			request_free(request);
			break;
		}
		done++;
		uring_rekey(request, sqe.user_data);
		request->sqe = sqe;
		request->error = request_prepare(task, request);
		if (!request->error && uring_op_is(request, IORING_OP_LINK_TIMEOUT) && !chain.head)
			request->error = -EINVAL;
		chain.broken |= request->error != 0;
		stop = request->error && !(ring->flags & IORING_SETUP_SUBMIT_ALL);
		chain_add(&chain, request);
		if (!(sqe.flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK)))
			chain_begin(task, ring, &chain);
	}
	chain_begin(task, ring, &chain);
	return done;
}

void uring_request_init(void)
{
	run_set_leave(leave);
}

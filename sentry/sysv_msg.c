/* sysv_msg.c - message queues (msgget(2), msgop(2), msgctl(2)).
 *
 * Senders and receivers wait on one queue of waiters and look again when something was put in, taken out or removed.
 *
 * Limits: SYSV_MSG_LIMIT queues of SYSV_MSG_QUEUE_BYTES (root may set more, up to QUEUE_BYTES_MOST)
 * and messages of SYSV_MSG_BYTES; no MSG_COPY.
 */
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/sysv.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/msg.h>

#define QUEUE_BYTES_MOST (1u << 20) /* what IPC_SET may ask for with CAP_SYS_RESOURCE */

struct message {
	struct list node;
	int64_t type;
	size_t size;
	char data[];
};

struct msg_queue {
	struct sysv_object object;
	struct list messages;
	uint64_t bytes, count, limit_bytes;
	int32_t last_sender, last_receiver;
	int64_t stime, rtime;
	struct waitq wait;
};

static struct slab msg_queue_slab = SLAB(msg_queue);
static uint64_t total_bytes; /* of messages that exist, in queues or on their way */

static struct msg_queue *queue_of(struct sysv_object *object)
{
	return container_of(object, struct msg_queue, object);
}

static void message_free(struct message *message)
{
	list_remove(&message->node);
	total_bytes -= sizeof *message + message->size;
	arena_free(message, sizeof *message + message->size);
}

static void queue_free(struct sysv_object *object)
{
	struct msg_queue *queue = queue_of(object);
	struct message *message, *after;

	list_for_each_safe (message, after, &queue->messages, node)
		message_free(message);
	slab_free(&msg_queue_slab, queue);
}

static void queue_show(const struct sysv_object *object, struct text *out)
{
	const struct msg_queue *queue = queue_of((struct sysv_object *)object);

	text_printf(out, "%10d %10d  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u %10ld %10ld %10ld\n", object->key,
		    object->id, object->mode, queue->bytes, queue->count, queue->last_sender, queue->last_receiver,
		    object->uid, object->gid, object->cuid, object->cgid, queue->stime, queue->rtime, object->ctime);
}

void msg_init(void)
{
	static const struct sysv_kind kind = {
		.limit = SYSV_MSG_LIMIT,
		.free = queue_free,
		.heading =
			"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      "
			"stime      rtime      ctime\n",
		.show = queue_show};

	sysv_kind_register(SYSV_MSG, &kind);
}

long msg_get(struct task *task, int32_t key, int flags)
{
	struct sysv_object *object;
	int error = sysv_find_key(task, SYSV_MSG, key, flags, &object);

	if (error)
		return error;
	if (object)
		return object->id;
	struct msg_queue *queue = slab_new(&msg_queue_slab);
	if (!queue)
		return -ENOMEM;
	list_init(&queue->messages);
	waitq_init(&queue->wait);
	queue->limit_bytes = SYSV_MSG_QUEUE_BYTES;
	int id = sysv_add(task, &queue->object, SYSV_MSG, key, flags);
	if (id < 0)
		slab_free(&msg_queue_slab, queue);
	return id;
}

/* ------------------------------------------------------------------------------------------------ sending */

static bool has_room(const struct msg_queue *queue, size_t size)
{
	return queue->bytes + size <= queue->limit_bytes && queue->count + 1 <= queue->limit_bytes;
}

/* PARKS. The queue is held by the caller. 0: there is room. */
static long wait_for_room(struct msg_queue *queue, size_t size, int flags)
{
	while (!has_room(queue, size)) {
		struct waiter waiter;
		if (flags & IPC_NOWAIT)
			return -EAGAIN;
		waiter_init(&waiter);
		waitq_add(&queue->wait, &waiter);
		int error = waiter_wait(&waiter, DEADLINE_NONE);
		waitq_remove(&waiter);
		if (queue->object.removed)
			return -EIDRM;
		if (error)
			return -ERESTARTNOHAND;
	}
	return 0;
}

static void put_in(struct task *task, struct msg_queue *queue, struct message *message)
{
	list_push_back(&queue->messages, &message->node);
	queue->bytes += message->size;
	queue->count++;
	queue->last_sender = task->process->pid;
	queue->stime = fs_time_now().s;
	waitq_wake(&queue->wait, 0);
}

long msg_send(struct task *task, int32_t id, struct uaddr at, uint64_t size, int flags)
{
	struct sysv_object *object;
	int64_t type;

	if (size > SYSV_MSG_BYTES || id < 0)
		return -EINVAL;
	if (user_read(task_user(task), &type, at, sizeof type))
		return -EFAULT;
	if (type < 1)
		return -EINVAL;
	if (total_bytes > SYSV_MSG_TOTAL_BYTES)
		return -ENOMEM;
	struct message *message = arena_alloc(sizeof *message + size);
	if (!message)
		return -ENOMEM;
	total_bytes += sizeof *message + size;
	list_init(&message->node);
	message->type = type;
	message->size = size;
	long result = user_read(task_user(task), message->data, uaddr_add(at, sizeof type), size);
	if (!result)
		result = sysv_find(SYSV_MSG, id, &object);
	if (!result)
		result = sysv_permission(task, object, 0200);
	if (!result) {
		ref_get(&object->ref);
		result = wait_for_room(queue_of(object), size, flags);
		if (!result)
			put_in(task, queue_of(object), message);
		sysv_put(object);
	}
	if (result)
		message_free(message);
	return result;
}

/* ------------------------------------------------------------------------------------------------ receiving */

static struct message *pick(struct msg_queue *queue, int64_t type, int flags)
{
	struct message *message, *best = NULL;
	int64_t most = type == INT64_MIN ? INT64_MAX : -type;

	list_for_each (message, &queue->messages, node) {
		if (!type)
			return message;
		if (type > 0 && (message->type == type) != !!(flags & MSG_EXCEPT))
			return message;
		if (type < 0 && message->type <= most && (!best || message->type < best->type))
			best = message;
	}
	return best;
}

/* PARKS. The queue is held by the caller. Takes a message out of the queue, gives it. */
static long take_out(struct task *task, struct msg_queue *queue, uint64_t size, int64_t type, int flags,
		     struct message **out)
{
	struct message *message;

	while (!(message = pick(queue, type, flags))) {
		struct waiter waiter;
		if (flags & IPC_NOWAIT)
			return -ENOMSG;
		waiter_init(&waiter);
		waitq_add(&queue->wait, &waiter);
		int error = waiter_wait(&waiter, DEADLINE_NONE);
		waitq_remove(&waiter);
		if (queue->object.removed)
			return -EIDRM;
		if (error)
			return -ERESTARTNOHAND;
	}
	if (message->size > size && !(flags & MSG_NOERROR))
		return -E2BIG;
	list_remove(&message->node);
	queue->bytes -= message->size;
	queue->count--;
	queue->last_receiver = task->process->pid;
	queue->rtime = fs_time_now().s;
	waitq_wake(&queue->wait, 0);
	*out = message;
	return 0;
}

/* MSG_COPY: the message of that place in the queue, which stays there. Gives a copy. */
static long copy_out(const struct msg_queue *queue, uint64_t size, int64_t place, int flags, struct message **out)
{
	struct message *message;

	list_for_each (message, &queue->messages, node) {
		if (place--)
			continue;
		if (message->size > size) /* a copy is never cut short */
			return flags & MSG_NOERROR ? -EINVAL : -E2BIG;
		size_t bytes = sizeof *message + message->size;
		struct message *copy = total_bytes > SYSV_MSG_TOTAL_BYTES ? NULL : arena_alloc(bytes);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, message, bytes);
		list_init(&copy->node);
		total_bytes += bytes;
		*out = copy;
		return 0;
	}
	return -ENOMSG;
}

long msg_receive(struct task *task, int32_t id, struct uaddr at, uint64_t size, int64_t type, int flags)
{
	struct sysv_object *object;
	struct message *message = NULL;

	if (id < 0 || size > INT64_MAX)
		return -EINVAL;
	if (flags & MSG_COPY && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	long result = sysv_find(SYSV_MSG, id, &object);
	if (!result)
		result = sysv_permission(task, object, 0400);
	if (result)
		return result;
	ref_get(&object->ref);
	result = flags & MSG_COPY ? copy_out(queue_of(object), size, type, flags, &message)
				  : take_out(task, queue_of(object), size, type, flags, &message);
	sysv_put(object);
	if (result)
		return result;
	size_t given = MIN(message->size, size);
	result = user_write(task_user(task), at, &message->type, sizeof message->type);
	if (!result)
		result = user_write(task_user(task), uaddr_add(at, sizeof message->type), message->data, given);
	message_free(message);
	return result ? result : (long)given;
}

/* ------------------------------------------------------------------------------------------------ msgctl */

static long info(struct task *task, int command, struct uaddr buffer)
{
	int highest;
	unsigned count = sysv_count(SYSV_MSG, &highest);
	struct sysv_object *object;
	struct msginfo out = {.msgpool = SYSV_MSG_LIMIT * (SYSV_MSG_QUEUE_BYTES / 1024),
			      .msgmap = SYSV_MSG_QUEUE_BYTES,
			      .msgmax = SYSV_MSG_BYTES,
			      .msgmnb = SYSV_MSG_QUEUE_BYTES,
			      .msgmni = SYSV_MSG_LIMIT,
			      .msgssz = 16,
			      .msgtql = SYSV_MSG_QUEUE_BYTES,
			      .msgseg = 0xffff};

	if (command == MSG_INFO) {
		out.msgpool = (int)count;
		out.msgmap = out.msgtql = 0;
		for (int slot = 0; slot <= highest; slot++)
			if (!sysv_find_slot(SYSV_MSG, slot, &object)) {
				out.msgmap += (int)queue_of(object)->count;
				out.msgtql += (int)queue_of(object)->bytes;
			}
	}
	int error = user_write(task_user(task), buffer, &out, sizeof out);
	return error ? error : highest;
}

static long msg_status(struct task *task, const struct msg_queue *queue, bool by_slot, struct uaddr buffer)
{
	struct msqid_ds out = {.msg_stime = queue->stime,
			       .msg_rtime = queue->rtime,
			       .msg_ctime = queue->object.ctime,
			       .__msg_cbytes = queue->bytes,
			       .msg_qnum = queue->count,
			       .msg_qbytes = queue->limit_bytes,
			       .msg_lspid = queue->last_sender,
			       .msg_lrpid = queue->last_receiver};
	int32_t id = queue->object.id;

	sysv_perm_get(&queue->object, &out.msg_perm);
	int error = user_write(task_user(task), buffer, &out, sizeof out);
	return error ? error : by_slot ? id : 0;
}

/* The queue is held by the caller. */
static long msg_change(struct task *task, struct msg_queue *queue, int command, struct uaddr buffer)
{
	struct msqid_ds wanted;
	int error = command == IPC_SET ? user_read(task_user(task), &wanted, buffer, sizeof wanted) : 0;

	if (!error && queue->object.removed)
		error = -EIDRM;
	if (!error)
		error = sysv_may_change(task, &queue->object);
	if (error)
		return error;
	if (command == IPC_SET) {
		if (wanted.msg_qbytes > SYSV_MSG_QUEUE_BYTES && !cred_capable(task->cred, CAP_SYS_RESOURCE))
			return -EPERM;
		queue->limit_bytes = MIN(wanted.msg_qbytes, (uint64_t)QUEUE_BYTES_MOST);
		sysv_perm_set(&queue->object, &wanted.msg_perm);
	} else {
		sysv_remove(&queue->object);
	}
	waitq_wake(&queue->wait, 0);
	return 0;
}

long msg_control(struct task *task, int32_t id, int command, struct uaddr buffer)
{
	bool by_slot = command == MSG_STAT || command == MSG_STAT_ANY;
	struct sysv_object *object;
	long result = -EINVAL;

	if (id < 0 || command < 0)
		return -EINVAL;
	if (command == IPC_INFO || command == MSG_INFO)
		return info(task, command, buffer);
	int error = by_slot ? sysv_find_slot(SYSV_MSG, id, &object) : sysv_find(SYSV_MSG, id, &object);
	if (error)
		return error;
	ref_get(&object->ref);
	switch (command) {
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		result = command == MSG_STAT_ANY ? 0 : sysv_permission(task, object, 0400);
		if (!result)
			result = msg_status(task, queue_of(object), by_slot, buffer);
		break;
	case IPC_SET:
	case IPC_RMID:
		result = msg_change(task, queue_of(object), command, buffer);
		break;
	}
	sysv_put(object);
	return result;
}

/* mqueue.h - POSIX message queues (mq_overview(7)): named queues of messages with priorities, open as files. */
#ifndef SENTRY_MQUEUE_H
#define SENTRY_MQUEUE_H

#include "sentry/task.h"

/* struct mq_attr as Linux x86-64 has it. */
struct abi_mq_attr {
	int64_t flags, message_limit, message_bytes, messages, reserved[4];
};
_Static_assert(sizeof(struct abi_mq_attr) == 64, "struct mq_attr");

void mqueue_init(void); /* once, by task_system_init */

/* mq_open(2): gives an open file. attributes is looked at when the queue is made; NULL: the defaults. mode with the
 * umask still to be applied. */
must_check int mqueue_open(struct task *task, const char *name, int flags, uint32_t mode,
			   const struct abi_mq_attr *attributes, struct file **out);
must_check int mqueue_unlink(const struct task *task, const char *name);
/* PARK. deadline_ns: CLOCK_MONOTONIC. -EBADF for files that are no queue. */
must_check long mqueue_send(struct file *file, struct user user, struct uaddr message, uint64_t size, uint32_t priority,
			    uint64_t deadline_ns);
must_check long mqueue_receive(struct file *file, struct user user, struct uaddr buffer, uint64_t size,
			       uint32_t *priority, uint64_t deadline_ns);
/* mq_notify(3); event NULL: no more. */
must_check int mqueue_notify(struct task *task, struct file *file, const struct abi_sigevent *event);
must_check int mqueue_attributes(struct file *file, const struct abi_mq_attr *wanted, struct abi_mq_attr *old);

#endif

/* poll.c - see poll.h. The hooks that epoll, O_ASYNC and io_uring leave in wait queues are all made here. */
#include "fs/poll.h"

#include "fs/file.h"
#include "sentry/base/arena.h"

#include <errno.h>

static struct slab hook_slab = SLAB(poll_hook);

struct arm {
	struct poll_wait wait;
	struct poll_hooks *hooks;
	bool failed;
};

static void arm_listen(struct poll_wait *wait, struct waitq *queue)
{
	struct arm *arm = container_of(wait, struct arm, wait);
	struct poll_hook *hook = slab_new(&hook_slab);

	if (!hook) {
		arm->failed = true;
		return;
	}
	waiter_init(&hook->waiter);
	hook->waiter.kind = arm->hooks->kind;
	hook->waiter.exclusive = arm->hooks->exclusive;
	hook->owner = arm->hooks->owner;
	hook->next = arm->hooks->first;
	arm->hooks->first = hook;
	waitq_add(queue, &hook->waiter);
}

int poll_hooks_arm(struct poll_hooks *hooks, struct file *file, uint32_t events, uint32_t *now)
{
	struct arm arm = {.wait = {.listen = arm_listen, .events = events}, .hooks = hooks};

	assert(!hooks->first);
	*now = file_poll(file, &arm.wait);
	if (!arm.failed)
		return 0;
	poll_hooks_drop(hooks);
	return -ENOMEM;
}

void poll_hooks_drop(struct poll_hooks *hooks)
{
	struct poll_hook *hook;

	while ((hook = hooks->first)) {
		hooks->first = hook->next;
		waitq_remove(&hook->waiter);
		slab_free(&hook_slab, hook);
	}
}

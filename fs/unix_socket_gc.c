/* unix_socket_gc.c - open files on their way in messages, and sockets that nobody but such messages holds.
 *
 * A socket sent over itself, or two sent over each other, keep each other open after every descriptor is closed. As in
 * Linux (net/unix/garbage.c, the algorithm of before 6.10): candidates are the sockets on their way all of whose file's
 * references are messages. What messages in the candidates' own queues hold is internal. A candidate that is held from
 * outside of the candidates is reachable, and so is all that its queue holds. The messages that are left give up their
 * files.
 *
 * Nothing here parks, so the picture cannot change while we look. A call at work holds a reference of its own to the
 * file, so its socket is no candidate.
 *
 * Limits: UNIX_INFLIGHT_LIMIT files on their way; a collection visits each once.
 */
#include "fs/unix_socket.h"
#include "sentry/base/limits.h"
#include <errno.h>

static struct list inflight_socks = LIST_INIT(inflight_socks);
static uint32_t inflight_files;

/* A circle is closed by a message to a socket that is on its way itself (or to one that nobody has accepted yet, whose
 * listener may be): before the first such message there is nothing to collect, however many are on their way. */
static bool maybe_cyclic;

static struct unix_sock *sock_of(const struct file *file)
{
	return file->kind == FILE_SOCKET_UNIX ? file->data : NULL;
}

uint32_t unix_inflight_count(void)
{
	return inflight_files;
}

int unix_inflight_add(struct socket_files *files, const struct unix_sock *receiver)
{
	if (!files)
		return 0;
	if (inflight_files + files->count > UNIX_INFLIGHT_LIMIT)
		unix_collect();
	if (inflight_files + files->count > UNIX_INFLIGHT_LIMIT)
		return -ETOOMANYREFS;
	inflight_files += files->count;
	for (uint32_t i = 0; i < files->count; i++) {
		struct unix_sock *sock = sock_of(files->files[i]);
		if (sock && !sock->inflight++)
			list_push_back(&inflight_socks, &sock->inflight_node);
	}
	if (receiver->inflight || !receiver->file)
		maybe_cyclic = true;
	return 0;
}

void unix_inflight_remove(struct socket_files *files)
{
	if (!files)
		return;
	assert(inflight_files >= files->count);
	inflight_files -= files->count;
	for (uint32_t i = 0; i < files->count; i++) {
		struct unix_sock *sock = sock_of(files->files[i]);
		assert(!sock || sock->inflight > 0);
		if (sock && !--sock->inflight)
			list_remove(&sock->inflight_node);
	}
}

/* Calls visit for every candidate that a message in the queue of sock, or of one of its embryos, holds. */
static void visit_queue(struct unix_sock *sock, void (*visit)(struct unix_sock *held, struct list *found),
			struct list *found)
{
	struct unix_message *message;

	list_for_each (message, &sock->queue, node) {
		for (uint32_t i = 0; message->files && i < message->files->count; i++) {
			struct unix_sock *held = sock_of(message->files->files[i]);
			if (held && held->candidate)
				visit(held, found);
		}
	}
}

static void visit_held(struct unix_sock *sock, void (*visit)(struct unix_sock *held, struct list *found),
		       struct list *found)
{
	struct unix_sock *embryo;

	visit_queue(sock, visit, found);
	list_for_each (embryo, &sock->embryos, embryo_node)
		visit_queue(embryo, visit, found);
}

static void count_internal(struct unix_sock *held, struct list *found)
{
	(void)found;
	held->internal++;
}

/* Behind those that were found before, so that the caller's walk comes to it. */
static void mark_reachable(struct unix_sock *held, struct list *found)
{
	if (held->reachable)
		return;
	held->reachable = true;
	list_remove(&held->inflight_node);
	list_push_back(found, &held->inflight_node);
}

static void mark(struct list *reachable)
{
	struct unix_sock *sock, *after;

	list_for_each (sock, &inflight_socks, inflight_node) {
		assert(sock->file);
		sock->candidate = sock->file->ref.count == sock->inflight;
		sock->reachable = false;
		sock->internal = 0;
	}
	list_for_each (sock, &inflight_socks, inflight_node) {
		if (sock->candidate)
			visit_held(sock, count_internal, NULL);
	}
	list_for_each_safe (sock, after, &inflight_socks, inflight_node) {
		if (sock->candidate && sock->inflight > sock->internal)
			mark_reachable(sock, reachable);
	}
	list_for_each (sock, reachable, inflight_node)
		visit_held(sock, mark_reachable, reachable);
}

/* Moves the files of one queue's messages to the heap of what is to be closed. */
static void strip_queue(struct unix_sock *sock, struct list *heap)
{
	struct unix_message *message;

	list_for_each (message, &sock->queue, node) {
		if (message->files)
			list_push_back(heap, &message->files->node);
		message->files = NULL;
	}
}

void unix_collect(void)
{
	static bool collecting;
	struct list reachable = LIST_INIT(reachable), heap = LIST_INIT(heap);
	struct unix_sock *sock, *embryo;

	if (list_empty(&inflight_socks))
		maybe_cyclic = false;
	if (collecting || !maybe_cyclic)
		return;
	collecting = true;
	mark(&reachable);
	list_for_each (sock, &inflight_socks, inflight_node) {
		if (!sock->candidate || sock->reachable)
			continue;
		strip_queue(sock, &heap);
		list_for_each (embryo, &sock->embryos, embryo_node)
			strip_queue(embryo, &heap);
	}
	while (!list_empty(&reachable)) {
		sock = list_first(&reachable, struct unix_sock, inflight_node);
		list_remove(&sock->inflight_node);
		list_push_back(&inflight_socks, &sock->inflight_node);
	}
	while (!list_empty(&heap)) {
		struct socket_files *files = list_first(&heap, struct socket_files, node);
		list_remove(&files->node);
		unix_inflight_remove(files);
		socket_files_put(files);
	}
	collecting = false;
}

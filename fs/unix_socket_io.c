/* unix_socket_io.c - data through Unix domain sockets: send, receive, readiness.
 *
 * A message is copied from its sender's memory once, lies in the receiver's queue, and is charged to the sender until
 * it is consumed. Charges are those of Linux's socket buffers (truesize: headers and rounding included), because guests
 * can see how much fits. A stream is cut into messages too; a reader glues them together, but never across file
 * descriptors, nor across different senders when it asked for credentials.
 *
 * Copies may PARK. A sender's message is private until it is complete, then it is queued in one step; a stream's
 * readers hold the read mutex, so that the oldest message stays where it is; a datagram is taken out of the queue
 * first.
 *
 * Limits: SO_SNDBUF a sender, SOCKET_TOTAL_BYTES in all queues together (ENOBUFS), UNIX_QUEUE_LIMIT datagrams from
 * strangers. SO_RCVBUF is kept and not used, as in Linux.
 */
#include "fs/hooks.h"
#include "fs/unix_socket.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#define READ_EVENTS  (POLLIN | POLLRDNORM)
#define WRITE_EVENTS (POLLOUT | POLLWRNORM | POLLWRBAND)

/* Sizes of Linux x86-64: struct sk_buff, struct skb_shared_info, and what fits beside the latter in one page. */
#define SKB_BYTES        256u
#define SKB_SHARED_BYTES 320u
#define SKB_HEAD_BYTES   (4096u - SKB_SHARED_BYTES)
#define SKB_ALLOC_BYTES  (16384u - SKB_SHARED_BYTES)
#define SKB_FRAG_BYTES   (17u * 4096u)
#define STREAM_FRAGS     32768u
#define OVERFLOW_ID      65534u /* "nobody": who sent when nobody asked for credentials at the time */

static struct slab message_slab = SLAB(unix_message);
static uint64_t total_bytes; /* data in all queues */

/* ------------------------------------------------------------------------------------------------- messages */

static uint32_t bucket_bytes(uint32_t bytes)
{
	uint32_t size = 512;

	while (size < bytes)
		size *= 2;
	return size;
}

static uint32_t charge_of(uint32_t bytes, bool stream)
{
	uint32_t pages = 0, limit = stream ? SKB_HEAD_BYTES : SKB_ALLOC_BYTES;

	if (bytes > limit) {
		pages = (bytes - limit + 4095) & ~4095u;
		pages = MIN(pages, stream ? bytes : SKB_FRAG_BYTES);
	}
	uint32_t head = (bytes - MIN(bytes, pages) + 63) & ~63u;
	return bucket_bytes(head + SKB_SHARED_BYTES) + SKB_BYTES + ((pages + 4095) & ~4095u);
}

static bool is_writable(const struct unix_sock *sock)
{
	return sock->state != UNIX_LISTENING && (uint64_t)sock->charged * 4 <= sock->base.send_bytes;
}

static void uncharge(struct unix_message *message)
{
	struct unix_sock *sender = message->sender;

	assert(sender->charged >= message->charge);
	sender->charged -= message->charge;
	if (!sender->dead && is_writable(sender))
		unix_wake(sender, WRITE_EVENTS);
	message->sender = NULL;
	unix_sock_put(sender);
}

void unix_message_free(struct unix_message *message)
{
	if (message->sender)
		uncharge(message);
	if (message->files) {
		unix_inflight_remove(message->files);
		socket_files_put(message->files);
	}
	arena_free(message->data, message->size);
	total_bytes -= message->size;
	slab_free(&message_slab, message);
}

void unix_queue_purge(struct unix_sock *sock)
{
	while (!list_empty(&sock->queue)) {
		struct unix_message *message = list_first(&sock->queue, struct unix_message, node);
		list_remove(&message->node);
		unix_message_free(message);
	}
	sock->queue_count = 0;
}

/* PARKS. A message with size bytes from the caller, charged to the sender. */
static int message_new(struct unix_sock *sender, struct uio *from, uint32_t size, struct unix_message **out)
{
	if (total_bytes + size > SOCKET_TOTAL_BYTES)
		return -ENOBUFS;
	struct unix_message *message = slab_new(&message_slab);
	if (!message)
		return -ENOBUFS;
	list_init(&message->node);
	message->data = size ? arena_alloc_dirty(size) : NULL;
	if (size && !message->data) {
		slab_free(&message_slab, message);
		return -ENOBUFS;
	}
	message->size = size;
	total_bytes += size;
	message->charge = charge_of(size, unix_is_stream(sender));
	message->sender = sender;
	unix_sock_get(sender);
	sender->charged += message->charge;
	if (size && uio_take(from, message->data, size) != (ssize_t)size) {
		unix_message_free(message);
		return -EFAULT;
	}
	*out = message;
	return 0;
}

/* Credentials go along when they were given, or when either end asks for them (unix_maybe_add_creds in Linux). */
static void message_sign(struct unix_message *message, const struct socket_caller *who,
			 const struct socket_message *wish, const struct unix_sock *sender, const struct unix_sock *to)
{
	if (wish->has_cred) {
		message->cred = wish->cred;
		message->has_cred = true;
	} else if (sender->base.pass_cred || to->base.pass_cred || !to->file) {
		message->cred = (struct abi_ucred){who->pid, who->cred->uid, who->cred->gid};
		message->has_cred = true;
	}
}

/* The message's files are on their way from here on. */
static int message_load(struct unix_message *message, struct socket_message *wish, const struct unix_sock *receiver)
{
	int error = unix_inflight_add(wish->files, receiver);

	if (error)
		return error;
	message->files = wish->files;
	wish->files = NULL;
	return 0;
}

static void enqueue(struct unix_sock *to, struct unix_message *message)
{
	list_push_back(&to->queue, &message->node);
	to->queue_count++;
	unix_wake(to, READ_EVENTS);
}

/* ------------------------------------------------------------------------------------------------- waking */

void unix_wake(struct unix_sock *sock, uint32_t events)
{
	waitq_wake(&sock->wait, events);
}

void unix_wake_clients(struct unix_sock *sock)
{
	struct unix_sock *client, *after;

	waitq_wake(&sock->peer_wait, 0);
	list_for_each_safe (client, after, &sock->clients, peer_node) {
		if (!client->waits_for_peer)
			continue;
		client->waits_for_peer = false;
		unix_wake(client, WRITE_EVENTS);
	}
}

void unix_peer_gone(struct unix_sock *sock, struct unix_sock *peer)
{
	if (!list_empty(&sock->queue)) {
		unix_queue_purge(sock);
		unix_wake_clients(sock);
		if (!peer->dead && peer->peer == sock) {
			peer->base.error = ECONNRESET;
			unix_wake(peer, POLLERR);
		}
	}
}

static bool queue_full(const struct unix_sock *sock)
{
	return sock->queue_count > UNIX_QUEUE_LIMIT;
}

/* Must a datagram of sock for other wait until other's queue drains? Peers of each other never wait. */
static bool must_wait(const struct unix_sock *sock, const struct unix_sock *other)
{
	return other != sock && other->peer != sock && queue_full(other);
}

/* ------------------------------------------------------------------------------------------------- sending */

/* PARKS until the sender has room in its buffer: sock_alloc_send_pskb in Linux. */
static int wait_for_buffer(struct unix_sock *sock, bool nonblock, uint64_t deadline_ns)
{
	for (;;) {
		if (sock->base.error)
			return socket_error_take(&sock->base);
		if (sock->shutdown & UNIX_SHUT_WRITE)
			return -EPIPE;
		if (sock->charged < sock->base.send_bytes)
			return 0;
		if (nonblock)
			return -EAGAIN;
		int error = WAIT_EVENT(&sock->wait,
				       sock->charged < sock->base.send_bytes || sock->base.error ||
					       sock->shutdown & UNIX_SHUT_WRITE,
				       deadline_ns);
		if (error)
			return socket_wait_error(error, sock->base.send_timeout_ns);
	}
}

/* How many bytes one message of a stream takes. */
static uint32_t stream_step(const struct unix_sock *sock, size_t left)
{
	uint32_t size = MIN(left, (size_t)(sock->base.send_bytes / 2 - 64));

	return MIN(size, SKB_HEAD_BYTES + STREAM_FRAGS);
}

/* PARKS. One message of a stream. The bytes, or an error. */
static ssize_t send_piece(struct unix_sock *sock, const struct socket_caller *who, struct socket_message *wish,
			  uint64_t deadline_ns)
{
	struct unix_message *message;
	uint32_t size = stream_step(sock, wish->data->left);
	int error = wait_for_buffer(sock, wish->nonblock, deadline_ns);

	if (!error)
		error = message_new(sock, wish->data, size, &message);
	if (error)
		return error;
	struct unix_sock *peer = sock->peer;
	if (!peer || peer->dead || peer->shutdown & UNIX_SHUT_READ)
		error = -EPIPE;
	if (!error)
		error = message_load(message, wish, peer);
	if (error) {
		unix_message_free(message);
		return error;
	}
	message_sign(message, who, wish, sock, peer);
	enqueue(peer, message);
	return size;
}

static ssize_t send_stream(struct unix_sock *sock, const struct socket_caller *who, struct socket_message *wish)
{
	uint64_t deadline_ns = socket_deadline(sock->base.send_timeout_ns);
	ssize_t done = 0, moved = 0;

	if (wish->address.size)
		return sock->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	if (!sock->peer)
		return -ENOTCONN;
	if (sock->shutdown & UNIX_SHUT_WRITE)
		moved = -EPIPE;
	while (moved >= 0 && wish->data->left) {
		moved = send_piece(sock, who, wish, deadline_ns);
		if (moved > 0)
			done += moved;
	}
	if (moved == -EPIPE && !done && !(wish->flags & ABI_MSG_NOSIGNAL))
		hook_signal_caller(SIGPIPE);
	return done ? done : MIN(moved, (ssize_t)0);
}

/* PARKS. Whom a datagram goes to: gives. */
static int find_receiver(struct unix_sock *sock, const struct socket_caller *who, const struct socket_message *wish,
			 struct unix_sock **out)
{
	if (wish->address.size && !unix_has_connection(sock))
		return unix_find(who, &wish->address, sock->base.type, out);
	if (!sock->peer)
		return unix_has_connection(sock) ? -EPIPE : -ENOTCONN;
	unix_sock_get(sock->peer);
	*out = sock->peer;
	return 0;
}

/* PARKS. One attempt to deliver: 1 when we waited for room and must look again. */
static int try_deliver(struct unix_sock *sock, struct unix_sock *other, const struct socket_caller *who,
		       struct socket_message *wish, struct unix_message *message, uint64_t deadline_ns)
{
	if (other->peer && other->peer != sock && !unix_has_connection(sock))
		return -EPERM;
	if (other->dead) {
		if (unix_has_connection(sock))
			return -EPIPE;
		if (sock->peer != other)
			return -ECONNREFUSED;
		unix_peer_set(sock, NULL);
		sock->state = UNIX_CLOSED;
		unix_peer_gone(sock, other);
		return -ECONNREFUSED;
	}
	if (other->shutdown & UNIX_SHUT_READ)
		return -EPIPE;
	if (must_wait(sock, other)) {
		if (wish->nonblock)
			return -EAGAIN;
		int error =
			WAIT_EVENT(&other->peer_wait,
				   other->dead || other->shutdown & UNIX_SHUT_READ || !queue_full(other), deadline_ns);
		return error ? socket_wait_error(error, sock->base.send_timeout_ns) : 1;
	}
	int error = message_load(message, wish, other);
	if (error)
		return error;
	message_sign(message, who, wish, sock, other);
	enqueue(other, message);
	return 0;
}

static ssize_t send_datagram(struct unix_sock *sock, const struct socket_caller *who, struct socket_message *wish)
{
	uint64_t deadline_ns = socket_deadline(sock->base.send_timeout_ns);
	struct unix_message *message;
	struct unix_sock *other;
	size_t size = wish->data->left;
	int error = 0;

	if (unix_has_connection(sock)) {
		if (sock->state != UNIX_CONNECTED)
			return -ENOTCONN;
	} else if (wish->address.size) {
		error = unix_name_check(&wish->address);
	} else if (!sock->peer) {
		error = -ENOTCONN;
	}
	if (!error && sock->base.pass_cred && !sock->address)
		error = unix_autobind(sock);
	if (!error && size > sock->base.send_bytes - 32)
		error = -EMSGSIZE;
	if (!error)
		error = wait_for_buffer(sock, wish->nonblock, deadline_ns);
	if (!error)
		error = message_new(sock, wish->data, size, &message);
	if (error)
		return error;
	do {
		error = find_receiver(sock, who, wish, &other);
		if (error)
			break;
		error = try_deliver(sock, other, who, wish, message, deadline_ns);
		unix_sock_put(other);
	} while (error == 1);
	if (error)
		unix_message_free(message);
	return error ? error : (ssize_t)size;
}

ssize_t unix_send(struct file *file, const struct socket_caller *who, struct socket_message *message)
{
	struct unix_sock *sock = unix_sock_of(file);

	if (message->flags & ABI_MSG_OOB)
		return -EOPNOTSUPP;
	return unix_is_stream(sock) ? send_stream(sock, who, message) : send_datagram(sock, who, message);
}

/* ------------------------------------------------------------------------------------------------- receiving */

static void show_sender(struct unix_message *message, struct socket_message *out)
{
	/* A nameless sender is no address at all; one that got its name later has it (unix_copy_addr in Linux). */
	if (message->sender->address)
		unix_address_show(message->sender->address, &out->address);
}

static void show_cred(const struct unix_message *message, struct socket_message *out)
{
	static const struct abi_ucred nobody = {0, OVERFLOW_ID, OVERFLOW_ID};

	out->cred = message->has_cred ? message->cred : nobody;
	out->has_cred = true;
}

static bool same_cred(const struct unix_message *message, const struct socket_message *out)
{
	struct socket_message other;

	show_cred(message, &other);
	return other.cred.pid == out->cred.pid && other.cred.uid == out->cred.uid && other.cred.gid == out->cred.gid;
}

/* The receiver gets the files; with peek copies of the references. */
static int hand_over(struct unix_message *message, struct socket_message *out, bool peek)
{
	if (!message->files)
		return 0;
	if (peek) {
		out->files = socket_files_copy(message->files);
		return out->files ? 0 : -ENOMEM;
	}
	out->files = message->files;
	message->files = NULL;
	unix_inflight_remove(out->files);
	return 0;
}

/* Where a receive with these flags begins (SO_PEEK_OFF). */
static size_t peek_start(const struct unix_sock *sock, uint32_t flags)
{
	return flags & ABI_MSG_PEEK && sock->peek_offset > 0 ? (size_t)sock->peek_offset : 0;
}

/* n bytes were seen, or taken. */
static void peek_move(struct unix_sock *sock, bool peek, size_t n)
{
	if (sock->peek_offset < 0)
		return;
	if (peek)
		sock->peek_offset = (int32_t)MIN(sock->peek_offset + (int64_t)n, (int64_t)INT32_MAX);
	else
		sock->peek_offset = (int32_t)MAX(sock->peek_offset - (int64_t)n, (int64_t)0);
}

/* Has the stream bytes behind the first `skip`? */
static bool stream_has(const struct unix_sock *sock, size_t skip)
{
	struct unix_message *message;

	if (!skip)
		return !list_empty(&sock->queue);
	list_for_each (message, &sock->queue, node) {
		size_t left = message->size - message->taken;
		if (left > skip)
			return true;
		skip -= left;
	}
	return false;
}

/* PARKS. With the read mutex: copies out of the stream what is there. Returns the bytes or -EFAULT; *stop when the rest
 * belongs to another call. */
static ssize_t read_messages(struct unix_sock *sock, struct socket_message *out, bool peek, bool *stop)
{
	struct unix_message *message, *after;
	size_t skip = peek_start(sock, out->flags);
	ssize_t done = 0;

	list_for_each_safe (message, after, &sock->queue, node) {
		if (skip && skip >= message->size - message->taken) {
			skip -= message->size - message->taken;
			continue;
		}
		if (out->has_cred && !same_cred(message, out)) {
			*stop = true;
			break;
		}
		if (sock->base.pass_cred && !out->has_cred)
			show_cred(message, out);
		if (!out->address.size)
			show_sender(message, out);
		size_t n = MIN(message->size - message->taken - skip, out->data->left);
		ssize_t moved = uio_put(out->data, message->data + message->taken + skip, n);
		if (moved < 0 || (size_t)moved < n) {
			*stop = true;
			/* Linux counts a piece that could not be copied whole as not read at all. */
			if (moved > 0)
				uio_rewind(out->data, moved);
			return done ? done : -EFAULT;
		}
		done += moved;
		skip = 0;
		peek_move(sock, peek, (size_t)moved);
		bool files = message->files;
		int error = hand_over(message, out, peek);
		if (error)
			return done ? done : error;
		if (!peek) {
			message->taken += moved;
			if (message->taken == message->size) {
				list_remove(&message->node);
				sock->queue_count--;
				unix_message_free(message);
			}
		}
		*stop = files || !out->data->left;
		if (*stop)
			break;
		/* The copy may have parked: what was behind it may be another message now, but the queue only grew. */
		after = peek ? list_entry(message->node.next, struct unix_message, node)
			     : list_first(&sock->queue, struct unix_message, node);
	}
	return done;
}

/* PARKS until a stream has something to say: 0, or what ends the read (errors negative, 1 the end of the stream). */
static int wait_for_data(struct unix_sock *sock, size_t skip, bool nonblock, uint64_t deadline_ns)
{
	if (sock->base.error)
		return socket_error_take(&sock->base);
	if (sock->shutdown & UNIX_SHUT_READ)
		return 1;
	if (nonblock)
		return -EAGAIN;
	int error =
		WAIT_EVENT(&sock->wait, stream_has(sock, skip) || sock->base.error || sock->shutdown & UNIX_SHUT_READ,
			   deadline_ns);
	return error ? socket_wait_error(error, sock->base.receive_timeout_ns) : 0;
}

static ssize_t receive_stream(struct unix_sock *sock, struct socket_message *out)
{
	uint64_t deadline_ns = socket_deadline(sock->base.receive_timeout_ns);
	size_t size = out->data->left;
	size_t target = out->flags & ABI_MSG_WAITALL ? size : MIN((size_t)sock->base.receive_low, size);
	bool peek = out->flags & ABI_MSG_PEEK, stop = false;
	ssize_t done = 0;

	if (sock->state != UNIX_CONNECTED)
		return -EINVAL;
	target = target ? target : 1;
	for (;;) {
		int error = mutex_lock(&sock->read_mutex);
		if (error)
			return done ? done : error;
		bool any = stream_has(sock, peek_start(sock, out->flags));
		ssize_t moved = any ? read_messages(sock, out, peek, &stop) : 0;
		mutex_unlock(&sock->read_mutex);
		if (moved < 0)
			return done ? done : moved;
		done += moved;
		if (stop || (size_t)done >= target || (any && (peek || !size)))
			return done;
		error = wait_for_data(sock, peek_start(sock, out->flags), out->nonblock, deadline_ns);
		if (error)
			return done || error == 1 ? done : error;
	}
}

/* The message that a receive is about, and where in it; NULL: none yet. */
static struct unix_message *next_datagram(struct unix_sock *sock, uint32_t flags, size_t *skip)
{
	struct unix_message *message;

	*skip = peek_start(sock, flags);
	list_for_each (message, &sock->queue, node) {
		bool seen = flags & ABI_MSG_PEEK && sock->peek_offset >= 0 && *skip >= message->size &&
			    (*skip || message->peeked);
		if (!seen)
			return message;
		*skip -= message->size;
	}
	return NULL;
}

/* PARKS until there is one. 0, an error, or 1 at the end. */
static int wait_for_datagram(struct unix_sock *sock, const struct socket_message *out, uint64_t deadline_ns)
{
	size_t skip;

	for (;;) {
		if (sock->base.error)
			return socket_error_take(&sock->base);
		if (next_datagram(sock, out->flags, &skip))
			return 0;
		if (out->nonblock) /* a seqpacket socket tells its end in any case */
			return sock->shutdown & UNIX_SHUT_READ && unix_has_connection(sock) ? 1 : -EAGAIN;
		if (sock->shutdown & UNIX_SHUT_READ)
			return 1;
		int error = WAIT_EVENT(&sock->wait,
				       next_datagram(sock, out->flags, &skip) || sock->base.error ||
					       sock->shutdown & UNIX_SHUT_READ,
				       deadline_ns);
		if (error)
			return socket_wait_error(error, sock->base.receive_timeout_ns);
	}
}

/* PARKS. The message is out of the queue, or a peeking reader's copy of it. size bytes of it are left, at data. */
static ssize_t show_datagram(struct unix_sock *sock, const struct unix_message *message, const char *data,
			     uint32_t size, struct socket_message *out)
{
	size_t n = MIN((size_t)size, out->data->left);

	if (n < size)
		out->out_flags |= ABI_MSG_TRUNC;
	if (sock->base.pass_cred)
		show_cred(message, out);
	if (n && uio_put(out->data, data, n) != (ssize_t)n)
		return -EFAULT;
	return out->flags & ABI_MSG_TRUNC ? size : n;
}

static ssize_t peek_datagram(struct unix_sock *sock, struct unix_message *message, size_t skip,
			     struct socket_message *out)
{
	struct unix_message seen = *message; /* the copy below may PARK, and the message be read by somebody else */
	uint32_t left = message->size - (uint32_t)skip, size = MIN((size_t)left, out->data->left);
	char *data = size ? arena_alloc(size) : NULL;

	if (size && !data)
		return -ENOBUFS;
	if (size)
		memcpy(data, message->data + skip, size);
	message->peeked = true;
	peek_move(sock, true, size);
	show_sender(message, out);
	int error = hand_over(message, out, true);
	ssize_t result = error ? error : show_datagram(sock, &seen, data, left, out);
	arena_free(data, size);
	return result;
}

static ssize_t receive_datagram(struct unix_sock *sock, struct socket_message *out)
{
	size_t skip;

	if (unix_has_connection(sock) && sock->state != UNIX_CONNECTED)
		return -ENOTCONN;
	int error = wait_for_datagram(sock, out, socket_deadline(sock->base.receive_timeout_ns));
	if (error)
		return error == 1 ? 0 : error;
	struct unix_message *message = next_datagram(sock, out->flags, &skip);
	if (out->flags & ABI_MSG_PEEK)
		return peek_datagram(sock, message, skip, out);
	bool was_full = queue_full(sock);
	list_remove(&message->node);
	sock->queue_count--;
	if (was_full && !queue_full(sock))
		unix_wake_clients(sock);
	peek_move(sock, false, message->size);
	show_sender(message, out);
	error = hand_over(message, out, false);
	ssize_t result = error ? error : show_datagram(sock, message, message->data, message->size, out);
	unix_message_free(message);
	return result;
}

ssize_t unix_receive(struct file *file, struct socket_message *message)
{
	struct unix_sock *sock = unix_sock_of(file);

	if (message->flags & ABI_MSG_ERRQUEUE)
		return -EAGAIN; /* nothing is ever in it */
	if (message->flags & ABI_MSG_OOB)
		return unix_is_stream(sock) ? -EINVAL : -EOPNOTSUPP; /* there is none to read */
	return unix_is_stream(sock) ? receive_stream(sock, message) : receive_datagram(sock, message);
}

/* ------------------------------------------------------------------------------------------------- readiness */

uint32_t unix_poll(struct file *file, struct poll_wait *wait)
{
	struct unix_sock *sock = unix_sock_of(file), *peer = sock->peer;
	uint32_t events = 0;

	poll_listen(wait, &sock->wait);
	if (sock->base.error)
		events |= POLLERR;
	if (sock->shutdown == UNIX_SHUT_BOTH)
		events |= POLLHUP;
	if (sock->shutdown & UNIX_SHUT_READ)
		events |= POLLRDHUP | READ_EVENTS;
	if (!list_empty(&sock->queue) || !list_empty(&sock->embryos))
		events |= READ_EVENTS;
	if (unix_has_connection(sock) && sock->state == UNIX_CLOSED)
		events |= POLLHUP;
	bool writable = is_writable(sock);
	if (writable && !unix_is_stream(sock) && peer && must_wait(sock, peer)) {
		sock->waits_for_peer = true;
		writable = false;
	}
	return writable ? events | WRITE_EVENTS : events;
}

long unix_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	struct unix_sock *sock = unix_sock_of(file);
	struct unix_message *message;
	int bytes = 0;

	if (command == TIOCOUTQ) {
		bytes = sock->charged;
	} else if (command == FIONREAD) {
		if (sock->state == UNIX_LISTENING)
			return -EINVAL;
		list_for_each (message, &sock->queue, node) {
			bytes += message->size - message->taken;
			if (!unix_has_connection(sock))
				break;
		}
	} else {
		return socket_device_ioctl(user, command, argument);
	}
	return user_write(user, UADDR(argument), &bytes, sizeof bytes);
}

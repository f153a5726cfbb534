/* unix_socket.c - Unix domain sockets: their life, connections, options. Names are in unix_socket_name.c, data in
 * unix_socket_io.c, sockets that only messages hold in unix_socket_gc.c.
 *
 * A socket is counted apart from its file: peers and messages that it sent keep it, dead, after its file is gone.
 * Stream and seqpacket sockets are connected in pairs for good: both point at each other, and the one that is released
 * first leaves its mark (shutdown, ECONNRESET) on the other. A datagram socket points at its peer one way. A connect to
 * a listener makes the accepted end at once (an embryo, without a file) and puts it into the listener's list; data can
 * be sent before accept, as in Linux.
 *
 * States: CLOSED -> LISTENING by listen; CLOSED -> CONNECTED by connect or pair; datagram sockets go back to CLOSED
 * when their peer is gone. release makes any state CLOSED and dead.
 *
 * Limits: backlog SOCKET_BACKLOG_LIMIT; no MSG_OOB, no SO_PEERSEC (there is no security module), no SO_PEERPIDFD.
 */
#include "fs/unix_socket.h"
#include "fs/hooks.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

static struct slab unix_slab = SLAB(unix_sock);

struct unix_sock *unix_sock_of(const struct file *file)
{
	assert(file->kind == FILE_SOCKET_UNIX && file->data);
	return file->data;
}

void unix_sock_get(struct unix_sock *sock)
{
	ref_get(&sock->ref);
}

void unix_sock_put(struct unix_sock *sock)
{
	if (!ref_put(&sock->ref))
		return;
	assert(list_empty(&sock->queue) && list_empty(&sock->clients) && !sock->peer && !sock->inflight);
	assert(!sock->file && !sock->charged && waitq_empty(&sock->wait));
	unix_list_leave(sock); /* one that never had a file */
	unix_address_put(sock->address);
	if (sock->groups)
		cred_put(sock->groups);
	slab_free(&unix_slab, sock);
}

static struct unix_sock *unix_sock_new(uint32_t type)
{
	struct unix_sock *sock = slab_new(&unix_slab);

	if (!sock)
		return NULL;
	socket_setup(&sock->base, ABI_AF_UNIX, type, 0);
	sock->peek_offset = -1;
	ref_init(&sock->ref);
	list_init(&sock->peer_node);
	list_init(&sock->clients);
	list_init(&sock->name_node);
	list_init(&sock->queue);
	list_init(&sock->embryos);
	list_init(&sock->embryo_node);
	list_init(&sock->inflight_node);
	unix_list_enter(sock);
	waitq_init(&sock->wait);
	waitq_init(&sock->peer_wait);
	mutex_init(&sock->read_mutex);
	return sock;
}

void unix_peer_set(struct unix_sock *sock, struct unix_sock *peer)
{
	struct unix_sock *old = sock->peer;

	if (peer)
		unix_sock_get(peer);
	list_remove(&sock->peer_node);
	sock->peer = peer;
	sock->waits_for_peer = false;
	if (peer)
		list_push_back(&peer->clients, &sock->peer_node);
	if (old)
		unix_sock_put(old);
}

/* The socket's name for the peer's SO_PEERCRED: who made the connection, or who called listen. */
static void remember_cred(struct unix_sock *sock, const struct socket_caller *who)
{
	sock->has_peer_cred = true;
	sock->peer_cred = (struct abi_ucred){.pid = who->pid, .uid = who->cred->euid, .gid = who->cred->egid};
	if (sock->groups)
		cred_put(sock->groups);
	sock->groups = who->cred;
	cred_get(who->cred);
}

static void copy_cred(struct unix_sock *to, const struct unix_sock *from)
{
	to->has_peer_cred = from->has_peer_cred;
	to->peer_cred = from->peer_cred;
	if (to->groups)
		cred_put(to->groups);
	to->groups = from->groups;
	if (to->groups)
		cred_get(to->groups);
}

/* ------------------------------------------------------------------------------------------------- making and ending
 */

/* Gives a file for the socket, and takes the socket's reference on success. */
static int unix_file_new(struct unix_sock *sock, uint32_t flags, struct cred *cred, struct file **out)
{
	int error = file_new_anonymous(FILE_SOCKET_UNIX, O_RDWR | (flags & O_NONBLOCK), S_IFSOCK | 0777, "socket", cred,
				       out);

	if (error)
		return error;
	(*out)->data = sock;
	sock->file = *out;
	return 0;
}

static int unix_create(const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags,
		       struct file **out)
{
	if (protocol && protocol != ABI_AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == ABI_SOCK_RAW)
		type = ABI_SOCK_DGRAM; /* as BSD had it (unix_create in Linux) */
	if (type != ABI_SOCK_STREAM && type != ABI_SOCK_DGRAM && type != ABI_SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	struct unix_sock *sock = unix_sock_new(type);
	if (!sock)
		return -ENOMEM;
	int error = unix_file_new(sock, flags, who->cred, out);
	if (error)
		unix_sock_put(sock);
	return error;
}

static int unix_pair(const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags,
		     struct file *out[2])
{
	struct file *files[2];
	int error = unix_create(who, type, protocol, flags, &files[0]);

	if (error)
		return error;
	error = unix_create(who, type, protocol, flags, &files[1]);
	if (error) {
		file_put(files[0]);
		return error;
	}
	for (int i = 0; i < 2; i++) {
		struct unix_sock *sock = unix_sock_of(files[i]);
		unix_peer_set(sock, unix_sock_of(files[!i]));
		sock->state = UNIX_CONNECTED;
		remember_cred(sock, who);
		out[i] = files[i];
	}
	return 0;
}

static void unix_end(struct unix_sock *sock, bool embryo);

/* The peer of a connection learns that its other end is gone. */
static void end_connection(struct unix_sock *sock, struct unix_sock *peer, bool reset)
{
	if (peer->dead || peer->peer != sock)
		return;
	peer->shutdown = UNIX_SHUT_BOTH;
	if (reset)
		peer->base.error = ECONNRESET;
	unix_wake(peer, POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLHUP | POLLRDHUP | POLLERR);
}

static void unix_end(struct unix_sock *sock, bool embryo)
{
	struct unix_sock *peer = sock->peer;

	unix_unname(sock);
	unix_list_leave(sock);
	sock->dead = true;
	sock->file = NULL;
	sock->state = UNIX_CLOSED;
	sock->shutdown = UNIX_SHUT_BOTH;
	waitq_wake(&sock->peer_wait, 0);
	unix_wake_clients(sock);
	if (peer && unix_has_connection(sock))
		end_connection(sock, peer, embryo || !list_empty(&sock->queue));
	while (!list_empty(&sock->embryos)) {
		struct unix_sock *waiting = list_first(&sock->embryos, struct unix_sock, embryo_node);
		list_remove(&waiting->embryo_node);
		unix_end(waiting, true); /* embryos have none of their own: two levels deep at most */
	}
	unix_queue_purge(sock);
	if (peer)
		unix_peer_set(sock, NULL);
	unix_sock_put(sock);
}

static void unix_release(struct file *file)
{
	struct unix_sock *sock = file->data;

	if (!sock)
		return;
	file->data = NULL;
	unix_end(sock, false);
	unix_collect();
}

/* ------------------------------------------------------------------------------------------------- connections */

static int unix_listen(struct file *file, const struct socket_caller *who, int backlog)
{
	struct unix_sock *sock = unix_sock_of(file);

	if (!unix_has_connection(sock))
		return -EOPNOTSUPP;
	if (!sock->address)
		return -EINVAL;
	if (sock->state != UNIX_CLOSED && sock->state != UNIX_LISTENING)
		return -EINVAL;
	uint32_t limit = MIN((uint32_t)backlog, (uint32_t)SOCKET_BACKLOG_LIMIT);
	if (limit > sock->backlog)
		waitq_wake(&sock->peer_wait, 0);
	sock->backlog = limit;
	sock->state = UNIX_LISTENING;
	sock->base.listening = true;
	remember_cred(sock, who);
	return 0;
}

static uint32_t embryo_count(const struct unix_sock *listener)
{
	return listener->queue_count;
}

/* The other end of a connection to a listener, in its list from here on. */
static int embryo_new(struct unix_sock *client, struct unix_sock *listener, const struct socket_caller *who)
{
	struct unix_sock *embryo = unix_sock_new(client->base.type);

	if (!embryo)
		return -ENOMEM;
	embryo->state = client->state = UNIX_CONNECTED;
	remember_cred(embryo, who);
	copy_cred(client, listener);
	embryo->address = listener->address;
	ref_get(&embryo->address->ref);
	embryo->base.pass_cred = listener->base.pass_cred;
	unix_peer_set(embryo, client);
	unix_peer_set(client, embryo);
	list_push_back(&listener->embryos, &embryo->embryo_node);
	listener->queue_count++;
	unix_wake(listener, POLLIN | POLLRDNORM);
	return 0;
}

/* PARKS. One attempt: 1 means that we waited for room and everything must be looked at again. */
static int try_connect(struct unix_sock *sock, const struct socket_caller *who, const struct socket_address *address,
		       bool nonblock, uint64_t deadline_ns)
{
	struct unix_sock *other;
	int error = unix_find(who, address, sock->base.type, &other);

	if (error)
		return error;
	if (other->state != UNIX_LISTENING || other->shutdown & UNIX_SHUT_READ) {
		error = -ECONNREFUSED;
	} else if (embryo_count(other) > other->backlog) {
		error = nonblock ? -EAGAIN
				 : WAIT_EVENT(&other->peer_wait,
					      other->dead || embryo_count(other) <= other->backlog ||
						      other->shutdown & UNIX_SHUT_READ,
					      deadline_ns);
		error = error ? error : 1;
	} else if (sock->state != UNIX_CLOSED) {
		error = sock->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	} else {
		error = embryo_new(sock, other, who);
	}
	unix_sock_put(other);
	return error;
}

static int connect_stream(struct unix_sock *sock, const struct socket_caller *who, const struct socket_address *address,
			  bool nonblock)
{
	uint64_t deadline_ns = socket_deadline(sock->base.send_timeout_ns);
	int error = unix_name_check(address);

	if (!error && sock->base.pass_cred && !sock->address)
		error = unix_autobind(sock);
	if (error)
		return error;
	do {
		error = try_connect(sock, who, address, nonblock, deadline_ns);
	} while (error == 1);
	return socket_wait_error(error, sock->base.send_timeout_ns);
}

static int connect_datagram(struct unix_sock *sock, const struct socket_caller *who,
			    const struct socket_address *address)
{
	struct unix_sock *other = NULL, *old;
	int error = 0;

	if (address->family != ABI_AF_UNSPEC) {
		error = unix_name_check(address);
		if (!error && sock->base.pass_cred && !sock->address)
			error = unix_autobind(sock);
		if (!error)
			error = unix_find(who, address, sock->base.type, &other);
		if (error)
			return error;
		if (other->peer && other->peer != sock) {
			unix_sock_put(other);
			return -EPERM;
		}
	}
	old = sock->peer;
	if (old)
		unix_sock_get(old);
	unix_peer_set(sock, other);
	sock->state = other ? UNIX_CONNECTED : UNIX_CLOSED;
	if (other)
		copy_cred(sock, other);
	if (old && old != other)
		unix_peer_gone(sock, old);
	if (old)
		unix_sock_put(old);
	if (other)
		unix_sock_put(other);
	return 0;
}

static int unix_connect(struct file *file, const struct socket_caller *who, const struct socket_address *address,
			bool nonblock)
{
	struct unix_sock *sock = unix_sock_of(file);

	if (address->size < sizeof address->family)
		return -EINVAL;
	if (!unix_has_connection(sock))
		return connect_datagram(sock, who, address);
	return connect_stream(sock, who, address, nonblock);
}

static int unix_accept(struct file *file, const struct socket_caller *who, uint32_t flags, struct socket_address *peer,
		       struct file **out)
{
	struct unix_sock *sock = unix_sock_of(file);

	if (!unix_has_connection(sock))
		return -EOPNOTSUPP;
	if (sock->state != UNIX_LISTENING)
		return -EINVAL;
	if (list_empty(&sock->embryos) && !(sock->shutdown & UNIX_SHUT_READ) && file->flags & O_NONBLOCK)
		return -EAGAIN;
	int error = WAIT_EVENT(&sock->wait, !list_empty(&sock->embryos) || sock->shutdown & UNIX_SHUT_READ,
			       socket_deadline(sock->base.receive_timeout_ns));
	if (error)
		return socket_wait_error(error, sock->base.receive_timeout_ns);
	if (list_empty(&sock->embryos))
		return -EINVAL; /* shut down */
	struct unix_sock *embryo = list_first(&sock->embryos, struct unix_sock, embryo_node);
	error = unix_file_new(embryo, flags, who->cred, out);
	if (error)
		return error;
	list_remove(&embryo->embryo_node);
	sock->queue_count--;
	waitq_wake(&sock->peer_wait, 0);
	unix_address_show(embryo->peer ? embryo->peer->address : NULL, peer);
	return 0;
}

static int unix_name(struct file *file, bool peer, struct socket_address *out)
{
	struct unix_sock *sock = unix_sock_of(file);

	if (peer && !sock->peer)
		return -ENOTCONN;
	unix_address_show(peer ? sock->peer->address : sock->address, out);
	return 0;
}

static int unix_shutdown(struct file *file, int how)
{
	struct unix_sock *sock = unix_sock_of(file), *peer = sock->peer;
	uint32_t events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLHUP | POLLRDHUP;

	if (how < ABI_SHUT_RD || how > ABI_SHUT_RDWR)
		return -EINVAL;
	uint32_t mode = how + 1;
	sock->shutdown |= mode;
	if (peer && unix_has_connection(sock)) {
		if (mode & UNIX_SHUT_READ)
			peer->shutdown |= UNIX_SHUT_WRITE;
		if (mode & UNIX_SHUT_WRITE)
			peer->shutdown |= UNIX_SHUT_READ;
		unix_wake(peer, events);
	}
	waitq_wake(&sock->peer_wait, 0);
	unix_wake(sock, events);
	return 0;
}

/* ------------------------------------------------------------------------------------------------- options */

static int peer_groups(const struct unix_sock *sock, void *value, uint32_t *size)
{
	uint32_t need = sock->groups ? sock->groups->group_count * sizeof(uint32_t) : 0;

	if (!sock->groups)
		return -ENODATA;
	if (*size < need) {
		*size = need;
		return -ERANGE;
	}
	if (need)
		memcpy(value, sock->groups->groups, need);
	*size = need;
	return 0;
}

static int unix_option_get(struct file *file, int level, int option, void *value, uint32_t *size)
{
	struct unix_sock *sock = unix_sock_of(file);
	struct abi_ucred nobody = {0, UINT32_MAX, UINT32_MAX};

	if (level != ABI_SOL_SOCKET)
		return -EOPNOTSUPP;
	switch (option) {
	case ABI_SO_PEERCRED:
		*size = MIN(*size, (uint32_t)sizeof nobody);
		memcpy(value, sock->has_peer_cred ? &sock->peer_cred : &nobody, *size);
		return 0;
	case ABI_SO_PEERGROUPS:
		return peer_groups(sock, value, size);
	case ABI_SO_PEEK_OFF:
		*size = MIN(*size, (uint32_t)sizeof sock->peek_offset);
		memcpy(value, &sock->peek_offset, *size);
		return 0;
	}
	return -ENOPROTOOPT;
}

static int unix_option_set(struct file *file, const struct socket_caller *who, int level, int option, const void *value,
			   uint32_t size)
{
	(void)who;
	if (level != ABI_SOL_SOCKET)
		return -EOPNOTSUPP;
	if (option != ABI_SO_PEEK_OFF)
		return -ENOPROTOOPT;
	if (size < sizeof(int32_t))
		return -EINVAL;
	memcpy(&unix_sock_of(file)->peek_offset, value, sizeof(int32_t));
	return 0;
}

static const struct socket_ops unix_ops = {
	.create = unix_create,
	.pair = unix_pair,
	.bind = unix_bind,
	.listen = unix_listen,
	.connect = unix_connect,
	.accept = unix_accept,
	.name = unix_name,
	.send = unix_send,
	.receive = unix_receive,
	.shutdown = unix_shutdown,
	.option_get = unix_option_get,
	.option_set = unix_option_set,
};

static const struct file_ops unix_file_ops = {
	.async = true,
	.read = socket_read,
	.write = socket_write,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.release = unix_release,
};

void unix_socket_init(void)
{
	file_kind_register(FILE_SOCKET_UNIX, &unix_file_ops);
	socket_family_register(ABI_AF_UNIX, FILE_SOCKET_UNIX, &unix_ops);
}

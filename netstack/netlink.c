/* netlink.c - AF_NETLINK sockets: requests go to whoever answers for their family, answers come back in datagrams.
 *
 * A request is answered at once: the answers wait in the socket's queue, each datagram at most ANSWER_BYTES, as the
 * kernel cuts a dump. A dump ends with NLMSG_DONE, everything else that asks for it with an NLMSG_ERROR whose error may
 * be 0.
 *
 * Who has joined a group of NETLINK_ROUTE is told of what others change.
 *
 * Limits: NETLINK_ROUTE and NETLINK_SOCK_DIAG; answers that a socket does not read are dropped when they come to more
 * than its SO_RCVBUF (ENOBUFS); NLM_F_ECHO is ignored.
 */
#include "netstack/netlink.h"

#include "fs/mutex.h"
#include "fs/socket.h"
#include "netstack/netlink_answer.h"
#include "sentry/base/arena.h"
#include "sentry/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define ANSWER_BYTES  8192u
#define REQUEST_BYTES 4096u
#define READ_EVENTS   (POLLIN | POLLRDNORM)

struct netlink_answer {
	struct list node;
	uint32_t group; /* that it was sent to; 0: an answer */
	uint32_t size;
	char bytes[ANSWER_BYTES];
};

struct netlink_sock {
	struct socket base; /* first */
	struct list node;   /* of all */
	struct file *file;  /* weak */
	uint32_t port;      /* 0: not bound */
	uint32_t groups;    /* a bit each, from RTNLGRP_LINK (1) as bit 0 */
	struct list queue;  /* struct netlink_answer */
	uint32_t queued_bytes;
	struct waitq wait;
	struct mutex read_mutex; /* a reader copies while it may PARK */
};

static struct netlink_socks {
	struct list all; /* struct netlink_sock */
} * socks;               /* in the arena */
static struct slab sock_slab = SLAB(netlink_sock), answer_slab = SLAB(netlink_answer);

static struct netlink_sock *netlink_of(const struct file *file)
{
	assert(file->kind == FILE_SOCKET_NETLINK && file->data);
	return file->data;
}

/* ------------------------------------------------------------------------------------------------ writing answers */

static void *netlink_room(struct netlink_writer *w, uint32_t n)
{
	uint32_t aligned = NLMSG_ALIGN(n);

	if (w->full || w->answer->size + aligned > ANSWER_BYTES)
		return NULL;
	char *at = w->answer->bytes + w->answer->size;
	memset(at, 0, aligned);
	w->answer->size += aligned;
	w->message->nlmsg_len = (uint32_t)(w->answer->bytes + w->answer->size - (char *)w->message);
	return at;
}

static void answer_new(struct netlink_writer *w)
{
	struct netlink_answer *answer =
		w->sock->queued_bytes + ANSWER_BYTES > w->sock->base.receive_bytes ? NULL : slab_new(&answer_slab);

	if (!answer) {
		w->full = true;
		w->sock->base.error = ENOBUFS;
		return;
	}
	list_push_back(&w->sock->queue, &answer->node);
	w->sock->queued_bytes += ANSWER_BYTES;
	w->answer = answer;
}

void *netlink_begin(struct netlink_writer *w, uint16_t type, uint16_t flags, uint32_t header_bytes)
{
	if (!w->full && (!w->answer || w->answer->size + NLMSG_HDRLEN + 512 > ANSWER_BYTES))
		answer_new(w);
	if (w->full)
		return NULL;
	w->message = (struct nlmsghdr *)(void *)(w->answer->bytes + w->answer->size);
	memset(w->message, 0, NLMSG_HDRLEN);
	w->answer->size += NLMSG_HDRLEN;
	w->message->nlmsg_len = NLMSG_HDRLEN;
	w->message->nlmsg_type = type;
	w->message->nlmsg_flags = flags;
	w->message->nlmsg_seq = w->request->nlmsg_seq;
	w->message->nlmsg_pid = w->sock->port;
	return netlink_room(w, header_bytes);
}

void netlink_attribute(struct netlink_writer *w, uint16_t type, const void *data, uint32_t size)
{
	struct rtattr *attr = netlink_room(w, (uint32_t)RTA_LENGTH(size));

	if (!attr)
		return;
	attr->rta_type = type;
	attr->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(attr), data, size);
}

void netlink_attribute32(struct netlink_writer *w, uint16_t type, uint32_t value)
{
	netlink_attribute(w, type, &value, sizeof value);
}

void netlink_error(struct netlink_writer *w, int error)
{
	struct nlmsgerr *body = netlink_begin(w, NLMSG_ERROR, 0, sizeof *body);

	if (!body)
		return;
	body->error = error;
	body->msg = *w->request;
}

void netlink_done(struct netlink_writer *w)
{
	int32_t *result = netlink_begin(w, NLMSG_DONE, NLM_F_MULTI, sizeof *result);

	if (result)
		*result = 0;
}

bool netlink_find(const char *body, uint32_t body_size, uint32_t header_bytes, uint16_t type, void *out, uint32_t size)
{
	struct rtattr attr;
	bool found = false;

	for (uint32_t at = NLMSG_ALIGN(header_bytes); body_size >= sizeof attr && at <= body_size - sizeof attr;) {
		memcpy(&attr, body + at, sizeof attr);
		if (attr.rta_len < sizeof attr || attr.rta_len > body_size - at)
			break;
		if (attr.rta_type == type) {
			memset(out, 0, size);
			memcpy(out, body + at + sizeof attr, MIN(attr.rta_len - (uint32_t)sizeof attr, size));
			found = true;
		}
		at += RTA_ALIGN(attr.rta_len);
	}
	return found;
}

/* ------------------------------------------------------------------------------------------------ calls */

static int netlink_create(const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags,
			  struct file **out)
{
	if (type != ABI_SOCK_RAW && type != ABI_SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG)
		return -EPROTONOSUPPORT;
	struct netlink_sock *sock = slab_new(&sock_slab);
	if (!sock)
		return -ENOMEM;
	socket_setup(&sock->base, ABI_AF_NETLINK, type, protocol);
	list_init(&sock->queue);
	waitq_init(&sock->wait);
	mutex_init(&sock->read_mutex);
	int error = file_new_anonymous(FILE_SOCKET_NETLINK, O_RDWR | (flags & O_NONBLOCK), S_IFSOCK | 0777, "socket",
				       who->cred, out);
	if (error) {
		slab_free(&sock_slab, sock);
		return error;
	}
	(*out)->data = sock;
	sock->file = *out;
	list_push_back(&socks->all, &sock->node);
	return 0;
}

static void answer_free(struct netlink_sock *sock, struct netlink_answer *answer)
{
	list_remove(&answer->node);
	sock->queued_bytes -= ANSWER_BYTES;
	slab_free(&answer_slab, answer);
}

static void netlink_release(struct file *file)
{
	struct netlink_sock *sock = file->data;

	if (!sock)
		return;
	file->data = NULL;
	while (!list_empty(&sock->queue))
		answer_free(sock, list_first(&sock->queue, struct netlink_answer, node));
	list_remove(&sock->node);
	slab_free(&sock_slab, sock);
}

/* Who has not chosen a port gets the process's number, or one above all processes' (netlink_autobind). */
static void port_choose_one(struct netlink_sock *sock, const struct socket_caller *who)
{
	static uint32_t next = UINT32_MAX - 4096;
	static int32_t last_pid;

	sock->port = who->pid != last_pid ? (uint32_t)who->pid : next--;
	last_pid = who->pid;
}

static int netlink_bind(struct file *file, const struct socket_caller *who, const struct socket_address *address)
{
	struct netlink_sock *sock = netlink_of(file);
	struct sockaddr_nl name;

	if (address->size < sizeof name)
		return -EINVAL;
	memcpy(&name, address->bytes, sizeof name);
	if (name.nl_family != ABI_AF_NETLINK || (sock->port && name.nl_pid && name.nl_pid != sock->port))
		return -EINVAL;
	sock->groups = name.nl_groups;
	if (name.nl_pid)
		sock->port = name.nl_pid;
	else if (!sock->port)
		port_choose_one(sock, who);
	return 0;
}

static int netlink_connect(struct file *file, const struct socket_caller *who, const struct socket_address *address,
			   bool nonblock)
{
	struct netlink_sock *sock = netlink_of(file);

	(void)nonblock;
	if (address->size < sizeof(struct sockaddr_nl))
		return -EINVAL;
	if (!sock->port)
		port_choose_one(sock, who);
	return 0;
}

static int netlink_name(struct file *file, bool peer, struct socket_address *out)
{
	struct sockaddr_nl name = {.nl_family = ABI_AF_NETLINK};

	if (!peer) {
		name.nl_pid = netlink_of(file)->port;
		name.nl_groups = netlink_of(file)->groups;
	}
	memset(out, 0, sizeof *out);
	memcpy(out->bytes, &name, sizeof name);
	out->size = sizeof name;
	return 0;
}

static void answer(uint32_t protocol, struct netlink_writer *w, const char *body, uint32_t size)
{
	if (w->request->nlmsg_type < NLMSG_MIN_TYPE) { /* control messages are for the kernel's own use */
		if (w->request->nlmsg_flags & NLM_F_ACK)
			netlink_error(w, 0);
	} else if (protocol == NETLINK_SOCK_DIAG) {
		netlink_diag_answer(w, body, size);
	} else {
		netlink_route_answer(w, body, size);
	}
}

static ssize_t netlink_send(struct file *file, const struct socket_caller *who, struct socket_message *message)
{
	struct netlink_sock *sock = netlink_of(file);
	_Alignas(struct nlmsghdr) char bytes[REQUEST_BYTES];
	size_t size = message->data->left;

	if (message->flags & ABI_MSG_OOB)
		return -EOPNOTSUPP;
	if (size > sizeof bytes)
		return -EMSGSIZE;
	if (size && uio_take(message->data, bytes, size) != (ssize_t)size)
		return -EFAULT;
	if (!sock->port)
		port_choose_one(sock, who);
	for (size_t at = 0; size - at >= NLMSG_HDRLEN;) {
		struct nlmsghdr header;
		memcpy(&header, bytes + at, sizeof header);
		if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > size - at)
			break;
		struct netlink_writer writer = {.sock = sock, .cred = who->cred, .request = &header};
		if (header.nlmsg_flags & NLM_F_REQUEST)
			answer(sock->base.protocol, &writer, bytes + at + NLMSG_HDRLEN,
			       header.nlmsg_len - NLMSG_HDRLEN);
		if (NLMSG_ALIGN(header.nlmsg_len) >= size - at)
			break;
		at += NLMSG_ALIGN(header.nlmsg_len);
	}
	waitq_wake(&sock->wait, READ_EVENTS);
	return (ssize_t)size;
}

int netlink_check(const struct file *file)
{
	if (file->kind == FILE_SOCKET_NETLINK)
		return 0;
	return S_ISSOCK(file->inode->mode) ? -EINVAL : -ENOTSOCK;
}

void netlink_deliver(struct file *file, const void *bytes, uint32_t size)
{
	struct netlink_sock *sock = netlink_of(file);
	struct netlink_writer writer = {.sock = sock};

	assert(size <= ANSWER_BYTES);
	answer_new(&writer);
	if (writer.full)
		return;
	memcpy(writer.answer->bytes, bytes, size);
	writer.answer->size = size;
	waitq_wake(&sock->wait, READ_EVENTS);
}

bool netlink_announce_begin(struct netlink_writer *w, const struct netlink_writer *cause)
{
	*w = (struct netlink_writer){
		.sock = cause->sock,
		.cred = cause->cred,
		.request = cause->request,
		.answer = slab_new(&answer_slab),
	};
	return w->answer;
}

void netlink_announce(struct netlink_writer *w, uint32_t group)
{
	struct netlink_sock *sock;

	list_for_each (sock, &socks->all, node) {
		struct netlink_writer copy = {.sock = sock};
		if (sock->base.protocol != NETLINK_ROUTE || !(sock->groups >> (group - 1) & 1))
			continue;
		answer_new(&copy);
		if (!copy.full) {
			memcpy(copy.answer->bytes, w->answer->bytes, w->answer->size);
			copy.answer->size = w->answer->size;
			copy.answer->group = group;
		}
		waitq_wake(&sock->wait, READ_EVENTS);
	}
	slab_free(&answer_slab, w->answer);
}

static ssize_t receive_first(struct netlink_sock *sock, struct socket_message *message)
{
	struct netlink_answer *answer = list_first(&sock->queue, struct netlink_answer, node);
	size_t asked = message->data->left, n = MIN((size_t)answer->size, asked);
	struct sockaddr_nl from = {.nl_family = ABI_AF_NETLINK,
				   .nl_groups = answer->group ? 1u << (answer->group - 1) : 0};
	ssize_t result = n ? uio_put(message->data, answer->bytes, n) : 0;

	if (result >= 0 && answer->size > asked) {
		message->out_flags |= ABI_MSG_TRUNC;
		result = message->flags & ABI_MSG_TRUNC ? (ssize_t)answer->size : result;
	}
	memset(&message->address, 0, sizeof message->address);
	memcpy(message->address.bytes, &from, sizeof from);
	message->address.size = sizeof from;
	if (!(message->flags & ABI_MSG_PEEK))
		answer_free(sock, answer);
	return result;
}

static ssize_t netlink_receive(struct file *file, struct socket_message *message)
{
	struct netlink_sock *sock = netlink_of(file);

	if (sock->base.error)
		return socket_error_take(&sock->base);
	if (list_empty(&sock->queue)) {
		if (message->nonblock)
			return -EAGAIN;
		int waited = WAIT_EVENT(&sock->wait, !list_empty(&sock->queue),
					socket_deadline(sock->base.receive_timeout_ns));
		if (waited)
			return socket_wait_error(waited, sock->base.receive_timeout_ns);
	}
	int error = mutex_lock(&sock->read_mutex);
	if (error)
		return error;
	ssize_t result = list_empty(&sock->queue) ? -EAGAIN : receive_first(sock, message);
	mutex_unlock(&sock->read_mutex);
	return result;
}

static uint32_t netlink_poll(struct file *file, struct poll_wait *wait)
{
	struct netlink_sock *sock = netlink_of(file);

	poll_listen(wait, &sock->wait);
	return POLLOUT | POLLWRNORM | (list_empty(&sock->queue) ? 0 : READ_EVENTS) | (sock->base.error ? POLLERR : 0);
}

static long netlink_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	(void)file;
	return socket_device_ioctl(user, command, argument);
}

static int membership(struct netlink_sock *sock, uint32_t group, bool joins)
{
	uint32_t most = sock->base.protocol == NETLINK_ROUTE ? RTNLGRP_MAX : SKNLGRP_MAX;

	if (!group || group > most)
		return -EINVAL;
	uint32_t bit = group <= 32 ? 1u << (group - 1) : 0; /* to the others nothing is sent */
	sock->groups = joins ? sock->groups | bit : sock->groups & ~bit;
	return 0;
}

static int netlink_option_set(struct file *file, const struct socket_caller *who, int level, int option,
			      const void *value, uint32_t size)
{
	struct netlink_sock *sock = netlink_of(file);
	uint32_t number;

	(void)who;
	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (size < sizeof(int))
		return -EINVAL;
	memcpy(&number, value, sizeof number);
	switch (option) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return membership(sock, number, option == NETLINK_ADD_MEMBERSHIP);
	case NETLINK_NO_ENOBUFS: /* these are about the shape of errors */
	case NETLINK_CAP_ACK:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

void netlink_show(struct text *out)
{
	const struct netlink_sock *sock;

	text_add_string(out,
			"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n");
	list_for_each (sock, &socks->all, node)
		text_printf(out, "%016x %-3u %-10u %08x %-8u %-8u %-5u %-8u %-8u %-8lu\n", 0, sock->base.protocol,
			    sock->port, sock->groups, sock->queued_bytes, 0, 0, 2, 0,
			    (unsigned long)sock->file->inode->ino);
}

static const struct socket_ops netlink_ops = {
	.create = netlink_create,
	.bind = netlink_bind,
	.connect = netlink_connect,
	.name = netlink_name,
	.send = netlink_send,
	.receive = netlink_receive,
	.option_set = netlink_option_set,
};

static const struct file_ops netlink_file_ops = {
	.read = socket_read,
	.write = socket_write,
	.poll = netlink_poll,
	.ioctl = netlink_ioctl,
	.release = netlink_release,
};

int netlink_init(void)
{
	socks = arena_alloc(sizeof *socks);
	if (!socks)
		return -ENOMEM;
	list_init(&socks->all);
	file_kind_register(FILE_SOCKET_NETLINK, &netlink_file_ops);
	socket_family_register(ABI_AF_NETLINK, FILE_SOCKET_NETLINK, &netlink_ops);
	return 0;
}

/* inet.c - the families AF_INET and AF_INET6 as the socket calls see them (fs/socket.h): what kinds of sockets there
 * are, addresses, bind, names. What is particular goes to tcp*.c, udp.c, ping.c and raw.c by the tables `kinds` and
 * `operations`; options are in inet_options.c.
 *
 * Who may: raw sockets need CAP_NET_RAW (raw(7)); ping sockets are for the groups of net.ipv4.ping_group_range, which
 * are all of them, as container runtimes set it (icmp(7)).
 */
#include "netstack/inet.h"

#include "netstack/counts.h"
#include "netstack/datagram.h"
#include "netstack/device.h"
#include "netstack/errors.h"
#include "netstack/group.h"
#include "netstack/net.h"
#include "netstack/netlink.h"
#include "netstack/packet.h"
#include "netstack/ping.h"
#include "netstack/ports.h"
#include "netstack/raw.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SIOCATMARK_NR   0x8905
#define SIOCOUTQ_NR     TIOCOUTQ
#define SIOCOUTQNSD_NR  0x894b
#define IN6_SHORT_BYTES 24  /* SIN6_LEN_RFC2133: without the scope */
#define PROTOCOL_LIMIT  263 /* IPPROTO_MAX: one more than MPTCP's */

static struct inet_sock *stream_new(uint16_t family, uint8_t protocol, uint32_t uid)
{
	(void)protocol;
	return tcp_sock_new(family, uid);
}

/* What each kind does in its own way. */
static const struct operations {
	struct inet_sock *(*create)(uint16_t family, uint8_t protocol, uint32_t uid);
	void (*release)(struct inet_sock *sock); /* its file is gone */
	void (*free)(struct inet_sock *sock);    /* the last reference is gone; NULL: release does it */
	int (*connect)(struct inet_sock *sock, const struct socket_address *address);
	ssize_t (*send)(struct inet_sock *sock, struct socket_message *message);
	bool ports; /* bind(2) takes a port */
} operations[INET_KINDS] = {
	[INET_STREAM] = {.create = stream_new, .release = tcp_release, .send = tcp_send, .ports = true},
	[INET_UDP] = {.create = udp_sock_new,
		      .release = udp_release,
		      .free = udp_sock_free,
		      .connect = udp_connect,
		      .send = udp_send,
		      .ports = true},
	[INET_PING] = {.create = ping_sock_new,
		       .release = datagram_release,
		       .free = ping_sock_free,
		       .connect = ping_connect,
		       .send = ping_send,
		       .ports = true},
	[INET_RAW] = {.create = raw_sock_new,
		      .release = raw_release,
		      .free = raw_sock_free,
		      .connect = raw_connect,
		      .send = raw_send},
};

struct inet_sock *inet_sock_of(const struct file *file)
{
	assert(file->kind == FILE_SOCKET_INET && file->data);
	return file->data;
}

/* ------------------------------------------------------------------------------------------------ life */

void inet_setup(struct inet_sock *sock, enum inet_kind kind, uint16_t family, uint8_t protocol, uint32_t uid)
{
	static const uint16_t types[] = {[INET_STREAM] = ABI_SOCK_STREAM,
					 [INET_UDP] = ABI_SOCK_DGRAM,
					 [INET_PING] = ABI_SOCK_DGRAM,
					 [INET_RAW] = ABI_SOCK_RAW};

	socket_setup(&sock->base, family, types[kind], protocol);
	ref_init(&sock->ref);
	list_init(&sock->port_node);
	list_init(&sock->hash_node);
	list_init(&sock->errors);
	list_init(&sock->groups);
	waitq_init(&sock->wait);
	sock->kind = kind;
	sock->protocol = protocol;
	sock->uid = uid;
	sock->options.hops = sock->options.multicast_hops = -1;
	sock->options.multicast_loop = sock->options.multicast_all4 = sock->options.multicast_all6 = true;
	sock->options.mtu_discover = 1; /* IP_PMTUDISC_WANT */
	sock->local.addr = sock->remote.addr = net_addr_any(family == ABI_AF_INET6);
}

void inet_fini(struct inet_sock *sock)
{
	errors_free(sock);
	socket_fini(&sock->base);
}

int inet_file_new(struct inet_sock *sock, uint32_t flags, struct cred *cred, struct file **out)
{
	int error = file_new_anonymous(FILE_SOCKET_INET, O_RDWR | (flags & O_NONBLOCK), S_IFSOCK | 0777, "socket", cred,
				       out);

	if (error)
		return error;
	(*out)->data = sock;
	sock->file = *out;
	return 0;
}

/* Which kind of socket (type, protocol) means; protocol 0 becomes the type's own (inetsw in Linux). */
static int kind_of(uint16_t family, uint32_t type, uint32_t *protocol, enum inet_kind *out)
{
	static const struct {
		uint32_t type, protocol[2]; /* of either family */
		enum inet_kind kind;
	} kinds[] = {
		{ABI_SOCK_STREAM, {IP_PROTOCOL_TCP, IP_PROTOCOL_TCP}, INET_STREAM},
		{ABI_SOCK_DGRAM, {IP_PROTOCOL_UDP, IP_PROTOCOL_UDP}, INET_UDP},
		{ABI_SOCK_DGRAM, {IP_PROTOCOL_UDPLITE, IP_PROTOCOL_UDPLITE}, INET_UDP},
		{ABI_SOCK_DGRAM, {IP_PROTOCOL_ICMP, IP_PROTOCOL_ICMPV6}, INET_PING},
	};
	int error = -ESOCKTNOSUPPORT;

	if (*protocol >= PROTOCOL_LIMIT)
		return -EINVAL;
	if (type == ABI_SOCK_RAW) {
		*out = INET_RAW;
		return *protocol && *protocol <= UINT8_MAX ? 0 : -EPROTONOSUPPORT;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		uint32_t own = kinds[i].protocol[family == ABI_AF_INET6];
		if (kinds[i].type != type)
			continue;
		error = -EPROTONOSUPPORT;
		if (*protocol && *protocol != own)
			continue;
		*protocol = own;
		*out = kinds[i].kind;
		return 0;
	}
	return error;
}

static int create(uint16_t family, const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags,
		  struct file **out)
{
	enum inet_kind kind;
	int error = kind_of(family, type, &protocol, &kind);

	if (!error && kind == INET_RAW && !cred_capable(who->cred, CAP_NET_RAW))
		error = -EPERM;
	if (error)
		return error;
	const struct operations *of = &operations[kind];
	struct inet_sock *sock = of->create(family, (uint8_t)protocol, who->cred->euid);
	if (!sock)
		return -ENOMEM;
	error = inet_file_new(sock, flags, who->cred, out);
	if (error) {
		of->release(sock);
		if (of->free)
			of->free(sock);
	}
	return error;
}

static int create4(const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags, struct file **out)
{
	return create(ABI_AF_INET, who, type, protocol, flags, out);
}

static int create6(const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags, struct file **out)
{
	return create(ABI_AF_INET6, who, type, protocol, flags, out);
}

static void inet_release(struct file *file)
{
	struct inet_sock *sock = file->data;

	if (!sock)
		return;
	const struct operations *of = &operations[sock->kind];
	group_leave_all(sock);
	file->data = NULL;
	sock->file = NULL;
	of->release(sock);
	if (of->free && ref_put(&sock->ref))
		of->free(sock);
}

/* PARKS. SO_LINGER with a time. */
static void inet_linger(struct file *file)
{
	struct inet_sock *sock = file->data;

	if (!inet_is_stream(sock) || !sock->base.linger.on || !sock->base.linger.seconds)
		return;
	group_leave_all(sock);
	file->data = NULL;
	sock->file = NULL;
	tcp_release_linger(sock);
}

/* ------------------------------------------------------------------------------------------------ addresses */

/* Is the address good on one link only: fe80::/10, ff01::/16, ff02::/16 (RFC 4007)? */
static bool has_scope(const struct net_addr *addr)
{
	bool group = addr->bytes[0] == 0xff && (addr->bytes[1] & 15) <= 2;

	return !net_addr_is_v4(addr) && (group || net_addr_is_link_local(addr));
}

int inet_end_read(const struct inet_sock *sock, const struct socket_address *address, struct net_end *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->size < sizeof address->family)
		return -EINVAL;
	if (address->family == AF_INET6 && inet_is_v6(sock)) {
		if (address->size < IN6_SHORT_BYTES)
			return -EINVAL;
		memset(&v6, 0, sizeof v6);
		memcpy(&v6, address->bytes, MIN((size_t)address->size, sizeof v6));
		memcpy(out->addr.bytes, &v6.sin6_addr, sizeof out->addr.bytes);
		out->port = net16(v6.sin6_port);
		out->link = has_scope(&out->addr) ? v6.sin6_scope_id : 0;
		return net_addr_is_v4(&out->addr) && sock->options.v6_only ? -ENETUNREACH : 0;
	}
	if (address->family != AF_INET)
		return -EAFNOSUPPORT;
	/* An IPv6 socket takes an AF_INET address for datagrams only, as its mapped form (udpv6_sendmsg in Linux). */
	if (inet_is_v6(sock) && (inet_is_stream(sock) || sock->options.v6_only))
		return sock->options.v6_only ? -ENETUNREACH : -EAFNOSUPPORT;
	if (address->size < sizeof v4)
		return -EINVAL;
	memcpy(&v4, address->bytes, sizeof v4);
	*out = (struct net_end){.addr = net_addr_v4(net32(v4.sin_addr.s_addr)), .port = net16(v4.sin_port)};
	return 0;
}

void inet_end_show(const struct inet_sock *sock, const struct net_end *end, struct socket_address *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = net16(end->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = net16(end->port)};

	memset(out, 0, sizeof *out);
	if (inet_is_v6(sock)) {
		memcpy(&v6.sin6_addr, end->addr.bytes, sizeof v6.sin6_addr);
		v6.sin6_scope_id = has_scope(&end->addr) ? end->link : 0;
		out->size = sizeof v6;
		memcpy(out->bytes, &v6, sizeof v6);
	} else {
		v4.sin_addr.s_addr = end->addr.words[3];
		out->size = sizeof v4;
		memcpy(out->bytes, &v4, sizeof v4);
	}
}

int inet_route(const struct inet_sock *sock, const struct net_addr *source, const struct net_end *target,
	       struct route *out)
{
	struct route_wish wish = {.source = *source, .target = target->addr};
	bool v4 = net_addr_is_v4(&target->addr);

	if (inet_is_v6(sock) && net_addr_is_any(&wish.source) && v4)
		wish.source = net_addr_v4(NET_V4_ANY);
	if (!net_addr_is_any(&wish.source) && net_addr_is_v4(&wish.source) != v4)
		return -ENETUNREACH;
	wish.link = target->link ? target->link : sock->local.link;
	if (net_addr_is_multicast(&target->addr)) {
		uint32_t own = v4 ? sock->options.multicast_link4 : sock->options.multicast6;
		struct net_addr address = {.words = {0, 0, net32(0xffff), sock->options.multicast4}};
		const struct link *by_address = v4 && sock->options.multicast4 ? link_by_address(&address) : NULL;
		wish.link = own ? own : by_address ? by_address->index : wish.link;
		if (by_address && net_addr_is_any(&wish.source))
			wish.source = address;
	}
	if (sock->device && wish.link && wish.link != sock->device)
		return -EINVAL;
	wish.link = sock->device ? sock->device : wish.link;
	if (!wish.link && !v4 && net_addr_is_link_local(&target->addr))
		return -EINVAL; /* which one? (__ip6_datagram_connect) */
	int error = route_find(&wish, out);
	net_counts.ip[!v4].no_route += error != 0;
	return error;
}

void inet_ends_forget(struct inet_sock *sock)
{
	struct net_addr any = net_addr_any(inet_is_v6(sock));

	sock->remote = (struct net_end){.addr = any};
	sock->connected = false;
	if (!sock->addr_bound)
		sock->local.addr = any;
	if (sock->port_bound)
		return;
	port_release(sock);
	sock->local.port = 0;
}

static int inet_bind(struct file *file, const struct socket_caller *who, const struct socket_address *address)
{
	struct inet_sock *sock = inet_sock_of(file);
	struct net_end local;
	int error;

	/* Programs of old say AF_UNSPEC for INADDR_ANY (__inet_bind in Linux). */
	struct socket_address known = *address;
	if (known.size >= sizeof(struct sockaddr_in) && known.family == AF_UNSPEC && !inet_is_v6(sock) &&
	    !((const struct sockaddr_in *)(const void *)known.bytes)->sin_addr.s_addr)
		known.family = AF_INET;
	if (known.size < (inet_is_v6(sock) ? (size_t)IN6_SHORT_BYTES : sizeof(struct sockaddr_in)))
		return -EINVAL;
	if (known.family != sock->base.family)
		return -EAFNOSUPPORT;
	error = inet_end_read(sock, &known, &local);
	if (error)
		return error == -ENETUNREACH ? -EINVAL : error;
	if (!route_is_bindable(&local.addr) && !sock->options.free_bind)
		return -EADDRNOTAVAIL;
	if (sock->local.port || (inet_is_stream(sock) && tcp_of(sock)->state != TCP_CLOSED))
		return -EINVAL;
	if (net_addr_is_link_local(&local.addr) && !net_addr_is_v4(&local.addr) && !local.link && !sock->device)
		return -EINVAL; /* on which link? (ipv6(7)) */
	struct net_end before = sock->local;
	sock->local.addr = local.addr;
	sock->local.link = local.link;
	if (operations[sock->kind].ports && (local.port || !sock->options.late_port || net_addr_is_any(&local.addr)))
		error = port_bind(sock, who->cred, &local);
	if (error)
		sock->local = before;
	else
		sock->addr_bound = !net_addr_is_any(&local.addr);
	return error;
}

static int inet_name(struct file *file, bool peer, struct socket_address *out)
{
	struct inet_sock *sock = inet_sock_of(file);
	bool connected = sock->remote.port;

	if (inet_is_stream(sock)) {
		enum tcp_state state = tcp_of(sock)->state;
		connected = state != TCP_CLOSED && state != TCP_LISTEN && state != TCP_SYN_SENT;
	}
	if (peer && !connected)
		return -ENOTCONN;
	struct net_end end = peer ? sock->remote : sock->local;
	if (sock->kind == INET_RAW && !inet_is_v6(sock) && !peer)
		end.port = sock->protocol; /* as Linux has it (inet_create) */
	inet_end_show(sock, &end, out);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ calls */

static int inet_listen(struct file *file, const struct socket_caller *who, int backlog)
{
	struct inet_sock *sock = inet_sock_of(file);

	(void)who;
	return inet_is_stream(sock) ? tcp_listen(sock, backlog) : -EOPNOTSUPP;
}

static int inet_connect(struct file *file, const struct socket_caller *who, const struct socket_address *address,
			bool nonblock)
{
	struct inet_sock *sock = inet_sock_of(file);

	(void)who;
	if (address->size < sizeof address->family)
		return -EINVAL;
	return inet_is_stream(sock) ? tcp_connect(sock, address, nonblock)
				    : operations[sock->kind].connect(sock, address);
}

static int inet_accept(struct file *file, const struct socket_caller *who, uint32_t flags, struct socket_address *peer,
		       struct file **out)
{
	struct inet_sock *sock = inet_sock_of(file), *child;

	if (!inet_is_stream(sock))
		return -EOPNOTSUPP;
	int error = tcp_accept(sock, file->flags & O_NONBLOCK, &child);
	if (error)
		return error;
	error = inet_file_new(child, flags, who->cred, out);
	if (error) {
		tcp_release(child); /* what the connection was is lost, as its descriptor would be */
		return error;
	}
	inet_end_show(child, &child->remote, peer);
	return 0;
}

static ssize_t inet_send(struct file *file, const struct socket_caller *who, struct socket_message *message)
{
	struct inet_sock *sock = inet_sock_of(file);

	(void)who;
	ssize_t result = operations[sock->kind].send(sock, message);
	if (result > 0 && message->flags & MSG_ZEROCOPY && socket_flag(&sock->base, SO_ZEROCOPY))
		errors_zero_copy(sock);
	return result;
}

static ssize_t inet_receive(struct file *file, struct socket_message *message)
{
	struct inet_sock *sock = inet_sock_of(file);

	if (message->flags & ABI_MSG_ERRQUEUE)
		return errors_receive(sock, message);
	if (!inet_is_stream(sock))
		return datagram_receive(sock, message);
	ssize_t result = tcp_receive(sock, message);
	if (result > 0)
		socket_stamps_add(&sock->base, message);
	return result;
}

static int inet_shutdown(struct file *file, int how)
{
	struct inet_sock *sock = inet_sock_of(file);

	if (how < ABI_SHUT_RD || how > ABI_SHUT_RDWR)
		return -EINVAL;
	return inet_is_stream(sock) ? tcp_shutdown(sock, (uint32_t)how + 1)
				    : datagram_shutdown(sock, (uint32_t)how + 1);
}

static uint32_t inet_poll(struct file *file, struct poll_wait *wait)
{
	struct inet_sock *sock = inet_sock_of(file);

	poll_listen(wait, &sock->wait);
	uint32_t events = inet_is_stream(sock) ? tcp_poll(sock) : datagram_poll(sock);
	if (!list_empty(&sock->errors))
		events |= POLLERR | (socket_flag(&sock->base, SO_SELECT_ERR_QUEUE) ? POLLPRI : 0);
	return events;
}

static long inet_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	struct inet_sock *sock = inet_sock_of(file);
	bool stream = inet_is_stream(sock);
	int number;

	if (stream && tcp_of(sock)->state == TCP_LISTEN && (command == FIONREAD || command == SIOCOUTQ_NR))
		return -EINVAL;
	switch (command) {
	case FIONREAD:
		number = (int)(stream ? tcp_readable_bytes(sock) : datagram_next_bytes(sock));
		break;
	case SIOCOUTQ_NR:
		number = stream ? (int)tcp_unacked_bytes(sock) : 0;
		break;
	case SIOCOUTQNSD_NR:
		if (!stream)
			return -ENOTTY;
		number = (int)tcp_unsent_bytes(sock);
		break;
	case SIOCATMARK_NR:
		if (!stream)
			return -ENOTTY;
		number = tcp_at_mark(sock);
		break;
	default:
		return socket_device_ioctl(user, command, argument);
	}
	return user_write(user, UADDR(argument), &number, sizeof number);
}

/* ------------------------------------------------------------------------------------------------ the families */

#define INET_OPS(made)                                                                                                 \
	{                                                                                                              \
		.create = made, .bind = inet_bind, .listen = inet_listen, .connect = inet_connect,                     \
		.accept = inet_accept, .name = inet_name, .send = inet_send, .receive = inet_receive,                  \
		.shutdown = inet_shutdown, .option_get = inet_option_get, .option_set = inet_option_set,               \
	}
static const struct socket_ops inet4_ops = INET_OPS(create4), inet6_ops = INET_OPS(create6);

static const struct file_ops inet_file_ops = {
	.async = true,
	.read = socket_read,
	.write = socket_write,
	.poll = inet_poll,
	.ioctl = inet_ioctl,
	.linger = inet_linger,
	.release = inet_release,
};

int inet_init(void)
{
	int error = ports_init();

	if (error)
		return error;
	error = raw_init();
	if (error)
		return error;
	tcp_init();
	device_init();
	error = packet_init();
	if (!error)
		error = netlink_init();
	if (error)
		return error;
	file_kind_register(FILE_SOCKET_INET, &inet_file_ops);
	socket_family_register(ABI_AF_INET, FILE_SOCKET_INET, &inet4_ops);
	socket_family_register(ABI_AF_INET6, FILE_SOCKET_INET, &inet6_ops);
	return 0;
}

/* inet.c - the families AF_INET and AF_INET6 as the socket calls see them (fs/socket.h): addresses, bind, names,
 * options of the level IP; what is particular goes to tcp*.c and udp.c.
 *
 * Limits: streams and datagrams; no raw sockets and no ping sockets yet (EPROTONOSUPPORT). Control messages of the
 * level IP and their options (IP_PKTINFO, IP_RECVTTL ...) are refused with ENOPROTOOPT. Scope identifiers of link-local
 * addresses are ignored: there is only the loopback.
 */
#include "netstack/inet.h"

#include "fs/hooks.h"
#include "netstack/counts.h"
#include "netstack/device.h"
#include "netstack/net.h"
#include "netstack/netlink.h"
#include "netstack/ports.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define SIOCATMARK_NR    0x8905
#define SIOCOUTQ_NR      TIOCOUTQ
#define SIOCOUTQNSD_NR   0x894b
#define IN6_SHORT_BYTES  24 /* SIN6_LEN_RFC2133: without the scope */
#define MTU_DISCOVER_MAX 5

struct inet_sock *inet_sock_of(const struct file *file)
{
	assert(file->kind == FILE_SOCKET_INET && file->data);
	return file->data;
}

static bool is_stream(const struct inet_sock *sock)
{
	return sock->protocol == IP_PROTOCOL_TCP;
}

/* ------------------------------------------------------------------------------------------------ life */

void inet_setup(struct inet_sock *sock, uint16_t family, uint32_t type, uint8_t protocol, uint32_t uid)
{
	socket_setup(&sock->base, family, type, protocol);
	ref_init(&sock->ref);
	list_init(&sock->port_node);
	list_init(&sock->hash_node);
	waitq_init(&sock->wait);
	sock->protocol = protocol;
	sock->uid = uid;
	sock->options.hops = sock->options.multicast_hops = -1;
	sock->options.multicast_loop = true;
	sock->options.mtu_discover = 1; /* IP_PMTUDISC_WANT */
	sock->local.addr = sock->remote.addr = net_addr_any(family == ABI_AF_INET6);
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

static int create(uint16_t family, const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags,
		  struct file **out)
{
	struct inet_sock *sock;

	if (type != ABI_SOCK_STREAM && type != ABI_SOCK_DGRAM)
		return type == ABI_SOCK_RAW ? -EPROTONOSUPPORT : -ESOCKTNOSUPPORT;
	if (!protocol)
		protocol = type == ABI_SOCK_STREAM ? IP_PROTOCOL_TCP : IP_PROTOCOL_UDP;
	if (type == ABI_SOCK_STREAM ? protocol != IP_PROTOCOL_TCP : !udp_is_protocol(protocol))
		return -EPROTONOSUPPORT;
	sock = type == ABI_SOCK_STREAM ? tcp_sock_new(family, who->cred->euid)
				       : udp_sock_new(family, (uint8_t)protocol, who->cred->euid);
	if (!sock)
		return -ENOMEM;
	int error = inet_file_new(sock, flags, who->cred, out);
	if (!error)
		return 0;
	if (is_stream(sock))
		tcp_sock_free(sock);
	else
		udp_sock_free(sock);
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
	file->data = NULL;
	sock->file = NULL;
	if (is_stream(sock)) {
		tcp_release(sock);
		return;
	}
	udp_release(sock);
	if (ref_put(&sock->ref))
		udp_sock_free(sock);
}

/* ------------------------------------------------------------------------------------------------ addresses */

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
		return net_addr_is_v4(&out->addr) && sock->options.v6_only ? -ENETUNREACH : 0;
	}
	if (address->family != AF_INET)
		return -EAFNOSUPPORT;
	/* An IPv6 socket takes an AF_INET address for datagrams only, as its mapped form (udpv6_sendmsg in Linux). */
	if (inet_is_v6(sock) && (is_stream(sock) || sock->options.v6_only))
		return sock->options.v6_only ? -ENETUNREACH : -EAFNOSUPPORT;
	if (address->size < sizeof v4)
		return -EINVAL;
	memcpy(&v4, address->bytes, sizeof v4);
	out->addr = net_addr_v4(net32(v4.sin_addr.s_addr));
	out->port = net16(v4.sin_port);
	return 0;
}

void inet_end_show(const struct inet_sock *sock, const struct net_end *end, struct socket_address *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = net16(end->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = net16(end->port)};

	memset(out, 0, sizeof *out);
	if (inet_is_v6(sock)) {
		memcpy(&v6.sin6_addr, end->addr.bytes, sizeof v6.sin6_addr);
		out->size = sizeof v6;
		memcpy(out->bytes, &v6, sizeof v6);
	} else {
		v4.sin_addr.s_addr = end->addr.words[3];
		out->size = sizeof v4;
		memcpy(out->bytes, &v4, sizeof v4);
	}
}

int inet_route(struct inet_sock *sock, const struct net_addr *target, struct route *out)
{
	struct net_addr source = sock->local.addr;

	if (inet_is_v6(sock) && net_addr_is_any(&source) && net_addr_is_v4(target))
		source = net_addr_v4(NET_V4_ANY);
	if (!net_addr_is_any(&source) && net_addr_is_v4(&source) != net_addr_is_v4(target))
		return -ENETUNREACH;
	int error = route_find(&(struct route_wish){.source = source, .target = *target}, out);
	net_counts.ip.no_route += error && net_addr_is_v4(target);
	return error;
}

void inet_ends_forget(struct inet_sock *sock)
{
	struct net_addr any = net_addr_any(inet_is_v6(sock));

	sock->remote = (struct net_end){.addr = any};
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
	if (sock->local.port || (is_stream(sock) && tcp_of(sock)->state != TCP_CLOSED))
		return -EINVAL;
	struct net_addr before = sock->local.addr;
	sock->local.addr = local.addr;
	error = port_bind(sock, who->cred, &local);
	if (error)
		sock->local.addr = before;
	else
		sock->addr_bound = !net_addr_is_any(&local.addr);
	return error;
}

static int inet_name(struct file *file, bool peer, struct socket_address *out)
{
	struct inet_sock *sock = inet_sock_of(file);
	bool connected = sock->remote.port;

	if (is_stream(sock)) {
		enum tcp_state state = tcp_of(sock)->state;
		connected = state != TCP_CLOSED && state != TCP_LISTEN && state != TCP_SYN_SENT;
	}
	if (peer && !connected)
		return -ENOTCONN;
	inet_end_show(sock, peer ? &sock->remote : &sock->local, out);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ calls */

static int inet_listen(struct file *file, const struct socket_caller *who, int backlog)
{
	struct inet_sock *sock = inet_sock_of(file);

	(void)who;
	return is_stream(sock) ? tcp_listen(sock, backlog) : -EOPNOTSUPP;
}

static int inet_connect(struct file *file, const struct socket_caller *who, const struct socket_address *address,
			bool nonblock)
{
	struct inet_sock *sock = inet_sock_of(file);

	(void)who;
	if (address->size < sizeof address->family)
		return -EINVAL;
	return is_stream(sock) ? tcp_connect(sock, address, nonblock) : udp_connect(sock, address);
}

static int inet_accept(struct file *file, const struct socket_caller *who, uint32_t flags, struct socket_address *peer,
		       struct file **out)
{
	struct inet_sock *sock = inet_sock_of(file), *child;

	if (!is_stream(sock))
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
	return is_stream(sock) ? tcp_send(sock, message) : udp_send(sock, message);
}

static ssize_t inet_receive(struct file *file, struct socket_message *message)
{
	struct inet_sock *sock = inet_sock_of(file);

	return is_stream(sock) ? tcp_receive(sock, message) : udp_receive(sock, message);
}

static int inet_shutdown(struct file *file, int how)
{
	struct inet_sock *sock = inet_sock_of(file);

	if (how < ABI_SHUT_RD || how > ABI_SHUT_RDWR)
		return -EINVAL;
	return is_stream(sock) ? tcp_shutdown(sock, (uint32_t)how + 1) : udp_shutdown(sock, (uint32_t)how + 1);
}

static uint32_t inet_poll(struct file *file, struct poll_wait *wait)
{
	struct inet_sock *sock = inet_sock_of(file);

	poll_listen(wait, &sock->wait);
	return is_stream(sock) ? tcp_poll(sock) : udp_poll(sock);
}

static long inet_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	struct inet_sock *sock = inet_sock_of(file);
	bool stream = is_stream(sock);
	int number;

	if (stream && tcp_of(sock)->state == TCP_LISTEN && (command == FIONREAD || command == SIOCOUTQ_NR))
		return -EINVAL;
	switch (command) {
	case FIONREAD:
		number = (int)(stream ? tcp_readable_bytes(sock) : udp_next_bytes(sock));
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

/* ------------------------------------------------------------------------------------------------ options */

static int give_number(int number, void *value, uint32_t *size)
{
	/* A single byte where there is room for no more (ip(7)). */
	if (*size < sizeof number && number >= 0 && number <= 255 && *size) {
		*size = 1;
		*(uint8_t *)value = (uint8_t)number;
		return 0;
	}
	*size = MIN(*size, (uint32_t)sizeof number);
	memcpy(value, &number, *size);
	return 0;
}

static int ip4_get(const struct inet_options *o, int option, void *value, uint32_t *size)
{
	switch (option) {
	case IP_TOS:
		return give_number(o->traffic_class, value, size);
	case IP_TTL:
		return give_number(o->hops < 0 ? IP_DEFAULT_HOPS : o->hops, value, size);
	case IP_MTU_DISCOVER:
		return give_number(o->mtu_discover, value, size);
	case IP_MULTICAST_TTL:
		return give_number(o->multicast_hops < 0 ? 1 : o->multicast_hops, value, size);
	case IP_MULTICAST_LOOP:
		return give_number(o->multicast_loop, value, size);
	case IP_MULTICAST_IF:
		*size = MIN(*size, (uint32_t)sizeof o->multicast4);
		memcpy(value, &o->multicast4, *size);
		return 0;
	case IP_FREEBIND:
		return give_number(o->free_bind, value, size);
	case IP_RECVERR:
		return give_number(o->receive_errors, value, size);
	case IP_PKTINFO:
		return give_number(o->receive_packet_info, value, size);
	case IP_RECVTTL:
		return give_number(o->receive_hops, value, size);
	case IP_RECVTOS:
		return give_number(o->receive_class, value, size);
	default:
		return -ENOPROTOOPT;
	}
}

static int ip6_get(const struct inet_options *o, int option, void *value, uint32_t *size)
{
	switch (option) {
	case IPV6_V6ONLY:
		return give_number(o->v6_only, value, size);
	case IPV6_TCLASS:
		return give_number(o->traffic_class, value, size);
	case IPV6_UNICAST_HOPS:
		return give_number(o->hops < 0 ? IP_DEFAULT_HOPS : o->hops, value, size);
	case IPV6_MULTICAST_HOPS:
		return give_number(o->multicast_hops < 0 ? 1 : o->multicast_hops, value, size);
	case IPV6_MULTICAST_LOOP:
		return give_number(o->multicast_loop, value, size);
	case IPV6_MULTICAST_IF:
		return give_number((int)o->multicast6, value, size);
	case IPV6_MTU_DISCOVER:
		return give_number(o->mtu_discover, value, size);
	case IPV6_RECVERR:
		return give_number(o->receive_errors, value, size);
	case IPV6_RECVPKTINFO:
		return give_number(o->receive_packet_info6, value, size);
	case IPV6_RECVHOPLIMIT:
		return give_number(o->receive_hops6, value, size);
	case IPV6_RECVTCLASS:
		return give_number(o->receive_class6, value, size);
	default:
		return -ENOPROTOOPT;
	}
}

static int inet_option_get(struct file *file, int level, int option, void *value, uint32_t *size)
{
	struct inet_sock *sock = inet_sock_of(file);

	if (level == IPPROTO_TCP && is_stream(sock))
		return tcp_option_get(sock, option, value, size);
	if ((level == IPPROTO_UDP || level == IPPROTO_UDPLITE) && !is_stream(sock))
		return udp_option_get(sock, option, value, size);
	if (level == IPPROTO_IP)
		return ip4_get(&sock->options, option, value, size);
	if (level == IPPROTO_IPV6 && inet_is_v6(sock))
		return ip6_get(&sock->options, option, value, size);
	return level == ABI_SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
}

static int set_hops(int16_t *hops, int number, int least)
{
	if (number != -1 && (number < least || number > 255))
		return -EINVAL;
	*hops = (int16_t)number;
	return 0;
}

static int set_discover(struct inet_options *o, int number)
{
	if (number < 0 || number > MTU_DISCOVER_MAX)
		return -EINVAL;
	o->mtu_discover = (uint8_t)number;
	return 0;
}

static bool is_link_address(uint32_t v4)
{
	const struct link_address *item = NULL;

	for (const struct link *link = NULL; (link = link_next(link));)
		while ((item = link_address_next(link, item)))
			if (net_addr_is_v4(&item->addr) && item->addr.words[3] == v4)
				return true;
	return false;
}

/* IP_MULTICAST_IF takes an address, a struct ip_mreq or a struct ip_mreqn (ip(7)). Limit: what is set is checked and
 * told, but multicasts leave as routes say: there is one link to the outside at most. */
static int set_multicast4(struct inet_sock *sock, const void *value, uint32_t size)
{
	struct ip_mreqn wanted = {0};

	if (is_stream(sock) || size < sizeof wanted.imr_address)
		return -EINVAL;
	if (size >= sizeof(struct ip_mreq))
		memcpy(&wanted, value, MIN(size, (uint32_t)sizeof wanted));
	else
		memcpy(&wanted.imr_address, value, sizeof wanted.imr_address);
	uint32_t v4 = wanted.imr_address.s_addr;
	if (wanted.imr_ifindex ? !link_by_index((uint32_t)wanted.imr_ifindex) : v4 && !is_link_address(v4))
		return -EADDRNOTAVAIL;
	sock->options.multicast4 = v4;
	return 0;
}

static int set_multicast6(struct inet_sock *sock, int index)
{
	if (is_stream(sock))
		return -ENOPROTOOPT;
	if (index && !link_by_index((uint32_t)index))
		return -ENODEV;
	sock->options.multicast6 = (uint32_t)index;
	return 0;
}

static int ip4_set(struct inet_options *o, int option, int number)
{
	switch (option) {
	case IP_TOS:
		o->traffic_class = (uint8_t)number;
		return 0;
	case IP_TTL:
		return set_hops(&o->hops, number, 1);
	case IP_MTU_DISCOVER:
		return set_discover(o, number);
	case IP_MULTICAST_TTL:
		return set_hops(&o->multicast_hops, number, 0);
	case IP_MULTICAST_LOOP:
		o->multicast_loop = number;
		return 0;
	case IP_FREEBIND:
		o->free_bind = number;
		return 0;
	case IP_RECVERR:
		o->receive_errors = number;
		return 0;
	case IP_PKTINFO:
		o->receive_packet_info = number;
		return 0;
	case IP_RECVTTL:
		o->receive_hops = number;
		return 0;
	case IP_RECVTOS:
		o->receive_class = number;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* IPV6_ADDRFORM: an IPv6 socket that is connected to an IPv4 peer becomes an IPv4 one (ipv6(7)). */
static int become_v4(struct inet_sock *sock, int family)
{
	if (family != AF_INET)
		return -EINVAL;
	if (is_stream(sock) && tcp_of(sock)->state != TCP_ESTABLISHED)
		return -ENOTCONN;
	if (!sock->remote.port)
		return -ENOTCONN;
	if (sock->options.v6_only || !net_addr_is_v4(&sock->remote.addr))
		return -EADDRNOTAVAIL;
	sock->base.family = ABI_AF_INET;
	return 0;
}

static int ip6_set(struct inet_sock *sock, int option, int number)
{
	struct inet_options *o = &sock->options;

	switch (option) {
	case IPV6_ADDRFORM:
		return become_v4(sock, number);
	case IPV6_V6ONLY:
		if (sock->local.port)
			return -EINVAL;
		o->v6_only = number;
		return 0;
	case IPV6_TCLASS:
		if (number < -1 || number > 255)
			return -EINVAL;
		o->traffic_class = (uint8_t)MAX(number, 0);
		return 0;
	case IPV6_UNICAST_HOPS:
		return set_hops(&o->hops, number, 0);
	case IPV6_MULTICAST_HOPS:
		return set_hops(&o->multicast_hops, number, 0);
	case IPV6_MULTICAST_LOOP:
		o->multicast_loop = number;
		return 0;
	case IPV6_MULTICAST_IF:
		return set_multicast6(sock, number);
	case IPV6_MTU_DISCOVER:
		return set_discover(o, number);
	case IPV6_RECVERR:
		o->receive_errors = number;
		return 0;
	case IPV6_RECVPKTINFO:
		o->receive_packet_info6 = number;
		return 0;
	case IPV6_RECVHOPLIMIT:
		o->receive_hops6 = number;
		return 0;
	case IPV6_RECVTCLASS:
		o->receive_class6 = number;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int inet_option_set(struct file *file, const struct socket_caller *who, int level, int option, const void *value,
			   uint32_t size)
{
	struct inet_sock *sock = inet_sock_of(file);
	int number = 0;

	(void)who;
	if (level == IPPROTO_TCP && is_stream(sock))
		return tcp_option_set(sock, option, value, size);
	if ((level == IPPROTO_UDP || level == IPPROTO_UDPLITE) && !is_stream(sock))
		return udp_option_set(sock, option, value, size);
	if (level != IPPROTO_IP && (level != IPPROTO_IPV6 || !inet_is_v6(sock)))
		return -ENOPROTOOPT;
	if (level == IPPROTO_IP && option == IP_MULTICAST_IF)
		return set_multicast4(sock, value, size);
	if (size >= sizeof number)
		memcpy(&number, value, sizeof number);
	else if (size && level == IPPROTO_IP)
		number = *(const uint8_t *)value;
	else
		return -EINVAL;
	return level == IPPROTO_IP ? ip4_set(&sock->options, option, number) : ip6_set(sock, option, number);
}

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
	.release = inet_release,
};

int inet_init(void)
{
	int error = ports_init();

	if (error)
		return error;
	tcp_init();
	device_init();
	error = netlink_init();
	if (error)
		return error;
	file_kind_register(FILE_SOCKET_INET, &inet_file_ops);
	socket_family_register(ABI_AF_INET, FILE_SOCKET_INET, &inet4_ops);
	socket_family_register(ABI_AF_INET6, FILE_SOCKET_INET, &inet6_ops);
	return 0;
}

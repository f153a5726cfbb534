/* inet_options.c - options of the levels IPPROTO_IP and IPPROTO_IPV6 (ip(7), ipv6(7)).
 *
 * Limits: no IP options (IP_OPTIONS), no forwarding and so no IP_TRANSPARENT, no IPv6 extension headers and flow
 * labels; what is missing is refused with ENOPROTOOPT, as a kernel built without it does.
 */
#include "netstack/inet.h"

#include "netstack/group.h"
#include "netstack/ports.h"
#include "netstack/raw.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <sys/socket.h>

#define MTU_DISCOVER_MAX 5
#define SOL_RAW_LEVEL    255

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
	case IP_RECVORIGDSTADDR:
		return give_number(o->receive_target, value, size);
	case IP_HDRINCL:
		return give_number(o->header_included, value, size);
	case IP_MINTTL:
		return give_number(o->least_hops4, value, size);
	case IP_BIND_ADDRESS_NO_PORT:
		return give_number(o->late_port, value, size);
	case IP_MULTICAST_ALL:
		return give_number(o->multicast_all4, value, size);
	case IP_UNICAST_IF:
		return give_number((int)o->unicast_link4, value, size);
	case IP_TRANSPARENT:
	case IP_NODEFRAG:
	case IP_RECVOPTS:
	case IP_RETOPTS:
	case IP_PASSSEC:
	case IP_RECVFRAGSIZE:
	case IP_CHECKSUM:
	case IP_RECVERR_RFC4884:
		return give_number(0, value, size);
	case IP_OPTIONS:
		*size = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* IP_MTU, IPV6_MTU: of the path to where the socket is connected. */
static int path_mtu(struct inet_sock *sock, bool v6, void *value, uint32_t *size)
{
	struct route route;

	if (!sock->connected && !sock->remote.port)
		return -ENOTCONN;
	int error = inet_route(sock, &sock->local.addr, &sock->remote, &route);
	(void)v6;
	return error ? -ENOTCONN : give_number((int)route.mtu, value, size);
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
		return give_number(o->receive_errors6, value, size);
	case IPV6_RECVPKTINFO:
		return give_number(o->receive_packet_info6, value, size);
	case IPV6_RECVHOPLIMIT:
		return give_number(o->receive_hops6, value, size);
	case IPV6_RECVTCLASS:
		return give_number(o->receive_class6, value, size);
	case IPV6_RECVORIGDSTADDR:
		return give_number(o->receive_target, value, size);
	case IPV6_DONTFRAG:
		return give_number(o->dont_fragment6, value, size);
	case IPV6_MINHOPCOUNT:
		return give_number(o->least_hops6, value, size);
	case IPV6_FREEBIND:
		return give_number(o->free_bind, value, size);
	case IPV6_MULTICAST_ALL:
		return give_number(o->multicast_all6, value, size);
	case IPV6_HDRINCL:
		return give_number(o->header_included, value, size);
	case IPV6_UNICAST_IF:
		return give_number((int)o->unicast_link6, value, size);
	case IPV6_TRANSPARENT:
	case IPV6_RECVHOPOPTS:
	case IPV6_RECVRTHDR:
	case IPV6_RECVDSTOPTS:
	case IPV6_RECVPATHMTU:
	case IPV6_RECVFRAGSIZE:
	case IPV6_RECVERR_RFC4884:
	case IPV6_FLOWINFO:
	case IPV6_FLOWINFO_SEND:
	case IPV6_AUTOFLOWLABEL:
		return give_number(0, value, size);
	default:
		return -ENOPROTOOPT;
	}
}

static int device_name(const struct inet_sock *sock, void *value, uint32_t *size)
{
	const struct link *link = sock->device ? link_by_index(sock->device) : NULL;
	uint32_t bytes = link ? (uint32_t)strlen(link->name) + 1 : 0;

	if (link && *size < LINK_NAME_BYTES)
		return -EINVAL;
	*size = bytes;
	if (link)
		memcpy(value, link->name, bytes);
	return 0;
}

static bool has_peek_offset(const struct inet_sock *sock)
{
	return sock->kind == INET_UDP || inet_is_stream(sock);
}

int inet_option_get(struct file *file, int level, int option, void *value, uint32_t *size)
{
	struct inet_sock *sock = inet_sock_of(file);
	bool v6 = inet_is_v6(sock);

	if (level == SOL_SOCKET && option == SO_BINDTODEVICE)
		return device_name(sock, value, size);
	if (level == SOL_SOCKET && option == SO_PEEK_OFF)
		return has_peek_offset(sock) ? give_number(sock->base.peek_offset, value, size) : -EOPNOTSUPP;
	if (level == SOL_SOCKET && option == SO_BINDTOIFINDEX)
		return give_number((int)sock->device, value, size);
	if (level == IPPROTO_TCP && inet_is_stream(sock))
		return tcp_option_get(sock, option, value, size);
	if ((level == IPPROTO_UDP || level == IPPROTO_UDPLITE) && sock->kind == INET_UDP)
		return udp_option_get(sock, option, value, size);
	if (sock->kind == INET_RAW && (level == SOL_RAW_LEVEL || level == IPPROTO_ICMPV6 || option == IPV6_CHECKSUM))
		return raw_option_get(sock, level, option, value, size);
	if ((level == IPPROTO_IP && option == IP_MTU) || (level == IPPROTO_IPV6 && v6 && option == IPV6_MTU))
		return path_mtu(sock, v6, value, size);
	if (level == IPPROTO_IP && option == IP_PROTOCOL)
		return give_number(sock->protocol, value, size);
	if (level == IPPROTO_IP && option == IP_HDRINCL && sock->kind != INET_RAW)
		return -ENOPROTOOPT;
	if (level == IPPROTO_IP)
		return ip4_get(&sock->options, option, value, size);
	if (level == IPPROTO_IPV6 && v6)
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

/* IP_MULTICAST_IF takes an address, a struct ip_mreq or a struct ip_mreqn (ip(7)). */
static int set_multicast4(struct inet_sock *sock, const void *value, uint32_t size)
{
	struct ip_mreqn wanted = {0};

	if (inet_is_stream(sock) || size < sizeof wanted.imr_address)
		return -EINVAL;
	if (size >= sizeof(struct ip_mreq))
		memcpy(&wanted, value, MIN(size, (uint32_t)sizeof wanted));
	else
		memcpy(&wanted.imr_address, value, sizeof wanted.imr_address);
	uint32_t v4 = wanted.imr_address.s_addr;
	if (wanted.imr_ifindex ? !link_by_index((uint32_t)wanted.imr_ifindex) : v4 && !is_link_address(v4))
		return -EADDRNOTAVAIL;
	sock->options.multicast4 = v4;
	sock->options.multicast_link4 = (uint32_t)wanted.imr_ifindex;
	return 0;
}

static int set_multicast6(struct inet_sock *sock, int index)
{
	if (inet_is_stream(sock))
		return -ENOPROTOOPT;
	if (index && !link_by_index((uint32_t)index))
		return -ENODEV;
	sock->options.multicast6 = (uint32_t)index;
	return 0;
}

/* IP_UNICAST_IF, IPV6_UNICAST_IF: an index in network order. Kept; which way packets go, routes say. */
static int set_unicast_link(uint32_t *out, int number)
{
	uint32_t index = net32((uint32_t)number);

	if (index && !link_by_index(index))
		return -EADDRNOTAVAIL;
	*out = (uint32_t)number;
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
	case IP_RECVORIGDSTADDR:
		o->receive_target = number;
		return 0;
	case IP_MINTTL:
		if (number < 0 || number > 255)
			return -EINVAL;
		o->least_hops4 = (uint8_t)number;
		return 0;
	case IP_BIND_ADDRESS_NO_PORT:
		o->late_port = number;
		return 0;
	case IP_MULTICAST_ALL:
		if (number != 0 && number != 1)
			return -EINVAL;
		o->multicast_all4 = number;
		return 0;
	case IP_UNICAST_IF:
		return set_unicast_link(&o->unicast_link4, number);
	case IP_RECVOPTS: /* nobody's packets bear options that we would tell */
	case IP_RETOPTS:
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
	if (inet_is_stream(sock) && tcp_of(sock)->state != TCP_ESTABLISHED)
		return -ENOTCONN;
	if (!sock->remote.port)
		return -ENOTCONN;
	if (sock->options.v6_only || !net_addr_is_v4(&sock->remote.addr))
		return -EADDRNOTAVAIL;
	sock->base.family = ABI_AF_INET;
	return 0;
}

static int ip6_set_rare(struct inet_sock *sock, int option, int number)
{
	struct inet_options *o = &sock->options;

	switch (option) {
	case IPV6_RECVORIGDSTADDR:
		o->receive_target = number;
		return 0;
	case IPV6_DONTFRAG:
		o->dont_fragment6 = number;
		return 0;
	case IPV6_MINHOPCOUNT:
		if (number < 0 || number > 255)
			return -EINVAL;
		o->least_hops6 = (uint8_t)number;
		return 0;
	case IPV6_FREEBIND:
		o->free_bind = number;
		return 0;
	case IPV6_MULTICAST_ALL:
		o->multicast_all6 = number;
		return 0;
	case IPV6_UNICAST_IF:
		return set_unicast_link(&o->unicast_link6, number);
	case IPV6_HDRINCL:
		if (sock->kind != INET_RAW)
			return -ENOPROTOOPT;
		o->header_included = number;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
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
		o->receive_errors6 = number;
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
		return ip6_set_rare(sock, option, number);
	}
}

/* SO_BINDTODEVICE, SO_BINDTOIFINDEX: whoever is bound needs a privilege to change it (socket(7)). */
static int device_set(struct inet_sock *sock, const struct cred *cred, uint32_t index)
{
	if (sock->device && !cred_capable(cred, CAP_NET_RAW))
		return -EPERM;
	sock->device = index;
	return 0;
}

static int device_set_name(struct inet_sock *sock, const struct cred *cred, const void *value, uint32_t size)
{
	char name[LINK_NAME_BYTES] = "";

	memcpy(name, value, MIN(size, (uint32_t)sizeof name - 1));
	const struct link *link = *name ? link_by_name(name) : NULL;
	if (sock->device && !cred_capable(cred, CAP_NET_RAW))
		return -EPERM;
	if (*name && !link)
		return -ENODEV;
	return device_set(sock, cred, link ? link->index : 0);
}

/* Options that not only concern struct inet_options; -ENOSYS: none of these. */
static int set_special(struct inet_sock *sock, const struct cred *cred, int level, int option, const void *value,
		       uint32_t size)
{
	int number = 0;

	if (level == SOL_SOCKET && option == SO_BINDTODEVICE)
		return device_set_name(sock, cred, value, size);
	if (level == SOL_SOCKET && (option == SO_BINDTOIFINDEX || option == SO_PEEK_OFF)) {
		if (size < sizeof number)
			return -EINVAL;
		memcpy(&number, value, sizeof number);
		if (option == SO_PEEK_OFF && !has_peek_offset(sock))
			return -EOPNOTSUPP;
		if (option == SO_PEEK_OFF)
			sock->base.peek_offset = number;
		else if (number < 0)
			return -EINVAL;
		return option == SO_PEEK_OFF ? 0 : device_set(sock, cred, (uint32_t)number);
	}
	if (level == IPPROTO_TCP && inet_is_stream(sock))
		return tcp_option_set(sock, option, value, size);
	if ((level == IPPROTO_UDP || level == IPPROTO_UDPLITE) && sock->kind == INET_UDP)
		return udp_option_set(sock, option, value, size);
	if (sock->kind == INET_RAW &&
	    (level == SOL_RAW_LEVEL || level == IPPROTO_ICMPV6 || (level == IPPROTO_IPV6 && option == IPV6_CHECKSUM)))
		return raw_option_set(sock, level, option, value, size);
	if (level == IPPROTO_IP && option == IP_MULTICAST_IF)
		return set_multicast4(sock, value, size);
	int error = group_option_set(sock, level, option, value, size);
	return error == -ENOPROTOOPT ? -ENOSYS : error;
}

int inet_option_set(struct file *file, const struct socket_caller *who, int level, int option, const void *value,
		    uint32_t size)
{
	struct inet_sock *sock = inet_sock_of(file);
	int number = 0, error = set_special(sock, who->cred, level, option, value, size);

	if (error != -ENOSYS)
		return error;
	if (level != IPPROTO_IP && (level != IPPROTO_IPV6 || !inet_is_v6(sock)))
		return -ENOPROTOOPT;
	if (size >= sizeof number)
		memcpy(&number, value, sizeof number);
	else if (size && level == IPPROTO_IP)
		number = *(const uint8_t *)value;
	else
		return -EINVAL;
	/* Whose packets need not be his own may do so with a privilege only; it would change nothing here. */
	if ((level == IPPROTO_IP ? option == IP_TRANSPARENT : option == IPV6_TRANSPARENT) && number)
		return cred_capable(who->cred, CAP_NET_ADMIN) ? -ENOPROTOOPT : -EPERM;
	if (level == IPPROTO_IP && option == IP_HDRINCL) {
		if (sock->kind != INET_RAW)
			return -ENOPROTOOPT;
		sock->options.header_included = number;
		return 0;
	}
	return level == IPPROTO_IP ? ip4_set(&sock->options, option, number) : ip6_set(sock, option, number);
}

/* netlink.c - questions about links, addresses and routes, as getifaddrs(3), ip(8) and the libraries of Go and musl ask
 * them (netlink(7), rtnetlink(7)).
 *
 * A request is answered at once: the answers wait in the socket's queue, each datagram at most ANSWER_BYTES, as the
 * kernel cuts a dump. A dump ends with NLMSG_DONE, everything else that asks for it with an NLMSG_ERROR whose error may
 * be 0.
 *
 * Limits: NETLINK_ROUTE alone, and nothing can be changed (EPERM); no notifications are ever sent to groups; answers
 * that a socket does not read are dropped when they come to more than its SO_RCVBUF (ENOBUFS).
 */
#include "netstack/netlink.h"

#include "fs/mutex.h"
#include "fs/socket.h"
#include "netstack/device.h"
#include "netstack/ether.h"
#include "netstack/neighbour.h"
#include "netstack/route.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/stat.h>

#define ANSWER_BYTES  8192u
#define REQUEST_BYTES 4096u
#define READ_EVENTS   (POLLIN | POLLRDNORM)

struct netlink_answer {
	struct list node;
	uint32_t size;
	char bytes[ANSWER_BYTES];
};

struct netlink_sock {
	struct socket base; /* first */
	uint32_t port;      /* 0: not bound */
	uint32_t groups;
	struct list queue; /* struct netlink_answer */
	uint32_t queued_bytes;
	struct waitq wait;
	struct mutex read_mutex; /* a reader copies while it may PARK */
};

static struct slab sock_slab = SLAB(netlink_sock), answer_slab = SLAB(netlink_answer);

static struct netlink_sock *netlink_of(const struct file *file)
{
	assert(file->kind == FILE_SOCKET_NETLINK && file->data);
	return file->data;
}

/* ------------------------------------------------------------------------------------------------ writing answers */

/* One message under construction in the last answer of the queue. */
struct writer {
	struct netlink_sock *sock;
	const struct nlmsghdr *request;
	struct netlink_answer *answer;
	struct nlmsghdr *message;
	bool full; /* no memory, or the queue is */
};

static void *room(struct writer *w, uint32_t n)
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

static void answer_new(struct writer *w)
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

/* Begins a message with a header of the kind's own; NULL: no room any more. */
static void *begin(struct writer *w, uint16_t type, uint16_t flags, uint32_t header_bytes)
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
	return room(w, header_bytes);
}

static void attribute(struct writer *w, uint16_t type, const void *data, uint32_t size)
{
	struct rtattr *attr = room(w, (uint32_t)RTA_LENGTH(size));

	if (!attr)
		return;
	attr->rta_type = type;
	attr->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(attr), data, size);
}

static void attribute32(struct writer *w, uint16_t type, uint32_t value)
{
	attribute(w, type, &value, sizeof value);
}

static void answer_error(struct writer *w, int error)
{
	struct nlmsgerr *body = begin(w, NLMSG_ERROR, 0, sizeof *body);

	if (!body)
		return;
	body->error = error;
	body->msg = *w->request;
}

static void answer_done(struct writer *w)
{
	int32_t *result = begin(w, NLMSG_DONE, NLM_F_MULTI, sizeof *result);

	if (result)
		*result = 0;
}

/* ------------------------------------------------------------------------------------------------ links, addresses */

static void tell_link(struct writer *w, const struct link *link, uint16_t flags)
{
	static const uint8_t nobody[LINK_HARDWARE_BYTES];
	bool loopback = link->kind == LINK_LOOPBACK;
	uint8_t up = link->up ? IF_OPER_UP : IF_OPER_DOWN, state = loopback ? IF_OPER_UNKNOWN : up;
	struct rtnl_link_stats64 stats = {
		.rx_packets = link->received.packets,
		.tx_packets = link->sent.packets,
		.rx_bytes = link->received.bytes,
		.tx_bytes = link->sent.bytes,
		.rx_dropped = link->received.dropped,
		.tx_dropped = link->sent.dropped,
	};
	struct ifinfomsg *info = begin(w, RTM_NEWLINK, flags, sizeof *info);

	if (!info)
		return;
	info->ifi_type = loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
	info->ifi_index = (int)link->index;
	info->ifi_flags = device_flags(link) | (link->up ? 1u << 16 /* IFF_LOWER_UP */ : 0);
	attribute(w, IFLA_IFNAME, link->name, (uint32_t)strlen(link->name) + 1);
	attribute32(w, IFLA_TXQLEN, 1000);
	attribute(w, IFLA_OPERSTATE, &state, 1);
	attribute(w, IFLA_LINKMODE, &(uint8_t){0}, 1);
	attribute32(w, IFLA_MTU, link->mtu);
	attribute32(w, IFLA_GROUP, 0);
	attribute(w, IFLA_ADDRESS, link->hardware, sizeof link->hardware);
	attribute(w, IFLA_BROADCAST, loopback ? nobody : ether_broadcast, sizeof nobody);
	attribute(w, IFLA_QDISC, "noqueue", 8);
	attribute(w, IFLA_STATS64, &stats, sizeof stats);
}

/* The bytes of an address in its own family. */
static void attribute_address(struct writer *w, uint16_t type, const struct net_addr *addr)
{
	bool v4 = net_addr_is_v4(addr);

	attribute(w, type, v4 ? (const void *)&addr->words[3] : addr->bytes, v4 ? 4 : 16);
}

static uint8_t family_of(const struct net_addr *addr)
{
	return net_addr_is_v4(addr) ? ABI_AF_INET : ABI_AF_INET6;
}

static uint8_t scope_of(const struct link *link, const struct net_addr *addr)
{
	if (link->kind == LINK_LOOPBACK)
		return RT_SCOPE_HOST;
	return !net_addr_is_v4(addr) && net_addr_is_link_local(addr) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static void tell_address(struct writer *w, const struct link *link, const struct link_address *item)
{
	bool v4 = net_addr_is_v4(&item->addr);
	struct ifa_cacheinfo forever = {.ifa_prefered = UINT32_MAX, .ifa_valid = UINT32_MAX};
	struct ifaddrmsg *info = begin(w, RTM_NEWADDR, NLM_F_MULTI, sizeof *info);

	if (!info)
		return;
	info->ifa_family = family_of(&item->addr);
	info->ifa_prefixlen = item->prefix;
	info->ifa_flags = IFA_F_PERMANENT;
	info->ifa_scope = scope_of(link, &item->addr);
	info->ifa_index = link->index;
	attribute_address(w, IFA_ADDRESS, &item->addr);
	if (v4) {
		attribute_address(w, IFA_LOCAL, &item->addr);
		if (link->kind == LINK_ETHER) {
			struct net_addr all =
				net_addr_v4((uint32_t)(net_addr_to_v4(&item->addr) | 0xffffffffull >> item->prefix));
			attribute_address(w, IFA_BROADCAST, &all);
		}
		attribute(w, IFA_LABEL, link->name, (uint32_t)strlen(link->name) + 1);
	}
	attribute32(w, IFA_FLAGS, IFA_F_PERMANENT);
	attribute(w, IFA_CACHEINFO, &forever, sizeof forever);
}

/* The kernel's own table: what is ours is local; the loopback's whole network is. */
static void tell_local_route(struct writer *w, const struct link *link, const struct link_address *item)
{
	bool v4 = net_addr_is_v4(&item->addr), loopback = link->kind == LINK_LOOPBACK;
	uint8_t prefix = loopback ? item->prefix : v4 ? 32 : 128;
	struct net_addr net =
		v4 ? net_addr_v4(net_addr_to_v4(&item->addr) & (uint32_t)(0xffffffffull << (32 - prefix))) : item->addr;
	struct rtmsg *info = begin(w, RTM_NEWROUTE, NLM_F_MULTI, sizeof *info);

	if (!info)
		return;
	info->rtm_family = family_of(&net);
	info->rtm_dst_len = prefix;
	info->rtm_table = RT_TABLE_LOCAL;
	info->rtm_protocol = RTPROT_KERNEL;
	info->rtm_scope = v4 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	info->rtm_type = RTN_LOCAL;
	attribute32(w, RTA_TABLE, RT_TABLE_LOCAL);
	attribute_address(w, RTA_DST, &net);
	if (v4)
		attribute_address(w, RTA_PREFSRC, &item->addr);
	attribute32(w, RTA_OIF, link->index);
}

static void each_address(struct writer *w, uint8_t family,
			 void (*tell)(struct writer *, const struct link *, const struct link_address *))
{
	for (const struct link *link = NULL; (link = link_next(link));)
		for (const struct link_address *item = NULL; (item = link_address_next(link, item));)
			if (!family || family == family_of(&item->addr))
				tell(w, link, item);
}

static void tell_route(struct writer *w, const struct route_entry *entry)
{
	bool v4 = net_addr_is_v4(&entry->net);
	struct rtmsg *info = begin(w, RTM_NEWROUTE, NLM_F_MULTI, sizeof *info);

	if (!info)
		return;
	info->rtm_family = family_of(&entry->net);
	info->rtm_dst_len = entry->prefix;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = entry->connected ? RTPROT_KERNEL : RTPROT_BOOT;
	info->rtm_scope = v4 && entry->connected ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	info->rtm_type = RTN_UNICAST;
	attribute32(w, RTA_TABLE, RT_TABLE_MAIN);
	if (entry->prefix)
		attribute_address(w, RTA_DST, &entry->net);
	if (entry->metric)
		attribute32(w, RTA_PRIORITY, entry->metric);
	if (!net_addr_is_any(&entry->gateway))
		attribute_address(w, RTA_GATEWAY, &entry->gateway);
	if (!net_addr_is_any(&entry->source))
		attribute_address(w, RTA_PREFSRC, &entry->source);
	attribute32(w, RTA_OIF, entry->link->index);
}

static void each_route(struct writer *w, uint8_t family)
{
	for (const struct route_entry *entry = NULL; (entry = route_next(entry));)
		if (!family || family == family_of(&entry->net))
			tell_route(w, entry);
	each_address(w, family, tell_local_route);
}

static void each_neighbour(struct writer *w, uint8_t family)
{
	static const uint16_t states[] = {
		[NEIGHBOUR_INCOMPLETE] = NUD_INCOMPLETE, [NEIGHBOUR_REACHABLE] = NUD_REACHABLE,
		[NEIGHBOUR_STALE] = NUD_STALE,           [NEIGHBOUR_DELAY] = NUD_DELAY,
		[NEIGHBOUR_PROBE] = NUD_PROBE,
	};

	for (const struct neighbour *item = NULL; (item = neighbour_next(item));) {
		if (family && family != family_of(&item->addr))
			continue;
		struct ndmsg *info = begin(w, RTM_NEWNEIGH, NLM_F_MULTI, sizeof *info);
		if (!info)
			return;
		info->ndm_family = family_of(&item->addr);
		info->ndm_ifindex = (int)item->link->index;
		info->ndm_state = states[item->state];
		info->ndm_type = RTN_UNICAST;
		attribute_address(w, NDA_DST, &item->addr);
		if (item->state != NEIGHBOUR_INCOMPLETE)
			attribute(w, NDA_LLADDR, item->hardware, sizeof item->hardware);
	}
}

/* The payload of the attribute of a type, at most size bytes; false: it is not there. */
static bool find_attribute(const char *body, uint32_t body_size, uint32_t header_bytes, uint16_t type, void *out,
			   uint32_t size)
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

/* RTM_GETROUTE for one target ("ip route get"). */
static void answer_one_route(struct writer *w, const char *body, uint32_t size)
{
	struct rtmsg asked = {0}, *info;
	struct route_wish wish;
	struct route route;
	uint32_t v4 = 0;

	memcpy(&asked, body, MIN(size, (uint32_t)sizeof asked));
	wish = (struct route_wish){.source = net_addr_any(asked.rtm_family == ABI_AF_INET6)};
	wish.target = wish.source;
	if (asked.rtm_family == ABI_AF_INET6) {
		(void)find_attribute(body, size, sizeof asked, RTA_DST, &wish.target, sizeof wish.target);
	} else {
		(void)find_attribute(body, size, sizeof asked, RTA_DST, &v4, sizeof v4);
		wish.target.words[3] = v4;
	}
	(void)find_attribute(body, size, sizeof asked, RTA_OIF, &wish.link, sizeof wish.link);
	int error = route_find(&wish, &route);
	if (error) {
		answer_error(w, error);
		return;
	}
	if (!(info = begin(w, RTM_NEWROUTE, 0, sizeof *info)))
		return;
	bool local = route_is_ours(&wish.target);
	info->rtm_family = family_of(&wish.target);
	info->rtm_dst_len = net_addr_is_v4(&wish.target) ? 32 : 128;
	info->rtm_table = local ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
	info->rtm_type = local ? RTN_LOCAL : RTN_UNICAST;
	info->rtm_flags = RTM_F_CLONED;
	attribute32(w, RTA_TABLE, info->rtm_table);
	attribute_address(w, RTA_DST, &wish.target);
	if (!local && !net_addr_equal(&route.next, &wish.target))
		attribute_address(w, RTA_GATEWAY, &route.next);
	attribute32(w, RTA_OIF, route.link->index);
	attribute_address(w, RTA_PREFSRC, &route.source);
}

/* RTM_NEWLINK that asks for what is so already ("ip link set lo up"). */
static bool changes_no_link(const char *body, uint32_t size)
{
	struct ifinfomsg info = {0};
	const struct link *link;
	char name[LINK_NAME_BYTES + 1] = {0};

	memcpy(&info, body, MIN(size, (uint32_t)sizeof info));
	link = link_by_index((uint32_t)info.ifi_index);
	if (!link && find_attribute(body, size, sizeof info, IFLA_IFNAME, name, LINK_NAME_BYTES))
		while ((link = link_next(link)) && strcmp(link->name, name))
			;
	return link && size <= NLMSG_ALIGN(sizeof info) + (*name ? RTA_SPACE(LINK_NAME_BYTES) : 0) &&
	       info.ifi_change == IFF_UP && link->up == !!(info.ifi_flags & IFF_UP);
}

/* RTM_GETLINK for one: by index, or by name. */
static void answer_one_link(struct writer *w, const char *body, uint32_t size)
{
	struct ifinfomsg info = {0};
	char name[LINK_NAME_BYTES + 1] = {0};

	memcpy(&info, body, MIN(size, (uint32_t)sizeof info));
	(void)find_attribute(body, size, sizeof info, IFLA_IFNAME, name, LINK_NAME_BYTES);
	for (const struct link *link = NULL; (link = link_next(link));)
		if ((int)link->index == info.ifi_index || (*name && !strcmp(link->name, name))) {
			tell_link(w, link, 0);
			return;
		}
	answer_error(w, -ENODEV);
}

static void answer_dump(struct writer *w, uint8_t family)
{
	switch (w->request->nlmsg_type) {
	case RTM_GETLINK:
		for (const struct link *link = NULL; (link = link_next(link));)
			tell_link(w, link, NLM_F_MULTI);
		break;
	case RTM_GETADDR:
		each_address(w, family, tell_address);
		break;
	case RTM_GETROUTE:
		each_route(w, family);
		break;
	case RTM_GETNEIGH:
		each_neighbour(w, family);
		break;
	case RTM_GETRULE:
	case RTM_GETQDISC:
		break; /* there are none */
	default:
		answer_error(w, -EOPNOTSUPP);
		return;
	}
	answer_done(w);
}

static void answer_request(struct writer *w, const char *body, uint32_t size)
{
	uint16_t type = w->request->nlmsg_type, flags = w->request->nlmsg_flags;
	uint8_t family = size ? (uint8_t)body[0] : 0;

	if (type < NLMSG_MIN_TYPE) { /* control messages are for the kernel's own use */
		if (flags & NLM_F_ACK)
			answer_error(w, 0);
	} else if (type == RTM_NEWLINK && changes_no_link(body, size)) {
		if (flags & NLM_F_ACK)
			answer_error(w, 0);
	} else if ((type & 3) != 2) { /* RTM_NEW*, RTM_DEL*, RTM_SET* */
		answer_error(w, -EPERM);
	} else if (flags & NLM_F_DUMP) {
		answer_dump(w, family);
	} else if (type == RTM_GETLINK) {
		answer_one_link(w, body, size);
	} else if (type == RTM_GETROUTE) {
		answer_one_route(w, body, size);
	} else {
		answer_error(w, -EOPNOTSUPP);
	}
}

/* ------------------------------------------------------------------------------------------------ calls */

static int netlink_create(const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags,
			  struct file **out)
{
	if (type != ABI_SOCK_RAW && type != ABI_SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol != NETLINK_ROUTE)
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
	if (error)
		slab_free(&sock_slab, sock);
	else
		(*out)->data = sock;
	return error;
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
		struct writer writer = {.sock = sock, .request = &header};
		if (header.nlmsg_flags & NLM_F_REQUEST)
			answer_request(&writer, bytes + at + NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
		if (NLMSG_ALIGN(header.nlmsg_len) >= size - at)
			break;
		at += NLMSG_ALIGN(header.nlmsg_len);
	}
	waitq_wake(&sock->wait, READ_EVENTS);
	return (ssize_t)size;
}

static ssize_t receive_first(struct netlink_sock *sock, struct socket_message *message)
{
	struct netlink_answer *answer = list_first(&sock->queue, struct netlink_answer, node);
	size_t asked = message->data->left, n = MIN((size_t)answer->size, asked);
	ssize_t result = n ? uio_put(message->data, answer->bytes, n) : 0;

	if (result >= 0 && answer->size > asked) {
		message->out_flags |= ABI_MSG_TRUNC;
		result = message->flags & ABI_MSG_TRUNC ? (ssize_t)answer->size : result;
	}
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
	netlink_name(file, true, &message->address);
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

static int netlink_option_set(struct file *file, const struct socket_caller *who, int level, int option,
			      const void *value, uint32_t size)
{
	(void)file, (void)who, (void)value;
	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (size < sizeof(int))
		return -EINVAL;
	switch (option) { /* about notifications, of which there are none, and about the shape of errors */
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
	case NETLINK_NO_ENOBUFS:
	case NETLINK_CAP_ACK:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
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
	file_kind_register(FILE_SOCKET_NETLINK, &netlink_file_ops);
	socket_family_register(ABI_AF_NETLINK, FILE_SOCKET_NETLINK, &netlink_ops);
	return 0;
}

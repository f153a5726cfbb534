/* network_netns.c - --net=netns:PATH: the interfaces that somebody (a container runtime) has set up in a network
 * namespace become the sandbox's.
 *
 * A *keeper*, a child that lives in that namespace, opens a packet socket on each interface and hands it over with the
 * interface's addresses, routes, MTU and hardware address. Then it takes the addresses away from the interface, so that
 * the host's own stack no longer answers for them beside ours, and waits: when its parent closes their socket, or is
 * killed, it puts everything back as it was.
 *
 * Frames come with virtio-net headers (PACKET_VNET_HDR): a veth peer sends large segments and leaves checksums to us.
 *
 * Limits: NETWORK_LINKS interfaces that are up, of Ethernet's kind, with an address. Frames with VLAN tags are not
 * seen. When the keeper itself is killed, the addresses are not put back.
 */
#include "runtime/fail.h"
#include "runtime/network.h"
#include "runtime/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_BYTES  (8 << 20) /* what may wait in the host's queues of an interface */
#define SAVED_LIMIT   256
#define KEEPER_SOCKET 3
#define LAST_FD       ~0u

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* What the keeper tells its parent, in memory that the two share. */
struct report {
	bool complete;
	char message[256]; /* why not */
	struct network network;
};

static struct {
	int socket; /* its other end is the keeper's; -1: there is none */
	pid_t pid;
} keeper = {.socket = -1};

/* ------------------------------------------------------------------------------------------------ the keeper */

/* All that the keeper knows: addresses and routes as the kernel told them. */
static struct {
	struct report *report;
	int netlink;
	unsigned index[NETWORK_LINKS];
	char had_ipv6[NETWORK_LINKS]; /* of disable_ipv6; 0: not known, not changed */
	struct nlmsghdr *addresses[SAVED_LIMIT], *routes[SAVED_LIMIT];
	unsigned address_count, route_count;
} kept;

no_return printf_like(1, 2) static void keeper_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(kept.report->message, sizeof kept.report->message, format, args);
	va_end(args);
	_exit(1);
}

static struct nlmsghdr *copy_of(const struct nlmsghdr *message)
{
	struct nlmsghdr *copy = must_alloc(message->nlmsg_len);

	memcpy(copy, message, message->nlmsg_len);
	return copy;
}

static struct network_link *link_of(unsigned index)
{
	for (unsigned i = 0; i < kept.report->network.link_count; i++)
		if (kept.index[i] == index)
			return &kept.report->network.links[i];
	return NULL;
}

/* The address in an attribute; any when there is none. */
static struct net_addr addr_of(const struct rtattr *attribute, int family)
{
	struct net_addr addr = net_addr_any(family == AF_INET6);

	if (attribute && RTA_PAYLOAD(attribute) == (family == AF_INET ? 4 : 16))
		memcpy(addr.bytes + (family == AF_INET ? 12 : 0), RTA_DATA(attribute), RTA_PAYLOAD(attribute));
	return addr;
}

static void save_address(const struct nlmsghdr *message, void *unused)
{
	const struct ifaddrmsg *head = NLMSG_DATA(message);
	const struct rtattr *local = rtnl_attribute(message, sizeof *head, IFA_LOCAL);
	struct network_link *link = link_of(head->ifa_index);

	(void)unused;
	if (!link || (head->ifa_family != AF_INET && head->ifa_family != AF_INET6))
		return;
	if (kept.address_count == SAVED_LIMIT || link->address_count == NETWORK_ADDRESSES)
		keeper_fail("%s has more than %d addresses", link->name, NETWORK_ADDRESSES);
	kept.addresses[kept.address_count++] = copy_of(message);
	if (!local)
		local = rtnl_attribute(message, sizeof *head, IFA_ADDRESS);
	if (rtnl_number(message, sizeof *head, IFA_FLAGS, head->ifa_flags) & IFA_F_DADFAILED)
		return; /* somebody else has it */
	link->addresses[link->address_count++] =
		(struct network_address){addr_of(local, head->ifa_family), head->ifa_prefixlen};
}

static void save_route(const struct nlmsghdr *message, void *unused)
{
	const struct rtmsg *head = NLMSG_DATA(message);
	struct network_link *link = link_of(rtnl_number(message, sizeof *head, RTA_OIF, 0));
	int family = head->rtm_family;

	(void)unused;
	if (!link || (family != AF_INET && family != AF_INET6) || head->rtm_type != RTN_UNICAST ||
	    rtnl_number(message, sizeof *head, RTA_TABLE, head->rtm_table) != RT_TABLE_MAIN)
		return;
	if (kept.route_count == SAVED_LIMIT || link->route_count == NETWORK_ROUTES)
		keeper_fail("%s has more than %d routes", link->name, NETWORK_ROUTES);
	kept.routes[kept.route_count++] = copy_of(message);
	if (head->rtm_protocol == RTPROT_KERNEL)
		return; /* comes with its address */
	link->routes[link->route_count++] = (struct network_route){
		.net = {addr_of(rtnl_attribute(message, sizeof *head, RTA_DST), family), head->rtm_dst_len},
		.gateway = addr_of(rtnl_attribute(message, sizeof *head, RTA_GATEWAY), family),
		.source = addr_of(rtnl_attribute(message, sizeof *head, RTA_PREFSRC), family),
		.metric = rtnl_number(message, sizeof *head, RTA_PRIORITY, 0),
	};
}

static void save_link(const struct nlmsghdr *message, void *unused)
{
	const struct ifinfomsg *head = NLMSG_DATA(message);
	const struct rtattr *name = rtnl_attribute(message, sizeof *head, IFLA_IFNAME);
	const struct rtattr *hardware = rtnl_attribute(message, sizeof *head, IFLA_ADDRESS);
	struct network *network = &kept.report->network;

	(void)unused;
	if (head->ifi_type != ARPHRD_ETHER || !(head->ifi_flags & IFF_UP) || !name || !hardware ||
	    RTA_PAYLOAD(hardware) != LINK_HARDWARE_BYTES)
		return;
	if (network->link_count == NETWORK_LINKS)
		keeper_fail("more than %d interfaces are up in this namespace", NETWORK_LINKS);
	struct network_link *link = &network->links[network->link_count];
	link->kind = UPLINK_VNET_FRAMES;
	snprintf(link->name, sizeof link->name, "%s", (const char *)RTA_DATA(name));
	memcpy(link->hardware, RTA_DATA(hardware), sizeof link->hardware);
	link->mtu = rtnl_number(message, sizeof *head, IFLA_MTU, 1500);
	kept.index[network->link_count++] = (unsigned)head->ifi_index;
}

/* Interfaces without an address are nobody's. */
static void drop_unused_links(void)
{
	struct network *network = &kept.report->network;
	unsigned used = 0;

	for (unsigned i = 0; i < network->link_count; i++) {
		if (!network->links[i].address_count)
			continue;
		network->links[used] = network->links[i];
		kept.index[used++] = kept.index[i];
	}
	network->link_count = used;
}

/* Frames for the sandbox: not those that we send, not those of others, none with a VLAN tag (which would not show). */
static int attach_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, PACKET_OTHERHOST, 3, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = COUNT(code), .filter = code};
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof one))
		return -errno;
	return 0;
}

static void set_queue(int fd, int forced, int plain)
{
	int bytes = SOCKET_BYTES;

	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes))
		setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

/* Not bound to a protocol before its filter is in place: nothing else gets in. */
static int open_link(const struct network_link *link, unsigned index)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = net16(ETH_P_ALL), .sll_ifindex = (int)index};
	int one = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		keeper_fail("a packet socket: %s", strerror(errno));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one); /* Linux 4.20; the filter does it too */
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) || attach_filter(fd) ||
	    bind(fd, (struct sockaddr *)&address, sizeof address))
		keeper_fail("a packet socket on %s: %s", link->name, strerror(errno));
	set_queue(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_queue(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	return fd;
}

/* The interface's disable_ipv6; returns what it was, 0: it could not be changed. Else router advertisements would give
 * the host's stack new addresses. */
static char ipv6_disable(const char *name, char value)
{
	char path[128], old = 0;

	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (pread(fd, &old, 1, 0) != 1 || pwrite(fd, &value, 1, 0) != 1)
		old = 0;
	close(fd);
	return old;
}

static void take_over(void)
{
	for (unsigned i = 0; i < kept.address_count; i++)
		(void)!rtnl_order(kept.netlink, kept.addresses[i], RTM_DELADDR, 0);
	for (unsigned i = 0; i < kept.report->network.link_count; i++)
		kept.had_ipv6[i] = ipv6_disable(kept.report->network.links[i].name, '1');
}

/* Routes need the addresses, and those by gateways the others: so twice. What is there again by itself is no error. */
static void put_back(void)
{
	for (unsigned i = 0; i < kept.report->network.link_count; i++)
		if (kept.had_ipv6[i])
			ipv6_disable(kept.report->network.links[i].name, kept.had_ipv6[i]);
	for (unsigned i = 0; i < kept.address_count; i++)
		(void)!rtnl_order(kept.netlink, kept.addresses[i], RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	for (int round = 0; round < 2; round++)
		for (unsigned i = 0; i < kept.route_count; i++)
			(void)!rtnl_order(kept.netlink, kept.routes[i], RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
}

static void read_setup(const char *path)
{
	kept.netlink = rtnl_open();
	int error = kept.netlink < 0 ? kept.netlink : rtnl_dump(kept.netlink, RTM_GETLINK, save_link, NULL);
	if (!error)
		error = rtnl_dump(kept.netlink, RTM_GETADDR, save_address, NULL);
	drop_unused_links();
	if (!error)
		error = rtnl_dump(kept.netlink, RTM_GETROUTE, save_route, NULL);
	if (error)
		keeper_fail("its interfaces: %s", strerror(-error));
	if (!kept.report->network.link_count)
		keeper_fail("no interface there is up and has an address: set one up, such as ip -n %.100s addr add",
			    strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
}

static void enter(int namespace)
{
	if (setns(namespace, CLONE_NEWNET))
		keeper_fail("%s", errno == EINVAL  ? "is no network namespace: give a file such as /run/netns/NAME"
				  : errno == EPERM ? "only its owner's root may enter it: run usbx as root"
						   : strerror(errno));
}

/* When this fails the parent has gone, and the next read says so. */
static void send_links(const int fds[NETWORK_LINKS], unsigned count)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(NETWORK_LINKS * sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(count * sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec byte = {.iov_base = "", .iov_len = 1};
	struct msghdr message = {.msg_iov = &byte,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_SPACE(count * sizeof(int))};

	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	(void)!sendmsg(KEEPER_SOCKET, &message, MSG_NOSIGNAL);
}

/* Deaf to the terminal and to whoever ends a group of processes; it holds nothing open that others wait for. */
no_return static void keeper_main(const char *path, int namespace, int socket)
{
	int fds[NETWORK_LINKS];
	sigset_t all;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "usbx-keeper");
	enter(namespace);
	if (dup2(socket, KEEPER_SOCKET) < 0 || chdir("/") || close_range(KEEPER_SOCKET + 1, LAST_FD, 0))
		keeper_fail("%s", strerror(errno));
	read_setup(path);
	for (unsigned i = 0; i < kept.report->network.link_count; i++)
		fds[i] = open_link(&kept.report->network.links[i], kept.index[i]);
	take_over();
	kept.report->complete = true;
	send_links(fds, kept.report->network.link_count);
	for (unsigned i = 0; i < kept.report->network.link_count; i++)
		close(fds[i]);
	close_range(0, KEEPER_SOCKET - 1, 0);
	while (read(KEEPER_SOCKET, &byte, 1) < 0 && errno == EINTR)
		continue;
	put_back();
	_exit(0);
}

/* ------------------------------------------------------------------------------------------------ its parent */

static bool receive_links(int fds[NETWORK_LINKS], unsigned count)
{
	char byte;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(NETWORK_LINKS * sizeof(int))];
	} control;
	struct iovec place = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &place, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};

	if (recvmsg(keeper.socket, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message) ||
	    control.header.cmsg_len != CMSG_LEN(count * sizeof(int)))
		return false;
	memcpy(fds, CMSG_DATA(&control.header), count * sizeof(int));
	return true;
}

void network_open_netns(struct network *network, const struct network_options *options, int link_fds[NETWORK_LINKS])
{
	struct report *report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pair[2], namespace = open(options->name, O_RDONLY | O_CLOEXEC);
	char byte;

	if (namespace < 0)
		fail("--net=netns:%s: %s", options->name, strerror(errno));
	if (report == MAP_FAILED || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		fail("--net=netns:%s: %s", options->name, strerror(errno));
	kept.report = report;
	keeper.pid = fork();
	if (!keeper.pid)
		keeper_main(options->name, namespace, pair[1]);
	close(pair[1]);
	close(namespace);
	keeper.socket = pair[0];
	if (keeper.pid < 0)
		fail("--net=netns:%s: %s", options->name, strerror(errno));
	/* Whether it has told us all is known once its message is here, or its end. */
	if (recv(keeper.socket, &byte, 1, MSG_PEEK) != 1 || !report->complete ||
	    !receive_links(link_fds, report->network.link_count))
		fail("--net=netns:%s: %s", options->name, *report->message ? report->message : "its keeper has died");
	*network = report->network;
	munmap(report, sizeof *report);
}

void network_close_netns(void)
{
	if (keeper.socket < 0)
		return;
	close(keeper.socket);
	keeper.socket = -1;
	while (waitpid(keeper.pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

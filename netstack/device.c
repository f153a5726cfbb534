/* device.c - see device.h. Linux answers these on a socket of any family (dev_ioctl); so do we.
 *
 * Limits: interfaces are changed by netlink only (EPERM here); the old calls about IPv4 addresses know the first one
 * only.
 */
#include "netstack/device.h"

#include "fs/socket.h"
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#define QUEUE_LENGTH 1000 /* as Linux makes them */

uint32_t device_flags(const struct link *link)
{
	uint32_t flags = link->up ? IFF_UP | IFF_RUNNING : 0;

	return link->kind == LINK_LOOPBACK ? flags | IFF_LOOPBACK : flags | IFF_BROADCAST | IFF_MULTICAST;
}

/* The first IPv4 address of a link; NULL: it has none. */
static const struct link_address *address4(const struct link *link)
{
	const struct link_address *item = NULL;

	while ((item = link_address_next(link, item)) && !net_addr_is_v4(&item->addr))
		;
	return item;
}

static void put_address(struct ifreq *request, uint32_t v4)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {net32(v4)}};

	memcpy(&request->ifr_addr, &in, sizeof in);
}

static int answer4(const struct link *link, uint32_t command, struct ifreq *request)
{
	const struct link_address *item = address4(link);

	if (!item)
		return -EADDRNOTAVAIL;
	uint32_t v4 = net_addr_to_v4(&item->addr);
	if (command == SIOCGIFADDR)
		put_address(request, v4);
	else if (command == SIOCGIFNETMASK)
		put_address(request, (uint32_t)(0xffffffffull << (32 - item->prefix)));
	else
		put_address(request, link->kind == LINK_LOOPBACK ? 0 : (uint32_t)(v4 | 0xffffffffull >> item->prefix));
	return 0;
}

static int answer(const struct link *link, uint32_t command, struct ifreq *request)
{
	switch (command) {
	case SIOCGIFFLAGS:
		request->ifr_flags = (short)device_flags(link);
		return 0;
	case SIOCGIFINDEX:
		request->ifr_ifindex = (int)link->index;
		return 0;
	case SIOCGIFMTU:
		request->ifr_mtu = (int)link->mtu;
		return 0;
	case SIOCGIFMETRIC:
		request->ifr_metric = 0;
		return 0;
	case SIOCGIFTXQLEN:
		request->ifr_qlen = QUEUE_LENGTH;
		return 0;
	case SIOCGIFHWADDR:
		memset(&request->ifr_hwaddr, 0, sizeof request->ifr_hwaddr);
		request->ifr_hwaddr.sa_family = link->kind == LINK_LOOPBACK ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
		memcpy(request->ifr_hwaddr.sa_data, link->hardware, sizeof link->hardware);
		return 0;
	case SIOCGIFADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFBRDADDR:
	case SIOCGIFDSTADDR:
		return answer4(link, command, request);
	case SIOCETHTOOL: /* of a link without a driver of its own: what Linux says for lo */
		return -EOPNOTSUPP;
	default:
		return -ENOTTY;
	}
}

/* SIOCGIFCONF: the interfaces that have an IPv4 address. Without a buffer: how much room they need. */
static long list_interfaces(struct user user, uint64_t argument)
{
	struct ifconf conf;
	const struct link *link = NULL;
	int error = user_read(user, &conf, UADDR(argument), sizeof conf), used = 0;
	uint64_t at = (uint64_t)conf.ifc_buf;

	while (!error && (link = link_next(link))) {
		struct ifreq request = {0};
		const struct link_address *item = address4(link);
		if (!item)
			continue;
		if (at && used + (int)sizeof request > conf.ifc_len)
			break;
		memcpy(request.ifr_name, link->name, sizeof request.ifr_name);
		put_address(&request, net_addr_to_v4(&item->addr));
		if (at)
			error = user_write(user, UADDR(at + (uint64_t)used), &request, sizeof request);
		used += (int)sizeof request;
	}
	conf.ifc_len = used;
	return error ? error : user_write(user, UADDR(argument), &conf, sizeof conf);
}

static bool changes_something(uint32_t command)
{
	switch (command) {
	case SIOCSIFFLAGS:
	case SIOCSIFADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFBRDADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFMTU:
	case SIOCSIFMETRIC:
	case SIOCSIFHWADDR:
	case SIOCSIFNAME:
	case SIOCSIFTXQLEN:
	case SIOCADDRT:
	case SIOCDELRT:
		return true;
	default:
		return false;
	}
}

static long device_ioctl(struct user user, uint32_t command, uint64_t argument)
{
	const struct link *link;
	struct ifreq request;

	if (command == SIOCGIFCONF)
		return list_interfaces(user, argument);
	if (!changes_something(command) && (command < SIOCGIFNAME || command > SIOCGIFTXQLEN) && command != SIOCETHTOOL)
		return -ENOTTY;
	int error = user_read(user, &request, UADDR(argument), sizeof request);
	if (error)
		return error;
	request.ifr_name[IFNAMSIZ - 1] = 0;
	link = command == SIOCGIFNAME ? link_by_index((uint32_t)request.ifr_ifindex) : link_by_name(request.ifr_name);
	/* Nothing is to be changed when "up" is what it is: scripts say so to be sure. */
	if (command == SIOCSIFFLAGS && link && link->up == !!(request.ifr_flags & IFF_UP))
		return 0;
	if (changes_something(command))
		return -EPERM;
	if (!link)
		return -ENODEV;
	if (command == SIOCGIFNAME)
		memcpy(request.ifr_name, link->name, sizeof request.ifr_name);
	else
		error = answer(link, command, &request);
	return error ? error : user_write(user, UADDR(argument), &request, sizeof request);
}

void device_init(void)
{
	socket_device_ioctl_register(device_ioctl);
}
